//! Alerts as people work with them: taking note, reading, and telling a case that its alert is over.

use crate::Cases;
use crate::history::system_step;
use model::Timestamp;
use records::alerts::{self, Alert, AlertFilter};
use records::cases;
use records::{Actor, Connection, Failure, Page, PageRequest, Result, audit};
use serde_json::json;

/// The action under which the end of an alert stands in its case's history.
pub(crate) const ALERT_CLEARED: &str = "alert-cleared";
/// The action under which it stands that the alert was still active when the case was closed.
pub(crate) const ALERT_STILL_ACTIVE: &str = "alert-still-active";

impl Cases {
    /// One alert.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn alert(&self, id: i64) -> Result<Alert> {
        alerts::get(&mut *self.records.read().await?, id)
            .await?
            .ok_or_else(|| Failure::not_found("alert", id))
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a cursor of another list.
    pub async fn list_alerts(
        &self,
        filter: &AlertFilter,
        page: &PageRequest,
    ) -> Result<Page<Alert>> {
        alerts::list(&mut *self.records.read().await?, filter, page).await
    }

    /// Notes that a person has seen an alert. The first one counts; later calls answer with the alert as it
    /// is.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn acknowledge(&self, id: i64, actor: &Actor, now: Timestamp) -> Result<Alert> {
        let mut write = self.records.write().await?;
        let Some(alert) = alerts::acknowledge(&mut write, id, &actor.name, now).await? else {
            return alerts::get(&mut write, id)
                .await?
                .ok_or_else(|| Failure::not_found("alert", id));
        };
        let (target, detail) = (format!("alert:{id}"), json!({"rule_id": alert.rule_id}));
        audit::insert(
            &mut write,
            now,
            actor,
            records::Event::AlertAcknowledge,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        Ok(alert)
    }
}

/// Writes into the history of an alert's case, when it has an open one, that the alert is over. To be
/// called in the transaction that clears it.
///
/// # Errors
/// The store's own.
pub async fn note_cleared(
    connection: &mut Connection,
    alert: &Alert,
    now: Timestamp,
) -> Result<()> {
    let Some(case_id) = alert.case_id else {
        return Ok(());
    };
    let Some(case) = cases::get(connection, case_id)
        .await?
        .filter(|c| c.closed_at.is_none())
    else {
        return Ok(());
    };
    let note = "告警已解除 · The alert is over";
    let event = system_step(&case, ALERT_CLEARED, note, now);
    cases::insert_event(connection, &event).await?;
    Ok(())
}
