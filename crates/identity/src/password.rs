//! People's passwords: Argon2id (RFC 9106), each with its own salt and the work factor it was made with.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use records::{Failure, Result, Secret};

/// How much work one hash is. A stored hash names its own, so a change holds for new passwords only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkFactor {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for WorkFactor {
    /// 19 MiB, 2 passes, 1 lane: the least that OWASP advises for Argon2id; tens of milliseconds of one core.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

/// Hashes a password with a fresh salt. Slow on purpose: not to be called on an async thread.
///
/// # Errors
/// [`Failure::Internal`] when the work factor is out of Argon2's range or there is no randomness.
pub fn hash(password: &str, work: WorkFactor) -> Result<Secret> {
    let params = Params::new(work.memory_kib, work.passes, work.lanes, None)
        .map_err(|e| Failure::internal(format!("work factor {work:?}: {e}")))?;
    let hash: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map_err(|e| Failure::internal(format!("hashing a password: {e}")))?;
    Ok(Secret::new(hash.to_string()))
}

/// Whether the password is the one hashed. Slow on purpose: not to be called on an async thread.
///
/// # Errors
/// [`Failure::Internal`] when the stored hash is not one.
pub fn verify(password: &str, stored: &str) -> Result<bool> {
    let hash = PasswordHash::new(stored)
        .map_err(|e| Failure::internal(format!("a stored password hash is damaged: {e}")))?;
    Ok(Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_only_and_a_fresh_salt_each_time() {
        let work = WorkFactor {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let (a, b) = (
            hash("竟陵-secret", work).unwrap(),
            hash("竟陵-secret", work).unwrap(),
        );
        assert_ne!(a.expose(), b.expose());
        assert!(a.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(verify("竟陵-secret", a.expose()).unwrap());
        assert!(!verify("竟陵-Secret", a.expose()).unwrap());
        assert!(verify("x", "not a hash").is_err());
    }

    #[test]
    fn a_work_factor_out_of_range_is_an_error() {
        let work = WorkFactor {
            memory_kib: 1,
            passes: 0,
            lanes: 1,
        };
        assert!(hash("x", work).is_err());
    }
}
