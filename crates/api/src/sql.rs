//! SQL over history, current state and records.

use crate::access::Caller;
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::tables::CityTables;
use crate::words::ColumnType;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use lake::Format;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A statement.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SqlRequest {
    /// One reading statement.
    pub query: String,
    /// `json` (default), `csv` or `arrow`; goes before the header Accept.
    #[serde(default)]
    pub format: Option<String>,
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

/// Runs one reading statement. JSON is cut off at `sql.rows_max` rows and says so; CSV and Arrow's stream are
/// sent as rows are found, and the connection breaks off when there are more than `sql.stream_rows_max` or
/// when a limit is reached on the way.
#[utoipa::path(post, path = "/api/v1/sql", tag = "data", security(("session" = ["sql.query"])), request_body = SqlRequest,
    responses((status = 200, content((SqlAnswer = "application/json"), (String = "text/csv"), (String = "application/vnd.apache.arrow.stream"))),
        (status = 400, body = crate::error::ProblemBody)))]
pub async fn run(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    headers: HeaderMap,
    Json(request): Json<SqlRequest>,
) -> Answer<Response> {
    let tables = app.tables.seen_by(&caller);
    match format(request.format.as_deref(), &headers)? {
        None => Ok(Json(answer(&app, &request.query, tables).await?).into_response()),
        Some(format) => stream(&app, &request.query, tables, format).await,
    }
}

/// The format asked for; `None` is JSON.
fn format(named: Option<&str>, headers: &HeaderMap) -> Answer<Option<Format>> {
    if let Some(named) = named {
        return match named {
            "json" => Ok(None),
            other => other.parse().map(Some).map_err(ApiError::invalid),
        };
    }
    let accept = headers.get(header::ACCEPT).and_then(|a| a.to_str().ok());
    // The first that is known, in the order in which the client names them.
    let known = accept.unwrap_or_default().split(',').find_map(|part| {
        match part.split(';').next().unwrap_or_default().trim() {
            "text/csv" => Some(Some(Format::Csv)),
            "application/vnd.apache.arrow.stream" => Some(Some(Format::Arrow)),
            "application/json" | "*/*" => Some(None),
            _ => None,
        }
    });
    Ok(known.flatten())
}

async fn stream(
    app: &App,
    query: &str,
    tables: Arc<CityTables>,
    format: Format,
) -> Answer<Response> {
    let question = lake::Question {
        sql: query,
        parameters: Vec::new(),
        tables,
        catalogue: &app.ingest.catalogue(),
    };
    let limits = &app.options.sql_stream_limits;
    let answer = app.lake.query_stream(question, limits).await;
    let mut pieces = Box::pin(answer.map_err(ApiError::invalid)?.into_bytes(format));
    // What fails before the first rows is still told with a status.
    let first = match pieces.next().await {
        Some(first) => first.map_err(ApiError::invalid)?,
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
        .map_err(ApiError::invalid)?;
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

/// A table that SQL can read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub description: String,
    /// Its columns.
    pub columns: Vec<Column>,
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
pub async fn tables(State(app): State<Arc<App>>, Caller(caller): Caller) -> Json<Tables> {
    let seen = app.tables.seen_by(&caller);
    let items = app
        .lake
        .tables(&app.ingest.catalogue(), seen.as_ref())
        .into_iter()
        .map(|t| Table {
            name: t.name,
            description: t.description,
            columns: t
                .columns
                .into_iter()
                .map(|(name, kind)| Column {
                    name,
                    r#type: kind.into(),
                })
                .collect(),
        });
    Json(Tables {
        items: items.collect(),
    })
}
