//! JSON text as a tree that borrows from the message: members keep their order and their duplicates,
//! so that a key sent twice can be told instead of silently losing one.

use model::Problem;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number; always finite.
    Number(serde_json::Number),
    /// Text.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object, its members in order.
    Object(Members<'a>),
}

/// The members of an object, in order, duplicates included.
pub type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

const TOO_DEEP: &str = "nested too deep";

/// Reads JSON text nested at most `depth_max` deep.
///
/// # Errors
/// `json-syntax`, `json-depth`, `json-utf8`, `number-not-finite`; the place is a line and a column.
pub fn parse(bytes: &[u8], depth_max: usize) -> Result<Json<'_>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        Problem::new(
            "json-utf8",
            "the message is not UTF-8 text",
            format!("byte {}", e.valid_up_to()),
            "send JSON encoded as UTF-8",
        )
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Node {
        depth_left: depth_max,
    };
    seed.deserialize(&mut reader)
        .and_then(|json| reader.end().map(|()| json))
        .map_err(|e| syntax_problem(text, &e, depth_max))
}

fn syntax_problem(text: &str, error: &serde_json::Error, depth_max: usize) -> Problem {
    let place = format!("line {} column {}", error.line(), error.column());
    let told = error.to_string();
    let what = told.split(" at line ").next().unwrap_or(&told);
    if what == TOO_DEEP || what.starts_with("recursion limit") {
        return Problem::new(
            "json-depth",
            format!("objects and arrays are nested more than {depth_max} deep"),
            place,
            format!("nest at most {depth_max} deep"),
        );
    }
    if what.starts_with("number out of range") || is_literal_at(text, error) {
        return Problem::new(
            "number-not-finite",
            "a number is NaN, infinite or too large",
            place,
            "JSON has finite numbers only: leave the attribute out while its sensor has no value",
        );
    }
    let mend = if told.contains("EOF") {
        "the message ends too early: send it whole"
    } else if what.starts_with("trailing characters") {
        "send one JSON object or one array of objects, and nothing after it"
    } else {
        "mend the JSON at this place; check it with any JSON validator"
    };
    Problem::new("json-syntax", format!("not JSON: {what}"), place, mend)
}

/// Whether `NaN` or `Infinity` stands where the parser stopped.
fn is_literal_at(text: &str, error: &serde_json::Error) -> bool {
    let line = text
        .lines()
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let from = error.column().saturating_sub(2);
    let rest = line.as_bytes().get(from..).unwrap_or_default();
    let near = &rest[..rest.len().min(12)];
    ["nan", "NaN", "NAN", "Infinity", "inf"].iter().any(|word| {
        near.windows(word.len())
            .take(3)
            .any(|window| window == word.as_bytes())
    })
}

#[derive(Clone, Copy)]
struct Node {
    depth_left: usize,
}

impl Node {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left }),
            None => Err(E::custom(TOO_DEEP)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Json<'de>;
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Json<'de>, D::Error> {
        d.deserialize_any(self)
    }
}

struct Key;
impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}
impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Boolean(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        serde_json::Number::from_f64(value)
            .map(Json::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let deeper = self.deeper()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            out.push(item);
        }
        Ok(Json::Array(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let deeper = self.deeper()?;
        let mut out = Members::new();
        while let Some(key) = members.next_key_seed(Key)? {
            out.push((key, members.next_value_seed(deeper)?));
        }
        Ok(Json::Object(out))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => s.serialize_unit(),
            Self::Boolean(value) => s.serialize_bool(*value),
            Self::Number(number) => number.serialize(s),
            Self::Text(text) => s.serialize_str(text),
            Self::Array(items) => s.collect_seq(items),
            Self::Object(members) => {
                let mut map = s.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'a> Json<'a> {
    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members, when it is an object.
    pub fn as_members(&self) -> Option<&Members<'a>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// As JSON text.
    pub fn to_text(&self) -> String {
        // Numbers are finite and keys are text, so writing cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The first member of that name.
pub fn member<'j, 'a>(members: &'j Members<'a>, name: &str) -> Option<&'j Json<'a>> {
    members
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// A key that occurs more than once, if any. Bounded: small objects pairwise, large ones by sorting.
pub fn duplicate<'j>(members: &'j Members<'_>) -> Option<&'j str> {
    const PAIRWISE_MAX: usize = 16;
    if members.len() <= PAIRWISE_MAX {
        let mut rest = members.iter();
        while let Some((key, _)) = rest.next() {
            if rest.as_slice().iter().any(|(other, _)| other == key) {
                return Some(key);
            }
        }
        return None;
    }
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
}
