//! A department's file becomes a table in SQL, and is taken away again: what the HTTP door and the command line
//! do alike ([`bring_in`], the notes in the audit trail), and the door itself.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::approvals::{self, Done, Order, Why};
use crate::error::{Answer, ApiError};
use crate::import_progress::{ImportStep, Job};
use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use city::City;
use futures::StreamExt;
use identity::DangerousAct;
use imports::{LineProblem, Merged};
use lake::department::{self, NewTable, TableEntry, TableSource};
use model::problem::{both, quote};
use model::{Catalogue, Problem, Timestamp, Told};
use records::{Actor, Records};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use utoipa::{IntoParams, ToSchema};

/// Longest title and description, in characters.
const TITLE_CHARS_MAX: usize = 200;
/// Longest name of a file, in bytes.
const FILE_NAME_BYTES_MAX: usize = 255;
/// Problems that a refusal names; a dry run names them all.
const PROBLEMS_TOLD: usize = 3;

/// What is asked beside the file itself.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The table's name in SQL.
    pub table: String,
    /// Its title in Chinese.
    pub title_zh: Option<String>,
    /// Its title in English.
    pub title_en: Option<String>,
    /// What it holds, in a sentence.
    pub description: Option<String>,
    /// The department, by its id in the city profile.
    pub department: Option<String>,
    /// Whether a table of the name is replaced.
    pub replace: bool,
    /// Whether bad lines are left out; otherwise one of them refuses the file.
    pub skip_bad_lines: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Where it is brought in.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The lake's folder.
    pub lake: &'a Path,
    /// The entity types, whose names are taken.
    pub catalogue: &'a Catalogue,
    /// The city, which knows its departments.
    pub city: &'a City,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The file as it was read.
    pub table: imports::Table,
    /// The table's entry, when it was written.
    pub entry: Option<TableEntry>,
}

/// Whether a table may be brought in as it is asked: its name, its words, its department. To be asked before
/// the file is read, which takes longer.
///
/// # Errors
/// `table-name`, `table-taken`, `table-exists`, `table-words`, `table-department`.
pub fn check(asked: &Asked, place: Place<'_>) -> Result<(), Told> {
    let name = asked.table.as_str();
    department::check_name(name)?;
    let mut taken = place
        .catalogue
        .kinds
        .values()
        .map(|kind| kind.name.to_lowercase())
        .chain(crate::tables::names().into_iter().map(str::to_owned))
        .chain((place.catalogue.views.iter()).map(|view| view.name.to_lowercase()));
    if taken.any(|taken| taken == name) {
        let taken = quote(name);
        return Err(Told::new(
            "table-taken",
            both(
                format!("“{taken}”是平台自己的表"),
                format!("\"{taken}\" is one of the platform's own tables"),
            ),
            both("表名", "table"),
            both(
                format!("请换一个表名，例如 dept_{name}"),
                format!("give the department's another name, such as dept_{name}"),
            ),
        ));
    }
    for (zh, en, text) in [
        ("中文标题", "title_zh", &asked.title_zh),
        ("英文标题", "title_en", &asked.title_en),
        ("说明", "description", &asked.description),
    ] {
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        if length > TITLE_CHARS_MAX {
            return Err(Told::new(
                "table-words",
                both(
                    format!("{zh}有 {length} 个字"),
                    format!("{en} has {length} characters"),
                ),
                both(zh, en),
                both(
                    format!("最多 {TITLE_CHARS_MAX} 个字"),
                    format!("use at most {TITLE_CHARS_MAX}"),
                ),
            ));
        }
    }
    if let Some(id) = &asked.department
        && place.city.organisation(id).is_none()
    {
        let known = place.city.organisations.iter().map(|o| o.id.as_str());
        let (id, known) = (quote(id), known.collect::<Vec<_>>());
        return Err(Told::new(
            "table-department",
            both(
                format!("本市没有部门“{id}”"),
                format!("the city has no department \"{id}\""),
            ),
            both("部门", "department"),
            both(
                format!("请用其中一个：{}", known.join("、")),
                format!("use one of {}", known.join(", ")),
            ),
        ));
    }
    let (entries, _) = department::list(place.lake);
    match entries.iter().find(|entry| entry.name == name) {
        Some(entry) if !asked.replace => Err(department::exists_problem(name, Some(entry))),
        _ => Ok(()),
    }
}

/// Told what is done now, how much of it is done, and how much there is; says whether to go on, which is heeded while
/// the file is read.
pub type Progress<'a> = &'a mut dyn FnMut(ImportStep, u64, u64) -> ControlFlow<()>;

/// Reads a file and, unless something is against it, makes it a table. `name` is the file's own name; `by` is
/// who brings it in. It computes and waits for the disk: call it on a thread for blocking work.
///
/// # Errors
/// As [`check`], [`imports::read`] and [`department::put`].
pub fn bring_in(
    asked: &Asked,
    place: Place<'_>,
    (path, name): (&Path, &str),
    options: &imports::Options,
    (by, now): (&str, Timestamp),
    progress: Progress<'_>,
) -> Result<Outcome, Told> {
    check(asked, place)?;
    let mut table = imports::read(path, name, options, &mut |done, total| {
        progress(ImportStep::Reading, done, total)
    })?;
    let may = table.problems_count == 0 || asked.skip_bad_lines;
    if asked.dry_run || !may {
        return Ok(Outcome { table, entry: None });
    }
    let own_name = Path::new(name)
        .file_name()
        .map_or_else(|| name.to_owned(), |n| n.to_string_lossy().into_owned());
    let title = asked.title_zh.clone().or_else(|| asked.title_en.clone());
    let units = table
        .columns
        .iter()
        .filter_map(|c| Some((c.name.clone(), c.unit.clone()?)));
    let new = NewTable {
        name: asked.table.clone(),
        title_zh: asked.title_zh.clone(),
        title_en: asked.title_en.clone(),
        description: asked
            .description
            .clone()
            .or(title)
            .unwrap_or_else(|| own_name.clone()),
        department: asked.department.clone(),
        units: units.collect(),
        rows_left_out: table.rows_bad as u64,
        replaces: asked.replace,
        imported_at: now,
        imported_by: by.to_owned(),
        source: TableSource {
            file: own_name,
            format: table.format.to_owned(),
            encoding: table.encoding.map(str::to_owned),
            sheet: table.sheet.clone(),
            bytes: std::fs::metadata(path).map_or(0, |m| m.len()),
            sha256: department::sha256(path)?,
        },
    };
    let (mut written, rows) = (0, table.rows() as u64);
    // Each part is given away once it is written.
    let batches = std::mem::take(&mut table.batches);
    let batches = batches.into_iter().map(|batch| {
        let _ = progress(ImportStep::Writing, written, rows);
        written += batch.num_rows() as u64;
        Ok(batch)
    });
    let entry = department::put(place.lake, new, &table.schema, batches)?;
    Ok(Outcome {
        table,
        entry: Some(entry),
    })
}

/// Writes the import into the audit trail.
///
/// # Errors
/// The records' own.
pub async fn note(
    records: &Records,
    actor: &Actor,
    now: Timestamp,
    entry: &TableEntry,
) -> records::Result<()> {
    let detail = serde_json::json!({
        "file": entry.source.file,
        "sha256": entry.source.sha256,
        "rows": entry.rows,
        "rows_left_out": entry.rows_left_out,
        "department": entry.department,
    });
    let target = format!("table:{}", entry.name);
    let mut write = records.write().await?;
    records::audit::insert(
        &mut write,
        now,
        actor,
        records::Event::TableImport,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(())
}

/// Writes the removal of a table into the audit trail: what was in it is told by the file that it came from.
/// `entry` is what it was, unless that was damaged.
///
/// # Errors
/// The records' own.
pub async fn note_removal(
    records: &Records,
    actor: &Actor,
    now: Timestamp,
    name: &str,
    entry: Option<&TableEntry>,
) -> records::Result<()> {
    let detail = match entry {
        Some(entry) => serde_json::json!({
            "file": entry.source.file,
            "sha256": entry.source.sha256,
            "rows": entry.rows,
            "imported_at": entry.imported_at.to_string(),
            "imported_by": entry.imported_by,
            "department": entry.department,
        }),
        None => serde_json::json!({"entry": "damaged"}),
    };
    let target = format!("table:{name}");
    let mut write = records.write().await?;
    records::audit::insert(
        &mut write,
        now,
        actor,
        records::Event::TableRemove,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(())
}

/// A column as it was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportColumn {
    /// Its name.
    pub name: String,
    /// `text`, `integer`, `number`, `boolean`, `date` or `time`; of Parquet also what the file says.
    pub r#type: String,
    /// The unit of its numbers, where the name ends with one in brackets.
    pub unit: Option<String>,
    /// Cells that are not empty, in good rows.
    pub filled: u64,
}

/// What is wrong with a line, or what was done with the file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportProblem {
    /// The line of the file, or the row of the sheet, from 1; null when the whole file is meant.
    pub line: Option<u64>,
    /// The column.
    pub column: Option<String>,
    /// What stands there, cut to a readable length.
    pub value: Option<String>,
    /// Short stable code.
    pub code: String,
    /// What is wrong, in Chinese.
    pub what_zh: String,
    /// What is wrong, in English.
    pub what_en: String,
    /// Where, in Chinese.
    pub place_zh: String,
    /// Where, in English.
    pub place_en: String,
    /// How to mend it, in Chinese.
    pub mend_zh: String,
    /// How to mend it, in English.
    pub mend_en: String,
}

/// What a file holds, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportReport {
    /// The table's name.
    pub table: String,
    /// Whether it was written; SQL reads it then.
    pub written: bool,
    /// `csv`, `excel` or `parquet`.
    pub format: String,
    /// The text's encoding, where it has one.
    pub encoding: Option<String>,
    /// The sheet, where there are several.
    pub sheet: Option<String>,
    /// The columns.
    pub columns: Vec<ImportColumn>,
    /// Rows in the file.
    pub rows_seen: u64,
    /// Rows with nothing wrong.
    pub rows_good: u64,
    /// Rows with a problem.
    pub rows_bad: u64,
    /// All problems.
    pub problems_count: u64,
    /// The first problems, by line.
    pub problems: Vec<ImportProblem>,
    /// What was done that is not in the file, such as merged cells filled.
    pub notes: Vec<ImportProblem>,
}

impl From<&LineProblem> for ImportProblem {
    fn from(found: &LineProblem) -> Self {
        Self {
            line: Some(found.line),
            column: found.column.clone(),
            value: found.value.clone(),
            ..Self::from(&found.problem)
        }
    }
}

impl From<&Told> for ImportProblem {
    fn from(told: &Told) -> Self {
        Self {
            line: None,
            column: None,
            value: None,
            code: told.code.clone(),
            what_zh: told.what.zh.clone(),
            what_en: told.what.en.clone(),
            place_zh: told.place.zh.clone(),
            place_en: told.place.en.clone(),
            mend_zh: told.mend.zh.clone(),
            mend_en: told.mend.en.clone(),
        }
    }
}

impl ImportReport {
    /// The report of an outcome.
    pub fn new(asked: &Asked, outcome: &Outcome) -> Self {
        Self::of_table(&asked.table, &outcome.table, outcome.entry.is_some())
    }

    /// The report of a file that was read, and whether it was written.
    pub fn of_table(name: &str, table: &imports::Table, written: bool) -> Self {
        Self {
            table: name.to_owned(),
            written,
            format: table.format.to_owned(),
            encoding: table.encoding.map(str::to_owned),
            sheet: table.sheet.clone(),
            columns: table
                .columns
                .iter()
                .map(|c| ImportColumn {
                    name: c.name.clone(),
                    r#type: c.r#type.clone(),
                    unit: c.unit.clone(),
                    filled: c.filled as u64,
                })
                .collect(),
            rows_seen: table.rows_seen as u64,
            rows_good: (table.rows_seen - table.rows_bad) as u64,
            rows_bad: table.rows_bad as u64,
            problems_count: table.problems_count as u64,
            problems: table.problems.iter().map(ImportProblem::from).collect(),
            notes: table.notes.iter().map(ImportProblem::from).collect(),
        }
    }
}

/// How a file that is sent is to be read.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct ImportQuery {
    /// The file's name; its ending is its format: .csv, .tsv, .txt, .xlsx or .parquet.
    pub file: String,
    /// Read and report, write nothing.
    pub dry_run: Option<bool>,
    /// `stop` (default): a bad line refuses the file; `skip`: bad lines are left out.
    pub on_error: Option<String>,
    /// Put it in the place of a table of the same name.
    pub replace: Option<bool>,
    /// The sheet; the first without it.
    pub sheet: Option<String>,
    /// The line that names the columns, from 1; the first that is not empty without it.
    pub header_line: Option<u64>,
    /// Merged cells: `refuse` (default), `fill` or `first`.
    pub merged: Option<String>,
    /// Its title in Chinese.
    pub title_zh: Option<String>,
    /// Its title in English.
    pub title_en: Option<String>,
    /// What it holds, in a sentence.
    pub description: Option<String>,
    /// The department that it is from, by id.
    pub department: Option<String>,
    /// A name of the sender's own choice under which `/api/v1/imports/{job}` tells how far it is.
    pub job: Option<String>,
}

/// Makes a file that is sent as the body a table in SQL; `dry_run=true` only tells what it holds and what is wrong
/// with it, line by line. A file with bad lines is refused whole unless `on_error=skip`.
#[utoipa::path(post, path = "/api/v1/tables/{name}/import", tag = "data", security(("session" = ["table.import"])),
    params(("name" = String, Path), ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "A dry run.", body = ImportReport), (status = 201, description = "Imported.", body = ImportReport),
        (status = 400, body = crate::error::ProblemBody), (status = 409, body = crate::error::ProblemBody),
        (status = 413, body = crate::error::ProblemBody), (status = 422, body = crate::error::ProblemBody)))]
pub async fn import(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    UrlPath(name): UrlPath<String>,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Answer<Response> {
    let asked = asked(name, &query)?;
    let options = options(&app, &query)?;
    let catalogue = app.ingest.catalogue();
    let place = Place {
        lake: app.lake.dir(),
        catalogue: &catalogue,
        city: &app.city,
    };
    check(&asked, place).map_err(refused)?;
    let job = app.imports.begin(&caller, query.job.as_deref())?;
    // Who goes away while a file is only looked at wants no answer; the next file need not wait for it.
    let _waits = job.waits();
    let folder = tempfile::tempdir_in(&app.options.passing_dir).map_err(ApiError::internal)?;
    let path = folder.path().join("file");
    receive(body, &path, app.options.upload_bytes_max, &job).await?;
    // One at a time: a file is held in memory while it is read.
    job.tell(ImportStep::Waiting, 0, 0);
    let turn = Arc::clone(&app.importing).lock_owned().await;
    let now = app.now();
    let by = caller.name.clone();
    let (own, file) = (app.clone(), query.file);
    let (asked, outcome) = tokio::task::spawn_blocking(move || {
        let place = Place {
            lake: own.lake.dir(),
            catalogue: &own.ingest.catalogue(),
            city: &own.city,
        };
        let file = (path.as_path(), file.as_str());
        let may_stop = asked.dry_run;
        let mut progress = |step, done, total| {
            job.tell(step, done, total);
            match may_stop && job.is_left() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let done = bring_in(&asked, place, file, &options, (&by, now), &mut progress);
        drop((folder, turn, job));
        (asked, done)
    })
    .await
    .map_err(ApiError::internal)?;
    let outcome = outcome.map_err(refused)?;
    let report = ImportReport::new(&asked, &outcome);
    match &outcome.entry {
        Some(entry) => {
            note(&app.records, &peer.actor(&caller), now, entry).await?;
            Ok((StatusCode::CREATED, Json(report)).into_response())
        }
        None if asked.dry_run => Ok(Json(report).into_response()),
        None => Err(lines_refused(&outcome.table)),
    }
}

/// Takes a department's table away with its files, for good; only a backup has it then. A second person must agree (202);
/// then no statement finds the table any more, and one that reads its files at that moment may end with an error.
#[utoipa::path(delete, path = "/api/v1/tables/{name}", tag = "data", security(("session" = ["table.remove"])), params(("name" = String, Path), Why),
    responses((status = 202, body = approvals::ApprovalAsked), (status = 204), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    UrlPath(name): UrlPath<String>,
    Query(why): Query<Why>,
) -> Answer<Response> {
    department::check_name(&name).map_err(refused)?;
    let lake = app.lake.dir().to_owned();
    let body = removal(&lake, name.clone()).await?;
    let asked = identity::Asked {
        act: DangerousAct::TableRemove,
        target: &format!("table:{name}"),
        body: &body,
        reason: why.text(),
    };
    approvals::go(&app, &caller, peer, &asked).await
}

/// What a second person is shown of a table that is to be removed; of a damaged one its name alone.
async fn removal(lake: &Path, name: String) -> Answer<serde_json::Value> {
    let lake = lake.to_owned();
    let found = move || department::seen(&lake, &name).map(|entry| (name, entry));
    let found = tokio::task::spawn_blocking(found).await;
    let (name, entry) = found.map_err(ApiError::internal)?.map_err(not_there)?;
    let mut body = serde_json::json!({ "table": name });
    if let Some(entry) = entry {
        body["file"] = entry.source.file.into();
        body["sha256"] = entry.source.sha256.into();
        body["rows"] = entry.rows.into();
        body["imported_at"] = entry.imported_at.to_string().into();
        body["imported_by"] = entry.imported_by.into();
        body["department"] = entry.department.into();
    }
    Ok(body)
}

/// Removes the table that was asked for, not one that took its name meanwhile.
pub(crate) async fn remove_now(app: &App, order: Order<'_>) -> Answer<Done> {
    let name = order.body["table"].as_str().unwrap_or_default().to_owned();
    // Behind an import that is under way: it must not write what was just taken away.
    let turn = Arc::clone(&app.importing).lock_owned().await;
    let lake = app.lake.dir().to_owned();
    if removal(&lake, name.clone()).await? != *order.body {
        let problem = Problem::new(
            "approval-stale",
            "the table is not the one that was there when its removal was asked for",
            "table",
            "look at it, and ask again",
        );
        return Err(ApiError::new(StatusCode::CONFLICT, problem));
    }
    let own_name = name.clone();
    let removed = tokio::task::spawn_blocking(move || {
        let removed = department::remove(&lake, &own_name);
        drop(turn);
        removed
    })
    .await
    .map_err(ApiError::internal)?;
    let entry = removed.map_err(not_there)?;
    note_removal(&app.records, order.actor, app.now(), &name, entry.as_ref()).await?;
    Ok(Done::plain("removed"))
}

fn not_there(told: Told) -> ApiError {
    match told.code.as_str() {
        "table-unknown" => ApiError::told(StatusCode::NOT_FOUND, told),
        _ => refused(told),
    }
}

/// Whether bad lines are to be left out.
pub(crate) fn skips(query: &ImportQuery) -> Answer<bool> {
    match query.on_error.as_deref() {
        None | Some("stop") => Ok(false),
        Some("skip") => Ok(true),
        Some(other) => Err(ApiError::invalid(Problem::new(
            "import-on-error",
            format!("\"{}\" is nothing to do about bad lines", quote(other)),
            "on_error",
            "use stop or skip",
        ))),
    }
}

fn asked(table: String, query: &ImportQuery) -> Answer<Asked> {
    let skip_bad_lines = skips(query)?;
    Ok(Asked {
        table,
        title_zh: query.title_zh.clone(),
        title_en: query.title_en.clone(),
        description: query.description.clone(),
        department: query.department.clone(),
        replace: query.replace.unwrap_or(false),
        skip_bad_lines,
        dry_run: query.dry_run.unwrap_or(false),
    })
}

/// How it is to be read.
pub(crate) fn options(app: &App, query: &ImportQuery) -> Answer<imports::Options> {
    if query.file.len() > FILE_NAME_BYTES_MAX {
        return Err(ApiError::invalid(Problem::new(
            "import-format",
            format!("the file's name has {} bytes", query.file.len()),
            "file",
            format!("use at most {FILE_NAME_BYTES_MAX}"),
        )));
    }
    let merged = query.merged.as_deref().map(str::parse::<Merged>);
    Ok(imports::Options {
        limits: app.options.import_limits.clone(),
        sheet: query.sheet.clone(),
        header_line: query.header_line,
        merged: merged
            .transpose()
            .map_err(ApiError::invalid)?
            .unwrap_or_default(),
        kinds: std::collections::BTreeMap::new(),
        utc_offset_seconds: utc_offset_seconds(&app.city, app.now()),
        refuse_xls: true,
    })
}

/// How far a city's time is ahead of UTC.
pub fn utc_offset_seconds(city: &City, now: Timestamp) -> i64 {
    let zone = jiff::tz::TimeZone::get(&city.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
    zone.to_offset(moment).seconds().into()
}

/// What the door answers to a file that is refused whole.
pub(crate) fn refused(told: Told) -> ApiError {
    match told.code.as_str() {
        "table-exists" => ApiError::told(StatusCode::CONFLICT, told),
        "import-size" => ApiError::told(StatusCode::PAYLOAD_TOO_LARGE, told),
        "lake-io" | "table-write" | "import-io" => ApiError::internal(told),
        _ => ApiError::told(StatusCode::BAD_REQUEST, told),
    }
}

/// What it answers to one with bad lines.
pub(crate) fn lines_refused(table: &imports::Table) -> ApiError {
    let first = || table.problems.iter().take(PROBLEMS_TOLD);
    let zh = first().map(|found| {
        let Told { place, what, .. } = &found.problem;
        format!("{}：{}", place.zh, what.zh)
    });
    let en = first().map(|found| {
        let Told { place, what, .. } = &found.problem;
        format!("{}: {}", place.en, what.en)
    });
    let (zh, en) = (zh.collect::<Vec<_>>(), en.collect::<Vec<_>>());
    let (bad, seen) = (table.rows_bad, table.rows_seen);
    ApiError::told(
        StatusCode::UNPROCESSABLE_ENTITY,
        Told::new(
            "import-lines",
            both(
                format!("{seen} 行中有 {bad} 行有错误，没有写入：{}", zh.join("；")),
                format!(
                    "{bad} of {seen} rows have problems, so nothing was written: {}",
                    en.join("; ")
                ),
            ),
            both("文件", "body"),
            both(
                "请先检查（dry_run=true）看全部错误并修改文件，或略去有错误的行（on_error=skip）",
                "ask with dry_run=true for all of them and mend the file, or leave them out with on_error=skip",
            ),
        ),
    )
}

/// Writes a body to a file as it arrives.
pub(crate) async fn receive(body: Body, path: &Path, bytes_max: u64, job: &Job) -> Answer<()> {
    let broken = |e: axum::Error| {
        ApiError::invalid(Problem::new(
            "body",
            format!("the file did not arrive whole: {e}"),
            "body",
            "send it again",
        ))
    };
    let mut file = tokio::fs::File::create(path)
        .await
        .map_err(ApiError::internal)?;
    let total = body.size_hint().exact().unwrap_or(0);
    let mut pieces = body.into_data_stream();
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(broken)?;
        bytes += piece.len() as u64;
        if bytes > bytes_max {
            let max = bytes_max >> 20;
            return Err(ApiError::told(
                StatusCode::PAYLOAD_TOO_LARGE,
                Told::new(
                    "import-size",
                    both(
                        format!("文件超过 {max} MiB"),
                        format!("the file has more than {max} MiB"),
                    ),
                    both("文件", "body"),
                    both(
                        "请用命令行 jingling import 导入，或拆成几个文件，或请工程师调高 import.upload_mib_max",
                        "import it with jingling import, cut it into several, or ask the engineer to raise import.upload_mib_max",
                    ),
                ),
            ));
        }
        file.write_all(&piece).await.map_err(ApiError::internal)?;
        job.tell(ImportStep::Receiving, bytes, total);
    }
    file.flush().await.map_err(ApiError::internal)
}
