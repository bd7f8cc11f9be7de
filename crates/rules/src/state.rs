//! What the engine remembers, in a form that a checkpoint can hold: state + the journal's tail gives
//! the same events as the journal from zero (tested).

use model::{EntityId, Forecast, ForecastPoint, Timestamp, Value};
use serde::{Deserialize, Serialize};

/// The engine's whole memory. Rules are named by id and version, so that it outlives a change of rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The latest moment the engine was told of.
    pub clock: Timestamp,
    /// The watched entities, in the order in which they were first seen.
    pub entities: Vec<EntityState>,
    /// The journal position that was seen last. Not in files of version 1.
    #[serde(default)]
    pub position: u64,
    /// Rules that storms are watched for. Not in files of version 1.
    #[serde(default)]
    pub storms: Vec<StormState>,
}

/// Where a rule stands with storms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StormState {
    /// The rule.
    pub rule_id: String,
    /// Its version.
    pub rule_version: u32,
    /// When its latest alerts were told; at most one more than the storm's number.
    pub recent: Vec<Timestamp>,
    /// The storm that is on.
    pub storm: Option<OpenStorm>,
}

/// A storm that is on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenStorm {
    /// Since when.
    pub since: Timestamp,
    /// Journal position of what began it.
    pub position: u64,
    /// Members so far.
    pub members: u64,
}

/// What is remembered of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityState {
    /// The entity.
    pub id: EntityId,
    /// Its type.
    pub entity_type: String,
    /// Last usable values of the attributes that serve as thresholds, and of `name`.
    pub seen: Vec<(String, Seen)>,
    /// Where each rule stands.
    pub runs: Vec<RunState>,
}

/// Where one rule stands on one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// The rule.
    pub rule_id: String,
    /// Its version.
    pub rule_version: u32,
    /// Where it stands.
    pub run: Run,
}

/// A remembered value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The value.
    pub value: Value,
    /// When it was so.
    pub observed_at: Timestamp,
}

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// On the observation's clock.
    pub observed_at: Timestamp,
    /// On the platform's clock.
    pub received_at: Timestamp,
}

/// The run of one rule on one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The last reading judged; earlier ones that come later are left out.
    pub last: Mark,
    /// Its journal position.
    pub position: u64,
    /// Its value; `None` before the first and after the attribute was deleted.
    pub value: Option<Value>,
    /// Since when the condition holds without a break.
    pub since: Option<Mark>,
    /// Since when a raised alert's condition is clear without a break.
    pub clear_since: Option<Mark>,
    /// Whether the condition is up: told, or held back.
    pub raised: bool,
    /// What only some kinds of rules need. Not in files of version 1.
    #[serde(default)]
    pub more: Option<Box<More>>,
}

impl Run {
    /// Why the alert is held back, when it is.
    pub fn held(&self) -> Option<Held> {
        self.more.as_ref()?.held
    }

    /// For silence: what was heard last, if anything.
    pub(crate) fn last_heard(&self, is_silence: bool) -> Option<Mark> {
        (is_silence && self.last != Mark::default()).then_some(self.last)
    }

    pub(crate) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

/// What only some runs need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct More {
    /// `rate`: readings of the window, oldest first; at most [`SAMPLES_MAX`].
    pub samples: Vec<(Timestamp, f64)>,
    /// `count`: the latest observations that count, oldest first, at most `at_least` of them.
    pub marks: Vec<(Option<EntityId>, Mark)>,
    /// `geofence`: whether it was inside when last seen.
    pub inside: Option<bool>,
    /// Why the alert is held back.
    pub held: Option<Held>,
    /// Not to be raised again before this.
    pub quiet_until: Option<Timestamp>,
    /// When a failure was last told.
    pub failure_told: Option<Timestamp>,
    /// Failures since.
    pub failures: u64,
    /// `forecast`: the latest run; `deviation`: the latest [`RUNS_KEPT_MAX`] and the one that decided, the newest last. Not in files of version 1 and 2.
    #[serde(default)]
    pub foretold: Vec<Foretold>,
}

/// A forecast run that a rule looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foretold {
    /// The forecast.
    pub entity_id: EntityId,
    /// When the run was issued.
    pub issued_at: Timestamp,
    /// What it says.
    pub forecast: Forecast,
    /// The point that decided what was judged last: the first that crosses the threshold (`forecast`), what is expected at the time of
    /// the reading (`deviation`).
    pub point: Option<ForecastPoint>,
    /// `forecast`: the point that goes furthest, of those that were looked at.
    pub peak: Option<ForecastPoint>,
    /// `forecast`: when it is to be looked at again: a crossing further ahead comes within the horizon, or the point that decided has passed,
    /// which matters to an alert that is held back.
    pub again_at: Option<Timestamp>,
    /// `forecast`: whether it was said that the run is too old.
    pub is_stale_told: bool,
}

/// Most runs of a forecast that are kept for an entity and a `deviation` rule: the latest may begin after the reading that is judged,
/// the one before it speaks of the time between. The
/// run that decided last is kept beside them.
pub const RUNS_KEPT_MAX: usize = 2;

/// Most readings of a `rate` window that are kept for an entity and rule.
pub const SAMPLES_MAX: usize = 62;

/// Why an alert is held back though its condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// People said that work is being done.
    Maintenance,
    /// Another alert explains it.
    Dependency,
    /// It cleared a short time ago.
    Repeat,
    /// It is one of many, and counted in the storm's alert.
    Storm,
}
