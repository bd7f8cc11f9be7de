//! The engine: a pure fold of updates and time into alerts.
//!
//! # How time is judged
//! "Held for N seconds" has two clocks. While data flows it is judged by the data's own `observed_at`:
//! the condition must hold in every observation from one at `t` to one at `t + N` or later. While the
//! value simply stays (nothing new comes) it is judged by the platform's clock: N seconds after the
//! *receipt* of the first observation of the run. Silence is judged by the platform's clock alone.
//!
//! The caller's promise: records are given in the journal's order, and `tick(now)` only when every
//! record received before `now` has been given. Then the events do not depend on when or how often
//! `tick` is called: a deadline fires with its own time, and `observe` fires those that lie before it.
//!
//! # Which threshold counts
//! A threshold that another attribute of the entity states is judged by what is known: of its statements
//! that have come in, the one with the latest time counts for every reading judged from then on, whatever
//! the reading's own time. So a threshold stated "later" than the readings (a station's limit written now,
//! its readings a few minutes behind) shuts no reading out, and readings judged before are not judged again.
//!
//! When the threshold in force changes, the value that is there is judged again at once. What then begins
//! (a run that holds, a run that is clear) begins at the later of the two times, the value's and the
//! threshold's, so that nothing is raised from a time before the threshold was so; and only readings, or the
//! platform's clock, complete a run: a restated threshold says nothing of how the value went on.
//!
//! # What is left out
//! Values that are not usable (`uncertain`, `out_of_range`) neither raise, break nor clear a threshold
//! rule. A reading older than the last one judged is left out too, except that it breaks a silence.
//! A rule whose threshold attribute has not been seen yet cannot be judged. An entity that never spoke
//! is not silent: it is unknown.

use crate::event::{Cleared, Raised, RuleEvent};
use crate::index::{Against, Compiled, KindIndex, NAME};
use crate::rule::{Kind, Op, Rule};
use crate::state::{EntityState, Mark, Run, RunState, Seen, State};
use crate::text;
use hashbrown::HashMap;
use model::{AttributeUpdate, Catalogue, EntityId, Problem, Quality, Timestamp, Update, Value};
use std::collections::BTreeSet;

/// Entities whose memory is asked for together.
const TOGETHER: usize = 32;

/// Rules at work. Memory grows with the entities that rules concern: about 200 bytes for each and rule.
#[derive(Debug, Default)]
pub struct Engine {
    kinds: Vec<KindIndex>,
    kind_by_name: HashMap<String, usize>,
    /// Per kind, where an entity lies in `watched`.
    slots: Vec<HashMap<EntityId, usize>>,
    watched: Vec<Watched>,
    /// (when, entity slot, run slot): at most one for each run; a run that moved on is rescheduled when it fires.
    deadlines: BTreeSet<(Timestamp, usize, usize)>,
    clock: Timestamp,
}

#[derive(Debug)]
struct Watched {
    id: EntityId,
    kind: usize,
    seen: Vec<Option<Seen>>,
    runs: Vec<Run>,
    /// Runs that have an entry in `deadlines`.
    scheduled: Vec<bool>,
}

/// What an observation says about a condition.
#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Holds,
    /// Neither holds nor is clear: inside the hysteresis.
    Between,
    Clear,
    /// Cannot be said any more.
    Gone,
}

impl Engine {
    /// Sets rules to work.
    ///
    /// # Errors
    /// Every mistake of every rule, with the rule's file and key as its place; two rules of one id.
    pub fn new(rules: Vec<Rule>, catalogue: &Catalogue) -> Result<Self, Vec<Problem>> {
        let mut engine = Self::default();
        let mut problems = Vec::new();
        let mut files: HashMap<String, String> = HashMap::new();
        for rule in rules {
            let place = if rule.file.is_empty() {
                rule.id.clone()
            } else {
                rule.file.clone()
            };
            for mistake in rule.mistakes(catalogue) {
                let place = format!("{place}: {}", mistake.key);
                problems.push(mistake.at(place));
            }
            if let Some(first) = files.insert(rule.id.clone(), place.clone()) {
                problems.push(Problem::new(
                    "rule-duplicate",
                    format!("the rule {} is declared twice, first in {first}", rule.id),
                    format!("{place}: id"),
                    "give one of them another id, or delete it",
                ));
            }
            if problems.is_empty() {
                engine.add(rule, catalogue);
            }
        }
        if problems.is_empty() {
            Ok(engine)
        } else {
            Err(problems)
        }
    }

    fn add(&mut self, rule: Rule, catalogue: &Catalogue) {
        let kind = *self
            .kind_by_name
            .entry(rule.entity_type.clone())
            .or_insert_with(|| {
                self.kinds.push(KindIndex {
                    name: rule.entity_type.clone(),
                    ..KindIndex::default()
                });
                self.slots.push(HashMap::new());
                self.kinds.len() - 1
            });
        self.kinds[kind].add(rule, catalogue);
    }

    /// The rules at work, by type.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.kinds
            .iter()
            .flat_map(|kind| kind.rules.iter().map(|c| &c.rule))
    }

    /// Takes the updates of one message of the journal, received at `received_at`. Cheap when no rule concerns them.
    pub fn observe_all(
        &mut self,
        position: u64,
        updates: &[Update],
        received_at: Timestamp,
    ) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        for some in updates.chunks(TOGETHER) {
            if some.len() > 1 {
                self.fetch(some);
            }
            for update in some {
                self.observe_one(position, update, received_at, &mut events);
            }
        }
        events
    }

    /// [`Engine::observe_all`] of a single update.
    pub fn observe(
        &mut self,
        position: u64,
        update: &Update,
        received_at: Timestamp,
    ) -> Vec<RuleEvent> {
        self.observe_all(position, std::slice::from_ref(update), received_at)
    }

    /// Asks for the memory of several entities together: each lies in its own places, and waiting for them one after the
    /// other is most of the work on a large message.
    fn fetch(&self, updates: &[Update]) {
        let Some(first) = updates.first() else { return };
        // The updates of a message are mostly of one type.
        let Some(&k) = self.kind_by_name.get(first.entity_type.as_str()) else {
            return;
        };
        let mut found = [None; TOGETHER];
        for (found, update) in found.iter_mut().zip(updates) {
            *found = self.slots[k].get(&update.entity_id);
        }
        let watched = || found.iter().flatten().map(|&&slot| &self.watched[slot]);
        for watched in watched() {
            std::hint::black_box((watched.kind, watched.scheduled.len()));
        }
        for watched in watched() {
            let run = watched.runs.first().map(|run| run.position);
            std::hint::black_box((run, watched.scheduled.first()));
        }
    }

    fn observe_one(
        &mut self,
        position: u64,
        update: &Update,
        received_at: Timestamp,
        events: &mut Vec<RuleEvent>,
    ) {
        self.advance(received_at, events);
        let Some(&k) = self.kind_by_name.get(update.entity_type.as_str()) else {
            return;
        };
        let kind = &self.kinds[k];
        let concerns_a_rule = !kind.whole_silence.is_empty()
            || update
                .attributes
                .iter()
                .any(|a| kind.attributes.contains_key(a.name.as_str()));
        if !concerns_a_rule {
            return;
        }
        let slot = self.slot(&update.entity_id, k);
        let mut step = Step {
            kind: &self.kinds[k],
            watched: &mut self.watched[slot],
            deadlines: &mut self.deadlines,
            events,
            slot,
            position,
            clock: self.clock,
        };
        let changed = step.remember(&update.attributes);
        for attribute in &update.attributes {
            step.attribute(attribute);
        }
        for run_slot in &step.kind.whole_silence {
            step.hear(*run_slot, None);
        }
        step.thresholds_changed(&changed);
    }

    /// Lets time pass: raises and clears what has now held long enough.
    pub fn tick(&mut self, now: Timestamp) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        self.advance(now, &mut events);
        events
    }

    /// When `tick` may have something to say next; it may turn out to have nothing.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _, _)| *at)
    }

    /// The platform was not listening before `now` (it has just started): silence counts from here, so
    /// that a restart does not raise an alert for every device.
    pub fn resume(&mut self, now: Timestamp) {
        self.clock = self.clock.max(now);
        for watched in &mut self.watched {
            for (run, compiled) in watched.runs.iter_mut().zip(&self.kinds[watched.kind].rules) {
                if compiled.rule.kind == Kind::Silence && !run.raised {
                    run.last.received_at = run.last.received_at.max(now);
                }
            }
        }
    }

    /// The alerts that are up: rule id, entity, journal position.
    pub fn active(&self) -> impl Iterator<Item = (&str, &EntityId, u64)> {
        self.watched.iter().flat_map(move |watched| {
            watched
                .runs
                .iter()
                .zip(&self.kinds[watched.kind].rules)
                .filter(|(run, _)| run.raised)
                .map(|(run, compiled)| (compiled.rule.id.as_str(), &watched.id, run.position))
        })
    }

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
        State {
            clock: self.clock,
            entities: entities.collect(),
        }
    }

    /// Takes up a checkpoint in place of the present memory. Alerts whose rule is gone, or has another
    /// version, are cleared by the returned events; a changed rule starts afresh with the next observation.
    pub fn restore(&mut self, state: State) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        self.watched.clear();
        self.deadlines.clear();
        self.slots.iter_mut().for_each(HashMap::clear);
        self.clock = state.clock;
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
                } else if old.run.raised {
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
            for (run_slot, compiled) in kind.rules.iter().enumerate() {
                if let Some(due) = due(&compiled.rule, &watched.runs[run_slot]) {
                    watched.scheduled[run_slot] = true;
                    self.deadlines.insert((due, slot, run_slot));
                }
            }
        }
        events
    }

    fn slot(&mut self, id: &EntityId, k: usize) -> usize {
        if let Some(&slot) = self.slots[k].get(id) {
            return slot;
        }
        let kind = &self.kinds[k];
        self.watched.push(Watched {
            id: id.clone(),
            kind: k,
            seen: vec![None; kind.seen.len()],
            runs: vec![Run::default(); kind.rules.len()],
            scheduled: vec![false; kind.rules.len()],
        });
        let slot = self.watched.len() - 1;
        self.slots[k].insert(id.clone(), slot);
        slot
    }

    /// Fires every deadline up to `now`, in order.
    fn advance(&mut self, now: Timestamp, events: &mut Vec<RuleEvent>) {
        self.clock = self.clock.max(now);
        while let Some(&(at, slot, run_slot)) = self.deadlines.first() {
            if at > self.clock {
                break;
            }
            self.deadlines.pop_first();
            let watched = &mut self.watched[slot];
            watched.scheduled[run_slot] = false;
            let kind = &self.kinds[watched.kind];
            let rule = &kind.rules[run_slot].rule;
            let Some(due) = due(rule, &watched.runs[run_slot]) else {
                continue;
            };
            // A run that moved on fires in its own turn, so that events come in the order of their times.
            if due > at {
                watched.scheduled[run_slot] = true;
                self.deadlines.insert((due, slot, run_slot));
            } else if watched.runs[run_slot].raised {
                events.push(clear(kind, watched, run_slot, due));
            } else {
                events.push(raise(kind, watched, run_slot, due));
            }
        }
    }
}

/// When the run's present state, left alone, raises or clears.
fn due(rule: &Rule, run: &Run) -> Option<Timestamp> {
    let held =
        |since: Option<Mark>, seconds: u64| Some(since?.received_at.plus_micros(micros(seconds)));
    match (rule.kind, run.raised) {
        (Kind::Silence, false) => held(run.since.map(|_| run.last), rule.for_seconds),
        (Kind::Silence, true) => None,
        (_, false) => held(run.since, rule.for_seconds),
        (_, true) => held(run.clear_since, rule.clear.for_seconds),
    }
}

fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000)
}

/// The work of one update on one entity.
struct Step<'a> {
    kind: &'a KindIndex,
    watched: &'a mut Watched,
    deadlines: &'a mut BTreeSet<(Timestamp, usize, usize)>,
    events: &'a mut Vec<RuleEvent>,
    slot: usize,
    position: u64,
    clock: Timestamp,
}

impl Step<'_> {
    /// First the values that others are compared with, so that their order in the message does not matter.
    /// Answers those that are others now.
    fn remember<'u>(&mut self, attributes: &'u [AttributeUpdate]) -> Vec<&'u AttributeUpdate> {
        let mut changed = Vec::new();
        for update in attributes.iter().filter(|a| a.quality.is_usable()) {
            let slot = self
                .kind
                .attributes
                .get(update.name.as_str())
                .and_then(|index| index.seen_slot);
            let Some(slot) = slot else { continue };
            let seen = &mut self.watched.seen[slot];
            if seen
                .as_ref()
                .is_some_and(|s| s.observed_at > update.observed_at)
            {
                continue;
            }
            if seen.as_ref().is_none_or(|s| s.value != update.value) {
                changed.push(update);
            }
            *seen = Some(Seen {
                value: update.value.clone(),
                observed_at: update.observed_at,
            });
        }
        changed
    }

    fn attribute(&mut self, update: &AttributeUpdate) {
        let Some(index) = self.kind.attributes.get(update.name.as_str()) else {
            return;
        };
        for &run_slot in &index.watched_by {
            let compiled = &self.kind.rules[run_slot];
            if compiled.rule.kind == Kind::Silence {
                self.hear(run_slot, Some(&update.value));
                continue;
            }
            let run = &self.watched.runs[run_slot];
            if update.observed_at < run.last.observed_at {
                continue;
            }
            let gone = update.value == Value::Deleted;
            let verdict = match compiled.rule.kind {
                Kind::OutOfRange if update.quality == Quality::OutOfRange => Verdict::Holds,
                Kind::OutOfRange if update.quality.is_usable() => Verdict::Clear,
                Kind::Threshold if gone => Verdict::Gone,
                Kind::Threshold if update.quality.is_usable() => {
                    match compare(compiled, &self.watched.seen, &update.value) {
                        Some(verdict) => verdict,
                        // A value of another kind than the threshold's says nothing.
                        None => continue,
                    }
                }
                _ => continue,
            };
            let run = &mut self.watched.runs[run_slot];
            run.value = (!gone).then(|| update.value.clone());
            run.position = self.position;
            run.last = Mark {
                observed_at: update.observed_at,
                received_at: self.clock,
            };
            let now = run.last;
            self.judge(run_slot, verdict, now, true);
        }
    }

    /// A threshold that changed judges the value that is there again.
    fn thresholds_changed(&mut self, changed: &[&AttributeUpdate]) {
        for update in changed {
            let Some(index) = self.kind.attributes.get(update.name.as_str()) else {
                continue;
            };
            for &run_slot in &index.threshold_of {
                let run = &self.watched.runs[run_slot];
                let Some(value) = run.value.clone() else {
                    continue;
                };
                let Some(verdict) = compare(&self.kind.rules[run_slot], &self.watched.seen, &value)
                else {
                    continue;
                };
                let run = &mut self.watched.runs[run_slot];
                run.position = self.position;
                // `last` stays: it is the time of the last reading, and the next may be older than this.
                let now = Mark {
                    observed_at: run.last.observed_at.max(update.observed_at),
                    received_at: self.clock,
                };
                self.judge(run_slot, verdict, now, false);
            }
        }
    }

    /// Something was heard: the silence of a silence rule is broken.
    fn hear(&mut self, run_slot: usize, value: Option<&Value>) {
        let run = &mut self.watched.runs[run_slot];
        run.last = Mark {
            observed_at: self.clock,
            received_at: self.clock,
        };
        run.since = Some(run.last);
        run.position = self.position;
        run.value = value.cloned();
        if run.raised {
            let event = clear(self.kind, self.watched, run_slot, self.clock);
            self.events.push(event);
            self.watched.runs[run_slot].since = Some(Mark {
                observed_at: self.clock,
                received_at: self.clock,
            });
        }
        self.schedule(run_slot);
    }

    /// Lets a verdict as of `now` take effect. Only a reading completes a run that must be held.
    fn judge(&mut self, run_slot: usize, verdict: Verdict, now: Mark, is_reading: bool) {
        let rule = &self.kind.rules[run_slot].rule;
        let run = &mut self.watched.runs[run_slot];
        let long_enough = |since: Mark, seconds: u64| {
            let held = now.observed_at.micros_since(since.observed_at);
            seconds == 0 || is_reading && held >= micros(seconds)
        };
        match verdict {
            Verdict::Holds => {
                run.clear_since = None;
                let since = *run.since.get_or_insert(now);
                if !run.raised && long_enough(since, rule.for_seconds) {
                    let event = raise(self.kind, self.watched, run_slot, now.observed_at);
                    self.events.push(event);
                }
            }
            Verdict::Between => {
                run.since = None;
                run.clear_since = None;
            }
            Verdict::Clear => {
                run.since = None;
                if run.raised {
                    let since = *run.clear_since.get_or_insert(now);
                    if long_enough(since, rule.clear.for_seconds) {
                        let event = clear(self.kind, self.watched, run_slot, now.observed_at);
                        self.events.push(event);
                    }
                }
            }
            Verdict::Gone => {
                run.since = None;
                if run.raised {
                    let event = clear(self.kind, self.watched, run_slot, now.observed_at);
                    self.events.push(event);
                }
            }
        }
        self.schedule(run_slot);
    }

    fn schedule(&mut self, run_slot: usize) {
        if self.watched.scheduled[run_slot] {
            return;
        }
        let rule = &self.kind.rules[run_slot].rule;
        if let Some(due) = due(rule, &self.watched.runs[run_slot]) {
            self.watched.scheduled[run_slot] = true;
            self.deadlines.insert((due, self.slot, run_slot));
        }
    }
}

/// The verdict on a usable value; `None` when it cannot be compared at all.
fn compare(compiled: &Compiled, seen: &[Option<Seen>], value: &Value) -> Option<Verdict> {
    let op: Op = compiled.rule.op?;
    let Some(threshold) = threshold(compiled, seen) else {
        return Some(Verdict::Gone);
    };
    Some(if op.holds(value, threshold)? {
        Verdict::Holds
    } else if op.is_clear(value, threshold, compiled.rule.clear.margin)? {
        Verdict::Clear
    } else {
        Verdict::Between
    })
}

fn threshold<'a>(compiled: &'a Compiled, seen: &'a [Option<Seen>]) -> Option<&'a Value> {
    match &compiled.against {
        Against::Nothing => None,
        Against::Fixed(value) => Some(value),
        Against::Seen(slot) => seen[*slot]
            .as_ref()
            .map(|s| &s.value)
            .filter(|value| **value != Value::Deleted),
    }
}

fn raise(kind: &KindIndex, watched: &mut Watched, run_slot: usize, at: Timestamp) -> RuleEvent {
    let compiled = &kind.rules[run_slot];
    let rule = &compiled.rule;
    let run = &mut watched.runs[run_slot];
    run.raised = true;
    run.clear_since = None;
    #[expect(clippy::cast_precision_loss, reason = "durations are at most 31 days")]
    let (value, limit) = if rule.kind == Kind::Silence {
        let seconds = Some(Value::Number(rule.for_seconds as f64));
        (seconds.clone(), seconds)
    } else {
        (
            run.value.clone(),
            threshold(compiled, &watched.seen).cloned(),
        )
    };
    let position = run.position;
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
    let fill = |title: &str| {
        text::fill(
            title,
            &text::show(value.as_ref()),
            &text::show(limit.as_ref()),
            &compiled.symbol,
            entity,
        )
    };
    RuleEvent::Raised(Raised {
        rule_id: rule.id.clone(),
        rule_version: rule.version,
        entity_id: watched.id.clone(),
        entity_type: rule.entity_type.clone(),
        attribute: rule.attribute.clone(),
        title_zh: fill(&rule.title_zh),
        title_en: fill(&rule.title_en),
        value,
        threshold: limit,
        unit: compiled.unit.clone(),
        severity: rule.severity,
        at,
        position,
        opens_case: rule.opens_case.clone(),
        runbook: rule.runbook.clone(),
    })
}

fn clear(kind: &KindIndex, watched: &mut Watched, run_slot: usize, at: Timestamp) -> RuleEvent {
    let run = &mut watched.runs[run_slot];
    run.raised = false;
    run.since = None;
    run.clear_since = None;
    RuleEvent::Cleared(Cleared {
        rule_id: kind.rules[run_slot].rule.id.clone(),
        entity_id: watched.id.clone(),
        at,
        position: run.position,
        value: run.value.clone(),
    })
}
