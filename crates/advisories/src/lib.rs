//! Known holes (已知漏洞) of what the program is made of: its own list of dependencies, advisories (安全公告) in the formats
//! of those who publish them, and which of them meet. Pure but for [`read`], which reads the files that an operator brings.
//!
//! Reading order: [`dependency`] (what the program is made of), [`advisory`] (what is known), [`osv`] and [`rustsec`] (as it
//! is published), [`read`] (from a folder), [`hole`] (which meet), [`brought`] (what a city keeps of it).

pub mod advisory;
pub mod brought;
pub mod dependency;
pub mod hole;
pub mod osv;
pub mod read;
pub mod rustsec;

pub use advisory::{Advisory, Affected, Severity};
pub use brought::Brought;
pub use dependency::{Dependency, Ecosystem, own};
pub use hole::{Hole, holes};
pub use read::{Limits, Read};
