//! An entity as the standard has it (clauses 4.5.1 to 4.5.5, 4.5.18 to 4.5.24), with full names: what expansion gives, what patches
//! change, what is asked about, and what compaction shows.

use crate::context::Iri;
use model::Timestamp;
use serde_json::{Map, Value as Json};

/// An entity with full names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity {
    /// Its id, a URI; empty in a fragment that names none.
    pub id: Iri,
    /// Its types, without duplicates, in the order in which they were told.
    pub types: Vec<Iri>,
    /// Its scopes (clause 4.18); `None` when it has none. An empty list, in a fragment, takes them away.
    pub scopes: Option<Vec<Box<str>>>,
    /// The times that the system keeps, and the end of its life.
    pub times: Times,
    /// Its attributes by name, each with at least one instance, in the order in which they were told.
    pub attributes: Attributes,
}

/// Attributes by full name, each with its instances: at most one without a `datasetId`, and one for each `datasetId`.
pub type Attributes = Vec<(Iri, Vec<Attribute>)>;

/// Times of an entity or an attribute (clauses 4.8 and 4.22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// When it was taken away; only in temporal representations and notifications.
    pub deleted: Option<Timestamp>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// One instance of an attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attribute {
    /// What it holds; `None` only in a fragment that does not speak of it.
    pub held: Option<Held>,
    /// Which instance it is; `None` for the default one.
    pub dataset: Option<Iri>,
    /// When it was so.
    pub observed: Option<Timestamp>,
    /// UN/CEFACT code of the unit.
    pub unit: Option<Box<str>>,
    /// The full name of the value's type.
    pub value_type: Option<Iri>,
    /// Full names of the types of what a relationship points to.
    pub object_types: Vec<Iri>,
    /// The id of this instance in the temporal evolution.
    pub instance: Option<Iri>,
    /// The times that the system keeps, and its end.
    pub times: Times,
    /// Attributes of this attribute.
    pub subs: Attributes,
    /// Members that a fragment takes away.
    pub cleared: Vec<Member>,
}

/// A member beside the value that a fragment can take away with `urn:ngsi-ld:null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// `observedAt`.
    Observed,
    /// `unitCode`.
    Unit,
    /// `valueType`.
    ValueType,
    /// `objectType`.
    ObjectType,
    /// `expiresAt`.
    Expires,
}

/// What an attribute holds, which is also what kind of attribute it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// Property: any JSON but null.
    Property(Json),
    /// `GeoProperty`: a GeoJSON geometry.
    Geo(Json),
    /// Relationship: one entity or several.
    Relationship(Several<Iri>),
    /// `LanguageProperty`: texts by language.
    Language(Map<String, Json>),
    /// `VocabProperty`: full names.
    Vocab(Several<Iri>),
    /// `JsonProperty`: JSON as it stands, null included.
    Json(Json),
    /// `ListProperty`: values in order.
    List(Vec<Json>),
    /// `ListRelationship`: entities in order.
    ListRelationship(Vec<Iri>),
    /// NGSI-LD Null (clause 4.5.0): takes the instance away.
    Null,
}

/// One or several: one alone and a list of one are written differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Several<T> {
    /// One alone.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> Several<T> {
    /// Them all.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl Held {
    /// The attribute's type and the member that its value stands in; those of a Property for what is taken away.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Property(_) | Self::Null => ("Property", "value"),
            Self::Geo(_) => ("GeoProperty", "value"),
            Self::Relationship(_) => ("Relationship", "object"),
            Self::Language(_) => ("LanguageProperty", "languageMap"),
            Self::Vocab(_) => ("VocabProperty", "vocab"),
            Self::Json(_) => ("JsonProperty", "json"),
            Self::List(_) => ("ListProperty", "valueList"),
            Self::ListRelationship(_) => ("ListRelationship", "objectList"),
        }
    }
}

impl Attribute {
    /// An attribute that holds this and says no more.
    pub fn of(held: Held) -> Self {
        Self {
            held: Some(held),
            ..Self::default()
        }
    }

    /// Whether it takes its instance away.
    pub fn is_null(&self) -> bool {
        self.held == Some(Held::Null)
    }
}

impl Entity {
    /// The instances of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&[Attribute]> {
        find(&self.attributes, name)
    }
}

/// The instances under a full name.
pub(crate) fn find<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a [Attribute]> {
    let found = attributes.iter().find(|(known, _)| **known == *name)?;
    Some(&found.1)
}
