//! What the engine remembers, in a form that a checkpoint can hold: state + the journal's tail gives
//! the same events as the journal from zero (tested).

use model::{EntityId, Timestamp, Value};
use serde::{Deserialize, Serialize};

/// The engine's whole memory. Rules are named by id and version, so that it outlives a change of rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The latest moment the engine was told of.
    pub clock: Timestamp,
    /// The watched entities, in the order in which they were first seen.
    pub entities: Vec<EntityState>,
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
    /// Whether the alert is up.
    pub raised: bool,
}
