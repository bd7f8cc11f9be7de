//! Entity types as data: what a pack declares of them, and the catalogue of all. Names come from Smart
//! Data Models where one exists.

use crate::command::CommandKind;
use crate::table_view::TableView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An entity type (实体类型), declared by a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityKind {
    /// The type's name, e.g. `WaterObserved`.
    pub name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Where the definition comes from: a Smart Data Models subject and model, or a standard.
    #[serde(default)]
    pub source: Option<String>,
    /// Which Smart Data Model it follows, or why none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<Standard>,
    /// The attributes, by name.
    #[serde(default)]
    pub attributes: BTreeMap<String, AttributeKind>,
    /// Whether attributes that are not declared are accepted too (default: yes).
    #[serde(default = "yes")]
    pub open: bool,
    /// How long its history is kept and how it is condensed; nothing said: for ever, not condensed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryKind>,
    /// Every entity of the type says something at least so often, in seconds: who was not heard for longer counts as not heard
    /// (不在线). Nothing said: the type is of things that do not speak by themselves (assets, facilities, resources), and only
    /// those of them that a registered device speaks for are expected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_within_seconds: Option<u32>,
    /// The attribute that identifies the person whom the personal attributes are about (个人信息主体).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_subject: Option<String>,
    /// What its entities forecast, when it is a type of forecasts (预报).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastKind>,
    /// By whom its entities are affected (受影响), when it is a type of what is in danger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affected: Option<AffectedKind>,
    /// What its entities can be told to do (控制指令), by names of the type's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<String, CommandKind>,
}

impl EntityKind {
    /// Whether any attribute says something of a person.
    pub fn is_personal(&self) -> bool {
        self.attributes.values().any(|a| a.personal.is_some())
    }
}

/// What the entities of a type forecast, and where a run's result lies ([`crate::forecast::Forecast`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastKind {
    /// The type of what is forecast.
    pub entity_type: String,
    /// The attribute of it that is forecast: a number. Runs are stored in its unit.
    pub attribute: String,
    /// The attribute of the forecast that names the entity that is forecast: a relationship.
    pub relation: String,
    /// The attribute of the forecast that holds a run's result: JSON.
    pub series: String,
}

/// Whose values affect the entities of a type, and from which on: an area is in danger from a stage of its station on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AffectedKind {
    /// The attribute that names the entity whose value counts: a relationship.
    pub relation: String,
    /// The attribute of that entity that counts.
    pub attribute: Counted,
    /// The attribute that holds the number from which on the entity is affected.
    pub from: String,
    /// Attributes that are added up over those who are affected: people, households.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sums: Vec<String>,
    /// Attributes that name, by their codes, the divisions that the entity is about, such as villages: a text, or JSON that
    /// lists texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub divisions: Vec<String>,
    /// The attribute that holds the id of the post (岗位) that answers for the entity: text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_post: Option<String>,
    /// The attribute that holds the id of the organisation that answers for it, asked where no post does or nobody holds it: text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_organisation: Option<String>,
}

/// The attribute of an entity whose value counts: it may be called otherwise on each type that the entity may be of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "the name of an attribute, or a table of names by entity type"
)]
pub enum Counted {
    /// The same on every type.
    Named(String),
    /// By type; entities of other types count for nothing.
    OfType(BTreeMap<String, String>),
}

impl Counted {
    /// What it is called on a type, if the type counts.
    pub fn of(&self, entity_type: &str) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::OfType(names) => names.get(entity_type).map(String::as_str),
        }
    }
}

/// Which published data model an entity type follows: one of the two keys is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// The subject of Smart Data Models that has a model of the type's name: `dataModel.Environment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smart_data_model: Option<String>,
    /// Why there is no such model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<String>,
    /// The attributes that the model does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<String>,
}

/// What becomes of the history of an entity type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryKind {
    /// Days after which single observations are given up, counted from the end of their day (UTC); at
    /// least 1. Nothing said: kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// The rollups kept of its numbers, by their span.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rollups: BTreeMap<RollupSpan, RollupKind>,
}

/// The span that one row of a rollup covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RollupSpan {
    /// A minute.
    #[serde(rename = "1m")]
    Minute,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// A day of the city's own clock.
    #[serde(rename = "1d")]
    Day,
}

impl RollupSpan {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The word in declarations and in names of tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }
}

/// One rollup of an entity type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollupKind {
    /// Days after which its rows are given up; at least 1. Nothing said: kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
}

/// One declared attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeKind {
    /// What it holds.
    pub value: ValueKind,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// UN/CEFACT code of the unit it is stored in; what comes in another unit is converted.
    #[serde(default)]
    pub unit: Option<String>,
    /// What to do when a message gives no unit.
    #[serde(default)]
    pub unit_missing: MissingUnit,
    /// Least credible value, in `unit`; below it a value is kept as `out_of_range`.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest credible value, in `unit`.
    #[serde(default)]
    pub max: Option<f64>,
    /// Whether it says something of a person: then it is sealed before it is stored, and shown masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<Personal>,
    /// What of a personal value is shown to whoever may not see it whole; `whole` hides all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<MaskKind>,
}

/// What an attribute says of a person (个人信息保护法, Personal Information Protection Law, articles 4 and 28).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Personal {
    /// Personal information (个人信息): of an identified person, or one who can be identified.
    Personal,
    /// Sensitive personal information (敏感个人信息): what does harm when it leaks, such as numbers of identity cards,
    /// health, whereabouts, and whatever is of a child under fourteen.
    Sensitive,
}

impl Personal {
    /// The word in declarations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Sensitive => "sensitive",
        }
    }
}

/// What a masked value leaves (脱敏).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskKind {
    /// The first character of a name: `张*`.
    Name,
    /// The ends of a telephone number: `138****1234`.
    Phone,
    /// Division and last digits of an identity card's number (身份证号): `429006********1234`.
    IdNumber,
    /// The province, city and district of an address: `天门市****`.
    Address,
    /// The ends of a vehicle's number plate (车牌): `鄂R***12`.
    Plate,
    /// Nothing.
    #[default]
    Whole,
}

impl MaskKind {
    /// The word in declarations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::IdNumber => "id-number",
            Self::Address => "address",
            Self::Plate => "plate",
            Self::Whole => "whole",
        }
    }
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// A finite number.
    Number,
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// A place.
    Geometry,
    /// Another entity.
    Relationship,
    /// Any JSON.
    Json,
}

/// What to do when a message gives a number without its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingUnit {
    /// Take the declared unit and mark the value `unit_assumed`.
    #[default]
    Assume,
    /// Refuse the value: for attributes where a wrong guess is dangerous. A form that has no place for a unit
    /// (a bare JSON value, a field of line protocol) is taken as with `Assume`: its sender could not have told.
    Reject,
}

const fn yes() -> bool {
    true
}

/// All entity types of a city, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The types.
    pub kinds: BTreeMap<String, EntityKind>,
    /// Tables that packs declare as SQL, each after those that it reads.
    #[serde(default)]
    pub views: Vec<TableView>,
}

impl Catalogue {
    /// The declaration of an attribute, when both the type and the attribute are declared.
    pub fn attribute(&self, entity_type: &str, attribute: &str) -> Option<&AttributeKind> {
        self.kinds.get(entity_type)?.attributes.get(attribute)
    }

    /// The declared table of that name.
    pub fn view(&self, name: &str) -> Option<&TableView> {
        self.views.iter().find(|view| view.name == name)
    }
}
