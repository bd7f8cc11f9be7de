//! Changes of key projects: adding one, writing a part of one anew, ending one. Each has its place in the audit trail, with what was
//! different before and what is now.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::projects::{DetailBody, kept_of, known, must_edit, must_go_on, text};
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::Permission;
use jiff::civil::Date;
use model::problem::{both, quote};
use model::{EntityId, Told};
use projects::Stage;
use projects::check::{NAME_CHARS_MAX, TEXT_CHARS_MAX};
use projects::kept::{Change, Kept, renamed};
use projects::reminders::About;
use records::projects::{Changed, MilestoneRow, MoneyRow, NewProject, Project};
use records::{Connection, Event, audit};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Most projects that a city keeps.
const PROJECTS_MAX: usize = 500;

/// A project to add to those of the plan (滚动更新).
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectDraft)]
pub struct AddRequest {
    /// Its id: small letters, digits and hyphens.
    pub id: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Why it is added: a decision, a document and its number.
    pub reason: String,
    /// The system of the plan that it builds, such as `S28`; empty for none.
    #[serde(default)]
    pub system: String,
    /// The indicators that it serves.
    #[serde(default)]
    pub indicators: Vec<String>,
}

/// Adds a project to those of the plan.
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", security(("session" = ["project.manage"])), request_body = AddRequest,
    responses((status = 201, body = DetailBody), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Json(request): Json<AddRequest>,
) -> Answer<(StatusCode, Json<DetailBody>)> {
    if !projects::declared::is_id(&request.id) {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "project-id",
            ["编号不合要求", "it is no id of a project"],
            ["编号", "id"],
            [
                "请用小写字母、数字和连字符，以字母开头，最长 60 个字符",
                "use small letters, digits and hyphens, beginning with a letter, at most 60",
            ],
        ));
    }
    let name_zh = text(&request.name_zh, ["中文名称", "name_zh"], 1, NAME_CHARS_MAX)?;
    let name_en = text(&request.name_en, ["英文名称", "name_en"], 1, NAME_CHARS_MAX)?;
    let reason = text(&request.reason, ["新增依据", "reason"], 1, TEXT_CHARS_MAX)?;
    let packs = app.packs.now();
    let mut systems = packs.plan.iter().flat_map(|plan| &plan.systems);
    if !request.system.is_empty() && !systems.any(|system| system.id == request.system) {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "project-system",
            ["规划里没有这个系统", "the plan has no such system"],
            ["系统", "system"],
            [
                "请选择规划中的系统，或留空",
                "name a system of the plan, or leave it empty",
            ],
        ));
    }
    if request
        .indicators
        .iter()
        .any(|id| app.plan.definition(id).is_none())
    {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "project-indicator",
            ["没有这项指标", "there is no such indicator"],
            ["指标", "indicators"],
            ["请从规划指标里选取", "take ids from the plan's indicators"],
        ));
    }
    let full = app.project_rows().await?.len() >= PROJECTS_MAX;
    if full {
        let told = Told::new(
            "projects-full",
            both(
                format!("已有 {PROJECTS_MAX} 个项目"),
                format!("there are {PROJECTS_MAX} projects"),
            ),
            both("项目", "projects"),
            both("项目库已满，不能再新增", "no more can be added"),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    let kept = json!(Kept {
        indicators: request.indicators,
        ..Kept::default()
    });
    let new = NewProject {
        id: &request.id,
        plan_box: None,
        name_zh: &name_zh,
        name_en: &name_en,
        system: &request.system,
        reason: &reason,
        kept: &kept,
        stage: Stage::default().as_str(),
    };
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    if !records::projects::insert(&mut write, &new, &actor, now).await? {
        let told = Told::new(
            "project-known",
            both("已有这个编号的项目", "there is a project of that id"),
            both("编号", "id"),
            both(
                "请换一个编号；已终止的项目也保留编号",
                "take another id; ended projects keep theirs",
            ),
        );
        return Err(ApiError::told(StatusCode::CONFLICT, told));
    }
    let detail = json!({"name": name_zh, "reason": reason});
    let target = format!("project:{}", request.id);
    audit::insert(&mut write, now, &actor, Event::ProjectAdd, &target, &detail).await?;
    write.commit().await?;
    app.tell_project(&request.id);
    let detail = app.project_detail(&request.id, &caller, &sight).await?;
    Ok((StatusCode::CREATED, detail))
}

/// A part of a project written anew.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectChange)]
pub struct ChangeRequest {
    /// The version that the person saw; a project that has changed since refuses the change.
    pub version: i64,
    /// The part.
    #[serde(flatten)]
    pub change: Change,
}

/// What differs between a part before and after: rows of a list, keys of an object.
fn difference(old: &Value, new: &Value) -> (Value, Value) {
    match (old, new) {
        (Value::Array(a), Value::Array(b)) => {
            let without = |these: &[Value], those: &[Value]| {
                let rest = these.iter().filter(|row| !those.contains(row));
                Value::Array(rest.cloned().collect())
            };
            (without(a, b), without(b, a))
        }
        (Value::Object(a), Value::Object(b)) => {
            let without = |these: &Map<String, Value>, those: &Map<String, Value>| {
                let rest = these
                    .iter()
                    .filter(|(key, value)| those.get(*key) != Some(value));
                Value::Object(rest.map(|(k, v)| (k.clone(), v.clone())).collect())
            };
            (without(a, b), without(b, a))
        }
        _ => (old.clone(), new.clone()),
    }
}

/// What the records hold of a project after a change.
fn changed<'a>(kept: &'a Kept, json: &'a Value) -> Changed<'a> {
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    Changed {
        kept: json,
        organisation_id: kept.profile.organisation.as_deref(),
        stage: kept.stage.as_str(),
        planned: [day(kept.profile.start), day(kept.profile.end)],
        total_fen: kept.profile.total_fen,
        milestones: kept
            .milestones
            .iter()
            .map(|m| MilestoneRow {
                name: m.name.clone(),
                planned: m.planned.to_string(),
                forecast: day(m.forecast),
                done: day(m.done),
                evidence: m.evidence.clone(),
            })
            .collect(),
        money: kept
            .money
            .iter()
            .map(|m| MoneyRow {
                source: m.source.as_str(),
                year: i64::from(m.year),
                fen: [m.planned_fen, m.arranged_fen, m.paid_fen],
            })
            .collect(),
    }
}

/// Asks that the organisations and the things that a part names are there.
async fn must_be_there(
    app: &App,
    connection: &mut Connection,
    sight: &Sight,
    (part, before): (&Change, &Kept),
) -> Answer<()> {
    let organisations: Vec<&str> = match part {
        Change::Profile { profile } => profile.organisation.as_deref().into_iter().collect(),
        Change::Tasks { tasks } => tasks
            .iter()
            .map(|task| task.organisation.as_str())
            .collect(),
        _ => Vec::new(),
    };
    // What is there already stays, also when the organisation takes no more work.
    let known = |id: &str| {
        before.profile.organisation.as_deref() == Some(id)
            || before.tasks.iter().any(|task| task.organisation == id)
    };
    for id in organisations.into_iter().filter(|id| !known(id)) {
        crate::duty::organisation(connection, id).await?;
    }
    let Change::Assets { assets } = part else {
        return Ok(());
    };
    for asset in assets {
        // What is there already stays, also when the thing is gone or the caller does not see it.
        if before
            .assets
            .iter()
            .any(|old| old.entity_id == asset.entity_id)
        {
            continue;
        }
        let entity = EntityId::new(&asset.entity_id).ok();
        let entity = entity
            .and_then(|id| app.twin.get(&id))
            .filter(|e| sight.sees(e));
        if entity.is_none() {
            let shown = quote(&asset.entity_id);
            let told = Told::new(
                "project-asset",
                both(
                    format!("没有对象 {shown}"),
                    format!("there is no thing {shown}"),
                ),
                both("资产", "assets"),
                both("请从地图或台账里选取", "take it from the map or a register"),
            );
            return Err(ApiError::told(StatusCode::BAD_REQUEST, told));
        }
    }
    Ok(())
}

/// Writes a part of a project anew: by its responsible organisation, or by the plan office.
#[utoipa::path(put, path = "/api/v1/projects/{id}", tag = "projects", security(("session" = ["project.edit"])), params(("id" = String, Path)),
    request_body = ChangeRequest,
    responses((status = 200, body = DetailBody), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<String>,
    Json(request): Json<ChangeRequest>,
) -> Answer<Json<DetailBody>> {
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let row = known(&mut write, &id).await?;
    must_go_on(&row)?;
    let mut kept = kept_of(&row)?;
    must_edit(&caller, &kept)?;
    let part = request.change;
    if part.is_of_the_office() && !caller.may(Permission::ProjectManage) {
        return Err(ApiError::forbidden(Permission::ProjectManage.as_str()));
    }
    if request.version != row.version {
        return Err(changed_meanwhile(&row));
    }
    projects::check::change(&part, &kept, app.plan.day(now))
        .map_err(|told| ApiError::told(StatusCode::BAD_REQUEST, told))?;
    must_be_there(&app, &mut write, &sight, (&part, &kept)).await?;
    crate::project_photos::must_be_there(&mut write, &id, (&part, &kept)).await?;
    let section = part.section();
    let before = json!(kept);
    let was = kept.clone();
    part.apply(&mut kept);
    let after = json!(kept);
    let (old, new) = difference(&before[section], &after[section]);
    if before[section] != after[section] {
        let written = changed(&kept, &after);
        if !records::projects::change(&mut write, &id, row.version, &written, &actor, now).await? {
            return Err(changed_meanwhile(&row));
        }
        follow(&mut write, &id, (&was, &kept)).await?;
        let detail = json!({"section": section, "old": old, "new": new});
        let target = format!("project:{id}");
        audit::insert(
            &mut write,
            now,
            &actor,
            Event::ProjectChange,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        app.tell_project(&id);
    } else {
        drop(write);
    }
    app.project_detail(&id, &caller, &sight).await
}

/// What names a milestone goes on naming it when it is called otherwise: photos, and what reminders are about.
async fn follow(connection: &mut Connection, id: &str, (was, is): (&Kept, &Kept)) -> Answer<()> {
    for (old, new) in renamed(&was.milestones, &is.milestones) {
        records::project_photos::rename_milestone(connection, id, [old, new]).await?;
        let words = [old, new].map(|name| About::Milestone(name.to_owned()).word());
        let words = [words[0].as_str(), words[1].as_str()];
        records::projects::reminders_about(connection, id, words).await?;
    }
    Ok(())
}

fn changed_meanwhile(row: &Project) -> ApiError {
    let by = quote(&row.changed_by);
    let told = Told::new(
        "project-changed",
        both(
            format!("{by} 已先改过这个项目"),
            format!("{by} changed the project meanwhile"),
        ),
        both("版本", "version"),
        both("请刷新后再改", "look at it again, then change it"),
    );
    ApiError::told(StatusCode::CONFLICT, told)
}

/// Why a project is ended.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectEnd)]
pub struct EndRequest {
    /// Why.
    pub reason: String,
}

/// Ends a project: nothing of it changes any more, and it stays to be looked up.
#[utoipa::path(post, path = "/api/v1/projects/{id}/end", tag = "projects", security(("session" = ["project.manage"])), params(("id" = String, Path)),
    request_body = EndRequest,
    responses((status = 200, body = DetailBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn end(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    peer: Peer,
    Path(id): Path<String>,
    Json(request): Json<EndRequest>,
) -> Answer<Json<DetailBody>> {
    let reason = text(&request.reason, ["理由", "reason"], 1, TEXT_CHARS_MAX)?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let row = known(&mut write, &id).await?;
    must_go_on(&row)?;
    records::projects::end(&mut write, &id, &reason, &actor, now).await?;
    let target = format!("project:{id}");
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ProjectEnd,
        &target,
        &json!({"reason": reason}),
    )
    .await?;
    write.commit().await?;
    app.tell_project(&id);
    app.project_detail(&id, &caller, &sight).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trail_has_what_differs() {
        let old = json!([{"name": "a", "n": 1}, {"name": "b", "n": 1}]);
        let new = json!([{"name": "b", "n": 2}, {"name": "a", "n": 1}]);
        assert_eq!(
            difference(&old, &new),
            (
                json!([{"name": "b", "n": 1}]),
                json!([{"name": "b", "n": 2}])
            )
        );
        assert_eq!(
            difference(&json!({"a": 1, "b": 2}), &json!({"a": 1, "b": 3})),
            (json!({"b": 2}), json!({"b": 3}))
        );
        assert_eq!(
            difference(&json!("reserve"), &json!("building")),
            (json!("reserve"), json!("building"))
        );
    }

    #[test]
    fn a_change_is_read_with_its_version() {
        let sent = json!({"version": 3, "section": "stage", "stage": "building"});
        let read: ChangeRequest = serde_json::from_value(sent).unwrap();
        assert_eq!(read.version, 3);
        assert_eq!(read.change.section(), "stage");
        let without = json!({"section": "stage", "stage": "building"});
        assert!(serde_json::from_value::<ChangeRequest>(without).is_err());
    }
}
