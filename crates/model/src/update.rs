//! An update: what one message says about one entity. The doors make updates; the journal keeps them.

use crate::ids::{AttributeName, EntityId, TypeName};
use crate::time::Timestamp;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// What a message says about one entity: some of its attributes, each with its time and unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// The entity.
    pub entity_id: EntityId,
    /// Its type.
    pub entity_type: TypeName,
    /// The attributes that the message speaks of, in its order; at least one.
    pub attributes: Vec<AttributeUpdate>,
}

/// One attribute's new value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeUpdate {
    /// The attribute.
    pub name: AttributeName,
    /// Its value.
    pub value: Value,
    /// UN/CEFACT code of the value's unit; `None` when it has none or the message does not say.
    pub unit: Option<String>,
    /// When it was so (NGSI-LD `observedAt`). A door that has no time of its own gives the receipt time.
    pub observed_at: Timestamp,
    /// How good the value is.
    pub quality: Quality,
}

/// How good a value is. What doors tell is ordered from best to worst; [`Quality::Corrected`] stands behind
/// them because stored numbers are places in this list, and is never told by a door.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// As measured, within the attribute's range.
    #[default]
    Good,
    /// The unit was not in the message: the declared one was assumed. From a decoder, together with no unit:
    /// the form has no place for one.
    UnitAssumed,
    /// Reported by a person, not measured.
    Reported,
    /// Played by the simulator from foreign or rescaled data.
    Simulated,
    /// The device itself says that it is doubtful.
    Uncertain,
    /// Outside the declared range: kept and shown, but rules and indicators leave it out.
    OutOfRange,
    /// Put right by a person afterwards: who and why is told by its correction.
    Corrected,
}

impl Quality {
    /// Every quality, by its number.
    pub const ALL: [Self; 7] = [
        Self::Good,
        Self::UnitAssumed,
        Self::Reported,
        Self::Simulated,
        Self::Uncertain,
        Self::OutOfRange,
        Self::Corrected,
    ];

    /// The quality of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|quality| quality.as_str() == word)
    }

    /// The word used in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::UnitAssumed => "unit_assumed",
            Self::Reported => "reported",
            Self::Simulated => "simulated",
            Self::Uncertain => "uncertain",
            Self::OutOfRange => "out_of_range",
            Self::Corrected => "corrected",
        }
    }

    /// Whether rules and indicators may use the value.
    pub const fn is_usable(self) -> bool {
        !matches!(self, Self::Uncertain | Self::OutOfRange)
    }
}
