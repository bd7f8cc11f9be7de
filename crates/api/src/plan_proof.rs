//! The way from a figure to what proves it: what its query reads and how fresh that is, where each of the rows behind it leads, and the
//! rows behind one town's figure. Two clicks from any figure: its page, and there the message, the thing or the record.

use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::plan_towns::{ENTITIES_NOW, texts};
use crate::plans;
use crate::query_sources::{Source, sources};
use crate::sql::{ImportedTable, SqlAnswer};
use crate::words;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use city::Division;
use indicators::Definition;
use indicators::due::Types;
use indicators::proof::Lead;
use model::problem::{both, quote};
use model::{Catalogue, Told};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};

/// Most rows shown behind a figure.
pub(crate) const ROWS_SHOWN_MAX: usize = 500;
/// The column of the rows that says of which town each is.
const TOWN_CODE: &str = "town_code";
/// What people's records are called, and the column that says when a row was last written or heard.
const RECORDS: [(&str, &str, &str, Option<&str>); 10] = [
    ("cases", "案件", "cases", Some("updated_at")),
    ("case_events", "案件办理过程", "steps of cases", Some("at")),
    ("alerts", "告警", "alerts", Some("raised_at")),
    ("devices", "设备", "devices", Some("last_seen_at")),
    (
        "dead_letters",
        "无法识别的报文",
        "messages that no door could take",
        Some("received_at"),
    ),
    (
        "indicator_reports",
        "审定的填报数值",
        "approved reports",
        Some("at"),
    ),
    ("projects", "重点项目", "key projects", Some("changed_at")),
    (
        "project_milestones",
        "项目里程碑",
        "milestones of projects",
        None,
    ),
    ("project_money", "项目资金", "money of projects", None),
    (
        "form_values",
        "报表填报值",
        "values of forms that were handed in",
        Some("reported_at"),
    ),
];

/// A column of the rows that leads further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowLead {
    /// The column.
    pub column: String,
    /// To what.
    pub to: words::Lead,
    /// Whether a message in the journal lies behind it; what people wrote down has none, and is its own record.
    pub has_message: bool,
}

/// The columns of the rows that lead further.
pub(crate) fn leads<'a>(columns: impl Iterator<Item = &'a str>) -> Vec<RowLead> {
    let found = columns.filter_map(|column| {
        let to = Lead::of(column)?;
        Some(RowLead {
            column: column.to_owned(),
            to: to.into(),
            has_message: to.has_message(),
        })
    });
    found.collect()
}

/// What kind of data a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Values of things of a type.
    Things,
    /// What people and the platform wrote down: cases, projects, reports, devices.
    Records,
    /// A table that a department handed in as a file.
    Table,
    /// Something else, which is told by its name alone.
    Other,
}

/// What a figure's query reads.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorInput {
    /// What kind it is.
    pub kind: InputKind,
    /// The type of things, or the table's name in SQL; empty for things of every type.
    pub name: String,
    /// What it is called, in Chinese.
    pub title_zh: String,
    /// What it is called, in English.
    pub title_en: String,
    /// How many things, or rows, there are now.
    pub count: Option<i64>,
    /// How many devices said something of the things.
    pub devices: Option<i64>,
    /// When the newest of it is of.
    pub newest: Option<String>,
    /// The file that a department handed in.
    pub imported: Option<ImportedTable>,
}

/// The rows behind one town's figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct TownRows {
    /// The town's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The rows; of towns that were merged into it too.
    pub rows: SqlAnswer,
    /// Which of their columns lead further.
    pub leads: Vec<RowLead>,
}

/// What proves a figure.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorProof {
    /// What its query reads.
    pub inputs: Vec<IndicatorInput>,
    /// Whether its query asks for the time: the figure changes though nothing was heard.
    pub clock: bool,
    /// The rows behind the town's figure that was asked for.
    pub town: Option<TownRows>,
}

/// Of which town.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ProofQuery {
    /// The code of a town: the rows behind its figure are told too.
    pub town: Option<String>,
}

/// What a figure follows from: what its query reads and how fresh that is; of a town, when one is asked for, the rows behind its figure.
#[utoipa::path(get, path = "/api/v1/plan/indicators/{id}/proof", tag = "plan", security(("session" = ["indicator.read"])),
    params(("id" = String, Path), ProofQuery),
    responses((status = 200, body = IndicatorProof), (status = 404, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ProofQuery>,
) -> Answer<Json<IndicatorProof>> {
    let all = app.plan.plans();
    let (d, _) = plans::goal(&app, &all, &id, None)?;
    let (read, clock) = read_by(&d.sql, &app.ingest.catalogue());
    let mut inputs = Vec::new();
    let types: BTreeSet<&str> = (read.iter())
        .filter(|(kind, _)| *kind == InputKind::Things)
        .map(|(_, name)| name.as_str())
        .collect();
    inputs.extend(things(&app, &types).await?);
    for (kind, name) in &read {
        if *kind != InputKind::Things {
            inputs.push(table(&app, *kind, name).await?);
        }
    }
    let town = match query.town.as_deref() {
        Some(code) => Some(of_town(&app, &d, code).await?),
        None => None,
    };
    Ok(Json(IndicatorProof {
        inputs,
        clock,
        town,
    }))
}

/// What a query reads, each once, and whether it asks for the time.
fn read_by(sql: &str, catalogue: &Catalogue) -> (BTreeSet<(InputKind, String)>, bool) {
    let (sources, clock) = sources(sql, catalogue);
    let mut found = BTreeSet::new();
    for source in sources {
        match source {
            // Of whatever type: told without a name.
            Source::Things(Types::All) => found.extend([(InputKind::Things, String::new())]),
            Source::Things(Types::Some(types)) => {
                found.extend(types.into_iter().map(|kind| (InputKind::Things, kind)));
            }
            Source::Records(name) => found.extend([(InputKind::Records, name)]),
            Source::Other(name) => found.extend([(InputKind::Other, name)]),
            Source::Unreadable => {}
        }
    }
    (found, clock)
}

fn number(row: Option<&BTreeMap<String, Value>>, column: &str) -> Option<i64> {
    row?.get(column)?.as_i64()
}

fn time(row: Option<&BTreeMap<String, Value>>, column: &str) -> Option<String> {
    row?.get(column)?.as_str().map(str::to_owned)
}

/// Things of some types, with how many there are and how fresh what is known of them is.
async fn things(app: &App, types: &BTreeSet<&str>) -> Answer<Vec<IndicatorInput>> {
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let is_all = types.contains("");
    let (kind, of_types, grouped) = if is_all {
        ("''", String::new(), "")
    } else {
        let of = format!(" WHERE entity_type IN ({})", texts(types));
        ("entity_type", of, " GROUP BY entity_type")
    };
    let query = format!(
        "SELECT {kind} AS kind, COUNT(DISTINCT entity_id) AS things, COUNT(DISTINCT device_id) AS devices, \
         MAX(observed_at) AS newest FROM {ENTITIES_NOW}{of_types}{grouped}"
    );
    let found = crate::sql::answer(app, &query, app.tables.clone()).await?;
    let catalogue = app.ingest.catalogue();
    let told = |name: &str| {
        let row = found.rows.iter().find(|row| row["kind"] == *name);
        let declared = catalogue.kinds.get(name);
        let title = |of: fn(&model::EntityKind) -> &String, all: &str| {
            let said = declared.map(|kind| of(kind).clone());
            said.unwrap_or_else(|| {
                if is_all {
                    all.to_owned()
                } else {
                    name.to_owned()
                }
            })
        };
        IndicatorInput {
            kind: InputKind::Things,
            name: name.to_owned(),
            title_zh: title(|kind| &kind.title_zh, "全部实体"),
            title_en: title(|kind| &kind.title_en, "all things"),
            count: Some(number(row, "things").unwrap_or_default()),
            devices: Some(number(row, "devices").unwrap_or_default()),
            newest: time(row, "newest"),
            imported: None,
        }
    };
    // Who reads every type reads those that it names as well.
    let names = types.iter().filter(|name| !is_all || name.is_empty());
    Ok(names.map(|name| told(name)).collect())
}

/// A table of records, or one that a department handed in.
async fn table(app: &App, kind: InputKind, name: &str) -> Answer<IndicatorInput> {
    let mut told = IndicatorInput {
        kind,
        name: name.to_owned(),
        title_zh: name.to_owned(),
        title_en: name.to_owned(),
        count: None,
        devices: None,
        newest: None,
        imported: None,
    };
    if kind == InputKind::Records {
        let known = RECORDS.iter().find(|(known, ..)| *known == name);
        if let Some((_, zh, en, _)) = known {
            (told.title_zh, told.title_en) = ((*zh).to_owned(), (*en).to_owned());
        }
        let newest = known.and_then(|(.., column)| *column);
        let newest = newest.map_or_else(String::new, |c| format!(", MAX(\"{c}\") AS newest"));
        let query = format!("SELECT COUNT(*) AS n{newest} FROM {name}");
        let found = crate::sql::answer(app, &query, app.tables.clone()).await?;
        told.count = number(found.rows.first(), "n");
        told.newest = time(found.rows.first(), "newest");
        return Ok(told);
    }
    let entries = app.lake.department_tables();
    if let Some(entry) = entries.iter().find(|entry| entry.name == name) {
        told.kind = InputKind::Table;
        told.title_zh = entry.title_zh.clone().unwrap_or(told.title_zh);
        told.title_en = entry.title_en.clone().unwrap_or(told.title_en);
        told.count = i64::try_from(entry.rows).ok();
        told.newest = Some(entry.imported_at.to_string());
        told.imported = Some(entry.into());
    }
    Ok(told)
}

/// The rows behind a town's figure, with those of towns that were merged into it.
async fn of_town(app: &App, d: &Definition, code: &str) -> Answer<TownRows> {
    let today = app.plan.day(app.now());
    let town = app.city.towns_on(today).find(|town| town.code == code);
    let town = town.ok_or_else(|| ApiError::not_found("town", quote(code)))?;
    let rows_sql = d.rows_sql.trim().trim_end_matches(';');
    // Which codes count for a town the city knows, not the data.
    let mut codes = vec![town.code.clone()];
    for was in &app.city.successions {
        if matches!(app.city.division(&was.code, today), Division::Former { town: into, .. } if into.code == code)
        {
            codes.push(was.code.clone());
        }
    }
    let query = format!(
        "SELECT * FROM ({rows_sql}\n) AS behind WHERE CAST({TOWN_CODE} AS VARCHAR) IN ({})",
        texts(&codes)
    );
    let answered = crate::sql::answer(app, &query, app.tables.clone()).await;
    let mut rows = answered.map_err(|_| no_town_rows(d))?;
    rows.truncated |= rows.rows.len() > ROWS_SHOWN_MAX;
    rows.rows.truncate(ROWS_SHOWN_MAX);
    Ok(TownRows {
        code: town.code.clone(),
        name: town.name.clone(),
        leads: leads(rows.columns.iter().map(|column| column.name.as_str())),
        rows,
    })
}

fn no_town_rows(d: &Definition) -> ApiError {
    let (zh, en) = (&d.name_zh, &d.name_en);
    ApiError::told(
        StatusCode::NOT_FOUND,
        Told::new(
            "indicator-no-town-rows",
            both(
                format!("“{zh}”的明细查询没有 {TOWN_CODE} 列，分不出镇街"),
                format!("the rows behind \"{en}\" have no column {TOWN_CODE}"),
            ),
            both("镇街", "town"),
            both(
                format!("请在指标文件的 -- rows: 查询中给出 {TOWN_CODE}"),
                format!("give {TOWN_CODE} in the query after -- rows: of the indicator's file"),
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pack::Packs;

    fn inputs(sql: &str) -> String {
        let catalogue = Packs::load_all(pack::embedded(), None).unwrap().catalogue;
        let (read, clock) = read_by(sql, &catalogue);
        let mut told: Vec<String> = (read.into_iter())
            .map(|(kind, name)| format!("{kind:?}:{name}"))
            .collect();
        told.extend(clock.then(|| "clock".to_owned()));
        told.join(" ")
    }

    #[test]
    fn a_query_reads_what_it_names_down_to_the_things() {
        for (sql, expected) in [
            (
                "SELECT 1 FROM entities_now WHERE entity_type IN ('A', 'B') AND observed_at < now()",
                "Things:A Things:B clock",
            ),
            ("SELECT 1 FROM observations", "Things:"),
            (
                "WITH x AS (SELECT 1 FROM cases) SELECT 1 FROM x JOIN serverrack_now ON true",
                "Things:ServerRack Records:cases",
            ),
            ("SELECT 1 FROM handed_in", "Other:handed_in"),
            ("SELECT (", ""),
        ] {
            assert_eq!(inputs(sql), expected, "{sql}");
        }
    }

    #[test]
    fn columns_lead_further_by_their_names() {
        let found = leads(["entity_id", "name", "filing_id"].into_iter());
        let told: Vec<_> = (found.iter())
            .map(|lead| (lead.column.as_str(), lead.to, lead.has_message))
            .collect();
        assert_eq!(
            told,
            [
                ("entity_id", words::Lead::Entity, true),
                ("filing_id", words::Lead::Report, false)
            ]
        );
    }
}
