//! JSON with short names → entities with full names (clauses 4.5, 5.5.4 and 5.5.7): every form of clause 4.5 mixed freely, checked
//! as the standard says. Keys inside a Property's compound value are kept as they were sent.

mod value;

pub(crate) use value::check_geometry;

use crate::config::Limits;
use crate::context::{Context, Iri};
use crate::entity::{Attribute, Attributes, Entity, Member};
use crate::json::{Json, Members, duplicate, member};
use crate::refusal::{Refusal, bad};
use crate::words::{time, uri};
use crate::{NULL_URN, query};
use model::problem::quote;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What the entity is for, which says what may be left out and where NGSI-LD Null may stand (clause 5.5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A whole entity: id and type are there, nothing is null.
    Whole,
    /// A fragment to append: id and type may be left out, nothing is null.
    Append,
    /// A fragment for update (clause 5.5.8): null takes attributes and their members away.
    Update,
    /// A fragment for merge (clause 5.5.12): null also stands inside values.
    Merge,
}

/// Expands with one context, within limits.
#[derive(Clone, Copy, Debug)]
pub struct Expansion<'c> {
    /// The request's context.
    pub context: &'c Context,
    /// Limits of one entity.
    pub limits: &'c Limits,
    /// What it is for.
    pub task: Task,
}

/// Each attribute type with the member that holds its value. `value` alone stands for a Property, or a `GeoProperty`.
const KINDS: [(&str, &str); 8] = [
    ("Property", "value"),
    ("GeoProperty", "value"),
    ("Relationship", "object"),
    ("LanguageProperty", "languageMap"),
    ("VocabProperty", "vocab"),
    ("JsonProperty", "json"),
    ("ListProperty", "valueList"),
    ("ListRelationship", "objectList"),
];
/// Members of attributes that are no attributes themselves, and so cannot be those of an entity.
const MEMBERS: [&str; 9] = [
    "datasetId",
    "instanceId",
    "observedAt",
    "unitCode",
    "valueType",
    "objectType",
    "lang",
    "entity",
    "entityList",
];
const NGSI_LD: &str = "https://uri.etsi.org/ngsi-ld/";

impl Expansion<'_> {
    const fn takes_null(&self) -> bool {
        matches!(self.task, Task::Update | Task::Merge)
    }

    /// An entity, or a fragment of one.
    ///
    /// # Errors
    /// `BadRequestData` for the first mistake met.
    pub fn entity(&self, json: &Json<'_>) -> Result<Entity, Refusal> {
        let Json::Object(members) = json else {
            return Err(form("", json, "实体对象", "an entity as an object"));
        };
        no_duplicate(members)?;
        let mut entity = Entity::default();
        for (key, json) in members {
            self.entity_member(&mut entity, key, json)?;
        }
        if self.task == Task::Whole {
            if entity.id.is_empty() {
                return Err(absent("id", "URI", "a URI"));
            }
            if entity.types.is_empty() {
                return Err(absent("type", "实体类型", "an entity type"));
            }
        }
        Ok(entity)
    }

    fn entity_member(
        &self,
        entity: &mut Entity,
        key: &str,
        json: &Json<'_>,
    ) -> Result<(), Refusal> {
        let alias = self.context.term(key).and_then(|term| term.iri.as_deref());
        match (key, alias) {
            ("@context" | "createdAt" | "modifiedAt" | "deletedAt", _) => {}
            ("@id", _) | (_, Some("@id")) => {
                let text = text(json, "id", "URI", "a URI")?;
                if text == NULL_URN {
                    return Err(null_here("id"));
                }
                uri(text, "id")?;
                entity.id = Arc::from(text);
            }
            ("@type", _) | (_, Some("@type")) => entity.types = self.types(json)?,
            ("scope", _) => entity.scopes = Some(self.scopes(json)?),
            ("expiresAt", _) => {
                entity.times.expires = Some(time(text(json, key, "时间", "a time")?, "expiresAt")?);
            }
            (key, _) if key.starts_with('@') => return Err(keyword(key)),
            _ => {
                let (name, instances) = self.attribute(key, json)?;
                if entity.attributes.iter().any(|(known, _)| *known == name) {
                    return Err(twice(key));
                }
                if entity.attributes.len() >= self.limits.attributes_max {
                    return Err(self.too_many());
                }
                entity.attributes.push((name, instances));
            }
        }
        Ok(())
    }

    fn too_many(&self) -> Refusal {
        let max = self.limits.attributes_max;
        bad(
            "too-many-attributes",
            "",
            (
                format!("实体的属性超过 {max} 个"),
                format!("the entity has more than {max} attributes"),
            ),
            ("请拆成几个实体", "split it into several entities"),
        )
    }

    fn types(&self, json: &Json<'_>) -> Result<Vec<Iri>, Refusal> {
        let mut types: Vec<Iri> = Vec::new();
        for one in texts(json, "type", "实体类型", "an entity type")? {
            if one == NULL_URN {
                return Err(null_here("type"));
            }
            let name = self.context.name(one).map_err(|e| e.within("type"))?;
            if !types.contains(&name) {
                types.push(name);
            }
        }
        Ok(types)
    }

    fn scopes(&self, json: &Json<'_>) -> Result<Vec<Box<str>>, Refusal> {
        let mut scopes: Vec<Box<str>> = Vec::new();
        for one in texts(json, "scope", "范围", "a scope")? {
            if one == NULL_URN {
                if !self.takes_null() {
                    return Err(null_here("scope"));
                }
                return Ok(Vec::new());
            }
            query::scope::check(one)?;
            if !scopes.iter().any(|known| **known == *one) {
                scopes.push(one.into());
            }
        }
        Ok(scopes)
    }

    /// One attribute with all its instances, and its full name.
    /// Of a body that is an attribute alone, its own `@context` is taken off by whoever resolved it.
    ///
    /// # Errors
    /// `BadRequestData` for the first mistake met; its place begins with the attribute's name.
    pub fn attribute(&self, key: &str, json: &Json<'_>) -> Result<(Iri, Vec<Attribute>), Refusal> {
        if MEMBERS.contains(&key) || key.starts_with("previous") && self.is_core(key) {
            return Err(keyword(key));
        }
        let name = self.context.name(key)?;
        if name.starts_with('@') {
            return Err(keyword(key));
        }
        let instances = self
            .instances(json)
            .map_err(|refusal| refusal.within(&quote(key)))?;
        Ok((name, instances))
    }

    fn is_core(&self, key: &str) -> bool {
        let term = self.context.term(key).and_then(|term| term.iri.as_deref());
        term.is_some_and(|iri| iri.starts_with("https://uri.etsi.org/ngsi-ld/hasPrevious"))
    }

    fn instances(&self, json: &Json<'_>) -> Result<Vec<Attribute>, Refusal> {
        let instances = match json {
            Json::Array(items) if !items.is_empty() && items.iter().all(is_instance) => items
                .iter()
                .map(|item| self.instance(item))
                .collect::<Result<Vec<_>, _>>()?,
            Json::Object(members) if is_by_dataset(members) => {
                let by_dataset = members.first().and_then(|(_, json)| json.as_members());
                self.simplified_instances(by_dataset.unwrap_or(members))?
            }
            one => vec![self.instance(one)?],
        };
        for (n, one) in instances.iter().enumerate() {
            if instances
                .iter()
                .take(n)
                .any(|before| before.dataset == one.dataset)
            {
                let which = one.dataset.as_deref().unwrap_or("@none");
                return Err(bad(
                    "dataset-twice",
                    "datasetId",
                    (
                        format!("实例 {} 出现两次", quote(which)),
                        format!("the instance {} comes twice", quote(which)),
                    ),
                    (
                        "每个 datasetId 只写一次，默认实例也只写一次",
                        "send each datasetId once, and one instance without",
                    ),
                ));
            }
        }
        Ok(instances)
    }

    /// The simplified form of several instances (clause 4.5.4).
    fn simplified_instances(&self, by_dataset: &Members<'_>) -> Result<Vec<Attribute>, Refusal> {
        no_duplicate(by_dataset)?;
        let instances = by_dataset.iter().map(|(dataset, json)| {
            let mut one = self.instance(json)?;
            one.dataset = dataset_of(dataset)?;
            Ok(one)
        });
        instances.collect()
    }

    fn instance(&self, json: &Json<'_>) -> Result<Attribute, Refusal> {
        let Json::Object(members) = json else {
            return Ok(Attribute::of(self.property(json)?));
        };
        no_duplicate(members)?;
        let declared = ["type", "@type"]
            .iter()
            .find_map(|key| member(members, key));
        let holder = KINDS.iter().find(|(_, key)| member(members, key).is_some());
        if member(members, "@value").is_some() {
            return Ok(Attribute::of(self.property(json)?));
        }
        let Some(declared) = declared else {
            return match holder {
                Some((kind, _)) => self.whole(Some(*kind), false, members),
                None if self.takes_null()
                    && members
                        .iter()
                        .any(|(key, _)| MEMBERS.contains(&&**key) || key == "expiresAt") =>
                {
                    self.whole(None, false, members)
                }
                None => Ok(Attribute::of(self.property(json)?)),
            };
        };
        let declared = text(declared, "type", "属性类型", "an attribute type")?;
        let kind = declared.strip_prefix(NGSI_LD).unwrap_or(declared);
        if KINDS.iter().any(|(known, _)| *known == kind) {
            return self.whole(Some(kind), true, members);
        }
        if value::is_geometry(members) {
            return Ok(Attribute::of(value::geometry(json)?));
        }
        let shown = quote(declared);
        Err(bad(
            "attribute-type",
            "type",
            (
                format!("“{shown}”不是属性类型"),
                format!("\"{shown}\" is not an attribute type"),
            ),
            (
                "请用 Property、GeoProperty、Relationship、LanguageProperty、VocabProperty、JsonProperty、ListProperty 或 ListRelationship；\
                 值里有 type 的对象请放在 value 里",
                "use Property, GeoProperty, Relationship, LanguageProperty, VocabProperty, JsonProperty, ListProperty or ListRelationship; put an \
                 object that has a `type` of its own into `value`",
            ),
        ))
    }

    /// An attribute in normalized or concise form. Without a `kind` the fragment does not speak of the value.
    fn whole(
        &self,
        kind: Option<&str>,
        is_declared: bool,
        members: &Members<'_>,
    ) -> Result<Attribute, Refusal> {
        let mut out = Attribute::default();
        let holder = KINDS.iter().find(|(known, _)| kind == Some(*known));
        let holder = holder.map(|(_, key)| *key);
        for (key, json) in members {
            let key = &**key;
            if Some(key) == holder {
                let held = self.held(kind.unwrap_or_default(), is_declared, json);
                out.held = Some(held.map_err(|e| e.within(key))?);
                continue;
            }
            if KINDS.iter().any(|(_, of_another)| *of_another == key) {
                return Err(bad(
                    "value-of-another-kind",
                    key,
                    (
                        format!("{} 不能有成员 {key}", kind.unwrap_or("这个属性")),
                        format!(
                            "a {} has no member {key}",
                            kind.unwrap_or("fragment like this")
                        ),
                    ),
                    (
                        "每个属性只写与其类型相符的那个值成员",
                        "give each attribute the one value member of its type",
                    ),
                ));
            }
            self.beside_value(&mut out, kind, key, json)?;
        }
        if out.held.is_none() && !self.takes_null() {
            let key = holder.unwrap_or("value");
            return Err(absent(key, "属性的值", "the attribute's value"));
        }
        Ok(out)
    }

    fn beside_value(
        &self,
        out: &mut Attribute,
        kind: Option<&str>,
        key: &str,
        json: &Json<'_>,
    ) -> Result<(), Refusal> {
        let is_null = json.as_text() == Some(NULL_URN) && self.takes_null();
        match key {
            "type" | "@type" | "createdAt" | "modifiedAt" | "deletedAt" | "instanceId" | "lang" => {
            }
            "datasetId" => out.dataset = dataset_of(text(json, key, "URI", "a URI")?)?,
            "observedAt" if is_null => out.cleared.push(Member::Observed),
            "observedAt" => out.observed = Some(time(text(json, key, "时间", "a time")?, key)?),
            "expiresAt" if is_null => out.cleared.push(Member::Expires),
            "expiresAt" => out.times.expires = Some(time(text(json, key, "时间", "a time")?, key)?),
            "unitCode" if is_null => out.cleared.push(Member::Unit),
            "unitCode" => {
                if !matches!(
                    kind,
                    None | Some("Property" | "GeoProperty" | "ListProperty")
                ) {
                    return Err(bad(
                        "unit-out-of-place",
                        key,
                        ("这种属性没有单位", "an attribute of this type has no unit"),
                        ("请去掉 unitCode", "leave unitCode out"),
                    ));
                }
                out.unit = Some(text(json, key, "UN/CEFACT 单位代码", "a UN/CEFACT code")?.into());
            }
            "valueType" if is_null => out.cleared.push(Member::ValueType),
            "valueType" => {
                let kind = text(json, key, "类型名", "the name of a type")?;
                out.value_type = Some(self.context.expand(kind));
            }
            "objectType" if is_null => out.cleared.push(Member::ObjectType),
            "objectType" => {
                let kinds = texts(json, key, "实体类型", "an entity type")?;
                let kinds = kinds.into_iter().map(|kind| self.context.name(kind));
                out.object_types = kinds.collect::<Result<_, _>>()?;
            }
            "entity" | "entityList" => return Err(keyword(key)),
            key if key.starts_with("previous") && self.is_core(key) => {}
            key if key.starts_with('@') => return Err(keyword(key)),
            key => {
                let (name, instances) = self.attribute(key, json)?;
                push(&mut out.subs, name, instances, key)?;
            }
        }
        Ok(())
    }
}

fn push(
    attributes: &mut Attributes,
    name: Iri,
    instances: Vec<Attribute>,
    key: &str,
) -> Result<(), Refusal> {
    if attributes.iter().any(|(known, _)| *known == name) {
        return Err(twice(key));
    }
    attributes.push((name, instances));
    Ok(())
}

/// Whether an item of an array is an instance of an attribute and not an item of a value.
fn is_instance(json: &Json<'_>) -> bool {
    json.as_members().is_some_and(|members| {
        let declared = ["type", "@type"]
            .iter()
            .find_map(|key| member(members, key));
        let is_declared = declared.and_then(Json::as_text).is_some_and(|kind| {
            let kind = kind.strip_prefix(NGSI_LD).unwrap_or(kind);
            KINDS.iter().any(|(known, _)| *known == kind)
        });
        is_declared
            || member(members, "datasetId").is_some()
            || declared.is_none() && KINDS.iter().any(|(_, key)| member(members, key).is_some())
    })
}

/// Whether a Property's value can stand alone in concise form: read again, it is the same value of the same kind.
pub(crate) fn is_plain_value(value: &Value) -> bool {
    let has = |members: &Map<String, Value>, keys: &[&str]| {
        keys.iter().any(|key| members.contains_key(*key))
    };
    let is_read_as_attribute = |members: &Map<String, Value>| {
        let holds = KINDS.iter().any(|(_, key)| members.contains_key(*key));
        holds
            || has(
                members,
                &["type", "@type", "datasetId", "dataset", "@context"],
            )
    };
    match value {
        // What a fragment would take for a member beside a value.
        Value::Object(members) => {
            !is_read_as_attribute(members)
                && !has(members, &MEMBERS)
                && !has(members, &["expiresAt"])
        }
        Value::Array(items) => !items
            .iter()
            .any(|item| item.as_object().is_some_and(is_read_as_attribute)),
        _ => true,
    }
}

/// Whether this is the simplified form of several instances.
fn is_by_dataset(members: &Members<'_>) -> bool {
    matches!(members.as_slice(), [(key, Json::Object(_))] if key == "dataset")
}

fn dataset_of(text: &str) -> Result<Option<Iri>, Refusal> {
    match text {
        "@none" => Ok(None),
        NULL_URN => Err(null_here("datasetId")),
        text => {
            uri(text, "datasetId")?;
            Ok(Some(Arc::from(text)))
        }
    }
}

fn no_duplicate(members: &Members<'_>) -> Result<(), Refusal> {
    duplicate(members).map_or(Ok(()), |key| Err(twice(key)))
}

/// A text, not empty.
fn text<'j>(json: &'j Json<'_>, place: &str, zh: &str, en: &str) -> Result<&'j str, Refusal> {
    match json.as_text() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(form(place, json, zh, en)),
    }
}

/// A text or an array of texts, at least one.
fn texts<'j>(json: &'j Json<'_>, place: &str, zh: &str, en: &str) -> Result<Vec<&'j str>, Refusal> {
    match json {
        Json::Array(items) if !items.is_empty() => {
            items.iter().map(|item| text(item, place, zh, en)).collect()
        }
        one => Ok(vec![text(one, place, zh, en)?]),
    }
}

fn form(place: &str, found: &Json<'_>, zh: &str, en: &str) -> Refusal {
    let found_zh = match found {
        Json::Null => "null",
        Json::Boolean(_) => "布尔值",
        Json::Number(_) => "数字",
        Json::Text(_) => "文字",
        Json::Array(_) => "数组",
        Json::Object(_) => "对象",
    };
    bad(
        "value-type",
        place,
        (
            format!("此处是{found_zh}，应为{zh}"),
            format!("found {} where {en} belongs", found.kind()),
        ),
        (&format!("请写{zh}"), &format!("send {en}")),
    )
}

fn absent(key: &str, zh: &str, en: &str) -> Refusal {
    bad(
        "member-missing",
        key,
        (format!("缺少 {key}"), format!("{key} is missing")),
        (
            &format!("请在 {key} 中写{zh}"),
            &format!("put {en} into {key}"),
        ),
    )
}

fn twice(key: &str) -> Refusal {
    let shown = quote(key);
    bad(
        "duplicate-key",
        &shown,
        (
            format!("成员“{shown}”出现两次"),
            format!("the member \"{shown}\" comes twice"),
        ),
        (
            "每个成员只写一次（短名称与完整名称算同一个）",
            "send each member once; a short and a full name of the same thing are one",
        ),
    )
}

fn keyword(key: &str) -> Refusal {
    let shown = quote(key);
    bad(
        "name-taken",
        &shown,
        (
            format!("“{shown}”在此处有别的含义，不能作属性名"),
            format!("\"{shown}\" has a meaning of its own and is no attribute here"),
        ),
        ("请改用别的名称", "use another name"),
    )
}

fn null_here(place: &str) -> Refusal {
    bad(
        "null-out-of-place",
        place,
        (
            "此处不能用 urn:ngsi-ld:null",
            "urn:ngsi-ld:null may not stand here",
        ),
        (
            "只有更新和合并操作中才用它删除成员",
            "it takes members away in update and merge operations alone",
        ),
    )
}
