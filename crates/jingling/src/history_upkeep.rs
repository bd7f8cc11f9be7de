//! Looking after history while the city runs, and telling what was given up because the time for which it is kept was
//! over: in the audit trail, by table, with the days, the entity types and the counts.

use lake::{GivenUp, Lake};
use model::Timestamp;
use parking_lot::Mutex;
use records::{Actor, Records, audit};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Folders that one entry of the audit trail names; more are counted in it.
const FOLDERS_NAMED_MAX: usize = 400;

/// What was given up of one table since it was last written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lost {
    /// Rows by folder.
    folders: BTreeMap<String, u64>,
    types: BTreeSet<String>,
}

/// What was given up and is not written down yet. It is gathered where the work is done, so that a city that stops in the
/// midst of it still writes it down.
#[derive(Debug, Default)]
pub struct News(Mutex<BTreeMap<&'static str, Lost>>);

impl News {
    /// Takes what a step of upkeep gave up.
    pub fn note(&self, given_up: &GivenUp) {
        tracing::info!(
            table = given_up.table,
            folder = given_up.folder,
            types = given_up.types.join(", "),
            rows = given_up.rows,
            "history whose time is over was given up"
        );
        let mut news = self.0.lock();
        let lost = news.entry(given_up.table).or_default();
        *lost.folders.entry(given_up.folder.clone()).or_default() += given_up.rows;
        lost.types.extend(given_up.types.iter().cloned());
    }

    /// Writes it into the audit trail, one entry a table; what cannot be written is kept for the next time.
    ///
    /// # Errors
    /// That of the records.
    pub async fn write_down(&self, records: &Records, now: Timestamp) -> records::Result<()> {
        let news = self.0.lock().clone();
        if news.is_empty() {
            return Ok(());
        }
        let mut write = records.write().await?;
        for (table, lost) in &news {
            let rows: u64 = lost.folders.values().sum();
            let named: BTreeMap<_, _> = lost.folders.iter().take(FOLDERS_NAMED_MAX).collect();
            let detail = json!({
                "rows": rows,
                "types": lost.types,
                "from": lost.folders.keys().next(),
                "to": lost.folders.keys().next_back(),
                "folders": lost.folders.len(),
                "rows_by_folder": named,
            });
            let actor = Actor::system("retention");
            audit::insert(
                &mut write,
                now,
                &actor,
                records::Event::HistoryExpire,
                table,
                &detail,
            )
            .await?;
        }
        write.commit().await?;
        self.forget(&news);
        Ok(())
    }

    /// Takes away what was written down; what came meanwhile stays.
    fn forget(&self, written: &BTreeMap<&'static str, Lost>) {
        let mut news = self.0.lock();
        for (table, lost) in written {
            let Some(kept) = news.get_mut(table) else {
                continue;
            };
            for (folder, rows) in &lost.folders {
                if let Some(count) = kept.folders.get_mut(folder) {
                    *count -= rows;
                }
            }
            kept.folders.retain(|_, rows| *rows > 0);
            if kept.folders.is_empty() {
                news.remove(table);
            }
        }
    }
}

/// One round of looking after history: every step that is due. [`crate::upkeep`] says when.
pub async fn round(lake: Arc<Lake>, records: Records, news: Arc<News>, clock: fn() -> Timestamp) {
    while step(&lake, &news, clock).await {}
    if let Err(error) = news.write_down(&records, clock()).await {
        tracing::error!(%error, "what history gave up is not in the audit trail yet; it is tried again");
    }
}

/// One step; whether there may be another.
async fn step(lake: &Arc<Lake>, news: &Arc<News>, clock: fn() -> Timestamp) -> bool {
    let (lake, news) = (lake.clone(), news.clone());
    let work = move || {
        let upkept = lake.upkeep(clock());
        if let Ok(Some(upkept)) = &upkept
            && let Some(given_up) = &upkept.given_up
        {
            news.note(given_up);
        }
        upkept
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(Some(upkept))) => {
            tracing::debug!(?upkept, "history looked after");
            true
        }
        Ok(Ok(None)) => false,
        Ok(Err(problem)) => {
            tracing::error!(%problem, "history could not be looked after; its files are as before");
            false
        }
        Err(error) => {
            tracing::error!(%error, "looking after history ended");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::PageRequest;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn given_up(table: &'static str, folder: &str, of: &str, rows: u64) -> GivenUp {
        GivenUp {
            table,
            folder: folder.into(),
            types: vec![of.into()],
            rows,
        }
    }

    #[tokio::test]
    async fn what_was_given_up_is_in_the_audit_trail_once_with_days_and_counts() {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::open(&dir.path().join("records.sqlite"))
            .await
            .unwrap();
        let news = News::default();
        news.write_down(&records, NOW).await.unwrap();
        news.note(&given_up(
            "observations",
            "day=2026-01-02",
            "WaterObserved",
            70,
        ));
        news.note(&given_up(
            "observations",
            "day=2026-01-01",
            "WaterObserved",
            50,
        ));
        news.note(&given_up(
            "observations",
            "day=2026-01-02",
            "Streetlight",
            5,
        ));
        news.note(&given_up(
            "observations_1m",
            "day=2026-01-01",
            "WaterObserved",
            9,
        ));
        news.write_down(&records, NOW).await.unwrap();
        news.write_down(&records, NOW.plus_seconds(60))
            .await
            .unwrap();
        let mut connection = records.read().await.unwrap();
        let page = PageRequest {
            after: None,
            limit: Some(10),
        };
        let mut acts = audit::list(&mut connection, &page).await.unwrap().items;
        acts.sort_by(|a, b| a.target.cmp(&b.target));
        let told: Vec<_> = acts.iter().map(|a| (a.target.as_str(), a.at)).collect();
        assert_eq!(told, [("observations", NOW), ("observations_1m", NOW)]);
        assert_eq!(
            (acts[0].action.as_str(), acts[0].actor.as_str()),
            ("history.expire", "retention")
        );
        assert_eq!(
            acts[0].detail,
            json!({
                "rows": 125,
                "types": ["Streetlight", "WaterObserved"],
                "from": "day=2026-01-01",
                "to": "day=2026-01-02",
                "folders": 2,
                "rows_by_folder": {"day=2026-01-01": 50, "day=2026-01-02": 75},
            })
        );
    }

    #[test]
    fn what_comes_while_it_is_written_down_stays() {
        let news = News::default();
        news.note(&given_up("observations", "day=2026-01-01", "a", 3));
        let written = news.0.lock().clone();
        news.note(&given_up("observations", "day=2026-01-01", "a", 2));
        news.note(&given_up("observations", "day=2026-01-02", "a", 1));
        news.forget(&written);
        let kept = news.0.lock().clone();
        assert_eq!(
            kept["observations"].folders,
            [("day=2026-01-01".into(), 2), ("day=2026-01-02".into(), 1)].into()
        );
        news.forget(&kept);
        assert!(news.0.lock().is_empty());
    }
}
