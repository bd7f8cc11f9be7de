//! The plan's indicators: each is one `.sql` file, whose header says what is measured and what the plan
//! wants, and whose query says how. Pure: whoever has the data runs the query.
//!
//! Reading order: [`definition`] (what a file holds), [`parse`] (how it is read), [`path`] (expected
//! value and status: the stated rule).

pub mod definition;
pub mod parse;
pub mod path;

pub use definition::{Definition, Direction, Method, Origin, Place, Target};
pub use parse::parse;
pub use path::{Path, Status};
