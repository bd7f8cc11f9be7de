//! Lists in pages. A cursor is the key of the last row seen, so that rows added meanwhile neither repeat
//! nor hide others.

use crate::failure::Failure;
use model::{Problem, problem::quote};
use serde::{Deserialize, Serialize};

/// Rows of one page when the caller does not say.
pub const PAGE_ITEMS_DEFAULT: u32 = 50;
/// Most rows of one page; a larger wish is cut to this.
pub const PAGE_ITEMS_MAX: u32 = 500;

/// Which page is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// The `next` of the page before; `None` for the first.
    pub after: Option<String>,
    /// How many rows; `None` is [`PAGE_ITEMS_DEFAULT`], at most [`PAGE_ITEMS_MAX`].
    pub limit: Option<u32>,
}

impl PageRequest {
    /// Rows to give.
    pub fn limit(&self) -> usize {
        self.limit
            .unwrap_or(PAGE_ITEMS_DEFAULT)
            .clamp(1, PAGE_ITEMS_MAX) as usize
    }

    /// One row more than the page holds: the way to see that there is a next page.
    pub(crate) fn fetch(&self) -> i64 {
        i64::try_from(self.limit()).unwrap_or(i64::MAX - 1) + 1
    }

    /// The cursor as a number.
    pub(crate) fn after_number(&self) -> Result<Option<i64>, Failure> {
        self.after
            .as_deref()
            .map(|text| {
                text.parse().map_err(|_| {
                    Failure::Invalid(Problem::new(
                        "cursor",
                        format!("\"{}\" is not a cursor of this list", quote(text)),
                        "after",
                        "take `next` from the page before, or leave `after` out",
                    ))
                })
            })
            .transpose()
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of the rows fetched with [`PageRequest::fetch`]; `key` gives a row's cursor.
    pub(crate) fn cut(mut rows: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> String) -> Self {
        let limit = request.limit();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}
