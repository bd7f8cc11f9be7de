//! The manifest: which files are the lake's, and up to which journal position they hold everything.
//! It is the only truth about files; what it does not list is not read. Written whole to a temporary
//! file, synced, then renamed, so that a crash leaves the old one or the new one.

use crate::disk::Disk;
use crate::layout::{REPLACED_FOLDER, Table, generation_in, position_in, replaced_name};
use crate::struck::StruckRow;
use model::Problem;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version written; older ones stay readable for ever (see `fixtures/`).
pub const MANIFEST_VERSION: u32 = 3;
/// The manifest's file name.
pub(crate) const MANIFEST_NAME: &str = "manifest.json";
/// End of the name of a file that is still being written.
pub(crate) const TEMPORARY: &str = ".tmp";

/// What the lake holds in files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub version: u32,
    /// Counted up with every manifest written.
    pub generation: u64,
    /// Every journal position below is in the files, or held nothing for the lake.
    pub sealed_position: u64,
    /// How far the city's clock is ahead of UTC: where the days of `observations_1d` begin.
    pub day_offset_seconds: i32,
    /// Rows of `observations` ever sealed; those in files and those given up make them up.
    pub rows_sealed: u64,
    /// Rows of `observations` given up because their time of keeping was over.
    pub rows_expired: u64,
    /// Rows of `observations` given up because corrections took their place. Version 2 knew none.
    #[serde(default)]
    pub rows_struck: u64,
    /// Rows in files that corrections below the sealed position took the place of: nobody reads them, and
    /// upkeep gives them up.
    #[serde(default)]
    pub struck: Vec<StruckRow>,
    pub files: Vec<Arc<FileEntry>>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    pub table: Table,
    /// Relative to the lake's folder, with `/`.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    /// SHA-256 of the whole file, in hex.
    pub sha256: String,
    /// A sum over the rows (see [`crate::writer`]) that does not depend on their order or on how they are
    /// spread over files: whoever rewrites files proves by it that no row was lost or doubled.
    pub fingerprint: Option<u64>,
    /// Least and greatest journal position of the rows, or of the last values of a rollup's rows.
    pub position_first: u64,
    pub position_last: u64,
    /// Least and greatest `observed_at` or `bucket_start`, in microseconds since 1970 UTC.
    pub time_min_us: i64,
    pub time_max_us: i64,
    /// The same of `received_at`; a rollup has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_us: Option<(i64, i64)>,
    /// Least and greatest entity id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entities: Option<(String, String)>,
    /// Rows by entity type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<BTreeMap<String, u64>>,
    /// `type:span` of the rollups that hold this file's rows already. Only of `observations`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rolled: BTreeSet<String>,
}

impl FileEntry {
    /// The folder of its table that it lies in, such as `day=2026-11-25`.
    pub fn partition(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    /// Whether it lies where version 2 puts it; files of version 1 lie by the date of receipt.
    pub fn is_placed(&self) -> bool {
        !self.partition().starts_with("date=")
    }
}

/// Version 1, as it was.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestV1 {
    #[serde(rename = "version")]
    _version: u32,
    sealed_position: u64,
    files: Vec<FileEntryV1>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntryV1 {
    path: String,
    #[serde(rename = "position_from")]
    _position_from: u64,
    #[serde(rename = "position_to")]
    _position_to: u64,
    position_first: u64,
    position_last: u64,
    rows: u64,
    bytes: u64,
    sha256: String,
    observed_at_min_us: i64,
    observed_at_max_us: i64,
    received_at_min_us: i64,
    received_at_max_us: i64,
}

impl From<ManifestV1> for Manifest {
    fn from(old: ManifestV1) -> Self {
        let files: Vec<_> = old
            .files
            .into_iter()
            .map(|f| {
                Arc::new(FileEntry {
                    table: Table::Observations,
                    path: f.path,
                    rows: f.rows,
                    bytes: f.bytes,
                    sha256: f.sha256,
                    fingerprint: None,
                    position_first: f.position_first,
                    position_last: f.position_last,
                    time_min_us: f.observed_at_min_us,
                    time_max_us: f.observed_at_max_us,
                    received_us: Some((f.received_at_min_us, f.received_at_max_us)),
                    entities: None,
                    types: None,
                    rolled: BTreeSet::new(),
                })
            })
            .collect();
        Self {
            version: MANIFEST_VERSION,
            generation: 0,
            sealed_position: old.sealed_position,
            day_offset_seconds: 0,
            rows_sealed: files.iter().map(|f| f.rows).sum(),
            rows_expired: 0,
            rows_struck: 0,
            struck: Vec::new(),
            files,
        }
    }
}

impl Manifest {
    pub fn empty(day_offset_seconds: i32) -> Self {
        Self {
            version: MANIFEST_VERSION,
            generation: 0,
            sealed_position: 0,
            day_offset_seconds,
            rows_sealed: 0,
            rows_expired: 0,
            rows_struck: 0,
            struck: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The files of one table.
    pub fn of(&self, table: Table) -> impl Iterator<Item = &Arc<FileEntry>> {
        self.files.iter().filter(move |f| f.table == table)
    }

    /// Reads the manifest; `None` when there is none.
    pub fn read(dir: &Path) -> Result<Option<Self>, Problem> {
        let path = dir.join(MANIFEST_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io_problem("read", &path, &e)),
        };
        Self::parse(&text, &path).map(Some)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let damaged = |e: serde_json::Error| {
            Problem::new(
                "lake-manifest-damaged",
                format!("the manifest does not read: {e}"),
                path.display().to_string(),
                "restore manifest.json from a backup",
            )
        };
        let Versioned { version } = serde_json::from_str(text).map_err(damaged)?;
        let manifest: Self = match version {
            1 => serde_json::from_str::<ManifestV1>(text)
                .map_err(damaged)?
                .into(),
            2 | MANIFEST_VERSION => Self {
                version: MANIFEST_VERSION,
                ..serde_json::from_str(text).map_err(damaged)?
            },
            _ => {
                return Err(Problem::new(
                    "lake-manifest-version",
                    format!("manifest version {version} is unknown to this program"),
                    path.display().to_string(),
                    "run the version that wrote it, or newer",
                ));
            }
        };
        for file in &manifest.files {
            let mut parts = file.path.split('/');
            let inside = parts.clone().count() == 3
                && parts.next() == Some(file.table.name())
                && parts.all(|part| !matches!(part, "" | "." | ".."));
            if !inside {
                return Err(Problem::new(
                    "lake-manifest-path",
                    format!(
                        "the manifest lists \"{}\", which lies outside the table {}",
                        file.path,
                        file.table.name()
                    ),
                    path.display().to_string(),
                    "restore manifest.json from a backup",
                ));
            }
        }
        Ok(manifest)
    }

    /// Replaces the manifest on disk; returns when it is durable.
    pub fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<(), Problem> {
        let path = dir.join(MANIFEST_NAME);
        let temporary = dir.join(format!("{MANIFEST_NAME}{TEMPORARY}"));
        let write = || -> std::io::Result<()> {
            let mut file = disk.create(&temporary)?;
            let mut text = serde_json::to_vec_pretty(self)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync()?;
            disk.rename(&temporary, &path)?;
            disk.sync_folder(dir)
        };
        write().map_err(|e| io_problem("write", &path, &e))
    }
}

/// A file in a table's folder that the manifest does not list.
pub(crate) struct Stray {
    pub path: PathBuf,
    /// Left by work that did not end, or replaced by work that did: its rows are elsewhere.
    pub is_leftover: bool,
}

/// Files in the lake's folders that the manifest does not list.
pub(crate) fn strays(dir: &Path, manifest: &Manifest) -> Result<Vec<Stray>, Problem> {
    let listed: HashSet<&str> = manifest.files.iter().map(|f| f.path.as_str()).collect();
    let mut found = Vec::new();
    for table in Table::ALL {
        for partition in entries(&dir.join(table.name()))? {
            if !partition.is_dir() {
                continue;
            }
            for path in entries(&partition)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let relative = path
                    .strip_prefix(dir)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .into_owned();
                let is_partial = name.ends_with(&format!(".parquet{TEMPORARY}"));
                let is_file = is_partial || name.ends_with(".parquet");
                if !is_file || listed.contains(relative.as_str()) {
                    continue;
                }
                let is_unlisted_yet = generation_in(&name).is_some_and(|g| g > manifest.generation)
                    || position_in(&name) == Some(manifest.sealed_position);
                let is_replaced = dir
                    .join(REPLACED_FOLDER)
                    .join(replaced_name(&relative))
                    .exists();
                found.push(Stray {
                    is_leftover: is_partial || is_unlisted_yet || is_replaced,
                    path,
                });
            }
        }
    }
    Ok(found)
}

/// What a folder holds, by name; nothing when there is no such folder.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let mut paths = std::fs::read_dir(folder)?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<Result<Vec<_>, _>>()?;
        paths.sort();
        Ok(paths)
    };
    match read() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|e| io_problem("list", folder, &e)),
    }
}

/// An operating error with what was tried and where.
pub(crate) fn io_problem(verb: &str, path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(
        "lake-io",
        format!("cannot {verb}: {error}"),
        path.display().to_string(),
        "check that the disk has room and that the folder belongs to the user who runs this",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_stays_readable() {
        // Written by version 1 of the format; never change this fixture, add another beside it.
        let text = include_str!("../fixtures/manifest-v1.json");
        let manifest = Manifest::parse(text, Path::new("manifest.json")).unwrap();
        assert_eq!((manifest.sealed_position, manifest.rows_sealed), (40, 49));
        let last = &manifest.files[2];
        assert_eq!(
            last.path,
            "observations/date=2026-11-24/00000000000000000025-00000000000000000040.parquet"
        );
        assert_eq!(
            (last.position_first, last.position_last, last.rows),
            (31, 39, 18)
        );
        assert_eq!(last.time_min_us, 1_795_478_400_000_000);
        assert!(!last.is_placed());
    }

    #[test]
    fn version_2_stays_readable() {
        // Written by version 2 of the format; never change this fixture, add another beside it.
        let text = include_str!("../fixtures/manifest-v2.json");
        let manifest = Manifest::parse(text, Path::new("manifest.json")).unwrap();
        assert_eq!((manifest.generation, manifest.sealed_position), (6, 40));
        let file = &manifest.files[0];
        assert_eq!(file.partition(), "day=2026-11-23");
        assert!(file.is_placed());
        assert_eq!((manifest.version, manifest.rows_struck), (3, 0));
        assert_eq!(manifest.struck, []);
    }

    #[test]
    fn version_3_stays_readable() {
        // Written by version 3 of the format; never change this fixture, add another beside it.
        let text = include_str!("../fixtures/manifest-v3.json");
        let manifest = Manifest::parse(text, Path::new("manifest.json")).unwrap();
        assert_eq!((manifest.generation, manifest.sealed_position), (6, 40));
        assert_eq!(manifest.rows_struck, 2);
        assert_eq!(manifest.struck[0].corrected_at, 38);
        let again = serde_json::to_string_pretty(&manifest).unwrap() + "\n";
        assert_eq!(again, text, "what is written today reads the same");
    }

    #[test]
    fn a_manifest_that_is_newer_or_damaged_or_reaches_outside_is_refused() {
        let code = |text: &str| Manifest::parse(text, Path::new("m")).unwrap_err().code;
        assert_eq!(code(r#"{"version":4,"more":1}"#), "lake-manifest-version");
        assert_eq!(code("{"), "lake-manifest-damaged");
        for fixture in [
            include_str!("../fixtures/manifest-v1.json"),
            include_str!("../fixtures/manifest-v2.json"),
            include_str!("../fixtures/manifest-v3.json"),
        ] {
            let outside = fixture.replacen("observations/", "../", 1);
            assert_eq!(code(&outside), "lake-manifest-path");
        }
    }
}
