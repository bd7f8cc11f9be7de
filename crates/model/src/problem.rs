//! How an error is told: what is wrong, where, and how to mend it. Every door, page and command
//! uses this one shape, so that a person reads the same three things everywhere.

use serde::{Deserialize, Serialize};

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
