//! What the engine says.

use crate::rule::Severity;
use model::{EntityId, Timestamp, Value};
use serde::{Deserialize, Serialize};

/// Something the engine found out.
#[expect(clippy::large_enum_variant, reason = "events are few and short-lived")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RuleEvent {
    /// A rule's condition holds, and did not before: an alert.
    Raised(Raised),
    /// It no longer holds.
    Cleared(Cleared),
    /// The rule could not be judged: nothing is raised or cleared by it, and somebody should look at the rule or at the data.
    Failed(Failed),
}

impl RuleEvent {
    /// The rule.
    pub fn rule_id(&self) -> &str {
        match self {
            Self::Raised(e) => &e.rule_id,
            Self::Cleared(e) => &e.rule_id,
            Self::Failed(e) => &e.rule_id,
        }
    }
    /// The entity.
    pub fn entity_id(&self) -> &EntityId {
        match self {
            Self::Raised(e) => &e.entity_id,
            Self::Cleared(e) => &e.entity_id,
            Self::Failed(e) => &e.entity_id,
        }
    }
    /// When.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Raised(e) => e.at,
            Self::Cleared(e) => e.at,
            Self::Failed(e) => e.at,
        }
    }
}

/// An alert is raised. (rule, entity, position, at) names it uniquely: a replay gives the same four.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Raised {
    /// The rule.
    pub rule_id: String,
    /// Its version.
    pub rule_version: u32,
    /// The entity.
    pub entity_id: EntityId,
    /// Its type.
    pub entity_type: String,
    /// The attribute watched; `None` for a silence rule over the whole entity.
    pub attribute: Option<String>,
    /// The value that raised it; for silence, the seconds without an observation.
    pub value: Option<Value>,
    /// What it was compared with; for silence, the seconds allowed; for out-of-range, none.
    pub threshold: Option<Value>,
    /// UN/CEFACT code of value and threshold.
    pub unit: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// Title in Chinese, filled in.
    pub title_zh: String,
    /// Title in English, filled in.
    pub title_en: String,
    /// When: the `observed_at` of the observation that completed the duration, or the moment at which
    /// the duration ran out while the value stayed.
    pub at: Timestamp,
    /// Journal position of the last observation that the alert rests on.
    pub position: u64,
    /// The workflow of the case it suggests.
    pub opens_case: Option<String>,
    /// The runbook's name.
    pub runbook: Option<String>,
    /// The values that decided, by name.
    pub decided: Vec<NamedValue>,
    /// Whether this is the one alert of a storm; its entity is then the rule itself, and `value` the alerts counted so far.
    pub is_storm: bool,
}

/// A value that decided an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedValue {
    /// What it is: an attribute's name, `threshold`, `window_seconds`, `observations`, …
    pub name: String,
    /// The value.
    pub value: Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// When it was so, where it is an observation.
    pub observed_at: Option<Timestamp>,
    /// Whose it is, when it is another entity's.
    pub entity_id: Option<EntityId>,
}

/// A rule that could not be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The rule.
    pub rule_id: String,
    /// Its version.
    pub rule_version: u32,
    /// The entity.
    pub entity_id: EntityId,
    /// Its type.
    pub entity_type: String,
    /// Stable code: `rule-value-kind`, `rule-expression-failed`.
    pub code: String,
    /// What happened.
    pub what: String,
    /// When: the time of the observation that could not be judged.
    pub at: Timestamp,
    /// Journal position of it.
    pub position: u64,
    /// How often since it was last told.
    pub count: u64,
}

/// An alert's condition is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cleared {
    /// The rule.
    pub rule_id: String,
    /// The entity.
    pub entity_id: EntityId,
    /// When, judged as for [`Raised::at`].
    pub at: Timestamp,
    /// Journal position of the observation that it rests on.
    pub position: u64,
    /// The value then.
    pub value: Option<Value>,
}
