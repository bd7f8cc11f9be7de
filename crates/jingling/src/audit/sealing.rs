//! What goes on with the audit chain while the city runs: seals when they are due, and a proof of the whole chain at the
//! start and once in a while, so that a broken one is told without anybody asking.

use super::key;
use crate::folder::Folder;
use crate::settings::AuditSettings;
use api::App;
use api::notices::Notice;
use model::{Problem, Timestamp};
use records::audit_seals::{self, Options, Seal};
use records::{Failure, Records};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// How often it is asked whether a seal is due, in seconds.
const LOOK_S: u64 = 5;
/// Who tells the notices about the key.
const TELLER: &str = "audit-key";

/// When seals are due, from the settings.
pub fn options(settings: &AuditSettings) -> Options {
    Options {
        rows: settings.seal_rows.max(1),
        seconds: settings.seal_seconds.max(1),
    }
}

/// Seals when it is due; with `None` for the options, whenever there is a row without a seal.
///
/// # Errors
/// What is wrong with the key, or the records' own.
pub async fn step(
    folder: &Folder,
    records: &Records,
    options: Option<&Options>,
    now: Timestamp,
) -> Result<Option<Seal>, Failure> {
    let unsealed = audit_seals::unsealed(&mut *records.read().await?).await?;
    let is_due = unsealed.is_some_and(|u| options.is_none_or(|o| u.is_due(now, o)));
    if !is_due {
        return Ok(None);
    }
    let key = key::in_use(folder).map_err(Failure::Unavailable)?;
    let mut write = records.write().await?;
    let seal = audit_seals::seal(&mut write, &key, now).await?;
    write.commit().await?;
    if let Some(seal) = &seal {
        // A log that is kept elsewhere proves the chain's end against whoever has this machine.
        let (number, row, hash) = (seal.number, seal.row_id, &seal.row_hash);
        tracing::info!(number, row, hash, "the audit trail was sealed");
    }
    Ok(seal)
}

/// Makes the key ready and starts what goes on.
pub async fn start(app: &App, folder: &Folder, settings: &AuditSettings) -> Vec<JoinHandle<()>> {
    let ready = key::make_ready(folder, &app.records, app.now()).await;
    let mut stands = tell(app, ready.err());
    let seal = {
        let (app, folder, options) = (app.clone(), folder.clone(), options(settings));
        tokio::spawn(async move {
            let mut ticker = tokio::time::interval(Duration::from_secs(LOOK_S));
            ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticker.tick().await;
                let failure = match step(&folder, &app.records, Some(&options), app.now()).await {
                    Ok(None) if !stands => continue,
                    // What stood may have been mended with nothing to seal.
                    Ok(_) => key::make_ready(&folder, &app.records, app.now())
                        .await
                        .err(),
                    Err(error) => Some(error),
                };
                stands = tell(&app, failure);
            }
        })
    };
    let prove = {
        let (app, hours) = (app.clone(), settings.verify_hours.max(1));
        tokio::spawn(async move {
            let mut ticker =
                tokio::time::interval(Duration::from_secs(hours.saturating_mul(3_600)));
            ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticker.tick().await;
                if let Err(error) = api::audit::prove(&app).await {
                    tracing::error!(%error, "the audit chain could not be verified");
                }
            }
        })
    };
    vec![seal, prove]
}

/// Sets or takes back the notice; gives whether one stands.
fn tell(app: &App, failure: Option<Failure>) -> bool {
    let problem = failure.map(|failure| match failure.problem() {
        Some(problem) => problem.clone(),
        None => Problem::new(
            "audit-not-sealed",
            format!("the audit trail could not be sealed: {failure}"),
            "records.sqlite",
            "see the log",
        ),
    });
    let was = app
        .notices
        .all()
        .into_iter()
        .find(|n| n.code.starts_with("audit-") && n.code != api::audit::BROKEN);
    let notice = problem.map(|problem| {
        if was.as_ref().is_none_or(|was| was.code != problem.code) {
            tracing::error!(%problem, "the audit trail is chained but not sealed");
        }
        Notice {
            found_at: match &was {
                Some(was) if was.code == problem.code => was.found_at.clone(),
                _ => app.now().to_string(),
            },
            code: problem.code,
            position_from: 0,
            position_to: 0,
            what: problem.what,
            place: problem.place,
            mend: problem.mend,
        }
    });
    let stands = notice.is_some();
    app.notices.set(TELLER, notice.into_iter().collect());
    stands
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::audit_verify::{self, verify};

    const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[tokio::test]
    async fn seals_come_when_they_are_due_and_not_without_their_key() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let records = Records::open(&folder.records()).await.unwrap();
        key::make_ready(&folder, &records, T0).await.unwrap();
        let options = Options {
            rows: 3,
            seconds: 60,
        };
        let at = |seconds| step(&folder, &records, Some(&options), T0.plus_seconds(seconds));
        assert_eq!(at(59).await.unwrap(), None, "one row, which came at 0");
        assert_eq!(at(60).await.unwrap().unwrap().row_id, 1);
        assert_eq!(at(1_000).await.unwrap(), None, "nothing new");
        for n in 1..=3 {
            assert_eq!(at(n).await.unwrap(), None);
            let mut write = records.write().await.unwrap();
            let detail = serde_json::json!({});
            let event = records::Event::SessionClose;
            let actor = records::Actor::command_line();
            let at = T0.plus_seconds(n);
            records::audit::insert(&mut write, at, &actor, event, "session", &detail)
                .await
                .unwrap();
            write.commit().await.unwrap();
        }
        let hidden = dir.path().join("elsewhere");
        std::fs::rename(folder.audit_key(), &hidden).unwrap();
        let code = at(3).await.unwrap_err().problem().unwrap().code.clone();
        assert_eq!(code, "audit-key-missing");
        std::fs::rename(&hidden, folder.audit_key()).unwrap();
        assert_eq!(at(3).await.unwrap().unwrap().row_id, 4);
        let mut read = records.read().await.unwrap();
        let report = verify(&mut read, &audit_verify::Options::default())
            .await
            .unwrap();
        assert!(report.whole && report.sealed_to == 4, "{report:?}");
    }
}
