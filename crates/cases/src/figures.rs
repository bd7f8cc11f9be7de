//! Assessment (综合评价): the figures of a period, computed from the history alone and never stored. The history of a case
//! becomes facts, each at one moment and of one department; a figure counts facts, so each figure opens to its cases.
//! Pure but for [`Cases::facts`], which reads the history.
//!
//! What a figure means (docs/cases.md says the same for departments; the figures are those of CJ/T 292-2008 and
//! GB/T 30428.4):
//! - a case has *rounds*: from opening to its end, and from each reopening to the next end;
//! - a round is decided once: when it ends by the due time of the whole case, it was in time; when that passes first, it is
//!   overdue from then on, whatever is granted later. While the clocks stand nothing is decided;
//! - 按期结案率 = rounds ended in time ÷ rounds decided;
//! - 返工率 = work sent back ÷ work finished;
//! - 平均处置时长 = working time from dispatch (or from the work being sent back) to finishing ÷ work finished.

use crate::Cases;
use crate::tick::ESCALATED;
use model::{Problem, Timestamp};
use records::cases::{self, Case, CaseEvent};
use records::{Failure, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state in which a case was brought to its end; other ends are no closing.
const CLOSED: &str = "closed";
/// Cases read at once.
const READ_ROWS: u32 = 1_000;

/// What a fact counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Taken up: filed, or dispatched where a workflow files nothing (立案).
    Filed,
    /// Closed (结案).
    Closed,
    /// A round that ended in time (按期结案).
    InTime,
    /// A round whose due time passed (超期).
    Overdue,
    /// Work finished by a department (处置完成).
    Handled,
    /// Finished work sent back by whoever verifies (返工).
    Reworked,
    /// Given back by a department as not its own (退回).
    Returned,
    /// A step that was left late (环节超时).
    LateStep,
    /// Supervised (督办).
    Supervised,
    /// Extended (延期).
    Extended,
    /// Escalated by one level (升级).
    Escalated,
    /// Reopened (重开).
    Reopened,
}

/// One thing that happened to a case and counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub kind: Kind,
    /// When.
    pub at: Timestamp,
    /// The case.
    pub case_id: i64,
    /// The department that had it then.
    pub organisation: Option<String>,
    /// The town in which it lies.
    pub town: Option<String>,
    /// The unit grid in which it lies.
    pub grid: Option<String>,
    /// Its kind.
    pub category: Option<String>,
    /// Its workflow.
    pub workflow: String,
    /// Whether the case is a part of another: it counts for its department, and not beside the whole.
    pub part: bool,
    /// Working time that finished work took, in seconds; 0 for other kinds.
    pub seconds: u64,
}

/// By what figures are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// By department.
    #[default]
    Organisation,
    /// By town.
    Town,
    /// By unit grid (单元网格).
    Grid,
    /// By kind.
    Category,
    /// By workflow.
    Workflow,
}

impl By {
    /// The group of a fact; the outer `None`: it does not count in this grouping, the inner: it has no such thing.
    pub fn key(self, fact: &Fact) -> Option<Option<&str>> {
        match self {
            Self::Organisation => Some(fact.organisation.as_deref()),
            _ if fact.part => None,
            Self::Town => Some(fact.town.as_deref()),
            Self::Grid => Some(fact.grid.as_deref()),
            Self::Category => Some(fact.category.as_deref()),
            Self::Workflow => Some(Some(&fact.workflow)),
        }
    }
}

/// The figures of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many facts of each kind there are.
    counts: BTreeMap<Kind, u64>,
    /// Working time that the finished work took, in seconds.
    pub handling_seconds: u64,
}

impl Figures {
    /// How many facts of a kind there are.
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// Rounds decided: in time and overdue.
    pub fn decided(&self) -> u64 {
        self.count(Kind::InTime) + self.count(Kind::Overdue)
    }

    fn add(&mut self, fact: &Fact) {
        *self.counts.entry(fact.kind).or_default() += 1;
        self.handling_seconds += fact.seconds;
    }
}

/// The figures of each group.
pub fn figures<'a>(
    facts: impl IntoIterator<Item = &'a Fact>,
    by: By,
) -> BTreeMap<Option<String>, Figures> {
    let mut all: BTreeMap<Option<String>, Figures> = BTreeMap::new();
    for fact in facts {
        if let Some(key) = by.key(fact) {
            all.entry(key.map(str::to_owned)).or_default().add(fact);
        }
    }
    all
}

/// Working time between two moments, in seconds.
pub type Measure<'a> = dyn Fn(Timestamp, Timestamp) -> u64 + Send + Sync + 'a;

/// Where the walk through a history stands.
struct Walk<'a> {
    case: &'a Case,
    organisation: Option<String>,
    filed: bool,
    round_open: bool,
    decided: bool,
    due: Option<Timestamp>,
    handling_from: Option<Timestamp>,
    stopped_at: Option<Timestamp>,
    stopped_seconds: u64,
    facts: Vec<Fact>,
}

impl Walk<'_> {
    fn say(&mut self, kind: Kind, at: Timestamp, seconds: u64) {
        self.facts.push(Fact {
            kind,
            at,
            case_id: self.case.id,
            organisation: self.organisation.clone(),
            town: self.case.town.clone(),
            grid: self.case.grid.clone(),
            category: self.case.category.clone(),
            workflow: self.case.workflow.clone(),
            part: self.case.parent_id.is_some(),
            seconds,
        });
    }

    /// The due time of the round has passed before `at`.
    fn pass(&mut self, at: Timestamp) {
        if let Some(due) = self.due
            && self.round_open
            && !self.decided
            && due < at
        {
            self.decided = true;
            self.say(Kind::Overdue, due, 0);
        }
    }

    fn begin_handling(&mut self, at: Timestamp) {
        if self.handling_from.is_none() {
            (self.handling_from, self.stopped_seconds) = (Some(at), 0);
        }
    }

    fn take(&mut self, event: &CaseEvent, measure: &Measure<'_>) {
        let at = event.at;
        self.pass(at);
        let moved = event.from_state.as_deref() != Some(event.to_state.as_str());
        if event.late {
            self.say(Kind::LateStep, at, 0);
        }
        match event.action.as_str() {
            "return" => {
                self.say(Kind::Returned, at, 0);
                (self.organisation, self.handling_from) = (None, None);
            }
            "split" => self.organisation = None,
            _ => {}
        }
        if event.organisation_id.is_some() {
            self.organisation.clone_from(&event.organisation_id);
        }
        let given = event.organisation_id.is_some();
        let taken_up = matches!(
            event.action.as_str(),
            "file" | "dispatch" | "take" | "split"
        ) || (event.action == "open" && given);
        if taken_up && !self.filed {
            self.filed = true;
            self.say(Kind::Filed, at, 0);
        }
        match event.action.as_str() {
            "open" => {
                self.round_open = true;
                if given {
                    self.begin_handling(at);
                }
            }
            "dispatch" | "take" => self.begin_handling(at),
            "finish" => {
                let from = self.handling_from.take().unwrap_or(at);
                let seconds = measure(from, at).saturating_sub(self.stopped_seconds);
                self.say(Kind::Handled, at, seconds);
            }
            "reject" => {
                self.say(Kind::Reworked, at, 0);
                self.begin_handling(at);
            }
            "suspend" => self.stopped_at = Some(at),
            "resume" => {
                if let Some(from) = self.stopped_at.take() {
                    self.stopped_seconds += measure(from, at);
                }
            }
            "supervise" => self.say(Kind::Supervised, at, 0),
            "grant-extension" => self.say(Kind::Extended, at, 0),
            "reopen" => {
                (self.round_open, self.decided) = (true, false);
                self.say(Kind::Reopened, at, 0);
            }
            action if action == ESCALATED => self.say(Kind::Escalated, at, 0),
            _ => {}
        }
        if moved && event.to_state == CLOSED {
            self.say(Kind::Closed, at, 0);
            if !self.decided && self.due.is_some() {
                self.decided = true;
                self.say(Kind::InTime, at, 0);
            }
        }
        if matches!(event.to_state.as_str(), CLOSED | "cancelled") {
            self.round_open = false;
        }
        self.due = event.case_due_at;
    }
}

/// The facts of one case as they stand at `now`, from its history, oldest step first.
pub fn facts(
    case: &Case,
    history: &[CaseEvent],
    measure: &Measure<'_>,
    now: Timestamp,
) -> Vec<Fact> {
    let mut walk = Walk {
        case,
        organisation: None,
        filed: false,
        round_open: false,
        decided: false,
        due: None,
        handling_from: None,
        stopped_at: None,
        stopped_seconds: 0,
        facts: Vec::new(),
    };
    for event in history.iter().filter(|event| event.at <= now) {
        walk.take(event, measure);
    }
    walk.pass(now);
    walk.facts
}

impl Cases {
    /// The facts at or after `from` and before `until`, as they stand at `now`, by case.
    ///
    /// # Errors
    /// [`Failure::Invalid`] `figures-period` for a period that is none, `figures-too-many` when more than
    /// [`crate::Options::figures_cases_max`] cases belong to it.
    pub async fn facts(
        &self,
        from: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Fact>> {
        if from >= until {
            return Err(Failure::Invalid(Problem::new(
                "figures-period",
                format!("from {from} until {until} is no period"),
                "until",
                "name an end that is later than the beginning",
            )));
        }
        let max = self.options.figures_cases_max;
        let mut read = self.records.read().await?;
        let (mut all, mut after, mut count) = (Vec::new(), 0, 0_usize);
        loop {
            let some = cases::of_period(&mut read, from, until, after, READ_ROWS).await?;
            let (Some(first), Some(last)) = (some.first(), some.last()) else {
                return Ok(all);
            };
            count += some.len();
            if count > max {
                return Err(Failure::Invalid(Problem::new(
                    "figures-too-many",
                    format!("more than {max} cases belong to the period"),
                    "from",
                    "ask for a shorter period",
                )));
            }
            after = last.id;
            let mut histories: BTreeMap<i64, Vec<CaseEvent>> = BTreeMap::new();
            for event in cases::events_between(&mut read, first.id, last.id).await? {
                histories.entry(event.case_id).or_default().push(event);
            }
            for case in &some {
                let history = histories.remove(&case.id).unwrap_or_default();
                let workflow = self.workflow(&case.workflow).ok();
                let measure = |from: Timestamp, until: Timestamp| {
                    workflow.as_deref().map_or_else(
                        || until.micros_since(from).max(0).unsigned_abs() / 1_000_000,
                        |workflow| self.clocks(workflow).handling(from, until),
                    )
                };
                let of = facts(case, &history, &measure, now);
                all.extend(of.into_iter().filter(|f| from <= f.at && f.at < until));
            }
        }
    }
}
