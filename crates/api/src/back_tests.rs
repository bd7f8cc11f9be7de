//! Back-tests of rules (规则回测): before a rule is switched on, what it would have raised over a past period. The work goes on behind
//! the answer; whoever began it asks for it by its number.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::personal::Looking;
use crate::rule_history::{Source, back_test, read_rule};
use crate::sight::{Seeing, Sight};
use crate::words::Severity;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::PrincipalId;
use model::{Problem, Timestamp};
use parking_lot::Mutex;
use records::{Event, audit};
use rules::back_test::Report;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use utoipa::ToSchema;

/// What back-tests may use.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most back-tests at work at the same time. Default: 2.
    pub at_once_max: usize,
    /// Most results that are kept until they are asked for; the oldest goes first. Default: 32.
    pub kept_max: usize,
    /// Longest period, in days. Default: 366.
    pub days_max: u32,
    /// Longest text of a rule, in bytes. Default: 65,536.
    pub text_bytes_max: usize,
    /// Limits of what is looked at and listed.
    pub limits: rules::back_test::Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            at_once_max: 2,
            kept_max: 32,
            days_max: 366,
            text_bytes_max: 65_536,
            limits: rules::back_test::Limits::default(),
        }
    }
}

/// What is to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackTestRequest {
    /// A rule in force, by its id.
    #[serde(default)]
    pub rule_id: Option<String>,
    /// Or a rule's text, in TOML.
    #[serde(default)]
    pub text: Option<String>,
    /// From when (RFC 3339).
    pub from: String,
    /// Until when (RFC 3339), exclusive.
    pub until: String,
}

/// How far a back-test is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackTestState {
    /// At work.
    #[default]
    Running,
    /// Done: there is a report.
    Done,
    /// It ended with problems.
    Failed,
}

/// A value that decided.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = DecidedValue)]
pub struct DecidedValue {
    /// What it is.
    pub name: String,
    /// The value.
    pub value: serde_json::Value,
    /// UN/CEFACT code of its unit.
    pub unit: Option<String>,
    /// When it was so.
    pub observed_at: Option<String>,
    /// Whose it is, when it is another entity's.
    pub entity_id: Option<String>,
}

/// An alert that would have been raised.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackTestAlert {
    /// The entity; the rule itself for a storm.
    pub entity_id: String,
    /// The entity's name now.
    pub entity_name: Option<String>,
    /// From when.
    pub from: String,
    /// Until when; null when it is up at the end of the period.
    pub until: Option<String>,
    /// How grave it is.
    #[schema(value_type = Severity)]
    pub severity: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The value that raised it.
    pub value: serde_json::Value,
    /// Whether it stands for many.
    pub is_storm: bool,
    /// The values that decided.
    pub decided: Vec<DecidedValue>,
}

/// A count by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackTestCount {
    /// A day (`2026-07-01`, the city's), or an entity's id.
    pub name: String,
    /// How many alerts.
    pub alerts: u64,
}

/// What would have been raised.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackTestReport {
    /// Observations looked at.
    pub observations: u64,
    /// Whether the limit of observations was reached before the period's end.
    pub is_cut: bool,
    /// Alerts, storms included.
    pub alerts: u64,
    /// Of them storms.
    pub storms: u64,
    /// Of them up at the end.
    pub open: u64,
    /// Alerts held back at the end.
    pub held_back: u64,
    /// Times that the rule could not be judged.
    pub failures: u64,
    /// What the first of them was.
    pub first_failure: Option<String>,
    /// By day.
    pub by_day: Vec<BackTestCount>,
    /// By entity, most alerts first; at most 100.
    pub by_entity: Vec<BackTestCount>,
    /// The alerts in order; at most `rules.back_test_alerts_max`.
    pub listed: Vec<BackTestAlert>,
}

/// Most entities that a report counts by name.
const ENTITIES_COUNTED_MAX: usize = 100;

impl BackTestReport {
    /// As the API and the command line tell it.
    pub fn new(report: Report, name_of: impl Fn(&model::EntityId) -> Option<String>) -> Self {
        let listed = report.listed.into_iter().map(|alert| BackTestAlert {
            entity_name: name_of(&alert.entity_id),
            entity_id: alert.entity_id.to_string(),
            from: alert.from.to_string(),
            until: alert.until.map(|at| at.to_string()),
            severity: alert.severity.to_owned(),
            title_zh: alert.title_zh,
            title_en: alert.title_en,
            value: alert.value.map_or(serde_json::Value::Null, |v| v.to_json()),
            is_storm: alert.is_storm,
            decided: alert.decided.into_iter().map(DecidedValue::from).collect(),
        });
        let count = |name: String, alerts: u64| BackTestCount { name, alerts };
        let mut by_entity: Vec<BackTestCount> = report
            .by_entity
            .into_iter()
            .map(|(id, alerts)| count(id.to_string(), alerts))
            .collect();
        by_entity.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.name.cmp(&b.name)));
        by_entity.truncate(ENTITIES_COUNTED_MAX);
        Self {
            observations: report.observations,
            is_cut: report.is_cut,
            alerts: report.alerts,
            storms: report.storms,
            open: report.open,
            held_back: report.held_back,
            failures: report.failures,
            first_failure: report.first_failure.map(|f| f.what),
            by_day: report
                .by_day
                .into_iter()
                .map(|(day, alerts)| count(day, alerts))
                .collect(),
            by_entity,
            listed: listed.collect(),
        }
    }
}

impl From<rules::NamedValue> for DecidedValue {
    fn from(named: rules::NamedValue) -> Self {
        Self {
            name: named.name,
            value: named.value.to_json(),
            unit: named.unit,
            observed_at: named.observed_at.map(|at| at.to_string()),
            entity_id: named.entity_id.map(|id| id.to_string()),
        }
    }
}

/// A back-test.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BackTest)]
pub struct BackTestBody {
    /// Its number.
    pub id: u64,
    /// The rule.
    pub rule_id: String,
    /// Its version.
    pub rule_version: u32,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// How far it is.
    pub state: BackTestState,
    /// Days done.
    pub days_done: u64,
    /// Days in all.
    pub days_total: u64,
    /// What would have been raised, when it is done.
    pub report: Option<BackTestReport>,
    /// What is wrong, when it failed.
    pub problems: Vec<crate::dead_letters::ProblemDetail>,
}

struct Job {
    owner: PrincipalId,
    rule_id: String,
    rule_version: u32,
    period: (Timestamp, Timestamp),
    done: AtomicU64,
    total: AtomicU64,
    is_wanted: AtomicBool,
    outcome: Mutex<Option<Result<Report, Vec<Problem>>>>,
}

/// The back-tests at work, and those that are done and not forgotten.
#[derive(Default)]
pub struct BackTests {
    jobs: Mutex<BTreeMap<u64, Arc<Job>>>,
    last: AtomicU64,
}

impl std::fmt::Debug for BackTests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackTests({})", self.jobs.lock().len())
    }
}

impl BackTests {
    fn begin(&self, job: Job, options: &Options) -> Answer<(u64, Arc<Job>)> {
        let mut jobs = self.jobs.lock();
        let running = jobs.values().filter(|job| job.outcome.lock().is_none());
        if running.count() >= options.at_once_max {
            return Err(ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                Problem::new(
                    "back-tests-busy",
                    format!("{} back-tests are at work", options.at_once_max),
                    "back-test",
                    "wait until one is done, or end it",
                ),
            ));
        }
        while jobs.len() >= options.kept_max.max(options.at_once_max) {
            let oldest = jobs
                .iter()
                .find(|(_, job)| job.outcome.lock().is_some())
                .map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            jobs.remove(&oldest);
        }
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let job = Arc::new(job);
        jobs.insert(id, Arc::clone(&job));
        Ok((id, job))
    }

    fn of(&self, id: u64, owner: PrincipalId) -> Answer<Arc<Job>> {
        let job = self.jobs.lock().get(&id).cloned();
        job.filter(|job| job.owner == owner)
            .ok_or_else(|| ApiError::not_found("back-test", id))
    }
}

fn body(app: &App, sight: &Sight, id: u64, job: &Job) -> BackTestBody {
    let (state, report, problems) = match &*job.outcome.lock() {
        None => (BackTestState::Running, None, Vec::new()),
        Some(Ok(report)) => (BackTestState::Done, Some(report.clone()), Vec::new()),
        Some(Err(problems)) => (BackTestState::Failed, None, problems.clone()),
    };
    let name_of = |id: &model::EntityId| {
        let entity = app.twin.get(id)?;
        let sees = sight.sees_series(id.as_str(), entity.entity_type.as_str(), "name");
        crate::entities::name_of(&entity).filter(|_| sees)
    };
    BackTestBody {
        id,
        rule_id: job.rule_id.clone(),
        rule_version: job.rule_version,
        from: job.period.0.to_string(),
        until: job.period.1.to_string(),
        state,
        days_done: job.done.load(Ordering::Relaxed),
        days_total: job.total.load(Ordering::Relaxed),
        report: report.map(|report| BackTestReport::new(report, name_of)),
        problems: problems.into_iter().map(Into::into).collect(),
    }
}

/// Begins a back-test over what the caller may see of history. The answer has its number; its progress and its report are asked for
/// under it.
#[utoipa::path(post, path = "/api/v1/rules/back-tests", tag = "rules", security(("session" = ["rule.manage"])), request_body = BackTestRequest,
    responses((status = 202, body = BackTestBody), (status = 400, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn begin(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Looking(look): Looking,
    peer: Peer,
    Json(request): Json<BackTestRequest>,
) -> Answer<(StatusCode, Json<BackTestBody>)> {
    let options = app.options.back_tests;
    let time = |text: &str| Timestamp::parse(text).map_err(ApiError::invalid);
    let period = (time(&request.from)?, time(&request.until)?);
    let days = period.1.micros_since(period.0) / 86_400_000_000;
    if period.0 >= period.1 || days > i64::from(options.days_max) {
        return Err(ApiError::invalid(Problem::new(
            "back-test-period",
            format!(
                "from {} to {} is no period of at most {} days",
                period.0, period.1, options.days_max
            ),
            "until",
            "give a from that lies before until",
        )));
    }
    let rules = rules_of(&app, &request, options.text_bytes_max)?;
    let Some(rule) = rules.first() else {
        return Err(ApiError::not_found("rule", ""));
    };
    let job = Job {
        owner: caller.id,
        rule_id: rule.id.clone(),
        rule_version: rule.version,
        period,
        done: AtomicU64::new(0),
        total: AtomicU64::new(0),
        is_wanted: AtomicBool::new(true),
        outcome: Mutex::new(None),
    };
    let (id, job) = app.back_tests.begin(job, &options)?;
    let noted = note(&app, &peer.actor(&caller), &job).await;
    if let Err(failure) = noted {
        *job.outcome.lock() = Some(Err(Vec::new()));
        return Err(failure);
    }
    let tables = app.tables.looked_at(&caller, peer.0, &look);
    let (server, worker) = (app.clone(), Arc::clone(&job));
    tokio::spawn(async move {
        let catalogue = server.ingest.catalogue();
        // A day may have more rows than an answer that is sent to somebody.
        let limits = lake::Limits {
            rows_max: usize::try_from(options.limits.observations_max).unwrap_or(usize::MAX),
            ..server.options.sql_stream_limits.clone()
        };
        let source = Source {
            lake: &server.lake,
            tables,
            catalogue: &catalogue,
            calendars: &server.city.calendars,
            limits: &limits,
        };
        let progress = |done, total| {
            worker.done.store(done, Ordering::Relaxed);
            worker.total.store(total, Ordering::Relaxed);
            worker.is_wanted.load(Ordering::Relaxed)
        };
        let outcome = back_test(&source, rules, period, options.limits, progress).await;
        *worker.outcome.lock() = Some(outcome);
    });
    Ok((StatusCode::ACCEPTED, Json(body(&app, &sight, id, &job))))
}

fn rules_of(app: &App, request: &BackTestRequest, bytes_max: usize) -> Answer<Vec<rules::Rule>> {
    let packs = app.packs.now();
    let in_force = &packs.rules;
    match (&request.rule_id, &request.text) {
        (Some(id), None) => {
            let rule = in_force.iter().find(|rule| rule.id == *id);
            let rule = rule.ok_or_else(|| ApiError::not_found("rule", id))?;
            Ok(rules::back_test::with_suppressors(rule.clone(), in_force))
        }
        (None, Some(text)) if text.len() <= bytes_max => {
            let catalogue = app.ingest.catalogue();
            read_rule(text, in_force, &catalogue, &app.city.calendars).map_err(|problems| {
                let all: Vec<String> = problems
                    .iter()
                    .map(|p| format!("{} ({}); {}", p.what, p.place, p.mend))
                    .collect();
                let first = problems.into_iter().next();
                let mut problem = first.unwrap_or_else(|| Problem::new("rule", "", "text", ""));
                if all.len() > 1 {
                    problem.what = all.join("\n");
                }
                ApiError::invalid(problem)
            })
        }
        (None, Some(_)) => Err(ApiError::invalid(Problem::new(
            "rule-too-long",
            format!("the rule has more than {bytes_max} bytes"),
            "text",
            "shorten it",
        ))),
        _ => Err(ApiError::invalid(Problem::new(
            "back-test-rule",
            "one of rule_id and text is needed",
            "text",
            "give the id of a rule in force, or a rule's text",
        ))),
    }
}

async fn note(app: &App, actor: &records::Actor, job: &Job) -> Answer<()> {
    let mut write = app.records.write().await?;
    let target = format!("rule:{}", job.rule_id);
    let detail = json!({"from": job.period.0.to_string(), "until": job.period.1.to_string()});
    audit::insert(
        &mut write,
        app.now(),
        actor,
        Event::RuleBackTest,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    Ok(())
}

/// How far a back-test of the caller's is, with its report when it is done.
#[utoipa::path(get, path = "/api/v1/rules/back-tests/{id}", tag = "rules", security(("session" = ["rule.manage"])),
    params(("id" = u64, Path)), responses((status = 200, body = BackTestBody), (status = 404, body = ProblemBody)))]
pub async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    Path(id): Path<u64>,
) -> Answer<Json<BackTestBody>> {
    let job = app.back_tests.of(id, caller.id)?;
    Ok(Json(body(&app, &sight, id, &job)))
}

/// Ends a back-test of the caller's at the next day that it would look at.
#[utoipa::path(delete, path = "/api/v1/rules/back-tests/{id}", tag = "rules", security(("session" = ["rule.manage"])),
    params(("id" = u64, Path)), responses((status = 204), (status = 404, body = ProblemBody)))]
pub async fn end(
    State(app): State<App>,
    Caller(caller): Caller,
    Path(id): Path<u64>,
) -> Answer<StatusCode> {
    let job = app.back_tests.of(id, caller.id)?;
    job.is_wanted.store(false, Ordering::Relaxed);
    Ok(StatusCode::NO_CONTENT)
}
