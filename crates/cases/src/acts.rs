//! The effects of actions, inside the transaction of the step: see [`crate::effects`].

use crate::Cases;
use crate::apply::{Act, changed_meanwhile, check_people, check_text};
use crate::clocks::Clocks;
use crate::effects::Effect;
use crate::history::step;
use crate::workflow::Transition;
use model::{Problem, Timestamp};
use records::cases::{self, Case, CaseEvent};
use records::{Acting, Failure, Result, Write, audit};
use serde_json::{Value, json};

/// The step in the history of a case that another repeats.
const REPEATED: &str = "repeated";
const DAY_S: i64 = 86_400;

/// A step that is being done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doing<'a> {
    pub act: &'a Act,
    pub acting: &'a Acting,
    pub now: Timestamp,
    pub clocks: Clocks<'a>,
    /// The case as it was.
    pub before: &'a Case,
}

/// Asks that nothing holds a case open: parts that have not ended, a supervision without an answer.
pub(crate) async fn may_end(write: &mut Write, case: &Case, transition: &Transition) -> Result<()> {
    parts_have_ended(write, case).await?;
    if case.supervised_until.is_some() && transition.effect() != Some(Effect::Duplicate) {
        return Err(Failure::Conflict(Problem::new(
            "supervision-unanswered",
            format!("the supervision of {} is not answered", case.number),
            "action",
            "answer it first",
        )));
    }
    Ok(())
}

async fn parts_have_ended(write: &mut Write, case: &Case) -> Result<()> {
    let parts = cases::children(write, case.id).await?;
    let open: Vec<&str> = parts
        .iter()
        .filter(|part| part.closed_at.is_none())
        .map(|part| part.number.as_str())
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(Failure::Conflict(Problem::new(
        "parts-open",
        format!(
            "{} has parts that have not ended: {}",
            case.number,
            open.join(", ")
        ),
        "action",
        "end the parts first",
    )))
}

impl Cases {
    /// Does what an action does beside moving; answers what the step holds.
    pub(crate) async fn take_effect(
        &self,
        write: &mut Write,
        effect: Effect,
        case: &mut Case,
        doing: &Doing<'_>,
    ) -> Result<Option<Value>> {
        Ok(match effect {
            Effect::AskExtension => Some(self.ask_extension(case, doing)?),
            Effect::GrantExtension => {
                // The transition may have moved the case, which takes the wish back: the wish is the one before.
                let minutes = doing.before.extension_minutes.unwrap_or_default();
                doing.clocks.extend(case, minutes.unsigned_abs())?;
                case.extension_minutes = None;
                case.extensions += 1;
                Some(json!({"minutes": minutes}))
            }
            Effect::RefuseExtension => {
                let minutes = case.extension_minutes.take();
                Some(json!({"minutes": minutes}))
            }
            Effect::Supervise => {
                let until = self.check_until(doing)?;
                case.supervised_until = Some(until);
                Some(json!({"until": until}))
            }
            Effect::Answer => {
                let until = case.supervised_until.take();
                let late = until.is_some_and(|until| until < doing.now);
                Some(json!({"until": until, "late": late}))
            }
            Effect::Suspend => {
                let until = self.check_until(doing)?;
                case.suspended_at = Some(doing.now);
                case.suspended_until = Some(until);
                Some(json!({"until": until}))
            }
            Effect::Resume => {
                doing.clocks.resume(case, doing.now)?;
                None
            }
            Effect::Split => Some(self.split(write, case, doing).await?),
            Effect::Gather => {
                parts_have_ended(write, case).await?;
                None
            }
            Effect::Duplicate => Some(repeat(write, case, doing).await?),
            Effect::Reopen => {
                self.reopen(write, case, doing).await?;
                Some(json!({"times": case.reopened}))
            }
        })
    }

    fn ask_extension(&self, case: &mut Case, doing: &Doing<'_>) -> Result<Value> {
        let max = self.options.extensions_max;
        if case.extensions >= max {
            return Err(Failure::Conflict(Problem::new(
                "extensions-used",
                format!("{} was extended {max} times already", case.number),
                "action",
                "finish it, or ask the dispatcher to give it to somebody else",
            )));
        }
        let minutes = doing.act.minutes.unwrap_or_default();
        let max = self.options.extension_minutes_max;
        if !(1..=max).contains(&minutes) {
            return Err(Failure::Invalid(Problem::new(
                "extension-minutes",
                format!("{minutes} min are no extension"),
                "minutes",
                format!("ask for 1 to {max} min of working time"),
            )));
        }
        case.extension_minutes = Some(i64::from(minutes));
        Ok(json!({"minutes": minutes}))
    }

    fn check_until(&self, doing: &Doing<'_>) -> Result<Timestamp> {
        let days = self.options.until_days_max;
        let last = doing.now.plus_seconds(i64::from(days) * DAY_S);
        doing
            .act
            .until
            .filter(|until| *until > doing.now && *until <= last)
            .ok_or_else(|| {
                Failure::Invalid(Problem::new(
                    "until",
                    "the moment has passed or is too far away",
                    "until",
                    format!("name a moment within the next {days} days"),
                ))
            })
    }

    /// Makes the parts, each dispatched to its department with its own clocks.
    async fn split(&self, write: &mut Write, case: &mut Case, doing: &Doing<'_>) -> Result<Value> {
        let Doing {
            act,
            acting,
            now,
            clocks,
            ..
        } = *doing;
        let before = cases::children(write, case.id).await?.len();
        if before + act.parts.len() > self.options.parts_max {
            return Err(Failure::Invalid(Problem::new(
                "parts",
                format!(
                    "{} would have {} parts",
                    case.number,
                    before + act.parts.len()
                ),
                "parts",
                format!("use at most {}", self.options.parts_max),
            )));
        }
        let Some(state) = clocks.workflow.part_state() else {
            return Err(Failure::Conflict(Problem::new(
                "workflow-no-dispatch",
                format!("the workflow {} dispatches nothing", case.workflow),
                "action",
                "ask whoever keeps the pack for an action \"dispatch\"",
            )));
        };
        let mut numbers = Vec::new();
        for (n, part) in act.parts.iter().enumerate() {
            check_people(write, Some(&part.organisation), part.assignee, now).await?;
            let title = check_text(&part.title, "parts", self.options.title_chars_max)?;
            let mut child = Case {
                id: 0,
                number: format!("{}-{}", case.number, before + n + 1),
                title: if title.is_empty() {
                    case.title.clone()
                } else {
                    title
                },
                state: state.to_owned(),
                alert_id: None,
                organisation_id: Some(part.organisation.clone()),
                assignee_id: part.assignee,
                created_at: now,
                created_by: acting.actor.name.clone(),
                created_by_id: acting.actor.user_id(),
                updated_at: now,
                due_at: clocks.state_due(state, now)?,
                case_due_at: clocks.case_due(now)?,
                closed_at: None,
                version: 1,
                parent_id: Some(case.id),
                extension_minutes: None,
                extensions: 0,
                supervised_until: None,
                escalation: 0,
                escalates_at: None,
                reopened: 0,
                ..case.clone()
            };
            child.escalates_at = clocks.escalates_at(&child)?;
            let child = cases::insert(write, &child).await?;
            let event = CaseEvent {
                from_state: None,
                organisation_id: child.organisation_id.clone(),
                assignee_id: child.assignee_id,
                detail: Some(json!({"part_of": case.number})),
                ..step(&child, &acting.actor, "open", now)
            };
            cases::insert_event(write, &event).await?;
            let target = format!("case:{}", child.id);
            let detail = json!({"number": child.number, "alert_id": null});
            let event = records::Event::CaseOpen;
            audit::insert(write, now, &acting.actor, event, &target, &detail).await?;
            numbers.push(child.number);
        }
        // The whole lies with nobody: its parts do.
        (case.organisation_id, case.assignee_id) = (None, None);
        Ok(json!({"parts": numbers}))
    }

    async fn reopen(&self, write: &mut Write, case: &mut Case, doing: &Doing<'_>) -> Result<()> {
        let (days, times) = (self.options.reopen_days_max, self.options.reopen_times_max);
        let conflict = |code, what: String, mend: String| {
            Err(Failure::Conflict(Problem::new(code, what, "action", mend)))
        };
        let ended = doing.before.closed_at.unwrap_or(doing.now);
        if doing.now > ended.plus_seconds(i64::from(days) * DAY_S) {
            return conflict(
                "reopen-late",
                format!("{} ended more than {days} days ago", case.number),
                "open another case".to_owned(),
            );
        }
        if case.reopened >= times {
            return conflict(
                "reopen-often",
                format!("{} was reopened {times} times already", case.number),
                "open another case".to_owned(),
            );
        }
        if let Some(parent) = case.parent_id
            && let Some(parent) = cases::get(write, parent).await?
            && parent.closed_at.is_some()
        {
            return conflict(
                "parent-closed",
                format!(
                    "{} is part of {}, which has ended",
                    case.number, parent.number
                ),
                format!("reopen {} first", parent.number),
            );
        }
        case.reopened += 1;
        case.case_due_at = doing.clocks.case_due(doing.now)?;
        Ok(())
    }
}

/// Links a case to the one that it repeats: in both histories, and the reporters of both count.
async fn repeat(write: &mut Write, case: &mut Case, doing: &Doing<'_>) -> Result<Value> {
    let refused = |what: String, mend: &str| {
        Err(Failure::Invalid(Problem::new(
            "duplicate-of",
            what,
            "case",
            mend,
        )))
    };
    let id = doing.act.case.unwrap_or_default();
    if id == case.id {
        return refused(
            format!("{} cannot repeat itself", case.number),
            "name the case that was there first",
        );
    }
    let Some(mut other) = cases::get(write, id).await? else {
        return refused(format!("there is no case {id}"), "take one of the list");
    };
    if other.duplicate_of.is_some() {
        return refused(
            format!("{} itself repeats another", other.number),
            "name the case that was there first",
        );
    }
    if other.parent_id == Some(case.id) || case.parent_id == Some(other.id) {
        return refused(
            format!("{} and {} are parts of one case", case.number, other.number),
            "cancel the part instead",
        );
    }
    case.duplicate_of = Some(other.id);
    other.reporters += case.reporters;
    other.updated_at = doing.now;
    let Some(other) = cases::update(write, &other).await? else {
        return Err(changed_meanwhile(&other));
    };
    let event = CaseEvent {
        detail: Some(json!({"case": case.number, "reporters": other.reporters})),
        ..step(&other, &doing.acting.actor, REPEATED, doing.now)
    };
    cases::insert_event(write, &event).await?;
    Ok(json!({"case": other.number}))
}
