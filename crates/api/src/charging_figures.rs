//! The figures of charging: what the sessions of a span of days come to, and how the charge points stand now.

use crate::app::App;
use crate::charging_office::CHARGE_POINT;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::sight::town_of;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::charging as rows;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use twin::Filter;
use utoipa::{IntoParams, ToSchema};

/// Most days of one answer of figures.
const DAYS_MAX: i64 = 400;

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
pub struct FiguresQuery {
    /// The first day, `YYYY-MM-DD`; today when not said.
    pub from: Option<String>,
    /// The last day; today when not said.
    pub to: Option<String>,
}

/// What the sessions of an operator in a state come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSum)]
pub struct SumBody {
    /// The operator.
    pub operator: String,
    /// The state.
    pub state: String,
    /// How many.
    pub sessions: i64,
    /// Their energy, Wh.
    pub energy_wh: i64,
    /// What their bills come to, fen, due or not.
    pub total_fen: i64,
}

/// The charge points of a town.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingTown)]
pub struct TownBody {
    /// Its code; empty where it is not known.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How many charge points.
    pub points: usize,
    /// How many of them charge now.
    pub charging: usize,
    /// How many are faulted or out of service.
    pub out_of_order: usize,
}

/// The figures of charging.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingFigures)]
pub struct FiguresBody {
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// What the sessions come to that ended on these days.
    pub sums: Vec<SumBody>,
    /// Charge points (outlets) that the city knows.
    pub points: usize,
    /// How many of them say what state.
    pub statuses: BTreeMap<String, usize>,
    /// Registered stations.
    pub stations: i64,
    /// How many of them are connected.
    pub stations_online: i64,
    /// By town, the most points first.
    pub towns: Vec<TownBody>,
    /// When this was counted.
    pub at: String,
}

/// What charging comes to on these days, and how the charge points stand now.
#[utoipa::path(get, path = "/api/v1/charging/figures", tag = "charging", security(("session" = ["charging.read"])), params(FiguresQuery),
    responses((status = 200, body = FiguresBody), (status = 400, body = ProblemBody)))]
pub async fn figures(
    State(app): State<App>,
    Query(query): Query<FiguresQuery>,
) -> Answer<Json<FiguresBody>> {
    let now = app.now();
    let span = span(&app, query.from.as_deref(), query.to.as_deref())?;
    let mut read = app.records.read().await?;
    let sums = rows::sums(&mut read, span.begins, span.ends).await?;
    let (stations, stations_online) = records::devices::counts_of(&mut read, CHARGE_POINT).await?;
    drop(read);
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    let mut towns: BTreeMap<String, TownBody> = BTreeMap::new();
    let mut points = 0;
    let all = Filter {
        types: vec![CHARGE_POINT.to_owned()],
        limit: usize::MAX,
        ..Filter::default()
    };
    let mut seen = Vec::new();
    app.twin.visit(&all, |point| seen.push(point.clone()));
    for point in seen {
        points += 1;
        let status = point.attribute("status");
        let status = status.and_then(|known| known.value.as_text()).unwrap_or("");
        *statuses.entry(status.to_owned()).or_default() += 1;
        let code = town_of(&app.city, &point).unwrap_or_default();
        let town = towns.entry(code.clone()).or_insert_with(|| TownBody {
            name: (app.city.towns.iter())
                .find(|town| town.code == code)
                .map_or_else(String::new, |town| town.name.clone()),
            code,
            points: 0,
            charging: 0,
            out_of_order: 0,
        });
        town.points += 1;
        match status {
            "Charging" => town.charging += 1,
            "Faulted" | "Unavailable" => town.out_of_order += 1,
            _ => {}
        }
    }
    let mut towns: Vec<TownBody> = towns.into_values().collect();
    towns.sort_by(|one, other| (other.points, &one.code).cmp(&(one.points, &other.code)));
    Ok(Json(FiguresBody {
        from: span.from.to_string(),
        to: span.to.to_string(),
        sums: sums
            .into_iter()
            .map(|sum| SumBody {
                operator: sum.operator,
                state: sum.state,
                sessions: sum.sessions,
                energy_wh: sum.energy_wh,
                total_fen: sum.total_fen,
            })
            .collect(),
        points,
        statuses,
        stations,
        stations_online,
        towns,
        at: now.to_string(),
    }))
}

/// A span of the city's days.
pub(crate) struct Span {
    from: Date,
    to: Date,
    /// When its first day begins.
    pub begins: Timestamp,
    /// When its last day is over.
    pub ends: Timestamp,
}

impl Span {
    /// Its first and its last day.
    pub(crate) const fn days(&self) -> [Date; 2] {
        [self.from, self.to]
    }
}

/// The span of two days as people write them; today where one is not said.
///
/// # Errors
/// `charging-day`: no day. `charging-days`: not 1 to [`DAYS_MAX`] days.
pub(crate) fn span(app: &App, from: Option<&str>, to: Option<&str>) -> Answer<Span> {
    let zone = app.zone()?;
    let today = app.plan.day(app.now());
    let from = day(from, today)?;
    let to = day(to, today)?;
    let days = i64::from((to - from).get_days());
    if !(0..DAYS_MAX).contains(&days) {
        return Err(ApiError::told(
            StatusCode::BAD_REQUEST,
            Told::new(
                "charging-days",
                both(
                    format!("{from} 到 {to} 不是 1 到 {DAYS_MAX} 天"),
                    format!("{from} to {to} are not 1 to {DAYS_MAX} days"),
                ),
                both("日期", "from, to"),
                both("请缩短日期范围", "ask for fewer days"),
            ),
        ));
    }
    let end = to.checked_add(1.day()).map_err(ApiError::internal)?;
    Ok(Span {
        begins: begin(from, &zone)?,
        ends: begin(end, &zone)?,
        from,
        to,
    })
}

fn day(text: Option<&str>, today: Date) -> Answer<Date> {
    let Some(text) = text else { return Ok(today) };
    text.parse().map_err(|_| {
        ApiError::told(
            StatusCode::BAD_REQUEST,
            Told::new(
                "charging-day",
                both(
                    format!("“{}”不是日期", quote(text)),
                    format!("\"{}\" is no day", quote(text)),
                ),
                both("日期", "from, to"),
                both("请写如 2026-03-01", "write it as 2026-03-01"),
            ),
        )
    })
}

fn begin(day: Date, zone: &TimeZone) -> Answer<Timestamp> {
    let at = zone
        .to_timestamp(day.at(0, 0, 0, 0))
        .map_err(ApiError::internal)?;
    Ok(Timestamp::from_micros(at.as_microsecond()))
}
