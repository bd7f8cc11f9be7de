//! Data of invoices of charging as it is handed to the tax administration's platform (数电发票), as JSON or as a table: those to be issued,
//! or the red ones (红字) of those to be taken back.

use crate::app::App;
use crate::charging_invoices::{ItemBody, data, refuse, word};
use crate::error::{Answer, ApiError, ProblemBody};
use crate::portal_data::text;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use charging::{Fen, LineKind};
use model::Timestamp;
use records::PageRequest;
use records::charging_invoices::{self as rows, ChargingInvoice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Most invoices that one export has.
const EXPORT_MAX: usize = 10_000;
/// Rows that an export reads at once.
const EXPORT_ROWS: u32 = 500;

/// How the data is written.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ExportQuery {
    /// `json` (default) or `csv`.
    pub format: Option<String>,
    /// `asked` (default: to be issued), or `red` (issued ones that are to be taken back, as red ones).
    pub what: Option<String>,
}

/// An invoice's data for the tax administration's platform.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChargingInvoiceData)]
pub struct DataBody {
    /// Its number here.
    pub id: i64,
    /// The number of the invoice that a red one takes back; null for others.
    pub reverses: Option<String>,
    /// The title.
    pub title: String,
    /// The buyer's number; null for a person.
    pub tax_number: Option<String>,
    /// The seller's name.
    pub seller: String,
    /// The seller's number.
    pub seller_tax_number: String,
    /// Its items; amounts of a red one are negative.
    pub items: Vec<ItemBody>,
    /// Without tax, fen.
    pub net_fen: i64,
    /// Tax, fen.
    pub tax_fen: i64,
    /// With tax, fen.
    pub gross_fen: i64,
    /// The bills.
    pub bills: Vec<String>,
}

/// The heads of the table.
const HEADS: &str = "序号 id,类型 kind,被红冲发票号码 reverses,购买方名称 title,购买方识别号 tax_number,销售方名称 seller,\
                     销售方识别号 seller_tax_number,项目名称 item,税收分类编码 code,税率_百分比 rate_percent,不含税金额_元 net_yuan,\
                     税额_元 tax_yuan,价税合计_元 gross_yuan,账单 bills";

fn lines(one: &DataBody) -> String {
    let kind = match one.reverses.is_some() {
        true => "红字 red",
        false => "蓝字 blue",
    };
    let mut all = String::new();
    for item in &one.items {
        let title = LineKind::ALL
            .into_iter()
            .find(|kind| word(*kind) == item.kind)
            .map_or("", |kind| kind.title()[0]);
        let cells = [
            one.id.to_string(),
            kind.to_owned(),
            one.reverses.clone().unwrap_or_default(),
            text(&one.title),
            one.tax_number.clone().unwrap_or_default(),
            text(&one.seller),
            one.seller_tax_number.clone(),
            title.to_owned(),
            item.code.clone(),
            item.rate_percent.to_string(),
            Fen(item.net_fen).to_string(),
            Fen(item.tax_fen).to_string(),
            Fen(item.gross_fen).to_string(),
            text(&one.bills.join(" ")),
        ];
        all.push_str(&cells.join(","));
        all.push_str("\r\n");
    }
    all
}

/// The data of invoices for the tax administration's platform: those to be issued, or the red ones of those to be taken back.
#[utoipa::path(get, path = "/api/v1/charging/invoices/export", tag = "charging", security(("session" = ["charging.manage"])), params(ExportQuery),
    responses((status = 200, content((Vec<DataBody> = "application/json"), (String = "text/csv"))), (status = 400, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn export(State(app): State<App>, Query(query): Query<ExportQuery>) -> Answer<Response> {
    let is_red = match query.what.as_deref() {
        None | Some("asked") => false,
        Some("red") => true,
        Some(_) => return Err(wrong_export()),
    };
    let is_csv = match query.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(wrong_export()),
    };
    let wanted = rows::Wanted {
        account: None,
        state: Some(if is_red { rows::ISSUED } else { rows::ASKED }),
        is_changed: is_red,
    };
    let mut request = PageRequest {
        after: None,
        limit: Some(EXPORT_ROWS),
    };
    let mut read = app.records.read().await?;
    let mut all: Vec<DataBody> = Vec::new();
    loop {
        let page = rows::list(&mut read, &wanted, &request).await?;
        for row in page.items {
            all.push(exported(row, is_red, app.now())?);
        }
        if all.len() > EXPORT_MAX {
            return Err(refuse(
                "charging-invoice-export",
                [
                    "一次最多导出 10000 张",
                    "at most 10,000 invoices are exported at once",
                ],
                [
                    "请先登记已开具的发票号码，再导出其余的",
                    "record the numbers of those that are issued, then export the rest",
                ],
            ));
        }
        match page.next {
            None => break,
            next => request.after = next,
        }
    }
    let name = if is_red {
        "charging-invoices-red"
    } else {
        "charging-invoices"
    };
    let file = |ending: &str| {
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.{ending}\""),
        )
    };
    let private = (header::CACHE_CONTROL, "no-store".to_owned());
    if !is_csv {
        return Ok(([file("json"), private], Json(all)).into_response());
    }
    let rest: String = all.iter().map(lines).collect();
    let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned());
    Ok((
        [kind, file("csv"), private],
        format!("\u{feff}{HEADS}\r\n{rest}"),
    )
        .into_response())
}

fn exported(row: ChargingInvoice, is_red: bool, now: Timestamp) -> Answer<DataBody> {
    let mut made = data(&row)?;
    if is_red {
        made = made.reversed(now);
    }
    Ok(DataBody {
        id: row.id,
        reverses: row.number.filter(|_| is_red),
        title: made.buyer.title,
        tax_number: made.buyer.tax_number,
        seller: made.seller,
        seller_tax_number: made.seller_tax_number,
        items: made.items.into_iter().map(ItemBody::of).collect(),
        net_fen: made.net.0,
        tax_fen: made.tax.0,
        gross_fen: made.gross.0,
        bills: made.bills,
    })
}

fn wrong_export() -> ApiError {
    ApiError::both(
        StatusCode::BAD_REQUEST,
        "charging-invoice-format",
        [
            "导出内容或格式不对",
            "what is exported or its format is wrong",
        ],
        ["what、format", "what, format"],
        [
            "请用 what=asked 或 red，format=json 或 csv",
            "use what=asked or red, format=json or csv",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_red_one_is_negative_and_a_title_is_no_formula() {
        let one = DataBody {
            id: 7,
            reverses: Some("26422000000000000001".to_owned()),
            title: "=1+1,甲".to_owned(),
            tax_number: None,
            seller: "乙".to_owned(),
            seller_tax_number: "91429006MA00000000".to_owned(),
            items: vec![ItemBody {
                kind: "idle".to_owned(),
                code: "3040000000000000000".to_owned(),
                rate_percent: 6,
                net_fen: -94,
                tax_fen: -6,
                gross_fen: -100,
            }],
            net_fen: -94,
            tax_fen: -6,
            gross_fen: -100,
            bills: vec!["CP1/7".to_owned(), "CP1/8".to_owned()],
        };
        let row = "7,红字 red,26422000000000000001,\"'=1+1,甲\",,乙,91429006MA00000000,占位费,3040000000000000000,6,-0.94,-0.06,-1.00,CP1/7 CP1/8\r\n";
        assert_eq!(lines(&one), row);
        assert_eq!(HEADS.split(',').count(), row.split(',').count() - 1);
    }
}
