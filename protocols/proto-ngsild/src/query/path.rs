//! The path to what is asked about: `a`, `a.b`, `a.b[c.d]`, `a{T:b}` (clause 4.9), and what an entity has there.

use crate::context::{Context, Iri};
use crate::entity::{Attribute, Entity, Held, find};
use model::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// A path with full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Relationships to follow first.
    pub links: Vec<Link>,
    /// The attribute, then attributes of attributes.
    pub names: Vec<Name>,
    /// Members inside the value, or a language.
    pub inner: Vec<String>,
}

/// A relationship that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its full name.
    pub name: Iri,
    /// Only to entities of one of these types, when there are any.
    pub types: Vec<Iri>,
}

/// A name as written and in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As written.
    pub short: String,
    /// In full.
    pub full: Iri,
}

impl Name {
    pub(crate) fn of(short: &str, context: &Context) -> Self {
        Self {
            full: context.expand(short),
            short: short.to_owned(),
        }
    }
}

/// What lies at the end of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Target<'e> {
    /// JSON.
    Json(&'e Value),
    /// Full names or URIs; that they are words of a vocabulary is told beside.
    Names(&'e [Iri]),
    /// A list of values.
    List(&'e [Value]),
    /// A text.
    Text(&'e str),
    /// A time that is no value.
    Time(Timestamp),
}

/// Finds an entity by id, for paths that follow relationships.
pub type Find<'f> = dyn Fn(&str) -> Option<Arc<Entity>> + 'f;

/// Most entities that one question follows relationships to.
const FOLLOWED_MAX: usize = 1_000;

impl Path {
    /// Gives `see` each target of the path until one is seen to do; whether one did.
    pub fn any(
        &self,
        entity: &Entity,
        find: &Find<'_>,
        see: &mut dyn FnMut(&Target<'_>) -> bool,
    ) -> bool {
        let mut left = FOLLOWED_MAX;
        self.follow(&self.links, entity, find, &mut left, see)
    }

    fn follow(
        &self,
        links: &[Link],
        entity: &Entity,
        finds: &Find<'_>,
        left: &mut usize,
        see: &mut dyn FnMut(&Target<'_>) -> bool,
    ) -> bool {
        let Some((link, rest)) = links.split_first() else {
            return self.any_here(entity, see);
        };
        let instances = entity.attribute(&link.name).unwrap_or_default();
        for id in instances.iter().flat_map(objects) {
            if *left == 0 {
                return false;
            }
            *left -= 1;
            let Some(other) = finds(id) else {
                continue;
            };
            let is_meant =
                link.types.is_empty() || link.types.iter().any(|kind| other.types.contains(kind));
            if is_meant && self.follow(rest, &other, finds, left, see) {
                return true;
            }
        }
        false
    }

    fn any_here(&self, entity: &Entity, see: &mut dyn FnMut(&Target<'_>) -> bool) -> bool {
        let Some((first, rest)) = self.names.split_first() else {
            return false;
        };
        if let Some(instances) = entity.attribute(&first.full) {
            return instances.iter().any(|one| self.any_of(one, rest, see));
        }
        let times = &entity.times;
        let time = match first.short.as_str() {
            "createdAt" => times.created,
            "modifiedAt" => times.modified,
            "expiresAt" => times.expires,
            "id" => return see(&Target::Text(&entity.id)),
            _ => None,
        };
        rest.is_empty() && time.is_some_and(|time| see(&Target::Time(time)))
    }

    fn any_of(
        &self,
        one: &Attribute,
        rest: &[Name],
        see: &mut dyn FnMut(&Target<'_>) -> bool,
    ) -> bool {
        let Some((next, rest)) = rest.split_first() else {
            return self.targets(one, see);
        };
        if let Some(instances) = find(&one.subs, &next.full) {
            return instances.iter().any(|one| self.any_of(one, rest, see));
        }
        if !rest.is_empty() {
            return false;
        }
        let time = match next.short.as_str() {
            "observedAt" => one.observed,
            "createdAt" => one.times.created,
            "modifiedAt" => one.times.modified,
            "expiresAt" => one.times.expires,
            "unitCode" => {
                return one
                    .unit
                    .as_deref()
                    .is_some_and(|unit| see(&Target::Text(unit)));
            }
            "datasetId" => {
                return one
                    .dataset
                    .as_deref()
                    .is_some_and(|id| see(&Target::Text(id)));
            }
            "objectType" => {
                return !one.object_types.is_empty() && see(&Target::Names(&one.object_types));
            }
            _ => None,
        };
        time.is_some_and(|time| see(&Target::Time(time)))
    }

    fn targets(&self, one: &Attribute, see: &mut dyn FnMut(&Target<'_>) -> bool) -> bool {
        match &one.held {
            Some(Held::Property(value) | Held::Geo(value) | Held::Json(value)) => {
                let typed = value.get("@value").filter(|_| self.inner.is_empty());
                let mut inside = Some(typed.unwrap_or(value));
                for member in &self.inner {
                    inside = inside.and_then(|json| json.get(member.as_str()));
                }
                inside.is_some_and(|json| see(&Target::Json(json)))
            }
            Some(Held::Language(map)) => match self.inner.first().map(String::as_str) {
                None | Some("*") => map.values().any(|text| see(&Target::Json(text))),
                Some(language) => map
                    .get(language)
                    .is_some_and(|text| see(&Target::Json(text))),
            },
            Some(Held::Relationship(names) | Held::Vocab(names)) if self.inner.is_empty() => {
                see(&Target::Names(names.as_slice()))
            }
            Some(Held::ListRelationship(names)) if self.inner.is_empty() => {
                see(&Target::Names(names))
            }
            Some(Held::List(values)) if self.inner.is_empty() => see(&Target::List(values)),
            _ => false,
        }
    }
}

fn objects(one: &Attribute) -> &[Iri] {
    match &one.held {
        Some(Held::Relationship(names)) => names.as_slice(),
        Some(Held::ListRelationship(names)) => names,
        _ => &[],
    }
}
