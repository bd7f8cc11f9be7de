//! The mathematics of energy against a second program and on real sessions.

mod load;
