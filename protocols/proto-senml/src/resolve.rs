//! Resolving a pack (RFC 8428 clause 4.6): base fields applied, times absolute. A record that cannot be
//! resolved is told and left out; one that cannot even be read ends the pack, because the records after
//! it may lean on base fields that it held.

use crate::config::Limits;
use crate::message::Record;
use model::problem::quote;
use model::{Problem, Timestamp};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A record with everything applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Its number in the pack, from 0.
    pub index: usize,
    /// Base name and name together.
    pub name: String,
    /// How many bytes of `name` came from the base name.
    pub base_bytes: usize,
    /// SenML unit symbol.
    pub unit: Option<String>,
    /// The value, when the record has one.
    pub value: Option<Reading>,
    /// The sum, when the record has one.
    pub sum: Option<f64>,
    /// When it was measured.
    pub time: Timestamp,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A finite number.
    Number(f64),
    /// Text.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// Data, as base64 with the URL-safe alphabet.
    Data(String),
}

/// Highest pack version understood (RFC 8428 clause 4.4).
const VERSION_MAX: f64 = 10.0;
/// Times below this are relative to now (clause 4.5.3), in seconds.
const ABSOLUTE_FROM_SECONDS: f64 = 268_435_456.0;

#[derive(Default)]
struct Base<'a> {
    name: Cow<'a, str>,
    time: f64,
    unit: Option<Cow<'a, str>>,
    value: f64,
    sum: Option<f64>,
}

/// Reads and resolves a pack received at `now`: the good records and the problems of the others.
pub fn resolve(bytes: &[u8], now: Timestamp, limits: &Limits) -> (Vec<Resolved>, Vec<Problem>) {
    let raw = match records(bytes, limits) {
        Ok(raw) => raw,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let (mut good, mut problems) = (Vec::with_capacity(raw.len()), Vec::new());
    let mut base = Base::default();
    for (index, text) in raw.iter().enumerate() {
        let record: Record<'_> = match serde_json::from_str(text.get()) {
            Ok(record) => record,
            Err(e) => {
                let told = e.to_string();
                let what = told.split(" at line ").next().unwrap_or(&told);
                let rest = raw.len() - index - 1;
                problems.push(Problem::new(
                    "senml-record",
                    format!(
                        "not a SenML record: {what}; the {rest} records after it were left out too"
                    ),
                    format!("[{index}]"),
                    "mend this record; labels and their kinds are in RFC 8428 table 2",
                ));
                break;
            }
        };
        if let Some(version) = record.bver.filter(|version| *version > VERSION_MAX) {
            problems.push(Problem::new(
                "senml-version",
                format!("the pack is of version {version}"),
                format!("[{index}].bver"),
                "send version 10 (RFC 8428) or lower",
            ));
            break;
        }
        if record.n.is_none() && is_base_only(&record) {
            base.take(record);
            continue;
        }
        match base.apply(index, record, now) {
            Ok(resolved) => good.push(resolved),
            Err(problem) => problems.push(problem),
        }
    }
    (good, problems)
}

fn records<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Vec<&'a RawValue>, Problem> {
    if bytes.len() > limits.message_bytes_max {
        return Err(Problem::new(
            "message-too-long",
            format!("the message has {} bytes", bytes.len()),
            "message",
            format!("send at most {} bytes at once", limits.message_bytes_max),
        ));
    }
    let raw: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|e| {
        let told = e.to_string();
        Problem::new(
            "json-syntax",
            format!(
                "not a SenML pack: {}",
                told.split(" at line ").next().unwrap_or(&told)
            ),
            format!("line {} column {}", e.line(), e.column()),
            "send a JSON array of SenML records; JSON has no NaN and no infinity",
        )
    })?;
    if raw.is_empty() || raw.len() > limits.records_max {
        return Err(Problem::new(
            "senml-records",
            format!("the pack holds {} records", raw.len()),
            "message",
            format!("send 1 to {} records at once", limits.records_max),
        ));
    }
    Ok(raw)
}

fn is_base_only(record: &Record<'_>) -> bool {
    record.v.is_none()
        && record.vs.is_none()
        && record.vb.is_none()
        && record.vd.is_none()
        && record.s.is_none()
        && (record.bn.is_some()
            || record.bt.is_some()
            || record.bu.is_some()
            || record.bver.is_some())
        && record.bv.is_none()
}

impl<'a> Base<'a> {
    /// Takes over the base fields of a record and gives the rest back.
    fn take(&mut self, record: Record<'a>) -> Record<'a> {
        let mut record = record;
        if let Some(name) = record.bn.take() {
            self.name = name;
        }
        if let Some(unit) = record.bu.take() {
            self.unit = Some(unit);
        }
        self.time = record.bt.unwrap_or(self.time);
        self.value = record.bv.unwrap_or(self.value);
        self.sum = record.bs.or(self.sum);
        record
    }

    fn apply(
        &mut self,
        index: usize,
        record: Record<'a>,
        now: Timestamp,
    ) -> Result<Resolved, Problem> {
        let has_base_value = record.bv.is_some();
        let record = self.take(record);
        let name = format!("{}{}", self.name, record.n.as_deref().unwrap_or_default());
        check_name(&name).map_err(|problem| at(problem, index, "n"))?;
        let number = record
            .v
            .or(has_base_value.then_some(0.0))
            .map(|v| v + self.value);
        let readings = [
            number.map(Reading::Number),
            record.vs.map(|text| Reading::Text(text.into_owned())),
            record.vb.map(Reading::Boolean),
            record.vd.map(|data| Reading::Data(data.into_owned())),
        ];
        let mut readings = readings.into_iter().flatten();
        let value = readings.next();
        if readings.next().is_some() {
            return Err(problem(
                index,
                "senml-values",
                "the record has more than one value",
                "v",
            ));
        }
        let sum = record.s.map(|s| s + self.sum.unwrap_or(0.0)).or(self.sum);
        if value.is_none() && sum.is_none() {
            return Err(problem(
                index,
                "senml-values",
                "the record has no value",
                "v",
            ));
        }
        if matches!(value, Some(Reading::Number(n)) if !n.is_finite())
            || sum.is_some_and(|s| !s.is_finite())
        {
            return Err(problem(
                index,
                "number-not-finite",
                "base value and value overflow",
                "v",
            ));
        }
        let seconds = self.time + record.t.unwrap_or(0.0);
        let time = moment(seconds, now).ok_or_else(|| {
            problem(
                index,
                "time-format",
                &format!("{seconds} seconds is no time"),
                "t",
            )
        })?;
        Ok(Resolved {
            index,
            base_bytes: self.name.len(),
            name,
            unit: record.u.or_else(|| self.unit.clone()).map(Cow::into_owned),
            value,
            sum,
            time,
        })
    }
}

/// The moment that a SenML time means; `None` beyond what can be told in microseconds.
fn moment(seconds: f64, now: Timestamp) -> Option<Timestamp> {
    const SECONDS_MAX: f64 = 253_402_300_799.0; // 9999-12-31T23:59:59Z
    if !seconds.is_finite() || seconds.abs() > SECONDS_MAX {
        return None;
    }
    let micros = (seconds * 1e6).round() as i64;
    Some(if seconds >= ABSOLUTE_FROM_SECONDS {
        Timestamp::from_micros(micros)
    } else {
        now.plus_micros(micros)
    })
}

/// Clause 4.5.1: letters, digits and `- : . / _`, beginning with a letter or a digit.
fn check_name(name: &str) -> Result<(), Problem> {
    let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-:./_".contains(c));
    if good && name.len() <= model::ids::ID_BYTES_MAX {
        return Ok(());
    }
    Err(Problem::new(
        "senml-name",
        format!("\"{}\" is not a SenML name", quote(name)),
        "",
        "begin with a letter or digit and use letters, digits and - : . / _ (RFC 8428 clause 4.5.1), 256 at most",
    ))
}

fn at(mut problem: Problem, index: usize, label: &str) -> Problem {
    problem.place = format!("[{index}].{label}");
    problem
}

fn problem(index: usize, code: &str, what: &str, label: &str) -> Problem {
    let mend = match code {
        "time-format" => "send seconds: since 1970 when 2^28 or more, else relative to now",
        "number-not-finite" => "send values whose sum is a finite number",
        _ => "give each record exactly one of v, vs, vb, vd",
    };
    at(Problem::new(code, what, "", mend), index, label)
}
