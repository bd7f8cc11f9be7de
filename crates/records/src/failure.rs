//! How an operation on records fails, in the terms that a door needs to answer: whose fault it is, and
//! what to do about it.

use model::Problem;
use std::error::Error;

/// What every operation on records answers with.
pub type Result<T> = std::result::Result<T, Failure>;

/// The code of [`Failure::Unavailable`] when the disk is full.
pub const RECORDS_FULL: &str = "records-full";

/// Why an operation failed. The HTTP layer answers with the status named at each.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The input is wrong (400).
    #[error("{0}")]
    Invalid(Problem),
    /// Nobody is signed in, or the sign-in is wrong or has ended (401).
    #[error("{0}")]
    Unauthenticated(Problem),
    /// The caller may not do this (403).
    #[error("{0}")]
    Forbidden(Problem),
    /// There is no such row (404).
    #[error("{0}")]
    NotFound(Problem),
    /// The row is not, or no longer, in a state that allows it (409).
    #[error("{0}")]
    Conflict(Problem),
    /// Too often (429).
    #[error("{problem}")]
    TooMany {
        /// What was too often.
        problem: Problem,
        /// Seconds until it may be tried again; at least 1.
        retry_after_s: u64,
    },
    /// The disk or the system refuses, which passes: it is full (507), read-only, or no file can be opened (503).
    #[error("{0}")]
    Unavailable(Problem),
    /// The platform's own fault (500): the store, the disk, a broken row.
    #[error("{0}")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// Wraps an error of the platform's own.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// `not-found`: there is no `kind` with that id.
    pub fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::NotFound(Problem::new(
            "not-found",
            format!("there is no {kind} {id}"),
            kind,
            format!("look up the {kind} in its list"),
        ))
    }

    /// The problem to show, when there is one (all but [`Failure::Internal`]).
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Invalid(p)
            | Self::Unauthenticated(p)
            | Self::Forbidden(p)
            | Self::NotFound(p)
            | Self::Conflict(p)
            | Self::Unavailable(p)
            | Self::TooMany { problem: p, .. } => Some(p),
            Self::Internal(_) => None,
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match refused(&error) {
            Some(problem) => Self::Unavailable(problem),
            None => Self::internal(error),
        }
    }
}

/// What SQLite says when the disk or the system, not the platform, is at fault.
fn refused(error: &sqlx::Error) -> Option<Problem> {
    const MAKE_ROOM: &str = "make room on the disk, then try again";
    const MAKE_WRITABLE: &str =
        "see why in the system's log and make the disk writable, then try again";
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    // The low byte; the rest says in which of its steps.
    let (code, mend) = match code & 0xff {
        8 => ("records-read-only", MAKE_WRITABLE),
        10 => ("records-io", "see the system's log, then try again"),
        13 => (RECORDS_FULL, MAKE_ROOM),
        14 => (
            "records-open",
            "see whether file handles are left (ulimit -n) and the disk is writable, then try again",
        ),
        _ => return None,
    };
    let what = format!("the records cannot be written or read: {error}");
    Some(Problem::new(code, what, "records.sqlite", mend))
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Invalid(problem)
    }
}
