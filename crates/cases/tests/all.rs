//! One program of all tests of this crate: linking it once instead of once a file is what keeps the tests' build short. A file
//! that is not named here fails `cargo xtask tidy`.

mod cases;
mod classes;
mod field;
mod figures;
mod outside;
mod steps;
mod support;
mod way;
mod workflow;
