//! Entities with full names → JSON with the names of a request's context: normalized, concise and simplified (clauses 4.5.1 to
//! 4.5.4), GeoJSON (4.5.16, 4.5.17), with what was asked for of it: system attributes, languages (4.15), projection (4.21), instances.

use crate::context::{Context, Iri};
use crate::entity::{Attribute, Attributes, Entity, Held, Several, Times};
use crate::expand::is_plain_value;
use crate::refusal::Refusal;
use model::Timestamp;
use serde_json::{Map, Value as Json, json};

/// How attributes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Whole.
    #[default]
    Normalized,
    /// Without what can be seen from the rest.
    Concise,
    /// Values alone.
    Simplified,
}

/// How an entity is shown.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The form of its attributes.
    pub form: Form,
    /// Whether the system's times are shown: `createdAt`, `modifiedAt`, `expiresAt`.
    pub sys_attrs: bool,
    /// The languages that are wanted, best first; `*` is any. Without any, maps of languages are shown whole.
    pub languages: Vec<String>,
    /// What is shown alone.
    pub pick: Option<Members>,
    /// What is left out.
    pub omit: Option<Members>,
    /// Which instances; all when not said. `None` inside is the default one.
    pub datasets: Option<Vec<Option<Iri>>>,
}

/// Members of an entity that are picked or left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// `id`, `type`, `scope` among them.
    words: Vec<&'static str>,
    /// Full names of attributes.
    names: Vec<Iri>,
}

impl Members {
    /// Reads a list of members (clause 4.21); those of linked entities, in braces, are read and left for a join.
    ///
    /// # Errors
    /// `BadRequestData` for what is no list of names.
    pub fn parse(text: &str, context: &Context) -> Result<Self, Refusal> {
        let mut out = Self::default();
        let mut depth = 0_usize;
        let parts = text.split(|c: char| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(c, ',' | '|')
        });
        for part in parts {
            let name = part.split('{').next().unwrap_or_default().trim();
            match ["id", "type", "scope"]
                .into_iter()
                .find(|word| *word == name)
            {
                Some(word) => out.words.push(word),
                None => out.names.push(context.name(name)?),
            }
        }
        Ok(out)
    }

    /// The attributes named.
    pub fn names(&self) -> &[Iri] {
        &self.names
    }
}

/// The languages of the parameter `lang` (clause 4.15), best first.
pub fn languages(text: &str) -> Vec<String> {
    let mut ranked: Vec<(f64, &str)> = Vec::new();
    for part in text.split(',') {
        let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
        let quality = quality.trim().parse().unwrap_or(0.0);
        if !tag.trim().is_empty() && quality > 0.0 {
            ranked.push((quality, tag.trim()));
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().map(|(_, tag)| tag.to_owned()).collect()
}

/// Shows an entity.
pub fn entity(entity: &Entity, context: &Context, view: &View) -> Map<String, Json> {
    let writer = Writer { context, view };
    let mut out = Map::new();
    writer.head(entity, &mut out);
    if writer.shows("id") {
        out.insert("id".into(), json!(entity.id));
    }
    writer.attributes_of(entity, &mut out);
    out
}

/// Shows an entity as a GeoJSON Feature: the geometry is the value of `property`, of the instance that was asked for or the default
/// one, and null when there is none.
pub fn feature(
    entity: &Entity,
    context: &Context,
    view: &View,
    property: &str,
) -> Map<String, Json> {
    let wanted = match view.datasets.as_deref() {
        Some([one]) => one.as_ref(),
        _ => None,
    };
    let instances = entity.attribute(property).unwrap_or_default();
    let instance = instances.iter().find(|one| one.dataset.as_ref() == wanted);
    let geometry = instance.and_then(|one| match &one.held {
        Some(Held::Geo(geometry)) => Some(geometry.clone()),
        _ => None,
    });
    let writer = Writer { context, view };
    let mut properties = Map::new();
    writer.head(entity, &mut properties);
    writer.attributes_of(entity, &mut properties);
    let mut out = Map::new();
    out.insert("id".into(), json!(entity.id));
    out.insert("type".into(), json!("Feature"));
    out.insert("geometry".into(), geometry.unwrap_or(Json::Null));
    out.insert("properties".into(), Json::Object(properties));
    out
}

/// Features as a GeoJSON `FeatureCollection`.
pub fn feature_collection(features: Vec<Map<String, Json>>) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("type".into(), json!("FeatureCollection"));
    out.insert(
        "features".into(),
        features.into_iter().map(Json::Object).collect(),
    );
    out
}

/// One attribute alone with its instances, as [`entity`] shows it; `None` when none of them is shown.
pub fn attribute(instances: &[Attribute], context: &Context, view: &View) -> Option<Json> {
    Writer { context, view }.instances(instances)
}

struct Writer<'a> {
    context: &'a Context,
    view: &'a View,
}

impl Writer<'_> {
    fn shows(&self, word: &str) -> bool {
        let has = |members: &Members| members.words.contains(&word);
        self.view.pick.as_ref().is_none_or(has) && !self.view.omit.as_ref().is_some_and(has)
    }

    fn shows_attribute(&self, name: &Iri) -> bool {
        let has = |members: &Members| members.names.contains(name);
        self.view.pick.as_ref().is_none_or(has) && !self.view.omit.as_ref().is_some_and(has)
    }

    /// Everything of an entity but its id and its attributes.
    fn head(&self, entity: &Entity, out: &mut Map<String, Json>) {
        if self.shows("type") {
            let types = entity
                .types
                .iter()
                .map(|kind| json!(self.context.compact(kind)));
            out.insert("type".into(), one_or_many(types.collect()));
        }
        if self.shows("scope")
            && let Some(scopes) = entity.scopes.as_ref().filter(|scopes| !scopes.is_empty())
        {
            let scopes = scopes.iter().map(|scope| json!(scope));
            out.insert("scope".into(), one_or_many(scopes.collect()));
        }
        if self.view.sys_attrs {
            times(&entity.times, out);
        }
        if let Some(deleted) = entity.times.deleted {
            out.insert("deletedAt".into(), time(deleted));
        }
    }

    fn attributes_of(&self, entity: &Entity, out: &mut Map<String, Json>) {
        let shown = entity
            .attributes
            .iter()
            .filter(|(name, _)| self.shows_attribute(name));
        for (name, instances) in shown {
            if let Some(json) = self.instances(instances) {
                out.insert(self.context.compact(name), json);
            }
        }
    }

    fn instances(&self, instances: &[Attribute]) -> Option<Json> {
        let wanted = self.view.datasets.as_ref();
        let shown = instances
            .iter()
            .filter(|one| wanted.is_none_or(|wanted| wanted.contains(&one.dataset)));
        let shown: Vec<&Attribute> = shown.collect();
        if self.view.form != Form::Simplified {
            let is_alone = shown.len() == 1;
            let all = shown.into_iter().map(|one| self.instance(one, is_alone));
            return one_or_none(all.collect());
        }
        if let [one] = shown.as_slice()
            && (one.dataset.is_none() || wanted.is_some())
        {
            return Some(self.simplified(one));
        }
        if shown.is_empty() {
            return None;
        }
        let by_dataset = shown.into_iter().map(|one| {
            let dataset = one.dataset.as_deref().unwrap_or("@none");
            (dataset.to_owned(), self.simplified(one))
        });
        Some(json!({"dataset": Json::Object(by_dataset.collect())}))
    }

    /// The value in the language that is wanted, and which it is: another than any that is wanted when there is none of them.
    fn in_language<'h>(&self, held: &'h Held) -> Option<(&'h str, &'h Json)> {
        let Held::Language(map) = held else {
            return None;
        };
        let wanted = &self.view.languages;
        if wanted.is_empty() {
            return None;
        }
        let exact = wanted.iter().filter(|tag| *tag != "*").find_map(|tag| {
            let same = |known: &&String| known.eq_ignore_ascii_case(tag);
            let narrower = |known: &&String| {
                let start = known
                    .get(..tag.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(tag));
                start && known.as_bytes().get(tag.len()) == Some(&b'-')
            };
            map.keys().find(same).or_else(|| map.keys().find(narrower))
        });
        let any = || {
            map.keys()
                .find(|known| *known == "@none")
                .or_else(|| map.keys().next())
        };
        let key = exact.or_else(any)?;
        Some((key.as_str(), map.get(key)?))
    }

    /// What stands in the member of the value.
    fn held(&self, held: &Held) -> Json {
        let names = |names: &[Iri]| Json::Array(names.iter().map(|name| json!(name)).collect());
        match held {
            Held::Property(value) | Held::Geo(value) | Held::Json(value) => value.clone(),
            Held::Language(map) => Json::Object(map.clone()),
            Held::Relationship(Several::One(id)) => json!(id),
            Held::Relationship(Several::Many(ids)) | Held::ListRelationship(ids) => names(ids),
            Held::Vocab(Several::One(word)) => json!(self.context.compact(word)),
            Held::Vocab(Several::Many(words)) => words
                .iter()
                .map(|word| json!(self.context.compact(word)))
                .collect(),
            Held::List(values) => Json::Array(values.clone()),
            Held::Null => json!(crate::NULL_URN),
        }
    }

    fn simplified(&self, one: &Attribute) -> Json {
        let Some(held) = &one.held else {
            return Json::Null;
        };
        if let Some((_, text)) = self.in_language(held) {
            return text.clone();
        }
        match held {
            Held::Language(_) | Held::Vocab(_) | Held::Json(_) => {
                let mut out = Map::new();
                out.insert(held.kind().1.into(), self.held(held));
                Json::Object(out)
            }
            held => self.held(held),
        }
    }

    /// One instance. In concise form it is a bare value only when it is alone: an array of instances has objects alone.
    fn instance(&self, one: &Attribute, is_alone: bool) -> Json {
        let mut out = Map::new();
        let is_concise = self.view.form == Form::Concise;
        if let Some(held) = &one.held {
            let (kind, member) = held.kind();
            let in_language = self.in_language(held);
            if let Some((language, text)) = in_language {
                out.insert("value".into(), text.clone());
                out.insert("lang".into(), json!(language));
            } else {
                out.insert(member.into(), self.held(held));
            }
            let kind = if in_language.is_some() {
                "Property"
            } else {
                kind
            };
            // A Property that holds a geometry would be read as a GeoProperty.
            let looks_like_another = matches!(held, Held::Property(value) if is_geometry(value));
            if !is_concise || looks_like_another {
                out.insert("type".into(), json!(kind));
            }
        }
        let mut put = |key: &str, value: Option<Json>| {
            if let Some(value) = value {
                out.insert(key.into(), value);
            }
        };
        put("datasetId", one.dataset.as_ref().map(|id| json!(id)));
        put("observedAt", one.observed.map(time));
        put("unitCode", one.unit.as_ref().map(|unit| json!(unit)));
        put(
            "valueType",
            one.value_type
                .as_ref()
                .map(|kind| json!(self.context.compact(kind))),
        );
        put("instanceId", one.instance.as_ref().map(|id| json!(id)));
        put("deletedAt", one.times.deleted.map(time));
        let kinds = one
            .object_types
            .iter()
            .map(|kind| json!(self.context.compact(kind)));
        if !one.object_types.is_empty() {
            put("objectType", Some(one_or_many(kinds.collect())));
        }
        if self.view.sys_attrs {
            times(&one.times, &mut out);
        }
        self.subs(&one.subs, &mut out);
        if is_concise && is_alone && out.len() == 1 {
            match &one.held {
                Some(Held::Property(value)) if is_plain_value(value) => return value.clone(),
                Some(Held::Geo(value)) => return value.clone(),
                _ => {}
            }
        }
        Json::Object(out)
    }

    fn subs(&self, subs: &Attributes, out: &mut Map<String, Json>) {
        for (name, instances) in subs {
            let is_alone = instances.len() == 1;
            let all = instances.iter().map(|one| self.instance(one, is_alone));
            if let Some(json) = one_or_none(all.collect()) {
                out.insert(self.context.compact(name), json);
            }
        }
    }
}

fn is_geometry(value: &Json) -> bool {
    value.get("type").is_some() && value.get("coordinates").is_some()
}

fn times(times: &Times, out: &mut Map<String, Json>) {
    for (key, at) in [
        ("createdAt", times.created),
        ("modifiedAt", times.modified),
        ("expiresAt", times.expires),
    ] {
        if let Some(at) = at {
            out.insert(key.into(), time(at));
        }
    }
}

fn time(at: Timestamp) -> Json {
    json!(at.to_string())
}

fn one_or_many(mut all: Vec<Json>) -> Json {
    match all.len() {
        1 => all.swap_remove(0),
        _ => Json::Array(all),
    }
}

fn one_or_none(all: Vec<Json>) -> Option<Json> {
    (!all.is_empty()).then(|| one_or_many(all))
}
