//! What is known of an entity's runs, and what an alert says of it.

use super::step::Verdict;
use super::{Watched, foretell};
use crate::event::{Cleared, NamedValue, Raised, RuleEvent};
use crate::index::{Against, Compiled, KindIndex, NAME, Whose};
use crate::rule::{Kind, Threshold};
use crate::{area, text};
use hashbrown::HashMap;
use model::{EntityId, Timestamp, Value};
use std::borrow::Cow;

/// Most entities named among the values of an alert about a type.
const NAMED_ENTITIES_MAX: usize = 10;

/// What can be looked up of all entities.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub kinds: &'a [KindIndex],
    pub slots: &'a [HashMap<EntityId, usize>],
    pub watched: &'a [Watched],
}

/// What a value is compared with, when it was so, and whose it is when it is another entity's.
pub(super) struct Limit<'a> {
    pub value: Cow<'a, Value>,
    pub observed_at: Option<Timestamp>,
    pub entity_id: Option<&'a EntityId>,
}

impl<'a> View<'a> {
    pub(super) fn compiled(self, slot: usize, run_slot: usize) -> &'a Compiled {
        &self.kinds[self.watched[slot].kind].rules[run_slot]
    }

    /// The verdict on a usable value; `None` when it cannot be compared at all.
    pub(super) fn compare(self, slot: usize, run_slot: usize, value: &Value) -> Option<Verdict> {
        let rule = &self.compiled(slot, run_slot).rule;
        let op = rule.op?;
        let Some(limit) = self.limit(slot, run_slot) else {
            return Some(Verdict::Gone);
        };
        Some(if op.holds(value, &limit.value)? {
            Verdict::Holds
        } else if op.is_clear(value, &limit.value, rule.clear.margin)? {
            Verdict::Clear
        } else {
            Verdict::Between
        })
    }

    pub(super) fn limit(self, slot: usize, run_slot: usize) -> Option<Limit<'a>> {
        let compiled = self.compiled(slot, run_slot);
        let (seen, entity_id) = match &compiled.against {
            Against::Nothing => return None,
            Against::Fixed(value) => {
                return Some(Limit {
                    value: Cow::Borrowed(value),
                    observed_at: None,
                    entity_id: None,
                });
            }
            Against::Seen(seen) => (self.watched[slot].seen[*seen].as_ref()?, None),
            Against::Elsewhere { kind, seen, whose } => {
                let other = match whose {
                    Whose::Named(id) => self.slots[*kind].get(id)?,
                    Whose::Related(relation) => {
                        match &self.watched[slot].seen[*relation].as_ref()?.value {
                            Value::Relationship(id) => self.slots[*kind].get(id)?,
                            Value::Text(id) => self.slots[*kind].get(&EntityId::new(id).ok()?)?,
                            _ => return None,
                        }
                    }
                };
                let other = &self.watched[*other];
                (other.seen[*seen].as_ref()?, Some(&other.id))
            }
        };
        let value = match (&seen.value, &compiled.rule.threshold) {
            (Value::Deleted, _) => return None,
            (Value::Number(number), Some(Threshold::Attribute(stated)))
                if stated.times.is_some() || stated.plus.is_some() =>
            {
                let computed = number * stated.times.unwrap_or(1.0) + stated.plus.unwrap_or(0.0);
                Cow::Owned(Value::Number(computed))
            }
            (value, _) => Cow::Borrowed(value),
        };
        Some(Limit {
            value,
            observed_at: Some(seen.observed_at),
            entity_id,
        })
    }

    /// The values that decide a run as it stands.
    pub(super) fn decided(self, slot: usize, run_slot: usize) -> Vec<NamedValue> {
        let watched = &self.watched[slot];
        let compiled = self.compiled(slot, run_slot);
        let rule = &compiled.rule;
        let run = &watched.runs[run_slot];
        let mut decided = Vec::new();
        let mut name = |name: String, value: Value, unit: Option<&str>, at| {
            decided.push(NamedValue {
                name,
                value,
                unit: unit.map(str::to_owned),
                observed_at: at,
                entity_id: None,
            });
        };
        #[expect(clippy::cast_precision_loss, reason = "durations are at most 31 days")]
        let seconds = |seconds: u64| Value::Number(seconds as f64);
        let attribute = rule.attribute.clone().unwrap_or_default();
        let unit = compiled.unit.as_deref();
        let last = Some(run.last.observed_at);
        if rule.kind.looks_ahead() {
            return self.decided_ahead(slot, run_slot);
        }
        match rule.kind {
            Kind::Threshold | Kind::OutOfRange | Kind::Geofence => {
                if let Some(value) = &run.value {
                    name(attribute, value.clone(), unit, last);
                }
            }
            Kind::Rate => {
                if let Some(value) = &run.value {
                    let period = rule.period_seconds();
                    let title = format!("{attribute} per {period} s");
                    name(title, value.clone(), None, last);
                }
                let window = seconds(rule.window_seconds);
                name("window_seconds".to_owned(), window, Some("SEC"), None);
            }
            Kind::Silence => {
                if rule.threshold.is_none() {
                    let allowed = seconds(rule.for_seconds);
                    name("for_seconds".to_owned(), allowed, Some("SEC"), None);
                }
                if let Some(value) = &run.value {
                    name(attribute, value.clone(), None, last);
                }
            }
            Kind::Count => {
                let what = if rule.distinct {
                    "entities"
                } else {
                    "observations"
                };
                if let Some(value) = &run.value {
                    name(what.to_owned(), value.clone(), None, last);
                }
                let window = seconds(rule.window_seconds);
                name("window_seconds".to_owned(), window, Some("SEC"), None);
                let marks = run.more.iter().flat_map(|more| more.marks.iter().rev());
                let named = marks.filter_map(|(id, mark)| Some((id.clone()?, mark)));
                for (id, mark) in named.take(NAMED_ENTITIES_MAX) {
                    let at = Some(mark.observed_at);
                    name("entity".to_owned(), Value::Relationship(id), None, at);
                }
            }
            Kind::Expression => {
                for (variable, seen) in compiled.expression.iter().flat_map(|f| &f.variables) {
                    if let Some(seen) = &watched.seen[*seen] {
                        let (value, at) = (seen.value.clone(), Some(seen.observed_at));
                        name(variable.clone(), value, None, at);
                    }
                }
            }
            Kind::Forecast | Kind::Deviation => {}
        }
        if let Some(limit) = self.limit(slot, run_slot) {
            let stated = match &rule.threshold {
                Some(Threshold::Attribute(other)) => other.attribute.clone(),
                _ => "threshold".to_owned(),
            };
            decided.push(NamedValue {
                name: stated,
                value: limit.value.into_owned(),
                unit: unit.map(str::to_owned),
                observed_at: limit.observed_at,
                entity_id: limit.entity_id.cloned(),
            });
        }
        decided
    }
}

/// Marks a run as raised, and says so.
pub(super) fn raise(
    kinds: &[KindIndex],
    slots: &[HashMap<EntityId, usize>],
    watched: &mut [Watched],
    slot: usize,
    run_slot: usize,
    at: Timestamp,
) -> RuleEvent {
    let run = &mut watched[slot].runs[run_slot];
    run.raised = true;
    run.clear_since = None;
    let view = View {
        kinds,
        slots,
        watched,
    };
    let watched = &view.watched[slot];
    let kind = &kinds[watched.kind];
    let compiled = &kind.rules[run_slot];
    let rule = &compiled.rule;
    let run = &watched.runs[run_slot];
    #[expect(clippy::cast_precision_loss, reason = "durations are at most 31 days")]
    let (value, limit) = match rule.kind {
        Kind::Silence => {
            let stated = view.limit(slot, run_slot).map(|l| l.value.into_owned());
            let allowed = stated.unwrap_or(Value::Number(rule.for_seconds as f64));
            (Some(allowed.clone()), Some(allowed))
        }
        Kind::Count => {
            let at_least = rule.at_least.map(|n| Value::Number(f64::from(n)));
            (run.value.clone(), at_least)
        }
        Kind::Geofence => {
            let name = rule.area.as_ref().and_then(area::Area::name);
            (run.value.clone(), name.map(|n| Value::Text(n.to_owned())))
        }
        Kind::Deviation => {
            let expected = foretell::point(run).map(|point| Value::Number(point.value));
            (run.value.clone(), expected)
        }
        _ => {
            let limit = view.limit(slot, run_slot);
            (run.value.clone(), limit.map(|l| l.value.into_owned()))
        }
    };
    let ahead = foretell::words(run, &compiled.zone);
    let name = kind
        .seen
        .iter()
        .position(|n| n == NAME)
        .and_then(|slot| watched.seen[slot].as_ref())
        .and_then(|seen| match &seen.value {
            Value::Text(name) => Some(name.as_str()),
            _ => None,
        });
    let id = watched.id.as_str();
    let entity = name.unwrap_or_else(|| id.rsplit(':').next().unwrap_or(id));
    let fill = |title: &str, when: &str| {
        text::fill(
            title,
            &text::Words {
                value: &text::show(value.as_ref()),
                threshold: &text::show(limit.as_ref()),
                unit: &compiled.symbol,
                entity,
                when,
                lower: &ahead.lower,
                upper: &ahead.upper,
            },
        )
    };
    RuleEvent::Raised(Raised {
        rule_id: rule.id.clone(),
        rule_version: rule.version,
        entity_id: watched.id.clone(),
        entity_type: rule.entity_type.clone(),
        attribute: rule.attribute.clone(),
        title_zh: fill(&rule.title_zh, &ahead.when[0]),
        title_en: fill(&rule.title_en, &ahead.when[1]),
        value,
        threshold: limit,
        unit: compiled.unit.clone(),
        severity: rule.severity,
        at,
        position: run.position,
        opens_case: rule.opens_case.clone(),
        runbook: rule.runbook.clone(),
        decided: view.decided(slot, run_slot),
        is_storm: false,
    })
}

/// Marks a run as clear, and says so.
pub(super) fn clear(
    kinds: &[KindIndex],
    watched: &mut [Watched],
    slot: usize,
    run_slot: usize,
    at: Timestamp,
) -> RuleEvent {
    let watched = &mut watched[slot];
    let run = &mut watched.runs[run_slot];
    run.raised = false;
    run.since = None;
    run.clear_since = None;
    RuleEvent::Cleared(Cleared {
        rule_id: kinds[watched.kind].rules[run_slot].rule.id.clone(),
        entity_id: watched.id.clone(),
        at,
        position: run.position,
        value: run.value.clone(),
    })
}
