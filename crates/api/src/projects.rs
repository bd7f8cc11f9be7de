//! Key projects (重点项目库): those of the plan's boxes and those added to them, with what people keep of each.

use crate::access::Caller;
use crate::app::App;
use crate::entities::name_of;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::project_office::{ReminderBody, ReportBody};
use crate::sight::{Seeing, Sight};
use crate::words;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use identity::{Permission, Principal};
use jiff::civil::Date;
use model::problem::{both, quote};
use model::{EntityId, Told};
use projects::kept::{Kept, Source};
use projects::months::{Facts, Month};
use projects::reminders;
use projects::status::{Finding, MilestoneState, MoneyState, Status, Sums, by_source, by_year};
use projects::{Declared, Stage};
use records::organisations::Organisation;
use records::projects::{NewProject, Project, ProjectReport};
use records::{Actor, Connection};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// An organisation as projects name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProjectUnit)]
pub struct UnitBody {
    /// Its id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
}

/// A milestone with how it stands today.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectMilestoneStanding)]
pub struct MilestoneBody {
    /// What is reached.
    pub name: String,
    /// The planned day.
    pub planned: String,
    /// The day as things look now.
    pub forecast: Option<String>,
    /// The day on which it was reached.
    pub done: Option<String>,
    /// How it stands.
    pub state: MilestoneState,
    /// How many days late it was, is, or is expected to be.
    pub days_late: i64,
}

/// A key project in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectItem)]
pub struct ItemBody {
    /// Its id.
    pub id: String,
    /// The number of the plan's box; null for one that was added.
    pub plan_box: Option<i64>,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// The system of the plan that it builds; empty when none is named.
    pub system: String,
    /// Who answers for it.
    pub organisation: Option<UnitBody>,
    /// How far it is.
    pub stage: Stage,
    /// How it stands today.
    pub status: Status,
    /// What is to be said of it today.
    pub findings: Vec<Finding>,
    /// The day on which it begins by plan.
    pub start: Option<String>,
    /// The day on which it ends by plan.
    pub end: Option<String>,
    /// Its milestones.
    pub milestones: Vec<MilestoneBody>,
    /// Its money of all years.
    pub money: Sums,
    /// Its whole cost, fen.
    pub total_fen: Option<i64>,
    /// When it was ended.
    pub ended_at: Option<String>,
    /// When it was changed last.
    pub changed_at: String,
}

/// Key projects.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Projects)]
pub struct ListBody {
    /// The day in the city by which they are judged.
    pub day: String,
    /// Those of the plan first, by its boxes.
    pub items: Vec<ItemBody>,
    /// How many there are without any filter.
    pub total: usize,
    /// How many of them the plan lists.
    pub of_plan: usize,
    /// The organisations that answer for a project.
    pub organisations: Vec<UnitBody>,
    /// Whether the caller may add projects and say who answers for them.
    pub may_manage: bool,
}

/// An indicator that a project serves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectGoal)]
pub struct GoalBody {
    /// Its id.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// How it stands.
    pub status: words::IndicatorStatus,
}

/// Money of a year with how it stands today.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectMoneyYear)]
pub struct YearBody {
    /// The year.
    pub year: i16,
    /// Its sums.
    pub sums: Sums,
    /// How it stands.
    pub state: MoneyState,
}

/// Money of a source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectMoneyOfSource)]
pub struct SourceBody {
    /// The source.
    pub source: Source,
    /// Its sums.
    pub sums: Sums,
}

/// A thing of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectThing)]
pub struct ThingBody {
    /// Its id.
    pub entity_id: String,
    /// Its name; null when it has none, is gone, or is not for the caller.
    pub name: Option<String>,
    /// Its type; null when it is gone or not for the caller.
    pub entity_type: Option<String>,
    /// What it is for the project.
    pub note: String,
}

/// One key project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectDetail)]
pub struct DetailBody {
    /// The project as in the list.
    pub item: ItemBody,
    /// The plan's own words; null for one that was added, or that the plan no longer lists.
    pub quote: Option<String>,
    /// Why it was added; empty for one of the plan.
    pub reason: String,
    /// Why it was ended.
    pub ended_why: Option<String>,
    /// Counts its changes; a change names the version that was seen.
    pub version: i64,
    /// Since when it is kept.
    pub created_at: String,
    /// Who changed it last.
    pub changed_by: String,
    /// All that is kept of it.
    pub kept: Kept,
    /// The indicators that it serves.
    pub goals: Vec<GoalBody>,
    /// Its money by year.
    pub years: Vec<YearBody>,
    /// Its money by source.
    pub sources: Vec<SourceBody>,
    /// Its things.
    pub things: Vec<ThingBody>,
    /// The organisations that its tasks name.
    pub members: Vec<UnitBody>,
    /// What was stated of it, newest month first.
    pub reports: Vec<ReportBody>,
    /// The month of today.
    pub month: String,
    /// Whether a report is owed for that month.
    pub owes_month: bool,
    /// Reminders, newest first.
    pub reminders: Vec<ReminderBody>,
    /// What a reminder is due of today, as words, without what somebody is reminded of now.
    pub reminders_due: Vec<String>,
    /// Whether the caller may keep it.
    pub may_edit: bool,
    /// Whether the caller may say who answers for it, end it, and send reminders.
    pub may_manage: bool,
}

/// What a handler says of projects that it knows: names, and the day.
pub(crate) struct Names(BTreeMap<String, UnitBody>);

impl Names {
    pub(crate) async fn read(connection: &mut Connection) -> Answer<Self> {
        let all = records::organisations::list(connection).await?.into_iter();
        let unit = |o: Organisation| UnitBody {
            id: o.id,
            name_zh: o.name_zh,
            name_en: o.name_en,
        };
        Ok(Self(all.map(|o| (o.id.clone(), unit(o))).collect()))
    }

    /// The organisation of that id; one that is gone is called by its id.
    pub(crate) fn of(&self, id: &str) -> UnitBody {
        self.0.get(id).cloned().unwrap_or_else(|| UnitBody {
            id: id.to_owned(),
            name_zh: id.to_owned(),
            name_en: id.to_owned(),
        })
    }
}

/// What is kept of a project.
///
/// # Errors
/// 500 when it is not readable: it was written by this platform.
pub(crate) fn kept_of(row: &Project) -> Answer<Kept> {
    serde_json::from_value(row.kept.clone()).map_err(ApiError::internal)
}

/// The reports of a project, by month and day.
pub(crate) fn months_of(app: &App, reports: &[ProjectReport], id: &str) -> Vec<(Month, Date)> {
    let own = reports.iter().filter(|report| report.project_id == id);
    own.filter_map(|report| Some((Month::parse(&report.month)?, app.plan.day(report.at))))
        .collect()
}

/// A project as the dispatch and the assessment see it.
pub(crate) fn facts<'a>(
    app: &App,
    row: &'a Project,
    kept: &'a Kept,
    reports: &'a [(Month, Date)],
) -> Facts<'a> {
    Facts {
        id: &row.id,
        kept,
        created: app.plan.day(row.created_at),
        ended: row.ended_at.map(|at| app.plan.day(at)),
        reports,
    }
}

fn item(row: &Project, kept: &Kept, names: &Names, day: Date) -> ItemBody {
    let milestones = kept.milestones.iter().map(|m| MilestoneBody {
        name: m.name.clone(),
        planned: m.planned.to_string(),
        forecast: m.forecast.map(|day| day.to_string()),
        done: m.done.map(|day| day.to_string()),
        state: m.state(day),
        days_late: m.days_late(day),
    });
    ItemBody {
        id: row.id.clone(),
        plan_box: row.plan_box,
        name_zh: row.name_zh.clone(),
        name_en: row.name_en.clone(),
        system: row.system.clone(),
        organisation: kept.profile.organisation.as_deref().map(|id| names.of(id)),
        stage: kept.stage,
        status: kept.status(row.ended_at.is_some(), day),
        findings: kept.findings(day),
        start: kept.profile.start.map(|day| day.to_string()),
        end: kept.profile.end.map(|day| day.to_string()),
        milestones: milestones.collect(),
        money: Sums::of(&kept.money),
        total_fen: kept.profile.total_fen,
        ended_at: row.ended_at.map(|at| at.to_string()),
        changed_at: row.changed_at.to_string(),
    }
}

/// Whether the caller may keep a project: one of theirs, or any for the plan office.
pub(crate) fn may_edit(caller: &Principal, kept: &Kept) -> bool {
    let organisation = kept.profile.organisation.as_deref();
    let own = organisation.is_some_and(|id| caller.organisations().contains(&id));
    caller.may(Permission::ProjectManage) || (caller.may(Permission::ProjectEdit) && own)
}

/// Asks that the caller may keep a project.
pub(crate) fn must_edit(caller: &Principal, kept: &Kept) -> Answer<()> {
    if may_edit(caller, kept) {
        return Ok(());
    }
    Err(ApiError::told(
        StatusCode::FORBIDDEN,
        Told::new(
            "project-organisation",
            both(
                "您所在单位不是该项目的责任单位",
                "your organisation does not answer for this project",
            ),
            both("责任单位", "organisation"),
            both(
                "请由责任单位或规划办办理",
                "leave it to the responsible organisation or the plan office",
            ),
        ),
    ))
}

/// Asks that a project has not ended.
pub(crate) fn must_go_on(row: &Project) -> Answer<()> {
    if row.ended_at.is_none() {
        return Ok(());
    }
    Err(ApiError::told(
        StatusCode::CONFLICT,
        Told::new(
            "project-ended",
            both(
                "该项目已终止，只供查阅",
                "the project was ended and stays to be looked up",
            ),
            both("项目", "project"),
            both(
                "如需继续，请新增项目并说明依据",
                "add a project anew, and say why",
            ),
        ),
    ))
}

/// The project of that id.
pub(crate) async fn known(connection: &mut Connection, id: &str) -> Answer<Project> {
    records::projects::get(connection, id)
        .await?
        .ok_or_else(|| ApiError::not_found("project", quote(id)))
}

/// A text that a person wrote: trimmed, not longer than allowed, and not empty where it must not be.
pub(crate) fn text(
    written: &str,
    place: [&str; 2],
    chars_min: usize,
    chars_max: usize,
) -> Answer<String> {
    let written = written.trim();
    let chars = written.chars().count();
    if (chars_min..=chars_max).contains(&chars) {
        return Ok(written.to_owned());
    }
    Err(ApiError::told(
        StatusCode::BAD_REQUEST,
        Told::new(
            "project-text",
            both(
                format!("有 {chars} 个字"),
                format!("it has {chars} characters"),
            ),
            both(place[0], place[1]),
            both(
                format!("请写 {chars_min} 到 {chars_max} 个字"),
                format!("write {chars_min} to {chars_max} characters"),
            ),
        ),
    ))
}

impl App {
    /// Writes down the projects of the plan that are not in the records yet, and their names where the plan calls them otherwise.
    pub async fn keep_plan_projects(&self) -> records::Result<()> {
        let declared = self.packs.now().projects.clone();
        let mut read = self.records.read().await?;
        let known = records::projects::all(&mut read).await?;
        drop(read);
        let is_kept = |d: &Declared| {
            known.iter().any(|row| {
                row.id == d.id
                    && row.plan_box == Some(i64::from(d.plan_box))
                    && (&row.name_zh, &row.name_en, &row.system)
                        == (&d.name_zh, &d.name_en, &d.system)
            })
        };
        let missing: Vec<&Declared> = declared.iter().filter(|d| !is_kept(d)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let kept = json!(Kept::default());
        let (actor, now) = (Actor::system("plan"), self.now());
        let mut write = self.records.write().await?;
        for d in missing {
            let new = NewProject {
                id: &d.id,
                plan_box: Some(i64::from(d.plan_box)),
                name_zh: &d.name_zh,
                name_en: &d.name_en,
                system: &d.system,
                reason: "",
                kept: &kept,
                stage: Stage::default().as_str(),
            };
            if !records::projects::insert(&mut write, &new, &actor, now).await? {
                records::projects::rename(&mut write, &new).await?;
            }
        }
        write.commit().await
    }

    /// Every project, those of the plan among them.
    pub(crate) async fn project_rows(&self) -> Answer<Vec<Project>> {
        if let Err(failure) = self.keep_plan_projects().await {
            // What is kept can be read all the same.
            tracing::warn!(%failure, "the plan's projects were not written down");
        }
        let mut read = self.records.read().await?;
        Ok(records::projects::all(&mut read).await?)
    }

    /// Tells the pages that a project changed.
    pub(crate) fn tell_project(&self, id: &str) {
        self.events
            .tell("project", Permission::ProjectRead, json!({"id": id}));
    }

    pub(crate) fn declared_project(&self, id: &str) -> Option<Declared> {
        let packs = self.packs.now();
        packs.projects.iter().find(|d| d.id == id).cloned()
    }

    /// The indicators that a project serves.
    pub(crate) fn project_goals(&self, row: &Project, kept: &Kept) -> Vec<String> {
        let declared = self.declared_project(&row.id);
        declared.map_or_else(|| kept.indicators.clone(), |d| d.indicators)
    }

    pub(crate) async fn project_detail(
        &self,
        id: &str,
        caller: &Principal,
        sight: &Sight,
    ) -> Answer<Json<DetailBody>> {
        let mut read = self.records.read().await?;
        let row = known(&mut read, id).await?;
        let kept = kept_of(&row)?;
        let names = Names::read(&mut read).await?;
        let reports = records::projects::reports(&mut read, Some(id), None).await?;
        let reminders = records::projects::reminders(&mut read, Some(id)).await?;
        drop(read);
        let now = self.now();
        let day = self.plan.day(now);
        let months = months_of(self, &reports, id);
        let facts = facts(self, &row, &kept, &months);
        let wanted = self.project_goals(&row, &kept);
        let standing = self.plan.standing(now);
        let goals = wanted.iter().filter_map(|id| {
            let (definition, status) = standing.iter().find(|(d, _)| d.id == *id)?;
            Some(GoalBody {
                id: id.clone(),
                name_zh: definition.name_zh.clone(),
                name_en: definition.name_en.clone(),
                status: (*status).into(),
            })
        });
        let things = kept.assets.iter().map(|asset| {
            let entity = EntityId::new(&asset.entity_id).ok();
            let entity = entity
                .and_then(|id| self.twin.get(&id))
                .filter(|e| sight.sees(e));
            ThingBody {
                entity_id: asset.entity_id.clone(),
                name: entity.as_ref().and_then(name_of),
                entity_type: entity.as_ref().map(|e| e.entity_type.to_string()),
                note: asset.note.clone(),
            }
        });
        let year = |(year, sums): (i16, Sums)| YearBody {
            year,
            sums,
            state: sums.state(year, day),
        };
        let open: Vec<&str> = reminders
            .iter()
            .filter(|r| r.closed_at.is_none())
            .map(|r| r.about.as_str())
            .collect();
        let due = reminders::due(&facts, day)
            .into_iter()
            .map(|about| about.word());
        let month = Month::of(day);
        let mut members: Vec<UnitBody> = kept
            .tasks
            .iter()
            .map(|t| names.of(&t.organisation))
            .collect();
        members.sort_by(|a, b| a.id.cmp(&b.id));
        members.dedup_by(|a, b| a.id == b.id);
        Ok(Json(DetailBody {
            item: item(&row, &kept, &names, day),
            quote: self.declared_project(id).map(|d| d.quote),
            goals: goals.collect(),
            years: by_year(&kept.money).into_iter().map(year).collect(),
            sources: by_source(&kept.money)
                .into_iter()
                .map(|(source, sums)| SourceBody { source, sums })
                .collect(),
            things: things.collect(),
            members,
            reminders_due: due.filter(|word| !open.contains(&word.as_str())).collect(),
            owes_month: facts.owes(month) && !months.iter().any(|(of, _)| *of == month),
            month: month.to_string(),
            reports: reports
                .iter()
                .map(|r| ReportBody::of(self, r, &names))
                .collect(),
            reminders: reminders
                .into_iter()
                .map(|r| ReminderBody::of(r, &names))
                .collect(),
            may_edit: row.ended_at.is_none() && may_edit(caller, &kept),
            may_manage: row.ended_at.is_none() && caller.may(Permission::ProjectManage),
            reason: row.reason,
            ended_why: row.ended_why,
            version: row.version,
            created_at: row.created_at.to_string(),
            changed_by: row.changed_by,
            kept,
        }))
    }
}

/// Which projects.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ListQuery {
    /// Of this box of the plan (`1`, `2`, …), or `added`.
    pub plan_box: Option<String>,
    /// For which this organisation answers; `none` for those of nobody.
    pub organisation: Option<String>,
    /// That stand so.
    #[param(value_type = Option<Status>)]
    pub status: Option<Status>,
    /// That serve this indicator.
    pub indicator: Option<String>,
    /// Whose names hold this text.
    pub q: Option<String>,
}

/// Key projects, as they stand today.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", security(("session" = ["project.read"])), params(ListQuery),
    responses((status = 200, body = ListBody), (status = 400, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<ListQuery>,
) -> Answer<Json<ListBody>> {
    let rows = app.project_rows().await?;
    let mut read = app.records.read().await?;
    let names = Names::read(&mut read).await?;
    drop(read);
    let day = app.plan.day(app.now());
    let sought = query.q.as_deref().unwrap_or_default().trim().to_lowercase();
    let (mut items, mut units) = (Vec::new(), BTreeMap::new());
    for row in &rows {
        let kept = kept_of(row)?;
        let it = item(row, &kept, &names, day);
        if let Some(unit) = &it.organisation {
            units.insert(unit.id.clone(), unit.clone());
        }
        let of_box = query
            .plan_box
            .as_deref()
            .is_none_or(|asked| match row.plan_box {
                Some(n) => asked == n.to_string(),
                None => asked == "added",
            });
        let of_unit = query
            .organisation
            .as_deref()
            .is_none_or(|asked| match &it.organisation {
                Some(unit) => unit.id == asked,
                None => asked == "none",
            });
        let has_goal = query
            .indicator
            .as_ref()
            .is_none_or(|id| app.project_goals(row, &kept).contains(id));
        let found = [&row.name_zh, &row.name_en, &row.id];
        let found = found
            .iter()
            .any(|name| name.to_lowercase().contains(&sought));
        let stands = query.status.is_none_or(|status| status == it.status);
        if of_box && of_unit && has_goal && found && stands {
            items.push(it);
        }
    }
    Ok(Json(ListBody {
        day: day.to_string(),
        items,
        total: rows.len(),
        of_plan: rows.iter().filter(|row| row.plan_box.is_some()).count(),
        organisations: units.into_values().collect(),
        may_manage: caller.may(Permission::ProjectManage),
    }))
}

/// One key project: the plan's words, the goals that it serves, all that is kept of it, reports and reminders.
#[utoipa::path(get, path = "/api/v1/projects/{id}", tag = "projects", security(("session" = ["project.read"])), params(("id" = String, Path)),
    responses((status = 200, body = DetailBody), (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Path(id): Path<String>,
) -> Answer<Json<DetailBody>> {
    app.project_detail(&id, &caller, &sight).await
}
