//! The tasks of member departments over all key projects (任务分解到成员单位): which, of which project, due when, how each stands. A task is
//! kept with its project, and changed there.

use crate::access::Caller;
use crate::app::App;
use crate::error::{Answer, ProblemBody};
use crate::project_office::NameBody;
use crate::projects::{Names, UnitBody, kept_of, may_edit};
use axum::Json;
use axum::extract::{Query, State};
use identity::Permission;
use projects::reminders::About;
use projects::status::TaskState;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use utoipa::{IntoParams, ToSchema};

/// A task with its project, and how it stands today.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectTaskItem)]
pub struct TaskItem {
    /// The project.
    pub project: NameBody,
    /// Who answers for the project.
    pub responsible: Option<UnitBody>,
    /// Its row in the project's tasks, from 0.
    pub row: usize,
    /// The department.
    pub organisation: UnitBody,
    /// What it does.
    pub task: String,
    /// By when.
    pub due: Option<String>,
    /// When it was done.
    pub done: Option<String>,
    /// How far it is, in words.
    pub progress: String,
    /// How it stands.
    pub state: TaskState,
    /// How many days it was done, or by now is, after its day.
    pub days_late: i64,
    /// What a reminder of it is about.
    pub about: String,
    /// The case by which the department is reminded of it now.
    pub reminder: Option<TaskReminder>,
    /// Whether the caller may change it, with the project.
    pub may_edit: bool,
}

/// The case of a reminder that is open.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProjectTaskReminder)]
pub struct TaskReminder {
    /// The case.
    pub case_id: i64,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub state: String,
}

/// A department and how many tasks it has, of all projects that go on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectTaskUnit)]
pub struct TaskUnit {
    /// The department.
    pub unit: UnitBody,
    /// How many tasks.
    pub tasks: usize,
    /// How many of them are still to be done.
    pub open: usize,
    /// How many of those are overdue.
    pub overdue: usize,
}

/// The tasks of member departments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectTasks)]
pub struct TasksBody {
    /// The day in the city by which they are judged.
    pub day: String,
    /// Overdue ones first, then by day.
    pub items: Vec<TaskItem>,
    /// Every department that has a task, whatever is filtered.
    pub units: Vec<TaskUnit>,
    /// The organisations that the caller belongs to, by id.
    pub own: Vec<String>,
    /// Whether the caller may send reminders.
    pub may_remind: bool,
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
pub struct TasksQuery {
    /// Of this department.
    pub organisation: Option<String>,
    /// `true`: those that are still to be done.
    #[serde(default)]
    pub open: bool,
}

/// The tasks of member departments over all projects that go on.
#[utoipa::path(get, path = "/api/v1/project-tasks", tag = "projects", security(("session" = ["project.read"])), params(TasksQuery),
    responses((status = 200, body = TasksBody), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<TasksQuery>,
) -> Answer<Json<TasksBody>> {
    let rows = app.project_rows().await?;
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    let reminders = records::projects::reminders(&mut read, None).await?;
    drop(read);
    let open = reminders.into_iter().filter(|r| r.closed_at.is_none());
    let reminded: HashMap<(String, String), TaskReminder> = open
        .map(|r| {
            let case = TaskReminder {
                case_id: r.case_id,
                number: r.number,
                state: r.state,
            };
            ((r.project_id, r.about), case)
        })
        .collect();
    let day = app.plan.day(app.now());
    let (mut items, mut units) = (Vec::new(), BTreeMap::<String, TaskUnit>::new());
    for row in rows.iter().filter(|row| row.ended_at.is_none()) {
        let kept = kept_of(row)?;
        let responsible = kept.profile.organisation.as_deref();
        for (at, task) in kept.tasks.iter().enumerate() {
            let state = task.state(day);
            let unit = units
                .entry(task.organisation.clone())
                .or_insert_with(|| TaskUnit {
                    unit: names.of(&task.organisation),
                    tasks: 0,
                    open: 0,
                    overdue: 0,
                });
            unit.tasks += 1;
            unit.open += usize::from(state.is_open());
            unit.overdue += usize::from(state == TaskState::Overdue);
            let is_of_it = query
                .organisation
                .as_ref()
                .is_none_or(|asked| *asked == task.organisation);
            if !is_of_it || (query.open && !state.is_open()) {
                continue;
            }
            let about = About::from(task).word();
            items.push(TaskItem {
                project: NameBody {
                    id: row.id.clone(),
                    name_zh: row.name_zh.clone(),
                    name_en: row.name_en.clone(),
                },
                responsible: responsible.map(|id| names.of(id)),
                row: at,
                organisation: names.of(&task.organisation),
                task: task.task.clone(),
                due: task.due.map(|day| day.to_string()),
                done: task.done.map(|day| day.to_string()),
                progress: task.progress.clone(),
                state,
                days_late: task.days_late(day),
                reminder: reminded.get(&(row.id.clone(), about.clone())).cloned(),
                about,
                may_edit: may_edit(&caller, &kept),
            });
        }
    }
    // A task without a day comes behind those that have one; days as texts are in their order.
    items.sort_by(|a, b| {
        let key = |item: &TaskItem| (item.state, item.due.clone(), item.project.id.clone());
        key(a).cmp(&key(b)).then(a.row.cmp(&b.row))
    });
    let own = caller.organisations().into_iter().map(str::to_owned);
    Ok(Json(TasksBody {
        day: day.to_string(),
        items,
        units: units.into_values().collect(),
        own: own.collect(),
        may_remind: caller.may(Permission::ProjectManage),
    }))
}
