//! The tests of this crate, as one program.

mod cashier;
mod desk;
mod durable;
mod retold;
mod support;
