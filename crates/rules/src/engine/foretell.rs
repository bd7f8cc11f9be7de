//! Rules that look at forecasts: a run's way to the entity that it speaks of, what it says of a threshold, and readings beside it.

use super::Engine;
use super::step::{NoVerdict, Step, Verdict, wrong_kind};
use super::told::View;
use crate::event::NamedValue;
use crate::index::Feed;
use crate::rule::{Bound, Kind, Op, Outlook, Rule, Threshold};
use crate::state::{Foretold, Mark, RUNS_KEPT_MAX, Run};
use crate::text;
use jiff::tz::TimeZone;
use model::{
    AttributeUpdate, Catalogue, EntityId, Forecast, ForecastPoint, Timestamp, Update, Value,
};

/// A run that is too old, or ends before it is looked at.
const STALE: &str = "rule-forecast-stale";

fn micros_of_hours(hours: u32) -> i64 {
    i64::from(hours) * 3_600_000_000
}

impl Engine {
    /// Finds which rules look at which forecasts, once all rules are there.
    pub(super) fn feed(&mut self, catalogue: &Catalogue) {
        let mut looking: Vec<(usize, usize, String)> = Vec::new();
        for (k, kind) in self.kinds.iter().enumerate() {
            for (r, compiled) in kind.rules.iter().enumerate() {
                if let Some(outlook) = &compiled.rule.forecast {
                    looking.push((k, r, outlook.entity_type.clone()));
                }
            }
        }
        for (k, r, name) in looking {
            let declared = catalogue.kinds.get(&name);
            let Some(declared) = declared.and_then(|kind| kind.forecast.as_ref()) else {
                continue;
            };
            let forecasts = self.kind(&name);
            let index = &mut self.kinds[forecasts];
            let (relation, series) = (
                index.remember(&declared.relation),
                index.remember(&declared.series),
            );
            let feed = index.feed.get_or_insert_with(|| Feed {
                relation,
                series,
                kind: k,
                run_slots: Vec::new(),
            });
            feed.run_slots.push(r);
        }
    }

    /// Whom a forecast speaks of, of what is known of it.
    pub(super) fn foretold_of(&self, slot: usize) -> Option<&Value> {
        let watched = &self.watched[slot];
        let feed = self.kinds[watched.kind].feed.as_ref()?;
        Some(&watched.seen[feed.relation].as_ref()?.value)
    }

    /// Gives what a forecast says to the rules of the entity that it speaks of: when a run came in, or when it speaks of another entity
    /// than `before`.
    pub(super) fn foretell(
        &mut self,
        slot: usize,
        before: Option<&Value>,
        update: &Update,
        position: u64,
    ) {
        let watched = &self.watched[slot];
        let kind = &self.kinds[watched.kind];
        let Some(feed) = &kind.feed else { return };
        let speaks = self.foretold_of(slot) != before
            || update.attributes.iter().any(|said| {
                let is_run = kind.seen[feed.series] == said.name.as_str();
                let run = watched.seen[feed.series].as_ref();
                is_run
                    && said.quality.is_usable()
                    && run.is_some_and(|run| run.observed_at == said.observed_at)
            });
        let (Some(of), Some(run)) = (&watched.seen[feed.relation], &watched.seen[feed.series])
        else {
            return;
        };
        let Value::Relationship(of) = &of.value else {
            return;
        };
        if !speaks {
            return;
        }
        let (of, run, id) = (of.clone(), run.clone(), watched.id.clone());
        let (k, run_slots) = (feed.kind, feed.run_slots.clone());
        let target = self.slot(&of, k);
        let mut step = self.step(target, position);
        for run_slot in run_slots {
            if run.value == Value::Deleted {
                step.withdrawn(run_slot, &id, run.observed_at);
                continue;
            }
            match Forecast::from_value(&run.value) {
                Ok(forecast) => step.foretold(run_slot, &id, run.observed_at, forecast),
                Err(problem) => {
                    step.fail(
                        run_slot,
                        "rule-forecast-shape",
                        problem.what,
                        run.observed_at,
                    );
                }
            }
        }
    }
}

impl Step<'_> {
    /// A run came in.
    fn foretold(
        &mut self,
        run_slot: usize,
        id: &EntityId,
        issued_at: Timestamp,
        forecast: Forecast,
    ) {
        let kinds = self.kinds;
        let compiled = &kinds[self.k].rules[run_slot];
        let rule = &compiled.rule;
        let Some(outlook) = &rule.forecast else {
            return;
        };
        let is_other = outlook
            .method
            .as_ref()
            .is_some_and(|method| *method != forecast.method);
        // Outside its time a rule takes no runs to judge; what readings are compared with is known all the time.
        if is_other || rule.kind == Kind::Forecast && !compiled.is_open {
            return;
        }
        let run = &mut self.watched[self.slot].runs[run_slot];
        let newest = run.more.as_ref().and_then(|more| more.foretold.last());
        let is_known = newest.is_some_and(|known| {
            known.issued_at > issued_at
                || known.issued_at == issued_at
                    && known.entity_id == *id
                    && known.forecast == forecast
        });
        if is_known {
            return;
        }
        if let Some((code, what)) = unfit(rule, outlook, issued_at, &forecast, self.clock) {
            self.fail(run_slot, code, what, issued_at);
            return;
        }
        let kept = &mut run.more().foretold;
        // What is said again of the same time counts as it is said now; a reading was compared with what was said before.
        let is_compared = |known: &Foretold| rule.kind == Kind::Deviation && known.point.is_some();
        kept.retain(|known| known.issued_at != issued_at || is_compared(known));
        kept.push(Foretold {
            entity_id: id.clone(),
            issued_at,
            forecast,
            point: None,
            peak: None,
            again_at: None,
            is_stale_told: false,
        });
        let most = match rule.kind {
            Kind::Forecast => 1,
            _ => RUNS_KEPT_MAX,
        };
        // The run that decided an alert which is not told yet stays beside the latest, so that the alert can say it.
        let mut surplus = kept.len().saturating_sub(most);
        kept.retain(|known| {
            let is_old = surplus > 0;
            surplus = surplus.saturating_sub(1);
            !is_old || is_compared(known)
        });
        if rule.kind == Kind::Forecast {
            self.weigh(self.slot, run_slot, self.clock, issued_at);
        }
    }

    /// A forecast was taken away: nothing is known of what it spoke of, nor by how much a reading that was compared with it is off.
    fn withdrawn(&mut self, run_slot: usize, id: &EntityId, at: Timestamp) {
        let run = &mut self.watched[self.slot].runs[run_slot];
        let Some(more) = &mut run.more else { return };
        let kind = self.kinds[self.k].rules[run_slot].rule.kind;
        let mut is_gone = false;
        more.foretold.retain(|known| {
            let stays = known.entity_id != *id;
            is_gone |= !stays && (kind == Kind::Forecast || known.point.is_some());
            stays
        });
        if !is_gone {
            return;
        }
        if kind == Kind::Forecast {
            run.value = None;
        }
        run.position = self.position;
        let now = Mark {
            observed_at: at,
            received_at: self.clock,
        };
        self.judge(self.slot, run_slot, Verdict::Gone, now, true);
    }

    /// The threshold changed at `changed_at`: the latest run is judged again.
    pub(super) fn weigh_anew(&mut self, slot: usize, run_slot: usize, changed_at: Timestamp) {
        let run = &self.watched[slot].runs[run_slot];
        let kept = run.more.as_ref().and_then(|more| more.foretold.last());
        if let Some(issued_at) = kept.map(|kept| kept.issued_at) {
            self.weigh(slot, run_slot, self.clock, issued_at.max(changed_at));
        }
    }

    /// Judges the latest run as of `now`, the platform's time; `at` is the time that an alert bears. `false` when it says nothing any more.
    fn weigh(&mut self, slot: usize, run_slot: usize, now: Timestamp, at: Timestamp) -> bool {
        let view = View {
            kinds: self.kinds,
            slots: self.slots,
            watched: self.watched,
        };
        let rule = &view.compiled(slot, run_slot).rule;
        let (Some(op), Some(outlook)) = (rule.op, &rule.forecast) else {
            return false;
        };
        let run = &self.watched[slot].runs[run_slot];
        let kept = run.more.as_ref().and_then(|more| more.foretold.last());
        let Some(kept) = kept.filter(|kept| now < stale_at(kept, outlook)) else {
            return false;
        };
        let margin = rule.clear.margin;
        let within = micros_of_hours(outlook.within_hours.unwrap_or(1));
        let limit = view
            .limit(slot, run_slot)
            .and_then(|limit| limit.value.as_number());
        let looked = match limit {
            None => Some(Looked::default()),
            Some(limit) => look(
                &kept.forecast,
                op,
                outlook.bound,
                (limit, margin),
                now,
                within,
            ),
        };
        let Some(looked) = looked else {
            return false;
        };
        let shown = looked.point.or(looked.peak);
        let shown = shown.and_then(|point| outlook.bound.of(&point));
        let run = &mut self.watched[slot].runs[run_slot];
        run.value = shown.map(Value::Number);
        run.position = self.position;
        run.last = Mark {
            observed_at: at,
            received_at: now,
        };
        let mark = run.last;
        if let Some(kept) = run.more().foretold.last_mut() {
            kept.point = looked.point;
            kept.peak = looked.peak;
            kept.again_at = looked.again_at;
        }
        self.judge(slot, run_slot, looked.verdict, mark, true);
        true
    }

    /// The platform's time reached something of the latest run: a crossing comes near, the point that decided has passed, or the run has
    /// grown too old.
    pub(super) fn time_passed(&mut self, run_slot: usize, due: Timestamp) {
        let kinds = self.kinds;
        let Some(outlook) = &kinds[self.k].rules[run_slot].rule.forecast else {
            return;
        };
        let run = &mut self.watched[self.slot].runs[run_slot];
        // What was told stays up until a later run says otherwise; what is held back is to be told only while it is foretold.
        let (is_raised, is_held) = (run.raised, run.held().is_some());
        let Some(kept) = run.more().foretold.last_mut() else {
            return;
        };
        let stale_at = stale_at(kept, outlook);
        let is_stale = !kept.is_stale_told && stale_at <= due;
        kept.is_stale_told |= is_stale;
        let is_due = kept.again_at.is_some_and(|at| at <= due);
        if is_due {
            kept.again_at = None;
        }
        let issued_at = kept.issued_at;
        if is_due || is_stale {
            let says = (!is_raised || is_held) && self.weigh(self.slot, run_slot, due, due);
            if is_held && !says {
                self.clear(self.slot, run_slot, due);
            }
        }
        if is_stale {
            let what = format!(
                "no newer run than that of {issued_at}, which is more than {} hours old: nothing is raised from it",
                outlook.age_hours_max
            );
            self.tell_failure(run_slot, STALE, what, due, 1);
        }
        self.schedule(self.slot, run_slot);
    }

    /// What a reading says beside the newest run that was issued before it and speaks of its time.
    pub(super) fn deviation(
        &mut self,
        run_slot: usize,
        update: &AttributeUpdate,
    ) -> Result<Verdict, NoVerdict> {
        let kinds = self.kinds;
        let rule = &kinds[self.k].rules[run_slot].rule;
        let Some(outlook) = &rule.forecast else {
            return Err(NoVerdict::Silent);
        };
        let Value::Number(number) = update.value else {
            return Err(wrong_kind(update));
        };
        let at = update.observed_at;
        let run = &mut self.watched[self.slot].runs[run_slot];
        let Some(more) = &mut run.more else {
            return Err(NoVerdict::Silent);
        };
        let stale = |what: String| Err(NoVerdict::Failed(STALE, what));
        let speaks = |(n, kept): (usize, &Foretold)| {
            let point = kept.forecast.at(at)?;
            (kept.issued_at <= at).then_some((n, point))
        };
        let found = more.foretold.iter().enumerate().rev().find_map(speaks);
        let Some((n, point)) = found else {
            let last = more.foretold.last();
            let ends = last.and_then(|kept| Some(kept.forecast.points.last()?.at));
            return match ends {
                Some(ends) if ends < at => stale(format!(
                    "the latest run ends at {ends}: nothing is foretold of the readings since"
                )),
                _ => Err(NoVerdict::Silent),
            };
        };
        let kept = &more.foretold[n];
        if at >= stale_at(kept, outlook) {
            return stale(format!(
                "the latest run that speaks of the readings is that of {}, which is more than {} hours old",
                kept.issued_at, outlook.age_hours_max
            ));
        }
        let excess = match (&rule.threshold, point.lower, point.upper) {
            (Some(Threshold::Number(most)), _, _) => (number - point.value).abs() - most,
            (_, Some(lower), Some(upper)) => (lower - number).max(number - upper),
            _ => return Err(NoVerdict::Silent),
        };
        for (other, kept) in more.foretold.iter_mut().enumerate() {
            kept.point = (other == n).then_some(point);
        }
        Ok(if excess > 0.0 {
            Verdict::Holds
        } else if excess <= -rule.clear.margin {
            Verdict::Clear
        } else {
            Verdict::Between
        })
    }
}

/// From when on a run says nothing any more.
fn stale_at(kept: &Foretold, outlook: &Outlook) -> Timestamp {
    kept.issued_at
        .plus_micros(micros_of_hours(outlook.age_hours_max))
}

/// Why a run cannot be looked at: code, what.
fn unfit(
    rule: &Rule,
    outlook: &Outlook,
    issued_at: Timestamp,
    forecast: &Forecast,
    now: Timestamp,
) -> Option<(&'static str, String)> {
    let last = forecast.points.last()?.at;
    if now.micros_since(issued_at) >= micros_of_hours(outlook.age_hours_max) || last < now {
        return Some((
            STALE,
            format!(
                "the run of {issued_at}, which speaks of the time until {last}, came when it was too old or over"
            ),
        ));
    }
    if let Some(least) = outlook.certainty_min
        && forecast.certainty.is_none_or(|stated| stated < least)
    {
        let stated = forecast.certainty.map_or_else(
            || "no certainty".to_owned(),
            |stated| format!("a certainty of {stated}"),
        );
        return Some((
            "rule-forecast-uncertain",
            format!("the run of {issued_at} states {stated}, the rule needs {least}"),
        ));
    }
    let needs_interval = match rule.kind {
        Kind::Deviation => rule.threshold.is_none(),
        _ => outlook.bound != Bound::Value,
    };
    let has_gaps = forecast.points.iter().any(|point| point.lower.is_none());
    (needs_interval && has_gaps).then(|| {
        (
            "rule-forecast-interval",
            format!("the run of {issued_at} has points without an interval, which the rule needs"),
        )
    })
}

/// What a run says of a threshold.
struct Looked {
    verdict: Verdict,
    /// The first point that crosses it.
    point: Option<ForecastPoint>,
    /// The point that goes furthest.
    peak: Option<ForecastPoint>,
    /// When it is to be looked at again.
    again_at: Option<Timestamp>,
}

impl Default for Looked {
    /// Of a threshold that is not known nothing can be said.
    fn default() -> Self {
        Self {
            verdict: Verdict::Gone,
            point: None,
            peak: None,
            again_at: None,
        }
    }
}

/// Looks at the points from `now` to `within` microseconds later; `None` when the run is over.
fn look(
    forecast: &Forecast,
    op: Op,
    bound: Bound,
    (limit, margin): (f64, f64),
    now: Timestamp,
    within: i64,
) -> Option<Looked> {
    let past = forecast.points.partition_point(|point| point.at < now);
    let (_, ahead) = forecast.points.split_at(past);
    if ahead.is_empty() {
        return None;
    }
    let until = now.plus_micros(within);
    let (near, far) = ahead.split_at(ahead.partition_point(|point| point.at <= until));
    let limit = Value::Number(limit);
    let number = |point: &ForecastPoint| bound.of(point).map(Value::Number);
    let holds = |point: &&ForecastPoint| {
        number(point).and_then(|number| op.holds(&number, &limit)) == Some(true)
    };
    let is_clear = |point: &ForecastPoint| {
        number(point).and_then(|number| op.is_clear(&number, &limit, margin)) == Some(true)
    };
    let goes_up = matches!(op, Op::AtLeast | Op::Above);
    let mut peak: Option<ForecastPoint> = None;
    for point in near {
        let further = |peak: &ForecastPoint| match (bound.of(point), bound.of(peak)) {
            (Some(this), Some(peak)) if goes_up => this > peak,
            (Some(this), Some(peak)) => this < peak,
            _ => false,
        };
        if peak.as_ref().is_none_or(further) {
            peak = Some(*point);
        }
    }
    let point = near.iter().find(holds).copied();
    let verdict = if point.is_some() {
        Verdict::Holds
    } else if near.is_empty() {
        // It begins beyond the horizon: a crossing within is foretold no more.
        Verdict::Gone
    } else if near.iter().all(is_clear) {
        Verdict::Clear
    } else {
        Verdict::Between
    };
    let later = far.iter().find(holds).filter(|_| point.is_none());
    let passes = point.or(peak).filter(|_| verdict != Verdict::Clear);
    let again_at = [
        passes.map(|point| point.at.plus_micros(1)),
        later.map(|later| later.at.plus_micros(-within)),
    ];
    let again_at = again_at.into_iter().flatten().min();
    Some(Looked {
        verdict,
        point,
        peak,
        again_at,
    })
}

/// When passing time has something to say to the latest run.
pub(super) fn due(rule: &Rule, run: &Run) -> Option<Timestamp> {
    let kept = run.more.as_ref()?.foretold.last()?;
    let outlook = rule.forecast.as_ref()?;
    let stale = (!kept.is_stale_told).then(|| stale_at(kept, outlook));
    [stale, kept.again_at].into_iter().flatten().min()
}

/// The run that decided, and the point of it; inside the hysteresis, where no point crosses, the one that goes furthest.
fn decisive(run: &Run) -> Option<(&Foretold, ForecastPoint)> {
    let mut kept = run.more.as_ref()?.foretold.iter().rev();
    kept.find_map(|kept| Some((kept, kept.point.or(kept.peak)?)))
}

/// The point that decided.
pub(super) fn point(run: &Run) -> Option<ForecastPoint> {
    decisive(run).map(|(_, point)| point)
}

/// What titles say of the point that decided.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// The moment in Chinese and in English.
    pub when: [String; 2],
    pub lower: String,
    pub upper: String,
}

/// What titles say of a run of a rule; nothing when no forecast decides it.
pub(super) fn words(run: &Run, zone: &TimeZone) -> Ahead {
    let Some(point) = point(run) else {
        return Ahead::default();
    };
    let show = |number: Option<f64>| text::show(number.map(Value::Number).as_ref());
    Ahead {
        when: text::moment(point.at, zone),
        lower: show(point.lower),
        upper: show(point.upper),
    }
}

impl View<'_> {
    /// The values that decide a rule that looks at a forecast, as it stands.
    pub(super) fn decided_ahead(self, slot: usize, run_slot: usize) -> Vec<NamedValue> {
        let compiled = self.compiled(slot, run_slot);
        let rule = &compiled.rule;
        let run = &self.watched[slot].runs[run_slot];
        let Some((kept, point)) = decisive(run) else {
            return Vec::new();
        };
        let mut decided = Vec::new();
        let mut name = |name: &str, value, unit: Option<&str>, at, whose: Option<&EntityId>| {
            decided.push(NamedValue {
                name: name.to_owned(),
                value,
                unit: unit.map(str::to_owned),
                observed_at: at,
                entity_id: whose.cloned(),
            });
        };
        let unit = compiled.unit.as_deref();
        let whose = Some(&kept.entity_id);
        if rule.kind == Kind::Deviation
            && let Some(value) = &run.value
        {
            let attribute = rule.attribute.as_deref().unwrap_or_default();
            let at = Some(run.last.observed_at);
            name(attribute, value.clone(), unit, at, None);
        }
        for (what, number) in [
            ("forecast_value", Some(point.value)),
            ("forecast_lower", point.lower),
            ("forecast_upper", point.upper),
        ] {
            if let Some(number) = number {
                let value = Value::Number(number);
                name(what, value, unit, Some(point.at), whose);
            }
        }
        let bound = rule.forecast.as_ref().map(|o| o.bound).unwrap_or_default();
        let peak = kept.peak.filter(|peak| peak.at != point.at);
        if let Some(peak) = peak.filter(|_| rule.kind == Kind::Forecast)
            && let Some(number) = bound.of(&peak)
        {
            let value = Value::Number(number);
            name("forecast_peak", value, unit, Some(peak.at), whose);
        }
        if let Some(share) = kept.forecast.certainty {
            let percent = Value::Number(share * 100.0);
            name("forecast_certainty", percent, Some("P1"), None, whose);
        }
        let method = format!("{} {}", kept.forecast.method, kept.forecast.version);
        let issued = Some(kept.issued_at);
        name("forecast_method", Value::Text(method), None, issued, whose);
        if let Some(run) = &kept.forecast.run {
            name(
                "forecast_run",
                Value::Text(run.clone()),
                None,
                issued,
                whose,
            );
        }
        match (&rule.threshold, self.limit(slot, run_slot)) {
            (Some(Threshold::Attribute(other)), Some(limit)) => name(
                &other.attribute,
                limit.value.into_owned(),
                unit,
                limit.observed_at,
                limit.entity_id,
            ),
            (_, Some(limit)) => name("threshold", limit.value.into_owned(), unit, None, None),
            (_, None) => {}
        }
        decided
    }
}
