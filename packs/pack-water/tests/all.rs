//! The mathematics of water against what is published and against other programs.

mod areal;
mod corresponding_stage;
mod engines;
mod joint_dispatch;
mod judged;
mod muskingum;
mod xinanjiang;
