//! What policies are asked of: who asks, when, of what.

use jiff::tz::TimeZone;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What kind of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody who signed in.
    Person,
    /// A token.
    Machine,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    /// What kind.
    pub kind: Kind,
    /// The username, or the token's name: what policies call it by.
    pub name: String,
    /// Its roles, the words of.
    pub roles: Vec<String>,
    /// The organisations that it belongs to, by id.
    pub organisations: Vec<String>,
    /// The posts that it holds now, by id.
    pub posts: Vec<String>,
}

/// When it is asked, as far as policies may know: the hour of the week by the city's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// 0 to 23.
    pub hour: u8,
    /// Monday 1 to Sunday 7.
    pub weekday: u8,
}

impl Moment {
    /// The hour that a time lies in, by the clock of a zone.
    pub fn of(now: Timestamp, zone: &TimeZone) -> Self {
        let at = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
        let at = zone.to_datetime(at);
        Self {
            hour: at.hour().unsigned_abs(),
            weekday: at.weekday().to_monday_one_offset().unsigned_abs(),
        }
    }

    /// Every hour of the week.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=7).flat_map(|weekday| (0..24).map(move |hour| Self { hour, weekday }))
    }
}

/// What is known of an entity type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeFacts {
    /// The pack that declares it.
    pub pack: String,
    /// The organisation that owns its entities, by id.
    pub owner: Option<String>,
    /// Its attributes that are personal, each with `personal` or `sensitive`.
    pub personal: BTreeMap<String, &'static str>,
    /// All its declared attributes.
    pub attributes: Vec<String>,
}

/// What is known of the city, apart from its entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The organisations, each with the one above it.
    pub organisations: BTreeMap<String, Option<String>>,
    /// The posts, each with its organisation.
    pub posts: BTreeMap<String, String>,
    /// The towns, each with what it lies in (the city's code).
    pub divisions: BTreeMap<String, Option<String>>,
    /// The entity types.
    pub types: BTreeMap<String, TypeFacts>,
    /// The words of all acts.
    pub actions: Vec<String>,
}

/// Something that an act is asked upon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What<'a> {
    /// The platform.
    City,
    /// An attribute of an entity.
    Datum {
        /// The entity's type.
        entity_type: &'a str,
        /// The attribute.
        attribute: &'a str,
        /// The town where the entity stands, by code.
        division: Option<&'a str>,
        /// The organisation that owns it; the type's owner when `None`.
        owner: Option<&'a str>,
    },
    /// A department's table.
    Table {
        /// Its name.
        name: &'a str,
        /// Whose it is.
        organisation: Option<&'a str>,
    },
    /// A case.
    Case {
        /// Who has it.
        organisation: Option<&'a str>,
    },
}
