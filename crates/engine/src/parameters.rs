//! What can be set of an engine: declared with unit and range, read from a file's JSON or TOML, checked before the engine runs.

use model::Problem;
use model::problem::quote;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// A number in a range, ends included. Without a default it must be given.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// What holds when it is not given.
        default: Option<f64>,
    },
    /// A number in a range, ends included, or nothing at all: the engine then finds it or goes without.
    Optional {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// A whole number in a range, ends included.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What holds when it is not given.
        default: u64,
    },
    /// One of some words; the first holds when it is not given.
    Choice {
        /// The words.
        of: &'static [&'static str],
    },
    /// Something with a form of its own, which the engine reads; `what` says the form.
    Structure,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Its unit; `-` where it has none.
    pub unit: &'static str,
    /// What it may be.
    #[serde(flatten)]
    pub kind: Kind,
}

/// The parameters of one run, checked and with the defaults filled in.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    map: Map<String, Value>,
    place: String,
}

impl Parameters {
    /// Checks what was given against what is declared, and fills in the defaults. A whole report of an earlier run may be given: then
    /// its entry `parameters` counts.
    ///
    /// # Errors
    /// `engine-parameter` for each that there is not, that is missing, of the wrong kind or out of its range.
    pub fn read(
        declared: &[Parameter],
        given: Map<String, Value>,
        place: &str,
    ) -> Result<Self, Vec<Problem>> {
        let given = match given.get("parameters") {
            Some(Value::Object(inner)) => inner.clone(),
            _ => given,
        };
        let bad = |what: String, name: &str, mend: String| {
            Problem::new("engine-parameter", what, format!("{place}: {name}"), mend)
        };
        let mut problems: Vec<Problem> = given
            .keys()
            .filter(|name| !declared.iter().any(|p| p.name == name.as_str()))
            .map(|name| {
                let names: Vec<_> = declared.iter().map(|p| p.name).collect();
                let mend = match names.len() {
                    0 => "the engine takes none".to_owned(),
                    _ => format!("use {}", names.join(", ")),
                };
                bad(format!("there is no parameter {}", quote(name)), name, mend)
            })
            .collect();
        let mut map = Map::new();
        for parameter in declared {
            match one(parameter, given.get(parameter.name)) {
                Ok(Some(value)) => {
                    map.insert(parameter.name.to_owned(), value);
                }
                Ok(None) => {}
                Err(what) => problems.push(bad(
                    what,
                    parameter.name,
                    format!("{}, in {}", parameter.what, parameter.unit),
                )),
            }
        }
        if problems.is_empty() {
            let place = place.to_owned();
            Ok(Self { map, place })
        } else {
            Err(problems)
        }
    }

    /// A declared number: its value or its default. Not a number when it is not declared or optional and not given.
    pub fn number(&self, name: &str) -> f64 {
        self.optional(name).unwrap_or(f64::NAN)
    }

    /// An optional number.
    pub fn optional(&self, name: &str) -> Option<f64> {
        self.map.get(name).and_then(Value::as_f64)
    }

    /// A declared whole number; 0 when it is not declared.
    pub fn whole(&self, name: &str) -> u64 {
        self.map
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    /// A whole number for counting things in memory.
    pub fn count(&self, name: &str) -> usize {
        usize::try_from(self.whole(name)).unwrap_or(usize::MAX)
    }

    /// A declared choice.
    pub fn choice(&self, name: &str) -> &str {
        self.map
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A structure, when it is given.
    pub fn structure(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// A list of numbers, when it is given.
    ///
    /// # Errors
    /// When it is something else.
    pub fn list(&self, name: &str) -> Result<Option<Vec<f64>>, Vec<Problem>> {
        let Some(value) = self.map.get(name) else {
            return Ok(None);
        };
        let numbers = value
            .as_array()
            .and_then(|all| all.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
        numbers.map(Some).ok_or_else(|| {
            vec![self.problem(
                name,
                "it is no list of numbers",
                "write it as [0.2, 0.5, 0.3]",
            )]
        })
    }

    /// A mistake in a parameter that only the engine could see.
    pub fn problem(&self, name: &str, what: impl Into<String>, mend: &str) -> Problem {
        let place = format!("{}: {name}", self.place);
        Problem::new("engine-parameter", what, place, mend)
    }

    /// All of them, for the report.
    pub fn into_map(self) -> Map<String, Value> {
        self.map
    }
}

fn one(parameter: &Parameter, given: Option<&Value>) -> Result<Option<Value>, String> {
    let within = |min: f64, max: f64, value: &Value| match value.as_f64() {
        Some(number) if (min..=max).contains(&number) => Ok(Some(Value::from(number))),
        _ => Err(format!("{value} is no number from {min} to {max}")),
    };
    match (parameter.kind, given) {
        (Kind::Number { min, max, .. } | Kind::Optional { min, max }, Some(value)) => {
            within(min, max, value)
        }
        (Kind::Number { default, .. }, None) => match default {
            Some(number) => Ok(Some(Value::from(number))),
            None => Err("it is missing".to_owned()),
        },
        (Kind::Whole { min, max, .. }, Some(value)) => match value.as_u64() {
            Some(number) if (min..=max).contains(&number) => Ok(Some(Value::from(number))),
            _ => Err(format!("{value} is no whole number from {min} to {max}")),
        },
        (Kind::Whole { default, .. }, None) => Ok(Some(Value::from(default))),
        (Kind::Choice { of }, Some(value)) => match value.as_str() {
            Some(word) if of.contains(&word) => Ok(Some(Value::from(word))),
            _ => Err(format!("{value} is none of {}", of.join(", "))),
        },
        (Kind::Choice { of }, None) => Ok(of.first().map(|word| Value::from(*word))),
        (Kind::Structure, given) => Ok(given.cloned()),
        (Kind::Optional { .. }, None) => Ok(None),
    }
}
