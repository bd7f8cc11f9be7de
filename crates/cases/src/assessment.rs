//! The seventh step: how a case went, computed from its history when it has ended.

use model::Timestamp;
use records::cases::CaseEvent;
use serde::Serialize;

/// How an ended case went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// Whole minutes from opening to the end.
    pub minutes: i64,
    /// The states that were left late, in order.
    pub late_states: Vec<String>,
    /// How often the work was sent back.
    pub rejections: usize,
}

/// Assesses a history, oldest step first.
pub fn assess(opened_at: Timestamp, ended_at: Timestamp, history: &[CaseEvent]) -> Assessment {
    Assessment {
        minutes: ended_at.micros_since(opened_at) / 60_000_000,
        late_states: history
            .iter()
            .filter(|step| step.late)
            .filter_map(|step| step.from_state.clone())
            .collect(),
        rejections: history.iter().filter(|s| s.action == "reject").count(),
    }
}
