//! A folder or file of advisories, as an operator brings it: every `.json` (OSV) and `.md` (RustSec) below it.

use crate::{Advisory, osv, rustsec};
use model::Problem;
use std::path::Path;
use walkdir::WalkDir;

/// The limits of what is read.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most files that are looked at.
    pub files_max: usize,
    /// Largest file, bytes; a larger one is told and passed over.
    pub file_bytes_max: u64,
    /// How deep folders may lie in each other.
    pub depth_max: usize,
    /// Files that could not be read which are told by name; the others are counted.
    pub told_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files_max: 500_000,
            file_bytes_max: 64 << 20,
            depth_max: 12,
            told_max: 20,
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// The advisories about packages of our ecosystems.
    pub advisories: Vec<Advisory>,
    /// Files that were advisories.
    pub files: usize,
    /// Files that should have been and could not be read; they are told in `problems`, as many as the limit says.
    pub unread: usize,
    /// What was wrong with files.
    pub problems: Vec<Problem>,
}

/// Reads all below `path`; hidden folders (`.git`) are passed over.
///
/// # Errors
/// `advisories-none` when there is nothing to read, `advisories-many` when there is more than the limit.
pub fn read(path: &Path, limits: &Limits) -> Result<Read, Problem> {
    let mut found = Read::default();
    let place = path.display().to_string();
    let walk = WalkDir::new(path)
        .max_depth(limits.depth_max)
        .into_iter()
        .filter_entry(|e| e.depth() == 0 || !e.file_name().to_string_lossy().starts_with('.'));
    let mut looked_at = 0;
    for entry in walk {
        let entry = match entry {
            Ok(entry) if entry.file_type().is_file() => entry,
            Ok(_) => continue,
            Err(error) => {
                found.tell(error.to_string(), &place, limits);
                continue;
            }
        };
        looked_at += 1;
        if looked_at > limits.files_max {
            return Err(Problem::new(
                "advisories-many",
                format!("more than {} files", limits.files_max),
                place,
                "give the folder of one ecosystem alone, crates.io or npm",
            ));
        }
        let file = entry.path();
        let Some(ending @ ("json" | "md")) = file.extension().and_then(|e| e.to_str()) else {
            continue;
        };
        let size = entry.metadata().map_or(0, |m| m.len());
        if size > limits.file_bytes_max {
            let what = format!("{size} bytes, at most {} are read", limits.file_bytes_max);
            found.tell(what, &file.display().to_string(), limits);
            continue;
        }
        match one(file, ending) {
            Ok(Some(advisories)) => {
                found.files += 1;
                found.advisories.extend(advisories);
            }
            Ok(None) => {}
            Err(what) => found.tell(what, &file.display().to_string(), limits),
        }
    }
    if found.files == 0 {
        let why = found
            .problems
            .first()
            .map(|p| format!(": {} ({})", p.what, p.place));
        return Err(Problem::new(
            "advisories-none",
            format!("no advisory was found{}", why.unwrap_or_default()),
            place,
            "give a folder of OSV files (.json) or RustSec's repository (.md)",
        ));
    }
    Ok(found)
}

impl Read {
    fn tell(&mut self, what: String, place: &str, limits: &Limits) {
        self.unread += 1;
        if self.problems.len() < limits.told_max {
            self.problems.push(Problem::new(
                "advisory-unread",
                what,
                place.to_owned(),
                "fetch the file again",
            ));
        }
    }
}

/// `None` when the file is no advisory and was not meant to be one.
fn one(file: &Path, ending: &str) -> Result<Option<Vec<Advisory>>, String> {
    let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
    if ending == "json" {
        return osv::parse(&bytes).map(Some);
    }
    let text = String::from_utf8_lossy(&bytes);
    if !rustsec::is_one(&text) {
        return Ok(None);
    }
    rustsec::parse(&text).map(|found| Some(found.into_iter().collect()))
}
