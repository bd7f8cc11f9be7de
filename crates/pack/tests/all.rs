//! One program of all tests of this crate: linking it once instead of once a file is what keeps the tests' build short. A file
//! that is not named here fails `cargo xtask tidy`.

mod affected;
mod commands;
mod engines;
mod forms;
mod goals;
mod isolines;
mod mistakes;
mod packs;
mod plans;
mod projects;
mod queries;
mod reload;
mod scenarios;
mod schemas;
mod systems;
mod tables;
