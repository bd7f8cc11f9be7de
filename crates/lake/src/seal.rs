//! Writing a part of the tail as Parquet: one file for each UTC day of observation, sorted by entity,
//! attribute and time, so that one series lies together and the rest is skipped when read.

use crate::lake::Options;
use crate::layout::Table;
use crate::struck::Struck;
use crate::tail::Part;
use crate::writer::{TableWriter, Written};
use arrow::error::ArrowError;
use model::Problem;
use std::collections::BTreeSet;
use std::path::Path;

/// Rows picked out of the part at a time.
const BATCH_ROWS: usize = 16_384;

/// Where a row stands in the sorted order, and where it is in the part. The order of fields is the order of rows.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Place {
    day: i32,
    entity: u32,
    attribute: u32,
    observed_at: i64,
    chunk: u32,
    row: u32,
}

/// Writes the part's files, without struck rows; when this returns they are durable but not yet in any
/// manifest.
pub(crate) fn write_part(
    dir: &Path,
    part: &Part,
    struck: &Struck,
    options: &Options,
) -> Result<Vec<Written>, Problem> {
    sorted(part, struck)
        .chunk_by(|a, b| a.day == b.day)
        .map(|rows| write_file(dir, part, rows, options))
        .collect()
}

fn sorted(part: &Part, struck: &Struck) -> Vec<Place> {
    let (entity_ranks, attribute_ranks) = part.ranks();
    let mut places = Vec::with_capacity(part.rows());
    for (c, chunk) in part.chunks.iter().enumerate() {
        let gone: BTreeSet<usize> = part.struck(chunk, struck).map(|(row, _)| row).collect();
        for row in (0..chunk.rows()).filter(|row| !gone.contains(row)) {
            let (entity, attribute) = part.keys(c, row);
            let observed_at = chunk.observed_at.value(row);
            places.push(Place {
                // 2^63 microseconds are some 107 million days.
                day: Table::day_of(observed_at) as i32,
                entity: entity_ranks[entity as usize],
                attribute: attribute_ranks[attribute as usize],
                observed_at,
                chunk: c as u32,
                row: row as u32,
            });
        }
    }
    places.sort_unstable();
    places
}

fn write_file(
    dir: &Path,
    part: &Part,
    rows: &[Place],
    options: &Options,
) -> Result<Written, Problem> {
    let table = Table::Observations;
    let partition = table.partition_of(rows[0].observed_at);
    let mut writer = TableWriter::create(dir, table, partition, options)?;
    let picker = part.picker();
    for slice in rows.chunks(BATCH_ROWS) {
        let picked: Vec<(usize, usize)> = slice
            .iter()
            .map(|p| (p.chunk as usize, p.row as usize))
            .collect();
        writer.write(&picker.pick(&picked).map_err(|e| told(&e))?)?;
    }
    writer.finish()
}

fn told(error: &ArrowError) -> Problem {
    Problem::new(
        "lake-columns",
        format!("the rows in memory do not form columns: {error}"),
        "sealing",
        "report this; the rows stay in memory and in the journal",
    )
}
