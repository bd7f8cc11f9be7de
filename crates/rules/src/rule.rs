//! A rule as data, and what can be wrong with it.
//!
//! ```toml
//! id = "water-stage-warning"
//! version = 1
//! title_zh = "{entity}水位 {value} {unit},超过警戒水位 {threshold} {unit}"
//! title_en = "{entity}: stage {value} {unit} above the warning stage {threshold} {unit}"
//! entity_type = "WaterObserved"
//! attribute = "waterLevel"
//! op = ">="
//! threshold = { attribute = "warningLevel" }
//! for_seconds = 60
//! clear = { margin = 0.05, for_seconds = 60 }
//! severity = "major"
//! opens_case = "flood"
//! runbook = "stage"
//! ```

use crate::text;
use model::{Catalogue, Problem, Value, ValueKind, unit};
use serde::{Deserialize, Serialize};

/// Longest duration a rule may name, in seconds (31 days).
pub const DURATION_SECONDS_MAX: u64 = 31 * 86_400;

/// A rule (规则), declared by a pack: one TOML file each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable id, unique in the city, kebab case.
    pub id: String,
    /// Counted up with every change of meaning; alerts name it.
    pub version: u32,
    /// The alert's title in Chinese; may hold `{value}`, `{threshold}`, `{unit}`, `{entity}`.
    pub title_zh: String,
    /// The alert's title in English; same placeholders.
    pub title_en: String,
    /// The entity type watched.
    pub entity_type: String,
    /// The attribute watched. A `silence` rule may leave it out: then any observation of the entity counts.
    #[serde(default)]
    pub attribute: Option<String>,
    /// What is looked for.
    #[serde(default)]
    pub kind: Kind,
    /// `threshold` rules: how value and threshold are compared.
    #[serde(default)]
    pub op: Option<Op>,
    /// `threshold` rules: what the value is compared with.
    #[serde(default)]
    pub threshold: Option<Threshold>,
    /// UN/CEFACT code in which a threshold number is written; when given it must be the attribute's own.
    #[serde(default)]
    pub unit: Option<String>,
    /// How long it must hold before the alert is raised, in seconds; for `silence`, how long nothing was heard.
    #[serde(default)]
    pub for_seconds: u64,
    /// When the alert clears.
    #[serde(default)]
    pub clear: Clear,
    /// How bad it is.
    pub severity: Severity,
    /// The workflow of the case that this alert suggests to open.
    #[serde(default)]
    pub opens_case: Option<String>,
    /// The runbook: `runbooks/<name>.zh.md` and `.en.md` of the same pack.
    #[serde(default)]
    pub runbook: Option<String>,
    /// The file that declared it; filled in by the loader, for messages.
    #[serde(skip)]
    pub file: String,
}

/// What a rule looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A usable value stands in the relation `op` to the threshold.
    #[default]
    Threshold,
    /// Nothing was received of the attribute (or of the entity) for `for_seconds`, by the platform's clock.
    Silence,
    /// A value outside the attribute's declared range was seen (quality `out_of_range`).
    OutOfRange,
}

/// How a value is compared with its threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// At or above.
    #[serde(rename = ">=")]
    AtLeast,
    /// Above.
    #[serde(rename = ">")]
    Above,
    /// At or below.
    #[serde(rename = "<=")]
    AtMost,
    /// Below.
    #[serde(rename = "<")]
    Below,
    /// Equal.
    #[serde(rename = "==")]
    Equal,
    /// Different.
    #[serde(rename = "!=")]
    Different,
}

impl Op {
    /// Whether `value op threshold` holds; `None` when the two are of different kinds or have no order.
    pub fn holds(self, value: &Value, threshold: &Value) -> Option<bool> {
        Some(match (value, threshold) {
            (Value::Number(v), Value::Number(t)) => match self {
                Self::AtLeast => v >= t,
                Self::Above => v > t,
                Self::AtMost => v <= t,
                Self::Below => v < t,
                Self::Equal => v == t,
                Self::Different => v != t,
            },
            (Value::Boolean(_), Value::Boolean(_)) | (Value::Text(_), Value::Text(_)) => match self
            {
                Self::Equal => value == threshold,
                Self::Different => value != threshold,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether the value has left the breach by more than `margin`: the hysteresis of clearing.
    pub fn is_clear(self, value: &Value, threshold: &Value, margin: f64) -> Option<bool> {
        let broken = self.holds(value, threshold)?;
        Some(match (self, value, threshold) {
            (Self::AtLeast | Self::Above, Value::Number(v), Value::Number(t)) if margin > 0.0 => {
                *v < t - margin
            }
            (Self::AtMost | Self::Below, Value::Number(v), Value::Number(t)) if margin > 0.0 => {
                *v > t + margin
            }
            _ => !broken,
        })
    }
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// A number, in the attribute's unit.
    Number(f64),
    /// True or false (`==` and `!=` only).
    Boolean(bool),
    /// A text (`==` and `!=` only).
    Text(String),
    /// The current value of another attribute of the same entity, e.g. a station's own warning stage.
    Attribute(AttributeThreshold),
}

/// A threshold that the entity itself carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeThreshold {
    /// The attribute's name.
    pub attribute: String,
}

impl Threshold {
    /// The fixed value, when it is one.
    pub fn fixed(&self) -> Option<Value> {
        match self {
            Self::Number(n) => Some(Value::Number(*n)),
            Self::Boolean(b) => Some(Value::Boolean(*b)),
            Self::Text(t) => Some(Value::Text(t.clone())),
            Self::Attribute(_) => None,
        }
    }
}

/// When an alert clears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clear {
    /// How far below (for `>=`) or above (for `<=`) the threshold the value must be, in the attribute's unit.
    #[serde(default)]
    pub margin: f64,
    /// For how long, in seconds.
    #[serde(default)]
    pub for_seconds: u64,
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be known.
    Info,
    /// To be seen to in working hours.
    Minor,
    /// To be seen to now.
    Major,
    /// People or the city's function are in danger.
    Critical,
}

impl Severity {
    /// The word used in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
    /// 1 (info) to 4 (critical); 0 stands for "none" on the map.
    pub const fn level(self) -> u8 {
        self as u8 + 1
    }
}

/// Something wrong with a rule, and the key of its file that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The key, dotted: `threshold.attribute`.
    pub key: &'static str,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
    /// What mends it.
    pub mend: String,
}

impl Mistake {
    /// As a problem at `place`.
    pub fn at(self, place: impl Into<String>) -> Problem {
        Problem::new(self.code, self.what, place, self.mend)
    }
}

impl Rule {
    /// Everything wrong with the rule against the declared types; empty when it can run.
    pub fn mistakes(&self, catalogue: &Catalogue) -> Vec<Mistake> {
        let mut found = Vec::new();
        let mut say = |key, code, what: String, mend: &str| {
            found.push(Mistake {
                key,
                code,
                what,
                mend: mend.to_owned(),
            });
        };
        let id_is_good = self.id.starts_with(|c: char| c.is_ascii_lowercase())
            && self
                .id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !id_is_good {
            say(
                "id",
                "rule-id",
                format!("\"{}\" is not a rule id", model::problem::quote(&self.id)),
                "use lower-case letters, digits and hyphens, a letter first",
            );
        }
        for (key, title) in [("title_zh", &self.title_zh), ("title_en", &self.title_en)] {
            if title.trim().is_empty() {
                say(
                    key,
                    "rule-title",
                    "the title is empty".into(),
                    "write the alert's title",
                );
            }
            for word in text::unknown_placeholders(title) {
                say(
                    key,
                    "rule-placeholder",
                    format!("the title holds {{{word}}}, which is no placeholder"),
                    "use {value}, {threshold}, {unit} or {entity}",
                );
            }
        }
        for (key, seconds) in [
            ("for_seconds", self.for_seconds),
            ("clear.for_seconds", self.clear.for_seconds),
        ] {
            if seconds > DURATION_SECONDS_MAX {
                say(
                    key,
                    "rule-duration",
                    format!("{seconds} s is longer than {DURATION_SECONDS_MAX} s"),
                    "use at most 31 days",
                );
            }
        }
        if !(self.clear.margin >= 0.0 && self.clear.margin.is_finite()) {
            say(
                "clear.margin",
                "rule-margin",
                format!("a margin of {} makes no sense", self.clear.margin),
                "use 0 or more, in the attribute's unit",
            );
        }
        if self.kind != Kind::Threshold {
            for (key, given) in [
                ("op", self.op.is_some()),
                ("threshold", self.threshold.is_some()),
                ("unit", self.unit.is_some()),
                ("clear.margin", self.clear.margin != 0.0),
            ] {
                if given {
                    say(
                        key,
                        "rule-key-unused",
                        format!("a rule of this kind has no use for {key}"),
                        "take the key away, or make it kind = \"threshold\"",
                    );
                }
            }
        }
        if self.kind == Kind::Silence && self.for_seconds == 0 {
            say(
                "for_seconds",
                "rule-silence-zero",
                "a silence of 0 seconds is always there".into(),
                "say after how many seconds without an observation the alert is raised",
            );
        }
        let Some(kind) = catalogue.kinds.get(&self.entity_type) else {
            say(
                "entity_type",
                "rule-unknown-type",
                format!(
                    "no pack declares the entity type {}",
                    model::problem::quote(&self.entity_type)
                ),
                "name a declared type, or declare it in the pack's entities folder",
            );
            return found;
        };
        let Some(name) = &self.attribute else {
            if self.kind != Kind::Silence {
                say(
                    "attribute",
                    "rule-attribute-missing",
                    "the rule does not say which attribute it watches".into(),
                    "add attribute = \"…\"",
                );
            }
            return found;
        };
        let Some(attribute) = kind.attributes.get(name) else {
            say(
                "attribute",
                "rule-unknown-attribute",
                format!(
                    "{} has no attribute {}",
                    self.entity_type,
                    model::problem::quote(name)
                ),
                "name an attribute of the type, or declare it in the pack's entities folder",
            );
            return found;
        };
        if self.kind != Kind::Threshold {
            return found;
        }
        let (Some(op), Some(threshold)) = (self.op, &self.threshold) else {
            if self.op.is_none() {
                say(
                    "op",
                    "rule-op-missing",
                    "the rule does not say how to compare".into(),
                    "add op = \">=\" (or >, <=, <, ==, !=)",
                );
            }
            if self.threshold.is_none() {
                say(
                    "threshold",
                    "rule-threshold-missing",
                    "the rule has no threshold".into(),
                    "add threshold = 30.0, or threshold = { attribute = \"…\" }",
                );
            }
            return found;
        };
        if let Some(code) = &self.unit
            && Some(code) != attribute.unit.as_ref()
        {
            say(
                "unit",
                "rule-unit",
                format!(
                    "the threshold is in {code}, {}.{name} is in {}",
                    self.entity_type,
                    attribute.unit.as_deref().unwrap_or("no unit")
                ),
                "write the threshold in the attribute's unit",
            );
        }
        let threshold_kind = match threshold {
            Threshold::Number(number) => {
                if !number.is_finite() {
                    say(
                        "threshold",
                        "rule-threshold-number",
                        format!("{number} is no threshold"),
                        "use a finite number",
                    );
                }
                let never = match op {
                    Op::AtLeast => attribute.max.is_some_and(|max| *number > max),
                    Op::Above => attribute.max.is_some_and(|max| *number >= max),
                    Op::AtMost => attribute.min.is_some_and(|min| *number < min),
                    Op::Below => attribute.min.is_some_and(|min| *number <= min),
                    Op::Equal | Op::Different => false,
                };
                if never {
                    say(
                        "threshold",
                        "rule-never",
                        format!(
                            "{number} lies outside the declared range of {name}: such values are kept as out_of_range and never raise this rule"
                        ),
                        "lower the threshold, widen the attribute's min and max, or use kind = \"out_of_range\"",
                    );
                }
                ValueKind::Number
            }
            Threshold::Boolean(_) => ValueKind::Boolean,
            Threshold::Text(_) => ValueKind::Text,
            Threshold::Attribute(other) => {
                let Some(declared) = kind.attributes.get(&other.attribute) else {
                    say(
                        "threshold.attribute",
                        "rule-unknown-attribute",
                        format!(
                            "{} has no attribute {}",
                            self.entity_type,
                            model::problem::quote(&other.attribute)
                        ),
                        "name an attribute of the type, or declare it in the pack's entities folder",
                    );
                    return found;
                };
                if declared.unit != attribute.unit {
                    say(
                        "threshold.attribute",
                        "rule-unit",
                        format!(
                            "{name} is in {}, {} is in {}",
                            attribute.unit.as_deref().unwrap_or("no unit"),
                            other.attribute,
                            declared.unit.as_deref().unwrap_or("no unit")
                        ),
                        "declare both attributes in one unit",
                    );
                }
                declared.value
            }
        };
        if threshold_kind != attribute.value {
            say(
                "threshold",
                "rule-threshold-kind",
                format!(
                    "{name} holds a {:?}, the threshold is a {threshold_kind:?}",
                    attribute.value
                ),
                "compare like with like",
            );
        } else if threshold_kind != ValueKind::Number && !matches!(op, Op::Equal | Op::Different) {
            say(
                "op",
                "rule-op",
                format!("{name} has no order"),
                "use == or != for text and true/false",
            );
        }
        found
    }

    /// The symbol, for people, of the unit that the rule's values are in.
    pub(crate) fn unit_symbol(&self, unit_code: Option<&str>) -> String {
        unit_code
            .and_then(unit::find)
            .and_then(|u| u.symbols.first().copied())
            .unwrap_or_default()
            .to_owned()
    }
}
