//! SQL over history, current state and records.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::personal::{Look, Looking};
use crate::tables::CityTables;
use crate::words::ColumnType;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use lake::Format;
use lake::department::TableEntry;
use model::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

/// A statement.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SqlRequest {
    /// One reading statement.
    pub query: String,
    /// `json` (default), `csv`, `arrow`, `xlsx` or `parquet`; goes before the header Accept.
    #[serde(default)]
    pub format: Option<String>,
    /// What personal values are looked at for: they are shown whole to whoever may see them. The header
    /// x-jingling-purpose says the same.
    #[serde(default)]
    pub purpose: Option<String>,
}

/// A column.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub r#type: ColumnType,
}

/// The answer's rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct SqlAnswer {
    /// The columns in order.
    pub columns: Vec<Column>,
    /// The rows, each an object by column name.
    pub rows: Vec<BTreeMap<String, serde_json::Value>>,
    /// How many rows are given.
    pub row_count: usize,
    /// Whether there are more rows than `sql.rows_max`.
    pub truncated: bool,
    /// Time taken, milliseconds.
    pub elapsed_ms: f64,
}

/// How an answer is sent.
enum Sent {
    /// At once.
    Json,
    /// As rows are found.
    Stream(Format),
    /// When it is whole.
    File(imports::write::Format),
}

/// Runs one reading statement. JSON is cut off at `sql.rows_max` rows and says so; CSV and Arrow's stream are
/// sent as rows are found, and the connection breaks off when there are more than `sql.stream_rows_max` or
/// when a limit is reached on the way. Excel and Parquet are sent when they are whole.
#[utoipa::path(post, path = "/api/v1/sql", tag = "data", security(("session" = ["sql.query"])), request_body = SqlRequest,
    responses((status = 200, content((SqlAnswer = "application/json"), (String = "text/csv"), (String = "application/vnd.apache.arrow.stream"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (Vec<u8> = "application/vnd.apache.parquet"))),
        (status = 400, body = crate::error::ProblemBody)))]
pub async fn run(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Looking(mut look): Looking,
    headers: HeaderMap,
    Json(request): Json<SqlRequest>,
) -> Answer<Response> {
    if let Some(purpose) = &request.purpose {
        look = Arc::new(Look::stated(&app, &caller, peer.actor(&caller), purpose)?);
    }
    let tables = app.tables.looked_at(&caller, peer.0, &look);
    let sent = format(request.format.as_deref(), &headers)?;
    let response = sent_as(&app, &request.query, tables, sent, look.has_purpose()).await;
    // What failed on the way may tell a value in its error.
    look.tell(&app.records, app.now(), "sql").await?;
    response
}

async fn sent_as(
    app: &App,
    query: &str,
    tables: Arc<CityTables>,
    sent: Sent,
    has_purpose: bool,
) -> Answer<Response> {
    match sent {
        Sent::Json => Ok(Json(answer(app, query, tables).await?).into_response()),
        Sent::Stream(format) if has_purpose => gathered(app, query, tables, format).await,
        Sent::Stream(format) => stream(app, query, tables, format).await,
        Sent::File(format) => file(app, query, tables, format).await,
    }
}

/// Asks the lake for an answer piece by piece.
async fn streamed(
    app: &App,
    query: &str,
    tables: Arc<CityTables>,
    limits: &lake::Limits,
) -> Answer<lake::Answer> {
    let question = lake::Question {
        sql: query,
        parameters: Vec::new(),
        tables,
        catalogue: &app.ingest.catalogue(),
        zone: None,
    };
    let answer = app.lake.query_stream(question, limits).await;
    answer.map_err(ApiError::unanswered)
}

/// As [`stream`], but whole before the first byte goes out: what it shows of persons is in the audit trail by then.
/// It takes what an answer in JSON may take.
async fn gathered(
    app: &App,
    query: &str,
    tables: Arc<CityTables>,
    format: Format,
) -> Answer<Response> {
    let answer = streamed(app, query, tables, &app.options.sql_limits).await?;
    let mut pieces = Box::pin(answer.into_bytes(format));
    let mut whole = Vec::new();
    while let Some(piece) = pieces.next().await {
        whole.extend(piece.map_err(ApiError::unanswered)?);
    }
    Ok(([(header::CONTENT_TYPE, format.media_type())], whole).into_response())
}

/// The format asked for.
fn format(named: Option<&str>, headers: &HeaderMap) -> Answer<Sent> {
    if let Some(named) = named {
        return match named {
            "json" => Ok(Sent::Json),
            "xlsx" => Ok(Sent::File(imports::write::Format::Xlsx)),
            "parquet" => Ok(Sent::File(imports::write::Format::Parquet)),
            other => other.parse().map(Sent::Stream).map_err(ApiError::invalid),
        };
    }
    let accept = headers.get(header::ACCEPT).and_then(|a| a.to_str().ok());
    // The first that is known, in the order in which the client names them.
    let known = accept.unwrap_or_default().split(',').find_map(|part| {
        match part.split(';').next().unwrap_or_default().trim() {
            "text/csv" => Some(Sent::Stream(Format::Csv)),
            "application/vnd.apache.arrow.stream" => Some(Sent::Stream(Format::Arrow)),
            "application/json" | "*/*" => Some(Sent::Json),
            _ => None,
        }
    });
    Ok(known.unwrap_or(Sent::Json))
}

/// An answer as a file that is written first and sent when it is whole, so that an error is told with a status.
async fn file(
    app: &App,
    query: &str,
    tables: Arc<CityTables>,
    format: imports::write::Format,
) -> Answer<Response> {
    let limits = &app.options.sql_stream_limits;
    let mut answer = streamed(app, query, tables, limits).await?;
    let folder = tempfile::tempdir_in(&app.options.passing_dir).map_err(ApiError::internal)?;
    let path = folder.path().join("file");
    let options = imports::write::Options {
        for_spreadsheets: false,
        utc_offset_seconds: crate::table_imports::utc_offset_seconds(&app.city, app.now()),
    };
    let failed = |problem: Problem| match problem.code.as_str() {
        "export-io" => ApiError::internal(problem),
        _ => ApiError::invalid(problem),
    };
    let mut target =
        imports::write::Target::new(&path, format, answer.schema(), options).map_err(failed)?;
    while let Some(batch) = answer.next().await {
        let batch = batch.map_err(ApiError::unanswered)?;
        // Packing and the disk are no work for a thread that serves others.
        target = tokio::task::spawn_blocking(move || {
            target.write(&lake::formats::flat(&batch)?).map(|()| target)
        })
        .await
        .map_err(ApiError::internal)?
        .map_err(failed)?;
    }
    if answer.truncated() {
        return Err(ApiError::invalid(lake::formats::rows_problem(limits)));
    }
    tokio::task::spawn_blocking(move || target.finish())
        .await
        .map_err(ApiError::internal)?
        .map_err(failed)?;
    let file = tokio::fs::File::open(&path)
        .await
        .map_err(ApiError::internal)?;
    // The open file stays readable when its name is gone.
    drop(folder);
    let body = Body::from_stream(ReaderStream::new(file));
    Ok(([(header::CONTENT_TYPE, format.media_type())], body).into_response())
}

async fn stream(
    app: &App,
    query: &str,
    tables: Arc<CityTables>,
    format: Format,
) -> Answer<Response> {
    let answer = streamed(app, query, tables, &app.options.sql_stream_limits).await?;
    let mut pieces = Box::pin(answer.into_bytes(format));
    // What fails before the first rows is still told with a status.
    let first = match pieces.next().await {
        Some(first) => first.map_err(ApiError::unanswered)?,
        None => Vec::new(),
    };
    let rest = pieces.inspect(|piece| {
        if let Err(problem) = piece {
            tracing::warn!(%problem, "an answer broke off");
        }
    });
    let all = futures::stream::once(async { Ok(first) }).chain(rest);
    let body = Body::from_stream(all.map(|piece| piece.map(Bytes::from)));
    Ok(([(header::CONTENT_TYPE, format.media_type())], body).into_response())
}

/// Runs a statement over the tables that its reader sees.
pub async fn answer(app: &App, query: &str, tables: Arc<CityTables>) -> Answer<SqlAnswer> {
    let result = app
        .lake
        .query(
            query,
            &app.options.sql_limits,
            tables,
            &app.ingest.catalogue(),
        )
        .await
        .map_err(ApiError::unanswered)?;
    let columns: Vec<Column> = result
        .columns
        .iter()
        .map(|c| Column {
            name: c.name.clone(),
            r#type: c.kind.into(),
        })
        .collect();
    let rows: Vec<BTreeMap<String, serde_json::Value>> = result
        .rows
        .into_iter()
        .map(|row| columns.iter().map(|c| c.name.clone()).zip(row).collect())
        .collect();
    Ok(SqlAnswer {
        row_count: rows.len(),
        columns,
        rows,
        truncated: result.truncated,
        elapsed_ms: result.elapsed.as_secs_f64() * 1_000.0,
    })
}

/// A column of a table that SQL can read.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub r#type: ColumnType,
    /// The unit of its numbers, where the department's file or the pack named one.
    pub unit: Option<String>,
    /// What it means, in Chinese, where a pack declares the table.
    pub title_zh: Option<String>,
    /// The same in English.
    pub title_en: Option<String>,
}

/// Where a department's table came from.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedTable {
    /// Its title in Chinese.
    pub title_zh: Option<String>,
    /// Its title in English.
    pub title_en: Option<String>,
    /// The department that handed it in, by id.
    pub department: Option<String>,
    /// Its rows.
    pub rows: u64,
    /// Rows of the file that were left out because something was wrong with them.
    pub rows_left_out: u64,
    /// When it was brought in.
    pub imported_at: String,
    /// By whom.
    pub imported_by: String,
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// `csv`, `excel` or `parquet`.
    pub format: String,
    /// The sheet, where there were several.
    pub sheet: Option<String>,
}

impl From<&TableEntry> for ImportedTable {
    fn from(entry: &TableEntry) -> Self {
        Self {
            title_zh: entry.title_zh.clone(),
            title_en: entry.title_en.clone(),
            department: entry.department.clone(),
            rows: entry.rows,
            rows_left_out: entry.rows_left_out,
            imported_at: entry.imported_at.to_string(),
            imported_by: entry.imported_by.clone(),
            file: entry.source.file.clone(),
            sha256: entry.source.sha256.clone(),
            format: entry.source.format.clone(),
            sheet: entry.source.sheet.clone(),
        }
    }
}

/// A table that SQL can read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub description: String,
    /// Its columns.
    pub columns: Vec<TableColumn>,
    /// Where it came from, when a department handed it in.
    pub imported: Option<ImportedTable>,
}

/// A list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tables {
    /// The tables.
    pub items: Vec<Table>,
}

/// The tables and their columns.
#[utoipa::path(get, path = "/api/v1/tables", tag = "data", security(("session" = ["sql.query"])),
    responses((status = 200, body = Tables)))]
pub async fn tables(State(app): State<App>, Caller(caller): Caller, peer: Peer) -> Json<Tables> {
    let seen = app.tables.seen_by(&caller, peer.0);
    let catalogue = app.ingest.catalogue();
    let entries = app.lake.department_tables();
    let items = app.lake.tables(&catalogue, seen.as_ref()).into_iter();
    let items = items.map(|t| {
        // A department's table is never one of the platform's, whose names are not given away.
        let entry = entries.iter().find(|entry| entry.name == t.name);
        let view = catalogue.view(&t.name).filter(|_| entry.is_none());
        let unit = |name: &str| {
            let columns = &entry?.columns;
            columns.iter().find(|c| c.name == name)?.unit.clone()
        };
        let columns = t.columns.into_iter().map(|(name, kind)| {
            let declared = view.and_then(|view| view.columns.iter().find(|c| c.name == name));
            TableColumn {
                unit: declared.map_or_else(|| unit(&name), |column| column.unit.clone()),
                title_zh: declared.map(|column| column.title_zh.clone()),
                title_en: declared.map(|column| column.title_en.clone()),
                r#type: kind.into(),
                name,
            }
        });
        Table {
            columns: columns.collect(),
            imported: entry.map(ImportedTable::from),
            name: t.name,
            description: t.description,
        }
    });
    Json(Tables {
        items: items.collect(),
    })
}
