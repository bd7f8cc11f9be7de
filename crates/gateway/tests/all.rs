//! One program of all tests of this crate: linking it once instead of once a file is what keeps the tests' build short. A file
//! that is not named here fails `cargo xtask tidy`.

mod client;
mod messages;
mod ocpp;
mod rumqttc;
mod sign_in;
mod sl651;
mod subscribers;
mod support;
