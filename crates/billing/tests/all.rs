//! The tests of this crate, as one program.

mod desk;
mod durable;
mod retold;
mod support;
