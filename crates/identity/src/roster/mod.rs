//! Organisations, posts and people from a file of sheets (名册), and as one. A file is checked whole before anything is
//! written, everything wrong with it is told by sheet, line and column, and it is written in one transaction. It adds and
//! changes; it closes nobody's sign-in, takes no post back and makes no administrator.
//!
//! Reading order: [`columns`] (what the sheets are), `plan` (what a file would do, or what is wrong with it), `apply`
//! (doing it), `roles` (what of it the security administrator agrees to), `export` (the same sheets of what there is).

mod apply;
pub mod columns;
mod export;
mod plan;
mod roles;

pub use model::sheet::{Mistake, Sheet, Written};

/// How much a file may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most lines of all sheets.
    pub rows_max: usize,
    /// Most mistakes that are told one by one; the others are counted.
    pub mistakes_max: usize,
    /// Most people that one file adds: each password is slow to hash on purpose.
    pub new_people_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows_max: 20_000,
            mistakes_max: 1_000,
            new_people_max: 2_000,
        }
    }
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It is new.
    Add,
    /// It is there and differs.
    Change,
    /// It is there as it stands.
    Same,
}

impl Doing {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Same => "same",
        }
    }
}

/// What becomes of one line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The sheet.
    pub sheet: String,
    /// The line.
    pub line: u64,
    /// What it is about.
    pub kind: columns::Kind,
    /// What becomes of it.
    pub doing: Doing,
    /// The id, or what is typed at sign-in.
    pub id: String,
    /// The name.
    pub name: String,
}

/// What a file would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The good lines.
    pub lines: Vec<Line>,
    /// Posts that people get.
    pub holders: usize,
    /// What is wrong, in the order of the file.
    pub mistakes: Vec<Mistake>,
    /// All mistakes, also those beyond [`Limits::mistakes_max`].
    pub mistakes_count: usize,
    /// Sheets and columns that are not read.
    pub not_read: Vec<String>,
}

impl Report {
    /// How many lines of a kind something becomes of.
    pub fn count(&self, kind: columns::Kind, doing: Doing) -> usize {
        let lines = self.lines.iter();
        lines.filter(|l| l.kind == kind && l.doing == doing).count()
    }

    fn touched(&self, kind: columns::Kind) -> usize {
        self.count(kind, Doing::Add) + self.count(kind, Doing::Change)
    }
}

/// A person that a file added, with the password that is shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInMade {
    /// What is typed at sign-in.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The organisation's id.
    pub organisation_id: Option<String>,
    /// The password; it is not stored and cannot be shown again.
    pub password: String,
}
