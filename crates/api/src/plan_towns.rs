//! How an indicator stands in the towns: each town's value, with what is kept under the codes of towns that were merged into it; codes that
//! nobody knows, told and not dropped; and the towns side by side, also with what they had on a day.

use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::plans;
use crate::words;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use city::{Division, SUCCESSIONS};
use indicators::towns::TownFigures;
use indicators::{Definition, Towns};
use jiff::civil::Date;
use model::problem::{both, quote};
use model::{Both, Problem, Told};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What the towns' sum or mean may differ from the city's figure, of it, before it is told as a difference: rounding.
const ROUNDING: f64 = 1e-9;
/// The table of current values, by which the towns' queries ask, and its columns.
pub(crate) const ENTITIES_NOW: &str = "entities_now";
const ENTITIES_NOW_COLUMNS: &str = "entity_id, entity_type, attribute, value_number, value_text, value_json, unit, quality, \
     observed_at, device_id, journal_position";

/// What is kept under the code of a town that was merged (撤并), as part of its successor's value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MergedTown {
    /// The code that it had.
    pub code: String,
    /// The name that it had.
    pub name: String,
    /// What the town is called that it was merged into; that one may have been merged itself later.
    pub into_name: String,
    /// From which day on, `YYYY-MM-DD`.
    pub on: String,
    /// The value there.
    pub value: f64,
}

/// A code that the query gives and the city does not know. It counts for no town.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UnknownTown {
    /// The code as the query gives it.
    pub code: String,
    /// The value there.
    pub value: f64,
    /// What mends it, in Chinese.
    pub mend_zh: String,
    /// What mends it, in English.
    pub mend_en: String,
}

/// An indicator in one town.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TownValue {
    /// The town's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The value there, with that of towns merged into it; null when there is nothing to compute it from.
    pub value: Option<f64>,
    /// What of it is kept under the codes of towns that were merged into it.
    pub merged: Vec<MergedTown>,
}

/// How an indicator stands in the towns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TownValues {
    /// How the city's value follows from those of the towns.
    pub aggregation: words::TownAggregation,
    /// Every town of the city.
    pub towns: Vec<TownValue>,
    /// The sum or mean of the towns' values.
    pub total: Option<f64>,
    /// The city's value less that: for a sum, what no town is known of. Null when they agree, or one of them is not there.
    pub difference: Option<f64>,
    /// Codes that the city does not know; their values are in no town's, and so in the difference.
    pub unknown: Vec<UnknownTown>,
    /// The value of what the query gives without a code; it is in no town's either.
    pub without_town: Option<f64>,
}

/// Whether it is known what the towns had on the day with which they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TownHistory {
    /// No day was asked for.
    NotAsked,
    /// It is.
    Known,
    /// Nothing was kept by then.
    Nothing,
    /// The query reads more than the current values of things, of which alone history is kept.
    NotKept,
}

/// A town beside the others.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ComparedTown {
    /// The town.
    #[serde(flatten)]
    pub town: TownValue,
    /// Its place, 1 being the best; towns with the same value share one.
    pub rank: Option<usize>,
    /// Its share of the city's figure, 1 being all of it; for sums only.
    pub share: Option<f64>,
    /// By how much it moves the towns' mean, in the indicator's unit; for means only.
    pub pull: Option<f64>,
    /// What it had on the day.
    pub before: Option<f64>,
    /// How its value changed since.
    pub change: Option<f64>,
    /// The share of what was missing to the target on the day that its change made good.
    pub way: Option<f64>,
}

/// The towns side by side.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TownComparison {
    /// The indicator.
    pub indicator: String,
    /// The plan by whose target it is judged; null when it is of none.
    pub plan: Option<String>,
    /// How the city's value follows from those of the towns.
    pub aggregation: words::TownAggregation,
    /// Today in the city: by the towns of this day all values are told, also those of before.
    pub day: String,
    /// The city's value.
    pub value: Option<f64>,
    /// The target that must be reached.
    pub target: f64,
    /// The sum or mean of the towns' values.
    pub total: Option<f64>,
    /// The city's value less that; null when they agree, or one of them is not there.
    pub difference: Option<f64>,
    /// The day with which they are compared: its end.
    pub since: Option<String>,
    /// Whether it is known what they had then.
    pub history: TownHistory,
    /// The sum or mean of the towns' values then.
    pub total_before: Option<f64>,
    /// How that changed since.
    pub change: Option<f64>,
    /// The share of what was missing to the target then that all towns together made good.
    pub way: Option<f64>,
    /// Every town, the best first; those without a value last.
    pub towns: Vec<ComparedTown>,
    /// Codes that the city does not know.
    pub unknown: Vec<UnknownTown>,
    /// The value of what the query gives without a code.
    pub without_town: Option<f64>,
}

/// What is compared.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ComparisonQuery {
    /// The id of a plan; the one that holds today when left out.
    pub plan: Option<String>,
    /// Since which day, `YYYY-MM-DD`: what the towns had at its end is told beside what they have now.
    pub since: Option<String>,
}

/// The towns of an indicator side by side: each one's part of the city's figure, and what its change since a day did for the way to the target.
#[utoipa::path(get, path = "/api/v1/plan/indicators/{id}/towns", tag = "plan", security(("session" = ["indicator.read"])),
    params(("id" = String, Path), ComparisonQuery),
    responses((status = 200, body = TownComparison), (status = 400, body = crate::error::ProblemBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn compare(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ComparisonQuery>,
) -> Answer<Json<TownComparison>> {
    let all = app.plan.plans();
    let (d, plan) = plans::goal(&app, &all, &id, query.plan.as_deref())?;
    if d.towns == Towns::None {
        return Err(ApiError::both(
            StatusCode::NOT_FOUND,
            "indicator-no-towns",
            [
                "这项指标不按镇街计算",
                "the indicator does not follow from towns",
            ],
            ["指标", "indicator"],
            [
                "在指标文件中写明 towns: sum 或 mean，并给出按镇街的查询",
                "say towns: sum or mean in its file, and add the query of the towns",
            ],
        ));
    }
    let today = app.plan.day(app.now());
    let since = query.since.as_deref().map(|text| day(text, today));
    let since = since.transpose()?;
    let value = app.plan.value_of(&id);
    let now = app.by_town(&d, &d.towns_sql, today).await?;
    let (history, before) = app.by_town_on(&d, since, today).await?;
    let figures: Vec<TownFigures> = (app.city.towns_on(today))
        .map(|town| TownFigures {
            value: now.value(&d, &town.code),
            before: before.as_ref().and_then(|b| b.value(&d, &town.code)),
        })
        .collect();
    let found = d.compare_towns(value, &figures);
    let values = app.told(&d, now, value, today);
    let parts = found.towns.iter().zip(&figures);
    let mut towns: Vec<ComparedTown> = (values.towns.into_iter().zip(parts))
        .map(|(town, (part, figures))| ComparedTown {
            town,
            rank: part.rank,
            share: part.share,
            pull: part.pull,
            before: figures.before,
            change: part.change,
            way: part.way,
        })
        .collect();
    // Towns of one place stay in the order of their codes.
    towns.sort_by_key(|town| town.rank.unwrap_or(usize::MAX));
    Ok(Json(TownComparison {
        indicator: id,
        plan: plan.map(|plan| plan.plan.id.clone()),
        aggregation: values.aggregation,
        day: today.to_string(),
        value,
        target: d.target.edge(d.direction),
        total: values.total,
        difference: values.difference,
        since: since.map(|day| day.to_string()),
        history,
        total_before: found.before,
        change: found.change,
        way: found.way,
        towns,
        unknown: values.unknown,
        without_town: values.without_town,
    }))
}

/// Reads a day that is over.
fn day(text: &str, today: Date) -> Answer<Date> {
    let found = text.parse::<Date>().ok().filter(|day| *day < today);
    found.ok_or_else(|| {
        let text = quote(text);
        ApiError::told(
            StatusCode::BAD_REQUEST,
            Told::new(
                "town-since",
                both(
                    format!("“{text}”不是已经过去的日期"),
                    format!("\"{text}\" is no day that is over"),
                ),
                both("起算日（since）", "since"),
                both(
                    format!("请写早于 {today} 的日期，如 2025-12-31"),
                    format!("write a day before {today}, such as 2025-12-31"),
                ),
            ),
        )
    })
}

/// A value under the code of a town that was merged.
struct Part {
    code: String,
    value: f64,
}

/// What a query gives, by the towns of a day.
#[derive(Default)]
struct Found {
    /// Under the towns' own codes.
    own: BTreeMap<String, f64>,
    /// Under those of towns merged into them, by the code of the town.
    merged: BTreeMap<String, Vec<Part>>,
    /// Under codes that the city does not know.
    unknown: BTreeMap<String, f64>,
    /// Under none.
    without: Option<f64>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.own.is_empty()
            && self.merged.is_empty()
            && self.unknown.is_empty()
            && self.without.is_none()
    }

    /// A town's value with that of those merged into it: their sum, or for a mean their mean, as it is one town now.
    fn value(&self, d: &Definition, code: &str) -> Option<f64> {
        let merged = self.merged.get(code).into_iter().flatten();
        let own = self.own.get(code).copied();
        d.of_towns(own.into_iter().chain(merged.map(|part| part.value)))
    }
}

/// What a query reads, when that is the current values of things alone.
pub(crate) fn reads_things_alone(sql: &str) -> Option<lake::Reads> {
    let reads = lake::reads(sql).ok()?;
    (reads.tables.len() == 1 && reads.tables.contains_key(ENTITIES_NOW)).then_some(reads)
}

/// The query over other rows in place of the current values: those of the statement `rows`, which may read the current values itself.
/// `None` when the query's form leaves no room for it.
pub(crate) fn over(rows: &str, sql: &str) -> Option<String> {
    let instead = format!("WITH {ENTITIES_NOW} AS ({rows})");
    // What stands before the first word are remarks.
    let lines = sql.lines().skip_while(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with("--")
    });
    let body = lines.collect::<Vec<_>>().join("\n");
    let body = body.trim_start();
    let first = body.split_whitespace().next()?;
    if !first.eq_ignore_ascii_case("with") {
        return Some(format!("{instead}\n{body}"));
    }
    let names = body[first.len()..].trim_start();
    let is_recursive = names
        .get(.."recursive".len())
        .is_some_and(|word| word.eq_ignore_ascii_case("recursive"));
    (!is_recursive).then(|| format!("{instead},\n{names}"))
}

/// The query over what was kept by a moment instead of current values; `None` when it reads anything else.
fn as_of(sql: &str, moment: jiff::Timestamp) -> Option<String> {
    let reads = reads_things_alone(sql).filter(|reads| !reads.clock)?;
    let types = reads.tables.into_values().next()?;
    let of_types = types.map_or_else(String::new, |types| {
        format!(" AND entity_type IN ({})", texts(&types))
    });
    let kept = format!(
        "SELECT {ENTITIES_NOW_COLUMNS} FROM (SELECT {ENTITIES_NOW_COLUMNS}, ROW_NUMBER() OVER \
         (PARTITION BY entity_id, attribute ORDER BY observed_at DESC, journal_position DESC) AS from_newest \
         FROM observations WHERE observed_at < TIMESTAMP '{moment}'{of_types}) AS kept WHERE from_newest = 1"
    );
    over(&kept, sql)
}

/// Texts as a list of SQL.
pub(crate) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let quoted = texts
        .into_iter()
        .map(|text| format!("'{}'", text.as_ref().replace('\'', "''")));
    quoted.collect::<Vec<_>>().join(", ")
}

/// What mends a code that the city does not know.
fn mend(code: &str, day: Date) -> Both {
    let code = quote(code);
    both(
        format!(
            "{day}的区划里没有{code}：核对数据里的镇街代码；如是已撤并的镇街，在城市配置的 {SUCCESSIONS} 写明并入哪里、从哪天起"
        ),
        format!(
            "{code} is in no division of {day}: check the town's code in the data; if the town was merged, say in {SUCCESSIONS} of the city \
             profile into which and from which day"
        ),
    )
}

impl App {
    /// How an indicator stands in the towns; `None` when it does not follow from them.
    ///
    /// # Errors
    /// Whatever the query tells; `indicator-towns` when it gives a town twice, or something that is no number.
    pub(crate) async fn town_values(
        &self,
        d: &Definition,
        value: Option<f64>,
    ) -> Answer<Option<TownValues>> {
        if d.towns == Towns::None {
            return Ok(None);
        }
        let today = self.plan.day(self.now());
        let found = self.by_town(d, &d.towns_sql, today).await?;
        Ok(Some(self.told(d, found, value, today)))
    }

    /// What was found, by the towns of a day.
    fn told(&self, d: &Definition, found: Found, value: Option<f64>, today: Date) -> TownValues {
        let merged = |part: &Part| match self.city.division(&part.code, today) {
            Division::Former { was, .. } => Some(MergedTown {
                code: part.code.clone(),
                name: was.name.clone(),
                into_name: self
                    .city
                    .town_name(&was.into)
                    .unwrap_or_default()
                    .to_owned(),
                on: was.on.to_string(),
                value: part.value,
            }),
            Division::Town(_) | Division::Unknown => None,
        };
        let towns: Vec<TownValue> = (self.city.towns_on(today))
            .map(|town| TownValue {
                code: town.code.clone(),
                name: town.name.clone(),
                value: found.value(d, &town.code),
                merged: (found.merged.get(&town.code).into_iter().flatten())
                    .filter_map(merged)
                    .collect(),
            })
            .collect();
        let total = d.of_towns(towns.iter().filter_map(|town| town.value));
        let difference = value.zip(total).map(|(value, total)| value - total);
        let difference = difference.filter(|d| d.abs() > ROUNDING * value.unwrap_or(1.0).abs());
        let unknown = found.unknown.into_iter().map(|(code, value)| {
            let Both { zh, en } = mend(&code, today);
            UnknownTown {
                code,
                value,
                mend_zh: zh,
                mend_en: en,
            }
        });
        TownValues {
            aggregation: d.towns.into(),
            towns,
            total,
            difference,
            unknown: unknown.collect(),
            without_town: found.without,
        }
    }

    /// What the towns had at the end of a day, and whether that is known.
    async fn by_town_on(
        &self,
        d: &Definition,
        since: Option<Date>,
        today: Date,
    ) -> Answer<(TownHistory, Option<Found>)> {
        let Some(moment) = since.and_then(|day| self.plan.end_of(day)) else {
            return Ok((TownHistory::NotAsked, None));
        };
        let Some(sql) = as_of(&d.towns_sql, moment) else {
            return Ok((TownHistory::NotKept, None));
        };
        let found = self.by_town(d, &sql, today).await?;
        if found.is_empty() {
            return Ok((TownHistory::Nothing, None));
        }
        Ok((TownHistory::Known, Some(found)))
    }

    /// Asks a query of the towns, and puts each row where its code belongs on a day.
    async fn by_town(&self, d: &Definition, sql: &str, day: Date) -> Answer<Found> {
        let rows = crate::sql::answer(self, sql, self.tables.clone()).await?;
        let place = format!("{}:{}", d.file, d.towns_sql_line);
        let wrong = |what: String, mend: &str| {
            ApiError::invalid(Problem::new("indicator-towns", what, place.clone(), mend))
        };
        let mut found = Found::default();
        for row in &rows.rows {
            let nothing = Value::Null;
            let code = match row.get("town_code").unwrap_or(&nothing) {
                Value::Null => String::new(),
                Value::String(code) => code.trim().to_owned(),
                Value::Number(code) if code.is_u64() => code.to_string(),
                other => {
                    let what = format!("the query of the towns gives {other} as a town's code");
                    return Err(wrong(what, "give the code as text"));
                }
            };
            let cell = row.get("value").unwrap_or(&nothing);
            let value = match cell.as_f64() {
                Some(value) => value,
                None if cell.is_null() => continue,
                None => {
                    let what = format!("the query of the towns gives {cell} for {code}");
                    return Err(wrong(what, "give a number: CAST(… AS DOUBLE)"));
                }
            };
            let twice = match self.city.division(&code, day) {
                _ if code.is_empty() => found.without.replace(value).is_some(),
                Division::Town(town) => found.own.insert(town.code.clone(), value).is_some(),
                Division::Unknown => found.unknown.insert(code.clone(), value).is_some(),
                Division::Former { town, .. } => {
                    let parts = found.merged.entry(town.code.clone()).or_default();
                    let twice = parts.iter().any(|part| part.code == code);
                    parts.push(Part {
                        code: code.clone(),
                        value,
                    });
                    twice
                }
            };
            if twice {
                let what = match code.is_empty() {
                    true => "the query of the towns gives no code twice".to_owned(),
                    false => format!("the query of the towns gives {code} twice"),
                };
                return Err(wrong(what, "GROUP BY town_code"));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_of_current_values_can_be_asked_of_a_day_that_is_over() {
        let moment: jiff::Timestamp = "2025-12-31T16:00:00Z".parse().unwrap();
        let sql = as_of(
            "-- remark\nSELECT town_code, COUNT(*) AS value FROM entities_now WHERE entity_type IN ('A', 'B')",
            moment,
        );
        let sql = sql.unwrap();
        assert!(sql.starts_with("WITH entities_now AS ("), "{sql}");
        assert!(sql.contains(
            "observed_at < TIMESTAMP '2025-12-31T16:00:00Z' AND entity_type IN ('A', 'B')"
        ));
        assert!(sql.contains(")\nSELECT town_code,"), "{sql}");
        let sql = as_of(
            "WITH heard AS (SELECT 1 AS value FROM entities_now) SELECT '1' AS town_code, value FROM heard",
            moment,
        );
        let sql = sql.unwrap();
        assert!(
            !sql.contains("entity_type IN") && sql.contains("),\nheard AS ("),
            "{sql}"
        );
        for other in [
            "SELECT town_code, 1 AS value FROM devices",
            "SELECT town_code, 1 AS value FROM entities_now JOIN devices ON true",
            "SELECT town_code, 1 AS value FROM entities_now WHERE observed_at > now()",
            "SELECT '1' AS town_code, 1 AS value",
            "SELECT (",
        ] {
            assert_eq!(as_of(other, moment), None, "{other}");
        }
    }

    #[test]
    fn only_a_day_that_is_over_is_compared_with() {
        let today = jiff::civil::date(2026, 11, 28);
        assert_eq!(day("2026-11-27", today).unwrap().to_string(), "2026-11-27");
        for text in ["2026-11-28", "2027-01-01", "yesterday", ""] {
            let refused = day(text, today).unwrap_err();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{text}");
        }
    }
}
