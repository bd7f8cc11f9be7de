//! What the files of a pack hold.

use crate::isolines::Isolines;
use indicators::Place;
use model::EntityId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `pack.toml`: what the pack is and whose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The pack's name; its folder has the same.
    pub name: String,
    /// Counted up with every change.
    pub version: u32,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The department that owns it, in Chinese.
    pub owner_zh: String,
    /// The same in English.
    pub owner_en: String,
    /// The department's id in the city profile, so that policies can speak of whose the pack's entities are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The system of the city's plan that it makes, by the id that `plan.toml` gives it; several packs may make one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The paragraphs of the plan that it answers.
    #[serde(default)]
    pub plan: Vec<Place>,
    /// Permission words that reading its pages needs.
    pub permissions: Vec<String>,
    /// Permissions of its own, beyond those of the platform. Who has them by default is what its `policies/*.cedar` say.
    #[serde(rename = "permission", default, skip_serializing_if = "Vec::is_empty")]
    pub own_permissions: Vec<OwnPermission>,
}

/// A permission that a pack brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnPermission {
    /// Its word, which begins with the pack's name without `pack-`: `water.gate-control`.
    pub word: String,
    /// What it allows, in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
}

/// `quality.toml`: the ledger, one `[[rule]]` each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// The rules.
    #[serde(rename = "rule", default)]
    pub rules: Vec<QualityRule>,
}

/// One rule of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityRule {
    /// The rule.
    pub id: String,
    /// Whether it is kept.
    pub state: QualityState,
    /// Why, for `exempt`; how far, for `todo`.
    #[serde(default)]
    pub because: Option<String>,
}

/// Whether a rule of the ledger is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QualityState {
    /// Kept.
    Done,
    /// Not yet.
    Todo,
    /// Does not apply, `because`.
    Exempt,
}

/// The rules that every pack's ledger answers.
pub const QUALITY_RULES: [&str; 8] = [
    "standard-names", // entity types and attributes named as in Smart Data Models where one exists
    "units",          // every number that has a dimension declares its unit
    "ranges",         // credible ranges are declared, with their source
    "runbooks",       // every rule has a runbook that a person on duty can follow
    "two-languages",  // every word in Chinese and English
    "sources",        // limits and thresholds name the standard or law they come from
    "scenarios",      // the pack's main jobs are written as given / when / then
    "department-review", // somebody of the department has read it
];

/// `views/*.toml`: one page of the department, over one entity type or over cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Unique in the city, kebab case.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The entity type shown; none in a view of cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// Place among all views; lower comes first.
    #[serde(default)]
    pub order: u32,
    /// On the map.
    #[serde(default)]
    pub layer: Option<Layer>,
    /// As a table.
    #[serde(default)]
    pub table: Option<Table>,
    /// As a chart on the entity's page.
    #[serde(default)]
    pub chart: Option<Chart>,
    /// As a form in which a person enters what no device says (人工录入).
    #[serde(default)]
    pub form: Option<EntryForm>,
    /// As a board: entities in columns by one of their attributes (看板).
    #[serde(default)]
    pub board: Option<Board>,
    /// As a board of cases: those of a workflow in columns by where they stand (案件看板).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<CaseBoard>,
}

/// Cases in columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseBoard {
    /// The workflow whose cases are shown: one of the pack's, or the city's own, `city-case`.
    pub workflow: String,
    /// The states that are columns, in order; all in which a case has not ended when left out.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Only cases of this class: a code of the pack's `categories/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// A form for one entity of a type. Labels, units and credible ranges are those of the declared attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryForm {
    /// Whether an entity may be entered that is not there yet; otherwise one that is there is chosen.
    #[serde(default)]
    pub new: bool,
    /// The attribute, a text, that says whose the entity is: an organisation's id or its Chinese name. People of that organisation enter
    /// it too, beside those of the pack's owner and of the command centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The fields, in order.
    #[serde(default)]
    pub fields: Vec<EntryField>,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryField {
    /// The attribute that is filled in: a number, a text, a yes or no, a place (a point), another entity, or a list of texts.
    pub attribute: String,
    /// Whether the form cannot be sent without it.
    #[serde(default)]
    pub required: bool,
    /// The values to choose from, for a text; any when there are none.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Of which of the pack's types another entity may be; of any type when none is named.
    #[serde(default)]
    pub from: Vec<String>,
    /// Whether a JSON attribute is filled in as a list of texts, such as codes.
    #[serde(default)]
    pub list: bool,
}

/// One value of an attribute, with what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The value as it is stored.
    pub value: String,
    /// What it is called in Chinese; the attribute's word of `strings/zh.toml` when both titles are left out.
    #[serde(default)]
    pub title_zh: String,
    /// The same in English.
    #[serde(default)]
    pub title_en: String,
}

impl Choice {
    /// Whether it has no title of its own.
    pub fn is_untitled(&self) -> bool {
        self.title_zh.is_empty() && self.title_en.is_empty()
    }
}

/// Entities in columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// The attribute, a text, that says in which column an entity stands.
    pub attribute: String,
    /// The columns, in order; what has another value stands in a last column of its own.
    #[serde(default)]
    pub columns: Vec<Choice>,
    /// Attributes shown on an entity's card.
    #[serde(default)]
    pub card: Vec<String>,
    /// Whether a person may put an entity into another column, which says a new value of the attribute. Only for what people
    /// decide: what devices say would say otherwise a moment later.
    #[serde(default)]
    pub moves: bool,
}

/// How the map shows an entity type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The icon's name, kebab case.
    pub icon: String,
    /// `#rrggbb`.
    pub colour: String,
    /// The attribute written beside the marker.
    #[serde(default)]
    pub attribute: Option<String>,
    /// Zoom from which single markers are drawn; below it they are drawn as clusters. 0 to 22.
    #[serde(default)]
    pub zoom_min: u8,
    /// Whether the layer is on when the map opens.
    #[serde(default)]
    pub shown: bool,
    /// Lines of equal value over the type's entities (等值线), which `shown` speaks of too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolines: Option<Isolines>,
}

/// Columns of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Attributes, in order.
    pub columns: Vec<String>,
}

/// A chart over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// Attributes drawn as lines; all in one unit.
    pub attributes: Vec<String>,
    /// Attributes whose current value is drawn as a limit.
    #[serde(default)]
    pub limits: Vec<String>,
}

/// `mappings/*.toml`: how data that names no entity finds its entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Unique in the city, kebab case.
    pub id: String,
    /// The door it serves.
    pub door: MappingDoor,
    /// For `mqtt` the topic filter, with `+` for one level; for `influx` the measurement.
    pub from: String,
    /// The entity type it speaks of.
    pub entity_type: String,
    /// The entity's id. `{1}` is what the first `+` of the topic filter stood for, `{2}` the second;
    /// for `influx`, `{name}` is the value of the tag `name`.
    pub entity_id: String,
    /// Names in the message (SenML names, line-protocol fields) and the attributes they mean.
    #[serde(default)]
    pub fields: BTreeMap<String, MappingField>,
}

/// The doors that mappings serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MappingDoor {
    /// MQTT: by topic.
    Mqtt,
    /// InfluxDB line protocol: by measurement and tags.
    Influx,
}

/// What a name in a message means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingField {
    /// The attribute.
    pub attribute: String,
    /// UN/CEFACT code of the unit that the message is in, when it does not say; `None`: the declared one is assumed.
    #[serde(default)]
    pub unit: Option<String>,
}

/// What rules name in `opens_case` for the workflow that every city has: the seven steps of grid management
/// ([`cases::Workflow::standard`]).
pub const STANDARD_WORKFLOW: &str = "standard";

/// A runbook: what the person on duty does (Markdown).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runbook {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// `plan.toml`: the plan whose indicators the pack holds. A city may have several side by side, each brought by a pack of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Short id: lower-case letters, digits, `-`; the pack's name without `pack-` when left out.
    #[serde(default)]
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Who published it and when, Chinese.
    pub source_zh: String,
    /// The same in English.
    pub source_en: String,
    /// First and last year: the year of the baselines and the year of the targets. The plan holds from the year after the first.
    pub period: [i16; 2],
    /// Notes on how the plan was read, Chinese.
    #[serde(default)]
    pub notes_zh: Vec<String>,
    /// The same in English.
    #[serde(default)]
    pub notes_en: Vec<String>,
    /// The systems that the plan names, in order.
    #[serde(rename = "system", default)]
    pub systems: Vec<System>,
    /// The plan's text, from `plan.txt`.
    #[serde(skip)]
    pub text: String,
}

/// A system of the plan, installed or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Stable id, such as `S28`.
    pub id: String,
    /// Its place in the plan's frame.
    pub part: SystemPart,
    /// Its name in Chinese, the plan's own.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// The plan's words that ask for it.
    pub quote: String,
    /// Ids of the indicators that it answers for; each is one system's.
    #[serde(default)]
    pub indicators: Vec<String>,
}

impl System {
    /// The plan's words as a place to verify; which section they stand in is not said.
    pub fn place(&self) -> Place {
        Place {
            section: String::new(),
            quote: self.quote.clone(),
        }
    }
}

/// The places in the plan's frame 1+1+N+3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SystemPart {
    /// The one city data platform (城市大数据云平台).
    Data,
    /// The one operations command centre (智慧城市运营指挥中心).
    Command,
    /// One of the N thematic systems (专项应用).
    Thematic,
    /// The system of standards (标准体系).
    Standards,
    /// The system of security (安全体系).
    Security,
    /// The system of assurance (保障体系).
    Assurance,
}

/// `contradictions.toml`: where the plan contradicts itself, one `[[contradiction]]` each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradictions {
    /// Them all.
    #[serde(rename = "contradiction", default)]
    pub all: Vec<Contradiction>,
}

/// A place where the plan contradicts itself, makes no sense for such a city, or can be read in two ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// Stable id, kebab case.
    pub id: String,
    /// Which of the three.
    pub kind: ContradictionKind,
    /// What is wrong, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// How the platform reads it, Chinese.
    pub reading_zh: String,
    /// The same in English.
    pub reading_en: String,
    /// Ids of the indicators it touches.
    #[serde(default)]
    pub indicators: Vec<String>,
    /// The plan's own words; at least two for a contradiction.
    pub places: Vec<Place>,
}

/// What is wrong with the plan there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContradictionKind {
    /// Two places that cannot both hold.
    Contradiction,
    /// A figure that makes no sense for a county-level city, or as such a figure.
    Implausible,
    /// Words that can be read in two ways, with different results.
    Ambiguous,
}

impl Mapping {
    /// Whether an id template can make ids.
    pub(crate) fn template(&self) -> Result<(), (String, &'static str)> {
        let levels = self.from.split('/').filter(|level| *level == "+").count();
        let mut id = String::new();
        let mut rest = self.entity_id.as_str();
        while let Some(start) = rest.find('{') {
            id.push_str(&rest[..start]);
            let Some(end) = rest[start..].find('}') else {
                return Err(("a { is not closed".into(), "close it with }"));
            };
            let name = &rest[start + 1..start + end];
            let known = match self.door {
                MappingDoor::Mqtt => name
                    .parse::<usize>()
                    .is_ok_and(|n| (1..=levels).contains(&n)),
                MappingDoor::Influx => !name.is_empty(),
            };
            if !known {
                return Err((
                    format!("{{{name}}} stands for nothing"),
                    "use {1} for the first + of the topic filter, {2} for the second, or {tag} for a tag's value",
                ));
            }
            id.push('x');
            rest = &rest[start + end + 1..];
        }
        id.push_str(rest);
        EntityId::new(&id).map(|_| ()).map_err(|problem| {
            (
                problem.what,
                "write a URI such as urn:ngsi-ld:WaterObserved:{1}",
            )
        })
    }
}
