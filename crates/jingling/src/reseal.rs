//! Old values sealed anew under the newest key (重新加密), wherever they are stored for long: history's files by their upkeep
//! ([`lake::Reseals`]), the current state and its checkpoint, and the values of corrections. The journal is not written again,
//! its records end with what it keeps. Dead at any moment, each store holds a value under the old key or under the new one,
//! and both open: a key goes only when [`crate::key_needs`] finds nothing under it.

use crate::folder::Folder;
use api::App;
use personal::Sealer;
use records::{corrections, duty_acts, notices, open311};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// How every sealed value begins: what is looked for in people's records.
pub(crate) const MARK: &str = "sealed:1:";

/// When the current state and people's records are looked through.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Time between looks. Default: 15 s.
    pub every: Duration,
    /// For how long after a change of keys they go on, although they find nothing: a message that was sealed just before is on
    /// its way. Default: 2 min.
    pub settle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(15),
            settle: Duration::from_secs(120),
        }
    }
}

/// The keys, lent to history.
pub struct Lent(pub Arc<Sealer>);

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}

impl lake::Reseals for Lent {
    fn prefix(&self) -> &str {
        MARK
    }

    fn active(&self) -> String {
        self.0.keys().active().id.clone()
    }

    fn has_older(&self) -> bool {
        self.0.keys().all().len() > 1
    }

    fn resealed(&self, entity_id: &str, attribute: &str, stored: &str) -> Option<String> {
        self.0.resealed(entity_id, attribute, stored)
    }
}

/// Keeps at it while the city runs.
pub fn start(app: &App, folder: &Folder, sealer: &Arc<Sealer>, options: Options) -> JoinHandle<()> {
    app.lake.reseal_with(Arc::new(Lent(Arc::clone(sealer))));
    let (app, folder, sealer) = (app.clone(), folder.clone(), Arc::clone(sealer));
    tokio::spawn(async move {
        let mut ticker = tokio::time::interval(options.every);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The key whose turn it is, since when, and whether all is done.
        let mut turn = (String::new(), Instant::now(), true);
        loop {
            ticker.tick().await;
            let keys = sealer.keys();
            if turn.0 != keys.active().id {
                let is_alone = keys.all().len() == 1;
                turn = (keys.active().id.clone(), Instant::now(), is_alone);
            }
            if turn.2 {
                continue;
            }
            match round(&app, &folder, &sealer).await {
                Ok(0) => turn.2 = turn.1.elapsed() >= options.settle,
                Ok(values) => tracing::info!(values, "personal values sealed under the newest key"),
                Err(error) => tracing::error!(%error, "personal values could not be sealed anew"),
            }
        }
    })
}

/// Goes once through the current state and people's records; gives how many values were sealed anew.
///
/// # Errors
/// The records' own, or that of the checkpoint.
pub async fn round(app: &App, folder: &Folder, sealer: &Arc<Sealer>) -> anyhow::Result<u64> {
    let (twin, path) = (Arc::clone(&app.twin), folder.twin_checkpoint());
    let own = Arc::clone(sealer);
    let in_twin = tokio::task::spawn_blocking(move || {
        let rewritten =
            twin.rewrite_texts(|entity, attribute, text| own.resealed(entity, attribute, text));
        if rewritten > 0 {
            // Nothing was said, so the usual time for one may never come.
            twin.checkpoint(&path)?;
        }
        anyhow::Ok(rewritten)
    })
    .await??;
    let mut write = app.records.write().await?;
    let in_records = corrections::rewrite_values(&mut write, MARK, |entity, attribute, text| {
        sealer.resealed(entity, attribute, text)
    })
    .await?;
    let mut in_contacts = 0;
    for contact in notices::all_contacts(&mut write).await? {
        let (entity, attribute) = api::notifications::sealed_under(contact.user_id, &contact.kind);
        if let Some(sealed) = sealer.resealed(&entity, &attribute, &contact.sealed) {
            notices::reseal_contact(&mut write, contact.id, &contact.sealed, &sealed).await?;
            in_contacts += 1;
        }
    }
    for contact in duty_acts::contacts(&mut write, None, u32::MAX).await? {
        let (entity, attribute) = api::duty_contacts::sealed_under(&contact.key);
        if let Some(sealed) = sealer.resealed(&entity, attribute, &contact.sealed) {
            duty_acts::reseal_contact(&mut write, contact.id, &contact.sealed, &sealed).await?;
            in_contacts += 1;
        }
    }
    for request in open311::with_contact(&mut write).await? {
        let Some(before) = &request.contact else {
            continue;
        };
        let (entity, attribute) = api::open311::sealed_under(&request.token);
        if let Some(after) = sealer.resealed(&entity, attribute, before) {
            open311::reseal_contact(&mut write, request.id, before, &after).await?;
            in_contacts += 1;
        }
    }
    let in_records = in_records + in_contacts;
    match in_records {
        // Nobody is kept from writing for nothing.
        0 => drop(write),
        _ => write.commit().await?,
    }
    Ok(in_twin as u64 + in_records)
}
