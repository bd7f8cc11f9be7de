//! How a command lives.
//!
//! | state | step | becomes |
//! | --- | --- | --- |
//! | asked | a second person approves | approved |
//! | asked | a second person refuses | refused |
//! | asked | the asker withdraws | withdrawn |
//! | asked | its time runs out | expired |
//! | asked, where nobody else must agree; approved | it is sent | sent |
//! | the same | an interlock refuses at the moment of sending | failed: nothing was sent |
//! | sent | the device answers | done |
//! | sent | no answer, or it cannot be known | failed: it may have been carried out |
//!
//! Nothing leads out of the last five, and nothing leads to `sent` twice.

use model::CommandApproval;
use serde::{Deserialize, Serialize};

/// Where a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for a second person.
    Asked,
    /// Agreed to, not yet sent.
    Approved,
    /// On its way; its answer is waited for.
    Sent,
    /// The device answered.
    Done,
    /// It did not go, or it is not known whether it did.
    Failed,
    /// A second person said no.
    Refused,
    /// Nobody said yes in time.
    Expired,
    /// The asker took it back.
    Withdrawn,
}

/// What happens to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A second person agrees.
    Approve,
    /// A second person does not.
    Refuse,
    /// The asker takes it back.
    Withdraw,
    /// Its time runs out.
    Expire,
    /// It goes to the device.
    Send,
    /// The device answers.
    Answer,
    /// It cannot go, or no answer comes.
    Fail,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Asked,
        Self::Approved,
        Self::Sent,
        Self::Done,
        Self::Failed,
        Self::Refused,
        Self::Expired,
        Self::Withdrawn,
    ];

    /// The word that is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Approved => "approved",
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing happens to it any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Asked | Self::Approved | Self::Sent)
    }

    /// Where a step leads; `None`: it is not possible here.
    pub const fn after(self, step: Step, approval: CommandApproval) -> Option<Self> {
        let is_agreed = match self {
            Self::Approved => true,
            Self::Asked => matches!(approval, CommandApproval::None),
            _ => false,
        };
        match (self, step) {
            (Self::Asked, Step::Approve) => match approval {
                CommandApproval::SecondPerson => Some(Self::Approved),
                CommandApproval::None => None,
            },
            (Self::Asked, Step::Refuse) => Some(Self::Refused),
            (Self::Asked, Step::Withdraw) => Some(Self::Withdrawn),
            (Self::Asked, Step::Expire) => Some(Self::Expired),
            (_, Step::Send) if is_agreed => Some(Self::Sent),
            (_, Step::Fail) if is_agreed => Some(Self::Failed),
            (Self::Sent, Step::Answer) => Some(Self::Done),
            (Self::Sent, Step::Fail) => Some(Self::Failed),
            _ => None,
        }
    }
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 7] = [
        Self::Approve,
        Self::Refuse,
        Self::Withdraw,
        Self::Expire,
        Self::Send,
        Self::Answer,
        Self::Fail,
    ];

    /// The word that is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::Withdraw => "withdraw",
            Self::Expire => "expire",
            Self::Send => "send",
            Self::Answer => "answer",
            Self::Fail => "fail",
        }
    }
}

/// Whether somebody is a second person to a command: never who asked for it, and never nobody.
pub fn is_another(asked_by: Option<i64>, decides: Option<i64>) -> bool {
    matches!((asked_by, decides), (Some(asker), Some(other)) if asker != other)
}
