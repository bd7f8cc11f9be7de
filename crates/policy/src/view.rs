//! What one caller may see, decided once for each kind of value and remembered: a view is of one caller, one purpose and one
//! hour, so a page of a thousand values asks the policies a few times only.

use crate::engine::Engine;
use crate::facts::{Moment, What, Who};
use crate::schema;
use model::Shared;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

/// How far a value may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Not at all.
    Hidden,
    /// That it is there, with most of it covered.
    Masked,
    /// As it is.
    Shown,
}

/// Values that policies cannot tell apart but by their attribute: of one type, in one town, of one owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    entity_type: Box<str>,
    division: Option<Box<str>>,
    owner: Option<Box<str>>,
}

/// What is decided for the attributes of a [`Place`].
#[derive(Debug)]
pub struct Columns {
    place: Place,
    /// Whether everything of the type that is declared is shown.
    pub all_shown: bool,
    decided: RwLock<HashMap<Box<str>, Access>>,
}

/// What one caller may see.
pub struct View {
    engine: Shared<Engine>,
    who: Who,
    purpose: Option<String>,
    moment: Moment,
    permissions: BTreeSet<String>,
    columns: RwLock<HashMap<Place, Arc<Columns>>>,
    tables: RwLock<HashMap<String, bool>>,
    cases: RwLock<HashMap<Option<String>, bool>>,
    sees_of_every_type: OnceLock<bool>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "View({:?} at {:?})", self.who, self.moment)
    }
}

impl View {
    /// What a caller may see at a moment, for a purpose when one is stated.
    pub fn new(engine: Shared<Engine>, who: Who, purpose: Option<String>, moment: Moment) -> Self {
        Self {
            permissions: engine.permissions(&who, moment).into_iter().collect(),
            engine,
            who,
            purpose,
            moment,
            columns: RwLock::default(),
            tables: RwLock::default(),
            cases: RwLock::default(),
            sees_of_every_type: OnceLock::new(),
        }
    }

    /// Whether an act is open to the caller.
    pub fn may(&self, action: &str) -> bool {
        self.permissions.contains(action)
    }

    /// All acts that are open to the caller.
    pub const fn permissions(&self) -> &BTreeSet<String> {
        &self.permissions
    }

    /// Whether something of every entity may be seen, wherever it stands and whosever it is.
    pub fn sees_of_every_type(&self) -> bool {
        *self.sees_of_every_type.get_or_init(|| {
            let sees = |kind: &str, attributes: &[String]| {
                let columns = self.columns(kind, None, None);
                let sees = |name: &str| self.access(&columns, name) != Access::Hidden;
                sees("") || attributes.iter().any(|name| sees(name))
            };
            let mut types = self.engine.facts().types.iter();
            !self.asks_division()
                && !self.asks_owner()
                && sees("", &[])
                && types.all(|(kind, known)| sees(kind, &known.attributes))
        })
    }

    /// Whether every value may be seen, of whatever it is: no policy tells values apart, and the caller may read.
    pub fn sees_all(&self) -> bool {
        !self.engine.asks_values && self.of("", "", None, None) != Access::Hidden
    }

    /// The stated purpose.
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// Whether policies ask where an entity stands; else the town need not be found.
    pub fn asks_division(&self) -> bool {
        self.engine.asks_division
    }

    /// Whether policies ask whose an entity is.
    pub fn asks_owner(&self) -> bool {
        self.engine.asks_owner
    }

    /// What is decided for the attributes of entities of a type, in a town, of an owner.
    pub fn columns(
        &self,
        entity_type: &str,
        division: Option<&str>,
        owner: Option<&str>,
    ) -> Arc<Columns> {
        let place = Place {
            entity_type: entity_type.into(),
            division: division.filter(|_| self.asks_division()).map(Into::into),
            owner: owner.filter(|_| self.asks_owner()).map(Into::into),
        };
        if let Some(found) = self.columns.read().get(&place) {
            return Arc::clone(found);
        }
        let mut columns = Columns {
            place: place.clone(),
            all_shown: false,
            decided: RwLock::default(),
        };
        let known = self.engine.facts().types.get(entity_type);
        let declared = known.map_or(&[][..], |known| &known.attributes);
        let shown = declared
            .iter()
            .filter(|name| self.access(&columns, name) == Access::Shown);
        columns.all_shown = shown.count() == declared.len() && !declared.is_empty();
        let columns = Arc::new(columns);
        self.columns.write().insert(place, Arc::clone(&columns));
        columns
    }

    /// How far an attribute may be seen.
    pub fn access(&self, columns: &Columns, attribute: &str) -> Access {
        if let Some(access) = columns.decided.read().get(attribute) {
            return *access;
        }
        let place = &columns.place;
        let datum = What::Datum {
            entity_type: &place.entity_type,
            attribute,
            division: place.division.as_deref(),
            owner: place.owner.as_deref(),
        };
        let permits = |action| {
            self.engine.permits(
                &self.who,
                action,
                &datum,
                self.purpose.as_deref(),
                self.moment,
            )
        };
        let is_personal = self
            .engine
            .facts()
            .types
            .get(&*place.entity_type)
            .is_some_and(|known| known.personal.contains_key(attribute));
        let access = if !permits(schema::READ) {
            Access::Hidden
        } else if is_personal && !permits(schema::REVEAL) {
            Access::Masked
        } else {
            Access::Shown
        };
        columns.decided.write().insert(attribute.into(), access);
        access
    }

    /// How far one attribute of one entity may be seen.
    pub fn of(
        &self,
        entity_type: &str,
        attribute: &str,
        division: Option<&str>,
        owner: Option<&str>,
    ) -> Access {
        self.access(&self.columns(entity_type, division, owner), attribute)
    }

    /// Whether a department's table may be read.
    pub fn table(&self, name: &str, organisation: Option<&str>) -> bool {
        if let Some(known) = self.tables.read().get(name) {
            return *known;
        }
        let what = What::Table { name, organisation };
        let permitted = self
            .engine
            .permits(&self.who, schema::QUERY, &what, None, self.moment);
        self.tables.write().insert(name.to_owned(), permitted);
        permitted
    }

    /// Whether a case of an organisation may be read.
    pub fn case(&self, organisation: Option<&str>) -> bool {
        let key = organisation.map(str::to_owned);
        if let Some(known) = self.cases.read().get(&key) {
            return *known;
        }
        let what = What::Case { organisation };
        let permitted = self.engine.permits(
            &self.who,
            schema::READ_CASE,
            &what,
            self.purpose.as_deref(),
            self.moment,
        );
        self.cases.write().insert(key, permitted);
        permitted
    }
}
