//! History of the city as open Parquet files, and SQL over all of it, the newest rows included.
//!
//! The lake is a projection of the journal: it is fed every accepted message in order ([`Lake::apply`]),
//! keeps the newest rows in memory (the hot tail) and from time to time writes them to files
//! ([`Lake::seal`]). What is sealed is listed in a manifest; everything below
//! [`Lake::sealed_position`] survives a restart, everything above is replayed from the journal.
//! A query sees each observation exactly once, also while a seal runs.
//!
//! Reading order: [`schema`] (the columns), `layout` (tables, folders, names), `tail` (rows in memory),
//! `struck` (rows that corrections took the place of), [`disk`] (what changes it), `manifest`, `writer` and
//! `seal` (files), `publish` (files become visible), [`lake`] (memory and files together), `merge`, `rollup`,
//! [`upkeep`], `strike` and `reseal` (work in the background), `verified` (no query
//! believes a damaged file), `stored` and `rollups` (SQL tables), `wide` (a view per entity type), `sight` (rows that the asker may not see), [`records`] and `paged` (tables lent by other rooms),
//! [`department`] (tables that departments hand in), [`views`] (tables that packs declare as SQL), `functions` (over time), `zone` (whose clock is read), `names` and `statement`
//! (reading SQL), `reads` (what a statement reads), [`query`] (running it within limits), [`Answer`] (taking it batch by batch), [`formats`]
//! (as CSV and Arrow), [`history`] (one attribute over time), [`mod@check`] (is every file whole).
//!
//! The folder is plain data: `observations/day=YYYY-MM-DD/*.parquet`, by the UTC day of observation, which
//! DuckDB, Polars and Spark open as one partitioned table, while the city writes and files are replaced.

mod answer;
pub mod check;
pub mod department;
pub mod disk;
mod engine;
mod errors;
pub mod formats;
mod functions;
pub mod history;
pub mod lake;
mod layout;
mod manifest;
mod merge;
mod names;
mod numbered;
mod paged;
mod pieces;
mod publish;
pub mod query;
mod reads;
pub mod records;
mod reseal;
mod result;
mod rollup;
mod rollups;
mod runs;
pub mod schema;
mod seal;
mod sight;
mod statement;
mod store;
mod stored;
mod strike;
mod struck;
mod tail;
pub mod upkeep;
mod veil;
mod verified;
pub mod views;
mod wide;
mod writer;
mod zone;

pub use answer::Answer;
pub use check::{KnownFile, check, known_files};
pub use disk::{Disk, DiskFile, RealDisk};
pub use formats::Format;
pub use history::{History, HistoryQuery, Point};
pub use lake::{Histories, Lake, Options, Sealed, Stats};
pub use manifest::MANIFEST_VERSION;
pub use query::{Batches, Column, Described, Limits, QueryResult, Question};
pub use reads::{Reads, reads};
pub use records::{Columns, NoRecords, RecordTable, RecordTables, Wanted};
pub use reseal::{Reseals, UnderKey, under_keys};
pub use result::values as json_values;
pub use schema::ColumnKind;
pub use sight::Sight;
pub use upkeep::{GivenUp, Upkeep, Upkept};
pub use veil::Veil;

/// A single value of the query engine, as a question's parameters are given.
pub use datafusion::common::ScalarValue;
