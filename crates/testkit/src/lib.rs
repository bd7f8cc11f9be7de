//! What every room's tests share: literate [`vectors`] (a sentence, the bytes, what the city learns),
//! [`render`], the plain text in which expectations are written, [`foreign`], programs that nobody here wrote, [`folder`],
//! a folder as a value, and [`refusal`], a system that refuses. Used by tests only.

pub mod folder;
pub mod foreign;
pub mod refusal;
pub mod render;
pub mod vectors;
