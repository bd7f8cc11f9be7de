//! Rules laid out so that an update finds the ones that concern it by two hash lookups.

use crate::expression::Expression;
use crate::rule::{Kind, Rule, Threshold};
use crate::schedule::Schedule;
use crate::state::Seen;
use hashbrown::HashMap;
use jiff::tz::TimeZone;
use model::{Catalogue, EntityId, Timestamp, Value, unit};
use std::collections::BTreeSet;
use std::time::Duration;

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
    pub schedule: Option<Schedule>,
    /// Whether its schedule lets it work at the engine's clock.
    pub is_open: bool,
    pub expression: Option<Formula>,
    /// When its alert clears, where that is stated.
    pub clear_expression: Option<Formula>,
    pub suppressors: Vec<By>,
    /// The rules whose alerts cast doubt on its own.
    pub doubters: Vec<By>,
    /// Whether the end of its alerts may let others be told.
    pub is_suppressor: bool,
    /// Where its storms are kept.
    pub storm: Option<usize>,
    /// The city's zone, for moments in titles.
    pub zone: TimeZone,
}

/// An expression and where its variables are remembered.
#[derive(Debug)]
pub(crate) struct Formula {
    pub expression: Expression,
    /// Attribute and its slot of [`KindIndex::seen`].
    pub variables: Vec<(String, usize)>,
}

/// A rule that holds another back, found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub kind: usize,
    pub run_slot: usize,
    /// The slot of `seen` that names the entity it is looked for on.
    pub relation: Option<usize>,
}

/// Where a rule's storms stand.
#[derive(Debug, Default)]
pub(crate) struct StormWatch {
    pub kind: usize,
    pub run_slot: usize,
    pub recent: Vec<Timestamp>,
    pub storm: Option<crate::state::OpenStorm>,
    /// Entity slots of the members whose condition still holds.
    pub members: BTreeSet<usize>,
}

/// What a value is compared with.
#[derive(Debug)]
pub(crate) enum Against {
    Nothing,
    Fixed(Value),
    /// The slot of [`KindIndex::seen`] that holds the threshold.
    Seen(usize),
    /// A slot of another entity's `seen`.
    Elsewhere {
        kind: usize,
        seen: usize,
        whose: Whose,
    },
}

/// Which other entity.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    Named(EntityId),
    /// The slot of [`KindIndex::seen`] that names it.
    Related(usize),
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
    pub has_expressions: bool,
    /// Run slots of the rules about the whole type.
    pub distinct: Vec<usize>,
    /// The rules that compare with another entity.
    pub looking: Vec<Looking>,
    /// Slots of `seen` that rules compare with from another entity.
    pub looked_at: Vec<usize>,
    /// Where the type's forecasts go, when it is a type of forecasts that rules look at.
    pub feed: Option<Feed>,
}

/// Where a forecast goes.
#[derive(Debug)]
pub(crate) struct Feed {
    /// The slot of `seen` that names the entity that is forecast.
    pub relation: usize,
    /// The slot of `seen` that holds the run.
    pub series: usize,
    /// The kind of what is forecast.
    pub kind: usize,
    /// Its run slots that look at this type of forecasts.
    pub run_slots: Vec<usize>,
}

/// A rule that compares with another entity.
#[derive(Debug)]
pub(crate) struct Looking {
    pub run_slot: usize,
    /// The other's kind.
    pub kind: usize,
    pub whose: Whose,
}

impl Looking {
    /// The other entity, of what is known of the one that looks.
    pub(crate) fn target(&self, seen: &[Option<Seen>]) -> Option<EntityId> {
        match &self.whose {
            Whose::Named(id) => Some(id.clone()),
            Whose::Related(relation) => match &seen.get(*relation)?.as_ref()?.value {
                Value::Relationship(id) => Some(id.clone()),
                Value::Text(id) => EntityId::new(id).ok(),
                _ => None,
            },
        }
    }
}

/// Who looks at an entity (kind, id): entity slot and run slot of each.
pub(crate) type Lookers = HashMap<(usize, EntityId), BTreeSet<(usize, usize)>>;

/// What one attribute is to the rules of its type.
#[derive(Debug, Default)]
pub(crate) struct AttributeIndex {
    /// Run slots of the rules that watch it.
    pub watched_by: Vec<usize>,
    /// Run slots of the rules whose threshold it is.
    pub threshold_of: Vec<usize>,
    /// Run slots of the rules whose expression names it.
    pub expression_of: Vec<usize>,
    /// Where its last value is remembered.
    pub seen_slot: Option<usize>,
}

impl Compiled {
    /// `silence`: how long nothing may be heard, in seconds; `None` while the entity has not stated it, or not as a time above 0.
    pub(crate) fn silence_seconds(&self, seen: &[Option<Seen>]) -> Option<u64> {
        let Against::Seen(slot) = self.against else {
            return Some(self.rule.for_seconds);
        };
        let Value::Number(number) = seen.get(slot)?.as_ref()?.value else {
            return None;
        };
        let (unit, second) = (
            self.unit.as_deref().and_then(unit::find)?,
            unit::find("SEC")?,
        );
        let seconds = unit::convert(number, unit, second)?;
        let seconds = Duration::try_from_secs_f64(seconds).ok()?.as_secs();
        (seconds > 0).then_some(seconds)
    }
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
        match (&rule.attribute, rule.kind) {
            (Some(name), kind) if !matches!(kind, Kind::Expression | Kind::Forecast) => self
                .attributes
                .entry(name.clone())
                .or_default()
                .watched_by
                .push(run_slot),
            (None, Kind::Silence) => self.whole_silence.push(run_slot),
            _ => {}
        }
        let against = match &rule.threshold {
            // Those of other entities are found when all types are known.
            Some(Threshold::Attribute(other)) if other.is_elsewhere() => Against::Nothing,
            Some(Threshold::Attribute(other)) => {
                let slot = self.remember(&other.attribute);
                self.attributes
                    .entry(other.attribute.clone())
                    .or_default()
                    .threshold_of
                    .push(run_slot);
                Against::Seen(slot)
            }
            Some(fixed) => fixed.fixed().map_or(Against::Nothing, Against::Fixed),
            None => Against::Nothing,
        };
        let expression = self.formula(rule.expression.as_deref(), run_slot);
        let clear_expression = self.formula(rule.clear.expression.as_deref(), run_slot);
        if rule.kind == Kind::Expression
            && let Some(name) = &rule.attribute
        {
            self.remember(name);
        }
        if rule.title_zh.contains("{entity}") || rule.title_en.contains("{entity}") {
            self.remember(NAME);
        }
        let symbol = rule.unit_symbol(unit.as_deref());
        let (unit, symbol) = match rule.kind {
            // How long nothing was heard: in the unit of who states it.
            Kind::Silence => match &rule.threshold {
                Some(Threshold::Attribute(stated)) => {
                    let stated = catalogue.attribute(&rule.entity_type, &stated.attribute);
                    let unit = stated.and_then(|a| a.unit.clone());
                    let symbol = rule.unit_symbol(unit.as_deref());
                    (unit, symbol)
                }
                _ => (Some("SEC".to_owned()), "s".to_owned()),
            },
            // The value of these is no reading of the attribute.
            Kind::Rate => (None, rule.rate_symbol(&symbol)),
            Kind::Count => (None, String::new()),
            _ => (unit, symbol),
        };
        if rule.distinct {
            self.distinct.push(run_slot);
        }
        self.rules.push(Compiled {
            rule,
            unit,
            symbol,
            against,
            schedule: None,
            is_open: true,
            expression,
            clear_expression,
            suppressors: Vec::new(),
            doubters: Vec::new(),
            is_suppressor: false,
            storm: None,
            zone: TimeZone::UTC,
        });
    }

    fn formula(&mut self, text: Option<&str>, run_slot: usize) -> Option<Formula> {
        let expression = Expression::new(text?).ok()?;
        let mut variables = Vec::new();
        for name in expression.attributes() {
            variables.push((name.to_owned(), self.remember(name)));
            let index = self.attributes.entry(name.to_owned()).or_default();
            if !index.expression_of.contains(&run_slot) {
                index.expression_of.push(run_slot);
            }
        }
        self.has_expressions = true;
        Some(Formula {
            expression,
            variables,
        })
    }

    pub(crate) fn remember(&mut self, attribute: &str) -> usize {
        let index = self.attributes.entry(attribute.to_owned()).or_default();
        *index.seen_slot.get_or_insert_with(|| {
            self.seen.push(attribute.to_owned());
            self.seen.len() - 1
        })
    }
}
