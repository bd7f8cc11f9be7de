//! The roster (值班表) of an organisation from a file of sheets, and as one: the HTTP doors, and what the command line does alike
//! ([`plan`], [`apply`], [`ImportBody`]). What a file says is decided in the crate `duty`.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::duty::{
    TURNS_SHOWN_MAX, belongs, must_belong, organisation, period_of, roles_of_every_duty,
};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::roster::{RosterMistake, received};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use duty::sheet::{self, Asked, Known, Limits, Line, Mistake, Person, Read, Sheet, Shift, Taken};
use jiff::tz::TimeZone;
use model::problem::both;
use model::{Timestamp, Told};
use records::duty::{Pattern, Turn};
use records::{Actor, Connection, Event, Records, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

/// Most people of an organisation that a file is read against.
const PEOPLE_MAX: u32 = 20_000;
/// Mistakes that a refusal names; a dry run names them all.
const MISTAKES_TOLD: usize = 3;

/// What sheets ask for, against the organisation's shifts, its people and the roster as it stands. Nothing is written.
///
/// # Errors
/// The store's own.
pub async fn plan(
    connection: &mut Connection,
    organisation: &str,
    (sheets, mistakes): (&[Sheet], &[Mistake]),
    (zone, now): (&TimeZone, Timestamp),
) -> records::Result<Read> {
    let limits = Limits::default();
    let shifts = shifts(connection, organisation).await?;
    let people = people(connection, organisation, now).await?;
    let known = Known {
        shifts: &shifts,
        people: &people,
        zone,
        now,
    };
    let mut read = sheet::read(sheets, known, &limits);
    let from = read.turns.iter().map(|turn| turn.span.0).min();
    let until = read.turns.iter().map(|turn| turn.span.1).max();
    let asked: BTreeSet<i64> = read.turns.iter().map(|turn| turn.user_id).collect();
    let mut taken = Vec::new();
    if let Some((from, until)) = from.zip(until) {
        for id in asked {
            let turns = records::duty::turns_of(connection, id, from, until).await?;
            taken.extend(turns.into_iter().map(|turn| Taken {
                user_id: turn.user_id,
                shift_id: turn.pattern_id,
                day: turn.day,
                post: turn.post,
                span: (turn.from_at, turn.until_at),
            }));
        }
    }
    sheet::against(&mut read, &taken, &limits);
    // Of a sheet that nobody reads nobody asks what is wrong with it.
    let is_read = |mistake: &&Mistake| !read.not_read.contains(&mistake.sheet);
    let before: Vec<Mistake> = mistakes.iter().filter(is_read).cloned().collect();
    read.mistakes_count += before.len();
    read.mistakes.splice(0..0, before);
    Ok(read)
}

/// Puts what sheets ask for on the roster, in one transaction; nothing where there is a mistake. `source` is the file's name and
/// its hash (SHA-256).
///
/// # Errors
/// The store's own.
pub async fn apply(
    records: &Records,
    organisation: &str,
    sheets: &[Sheet],
    (source, actor): ((&str, &str), &Actor),
    (zone, now): (&TimeZone, Timestamp),
) -> records::Result<Read> {
    let mut write = records.write().await?;
    let read = plan(&mut write, organisation, (sheets, &[]), (zone, now)).await?;
    if read.mistakes_count > 0 {
        return Ok(read);
    }
    let mut days = Vec::new();
    for asked in read.turns.iter().filter(|turn| !turn.is_there) {
        let row = Turn {
            id: 0,
            organisation_id: organisation.to_owned(),
            pattern_id: asked.shift_id,
            day: asked.day.clone(),
            post: asked.post.clone(),
            user_id: asked.user_id,
            from_at: asked.span.0,
            until_at: asked.span.1,
            made_at: now,
            made_by: actor.name.clone(),
        };
        days.extend(
            records::duty::add_turn(&mut write, &row)
                .await?
                .map(|t| t.day),
        );
    }
    let (file, sha256) = source;
    let detail = json!({"turns": days.len(), "first": days.iter().min(), "last": days.iter().max(), "file": file, "sha256": sha256});
    let target = format!("organisation:{organisation}");
    audit::insert(
        &mut write,
        now,
        actor,
        Event::DutyTurnsAdd,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(read)
}

async fn shifts(connection: &mut Connection, organisation: &str) -> records::Result<Vec<Shift>> {
    let patterns = records::duty::patterns(connection, Some(organisation)).await?;
    let open = patterns.into_iter().filter(|pattern| !pattern.disabled);
    Ok(open.map(shift).collect())
}

fn shift(pattern: Pattern) -> Shift {
    Shift {
        id: pattern.id,
        title_zh: pattern.title_zh,
        title_en: pattern.title_en,
        from_minute: pattern.from_minute,
        until_minute: pattern.until_minute,
    }
}

async fn people(
    connection: &mut Connection,
    organisation: &str,
    now: Timestamp,
) -> records::Result<Vec<Person>> {
    let roles = roles_of_every_duty();
    let users =
        records::duty::able_people(connection, organisation, &roles, now, PEOPLE_MAX).await?;
    let people = users.into_iter().map(|user| Person {
        id: user.id,
        username: user.username,
        name: user.name,
    });
    Ok(people.collect())
}

/// A turn that a file asks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyImportLine)]
pub struct LineBody {
    /// The sheet.
    pub sheet: String,
    /// The line.
    pub line: u64,
    /// The day on which the shift begins.
    pub day: String,
    /// The shift.
    pub pattern_id: i64,
    /// The post.
    pub post: String,
    /// Who.
    pub user_id: i64,
    /// Their name.
    pub user_name: String,
    /// Whether the roster has it already.
    pub same: bool,
}

/// What a file does, or what is wrong with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DutyImport)]
pub struct ImportBody {
    /// Whether it was written.
    pub written: bool,
    /// Turns that are new.
    pub added: usize,
    /// Turns that the roster has already.
    pub same: usize,
    /// The turns of good cells, in the order of the file.
    pub lines: Vec<LineBody>,
    /// The first mistakes, in the order of the file.
    pub mistakes: Vec<RosterMistake>,
    /// All mistakes.
    pub mistakes_count: usize,
    /// Sheets and columns that are not read.
    pub not_read: Vec<String>,
}

impl ImportBody {
    /// A report for whoever sent the file.
    pub fn new(read: Read, written: bool) -> Self {
        let same = read.turns.iter().filter(|turn| turn.is_there).count();
        Self {
            written,
            added: read.turns.len() - same,
            same,
            mistakes_count: read.mistakes_count,
            mistakes: read.mistakes.into_iter().map(told).collect(),
            not_read: read.not_read,
            lines: read.turns.into_iter().map(line).collect(),
        }
    }
}

fn line(asked: Asked) -> LineBody {
    LineBody {
        sheet: asked.sheet,
        line: asked.line,
        day: asked.day,
        pattern_id: asked.shift_id,
        post: asked.post,
        user_id: asked.user_id,
        user_name: asked.name,
        same: asked.is_there,
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

/// Why a file is refused whole: its first mistakes.
pub fn refusal(read: &Read) -> Told {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for mistake in read.mistakes.iter().take(MISTAKES_TOLD) {
        let (sheet, what) = (&mistake.sheet, &mistake.told.what);
        let line = mistake.line.unwrap_or_default();
        zh.push(format!("{sheet} 第 {line} 行：{}", what.zh));
        en.push(format!("{sheet}, line {line}: {}", what.en));
    }
    let count = read.mistakes_count;
    Told::new(
        "duty-mistakes",
        both(
            format!("文件中有 {count} 处错误，未排班。{}", zh.join("；")),
            format!(
                "the file has {count} mistakes, and nobody was put on the roster. {}",
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

/// How a file that is sent is to be taken.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ImportQuery {
    /// Whose roster.
    pub organisation: String,
    /// The file's name; its ending is its format: .xlsx or .csv.
    pub file: String,
    /// Look at it and report, write nothing.
    pub dry_run: Option<bool>,
}

/// Puts turns on the roster from a workbook or a sheet as CSV (UTF-8 or GB18030): a line for each turn with 日期, 班次, 值班岗 and
/// 人员, or a line for each day with a column for each shift and post. `dry_run=true` only tells what would be done and what is
/// wrong, by sheet, line and column. A file with a mistake is refused whole; a turn that is there already is passed over.
#[utoipa::path(post, path = "/api/v1/duty/turns/import", tag = "duty", security(("session" = ["duty.manage"])), params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "A dry run.", body = ImportBody), (status = 201, description = "Written.", body = ImportBody),
        (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn import(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Answer<Response> {
    must_belong(&caller, &query.organisation)?;
    organisation(&mut *app.records.read().await?, &query.organisation).await?;
    let ((sheets, mistakes), sha256) =
        received(&app, &query.file, body, imports::book::read_texts).await?;
    let (zone, now) = (app.zone()?, app.now());
    let id = query.organisation.as_str();
    if query.dry_run.unwrap_or(false) || !mistakes.is_empty() {
        let mut connection = app.records.read().await?;
        let found = plan(&mut connection, id, (&sheets, &mistakes), (&zone, now)).await?;
        return match query.dry_run.unwrap_or(false) {
            true => Ok(Json(ImportBody::new(found, false)).into_response()),
            false => Err(refused(&found)),
        };
    }
    let actor = peer.actor(&caller);
    let source = (query.file.as_str(), sha256.as_str());
    let found = apply(&app.records, id, &sheets, (source, &actor), (&zone, now)).await?;
    if found.mistakes_count > 0 {
        return Err(refused(&found));
    }
    app.tell_duty();
    Ok((StatusCode::CREATED, Json(ImportBody::new(found, true))).into_response())
}

fn refused(read: &Read) -> ApiError {
    ApiError::told(StatusCode::UNPROCESSABLE_ENTITY, refusal(read))
}

/// Which part of the roster is written.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ExportQuery {
    /// Whose roster.
    pub organisation: String,
    /// From this day of the city, `2026-12-01`.
    pub from: String,
    /// Until this day, inclusive; at most 100 days.
    pub until: String,
}

/// The roster of a period as the workbook that the import reads; where nobody is on it, a template to fill, which offers the
/// organisation's shifts and people.
#[utoipa::path(get, path = "/api/v1/duty/turns/export", tag = "duty", security(("session" = ["duty.read"])), params(ExportQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 400, body = ProblemBody)))]
pub async fn export(
    State(app): State<App>,
    Caller(caller): Caller,
    Query(query): Query<ExportQuery>,
) -> Answer<Response> {
    let (from, until) = period_of(&app, &query.from, &query.until)?;
    let id = query.organisation.as_str();
    let now = app.now();
    let mut read = app.records.read().await?;
    organisation(&mut read, id).await?;
    let turns = records::duty::turns(&mut read, Some(id), from, until, TURNS_SHOWN_MAX).await?;
    let bodies = crate::duty::turn_bodies(&mut read, &turns, Vec::new()).await?;
    let shifts = shifts(&mut read, id).await?;
    // Whose roster it is not is offered nobody to choose from.
    let people = match belongs(&caller, id) {
        true => people(&mut read, id, now).await?,
        false => Vec::new(),
    };
    drop(read);
    let lines: Vec<Line> = bodies
        .into_iter()
        .map(|turn| Line {
            day: turn.day,
            shift: turn.pattern_zh,
            post: turn.post,
            user_id: turn.user_id,
            name: turn.user_name,
        })
        .collect();
    let bytes = tokio::task::spawn_blocking(move || {
        imports::book::write_texts(&sheet::write(&lines, &shifts, &people))
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)?;
    let name = format!("attachment; filename=\"roster-{}.xlsx\"", query.from.trim());
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
