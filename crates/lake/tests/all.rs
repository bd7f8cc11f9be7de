//! One program of all tests of this crate: linking it once instead of once a file is what keeps the tests' build short. A file
//! that is not named here fails `cargo xtask tidy`.

mod common;
mod corrections;
mod department;
mod foreign;
mod formats;
mod law;
mod now;
mod paged;
mod pieces;
mod reseal;
mod rotten;
mod sight;
mod sql;
mod storage;
mod time_functions;
mod upkeep;
mod views;
mod zones;
