//! Writing a part of the tail as Parquet: one file for each UTC date of receipt, sorted by entity,
//! attribute and time, so that one entity's history lies together and the rest is skipped when read.

use crate::lake::Options;
use crate::manifest::{FILES_FOLDER, FileEntry, TEMPORARY, file_name, io_problem, sync_folder};
use crate::schema::{ColumnKind, OBSERVATION_COLUMNS, column, observations};
use crate::tail::Part;
use model::{Problem, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const DAY_US: i64 = 86_400_000_000;

/// Where a row stands in the sorted order, and where it is in the part. The order of fields is the order of rows.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Place {
    day: i64,
    entity: u32,
    attribute: u32,
    observed_at: i64,
    chunk: u32,
    row: u32,
}

/// Writes the part's files; when this returns they are durable but not yet in any manifest.
pub(crate) fn write_part(
    dir: &Path,
    part: &Part,
    options: &Options,
) -> Result<Vec<FileEntry>, Problem> {
    sorted(part)
        .chunk_by(|a, b| a.day == b.day)
        .map(|rows| write_file(dir, part, rows, options))
        .collect()
}

fn sorted(part: &Part) -> Vec<Place> {
    let (entity_ranks, attribute_ranks) = part.ranks();
    let mut places = Vec::with_capacity(part.rows());
    for (c, chunk) in part.chunks.iter().enumerate() {
        for row in 0..chunk.rows() {
            let (entity, attribute) = part.keys(c, row);
            places.push(Place {
                day: chunk.received_at.value(row).div_euclid(DAY_US),
                entity: entity_ranks[entity as usize],
                attribute: attribute_ranks[attribute as usize],
                observed_at: chunk.observed_at.value(row),
                chunk: c as u32,
                row: row as u32,
            });
        }
    }
    places.sort_unstable();
    places
}

/// The folder's date; a time outside the years 1 to 9999 counts as 1970-01-01 rather than being lost.
fn date_of(day: i64) -> String {
    let date = Timestamp::from_micros(day.saturating_mul(DAY_US)).utc_date();
    let plain = date.len() == 10 && date.starts_with(|c: char| c.is_ascii_digit());
    if plain { date } else { "1970-01-01".to_owned() }
}

fn write_file(
    dir: &Path,
    part: &Part,
    rows: &[Place],
    options: &Options,
) -> Result<FileEntry, Problem> {
    let date = date_of(rows[0].day);
    let name = file_name(part.position_from, part.position_to);
    let folder = dir.join(FILES_FOLDER).join(format!("date={date}"));
    let path = folder.join(&name);
    let temporary = folder.join(format!("{name}{TEMPORARY}"));
    let told = |e: &dyn std::fmt::Display| {
        Problem::new(
            "lake-seal",
            format!("cannot write: {e}"),
            path.display().to_string(),
            "check that the disk has room; the rows stay in memory and in the journal meanwhile",
        )
    };
    std::fs::create_dir_all(&folder).map_err(|e| io_problem("create", &folder, &e))?;
    let file = File::create(&temporary).map_err(|e| io_problem("create", &temporary, &e))?;

    let mut entry = FileEntry {
        path: format!("{FILES_FOLDER}/date={date}/{name}"),
        position_from: part.position_from,
        position_to: part.position_to,
        position_first: u64::MAX,
        position_last: 0,
        rows: rows.len() as u64,
        bytes: 0,
        sha256: String::new(),
        observed_at_min_us: i64::MAX,
        observed_at_max_us: i64::MIN,
        received_at_min_us: i64::MAX,
        received_at_max_us: i64::MIN,
    };
    for place in rows {
        let chunk = &part.chunks[place.chunk as usize];
        let row = place.row as usize;
        let position = chunk.position.value(row) as u64;
        entry.position_first = entry.position_first.min(position);
        entry.position_last = entry.position_last.max(position);
        entry.observed_at_min_us = entry.observed_at_min_us.min(place.observed_at);
        entry.observed_at_max_us = entry.observed_at_max_us.max(place.observed_at);
        let received_at = chunk.received_at.value(row);
        entry.received_at_min_us = entry.received_at_min_us.min(received_at);
        entry.received_at_max_us = entry.received_at_max_us.max(received_at);
    }

    let sink = Hashing {
        inner: BufWriter::new(file),
        hash: Sha256::new(),
        bytes: 0,
    };
    // Without Arrow's own schema in the file, every reader sees plain Parquet types.
    let writer_options = ArrowWriterOptions::new()
        .with_properties(properties(options).map_err(|e| told(&e))?)
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(sink, observations(), writer_options)
        .map_err(|e| told(&e))?;
    for slice in rows.chunks(options.row_group_rows.max(1)) {
        let picked: Vec<(usize, usize)> = slice
            .iter()
            .map(|p| (p.chunk as usize, p.row as usize))
            .collect();
        let batch = part.pick(&picked).map_err(|e| told(&e))?;
        writer.write(&batch).map_err(|e| told(&e))?;
    }
    let sink = writer.into_inner().map_err(|e| told(&e))?;
    entry.bytes = sink.bytes;
    entry.sha256 = hex::encode(sink.hash.finalize());

    let finish = || -> std::io::Result<()> {
        let file = sink.inner.into_inner().map_err(|e| e.into_error())?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path)?;
        sync_folder(&folder)?;
        sync_folder(&dir.join(FILES_FOLDER))?;
        sync_folder(dir)
    };
    finish().map_err(|e| told(&e))?;
    Ok(entry)
}

fn properties(options: &Options) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(options.zstd_level)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
        .set_created_by(format!("jingling lake {}", env!("CARGO_PKG_VERSION")))
        .set_sorting_columns(Some(
            [column::ENTITY_ID, column::ATTRIBUTE, column::OBSERVED_AT]
                .map(|c| SortingColumn {
                    column_idx: c as i32,
                    descending: false,
                    nulls_first: false,
                })
                .to_vec(),
        ));
    for (name, kind, _) in OBSERVATION_COLUMNS {
        let path = ColumnPath::from(name);
        match kind {
            // Sorted by entity, times and positions rise: their differences are small.
            ColumnKind::Time | ColumnKind::Integer => {
                builder = builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
            _ => builder = builder.set_column_dictionary_enabled(path, true),
        }
    }
    Ok(builder.build())
}

/// Counts and hashes what is written.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_days() {
        assert_eq!(date_of(0), "1970-01-01");
        assert_eq!(date_of(20_780), "2026-11-23");
        assert_eq!(date_of(i64::MAX / DAY_US), "1970-01-01");
        assert_eq!(date_of(-800_000), "1970-01-01");
    }
}
