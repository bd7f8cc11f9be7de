//! Files of the city that were damaged when a backup was taken: how they are found, what is told of them, and the notice
//! that stands until a backup finds them whole.
//!
//! History's files and departments' have a SHA-256 that was noted when they were written; the journal's sealed segments
//! have a checksum for each block. What has neither is copied as it is.

use super::about::Last;
use crate::folder::Folder;
use anyhow::{Result, anyhow};
use api::notices::{Notice, Notices};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use vault::{DamagedFile, Held};

/// What notices of damaged files are told under.
const NOTICES: &str = "backup-damaged-file";
/// Most files that have a notice of their own.
const NOTICES_MAX: usize = 20;

/// A damaged file with what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The file, what was wrong, and what the backup has instead.
    #[serde(flatten)]
    pub file: DamagedFile,
    /// What to do about it.
    pub mend: String,
}

impl Told {
    /// For a file of the city that is backed up into `vault`.
    pub fn new(file: DamagedFile, vault: &Path) -> Self {
        let mend = mend(&file, vault);
        Self { file, mend }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.file, self.mend)
    }
}

fn mend(file: &DamagedFile, vault: &Path) -> String {
    let vault = vault.display();
    let again = match file.path.starts_with("lake/tables/") {
        true => "import the table again, or ",
        false => "",
    };
    // Whoever serves the journal has its files open; history's are looked up when they are needed.
    let stop = match file.path.starts_with("journal/") {
        true => ", stop the city,",
        false => "",
    };
    match file.held {
        Held::GoodCopyOf(_) => format!(
            "{again}restore the backup into another folder (jingling restore {vault} --to DIR){stop} and copy this file from there to its place; look at the city's disk"
        ),
        Held::DamagedBytes | Held::Nothing => format!(
            "{again}put the file back from another copy of the city{stop} and look at the city's disk; without one, what was in it is lost. An older point of {vault} may have it: jingling backup list, jingling restore --position"
        ),
    }
}

/// What the files below the lake's folder must be, by their path in the city's folder.
///
/// # Errors
/// When the manifest does not read.
pub fn of_lake(folder: &Folder) -> Result<BTreeMap<String, String>> {
    let lake = super::take::relative(folder.path(), &folder.lake())?;
    let known = lake::known_files(&folder.lake()).map_err(|p| anyhow!("{p}"))?;
    let known = known
        .into_iter()
        .map(|file| (format!("{lake}/{}", file.path), file.sha256));
    Ok(known.collect())
}

/// Looks at a sealed segment of the journal while it is copied.
pub struct Segment(journal::SegmentInspection);

impl Segment {
    /// For the segment of this name, when the next one has that name.
    pub fn new(name: &str, next: &str) -> Option<Self> {
        let position = journal::format::segment_first_position;
        let inspection = journal::SegmentInspection::new(position(name)?, position(next)?);
        Some(Self(inspection))
    }
}

impl vault::Inspector for Segment {
    fn look(&mut self, bytes: &[u8]) {
        self.0.look(bytes);
    }

    fn verdict(&mut self) -> Option<String> {
        self.0.verdict()
    }
}

/// Sets the notices of the files that the last backup found damaged, or ends them.
pub fn show(last: &Last, folder: &Folder, notices: &Notices) {
    let notice = |what: String, place: String, mend: String| Notice {
        code: NOTICES.to_owned(),
        found_at: last.taken_at.to_string(),
        position_from: 0,
        position_to: 0,
        what,
        place,
        mend,
    };
    let files = last.damaged.iter().take(NOTICES_MAX).map(|file| {
        let told = Told::new(file.clone(), &last.vault);
        notice(
            format!("a backup found a damaged file: {}", told.file),
            folder.path().join(&file.path).display().to_string(),
            told.mend,
        )
    });
    let mut all: Vec<Notice> = files.collect();
    let more = last.damaged.len().saturating_sub(NOTICES_MAX);
    if more > 0 {
        all.push(notice(
            format!("a backup found {more} more damaged files"),
            folder.path().display().to_string(),
            "run jingling check, which tells each".to_owned(),
        ));
    }
    notices.set(NOTICES, all);
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    fn file(path: &str, held: Held) -> DamagedFile {
        DamagedFile {
            path: path.to_owned(),
            what: "its SHA-256 is a, not b".to_owned(),
            held,
        }
    }

    #[test]
    fn what_mends_a_file_depends_on_what_it_is_and_on_what_the_backup_has() {
        let told = |path, held| Told::new(file(path, held), Path::new("/v")).to_string();
        let good = Held::GoodCopyOf(3);
        let history = told("lake/observations/day=2026-11-23/1.parquet", good);
        assert!(history.contains("the good copy of point 3"), "{history}");
        assert!(history.contains("jingling restore /v"), "{history}");
        assert!(told("journal/00000000000000000000.seg", good).contains("stop the city"));
        assert!(told("lake/tables/towns/1.parquet", good).contains("import the table again"));
        assert!(told("lake/x", Held::Nothing).contains("from another copy"));
    }

    #[test]
    fn damaged_files_are_notices_until_a_backup_finds_none() {
        let notices = Notices::default();
        let folder = Folder::new(Path::new("/city"));
        let files = (0..25).map(|n| file(&format!("lake/{n}"), Held::DamagedBytes));
        let mut last = Last {
            vault: "/v".into(),
            point: 4,
            position: 9,
            taken_at: Timestamp::from_seconds(1_800_000_000),
            damaged: files.collect(),
        };
        show(&last, &folder, &notices);
        let all = notices.all();
        assert_eq!((all.len(), notices.records()), (21, 0));
        assert_eq!(all[0].place, "/city/lake/0");
        assert!(all[20].what.contains("5 more"), "{}", all[20].what);
        last.damaged.clear();
        show(&last, &folder, &notices);
        assert!(notices.all().is_empty());
    }
}
