//! The engine's memory, out of and into a checkpoint.

use super::{Engine, due};
use crate::event::{Cleared, RuleEvent};
use crate::index::StormWatch;
use crate::state::{EntityState, Held, RunState, State, StormState};
use model::{EntityId, Timestamp};

impl Engine {
    /// The engine's memory, for a checkpoint.
    pub fn state(&self) -> State {
        let entities = self.watched.iter().map(|watched| {
            let kind = &self.kinds[watched.kind];
            let seen = kind.seen.iter().zip(&watched.seen);
            let runs = kind.rules.iter().zip(&watched.runs);
            EntityState {
                id: watched.id.clone(),
                entity_type: kind.name.clone(),
                seen: seen
                    .filter_map(|(name, seen)| Some((name.clone(), seen.clone()?)))
                    .collect(),
                runs: runs
                    .map(|(compiled, run)| RunState {
                        rule_id: compiled.rule.id.clone(),
                        rule_version: compiled.rule.version,
                        run: run.clone(),
                    })
                    .collect(),
            }
        });
        let storms = self.storms.iter().map(|watch| {
            let rule = &self.kinds[watch.kind].rules[watch.run_slot].rule;
            StormState {
                rule_id: rule.id.clone(),
                rule_version: rule.version,
                recent: watch.recent.clone(),
                storm: watch.storm,
            }
        });
        State {
            clock: self.clock,
            entities: entities.collect(),
            position: self.position,
            storms: storms.collect(),
        }
    }

    /// Takes up a checkpoint in place of the present memory. Alerts whose rule is gone, or has another
    /// version, are cleared by the returned events; a changed rule starts afresh with the next observation.
    pub fn restore(&mut self, state: State) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        self.watched.clear();
        self.deadlines.clear();
        self.groups.clear();
        self.lookers.clear();
        self.held.clear();
        self.position = state.position;
        for watch in &mut self.storms {
            *watch = StormWatch {
                kind: watch.kind,
                run_slot: watch.run_slot,
                ..StormWatch::default()
            };
        }
        self.slots.iter_mut().for_each(hashbrown::HashMap::clear);
        self.clock = state.clock;
        if self.clock != Timestamp::default() {
            self.begin(self.clock);
        }
        for entity in state.entities {
            let kind_index = self.kind_by_name.get(&entity.entity_type).copied();
            let slot = kind_index.map(|k| self.slot(&entity.id, k));
            for old in entity.runs {
                let place = kind_index.and_then(|k| {
                    self.kinds[k].rules.iter().position(|c| {
                        c.rule.id == old.rule_id && c.rule.version == old.rule_version
                    })
                });
                if let (Some(slot), Some(run_slot)) = (slot, place) {
                    self.watched[slot].runs[run_slot] = old.run;
                } else if old.run.raised && old.run.held().is_none() {
                    events.push(RuleEvent::Cleared(Cleared {
                        rule_id: old.rule_id,
                        entity_id: entity.id.clone(),
                        at: state.clock,
                        position: old.run.position,
                        value: old.run.value,
                    }));
                }
            }
            let (Some(k), Some(slot)) = (kind_index, slot) else {
                continue;
            };
            let kind = &self.kinds[k];
            let watched = &mut self.watched[slot];
            for (name, seen) in entity.seen {
                if let Some(n) = kind.seen.iter().position(|known| *known == name) {
                    watched.seen[n] = Some(seen);
                }
            }
            self.look(slot);
            let (kind, watched) = (&self.kinds[k], &mut self.watched[slot]);
            for (run_slot, compiled) in kind.rules.iter().enumerate() {
                if let Some(due) = due(compiled, watched, run_slot) {
                    watched.scheduled[run_slot] = true;
                    self.deadlines.insert((due, slot, run_slot));
                }
            }
        }
        for old in state.storms {
            let same = self.storms.iter_mut().find(|watch| {
                let rule = &self.kinds[watch.kind].rules[watch.run_slot].rule;
                rule.id == old.rule_id && rule.version == old.rule_version
            });
            match (same, old.storm) {
                (Some(watch), storm) => {
                    watch.recent = old.recent;
                    watch.storm = storm;
                }
                (None, Some(storm)) => {
                    let id = EntityId::new(format!("urn:ngsi-ld:Rule:{}", old.rule_id)).ok();
                    events.extend(id.map(|entity_id| {
                        RuleEvent::Cleared(Cleared {
                            rule_id: old.rule_id,
                            entity_id,
                            at: state.clock,
                            position: storm.position,
                            value: None,
                        })
                    }));
                }
                (None, None) => {}
            }
        }
        self.take_up_held();
        events
    }

    /// Finds again what was held back, and when it may be told.
    fn take_up_held(&mut self) {
        for slot in 0..self.watched.len() {
            let k = self.watched[slot].kind;
            for run_slot in 0..self.kinds[k].rules.len() {
                let run = &self.watched[slot].runs[run_slot];
                let (Some(held), Some(more)) = (run.held(), &run.more) else {
                    continue;
                };
                let quiet_until = more.quiet_until;
                if held == Held::Storm {
                    let storm = self.kinds[k].rules[run_slot].storm;
                    if let Some(watch) = storm.and_then(|n| self.storms.get_mut(n)) {
                        watch.members.insert(slot);
                    }
                    continue;
                }
                self.held.insert((slot, run_slot));
                if held == Held::Repeat {
                    self.when_quiet_ends(quiet_until);
                }
            }
        }
    }
}
