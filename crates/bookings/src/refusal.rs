//! Why a request is refused, in both languages, and whose fault it is.

use model::Problem;
use model::problem::{Both, Told, both, quote};
use records::Failure;
use std::fmt;

/// Whose fault it is; the doors answer with the status named at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong (400).
    Invalid,
    /// There is no such thing, or it is somebody else's (404).
    NotFound,
    /// It is taken, over, or not in a state that allows it (409).
    Conflict,
    /// It may be asked again soon (503).
    Busy,
}

/// A refusal. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whose fault.
    pub kind: Kind,
    /// What, where, mend.
    pub told: Told,
}

impl Refusal {
    /// Builds a refusal from its sentences: what is wrong and what to do, each Chinese and English.
    pub fn new(kind: Kind, code: &str, what: Both, place: &str, mend: Both) -> Self {
        Self {
            kind,
            told: Told::new(code, what, place, mend),
        }
    }

    /// The stable short code.
    pub fn code(&self) -> &str {
        &self.told.code
    }

    pub(crate) fn invalid(code: &str, what: (&str, &str), place: &str, mend: (&str, &str)) -> Self {
        Self::new(
            Kind::Invalid,
            code,
            both(what.0, what.1),
            place,
            both(mend.0, mend.1),
        )
    }

    pub(crate) fn conflict(
        code: &str,
        what: (&str, &str),
        place: &str,
        mend: (&str, &str),
    ) -> Self {
        Self::new(
            Kind::Conflict,
            code,
            both(what.0, what.1),
            place,
            both(mend.0, mend.1),
        )
    }

    pub(crate) fn unknown(what: (&str, &str), id: &str) -> Self {
        let id = quote(id);
        Self::new(
            Kind::NotFound,
            "booking-unknown",
            both(
                format!("没有{} {id}", what.0),
                format!("there is no {} {id}", what.1),
            ),
            "id",
            both("请在列表中查找", "look it up in its list"),
        )
    }

    pub(crate) fn busy() -> Self {
        Self::new(
            Kind::Busy,
            "booking-busy",
            both("请求太多,正在排队", "too many requests wait"),
            "bookings",
            both(
                "稍后用同一个键重试,不会重复预约",
                "send it again in a moment with the same key: nothing is booked twice",
            ),
        )
    }

    /// The store did not take it; whether it came to be is told by asking again with the same key.
    pub(crate) fn store(problem: Option<&Problem>) -> Self {
        let why = problem.map_or_else(|| "store".to_owned(), |problem| problem.what.clone());
        Self::new(
            Kind::Busy,
            "booking-store",
            both(
                format!("未能写入磁盘:{why}"),
                format!("it could not be written: {why}"),
            ),
            "records.sqlite",
            both(
                "用同一个键重试,不会重复预约",
                "send it again with the same key: nothing is booked twice",
            ),
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let problem = Problem::from(refusal.told);
        match refusal.kind {
            Kind::Invalid => Self::Invalid(problem),
            Kind::NotFound => Self::NotFound(problem),
            Kind::Conflict => Self::Conflict(problem),
            Kind::Busy => Self::Unavailable(problem),
        }
    }
}
