//! Restore drills that a running city makes of its backup by itself: the settings `backup.drill_*`. A drill is a program of
//! its own at the lowest priority, so that its memory and its share of the machine are not the city's. What it found is
//! kept in the folder, and told in the audit trail, at `/readyz`, as metrics, and as a notice while it is not good.

use super::about::{Last, city_id};
use crate::files;
use crate::folder::Folder;
use crate::settings::BackupSettings;
use anyhow::{Context, Result, bail};
use api::app::Drilled;
use api::notices::{Notice, Notices};
use model::Timestamp;
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

    /// Sets or ends the notice.
    pub fn show(&self, notices: &Notices) {
        let notice = (!self.is_good).then(|| Notice {
            code: NOTICES.to_owned(),
            found_at: self.at.to_string(),
            position_from: 0,
            position_to: 0,
            what: format!("the backup did not pass its restore drill: {}", self.what),
            place: self.vault.display().to_string(),
            mend: format!(
                "run jingling backup verify {vault} and jingling backup drill {vault}; take a backup into a new folder when this one is damaged. The next good drill ends this notice",
                vault = self.vault.display()
            ),
        });
        notices.set(NOTICES, notice.into_iter().collect());
    }
}

/// Makes drills when they are due.
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
        let found = match self.drill(&vault).await {
            Ok(found) => found,
            Err(error) => (None, false, format!("{error:#}")),
        };
        let (point, is_good, what) = found;
        let found = Found {
            at: now,
            vault,
            point,
            is_good,
            what: what.chars().take(SAID_CHARS_MAX).collect(),
        };
        found.write(&self.folder)?;
        Ok(Some(found))
    }

    /// The point, whether it is good, and what there is to say.
    async fn drill(&self, vault: &Path) -> Result<(Option<u64>, bool, String)> {
        let within = match self.settings.drill_within.as_str() {
            "" => std::env::temp_dir(),
            within => PathBuf::from(within),
        };
        // A folder of this city's own: what a drill left that was interrupted can be taken away without asking.
        let within = within.join(format!("jingling-drills-{}", city_id(&self.folder)?));
        let _ = std::fs::remove_dir_all(&within);
        std::fs::create_dir_all(&within).with_context(|| format!("making {}", within.display()))?;
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(&self.program);
        command.args(["backup", "drill", "--json", "--within"]);
        command.arg(&within).arg(vault);
        if !self.settings.drill_identity.is_empty() {
            command.arg("--identity").arg(&self.settings.drill_identity);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await;
        let _ = std::fs::remove_dir_all(&within);
        let output = output.with_context(|| format!("starting {}", self.program.display()))?;
        let said: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
        let Some(said) = said else {
            let told = String::from_utf8_lossy(&output.stderr);
            bail!("{}", told.trim());
        };
        let point = said["restored"]["point"].as_u64();
        let differences = said["differences"].as_array().cloned().unwrap_or_default();
        let differences: Vec<&str> = differences.iter().filter_map(|d| d.as_str()).collect();
        if !output.status.success() || !differences.is_empty() {
            return Ok((point, false, differences.join("; ")));
        }
        let what = format!(
            "{} journal records, {} entities, {} rows of history and {} rows of records came back in {:.0} s",
            said["journal_records"],
            said["entities"],
            said["lake_rows"],
            said["record_rows"],
            said["seconds"].as_f64().unwrap_or_default()
        );
        Ok((point, true, what))
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
        "backup.drill",
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
    }
}
