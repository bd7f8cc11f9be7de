//! What every room's tests share: literate [`vectors`] (a sentence, the bytes, what the city learns),
//! [`render`], the plain text in which expectations are written, and [`foreign`], programs that nobody here
//! wrote. Used by tests only.

pub mod foreign;
pub mod render;
pub mod vectors;
