//! The mathematics of water against what is published and against other programs.

mod areal;
mod engines;
mod judged;
mod muskingum;
mod xinanjiang;
