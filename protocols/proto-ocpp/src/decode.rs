//! Payloads that were checked → what they say. 1.6 is [`v16`], 2.0.1 is [`v201`]; both end in the shapes of [`crate::message`].

mod v16;
mod v201;

use crate::config::Version;
use crate::error;
use crate::message::{Doubt, What};
use crate::schema::{self, Rule, Violation};
use crate::time;
use model::Timestamp;
use serde_json::Value;

/// What the payload of a CALL says. `offline_after_seconds` is [`crate::Config::offline_after_seconds`].
///
/// # Errors
/// A violation where a word that was let pass decides what the message is (`eventType`), or a number is out of its range.
pub fn call(
    version: Version,
    action: &str,
    payload: &Value,
    received_at: Timestamp,
    offline_after_seconds: i64,
) -> Result<(What, Vec<Doubt>), Violation> {
    let mut fields = Fields {
        payload,
        received_at,
        offline_after_seconds,
        doubts: Vec::new(),
    };
    let what = match version {
        Version::V16 => v16::what(action, &mut fields)?,
        Version::V201 => v201::what(action, &mut fields)?,
    };
    Ok((what, fields.doubts))
}

/// A payload, and what was odd about it.
struct Fields<'a> {
    payload: &'a Value,
    received_at: Timestamp,
    offline_after_seconds: i64,
    doubts: Vec<Doubt>,
}

impl Fields<'_> {
    fn text(&self, name: &str) -> Option<String> {
        text(self.payload, name)
    }

    /// A text that the schema says must be there.
    fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    fn whole(&self, name: &str) -> Option<i64> {
        self.payload.get(name).and_then(schema::whole)
    }

    fn flag(&self, name: &str) -> bool {
        flag(self.payload, name)
    }

    /// A number of an evse or a connector.
    fn place(&self, value: &Value, name: &str) -> Result<Option<u32>, Violation> {
        let Some(value) = value.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        schema::whole(value)
            .and_then(|number| u32::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| out_of_range(name))
    }

    /// The time of the message; that of its receipt where it says none.
    fn moment(&mut self, name: &str) -> Timestamp {
        let received_at = self.received_at;
        let text = self.payload.get(name).and_then(Value::as_str);
        let Some(Ok((at, has_no_zone))) = text.map(|text| time::parse(text, name)) else {
            return received_at;
        };
        if has_no_zone {
            self.doubts.push(Doubt::NoZone);
        }
        at
    }

    fn is_old(&self, at: Timestamp) -> bool {
        self.received_at.micros_since(at) > self.offline_after_seconds.saturating_mul(1_000_000)
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn out_of_range(name: &str) -> Violation {
    Violation {
        rule: Rule::Word,
        told: error::out_of_range(&format!("$.{name}")),
    }
}

pub(crate) use v16::{keys, list_version};
pub(crate) use v201::{of_answer, of_setting};
