//! Is every stored file whole, and is nothing missing between them?

use crate::manifest::{FileEntry, MANIFEST_NAME, Manifest, strays};
use crate::schema::{OBSERVATION_COLUMNS, column};
use model::Problem;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Verifies the lake in `dir` without opening it: every file of the manifest is there, with its size,
/// checksum, rows, columns and positions, and the files follow each other without a gap. An empty answer
/// means that all is well. It reads every byte.
pub fn check(dir: &Path) -> Vec<Problem> {
    let manifest = match Manifest::read(dir) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => {
            return vec![finding(
                "lake-manifest-missing",
                "there is no manifest",
                &dir.join(MANIFEST_NAME),
                "restore it from a backup",
            )];
        }
        Err(problem) => return vec![problem],
    };
    let mut findings = Vec::new();
    for entry in &manifest.files {
        findings.extend(check_file(dir, entry).err());
    }
    findings.extend(check_ranges(dir, &manifest));
    findings.extend(crate::department::check(dir));
    match strays(dir, &manifest) {
        Ok(strays) => {
            // What an interrupted seal left is removed at the next start and is no fault.
            for stray in strays.iter().filter(|s| !s.unfinished) {
                findings.push(finding(
                    "lake-file-unlisted",
                    "the manifest does not list this file: its rows are not read",
                    &stray.path,
                    "move it away, or restore the manifest that lists it",
                ));
            }
        }
        Err(problem) => findings.push(problem),
    }
    findings
}

const RESTORE: &str = "restore the file from a backup";

fn finding(code: &str, what: impl Into<String>, path: &Path, mend: &str) -> Problem {
    Problem::new(code, what, path.display().to_string(), mend)
}

fn check_file(dir: &Path, entry: &FileEntry) -> Result<(), Problem> {
    let path = dir.join(&entry.path);
    let unreadable =
        |e: &dyn std::fmt::Display| finding("lake-file-unreadable", e.to_string(), &path, RESTORE);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("the file is missing, with {} rows", entry.rows);
            return Err(finding("lake-file-missing", what, &path, RESTORE));
        }
        Err(e) => return Err(unreadable(&e)),
    };
    let (bytes, sha256) = digest(&mut file).map_err(|e| unreadable(&e))?;
    if bytes != entry.bytes {
        let what = format!("the file has {bytes} bytes, not {}", entry.bytes);
        return Err(finding("lake-file-size", what, &path, RESTORE));
    }
    if sha256 != entry.sha256 {
        return Err(finding(
            "lake-file-checksum",
            format!("the file's SHA-256 is {sha256}, not {}", entry.sha256),
            &path,
            RESTORE,
        ));
    }
    check_contents(file, entry, &path).map_err(|e| match e {
        Contents::Unreadable(e) => unreadable(&e),
        Contents::Other(problem) => problem,
    })
}

enum Contents {
    Unreadable(parquet::errors::ParquetError),
    Other(Problem),
}

impl From<parquet::errors::ParquetError> for Contents {
    fn from(e: parquet::errors::ParquetError) -> Self {
        Self::Unreadable(e)
    }
}

/// The file's own footer against the manifest.
fn check_contents(file: File, entry: &FileEntry, path: &Path) -> Result<(), Contents> {
    let wrong = |code: &str, what: String| {
        Contents::Other(finding(
            code,
            what,
            path,
            "restore the file and manifest.json from one backup",
        ))
    };
    let reader = SerializedFileReader::new(file)?;
    let metadata = reader.metadata();
    let names: Vec<&str> = metadata
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|c| c.name())
        .collect();
    if names != OBSERVATION_COLUMNS.map(|(name, _, _)| name) {
        return Err(wrong(
            "lake-file-columns",
            format!("the columns are {}", names.join(", ")),
        ));
    }
    let rows = metadata.file_metadata().num_rows();
    if u64::try_from(rows).ok() != Some(entry.rows) {
        return Err(wrong(
            "lake-file-rows",
            format!("the file has {rows} rows, not {}", entry.rows),
        ));
    }
    let mut positions: Option<(i64, i64)> = None;
    for group in metadata.row_groups() {
        if let Some(Statistics::Int64(s)) = group.column(column::JOURNAL_POSITION).statistics()
            && let (Some(min), Some(max)) = (s.min_opt(), s.max_opt())
        {
            let (least, greatest) = positions.unwrap_or((*min, *max));
            positions = Some((least.min(*min), greatest.max(*max)));
        }
    }
    if positions != Some((entry.position_first as i64, entry.position_last as i64)) {
        return Err(wrong(
            "lake-file-positions",
            format!(
                "the file's positions are {positions:?}, not {} to {}",
                entry.position_first, entry.position_last
            ),
        ));
    }
    Ok(())
}

/// Seals follow each other: each begins where the one before ended, the last at the sealed position.
fn check_ranges(dir: &Path, manifest: &Manifest) -> Vec<Problem> {
    let place = dir.join(MANIFEST_NAME);
    let mut findings = Vec::new();
    let mut expected = 0;
    let mut told = |code: &str, what: String| {
        findings.push(finding(
            code,
            what,
            &place,
            "restore the lake's folder from a backup, or rebuild it from the journal",
        ));
    };
    for (from, to) in manifest.ranges() {
        if from > expected {
            told(
                "lake-positions-gap",
                format!("no file covers positions {expected} to {}", from - 1),
            );
        } else if from < expected {
            told(
                "lake-positions-overlap",
                format!("two seals cover positions from {from}"),
            );
        }
        expected = to;
    }
    if expected != manifest.sealed_position {
        told(
            "lake-positions-gap",
            format!(
                "the files end at position {expected}, the manifest says {}",
                manifest.sealed_position
            ),
        );
    }
    for file in &manifest.files {
        let inside = file.position_from <= file.position_first
            && file.position_first <= file.position_last
            && file.position_last < file.position_to;
        if !inside {
            told(
                "lake-positions-outside",
                format!("{} holds positions outside its seal", file.path),
            );
        }
    }
    findings
}

fn digest(file: &mut File) -> std::io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hex::encode(hash.finalize())));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}
