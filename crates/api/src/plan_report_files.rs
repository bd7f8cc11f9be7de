//! Files that prove a reported figure (佐证材料): its author adds them to a draft or to a report that was returned, and may take them away
//! again; once it is handed in they stay with it. Whoever may read the report may load them.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::case_pages::sent_as;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::plan_report_bodies::standing;
use crate::plan_reports::{conflict, invalid, must_be_own, person, seen, tell};
use crate::upload;
use axum::Json;
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use identity::Principal;
use indicators::reports::Step;
use model::{Told, problem::both};
use records::filing_files::{self, FilingFile};
use records::filings::Filing;
use records::{Connection, Event, audit};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// A file that proves a reported figure.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorFilingFile)]
pub struct FileBody {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it is, found from its bytes.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// When it was added.
    pub added_at: String,
    /// Who added it.
    pub added_by: String,
}

impl From<FilingFile> for FileBody {
    fn from(row: FilingFile) -> Self {
        Self {
            id: row.id,
            name: row.name,
            media_type: row.media_type,
            size_bytes: row.size_bytes,
            sha256: row.sha256,
            added_at: row.added_at.to_string(),
            added_by: row.added_by,
        }
    }
}

/// A file that was taken away from a report before that was handed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorFilingFileRemoved)]
pub struct RemovedFileBody {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// When it was taken away.
    pub at: String,
    /// By whom.
    pub by: String,
}

/// The files that a report has, and those that it had.
pub(crate) async fn of_filing(
    read: &mut Connection,
    filing: i64,
) -> Answer<(Vec<FileBody>, Vec<RemovedFileBody>)> {
    let (mut files, mut removed) = (Vec::new(), Vec::new());
    for row in filing_files::of_filing(read, filing).await? {
        match row.removed_at {
            None => files.push(row.into()),
            Some(at) => removed.push(RemovedFileBody {
                id: row.id,
                name: row.name,
                sha256: row.sha256,
                at: at.to_string(),
                by: row.removed_by.unwrap_or_default(),
            }),
        }
    }
    Ok((files, removed))
}

/// A file to add, as form data.
#[derive(ToSchema)]
#[schema(as = IndicatorFilingFileForm)]
pub struct FileForm {
    /// The file; its name is kept.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// The report, when its files may change now: it is the caller's own, and not handed in.
async fn open(connection: &mut Connection, caller: &Principal, id: i64) -> Answer<Filing> {
    let filing = seen(connection, caller, id).await?;
    must_be_own(&filing, &person(caller)?)?;
    standing(&filing)?
        .after(Step::Submit, 1)
        .map_err(conflict)?;
    Ok(filing)
}

/// Of the files that a report has the one with these bytes; refused when it has no room for another.
async fn same(
    connection: &mut Connection,
    filing: &Filing,
    (sha256, files_max): (&str, usize),
) -> Answer<Option<FilingFile>> {
    let rows = filing_files::of_filing(connection, filing.id).await?;
    let shown = || rows.iter().filter(|row| row.removed_at.is_none());
    if let Some(same) = shown().find(|row| row.sha256 == sha256) {
        return Ok(Some(same.clone()));
    }
    if shown().count() < files_max {
        return Ok(None);
    }
    Err(conflict(Told::new(
        "evidence-full",
        both(
            format!("这条填报已有 {files_max} 份佐证材料"),
            format!("the report has {files_max} files"),
        ),
        both("佐证材料", "file"),
        both(
            "请先移除不需要的，或合并成一份",
            "remove those that are not needed first, or make them one",
        ),
    )))
}

/// Adds a file that proves a figure (multipart, field `file`) to a draft or a report that was returned. It is on disk when this answers;
/// the same bytes sent again are the same file.
#[utoipa::path(post, path = "/api/v1/plan/reports/{id}/files", tag = "plan", security(("session" = ["indicator.report"])), params(("id" = i64, Path)),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses((status = 201, body = FileBody), (status = 200, body = FileBody, description = "it was there already"),
        (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path(id): Path<i64>,
    mut form: Multipart,
) -> Answer<(StatusCode, Json<FileBody>)> {
    // Who may not add one sends no file for nothing.
    let mut read = app.records.read().await?;
    open(&mut read, &caller, id).await?;
    drop(read);
    while let Some(field) = form.next_field().await.map_err(|e| upload::broken(&e))? {
        if field.name() != Some("file") {
            continue;
        }
        let name = cases::clean_name(field.file_name().unwrap_or("file"));
        let bytes = field
            .bytes()
            .await
            .map_err(|e| upload::broken(&e))?
            .to_vec();
        let (row, is_new) = keep(&app, (&caller, peer), id, name, bytes).await?;
        let status = if is_new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        return Ok((status, Json(row.into())));
    }
    Err(upload::missing())
}

/// Keeps a file; whether it was not there yet.
async fn keep(
    app: &App,
    (caller, peer): (&Principal, Peer),
    id: i64,
    name: String,
    bytes: Vec<u8>,
) -> Answer<(FilingFile, bool)> {
    let media_type = app.cases.evidence_kind(&name, &bytes).map_err(invalid)?;
    let size_bytes = i64::try_from(bytes.len()).map_err(ApiError::internal)?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let about = (&*sha256, app.options.reports.files_max);
    // Looked at before the bytes are written as well: what is refused leaves no file.
    let mut read = app.records.read().await?;
    let filing = open(&mut read, caller, id).await?;
    let known = same(&mut read, &filing, about).await?;
    drop(read);
    // A file that was damaged since is whole again when it is sent again.
    app.cases.keep_evidence(bytes).await?;
    if let Some(known) = known {
        return Ok((known, false));
    }
    let (actor, now) = (peer.actor(caller), app.now());
    let mut write = app.records.write().await?;
    let filing = open(&mut write, caller, id).await?;
    if let Some(known) = same(&mut write, &filing, about).await? {
        return Ok((known, false));
    }
    let new = FilingFile {
        id: 0,
        filing_id: id,
        name,
        media_type: media_type.to_owned(),
        size_bytes,
        sha256,
        added_at: now,
        added_by: actor.name.clone(),
        added_by_id: actor.user_id(),
        removed_at: None,
        removed_by: None,
    };
    let row = filing_files::insert(&mut write, &new).await?;
    let detail = json!({"filing": id, "file": row.id, "name": row.name, "sha256": row.sha256});
    let about = format!("indicator:{}", filing.indicator_id);
    let event = Event::IndicatorReportFileAdd;
    audit::insert(&mut write, now, &actor, event, &about, &detail).await?;
    write.commit().await?;
    tell(app, &filing.indicator_id, id);
    Ok((row, true))
}

/// A file of a report that the caller may see.
async fn shown(connection: &mut Connection, filing: i64, file: i64) -> Answer<FilingFile> {
    let rows = filing_files::of_filing(connection, filing).await?;
    let found = rows
        .into_iter()
        .find(|row| row.id == file && row.removed_at.is_none());
    found.ok_or_else(|| ApiError::not_found("file", file))
}

/// The bytes of a file that proves a figure, as they were sent.
#[utoipa::path(get, path = "/api/v1/plan/reports/{id}/files/{file}", tag = "plan", security(("session" = ["indicator.read"])),
    params(("id" = i64, Path), ("file" = i64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Path((id, file)): Path<(i64, i64)>,
) -> Answer<Response> {
    let mut read = app.records.read().await?;
    seen(&mut read, &caller, id).await?;
    let row = shown(&mut read, id, file).await?;
    drop(read);
    let bytes = app.cases.kept(&row.sha256).await?;
    Ok(sent_as(bytes, &row.media_type, &row.name))
}

/// Takes a file away from a draft or a report that was returned; its row and its bytes stay.
#[utoipa::path(delete, path = "/api/v1/plan/reports/{id}/files/{file}", tag = "plan", security(("session" = ["indicator.report"])),
    params(("id" = i64, Path), ("file" = i64, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Path((id, file)): Path<(i64, i64)>,
) -> Answer<StatusCode> {
    let (actor, now) = (peer.actor(&caller), app.now());
    let mut write = app.records.write().await?;
    let filing = open(&mut write, &caller, id).await?;
    let row = shown(&mut write, id, file).await?;
    filing_files::remove(&mut write, file, &actor, now).await?;
    let detail = json!({"filing": id, "file": file, "name": row.name, "sha256": row.sha256});
    let about = format!("indicator:{}", filing.indicator_id);
    let event = Event::IndicatorReportFileRemove;
    audit::insert(&mut write, now, &actor, event, &about, &detail).await?;
    write.commit().await?;
    tell(&app, &filing.indicator_id, id);
    Ok(StatusCode::NO_CONTENT)
}
