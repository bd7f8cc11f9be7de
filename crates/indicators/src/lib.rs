//! The plan's indicators: each is one `.sql` file, whose header says what is measured and what the plan
//! wants, and whose query says how. Pure: whoever has the data runs the query.
//!
//! Reading order: [`definition`] (what a file holds), [`parse`] (how it is read), [`path`] (expected
//! value and status: the stated rule), [`answer`] (what a query's answer must look like), [`forecast`] (where it goes by the
//! target year), [`assessment`] (what came of it), [`due`] (what must be measured again),
//! [`towns`] (what each town has of it), [`reports`] (figures that people report), [`proof`] (the way from a figure to what proves it).

pub mod answer;
pub mod assessment;
pub mod definition;
pub mod due;
pub mod forecast;
pub mod parse;
pub mod path;
pub mod proof;
pub mod reports;
pub mod towns;

pub use assessment::Assessment;
pub use definition::{Definition, Direction, Method, Origin, Place, Target, Towns};
pub use forecast::Forecast;
pub use parse::parse;
pub use path::{Path, Status};
