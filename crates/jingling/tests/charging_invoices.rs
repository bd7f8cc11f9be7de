//! Invoices of charging in a city that runs: a driver asks for one of charges that are paid, an operator exports its data and records the
//! number of the issued one; a bill stands on one invoice only; after a refund a red one takes it back, and what is left is asked for anew.

use crate::charging::{city_with, post, python, station};
use crate::charging_drivers::{MINE, Phone, SETTINGS, begin, end, offered, told_to_start};
use crate::support::{Answer, City};
use serde_json::{Value, json};

const INVOICES: &str = "/api/v1/charging/invoices";
const NUMBERS: [&str; 3] = [
    "26422000000000000001",
    "26422000000000000002",
    "26422000000000000003",
];

async fn put(city: &City, path: &str, body: &Value) -> Answer {
    let token = city.token_of("operator");
    city.ask("PUT", path, |r| r.bearer_auth(&token).json(body))
        .await
}

/// Reads as an operator.
async fn read(city: &City, path: &str) -> Answer {
    let token = city.token_of("operator");
    let told = city.ask("GET", path, |r| r.bearer_auth(&token)).await;
    assert_eq!(told.status, 200, "{path}: {}", told.body);
    told
}

fn seller(rate: i64) -> Value {
    json!({
        "operator": "city", "name": "竟陵充电有限公司", "tax_number": "91429006MA00000000",
        "taxed": [
            {"kind": "energy", "code": "1100101010000000000", "rate_percent": 13},
            {"kind": "service", "code": "3040000000000000000", "rate_percent": rate},
        ],
    })
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

/// Orders a charge, which comes to 33 yuan, and waits until it is paid; its id.
async fn charged(
    city: &City,
    phone: &Phone,
    one: &mut crate::charging::Station,
    key: &str,
) -> Value {
    let order = phone.start(city, key).await;
    assert_eq!(order.status, 201, "{}", order.body);
    let card = told_to_start(one);
    let number = begin(one, &card);
    end(one, &number);
    let id = order.json()["id"].clone();
    let paid = phone.until(city, &id, "paid").await;
    assert_eq!(
        (&paid["order"]["may_invoice"], &paid["order"]["operator"]),
        (&json!(true), &json!("city")),
        "{paid}"
    );
    id
}

#[tokio::test]
async fn a_charge_is_invoiced_once_and_a_refund_takes_the_invoice_back() {
    if python().is_none() {
        return;
    }
    let city = city_with(&SETTINGS, json!({})).await;
    let (phone, other) = (Phone::of(&city, "li").await, Phone::of(&city, "zhao").await);
    let mut one = station(&city, "1.6", "CP1");
    offered(&city, &mut one, &phone).await;
    let id = charged(&city, &phone, &mut one, "tap-1").await;
    let ways = format!("{MINE}/invoices");
    let asked = |key: &str| json!({"charges": [id], "title": "天门市某单位", "tax_number": "11429006000000000A", "key": key});

    // Nobody wrote who sells: what is missing is said, and nothing is made up.
    let none = phone.send(&city, &ways, &asked("i-1")).await;
    assert_eq!(refused(&none), (409, "charging-invoice-seller".to_owned()));
    assert!(
        none.json()["mend_zh"]
            .as_str()
            .unwrap()
            .contains("税收分类编码"),
        "{}",
        none.body
    );
    let sellers = format!("{INVOICES}/sellers");
    let mut wrong = seller(6);
    wrong["taxed"][0]["code"] = json!("110");
    for (field, body, code) in [
        ("code", wrong, "invoice-tax"),
        ("rate", seller(100), "invoice-tax"),
        (
            "number",
            json!({"operator": "city", "name": "甲", "tax_number": "1", "taxed": []}),
            "invoice-seller",
        ),
        (
            "kind",
            json!({"operator": "city", "name": "甲", "tax_number": "1", "taxed": [{"kind": "x", "code": "1", "rate_percent": 1}]}),
            "charging-invoice-kind",
        ),
    ] {
        assert_eq!(
            refused(&put(&city, &sellers, &body).await),
            (400, code.to_owned()),
            "{field}"
        );
    }
    let written = put(&city, &sellers, &seller(6)).await;
    assert_eq!(written.status, 200, "{}", written.body);
    assert_eq!(written.json()["items"][0], seller(6), "{}", written.body);

    // Wrong titles, charges of others and none at all.
    for (body, status, code) in [
        (
            json!({"charges": [id], "title": " ", "key": "i-1"}),
            400,
            "invoice-buyer",
        ),
        (
            json!({"charges": [id], "title": "甲", "tax_number": "abc", "key": "i-1"}),
            400,
            "invoice-buyer",
        ),
        (
            json!({"charges": [], "title": "甲", "key": "i-1"}),
            400,
            "invoice-bills",
        ),
        (
            json!({"charges": [id], "title": "甲", "key": "red-1"}),
            400,
            "charging-key",
        ),
        (
            json!({"charges": ["nothing"], "title": "甲", "key": "i-1"}),
            404,
            "not-found",
        ),
    ] {
        let told = phone.send(&city, &ways, &body).await;
        assert_eq!(refused(&told), (status, code.to_owned()), "{body}");
    }
    let strange = other.send(&city, &ways, &asked("i-1")).await;
    assert_eq!(strange.status, 404, "{}", strange.body);

    // 22 yuan of electricity at 13 % and 11 of service at 6 %, tax within the price.
    let made = phone.send(&city, &ways, &asked("i-1")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (
            &made["gross_fen"],
            &made["net_fen"],
            &made["tax_fen"],
            &made["state"]
        ),
        (&json!(3_300), &json!(2_985), &json!(315), &json!("asked")),
        "{made}"
    );
    // The same request is the same invoice; another one of the same charge is none.
    assert_eq!(
        phone.send(&city, &ways, &asked("i-1")).await.json()["id"],
        made["id"]
    );
    let twice = phone.send(&city, &ways, &asked("i-2")).await;
    assert_eq!(refused(&twice), (409, "charging-invoice-twice".to_owned()));
    let mine = phone.get(&city, &ways).await;
    assert_eq!(
        (mine["items"].as_array().unwrap().len(), &mine["is_sandbox"]),
        (1, &json!(true)),
        "{mine}"
    );
    assert_eq!(other.get(&city, &ways).await["items"], json!([]));
    let charge = phone
        .get(&city, &format!("{MINE}/{}", id.as_str().unwrap()))
        .await;
    assert_eq!(
        (&charge["order"]["may_invoice"], &charge["order"]["invoice"]),
        (&json!(false), &made["id"]),
        "{charge}"
    );

    // Declined with a reason, its charge is free again.
    let steps = |id: &Value| format!("{INVOICES}/{id}/steps");
    let bare = post(&city, &steps(&made["id"]), &json!({"step": "decline"})).await;
    assert_eq!(refused(&bare), (400, "charging-invoice-step".to_owned()));
    let declined = post(
        &city,
        &steps(&made["id"]),
        &json!({"step": "decline", "note": "抬头不全"}),
    )
    .await;
    assert_eq!(declined.json()["state"], "declined", "{}", declined.body);
    let late = post(
        &city,
        &steps(&made["id"]),
        &json!({"step": "issue", "number": NUMBERS[0]}),
    )
    .await;
    assert_eq!(refused(&late), (409, "charging-invoice-stands".to_owned()));
    // Asked for twice at once, one of the two has it.
    let (third, fourth) = (asked("i-3"), asked("i-4"));
    let (third, fourth) = tokio::join!(
        phone.send(&city, &ways, &third),
        phone.send(&city, &ways, &fourth)
    );
    let (made, none) = match third.status {
        201 => (third, fourth),
        _ => (fourth, third),
    };
    assert_eq!(
        (made.status, refused(&none)),
        (201, (409, "charging-invoice-twice".to_owned())),
        "{} {}",
        made.body,
        none.body
    );
    let made = made.json();

    // Its data as it is handed over, then its number, once.
    let told = read(&city, &format!("{INVOICES}/export")).await.json();
    assert_eq!(
        (told.as_array().unwrap().len(), &told[0]["id"]),
        (1, &made["id"]),
        "{told}"
    );
    let csv = read(&city, &format!("{INVOICES}/export?format=csv"))
        .await
        .body;
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 3, "{csv}");
    assert!(
        rows[1].contains(",天门市某单位,11429006000000000A,竟陵充电有限公司,91429006MA00000000,电费,1100101010000000000,13,19.47,2.53,22.00,"),
        "{csv}"
    );
    let short = post(
        &city,
        &steps(&made["id"]),
        &json!({"step": "issue", "number": "1"}),
    )
    .await;
    assert_eq!(refused(&short), (400, "charging-invoice-step".to_owned()));
    for _ in 0..2 {
        let issued = post(
            &city,
            &steps(&made["id"]),
            &json!({"step": "issue", "number": NUMBERS[0]}),
        )
        .await;
        assert_eq!(issued.json()["state"], "issued", "{}", issued.body);
    }
    assert_eq!(
        phone.get(&city, &ways).await["items"][0]["number"],
        NUMBERS[0]
    );

    // Money is given back: the red one is proposed, and what is left is asked for anew.
    let red = format!("{INVOICES}/export?what=red");
    assert_eq!(read(&city, &red).await.json(), json!([]));
    let session = city.get("/api/v1/charging/sessions").await["items"][0]["id"].clone();
    let back = json!({"fen": 1_000, "reason": "充电中断", "key": "r-1"});
    let given = post(
        &city,
        &format!("/api/v1/charging/sessions/{session}/refunds"),
        &back,
    )
    .await;
    assert_eq!(given.status, 201, "{}", given.body);
    let changed = read(&city, &format!("{INVOICES}?changed=true"))
        .await
        .json();
    assert_eq!(
        (&changed["items"][0]["id"], &changed["items"][0]["left_fen"]),
        (&made["id"], &json!(2_300)),
        "{changed}"
    );
    let told = read(&city, &red).await.json();
    assert_eq!(
        (
            &told[0]["reverses"],
            &told[0]["gross_fen"],
            &told[0]["tax_fen"]
        ),
        (&json!(NUMBERS[0]), &json!(-3_300), &json!(-315)),
        "{told}"
    );
    let same = json!({"step": "reverse", "number": NUMBERS[0], "note": "退款"});
    let same = post(&city, &steps(&made["id"]), &same).await;
    assert_eq!(refused(&same), (409, "charging-invoice-number".to_owned()));
    let reverse = json!({"step": "reverse", "number": NUMBERS[1], "note": "退款"});
    for _ in 0..2 {
        let reversed = post(&city, &steps(&made["id"]), &reverse).await;
        assert_eq!(reversed.json()["state"], "reversed", "{}", reversed.body);
    }
    let mine = phone.get(&city, &ways).await;
    let next = &mine["items"][0];
    assert_eq!(
        (
            &next["gross_fen"],
            &next["replaces"],
            &next["state"],
            &next["title"]
        ),
        (
            &json!(2_300),
            &made["id"],
            &json!("asked"),
            &json!("天门市某单位")
        ),
        "{mine}"
    );
    // The refund took from service first: 22 yuan of electricity and one of service.
    assert_eq!(next["items"][1]["gross_fen"], 100, "{mine}");
    assert_eq!(mine["items"].as_array().unwrap().len(), 3, "{mine}");
    let acts = city.get("/api/v1/audit?action=charging.invoice").await;
    let acts = acts["items"].as_array().unwrap();
    let steps: Vec<&str> = acts
        .iter()
        .map(|act| act["detail"]["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        ["reverse", "issue", "ask", "decline", "ask"],
        "{acts:?}"
    );
    let acts = city.get("/api/v1/audit?action=charging.seller").await;
    assert_eq!(acts["items"].as_array().unwrap().len(), 1, "{acts}");
}
