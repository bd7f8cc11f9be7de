//! What the plan office composes for investors (对外推介): packages of key projects and lists of scenarios, seen as everybody will see
//! them, published edition by edition, and withdrawn. Who may read projects sees them; who manages projects writes them.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::plan;
use crate::portal::{names_of_people, published};
use crate::portal_data::{IndicatorBody, names_somebody};
use crate::portal_packages::{ById, PackageBody, out, package, projects_by_id};
use crate::projects::text;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::Permission;
use model::Told;
use model::problem::{both, quote};
use projects::check::TEXT_CHARS_MAX;
use projects::packages::Content;
use records::packages::{self, Package};
use records::{Connection, Event, Write, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Most packages that a city keeps.
const PACKAGES_MAX: usize = 200;

/// How a package stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InvestmentPackageState)]
pub enum PackageState {
    /// It was not published yet.
    Draft,
    /// Everybody may see it while the portal is open.
    Published,
    /// The day up to which it holds is over.
    Expired,
    /// It was withdrawn.
    Withdrawn,
}

/// A package as the office sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvestmentPackage)]
pub struct OfficeBody {
    /// Its number.
    pub id: i64,
    /// Counts its changes; a change names the version that was seen.
    pub version: i64,
    /// What is written of it now.
    pub content: Content,
    /// How it stands.
    pub state: PackageState,
    /// How often it was published.
    pub edition: i64,
    /// Whether what is written now is not what was published last.
    pub is_changed: bool,
    /// When it was published last.
    pub published_at: Option<String>,
    /// By whom.
    pub published_by: Option<String>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<String>,
    /// By whom.
    pub withdrawn_by: Option<String>,
    /// Why.
    pub withdrawn_why: Option<String>,
    /// When it was changed last.
    pub changed_at: String,
    /// By whom.
    pub changed_by: String,
    /// What is written now as everybody would see it.
    pub preview: PackageBody,
}

/// The packages of the office.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvestmentPackages)]
pub struct OfficeListBody {
    /// The newest first.
    pub items: Vec<OfficeBody>,
    /// The day in the city.
    pub day: String,
    /// Whether the public portal is open; closed, nobody sees what is published.
    pub is_open: bool,
    /// Whether the caller may write packages.
    pub may_manage: bool,
}

/// What is written of a package, on top of the version that was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = InvestmentPackageChange)]
pub struct SaveRequest {
    /// The version that the person saw; 0 for a new one.
    #[serde(default)]
    pub version: i64,
    /// All that is written of it.
    pub content: Content,
}

/// Which version is published.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = InvestmentPackagePublication)]
pub struct PublishRequest {
    /// The version that the person saw.
    pub version: i64,
}

/// Why a package is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = InvestmentPackageWithdrawal)]
pub struct WithdrawRequest {
    /// Why.
    pub reason: String,
}

fn changed_meanwhile(row: &Package) -> ApiError {
    let by = quote(&row.changed_by);
    let told = Told::new(
        "package-changed",
        both(
            format!("{by} 已先改过"),
            format!("{by} changed it meanwhile"),
        ),
        both("版本", "version"),
        both("请刷新后再改", "look at it again, then change it"),
    );
    ApiError::told(StatusCode::CONFLICT, told)
}

async fn known(connection: &mut Connection, id: i64) -> Answer<Package> {
    packages::get(connection, id)
        .await?
        .ok_or_else(|| ApiError::not_found("package", id))
}

fn content_of(row: &Package) -> Answer<Content> {
    serde_json::from_value(row.content.clone()).map_err(ApiError::internal)
}

/// Asks that a package is whole, that its projects are there and go on, and that it names nobody.
async fn must_be_right(
    app: &App,
    connection: &mut Connection,
    content: &Content,
    projects: &ById,
) -> Answer<()> {
    let today = app.plan.day(app.now());
    content
        .check(today)
        .map_err(|told| ApiError::told(StatusCode::BAD_REQUEST, told))?;
    let mut texts: Vec<&str> = content.texts().collect();
    for (n, id) in content.entries.iter().enumerate() {
        let Some(id) = &id.project else { continue };
        let found = projects.get(id).filter(|(row, _)| row.ended_at.is_none());
        let Some((row, _)) = found else {
            let shown = quote(id);
            let told = Told::new(
                "package-project",
                both(
                    format!("没有项目 {shown}，或已终止"),
                    format!("there is no project {shown}, or it was ended"),
                ),
                both(format!("第 {} 项", n + 1), format!("entries.{n}.project")),
                both(
                    "请从重点项目里选取",
                    "choose one of the key projects that go on",
                ),
            );
            return Err(ApiError::told(StatusCode::BAD_REQUEST, told));
        };
        texts.extend([row.name_zh.as_str(), row.name_en.as_str()]);
    }
    let names = names_of_people(connection).await?;
    if let Some(text) = texts.iter().find(|text| names_somebody(text, &names)) {
        let begin: String = text.chars().take(12).collect();
        let shown = quote(&::personal::text::masked(&begin));
        let told = Told::new(
            "package-personal",
            both(
                format!("“{shown}…”含有个人姓名或证件、手机、银行卡号码"),
                format!("\"{shown}…\" holds the name of a person or a personal number"),
            ),
            both("文字", "content"),
            both(
                "对外公开的内容只写单位和办公电话",
                "what is published names offices and their telephones alone",
            ),
        );
        return Err(ApiError::told(StatusCode::BAD_REQUEST, told));
    }
    Ok(())
}

/// What the previews are made of.
struct Seen {
    projects: ById,
    figures: Vec<IndicatorBody>,
}

impl Seen {
    async fn read(app: &App) -> Answer<Self> {
        // Without a plan there are no figures, and packages all the same.
        let inside = match app.plan.plans().is_empty() {
            true => Vec::new(),
            false => plan::whole(app, None).await?.indicators,
        };
        Ok(Self {
            projects: projects_by_id(app).await?,
            figures: published(app, inside).await?,
        })
    }

    fn body(&self, app: &App, row: Package) -> Answer<OfficeBody> {
        let content = content_of(&row)?;
        let key = (row.id, row.edition);
        let preview = package(app, key, &content, &self.projects, &self.figures);
        let state = match out(&row, app.plan.day(app.now())) {
            Some(_) => PackageState::Published,
            None if row.withdrawn_at.is_some() => PackageState::Withdrawn,
            None if row.edition > 0 => PackageState::Expired,
            None => PackageState::Draft,
        };
        Ok(OfficeBody {
            id: row.id,
            version: row.version,
            content,
            state,
            edition: row.edition,
            is_changed: row.published.is_some_and(|out| out != row.content),
            published_at: row.published_at.map(|at| at.to_string()),
            published_by: row.published_by,
            withdrawn_at: row.withdrawn_at.map(|at| at.to_string()),
            withdrawn_by: row.withdrawn_by,
            withdrawn_why: row.withdrawn_why,
            changed_at: row.changed_at.to_string(),
            changed_by: row.changed_by,
            preview,
        })
    }
}

/// Writes the act down, commits, and lets what was kept of the portal go.
async fn done(
    app: &App,
    mut write: Write,
    (event, id): (Event, i64),
    actor: &records::Actor,
    detail: &serde_json::Value,
) -> Answer<()> {
    let target = format!("package:{id}");
    audit::insert(&mut write, app.now(), actor, event, &target, detail).await?;
    write.commit().await?;
    app.portal.forget().await;
    app.tell_project("");
    Ok(())
}

/// The packages for investors, with what everybody would see of each.
#[utoipa::path(get, path = "/api/v1/investment-packages", tag = "projects", security(("session" = ["project.read"])),
    responses((status = 200, body = OfficeListBody)))]
pub async fn list(State(app): State<App>, Caller(caller): Caller) -> Answer<Json<OfficeListBody>> {
    let seen = Seen::read(&app).await?;
    let mut read = app.records.read().await?;
    let rows = packages::all(&mut read).await?;
    drop(read);
    let items = rows.into_iter().map(|row| seen.body(&app, row));
    Ok(Json(OfficeListBody {
        items: items.collect::<Answer<_>>()?,
        day: app.plan.day(app.now()).to_string(),
        is_open: app.options.portal.open,
        may_manage: caller.may(Permission::ProjectManage),
    }))
}

/// Writes a new package; nobody outside sees it before it is published.
#[utoipa::path(post, path = "/api/v1/investment-packages", tag = "projects", security(("session" = ["project.manage"])), request_body = SaveRequest,
    responses((status = 201, body = OfficeBody), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(request): Json<SaveRequest>,
) -> Answer<(StatusCode, Json<OfficeBody>)> {
    let mut content = request.content;
    content.trim();
    let seen = Seen::read(&app).await?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    must_be_right(&app, &mut write, &content, &seen.projects).await?;
    if packages::all(&mut write).await?.len() >= PACKAGES_MAX {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "packages-full",
            [
                "推介内容已达上限",
                "there are all the packages there may be",
            ],
            ["推介内容", "packages"],
            ["请改写已有的", "write one of those anew"],
        ));
    }
    let row = packages::insert(&mut write, &json!(content), &actor, now).await?;
    let detail = json!({"title": content.title_zh, "old": null, "new": content});
    done(&app, write, (Event::PackageSave, row.id), &actor, &detail).await?;
    Ok((StatusCode::CREATED, Json(seen.body(&app, row)?)))
}

/// Writes a package anew; what was published stays as it is until it is published again.
#[utoipa::path(put, path = "/api/v1/investment-packages/{id}", tag = "projects", security(("session" = ["project.manage"])), params(("id" = i64, Path)),
    request_body = SaveRequest,
    responses((status = 200, body = OfficeBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<SaveRequest>,
) -> Answer<Json<OfficeBody>> {
    let mut content = request.content;
    content.trim();
    let seen = Seen::read(&app).await?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let row = known(&mut write, id).await?;
    must_be_right(&app, &mut write, &content, &seen.projects).await?;
    let new = json!(content);
    if !packages::change(&mut write, id, request.version, &new, &actor, now).await? {
        return Err(changed_meanwhile(&row));
    }
    let next = known(&mut write, id).await?;
    let detail = json!({"title": content.title_zh, "old": row.content, "new": content});
    done(&app, write, (Event::PackageSave, id), &actor, &detail).await?;
    Ok(Json(seen.body(&app, next)?))
}

/// Publishes what is written as the next edition, which is kept as it is.
#[utoipa::path(post, path = "/api/v1/investment-packages/{id}/publish", tag = "projects", security(("session" = ["project.manage"])), params(("id" = i64, Path)),
    request_body = PublishRequest,
    responses((status = 200, body = OfficeBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn publish(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<PublishRequest>,
) -> Answer<Json<OfficeBody>> {
    let seen = Seen::read(&app).await?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let row = known(&mut write, id).await?;
    if row.version != request.version {
        return Err(changed_meanwhile(&row));
    }
    let content = content_of(&row)?;
    must_be_right(&app, &mut write, &content, &seen.projects).await?;
    let is_out = out(&row, app.plan.day(now)).is_some();
    if is_out && row.published.as_ref() == Some(&row.content) {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "package-same",
            ["与已发布的一样", "it is what is published already"],
            ["内容", "content"],
            ["请修改后再发布", "change it first"],
        ));
    }
    if !packages::publish(&mut write, &row, &actor, now).await? {
        return Err(changed_meanwhile(&row));
    }
    let next = known(&mut write, id).await?;
    let detail = json!({"title": content.title_zh, "edition": next.edition});
    done(&app, write, (Event::PackagePublish, id), &actor, &detail).await?;
    Ok(Json(seen.body(&app, next)?))
}

/// Withdraws a package: nobody outside sees it any more; its editions stay.
#[utoipa::path(post, path = "/api/v1/investment-packages/{id}/withdraw", tag = "projects", security(("session" = ["project.manage"])), params(("id" = i64, Path)),
    request_body = WithdrawRequest,
    responses((status = 200, body = OfficeBody), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn withdraw(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    Json(request): Json<WithdrawRequest>,
) -> Answer<Json<OfficeBody>> {
    let reason = text(&request.reason, ["理由", "reason"], 1, TEXT_CHARS_MAX)?;
    let seen = Seen::read(&app).await?;
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let row = known(&mut write, id).await?;
    if !packages::withdraw(&mut write, id, &reason, &actor, now).await? {
        return Err(ApiError::both(
            StatusCode::CONFLICT,
            "package-not-out",
            [
                "没有发布，或已撤回",
                "it is not published, or was withdrawn",
            ],
            ["状态", "state"],
            ["无需撤回", "there is nothing to withdraw"],
        ));
    }
    let next = known(&mut write, id).await?;
    let detail = json!({"edition": row.edition, "reason": reason});
    done(&app, write, (Event::PackageWithdraw, id), &actor, &detail).await?;
    Ok(Json(seen.body(&app, next)?))
}
