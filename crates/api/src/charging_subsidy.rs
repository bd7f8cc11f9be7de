//! The subsidy of charging by energy (充电量补贴核算): by operator, and as a table with one row a charge so that whoever audits it can count it
//! again.

use crate::app::App;
use crate::charging_figures::{Span, span};
use crate::charging_known::{AllKnown, outlet_id};
use crate::charging_supervision::Options;
use crate::error::{Answer, ApiError, ProblemBody};
use crate::portal_data::text;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use charging::supervision::{Audit, Charge, Excluded, Stand, judge};
use charging::{Fen, Price, Wh};
use futures::stream;
use model::problem::{both, quote};
use model::{Timestamp, Told};
use records::charging::{self as rows, Behind, SupervisedSession};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Charges that are read at once.
const PAGE: i64 = 2_000;
/// Highest cap, yuan: what is above it is a slip of the pen.
const CAP_YUAN_MAX: i64 = 1_000_000_000;

/// Which days, and by what is reckoned.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct SubsidyQuery {
    /// The first day, `YYYY-MM-DD`; today when not said.
    pub from: Option<String>,
    /// The last day; today when not said.
    pub to: Option<String>,
    /// Subsidy of a kWh, yuan with at most four decimals, such as `0.2000`; `charging.subsidy_yuan_per_kwh` when not said.
    pub rate: Option<String>,
    /// Most that an operator gets for these days, whole yuan, 0 for no cap; `charging.subsidy_cap_yuan` when not said.
    pub cap: Option<String>,
}

/// By what a subsidy is reckoned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Of a kWh.
    pub rate: Price,
    /// Most for an operator.
    pub cap: Option<Fen>,
}

impl Terms {
    /// Those of a query, else the city's.
    ///
    /// # Errors
    /// `charging-price`: no rate. `charging-cap`: no cap.
    pub fn new(query: &SubsidyQuery, options: &Options) -> Answer<Self> {
        let bad = |told| ApiError::told(StatusCode::BAD_REQUEST, told);
        let said = |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_owned);
        let rate = match said(&query.rate).filter(|text| !text.is_empty()) {
            None => options.subsidy_rate,
            Some(text) => Price::read(&text, "rate").map_err(bad)?,
        };
        let cap = match said(&query.cap).filter(|text| !text.is_empty()) {
            None => options.subsidy_cap,
            Some(text) => cap(&text).map_err(bad)?,
        };
        Ok(Self { rate, cap })
    }
}

/// A cap in whole yuan; 0 is none.
///
/// # Errors
/// `charging-cap`: it is no such number.
pub fn cap(text: &str) -> Result<Option<Fen>, Told> {
    let yuan: Option<i64> = text.parse().ok();
    match yuan.filter(|yuan| (0..=CAP_YUAN_MAX).contains(yuan)) {
        Some(0) => Ok(None),
        Some(yuan) => Ok(Some(Fen(yuan * 100))),
        None => Err(Told::new(
            "charging-cap",
            both(
                format!("“{}”不是封顶金额", quote(text)),
                format!("\"{}\" is no cap", quote(text)),
            ),
            both("封顶（cap）", "cap"),
            both(
                format!("请写整元，0（不封顶）到 {CAP_YUAN_MAX}"),
                format!("write whole yuan, 0 (no cap) to {CAP_YUAN_MAX}"),
            ),
        )),
    }
}

/// A charge of the records.
pub(crate) fn charge_of(row: &SupervisedSession) -> Charge {
    Charge {
        stand: match row.state.as_str() {
            "billed" | "doubtful" if row.is_waived => Stand::Waived,
            "billed" => Stand::Billed,
            "doubtful" => Stand::Held,
            _ => Stand::Open,
        },
        started: row.started_at,
        ended: row.ended_at,
        energy: Wh(row.energy_wh),
        has_card: row.has_card,
        is_corrected: row.is_corrected,
    }
}

/// What does not count, for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingExcluded)]
pub struct ExcludedBody {
    /// `not-billed`, `backwards`, `held`, `waived`, `corrected`, `no-time`, `no-card` or `impossible`.
    pub reason: String,
    /// The reason as people read it, Chinese.
    pub title_zh: String,
    /// English.
    pub title_en: String,
    /// Charges.
    pub sessions: i64,
    /// Their energy, Wh; of meters that ran backwards it is negative.
    pub energy_wh: i64,
}

/// What an operator's charges come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSubsidyOperator)]
pub struct OperatorBody {
    /// The operator whose income the charges are.
    pub operator: String,
    /// Charges that count.
    pub sessions: i64,
    /// Their energy, Wh.
    pub energy_wh: i64,
    /// That of them at points whose rated power nobody told, so that it could not be judged by it, Wh.
    pub unjudged_wh: i64,
    /// Rate times energy, each charge rounded half up, fen.
    pub sum_fen: i64,
    /// The same under the cap, fen.
    pub due_fen: i64,
    /// What does not count, by reason.
    pub excluded: Vec<ExcludedBody>,
}

/// The subsidy by energy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSubsidy)]
pub struct SubsidyBody {
    /// Of a kWh, yuan with four decimals.
    pub rate: String,
    /// Most for an operator, fen; null: no cap.
    pub cap_fen: Option<i64>,
    /// All operators together, fen.
    pub due_fen: i64,
    /// By operator.
    pub operators: Vec<OperatorBody>,
}

impl SubsidyBody {
    /// What audits come to under terms.
    pub(crate) fn new(audits: &BTreeMap<String, Audit>, terms: &Terms) -> Self {
        let operators: Vec<OperatorBody> = audits
            .iter()
            .map(|(operator, audit)| OperatorBody {
                operator: operator.clone(),
                sessions: audit.sessions,
                energy_wh: audit.energy_wh,
                unjudged_wh: audit.unjudged_wh,
                sum_fen: audit.sum.0,
                due_fen: audit.due(terms.cap).0,
                excluded: audit
                    .excluded
                    .iter()
                    .map(|(reason, (sessions, energy_wh))| {
                        let [title_zh, title_en] = reason.title().map(str::to_owned);
                        ExcludedBody {
                            reason: reason.word().to_owned(),
                            title_zh,
                            title_en,
                            sessions: *sessions,
                            energy_wh: *energy_wh,
                        }
                    })
                    .collect(),
            })
            .collect();
        Self {
            rate: terms.rate.to_string(),
            cap_fen: terms.cap.map(|cap| cap.0),
            due_fen: operators.iter().map(|one| Fen(one.due_fen)).sum::<Fen>().0,
            operators,
        }
    }
}

/// The next page of charges that ended within a span, and where the one after it begins; `None` when there are no more.
pub(crate) async fn page(
    app: &App,
    behind: Behind,
    until: Timestamp,
) -> Answer<(Vec<SupervisedSession>, Option<Behind>)> {
    let mut read = app.records.read().await?;
    let page = rows::ended(&mut read, behind, until, PAGE).await?;
    let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows >= PAGE);
    let next = page.last().filter(|_| is_full).and_then(|last| {
        Some(Behind {
            ended_at: last.ended_at?,
            id: last.id,
        })
    });
    Ok((page, next))
}

/// More charges than one answer goes through.
pub(crate) fn too_many(most: usize) -> ApiError {
    ApiError::told(
        StatusCode::BAD_REQUEST,
        Told::new(
            "charging-sessions-max",
            both(
                format!("这些天的充电订单超过 {most} 单"),
                format!("there are more than {most} sessions on these days"),
            ),
            both("日期", "from, to"),
            both(
                "请缩短日期范围，或由系统管理员调大 charging.supervised_sessions_max",
                "ask for fewer days, or let who runs the platform raise charging.supervised_sessions_max",
            ),
        ),
    )
}

/// The heads of the table, Chinese and English.
const HEADS: [&str; 19] = [
    "订单 session",
    "桩 station",
    "交易编号 transaction",
    "枪 outlet",
    "桩编号 point",
    "充电站 place",
    "运营商 operator",
    "乡镇 town",
    "开始 started",
    "结束 ended",
    "电量_千瓦时 energy_kwh",
    "额定功率_千瓦 rated_kw",
    "账单 state",
    "有卡 card",
    "计入_千瓦时 counted_kwh",
    "不计原因 excluded",
    "原因说明 why",
    "单价_元每千瓦时 rate",
    "补贴_分 subsidy_fen",
];

/// A row of the table.
fn line(row: &SupervisedSession, known: &AllKnown, terms: &Terms) -> String {
    let point = known
        .outlet(&row.station, row.connector)
        .and_then(|n| known.points.get(n));
    let rated_w = point.and_then(|point| point.rated_w);
    let judged = judge(&charge_of(row), rated_w);
    let (counted, subsidy) = match judged {
        Ok(energy) => (energy, terms.rate.of(energy)),
        Err(_) => (Wh(0), Fen::ZERO),
    };
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let why = judged.err().map(Excluded::title);
    let cells: [String; HEADS.len()] = [
        row.id.to_string(),
        text(&row.station),
        text(&row.transaction_id),
        row.connector.to_string(),
        text(&outlet_id(&row.station, row.connector)),
        text(
            point
                .and_then(|point| point.place.as_deref())
                .unwrap_or_default(),
        ),
        text(&row.operator),
        text(point.map_or("", |point| point.town.as_str())),
        time(row.started_at),
        time(row.ended_at),
        Wh(row.energy_wh).to_string(),
        rated_w.map_or_else(String::new, |watts| Wh(watts).to_string()),
        row.state.clone(),
        (if row.has_card { "yes" } else { "no" }).to_owned(),
        counted.to_string(),
        judged.err().map_or("", Excluded::word).to_owned(),
        why.map_or_else(String::new, |[zh, en]| format!("{zh} {en}")),
        terms.rate.to_string(),
        subsidy.0.to_string(),
    ];
    format!("{}\r\n", cells.join(","))
}

/// Every charge that ended on these days, one a row, with what of it counts, why not, and what it gets: the sum of the last column by operator
/// is `sum_fen` of the supervision. Sent as it is read; the connection breaks off when a limit is reached on the way.
#[utoipa::path(get, path = "/api/v1/charging/supervision/subsidy.csv", tag = "charging", security(("session" = ["charging.read"])),
    params(SubsidyQuery), responses((status = 200, content((String = "text/csv"))), (status = 400, body = ProblemBody)))]
pub async fn table(State(app): State<App>, Query(query): Query<SubsidyQuery>) -> Answer<Response> {
    let office = app.charging()?;
    let terms = Terms::new(&query, &office.supervision)?;
    let span = span(&app, query.from.as_deref(), query.to.as_deref())?;
    let heard = office.supervision.heard_seconds();
    let known = app
        .charging_known(&office.operator, heard, app.now())
        .await?;
    let (most, name) = (office.supervision.sessions_max, file_name(&span));
    let (known, until) = (Arc::new(known), span.ends);
    let first = Behind {
        ended_at: span.begins,
        id: 0,
    };
    // The first page is read before anything is said, so that what fails is told as an error.
    let begun = page(&app, first, until).await?;
    let head = format!("\u{feff}{}\r\n", HEADS.join(","));
    let state = (Some(begun), head, 0_usize);
    let pages = stream::try_unfold(state, move |(found, mut text, before)| {
        let (app, known) = (app.clone(), Arc::clone(&known));
        async move {
            let Some((rows, next)) = found else {
                return Ok(None);
            };
            let sent = before + rows.len();
            if sent > most {
                return Err(std::io::Error::other(too_many(most).in_words()));
            }
            for row in &rows {
                text.push_str(&line(row, &known, &terms));
            }
            let following = match next {
                None => None,
                Some(behind) => Some(
                    page(&app, behind, until)
                        .await
                        .map_err(|error| std::io::Error::other(error.in_words()))?,
                ),
            };
            let state = (following, String::new(), sent);
            Ok(Some((Bytes::from(text), state)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

fn file_name(span: &Span) -> String {
    let [from, to] = span.days();
    format!("charging-subsidy-{from}-{to}.csv")
}

#[cfg(test)]
mod tests {
    use super::*;
    use charging::bill::Review;
    use charging::{SessionKey, Standing};
    use std::collections::BTreeSet;

    #[test]
    fn a_bill_that_was_let_go_is_known_by_its_json_and_no_note_is_taken_for_it() {
        let review = |note: &str| Review {
            by: "one".to_owned(),
            at: Timestamp::from_seconds(0),
            note: note.to_owned(),
        };
        let json = |standing| {
            let bill = charging::Bill {
                key: SessionKey {
                    station: "CP1".to_owned(),
                    transaction: "1".to_owned(),
                },
                connector: 1,
                card: None,
                tariff: "flat".to_owned(),
                started: None,
                ended: None,
                energy: Wh(1),
                lines: Vec::new(),
                total: Fen(1),
                doubts: BTreeSet::new(),
                standing,
            };
            serde_json::to_string(&bill).unwrap()
        };
        assert!(json(Standing::Waived(review("no"))).contains(rows::WAIVED));
        assert!(!json(Standing::Due).contains(rows::WAIVED));
        assert!(!json(Standing::Held).contains(rows::WAIVED));
        let quoted = Standing::Accepted(review(rows::WAIVED));
        assert!(!json(quoted).contains(rows::WAIVED));
    }

    #[test]
    fn caps_are_whole_yuan() {
        assert_eq!(cap("0").unwrap(), None);
        assert_eq!(cap("1000").unwrap(), Some(Fen(100_000)));
        for text in ["", "-1", "1.5", "1000000001", "much"] {
            assert_eq!(cap(text).unwrap_err().code, "charging-cap", "{text}");
        }
    }
}
