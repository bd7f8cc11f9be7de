//! In which order: `name,age;desc`, `location;dist-asc` (clause 4.23). Kinds of values follow each other as clause 4.23.2 says; texts
//! are compared by their characters.

use super::geo::{distance_m, reference, to_geo};
use super::path::{Path, Target};
use super::{QUERY_CONDITIONS_MAX, check_length, mistake, too_complex};
use crate::context::Context;
use crate::entity::{Entity, Held};
use crate::refusal::{Refusal, bad};
use crate::words::{date, date_time, time_of_day};
use geo::Geometry;
use serde_json::Value;
use std::cmp::Ordering;

/// An order of entities.
#[derive(Clone, Debug)]
pub struct Order {
    terms: Vec<Term>,
    from: Option<Geometry<f64>>,
}

#[derive(Clone, Debug)]
struct Term {
    path: Path,
    by_distance: bool,
    is_down: bool,
}

/// A value by which entities are ordered: kinds in the order of clause 4.23.2.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Distance(f64),
    Number(f64),
    Text(String),
    Object(String),
    Array(String),
    Boolean(bool),
    Time(i64),
    Date(i64),
    DateTime(i64),
    Null,
    Absent,
}

impl Key {
    const fn rank(&self) -> u8 {
        match self {
            Self::Distance(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            Self::Object(_) => 3,
            Self::Array(_) => 4,
            Self::Boolean(_) => 5,
            Self::Time(_) => 6,
            Self::Date(_) => 7,
            Self::DateTime(_) => 8,
            Self::Null => 9,
            Self::Absent => 10,
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Distance(a), Self::Distance(b)) | (Self::Number(a), Self::Number(b)) => {
                a.total_cmp(b)
            }
            (Self::Text(a), Self::Text(b))
            | (Self::Object(a), Self::Object(b))
            | (Self::Array(a), Self::Array(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b))
            | (Self::Date(a), Self::Date(b))
            | (Self::DateTime(a), Self::DateTime(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl Order {
    /// Reads an order; `from` and `geometry` are the parameters `orderFrom` and `orderGeometry`.
    ///
    /// # Errors
    /// `BadRequestData` for what is none, or a distance without a place to take it from.
    pub fn parse(
        text: &str,
        from: Option<&str>,
        geometry: Option<&str>,
        context: &Context,
    ) -> Result<Self, Refusal> {
        check_length("orderBy", text)?;
        let mut terms = Vec::new();
        for part in text.split(',') {
            let (path, direction) = part.split_once(';').unwrap_or((part, "asc"));
            let (by_distance, is_down) = match direction {
                "asc" => (false, false),
                "desc" => (false, true),
                "dist-asc" => (true, false),
                "dist-desc" => (true, true),
                _ => {
                    let at = text.find(part).unwrap_or_default() + path.len() + 1;
                    return Err(mistake(
                        "orderBy",
                        text,
                        at,
                        "方向应为 asc、desc、dist-asc 或 dist-desc",
                        "the direction is asc, desc, dist-asc or dist-desc",
                    ));
                }
            };
            let path = Path::parse(path, context).map_err(|e| e.within("orderBy"))?;
            terms.push(Term {
                path,
                by_distance,
                is_down,
            });
            if terms.len() > QUERY_CONDITIONS_MAX {
                return Err(too_complex(
                    "orderBy",
                    "query_conditions_max",
                    QUERY_CONDITIONS_MAX,
                ));
            }
        }
        let from = from.map(|text| {
            let coordinates = serde_json::from_str(text).unwrap_or(Value::Null);
            reference(geometry.unwrap_or("Point"), &coordinates).map_err(|e| e.within("orderFrom"))
        });
        let from = from.transpose()?;
        if from.is_none() && terms.iter().any(|term| term.by_distance) {
            return Err(bad(
                "order-without-place",
                "orderFrom",
                (
                    "按距离排序需要 orderFrom",
                    "an order by distance needs orderFrom",
                ),
                (
                    "例如 orderFrom=[113.16,30.65]",
                    "for example orderFrom=[113.16,30.65]",
                ),
            ));
        }
        Ok(Self { terms, from })
    }

    /// Puts entities into the order; those that are level keep theirs.
    pub fn sort<T>(&self, entities: &mut [T], entity: impl Fn(&T) -> &Entity) {
        entities.sort_by_cached_key(|one| Keys {
            keys: self
                .terms
                .iter()
                .map(|term| (self.key(term, entity(one)), term.is_down))
                .collect(),
        });
    }

    fn key(&self, term: &Term, entity: &Entity) -> Key {
        if term.by_distance
            && let (Some(from), Some(name)) = (&self.from, term.path.names.first())
        {
            let instances = entity.attribute(&name.full).unwrap_or_default();
            let distances = instances.iter().filter_map(|one| match &one.held {
                Some(Held::Geo(json)) => to_geo(json).map(|to| distance_m(from, &to)),
                _ => None,
            });
            if let Some(nearest) = distances.min_by(f64::total_cmp) {
                return Key::Distance(nearest);
            }
        }
        let mut found = Key::Absent;
        let no_other = |_: &str| None;
        term.path.any(entity, &no_other, &mut |target| {
            found = key_of(target);
            true
        });
        found
    }
}

/// The keys of one entity, each with whether its order is down: what is absent is last either way.
#[derive(PartialEq)]
struct Keys {
    keys: Vec<(Key, bool)>,
}

impl Eq for Keys {}

impl PartialOrd for Keys {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keys {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.keys.iter().zip(&other.keys);
        let mut orders = pairs.map(|((a, is_down), (b, _))| {
            let order = a.cmp(b);
            let is_last = a.rank() >= Key::Null.rank() || b.rank() >= Key::Null.rank();
            if *is_down && !is_last {
                order.reverse()
            } else {
                order
            }
        });
        orders
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn key_of(target: &Target<'_>) -> Key {
    match target {
        Target::Json(value) => json_key(value),
        Target::List(values) => Key::Array(serde_json::to_string(values).unwrap_or_default()),
        Target::Names([one]) => Key::Text(one.to_string()),
        Target::Names(names) => Key::Array(names.join(" ")),
        Target::Text(text) => Key::Text((*text).to_owned()),
        Target::Time(time) => Key::DateTime(time.micros()),
    }
}

fn json_key(value: &Value) -> Key {
    match value {
        Value::Null => Key::Null,
        Value::Bool(b) => Key::Boolean(*b),
        Value::Number(n) => Key::Number(n.as_f64().unwrap_or_default()),
        Value::String(text) => {
            let time = time_of_day(text).map(Key::Time);
            let time = time.or_else(|| date(text).map(|t| Key::Date(t.micros())));
            let time = time.or_else(|| date_time(text).map(|t| Key::DateTime(t.micros())));
            time.unwrap_or_else(|| Key::Text(text.clone()))
        }
        Value::Array(_) => Key::Array(value.to_string()),
        Value::Object(members) => members
            .get("@value")
            .filter(|inner| !inner.is_object())
            .map_or_else(|| Key::Object(value.to_string()), json_key),
    }
}
