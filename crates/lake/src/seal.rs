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

/// Where a row stands in the sorted order of its day, and where it is in the part. The order of fields is the order of
/// rows.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Place {
    entity: u32,
    attribute: u32,
    observed_at: i64,
    chunk: u32,
    row: u32,
}

impl Place {
    fn day(&self) -> i64 {
        Table::day_of(self.observed_at)
    }
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
        .chunk_by(|a, b| a.day() == b.day())
        .map(|rows| write_file(dir, part, rows, options))
        .collect()
}

/// The rows of the part that are not struck, by day, entity, attribute and time.
fn sorted(part: &Part, struck: &Struck) -> Vec<Place> {
    let (entity_ranks, attribute_ranks) = part.ranks();
    let mut places = Vec::with_capacity(part.rows());
    for (c, chunk) in part.chunks.iter().enumerate() {
        let gone: BTreeSet<usize> = part.struck(chunk, struck).map(|(row, _)| row).collect();
        for row in (0..chunk.rows()).filter(|row| !gone.contains(row)) {
            let (entity, attribute) = part.keys(c, row);
            places.push(Place {
                entity: entity_ranks[entity as usize],
                attribute: attribute_ranks[attribute as usize],
                observed_at: chunk.observed_at.value(row),
                chunk: c as u32,
                row: row as u32,
            });
        }
    }
    in_order(places, entity_ranks.len())
}

/// By day, then as places are ordered. Rows come in the order of time, a row of every entity in turn: counting how many
/// each entity has says where they belong, and only the few rows of one entity are compared with each other.
fn in_order(places: Vec<Place>, entities: usize) -> Vec<Place> {
    let mut places = dealt(places, entities, |place| place.entity as usize);
    let days: BTreeSet<i64> = places.iter().map(Place::day).collect();
    if days.len() > 1 {
        let days: Vec<i64> = days.into_iter().collect();
        let number = |place: &Place| days.partition_point(|day| *day < place.day());
        places = dealt(places, days.len(), number);
    }
    for of_one in places.chunk_by_mut(|a, b| (a.entity, a.day()) == (b.entity, b.day())) {
        of_one.sort_unstable();
    }
    places
}

/// Items with the key 0, then those with 1, and so on; those with the same key stay in their order.
fn dealt<T: Copy>(items: Vec<T>, keys: usize, key: impl Fn(&T) -> usize) -> Vec<T> {
    let mut begins = vec![0; keys];
    for item in &items {
        begins[key(item)] += 1;
    }
    let mut next = 0;
    for begin in &mut begins {
        next += std::mem::replace(begin, next);
    }
    let mut dealt = items.clone();
    for item in items {
        let at = &mut begins[key(&item)];
        dealt[*at] = item;
        *at += 1;
    }
    dealt
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY_US: i64 = 86_400_000_000;

    proptest! {
        #[test]
        fn rows_lie_by_day_entity_attribute_and_time(
            rows in prop::collection::vec((0..5_u32, 0..3_u32, -2..3_i64, 0..4_i64), 0..60),
        ) {
            let place = |(row, (entity, attribute, day, us)): (u32, (u32, u32, i64, i64))| Place {
                entity,
                attribute,
                observed_at: day * DAY_US + us,
                chunk: row / 8,
                row: row % 8,
            };
            let places: Vec<Place> = (0..).zip(rows).map(place).collect();
            let mut wanted = places.clone();
            wanted.sort_unstable_by_key(|place| (place.day(), *place));
            prop_assert_eq!(in_order(places, 5), wanted);
        }
    }
}
