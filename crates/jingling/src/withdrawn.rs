//! Ends the connections of devices that another process took away, or whose certificate it took, and of service tokens that are no
//! more: `jingling device remove` and `jingling token remove` beside a running city know nothing of its connections. The audit trail says what was done, whoever did it, so it is what is followed.

use api::App;
use model::Timestamp;
use records::{Event, Failure, Records, audit};
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
pub async fn run(app: App, mut after: i64) {
    let mut ticker = tokio::time::interval(Duration::from_millis(LOOK_MS));
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = app.now();
    loop {
        ticker.tick().await;
        let now = app.now();
        match ended_between(&app, seen, now).await {
            Ok(()) => seen = now,
            Err(error) => tracing::warn!(%error, "the tokens could not be read"),
        }
        match step(&app, after).await {
            Ok(at) => after = at,
            // The next look takes it up.
            Err(error) => tracing::warn!(%error, "the audit trail could not be read"),
        }
    }
}

/// Ends the connections of tokens whose time ended since the last look.
async fn ended_between(app: &App, seen: Timestamp, now: Timestamp) -> Result<(), Failure> {
    for token in app.identity.tokens().await? {
        let is_over = token.expires_at.is_some_and(|at| seen < at && at <= now);
        if let (true, Some(disconnect)) = (is_over, app.disconnect_token.get()) {
            disconnect(&token.name);
            tracing::info!(token = token.name, "a service token's time is over");
        }
    }
    Ok(())
}

async fn step(app: &App, after: i64) -> Result<i64, Failure> {
    let mut read = app.records.read().await?;
    // What comes while this is read is the next look's: all kinds are read up to the same act.
    let end = audit::last_id(&mut read).await?;
    let mut behind = end;
    let mut acts = Vec::new();
    for event in [
        Event::DeviceRemove,
        Event::DeviceCertificateRemove,
        Event::TokenRemove,
    ] {
        let found = audit::since(&mut read, after, event, ACTS_MAX).await?;
        // With too many for one look, the rest comes with the next.
        if found.len() == ACTS_MAX as usize {
            behind = found.last().map_or(behind, |act| act.id.min(behind));
        }
        acts.extend(found);
    }
    drop(read);
    acts.retain(|act| act.id <= behind);
    let (tokens, devices): (Vec<_>, Vec<_>) = acts
        .iter()
        .partition(|act| act.action == Event::TokenRemove.entry().action);
    for act in tokens {
        let name = act.detail["name"].as_str().unwrap_or_default();
        if let Some(disconnect) = app.disconnect_token.get() {
            disconnect(name);
        }
        tracing::info!(token = name, by = act.actor, "a service token was removed");
    }
    for act in devices {
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
