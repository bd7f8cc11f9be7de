//! Which entity a topic stands for, as packs and the city declare it in `mappings/*.toml` (door `mqtt`):
//! a pattern such as `legacy/{station}/level` and an id such as `urn:ngsi-ld:WaterObserved:{station}`.

use model::{EntityId, TypeName};
use pack::{Mapping, MappingDoor};
use std::collections::HashMap;

/// Declared topics.
#[derive(Debug, Default)]
pub struct TopicMapping {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    segments: Vec<String>,
    entity_type: TypeName,
    entity_id: String,
}

impl TopicMapping {
    /// From the packs' declarations; those of other doors are left out.
    pub fn new<'a>(mappings: impl IntoIterator<Item = &'a Mapping>) -> Self {
        let patterns = mappings
            .into_iter()
            .filter(|m| m.door == MappingDoor::Mqtt)
            .filter_map(|m| {
                Some(Pattern {
                    segments: m.from.split('/').map(str::to_owned).collect(),
                    entity_type: TypeName::new(&m.entity_type).ok()?,
                    entity_id: m.entity_id.clone(),
                })
            });
        Self {
            patterns: patterns.collect(),
        }
    }

    /// The entity that a topic stands for, when it is declared.
    pub fn entity(&self, topic: &str) -> Option<(EntityId, TypeName)> {
        self.patterns.iter().find_map(|pattern| {
            let mut names: HashMap<&str, &str> = HashMap::new();
            let mut levels = topic.split('/');
            for segment in &pattern.segments {
                let level = levels.next()?;
                match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                    Some(name) => {
                        names.insert(name, level);
                    }
                    None if segment == level => {}
                    None => return None,
                }
            }
            if levels.next().is_some() {
                return None;
            }
            let mut id = pattern.entity_id.clone();
            for (name, value) in names {
                id = id.replace(&format!("{{{name}}}"), value);
            }
            Some((EntityId::new(id).ok()?, pattern.entity_type.clone()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_topic_names_its_entity() {
        let mapping = TopicMapping {
            patterns: vec![Pattern {
                segments: vec!["legacy".into(), "{station}".into(), "level".into()],
                entity_type: TypeName::new("WaterObserved").unwrap(),
                entity_id: "urn:ngsi-ld:WaterObserved:{station}".into(),
            }],
        };
        let (id, _) = mapping.entity("legacy/62206900/level").unwrap();
        assert_eq!(id.as_str(), "urn:ngsi-ld:WaterObserved:62206900");
        assert!(mapping.entity("legacy/62206900").is_none());
        assert!(mapping.entity("legacy/62206900/level/x").is_none());
        assert!(
            mapping.entity("legacy/a b/level").is_none(),
            "no id may hold white space"
        );
    }
}
