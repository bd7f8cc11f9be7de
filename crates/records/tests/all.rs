//! One program of all tests of this crate: linking it once instead of once a file is what keeps the tests' build short. A file
//! that is not named here fails `cargo xtask tidy`.

mod audit_chain;
mod shape_17;
mod shape_18;
mod shape_19;
mod shape_20;
mod shape_21;
mod shape_22;
mod shapes;
mod store;
