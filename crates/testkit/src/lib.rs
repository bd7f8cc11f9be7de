//! What every room's tests share: literate [`vectors`] (a sentence, the bytes, what the city learns)
//! and [`render`], the plain text in which expectations are written. Used by tests only.

pub mod render;
pub mod vectors;
