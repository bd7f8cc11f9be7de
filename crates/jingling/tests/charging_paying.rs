//! A payment under way in a city that runs: a provider that does not answer, one that refuses, and a driver who is asked for the same money
//! never twice. The provider is the one that plays one; what it remembers of a request is changed behind its back.

use crate::charging::{city_with, python, station};
use crate::charging_drivers::{MINE, Phone, SETTINGS, begin, end, offered, told_to_start};
use crate::exchange::behind_its_back;
use crate::support::City;
use charging::Fen;
use charging::pay::{Act, Answer, Refusal, Request};
use serde_json::{Value, json};

/// From now on nothing is answered to a request: what the provider remembers of it cannot be read.
async fn falls_silent(city: &City, key: &str) {
    let row = format!(
        "INSERT INTO sandbox_answers (request_key, request, answer, at) VALUES ('{key}', '', '', 0)"
    );
    behind_its_back(city, row).await;
}

/// It can be asked again.
async fn speaks(city: &City, key: &str) {
    let row = format!("DELETE FROM sandbox_answers WHERE request_key = '{key}'");
    behind_its_back(city, row).await;
}

/// It says that the payer has not enough.
async fn refuses(city: &City, order: &str, hold: Fen) {
    let request = Request {
        key: format!("hold-1:{order}"),
        order: order.to_owned(),
        act: Act::Hold(hold),
    };
    let answer = Answer {
        key: request.key.clone(),
        outcome: Err(Refusal::Funds),
    };
    let row = format!(
        "UPDATE sandbox_answers SET request = '{}', answer = '{}' WHERE request_key = '{}'",
        serde_json::to_string(&request).unwrap(),
        serde_json::to_string(&answer).unwrap(),
        request.key
    );
    behind_its_back(city, row).await;
}

/// What is shown of a charge's money: due, paid, owed, whether it can be paid.
fn money(order: &Value) -> [&Value; 4] {
    ["due_fen", "paid_fen", "owed_fen", "may_pay"].map(|field| &order[field])
}

async fn payments_asked(city: &City) -> usize {
    let acts = city.get("/api/v1/audit?action=charging.pay").await;
    acts["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn while_the_provider_is_silent_a_payment_is_under_way_and_nobody_pays_again() {
    if python().is_none() {
        return;
    }
    let settings = [&SETTINGS[..], &["charging.hold_fen=1000"]].concat();
    let city = city_with(&settings, json!({})).await;
    let phone = Phone::of(&city, "li").await;
    let mut one = station(&city, "1.6", "CP1");
    offered(&city, &mut one, &phone).await;
    let order = phone.start(&city, "tap-1").await.json();
    let id = order["id"].as_str().unwrap().to_owned();
    let card = told_to_start(&mut one);
    let number = begin(&mut one, &card);
    let capture = format!("capture:{id}");
    falls_silent(&city, &capture).await;
    end(&mut one, &number);

    // The bill is made, and the money that was set aside is being taken.
    let shown = phone.until(&city, &order["id"], "paying").await;
    let (zero, no) = (json!(0), json!(false));
    assert_eq!(
        money(&shown["order"]),
        [&json!(3_300), &zero, &zero, &no],
        "{shown}"
    );
    let pay = format!("{MINE}/{id}/payment");
    for _ in 0..2 {
        let told = phone.send(&city, &pay, &Value::Null).await;
        assert_eq!(
            (told.status, &told.json()["state"]),
            (200, &json!("paying")),
            "{}",
            told.body
        );
    }
    let mine = phone.get(&city, MINE).await;
    assert_eq!(
        (&mine["owed_fen"], &mine["items"][0]["state"]),
        (&zero, &json!("paying"))
    );
    assert_eq!(
        payments_asked(&city).await,
        0,
        "a payment of its own for what is being paid"
    );

    // It answers: what was set aside is taken, and the rest is owed.
    speaks(&city, &capture).await;
    let shown = phone.until(&city, &order["id"], "owed").await;
    let (rest, yes) = (json!(2_300), json!(true));
    assert_eq!(
        money(&shown["order"]),
        [&json!(3_300), &json!(1_000), &rest, &yes],
        "{shown}"
    );

    // The rest is paid to a provider that is silent: however often it is tapped, it is one payment.
    let sessions = city.get("/api/v1/charging/sessions").await;
    let session = sessions["items"][0]["id"].clone();
    let second = format!("bill-{session}-2");
    falls_silent(&city, &format!("hold-1:{second}")).await;
    for _ in 0..2 {
        let told = phone.send(&city, &pay, &Value::Null).await;
        let told = (told.status, told.json());
        assert_eq!(told.0, 200, "{}", told.1);
        assert_eq!(told.1["state"], "paying", "{}", told.1);
        assert_eq!(
            money(&told.1),
            [&json!(3_300), &json!(1_000), &zero, &no],
            "{}",
            told.1
        );
    }
    assert_eq!(phone.get(&city, MINE).await["owed_fen"], zero);
    assert_eq!(payments_asked(&city).await, 1);

    // It refuses: the rest is owed again, and the next try is another payment.
    refuses(&city, &second, Fen(2_300)).await;
    let shown = phone.until(&city, &order["id"], "owed").await;
    assert_eq!(
        money(&shown["order"]),
        [&json!(3_300), &json!(1_000), &rest, &yes],
        "{shown}"
    );
    let paid = phone.send(&city, &pay, &Value::Null).await;
    assert_eq!(
        (paid.status, &paid.json()["state"], &paid.json()["paid_fen"]),
        (200, &json!("paid"), &json!(3_300)),
        "{}",
        paid.body
    );
    let path = format!("/api/v1/charging/sessions/{session}/payments");
    let whole = city.get(&path).await;
    let payments = whole["payments"].as_array().unwrap();
    let states: Vec<&str> = payments
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["done", "refused", "done"], "{whole}");
    assert_eq!(whole["refundable_fen"], 3_300, "{whole}");
}
