//! Back-tests (回测): what rules would have raised over a past period. The same engine over the history's observations; an
//! observation counts as received when it was made, because history does not tell how late each came.

use crate::engine::Engine;
use crate::event::{Failed, NamedValue, Raised, RuleEvent};
use crate::rule::{Kind, Rule};
use model::{Calendars, Catalogue, EntityId, Problem, Timestamp, Update, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a back-test may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most observations that are looked at.
    pub observations_max: u64,
    /// Most alerts that are listed; the rest is counted.
    pub alerts_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            observations_max: 20_000_000,
            alerts_max: 1_000,
        }
    }
}

/// What would have been raised.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Observations looked at.
    pub observations: u64,
    /// Whether the period is covered only in part, because there were more than the limit.
    pub is_cut: bool,
    /// Alerts, storms included.
    pub alerts: u64,
    /// Of them, storms.
    pub storms: u64,
    /// Alerts still up at the end.
    pub open: u64,
    /// Alerts by day of the city: `2026-07-01`.
    pub by_day: BTreeMap<String, u64>,
    /// Alerts by entity.
    pub by_entity: BTreeMap<EntityId, u64>,
    /// The first of them, in the order in which they would have been told.
    pub listed: Vec<WouldBe>,
    /// Alerts that are up at the end and were held back.
    pub held_back: u64,
    /// Times that the rule could not be judged.
    pub failures: u64,
    /// The first failure.
    pub first_failure: Option<Failed>,
}

/// An alert that would have been.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WouldBe {
    /// The rule.
    pub rule_id: String,
    /// The entity.
    pub entity_id: EntityId,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` when it is up at the end.
    pub until: Option<Timestamp>,
    /// `info` to `critical`.
    pub severity: &'static str,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The value that raised it.
    pub value: Option<Value>,
    /// Whether it is a storm's.
    pub is_storm: bool,
    /// The values that decided.
    pub decided: Vec<NamedValue>,
}

/// A back-test at work.
#[derive(Debug)]
pub struct BackTest {
    engine: Engine,
    reported: Option<String>,
    limits: Limits,
    until: Timestamp,
    zone: jiff::tz::TimeZone,
    report: Report,
    /// Where the listed alerts that are up lie.
    up: BTreeMap<(String, EntityId), Option<usize>>,
}

impl BackTest {
    /// Sets rules to work on history. With `reported`, the others only hold that rule back and are not told of.
    ///
    /// # Errors
    /// As [`Engine::new`]; `back-test-period` when the period is none.
    pub fn new(
        rules: Vec<Rule>,
        reported: Option<String>,
        catalogue: &Catalogue,
        calendars: &Calendars,
        period: (Timestamp, Timestamp),
        limits: Limits,
    ) -> Result<Self, Vec<Problem>> {
        if period.0 >= period.1 {
            return Err(vec![Problem::new(
                "back-test-period",
                format!("from {} to {} is no period", period.0, period.1),
                "until",
                "give a from that lies before until",
            )]);
        }
        let mut engine = Engine::new(rules, catalogue, calendars)?;
        engine.tick(period.0);
        let zone = calendars
            .get(model::calendar::ALWAYS)
            .map(|always| always.zone().clone())
            .unwrap_or(jiff::tz::TimeZone::UTC);
        Ok(Self {
            engine,
            reported,
            limits,
            until: period.1,
            zone,
            report: Report::default(),
            up: BTreeMap::new(),
        })
    }

    /// Takes the next observation, in order of time; `false` when no more are wanted.
    pub fn observe(&mut self, at: Timestamp, update: &Update) -> bool {
        if at >= self.until {
            return false;
        }
        if self.report.observations >= self.limits.observations_max {
            self.report.is_cut = true;
            return false;
        }
        self.report.observations += 1;
        let events = self.engine.observe(self.report.observations, update, at);
        self.take(events);
        true
    }

    /// How many observations were looked at.
    pub fn observations(&self) -> u64 {
        self.report.observations
    }

    /// Lets time pass to the end of the period, and reports.
    pub fn finish(mut self) -> Report {
        if !self.report.is_cut {
            let last = self.engine.tick(self.until);
            self.take(last);
        }
        self.report.open = self.up.len().try_into().unwrap_or(u64::MAX);
        let reported = self.reported.as_deref();
        let held = self
            .engine
            .held_back()
            .filter(|(rule, _, _)| reported.is_none_or(|r| r == *rule))
            .count();
        self.report.held_back = held.try_into().unwrap_or(u64::MAX);
        self.report
    }

    fn take(&mut self, events: Vec<RuleEvent>) {
        for event in events {
            if self
                .reported
                .as_ref()
                .is_some_and(|reported| reported != event.rule_id())
            {
                continue;
            }
            match event {
                RuleEvent::Raised(raised) => self.raised(raised),
                RuleEvent::Cleared(cleared) => {
                    let key = (cleared.rule_id, cleared.entity_id);
                    if let Some(Some(place)) = self.up.remove(&key)
                        && let Some(listed) = self.report.listed.get_mut(place)
                    {
                        listed.until = Some(cleared.at);
                    }
                }
                RuleEvent::Failed(failed) => {
                    self.report.failures += failed.count;
                    self.report.first_failure.get_or_insert(failed);
                }
            }
        }
    }

    fn raised(&mut self, raised: Raised) {
        self.report.alerts += 1;
        self.report.storms += u64::from(raised.is_storm);
        let day = jiff::Timestamp::from_microsecond(raised.at.micros())
            .map(|at| self.zone.to_datetime(at).date().to_string())
            .unwrap_or_default();
        *self.report.by_day.entry(day).or_default() += 1;
        *self
            .report
            .by_entity
            .entry(raised.entity_id.clone())
            .or_default() += 1;
        let is_listed = self.report.listed.len() < self.limits.alerts_max;
        self.up.insert(
            (raised.rule_id.clone(), raised.entity_id.clone()),
            is_listed.then_some(self.report.listed.len()),
        );
        if is_listed {
            self.report.listed.push(WouldBe {
                rule_id: raised.rule_id,
                entity_id: raised.entity_id,
                from: raised.at,
                until: None,
                severity: raised.severity.as_str(),
                title_zh: raised.title_zh,
                title_en: raised.title_en,
                value: raised.value,
                is_storm: raised.is_storm,
                decided: raised.decided,
            });
        }
    }
}

/// What the rules would have raised over the observations of a period, given in order of time.
///
/// # Errors
/// As [`BackTest::new`].
pub fn back_test(
    rules: Vec<Rule>,
    catalogue: &Catalogue,
    calendars: &Calendars,
    observations: impl IntoIterator<Item = (Timestamp, Update)>,
    period: (Timestamp, Timestamp),
    limits: Limits,
) -> Result<Report, Vec<Problem>> {
    let mut test = BackTest::new(rules, None, catalogue, calendars, period, limits)?;
    for (at, update) in observations {
        if !test.observe(at, &update) {
            break;
        }
    }
    Ok(test.finish())
}

/// The rules that a rule's back-test needs: itself first, and those that hold it back, and so on.
pub fn with_suppressors(rule: Rule, in_force: &[Rule]) -> Vec<Rule> {
    let mut rules = vec![rule];
    let mut next = 0;
    while let Some(rule) = rules.get(next) {
        let wanted: Vec<&Rule> = rule
            .suppressed_by
            .iter()
            .filter_map(|by| in_force.iter().find(|known| known.id == by.rule()))
            .filter(|known| rules.iter().all(|have| have.id != known.id))
            .collect();
        let wanted: Vec<Rule> = wanted.into_iter().cloned().collect();
        rules.extend(wanted);
        next += 1;
    }
    rules
}

/// Which attributes of which types rules look at; an empty list stands for all of a type.
pub fn looks_at(rules: &[Rule], catalogue: &Catalogue) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut whole: Vec<&str> = Vec::new();
    for rule in rules {
        let mut add = |kind: &str, name: &str| {
            let names = all.entry(kind.to_owned()).or_default();
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        };
        add(&rule.entity_type, "name");
        match &rule.attribute {
            // A forecast is judged without its readings.
            Some(_) if rule.kind == Kind::Forecast => {}
            Some(attribute) => add(&rule.entity_type, attribute),
            None if rule.expression.is_none() => whole.push(&rule.entity_type),
            None => {}
        }
        for text in rule.expression.iter().chain(&rule.clear.expression) {
            if let Ok(expression) = crate::expression::Expression::new(text) {
                for name in expression.attributes() {
                    add(&rule.entity_type, name);
                }
            }
        }
        if let Some(crate::rule::Threshold::Attribute(other)) = &rule.threshold {
            let holder = other.entity_type.as_ref().unwrap_or(&rule.entity_type);
            add(holder, &other.attribute);
            if let Some(relation) = &other.relation {
                add(&rule.entity_type, relation);
            }
        }
        let outlook = rule.forecast.as_ref();
        let declared = outlook.and_then(|o| catalogue.kinds.get(&o.entity_type));
        if let Some(declared) = declared
            && let Some(forecast) = &declared.forecast
        {
            add(&declared.name, &forecast.relation);
            add(&declared.name, &forecast.series);
        }
        for relation in rule.suppressed_by.iter().filter_map(|by| by.relation()) {
            add(&rule.entity_type, relation);
        }
    }
    for kind in whole {
        all.insert(kind.to_owned(), Vec::new());
    }
    all
}
