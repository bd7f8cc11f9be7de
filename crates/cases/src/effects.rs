//! What some actions do beside moving a case. The word of the action says it, in every workflow alike: extension (延期),
//! supervision (督办), suspension (挂账), parts for several departments (分办), duplicates (重复) and reopening (重开).

use crate::workflow::Need;
use model::Problem;
use records::cases::Case;

/// An effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `ask-extension`: whoever handles it asks for more working time (申请延期).
    AskExtension,
    /// `grant-extension`: the dispatcher gives the time that was asked for (同意延期).
    GrantExtension,
    /// `refuse-extension`: the dispatcher refuses it (不同意延期).
    RefuseExtension,
    /// `supervise`: the command centre wants an answer by a deadline (督办).
    Supervise,
    /// `answer`: the supervision is answered (督办回复).
    Answer,
    /// `suspend`: the clocks stand until a moment (挂账).
    Suspend,
    /// `resume`: they run again (恢复).
    Resume,
    /// `split`: parts for several departments, each with its own clocks (分办).
    Split,
    /// `gather`: all parts have ended and the whole goes on (合并).
    Gather,
    /// `duplicate`: it repeats another case (重复案件).
    Duplicate,
    /// `reopen`: the reporter says that it is not put right (重开).
    Reopen,
}

const WORDS: &[(&str, Effect)] = &[
    ("ask-extension", Effect::AskExtension),
    ("grant-extension", Effect::GrantExtension),
    ("refuse-extension", Effect::RefuseExtension),
    ("supervise", Effect::Supervise),
    ("answer", Effect::Answer),
    ("suspend", Effect::Suspend),
    ("resume", Effect::Resume),
    ("split", Effect::Split),
    ("gather", Effect::Gather),
    ("duplicate", Effect::Duplicate),
    ("reopen", Effect::Reopen),
];

impl Effect {
    /// The effect of an action's word; `None` for one that only moves.
    pub fn of(action: &str) -> Option<Self> {
        let mut all = WORDS.iter();
        all.find(|(word, _)| *word == action)
            .map(|(_, effect)| *effect)
    }

    /// What must come with it.
    pub const fn needs(self) -> &'static [Need] {
        match self {
            Self::AskExtension => &[Need::Note, Need::Minutes],
            Self::Supervise | Self::Suspend => &[Need::Note, Need::Until],
            Self::RefuseExtension | Self::Answer | Self::Reopen => &[Need::Note],
            Self::Split => &[Need::Parts],
            Self::Duplicate => &[Need::Case],
            Self::GrantExtension | Self::Resume | Self::Gather => &[],
        }
    }

    /// Whether it is possible although the clocks stand and it moves the case.
    pub(crate) const fn goes_while_suspended(self) -> bool {
        matches!(self, Self::Resume | Self::Supervise | Self::Answer)
    }

    /// Why it is not possible as the case stands.
    pub(crate) fn refusal(self, case: &Case) -> Option<Problem> {
        let number = &case.number;
        let stands = case.suspended_at.is_some();
        let (refused, code, what, mend) = match self {
            Self::AskExtension | Self::Suspend if case.due_at.is_none() => (
                true,
                "case-no-clock",
                format!("no clock of {number} runs now"),
                "go on without",
            ),
            Self::AskExtension if stands => (
                true,
                "case-suspended",
                format!("the clocks of {number} stand"),
                "resume the case first",
            ),
            Self::AskExtension => (
                case.extension_minutes.is_some(),
                "extension-asked",
                format!("{number} has an extension that is not decided"),
                "wait for the dispatcher's decision",
            ),
            Self::GrantExtension | Self::RefuseExtension => (
                case.extension_minutes.is_none(),
                "extension-none",
                format!("nobody asks for an extension of {number}"),
                "load the case again: somebody may have decided",
            ),
            Self::Supervise => (
                case.supervised_until.is_some(),
                "supervision-open",
                format!("{number} is supervised already"),
                "wait for the answer, or comment",
            ),
            Self::Answer => (
                case.supervised_until.is_none(),
                "supervision-none",
                format!("{number} has no supervision to answer"),
                "comment instead",
            ),
            Self::Suspend => (
                stands,
                "case-suspended",
                format!("the clocks of {number} stand already"),
                "resume the case first",
            ),
            Self::Resume => (
                !stands,
                "case-running",
                format!("the clocks of {number} run"),
                "load the case again",
            ),
            Self::Split => (
                case.parent_id.is_some(),
                "case-is-part",
                format!("{number} is itself a part"),
                "ask for another part of the whole case",
            ),
            Self::Gather | Self::Duplicate | Self::Reopen => return None,
        };
        refused.then(|| Problem::new(code, what, "action", mend))
    }
}
