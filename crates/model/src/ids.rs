//! Typed ids. Each is checked once, where it enters, and holds its promise from then on.

use crate::problem::{Problem, quote};
use compact_str::CompactString;
use hashbrown::DefaultHashBuilder;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

/// Longest id or name accepted, in bytes.
pub const ID_BYTES_MAX: usize = 256;

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "CompactString", into = "CompactString")]
        pub struct $name(CompactString);

        impl $name {
            /// Checks and takes the text.
            ///
            /// # Errors
            /// A [`Problem`] that names the rule broken; its `place` is the id's kind.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Problem> {
                let text = text.as_ref();
                $check(text, stringify!($name))?;
                Ok(Self(CompactString::new(text)))
            }
            /// The text as given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<CompactString> for $name {
            type Error = Problem;
            fn try_from(text: CompactString) -> Result<Self, Problem> {
                $check(&text, stringify!($name))?;
                Ok(Self(text))
            }
        }
        impl From<$name> for CompactString {
            fn from(id: $name) -> CompactString {
                id.0
            }
        }
        impl std::str::FromStr for $name {
            type Err = Problem;
            fn from_str(text: &str) -> Result<Self, Problem> {
                Self::new(text)
            }
        }
    };
}

/// One seed for the process, so that every table can use the hash that an id carries.
static ID_HASHER: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// An id that every part of the platform looks things up by: it carries its hash, and a clone shares the text.
macro_rules! shared_id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            text: Arc<str>,
            hash: u64,
        }

        impl $name {
            /// Checks and takes the text.
            ///
            /// # Errors
            /// A [`Problem`] that names the rule broken; its `place` is the id's kind.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Problem> {
                let text = text.as_ref();
                $check(text, stringify!($name))?;
                Ok(Self {
                    text: Arc::from(text),
                    hash: ID_HASHER.hash_one(text),
                })
            }
            /// The text as given.
            pub fn as_str(&self) -> &str {
                &self.text
            }
            /// A hash of the text, made once; the same for equal ids within a process, another one in the next.
            pub const fn hash_code(&self) -> u64 {
                self.hash
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.hash == other.hash
                    && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
            }
        }
        impl Eq for $name {}
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                state.write_u64(self.hash);
            }
        }
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.text.cmp(&other.text)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a text")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.text)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.text
            }
        }
        impl std::str::FromStr for $name {
            type Err = Problem;
            fn from_str(text: &str) -> Result<Self, Problem> {
                Self::new(text)
            }
        }
    };
}

shared_id!(
    /// An entity's id: a URI (NGSI-LD, ETSI GS CIM 009 clause 4.6.2), normally
    /// `urn:ngsi-ld:<Type>:<name>`; at most [`ID_BYTES_MAX`] bytes, no white space or control characters.
    EntityId,
    check_uri
);
typed_id!(
    /// An entity type's name, e.g. `WaterObserved`: a letter, then letters, digits, `_`, `-`, `.`, `:`, `/`, `#`.
    TypeName,
    check_name
);
typed_id!(
    /// An attribute's name, e.g. `waterLevel`: same alphabet as [`TypeName`].
    AttributeName,
    check_name
);
shared_id!(
    /// A device's id (设备编码): the URI of the thing a device speaks for; same rule as [`EntityId`].
    DeviceId,
    check_uri
);

impl From<&DeviceId> for EntityId {
    /// The entity that the device speaks for.
    fn from(device: &DeviceId) -> Self {
        Self {
            text: device.text.clone(),
            hash: device.hash,
        }
    }
}

fn check_length(text: &str, kind: &str) -> Result<(), Problem> {
    if text.is_empty() || text.len() > ID_BYTES_MAX {
        return Err(Problem::new(
            "id-length",
            format!("{kind} has {} bytes: \"{}\"", text.len(), quote(text)),
            kind,
            format!("use 1 to {ID_BYTES_MAX} bytes"),
        ));
    }
    Ok(())
}

/// Letters and digits of ASCII, and these others, by byte.
const fn bytes_of(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut n = 0;
    while n < others.len() {
        table[others[n] as usize] = true;
        n += 1;
    }
    table
}

static NAME_BYTES: [bool; 256] = bytes_of(b"_-.:/#");
static SCHEME_BYTES: [bool; 256] = bytes_of(b"+-.");
static URI_BYTES: [bool; 256] = bytes_of(b"!#$%&'()*+,-./:;=?@[]_~");

/// Whether it is a URI in plain ASCII. Others are looked at character by character.
fn is_usual_uri(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(colon) = bytes.iter().position(|b| *b == b':') else {
        return false;
    };
    let (scheme, rest) = bytes.split_at(colon);
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|b| SCHEME_BYTES[usize::from(*b)])
        && rest.len() > 1
        && rest.iter().all(|b| URI_BYTES[usize::from(*b)])
}

fn check_uri(text: &str, kind: &str) -> Result<(), Problem> {
    check_length(text, kind)?;
    if is_usual_uri(text) {
        return Ok(());
    }
    if let Some(c) = text
        .chars()
        .find(|c| c.is_control() || c.is_whitespace() || "<>\"{}|\\^`".contains(*c))
    {
        return Err(Problem::new(
            "id-character",
            format!("{kind} \"{}\" holds the character {c:?}", quote(text)),
            kind,
            "remove control characters, white space and any of < > \" { } | \\ ^ `",
        ));
    }
    let scheme = text.split(':').next().unwrap_or_default();
    let scheme_is_good = text.contains(':')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && text.len() > scheme.len() + 1;
    if !scheme_is_good {
        return Err(Problem::new(
            "id-not-uri",
            format!("{kind} \"{}\" is not a URI", quote(text)),
            kind,
            "write it as urn:ngsi-ld:<Type>:<name>",
        ));
    }
    Ok(())
}

fn check_name(text: &str, kind: &str) -> Result<(), Problem> {
    check_length(text, kind)?;
    // Nearly all are plain ASCII, and every id of every message comes by here, from a door and from the journal.
    let bytes = text.as_bytes();
    let begins_well = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    if begins_well && bytes.iter().all(|b| NAME_BYTES[usize::from(*b)]) {
        return Ok(());
    }
    let good = text.starts_with(|c: char| c.is_alphabetic())
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.:/#".contains(c));
    if !good {
        return Err(Problem::new(
            "name-character",
            format!("{kind} \"{}\" is not a name", quote(text)),
            kind,
            "start with a letter and use letters, digits and _ - . : / # only",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_urn_is_an_entity_id() {
        assert_eq!(
            EntityId::new("urn:ngsi-ld:WaterObserved:62206900")
                .unwrap()
                .as_str(),
            "urn:ngsi-ld:WaterObserved:62206900"
        );
        assert!(EntityId::new("https://example.org/竟陵").is_ok());
    }

    #[test]
    fn bad_ids_say_what_is_wrong() {
        for (text, code) in [
            ("", "id-length"),
            ("urn:a\u{0}b", "id-character"),
            ("urn:a b", "id-character"),
            ("station7", "id-not-uri"),
            (":x", "id-not-uri"),
            ("urn:", "id-not-uri"),
        ] {
            assert_eq!(EntityId::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(
            EntityId::new("urn:".to_owned() + &"x".repeat(300))
                .unwrap_err()
                .code,
            "id-length"
        );
        assert_eq!(
            AttributeName::new("7up").unwrap_err().code,
            "name-character"
        );
    }

    #[test]
    fn the_short_way_agrees_with_the_long_one() {
        let slow_uri = |text: &str| {
            !text
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || "<>\"{}|\\^`".contains(c))
        };
        let slow_name = |c: char| c.is_alphanumeric() || "_-.:/#".contains(c);
        for byte in 0..128_u8 {
            let c = char::from(byte);
            let uri = format!("urn:a{c}b");
            assert_eq!(EntityId::new(&uri).is_ok(), slow_uri(&uri), "{c:?}");
            let name = format!("a{c}b");
            assert_eq!(TypeName::new(&name).is_ok(), slow_name(c), "{c:?}");
            let first = format!("{c}b");
            assert_eq!(TypeName::new(&first).is_ok(), c.is_alphabetic(), "{c:?}");
        }
        assert!(EntityId::new("1urn:a").is_err());
        assert!(TypeName::new("水位").is_ok());
    }

    #[test]
    fn serde_checks_too() {
        assert!(serde_json::from_str::<EntityId>("\"no uri\"").is_err());
    }
}
