//! Where rows lie: which tables are stored, how each is cut into folders, and how files are called.
//!
//! `observations/day=2026-11-25/00000000000000000007-000.parquet`: the table, the part of time by when
//! the row was *observed* (UTC; late rows go to their own day), and the number of the manifest that first
//! listed the file, which makes the name unique for ever. Engines read such folders as a partitioned table.

use crate::schema::{observations, rollup};
use arrow::datatypes::SchemaRef;
use model::{RollupSpan, Timestamp};
use serde::{Deserialize, Serialize};

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// A stored table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Table {
    /// Every observation.
    #[serde(rename = "observations")]
    Observations,
    /// Numbers by the minute.
    #[serde(rename = "observations_1m")]
    Minute,
    /// Numbers by the hour.
    #[serde(rename = "observations_1h")]
    Hour,
    /// Numbers by the day.
    #[serde(rename = "observations_1d")]
    Day,
}

impl Table {
    pub const ALL: [Self; 4] = [Self::Observations, Self::Minute, Self::Hour, Self::Day];

    pub const fn of(span: RollupSpan) -> Self {
        match span {
            RollupSpan::Minute => Self::Minute,
            RollupSpan::Hour => Self::Hour,
            RollupSpan::Day => Self::Day,
        }
    }

    pub const fn span(self) -> Option<RollupSpan> {
        match self {
            Self::Observations => None,
            Self::Minute => Some(RollupSpan::Minute),
            Self::Hour => Some(RollupSpan::Hour),
            Self::Day => Some(RollupSpan::Day),
        }
    }

    /// Name of the table in SQL and of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observations => "observations",
            Self::Minute => "observations_1m",
            Self::Hour => "observations_1h",
            Self::Day => "observations_1d",
        }
    }

    /// Whether an SQL table's name is that of a stored table.
    pub fn is_name(name: &str) -> bool {
        Self::ALL.iter().any(|t| t.name() == name)
    }

    pub fn schema(self) -> SchemaRef {
        match self {
            Self::Observations => observations(),
            _ => rollup(),
        }
    }

    /// The folder of rows of a moment: the fewer rows a table has, the longer the time of one folder.
    /// A moment outside the years 1 to 9999 lies with 1970 rather than being lost.
    pub fn partition_of(self, us: i64) -> String {
        let date = Timestamp::from_micros(us).utc_date();
        let plain = date.len() == 10 && date.starts_with(|c: char| c.is_ascii_digit());
        let date = if plain { date.as_str() } else { "1970-01-01" };
        match self {
            Self::Observations | Self::Minute => format!("day={date}"),
            Self::Hour => format!("month={}", &date[..7]),
            Self::Day => format!("year={}", &date[..4]),
        }
    }

    /// Two moments with one value of this lie in one folder; cheaper to compare than the folder's name.
    pub const fn day_of(us: i64) -> i64 {
        us.div_euclid(DAY_US)
    }
}

/// Name of a file, from the manifest that first lists it and its number there.
pub(crate) fn file_name(generation: u64, number: usize) -> String {
    format!("{generation:020}-{number:03}.parquet")
}

/// The manifest's number in a file's name, when the name is of this form.
pub(crate) fn generation_in(name: &str) -> Option<u64> {
    let (generation, number) = name.strip_suffix(".parquet")?.split_once('-')?;
    let is_ours = generation.len() == 20 && number.len() < 20 && number.parse::<usize>().is_ok();
    generation.parse().ok().filter(|_| is_ours)
}

/// The first position in the name of a file of layout 1.
pub(crate) fn position_in(name: &str) -> Option<u64> {
    let (from, to) = name.strip_suffix(".parquet")?.split_once('-')?;
    let is_ours = from.len() == 20 && to.len() == 20 && to.parse::<u64>().is_ok();
    from.parse().ok().filter(|_| is_ours)
}

/// Where a replaced file is kept until nobody reads it, under the lake's folder.
pub(crate) const REPLACED_FOLDER: &str = "replaced";

/// Name of a replaced file there.
pub(crate) fn replaced_name(path: &str) -> String {
    path.replace('/', "__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_moments() {
        let us = 20_780 * DAY_US + 5;
        assert_eq!(Table::Observations.partition_of(us), "day=2026-11-23");
        assert_eq!(Table::Minute.partition_of(us), "day=2026-11-23");
        assert_eq!(Table::Hour.partition_of(us), "month=2026-11");
        assert_eq!(Table::Day.partition_of(us), "year=2026");
        assert_eq!(Table::Day.partition_of(i64::MAX), "year=1970");
        assert_eq!(Table::Observations.partition_of(-1), "day=1969-12-31");
        assert_eq!(
            Table::Observations.partition_of(-800_000 * DAY_US),
            "day=1970-01-01"
        );
    }

    #[test]
    fn names_of_both_layouts_are_told_apart() {
        assert_eq!(generation_in(&file_name(7, 9)), Some(7));
        assert_eq!(position_in(&file_name(7, 9)), None);
        let first = "00000000000000000007-00000000000000000009.parquet";
        assert_eq!((generation_in(first), position_in(first)), (None, Some(7)));
        assert_eq!(generation_in("notes.parquet"), None);
    }
}
