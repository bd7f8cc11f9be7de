//! Stretches of the journal that the projections had to pass without having them: damaged, missing, or
//! trimmed before they were needed. Each is written to `gaps.json` before any projection goes past it, so
//! that every start says it again; a person ends the notice by deleting the file.

use anyhow::{Context, Result, bail};
use api::notices::{Notice, Notices};
use model::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version of the file's format; every version ever written stays readable.
pub const VERSION: u32 = 1;
/// What notices of stretches are told under.
const NOTICES: &str = "gaps";
/// Most stretches that are kept apart; beyond it the last one is widened.
const GAPS_MAX: usize = 1_000;

/// Why records could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// They are there and cannot be read.
    Damaged,
    /// Projections had seen them, and the journal ends before.
    Missing,
    /// They were removed from the journal, and a projection had to begin anew.
    Trimmed,
}

/// One stretch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Why.
    pub cause: Cause,
    /// First position.
    pub from: u64,
    /// The position behind the last.
    pub to: u64,
    /// The file in the journal's folder, when one is known.
    pub file: String,
    /// Where in it, bytes.
    pub offset: u64,
    /// When it was found, RFC 3339 UTC.
    pub found_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    gaps: Vec<Gap>,
}

impl Gap {
    /// A stretch of damage as a reader tells it.
    pub fn damaged(damage: &journal::Damage, now: Timestamp) -> Self {
        Self {
            cause: Cause::Damaged,
            from: damage.positions.start,
            to: damage.positions.end,
            file: damage.file.clone(),
            offset: damage.offset,
            found_at: now.to_string(),
        }
    }

    /// A stretch without a file.
    pub fn without_file(cause: Cause, positions: Range<u64>, now: Timestamp) -> Self {
        Self {
            cause,
            from: positions.start,
            to: positions.end,
            file: String::new(),
            offset: 0,
            found_at: now.to_string(),
        }
    }

    /// For people.
    pub fn notice(&self, file: &Path) -> Notice {
        let records = format!(
            "journal records {} to {}",
            self.from,
            self.to.saturating_sub(1)
        );
        let (code, what) = match self.cause {
            Cause::Damaged => (
                "journal-damaged",
                format!(
                    "{records} cannot be read; current state, history, rules and counts go on without them"
                ),
            ),
            Cause::Missing => (
                "journal-missing",
                format!("{records} were seen by the projections and are no longer in the journal"),
            ),
            Cause::Trimmed => (
                "journal-trimmed",
                format!(
                    "{records} had been removed when a projection had to begin anew; it lacks what only they said"
                ),
            ),
        };
        let place = if self.file.is_empty() {
            "journal".to_owned()
        } else {
            format!("journal/{} at byte {}", self.file, self.offset)
        };
        Notice {
            code: code.to_owned(),
            found_at: self.found_at.clone(),
            position_from: self.from,
            position_to: self.to,
            what,
            place,
            mend: format!(
                "look at `jingling check`; put the file back from a backup, or accept the loss; then delete {}",
                file.display()
            ),
        }
    }
}

/// Reads the file; nothing when there is none.
///
/// # Errors
/// When it cannot be read or is of a newer version.
pub fn read(path: &Path) -> Result<Vec<Gap>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let stored: Stored = serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} is damaged; `jingling check` finds again what can still be found; then delete it",
            path.display()
        )
    })?;
    if stored.version != VERSION {
        bail!(
            "{} has version {}; run the version that wrote it, or newer",
            path.display(),
            stored.version
        );
    }
    Ok(stored.gaps)
}

/// The stretches of this city, on disk and told.
pub struct Gaps {
    path: PathBuf,
    notices: Arc<Notices>,
    known: Mutex<Vec<Gap>>,
}

impl Gaps {
    /// Reads what is known, and says it again.
    ///
    /// # Errors
    /// As [`read`].
    pub fn load(path: PathBuf, notices: Arc<Notices>) -> Result<Self> {
        let known = read(&path)?;
        let gaps = Self {
            path,
            notices,
            known: Mutex::new(Vec::new()),
        };
        for gap in &known {
            gaps.say(gap);
        }
        gaps.show(&known);
        *gaps.known.lock() = known;
        Ok(gaps)
    }

    /// Takes a stretch: durable when this returns. What is known already changes nothing.
    ///
    /// # Errors
    /// When the file cannot be written; nobody may pass the stretch then.
    pub fn add(&self, gap: Gap) -> Result<()> {
        let mut known = self.known.lock();
        if known.iter().any(|k| k.from <= gap.from && k.to >= gap.to) {
            return Ok(());
        }
        let mut next = known.clone();
        match next.last_mut() {
            Some(last) if known.len() >= GAPS_MAX => {
                last.from = last.from.min(gap.from);
                last.to = last.to.max(gap.to);
            }
            _ => next.push(gap.clone()),
        }
        let stored = Stored {
            version: VERSION,
            gaps: next,
        };
        crate::files::write_atomically(&self.path, &serde_json::to_vec_pretty(&stored)?)?;
        self.say(&gap);
        self.show(&stored.gaps);
        *known = stored.gaps;
        Ok(())
    }

    fn say(&self, gap: &Gap) {
        let notice = gap.notice(&self.path);
        tracing::error!(
            code = notice.code,
            place = notice.place,
            mend = notice.mend,
            "{}",
            notice.what
        );
    }

    fn show(&self, gaps: &[Gap]) {
        self.notices.set(
            NOTICES,
            gaps.iter().map(|gap| gap.notice(&self.path)).collect(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn damage(positions: Range<u64>) -> Gap {
        Gap::damaged(
            &journal::Damage {
                kind: journal::DamageKind::Unreadable,
                file: "00000000000000000000.seg".into(),
                offset: 4_096,
                positions,
            },
            NOW,
        )
    }

    #[test]
    fn what_was_added_is_said_again_after_a_restart_until_the_file_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gaps.json");
        let gaps = Gaps::load(path.clone(), Arc::default()).unwrap();
        gaps.add(damage(10..15)).unwrap();
        gaps.add(damage(11..13)).unwrap();
        gaps.add(Gap::without_file(Cause::Trimmed, 0..4, NOW))
            .unwrap();
        for _ in 0..2 {
            let notices = Arc::new(Notices::default());
            let _gaps = Gaps::load(path.clone(), notices.clone()).unwrap();
            let all = notices.all();
            assert_eq!((all.len(), notices.records()), (2, 9));
            assert_eq!(all[0].code, "journal-damaged");
            assert!(all[0].what.contains("10 to 14"), "{}", all[0].what);
            assert!(all[0].place.contains("at byte 4096"), "{}", all[0].place);
            assert_eq!(all[1].code, "journal-trimmed");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&path).unwrap(), []);
    }

    #[test]
    fn a_newer_version_and_damage_are_errors() {
        let stored = include_str!("../fixtures/gaps-v1.json");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gaps.json");
        std::fs::write(&path, stored).unwrap();
        let gaps = read(&path).unwrap();
        assert_eq!(
            (gaps.len(), gaps[0].cause, gaps[0].to),
            (1, Cause::Damaged, 15)
        );
        std::fs::write(&path, stored.replace("\"version\": 1", "\"version\": 2")).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("version 2"));
        std::fs::write(&path, "{").unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error_so_that_nobody_passes() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in-the-way"), b"").unwrap();
        let path = dir.path().join("in-the-way/gaps.json");
        let gaps = Gaps {
            path,
            notices: Arc::default(),
            known: Mutex::default(),
        };
        assert!(gaps.add(damage(0..1)).is_err());
        assert_eq!(gaps.notices.records(), 0);
    }

    #[test]
    fn very_many_are_joined_rather_than_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gaps.json");
        let gaps = Gaps::load(path.clone(), Arc::default()).unwrap();
        *gaps.known.lock() = (0..GAPS_MAX as u64)
            .map(|n| damage(10 * n..10 * n + 1))
            .collect();
        gaps.add(damage(50_000..50_002)).unwrap();
        let stored = read(&path).unwrap();
        assert_eq!((stored.len(), stored[GAPS_MAX - 1].to), (GAPS_MAX, 50_002));
    }
}
