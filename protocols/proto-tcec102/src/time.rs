//! Times as the standard writes them: Beijing time without a zone, `yyyyMMddHHmmss` in envelopes, `yyyy-MM-dd HH:mm:ss` in bodies.

use model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Beijing time is eight hours ahead, the year round.
const BEIJING_S: i64 = 8 * 3_600;
const ENVELOPE: &str = "%Y%m%d%H%M%S";
const BODY: &str = "%Y-%m-%d %H:%M:%S";

fn write(at: Timestamp, form: &str) -> String {
    let local = at.plus_seconds(BEIJING_S).micros();
    jiff::Timestamp::from_microsecond(local)
        .map(|local| {
            jiff::tz::TimeZone::UTC
                .to_datetime(local)
                .strftime(form)
                .to_string()
        })
        .unwrap_or_default()
}

fn read(text: &str, form: &str) -> Option<Timestamp> {
    let local = jiff::civil::DateTime::strptime(form, text).ok()?;
    let at = jiff::tz::TimeZone::UTC
        .to_ambiguous_timestamp(local)
        .compatible()
        .ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()).plus_seconds(-BEIJING_S))
}

/// `TimeStamp` of an envelope, to the second.
pub fn to_envelope(at: Timestamp) -> String {
    write(at, ENVELOPE)
}

/// Reads a `TimeStamp`; `None` when it is not 14 digits of a moment.
pub fn of_envelope(text: &str) -> Option<Timestamp> {
    let is_digits = text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit());
    is_digits.then(|| read(text, ENVELOPE)).flatten()
}

/// A moment in a body, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&write(self.0, BODY))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let told = || serde::de::Error::custom("a time is yyyy-MM-dd HH:mm:ss");
        read(&text, BODY).map(Self).ok_or_else(told)
    }
}

/// A moment that may be an empty text, which means none.
pub(crate) mod or_empty {
    use super::{Moment, read};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(at: &Option<Moment>, s: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => at.serialize(s),
            None => s.serialize_str(""),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Moment>, D::Error> {
        match Option::<String>::deserialize(d)?.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => read(text, super::BODY)
                .map(|at| Some(Moment(at)))
                .ok_or_else(|| serde::de::Error::custom("a time is yyyy-MM-dd HH:mm:ss or empty")),
        }
    }
}
