//! What holds an alert back, and what tells it after all.

use super::told::raise;
use super::{Engine, Signal, micros};
use crate::event::{Cleared, NamedValue, Raised, RuleEvent};
use crate::index::By;
use crate::maintenance::Maintenance;
use crate::rule::Kind;
use crate::state::{Held, OpenStorm};
use model::{EntityId, Timestamp, Value};

/// Something that happens to a rule, or to what is held back, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// A rule's time begins or ends: kind, run slot.
    Edge(usize, usize),
    /// A reason to hold back may have ended.
    Lift,
}

impl Engine {
    /// Says which maintenance windows there are from now on; alerts that nothing holds back any more are told.
    pub fn set_maintenance(&mut self, windows: Vec<Maintenance>) -> Vec<RuleEvent> {
        let mut events = Vec::new();
        for window in &windows {
            if window.until > self.clock {
                self.moments.insert((window.until, Moment::Lift));
            }
        }
        self.maintenance = windows;
        self.lift(self.clock, &mut events);
        events
    }

    /// Looks which rules are at work, when time is known for the first time.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.moments.retain(|(_, moment)| *moment == Moment::Lift);
        for (k, kind) in self.kinds.iter_mut().enumerate() {
            for (r, compiled) in kind.rules.iter_mut().enumerate() {
                let Some(schedule) = &compiled.schedule else {
                    continue;
                };
                compiled.is_open = schedule.is_open(now);
                if let Some(edge) = schedule.next_edge(now) {
                    self.moments.insert((edge, Moment::Edge(k, r)));
                }
            }
        }
    }

    pub(super) fn moment(&mut self, at: Timestamp, moment: Moment, events: &mut Vec<RuleEvent>) {
        match moment {
            Moment::Lift => self.lift(at, events),
            Moment::Edge(k, r) => self.edge(at, k, r, events),
        }
    }

    pub(super) fn when_quiet_ends(&mut self, quiet_until: Option<Timestamp>) {
        if let Some(until) = quiet_until {
            self.moments.insert((until, Moment::Lift));
        }
    }

    fn edge(&mut self, at: Timestamp, k: usize, r: usize, events: &mut Vec<RuleEvent>) {
        let compiled = &mut self.kinds[k].rules[r];
        let Some(schedule) = &compiled.schedule else {
            return;
        };
        if let Some(next) = schedule.next_edge(at) {
            self.moments.insert((next, Moment::Edge(k, r)));
        }
        let is_open = schedule.is_open(at);
        if is_open == compiled.is_open {
            return;
        }
        compiled.is_open = is_open;
        let is_silence = compiled.rule.kind == Kind::Silence;
        let is_forecast = compiled.rule.kind == Kind::Forecast;
        for slot in 0..self.watched.len() {
            if self.watched[slot].kind != k {
                continue;
            }
            let run = &mut self.watched[slot].runs[r];
            if is_open {
                // Silence counts from here; everything else waits for its next reading.
                if is_silence && run.since.is_some() {
                    run.last.received_at = run.last.received_at.max(at);
                    run.position = run.position.max(self.position);
                    let due = super::due(&self.kinds[k].rules[r], &self.watched[slot], r);
                    if let Some(due) = due
                        && !self.watched[slot].scheduled[r]
                    {
                        self.watched[slot].scheduled[r] = true;
                        self.deadlines.insert((due, slot, r));
                    }
                }
                continue;
            }
            let heard = run.since.filter(|_| is_silence);
            if let Some(more) = &mut run.more {
                more.samples.clear();
                more.marks.clear();
                more.inside = None;
                if is_forecast {
                    more.foretold.clear();
                }
            }
            if run.raised {
                let event = super::clear(&self.kinds, &mut self.watched, slot, r, at);
                self.signals.push(Signal {
                    slot,
                    run_slot: r,
                    event,
                });
            }
            let run = &mut self.watched[slot].runs[r];
            run.since = heard.or(run.last_heard(is_silence));
            run.clear_since = None;
        }
        self.settle(at, events);
    }

    /// Lets what has happened take effect at `now`.
    pub(super) fn settle(&mut self, now: Timestamp, events: &mut Vec<RuleEvent>) {
        let mut signals = std::mem::take(&mut self.signals);
        for signal in signals.drain(..) {
            let (slot, run_slot) = (signal.slot, signal.run_slot);
            match signal.event {
                RuleEvent::Raised(raised) => self.up_at(slot, run_slot, raised, now, events),
                RuleEvent::Cleared(cleared) => self.down_at(slot, run_slot, cleared, now, events),
                failed @ RuleEvent::Failed(_) => events.push(failed),
            }
        }
        self.signals = signals;
    }

    fn up_at(
        &mut self,
        slot: usize,
        run_slot: usize,
        raised: Raised,
        now: Timestamp,
        events: &mut Vec<RuleEvent>,
    ) {
        match self.reason(slot, run_slot, now) {
            Some(reason) => {
                let more = self.watched[slot].runs[run_slot].more();
                more.held = Some(reason);
                let quiet_until = more.quiet_until.filter(|_| reason == Held::Repeat);
                self.when_quiet_ends(quiet_until);
                self.held.insert((slot, run_slot));
            }
            None => self.tell(slot, run_slot, raised, now, events),
        }
    }

    fn down_at(
        &mut self,
        slot: usize,
        run_slot: usize,
        cleared: Cleared,
        now: Timestamp,
        events: &mut Vec<RuleEvent>,
    ) {
        let compiled = &self.kinds[self.watched[slot].kind].rules[run_slot];
        let (repeat_seconds, storm, is_suppressor) = (
            compiled.rule.repeat_seconds,
            compiled.storm,
            compiled.is_suppressor,
        );
        let run = &mut self.watched[slot].runs[run_slot];
        match run.more.as_mut().and_then(|more| more.held.take()) {
            None => {
                if repeat_seconds > 0 {
                    run.more().quiet_until = Some(now.plus_micros(micros(repeat_seconds)));
                }
                events.push(RuleEvent::Cleared(cleared));
            }
            Some(Held::Storm) => {
                if let Some(n) = storm {
                    self.storms[n].members.remove(&slot);
                    self.storm_may_end(n, now, events);
                }
            }
            Some(_) => {
                self.held.remove(&(slot, run_slot));
            }
        }
        if is_suppressor {
            self.lift(now, events);
        }
    }

    /// Why an alert is held back now, storms aside.
    fn reason(&self, slot: usize, run_slot: usize, now: Timestamp) -> Option<Held> {
        let watched = &self.watched[slot];
        let kind = &self.kinds[watched.kind];
        let compiled = &kind.rules[run_slot];
        let is_maintained = self
            .maintenance
            .iter()
            .any(|window| window.covers(&compiled.rule.id, &kind.name, &watched.id, now));
        if is_maintained {
            return Some(Held::Maintenance);
        }
        if compiled
            .suppressors
            .iter()
            .any(|by| self.suppresses(slot, *by))
        {
            return Some(Held::Dependency);
        }
        let more = watched.runs[run_slot].more.as_ref()?;
        more.quiet_until
            .is_some_and(|until| now < until)
            .then_some(Held::Repeat)
    }

    fn suppresses(&self, slot: usize, by: By) -> bool {
        let other = match by.relation {
            None => Some(slot),
            Some(seen) => {
                self.watched[slot].seen[seen]
                    .as_ref()
                    .and_then(|seen| match &seen.value {
                        Value::Relationship(id) => self.slots[by.kind].get(id).copied(),
                        Value::Text(id) => {
                            let id = EntityId::new(id).ok()?;
                            self.slots[by.kind].get(&id).copied()
                        }
                        _ => None,
                    })
            }
        };
        other.is_some_and(|other| {
            let watched = &self.watched[other];
            watched.kind == by.kind && watched.runs[by.run_slot].raised
        })
    }

    /// Tells what nothing holds back any more.
    fn lift(&mut self, now: Timestamp, events: &mut Vec<RuleEvent>) {
        let held: Vec<(usize, usize)> = self.held.iter().copied().collect();
        for (slot, run_slot) in held {
            // What cleared at the same moment is taken out by its own signal, which is still to come.
            if !self.watched[slot].runs[run_slot].raised {
                continue;
            }
            let reason = self.reason(slot, run_slot, now);
            let more = self.watched[slot].runs[run_slot].more();
            more.held = reason;
            if let Some(reason) = reason {
                let quiet_until = more.quiet_until.filter(|_| reason == Held::Repeat);
                self.when_quiet_ends(quiet_until);
                continue;
            }
            self.held.remove(&(slot, run_slot));
            let event = raise(
                &self.kinds,
                &self.slots,
                &mut self.watched,
                slot,
                run_slot,
                now,
            );
            if let RuleEvent::Raised(raised) = event {
                self.tell(slot, run_slot, raised, now, events);
            }
        }
    }

    /// Tells an alert, or counts it in a storm.
    fn tell(
        &mut self,
        slot: usize,
        run_slot: usize,
        mut raised: Raised,
        now: Timestamp,
        events: &mut Vec<RuleEvent>,
    ) {
        let compiled = &self.kinds[self.watched[slot].kind].rules[run_slot];
        if let Some(doubt) = &compiled.rule.doubted
            && compiled
                .doubters
                .iter()
                .any(|by| self.suppresses(slot, *by))
        {
            raised.title_zh = format!("{}（{}）", raised.title_zh, doubt.zh);
            raised.title_en = format!("{} ({})", raised.title_en, doubt.en);
        }
        let (Some(n), Some(limit)) = (compiled.storm, compiled.rule.storm) else {
            events.push(RuleEvent::Raised(raised));
            return;
        };
        let own_id = compiled.rule.own_id();
        let watch = &mut self.storms[n];
        if let Some(storm) = &mut watch.storm {
            storm.members += 1;
        } else {
            let begin = now.plus_micros(-micros(limit.within_seconds));
            watch.recent.retain(|at| *at > begin);
            watch.recent.push(now);
            let more_than = usize::try_from(limit.more_than).unwrap_or(usize::MAX);
            let Some(own_id) = own_id.filter(|_| watch.recent.len() > more_than) else {
                events.push(RuleEvent::Raised(raised));
                return;
            };
            watch.recent.clear();
            watch.storm = Some(OpenStorm {
                since: now,
                position: raised.position,
                members: 1,
            });
            events.push(RuleEvent::Raised(storm_alert(&raised, own_id, limit, now)));
        }
        watch.members.insert(slot);
        self.watched[slot].runs[run_slot].more().held = Some(Held::Storm);
    }

    /// Ends a storm when at most half of the rule's number of its members are up, and tells those.
    fn storm_may_end(&mut self, n: usize, now: Timestamp, events: &mut Vec<RuleEvent>) {
        let (kind, run_slot) = (self.storms[n].kind, self.storms[n].run_slot);
        let rule = &self.kinds[kind].rules[run_slot].rule;
        let half = rule.storm.map_or(0, |limit| limit.more_than / 2);
        let watch = &mut self.storms[n];
        let left = u32::try_from(watch.members.len()).unwrap_or(u32::MAX);
        if left > half {
            return;
        }
        let (Some(storm), Some(entity_id)) = (watch.storm.take(), rule.own_id()) else {
            return;
        };
        events.push(RuleEvent::Cleared(Cleared {
            rule_id: rule.id.clone(),
            entity_id,
            at: now,
            position: self.position.max(storm.position),
            #[expect(clippy::cast_precision_loss, reason = "a count of entities")]
            value: Some(Value::Number(storm.members as f64)),
        }));
        for slot in std::mem::take(&mut self.storms[n].members) {
            // What cleared at the same moment was never told, and its own signal is still to come.
            if !self.watched[slot].runs[run_slot].raised {
                continue;
            }
            self.watched[slot].runs[run_slot].more().held = None;
            events.push(raise(
                &self.kinds,
                &self.slots,
                &mut self.watched,
                slot,
                run_slot,
                now,
            ));
        }
    }
}

/// The one alert that stands for many.
fn storm_alert(
    one: &Raised,
    own_id: EntityId,
    limit: crate::rule::Storm,
    now: Timestamp,
) -> Raised {
    let (n, seconds) = (limit.more_than, limit.within_seconds);
    #[expect(clippy::cast_precision_loss, reason = "durations are at most 31 days")]
    let within = seconds as f64;
    let named = |name: &str, value: Value, unit: Option<&str>| NamedValue {
        name: name.to_owned(),
        value,
        unit: unit.map(str::to_owned),
        observed_at: None,
        entity_id: None,
    };
    let mut decided = vec![
        named("more_than", Value::Number(f64::from(n)), None),
        named("within_seconds", Value::Number(within), Some("SEC")),
        named("entity", Value::Relationship(one.entity_id.clone()), None),
    ];
    decided.extend(one.decided.iter().cloned());
    Raised {
        entity_id: own_id,
        attribute: None,
        title_zh: format!(
            "告警风暴：{seconds} 秒内超过 {n} 条同类告警，合并为一条。其一：{}",
            one.title_zh
        ),
        title_en: format!(
            "Alert storm: more than {n} alerts within {seconds} s are told as one. One of them: {}",
            one.title_en
        ),
        value: Some(Value::Number(f64::from(n) + 1.0)),
        threshold: Some(Value::Number(f64::from(n))),
        unit: None,
        at: now,
        decided,
        is_storm: true,
        ..one.clone()
    }
}
