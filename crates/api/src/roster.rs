//! Organisations, posts and people from a file of sheets, and as one (名册): the HTTP door, and what the command line does
//! alike ([`read`], [`RosterReport`]).

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::approvals::{self, ApprovalBody, Done, Order};
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::roster::columns::Kind;
use identity::roster::{Doing, Mistake, Report, Sheet, SignInMade};
use identity::{Asked, DangerousAct, Permission};
use model::problem::both;
use model::{Problem, Told};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Good lines that a report names; all are counted.
const LINES_TOLD_MAX: usize = 2_000;
/// Mistakes that a refusal names; a dry run names them all.
const MISTAKES_TOLD: usize = 3;
/// Longest name of a file, in bytes.
const FILE_NAME_BYTES_MAX: usize = 255;

/// A file as sheets, and what is wrong with those of them that are read before anybody asks what they say: see
/// [`imports::book::read_texts`].
///
/// # Errors
/// As there.
pub fn read(
    path: &Path,
    name: &str,
    limits: &imports::Limits,
) -> Result<(Vec<Sheet>, Vec<Mistake>), Told> {
    let (sheets, mut mistakes) = imports::book::read_texts(path, name, limits)?;
    // What is wrong with a sheet that nobody reads is nobody's business.
    mistakes.retain(|mistake| {
        let mut of = sheets.iter().filter(|sheet| sheet.name == mistake.sheet);
        of.any(|sheet| Kind::of(&sheet.name, &sheet.names).is_some())
    });
    Ok((sheets, mistakes))
}

/// Adds what was found while the file was read to what was found in what it says.
pub fn with(mut report: Report, mistakes: Vec<Mistake>) -> Report {
    report.mistakes_count += mistakes.len();
    report.mistakes.splice(0..0, mistakes);
    report
}

/// How many lines of a sheet are new, changed, and as they were.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterCounts {
    /// New.
    pub added: usize,
    /// There, and changed.
    pub changed: usize,
    /// There, as it stands.
    pub same: usize,
}

impl RosterCounts {
    fn of(report: &Report, kind: Kind) -> Self {
        Self {
            added: report.count(kind, Doing::Add),
            changed: report.count(kind, Doing::Change),
            same: report.count(kind, Doing::Same),
        }
    }
}

/// What becomes of a good line.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterLine {
    /// The sheet.
    pub sheet: String,
    /// The line.
    pub line: u64,
    /// `add`, `change` or `same`.
    pub doing: String,
    /// The id, or what is typed at sign-in.
    pub id: String,
    /// The name.
    pub name: String,
}

/// Something wrong with the file.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterMistake {
    /// The sheet.
    pub sheet: String,
    /// The line; null when the sheet is meant.
    pub line: Option<u64>,
    /// The column as the file names it; null when the line is meant.
    pub column: Option<String>,
    /// What stands there.
    pub value: Option<String>,
    /// Short stable code.
    pub code: String,
    /// What is wrong, in Chinese.
    pub what_zh: String,
    /// What is wrong, in English.
    pub what_en: String,
    /// How to mend it, in Chinese.
    pub mend_zh: String,
    /// How to mend it, in English.
    pub mend_en: String,
}

/// A new person's password, which is shown here once.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterSignIn {
    /// What is typed at sign-in.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The organisation's id.
    pub organisation: Option<String>,
    /// The password.
    pub password: String,
}

/// What a file does, or what is wrong with it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterReport {
    /// Whether it was written.
    pub written: bool,
    /// Organisations.
    pub organisations: RosterCounts,
    /// Posts.
    pub posts: RosterCounts,
    /// People.
    pub people: RosterCounts,
    /// Posts that people get.
    pub holders: usize,
    /// The first good lines.
    pub lines: Vec<RosterLine>,
    /// All good lines.
    pub lines_count: usize,
    /// The first mistakes, in the order of the file.
    pub mistakes: Vec<RosterMistake>,
    /// All mistakes.
    pub mistakes_count: usize,
    /// Sheets and columns that are not read.
    pub not_read: Vec<String>,
    /// Passwords of new people; only when it was written.
    pub sign_ins: Vec<RosterSignIn>,
    /// The roles and posts of the file, which wait for the security administrator; null when it gives none, or gave them.
    pub approval: Option<ApprovalBody>,
}

impl RosterReport {
    /// A report for whoever sent the file.
    pub fn new(report: Report, made: Option<Vec<SignInMade>>) -> Self {
        Self {
            written: made.is_some(),
            organisations: RosterCounts::of(&report, Kind::Organisations),
            posts: RosterCounts::of(&report, Kind::Posts),
            people: RosterCounts::of(&report, Kind::People),
            holders: report.holders,
            lines_count: report.lines.len(),
            lines: report
                .lines
                .into_iter()
                .take(LINES_TOLD_MAX)
                .map(|line| RosterLine {
                    sheet: line.sheet,
                    line: line.line,
                    doing: line.doing.as_str().to_owned(),
                    id: line.id,
                    name: line.name,
                })
                .collect(),
            mistakes_count: report.mistakes_count,
            mistakes: report.mistakes.into_iter().map(told).collect(),
            not_read: report.not_read,
            approval: None,
            sign_ins: made
                .unwrap_or_default()
                .into_iter()
                .map(|made| RosterSignIn {
                    username: made.username,
                    name: made.name,
                    organisation: made.organisation_id,
                    password: made.password,
                })
                .collect(),
        }
    }
}

impl RosterMistake {
    /// What is wrong at a place of a sheet: its line and its column.
    pub fn new(
        sheet: String,
        (line, column): (Option<u64>, Option<String>),
        value: Option<String>,
        told: Told,
    ) -> Self {
        let Told {
            code, what, mend, ..
        } = told;
        Self {
            sheet,
            line,
            column,
            value,
            code,
            what_zh: what.zh,
            what_en: what.en,
            mend_zh: mend.zh,
            mend_en: mend.en,
        }
    }
}

fn told(mistake: Mistake) -> RosterMistake {
    RosterMistake::new(
        mistake.sheet,
        (mistake.line, mistake.column),
        mistake.value,
        mistake.told,
    )
}

/// How a file that is sent is to be taken.
#[derive(Debug, Deserialize, IntoParams)]
pub struct RosterQuery {
    /// The file's name; its ending is its format: .xlsx or .csv.
    pub file: String,
    /// Look at it and report, write nothing.
    pub dry_run: Option<bool>,
}

/// What a file that was sent says, and its hash (SHA-256). `name` is the file's own name; `read` computes on a thread for blocking
/// work.
pub(crate) async fn received<T: Send + 'static>(
    app: &App,
    name: &str,
    body: Bytes,
    read: fn(&Path, &str, &imports::Limits) -> Result<T, Told>,
) -> Answer<(T, String)> {
    if name.len() > FILE_NAME_BYTES_MAX {
        return Err(ApiError::invalid(Problem::new(
            "import-format",
            format!("the file's name has {} bytes", name.len()),
            "file",
            format!("use at most {FILE_NAME_BYTES_MAX}"),
        )));
    }
    let folder = tempfile::tempdir_in(&app.options.passing_dir).map_err(ApiError::internal)?;
    let path = folder.path().join("file");
    let (name, limits) = (name.to_owned(), app.options.import_limits.clone());
    // One at a time: a file is held in memory while it is read.
    let turn = Arc::clone(&app.importing).lock_owned().await;
    tokio::task::spawn_blocking(move || {
        std::fs::write(&path, &body).map_err(ApiError::internal)?;
        let sha256 = lake::department::sha256(&path).map_err(|p| refused(p.into()))?;
        let said = read(&path, &name, &limits).map_err(refused)?;
        drop((folder, turn));
        Ok::<_, ApiError>((said, sha256))
    })
    .await
    .map_err(ApiError::internal)?
}

/// Adds and changes organisations, posts and people from a workbook with the sheets 单位, 岗位 and 人员, or from one of them as
/// CSV; what gives roles waits for the security administrator (`approval`), the rest is done. `dry_run=true` only tells what would be done and what is wrong, by sheet, line and column. A file with a mistake is
/// refused whole. Passwords of new people are in this answer alone.
#[utoipa::path(post, path = "/api/v1/organisation/import", tag = "organisation", security(("session" = ["user.manage"])), params(RosterQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "A dry run.", body = RosterReport), (status = 201, description = "Written.", body = RosterReport),
        (status = 400, body = ProblemBody), (status = 409, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn import(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Query(query): Query<RosterQuery>,
    body: Bytes,
) -> Answer<Response> {
    let ((sheets, mistakes), sha256) = received(&app, &query.file, body, read).await?;
    let now = app.now();
    if query.dry_run.unwrap_or(false) || !mistakes.is_empty() {
        let report = with(app.identity.check_roster(&sheets, now).await?, mistakes);
        return match query.dry_run.unwrap_or(false) {
            true => Ok(Json(RosterReport::new(report, None)).into_response()),
            false => Err(mistakes_refused(&report)),
        };
    }
    let actor = peer.actor(&caller);
    let source = (query.file.as_str(), sha256.as_str());
    let (report, roles) = app.identity.roster_roles(&sheets, source, now).await?;
    if report.mistakes_count > 0 {
        return Err(mistakes_refused(&report));
    }
    let act = DangerousAct::RosterRoles;
    let must_ask = !caller.may(Permission::RoleGrant)
        && caller.user_id().is_some()
        && app.identity.needs_approval(act);
    let approval = match roles.filter(|_| must_ask) {
        None => None,
        Some(body) => {
            let asked = Asked {
                act,
                target: &format!("file:{}", query.file),
                body: &body,
                reason: "",
            };
            // Asked for before the rest is written: passwords that were made are in one answer alone, which then cannot fail.
            Some(approvals::ask(&app, &caller, peer, &asked).await?)
        }
    };
    let written = match &approval {
        None => {
            app.identity
                .apply_roster(&sheets, source, &actor, now)
                .await
        }
        Some(_) => {
            let rest = app
                .identity
                .apply_roster_without_roles(&sheets, source, &actor, now);
            rest.await
        }
    };
    let failed = match &written {
        Ok((report, _)) => report.mistakes_count > 0,
        Err(_) => true,
    };
    if let Some(asked) = approval.as_ref().filter(|_| failed) {
        // Nobody is to agree to roles of people who are not there.
        let address = peer.0.to_string();
        let back = app.identity.withdraw(&caller, asked.id, &address, now);
        back.await?;
    }
    let (report, made) = written?;
    if report.mistakes_count > 0 {
        return Err(mistakes_refused(&report));
    }
    let report = RosterReport {
        approval,
        ..RosterReport::new(report, Some(made))
    };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(report)).into_response())
}

/// Gives the roles and posts of a file as two people agreed to it.
pub(crate) async fn give_roles_now(app: &App, order: Order<'_>) -> Answer<Done> {
    // Where the act needs nobody else, it is never ordered: a file's roles are then given as it is imported, or not.
    let approved = order
        .approved
        .ok_or_else(|| ApiError::internal("roles of a file without an approval"))?;
    let report = app.identity.give_roster_roles(approved, app.now()).await?;
    let changed = |kind| report.count(kind, Doing::Add) + report.count(kind, Doing::Change);
    let (people, posts) = (changed(Kind::People), changed(Kind::Posts));
    let held = report.holders;
    Ok(Done::plain(format!(
        "{people} people, {posts} posts, {held} given"
    )))
}

fn refused(told: Told) -> ApiError {
    match told.code.as_str() {
        "import-io" => ApiError::internal(told),
        "import-size" => ApiError::told(StatusCode::PAYLOAD_TOO_LARGE, told),
        _ => ApiError::told(StatusCode::UNPROCESSABLE_ENTITY, told),
    }
}

/// Why a file is refused whole: its first mistakes.
pub fn refusal(report: &Report) -> Told {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for mistake in report.mistakes.iter().take(MISTAKES_TOLD) {
        let (sheet, what) = (&mistake.sheet, &mistake.told.what);
        let line = mistake.line.unwrap_or_default();
        zh.push(format!("{sheet} 第 {line} 行：{}", what.zh));
        en.push(format!("{sheet}, line {line}: {}", what.en));
    }
    let count = report.mistakes_count;
    Told::new(
        "roster-mistakes",
        both(
            format!("文件中有 {count} 处错误，未导入。{}", zh.join("；")),
            format!(
                "the file has {count} mistakes, and nothing was imported. {}",
                en.join("; ")
            ),
        ),
        both("文件", "file"),
        both(
            "请先检查（dry_run），逐条改好后再导入",
            "look at it with dry_run, mend every line, then import it again",
        ),
    )
}

fn mistakes_refused(report: &Report) -> ApiError {
    ApiError::told(StatusCode::UNPROCESSABLE_ENTITY, refusal(report))
}

/// Organisations, posts and people as a workbook, with whole telephone numbers; of a new city, a template to fill.
#[utoipa::path(get, path = "/api/v1/organisation/export", tag = "organisation", security(("session" = ["user.manage"])),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
pub async fn export(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
) -> Answer<Response> {
    let now = app.now();
    let actor = peer.actor(&caller);
    let sheets = app.identity.export_roster(&actor, now).await?;
    let bytes = tokio::task::spawn_blocking(move || imports::book::write_texts(&sheets))
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)?;
    let name = format!(
        "attachment; filename=\"organisation-{}-{}.xlsx\"",
        app.city.id,
        now.utc_date()
    );
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
