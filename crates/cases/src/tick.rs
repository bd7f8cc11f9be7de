//! What time alone does to cases: a state that is overdue is escalated, level by level, and clocks that stood until a moment
//! run again. Each is one change with its step of history in one transaction, so that a tick that is done twice, or after a
//! crash, does nothing twice.

use crate::Cases;
use crate::apply::changed_meanwhile;
use crate::history::step;
use model::Timestamp;
use records::cases::{self, Case, CaseEvent};
use records::{Actor, Result};
use serde_json::json;

/// The step of a case that was escalated.
pub const ESCALATED: &str = "escalate";
/// The step of a case whose clocks run again.
const RESUMED: &str = "resume";

/// A case that a tick changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticked {
    /// The case as it is now.
    pub case: Case,
    /// What was done: `escalate` or `resume`.
    pub action: &'static str,
    /// The level of escalation reached, with its titles in Chinese and English.
    pub level: Option<(i64, String, String)>,
}

impl Cases {
    /// Does what is to be done by `now`, and answers what it was, once it is durable.
    ///
    /// # Errors
    /// The store's own.
    pub async fn tick(&self, now: Timestamp) -> Result<Vec<Ticked>> {
        let mut done = Vec::new();
        loop {
            let some = self.tick_some(now).await?;
            if some.is_empty() {
                return Ok(done);
            }
            done.extend(some);
        }
    }

    async fn tick_some(&self, now: Timestamp) -> Result<Vec<Ticked>> {
        let limit = self.options.tick_rows_max.max(1);
        let mut read = self.records.read().await?;
        // Looked at without the lock of writers: mostly there is nothing to do.
        let idle = cases::due_for_escalation(&mut read, now, 1)
            .await?
            .is_empty()
            && cases::due_for_resumption(&mut read, now, 1)
                .await?
                .is_empty();
        drop(read);
        if idle {
            return Ok(Vec::new());
        }
        let actor = Actor::system("system");
        let mut write = self.records.write().await?;
        let mut done = Vec::new();
        for id in cases::due_for_resumption(&mut write, now, limit).await? {
            let Some(mut case) = cases::get(&mut write, id).await? else {
                continue;
            };
            let workflow = self.workflow_of(&mut write, &case).await?;
            let clocks = self.clocks(&workflow);
            // From the moment that was said, however late this tick comes.
            let from = case.suspended_until.unwrap_or(now);
            clocks.resume(&mut case, from)?;
            case.escalates_at = clocks.escalates_at(&case)?;
            case.updated_at = now;
            let Some(case) = cases::update(&mut write, &case).await? else {
                return Err(changed_meanwhile(&case));
            };
            cases::insert_event(&mut write, &step(&case, &actor, RESUMED, now)).await?;
            done.push(Ticked {
                case,
                action: RESUMED,
                level: None,
            });
        }
        for id in cases::due_for_escalation(&mut write, now, limit).await? {
            let Some(mut case) = cases::get(&mut write, id).await? else {
                continue;
            };
            let workflow = self.workflow_of(&mut write, &case).await?;
            let at = usize::try_from(case.escalation).unwrap_or(usize::MAX);
            let titles = workflow.escalations.get(at);
            let titles = titles.map(|e| (e.title_zh.clone(), e.title_en.clone()));
            case.escalation += 1;
            case.escalates_at = self.clocks(&workflow).escalates_at(&case)?;
            case.updated_at = now;
            let Some(case) = cases::update(&mut write, &case).await? else {
                return Err(changed_meanwhile(&case));
            };
            let Some((zh, en)) = titles else {
                continue;
            };
            let event = CaseEvent {
                note: Some(format!("{zh} · {en}")),
                detail: Some(json!({"level": case.escalation})),
                ..step(&case, &actor, ESCALATED, now)
            };
            cases::insert_event(&mut write, &event).await?;
            done.push(Ticked {
                level: Some((case.escalation, zh, en)),
                case,
                action: ESCALATED,
            });
        }
        write.commit().await?;
        Ok(done)
    }
}
