//! SQL over history, current state and records.

use crate::access::Caller;
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::tables::CityTables;
use crate::words::ColumnType;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A statement.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SqlRequest {
    /// One reading statement.
    pub query: String,
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

/// Runs one reading statement.
#[utoipa::path(post, path = "/api/v1/sql", tag = "data", security(("session" = ["sql.query"])), request_body = SqlRequest,
    responses((status = 200, body = SqlAnswer), (status = 400, body = crate::error::ProblemBody)))]
pub async fn run(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Json(request): Json<SqlRequest>,
) -> Answer<Json<SqlAnswer>> {
    let tables = app.tables.seen_by(&caller);
    answer(&app, &request.query, tables).await.map(Json)
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
    let items = lake::tables(&app.ingest.catalogue(), seen.as_ref())
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
