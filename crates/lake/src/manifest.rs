//! The manifest: which files are the lake's, and up to which journal position they hold everything.
//! It is the only truth about files; what it does not list is not read. Written whole to a temporary
//! file, synced, then renamed, so that a crash leaves the old one or the new one.

use model::Problem;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version written; older ones stay readable for ever (see `fixtures/`).
pub const MANIFEST_VERSION: u32 = 1;
/// The manifest's file name.
pub(crate) const MANIFEST_NAME: &str = "manifest.json";
/// The folder of the Parquet files.
pub(crate) const FILES_FOLDER: &str = crate::schema::OBSERVATIONS;
/// End of the name of a file that is still being written.
pub(crate) const TEMPORARY: &str = ".tmp";

/// What the lake holds in files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub version: u32,
    /// Every journal position below is in the files, or held nothing for the lake.
    pub sealed_position: u64,
    /// In the order of sealing.
    pub files: Vec<Arc<FileEntry>>,
}

/// One sealed file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    /// Relative to the lake's folder, with `/`.
    pub path: String,
    /// The seal that wrote it covers every position from here …
    pub position_from: u64,
    /// … up to but not including here. A seal over midnight writes several files with one range.
    pub position_to: u64,
    /// Least journal position of its rows.
    pub position_first: u64,
    /// Greatest journal position of its rows.
    pub position_last: u64,
    pub rows: u64,
    pub bytes: u64,
    /// SHA-256 of the whole file, in hex.
    pub sha256: String,
    /// Microseconds since 1970 UTC, as are the next three.
    pub observed_at_min_us: i64,
    pub observed_at_max_us: i64,
    pub received_at_min_us: i64,
    pub received_at_max_us: i64,
}

impl Manifest {
    pub fn empty() -> Self {
        Self {
            version: MANIFEST_VERSION,
            sealed_position: 0,
            files: Vec::new(),
        }
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
        if version != MANIFEST_VERSION {
            return Err(Problem::new(
                "lake-manifest-version",
                format!("manifest version {version} is unknown to this program"),
                path.display().to_string(),
                "run the version that wrote it, or newer",
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(damaged)?;
        for file in &manifest.files {
            let inside = file
                .path
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."));
            if !inside {
                return Err(Problem::new(
                    "lake-manifest-path",
                    format!(
                        "the manifest lists \"{}\", which lies outside the lake",
                        file.path
                    ),
                    path.display().to_string(),
                    "restore manifest.json from a backup",
                ));
            }
        }
        Ok(manifest)
    }

    /// Replaces the manifest on disk; returns when it is durable.
    pub fn write(&self, dir: &Path) -> Result<(), Problem> {
        let path = dir.join(MANIFEST_NAME);
        let temporary = dir.join(format!("{MANIFEST_NAME}{TEMPORARY}"));
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&temporary)?;
            let mut text = serde_json::to_vec_pretty(self)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)?;
            sync_folder(dir)
        };
        write().map_err(|e| io_problem("write", &path, &e))
    }

    /// The distinct ranges of positions that the seals cover, in order.
    pub fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges: Vec<_> = self
            .files
            .iter()
            .map(|f| (f.position_from, f.position_to))
            .collect();
        ranges.sort_unstable();
        ranges.dedup();
        ranges
    }
}

/// Name of a file in its day's folder.
pub(crate) fn file_name(position_from: u64, position_to: u64) -> String {
    format!("{position_from:020}-{position_to:020}.parquet")
}

/// The first position in a file's name, when it is one of ours.
fn position_in_name(name: &str) -> Option<u64> {
    let (from, to) = name.strip_suffix(".parquet")?.split_once('-')?;
    to.parse::<u64>().ok()?;
    from.parse().ok()
}

/// A file in the folder that the manifest does not list.
pub(crate) struct Stray {
    pub path: PathBuf,
    /// Left by a seal that did not end: its rows are still in the journal.
    pub unfinished: bool,
}

/// Files in the lake's folder that the manifest does not list.
pub(crate) fn strays(dir: &Path, manifest: &Manifest) -> Result<Vec<Stray>, Problem> {
    let listed: HashSet<PathBuf> = manifest.files.iter().map(|f| dir.join(&f.path)).collect();
    let mut found = Vec::new();
    let folder = dir.join(FILES_FOLDER);
    for day in entries(&folder)? {
        if !day.is_dir() {
            continue;
        }
        for path in entries(&day)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let partial = name.ends_with(&format!(".parquet{TEMPORARY}"));
            if listed.contains(&path) || !(partial || name.ends_with(".parquet")) {
                continue;
            }
            let unfinished = partial || position_in_name(&name) == Some(manifest.sealed_position);
            found.push(Stray { path, unfinished });
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
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

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
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
        assert_eq!(manifest.sealed_position, 40);
        assert_eq!(manifest.ranges(), [(0, 25), (25, 40)]);
        let last = &manifest.files[2];
        assert_eq!(
            last.path,
            "observations/date=2026-11-24/00000000000000000025-00000000000000000040.parquet"
        );
        assert_eq!(
            (last.position_first, last.position_last, last.rows),
            (31, 39, 18)
        );
        assert_eq!(last.observed_at_min_us, 1_795_478_400_000_000);
        let again = serde_json::to_string_pretty(&manifest).unwrap() + "\n";
        assert_eq!(again, text, "what is written today reads the same");
    }

    #[test]
    fn a_manifest_that_is_newer_or_damaged_or_reaches_outside_is_refused() {
        let code = |text: &str| Manifest::parse(text, Path::new("m")).unwrap_err().code;
        assert_eq!(code(r#"{"version":2,"more":1}"#), "lake-manifest-version");
        assert_eq!(code("{"), "lake-manifest-damaged");
        let outside =
            include_str!("../fixtures/manifest-v1.json").replacen("observations/", "../", 1);
        assert_eq!(code(&outside), "lake-manifest-path");
    }

    #[test]
    fn names_give_their_position() {
        assert_eq!(position_in_name(&file_name(7, 9)), Some(7));
        assert_eq!(position_in_name("notes.parquet"), None);
    }
}
