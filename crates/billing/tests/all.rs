//! The tests of this crate, as one program.

mod desk;
mod retold;
mod support;
