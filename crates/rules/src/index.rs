//! Rules laid out so that an update finds the ones that concern it by two hash lookups.

use crate::rule::{Kind, Rule, Threshold};
use hashbrown::HashMap;
use model::{Catalogue, Value};

/// The attribute that names an entity on screens.
pub(crate) const NAME: &str = "name";

/// A rule ready to run.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub rule: Rule,
    /// UN/CEFACT code of the watched attribute.
    pub unit: Option<String>,
    /// The same for people.
    pub symbol: String,
    pub against: Against,
}

/// What a value is compared with.
#[derive(Debug)]
pub(crate) enum Against {
    Nothing,
    Fixed(Value),
    /// The slot of [`KindIndex::seen`] that holds the threshold.
    Seen(usize),
}

/// Rules of one entity type.
#[derive(Debug, Default)]
pub(crate) struct KindIndex {
    pub name: String,
    /// The rules; a "run slot" is an index into this.
    pub rules: Vec<Compiled>,
    /// Attributes whose last value is remembered.
    pub seen: Vec<String>,
    pub attributes: HashMap<String, AttributeIndex>,
    /// Run slots of the silence rules over the whole entity.
    pub whole_silence: Vec<usize>,
}

/// What one attribute is to the rules of its type.
#[derive(Debug, Default)]
pub(crate) struct AttributeIndex {
    /// Run slots of the rules that watch it.
    pub watched_by: Vec<usize>,
    /// Run slots of the rules whose threshold it is.
    pub threshold_of: Vec<usize>,
    /// Where its last value is remembered.
    pub seen_slot: Option<usize>,
}

impl KindIndex {
    /// Takes a rule that has been found without mistakes.
    pub(crate) fn add(&mut self, rule: Rule, catalogue: &Catalogue) {
        let run_slot = self.rules.len();
        let declared = rule
            .attribute
            .as_ref()
            .and_then(|name| catalogue.attribute(&rule.entity_type, name));
        let unit = declared.and_then(|a| a.unit.clone());
        match &rule.attribute {
            Some(name) => self
                .attributes
                .entry(name.clone())
                .or_default()
                .watched_by
                .push(run_slot),
            None => self.whole_silence.push(run_slot),
        }
        let against = match (&rule.threshold, rule.kind) {
            (Some(Threshold::Attribute(other)), Kind::Threshold) => {
                let slot = self.remember(&other.attribute);
                self.attributes
                    .entry(other.attribute.clone())
                    .or_default()
                    .threshold_of
                    .push(run_slot);
                Against::Seen(slot)
            }
            (Some(fixed), Kind::Threshold) => {
                fixed.fixed().map_or(Against::Nothing, Against::Fixed)
            }
            _ => Against::Nothing,
        };
        if rule.title_zh.contains("{entity}") || rule.title_en.contains("{entity}") {
            self.remember(NAME);
        }
        let (unit, symbol) = if rule.kind == Kind::Silence {
            (Some("SEC".to_owned()), "s".to_owned())
        } else {
            let symbol = rule.unit_symbol(unit.as_deref());
            (unit, symbol)
        };
        self.rules.push(Compiled {
            rule,
            unit,
            symbol,
            against,
        });
    }

    fn remember(&mut self, attribute: &str) -> usize {
        let index = self.attributes.entry(attribute.to_owned()).or_default();
        *index.seen_slot.get_or_insert_with(|| {
            self.seen.push(attribute.to_owned());
            self.seen.len() - 1
        })
    }
}
