//! Runs (计算任务): an engine of a pack's mathematics, run by the clock over the city's data. What a run is declared to be, for which
//! moments it is due, what its outcome says to the city, what of it a person may adopt, and how all of it is kept, so that it can be reckoned again bit for bit.
//! Pure: whoever has the data, the clock and the stores gives them.
//!
//! Reading order: [`definition`], [`outcome`], [`adopt`], [`kept`].

pub mod adopt;
pub mod definition;
pub mod kept;
pub mod outcome;

pub use adopt::Adopt;
pub use definition::Definition;
pub use kept::Kept;
