//! Restore drills that a running city makes of its backup by itself: the settings `backup.drill_*`. A drill is a program of
//! its own at the lowest priority, so that its memory and its share of the machine are not the city's; where it would take
//! more room than there is, it is not made. What it found is kept in the folder, and told in the audit trail, at `/readyz`,
//! as metrics, and as a notice while it is not good.

use super::about::{Last, city_id};
use crate::files;
use crate::folder::Folder;
use crate::settings::BackupSettings;
use anyhow::{Context, Result, bail};
use api::app::Drilled;
use api::notices::{Notice, Notices};
use model::{Problem, Timestamp};
use records::{Actor, Records, audit};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// What notices of drills are told under.
const NOTICES: &str = "backup-drill";
const DAY_US: i64 = 86_400_000_000;
/// One that was not good is made again after this many days, if not before.
const AGAIN_DAYS: u32 = 1;
/// Most of what a drill said that is kept, in characters.
const SAID_CHARS_MAX: usize = 2_000;

/// What the last drill found, as the city's folder remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// When it began.
    pub at: Timestamp,
    /// The backup's folder.
    pub vault: PathBuf,
    /// The point, when one was restored.
    pub point: Option<u64>,
    /// Whether all was as the backup says.
    pub is_good: bool,
    /// What was found, in a sentence.
    pub what: String,
    /// Why no drill was made: that says nothing of the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Problem>,
}

impl Found {
    /// Reads it; `None` when there never was a drill, or the file does not read.
    pub fn read(folder: &Folder) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.last_drill()).ok()?).ok()
    }

    fn write(&self, folder: &Folder) -> Result<()> {
        files::write_atomically(&folder.last_drill(), &serde_json::to_vec_pretty(self)?)
    }

    /// What `/readyz` and the metrics tell.
    pub fn seen(&self) -> Drilled {
        Drilled {
            at: self.at,
            is_good: self.is_good,
        }
    }

    /// What was found as the log and the notice say it.
    pub fn sentence(&self) -> String {
        match (&self.refused, self.is_good) {
            (Some(problem), _) => {
                format!("no restore drill of the backup was made: {}", problem.what)
            }
            (None, true) => format!("restore drill: {}", self.what),
            (None, false) => format!("the backup did not pass its restore drill: {}", self.what),
        }
    }

    /// Sets or ends the notice.
    pub fn show(&self, notices: &Notices) {
        let (place, mend) = match &self.refused {
            Some(problem) => (problem.place.clone(), problem.mend.clone()),
            None => {
                let vault = self.vault.display().to_string();
                let mend = format!(
                    "run jingling backup verify {vault} and jingling backup drill {vault}; take a backup into a new folder when this one is damaged. The next good drill ends this notice"
                );
                (vault, mend)
            }
        };
        let notice = (!self.is_good).then(|| Notice {
            code: NOTICES.to_owned(),
            found_at: self.at.to_string(),
            position_from: 0,
            position_to: 0,
            what: self.sentence(),
            place,
            mend,
        });
        notices.set(NOTICES, notice.into_iter().collect());
    }
}

/// What came of a drill.
struct Outcome {
    point: Option<u64>,
    is_good: bool,
    what: String,
    refused: Option<Problem>,
}

impl Outcome {
    fn of(point: Option<u64>, is_good: bool, what: String) -> Self {
        Self {
            point,
            is_good,
            what,
            refused: None,
        }
    }
}

/// A folder that is taken away with all that is in it, however what is done there ends.
struct Passing(PathBuf);

impl Passing {
    /// Makes it anew.
    fn make(path: PathBuf) -> Result<Self> {
        clear(&path);
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        clear(&self.0);
    }
}

fn clear(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(folder = %path.display(), %error, "what a restore drill left is still there; remove it");
        }
        _ => {}
    }
}

/// Makes drills when they are due.
#[derive(Clone)]
pub struct Drills {
    /// The program that makes one: `PROGRAM backup drill VAULT --json`.
    pub program: PathBuf,
    /// The city's folder.
    pub folder: Folder,
    /// When, of what, and with which key.
    pub settings: BackupSettings,
}

impl Drills {
    /// Those of this program.
    pub fn new(folder: Folder, settings: BackupSettings) -> Self {
        // The program that runs, also when its file was replaced by a newer one.
        let program = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
        Self {
            program,
            folder,
            settings,
        }
    }

    /// Whether drills are asked for at all.
    pub fn are_wanted(&self) -> bool {
        self.settings.drill_every_days > 0
    }

    /// Makes a drill when one is due at `now`, remembers what it found, and gives it; `None` when none is due.
    ///
    /// # Errors
    /// When what was found cannot be written down; it is made again then.
    pub async fn turn(&self, now: Timestamp) -> Result<Option<Found>> {
        let last = Found::read(&self.folder);
        let Some(backup) = Last::read(&self.folder) else {
            return Ok(None);
        };
        if !is_due(last.as_ref(), now, self.settings.drill_every_days) {
            return Ok(None);
        }
        let vault = match self.settings.to.as_str() {
            "" => backup.vault,
            to => PathBuf::from(to),
        };
        let outcome = match self.drill(&vault).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::of(None, false, format!("{error:#}")),
        };
        let found = Found {
            at: now,
            vault,
            point: outcome.point,
            is_good: outcome.is_good,
            what: outcome.what.chars().take(SAID_CHARS_MAX).collect(),
            refused: outcome.refused,
        };
        found.write(&self.folder)?;
        Ok(Some(found))
    }

    /// Takes away what drills left that were interrupted with the program: for a start, before the first one.
    pub fn clear(&self) {
        // A city that was never backed up made none.
        if self.folder.backup_id().is_file()
            && let Ok(within) = self.within()
        {
            clear(&within);
        }
    }

    /// A folder of this city's own: what a drill left that was interrupted can be taken away without asking.
    fn within(&self) -> Result<PathBuf> {
        let within = match self.settings.drill_within.as_str() {
            "" => std::env::temp_dir(),
            within => PathBuf::from(within),
        };
        Ok(within.join(format!("jingling-drills-{}", city_id(&self.folder)?)))
    }

    async fn drill(&self, vault: &Path) -> Result<Outcome> {
        // Taken away behind the program that writes into it, which ends first.
        let within = Passing::make(self.within()?)?;
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(&self.program);
        command.args(["backup", "drill", "--json", "--within"]);
        command.arg(&within.0);
        command.arg("--reserve-mib");
        command.arg(self.settings.drill_reserve_mib.to_string());
        command.arg(vault);
        if !self.settings.drill_identity.is_empty() {
            command.arg("--identity").arg(&self.settings.drill_identity);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await;
        drop(within);
        let output = output.with_context(|| format!("starting {}", self.program.display()))?;
        let said: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
        let Some(said) = said else {
            let told = String::from_utf8_lossy(&output.stderr);
            bail!("{}", told.trim());
        };
        if let Ok(problem) = serde_json::from_value::<Problem>(said["refused"].clone()) {
            return Ok(Outcome {
                refused: Some(problem.clone()),
                ..Outcome::of(None, false, problem.to_string())
            });
        }
        let point = said["restored"]["point"].as_u64();
        let differences = said["differences"].as_array().cloned().unwrap_or_default();
        let differences: Vec<&str> = differences.iter().filter_map(|d| d.as_str()).collect();
        if !output.status.success() || !differences.is_empty() {
            return Ok(Outcome::of(point, false, differences.join("; ")));
        }
        let what = format!(
            "{} journal records, {} entities, {} rows of history and {} rows of records came back in {:.0} s",
            said["journal_records"],
            said["entities"],
            said["lake_rows"],
            said["record_rows"],
            said["seconds"].as_f64().unwrap_or_default()
        );
        Ok(Outcome::of(point, true, what))
    }
}

/// Writes what was found into the audit trail.
///
/// # Errors
/// That of the records.
pub async fn write_down(records: &Records, found: &Found) -> records::Result<()> {
    let mut write = records.write().await?;
    let target = match found.point {
        Some(point) => format!("point:{point} of {}", found.vault.display()),
        None => found.vault.display().to_string(),
    };
    let detail = serde_json::json!({"good": found.is_good, "what": found.what});
    let actor = Actor::system("backup");
    audit::insert(
        &mut write,
        found.at,
        &actor,
        records::Event::BackupDrill,
        &target,
        &detail,
    )
    .await?;
    write.commit().await
}

fn is_due(last: Option<&Found>, now: Timestamp, every_days: u32) -> bool {
    if every_days == 0 {
        return false;
    }
    last.is_none_or(|last| {
        let days = if last.is_good {
            every_days
        } else {
            every_days.min(AGAIN_DAYS)
        };
        // A clock that was set back must not keep drills from being made for as long.
        now.micros_since(last.at).abs() >= i64::from(days) * DAY_US
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn found(is_good: bool) -> Found {
        Found {
            at: NOW,
            vault: "/mnt/backup".into(),
            point: is_good.then_some(3),
            is_good,
            what: "rows of history: the point says 2, restored are 1".into(),
            refused: None,
        }
    }

    #[test]
    fn a_drill_is_due_when_the_last_good_one_is_old_and_soon_after_one_that_was_not() {
        let after = |days: i64| NOW.plus_seconds(days * 86_400);
        assert!(is_due(None, NOW, 7));
        assert!(!is_due(None, NOW, 0), "they are off");
        assert!(!is_due(Some(&found(true)), after(7).plus_seconds(-1), 7));
        assert!(is_due(Some(&found(true)), after(7), 7));
        assert!(!is_due(Some(&found(false)), after(1).plus_seconds(-1), 7));
        assert!(is_due(Some(&found(false)), after(1), 7));
        assert!(
            is_due(Some(&found(true)), after(-7), 7),
            "the clock went back"
        );
    }

    #[test]
    fn one_that_is_not_good_is_a_notice_until_one_is() {
        let notices = Notices::default();
        found(false).show(&notices);
        let all = notices.all();
        assert_eq!((all.len(), notices.records()), (1, 0));
        assert_eq!(all[0].code, "backup-drill");
        assert!(all[0].what.contains("restored are 1"), "{}", all[0].what);
        found(true).show(&notices);
        assert!(notices.all().is_empty());
        // A drill that there is no room for says nothing of the backup, and what mends it is another thing.
        let problem = Problem::new(
            "backup-drill-room",
            "it takes too much",
            "/tmp",
            "make room",
        );
        let refused = Found {
            refused: Some(problem),
            ..found(false)
        };
        refused.show(&notices);
        let all = notices.all();
        assert_eq!(
            (all[0].place.as_str(), all[0].mend.as_str()),
            ("/tmp", "make room")
        );
        assert!(all[0].what.contains("no restore drill"), "{}", all[0].what);
    }

    #[test]
    fn what_a_last_version_remembers_of_a_drill_reads() {
        let stored =
            r#"{"at":"2027-01-15T08:00:00Z","vault":"/v","point":3,"is_good":true,"what":"x"}"#;
        let found: Found = serde_json::from_str(stored).unwrap();
        assert_eq!((found.point, found.refused), (Some(3), None));
    }
}
