//! The slower projections: rules that raise alerts, dead letters, corrections, and the counters of devices. They write
//! to the records in one transaction per step together with their position. Rules keep their memory in
//! a file that may lag: replaying a stretch again adds nothing, because an alert is unique by rule,
//! entity and position.
//!
//! Rules do not see corrections: they judged what was said when it was said, and judge the next reading as it
//! comes. So nothing is raised from history that was put right afterwards, and an alert that a wrong reading
//! raised stays until a reading clears it.

use crate::presence;
use crate::projector::Batch;
use anyhow::{Context, Result};
use api::App;
use hashbrown::HashMap;
use identity::Permission;
use model::{Accepted, Corrected, Timestamp};
use pack::Packs;
use records::alerts::Alert;
use records::dead_letters::DeadLetter;
use records::devices::DeviceChange;
use records::rule_failures::RuleFailure;
use rules::{Engine, Maintenance, RuleEvent, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Name of the projection that holds dead letters and device counters.
pub const NAME: &str = "records";
/// Bytes of a dead letter shown in lists.
const PREVIEW_BYTES_MAX: usize = 512;
/// Time is told to the rules, and changes to the pages, this often.
const TICK_MS: u64 = 250;
/// Counters and the position are written at least this often while messages come.
const FLUSH_TICKS: u32 = 4;
/// The rules' memory is written this often.
const STATE_TICKS: u32 = 40;
/// Time between attempts at what a full disk refuses.
const RETRY_MS: u64 = 1_000;
/// Most changed entities named in one notice to the pages.
const NOTICE_ENTITIES_MAX: usize = 2_000;

/// Version of the rules' memory on disk; every version ever written stays readable.
pub const RULES_VERSION: u32 = 3;
/// Most maintenance windows that are looked at; more are refused where they are made.
const MAINTENANCE_MAX: u32 = 10_000;

/// The rules' memory on disk.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Files from before it was written have the first.
    #[serde(default = "first_version")]
    version: u32,
    position: u64,
    state: State,
}

const fn first_version() -> u32 {
    1
}

/// Reads the rules' memory; `None` when there is none.
fn read_rules(path: &Path) -> Result<Option<Stored>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let stored: Stored = serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{}: put it back from a backup, or delete it: the rules are replayed from the journal's start",
            path.display()
        )
    })?;
    if stored.version > RULES_VERSION {
        anyhow::bail!(
            "{} has version {}; run the version that wrote it, or newer",
            path.display(),
            stored.version
        );
    }
    Ok(Some(stored))
}

/// Reads the rules' memory without a city: the journal position that it belongs to; `None` when there is none.
///
/// # Errors
/// What is wrong with it.
pub fn check_rules(path: &Path) -> Result<Option<u64>> {
    Ok(read_rules(path)?.map(|stored| stored.position))
}

/// Rules, dead letters and device counters.
pub struct RecordsProjection {
    app: App,
    engine: Engine,
    state_file: PathBuf,
    rules_position: u64,
    records_position: u64,
    changes: HashMap<String, DeviceChange>,
    client_ids: HashMap<String, Option<String>>,
    letters: Vec<DeadLetter>,
    corrections: Vec<(u64, Corrected)>,
    end: u64,
    written: u64,
    touched: BTreeSet<String>,
    live_from: u64,
    gone: Option<Vec<RuleEvent>>,
    rules_stored: u64,
    /// The maintenance windows that the rules know of.
    maintenance: Vec<Maintenance>,
    /// Whether the rules have seen a record, or raised or cleared something, since their memory was written.
    rules_moved: bool,
    /// The writing of the rules' memory that is under way, and the position that it belongs to.
    storing: Option<JoinHandle<Result<u64>>>,
    stored: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    /// The packs that hold, whose rules are at work.
    packs: watch::Receiver<Arc<Packs>>,
}

/// The rules of the packs at work.
fn engine_of(packs: &Packs, app: &App) -> Result<Engine> {
    Engine::new(packs.rules.clone(), &packs.catalogue, &app.city.calendars)
        .map_err(|problems| anyhow::anyhow!("{}", crate::running::lines(&problems)))
}

impl RecordsProjection {
    /// Reads where it stands. Alerts of messages before `live_from` (the journal's end at the start) are
    /// a replay and not told to pages as new. `stop` ends the patience with a disk that refuses.
    ///
    /// # Errors
    /// When the rules do not fit the entity types, or the records cannot be read.
    pub async fn load(
        app: App,
        state_file: PathBuf,
        live_from: u64,
        stop: Arc<AtomicBool>,
    ) -> Result<Self> {
        let mut packs = app.packs.subscribe();
        let mut engine = engine_of(&packs.borrow_and_update(), &app)?;
        let stored = read_rules(&state_file)?;
        let is_first = stored.is_none();
        let stored = stored.unwrap_or_else(|| Stored {
            version: RULES_VERSION,
            position: 0,
            state: State::default(),
        });
        // Alerts of rules that are gone or have changed are cleared with the first step.
        let mut gone = engine.restore(stored.state);
        let maintenance = maintenance(&app).await?;
        gone.extend(engine.set_maintenance(maintenance.clone()));
        let records_position = app.records.projection_position(NAME).await?;
        Ok(Self {
            app,
            engine,
            state_file,
            rules_position: stored.position,
            records_position,
            changes: HashMap::new(),
            client_ids: HashMap::new(),
            letters: Vec::new(),
            corrections: Vec::new(),
            end: records_position,
            written: records_position,
            touched: BTreeSet::new(),
            live_from,
            gone: Some(gone),
            maintenance,
            rules_stored: stored.position,
            rules_moved: is_first,
            storing: None,
            packs,
            stored: Arc::new(AtomicU64::new(stored.position.min(records_position))),
            stop,
        })
    }

    /// From where the journal would be needed if the process died now: kept up to date while it runs.
    pub fn stored(&self) -> Arc<AtomicU64> {
        self.stored.clone()
    }

    /// The position behind everything that either of them has seen.
    pub fn seen(&self) -> u64 {
        self.rules_position.max(self.records_position)
    }

    /// Where the journal must be read from for this projection.
    pub fn position(&self) -> u64 {
        self.rules_position.min(self.records_position)
    }

    /// Follows the projector until its channel closes.
    ///
    /// # Errors
    /// The records' own errors: the platform must not go on silently without alerts.
    pub async fn run(mut self, mut batches: mpsc::Receiver<Arc<Batch>>) -> Result<()> {
        let mut ticker = tokio::time::interval(Duration::from_millis(TICK_MS));
        ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ticks = 0_u32;
        loop {
            tokio::select! {
                batch = batches.recv() => match batch {
                    None => break,
                    Some(batch) => self.fold(&batch).await?,
                },
                _ = ticker.tick() => {
                    ticks = ticks.wrapping_add(1);
                    self.tick().await?;
                    if ticks.is_multiple_of(FLUSH_TICKS) {
                        self.look_at_maintenance().await?;
                        self.flush().await?;
                    }
                    if self.storing.as_ref().is_some_and(JoinHandle::is_finished)
                        && let Err(error) = self.stored_state().await
                    {
                        // An older one does: the stretch between is replayed.
                        tracing::error!(error = format!("{error:#}"), "the rules' memory was not written");
                    }
                    if ticks.is_multiple_of(STATE_TICKS) && self.storing.is_none() {
                        self.store_state();
                    }
                }
            }
        }
        self.flush().await?;
        if let Err(error) = self.stored_state().await {
            tracing::error!(
                error = format!("{error:#}"),
                "the rules' memory was not written"
            );
        }
        self.store_state();
        self.stored_state().await
    }

    async fn fold(&mut self, batch: &Batch) -> Result<()> {
        let mut events = Vec::new();
        // Before what was judged by new types comes to the rules that stand on them; a replay is judged by what held at the start.
        if self.gone.is_none() {
            events.extend(self.take_up_rules());
        }
        for (position, accepted) in &batch.accepted {
            if *position >= self.rules_position {
                let (updates, received_at) = (&accepted.updates, accepted.received_at);
                events.extend(self.engine.observe_all(*position, updates, received_at));
            }
            if *position >= self.records_position {
                self.count_device(accepted).await?;
            }
            if self.touched.len() < NOTICE_ENTITIES_MAX && self.app.events.has_listeners() {
                self.touched
                    .extend(accepted.updates.iter().map(|u| u.entity_id.to_string()));
            }
        }
        for (position, rejected) in &batch.rejected {
            if *position < self.records_position {
                continue;
            }
            let head = &rejected.raw[..rejected.raw.len().min(PREVIEW_BYTES_MAX)];
            self.letters.push(DeadLetter {
                position: *position,
                door: rejected.door.clone(),
                device_id: rejected.device_id.as_ref().map(ToString::to_string),
                address: rejected.address.clone(),
                received_at: rejected.received_at,
                size_bytes: rejected.size_bytes,
                preview: String::from_utf8_lossy(head).into_owned(),
                problem: rejected.problem.clone(),
            });
            if let Some(device) = &rejected.device_id
                && let Some(change) = self.change_of(device.as_str()).await?
            {
                change.rejected_added += 1;
                change.last_seen_at = Some(rejected.received_at);
            }
        }
        for (position, corrected) in &batch.corrected {
            if *position >= self.records_position {
                self.corrections.push((*position, corrected.clone()));
            }
            if self.touched.len() < NOTICE_ENTITIES_MAX && self.app.events.has_listeners() {
                self.touched.insert(corrected.entity_id.to_string());
            }
        }
        self.end = self.end.max(batch.end);
        self.rules_moved |= batch.end > self.rules_position;
        self.rules_position = self.rules_position.max(batch.end);
        self.records_position = self.records_position.max(batch.end);
        if !events.is_empty() || !self.letters.is_empty() || !self.corrections.is_empty() {
            self.write(events).await?;
        }
        Ok(())
    }

    async fn count_device(&mut self, accepted: &Accepted) -> Result<()> {
        if accepted.door == presence::DOOR {
            for (client_id, online, at) in presence::read(accepted) {
                let change =
                    self.changes
                        .entry(client_id.clone())
                        .or_insert_with(|| DeviceChange {
                            client_id,
                            ..DeviceChange::default()
                        });
                change.online = Some(online);
                if online {
                    change.connected_at = Some(at);
                }
                change.last_seen_at = Some(at);
            }
            return Ok(());
        }
        if let Some(device) = &accepted.device_id
            && let Some(change) = self.change_of(device.as_str()).await?
        {
            change.messages_added += 1;
            change.last_seen_at = Some(accepted.received_at);
        }
        Ok(())
    }

    async fn change_of(&mut self, device_id: &str) -> Result<Option<&mut DeviceChange>> {
        if !self.client_ids.contains_key(device_id) {
            let mut connection = self.app.records.read().await?;
            let known = records::devices::by_id(&mut connection, device_id).await?;
            self.client_ids
                .insert(device_id.to_owned(), known.map(|d| d.client_id));
        }
        let Some(Some(client_id)) = self.client_ids.get(device_id) else {
            return Ok(None);
        };
        let change = self.changes.entry_ref(client_id.as_str());
        Ok(Some(change.or_insert_with(|| DeviceChange {
            client_id: client_id.clone(),
            ..DeviceChange::default()
        })))
    }

    async fn tick(&mut self) -> Result<()> {
        // Time passes for the rules only once they have seen everything that lies in the journal.
        if self.end >= self.live_from {
            let now = self.app.now();
            let mut events = Vec::new();
            if let Some(gone) = self.gone.take() {
                events.extend(gone);
                self.engine.resume(now);
            }
            events.extend(self.take_up_rules());
            events.extend(self.engine.tick(now));
            if !events.is_empty() {
                self.rules_moved = true;
                self.write(events).await?;
            }
        }
        if !self.touched.is_empty() {
            let ids = std::mem::take(&mut self.touched);
            self.app.events.tell(
                "entity",
                Permission::EntityRead,
                serde_json::json!({"ids": ids, "position": self.end}),
            );
        }
        Ok(())
    }

    /// Tells the rules when people made or ended a maintenance window.
    async fn look_at_maintenance(&mut self) -> Result<()> {
        // Before the rules have caught up, time would not be right.
        if self.gone.is_some() {
            return Ok(());
        }
        let windows = match maintenance(&self.app).await {
            Ok(windows) => windows,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the maintenance windows were not read"
                );
                return Ok(());
            }
        };
        if windows != self.maintenance {
            self.maintenance.clone_from(&windows);
            let events = self.engine.set_maintenance(windows);
            self.rules_moved = true;
            if !events.is_empty() {
                self.write(events).await?;
            }
        }
        Ok(())
    }

    /// Sets the rules of packs that were loaded anew to work, with the memory of the old ones: alerts of rules that are gone
    /// or have another version are cleared by the events.
    fn take_up_rules(&mut self) -> Vec<RuleEvent> {
        if !self.packs.has_changed().unwrap_or(false) {
            return Vec::new();
        }
        let packs = Arc::clone(&self.packs.borrow_and_update());
        match engine_of(&packs, &self.app) {
            Ok(mut engine) => {
                let mut events = engine.restore(self.engine.state());
                events.extend(engine.set_maintenance(self.maintenance.clone()));
                self.engine = engine;
                self.rules_moved = true;
                events
            }
            // The check before the reload has refused such packs; the old rules go on.
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "rules loaded anew do not work"
                );
                Vec::new()
            }
        }
    }

    async fn flush(&mut self) -> Result<()> {
        // A device may be registered after its first message was seen.
        self.client_ids.retain(|_, client_id| client_id.is_some());
        if self.changes.is_empty() && self.end == self.written {
            return Ok(());
        }
        self.write(Vec::new()).await
    }

    async fn write(&mut self, events: Vec<RuleEvent>) -> Result<()> {
        let now = self.app.now();
        let changes: Vec<DeviceChange> = self.changes.drain().map(|(_, change)| change).collect();
        let letters = std::mem::take(&mut self.letters);
        let corrections = std::mem::take(&mut self.corrections);
        let changed_alerts = loop {
            match self
                .commit(&events, &letters, &corrections, &changes, now)
                .await
            {
                Ok(changed) => break changed,
                // A full disk must not end the city: what is read goes on, and this goes on when there is room.
                Err(failure @ records::Failure::Unavailable(_))
                    if !self.stop.load(Ordering::Acquire) =>
                {
                    tracing::error!(%failure, "alerts, dead letters and counters cannot be written; it is tried again");
                    tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
                }
                Err(failure) => return Err(failure.into()),
            }
        };
        for alert in changed_alerts {
            self.app.tell_alert(alert);
        }
        for letter in letters {
            let body = api::dead_letters::DeadLetterBody::from(letter);
            self.app.events.tell(
                "dead_letter",
                Permission::DeadLetterRead,
                serde_json::json!(body),
            );
        }
        if changes.iter().any(|c| c.online.is_some()) {
            let clients: Vec<&str> = changes
                .iter()
                .filter(|c| c.online.is_some())
                .map(|c| c.client_id.as_str())
                .collect();
            self.app.events.tell(
                "device",
                Permission::DeviceRead,
                serde_json::json!({"client_ids": clients}),
            );
        }
        Ok(())
    }

    /// Everything in one transaction, with the position; gives the alerts that changed.
    async fn commit(
        &mut self,
        events: &[RuleEvent],
        letters: &[DeadLetter],
        corrections: &[(u64, Corrected)],
        changes: &[DeviceChange],
        now: Timestamp,
    ) -> Result<Vec<Alert>, records::Failure> {
        let mut changed_alerts = Vec::new();
        let mut projection = self.app.records.project(NAME).await?;
        for event in events {
            let alert = match event {
                RuleEvent::Raised(raised) => {
                    let row = alert_row(&self.app, raised.clone(), now);
                    records::alerts::insert(&mut projection, &row).await?
                }
                RuleEvent::Cleared(c) => {
                    let cleared = records::alerts::clear(
                        &mut projection,
                        &c.rule_id,
                        c.entity_id.as_str(),
                        c.position.cast_signed(),
                        now,
                    )
                    .await?;
                    if let Some(alert) = &cleared {
                        cases::note_cleared(&mut projection, alert, now).await?;
                    }
                    cleared
                }
                RuleEvent::Failed(failed) => {
                    records::rule_failures::note(&mut projection, &failure_row(failed)).await?;
                    None
                }
            };
            changed_alerts.extend(alert);
        }
        for letter in letters {
            records::dead_letters::insert(&mut projection, letter).await?;
        }
        for (position, corrected) in corrections {
            records::corrections::insert(&mut projection, *position, corrected).await?;
        }
        records::devices::apply_changes(&mut projection, changes).await?;
        let end = self.end.max(projection.position());
        projection.commit(end).await?;
        self.written = end;
        Ok(changed_alerts)
    }

    /// Begins to write the rules' memory, when it is not what was written last: a city that nobody speaks to writes nothing. It is
    /// written aside, for alerts must not wait for it: that of a hundred thousand judgements takes a while.
    fn store_state(&mut self) {
        if !self.rules_moved {
            self.tell_stored();
            return;
        }
        let stored = Stored {
            version: RULES_VERSION,
            position: self.rules_position,
            state: self.engine.state(),
        };
        let file = self.state_file.clone();
        self.rules_moved = false;
        self.storing = Some(tokio::task::spawn_blocking(move || {
            crate::files::write_pieces(&file, |out| Ok(serde_json::to_writer(out, &stored)?))?;
            Ok(stored.position)
        }));
    }

    /// Waits for the writing that is under way, if one is; what was not written is written with the next.
    async fn stored_state(&mut self) -> Result<()> {
        let Some(storing) = self.storing.take() else {
            return Ok(());
        };
        let written = storing.await.context("writing the rules' memory");
        match written.and_then(|written| written) {
            Ok(position) => {
                self.rules_stored = position;
                self.tell_stored();
                Ok(())
            }
            Err(error) => {
                self.rules_moved = true;
                Err(error)
            }
        }
    }

    fn tell_stored(&self) {
        let both = self.rules_stored.min(self.written);
        self.stored.store(both, Ordering::Release);
    }
}

fn alert_row(app: &App, raised: rules::Raised, now: Timestamp) -> Alert {
    let entity = app.twin.get(&raised.entity_id);
    let location = entity.as_ref().and_then(|e| e.location());
    Alert {
        id: 0,
        rule_id: raised.rule_id,
        rule_version: i64::from(raised.rule_version),
        entity_id: raised.entity_id.to_string(),
        entity_type: raised.entity_type,
        entity_name: entity.as_ref().and_then(api::entities::name_of),
        attribute: raised.attribute.unwrap_or_default(),
        value: raised.value.as_ref().and_then(model::Value::as_number),
        unit: raised.unit,
        threshold: raised.threshold.as_ref().and_then(model::Value::as_number),
        severity: raised.severity.as_str().to_owned(),
        title_zh: raised.title_zh,
        title_en: raised.title_en,
        lon: location.map(|l| l[0]),
        lat: location.map(|l| l[1]),
        observed_at: raised.at,
        raised_at: now,
        raised_position: raised.position.cast_signed(),
        cleared_at: None,
        cleared_position: None,
        acknowledged_at: None,
        acknowledged_by: None,
        case_id: None,
        decided: decided(&raised.decided),
    }
}

/// The values that decided, as the records keep them.
fn decided(values: &[rules::NamedValue]) -> serde_json::Value {
    values
        .iter()
        .map(|named| {
            serde_json::json!({
                "name": named.name,
                "value": named.value.to_json(),
                "unit": named.unit,
                "observed_at": named.observed_at.map(|at| at.to_string()),
                "entity_id": named.entity_id,
            })
        })
        .collect()
}

fn failure_row(failed: &rules::Failed) -> RuleFailure {
    RuleFailure {
        id: 0,
        rule_id: failed.rule_id.clone(),
        rule_version: i64::from(failed.rule_version),
        entity_id: failed.entity_id.to_string(),
        entity_type: failed.entity_type.clone(),
        code: failed.code.clone(),
        what: failed.what.clone(),
        first_at: failed.at,
        last_at: failed.at,
        last_position: failed.position.cast_signed(),
        count: failed.count.cast_signed(),
        dismissed_at: None,
        dismissed_by: None,
    }
}

/// The maintenance windows that are not over.
async fn maintenance(app: &App) -> Result<Vec<Maintenance>> {
    let mut connection = app.records.read().await?;
    let rows =
        records::maintenance_windows::open(&mut connection, app.now(), MAINTENANCE_MAX).await?;
    let windows = rows.into_iter().filter_map(|row| {
        let entity_id = match row.entity_id {
            None => None,
            // What names no entity covers none.
            Some(id) => Some(model::EntityId::new(id).ok()?),
        };
        Some(Maintenance {
            entity_id,
            entity_type: row.entity_type,
            rule_id: row.rule_id,
            from: row.from_at,
            until: row.until_at,
        })
    });
    Ok(windows.collect())
}
