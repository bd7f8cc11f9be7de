//! The exchange with other charging platforms (充电互联互通, T/CEC 102-2016) over HTTP: the door where partners ask and tell, and what
//! people see of it. What a message means is the protocol's; the binary fills in who answers ([`Exchange`]).

use crate::access::Peer;
use crate::app::App;
use crate::case_pages::announce;
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cases::NewCase;
use futures::future::BoxFuture;
use identity::Permission;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::exchange::{self as rows, ExchangeComparison, ExchangeOrder, ExchangePartner};
use records::{Acting, Actor, PageRequest};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Most comparisons that one answer shows.
const COMPARISONS_MAX: i64 = 60;
/// Who opens cases of differences, in the audit trail and the case's history.
const OPENER: &str = "charging-exchange";

/// What a partner posted.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// The interface, the last part of the address.
    pub interface: &'a str,
    /// The bearer token.
    pub bearer: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// From where.
    pub peer: IpAddr,
}

/// This address asked too often, and may ask again after so many seconds: nothing of the protocol is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOften(pub u64);

/// A partner as the settings name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerNamed {
    /// Its operator id, 9 characters.
    pub operator_id: String,
    /// Its name.
    pub name: String,
    /// `operator` (it runs stations and tells us) or `regulator` (it supervises or sells for us, and asks us).
    pub role: &'static str,
    /// Whether it is asked: there is an address.
    pub is_asked: bool,
}

/// Answers partners.
pub trait Exchange: Send + Sync {
    /// The city's own operator id.
    fn operator_id(&self) -> &str;

    /// The last part but one of the address, such as `v20160701`.
    fn version(&self) -> &str;

    /// Largest body, bytes.
    fn body_bytes_max(&self) -> usize;

    /// The partners.
    fn partners(&self) -> Vec<PartnerNamed>;

    /// What is remembered of each partner, newer than the rows.
    fn memory(&self) -> Vec<ExchangePartner>;

    /// Its counters, by name.
    fn figures(&self) -> Vec<(&'static str, u64)>;

    /// Answers what was posted, once what it says is durable; HTTP status 200, as the standard answers everything.
    fn answer<'a>(&'a self, posted: Posted<'a>) -> BoxFuture<'a, Result<String, TooOften>>;
}

/// A case to open of differences with a partner.
#[derive(Clone, Debug)]
pub struct DifferenceCase {
    /// One line.
    pub title: String,
    /// More.
    pub description: String,
    /// The same name opens no second case: 16 to 64 letters, digits and hyphens.
    pub request_id: String,
}

impl App {
    /// Opens a case of differences, once for each name; its id.
    ///
    /// # Errors
    /// The records' own.
    pub async fn open_difference_case(&self, case: DifferenceCase) -> Answer<i64> {
        let acting = Acting {
            actor: Actor::system(OPENER),
            organisation_id: None,
            also: Vec::new(),
            permissions: vec![Permission::CaseOpen.as_str()],
        };
        let new = NewCase {
            title: case.title,
            description: case.description,
            request_id: Some(case.request_id),
            ..NewCase::default()
        };
        let opened = self.cases.open(&new, &acting, self.now()).await?;
        announce(self, &opened.case);
        Ok(opened.case.id)
    }

    fn exchange(&self) -> Answer<&Arc<dyn Exchange>> {
        self.exchange.get().ok_or_else(|| {
            ApiError::both(
                StatusCode::NOT_FOUND,
                "exchange-closed",
                ["充电互联互通没有开通", "the exchange of charging is closed"],
                ["T/CEC 102", "T/CEC 102"],
                [
                    "请系统管理员设置 tcec102.open 和 [[tcec102.partner]]",
                    "let who runs the platform set tcec102.open and [[tcec102.partner]]",
                ],
            )
        })
    }
}

fn too_large(most: usize) -> ApiError {
    ApiError::told(
        StatusCode::PAYLOAD_TOO_LARGE,
        Told::new(
            "exchange-body-too-large",
            both(
                format!("报文超过 {most} 字节"),
                format!("the message has more than {most} bytes"),
            ),
            both("请求正文", "body"),
            both(
                "请减小每页条数或分批发送；需要时由管理员调大 tcec102.message_kib_max",
                "send smaller pages, or let who runs the platform raise tcec102.message_kib_max",
            ),
        ),
    )
}

fn too_often(wait: u64) -> Response {
    let told = Told::new(
        "exchange-too-often",
        both("这个地址的请求过于频繁", "this address asks too often"),
        both("来源地址", "the address that asks"),
        both(
            format!("请等待 {wait} 秒再发；需要时由管理员调大 tcec102.requests_per_minute_max"),
            format!(
                "wait {wait} s; who runs the platform can raise tcec102.requests_per_minute_max"
            ),
        ),
    );
    let mut response = ApiError::told(StatusCode::TOO_MANY_REQUESTS, told).into_response();
    if let Ok(value) = wait.to_string().parse() {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// A message of a partner: a sealed and signed envelope (T/CEC 102.4-2016). Who may say what is judged by its signature and its token.
#[utoipa::path(post, path = "/evcs/{version}/{interface}", tag = "charging exchange", security(()),
    params(("version" = String, Path, description = "such as v20160701"), ("interface" = String, Path, description = "such as query_token")),
    request_body(content = String, content_type = "application/json"),
    responses((status = 200, content((String = "application/json"))), (status = 404, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub async fn door(
    State(app): State<App>,
    peer: Peer,
    Path((version, interface)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let exchange = Arc::clone(app.exchange()?);
    if version != exchange.version() {
        return Err(ApiError::not_found("version", quote(&version)));
    }
    let most = exchange.body_bytes_max();
    let body = axum::body::to_bytes(body, most)
        .await
        .map_err(|_| too_large(most))?;
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|said| said.to_str().ok())
        .and_then(|said| said.strip_prefix("Bearer "))
        .map(str::trim);
    let posted = Posted {
        interface: &interface,
        bearer,
        body: &body,
        peer: peer.0,
    };
    match exchange.answer(posted).await {
        Ok(json) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            Ok((StatusCode::OK, headers, json).into_response())
        }
        Err(TooOften(wait)) => Ok(too_often(wait)),
    }
}

/// A partner (互联互通单位).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExchangePartner)]
pub struct PartnerBody {
    /// Its operator id.
    pub operator_id: String,
    /// Its name.
    pub name: String,
    /// `operator` or `regulator`.
    pub role: String,
    /// Whether the city asks and tells it by itself.
    pub asked: bool,
    /// When it was heard of last.
    pub heard_at: Option<String>,
    /// When it last told its stations.
    pub stations_at: Option<String>,
    /// When it last told how they are.
    pub statuses_at: Option<String>,
    /// Why the last question to it came to nothing; null when it did not.
    pub problem: Option<String>,
    /// When that was.
    pub problem_at: Option<String>,
    /// Orders between the city and it.
    pub orders: i64,
    /// Those that are disputed.
    pub disputed: i64,
    /// Notices that it has not taken yet.
    pub waiting: i64,
    /// Notices that were given up.
    pub given_up: i64,
}

/// A difference of a comparison.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ExchangeDifference)]
pub struct DifferenceBody {
    /// Which order, where it is of one.
    pub order: Option<String>,
    /// What differs, Chinese.
    pub text_zh: String,
    /// English.
    pub text_en: String,
}

/// A time compared with a partner (对账).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExchangeComparison)]
pub struct ComparisonBody {
    /// The partner.
    pub partner: String,
    /// Its begin.
    pub from: String,
    /// Its end, the last moment.
    pub until: String,
    /// How many orders we have.
    pub our_count: i64,
    /// Their energy, Wh.
    pub our_wh: i64,
    /// Their money, fen.
    pub our_fen: i64,
    /// How many the partner has.
    pub their_count: i64,
    /// Their energy, Wh.
    pub their_wh: i64,
    /// Their money, fen.
    pub their_fen: i64,
    /// What differs, the first of them where there are very many.
    pub differences: Vec<DifferenceBody>,
    /// How many differ.
    pub difference_count: i64,
    /// The case that was opened of it.
    pub case_id: Option<i64>,
    /// Who asked for it: `partner` or `city`.
    pub asked_by: String,
    /// When.
    pub compared_at: String,
}

impl From<ExchangeComparison> for ComparisonBody {
    fn from(row: ExchangeComparison) -> Self {
        Self {
            partner: row.partner,
            from: row.from_at.to_string(),
            until: row.until_at.to_string(),
            our_count: row.our_count,
            our_wh: row.our_wh,
            our_fen: row.our_fen,
            their_count: row.their_count,
            their_wh: row.their_wh,
            their_fen: row.their_fen,
            // Written by the platform alone; what does not read is counted all the same.
            differences: serde_json::from_str(&row.differences).unwrap_or_default(),
            difference_count: row.difference_count,
            case_id: row.case_id,
            asked_by: row.asked_by,
            compared_at: row.compared_at.to_string(),
        }
    }
}

/// The exchange at a glance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingExchange)]
pub struct ExchangeBody {
    /// Whether the door is open.
    pub is_open: bool,
    /// The city's own operator id.
    pub operator_id: Option<String>,
    /// The partners.
    pub partners: Vec<PartnerBody>,
    /// The newest comparisons, those with differences first.
    pub comparisons: Vec<ComparisonBody>,
}

/// Partners, what waits for them, and the newest comparisons.
#[utoipa::path(get, path = "/api/v1/charging/exchange", tag = "charging", security(("session" = ["charging.read"])),
    responses((status = 200, body = ExchangeBody)))]
pub async fn exchange(State(app): State<App>) -> Answer<Json<ExchangeBody>> {
    let mut read = app.records.read().await?;
    let counts = rows::counts(&mut read).await?;
    let notices = rows::notice_counts(&mut read).await?;
    let mut comparisons = rows::comparisons(&mut read, true, COMPARISONS_MAX).await?;
    let newest = rows::comparisons(&mut read, false, COMPARISONS_MAX).await?;
    drop(read);
    let agreed = newest.into_iter().filter(|row| row.difference_count == 0);
    comparisons.extend(agreed);
    let exchange = app.exchange.get();
    let known = exchange
        .map(|exchange| exchange.memory())
        .unwrap_or_default();
    let partners = exchange.map(|exchange| exchange.partners());
    let partners = partners.unwrap_or_default().into_iter().map(|partner| {
        let id = partner.operator_id;
        let kept = known.iter().find(|row| row.partner == id);
        let count = counts.iter().find(|row| row.partner == id);
        let of = |state: &str| {
            let found = notices
                .iter()
                .find(|row| row.partner == id && row.state == state);
            found.map_or(0, |row| row.notices)
        };
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        PartnerBody {
            name: partner.name,
            role: partner.role.to_owned(),
            asked: partner.is_asked,
            heard_at: text(kept.and_then(|row| row.heard_at)),
            stations_at: text(kept.and_then(|row| row.stations_at)),
            statuses_at: text(kept.and_then(|row| row.statuses_at)),
            problem: kept.and_then(|row| row.problem.clone()),
            problem_at: text(kept.and_then(|row| row.problem_at)),
            orders: count.map_or(0, |row| row.orders),
            disputed: count.map_or(0, |row| row.disputed),
            waiting: of(rows::WAITING),
            given_up: of(rows::GIVEN_UP),
            operator_id: id,
        }
    });
    Ok(Json(ExchangeBody {
        is_open: exchange.is_some(),
        operator_id: exchange.map(|exchange| exchange.operator_id().to_owned()),
        partners: partners.collect(),
        comparisons: comparisons.into_iter().map(Into::into).collect(),
    }))
}

/// An order between the city and a partner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExchangeOrder)]
pub struct OrderBody {
    /// Its number here.
    pub id: i64,
    /// The partner.
    pub partner: String,
    /// The number that both sides know (`StartChargeSeq`).
    pub order_no: String,
    /// `theirs`: the partner's station; `ours`: the city's.
    pub side: String,
    /// The connector.
    pub connector_id: String,
    /// Of ours: the station's identity.
    pub station: Option<String>,
    /// Of ours: the transaction's id.
    pub transaction_id: Option<String>,
    /// `starting`, `charging`, `ended`, `settled` or `failed`.
    pub state: String,
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Its energy, Wh.
    pub energy_wh: Option<i64>,
    /// For electricity, fen.
    pub electricity_fen: Option<i64>,
    /// For the service, fen.
    pub service_fen: Option<i64>,
    /// 0 agreed to, else disputed; null while nobody said so.
    pub confirm_result: Option<i64>,
    /// Why it is disputed.
    pub doubts: Vec<String>,
    /// When it was first told of.
    pub told_at: String,
    /// The case that was opened of its dispute.
    pub case_id: Option<i64>,
}

impl From<ExchangeOrder> for OrderBody {
    fn from(row: ExchangeOrder) -> Self {
        let doubts = row.doubts.as_deref().unwrap_or("[]");
        Self {
            doubts: serde_json::from_str(doubts).unwrap_or_default(),
            id: row.id,
            partner: row.partner,
            order_no: row.order_no,
            side: row.side,
            connector_id: row.connector_id,
            station: row.station,
            transaction_id: row.transaction_id,
            state: row.state,
            started_at: row.started_at.map(|at| at.to_string()),
            ended_at: row.ended_at.map(|at| at.to_string()),
            energy_wh: row.energy_wh,
            electricity_fen: row.electricity_fen,
            service_fen: row.service_fen,
            confirm_result: row.confirm_result,
            told_at: row.told_at.to_string(),
            case_id: row.case_id,
        }
    }
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExchangeOrders)]
pub struct OrdersBody {
    /// Newest first.
    pub items: Vec<OrderBody>,
    /// The next page's cursor.
    pub next: Option<String>,
}

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
pub struct OrdersQuery {
    /// Of a partner.
    pub partner: Option<String>,
    /// Only those that are disputed.
    #[serde(default)]
    pub disputed: bool,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// How many rows: 50 when not said, at most 500.
    pub limit: Option<u32>,
}

/// Orders between the city and its partners, newest first.
#[utoipa::path(get, path = "/api/v1/charging/exchange/orders", tag = "charging", security(("session" = ["charging.read"])), params(OrdersQuery),
    responses((status = 200, body = OrdersBody), (status = 400, body = ProblemBody)))]
pub async fn orders(
    State(app): State<App>,
    Query(query): Query<OrdersQuery>,
) -> Answer<Json<OrdersBody>> {
    let wanted = rows::Wanted {
        partner: query.partner.as_deref(),
        is_disputed: query.disputed,
    };
    let request = PageRequest {
        after: query.after.clone(),
        limit: query.limit,
    };
    let mut read = app.records.read().await?;
    let page = rows::orders(&mut read, &wanted, &request).await?;
    Ok(Json(OrdersBody {
        next: page.next.clone(),
        items: page.items.into_iter().map(Into::into).collect(),
    }))
}
