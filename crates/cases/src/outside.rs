//! What another platform did with a case, or says of it: written into the history and nothing else. A step that follows from it is
//! suggested there; people take it.

use crate::history::step;
use model::Timestamp;
use records::cases::{self, Case, CaseEvent};
use records::{Actor, Connection, Result};
use serde_json::Value;

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Outside<'a> {
    /// Which other platform: the actor of the step.
    pub actor: &'a Actor,
    /// The word of the step.
    pub action: &'a str,
    /// In words.
    pub note: Option<String>,
    /// What the step holds beside words.
    pub detail: Option<Value>,
}

/// Writes into the history of a case what another platform did or says, in the caller's transaction. The case stays where it is.
/// `None`: there is no such case.
///
/// # Errors
/// The store's own.
pub async fn note_outside(
    connection: &mut Connection,
    case_id: i64,
    said: Outside<'_>,
    now: Timestamp,
) -> Result<Option<Case>> {
    let Some(case) = cases::get(connection, case_id).await? else {
        return Ok(None);
    };
    let event = CaseEvent {
        note: said.note,
        detail: said.detail,
        ..step(&case, said.actor, said.action, now)
    };
    cases::insert_event(connection, &event).await?;
    Ok(Some(case))
}
