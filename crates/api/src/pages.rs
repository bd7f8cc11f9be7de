//! The console's pages, built by `web/` and embedded in the binary. Every path that is no file is the
//! application's own and gets its first page.

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist/"]
#[allow_missing = true]
struct Pages;

/// The first page, into which each answer's own nonce is written.
const FIRST_PAGE: &str = "index.html";
/// The page of everybody, which loads little: at this address alone.
const PUBLIC_PAGE: (&str, &str) = ("public", "public.html");
/// What stands in the built first page in its place; `web/vite.config.ts` puts it there.
const NONCE_PLACE: &str = "__CSP_NONCE__";
/// Random bytes of a nonce (CSP Level 3 asks for 16 at least).
const NONCE_BYTES: usize = 18;

/// Only our own scripts, pictures and connections; blob: for previews of photos and voice notes and the map's workers. The service
/// worker (`web/src/worker`) is a script of ours at the root, from where its scope reaches every page without a header. A style element must
/// carry the answer's nonce: what somebody else's text brings into a page cannot know it.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self'; script-src-attr 'none'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'none'; \
         img-src 'self' data: blob:; worker-src 'self' blob:; manifest-src 'self'; connect-src 'self' blob:; media-src 'self' blob:; object-src 'none'; \
         frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    )
}

fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; NONCE_BYTES]>())
}

/// Serves a file of the pages, or the first page.
pub async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let is_operation = ["api/", "ngsi-ld/", "oauth2/", ".well-known/"]
        .iter()
        .any(|begin| path.starts_with(begin));
    if is_operation {
        return crate::error::ApiError::not_found("operation", uri.path()).into_response();
    }
    let path = match path == PUBLIC_PAGE.0 {
        true => PUBLIC_PAGE.1,
        false => path,
    };
    let (name, file) = match Pages::get(path) {
        Some(file) if !path.is_empty() => (path, file),
        _ if path.starts_with("assets/") => return StatusCode::NOT_FOUND.into_response(),
        _ => match Pages::get(FIRST_PAGE) {
            Some(file) => (FIRST_PAGE, file),
            None => {
                return (
                    StatusCode::NOT_FOUND,
                    "the pages were not built: run `make web`, then build again",
                )
                    .into_response();
            }
        },
    };
    let nonce = nonce();
    let is_page = name == FIRST_PAGE || name == PUBLIC_PAGE.1;
    let mut response = if is_page {
        String::from_utf8_lossy(&file.data)
            .replace(NONCE_PLACE, &nonce)
            .into_response()
    } else {
        file.data.into_response()
    };
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(file.metadata.mimetype()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    // Vite puts a hash in the name of every file under assets/. The first page is new each time: its nonce is. The service worker
    // is asked for anew each time, so that a new version takes over with the next visit.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else if is_page {
        "no-store"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_a_nonce_of_its_own_and_nothing_is_allowed_inline() {
        let (one, two) = (nonce(), nonce());
        assert_ne!(one, two);
        assert!(one.len() >= 22, "{one}");
        let policy = policy(&one);
        assert!(policy.contains(&format!("'nonce-{one}'")), "{policy}");
        for loose in ["unsafe-inline", "unsafe-eval", "*", "http:"] {
            assert!(!policy.contains(loose), "{policy}");
        }
        assert!(HeaderValue::from_str(&policy).is_ok());
    }
}
