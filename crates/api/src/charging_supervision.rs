//! Supervision of charging (充电监管): register, online rate, utilisation, data missing, faults, subsidy, the plan's targets, towns compared,
//! places that are far from any charge point, and fire safety of residential chargers. Every figure with how it is counted.
//!
//! What is counted, and how, is [`charging::supervision`]; this finds what it is counted from: charge points in the twin, charges in the
//! records, states and silence in the lake.

use crate::app::App;
use crate::charging_figures::{Span, span};
use crate::charging_known::{AllKnown, Known};
use crate::charging_subsidy::{SubsidyBody, SubsidyQuery, Terms, charge_of, page, too_many};
use crate::charging_supervised::{
    AlarmBody, FarBody, FireBody, GoalBody, GroupBody, PointBody, SupervisionBody, TownBody,
    VillageBody, definitions,
};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::runner::rows as asked;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use charging::supervision::{self as counted, Audit, CHARGE_SECONDS_MAX, Fault, Figures};
use charging::{Fen, Price};
use duty::nearest::distance_m;
use lake::{Question, ScalarValue};
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::charging::{self as rows, Behind};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use utoipa::IntoParams;

/// Charge points with the most hours out of order that are told by name.
const WORST_MAX: usize = 10;
/// Places that are told by name, those with the most points first.
const PLACES_MAX: usize = 500;
/// Villages far from any charge point that are told by name, the farthest first.
const FAR_MAX: usize = 50;
/// For how long before the span states are looked at, days: a fault that began earlier and was never told again is not known.
pub(crate) const LOOK_BACK_DAYS: i64 = 30;
/// Least and most of "far", km.
const FAR_KM: [f64; 2] = [0.1, 100.0];
/// The plan's goals of charging, by the ids of their indicators.
const GOALS: [&str; 2] = ["charging-points", "charging-stations"];
/// The type of residential chargers.
const RESIDENTIAL: &str = "ResidentialCharger";
const DAY_SECONDS: i64 = 86_400;

/// By day and point, on which days anything was heard. Numbers stand in the rollup of days, states in history itself.
const HEARD: &str = "SELECT entity_id, COUNT(DISTINCT day) AS days, MAX(day) AS last FROM (\
    SELECT entity_id, date_bin(INTERVAL '1 day', bucket_start, $1) AS day FROM observations_1d \
    WHERE entity_type = 'ChargePoint' AND bucket_start >= $1 AND bucket_start < $2 \
    UNION ALL SELECT entity_id, date_bin(INTERVAL '1 day', observed_at, $1) AS day FROM observations \
    WHERE entity_type = 'ChargePoint' AND attribute = 'status' AND observed_at >= $1 AND observed_at < $2) AS told \
    GROUP BY entity_id";

/// When each point became faulted, and when it no longer was.
const FAULTS: &str = "SELECT entity_id, observed_at, is_faulted FROM (\
    SELECT entity_id, observed_at, journal_position, value_text = 'Faulted' AS is_faulted, \
    COALESCE(LAG(value_text) OVER (PARTITION BY entity_id ORDER BY observed_at, journal_position) = 'Faulted', false) AS was_faulted \
    FROM observations WHERE entity_type = 'ChargePoint' AND attribute = 'status' AND value_text IS NOT NULL \
    AND observed_at >= $1 AND observed_at < $2) AS told \
    WHERE is_faulted <> was_faulted ORDER BY entity_id, observed_at, journal_position";

/// Alerts of residential chargers that were raised within the span, or stand now.
const ALARMS: &str = "SELECT rule_id, SUM(CASE WHEN raised_at >= $1 AND raised_at < $2 THEN 1 ELSE 0 END) AS raised, \
    SUM(CASE WHEN cleared_at IS NULL THEN 1 ELSE 0 END) AS active FROM alerts WHERE entity_type = 'ResidentialCharger' \
    AND (cleared_at IS NULL OR raised_at >= $1) GROUP BY rule_id ORDER BY rule_id";

/// How charging is supervised.
#[derive(Clone, Debug)]
pub struct Options {
    /// A point that was heard of within so long is on the line, minutes (default 30).
    pub heard_minutes: i64,
    /// A village is far from charging when the nearest point is farther than this, straight, km (default 5).
    pub far_km: f64,
    /// Most charges that one answer goes through (default 2,000,000).
    pub sessions_max: usize,
    /// Most beginnings and ends of faults that one answer goes through (default 200,000).
    pub fault_changes_max: usize,
    /// Subsidy of a kWh where a question names none (default 0).
    pub subsidy_rate: Price,
    /// Most that an operator gets where a question names none (default none).
    pub subsidy_cap: Option<Fen>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heard_minutes: 30,
            far_km: 5.0,
            sessions_max: 2_000_000,
            fault_changes_max: 200_000,
            subsidy_rate: Price(0),
            subsidy_cap: None,
        }
    }
}

impl Options {
    /// A point that was heard of within so long is on the line, seconds.
    pub(crate) const fn heard_seconds(&self) -> i64 {
        self.heard_minutes.saturating_mul(60)
    }
}

/// Which days, and by what is reckoned.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct SupervisionQuery {
    /// The first day, `YYYY-MM-DD`; today when not said.
    pub from: Option<String>,
    /// The last day; today when not said.
    pub to: Option<String>,
    /// Subsidy of a kWh, yuan with at most four decimals; `charging.subsidy_yuan_per_kwh` when not said.
    pub rate: Option<String>,
    /// Most that an operator gets for these days, whole yuan, 0 for no cap; `charging.subsidy_cap_yuan` when not said.
    pub cap: Option<String>,
    /// How far, straight, is far from charging, km; `charging.far_km` when not said.
    pub far_km: Option<String>,
}

/// What was found of one point.
#[derive(Default)]
struct Found {
    figures: Figures,
    stretches: Vec<(Timestamp, Timestamp)>,
}

/// What the charges of a span come to.
struct Charges {
    /// By the place of the point among those known.
    found: Vec<Found>,
    /// Of outlets that the city does not know, by operator.
    elsewhere: BTreeMap<String, Figures>,
    audits: BTreeMap<String, Audit>,
}

/// What charge points are and did on these days, over all, by operator, by town and by place; what operators may ask as subsidy; how far the
/// plan's goals are; where charging is far; and alarms of residential chargers. Each figure says how it is counted.
#[utoipa::path(get, path = "/api/v1/charging/supervision", tag = "charging", security(("session" = ["charging.read"])),
    params(SupervisionQuery), responses((status = 200, body = SupervisionBody), (status = 400, body = ProblemBody)))]
pub async fn supervision(
    State(app): State<App>,
    Query(query): Query<SupervisionQuery>,
) -> Answer<Json<SupervisionBody>> {
    let now = app.now();
    let office = app.charging()?;
    let options = &office.supervision;
    let asked = SubsidyQuery {
        from: query.from,
        to: query.to,
        rate: query.rate,
        cap: query.cap,
    };
    let terms = Terms::new(&asked, options)?;
    let far_km = far_km(query.far_km.as_deref(), options)?;
    let days = span(&app, asked.from.as_deref(), asked.to.as_deref())?;
    let within = counted::Span {
        begins: days.begins,
        ends: days.ends.min(now).max(days.begins),
    };
    let known = app
        .charging_known(&office.operator, options.heard_seconds(), now)
        .await?;
    let charges = charges(&app, &known, &days, now, options, &terms).await?;
    let heard = heard(&app, &within, known.points.len()).await?;
    let faults = faults(&app, &within, options.fault_changes_max).await?;
    let figures: Vec<Figures> = known
        .points
        .iter()
        .zip(charges.found)
        .map(|(point, found)| {
            let told = faults.get(&point.id).map_or(&[][..], Vec::as_slice);
            of_point(point, found, heard.get(&point.id), told, &within)
        })
        .collect();
    let far = far(&app, &known, far_km);
    let [from, to] = days.days();
    let (places, places_left_out) = places(&known, &figures);
    Ok(Json(SupervisionBody {
        from: from.to_string(),
        to: to.to_string(),
        at: now.to_string(),
        definitions: definitions(options, far_km),
        places_known: known.places.len(),
        overall: overall(&figures, &charges.elsewhere).into(),
        operators: operators(&known, &figures, &charges.elsewhere),
        towns: towns(&app, &known, &figures, &far.by_town),
        places,
        places_left_out,
        sessions_elsewhere: charges.elsewhere.values().map(|of| of.sessions).sum(),
        worst: listed(&known, &figures, |f| (f.fault_seconds, f.faults)),
        silent: listed(&known, &figures, |f| (f.days_missing, f.days)),
        subsidy: SubsidyBody::new(&charges.audits, &terms),
        goals: goals(&app, now),
        far: far.body,
        fire: fire(&app, &within).await?,
    }))
}

fn far_km(text: Option<&str>, options: &Options) -> Answer<f64> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(options.far_km);
    };
    let [least, most] = FAR_KM;
    let km: Option<f64> = text.parse().ok();
    km.filter(|km| (least..=most).contains(km)).ok_or_else(|| {
        ApiError::told(
            StatusCode::BAD_REQUEST,
            Told::new(
                "charging-far",
                both(
                    format!("“{}”不是距离", quote(text)),
                    format!("\"{}\" is no distance", quote(text)),
                ),
                both("距离（far_km）", "far_km"),
                both(
                    format!("请写 {least} 到 {most} 之间的公里数"),
                    format!("write a number of km, {least} to {most}"),
                ),
            ),
        )
    })
}

/// Goes through the charges of a span.
async fn charges(
    app: &App,
    known: &AllKnown,
    days: &Span,
    now: Timestamp,
    options: &Options,
    terms: &Terms,
) -> Answer<Charges> {
    let mut all = Charges {
        found: known.points.iter().map(|_| Found::default()).collect(),
        elsewhere: BTreeMap::new(),
        audits: BTreeMap::new(),
    };
    let mut next = Some(Behind {
        ended_at: days.begins,
        id: 0,
    });
    let mut seen = 0;
    while let Some(behind) = next {
        let (page, following) = page(app, behind, days.ends).await?;
        next = following;
        seen += page.len();
        if seen > options.sessions_max {
            return Err(too_many(options.sessions_max));
        }
        for row in page {
            let charge = charge_of(&row);
            let index = known.outlet(&row.station, row.connector);
            let rated_w = index
                .and_then(|n| known.points.get(n))
                .and_then(|point| point.rated_w);
            // Why it does not count stands in the audit.
            let _ = all
                .audits
                .entry(row.operator.clone())
                .or_default()
                .add(&charge, rated_w, terms.rate);
            match index.and_then(|n| all.found.get_mut(n)) {
                Some(found) => {
                    found.figures += charge.figures(rated_w);
                    found.stretches.extend(charge.stretch(now));
                }
                None => *all.elsewhere.entry(row.operator).or_default() += charge.figures(None),
            }
        }
    }
    let mut read = app.records.read().await?;
    let begun_since = days.begins.plus_seconds(-CHARGE_SECONDS_MAX);
    let left = options.sessions_max - seen;
    let most = i64::try_from(left).unwrap_or(i64::MAX).saturating_add(1);
    let going_on = rows::going_on(&mut read, begun_since, days.ends, most).await?;
    drop(read);
    if going_on.len() > left {
        return Err(too_many(options.sessions_max));
    }
    for row in going_on {
        let index = known.outlet(&row.station, row.connector);
        if let Some(found) = index.and_then(|n| all.found.get_mut(n)) {
            found.stretches.extend(charge_of(&row).stretch(now));
        }
    }
    Ok(all)
}

/// What was heard of a point: on how many days, and the beginning of the last of them.
struct Heard {
    days: i64,
    last: Option<Timestamp>,
}

fn time(at: Timestamp) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into()))
}

/// Asks the lake as the platform itself.
async fn ask(
    app: &App,
    sql: &str,
    [from, until]: [Timestamp; 2],
    rows_max: usize,
) -> Answer<Vec<Vec<Value>>> {
    let limits = lake::Limits {
        rows_max,
        ..app.options.sql_stream_limits.clone()
    };
    let question = Question {
        sql,
        parameters: vec![time(from), time(until)],
        tables: Arc::clone(&app.tables) as Arc<dyn lake::RecordTables>,
        catalogue: &app.ingest.catalogue(),
        zone: None,
    };
    let (_, rows) = asked(&app.lake, question, &limits)
        .await
        .map_err(ApiError::unanswered)?;
    Ok(rows)
}

fn moment(value: Option<&Value>) -> Option<Timestamp> {
    Timestamp::parse(value?.as_str()?).ok()
}

async fn heard(app: &App, within: &counted::Span, points: usize) -> Answer<HashMap<String, Heard>> {
    // Points that were taken away have a history still.
    let most = points.saturating_mul(2).saturating_add(10_000);
    let rows = ask(app, HEARD, [within.begins, within.ends], most).await?;
    let of = |row: Vec<Value>| {
        let id = row.first()?.as_str()?.to_owned();
        let days = row.get(1)?.as_i64()?;
        let last = moment(row.get(2));
        Some((id, Heard { days, last }))
    };
    Ok(rows.into_iter().filter_map(of).collect())
}

async fn faults(
    app: &App,
    within: &counted::Span,
    most: usize,
) -> Answer<HashMap<String, Vec<Fault>>> {
    let from = within.begins.plus_seconds(-LOOK_BACK_DAYS * DAY_SECONDS);
    let rows = ask(app, FAULTS, [from, within.ends], most).await?;
    let mut told: HashMap<String, Vec<(Timestamp, bool)>> = HashMap::new();
    for row in rows {
        let (Some(id), Some(at), Some(is_faulted)) = (
            row.first().and_then(Value::as_str),
            moment(row.get(1)),
            row.get(2).and_then(Value::as_bool),
        ) else {
            continue;
        };
        told.entry(id.to_owned())
            .or_default()
            .push((at, is_faulted));
    }
    let of = |(id, told): (String, Vec<_>)| (id, counted::faults(told, within));
    Ok(told.into_iter().map(of).collect())
}

/// Everything of one point.
fn of_point(
    point: &Known,
    mut found: Found,
    heard: Option<&Heard>,
    faults: &[Fault],
    within: &counted::Span,
) -> Figures {
    let mut sum = found.figures;
    // A point may be registered after its station began to charge, and tell that later.
    let first = found.stretches.iter().map(|(from, _)| *from).min();
    let since = first.map_or(point.since, |first| first.min(point.since));
    let seconds = within.seconds(since, None);
    let (days, is_today) = days_known(since, within);
    let heard_days = heard.map_or(0, |heard| {
        // What is on the line is heard of, whether it has anything to say or not.
        let is_told = heard
            .last
            .is_some_and(|last| within.ends.micros_since(last) <= DAY_SECONDS * 1_000_000);
        heard.days + i64::from(point.is_online && is_today && !is_told)
    });
    let heard_days = match heard {
        None => i64::from(point.is_online && is_today),
        Some(_) => heard_days,
    };
    sum += counted::fault_figures(faults, within);
    sum += Figures {
        points: 1,
        alternating: i64::from(point.current == counted::Current::Alternating),
        direct: i64::from(point.current == counted::Current::Direct),
        without_place: i64::from(point.place.is_none()),
        rated: i64::from(point.rated_w.is_some()),
        rated_w: point.rated_w.unwrap_or_default(),
        online: i64::from(point.is_online),
        faulted: i64::from(point.is_faulted),
        seconds,
        charging_seconds: counted::covered(&mut found.stretches, within),
        possible_wh: point
            .rated_w
            .map_or(0, |rated_w| counted::possible(rated_w, seconds).0),
        days,
        days_missing: (days - heard_days).clamp(0, days),
        ..Figures::default()
    };
    sum
}

/// On how many days of a span, the one that goes on among them, a point was known; and whether there is one at all.
fn days_known(since: Timestamp, within: &counted::Span) -> (i64, bool) {
    let day = DAY_SECONDS * 1_000_000;
    let all = within.ends.micros_since(within.begins);
    let before = since.max(within.begins).micros_since(within.begins);
    let days = (all + day - 1).div_euclid(day) - before.div_euclid(day);
    (days.max(0), days > 0)
}

fn overall(figures: &[Figures], elsewhere: &BTreeMap<String, Figures>) -> Figures {
    let mut sum = Figures::default();
    for one in figures.iter().chain(elsewhere.values()) {
        sum += *one;
    }
    sum
}

/// Adds up figures by a key of their points.
fn by<'a>(
    known: &'a AllKnown,
    figures: &[Figures],
    key: impl Fn(&'a Known) -> &'a str,
) -> BTreeMap<&'a str, Figures> {
    let mut sums: BTreeMap<&str, Figures> = BTreeMap::new();
    for (point, of) in known.points.iter().zip(figures) {
        *sums.entry(key(point)).or_default() += *of;
    }
    sums
}

fn operators(
    known: &AllKnown,
    figures: &[Figures],
    elsewhere: &BTreeMap<String, Figures>,
) -> Vec<GroupBody> {
    let mut sums = by(known, figures, |point| point.operator.as_str());
    for (operator, of) in elsewhere {
        *sums.entry(operator).or_default() += *of;
    }
    sums.into_iter()
        .map(|(operator, of)| GroupBody {
            key: operator.to_owned(),
            name: operator.to_owned(),
            operator: None,
            figures: of.into(),
        })
        .collect()
}

/// Places with their figures, and how many are left out.
fn places(known: &AllKnown, figures: &[Figures]) -> (Vec<GroupBody>, usize) {
    let mut sums = by(known, figures, |point| point.place.as_deref().unwrap_or(""));
    // A place without points is one all the same.
    for id in known.places.keys() {
        sums.entry(id).or_default();
    }
    let mut all: Vec<(&str, Figures)> = sums.into_iter().collect();
    all.sort_by_key(|(_, of)| std::cmp::Reverse(of.points));
    let left_out = all.len().saturating_sub(PLACES_MAX);
    let body = |(id, of): (&str, Figures)| {
        let place = known.places.get(id);
        GroupBody {
            key: id.to_owned(),
            name: place.map_or_else(|| id.to_owned(), |place| place.name.clone()),
            operator: place.and_then(|place| place.operator.clone()),
            figures: of.into(),
        }
    };
    (
        all.into_iter().take(PLACES_MAX).map(body).collect(),
        left_out,
    )
}

fn towns(
    app: &App,
    known: &AllKnown,
    figures: &[Figures],
    far: &HashMap<&str, usize>,
) -> Vec<TownBody> {
    let mut sums = by(known, figures, |point| point.town.as_str());
    let mut places: HashMap<&str, usize> = HashMap::new();
    for place in known.places.values() {
        *places.entry(&place.town).or_default() += 1;
    }
    let mut all: Vec<TownBody> = app
        .city
        .towns
        .iter()
        .map(|town| {
            let code = town.code.as_str();
            let villages = app.city.villages.iter();
            TownBody {
                code: code.to_owned(),
                name: town.name.clone(),
                places: places.get(code).copied().unwrap_or_default(),
                villages: villages.filter(|one| one.town_code == code).count(),
                villages_far: far.get(code).copied().unwrap_or_default(),
                figures: sums.remove(code).unwrap_or_default().into(),
            }
        })
        .collect();
    // What stands in none of them.
    all.extend(sums.into_iter().map(|(code, of)| TownBody {
        code: code.to_owned(),
        name: String::new(),
        places: places.get(code).copied().unwrap_or_default(),
        villages: 0,
        villages_far: 0,
        figures: of.into(),
    }));
    all
}

/// The points with the most of something; those that have none of it are left out.
fn listed(
    known: &AllKnown,
    figures: &[Figures],
    of: impl Fn(&Figures) -> (i64, i64),
) -> Vec<PointBody> {
    let mut all: Vec<(&Known, &Figures)> = known.points.iter().zip(figures).collect();
    all.retain(|(_, figures)| of(figures).0 > 0);
    // By id where they are alike.
    all.sort_by_key(|(_, figures)| std::cmp::Reverse(of(figures)));
    all.into_iter()
        .take(WORST_MAX)
        .map(|(point, figures)| PointBody {
            id: point.id.clone(),
            name: point.name.clone(),
            place: point.place.clone(),
            operator: point.operator.clone(),
            town: point.town.clone(),
            faulted: point.is_faulted,
            faults: figures.faults,
            fault_seconds: figures.fault_seconds,
            days: figures.days,
            days_missing: figures.days_missing,
        })
        .collect()
}

fn goals(app: &App, now: Timestamp) -> Vec<GoalBody> {
    let day = app.plan.day(now);
    let goal = |id: &&str| {
        let goal = app.plan.reading(id, day)?;
        Some(GoalBody {
            id: goal.id.clone(),
            name_zh: goal.name_zh.clone(),
            name_en: goal.name_en.clone(),
            unit_zh: goal.unit_zh.clone(),
            unit_en: goal.unit_en.clone(),
            value: app.plan.value_of(id),
            target: goal.target.edge(goal.direction),
            target_year: goal.target_year,
            baseline: goal.baseline,
            baseline_year: goal.baseline_year,
        })
    };
    GOALS.iter().filter_map(goal).collect()
}

/// Where charging is far, and how many villages of each town are.
struct Far<'a> {
    body: FarBody,
    by_town: HashMap<&'a str, usize>,
}

fn far<'a>(app: &'a App, known: &AllKnown, km: f64) -> Far<'a> {
    // Points of one place stand at one place.
    let mut served: BTreeMap<[u64; 2], ([f64; 2], &str)> = BTreeMap::new();
    let mut located = 0;
    for point in &known.points {
        if let Some(at) = point.at {
            located += 1;
            served
                .entry(at.map(f64::to_bits))
                .or_insert((at, point.id.as_str()));
        }
    }
    let mut by_town: HashMap<&str, usize> = HashMap::new();
    let mut items = Vec::new();
    for village in &app.city.villages {
        let nearest = served
            .values()
            .map(|(at, id)| (distance_m(village.place, *at) / 1_000.0, *id))
            .min_by(|one, other| one.0.total_cmp(&other.0));
        if nearest.is_some_and(|(away, _)| away <= km) {
            continue;
        }
        *by_town.entry(&village.town_code).or_default() += 1;
        let town = (app.city.towns.iter()).find(|town| town.code == village.town_code);
        let [lon, lat] = village.place;
        items.push(VillageBody {
            code: village.code.clone(),
            name: village.name.clone(),
            town: village.town_code.clone(),
            town_name: town.map_or_else(String::new, |town| town.name.clone()),
            lon,
            lat,
            km: nearest.map(|(away, _)| away),
            nearest: nearest.map(|(_, id)| id.to_owned()),
        });
    }
    let far = items.len();
    let away = |one: &VillageBody| one.km.unwrap_or(f64::MAX);
    items.sort_by(|one, other| away(other).total_cmp(&away(one)));
    items.truncate(FAR_MAX);
    Far {
        body: FarBody {
            km,
            located,
            villages: app.city.villages.len(),
            far,
            items,
            notes_zh: app.city.notes_zh.clone(),
            notes_en: app.city.notes_en.clone(),
        },
        by_town,
    }
}

async fn fire(app: &App, within: &counted::Span) -> Answer<FireBody> {
    const RULES_MAX: usize = 1_000;
    let chargers = app.twin.counts().get(RESIDENTIAL).copied();
    let rows = ask(app, ALARMS, [within.begins, within.ends], RULES_MAX).await?;
    let of = |row: Vec<Value>| {
        Some(AlarmBody {
            rule: row.first()?.as_str()?.to_owned(),
            raised: row.get(1)?.as_i64()?,
            active: row.get(2)?.as_i64()?,
        })
    };
    Ok(FireBody {
        chargers: chargers.unwrap_or_default(),
        alarms: rows.into_iter().filter_map(of).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_of_a_point_are_those_since_it_is_known() {
        let at = |hours: i64| Timestamp::from_seconds(1_780_000_000 + hours * 3_600);
        let within = counted::Span {
            begins: at(0),
            // Two days, and half of a third.
            ends: at(60),
        };
        assert_eq!(days_known(at(-100), &within), (3, true));
        assert_eq!(days_known(at(25), &within), (2, true));
        assert_eq!(days_known(at(59), &within), (1, true));
        assert_eq!(days_known(at(100), &within), (0, false));
        let none = counted::Span {
            begins: at(0),
            ends: at(0),
        };
        assert_eq!(days_known(at(-1), &none), (0, false));
    }
}
