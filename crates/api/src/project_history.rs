//! What became of a key project (变更历史): each change of it as the audit trail has it, for whoever may read the project; and from the same
//! trail what was kept of it at an earlier time.

use crate::app::App;
use crate::error::{Answer, ProblemBody};
use crate::paging::PageQuery;
use crate::projects::{Names, UnitBody, known};
use axum::Json;
use axum::extract::{Path, Query, State};
use model::Timestamp;
use projects::Kept;
use projects::history::{Step, before};
use records::audit::{self, AuditEntry};
use records::projects::Project;
use records::{Connection, Event, PageRequest};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use utoipa::ToSchema;

/// What happened to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProjectHistoryKind)]
pub enum HistoryKind {
    /// It was added to those of the plan.
    Added,
    /// A part of it was written anew.
    Changed,
    /// It was ended.
    Ended,
}

/// One change of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectHistoryEntry)]
pub struct HistoryEntry {
    /// Its number in the audit trail.
    pub id: i64,
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// What happened.
    pub kind: HistoryKind,
    /// Which part was changed; null when it was added or ended.
    pub section: Option<String>,
    /// What was different before: of a list its rows, of the profile its fields, else the whole.
    pub old: Value,
    /// What is different since.
    pub new: Value,
    /// Why it was added or ended; empty for a change.
    pub reason: String,
}

/// The changes of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectHistory)]
pub struct HistoryBody {
    /// Newest first.
    pub items: Vec<HistoryEntry>,
    /// The next page's cursor.
    pub next: Option<String>,
    /// The organisations that they name.
    pub organisations: Vec<UnitBody>,
}

fn entry(act: AuditEntry) -> HistoryEntry {
    let kind = match act.action.as_str() {
        "project.add" => HistoryKind::Added,
        "project.end" => HistoryKind::Ended,
        _ => HistoryKind::Changed,
    };
    let text = |key: &str| act.detail[key].as_str().map(str::to_owned);
    HistoryEntry {
        id: act.id,
        at: act.at.to_string(),
        kind,
        section: text("section"),
        old: act.detail["old"].clone(),
        new: act.detail["new"].clone(),
        reason: text("reason").unwrap_or_default(),
        by: act.actor,
    }
}

/// The organisations that a change names: of a profile one, of tasks one each.
fn named(entry: &HistoryEntry) -> Vec<&str> {
    [&entry.old, &entry.new]
        .into_iter()
        .flat_map(|value| match value {
            Value::Array(rows) => rows.iter().collect(),
            other => vec![other],
        })
        .filter_map(|row| row.get("organisation")?.as_str())
        .collect()
}

/// What was changed of a project, by whom and when, newest first.
#[utoipa::path(get, path = "/api/v1/projects/{id}/history", tag = "projects", security(("session" = ["project.read"])),
    params(("id" = String, Path), PageQuery),
    responses((status = 200, body = HistoryBody), (status = 404, body = ProblemBody)))]
pub async fn history(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<HistoryBody>> {
    let mut read = app.records.read().await?;
    let row = known(&mut read, &id).await?;
    let events = [Event::ProjectAdd, Event::ProjectChange, Event::ProjectEnd];
    let (target, page) = (format!("project:{}", row.id), PageRequest::from(&query));
    let page = audit::of_target(&mut read, &target, &events, &page).await?;
    let names = Names::read(&mut read).await?;
    drop(read);
    let items: Vec<HistoryEntry> = page.items.into_iter().map(entry).collect();
    let ids: BTreeSet<&str> = items.iter().flat_map(named).collect();
    Ok(Json(HistoryBody {
        organisations: ids.into_iter().map(|id| names.of(id)).collect(),
        next: page.next,
        items,
    }))
}

/// The changes of all projects from a moment on, and how many each has had: enough to tell what was kept before.
pub(crate) struct Since {
    /// By target, newest first.
    changes: HashMap<String, Vec<AuditEntry>>,
    counts: HashMap<String, i64>,
}

impl Since {
    pub(crate) async fn read(connection: &mut Connection, from: Timestamp) -> Answer<Self> {
        let mut changes = HashMap::<String, Vec<AuditEntry>>::new();
        for act in audit::from(connection, Event::ProjectChange, from).await? {
            changes.entry(act.target.clone()).or_default().push(act);
        }
        let counts = audit::count_by_target(connection, Event::ProjectChange).await?;
        let counts = counts.into_iter().map(|count| (count.name, count.acts));
        Ok(Self {
            changes,
            counts: counts.collect(),
        })
    }

    /// What was kept of a project before that moment; `None` when the trail does not tell all that became of it.
    pub(crate) fn before(&self, row: &Project, kept: &Kept) -> Option<Kept> {
        let target = format!("project:{}", row.id);
        // Each change counts its version up, and so does its end.
        let told = self.counts.get(&target).copied().unwrap_or_default();
        if told + i64::from(row.ended_at.is_some()) != row.version {
            return None;
        }
        let changes = self.changes.get(&target).into_iter().flatten();
        let steps = changes.map(|act| Step {
            section: act.detail["section"].as_str().unwrap_or_default(),
            old: &act.detail["old"],
            new: &act.detail["new"],
        });
        before(kept, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(old: Value, new: Value) -> HistoryEntry {
        HistoryEntry {
            id: 1,
            at: String::new(),
            by: String::new(),
            kind: HistoryKind::Changed,
            section: None,
            old,
            new,
            reason: String::new(),
        }
    }

    #[test]
    fn organisations_are_named_wherever_they_stand() {
        for (old, new, expected) in [
            (json!("reserve"), json!("building"), vec![]),
            (
                json!({"organisation": null}),
                json!({"organisation": "shuili"}),
                vec!["shuili"],
            ),
            (
                json!([{"organisation": "jingxin"}, {"name": "开工"}]),
                json!([{"organisation": "shuili"}]),
                vec!["jingxin", "shuili"],
            ),
            (Value::Null, Value::Null, vec![]),
        ] {
            assert_eq!(named(&changed(old, new)), expected);
        }
    }
}
