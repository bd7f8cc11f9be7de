//! What types say of entities of other types: forecasts of them, and who is affected by them.

use super::Checker;
use crate::document::Document;
use model::problem::quote;
use model::{AffectedKind, AttributeKind, Counted, EntityKind, ValueKind};

impl Checker<'_> {
    /// What a type of forecasts forecasts, and where a run lies.
    pub(super) fn forecast(&mut self, kind: &EntityKind, document: &Document) {
        let Some(forecast) = &kind.forecast else {
            return;
        };
        let value = |holder: &EntityKind, name: &str| holder.attributes.get(name).map(|a| a.value);
        let of = self.catalogue.kinds.get(&forecast.entity_type);
        let of = of.and_then(|of| value(of, &forecast.attribute));
        let (own, other) = (kind.name.as_str(), forecast.entity_type.as_str());
        for (key, holder, name, is, needed) in [
            (
                "attribute",
                other,
                &forecast.attribute,
                of,
                ValueKind::Number,
            ),
            (
                "relation",
                own,
                &forecast.relation,
                value(kind, &forecast.relation),
                ValueKind::Relationship,
            ),
            (
                "series",
                own,
                &forecast.series,
                value(kind, &forecast.series),
                ValueKind::Json,
            ),
        ] {
            let what = match is {
                None => format!("{} has no attribute {}", quote(holder), quote(name)),
                Some(is) if is != needed => format!("{} holds a {is:?}", quote(name)),
                Some(_) => continue,
            };
            self.say(
                document.at(&["forecast", key]),
                "entity-forecast",
                what,
                "name the number that is forecast (entity_type, attribute), the relationship that leads to it (relation) and the JSON attribute that holds a run (series)",
            );
        }
        if forecast.entity_type == kind.name {
            self.say(
                document.at(&["forecast", "entity_type"]),
                "entity-forecast",
                format!("{} forecasts itself", kind.name),
                "name the type of what is forecast",
            );
        }
    }

    /// By whom the entities of a type are affected.
    pub(super) fn affected(&mut self, kind: &EntityKind, document: &Document) {
        let Some(affected) = &kind.affected else {
            return;
        };
        use ValueKind::{Json, Number, Relationship, Text};
        let mut asked: Vec<(&str, &String, &[ValueKind])> = vec![
            ("relation", &affected.relation, &[Relationship]),
            ("from", &affected.from, &[Number]),
        ];
        let sums = affected.sums.iter();
        asked.extend(sums.map(|name| ("sums", name, &[Number][..])));
        let divisions = affected.divisions.iter();
        asked.extend(divisions.map(|name| ("divisions", name, &[Text, Json][..])));
        let (post, organisation) = (
            affected.responsible_post.iter(),
            affected.responsible_organisation.iter(),
        );
        asked.extend(post.map(|name| ("responsible_post", name, &[Text][..])));
        asked.extend(organisation.map(|name| ("responsible_organisation", name, &[Text][..])));
        for (key, name, needed) in asked {
            let what = match kind.attributes.get(name) {
                None => format!("{} has no attribute {}", kind.name, quote(name)),
                Some(is) if !needed.contains(&is.value) => {
                    format!("{} holds a {:?}", quote(name), is.value)
                }
                // Messages name it, and they go out of the city unmasked.
                Some(is) if is.personal.is_some() => format!("{} is personal", quote(name)),
                Some(_) => continue,
            };
            self.say(
                document.at(&["affected", key]),
                "entity-affected",
                what,
                "name the relationship that leads to what affects (relation), the number from which on it does (from), numbers to add up (sums), codes of villages (divisions: text or JSON), and texts with the id of a post and of an organisation that answer for it (responsible_post, responsible_organisation); none of them personal",
            );
        }
        for what in self.wrong_counted(kind, affected) {
            self.say(
                document.at(&["affected", "attribute"]),
                "entity-affected",
                what,
                "name the number of that entity that counts (attribute = \"waterLevel\"), or of each type that it may be of ({ WaterObserved = \"waterLevel\" }), in the unit of `from` and not personal",
            );
        }
    }

    /// What is wrong with the attribute that counts: it is a number in the unit of what it is compared with, as it is not converted.
    fn wrong_counted(&self, kind: &EntityKind, affected: &AffectedKind) -> Vec<String> {
        let unit = |attribute: &AttributeKind| match &attribute.unit {
            Some(code) => format!("in {}", quote(code)),
            None => "without a unit".to_owned(),
        };
        let from = kind.attributes.get(&affected.from);
        let from = from.filter(|from| from.value == ValueKind::Number);
        let wrong = |entity_type: &str, name: &str| {
            let Some(of) = self.catalogue.kinds.get(entity_type) else {
                return Some(format!("there is no type {}", quote(entity_type)));
            };
            let Some(is) = of.attributes.get(name) else {
                return Some(format!(
                    "{} has no attribute {}",
                    quote(entity_type),
                    quote(name)
                ));
            };
            if is.value != ValueKind::Number {
                return Some(format!("{} holds a {:?}", quote(name), is.value));
            }
            if is.personal.is_some() {
                return Some(format!("{} is personal", quote(name)));
            }
            let (is, other) = (unit(is), from.map(unit)?);
            (is != other).then(|| {
                format!(
                    "{} of {} is {is}, {} {other}",
                    quote(name),
                    quote(entity_type),
                    quote(&affected.from)
                )
            })
        };
        match &affected.attribute {
            Counted::OfType(names) if names.is_empty() => vec!["no type is named".to_owned()],
            Counted::OfType(names) => {
                let each = names.iter();
                each.filter_map(|(of, name)| wrong(of, name)).collect()
            }
            // Of which type the entity is does not follow from the declaration: one that has it must do.
            Counted::Named(name) => {
                let having = self.catalogue.kinds.values();
                let having = having.filter(|of| of.attributes.contains_key(name));
                let mut mistakes = Vec::new();
                for of in having {
                    match wrong(&of.name, name) {
                        None => return Vec::new(),
                        Some(mistake) => mistakes.push(mistake),
                    }
                }
                if mistakes.is_empty() {
                    mistakes.push(format!("no type has an attribute {}", quote(name)));
                }
                mistakes.truncate(1);
                mistakes
            }
        }
    }
}
