//! The case of an order that is disputed (争议订单): opened as soon as either side disputes it, one for each order. A comparison of the day
//! opens no second one for it.

use super::door::unavailable;
use super::{Refused, Shared};
use api::app::App;
use api::charging_exchange::DifferenceCase;
use records::exchange::{self as rows, ExchangeOrder};

/// Hexadecimal digits of an order's name in its case's: a case's name takes 64 characters, and an order's number other signs than it does.
const NAME_DIGITS: usize = 32;

/// Opens the case of an order that is disputed, once; whoever is told of the dispute again finds the same.
pub(super) async fn open_case(
    shared: &Shared,
    app: &App,
    order: &ExchangeOrder,
) -> Result<(), Refused> {
    let is_disputed = order.confirm_result.is_some_and(|result| result != 0);
    if !is_disputed || order.case_id.is_some() {
        return Ok(());
    }
    let name = shared
        .partner(&order.partner)
        .map_or(order.partner.as_str(), |partner| partner.name.as_str());
    // The case first: whatever fails in between, the same dispute finds the same case by its name.
    let opened = app.open_difference_case(case_of(name, order)).await;
    let case_id = opened.map_err(|error| unavailable(error.in_words()))?;
    let mut write = shared.records.write().await.map_err(unavailable)?;
    rows::set_order_case(&mut write, (&order.partner, &order.order_no), case_id)
        .await
        .map_err(unavailable)?;
    write.commit().await.map_err(unavailable)
}

/// Why an order is disputed, for people.
fn why(doubt: &str) -> &str {
    match doubt {
        "period-energy" => "各时段电量之和与总电量不符",
        "period-electricity" => "各时段电费之和与总电费不符",
        "period-service" => "各时段服务费之和与总服务费不符",
        "period-time" => "时段的起止时间与订单不符",
        "content" => "同一订单号先后报来两份不同的内容，以先报的为准",
        "side" => "对方把本市充电站的订单当作自己的报来",
        "partner" => "对方不认可本市报去的订单",
        other => other,
    }
}

fn case_of(partner: &str, order: &ExchangeOrder) -> DifferenceCase {
    let number = &order.order_no;
    // Written by the platform alone.
    let doubts: Vec<String> = order
        .doubts
        .as_deref()
        .and_then(|doubts| serde_json::from_str(doubts).ok())
        .unwrap_or_default();
    let reasons: Vec<&str> = doubts.iter().map(|doubt| why(doubt)).collect();
    let sum = |fen: i64| charging::Fen(fen).to_string();
    let money = order.electricity_fen.unwrap_or(0) + order.service_fen.unwrap_or(0);
    let energy = charging::Wh(order.energy_wh.unwrap_or(0));
    let name = gm::sm3(format!("{}/{number}", order.partner).as_bytes());
    let mut name = hex::encode(name);
    name.truncate(NAME_DIGITS);
    DifferenceCase {
        title: format!("与{partner}的充电订单有争议（{number}）"),
        description: format!(
            "{partner}（{}）的充电订单 {number}：{}。\n本市记录：{energy} 千瓦时，{} 元。\n请与对方核对，更正有误的一方。订单见充电运营页“互联互通”。",
            order.partner,
            reasons.join("；"),
            sum(money)
        ),
        request_id: format!("exchange-order-{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    #[test]
    fn a_case_is_named_after_its_order_and_says_why() {
        let mut order = ExchangeOrder {
            id: 1,
            partner: "123456789".to_owned(),
            order_no: "123456789_00000000000000001".to_owned(),
            side: rows::THEIRS.to_owned(),
            connector_id: "C1".to_owned(),
            card: None,
            station: None,
            transaction_id: None,
            state: rows::SETTLED.to_owned(),
            started_at: None,
            ended_at: None,
            energy_wh: Some(12_345),
            electricity_fen: Some(926),
            service_fen: Some(617),
            confirm_result: Some(1),
            doubts: Some(r#"["period-energy","content"]"#.to_owned()),
            body: None,
            other_body: None,
            stop_asked_at: None,
            told_at: Timestamp::from_seconds(0),
            changed_at: Timestamp::from_seconds(0),
            case_id: None,
        };
        let case = case_of("某充电平台", &order);
        for part in ["12.345", "15.43", "各时段电量之和与总电量不符；同一订单号"]
        {
            assert!(case.description.contains(part), "{}", case.description);
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        assert!(case.request_id.chars().all(is_plain) && case.request_id.len() == 47);
        order.order_no.push('2');
        assert_ne!(case_of("某充电平台", &order).request_id, case.request_id);
    }
}
