//! The mathematics of water against what is published and against other programs.

mod muskingum;
mod xinanjiang;
