//! Whoever leaves gives their open cases to a successor (工作交接).

use crate::history::step;
use model::Timestamp;
use records::cases::{self, Case, CaseEvent};
use records::users::User;
use records::{Actor, Connection, Failure, Result};

/// The step in a case's history.
const HANDED_OVER: &str = "hand-over";

/// Gives each open case of a person to another, in the transaction that `connection` is in; where a case stands, which
/// department it lies with and when it is due stay. Answers the cases as they are then.
///
/// # Errors
/// The store's own.
pub async fn hand_over(
    connection: &mut Connection,
    from: &User,
    to: &User,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<Case>> {
    let mut moved = Vec::new();
    for mut case in cases::open_of(connection, from.id).await? {
        case.assignee_id = Some(to.id);
        case.updated_at = now;
        // Nobody else writes meanwhile: the version that was read is the one that is there.
        let case = cases::update(connection, &case).await?.ok_or_else(|| {
            Failure::internal(format!("case {} changed while it was held", case.id))
        })?;
        let event = CaseEvent {
            note: Some(format!("{} → {}", from.name, to.name)),
            assignee_id: Some(to.id),
            ..step(&case, actor, HANDED_OVER, now)
        };
        cases::insert_event(connection, &event).await?;
        moved.push(case);
    }
    Ok(moved)
}
