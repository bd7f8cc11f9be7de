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
//! A value of another kind than the rule compares with is a failure ([`RuleEvent::Failed`]): told at most once in
//! [`FAILURE_TOLD_SECONDS`] for an entity and rule, with how often it happened.
//!
//! # Other entities
//! A threshold that another entity states is the one known when a reading of the rule's own attribute is judged. When it changes, or when
//! the relation leads to another entity, the value that is there is judged again at once, as with a threshold that the entity itself
//! states. So that the cost of an update stays bounded however many entities look at the one that spoke, at most
//! [`JUDGED_ANEW_MAX`] of them are judged then, those that were seen first; the rest are with their own next reading.
//!
//! # What holds an alert back
//! An alert whose condition holds is told, unless one of these holds it back, looked at in this order: a maintenance window, an alert
//! that explains it (`suppressed_by`), the time after its last clearing (`repeat_seconds`), a storm. When the reason ends and the
//! condition still holds, it is told then. An alert that was told stays told until its condition ends. A storm ends when at most half
//! of the rule's number of its members are still up; those are then told one by one.
//!
//! # Forecasts
//! A forecast is an entity of its own: a run of it reaches the rules of the entity that its relation names. A `forecast` rule looks, when
//! a run comes in, at the run's points from now to its horizon; by the platform's clock, so that a crossing further ahead is judged again
//! when it comes within the horizon. Passing time never ends an alert that was told, a later run does; one that is held back ends when nothing of
//! it lies ahead any more. What the entity states of a threshold judges the
//! latest run again. A `deviation` rule compares each reading with the newest run that was issued before it and speaks of its time.
//! A run that is too old, states too little certainty or has no interval where one is needed is passed over and told ([`RuleEvent::Failed`]);
//! so is, once, that no newer run came before the last one grew too old. Runs are taken in the order in which they were issued: an older
//! one that comes later is left out.
//!
//! A rule with `during` starts afresh whenever its time begins: alerts end with its time, and only readings in its time count.

use crate::check;
use crate::event::RuleEvent;
use crate::index::{Against, By, Compiled, KindIndex, Lookers, Looking, StormWatch, Whose};
use crate::maintenance::Maintenance;
use crate::rule::{Kind, Rule, Threshold};
use crate::schedule::Schedule;
use crate::state::{Held, Mark, Run, Seen};
use gate::Moment;
use hashbrown::HashMap;
use jiff::tz::TimeZone;
use model::calendar::ALWAYS;
use model::{Calendars, Catalogue, EntityId, Problem, Timestamp, Update};
use std::collections::BTreeSet;
use step::Step;
use told::{clear, raise};

mod foretell;
mod gate;
mod memory;
mod step;
mod told;

/// Entities whose memory is asked for together.
const TOGETHER: usize = 32;

/// Most entities that are judged anew because another one that they are compared with spoke.
pub const JUDGED_ANEW_MAX: usize = 1_000;

/// After a restart at least so many seconds pass before a silence is told, unless the rule's own time is shorter.
pub const RESUMED_SECONDS: u64 = 3_600;

/// A rule that fails on an entity is told at most once in so many seconds.
pub const FAILURE_TOLD_SECONDS: u64 = 60;

/// Rules at work. Memory grows with the entities that rules concern: about 200 bytes for each and rule.
#[derive(Debug)]
pub struct Engine {
    kinds: Vec<KindIndex>,
    kind_by_name: HashMap<String, usize>,
    /// Per kind, where an entity lies in `watched`.
    slots: Vec<HashMap<EntityId, usize>>,
    /// Where the runs of rules about their whole type lie.
    groups: HashMap<(usize, usize), usize>,
    /// Who is compared with whom; follows from what is remembered of the entities.
    lookers: Lookers,
    watched: Vec<Watched>,
    /// (when, entity slot, run slot): at most one for each run; a run that moved on is rescheduled when it fires.
    deadlines: BTreeSet<(Timestamp, usize, usize)>,
    /// What happens to rules as a whole; before the deadlines of the same time.
    moments: BTreeSet<(Timestamp, Moment)>,
    /// Runs that are held back for another reason than a storm: entity slot, run slot.
    held: BTreeSet<(usize, usize)>,
    maintenance: Vec<Maintenance>,
    storms: Vec<StormWatch>,
    /// What has happened and is not settled.
    signals: Vec<Signal>,
    zone: TimeZone,
    clock: Timestamp,
    position: u64,
}

#[derive(Debug)]
pub(crate) struct Watched {
    id: EntityId,
    kind: usize,
    seen: Vec<Option<Seen>>,
    runs: Vec<Run>,
    /// Runs that have an entry in `deadlines`.
    scheduled: Vec<bool>,
}

/// A run's condition began or ended, or could not be judged.
#[derive(Debug)]
pub(crate) struct Signal {
    slot: usize,
    run_slot: usize,
    event: RuleEvent,
}

impl Engine {
    /// Sets rules to work.
    ///
    /// # Errors
    /// Every mistake of every rule, with the rule's file and key as its place; those of [`check::problems`].
    pub fn new(
        rules: Vec<Rule>,
        catalogue: &Catalogue,
        calendars: &Calendars,
    ) -> Result<Self, Vec<Problem>> {
        let problems = check::problems(&rules, catalogue, calendars);
        if !problems.is_empty() {
            return Err(problems);
        }
        let zone = calendars
            .get(ALWAYS)
            .map_or(TimeZone::UTC, |always| always.zone().clone());
        let mut engine = Self::in_zone(zone);
        for rule in rules {
            let schedule = match &rule.during {
                Some(during) => Some(Schedule::new(during, calendars).map_err(|p| vec![p])?),
                None => None,
            };
            let k = engine.kind(&rule.entity_type);
            engine.kinds[k].add(rule, catalogue);
            if let Some(compiled) = engine.kinds[k].rules.last_mut() {
                compiled.schedule = schedule;
                compiled.zone = engine.zone.clone();
            }
        }
        engine.join();
        engine.feed(catalogue);
        Ok(engine)
    }

    fn in_zone(zone: TimeZone) -> Self {
        Self {
            kinds: Vec::new(),
            kind_by_name: HashMap::new(),
            slots: Vec::new(),
            groups: HashMap::new(),
            lookers: Lookers::new(),
            watched: Vec::new(),
            deadlines: BTreeSet::new(),
            moments: BTreeSet::new(),
            held: BTreeSet::new(),
            maintenance: Vec::new(),
            storms: Vec::new(),
            signals: Vec::new(),
            zone,
            clock: Timestamp::default(),
            position: 0,
        }
    }

    fn kind(&mut self, name: &str) -> usize {
        *self.kind_by_name.entry(name.to_owned()).or_insert_with(|| {
            self.kinds.push(KindIndex {
                name: name.to_owned(),
                ..KindIndex::default()
            });
            self.slots.push(HashMap::new());
            self.kinds.len() - 1
        })
    }

    /// Finds what rules say of each other and of other types, once all are there.
    fn join(&mut self) {
        let places: HashMap<String, (usize, usize)> = self
            .kinds
            .iter()
            .enumerate()
            .flat_map(|(k, kind)| {
                let ids = kind.rules.iter().enumerate();
                ids.map(move |(r, compiled)| (compiled.rule.id.clone(), (k, r)))
            })
            .collect();
        let mut all: Vec<(usize, usize)> = places.values().copied().collect();
        all.sort_unstable();
        for (k, r) in all {
            let rule = self.kinds[k].rules[r].rule.clone();
            if let Some(Threshold::Attribute(other)) = &rule.threshold
                && let Some(entity_type) = &other.entity_type
            {
                let whose = match (&other.entity, &other.relation) {
                    (Some(id), _) => EntityId::new(id).ok().map(Whose::Named),
                    (None, Some(relation)) => {
                        Some(Whose::Related(self.kinds[k].remember(relation)))
                    }
                    (None, None) => None,
                };
                let kind = self.kind(entity_type);
                let seen = self.kinds[kind].remember(&other.attribute);
                if let Some(whose) = whose {
                    if !self.kinds[kind].looked_at.contains(&seen) {
                        self.kinds[kind].looked_at.push(seen);
                    }
                    self.kinds[k].looking.push(Looking {
                        run_slot: r,
                        kind,
                        whose: whose.clone(),
                    });
                    self.kinds[k].rules[r].against = Against::Elsewhere { kind, seen, whose };
                }
            }
            for by in rule.doubted.iter().flat_map(|doubt| &doubt.by) {
                if let Some(&(kind, run_slot)) = places.get(by.as_str()) {
                    self.kinds[k].rules[r].doubters.push(By {
                        kind,
                        run_slot,
                        relation: None,
                    });
                }
            }
            for by in &rule.suppressed_by {
                let Some(&(kind, run_slot)) = places.get(by.rule()) else {
                    continue;
                };
                let relation = by.relation().map(|name| self.kinds[k].remember(name));
                self.kinds[kind].rules[run_slot].is_suppressor = true;
                self.kinds[k].rules[r].suppressors.push(By {
                    kind,
                    run_slot,
                    relation,
                });
            }
        }
        for k in 0..self.kinds.len() {
            for r in 0..self.kinds[k].rules.len() {
                if self.kinds[k].rules[r].rule.storm.is_some() {
                    self.kinds[k].rules[r].storm = Some(self.storms.len());
                    self.storms.push(StormWatch {
                        kind: k,
                        run_slot: r,
                        ..StormWatch::default()
                    });
                }
            }
        }
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
        self.position = self.position.max(position);
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
        for r in 0..self.kinds[k].distinct.len() {
            self.group(k, self.kinds[k].distinct[r]);
        }
        let before = self.foretold_of(slot).cloned();
        self.step(slot, position).update(update);
        if self.kinds[k].feed.is_some() {
            self.foretell(slot, before.as_ref(), update, position);
        }
        if !self.signals.is_empty() {
            self.settle(self.clock, events);
        }
    }

    fn step(&mut self, slot: usize, position: u64) -> Step<'_> {
        Step {
            kinds: &self.kinds,
            k: self.watched[slot].kind,
            slots: &self.slots,
            groups: &self.groups,
            lookers: &mut self.lookers,
            watched: &mut self.watched,
            slot,
            deadlines: &mut self.deadlines,
            signals: &mut self.signals,
            position,
            clock: self.clock,
            zone: &self.zone,
        }
    }

    /// The slot under which a rule about its whole type keeps its run.
    fn group(&mut self, k: usize, run_slot: usize) {
        if self.groups.contains_key(&(k, run_slot)) {
            return;
        }
        if let Some(id) = self.kinds[k].rules[run_slot].rule.own_id() {
            let slot = self.slot(&id, k);
            self.groups.insert((k, run_slot), slot);
        }
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
    /// that a restart does not raise an alert for every device. Of a silence of more than [`RESUMED_SECONDS`] so much is left at least:
    /// what is said once in some days would else never be missed where the program is started again meanwhile.
    pub fn resume(&mut self, now: Timestamp) {
        self.clock = self.clock.max(now);
        for watched in &mut self.watched {
            for (run, compiled) in watched.runs.iter_mut().zip(&self.kinds[watched.kind].rules) {
                let is_told = run.raised && run.held().is_none();
                if compiled.rule.kind != Kind::Silence || is_told {
                    continue;
                }
                let Some(seconds) = compiled.silence_seconds(&watched.seen) else {
                    continue;
                };
                let gone = micros(seconds.saturating_sub(RESUMED_SECONDS));
                let heard = &mut run.last.received_at;
                *heard = (*heard).max(now.plus_micros(-gone));
            }
        }
    }

    /// The alerts that are up and told: rule id, entity, journal position. A storm's entity is the rule itself.
    pub fn active(&self) -> impl Iterator<Item = (&str, EntityId, u64)> {
        let storms = self.storms.iter().filter_map(|watch| {
            let rule = &self.kinds[watch.kind].rules[watch.run_slot].rule;
            Some((rule.id.as_str(), rule.own_id()?, watch.storm?.position))
        });
        self.up()
            .filter(|(_, _, run)| run.held().is_none())
            .map(|(rule, id, run)| (rule, id.clone(), run.position))
            .chain(storms)
    }

    /// The alerts whose condition holds and that are held back: rule id, entity, and why.
    pub fn held_back(&self) -> impl Iterator<Item = (&str, &EntityId, Held)> {
        self.up()
            .filter_map(|(rule, id, run)| Some((rule, id, run.held()?)))
    }

    fn up(&self) -> impl Iterator<Item = (&str, &EntityId, &Run)> {
        self.watched.iter().flat_map(move |watched| {
            watched
                .runs
                .iter()
                .zip(&self.kinds[watched.kind].rules)
                .filter(|(run, _)| run.raised)
                .map(|(run, compiled)| (compiled.rule.id.as_str(), &watched.id, run))
        })
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
        self.look(slot);
        slot
    }

    /// Notes whom an entity is compared with, of what is remembered of it.
    fn look(&mut self, slot: usize) {
        let watched = &self.watched[slot];
        for looking in &self.kinds[watched.kind].looking {
            if let Some(other) = looking.target(&watched.seen) {
                let lookers = self.lookers.entry((looking.kind, other)).or_default();
                lookers.insert((slot, looking.run_slot));
            }
        }
    }

    /// Fires every deadline up to `now`, in order.
    fn advance(&mut self, now: Timestamp, events: &mut Vec<RuleEvent>) {
        if self.clock == Timestamp::default() && now > self.clock {
            self.begin(now);
        }
        self.clock = self.clock.max(now);
        loop {
            let moment = self.moments.first().map(|(at, _)| *at);
            let deadline = self.deadlines.first().map(|(at, _, _)| *at);
            let is_moment = match (moment, deadline) {
                (Some(moment), Some(deadline)) => moment <= deadline,
                (Some(_), None) => true,
                (None, _) => false,
            };
            let Some(at) = (if is_moment { moment } else { deadline }) else {
                return;
            };
            if at > self.clock {
                return;
            }
            if is_moment {
                if let Some((at, moment)) = self.moments.pop_first() {
                    self.moment(at, moment, events);
                }
            } else if let Some((at, slot, run_slot)) = self.deadlines.pop_first() {
                self.deadline(at, slot, run_slot, events);
            }
        }
    }

    fn deadline(
        &mut self,
        at: Timestamp,
        slot: usize,
        run_slot: usize,
        events: &mut Vec<RuleEvent>,
    ) {
        let watched = &mut self.watched[slot];
        watched.scheduled[run_slot] = false;
        let compiled = &self.kinds[watched.kind].rules[run_slot];
        let Some(due) = due(compiled, watched, run_slot) else {
            return;
        };
        // A run that moved on fires in its own turn, so that events come in the order of their times.
        if due > at {
            watched.scheduled[run_slot] = true;
            self.deadlines.insert((due, slot, run_slot));
            return;
        }
        if compiled.rule.kind == Kind::Forecast {
            let position = self.watched[slot].runs[run_slot].position;
            self.step(slot, position).time_passed(run_slot, due);
            self.settle(due, events);
            return;
        }
        let event = if watched.runs[run_slot].raised {
            clear(&self.kinds, &mut self.watched, slot, run_slot, due)
        } else {
            raise(
                &self.kinds,
                &self.slots,
                &mut self.watched,
                slot,
                run_slot,
                due,
            )
        };
        self.signals.push(Signal {
            slot,
            run_slot,
            event,
        });
        self.settle(due, events);
    }
}

/// When the run's present state, left alone, raises or clears.
fn due(compiled: &Compiled, watched: &Watched, run_slot: usize) -> Option<Timestamp> {
    if !compiled.is_open {
        return None;
    }
    let run = watched.runs.get(run_slot)?;
    let rule = &compiled.rule;
    let held =
        |since: Option<Mark>, seconds: u64| Some(since?.received_at.plus_micros(micros(seconds)));
    match (rule.kind, run.raised) {
        (Kind::Silence, false) => {
            let seconds = compiled.silence_seconds(&watched.seen)?;
            held(run.since.map(|_| run.last), seconds)
        }
        (Kind::Silence, true) | (Kind::Count, false) => None,
        (Kind::Forecast, _) => foretell::due(rule, run),
        (Kind::Count, true) => {
            let first = run.more.as_ref()?.marks.first()?.1;
            let seconds = rule.window_seconds.saturating_add(rule.clear.for_seconds);
            held(Some(first), seconds)
        }
        (_, false) => held(run.since, rule.for_seconds),
        (_, true) => held(run.clear_since, rule.clear.for_seconds),
    }
}

pub(crate) fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000)
}
