//! Plays a scenario: steps in order, on a simulated clock.

use crate::load::Pack;
use crate::scenario::grammar::{Sentence, Stated};
use crate::scenario::platform::{Platform, Somebody, With, somebody};
use crate::scenario::{Failed, Outcome, Scenario, Step};
use model::{EntityId, Problem, Timestamp};
use records::cases::Case;
use rules::{Raised, RuleEvent};
use std::collections::{BTreeMap, BTreeSet};

/// When a scenario begins that does not say: Monday, 5 January 2026, 08:00 in China.
pub const BEGINS: Timestamp = Timestamp::from_seconds(1_767_571_200);

/// Plays one scenario with a pack's own declarations.
///
/// # Errors
/// Mistakes of the pack that keep it from being set to work; what goes otherwise than the scenario says is in the outcome.
pub fn play(pack: &Pack, scenario: &Scenario) -> Result<Outcome, Vec<Problem>> {
    let mut stage = Stage {
        platform: Platform::new(pack)?,
        now: BEGINS,
        people: BTreeMap::new(),
        case: None,
        up: BTreeSet::new(),
        news: Vec::new(),
        refusal: None,
        failures: Vec::new(),
    };
    let mut doing: Option<&Step> = None;
    for step in &scenario.steps {
        if !step.sentence.expects() {
            stage.settle(doing);
            doing = Some(step);
        }
        stage.step(step);
    }
    stage.settle(doing);
    Ok(Outcome {
        pack: pack.manifest.name.clone(),
        scenario: scenario.title.clone(),
        place: scenario.place.clone(),
        steps: scenario.steps.len(),
        failures: stage.failures,
    })
}

struct Stage {
    platform: Platform,
    now: Timestamp,
    people: BTreeMap<String, (i64, Somebody)>,
    case: Option<Case>,
    /// Alerts that are up: rule and entity.
    up: BTreeSet<(String, EntityId)>,
    /// What happened and has not been expected yet.
    news: Vec<RuleEvent>,
    refusal: Option<Problem>,
    failures: Vec<Failed>,
}

impl Stage {
    /// What happened without being expected fails the step that brought it about.
    fn settle(&mut self, doing: Option<&Step>) {
        let mut seen: Vec<String> = self.news.drain(..).map(|event| show(&event)).collect();
        seen.extend(
            self.refusal
                .take()
                .map(|p| format!("refused: {}: {}", p.code, p.what)),
        );
        if let Some(step) = doing {
            for seen in seen {
                self.fail(step, "nothing more than the steps below it say", seen);
            }
        }
    }

    fn fail(&mut self, step: &Step, expected: impl Into<String>, seen: impl Into<String>) {
        self.failures.push(Failed {
            place: step.place.clone(),
            step: step.text.clone(),
            expected: expected.into(),
            seen: seen.into(),
        });
    }

    fn step(&mut self, step: &Step) {
        match &step.sentence {
            Sentence::Time(at) => {
                if *at < self.now && !self.up.is_empty() {
                    self.fail(
                        step,
                        "time that goes on",
                        format!("it is {} already", self.now),
                    );
                }
                self.now = *at;
            }
            Sentence::Reports {
                entity,
                values,
                then_seconds,
            } => {
                self.report(step, entity, values);
                self.pass(*then_seconds);
            }
            Sentence::Series { entity, rows } => {
                let begun = self.now;
                for (after, values) in rows {
                    let at = begun.plus_seconds(*after);
                    if at > self.now {
                        self.now = at;
                        let events = self.platform.pass(at);
                        self.hear(events);
                    }
                    self.report(step, entity, values);
                }
            }
            Sentence::Pass(seconds) => self.pass(*seconds),
            Sentence::Person {
                name,
                organisation,
                permissions,
            } => {
                let id = 1 + i64::try_from(self.people.len()).unwrap_or_default();
                match somebody(id, name, organisation.as_deref(), permissions) {
                    Ok(acting) => {
                        self.people.insert(name.clone(), (id, acting));
                    }
                    Err(problem) => self.fail(step, "a person", problem.to_string()),
                }
            }
            Sentence::Open {
                person,
                rule,
                workflow,
            } => self.open(step, person, rule.as_deref(), workflow.as_deref()),
            Sentence::Act { .. } => self.act(step),
            expected => self.judge(step, expected),
        }
    }

    fn report(&mut self, step: &Step, entity: &EntityId, values: &[Stated]) {
        match self.platform.report(entity, values, self.now) {
            Ok(events) => self.hear(events),
            Err(problems) => {
                for problem in problems {
                    self.fail(
                        step,
                        "values that the entity type admits",
                        problem.to_string(),
                    );
                }
            }
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_seconds(seconds);
        let events = self.platform.pass(self.now);
        self.hear(events);
    }

    fn hear(&mut self, events: Vec<RuleEvent>) {
        for event in events {
            let key = (event.rule_id().to_owned(), event.entity_id().clone());
            match &event {
                RuleEvent::Raised(_) => {
                    self.up.insert(key);
                }
                RuleEvent::Cleared(_) => {
                    self.up.remove(&key);
                }
                RuleEvent::Failed(_) => {}
            }
            self.news.push(event);
        }
    }

    fn open(&mut self, step: &Step, person: &str, rule: Option<&str>, workflow: Option<&str>) {
        let Some((_, by)) = self.people.get(person) else {
            return self.fail(step, format!("a person {person}"), "no step names one");
        };
        if let Some(rule) = rule
            && !self.up.iter().any(|(up, _)| up == rule)
        {
            let seen = self.alerts();
            return self.fail(step, format!("an alert of {rule} that is up"), seen);
        }
        match self.platform.open(rule, workflow, by, self.now) {
            Ok(case) => self.case = Some(case),
            Err(problem) => self.refusal = Some(problem),
        }
    }

    fn act(&mut self, step: &Step) {
        let Sentence::Act {
            person,
            action,
            organisation,
            assignee,
            note,
            photo,
        } = &step.sentence
        else {
            return;
        };
        let Some((_, by)) = self.people.get(person) else {
            return self.fail(step, format!("a person {person}"), "no step names one");
        };
        let assignee = match assignee {
            None => None,
            Some(name) => match self.people.get(name) {
                Some((id, _)) => Some(*id),
                None => return self.fail(step, format!("a person {name}"), "no step names one"),
            },
        };
        let with = With {
            organisation: organisation.as_deref(),
            assignee,
            note: note.as_deref().is_some_and(|note| !note.trim().is_empty()),
            photo: *photo,
        };
        let Some(case) = &mut self.case else {
            return self.fail(step, "a case", "none was opened");
        };
        if let Err(problem) = self.platform.act(case, action, &with, by) {
            self.refusal = Some(problem);
        }
    }

    fn judge(&mut self, step: &Step, expected: &Sentence) {
        match expected {
            Sentence::Raised {
                rule,
                severity,
                entity,
                title,
            } => {
                let fits = |raised: &Raised| {
                    raised.rule_id == *rule
                        && raised.severity == *severity
                        && entity.as_ref().is_none_or(|id| *id == raised.entity_id)
                        && title
                            .as_ref()
                            .is_none_or(|t| *t == raised.title_zh || *t == raised.title_en)
                };
                let said = format!("raised {rule} {}", severity.as_str());
                let said = title
                    .as_ref()
                    .map_or(said.clone(), |t| format!("{said}: {t}"));
                self.take(
                    step,
                    said,
                    rule,
                    |event| matches!(event, RuleEvent::Raised(raised) if fits(raised)),
                );
            }
            Sentence::Cleared { rule, entity } => {
                self.take(step, format!("cleared {rule}"), rule, |event| {
                    matches!(event, RuleEvent::Cleared(cleared) if cleared.rule_id == *rule
                        && entity.as_ref().is_none_or(|id| *id == cleared.entity_id))
                });
            }
            Sentence::StillUp { rule } if !self.up.iter().any(|(up, _)| up == rule) => {
                let seen = self.alerts();
                self.fail(step, format!("an alert of {rule} that is up"), seen);
            }
            Sentence::NoChange => {
                for event in std::mem::take(&mut self.news) {
                    self.fail(step, "no alert raised or cleared", show(&event));
                }
            }
            Sentence::CaseIn(state) => match &self.case {
                Some(case) if case.state == *state => {}
                Some(case) => {
                    let seen = format!("it is in {}", case.state);
                    self.fail(step, format!("the case in {state}"), seen);
                }
                None => self.fail(step, format!("a case in {state}"), "no case was opened"),
            },
            Sentence::Refused(code) => match self.refusal.take() {
                Some(problem) if problem.code == *code => {}
                Some(problem) => {
                    let seen = format!("refused: {}: {}", problem.code, problem.what);
                    self.fail(step, format!("refused: {code}"), seen);
                }
                None => self.fail(step, format!("refused: {code}"), "it was not refused"),
            },
            // What is done is no expectation; `step` has played it.
            _ => {}
        }
    }

    /// Takes the first event that fits; when none does, the events of the same rule are what was seen, and are done with,
    /// so that one slip is told once.
    fn take(
        &mut self,
        step: &Step,
        expected: String,
        rule: &str,
        fits: impl Fn(&RuleEvent) -> bool,
    ) {
        if let Some(n) = self.news.iter().position(fits) {
            self.news.remove(n);
            return;
        }
        let near = self.news.iter().position(|event| event.rule_id() == rule);
        let seen = match near {
            Some(n) => show(&self.news.remove(n)),
            None => self.alerts(),
        };
        self.fail(step, expected, seen);
    }

    fn alerts(&self) -> String {
        let mut said: Vec<String> = self.news.iter().map(show).collect();
        said.extend(
            self.up
                .iter()
                .map(|(rule, entity)| format!("{rule} is up on {entity}")),
        );
        if said.is_empty() {
            format!("nothing happened, no alert is up (it is {})", self.now)
        } else {
            format!("{} (it is {})", said.join("; "), self.now)
        }
    }
}

fn show(event: &RuleEvent) -> String {
    match event {
        RuleEvent::Raised(raised) => format!(
            "raised {} {} on {} at {}: {}",
            raised.rule_id,
            raised.severity.as_str(),
            raised.entity_id,
            raised.at,
            raised.title_zh
        ),
        RuleEvent::Cleared(cleared) => format!(
            "cleared {} on {} at {}",
            cleared.rule_id, cleared.entity_id, cleared.at
        ),
        RuleEvent::Failed(failed) => format!(
            "the rule {} could not be judged on {} at {}: {}",
            failed.rule_id, failed.entity_id, failed.at, failed.what
        ),
    }
}
