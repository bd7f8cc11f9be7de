//! Who sells electricity and service of charging (销售方): its name, its taxpayer's number and how each fee is taxed, written by operators for
//! each operator whose income it is. Nothing is preset.

use crate::access::{Caller, Peer};
use crate::app::App;
use crate::charging_invoices::{refuse, word};
use crate::error::{Answer, ApiError, ProblemBody};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use charging::LineKind;
use charging::invoice::{Seller, Taxed};
use model::Told;
use model::problem::{both, quote};
use records::charging_invoices::{self as rows, ChargingSeller};
use records::{Connection, Event, audit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Longest name of an operator, bytes.
const OPERATOR_BYTES_MAX: usize = 100;
/// Most sellers that are kept.
const SELLERS_MAX: usize = 1_000;

/// How a kind of line is taxed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ChargingTaxed)]
pub struct TaxedBody {
    /// `energy`, `service`, `parking` or `idle`.
    pub kind: String,
    /// The classification code of goods and services (商品和服务税收分类编码), 19 digits.
    pub code: String,
    /// The rate, percent.
    pub rate_percent: u8,
}

/// Who sells, and how it is taxed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ChargingSeller)]
pub struct SellerBody {
    /// The operator whose income it is, as bills name it.
    pub operator: String,
    /// The seller's name.
    pub name: String,
    /// Its taxpayer's number (纳税人识别号).
    pub tax_number: String,
    /// How each kind of line is taxed; a kind without is on no invoice.
    pub taxed: Vec<TaxedBody>,
}

impl SellerBody {
    fn of(operator: String, seller: Seller) -> Self {
        let taxed = seller.taxed.into_iter().map(|(kind, taxed)| TaxedBody {
            kind: word(kind).to_owned(),
            code: taxed.code,
            rate_percent: taxed.rate_percent,
        });
        Self {
            operator,
            name: seller.name,
            tax_number: seller.tax_number,
            taxed: taxed.collect(),
        }
    }
}

/// The sellers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingSellers)]
pub struct SellersBody {
    /// By operator.
    pub items: Vec<SellerBody>,
    /// The operator of stations for which nobody said another.
    pub operator: String,
}

/// How an operator is taxed.
pub(crate) async fn seller_of(read: &mut Connection, operator: &str) -> Answer<Seller> {
    let Some(row) = rows::seller(read, operator).await? else {
        return Err(ApiError::told(
            StatusCode::CONFLICT,
            Told::new(
                "charging-invoice-seller",
                both(
                    format!("运营商“{}”还没有填写开票信息", quote(operator)),
                    format!(
                        "nobody wrote yet how the operator {} is taxed",
                        quote(operator)
                    ),
                ),
                both("充电发票", "invoice of charging"),
                both(
                    "请运营人员在充电运营页“发票”里填写销售方名称、纳税人识别号、各项费用的税收分类编码和税率",
                    "let an operator write the seller's name, its taxpayer's number, and the tax code and rate of each fee, on the page of charging, Invoices",
                ),
            ),
        ));
    };
    serde_json::from_str(&row.body).map_err(ApiError::internal)
}

/// The sellers and how each is taxed.
#[utoipa::path(get, path = "/api/v1/charging/invoices/sellers", tag = "charging", security(("session" = ["charging.read"])),
    responses((status = 200, body = SellersBody)))]
pub async fn sellers(State(app): State<App>) -> Answer<Json<SellersBody>> {
    let operator = app.charging()?.operator.clone();
    let mut read = app.records.read().await?;
    let mut items = Vec::new();
    for row in rows::sellers(&mut read).await? {
        let seller = serde_json::from_str(&row.body).map_err(ApiError::internal)?;
        items.push(SellerBody::of(row.operator, seller));
    }
    Ok(Json(SellersBody { items, operator }))
}

/// Writes how a seller is taxed. Invoices that were asked for before keep what they have.
#[utoipa::path(put, path = "/api/v1/charging/invoices/sellers", tag = "charging", security(("session" = ["charging.manage"])),
    request_body = SellerBody, responses((status = 200, body = SellersBody), (status = 400, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn put_seller(
    State(app): State<App>,
    Caller(caller): Caller,
    peer: Peer,
    Json(body): Json<SellerBody>,
) -> Answer<Json<SellersBody>> {
    let bad = |told| ApiError::told(StatusCode::BAD_REQUEST, told);
    let operator = body.operator.trim().to_owned();
    let mut seller = Seller {
        name: body.name.trim().to_owned(),
        tax_number: body.tax_number.trim().to_owned(),
        taxed: BTreeMap::new(),
    };
    for taxed in body.taxed {
        let kind = LineKind::ALL
            .into_iter()
            .find(|kind| word(*kind) == taxed.kind);
        let Some(kind) = kind else {
            return Err(ApiError::both(
                StatusCode::BAD_REQUEST,
                "charging-invoice-kind",
                ["没有这种费用", "there is no such kind of fee"],
                ["费用种类", "kind"],
                [
                    "请用 energy、service、parking 或 idle",
                    "use energy, service, parking or idle",
                ],
            ));
        };
        let code = taxed.code.trim().to_owned();
        let rate_percent = taxed.rate_percent;
        seller.taxed.insert(kind, Taxed { code, rate_percent });
    }
    seller.check().map_err(bad)?;
    if operator.is_empty() || operator.len() > OPERATOR_BYTES_MAX {
        return Err(ApiError::both(
            StatusCode::BAD_REQUEST,
            "charging-invoice-operator",
            ["运营商为空或过长", "the operator is empty or too long"],
            ["运营商", "operator"],
            [
                "请照账单上的运营商名称填写，1 到 100 字节",
                "write the operator as bills name it, 1 to 100 bytes",
            ],
        ));
    }
    let now = app.now();
    let mut write = app.records.write().await?;
    let before = rows::sellers(&mut write).await?;
    let old = before.iter().find(|row| row.operator == operator);
    if old.is_none() && before.len() >= SELLERS_MAX {
        return Err(refuse(
            "charging-invoice-sellers-full",
            ["销售方已满 1000 个", "there are 1,000 sellers already"],
            ["请修改已有的销售方", "change one that is there"],
        ));
    }
    let old: Option<Seller> = match old {
        Some(row) => Some(serde_json::from_str(&row.body).map_err(ApiError::internal)?),
        None => None,
    };
    let row = ChargingSeller {
        operator: operator.clone(),
        body: serde_json::to_string(&seller).map_err(ApiError::internal)?,
        changed_at: now,
        changed_by: caller.name.clone(),
    };
    rows::put_seller(&mut write, &row).await?;
    let (actor, target) = (peer.actor(&caller), format!("charging-seller:{operator}"));
    let detail = json!({"old": old, "new": seller});
    audit::insert(
        &mut write,
        now,
        &actor,
        Event::ChargingSeller,
        &target,
        &detail,
    )
    .await?;
    write.commit().await?;
    sellers(State(app)).await
}
