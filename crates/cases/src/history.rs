//! One step of a case's history, as the case stands after it.

use model::Timestamp;
use records::Actor;
use records::cases::{Case, CaseEvent};

/// A step that leaves the case where it stands. The clocks go with every step: the figures are computed from them.
pub(crate) fn step(case: &Case, actor: &Actor, action: &str, now: Timestamp) -> CaseEvent {
    CaseEvent {
        id: 0,
        case_id: case.id,
        at: now,
        actor: actor.name.clone(),
        actor_id: actor.user_id(),
        action: action.to_owned(),
        from_state: Some(case.state.clone()),
        to_state: case.state.clone(),
        note: None,
        organisation_id: None,
        assignee_id: None,
        late: false,
        due_at: case.due_at,
        case_due_at: case.case_due_at.filter(|_| case.suspended_at.is_none()),
        detail: None,
        request_id: None,
    }
}

/// A step that the platform itself writes.
pub(crate) fn system_step(case: &Case, action: &str, note: &str, now: Timestamp) -> CaseEvent {
    CaseEvent {
        note: Some(note.to_owned()),
        ..step(case, &Actor::system("system"), action, now)
    }
}
