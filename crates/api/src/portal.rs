//! The plan's progress for everybody, without signing in (公开门户): open only where `portal.open` says so. A figure without proof is
//! listed without its value, with the reason; nobody is named. What is told, and as which files, is [`crate::portal_data`]'s.

use crate::access::Peer;
use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::plan::{self, PathPoint};
use crate::plan_report_bodies::UnitBody;
use crate::portal_data::{
    About, Facts, Gate, Group, IndicatorBody, Offered, Report, Sums, catalogue, csv, is_known,
    judge, sums,
};
use crate::portal_packages::{self, PackagesBody};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use indicators::Method;
use model::problem::{Both, both};
use model::{Problem, Timestamp, Told};
use records::filing_files::FilingFile;
use records::{Failure, PAGE_ITEMS_MAX, PageRequest};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// Bytes of a digest that stand in an entity tag.
const ETAG_BYTES: usize = 16;
/// Whoever shows the data on a page of their own may load it there: it is everybody's.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What can be set of the portal.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether anybody may ask.
    pub open: bool,
    /// Most requests of one peer a minute.
    pub requests_per_minute_max: u32,
    /// Most peers that are remembered in a minute.
    pub peers_max: usize,
    /// How long what was put together is given again, and kept by browsers.
    pub kept: Duration,
    /// Who publishes, in Chinese.
    pub publisher_zh: String,
    /// Who publishes, in English.
    pub publisher_en: String,
    /// Address of the licence.
    pub licence: String,
    /// Address or mail address of whom to ask; empty: nobody is named.
    pub contact: String,
    /// The day of the first publication; empty: not told.
    pub issued: String,
    /// Where people reach the city, without a slash at the end; empty: not known.
    pub public_url: String,
}

/// What is remembered between requests.
#[derive(Default)]
pub struct Desk {
    gate: parking_lot::Mutex<Gate>,
    /// One request puts it together, the others wait for that one.
    kept: tokio::sync::Mutex<Option<Arc<Kept>>>,
}

/// The answers as they are sent.
pub(crate) struct Kept {
    at: Timestamp,
    plan: Sent,
    json: Sent,
    csv: Sent,
    catalogue: Sent,
    pub(crate) packages: Sent,
    pub(crate) packages_csv: Sent,
}

impl Desk {
    /// Lets what is kept go: what was published or withdrawn shows in the next answer.
    pub(crate) async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

#[derive(Clone)]
pub(crate) struct Sent {
    bytes: Bytes,
    etag: String,
}

impl Sent {
    fn new(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes);
        let etag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..ETAG_BYTES]));
        Self {
            bytes: bytes.into(),
            etag,
        }
    }
}

/// The plan as everybody may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicPlan)]
pub struct PlanBody {
    /// The city in Chinese.
    pub city_zh: String,
    /// The city in English.
    pub city_en: String,
    /// Whether the city plays demonstration data.
    pub demo: bool,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Who published the plan and when.
    pub source_zh: String,
    /// Who published the plan and when.
    pub source_en: String,
    /// First and last year.
    pub period: [i16; 2],
    /// Who publishes these figures, in Chinese.
    pub publisher_zh: String,
    /// Who publishes these figures, in English.
    pub publisher_en: String,
    /// Address of the licence under which they may be used.
    pub licence: String,
    /// The day in the city on which status was judged.
    pub day: String,
    /// How all goals stand.
    pub sums: Sums,
    /// How those of each group stand.
    pub groups: Vec<Group>,
    /// The indicators.
    pub indicators: Vec<IndicatorBody>,
}

/// The plan and every indicator as it stands, for everybody; what has no proof is listed with the reason instead of its value.
#[utoipa::path(get, path = "/api/v1/public/plan", tag = "portal", security(()),
    responses((status = 200, body = PlanBody), (status = 304, description = "Not changed"), (status = 404, body = crate::error::ProblemBody),
        (status = 429, body = crate::error::ProblemBody)))]
pub async fn plan(State(app): State<App>, peer: Peer, headers: HeaderMap) -> Answer<Response> {
    let kept = ask(&app, peer).await?;
    Ok(send(&app, &headers, &kept.plan, "application/json", None))
}

/// The published indicators as a JSON file.
#[utoipa::path(get, path = "/api/v1/public/plan.json", tag = "portal", security(()),
    responses((status = 200, body = PlanBody), (status = 304, description = "Not changed"), (status = 404, body = crate::error::ProblemBody),
        (status = 429, body = crate::error::ProblemBody)))]
pub async fn plan_json(State(app): State<App>, peer: Peer, headers: HeaderMap) -> Answer<Response> {
    let kept = ask(&app, peer).await?;
    let name = Some("plan.json");
    Ok(send(&app, &headers, &kept.json, "application/json", name))
}

/// The published indicators as a CSV file.
#[utoipa::path(get, path = "/api/v1/public/plan.csv", tag = "portal", security(()),
    responses((status = 200, content((String = "text/csv"))), (status = 304, description = "Not changed"), (status = 404, body = crate::error::ProblemBody),
        (status = 429, body = crate::error::ProblemBody)))]
pub async fn plan_csv(State(app): State<App>, peer: Peer, headers: HeaderMap) -> Answer<Response> {
    let kept = ask(&app, peer).await?;
    let (kind, name) = ("text/csv; charset=utf-8; header=present", Some("plan.csv"));
    Ok(send(&app, &headers, &kept.csv, kind, name))
}

/// The catalogue of open data: DCAT 3 in JSON-LD.
#[utoipa::path(get, path = "/api/v1/public/catalog.jsonld", tag = "portal", security(()),
    responses((status = 200, content((serde_json::Value = "application/ld+json"))), (status = 304, description = "Not changed"), (status = 404, body = crate::error::ProblemBody),
        (status = 429, body = crate::error::ProblemBody)))]
pub async fn catalog(State(app): State<App>, peer: Peer, headers: HeaderMap) -> Answer<Response> {
    let kept = ask(&app, peer).await?;
    let kind = "application/ld+json";
    Ok(send(&app, &headers, &kept.catalogue, kind, None))
}

/// The answers as they stand, for whom the door is open.
pub(crate) async fn ask(app: &App, peer: Peer) -> Answer<Arc<Kept>> {
    let options = &app.options.portal;
    if !options.open {
        return Err(closed());
    }
    let now = app.now();
    let asked = app.portal.gate.lock().ask(
        peer.0,
        now.micros(),
        options.requests_per_minute_max,
        options.peers_max,
    );
    asked.map_err(|wait| too_often(options, wait))?;
    let mut kept = app.portal.kept.lock().await;
    if let Some(kept) = &*kept
        && (0..options.kept.as_micros()).contains(&u128::from(age(kept.at, now)))
    {
        return Ok(kept.clone());
    }
    let fresh = Arc::new(put_together(app, now).await?);
    *kept = Some(fresh.clone());
    Ok(fresh)
}

/// Microseconds since then; as long as can be when the clock jumped back.
fn age(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.micros_since(at)).unwrap_or(u64::MAX)
}

fn closed() -> ApiError {
    ApiError::told(
        StatusCode::NOT_FOUND,
        Told::new(
            "portal-closed",
            both(
                "本市没有开放公开门户",
                "the public portal of this city is closed",
            ),
            "portal.open",
            both(
                "需要公开时，由管理员在 jingling.toml 的 [portal] 中设置 open = true 和 licence",
                "to open it, the administrator sets open = true and licence in [portal] of jingling.toml",
            ),
        ),
    )
}

fn too_often(options: &Options, retry_after_s: u64) -> ApiError {
    let most = options.requests_per_minute_max;
    ApiError::from(Failure::TooMany {
        problem: Problem::new(
            "portal-too-often",
            format!(
                "请求过于频繁，每分钟最多 {most} 次 / more than {most} requests a minute came from there"
            ),
            "peer",
            format!(
                "请等待 {retry_after_s} 秒 / wait {retry_after_s} s; plan.json and plan.csv hold everything at once"
            ),
        ),
        retry_after_s,
    })
}

pub(crate) fn send(
    app: &App,
    asked: &HeaderMap,
    sent: &Sent,
    kind: &'static str,
    name: Option<&str>,
) -> Response {
    let known = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|tags| is_known(tags, &sent.etag));
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, kind)], sent.bytes.clone()).into_response(),
    };
    let cache = format!("public, max-age={}", app.options.portal.kept.as_secs());
    let file = name.map(|name| format!("attachment; filename=\"{name}\""));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ETAG, Some(sent.etag.clone())),
        (header::CACHE_CONTROL, Some(cache)),
        (header::CONTENT_DISPOSITION, file.filter(|_| !known)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, Some("*".to_owned())),
        (RESOURCE_POLICY, Some("cross-origin".to_owned())),
    ] {
        if let Some(value) = value.and_then(|v| HeaderValue::try_from(v).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

/// Reads the plan and makes every answer of it.
async fn put_together(app: &App, now: Timestamp) -> Answer<Kept> {
    let options = &app.options.portal;
    let inside = plan::whole(app, None).await?;
    let city = &app.city;
    let said = |said: &str, otherwise: &str| match said {
        "" => otherwise.to_owned(),
        said => said.to_owned(),
    };
    let publisher = both(
        said(&options.publisher_zh, &city.name_zh),
        said(&options.publisher_en, &city.name_en),
    );
    let indicators = published(app, inside.indicators).await?;
    let (sums, groups) = sums(&indicators);
    let offered = PackagesBody {
        city_zh: city.name_zh.clone(),
        city_en: city.name_en.clone(),
        demo: app.options.demo,
        publisher_zh: publisher.zh.clone(),
        publisher_en: publisher.en.clone(),
        licence: options.licence.clone(),
        day: app.plan.day(now).to_string(),
        packages: portal_packages::published(app, app.plan.day(now), &indicators).await?,
    };
    let packages = to_json(&offered)?;
    let packages_csv = Sent::new(portal_packages::as_csv(&offered.packages).into_bytes());
    let mut body = PlanBody {
        city_zh: city.name_zh.clone(),
        city_en: city.name_en.clone(),
        demo: app.options.demo,
        title_zh: inside.title_zh,
        title_en: inside.title_en,
        source_zh: inside.source_zh,
        source_en: inside.source_en,
        period: inside.period,
        publisher_zh: publisher.zh.clone(),
        publisher_en: publisher.en.clone(),
        licence: options.licence.clone(),
        day: app.plan.day(now).to_string(),
        sums,
        groups,
        indicators,
    };
    let plan = to_json(&body)?;
    body.indicators.retain(|one| one.status.is_some());
    let (json, csv) = (
        to_json(&body)?,
        Sent::new(csv(&body.indicators).into_bytes()),
    );
    let newest = body
        .indicators
        .iter()
        .filter_map(|one| one.as_of.as_deref());
    let catalogue = catalogue(&About {
        base: &options.public_url,
        title: Both {
            zh: body.title_zh.clone(),
            en: body.title_en.clone(),
        },
        publisher,
        licence: &options.licence,
        contact: &options.contact,
        issued: &options.issued,
        // Times of RFC 3339 in UTC and days of ISO 8601 sort as texts.
        modified: newest.max(),
        period: body.period,
        csv_bytes: csv.bytes.len(),
        json_bytes: json.bytes.len(),
        packages: (!offered.packages.is_empty()).then(|| Offered {
            modified: offered
                .packages
                .iter()
                .filter_map(|one| one.published_on.as_deref())
                .max(),
            csv_bytes: packages_csv.bytes.len(),
            json_bytes: packages.bytes.len(),
        }),
    });
    Ok(Kept {
        at: now,
        plan,
        json,
        csv,
        catalogue: to_json(&catalogue)?,
        packages,
        packages_csv,
    })
}

fn to_json(body: &impl Serialize) -> Answer<Sent> {
    let bytes = serde_json::to_vec(body).map_err(ApiError::internal)?;
    Ok(Sent::new(bytes))
}

/// The files of a report.
pub(crate) fn files_of(all: &BTreeMap<i64, Vec<FilingFile>>, filing: Option<i64>) -> &[FilingFile] {
    let found = filing.and_then(|id| all.get(&id));
    found.map(Vec::as_slice).unwrap_or_default()
}

/// Each indicator with its figure, or why it has none.
pub(crate) async fn published(
    app: &App,
    inside: Vec<plan::IndicatorBody>,
) -> Answer<Vec<IndicatorBody>> {
    let mut connection = app.records.read().await?;
    let reports = records::indicators::latest_reports(&mut connection).await?;
    let reports: HashMap<&str, _> = reports.iter().map(|r| (&*r.indicator_id, r)).collect();
    let files = records::filing_files::of_reports(&mut connection).await?;
    let units = records::organisations::list(&mut connection).await?;
    let units: HashMap<&str, _> = units.iter().map(|unit| (&*unit.id, unit)).collect();
    let mut names = names_of_people(&mut connection).await?;
    drop(connection);
    // Whoever has left is no user any more, and is named by their reports.
    names.extend(reports.values().map(|r| r.reported_by.clone()));
    let body = |one: plan::IndicatorBody| {
        let definition = app.plan.reading(&one.id, app.plan.day(app.now()))?;
        let report = reports.get(&*one.id).map(|r| Report {
            value: r.value,
            period: &r.period,
            as_of: &r.as_of,
            evidence: &r.evidence,
            files: files_of(&files, r.filing_id),
        });
        let judged = judge(
            &Facts {
                method: definition.method,
                value: one.value,
                measured_at: one.measured_at.as_deref(),
                is_failed: one.problem.is_some(),
                sql: &definition.sql,
                report: report.filter(|_| definition.method == Method::Reported),
            },
            &names,
        );
        let (figure, withheld) = match judged {
            Ok(figure) => (Some(figure), None),
            Err(why) => (None, Some(why.into())),
        };
        let unit = one.responsible.as_deref().and_then(|id| units.get(id));
        let path = definition.yearly_path().into_iter();
        Some(IndicatorBody {
            id: one.id,
            number: one.number,
            group_zh: one.group_zh,
            group_en: one.group_en,
            subgroup_zh: one.subgroup_zh,
            subgroup_en: one.subgroup_en,
            name_zh: one.name_zh,
            name_en: one.name_en,
            unit_zh: one.unit_zh,
            unit_en: one.unit_en,
            baseline: one.baseline,
            baseline_year: one.baseline_year,
            target: one.target,
            target_low: one.target_low,
            target_high: one.target_high,
            target_year: one.target_year,
            direction: one.direction,
            method: one.method,
            source_zh: one.source_zh,
            source_en: one.source_en,
            responsible: unit.map(|unit| UnitBody {
                id: unit.id.clone(),
                name_zh: unit.name_zh.clone(),
                name_en: unit.name_en.clone(),
            }),
            places: one.plan_places,
            path: path
                .map(|(year, expected)| PathPoint { year, expected })
                .collect(),
            expected_now: one.expected_now,
            status: figure.as_ref().map(|_| one.status),
            value: figure.as_ref().map(|f| f.value),
            as_of: figure.as_ref().map(|f| f.as_of.clone()),
            proof: figure.map(|f| f.proof),
            withheld,
        })
    };
    Ok(inside.into_iter().filter_map(body).collect())
}

/// The names of everybody who can sign in or could.
pub(crate) async fn names_of_people(connection: &mut records::Connection) -> Answer<Vec<String>> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest {
            after,
            limit: Some(PAGE_ITEMS_MAX),
        };
        let page = records::users::list(connection, None, None, &request).await?;
        names.extend(page.items.into_iter().map(|user| user.name));
        after = page.next;
        if after.is_none() {
            return Ok(names);
        }
    }
}
