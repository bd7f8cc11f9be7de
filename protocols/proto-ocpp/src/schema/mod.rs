//! What a payload must look like, as data, and the check of a payload against it. One table of each version ([`v16`], [`v201`]); a
//! table says more than types of a deserialiser would: which rule is broken, at which place, and so which error code is answered.

pub mod v16;
pub mod v201;

use crate::config::{Config, Version};
use crate::error::{self, ErrorCode};
use crate::time;
use model::Told;
use model::problem::quote;
use serde_json::{Map, Value};

/// What one field may hold.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text of so many characters at most; 0: as many as the message may have.
    Text(usize),
    /// An integer.
    Whole,
    /// A number with a fraction.
    Decimal,
    /// True or false.
    Flag,
    /// A moment, RFC 3339 (see [`time::parse`]).
    Moment,
    /// One of these words, which stand with a space between them.
    Word(&'static str),
    /// An object of these fields.
    Within(&'static [Field]),
    /// A list of `from` to `to` things; 0 for `to`: as many as [`Config::items_max`].
    List {
        /// What it is a list of.
        of: &'static Shape,
        /// How many at least.
        from: usize,
        /// How many at most.
        to: usize,
    },
    /// Anything.
    Anything,
}

/// One field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it must be there.
    pub is_needed: bool,
    /// What it holds.
    pub shape: Shape,
}

/// A question and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name on the wire.
    pub name: &'static str,
    /// The payload of the CALL.
    pub ask: &'static [Field],
    /// The payload of the CALLRESULT.
    pub answer: &'static [Field],
}

const fn must(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        is_needed: true,
        shape,
    }
}

const fn may(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        is_needed: false,
        shape,
    }
}

const fn many(of: &'static Shape) -> Shape {
    list(of, 1, 0)
}

const fn list(of: &'static Shape, from: usize, to: usize) -> Shape {
    Shape::List { of, from, to }
}

const fn action(name: &'static str, ask: &'static [Field], answer: &'static [Field]) -> Action {
    Action { name, ask, answer }
}

/// Questions of stations that OCPP 2.0.1 knows and this room does not answer.
const NOT_SERVED_201: [&str; 8] = [
    "Get15118EVCertificate",
    "GetCertificateStatus",
    "NotifyCustomerInformation",
    "NotifyDisplayMessages",
    "NotifyEVChargingNeeds",
    "NotifyEVChargingSchedule",
    "NotifyMonitoringReport",
    "PublishFirmwareStatusNotification",
];

/// What a station may ask, by its name.
pub fn from_station(version: Version, name: &str) -> Option<&'static Action> {
    let actions = match version {
        Version::V16 => v16::FROM_STATION,
        Version::V201 => v201::FROM_STATION,
    };
    actions.iter().find(|action| action.name == name)
}

/// What a station may be asked, by its name.
pub fn to_station(version: Version, name: &str) -> Option<&'static Action> {
    let actions = match version {
        Version::V16 => v16::TO_STATION,
        Version::V201 => v201::TO_STATION,
    };
    actions.iter().find(|action| action.name == name)
}

/// Whether the standard has an action of this name that a station may ask, though this room does not serve it: `NotSupported`
/// rather than `NotImplemented`. A command that comes back at us counts too.
pub fn is_known(version: Version, name: &str) -> bool {
    (version == Version::V201 && NOT_SERVED_201.contains(&name))
        || to_station(version, name).is_some()
}

/// Which rule a field breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It is not in the standard.
    Unknown,
    /// It must be there.
    Missing,
    /// Too few or too many in a list.
    Count,
    /// Not of its type.
    Type,
    /// `null` where the field may be left out.
    Null,
    /// Too long.
    Length,
    /// No word of the standard's list.
    Word,
    /// No moment.
    Moment,
}

impl Rule {
    /// The error code that tells it (OCPP-J 1.6 table 7, OCPP-J 2.0.1 table 8).
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Unknown => ErrorCode::FormatViolation,
            Self::Missing | Self::Count => ErrorCode::OccurrenceConstraintViolation,
            Self::Type | Self::Null => ErrorCode::TypeConstraintViolation,
            Self::Length | Self::Word | Self::Moment => ErrorCode::PropertyConstraintViolation,
        }
    }

    /// Whether what the message says is clear all the same.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Unknown | Self::Null | Self::Length | Self::Word)
    }
}

/// A rule that a payload breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// What, where, and what mends it.
    pub told: Told,
}

/// Every rule that the payload breaks, in the payload's order; at most [`Config::violations_max`].
pub fn check(fields: &'static [Field], payload: &Value, config: &Config) -> Vec<Violation> {
    let mut check = Check {
        config,
        found: Vec::new(),
    };
    match payload {
        Value::Object(object) => check.object(fields, object, "$"),
        other => check.wrong_type("$", "an object", other),
    }
    check.found
}

struct Check<'a> {
    config: &'a Config,
    found: Vec<Violation>,
}

impl Check<'_> {
    fn add(&mut self, rule: Rule, told: Told) {
        if self.found.len() < self.config.violations_max {
            self.found.push(Violation { rule, told });
        }
    }

    fn object(&mut self, fields: &'static [Field], object: &Map<String, Value>, place: &str) {
        for field in fields.iter().filter(|field| field.is_needed) {
            if !object.contains_key(field.name) {
                let place = format!("{place}.{}", field.name);
                self.add(Rule::Missing, error::missing(&place));
            }
        }
        for (name, value) in object {
            if self.found.len() >= self.config.violations_max {
                return;
            }
            let place = format!("{place}.{}", quote(name));
            match fields.iter().find(|field| field.name == name) {
                Some(field) if value.is_null() && !field.is_needed => {
                    self.add(Rule::Null, error::null(&place));
                }
                Some(field) => self.value(field.shape, value, &place),
                // OCPP 2.0.1, part 2, CustomDataType: in every object, with anything in it.
                None if name == "customData" => {}
                None => self.add(Rule::Unknown, error::unknown_field(&place)),
            }
        }
    }

    fn value(&mut self, shape: Shape, value: &Value, place: &str) {
        match (shape, value) {
            (Shape::Anything, _)
            | (Shape::Flag, Value::Bool(_))
            | (Shape::Decimal, Value::Number(_)) => {}
            (Shape::Whole, value) if whole(value).is_some() => {}
            (Shape::Text(longest), Value::String(text)) => {
                let length = text.chars().count();
                if longest > 0 && length > longest {
                    self.add(Rule::Length, error::too_long(place, length, longest));
                }
            }
            (Shape::Word(words), Value::String(text)) => {
                if text.is_empty() || !words.split(' ').any(|word| word == text) {
                    self.add(Rule::Word, error::unknown_word(place, text, words));
                }
            }
            (Shape::Moment, Value::String(text)) => {
                if let Err(told) = time::parse(text, place) {
                    self.add(Rule::Moment, told);
                }
            }
            (Shape::Within(fields), Value::Object(object)) => self.object(fields, object, place),
            (Shape::List { of, from, to }, Value::Array(items)) => {
                let to = match to {
                    0 => self.config.items_max,
                    to => to.min(self.config.items_max),
                };
                if !(from..=to).contains(&items.len()) {
                    self.add(Rule::Count, error::count(place, items.len(), from, to));
                    return;
                }
                for (n, item) in items.iter().enumerate() {
                    self.value(*of, item, &format!("{place}[{n}]"));
                }
            }
            (shape, value) => self.wrong_type(place, shape.name(), value),
        }
    }

    fn wrong_type(&mut self, place: &str, wanted: &str, value: &Value) {
        self.add(Rule::Type, error::wrong_type(place, wanted, value));
    }
}

impl Shape {
    const fn name(self) -> &'static str {
        match self {
            Self::Text(_) | Self::Word(_) => "a text",
            Self::Whole => "an integer",
            Self::Decimal => "a number",
            Self::Flag => "true or false",
            Self::Moment => "a time as text",
            Self::Within(_) => "an object",
            Self::List { .. } => "a list",
            Self::Anything => "anything",
        }
    }
}

/// The integer, also where it is written with a fraction of zero (`5000.0`); within ±2^53, so that nothing is rounded.
pub fn whole(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.as_i64() {
        Some(number) => Some(number),
        None => value
            .as_f64()
            .filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)
            .map(|number| number as i64),
    }
}
