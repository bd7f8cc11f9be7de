//! The records as plain tables for SQL: which tables, which columns, and the permission that reading one
//! needs. Nothing secret is ever a column here.

use crate::failure::{Failure, Result};
use crate::store::Records;
use model::{Problem, problem::quote};
use serde::Serialize;
use serde_json::Value;
use sqlx::{Any, AssertSqlSafe, Row};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// A time; in rows an RFC 3339 text.
    Timestamp,
}

/// One table that SQL may read.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in one line.
    pub description: &'static str,
    /// The permission word that reading it needs.
    pub permission: &'static str,
    /// Its columns, in order.
    pub columns: &'static [(&'static str, ColumnType)],
    /// The column that orders it, newest rows last.
    order: &'static str,
}

use ColumnType::{Boolean, Double, Integer, Text, Timestamp};

/// Every table that SQL may read.
pub const TABLES: &[Table] = &[
    Table {
        name: "cases",
        description: "work that people do: one row per case, as it stands now",
        permission: "case.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("number", Text),
            ("title", Text),
            ("description", Text),
            ("workflow", Text),
            ("workflow_version", Integer),
            ("state", Text),
            ("severity", Text),
            ("alert_id", Integer),
            ("entity_id", Text),
            ("lon", Double),
            ("lat", Double),
            ("organisation_id", Text),
            ("assignee_id", Integer),
            ("created_at", Timestamp),
            ("created_by", Text),
            ("updated_at", Timestamp),
            ("due_at", Timestamp),
            ("closed_at", Timestamp),
            ("category", Text),
            ("town", Text),
            ("grid", Text),
            ("source", Text),
            ("reporters", Integer),
            ("parent_id", Integer),
            ("duplicate_of", Integer),
            ("case_due_at", Timestamp),
            ("extensions", Integer),
            ("supervised_until", Timestamp),
            ("suspended_at", Timestamp),
            ("suspended_until", Timestamp),
            ("escalation", Integer),
            ("reopened", Integer),
        ],
    },
    Table {
        name: "case_events",
        description: "every step of every case: who, when, from which state to which",
        permission: "case.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("case_id", Integer),
            ("at", Timestamp),
            ("actor", Text),
            ("action", Text),
            ("from_state", Text),
            ("to_state", Text),
            ("note", Text),
            ("organisation_id", Text),
            ("assignee_id", Integer),
            ("late", Boolean),
            ("due_at", Timestamp),
            ("case_due_at", Timestamp),
        ],
    },
    Table {
        name: "alerts",
        description: "what the rules found: one row per alert, active while cleared_at is null",
        permission: "alert.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("rule_id", Text),
            ("rule_version", Integer),
            ("entity_id", Text),
            ("entity_type", Text),
            ("entity_name", Text),
            ("attribute", Text),
            ("value", Double),
            ("unit", Text),
            ("threshold", Double),
            ("severity", Text),
            ("title_zh", Text),
            ("title_en", Text),
            ("lon", Double),
            ("lat", Double),
            ("observed_at", Timestamp),
            ("raised_at", Timestamp),
            ("raised_position", Integer),
            ("cleared_at", Timestamp),
            ("cleared_position", Integer),
            ("acknowledged_at", Timestamp),
            ("acknowledged_by", Text),
            ("case_id", Integer),
        ],
    },
    Table {
        name: "devices",
        description: "what may connect, whether it is connected, and how many messages it sent",
        permission: "device.read",
        order: "client_id",
        columns: &[
            ("id", Text),
            ("client_id", Text),
            ("type", Text),
            ("name", Text),
            ("username", Text),
            ("created_at", Timestamp),
            ("created_by", Text),
            ("online", Boolean),
            ("connected_at", Timestamp),
            ("last_seen_at", Timestamp),
            ("messages", Integer),
            ("rejected", Integer),
        ],
    },
    Table {
        name: "dead_letters",
        description: "messages that no door could take, with the reason",
        permission: "deadletter.read",
        order: "position",
        columns: &[
            ("position", Integer),
            ("door", Text),
            ("device_id", Text),
            ("address", Text),
            ("received_at", Timestamp),
            ("size_bytes", Integer),
            ("preview", Text),
            ("problem_code", Text),
            ("problem_what", Text),
            ("problem_place", Text),
            ("problem_mend", Text),
        ],
    },
    Table {
        name: "corrections",
        description: "observations that people put right: the old value, the new one (null: withdrawn), who and why",
        permission: "entity.read",
        order: "position",
        columns: &[
            ("id", Integer),
            ("position", Integer),
            ("entity_id", Text),
            ("entity_type", Text),
            ("attribute", Text),
            ("observed_at", Timestamp),
            ("supersedes", Integer),
            ("old_value", Text),
            ("old_unit", Text),
            ("old_quality", Text),
            ("new_value", Text),
            ("unit", Text),
            ("reason", Text),
            ("corrected_by", Text),
            ("corrected_at", Timestamp),
        ],
    },
    Table {
        name: "indicator_reports",
        description: "figures of the plan that people reported and all levels approved, with their evidence; `as_of` is the day until which each speaks",
        permission: "indicator.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("indicator_id", Text),
            ("value", Double),
            ("period", Text),
            ("evidence", Text),
            ("note", Text),
            ("reported_by", Text),
            ("at", Timestamp),
            ("as_of", Text),
            ("filing_id", Integer),
        ],
    },
    Table {
        name: "projects",
        description: "key projects of the plan and those added to it: one row each, as kept now; days are texts, money is fen",
        permission: "project.read",
        order: "id",
        columns: &[
            ("id", Text),
            ("plan_box", Integer),
            ("name_zh", Text),
            ("name_en", Text),
            ("system", Text),
            ("organisation_id", Text),
            ("stage", Text),
            ("planned_start", Text),
            ("planned_end", Text),
            ("total_fen", Integer),
            ("ended_at", Timestamp),
            ("created_at", Timestamp),
            ("changed_at", Timestamp),
            ("changed_by", Text),
        ],
    },
    Table {
        name: "charging_sessions",
        description: "sessions of charging with what their bills come to: one row each, as kept now; energy is Wh, money is fen",
        permission: "charging.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("station", Text),
            ("transaction_id", Text),
            ("connector", Integer),
            ("operator", Text),
            ("state", Text),
            ("started_at", Timestamp),
            ("ended_at", Timestamp),
            ("energy_wh", Integer),
            ("tariff_number", Integer),
            ("total_fen", Integer),
            ("changed_at", Timestamp),
        ],
    },
    Table {
        name: "project_milestones",
        description: "milestones of key projects: planned, forecast and done, days as texts",
        permission: "project.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("project_id", Text),
            ("name", Text),
            ("planned", Text),
            ("forecast", Text),
            ("done", Text),
            ("evidence", Text),
        ],
    },
    Table {
        name: "project_money",
        description: "money of key projects by source and year, fen",
        permission: "project.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("project_id", Text),
            ("source", Text),
            ("year", Integer),
            ("planned_fen", Integer),
            ("arranged_fen", Integer),
            ("paid_fen", Integer),
        ],
    },
    Table {
        name: "form_values",
        description: "reporting forms that are handed in: one row for each field of a form, period and town or village; `origin` says who filled it in, `disputed` the case of what the town holds wrong",
        permission: "indicator.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("form", Text),
            ("period", Text),
            ("division_code", Text),
            ("element", Text),
            ("value", Double),
            ("value_text", Text),
            ("origin", Text),
            ("reported_at", Timestamp),
            ("disputed", Integer),
        ],
    },
    Table {
        name: "audit",
        description: "who changed what, when and from where",
        permission: "audit.read",
        order: "id",
        columns: &[
            ("id", Integer),
            ("at", Timestamp),
            ("actor_kind", Text),
            ("actor", Text),
            ("action", Text),
            ("target", Text),
            ("detail", Text),
            ("peer", Text),
        ],
    },
];

/// The table of that name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|t| t.name == name)
}

/// The newest `limit` rows of a table, oldest of them first, with the names of its columns.
///
/// # Errors
/// `unknown-table` when there is no such table; otherwise the store's own error.
pub async fn table_rows(
    records: &Records,
    name: &str,
    limit: u32,
) -> Result<(Vec<&'static str>, Vec<Vec<Value>>)> {
    let Some(table) = table(name) else {
        let names: Vec<_> = TABLES.iter().map(|t| t.name).collect();
        return Err(Failure::Invalid(Problem::new(
            "unknown-table",
            format!("there is no table \"{}\"", quote(name)),
            "query",
            format!("use one of {}", names.join(", ")),
        )));
    };
    let columns: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
    // Both come from the list above, never from a caller.
    let (list, order, name) = (columns.join(", "), table.order, table.name);
    let sql = format!(
        "SELECT * FROM (SELECT {list} FROM {name} ORDER BY {order} DESC LIMIT $1) AS newest ORDER BY {order}"
    );
    let mut connection = records.read().await?;
    let rows = sqlx::query::<Any>(AssertSqlSafe(sql))
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    let rows = rows
        .iter()
        .map(|row| {
            table
                .columns
                .iter()
                .enumerate()
                .map(|(at, (_, kind))| {
                    Ok(match kind {
                        Integer => row.try_get::<Option<i64>, _>(at)?.into(),
                        Double => row.try_get::<Option<f64>, _>(at)?.into(),
                        Text => row.try_get::<Option<String>, _>(at)?.into(),
                        Boolean => row.try_get::<Option<i64>, _>(at)?.map(|n| n != 0).into(),
                        Timestamp => row
                            .try_get::<Option<i64>, _>(at)?
                            .map(|n| model::Timestamp::from_micros(n).to_string())
                            .into(),
                    })
                })
                .collect::<Result<Vec<Value>>>()
        })
        .collect::<Result<Vec<_>>>()?;
    Ok((columns, rows))
}
