//! Assessment figures of a period, each with its numerator, its denominator and the way to its cases. They are computed from
//! the history at each call; what they mean is said in `cases::figures` and docs/cases.md.

use crate::access::Caller;
use crate::app::App;
use crate::case_pages::moment;
use crate::error::{Answer, ApiError};
use crate::sight::{Seeing, Sight};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cases::figures::{By, Fact, Figures, Kind, figures as count};
use model::{Problem, Timestamp, problem::quote};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Most cases that one figure opens to.
const ROWS_MAX: usize = 500;

/// Which figures.
#[derive(Debug, Deserialize, IntoParams)]
pub struct FiguresQuery {
    /// The beginning of the period (RFC 3339), inclusive.
    pub from: String,
    /// Its end (RFC 3339), exclusive.
    pub until: String,
    /// `organisation` (default), `town`, `grid`, `category` or `workflow`.
    pub by: Option<String>,
    /// `json` (default) or `csv`.
    pub format: Option<String>,
}

/// A rate with what it is made of.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseRate)]
pub struct Rate {
    /// What is counted.
    pub numerator: u64,
    /// Of how many.
    pub denominator: u64,
    /// Numerator ÷ denominator; null when there is nothing to divide by.
    pub value: Option<f64>,
}

impl Rate {
    fn new(numerator: u64, denominator: u64) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of cases are far below 2^52"
        )]
        let value = (denominator > 0).then(|| numerator as f64 / denominator as f64);
        Self {
            numerator,
            denominator,
            value,
        }
    }
}

/// The figures of one group.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseFigures)]
pub struct FiguresBody {
    /// The organisation's id, the town's, grid's or kind's code, or the workflow's name; null for cases that have none.
    pub key: Option<String>,
    /// Taken up (立案数).
    pub filed: u64,
    /// Closed (结案数).
    pub closed: u64,
    /// Closed, of those decided: that were to be closed in the period (结案率).
    pub closing: Rate,
    /// Extensions, of those taken up (延期率).
    pub extending: Rate,
    /// Closed in time, of those decided (按期结案率).
    pub in_time: Rate,
    /// Overdue, of those decided (超期).
    pub overdue: Rate,
    /// Sent back, of the work finished (返工率).
    pub reworked: Rate,
    /// Working time of finished work in seconds, and how many it was; the value is the mean (平均处置时长).
    pub handling_s: Rate,
    /// Given back by the department as not its own (退回).
    pub returned: u64,
    /// Steps left late (环节超时).
    pub late_steps: u64,
    /// Supervised (督办).
    pub supervised: u64,
    /// Extended (延期).
    pub extended: u64,
    /// Escalated (升级).
    pub escalated: u64,
    /// Reopened (重开).
    pub reopened: u64,
}

impl FiguresBody {
    fn of(key: Option<String>, f: &Figures) -> Self {
        let handled = f.count(Kind::Handled);
        Self {
            key,
            filed: f.count(Kind::Filed),
            closed: f.count(Kind::Closed),
            closing: Rate::new(f.count(Kind::Closed), f.decided()),
            extending: Rate::new(f.count(Kind::Extended), f.count(Kind::Filed)),
            in_time: Rate::new(f.count(Kind::InTime), f.decided()),
            overdue: Rate::new(f.count(Kind::Overdue), f.decided()),
            reworked: Rate::new(f.count(Kind::Reworked), handled),
            handling_s: Rate::new(f.handling_seconds, handled),
            returned: f.count(Kind::Returned),
            late_steps: f.count(Kind::LateStep),
            supervised: f.count(Kind::Supervised),
            extended: f.count(Kind::Extended),
            escalated: f.count(Kind::Escalated),
            reopened: f.count(Kind::Reopened),
        }
    }
}

/// The figures of a period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseFiguresOfPeriod)]
pub struct FiguresAnswer {
    /// The beginning of the period, inclusive.
    pub from: String,
    /// Its end, exclusive.
    pub until: String,
    /// By what they are grouped.
    pub by: String,
    /// One row for each group that has any.
    pub items: Vec<FiguresBody>,
}

/// Which cases of a figure.
#[derive(Debug, Deserialize, IntoParams)]
pub struct RowsQuery {
    /// The beginning of the period (RFC 3339), inclusive.
    pub from: String,
    /// Its end (RFC 3339), exclusive.
    pub until: String,
    /// `organisation` (default), `town`, `grid`, `category` or `workflow`.
    pub by: Option<String>,
    /// The group; left out for cases that have none.
    pub key: Option<String>,
    /// `filed`, `closed`, `in_time`, `overdue`, `handled`, `reworked`, `returned`, `late_step`, `supervised`, `extended`,
    /// `escalated` or `reopened`.
    pub figure: String,
}

/// One thing that a figure counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseFigureRow)]
pub struct RowBody {
    /// The case.
    pub case_id: i64,
    /// Its number.
    pub number: String,
    /// Its title, masked where it looks personal.
    pub title: String,
    /// When it counted.
    pub at: String,
    /// Working time, in seconds: of finished work.
    pub seconds: u64,
}

/// What a figure counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseFigureRows)]
pub struct RowsBody {
    /// Oldest first, at most 500.
    pub items: Vec<RowBody>,
    /// How many there are.
    pub total: usize,
}

fn word<T: for<'a> Deserialize<'a>>(text: &str, place: &str, known: &str) -> Answer<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| {
        ApiError::invalid(Problem::new(
            "figures-word",
            format!("\"{}\" is not known here", quote(text)),
            place,
            format!("use one of {known}"),
        ))
    })
}

fn grouping(by: Option<&str>) -> Answer<By> {
    by.map_or(Ok(By::default()), |by| {
        word(by, "by", "organisation, town, grid, category, workflow")
    })
}

/// The facts of a period that the caller may see: those of departments whose cases they may read.
async fn facts(app: &App, sight: &Sight, from: &str, until: &str) -> Answer<Vec<Fact>> {
    let (from, until): (Timestamp, Timestamp) = (moment(from, "from")?, moment(until, "until")?);
    let mut facts = app.cases.facts(from, until, app.now()).await?;
    facts.retain(|fact| sight.sees_case(fact.organisation.as_deref()));
    Ok(facts)
}

/// Assessment figures of a period by department, town, unit grid, kind or workflow, recomputed from the history; as JSON or CSV.
#[utoipa::path(get, path = "/api/v1/cases/figures", tag = "cases", security(("session" = ["case.read"])), params(FiguresQuery),
    responses((status = 200, content((FiguresAnswer = "application/json"), (String = "text/csv"))), (status = 400, body = crate::error::ProblemBody)))]
pub async fn figures(
    State(app): State<App>,
    Caller(_caller): Caller,
    Seeing(sight): Seeing,
    Query(query): Query<FiguresQuery>,
) -> Answer<Response> {
    let by = grouping(query.by.as_deref())?;
    let facts = facts(&app, &sight, &query.from, &query.until).await?;
    let items: Vec<FiguresBody> = count(&facts, by)
        .into_iter()
        .map(|(key, figures)| FiguresBody::of(key, &figures))
        .collect();
    match query.format.as_deref() {
        None | Some("json") => Ok(Json(FiguresAnswer {
            from: query.from,
            until: query.until,
            by: query.by.unwrap_or_else(|| "organisation".to_owned()),
            items,
        })
        .into_response()),
        Some("csv") => Ok((
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"case-figures.csv\"",
                ),
            ],
            csv(&items),
        )
            .into_response()),
        Some(other) => Err(ApiError::invalid(Problem::new(
            "figures-word",
            format!("\"{}\" is not known here", quote(other)),
            "format",
            "use json or csv",
        ))),
    }
}

/// RFC 4180, with the mark that makes spreadsheets read UTF-8.
fn csv(items: &[FiguresBody]) -> String {
    let mut text = String::from(
        "\u{feff}key,立案数 filed,结案数 closed,按期结案 in_time,应结案 due,超期 overdue,处置数 handled,返工 reworked,\
         处置时长合计_秒 handling_s,退回 returned,环节超时 late_steps,督办 supervised,延期 extended,升级 escalated,重开 reopened\r\n",
    );
    for f in items {
        let cells = [
            f.filed,
            f.closed,
            f.in_time.numerator,
            f.in_time.denominator,
            f.overdue.numerator,
            f.reworked.denominator,
            f.reworked.numerator,
            f.handling_s.numerator,
            f.returned,
            f.late_steps,
            f.supervised,
            f.extended,
            f.escalated,
            f.reopened,
        ];
        // Keys are codes: letters, digits and hyphens.
        text.push_str(f.key.as_deref().unwrap_or(""));
        for cell in cells {
            text.push(',');
            text.push_str(&cell.to_string());
        }
        text.push_str("\r\n");
    }
    text
}

/// The cases that a figure counted, oldest first.
#[utoipa::path(get, path = "/api/v1/cases/figures/rows", tag = "cases", security(("session" = ["case.read"])), params(RowsQuery),
    responses((status = 200, body = RowsBody), (status = 400, body = crate::error::ProblemBody)))]
pub async fn rows(
    State(app): State<App>,
    Caller(caller): Caller,
    Seeing(sight): Seeing,
    crate::personal::Looking(look): crate::personal::Looking,
    peer: crate::access::Peer,
    Query(query): Query<RowsQuery>,
) -> Answer<Json<RowsBody>> {
    let by = grouping(query.by.as_deref())?;
    let kind: Kind = word(
        &query.figure,
        "figure",
        "filed, closed, in_time, overdue, handled, reworked, returned, late_step, supervised, extended, escalated, reopened",
    )?;
    let key = query.key.as_deref().filter(|key| !key.is_empty());
    let mut found = facts(&app, &sight, &query.from, &query.until).await?;
    found.retain(|fact| fact.kind == kind && by.key(fact) == Some(key));
    found.sort_by_key(|fact| (fact.at, fact.case_id));
    let total = found.len();
    found.truncate(ROWS_MAX);
    let acting = peer.acting(&caller);
    let mut items = Vec::new();
    for fact in found {
        let case = app.cases.case(fact.case_id, &acting).await?.case;
        // The case may lie with another department by now.
        if sight.must_see(&case).is_err() {
            continue;
        }
        let of = format!("case:{}", case.id);
        items.push(RowBody {
            case_id: case.id,
            number: case.case.number,
            title: look.written(&of, "title", case.case.title),
            at: fact.at.to_string(),
            seconds: fact.seconds,
        });
    }
    look.tell(&app.records, app.now(), "cases").await?;
    Ok(Json(RowsBody { items, total }))
}
