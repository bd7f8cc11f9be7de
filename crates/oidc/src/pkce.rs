//! Proof that who redeems a code is who asked for it (RFC 7636). S256 alone: `plain` proves nothing to who reads the request.

use crate::fault::{Answer, Fault};
use crate::secret::same;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The challenge of a request.
///
/// # Errors
/// `invalid_request` when it is missing, is not S256's, or has another method (RFC 7636 §4.4.1).
pub fn challenge(given: Option<&str>, method: Option<&str>) -> Answer<String> {
    let given = given.ok_or_else(|| {
        Fault::request("code_challenge is missing: send PKCE with code_challenge_method=S256")
    })?;
    if method != Some("S256") {
        return Err(Fault::request("code_challenge_method must be S256"));
    }
    let is_good = given.len() == 43 && URL_SAFE_NO_PAD.decode(given).is_ok();
    if !is_good {
        return Err(Fault::request(
            "code_challenge is not BASE64URL(SHA256(code_verifier))",
        ));
    }
    Ok(given.to_owned())
}

/// Whether a verifier (43 to 128 unreserved characters) is the challenge's.
pub fn fits(verifier: &str, challenge: &str) -> bool {
    let is_formed = (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    is_formed
        && same(
            &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())),
            challenge,
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_fits() {
        // RFC 7636 appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let made = challenge(
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            Some("S256"),
        )
        .unwrap();
        assert!(fits(verifier, &made));
        assert!(!fits(&verifier.replace('d', "e"), &made));
        assert!(!fits("", &made) && !fits("short", &made));
    }

    #[test]
    fn plain_and_missing_are_refused() {
        let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for (given, method) in [
            (None, Some("S256")),
            (Some(good), None),
            (Some(good), Some("plain")),
            (Some("short"), Some("S256")),
            (
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"),
                Some("S256"),
            ),
        ] {
            assert_eq!(
                challenge(given, method).unwrap_err().error,
                "invalid_request"
            );
        }
    }
}
