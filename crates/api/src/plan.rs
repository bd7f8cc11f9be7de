//! The plan: every indicator measured by its query over the platform's own data, or reported by a person
//! with evidence ([`crate::plan_reports`]); where it should stand by now, and the rows behind the figure. A city may have several
//! plans side by side ([`crate::plans`]): an indicator is measured once, and each plan wants of it what it wants.

use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::plan_outlook::{AssessmentBody, ForecastBody, ForecastMissing};
use crate::plan_proof::{ROWS_SHOWN_MAX, RowLead, leads};
use crate::plan_report_files::FileBody;
use crate::plan_towns::TownValues;
use crate::plans::{PlanOfIndicator, PlanQuery};
use crate::{plan_measure, plans, words};
use axum::Json;
use axum::extract::{Path, Query, State};
use indicators::{Definition, Method};
use lake::ColumnKind;
use model::{Problem, Timestamp};
use pack::{CityPlan, Packs};
use parking_lot::RwLock;
use records::filing_files::{self, FilingFile};
use records::indicators::IndicatorReport;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use utoipa::ToSchema;

/// Most points of an indicator's history given at once.
const HISTORY_POINTS_MAX: u32 = 2_000;

/// Columns of the SQL table `indicators`.
pub const TABLE_COLUMNS: [(&str, ColumnKind); 13] = [
    ("id", ColumnKind::Text),
    ("number", ColumnKind::Text),
    ("name_zh", ColumnKind::Text),
    ("name_en", ColumnKind::Text),
    ("unit", ColumnKind::Text),
    ("baseline", ColumnKind::Number),
    ("baseline_year", ColumnKind::Integer),
    ("target", ColumnKind::Number),
    ("target_year", ColumnKind::Integer),
    ("method", ColumnKind::Text),
    ("value", ColumnKind::Number),
    ("measured_at", ColumnKind::Time),
    ("status", ColumnKind::Text),
];

/// What an indicator's query gave last.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The value; `None` when the query gave none.
    pub value: Option<f64>,
    /// When.
    pub at: Timestamp,
    /// Why the query failed, if it did.
    pub problem: Option<Problem>,
}

/// The plan's definitions and what was last measured.
pub struct Plan {
    /// A reload of the packs changes them.
    definitions: RwLock<Vec<Arc<Definition>>>,
    /// The plans to which they belong; changed with them.
    plans: RwLock<Arc<Vec<CityPlan>>>,
    measured: RwLock<HashMap<String, Measured>>,
    /// How often the definitions were changed.
    version: AtomicU64,
    /// How many measurements were made since the start.
    pub measurements: AtomicU64,
    /// What must be measured again, and why.
    pub(crate) watch: plan_measure::Watching,
    zone: jiff::tz::TimeZone,
}

impl Plan {
    /// Over the indicators and plans of packs; days are judged in the city's zone.
    pub fn new(packs: &Packs, zone: &str) -> Self {
        let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let definitions = packs.indicators.iter().cloned();
        Self {
            definitions: RwLock::new(definitions.map(Arc::new).collect()),
            plans: RwLock::new(Arc::new(packs.plans.clone())),
            measured: RwLock::default(),
            version: AtomicU64::new(0),
            measurements: AtomicU64::new(0),
            watch: plan_measure::Watching::default(),
            zone,
        }
    }

    /// The definitions that hold now.
    pub fn definitions(&self) -> Vec<Arc<Definition>> {
        self.definitions.read().clone()
    }

    /// Those of these packs hold from now on. What was measured by a definition that says something else, or is gone, is forgotten;
    /// its history stays.
    pub fn set_packs(&self, packs: &Packs) {
        let definitions = packs.indicators.clone();
        *self.plans.write() = Arc::new(packs.plans.clone());
        let mut held = self.definitions.write();
        let mut measured = self.measured.write();
        measured.retain(|id, _| {
            let of = |d: &&Definition| d.id == *id;
            let before = held.iter().map(Arc::as_ref).find(of);
            let after = definitions.iter().find(of);
            after.is_some() && before.map(|d| &d.sql) == after.map(|d| &d.sql)
        });
        *held = definitions.into_iter().map(Arc::new).collect();
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// Another number after each change of the definitions.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Keeps what was measured; gives what was measured before.
    pub(crate) fn put(&self, id: &str, measured: Measured) -> Option<Measured> {
        self.measured.write().insert(id.to_owned(), measured)
    }

    /// The definition of that id.
    pub fn definition(&self, id: &str) -> Option<Arc<Definition>> {
        let held = self.definitions.read();
        held.iter().find(|d| d.id == id).cloned()
    }

    /// The plans, in the order in which they end.
    pub fn plans(&self) -> Arc<Vec<CityPlan>> {
        self.plans.read().clone()
    }

    /// The indicator of that id as a plan wants it: the one that holds on the day, else the newest that has it; as its own file says where
    /// none does.
    pub fn reading(&self, id: &str, day: jiff::civil::Date) -> Option<Arc<Definition>> {
        let goal = reading(&self.plans(), id, day).cloned();
        goal.or_else(|| self.definition(id))
    }

    /// What an indicator was last measured as.
    pub(crate) fn value_of(&self, id: &str) -> Option<f64> {
        self.measured.read().get(id).and_then(|m| m.value)
    }

    /// The calendar day in the city.
    pub fn day(&self, at: Timestamp) -> jiff::civil::Date {
        self.zone
            .to_datetime(
                jiff::Timestamp::from_microsecond(at.micros())
                    .unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            )
            .date()
    }

    /// The moment at which a day ends in the city.
    pub(crate) fn end_of(&self, day: jiff::civil::Date) -> Option<jiff::Timestamp> {
        let next = day.tomorrow().ok()?;
        let start = next.to_datetime(jiff::civil::Time::midnight());
        self.zone.to_timestamp(start).ok()
    }

    /// Measures every indicator over a lake, without keeping or telling anything.
    pub async fn measure_all(
        &self,
        lake: &lake::Lake,
        limits: &lake::Limits,
        tables: Arc<crate::tables::CityTables>,
        catalogue: &model::Catalogue,
        at: Timestamp,
    ) {
        for definition in self.definitions() {
            let tables = tables.clone();
            let measured =
                plan_measure::query(lake, limits, tables, catalogue, &definition, at).await;
            self.put(&definition.id, measured);
        }
    }

    /// Every indicator with how it stands on a moment's day, by the plan that holds then where that has it.
    pub fn standing(&self, now: Timestamp) -> Vec<(Arc<Definition>, indicators::Status)> {
        let day = self.day(now);
        let definitions = self.definitions().into_iter();
        self.judged(definitions.filter_map(|d| self.reading(&d.id, day)), day)
    }

    /// The indicators of the plan that holds on a moment's day, with how they stand; every one where there is no plan.
    pub fn standing_of_plan(&self, now: Timestamp) -> Vec<(Arc<Definition>, indicators::Status)> {
        let (plans, day) = (self.plans(), self.day(now));
        match pack::plans::on(&plans, day) {
            Some(plan) => self.judged(plan.goals.iter().cloned(), day),
            None => self.standing(now),
        }
    }

    fn judged(
        &self,
        all: impl Iterator<Item = Arc<Definition>>,
        day: jiff::civil::Date,
    ) -> Vec<(Arc<Definition>, indicators::Status)> {
        let all: Vec<Arc<Definition>> = all.collect();
        let measured = self.measured.read();
        let of = |d: &Definition| d.status(measured.get(&d.id).and_then(|m| m.value), day);
        let all = all.into_iter().map(|d| {
            let status = of(&d);
            (d, status)
        });
        all.collect()
    }

    /// The rows of the SQL table `indicators`: each by the plan that held on the day on which it was measured.
    pub fn table_rows(&self) -> Vec<Vec<Value>> {
        let (definitions, plans) = (self.definitions(), self.plans());
        let measured = self.measured.read();
        definitions
            .iter()
            .map(|d| {
                let m = measured.get(&d.id);
                let by_plan = m.and_then(|m| reading(&plans, &d.id, self.day(m.at)));
                let d = by_plan.unwrap_or(d);
                let value = m.and_then(|m| m.value);
                let status = m.map_or("unknown", |m| d.status(m.value, self.day(m.at)).as_str());
                vec![
                    json!(d.id),
                    json!(d.number),
                    json!(d.name_zh),
                    json!(d.name_en),
                    json!(d.unit_zh),
                    json!(d.baseline),
                    json!(d.baseline_year),
                    json!(d.target.edge(d.direction)),
                    json!(d.target_year),
                    json!(method(d)),
                    json!(value),
                    json!(m.map(|m| m.at.to_string())),
                    json!(status),
                ]
            })
            .collect()
    }
}

/// An indicator as the plan that holds on the day wants it, else as the newest that has it does.
fn reading<'a>(
    plans: &'a [CityPlan],
    id: &str,
    day: jiff::civil::Date,
) -> Option<&'a Arc<Definition>> {
    let holding = pack::plans::on(plans, day).and_then(|plan| plan.goal(id));
    let newest = || plans.iter().rev().find_map(|plan| plan.goal(id));
    holding.or_else(newest)
}

const fn method(definition: &Definition) -> &'static str {
    match definition.method {
        Method::Computed => "computed",
        Method::Reported => "reported",
    }
}

impl App {
    /// How an indicator stands now, by a definition of it.
    pub(crate) fn status_of(&self, d: &Definition) -> indicators::Status {
        d.status(self.plan.value_of(&d.id), self.plan.day(self.now()))
    }

    fn indicator(
        &self,
        d: &Definition,
        plan: Option<&CityPlan>,
        reports: &HashMap<String, Latest>,
    ) -> IndicatorBody {
        let now = self.now();
        let measured = self.plan.measured.read().get(&d.id).cloned();
        let value = measured.as_ref().and_then(|m| m.value);
        let day = self.plan.day(now);
        IndicatorBody {
            id: d.id.clone(),
            plan: plan.map(|plan| plan.plan.id.clone()),
            number: d.number.clone(),
            origin: d.origin.into(),
            group_zh: d.group_zh.clone(),
            group_en: d.group_en.clone(),
            subgroup_zh: d.subgroup_zh.clone(),
            subgroup_en: d.subgroup_en.clone(),
            name_zh: d.name_zh.clone(),
            name_en: d.name_en.clone(),
            unit_zh: d.unit_zh.clone(),
            unit_en: d.unit_en.clone(),
            baseline: d.baseline,
            baseline_year: d.baseline_year,
            target: d.target.edge(d.direction),
            target_low: d.target.low,
            target_high: d.target.high,
            target_year: d.target_year,
            direction: d.direction.into(),
            method: d.method.into(),
            value,
            measured_at: measured.as_ref().map(|m| m.at.to_string()),
            problem: measured.and_then(|m| m.problem).map(Into::into),
            expected_now: d.expected(day),
            status: d.status(value, day).into(),
            source_zh: d.source_zh.clone(),
            source_en: d.source_en.clone(),
            reported: reports.get(&d.id).map(Into::into),
            plan_places: d.places.iter().map(Into::into).collect(),
            contradictions: plan
                .iter()
                .flat_map(|plan| &plan.contradictions)
                .filter(|c| c.indicators.contains(&d.id))
                .map(|c| c.id.clone())
                .collect(),
            responsible: d.responsible.clone(),
        }
    }

    async fn latest_reports(&self) -> Answer<HashMap<String, Latest>> {
        let mut connection = self.records.read().await?;
        let reports = records::indicators::latest_reports(&mut connection).await?;
        let mut all = filing_files::of_reports(&mut connection).await?;
        let latest = reports.into_iter().map(|report| {
            let files = report.filing_id.and_then(|id| all.remove(&id));
            let files = files.unwrap_or_default();
            (report.indicator_id.clone(), Latest { report, files })
        });
        Ok(latest.collect())
    }
}

/// The figure of an indicator that was reported and approved, with the files that prove it.
struct Latest {
    report: IndicatorReport,
    files: Vec<FilingFile>,
}

impl From<&Latest> for ReportBody {
    fn from(Latest { report, files }: &Latest) -> Self {
        Self {
            value: report.value,
            by: report.reported_by.clone(),
            at: report.at.to_string(),
            period: report.period.clone(),
            evidence: report.evidence.clone(),
            note: report.note.clone(),
            filing_id: report.filing_id,
            files: files.iter().cloned().map(Into::into).collect(),
        }
    }
}

/// Who reported a figure, when, and with what evidence.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IndicatorReport)]
pub struct ReportBody {
    /// The figure.
    pub value: f64,
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// For which period.
    pub period: String,
    /// With what evidence.
    pub evidence: String,
    /// More.
    pub note: Option<String>,
    /// The number of the report, whose way and files it went with.
    pub filing_id: Option<i64>,
    /// The files that prove it.
    pub files: Vec<FileBody>,
}

/// A place in the plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanPlace {
    /// The section, as the plan numbers it.
    pub section: String,
    /// The plan's words.
    pub quote: String,
}

impl From<&indicators::Place> for PlanPlace {
    fn from(place: &indicators::Place) -> Self {
        Self {
            section: place.section.clone(),
            quote: place.quote.clone(),
        }
    }
}

/// A place where the plan contradicts itself, makes no sense for such a city, or can be read in two ways.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Contradiction)]
pub struct ContradictionBody {
    /// Stable id.
    pub id: String,
    /// Which of the three.
    pub kind: words::ContradictionKind,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// How the platform reads it, in Chinese.
    pub reading_zh: String,
    /// How the platform reads it, in English.
    pub reading_en: String,
    /// Ids of the indicators it touches.
    pub indicators: Vec<String>,
    /// The plan's own words.
    pub places: Vec<PlanPlace>,
}

impl From<&pack::Contradiction> for ContradictionBody {
    fn from(c: &pack::Contradiction) -> Self {
        Self {
            id: c.id.clone(),
            kind: c.kind.into(),
            zh: c.zh.clone(),
            en: c.en.clone(),
            reading_zh: c.reading_zh.clone(),
            reading_en: c.reading_en.clone(),
            indicators: c.indicators.clone(),
            places: c.places.iter().map(Into::into).collect(),
        }
    }
}

/// Where an indicator should stand at the end of a year.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PathPoint {
    /// The year.
    pub year: i16,
    /// The value by its end.
    pub expected: f64,
}

/// A value once measured.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeasuredPoint {
    /// When.
    pub at: String,
    /// The value; null when there was none.
    pub value: Option<f64>,
}

/// An indicator of the plan (规划指标).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Indicator)]
pub struct IndicatorBody {
    /// Short id.
    pub id: String,
    /// The plan that wants of it what is told here; null when it is of none.
    pub plan: Option<String>,
    /// Its number in the plan's table, or where in the text.
    pub number: String,
    /// Where the goal is from.
    pub origin: words::Origin,
    /// First-level group.
    pub group_zh: String,
    /// First-level group.
    pub group_en: String,
    /// Second-level group.
    pub subgroup_zh: String,
    /// Second-level group.
    pub subgroup_en: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
    /// Unit in Chinese.
    pub unit_zh: String,
    /// Unit in English.
    pub unit_en: String,
    /// Value in the baseline year; `None` where the plan gives none.
    pub baseline: Option<f64>,
    /// The baseline year.
    pub baseline_year: i16,
    /// The target that must be reached.
    pub target: f64,
    /// Lower end of the target.
    pub target_low: f64,
    /// Upper end of the target.
    pub target_high: f64,
    /// The target year.
    pub target_year: i16,
    /// Whether more or less is better.
    pub direction: words::Direction,
    /// How its value comes about.
    pub method: words::Method,
    /// The value now.
    pub value: Option<f64>,
    /// When it was measured.
    pub measured_at: Option<String>,
    /// Why it could not be measured, if it could not.
    pub problem: Option<crate::dead_letters::ProblemDetail>,
    /// Where it should stand today on the path from baseline to target.
    pub expected_now: Option<f64>,
    /// How it stands.
    pub status: words::IndicatorStatus,
    /// Where the figure comes from, in Chinese.
    pub source_zh: String,
    /// Where the figure comes from, in English.
    pub source_en: String,
    /// The figure that a person reported and all levels approved, of the newest period.
    pub reported: Option<ReportBody>,
    /// The plan's own words.
    pub plan_places: Vec<PlanPlace>,
    /// Ids of the contradictions that touch it.
    pub contradictions: Vec<String>,
    /// The organisation that answers for it.
    pub responsible: Option<String>,
}

/// The whole plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub struct PlanBody {
    /// Short id.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Who published it and when.
    pub source_zh: String,
    /// Who published it and when.
    pub source_en: String,
    /// First and last year.
    pub period: [i16; 2],
    /// How the plan was read.
    pub notes_zh: Vec<String>,
    /// How the plan was read.
    pub notes_en: Vec<String>,
    /// All indicators.
    pub indicators: Vec<IndicatorBody>,
    /// Where the plan contradicts itself.
    pub contradictions: Vec<ContradictionBody>,
}

/// A plan with every indicator as it stands now: the one that holds today, unless another is asked for.
#[utoipa::path(get, path = "/api/v1/plan", tag = "plan", security(("session" = ["indicator.read"])), params(PlanQuery),
    responses((status = 200, body = PlanBody), (status = 404, body = crate::error::ProblemBody)))]
pub async fn plan(
    State(app): State<App>,
    Query(query): Query<PlanQuery>,
) -> Answer<Json<PlanBody>> {
    whole(&app, query.plan.as_deref()).await.map(Json)
}

/// The plan of that id, or the one that holds today, with every indicator.
pub(crate) async fn whole(app: &App, asked: Option<&str>) -> Answer<PlanBody> {
    let plans = app.plan.plans();
    let chosen = plans::chosen(app, &plans, asked)?;
    let chosen = chosen.ok_or_else(|| ApiError::not_found("plan", "any"))?;
    let reports = app.latest_reports().await?;
    let plan = &chosen.plan;
    Ok(PlanBody {
        id: plan.id.clone(),
        title_zh: plan.title_zh.clone(),
        title_en: plan.title_en.clone(),
        source_zh: plan.source_zh.clone(),
        source_en: plan.source_en.clone(),
        period: plan.period,
        notes_zh: plan.notes_zh.clone(),
        notes_en: plan.notes_en.clone(),
        indicators: chosen
            .goals
            .iter()
            .map(|d| app.indicator(d, Some(chosen), &reports))
            .collect(),
        contradictions: chosen.contradictions.iter().map(Into::into).collect(),
    })
}

/// One indicator with its path, its history and the rows behind it.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorDetail {
    /// The indicator.
    #[serde(flatten)]
    pub indicator: IndicatorBody,
    /// The query that measures it.
    pub sql: String,
    /// The query of the rows behind it.
    pub rows_sql: String,
    /// The expected value at the end of each year.
    pub path: Vec<PathPoint>,
    /// Values measured so far.
    pub history: Vec<MeasuredPoint>,
    /// The rows behind the value.
    pub rows: Option<crate::sql::SqlAnswer>,
    /// Which of their columns lead further: to the stored message, the thing, the record that a person made.
    pub leads: Vec<RowLead>,
    /// Where it goes by the end of its target year; null when that is over, or `forecast_missing` says why.
    pub forecast: Option<ForecastBody>,
    /// Why there is no forecast while the target year is not over.
    pub forecast_missing: Option<ForecastMissing>,
    /// What came of it; null while the target year is not over.
    pub assessment: Option<AssessmentBody>,
    /// How it stands in the towns; null when it does not follow from them.
    pub towns: Option<TownValues>,
    /// What the city's other plans want of it.
    pub also_in: Vec<PlanOfIndicator>,
}

/// One indicator with its path, its history and the rows behind it, by the plan that holds today where that has it, unless another is asked for.
#[utoipa::path(get, path = "/api/v1/plan/indicators/{id}", tag = "plan", security(("session" = ["indicator.read"])),
    params(("id" = String, Path), PlanQuery),
    responses((status = 200, body = IndicatorDetail), (status = 404, body = crate::error::ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<PlanQuery>,
) -> Answer<Json<IndicatorDetail>> {
    detail(&app, &id, query.plan.as_deref()).await.map(Json)
}

async fn detail(app: &App, id: &str, asked: Option<&str>) -> Answer<IndicatorDetail> {
    let plans = app.plan.plans();
    let (d, plan) = plans::goal(app, &plans, id, asked)?;
    let reports = app.latest_reports().await?;
    let mut connection = app.records.read().await?;
    let values = records::indicators::values(
        &mut connection,
        id,
        Timestamp::from_micros(0),
        HISTORY_POINTS_MAX,
    )
    .await?;
    drop(connection);
    let rows = if d.rows_sql.trim().is_empty() {
        None
    } else {
        let mut rows = crate::sql::answer(app, &d.rows_sql, app.tables.clone()).await?;
        rows.truncated |= rows.rows.len() > ROWS_SHOWN_MAX;
        rows.rows.truncate(ROWS_SHOWN_MAX);
        Some(rows)
    };
    let columns = rows.iter().flat_map(|rows| &rows.columns);
    let leads = leads(columns.map(|column| column.name.as_str()));
    let indicator = app.indicator(&d, plan, &reports);
    let ahead = app.ahead(&d, &values, indicator.value).await?;
    let towns = app.town_values(&d, indicator.value).await?;
    Ok(IndicatorDetail {
        indicator,
        forecast: ahead.forecast,
        forecast_missing: ahead.missing,
        assessment: ahead.assessment,
        towns,
        also_in: plans::others(app, &plans, id, plan),
        sql: d.sql.clone(),
        rows_sql: d.rows_sql.clone(),
        path: d
            .yearly_path()
            .into_iter()
            .map(|(year, expected)| PathPoint { year, expected })
            .collect(),
        history: values
            .into_iter()
            .map(|v| MeasuredPoint {
                at: v.at.to_string(),
                value: v.value,
            })
            .collect(),
        rows,
        leads,
    })
}
