//! One program of all tests of this crate: linking it once instead of once a file is what keeps the tests' build short. A file
//! that is not named here fails `cargo xtask tidy`.

mod administrators;
mod device_keys;
mod identity;
mod linked;
mod organisation;
mod second_factors;
mod sign_ins;
mod store;
mod support;
mod webauthn_vectors;
