//! The platform as an entity: its own figures of security, written to the journal through admission like any device's, so
//! that rules raise alerts about them, cases follow, and their history is kept.

use admission::{Incoming, Ingest, Scope};
use api::App;
use api::security::SecurityView;
use model::{
    AttributeName, AttributeUpdate, EntityId, Problem, Quality, Timestamp, TypeName, Update, Value,
};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use wire::Payload;

/// The door's name in the journal.
pub const DOOR: &str = "security";
/// The entity's type, which pack-security declares.
pub const TYPE: &str = "PlatformSecurity";
/// Most days that are told of a certificate, as pack-security declares them: one made by itself is good for centuries.
const DAYS_MAX: i64 = 36_500;
/// The entity.
pub const ID: &str = "urn:ngsi-ld:PlatformSecurity:platform";

/// Writes the figures every so often, for as long as the city runs; nothing in a city without the pack. The first time is
/// after a while: who starts a city and looks should not find it alarmed at what is not proved yet.
pub async fn run(app: App, every: Duration) {
    if !app.packs.now().catalogue.kinds.contains_key(TYPE) {
        return;
    }
    let mut ticker = interval_at(Instant::now() + every, every);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        match api::security::look(&app).await {
            Ok(view) => write(&app.ingest, &view, app.now()),
            Err(error) => {
                tracing::warn!(?error, "the platform's own figures could not be looked at");
            }
        }
    }
}

/// Writes the figures once. A refusal is logged: they come again.
pub fn write(ingest: &Ingest, view: &SecurityView, now: Timestamp) {
    let update = match update(view, now) {
        Ok(update) => update,
        Err(problem) => {
            tracing::warn!(%problem, "the platform's own figures were not written");
            return;
        }
    };
    let raw = serde_json::json!({"at": view.at}).to_string();
    let incoming = Incoming {
        door: DOOR,
        device_id: None,
        scope: &Scope::Any,
        address: "platform",
        raw: raw.as_bytes(),
        received_at: now,
        retain: false,
    };
    let payload = Payload {
        updates: vec![update],
        problems: vec![],
    };
    if let Err(refusal) = ingest.submit(incoming, payload) {
        tracing::warn!(%refusal, "the platform's own figures were not written");
    }
}

/// The figures as an update. What is not known is not said: no figure is better than a made-up one.
fn update(view: &SecurityView, at: Timestamp) -> Result<Update, Problem> {
    #[allow(clippy::cast_precision_loss)] // counts and days, far below 2^53
    let number = |value: i64| Value::Number(value as f64);
    let count = |value: u64| number(i64::try_from(value).unwrap_or(i64::MAX));
    let hours = |seconds: u64| count(seconds / 3_600);
    let mut figures = vec![
        ("name", Some(Value::Text("平台安全".to_owned())), None),
        (
            "nameEn",
            Some(Value::Text("Platform security".to_owned())),
            None,
        ),
        (
            "failedSignInsHour",
            Some(number(view.sign_ins.refused_hour)),
            None,
        ),
        (
            "failedSignInsDay",
            Some(number(view.sign_ins.refused)),
            None,
        ),
        (
            "waitingPeers",
            Some(count(view.peers.waiting.len() as u64)),
            None,
        ),
        (
            "certificateDaysLeft",
            view.certificates
                .days_left_min
                .map(|days| number(days.clamp(-DAYS_MAX, DAYS_MAX))),
            Some("DAY"),
        ),
        ("backupAge", view.backup.age_seconds.map(hours), Some("HUR")),
        (
            "auditChainWhole",
            view.audit.whole.map(Value::Boolean),
            None,
        ),
    ];
    if let Some(holes) = &view.holes {
        figures.push(("knownHolesGrave", holes.grave.map(count), None));
        figures.push(("knownHoles", holes.total.map(count), None));
    }
    if let Some(disk) = &view.disk
        && disk.total_bytes > 0
    {
        #[allow(clippy::cast_precision_loss)] // a share
        let free = disk.free_bytes as f64 / disk.total_bytes as f64 * 100.0;
        let free = (free * 10.0).round() / 10.0;
        figures.push(("diskFree", Some(Value::Number(free)), Some("P1")));
    }
    let attributes = figures.into_iter().filter_map(|(name, value, unit)| {
        let value = value?;
        Some(AttributeName::new(name).map(|name| AttributeUpdate {
            name,
            value,
            unit: unit.map(Into::into),
            observed_at: at,
            quality: Quality::Good,
        }))
    });
    Ok(Update {
        entity_id: EntityId::new(ID)?,
        entity_type: TypeName::new(TYPE)?,
        attributes: attributes.collect::<Result<_, _>>()?,
    })
}
