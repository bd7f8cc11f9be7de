//! Is every stored file whole, and is nothing missing between them?

use crate::layout::{REPLACED_FOLDER, Table, replaced_name};
use crate::manifest::{FileEntry, MANIFEST_NAME, Manifest, strays};
use crate::schema::{column, rollup_column};
use model::Problem;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Verifies the lake in `dir` without opening it: every file of the manifest is there, with its size,
/// checksum, rows, columns and positions, and together they hold every row ever sealed but for those given
/// up. An empty answer means that all is well. It reads every byte.
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
    findings.extend(check_rows(dir, &manifest));
    findings.extend(crate::department::check(dir));
    match strays(dir, &manifest) {
        Ok(strays) => {
            // What interrupted work left is removed at the next start and is no fault.
            for stray in strays.iter().filter(|s| !s.is_leftover) {
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

/// A stored file and what its bytes must be: for whoever copies the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// From the lake's folder, with `/`.
    pub path: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// Every file of which a checksum was noted when it was written: history's, by the manifest, and departments', by the
/// entries of their tables. They are those of one moment when the folder did not change meanwhile. An entry that does
/// not read names no file; [`check`] tells it.
///
/// # Errors
/// When the manifest does not read.
pub fn known_files(dir: &Path) -> Result<Vec<KnownFile>, Problem> {
    let files = Manifest::read(dir)?.map_or_else(Vec::new, |manifest| manifest.files);
    let history = files.iter().map(|entry| {
        let kept = format!("{REPLACED_FOLDER}/{}", replaced_name(&entry.path));
        // An exchange that did not end: the next start puts it back.
        let is_kept = !dir.join(&entry.path).exists() && dir.join(&kept).exists();
        KnownFile {
            path: if is_kept { kept } else { entry.path.clone() },
            sha256: entry.sha256.clone(),
        }
    });
    let tables = crate::department::list(dir).0;
    let tables = tables.iter().map(|entry| {
        let expected = entry.expected();
        KnownFile {
            path: expected.path.to_string(),
            sha256: expected.sha256.to_string(),
        }
    });
    Ok(history.chain(tables).collect())
}

const RESTORE: &str = "restore the file from a backup";

fn finding(code: &str, what: impl Into<String>, path: &Path, mend: &str) -> Problem {
    Problem::new(code, what, path.display().to_string(), mend)
}

fn check_file(dir: &Path, entry: &FileEntry) -> Result<(), Problem> {
    let mut path = dir.join(&entry.path);
    let kept = dir.join(REPLACED_FOLDER).join(replaced_name(&entry.path));
    if !path.exists() && kept.exists() {
        // An exchange that did not end: the next start puts it back.
        path = kept;
    }
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
    let schema = entry.table.schema();
    if !names.iter().eq(schema.fields().iter().map(|f| f.name())) {
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
    let position = match entry.table {
        Table::Observations => column::JOURNAL_POSITION,
        _ => rollup_column::LAST_POSITION,
    };
    let mut positions: Option<(i64, i64)> = None;
    for group in metadata.row_groups() {
        if let Some(Statistics::Int64(s)) = group.column(position).statistics()
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

/// The rows in files and those given up are all that were ever sealed, from positions below the sealed one.
fn check_rows(dir: &Path, manifest: &Manifest) -> Vec<Problem> {
    let mut findings = Vec::new();
    let mut told = |code: &str, what: String| {
        findings.push(finding(
            code,
            what,
            &dir.join(MANIFEST_NAME),
            "restore the lake's folder from a backup, or rebuild it from the journal",
        ));
    };
    let rows: u64 = manifest.of(Table::Observations).map(|f| f.rows).sum();
    let given_up = manifest.rows_expired + manifest.rows_struck;
    if rows + given_up != manifest.rows_sealed {
        told(
            "lake-rows-missing",
            format!(
                "{} rows were sealed, but {rows} are in files and {given_up} were given up",
                manifest.rows_sealed
            ),
        );
    }
    let mut paths = BTreeSet::new();
    for file in &manifest.files {
        if !paths.insert(&file.path) {
            told("lake-file-twice", format!("{} is listed twice", file.path));
        }
        let is_inside = file.position_first <= file.position_last
            && file.position_last < manifest.sealed_position;
        if !is_inside {
            told(
                "lake-positions-outside",
                format!(
                    "{} holds positions {} to {}, but history is sealed up to {}",
                    file.path, file.position_first, file.position_last, manifest.sealed_position
                ),
            );
        }
    }
    findings
}

/// Size and SHA-256 of a file.
pub(crate) fn digest(file: &mut File) -> std::io::Result<(u64, String)> {
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
