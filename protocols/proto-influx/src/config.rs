//! Limits of one message, the precision of its times, and the declared mapping from lines to entities.

use model::{AttributeName, Problem, TypeName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Limits of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes (default 8 MiB: collectors send large batches).
    pub message_bytes_max: usize,
    /// Most lines in one message (default 50,000).
    pub lines_max: usize,
    /// Most tags of one line (default 64).
    pub tags_max: usize,
    /// Most fields of one line (default 512).
    pub fields_max: usize,
    /// Longest text field, in bytes (default and greatest: what the model holds).
    pub text_bytes_max: usize,
    /// Most problems told about one message; the rest are counted (default 20).
    pub problems_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 8 * 1024 * 1024,
            lines_max: 50_000,
            tags_max: 64,
            fields_max: 512,
            text_bytes_max: model::value::TEXT_BYTES_MAX,
            problems_max: 20,
        }
    }
}

/// The unit of the lines' times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Nanoseconds, InfluxDB's default. Kept to the microsecond.
    #[default]
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl Precision {
    /// Reads the `precision` of a write request, in the spellings of InfluxDB 1 and 2.
    ///
    /// # Errors
    /// `precision` for any other word.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "" | "n" | "ns" => Ok(Self::Nanoseconds),
            "u" | "us" | "µs" => Ok(Self::Microseconds),
            "ms" => Ok(Self::Milliseconds),
            "s" => Ok(Self::Seconds),
            other => Err(Problem::new(
                "precision",
                format!("\"{}\" is not a precision", model::problem::quote(other)),
                "precision",
                "use ns, us, ms or s",
            )),
        }
    }
}

/// How the lines of one measurement become an entity's attributes; written in TOML as `[[lines]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineMapping {
    /// The measurement that it is for.
    pub measurement: String,
    /// The entity's type.
    pub entity_type: TypeName,
    /// The entity's id, with tags in braces: `urn:ngsi-ld:WaterObserved:{station}`.
    pub entity_id: String,
    /// Attribute names by field name; fields not named here keep theirs.
    #[serde(default)]
    pub fields: BTreeMap<String, AttributeName>,
    /// Units by field name: UN/CEFACT codes or symbols.
    #[serde(default)]
    pub units: BTreeMap<String, String>,
}

impl LineMapping {
    /// Checks what the types do not: the template's braces and the units.
    ///
    /// # Errors
    /// `mapping-template` or `unknown-unit`.
    pub fn check(&self) -> Result<(), Problem> {
        self.entity_id(|_| Some("x"))?;
        for (field, unit) in &self.units {
            if model::unit::find(unit).is_none() {
                return Err(Problem::new(
                    "unknown-unit",
                    format!(
                        "the unit \"{}\" of the field {field} is not known",
                        model::problem::quote(unit)
                    ),
                    format!("lines.{}.units.{field}", self.measurement),
                    "use a UN/CEFACT code or a symbol that the platform lists",
                ));
            }
        }
        Ok(())
    }

    /// The id's text with tags filled in.
    ///
    /// # Errors
    /// `mapping-template` when a brace is left open, `tag-missing` when a tag is not there.
    pub fn entity_id<'t>(&self, tag: impl Fn(&str) -> Option<&'t str>) -> Result<String, Problem> {
        let mut out = String::with_capacity(self.entity_id.len() + 16);
        let mut rest = self.entity_id.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| {
                Problem::new(
                    "mapping-template",
                    format!("a brace is left open in \"{}\"", self.entity_id),
                    format!("lines.{}.entity_id", self.measurement),
                    "write tags as {tag}",
                )
            })?;
            out.push_str(before);
            out.push_str(tag(name).ok_or_else(|| {
                Problem::new(
                    "tag-missing",
                    format!("the line has no tag \"{name}\", which the entity's id needs"),
                    "",
                    format!(
                        "send the tag {name}, or change entity_id in the mapping of {}",
                        self.measurement
                    ),
                )
            })?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}
