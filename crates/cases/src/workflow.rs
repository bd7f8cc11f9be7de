//! A workflow as data: states with clocks, actions with who may do them. And the one pure decision: may
//! this person do this to this case now.

use crate::SEVERITIES;
use crate::effects::Effect;
use crate::step::Step;
use model::calendar::ALWAYS;
use model::{Problem, problem::quote};
use records::cases::Case;
use records::{Acting, Failure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The workflow that cases follow when nothing else is said.
pub const STANDARD: &str = "city-case";

/// A way that cases go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The state that a case is opened in.
    pub initial: String,
    /// Permissions of which opening needs one.
    pub open_may: Vec<String>,
    /// The working calendar that its clocks run in, by name (工作日历); all hours when left out.
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub calendar: String,
    /// The severities whose cases count all hours, whatever the calendars (`info`, `minor`, `major`, `critical`): what cannot wait
    /// until work begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always_for: Vec<String>,
    /// How long the whole case may take from opening to its end, in minutes of the calendar; no clock when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_minutes: Option<u32>,
    /// Who is told when a state is overdue, and when: the first is level 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// The states.
    pub states: Vec<State>,
    /// What moves a case.
    pub transitions: Vec<Transition>,
}

fn always() -> String {
    ALWAYS.to_owned()
}

fn is_always(name: &str) -> bool {
    name == ALWAYS
}

/// One level of escalation (超期升级).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// How long after the due time of the state, in minutes of the state's calendar.
    pub after_minutes: u32,
    /// Title in Chinese: who is to act now.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// Where a case can stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Its name.
    pub name: String,
    /// The step of digital urban management that it waits for or belongs to, a word of [`Step`]; see
    /// [`Workflow::step_of`] for what holds when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// How long a case may stay here before it is late, in minutes; no clock when left out.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// The working calendar of this state, when it is not the workflow's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Whether the case has ended here.
    #[serde(default)]
    pub r#final: bool,
    /// Whether only some cases come through here, so that it is not shown as a step of the way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aside: bool,
}

/// One action from some states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// The action's name.
    pub action: String,
    /// The states that it is possible in.
    pub from: Vec<String>,
    /// The state it leads to; the case stays where it is when left out.
    #[serde(default)]
    pub to: Option<String>,
    /// Permissions of which the person needs one.
    pub may: Vec<String>,
    /// Whose case it must be.
    #[serde(default)]
    pub by: By,
    /// What must come with it.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Who gets the case with it.
    #[serde(default)]
    pub assigns: Option<Assigns>,
    /// Whether the alert that the case came from may get another case afterwards.
    #[serde(default)]
    pub frees_alert: bool,
}

impl Transition {
    /// What the action's word does beside moving the case.
    pub fn effect(&self) -> Option<Effect> {
        Effect::of(&self.action)
    }

    /// What must come with it: what the workflow asks for, and what its effect cannot do without.
    pub fn all_needs(&self) -> Vec<Need> {
        let own = self.effect().map_or(&[] as &[Need], Effect::needs);
        let mut all = self.needs.clone();
        all.extend(own.iter().filter(|need| !self.needs.contains(need)));
        all
    }
}

/// Whose case it must be for a person to act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Anyone who has the permission.
    #[default]
    Anyone,
    /// People of the department that has the case, and people of no department; when the case has been
    /// given to a person, that person only.
    Organisation,
    /// The person who has it.
    Assignee,
}

/// What must come with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Words, written or spoken (文字或语音).
    Note,
    /// At least one attachment that is a picture and no signature.
    Photo,
    /// A signature.
    Signature,
    /// A department.
    Organisation,
    /// How many minutes of working time.
    Minutes,
    /// Until when.
    Until,
    /// Another case.
    Case,
    /// The parts of a case, each with its department.
    Parts,
}

/// Who gets the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assigns {
    /// The person who acts.
    #[serde(rename = "self")]
    Oneself,
    /// The department and, when named, the person given with the action.
    Given,
    /// Nobody: it goes back to whoever dispatches.
    Nobody,
}

/// A mistake in a workflow, and where in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key's path: `transitions`, `2`, `to`.
    pub keys: Vec<String>,
    code: &'static str,
    what: String,
    mend: &'static str,
}

impl Mistake {
    /// The mistake as a problem at a place.
    pub fn at(self, place: impl Into<String>) -> Problem {
        Problem::new(self.code, self.what, place, self.mend)
    }
}

fn unreadable(name: &str, error: &serde_json::Error) -> Problem {
    Problem::new(
        "workflow-definition",
        format!("the kept workflow {} is not readable: {error}", quote(name)),
        "records: workflows",
        "run the build that wrote it, or newer",
    )
}

impl Workflow {
    /// Reads and checks a workflow from TOML; `file` is named in problems.
    ///
    /// # Errors
    /// Every mistake found.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let workflow: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| {
                text[..span.start.min(text.len())].matches('\n').count() + 1
            });
            vec![Problem::new(
                "workflow-form",
                e.message(),
                format!("{file}:{line}"),
                "write it like the default workflow, city-case.toml",
            )]
        })?;
        let mistakes = workflow.mistakes();
        if mistakes.is_empty() {
            Ok(workflow)
        } else {
            Err(mistakes.into_iter().map(|m| m.at(file)).collect())
        }
    }

    /// The form in which the definition is kept with the cases that follow it.
    pub(crate) fn definition(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|e| Failure::internal(unreadable(&self.name, &e)))
    }

    /// Reads a kept definition.
    pub(crate) fn from_definition(name: &str, definition: &str) -> Result<Self, Failure> {
        serde_json::from_str(definition).map_err(|e| Failure::internal(unreadable(name, &e)))
    }

    /// The default workflow, compiled in.
    ///
    /// # Errors
    /// Never, as long as the tests pass: the text is part of the program.
    pub fn standard() -> Result<Self, Failure> {
        Self::parse(
            include_str!("../workflows/city-case.toml"),
            "city-case.toml",
        )
        .map_err(|problems| Failure::internal(problems[0].clone()))
    }

    /// The state of that name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|s| s.name == name)
    }

    /// The step that a state belongs to. Where its declaration says none that is known, cases begin with collecting, are
    /// closed where they end, and are handled in between.
    pub fn step_of(&self, state: &State) -> Step {
        let declared = state.step.as_deref().and_then(Step::parse);
        declared.unwrap_or_else(|| match (state.name == self.initial, state.r#final) {
            (true, _) => Step::Collect,
            (false, true) => Step::Close,
            (false, false) => Step::Handle,
        })
    }

    /// Whether a case in that state has ended.
    pub fn is_final(&self, state: &str) -> bool {
        self.state(state).is_some_and(|s| s.r#final)
    }

    /// The states on the way to the end, in order: those in which a case has not ended, and the first in
    /// which it has.
    pub fn way(&self) -> Vec<&str> {
        let open = self.states.iter().filter(|s| !s.r#final && !s.aside);
        let end = self.states.iter().find(|s| s.r#final);
        open.chain(end).map(|s| s.name.as_str()).collect()
    }

    /// The state in which the parts of a case begin: the one that dispatching leads to.
    pub fn part_state(&self) -> Option<&str> {
        let dispatch = self.transitions.iter().find(|t| t.action == "dispatch")?;
        dispatch.to.as_deref()
    }

    /// What is wrong with the workflow as a whole.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let mut add = |keys: &[&str], code: &'static str, what: String, mend: &'static str| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            mistakes.push(Mistake {
                keys,
                code,
                what,
                mend,
            });
        };
        let mut names = BTreeSet::new();
        for (n, state) in self.states.iter().enumerate() {
            if !names.insert(state.name.as_str()) {
                add(
                    &["states", &n.to_string(), "name"],
                    "workflow-state-twice",
                    format!("the state {} is declared twice", quote(&state.name)),
                    "rename or remove one",
                );
            }
        }
        for (n, state) in self.states.iter().enumerate() {
            if let Some(step) = &state.step
                && Step::parse(step).is_none()
            {
                add(
                    &["states", &n.to_string(), "step"],
                    "workflow-step",
                    format!("{} is none of the seven steps", quote(step)),
                    "write collect, file, dispatch, handle, verify, close or assess, or leave it out",
                );
            }
        }
        let is_unknown = |state: &str| !names.contains(state);
        let unknown = |place: &str, state: &str| {
            let state = quote(state);
            format!("{place} names the state {state}, which is not declared")
        };
        let declare = "declare it under [[states]] or mend the name";
        if is_unknown(&self.initial) {
            let what = unknown("initial", &self.initial);
            add(&["initial"], "workflow-unknown-state", what, declare);
        }
        if self.open_may.is_empty() {
            add(
                &["open_may"],
                "workflow-may",
                "nobody may open a case".to_owned(),
                "name at least one permission in `open_may`",
            );
        }
        for (n, t) in self.transitions.iter().enumerate() {
            let n = n.to_string();
            let at = |key: &'static str| ["transitions", n.as_str(), key];
            let place = format!("the action {}", quote(&t.action));
            let named = t.from.iter().map(|state| ("from", state));
            for (key, state) in named.chain(t.to.iter().map(|state| ("to", state))) {
                if is_unknown(state) {
                    let what = unknown(&place, state);
                    add(&at(key), "workflow-unknown-state", what, declare);
                }
            }
            if t.may.is_empty() {
                add(
                    &at("may"),
                    "workflow-may",
                    format!("{place} has no permission"),
                    "name at least one permission in `may`",
                );
            }
            if t.from.is_empty() {
                add(
                    &at("from"),
                    "workflow-from",
                    format!("{place} is possible in no state"),
                    "name at least one state in `from`",
                );
            }
            for from in &t.from {
                let twins = self
                    .transitions
                    .iter()
                    .filter(|o| o.action == t.action && o.from.contains(from))
                    .count();
                if twins > 1 {
                    add(
                        &at("from"),
                        "workflow-action-twice",
                        format!("{place} is declared twice for {}", quote(from)),
                        "keep one of them",
                    );
                }
                if self.is_final(from) && t.to.is_some() && t.effect() != Some(Effect::Reopen) {
                    add(
                        &at("from"),
                        "workflow-final",
                        format!(
                            "{place} leads out of {}, where cases have ended",
                            quote(from)
                        ),
                        "take the state out of `from`",
                    );
                }
            }
        }
        if !self.states.iter().any(|s| s.r#final) {
            let what = "no state ends a case".to_owned();
            add(
                &["states"],
                "workflow-final",
                what,
                "give one state `final = true`",
            );
        }
        let mut reached = BTreeSet::from([self.initial.as_str()]);
        loop {
            let before = reached.len();
            for t in &self.transitions {
                if let Some(to) = &t.to
                    && t.from.iter().any(|f| reached.contains(f.as_str()))
                {
                    reached.insert(to);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        for state in names.difference(&reached) {
            let n = self.states.iter().position(|s| s.name == *state);
            add(
                &["states", &n.unwrap_or_default().to_string(), "name"],
                "workflow-unreached",
                format!("no case ever gets to the state {}", quote(state)),
                "add an action that leads to it, or remove it",
            );
        }
        // Backwards from the ends: what none of them is reached from has no way out.
        let mut out: BTreeSet<&str> = self
            .states
            .iter()
            .filter(|s| s.r#final)
            .map(|s| s.name.as_str())
            .collect();
        loop {
            let before = out.len();
            for t in &self.transitions {
                if t.to.as_deref().is_some_and(|to| out.contains(to)) {
                    out.extend(t.from.iter().map(String::as_str));
                }
            }
            if out.len() == before {
                break;
            }
        }
        // An action to a state that is not declared leads nowhere, which is told above already.
        let leads_on = |t: &Transition| t.to.as_ref().is_none_or(|to| self.state(to).is_some());
        if self.states.iter().any(|s| s.r#final) && self.transitions.iter().all(leads_on) {
            for (n, state) in self.states.iter().enumerate() {
                if !out.contains(state.name.as_str()) {
                    add(
                        &["states", &n.to_string(), "name"],
                        "workflow-no-way-out",
                        format!("a case in the state {} can never end", quote(&state.name)),
                        "add an action that leads from it towards a state with `final = true`",
                    );
                }
            }
        }
        let states = self.states.iter().enumerate().filter_map(|(n, state)| {
            let keys = vec!["states".to_owned(), n.to_string(), "calendar".to_owned()];
            Some((keys, state.calendar.as_deref()?))
        });
        let own = (vec!["calendar".to_owned()], self.calendar.as_str());
        for (keys, calendar) in std::iter::once(own).chain(states) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if calendar.is_empty() || !calendar.chars().all(plain) {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                add(
                    &keys,
                    "workflow-calendar",
                    format!("{} is not the name of a calendar", quote(calendar)),
                    "name a file of the city's calendars/ without its ending, such as working-hours, or always",
                );
            }
        }
        for (n, severity) in self.always_for.iter().enumerate() {
            if !SEVERITIES.contains(&severity.as_str()) {
                add(
                    &["always_for", &n.to_string()],
                    "workflow-severity",
                    format!("{} is not a severity", quote(severity)),
                    "use info, minor, major or critical",
                );
            }
        }
        for (n, pair) in self.escalations.windows(2).enumerate() {
            if let [first, second] = pair
                && first.after_minutes >= second.after_minutes
            {
                add(
                    &["escalations", &(n + 1).to_string(), "after_minutes"],
                    "workflow-escalation",
                    format!(
                        "level {} comes {} min after the due time, level {} not later",
                        n + 1,
                        first.after_minutes,
                        n + 2
                    ),
                    "let each level come later than the one before",
                );
            }
        }
        mistakes
    }

    /// The names of the calendars that its clocks run in.
    pub fn calendars(&self) -> BTreeSet<&str> {
        let states = self.states.iter().filter_map(|s| s.calendar.as_deref());
        states.chain([self.calendar.as_str()]).collect()
    }

    /// Decides whether a person may do an action to a case as it stands.
    ///
    /// # Errors
    /// [`Failure::Invalid`] `unknown-action`; [`Failure::Conflict`] `case-state` when the action is not
    /// possible where the case stands; [`Failure::Forbidden`] when the person may not.
    pub fn decide(
        &self,
        case: &Case,
        action: &str,
        acting: &Acting,
    ) -> Result<&Transition, Failure> {
        let mut known = self
            .transitions
            .iter()
            .filter(|t| t.action == action)
            .peekable();
        if known.peek().is_none() {
            let mut names: Vec<_> = self.transitions.iter().map(|t| t.action.as_str()).collect();
            names.dedup();
            return Err(Failure::Invalid(Problem::new(
                "unknown-action",
                format!("\"{}\" is not an action of a case", quote(action)),
                "action",
                format!("use one of {}", names.join(", ")),
            )));
        }
        let Some(transition) = known.find(|t| t.from.contains(&case.state)) else {
            return Err(Failure::Conflict(Problem::new(
                "case-state",
                format!(
                    "{} is {}: {action} is not possible now",
                    case.number, case.state
                ),
                "action",
                "load the case again: somebody may have moved it",
            )));
        };
        if !transition.may.iter().any(|p| acting.may(p)) {
            return Err(Failure::Forbidden(Problem::new(
                "permission-missing",
                format!(
                    "{action} needs the permission {}",
                    transition.may.join(" or ")
                ),
                "action",
                "ask somebody who may, or the engineer for another role",
            )));
        }
        self.decide_whose(case, transition, acting)?;
        if let Some(refusal) = refusal(case, transition) {
            return Err(Failure::Conflict(refusal));
        }
        Ok(transition)
    }

    fn decide_whose(
        &self,
        case: &Case,
        transition: &Transition,
        acting: &Acting,
    ) -> Result<(), Failure> {
        let refused = |what: String, mend: &str| {
            Err(Failure::Forbidden(Problem::new(
                "case-of-others",
                what,
                "action",
                mend,
            )))
        };
        let is_mine = case.assignee_id.is_some() && case.assignee_id == acting.actor.user_id();
        let dispatch = "ask the duty officer to dispatch it to you";
        match transition.by {
            By::Anyone => Ok(()),
            By::Assignee if is_mine => Ok(()),
            By::Assignee => refused(format!("{} is not assigned to you", case.number), dispatch),
            By::Organisation if acting.actor.user_id().is_none() => refused(
                "only a person can take a case".to_owned(),
                "sign in as a person",
            ),
            By::Organisation if case.assignee_id.is_some() && !is_mine => refused(
                format!("{} was given to somebody else", case.number),
                dispatch,
            ),
            By::Organisation
                if !is_mine
                    && acting.organisation_id.is_some()
                    && !case
                        .organisation_id
                        .as_deref()
                        .is_some_and(|id| acting.works_in(id)) =>
            {
                refused(format!("{} is another department's", case.number), dispatch)
            }
            By::Organisation => Ok(()),
        }
    }

    /// The actions that a person may do to a case as it stands, in the workflow's order.
    pub fn allowed(&self, case: &Case, acting: &Acting) -> Vec<&Transition> {
        self.transitions
            .iter()
            .filter(|t| t.from.contains(&case.state))
            .filter(|t| t.may.iter().any(|p| acting.may(p)))
            .filter(|t| refusal(case, t).is_none())
            .filter(|t| self.decide_whose(case, t, acting).is_ok())
            .collect()
    }
}

/// Why an action is not possible as the case stands, whoever asks.
fn refusal(case: &Case, transition: &Transition) -> Option<Problem> {
    let effect = transition.effect();
    if case.suspended_at.is_some()
        && transition.to.is_some()
        && effect.is_none_or(|effect| !effect.goes_while_suspended())
    {
        return Some(Problem::new(
            "case-suspended",
            format!("the clocks of {} stand: it cannot be moved", case.number),
            "action",
            "resume the case first",
        ));
    }
    effect?.refusal(case)
}
