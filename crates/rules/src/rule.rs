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

use crate::area::Area;
use model::{Problem, Value, unit};
use serde::{Deserialize, Serialize};

/// Longest duration a rule may name, in seconds (31 days).
pub const DURATION_SECONDS_MAX: u64 = 31 * 86_400;

/// Most that a `count` rule counts to, and most alerts before a storm: so many times are remembered.
pub const COUNT_MAX: u32 = 1_000;

/// A rule (规则), declared by a pack: one TOML file each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable id, unique in the city, kebab case.
    pub id: String,
    /// Counted up with every change of meaning; alerts name it.
    pub version: u32,
    /// The alert's title in Chinese; may hold `{value}`, `{threshold}`, `{unit}`, `{entity}`; of a rule that looks at a forecast also
    /// `{when}` (the moment that the forecast speaks of), `{lower}` and `{upper}` (its interval then).
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
    /// `threshold` and `forecast` rules: how value and threshold are compared.
    #[serde(default)]
    pub op: Option<Op>,
    /// What the value is compared with; `deviation` rules: how far, in the attribute's unit, the value may be from its forecast;
    /// `silence` rules: the attribute in which each entity states how long nothing may be heard, in place of `for_seconds`.
    #[serde(default)]
    pub threshold: Option<Threshold>,
    /// UN/CEFACT code in which a threshold number is written; when given it must be the attribute's own.
    #[serde(default)]
    pub unit: Option<String>,
    /// How long it must hold before the alert is raised, in seconds; for `silence`, how long nothing was heard.
    #[serde(default)]
    pub for_seconds: u64,
    /// `rate` and `count` rules: how far back is looked, in seconds.
    #[serde(default)]
    pub window_seconds: u64,
    /// `rate` rules: the period that the threshold is stated for, in seconds (3600: per hour).
    #[serde(default)]
    pub per_seconds: Option<u64>,
    /// `count` rules: from how many on the alert is raised; at most [`COUNT_MAX`].
    #[serde(default)]
    pub at_least: Option<u32>,
    /// `count` rules: count entities of the type and not observations; the alert is then about the type.
    #[serde(default)]
    pub distinct: bool,
    /// `geofence` rules: the area.
    #[serde(default)]
    pub area: Option<Area>,
    /// `geofence` rules: which side of it, or which crossing, raises the alert.
    #[serde(default)]
    pub when: Option<When>,
    /// `expression` rules: the condition, in CEL.
    #[serde(default)]
    pub expression: Option<String>,
    /// `forecast` and `deviation` rules: which forecast, and how it is read.
    #[serde(default)]
    pub forecast: Option<Outlook>,
    /// When the rule is at work; outside it neither raises nor holds.
    #[serde(default)]
    pub during: Option<During>,
    /// After clearing, it is not raised again for the entity within so many seconds.
    #[serde(default)]
    pub repeat_seconds: u64,
    /// From how many alerts on they become one.
    #[serde(default)]
    pub storm: Option<Storm>,
    /// Rules whose alerts explain this one: while one of them is up, this one is held back.
    #[serde(default)]
    pub suppressed_by: Vec<Suppressor>,
    /// Rules whose alerts on the same entity cast doubt on this one: while one of them is up, this one is raised with its doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted: Option<Doubt>,
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

/// What makes an alert doubtful, and how that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubt {
    /// Rules of the same entity type.
    pub by: Vec<String>,
    /// What is said behind the alert's title, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// What a rule looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A usable value stands in the relation `op` to the threshold.
    #[default]
    Threshold,
    /// Nothing was received of the attribute (or of the entity) for `for_seconds`, or for as long as the entity states, by the platform's
    /// clock.
    Silence,
    /// A value outside the attribute's declared range was seen (quality `out_of_range`).
    OutOfRange,
    /// The value's change over `window_seconds`, stated per `per_seconds`, stands in the relation `op` to the threshold.
    Rate,
    /// The place lies in, or crossed the border of, `area`.
    Geofence,
    /// At least `at_least` observations (those that stand in the relation `op` to the threshold, when it is given) lie within
    /// `window_seconds`.
    Count,
    /// The CEL `expression` over the entity's attributes is true.
    Expression,
    /// The latest forecast of the attribute stands in the relation `op` to the threshold within some hours.
    Forecast,
    /// The measured value is further from its forecast than the threshold, or, without one, outside the forecast's interval.
    Deviation,
}

impl Kind {
    /// The word used in files and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Silence => "silence",
            Self::OutOfRange => "out_of_range",
            Self::Rate => "rate",
            Self::Geofence => "geofence",
            Self::Count => "count",
            Self::Expression => "expression",
            Self::Forecast => "forecast",
            Self::Deviation => "deviation",
        }
    }

    /// Whether it looks at a forecast.
    pub const fn looks_ahead(self) -> bool {
        matches!(self, Self::Forecast | Self::Deviation)
    }
}

/// Which forecast a rule looks at, and how it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlook {
    /// The type of forecasts; its `[forecast]` table must name the rule's type and attribute.
    pub entity_type: String,
    /// Which of a point's numbers is compared with the threshold (`forecast` rules). Default: the value.
    #[serde(default)]
    pub bound: Bound,
    /// How far ahead is looked, in hours from now (`forecast` rules): 1 to [`HOURS_MAX`].
    #[serde(default)]
    pub within_hours: Option<u32>,
    /// From which age on, in hours since it was issued, a run says nothing any more: 1 to [`HOURS_MAX`].
    pub age_hours_max: u32,
    /// The least share of outcomes, above 0 and at most 1, that a run must say its intervals hold; runs that state less, or nothing, are
    /// passed over.
    #[serde(default)]
    pub certainty_min: Option<f64>,
    /// Only runs of this method; where several methods forecast the same.
    #[serde(default)]
    pub method: Option<String>,
}

/// Longest time ahead, and greatest age of a forecast, in hours (31 days).
pub const HOURS_MAX: u32 = 744;

/// One of the numbers of a forecast's point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The interval's lower end: what is reached even if things go low.
    Lower,
    /// The value expected.
    #[default]
    Value,
    /// The interval's upper end: what may be reached if things go high.
    Upper,
}

impl Bound {
    /// The word used in files and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Value => "value",
            Self::Upper => "upper",
        }
    }

    /// The number; `None` when the point has no interval.
    pub fn of(self, point: &model::ForecastPoint) -> Option<f64> {
        match self {
            Self::Lower => point.lower,
            Self::Value => Some(point.value),
            Self::Upper => point.upper,
        }
    }
}

/// Which side of an area, or which crossing of its border, a `geofence` rule looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// It was seen outside and is inside now; holds until it leaves.
    Enter,
    /// It was seen inside and is outside now; holds until it comes back.
    Leave,
    /// It is inside.
    Inside,
    /// It is outside.
    Outside,
}

/// When a rule is at work: the name of a calendar, or a table with hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum During {
    /// The working time of a calendar of the city.
    Calendar(String),
    /// Both, where both are given.
    Hours(DuringHours),
}

/// A calendar and hours of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuringHours {
    /// The calendar's name.
    #[serde(default)]
    pub calendar: Option<String>,
    /// Hours of every day in the city's zone, such as `["22:00-24:00", "00:00-06:00"]`.
    #[serde(default)]
    pub hours: Option<Vec<String>>,
}

/// Storm suppression: more than `more_than` alerts of the rule within `within_seconds` become one alert that counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// So many are told one by one; 1 to [`COUNT_MAX`].
    pub more_than: u32,
    /// Within so many seconds.
    pub within_seconds: u64,
}

/// A rule whose alert explains this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Suppressor {
    /// On the same entity.
    Same(String),
    /// On the entity that an attribute of this one names.
    Related(RelatedSuppressor),
}

/// A rule on a related entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelatedSuppressor {
    /// The rule.
    pub rule: String,
    /// The attribute that names the other entity: a relation, or its id as text.
    pub relation: String,
}

impl Suppressor {
    /// The rule.
    pub fn rule(&self) -> &str {
        match self {
            Self::Same(rule) => rule,
            Self::Related(related) => &related.rule,
        }
    }
    /// The attribute that names the entity it is looked for on; `None` for the same.
    pub fn relation(&self) -> Option<&str> {
        match self {
            Self::Same(_) => None,
            Self::Related(related) => Some(&related.relation),
        }
    }
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

/// A threshold that an attribute states: of the entity itself (its own limit, a forecast), or of another entity, named by its id or
/// by a relation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeThreshold {
    /// The attribute's name.
    pub attribute: String,
    /// The other entity's id.
    #[serde(default)]
    pub entity: Option<String>,
    /// The attribute of this entity that names the other one: a relation, or its id as text.
    #[serde(default)]
    pub relation: Option<String>,
    /// The other entity's type; needed with `entity` and `relation`.
    #[serde(default)]
    pub entity_type: Option<String>,
    /// Multiplies a number first.
    #[serde(default)]
    pub times: Option<f64>,
    /// Is added to a number then, in its unit.
    #[serde(default)]
    pub plus: Option<f64>,
}

impl AttributeThreshold {
    /// Whether another entity states it.
    pub fn is_elsewhere(&self) -> bool {
        self.entity.is_some() || self.relation.is_some()
    }

    /// Whether the entity itself states it, as it is.
    pub fn is_plain(&self) -> bool {
        let Self {
            attribute: _,
            entity,
            relation,
            entity_type,
            times,
            plus,
        } = self;
        let others = entity.is_some() || relation.is_some() || entity_type.is_some();
        !others && times.is_none() && plus.is_none()
    }
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clear {
    /// How far below (for `>=`) or above (for `<=`) the threshold the value must be, in the attribute's unit (`rate`: per
    /// `per_seconds`); for `geofence`, how far across the border, in metres.
    #[serde(default)]
    pub margin: f64,
    /// For how long, in seconds.
    #[serde(default)]
    pub for_seconds: u64,
    /// `expression` rules: the alert clears only when this is true; when left out, when the rule's expression is false.
    #[serde(default)]
    pub expression: Option<String>,
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
    /// The symbol, for people, of the unit that the rule's values are in.
    pub(crate) fn unit_symbol(&self, unit_code: Option<&str>) -> String {
        unit_code
            .and_then(unit::find)
            .and_then(|u| u.symbols.first().copied())
            .unwrap_or_default()
            .to_owned()
    }

    /// What stands for the entity in alerts about the whole type: `urn:ngsi-ld:Rule:<id>`.
    pub fn own_id(&self) -> Option<model::EntityId> {
        model::EntityId::new(format!("urn:ngsi-ld:Rule:{}", self.id)).ok()
    }

    /// The period that a rate is stated for, in seconds.
    pub(crate) fn period_seconds(&self) -> u64 {
        self.per_seconds.unwrap_or(1)
    }

    /// The symbol, for people, of a rate in `unit`.
    pub(crate) fn rate_symbol(&self, unit: &str) -> String {
        match self.period_seconds() {
            1 => format!("{unit}/s"),
            60 => format!("{unit}/min"),
            3_600 => format!("{unit}/h"),
            86_400 => format!("{unit}/d"),
            seconds => format!("{unit}/{seconds} s"),
        }
    }
}
