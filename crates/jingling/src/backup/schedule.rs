//! A server that takes its own backups and makes drills of them: the settings `backup.*`. One after the other, so that a
//! drill never meets a backup that is taking its point away.

use super::about::Last;
use super::damage;
use super::drills::{self, Drills};
use super::take::{Made, Wanted, take};
use super::{Options, read_text};
use crate::folder::Folder;
use crate::running::wall_clock;
use crate::settings::BackupSettings;
use anyhow::Result;
use api::App;
use model::Timestamp;
use records::Actor;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use vault::Protection;

/// How often it is asked whether a backup is due, and how soon one that failed is tried again.
const CHECK_S: u64 = 60;
const SECONDS_AN_HOUR: u64 = 3_600;

/// Takes backups and makes drills until the task is ended; `None` when neither is asked for.
pub fn start(app: App, folder: Folder, settings: &BackupSettings) -> Option<JoinHandle<()>> {
    let drills = Drills::new(folder.clone(), settings.clone());
    let left = drills.clone();
    let cleared = tokio::task::spawn_blocking(move || left.clear());
    if settings.to.is_empty() && !drills.are_wanted() {
        return None;
    }
    let settings = settings.clone();
    Some(tokio::spawn(async move {
        let mut ticker = tokio::time::interval(Duration::from_secs(CHECK_S));
        ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Before the first drill: it would take away what that one needs.
        if let Err(error) = cleared.await {
            tracing::error!(%error, "taking away what restore drills left ended");
        }
        loop {
            ticker.tick().await;
            let last = Last::read(&folder).map(|last| last.taken_at);
            if !settings.to.is_empty() && is_due(last, wall_clock(), settings.every_hours) {
                match one(&folder, &settings).await {
                    Ok(made) => tell(&made, &settings.to),
                    Err(error) => tracing::error!(
                        "no backup was taken, and it is tried again in {CHECK_S} s: {error:#}"
                    ),
                }
            }
            // Also of one that was taken by hand meanwhile.
            if let Some(last) = Last::read(&folder) {
                damage::show(&last, &folder, &app.notices);
            }
            if drills.are_wanted() {
                drill(&app, &drills).await;
            }
        }
    }))
}

/// Writes into the log what a backup made of itself and found.
fn tell(made: &Made, to: &str) {
    for file in &made.damaged {
        tracing::error!("a backup found a damaged file: {file}");
    }
    if let Some(spared) = made.removed.spared {
        tracing::warn!(
            "point {spared} of the backup stays beyond backup.keep: every newer one has a damaged file"
        );
    }
    tracing::info!(
        point = made.point,
        to,
        damaged_files = made.damaged.len(),
        "backup taken"
    );
}

/// Makes a drill when one is due, and tells what it found.
async fn drill(app: &App, drills: &Drills) {
    let found = match drills.turn(wall_clock()).await {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(error) => {
            tracing::error!("what a restore drill found was not kept: {error:#}");
            return;
        }
    };
    found.show(&app.notices);
    if let Err(error) = drills::write_down(&app.records, &found).await {
        tracing::error!(%error, "a restore drill is not in the audit trail");
    }
    if found.is_good {
        tracing::info!(point = found.point, "{}", found.sentence());
    } else {
        tracing::error!("{}", found.sentence());
    }
}

async fn one(folder: &Folder, settings: &BackupSettings) -> Result<Made> {
    let options = Options::default();
    let protection = if settings.encrypt_to.is_empty() {
        Protection::AsItIs
    } else {
        let path = PathBuf::from(&settings.encrypt_to);
        Protection::recipients(&read_text(&path, &options)?, &settings.encrypt_to)?
    };
    let wanted = Wanted {
        to: PathBuf::from(&settings.to),
        protection,
        keep: (settings.keep > 0).then_some(settings.keep),
        may_make: false,
        actor: Actor::system("backup"),
    };
    take(folder.clone(), wanted, options, Arc::new(|_| {})).await
}

fn is_due(last: Option<Timestamp>, now: Timestamp, every_hours: u64) -> bool {
    let seconds = i64::try_from(every_hours.max(1).saturating_mul(SECONDS_AN_HOUR));
    last.is_none_or(|last| {
        // A clock that was set back must not keep backups from being taken for as long.
        let age_us = now.micros_since(last).abs();
        seconds.is_ok_and(|seconds| age_us >= seconds.saturating_mul(1_000_000))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_due_when_the_last_one_is_old_or_there_was_none() {
        let now = Timestamp::from_seconds(1_800_000_000);
        assert!(is_due(None, now, 24));
        assert!(!is_due(Some(now.plus_seconds(-86_399)), now, 24));
        assert!(is_due(Some(now.plus_seconds(-86_400)), now, 24));
        assert!(
            is_due(Some(now.plus_seconds(86_400)), now, 24),
            "the clock went back"
        );
        assert!(!is_due(Some(now), now, 0), "at most once an hour");
    }
}
