//! Plays a scenario: steps in order, on a simulated clock.

use crate::load::Pack;
use crate::scenario::grammar::cases::{Doing, Opening, Standing};
use crate::scenario::grammar::{Sentence, Stated};
use crate::scenario::office::{FromAlert, Office};
use crate::scenario::platform::{Platform, calendars, somebody};
use crate::scenario::{Failed, Outcome, Scenario, Step};
use cases::{CaseDetail, Ticked};
use model::{EntityId, Problem, Timestamp};
use records::Acting;
use rules::{Raised, RuleEvent};
use std::collections::BTreeMap;

/// When a scenario begins that does not say: Monday, 5 January 2026, 08:00 in China.
pub const BEGINS: Timestamp = Timestamp::from_seconds(1_767_571_200);

/// Plays one scenario with a pack's own declarations.
///
/// # Errors
/// Mistakes of the pack that keep it from being set to work; what goes otherwise than the scenario says is in the outcome.
pub async fn play(pack: &Pack, scenario: &Scenario) -> Result<Outcome, Vec<Problem>> {
    let mut stage = Stage {
        pack,
        platform: Platform::new(pack)?,
        office: None,
        now: BEGINS,
        people: BTreeMap::new(),
        up: BTreeMap::new(),
        news: Vec::new(),
        ticked: Vec::new(),
        refusal: None,
        failures: Vec::new(),
    };
    let mut doing: Option<&Step> = None;
    for step in &scenario.steps {
        if !step.sentence.expects() {
            stage.settle(doing);
            doing = Some(step);
        }
        // What the scenario itself cannot do fails its step; it goes on, so that all of it is told.
        if let Err(problem) = stage.step(step).await {
            stage.fail(step, "a step that can be played", problem.to_string());
        }
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

struct Stage<'a> {
    pack: &'a Pack,
    platform: Platform,
    /// Opened for the first person: most scenarios have none.
    office: Option<Office>,
    now: Timestamp,
    people: BTreeMap<String, (i64, Acting)>,
    /// Alerts that are up, by rule and entity.
    up: BTreeMap<(String, EntityId), Raised>,
    /// What happened to alerts and has not been expected yet.
    news: Vec<RuleEvent>,
    /// What time alone did to cases and has not been expected yet.
    ticked: Vec<Ticked>,
    refusal: Option<Problem>,
    failures: Vec<Failed>,
}

impl Stage<'_> {
    /// What happened without being expected fails the step that brought it about.
    fn settle(&mut self, doing: Option<&Step>) {
        let mut seen: Vec<String> = self.news.drain(..).map(|event| show(&event)).collect();
        let ticked = std::mem::take(&mut self.ticked);
        seen.extend(ticked.iter().map(|ticked| self.show_ticked(ticked)));
        seen.extend(self.refusal.take().map(|p| refused(&p)));
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

    async fn step(&mut self, step: &Step) -> Result<(), Problem> {
        match &step.sentence {
            Sentence::Time(at) => {
                let begun =
                    !self.up.is_empty() || self.office.as_ref().is_some_and(Office::is_busy);
                if *at > self.now {
                    self.pass(*at).await?;
                } else if *at < self.now && begun {
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
                self.report(step, entity, values).await?;
                self.pass(self.now.plus_seconds(*then_seconds)).await?;
            }
            Sentence::Series { entity, rows } => {
                let begun = self.now;
                for (after, values) in rows {
                    let at = begun.plus_seconds(*after);
                    if at > self.now {
                        self.pass(at).await?;
                    }
                    self.report(step, entity, values).await?;
                }
            }
            Sentence::Pass(seconds) => self.pass(self.now.plus_seconds(*seconds)).await?,
            Sentence::Person {
                name,
                organisation,
                permissions,
            } => {
                let organisation = organisation.as_deref();
                let office = match &mut self.office {
                    Some(office) => office,
                    none => {
                        let calendars = calendars().map_err(first)?;
                        none.insert(Office::open(self.pack, calendars).await?)
                    }
                };
                let mut acting = somebody(name, organisation, permissions)?;
                let id = office.employ(name, organisation, self.now).await?;
                acting.actor.kind = records::ActorKind::User(id);
                self.people.insert(name.clone(), (id, acting));
            }
            Sentence::Open(opening) => self.open(step, opening).await?,
            Sentence::Act(doing) => self.act(doing).await?,
            Sentence::Case { case, is } => self.judge_case(step, case.as_deref(), is).await?,
            expected => self.judge(step, expected),
        }
        Ok(())
    }

    async fn report(
        &mut self,
        step: &Step,
        entity: &EntityId,
        values: &[Stated],
    ) -> Result<(), Problem> {
        match self.platform.report(entity, values, self.now) {
            Ok(events) => self.hear(events).await?,
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
        Ok(())
    }

    /// Time passes until a moment: first the rules see it, then the clocks of cases.
    async fn pass(&mut self, until: Timestamp) -> Result<(), Problem> {
        self.now = until;
        let events = self.platform.pass(until);
        self.hear(events).await?;
        if let Some(office) = &self.office {
            self.ticked.extend(office.tick(until).await?);
        }
        Ok(())
    }

    async fn hear(&mut self, events: Vec<RuleEvent>) -> Result<(), Problem> {
        for event in events {
            if let Some(office) = &self.office {
                office.hear(&event, self.now).await?;
            }
            let key = (event.rule_id().to_owned(), event.entity_id().clone());
            match &event {
                RuleEvent::Raised(raised) => {
                    self.up.insert(key, raised.clone());
                }
                RuleEvent::Cleared(_) => {
                    self.up.remove(&key);
                }
                RuleEvent::Failed(_) => {}
            }
            self.news.push(event);
        }
        Ok(())
    }

    fn person(&self, name: &str) -> Result<&(i64, Acting), Problem> {
        self.people.get(name).ok_or_else(|| {
            Problem::new(
                "person-none",
                format!("no step names a person {name}"),
                "person",
                "name the person in a step above: 给定 人员, Given the person",
            )
        })
    }

    async fn open(&mut self, step: &Step, opening: &Opening) -> Result<(), Problem> {
        let by = self.person(&opening.person)?.1.clone();
        let raised = match &opening.rule {
            None => None,
            Some(rule) => match self.up.values().find(|raised| raised.rule_id == *rule) {
                Some(raised) => Some(raised),
                None => {
                    let seen = self.alerts();
                    self.fail(step, format!("an alert of {rule} that is up"), seen);
                    return Ok(());
                }
            },
        };
        let from = raised.map(|raised| FromAlert {
            raised,
            place: self.platform.place_of(&raised.entity_id),
        });
        if let Some(office) = &mut self.office {
            let opened = office.open_case(opening, from, &by, self.now).await;
            self.refusal = opened.err();
        }
        Ok(())
    }

    async fn act(&mut self, doing: &Doing) -> Result<(), Problem> {
        let by = self.person(&doing.person)?.1.clone();
        let assignee = doing.assignee.as_deref();
        let assignee = assignee.map(|name| self.person(name)).transpose()?;
        let assignee = assignee.map(|(id, _)| *id);
        if let Some(office) = &mut self.office {
            // A name that no step gives is the scenario's mistake and no refusal.
            office.named(doing.case.as_deref())?;
            doing
                .repeats
                .as_deref()
                .map_or(Ok(0), |name| office.named(Some(name)))?;
            self.refusal = office.act(doing, assignee, &by, self.now).await.err();
        }
        Ok(())
    }

    async fn judge_case(
        &mut self,
        step: &Step,
        name: Option<&str>,
        is: &Standing,
    ) -> Result<(), Problem> {
        let Some(office) = &self.office else {
            self.fail(step, "a case", "no case was opened");
            return Ok(());
        };
        let detail = office.case(name).await?;
        let seen = match is {
            Standing::Escalated(_) | Standing::RunsAgain => {
                self.take_ticked(step, &detail, is);
                return Ok(());
            }
            Standing::MayRepeat(other) => {
                let similar = office.similar(&detail).await?;
                let fits = match other {
                    None => similar.is_empty(),
                    Some(other) => similar.iter().any(|(name, _)| name == other),
                };
                let said: Vec<String> = similar
                    .iter()
                    .map(|(name, metres)| format!("{name} ({metres:.0} m away)"))
                    .collect();
                let said = if said.is_empty() {
                    "none".to_owned()
                } else {
                    said.join(", ")
                };
                (!fits).then(|| format!("it may repeat {said}"))
            }
            is => unlike(office, &detail, is, self.now),
        };
        if let Some(seen) = seen {
            self.fail(
                step,
                expected_of(&detail, is),
                format!("{seen} (it is {})", self.now),
            );
        }
        Ok(())
    }

    /// Takes the first thing that time did to the case and that fits.
    fn take_ticked(&mut self, step: &Step, detail: &CaseDetail, is: &Standing) {
        let fits = |ticked: &Ticked| {
            let level = ticked.level.as_ref().map(|(level, ..)| *level);
            let same = match is {
                Standing::Escalated(wanted) => level == Some(*wanted),
                _ => level.is_none(),
            };
            same && ticked.case.id == detail.case.id
        };
        if let Some(n) = self.ticked.iter().position(fits) {
            self.ticked.remove(n);
            return;
        }
        let ticked = std::mem::take(&mut self.ticked);
        let mut seen: Vec<String> = ticked.iter().map(|t| self.show_ticked(t)).collect();
        if seen.is_empty() {
            let due = detail.case.due_at;
            seen.push(due.map_or("no clock of it runs".to_owned(), |due| {
                format!("it is due at {due} and at level {}", detail.case.escalation)
            }));
        }
        let seen = format!("{} (it is {})", seen.join("; "), self.now);
        self.fail(step, expected_of(detail, is), seen);
    }

    fn show_ticked(&self, ticked: &Ticked) -> String {
        let office = self.office.as_ref();
        let name = office.map_or("a case", |office| office.name_of(ticked.case.id));
        match &ticked.level {
            Some((level, zh, _)) => format!("{name} was escalated to level {level}: {zh}"),
            None => format!("the clocks of {name} run again"),
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
            Sentence::Unjudged { rule, code, entity } => {
                self.take(step, format!("{rule} cannot judge: {code}"), rule, |event| {
                    matches!(event, RuleEvent::Failed(failed) if failed.rule_id == *rule && failed.code == *code
                        && entity.as_ref().is_none_or(|id| *id == failed.entity_id))
                });
            }
            Sentence::StillUp { rule } if !self.up.keys().any(|(up, _)| up == rule) => {
                let seen = self.alerts();
                self.fail(step, format!("an alert of {rule} that is up"), seen);
            }
            Sentence::NoChange => {
                for event in std::mem::take(&mut self.news) {
                    self.fail(step, "no alert raised or cleared", show(&event));
                }
            }
            Sentence::Refused(code) => match self.refusal.take() {
                Some(problem) if problem.code == *code => {}
                Some(problem) => self.fail(step, format!("refused: {code}"), refused(&problem)),
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
                .keys()
                .map(|(rule, entity)| format!("{rule} is up on {entity}")),
        );
        if said.is_empty() {
            format!("nothing happened, no alert is up (it is {})", self.now)
        } else {
            format!("{} (it is {})", said.join("; "), self.now)
        }
    }
}

fn first(problems: Vec<Problem>) -> Problem {
    let none = || Problem::new("internal", "nothing is said", "scenario", "tell the makers");
    problems.into_iter().next().unwrap_or_else(none)
}

fn refused(problem: &Problem) -> String {
    format!("refused: {}: {}", problem.code, problem.what)
}

fn expected_of(detail: &CaseDetail, is: &Standing) -> String {
    format!("the case {} {}", detail.case.number, is.words())
}

/// How a case stands otherwise than is said; `None` when it stands so.
fn unlike(office: &Office, detail: &CaseDetail, is: &Standing, now: Timestamp) -> Option<String> {
    let case = &detail.case;
    let left = || office.left(detail, now);
    // As lists, the board and the history of steps say it.
    let is_overdue = case.suspended_at.is_none() && case.due_at.is_some_and(|due| due < now);
    let at = |moment: Option<Timestamp>| moment.map_or("never".to_owned(), |at| at.to_string());
    let minutes = |seconds: Option<i64>| {
        seconds.map_or("no clock of it runs".to_owned(), |seconds| {
            let overdue = if seconds < 0 {
                "is overdue by"
            } else {
                "has left"
            };
            format!("it {overdue} {} s of working time", seconds.abs())
        })
    };
    match is {
        Standing::In(state) => (case.state != *state).then(|| format!("it is in {}", case.state)),
        Standing::Due(due) => {
            (case.due_at != Some(*due)).then(|| format!("it is due at {}", at(case.due_at)))
        }
        Standing::WholeDue(due) => (case.case_due_at != Some(*due))
            .then(|| format!("the whole is due at {}", at(case.case_due_at))),
        Standing::Left(seconds) => {
            let left = left().and_then(|left| left.seconds);
            (left != Some(*seconds)).then(|| minutes(left))
        }
        Standing::Overdue(by) => {
            let left = left().and_then(|left| left.seconds);
            let fits = is_overdue && by.is_none_or(|by| left == Some(-by));
            (!fits).then(|| minutes(left))
        }
        Standing::NotOverdue => {
            is_overdue.then(|| format!("it is overdue since {}", at(case.due_at)))
        }
        Standing::Late(wanted) => {
            let moved = |step: &&cases::HistoryEntry| {
                let from = step.from_state.as_deref();
                from.is_some_and(|from| from != step.to_state)
            };
            let last = detail.history.iter().rev().find(moved);
            let late = last.is_some_and(|step| step.late);
            (late != *wanted).then(|| {
                let word = if late { "late" } else { "in time" };
                last.map_or("nothing moved it".to_owned(), |step| {
                    format!("{} was {word}", step.action)
                })
            })
        }
        Standing::SuspendedUntil(until) => (case.suspended_until != Some(*until))
            .then(|| format!("its clocks stand until {}", at(case.suspended_until))),
        Standing::SupervisedUntil(until) => (case.supervised_until != *until)
            .then(|| format!("an answer is wanted by {}", at(case.supervised_until))),
        Standing::Reporters(count) => {
            (case.reporters != *count).then(|| format!("it has {} reporters", case.reporters))
        }
        // What time did and what lies near is judged where it is known.
        Standing::Escalated(_) | Standing::RunsAgain | Standing::MayRepeat(_) => None,
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
            "the rule {} could not judge {} at {}: {} ({})",
            failed.rule_id, failed.entity_id, failed.at, failed.what, failed.code
        ),
    }
}
