//! How an error is told: what is wrong, where, and how to mend it. Every door, page and command
//! uses this one shape, so that a person reads the same three things everywhere.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An error for people: what is wrong, where it is, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what} (at {place}); {mend}")]
pub struct Problem {
    /// Stable short code for machines, in kebab case: `time-out-of-range`, `unknown-unit`, …
    pub code: String,
    /// What is wrong, with the offending value cut to a readable length.
    pub what: String,
    /// Where: a JSON path, a line and column, a file, an attribute.
    pub place: String,
    /// What to do about it, as an instruction.
    pub mend: String,
}

impl Problem {
    /// Builds a problem from its code and its three sentences.
    pub fn new(
        code: &str,
        what: impl Into<String>,
        place: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            code: code.to_owned(),
            what: what.into(),
            place: place.into(),
            mend: mend.into(),
        }
    }
}

/// Cuts `text` to at most 80 characters for quoting in a message, control characters escaped.
pub fn quote(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A number for quoting in a message: one that would have many digits as a power of ten.
pub fn number(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-9..1e15).contains(&size) {
        return format!("{number:e}");
    }
    number.to_string()
}

/// A text for people in Chinese and in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Both {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The two texts of one thing said.
pub fn both(zh: impl Into<String>, en: impl Into<String>) -> Both {
    Both {
        zh: zh.into(),
        en: en.into(),
    }
}

/// What needs no translation: the name of a file, a column, an address.
impl From<&str> for Both {
    fn from(name: &str) -> Self {
        both(name, name)
    }
}

/// A problem told in both languages, for whoever handed something in and reads only one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Stable short code for machines, as of [`Problem`].
    pub code: String,
    /// What is wrong.
    pub what: Box<Both>,
    /// Where.
    pub place: Box<Both>,
    /// What to do about it.
    pub mend: Box<Both>,
}

impl Told {
    /// Builds a problem from its code and its sentences in both languages.
    pub fn new(code: &str, what: Both, place: impl Into<Both>, mend: Both) -> Self {
        Self {
            code: code.to_owned(),
            what: Box::new(what),
            place: Box::new(place.into()),
            mend: Box::new(mend),
        }
    }

    /// Whether somebody translated it; what the platform says of itself has English alone.
    pub fn is_translated(&self) -> bool {
        self.what.zh != self.what.en
    }
}

impl fmt::Display for Told {
    /// English on one line and Chinese on the next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what, place, mend, ..
        } = self;
        write!(f, "{} (at {}); {}", what.en, place.en, mend.en)?;
        if self.is_translated() {
            write!(f, "\n{}（{}）；{}", what.zh, place.zh, mend.zh)?;
        }
        Ok(())
    }
}

impl std::error::Error for Told {}

impl From<Told> for Problem {
    /// The English sentences, for whoever knows no other.
    fn from(told: Told) -> Self {
        Self {
            code: told.code,
            what: told.what.en,
            place: told.place.en,
            mend: told.mend.en,
        }
    }
}

impl From<Problem> for Told {
    /// The English sentences in the place of both: what a disk or a store says of itself, which nobody who
    /// handed something in can mend.
    fn from(problem: Problem) -> Self {
        let same = |text: &str| Both::from(text);
        Self::new(
            &problem.code,
            same(&problem.what),
            same(&problem.place),
            same(&problem.mend),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(1e308), "1e308");
        assert_eq!(number(-2.5e-12), "-2.5e-12");
        for (n, text) in [(0.0, "0"), (29.3, "29.3"), (-1e14, "-100000000000000")] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn both_languages_are_shown_where_there_are_two() {
        let told = Told::new(
            "x",
            both("文件太大", "the file is too large"),
            "a.csv",
            both("请拆分", "cut it"),
        );
        assert_eq!(
            told.to_string(),
            "the file is too large (at a.csv); cut it\n文件太大（a.csv）；请拆分"
        );
        let english = Problem::from(told);
        assert_eq!(Told::from(english.clone()).to_string(), english.to_string());
        assert!(!Told::from(english).is_translated());
    }
}
