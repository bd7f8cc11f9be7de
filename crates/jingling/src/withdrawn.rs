//! Ends the connections of devices that another process took away, or whose certificate it took: `jingling device remove`
//! beside a running city knows nothing of its connections. The audit trail says what was done, whoever did it, so it is what is followed.

use api::App;
use records::{Event, Failure, Records, audit};
use std::sync::Arc;
use std::time::Duration;

/// How the trail names a device.
const TARGET: &str = "device:";
/// Time between two looks at the trail: how long a removed device may go on at most.
const LOOK_MS: u64 = 1_000;
/// Most acts taken in one step; more are taken in the next.
const ACTS_MAX: u32 = 1_000;

/// The trail's end before the doors open: what was taken away earlier is refused at sign-in.
///
/// # Errors
/// The records' own.
pub async fn end(records: &Records) -> Result<i64, Failure> {
    audit::last_id(&mut *records.read().await?).await
}

/// Follows the trail from behind `after` for as long as the city runs.
pub async fn run(app: Arc<App>, mut after: i64) {
    let mut ticker = tokio::time::interval(Duration::from_millis(LOOK_MS));
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        match step(&app, after).await {
            Ok(at) => after = at,
            // The next look takes it up.
            Err(error) => tracing::warn!(%error, "the audit trail could not be read"),
        }
    }
}

async fn step(app: &App, after: i64) -> Result<i64, Failure> {
    let mut read = app.records.read().await?;
    // What comes while this is read is the next look's: both kinds are read up to the same act.
    let end = audit::last_id(&mut read).await?;
    let mut behind = end;
    let mut acts = Vec::new();
    for event in [Event::DeviceRemove, Event::DeviceCertificateRemove] {
        let found = audit::since(&mut read, after, event, ACTS_MAX).await?;
        // With too many for one look, the rest comes with the next.
        if found.len() == ACTS_MAX as usize {
            behind = found.last().map_or(behind, |act| act.id.min(behind));
        }
        acts.extend(found);
    }
    drop(read);
    acts.retain(|act| act.id <= behind);
    for act in &acts {
        let client_id = act.target.strip_prefix(TARGET).unwrap_or(&act.target);
        if let Some(disconnect) = app.disconnect.get() {
            disconnect(client_id);
        }
        tracing::info!(
            client_id,
            by = act.actor,
            act = act.action,
            "a device's credentials were taken away"
        );
        app.events.tell(
            "device",
            identity::Permission::DeviceRead,
            serde_json::json!({"client_ids": [client_id]}),
        );
    }
    Ok(behind)
}
