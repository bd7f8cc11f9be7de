//! The work of one update on one entity: verdicts, runs, and the alerts that they make.

use super::told::{View, clear, raise};
use super::{FAILURE_TOLD_SECONDS, JUDGED_ANEW_MAX, Signal, Watched, due, micros};
use crate::area;
use crate::event::{Failed, RuleEvent};
use crate::index::{Against, Formula, KindIndex, Lookers, Whose};
use crate::rule::{Kind, When};
use crate::state::{Mark, SAMPLES_MAX, Seen};
use hashbrown::HashMap;
use model::{AttributeUpdate, EntityId, Quality, Timestamp, Update, Value};
use std::collections::BTreeSet;

/// What an observation says about a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Holds,
    /// Neither holds nor is clear: inside the hysteresis.
    Between,
    Clear,
    /// Cannot be said any more.
    Gone,
}

/// Why there is no verdict.
pub(super) enum NoVerdict {
    /// The observation says nothing about it.
    Silent,
    /// The rule cannot be judged on it: code, what.
    Failed(&'static str, String),
}

pub(super) struct Step<'a> {
    pub kinds: &'a [KindIndex],
    pub k: usize,
    pub slots: &'a [HashMap<EntityId, usize>],
    pub groups: &'a HashMap<(usize, usize), usize>,
    pub lookers: &'a mut Lookers,
    pub watched: &'a mut Vec<Watched>,
    pub slot: usize,
    pub deadlines: &'a mut BTreeSet<(Timestamp, usize, usize)>,
    pub signals: &'a mut Vec<Signal>,
    pub position: u64,
    pub clock: Timestamp,
    pub zone: &'a jiff::tz::TimeZone,
}

impl Step<'_> {
    pub(super) fn update(&mut self, update: &Update) {
        let kind = &self.kinds[self.k];
        let changed = self.remember(&update.attributes);
        for attribute in &update.attributes {
            self.attribute(attribute, &update.entity_id);
        }
        for run_slot in &kind.whole_silence {
            self.hear(*run_slot, None);
        }
        self.thresholds_changed(&changed);
        self.others_changed(&changed, &update.entity_id);
        if kind.has_expressions {
            self.expressions(&update.attributes);
        }
    }

    fn kind(&self) -> &'_ KindIndex {
        &self.kinds[self.k]
    }

    /// First the values that others are compared with, so that their order in the message does not matter.
    /// Answers those that are others now.
    fn remember<'u>(&mut self, attributes: &'u [AttributeUpdate]) -> Vec<&'u AttributeUpdate> {
        let mut changed = Vec::new();
        for update in attributes.iter().filter(|a| a.quality.is_usable()) {
            let slot = self
                .kind()
                .attributes
                .get(update.name.as_str())
                .and_then(|index| index.seen_slot);
            let Some(slot) = slot else { continue };
            let seen = &mut self.watched[self.slot].seen[slot];
            if seen
                .as_ref()
                .is_some_and(|s| s.observed_at > update.observed_at)
            {
                continue;
            }
            let is_other = seen.as_ref().is_none_or(|s| s.value != update.value);
            let now = Some(Seen {
                value: update.value.clone(),
                observed_at: update.observed_at,
            });
            if is_other {
                changed.push(update);
                self.relate(slot, now);
            } else {
                *seen = now;
            }
        }
        changed
    }

    fn attribute(&mut self, update: &AttributeUpdate, entity: &EntityId) {
        let kinds = self.kinds;
        let Some(index) = kinds[self.k].attributes.get(update.name.as_str()) else {
            return;
        };
        for &run_slot in &index.watched_by {
            let compiled = &kinds[self.k].rules[run_slot];
            match compiled.rule.kind {
                Kind::Silence => {
                    self.hear(run_slot, Some(&update.value));
                    continue;
                }
                Kind::Count => {
                    self.count(run_slot, update, entity);
                    continue;
                }
                _ => {}
            }
            let run = &self.watched[self.slot].runs[run_slot];
            if update.observed_at < run.last.observed_at {
                continue;
            }
            let (verdict, value) = match self.verdict(run_slot, update) {
                Ok(said) => said,
                Err(NoVerdict::Silent) => continue,
                Err(NoVerdict::Failed(code, what)) => {
                    self.fail(run_slot, code, what, update.observed_at);
                    continue;
                }
            };
            let run = &mut self.watched[self.slot].runs[run_slot];
            run.value = value;
            run.position = self.position;
            run.last = Mark {
                observed_at: update.observed_at,
                received_at: self.clock,
            };
            let now = run.last;
            self.judge(self.slot, run_slot, verdict, now, true);
        }
    }

    /// What a reading says, and the value that an alert would show.
    fn verdict(
        &mut self,
        run_slot: usize,
        update: &AttributeUpdate,
    ) -> Result<(Verdict, Option<Value>), NoVerdict> {
        let kinds = self.kinds;
        let compiled = &kinds[self.k].rules[run_slot];
        let gone = update.value == Value::Deleted;
        let is_usable = update.quality.is_usable();
        let shown = (!gone).then(|| update.value.clone());
        let verdict = match compiled.rule.kind {
            Kind::OutOfRange if update.quality == Quality::OutOfRange => Verdict::Holds,
            Kind::OutOfRange if is_usable => Verdict::Clear,
            Kind::Threshold if gone => Verdict::Gone,
            Kind::Threshold if is_usable => {
                let view = View {
                    kinds,
                    slots: self.slots,
                    watched: self.watched,
                };
                view.compare(self.slot, run_slot, &update.value)
                    .ok_or_else(|| wrong_kind(update))?
            }
            Kind::Rate if gone => {
                self.watched[self.slot].runs[run_slot]
                    .more()
                    .samples
                    .clear();
                Verdict::Gone
            }
            Kind::Rate if is_usable => return self.rate(run_slot, update),
            Kind::Deviation if gone => Verdict::Gone,
            Kind::Deviation if is_usable => self.deviation(run_slot, update)?,
            Kind::Geofence if gone => {
                self.watched[self.slot].runs[run_slot].more().inside = None;
                Verdict::Gone
            }
            Kind::Geofence if is_usable => self.geofence(run_slot, update)?,
            _ => return Err(NoVerdict::Silent),
        };
        Ok((verdict, shown))
    }

    /// The change over the window: from the newest reading that is at least as old as the window, when it is not twice as old.
    fn rate(
        &mut self,
        run_slot: usize,
        update: &AttributeUpdate,
    ) -> Result<(Verdict, Option<Value>), NoVerdict> {
        let rule = &self.kinds[self.k].rules[run_slot].rule;
        let Value::Number(number) = update.value else {
            return Err(wrong_kind(update));
        };
        let window = micros(rule.window_seconds);
        let at = update.observed_at;
        let begin = at.plus_micros(-window);
        let samples = &mut self.watched[self.slot].runs[run_slot].more().samples;
        let old = samples.partition_point(|(sampled, _)| *sampled <= begin);
        samples.drain(..old.saturating_sub(1));
        let base = samples
            .first()
            .filter(|(sampled, _)| {
                *sampled <= begin && *sampled >= at.plus_micros(-window.saturating_mul(2))
            })
            .copied();
        let spacing = window / (i64::try_from(SAMPLES_MAX).unwrap_or(i64::MAX) - 2).max(1);
        let is_due = samples
            .last()
            .is_none_or(|(sampled, _)| at.micros_since(*sampled) >= spacing);
        if is_due {
            samples.push((at, number));
        }
        if samples.len() > SAMPLES_MAX {
            samples.remove(0);
        }
        let Some((sampled, before)) = base else {
            return Ok((Verdict::Gone, None));
        };
        #[expect(clippy::cast_precision_loss, reason = "periods are at most 31 days")]
        let rate = (number - before) * rule.period_seconds() as f64 * 1e6
            / at.micros_since(sampled) as f64;
        let value = Value::Number(rate);
        let view = View {
            kinds: self.kinds,
            slots: self.slots,
            watched: self.watched,
        };
        let verdict = view
            .compare(self.slot, run_slot, &value)
            .ok_or_else(|| wrong_kind(update))?;
        Ok((verdict, Some(value)))
    }

    fn geofence(
        &mut self,
        run_slot: usize,
        update: &AttributeUpdate,
    ) -> Result<Verdict, NoVerdict> {
        let rule = &self.kinds[self.k].rules[run_slot].rule;
        let (Some(area), Some(when)) = (&rule.area, rule.when) else {
            return Err(NoVerdict::Silent);
        };
        let Value::Geometry(geometry) = &update.value else {
            return Err(wrong_kind(update));
        };
        let (lon, lat) = area::place(geometry);
        let depth_m = area.depth_m(lon, lat);
        let run = &mut self.watched[self.slot].runs[run_slot];
        let is_on = run.raised || run.since.is_some();
        let was_inside = run.more().inside.replace(depth_m >= 0.0);
        // How far on the side that raises the alert.
        let (in_m, came_from) = match when {
            When::Inside | When::Enter => (depth_m, Some(false)),
            When::Outside | When::Leave => (-depth_m, Some(true)),
        };
        let is_crossing = matches!(when, When::Enter | When::Leave);
        let is_there = in_m > 0.0 || depth_m >= 0.0 && in_m >= 0.0;
        Ok(if is_there {
            if is_crossing && !is_on && was_inside != came_from {
                Verdict::Between
            } else {
                Verdict::Holds
            }
        } else if -in_m >= rule.clear.margin {
            Verdict::Clear
        } else {
            Verdict::Between
        })
    }

    fn count(&mut self, run_slot: usize, update: &AttributeUpdate, entity: &EntityId) {
        let compiled = &self.kinds[self.k].rules[run_slot];
        let rule = &compiled.rule;
        if !compiled.is_open || !update.quality.is_usable() || update.value == Value::Deleted {
            return;
        }
        if let (Some(op), Against::Fixed(threshold)) = (rule.op, &compiled.against) {
            match op.holds(&update.value, threshold) {
                Some(true) => {}
                Some(false) => return,
                None => {
                    let what = what_is(&update.value);
                    self.fail(run_slot, "rule-value-kind", what, update.observed_at);
                    return;
                }
            }
        }
        let slot = if rule.distinct {
            match self.groups.get(&(self.k, run_slot)) {
                Some(&slot) => slot,
                None => return,
            }
        } else {
            self.slot
        };
        let at_least = usize::try_from(rule.at_least.unwrap_or(1)).unwrap_or(usize::MAX);
        let mark = Mark {
            observed_at: update.observed_at,
            received_at: self.clock,
        };
        let run = &mut self.watched[slot].runs[run_slot];
        let who = rule.distinct.then(|| entity.clone());
        let marks = &mut run.more().marks;
        if who.is_some()
            && let Some(known) = marks.iter().position(|(known, _)| *known == who)
        {
            if marks[known].1.observed_at > mark.observed_at {
                return;
            }
            marks.remove(known);
        }
        let place = marks.partition_point(|(_, known)| known.observed_at <= mark.observed_at);
        marks.insert(place, (who, mark));
        let surplus = marks.len().saturating_sub(at_least);
        marks.drain(..surplus);
        let (Some((_, first)), Some((_, last))) = (marks.first(), marks.last()) else {
            return;
        };
        let (last, counted) = (*last, marks.len());
        let holds = counted == at_least
            && last.observed_at.micros_since(first.observed_at) < micros(rule.window_seconds);
        run.last = last;
        run.position = self.position;
        #[expect(clippy::cast_precision_loss, reason = "at most COUNT_MAX")]
        let value = Value::Number(counted as f64);
        run.value = Some(value);
        if holds && !run.raised {
            self.raise(slot, run_slot, last.observed_at);
        }
        self.schedule(slot, run_slot);
    }

    /// Judges each expression that the update has something to say to, once.
    fn expressions(&mut self, attributes: &[AttributeUpdate]) {
        let kinds = self.kinds;
        let kind = &kinds[self.k];
        let mut judged: Vec<usize> = Vec::new();
        for update in attributes.iter().filter(|a| a.quality.is_usable()) {
            let Some(index) = kind.attributes.get(update.name.as_str()) else {
                continue;
            };
            let is_newest = index
                .seen_slot
                .and_then(|slot| self.watched[self.slot].seen[slot].as_ref())
                .is_some_and(|seen| seen.observed_at <= update.observed_at);
            if !is_newest {
                continue;
            }
            for &run_slot in &index.expression_of {
                if !judged.contains(&run_slot) {
                    judged.push(run_slot);
                }
            }
        }
        for run_slot in judged {
            self.expression(run_slot);
        }
    }

    fn expression(&mut self, run_slot: usize) {
        let compiled = &self.kinds[self.k].rules[run_slot];
        let Some(formula) = &compiled.expression else {
            return;
        };
        let watched = &self.watched[self.slot];
        // The time is that of the newest value that decides.
        let at = formula
            .variables
            .iter()
            .filter_map(|(_, slot)| Some(watched.seen[*slot].as_ref()?.observed_at))
            .max()
            .unwrap_or_default()
            .max(watched.runs[run_slot].last.observed_at);
        let verdict = match evaluate(formula, watched, at, self.zone) {
            None => Ok(Verdict::Gone),
            Some(Err(what)) => Err(what),
            Some(Ok(true)) => Ok(Verdict::Holds),
            Some(Ok(false)) => match compiled
                .clear_expression
                .as_ref()
                .and_then(|formula| evaluate(formula, watched, at, self.zone))
            {
                None | Some(Ok(true)) => Ok(Verdict::Clear),
                Some(Ok(false)) => Ok(Verdict::Between),
                Some(Err(what)) => Err(what),
            },
        };
        let shown = compiled.rule.attribute.as_ref().and_then(|name| {
            let slot = self.kind().attributes.get(name)?.seen_slot?;
            Some(watched.seen[slot].as_ref()?.value.clone())
        });
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(what) => {
                self.fail(run_slot, "rule-expression-failed", what, at);
                return;
            }
        };
        let run = &mut self.watched[self.slot].runs[run_slot];
        run.value = shown;
        run.position = self.position;
        run.last = Mark {
            observed_at: at,
            received_at: self.clock,
        };
        let now = run.last;
        self.judge(self.slot, run_slot, verdict, now, true);
    }

    /// Remembers a value, and whom the entity is compared with by it.
    fn relate(&mut self, seen_slot: usize, now: Option<Seen>) {
        let kinds = self.kinds;
        let by_it = |whose: &Whose| matches!(whose, Whose::Related(slot) if *slot == seen_slot);
        let looking = &kinds[self.k].looking;
        let before = looking.iter().filter(|looking| by_it(&looking.whose));
        for looking in before {
            if let Some(other) = looking.target(&self.watched[self.slot].seen) {
                let key = (looking.kind, other);
                if let Some(lookers) = self.lookers.get_mut(&key) {
                    lookers.remove(&(self.slot, looking.run_slot));
                    if lookers.is_empty() {
                        self.lookers.remove(&key);
                    }
                }
            }
        }
        self.watched[self.slot].seen[seen_slot] = now;
        for looking in looking.iter().filter(|looking| by_it(&looking.whose)) {
            if let Some(other) = looking.target(&self.watched[self.slot].seen) {
                let lookers = self.lookers.entry((looking.kind, other)).or_default();
                lookers.insert((self.slot, looking.run_slot));
            }
        }
    }

    /// What another entity states changed, or a relation leads to another one: the values that are there are judged again.
    fn others_changed(&mut self, changed: &[&AttributeUpdate], entity: &EntityId) {
        let kinds = self.kinds;
        let kind = &kinds[self.k];
        if kind.looking.is_empty() && kind.looked_at.is_empty() {
            return;
        }
        for update in changed {
            let index = kind.attributes.get(update.name.as_str());
            let Some(seen_slot) = index.and_then(|index| index.seen_slot) else {
                continue;
            };
            for looking in &kind.looking {
                if matches!(looking.whose, Whose::Related(slot) if slot == seen_slot) {
                    self.judge_anew(self.slot, looking.run_slot, update.observed_at);
                }
            }
            if !kind.looked_at.contains(&seen_slot) {
                continue;
            }
            let lookers = self.lookers.get(&(self.k, entity.clone()));
            let anew: Vec<(usize, usize)> = lookers
                .into_iter()
                .flatten()
                .copied()
                .filter(|&(slot, run_slot)| {
                    let against = &kinds[self.watched[slot].kind].rules[run_slot].against;
                    matches!(against, Against::Elsewhere { seen, .. } if *seen == seen_slot)
                })
                .take(JUDGED_ANEW_MAX)
                .collect();
            for (slot, run_slot) in anew {
                self.judge_anew(slot, run_slot, update.observed_at);
            }
        }
    }

    /// Judges the value that is there by a threshold that changed at `changed_at`; of no value nothing is said.
    fn judge_anew(&mut self, slot: usize, run_slot: usize, changed_at: Timestamp) {
        let rule = &self.kinds[self.watched[slot].kind].rules[run_slot].rule;
        match rule.kind {
            Kind::Forecast => return self.weigh_anew(slot, run_slot, changed_at),
            Kind::Silence => return self.silence_restated(slot, run_slot),
            _ => {}
        }
        let Some(value) = self.watched[slot].runs[run_slot].value.clone() else {
            return;
        };
        let view = View {
            kinds: self.kinds,
            slots: self.slots,
            watched: self.watched,
        };
        let Some(verdict) = view.compare(slot, run_slot, &value) else {
            return;
        };
        let run = &mut self.watched[slot].runs[run_slot];
        run.position = self.position;
        // `last` stays: it is the time of the last reading, and the next may be older than this.
        let now = Mark {
            observed_at: run.last.observed_at.max(changed_at),
            received_at: self.clock,
        };
        self.judge(slot, run_slot, verdict, now, false);
    }

    /// A threshold that changed judges the value that is there again.
    fn thresholds_changed(&mut self, changed: &[&AttributeUpdate]) {
        let kinds = self.kinds;
        for update in changed {
            let Some(index) = kinds[self.k].attributes.get(update.name.as_str()) else {
                continue;
            };
            for &run_slot in &index.threshold_of {
                self.judge_anew(self.slot, run_slot, update.observed_at);
            }
        }
    }

    /// The entity says anew how long it may be silent: counted from what was heard last.
    fn silence_restated(&mut self, slot: usize, run_slot: usize) {
        let compiled = &self.kinds[self.watched[slot].kind].rules[run_slot];
        let watched = &self.watched[slot];
        let last = watched.runs[run_slot].last;
        let seconds = compiled.silence_seconds(&watched.seen);
        let is_silent =
            seconds.is_some_and(|s| last.received_at.plus_micros(micros(s)) <= self.clock);
        if watched.runs[run_slot].raised && !is_silent {
            self.clear(slot, run_slot, self.clock);
            self.watched[slot].runs[run_slot].since = Some(last);
        }
        // It may be due earlier than it was; what lies in `deadlines` later finds nothing to do then.
        let compiled = &self.kinds[self.watched[slot].kind].rules[run_slot];
        if let Some(due) = due(compiled, &self.watched[slot], run_slot) {
            self.watched[slot].scheduled[run_slot] = true;
            self.deadlines.insert((due, slot, run_slot));
        }
    }

    /// Something was heard: the silence of a silence rule is broken.
    fn hear(&mut self, run_slot: usize, value: Option<&Value>) {
        let now = Mark {
            observed_at: self.clock,
            received_at: self.clock,
        };
        let run = &mut self.watched[self.slot].runs[run_slot];
        run.last = now;
        run.since = Some(now);
        run.position = self.position;
        run.value = value.cloned();
        if run.raised {
            self.clear(self.slot, run_slot, self.clock);
            self.watched[self.slot].runs[run_slot].since = Some(now);
        }
        self.schedule(self.slot, run_slot);
    }

    /// Lets a verdict as of `now` take effect. Only a reading completes a run that must be held.
    pub(super) fn judge(
        &mut self,
        slot: usize,
        run_slot: usize,
        verdict: Verdict,
        now: Mark,
        is_reading: bool,
    ) {
        let compiled = &self.kinds[self.watched[slot].kind].rules[run_slot];
        let rule = &compiled.rule;
        let run = &mut self.watched[slot].runs[run_slot];
        if !compiled.is_open {
            run.since = None;
            run.clear_since = None;
            return;
        }
        let long_enough = |since: Mark, seconds: u64| {
            let held = now.observed_at.micros_since(since.observed_at);
            seconds == 0 || is_reading && held >= micros(seconds)
        };
        match verdict {
            Verdict::Holds => {
                run.clear_since = None;
                let since = *run.since.get_or_insert(now);
                if !run.raised && long_enough(since, rule.for_seconds) {
                    self.raise(slot, run_slot, now.observed_at);
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
                        self.clear(slot, run_slot, now.observed_at);
                    }
                }
            }
            Verdict::Gone => {
                run.since = None;
                if run.raised {
                    self.clear(slot, run_slot, now.observed_at);
                }
            }
        }
        self.schedule(slot, run_slot);
    }

    fn raise(&mut self, slot: usize, run_slot: usize, at: Timestamp) {
        let event = raise(self.kinds, self.slots, self.watched, slot, run_slot, at);
        self.signals.push(Signal {
            slot,
            run_slot,
            event,
        });
    }

    pub(super) fn clear(&mut self, slot: usize, run_slot: usize, at: Timestamp) {
        let event = clear(self.kinds, self.watched, slot, run_slot, at);
        self.signals.push(Signal {
            slot,
            run_slot,
            event,
        });
    }

    /// Notes that a rule could not be judged, and tells it from time to time.
    pub(super) fn fail(
        &mut self,
        run_slot: usize,
        code: &'static str,
        what: String,
        at: Timestamp,
    ) {
        let more = self.watched[self.slot].runs[run_slot].more();
        more.failures += 1;
        let is_due = more
            .failure_told
            .is_none_or(|told| self.clock.micros_since(told) >= micros(FAILURE_TOLD_SECONDS));
        if !is_due {
            return;
        }
        more.failure_told = Some(self.clock);
        let count = std::mem::take(&mut more.failures);
        self.tell_failure(run_slot, code, what, at, count);
    }

    pub(super) fn tell_failure(
        &mut self,
        run_slot: usize,
        code: &'static str,
        what: String,
        at: Timestamp,
        count: u64,
    ) {
        let kind = &self.kinds[self.k];
        let rule = &kind.rules[run_slot].rule;
        let watched = &self.watched[self.slot];
        self.signals.push(Signal {
            slot: self.slot,
            run_slot,
            event: RuleEvent::Failed(Failed {
                rule_id: rule.id.clone(),
                rule_version: rule.version,
                entity_id: watched.id.clone(),
                entity_type: kind.name.clone(),
                code: code.to_owned(),
                what,
                at,
                position: self.position,
                count,
            }),
        });
    }

    pub(super) fn schedule(&mut self, slot: usize, run_slot: usize) {
        let compiled = &self.kinds[self.watched[slot].kind].rules[run_slot];
        // What is due of a forecast may come to lie earlier; what lies in `deadlines` later than that finds nothing to do.
        if self.watched[slot].scheduled[run_slot] && compiled.rule.kind != Kind::Forecast {
            return;
        }
        if let Some(due) = due(compiled, &self.watched[slot], run_slot) {
            self.watched[slot].scheduled[run_slot] = true;
            self.deadlines.insert((due, slot, run_slot));
        }
    }
}

pub(super) fn what_is(value: &Value) -> String {
    let kind = match value {
        Value::Number(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Text(_) => "a text",
        Value::Geometry(_) => "a place",
        Value::Relationship(_) => "an entity",
        Value::Json(_) => "a structured value",
        Value::Deleted => "nothing",
    };
    // The value itself stays out: it would come out in lists that its readers may not see.
    format!("the attribute holds {kind}, which the rule cannot compare")
}

pub(super) fn wrong_kind(update: &AttributeUpdate) -> NoVerdict {
    NoVerdict::Failed("rule-value-kind", what_is(&update.value))
}

/// `None` while an attribute is not known.
fn evaluate(
    formula: &Formula,
    watched: &Watched,
    at: Timestamp,
    zone: &jiff::tz::TimeZone,
) -> Option<Result<bool, String>> {
    let mut values = Vec::with_capacity(formula.variables.len());
    for (name, slot) in &formula.variables {
        let seen = watched.seen[*slot].as_ref()?;
        if seen.value == Value::Deleted {
            return None;
        }
        values.push((name.as_str(), &seen.value));
    }
    Some(formula.expression.is_true(values, at, zone))
}
