//! Drivers' charging in a city that runs: from a phone's order over money set aside, a station of the Python package `ocpp` that is told to
//! start, to a bill that is paid once; refusals, debts, reservations, refunds, complaints, corrections; and a server that is killed in the
//! middle.

use crate::charging::{
    CARD, Station, ago, city_with, post, python, register, register_16, station, tariff,
};
use crate::served::{Server, answer, made};
use crate::support::{Answer, City, until};
use serde_json::{Value, json};
use std::net::SocketAddr;

pub const SETTINGS: [&str; 3] = [
    "ocpp.listen=127.0.0.1:0",
    "charging.look_seconds=1",
    "charging.payment=sandbox",
];
pub const MINE: &str = "/api/v1/charging/mine";

/// A person with a phone.
pub struct Phone {
    pub cookie: String,
}

impl Phone {
    pub async fn of(city: &City, username: &str) -> Self {
        let password = city.add_person(username, "resident");
        let signed = city.sign_in(username, &password).await;
        assert_eq!(signed.status, 200, "{signed:?}");
        Self {
            cookie: signed.cookie.unwrap(),
        }
    }

    pub async fn send(&self, city: &City, path: &str, body: &Value) -> Answer {
        city.send(&self.cookie, "POST", path, body).await
    }

    pub async fn get(&self, city: &City, path: &str) -> Value {
        let told = city.send(&self.cookie, "GET", path, &Value::Null).await;
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        told.json()
    }

    pub async fn start(&self, city: &City, key: &str) -> Answer {
        let body = json!({"station": "CP1", "outlet": 1, "key": key});
        self.send(city, MINE, &body).await
    }

    /// Waits until one of the person's charges is so, and gives it whole.
    pub async fn until(&self, city: &City, id: &Value, state: &str) -> Value {
        let path = format!("{MINE}/{}", id.as_str().unwrap());
        until(state, async || {
            self.get(city, &path).await["order"]["state"] == state
        })
        .await;
        self.get(city, &path).await
    }
}

/// Says that the outlet is free, and waits until it can be seen.
pub async fn offered(city: &City, one: &mut Station, phone: &Phone) {
    one.call(
        "BootNotification",
        json!({"charge_point_vendor": "V", "charge_point_model": "M"}),
    );
    let free = json!({"connector_id": 1, "error_code": "NoError", "status": "Available", "timestamp": ago(0)});
    one.call("StatusNotification", free);
    until("the point is offered", async || {
        let places = phone.get(city, "/api/v1/charging/places").await;
        places["items"][0]["points"][0]["may_start"] == true
    })
    .await;
}

/// The card that the station was told to start with.
pub fn told_to_start(one: &mut Station) -> Value {
    let heard = one.tell(&json!({"wait": "RemoteStartTransaction"}));
    assert_eq!(heard["answer"]["connector_id"], 1, "{heard}");
    heard["answer"]["id_tag"].clone()
}

pub fn begin(one: &mut Station, card: &Value) -> Value {
    begin_at(one, card, 3_600)
}

fn begin_at(one: &mut Station, card: &Value, seconds_ago: i64) -> Value {
    let start = json!({"connector_id": 1, "id_tag": card, "meter_start": 1_000, "timestamp": ago(seconds_ago)});
    let begun = one.call("StartTransaction", start);
    assert_eq!(begun["id_tag_info"]["status"], "Accepted", "{begun}");
    begun["transaction_id"].clone()
}

pub fn end(one: &mut Station, number: &Value) {
    end_at(one, number, 60);
}

fn end_at(one: &mut Station, number: &Value, seconds_ago: i64) {
    let stop =
        json!({"transaction_id": number, "meter_stop": 23_000, "timestamp": ago(seconds_ago)});
    one.call("StopTransaction", stop);
}

/// Names of the place and the point, each with its English one.
const NAMES: [&str; 4] = ["东湖公园", "East Lake", "一号枪", "Outlet one"];

/// Says at which place the station stands, and how both are called.
async fn named(city: &City) {
    let text = |text: &str| json!({"type": "Property", "value": text});
    let place = "urn:ngsi-ld:EVChargingStation:E1";
    let entities = json!([
        {"id": place, "type": "EVChargingStation", "name": text(NAMES[0]), "nameEn": text(NAMES[1])},
        {"id": "urn:ngsi-ld:ChargePoint:CP1", "type": "ChargePoint", "refStation": {"type": "Relationship", "object": place},
            "name": text(NAMES[2]), "nameEn": text(NAMES[3])},
    ]);
    let token = city.token_of("collector");
    let put = city.ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
        r.bearer_auth(&token).json(&entities)
    });
    let put = put.await;
    assert!(put.status < 300, "{put:?}");
}

fn names(at: &Value) -> [Option<&str>; 4] {
    ["place", "place_en", "point", "point_en"].map(|field| at[field].as_str())
}

#[tokio::test]
async fn from_a_phone_to_a_bill_that_is_paid_once() {
    if python().is_none() {
        return;
    }
    let city = city_with(&SETTINGS, json!({})).await;
    let (phone, other) = (Phone::of(&city, "li").await, Phone::of(&city, "zhao").await);
    let mut one = station(&city, "1.6", "CP1");
    offered(&city, &mut one, &phone).await;
    let places = phone.get(&city, "/api/v1/charging/places").await;
    let place = &places["items"][0];
    assert_eq!(place["price"]["now"], 15_000, "{places}");
    assert_eq!(
        places["payment"],
        json!({"is_open": true, "is_sandbox": true})
    );

    let ordered = phone.start(&city, "tap-1").await;
    assert_eq!(ordered.status, 201, "{}", ordered.body);
    let order = ordered.json();
    assert_eq!(order["state"], "starting", "{order}");
    assert_eq!(names(&order), [None, None, Some("CP1 #1"), None], "{order}");
    named(&city).await;
    let card = told_to_start(&mut one);
    // The same tap is the same order; somebody else finds the outlet taken, and a second one of one's own is one too many.
    assert_eq!(phone.start(&city, "tap-1").await.json()["id"], order["id"]);
    let refused = other.start(&city, "tap-2").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "charging-taken")
    );

    let good = one.call("Authorize", json!({"id_tag": card}));
    assert_eq!(good["id_tag_info"]["status"], "Accepted");
    let number = begin(&mut one, &card);
    let middle = json!({"connector_id": 1, "transaction_id": number, "meter_value": register_16(1_800, 12_000)});
    one.call("MeterValues", middle);
    let live = phone.until(&city, &order["id"], "charging").await;
    assert_eq!(live["order"]["energy_wh"], 11_000, "{live}");
    assert_eq!(names(&live["order"]), NAMES.map(Some), "{live}");
    assert_eq!(live["order"]["estimate_fen"], 1_650);
    assert_eq!(live["order"]["may_stop"], true);
    assert_eq!(live["readings"].as_array().unwrap().len(), 2);
    // What is one person's is not there for another.
    let path = format!("{MINE}/{}", order["id"].as_str().unwrap());
    for (method, rest) in [("GET", ""), ("POST", "/stop"), ("POST", "/payment")] {
        let path = format!("{path}{rest}");
        let told = city.send(&other.cookie, method, &path, &Value::Null).await;
        assert_eq!(told.status, 404, "{path}");
    }
    let stopped = phone
        .send(&city, &format!("{path}/stop"), &Value::Null)
        .await;
    assert_eq!(stopped.status, 200, "{}", stopped.body);
    let heard = one.tell(&json!({"wait": "RemoteStopTransaction"}));
    assert_eq!(heard["answer"]["transaction_id"], number);
    end(&mut one, &number);
    end(&mut one, &number);
    let paid = phone.until(&city, &order["id"], "paid").await;
    assert_eq!(
        (&paid["order"]["paid_fen"], &paid["order"]["owed_fen"]),
        (&json!(3_300), &json!(0))
    );
    assert_eq!(paid["bill"]["lines"].as_array().unwrap().len(), 2);
    // The card was good for this charge alone.
    until("the card has ended", async || {
        one.call("Authorize", json!({"id_tag": card}))["id_tag_info"]["status"] == "Blocked"
    })
    .await;
    let again = phone
        .send(&city, &format!("{path}/payment"), &Value::Null)
        .await;
    assert_eq!(
        (again.status, again.problem().as_str()),
        (409, "charging-nothing-owed")
    );
    let mine = phone.get(&city, MINE).await;
    assert_eq!(
        (mine["items"].as_array().unwrap().len(), &mine["owed_fen"]),
        (1, &json!(0))
    );
    assert_eq!(other.get(&city, MINE).await["items"], json!([]));

    // An operator gives some back, once for each request, and never more than was paid.
    let sessions = city.get("/api/v1/charging/sessions").await;
    let session = sessions["items"][0]["id"].clone();
    let refunds = format!("/api/v1/charging/sessions/{session}/refunds");
    let back = json!({"fen": 1_000, "reason": "充电中断", "key": "r-1"});
    for _ in 0..2 {
        let given = post(&city, &refunds, &back).await;
        assert_eq!(given.status, 201, "{}", given.body);
        assert_eq!(given.json()["refundable_fen"], 2_300, "{}", given.body);
    }
    let much = json!({"fen": 2_301, "reason": "充电中断", "key": "r-2"});
    let refused = post(&city, &refunds, &much).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "charging-refund-too-much")
    );
    let shown = phone.get(&city, &path).await;
    assert_eq!(shown["order"]["refunded_fen"], 1_000);

    // The month goes on: what it comes to is shown, and settled when it is over.
    let month = ago(0)[..7].to_owned();
    let path_of = |month: &str| format!("/api/v1/charging/settlements/{month}");
    let shown = city.get(&path_of(&month)).await;
    let statement = &shown["statements"][0];
    assert_eq!(
        (&statement["total_fen"], &statement["count"]),
        (&json!(2_300), &json!(1)),
        "{shown}"
    );
    assert_eq!(
        (&statement["paid_fen"], &statement["refunded_fen"]),
        (&json!(3_300), &json!(1_000)),
        "{shown}"
    );
    let token = city.token_of("operator");
    let table = city
        .ask("GET", &format!("{}/table.csv", path_of(&month)), |r| {
            r.bearer_auth(&token)
        })
        .await;
    let row = table.body.lines().nth(1).unwrap();
    assert!(
        row.ends_with(",city,city,1,22.000,33.00,10.00,22.00,1.00,0.00,0.00,23.00,0.00,23.00,"),
        "{row}"
    );
    assert_eq!(
        statement["due_fen"], 2_300,
        "who operates the station keeps its own: {shown}"
    );
    let early = post(&city, &path_of(&month), &Value::Null).await;
    assert_eq!(
        (early.status, early.problem().as_str()),
        (409, "charging-month-goes-on")
    );
    let wrong = post(&city, &path_of("2026-13"), &Value::Null).await;
    assert_eq!(
        (wrong.status, wrong.problem().as_str()),
        (400, "charging-month")
    );
    let before = post(&city, &path_of("2026-01"), &Value::Null).await;
    assert_eq!(
        (before.status, before.json()["statements"].clone()),
        (200, json!([])),
        "{}",
        before.body
    );

    // A complaint is a case, once for a text.
    let complaint = json!({"text": "充到一半自己停了"});
    let path = format!("{path}/complaint");
    let case = phone.send(&city, &path, &complaint).await;
    assert_eq!(case.status, 201, "{}", case.body);
    assert_eq!(
        phone.send(&city, &path, &complaint).await.json(),
        case.json()
    );
    let empty = phone.send(&city, &path, &json!({"text": " "})).await;
    assert_eq!(empty.status, 400);
    let duty = city.token_of("duty");
    let cases = city
        .ask("GET", "/api/v1/cases", |r| r.bearer_auth(&duty))
        .await
        .json();
    assert_eq!(cases["items"][0]["number"], case.json()["case"], "{cases}");
    // It says when, by the city's clock.
    let path = format!("/api/v1/cases/{}", cases["items"][0]["id"]);
    let whole = city.ask("GET", &path, |r| r.bearer_auth(&duty)).await;
    assert!(whole.body.contains(" UTC+8。"), "{}", whole.body);

    // The station tells of another end after the bill: a case for a person, once.
    let late = json!({"transaction_id": number, "meter_stop": 24_000, "timestamp": ago(50)});
    one.call("StopTransaction", late);
    let payments = format!("/api/v1/charging/sessions/{session}/payments");
    until("the correction is a case", async || {
        city.get(&payments).await["cases"].as_array().unwrap().len() == 2
    })
    .await;
    let acts = city.get("/api/v1/audit?action=charging.refund").await;
    assert_eq!(acts["items"].as_array().unwrap().len(), 1, "{acts}");
}

#[tokio::test]
async fn what_is_owed_is_paid_before_the_next_charge_and_what_does_not_begin_costs_nothing() {
    if python().is_none() {
        return;
    }
    let settings = [
        SETTINGS[0],
        SETTINGS[1],
        SETTINGS[2],
        "charging.hold_fen=1000",
        "charging.start_wait_seconds=2",
    ];
    let city = city_with(&settings, json!({})).await;
    let phone = Phone::of(&city, "li").await;
    let mut one = station(&city, "1.6", "CP1");
    // It has not said how it stands yet; another is nowhere.
    let early = phone.start(&city, "early").await;
    assert_eq!(
        (early.status, early.problem().as_str()),
        (404, "charging-no-point")
    );
    offered(&city, &mut one, &phone).await;
    let nowhere = json!({"station": "CP9", "outlet": 1, "key": "x"});
    let told = phone.send(&city, MINE, &nowhere).await;
    assert_eq!(
        (told.status, told.problem().as_str()),
        (404, "charging-no-point")
    );
    let nameless = phone.start(&city, " ").await;
    assert_eq!(
        (nameless.status, nameless.problem().as_str()),
        (400, "charging-key")
    );

    // Nobody plugs in: it is given up, and the station's answer to its card is no.
    let order = phone.start(&city, "tap-1").await.json();
    let card = told_to_start(&mut one);
    let ended = phone.until(&city, &order["id"], "refused").await;
    assert!(
        ended["order"]["told"]["zh"]
            .as_str()
            .unwrap()
            .contains("预授权已退回"),
        "{ended}"
    );
    let said = one.call("Authorize", json!({"id_tag": card}));
    assert_eq!(said["id_tag_info"]["status"], "Blocked");

    // One that is given up before it begins is over at once, and its card is good for nothing.
    let order = phone.start(&city, "tap-1b").await.json();
    let card = told_to_start(&mut one);
    let stop = format!("{MINE}/{}/stop", order["id"].as_str().unwrap());
    let given_up = phone.send(&city, &stop, &Value::Null).await;
    assert_eq!(
        (given_up.status, &given_up.json()["state"]),
        (200, &json!("refused")),
        "{}",
        given_up.body
    );
    let said = one.call("Authorize", json!({"id_tag": card}));
    assert_eq!(said["id_tag_info"]["status"], "Blocked");

    // A bill above what was set aside: the rest is owed, and paid before another charge.
    let order = phone.start(&city, "tap-2").await.json();
    let card = told_to_start(&mut one);
    let number = begin(&mut one, &card);
    end(&mut one, &number);
    let owed = phone.until(&city, &order["id"], "owed").await;
    assert_eq!(
        (&owed["order"]["paid_fen"], &owed["order"]["owed_fen"]),
        (&json!(1_000), &json!(2_300))
    );
    assert_eq!(phone.get(&city, MINE).await["owed_fen"], 2_300);
    let refused = phone.start(&city, "tap-3").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "charging-owed")
    );
    let pay = format!("{MINE}/{}/payment", order["id"].as_str().unwrap());
    let paid = phone.send(&city, &pay, &Value::Null).await;
    assert_eq!(paid.status, 200, "{}", paid.body);
    assert_eq!(
        (&paid.json()["state"], &paid.json()["paid_fen"]),
        (&json!("paid"), &json!(3_300))
    );

    // A card held to a reader, registered to the account, is one's own charge too, and is paid afterwards.
    let token = city.token_of("operator");
    let card = json!({"card": CARD, "holder": "account:li"});
    let put = city.ask("PUT", "/api/v1/charging/cards", |r| {
        r.bearer_auth(&token).json(&card)
    });
    assert_eq!(put.await.status, 200);
    let number = begin_at(&mut one, &json!(CARD), 9_000);
    end_at(&mut one, &number, 7_000);
    let mine = phone.get(&city, MINE).await;
    assert_eq!(mine["owed_fen"], 3_300, "{mine}");
    let by_card = mine["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["state"] == "owed");
    let by_card = by_card.unwrap()["id"].as_str().unwrap();
    assert!(by_card.starts_with('s'), "{mine}");
    let paid = phone
        .send(&city, &format!("{MINE}/{by_card}/payment"), &Value::Null)
        .await;
    assert_eq!(paid.json()["state"], "paid", "{}", paid.body);

    // Out of order, and gone from the line.
    let faulted = json!({"connector_id": 1, "error_code": "GroundFailure", "status": "Faulted", "timestamp": ago(-1)});
    one.call("StatusNotification", faulted);
    until("it is out of order", async || {
        let places = phone.get(&city, "/api/v1/charging/places").await;
        places["items"][0]["points"][0]["status"] == "Faulted"
    })
    .await;
    let refused = phone.start(&city, "tap-4").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "charging-cannot-start")
    );
    let closed = City::start();
    let phone = Phone::of(&closed, "li").await;
    let told = phone.start(&closed, "tap").await;
    assert_eq!(
        (told.status, told.problem().as_str()),
        (409, "charging-no-payment")
    );
}

#[tokio::test]
async fn a_reservation_keeps_others_away() {
    if python().is_none() {
        return;
    }
    let city = city_with(
        &[&SETTINGS[..], &["charging.grid_seconds=1"]].concat(),
        json!({}),
    )
    .await;
    let (phone, other) = (Phone::of(&city, "li").await, Phone::of(&city, "zhao").await);
    let mut one = station(&city, "1.6", "CP1");
    offered(&city, &mut one, &phone).await;
    let path = "/api/v1/charging/reservations";
    // It began a moment ago and goes on for an hour.
    let asked = |key: &str| json!({"station": "CP1", "outlet": 1, "from": ago(1), "to": ago(-3_600), "key": key});
    let made = phone.send(&city, path, &asked("r-1")).await;
    assert_eq!(
        (made.status, &made.json()["state"]),
        (201, &json!("confirmed")),
        "{}",
        made.body
    );
    named(&city).await;
    let again = phone.send(&city, path, &asked("r-1")).await;
    assert_eq!(again.json()["id"], made.json()["id"], "{}", again.body);
    assert_eq!(names(&again.json()), NAMES.map(Some), "{}", again.body);
    let refused = other.send(&city, path, &asked("r-2")).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let short = json!({"station": "CP1", "outlet": 1, "from": ago(-7_200), "to": ago(-7_260), "key": "r-3"});
    let refused = phone.send(&city, path, &short).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let busy = other
        .get(&city, &format!("{path}/free?station=CP1&outlet=1"))
        .await;
    assert_eq!(
        (busy["busy"].as_array().unwrap().len(), &busy["minutes_min"]),
        (1, &json!(15))
    );
    // The station is told to keep it free for a card that nobody has.
    let kept = one.tell(&json!({"wait": "ReserveNow"}))["answer"].clone();
    assert_eq!(
        (&kept["connector_id"], &kept["reservation_id"]),
        (&json!(1), &made.json()["id"])
    );
    // Nobody cancels what is another's.
    let own = format!("{path}/{}", made.json()["id"]);
    let told = city.send(&other.cookie, "DELETE", &own, &Value::Null).await;
    assert_eq!(told.status, 404, "{}", told.body);
    let refused = other.start(&city, "tap-1").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "charging-reserved")
    );
    // Whoever reserved it charges, and the reservation is used.
    let order = phone.start(&city, "tap-2").await;
    assert_eq!(order.status, 201, "{}", order.body);
    let ended = one.tell(&json!({"wait": "CancelReservation"}))["answer"].clone();
    assert_eq!(ended["reservation_id"], kept["reservation_id"]);
    let card = told_to_start(&mut one);
    let number = begin(&mut one, &card);
    until("it is in use", async || {
        phone.get(&city, path).await["items"][0]["state"] == "in_use"
    })
    .await;
    end(&mut one, &number);
    phone.until(&city, &order.json()["id"], "paid").await;
    until("it is done", async || {
        phone.get(&city, path).await["items"][0]["state"] == "done"
    })
    .await;
    // One that lies ahead is given up.
    let ahead = json!({"station": "CP1", "outlet": 1, "from": ago(-7_200), "to": ago(-9_000), "key": "r-4"});
    let made = phone.send(&city, path, &ahead).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let own = format!("{path}/{}", made.json()["id"]);
    let told = city.send(&phone.cookie, "DELETE", &own, &Value::Null).await;
    assert_eq!(told.status, 204, "{}", told.body);
    let acts = city.get("/api/v1/audit?action=charging.reserve").await;
    assert_eq!(acts["items"].as_array().unwrap().len(), 4, "{acts}");
}

/// Asks a served city as somebody who is signed in.
struct Session {
    client: reqwest::Client,
    cookie: String,
}

impl Session {
    async fn open(door: SocketAddr, password: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({"username": "li", "password": password});
        let url = format!("http://{door}/api/v1/session");
        let told = client.post(url).json(&body).send().await.unwrap();
        let cookie = told.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { client, cookie }
    }

    async fn ask(&self, method: &str, door: SocketAddr, path: &str, body: &Value) -> Value {
        let url = format!("http://{door}{path}");
        let request = self.client.request(method.parse().unwrap(), url);
        let request = request
            .header("cookie", &self.cookie)
            .header("x-jingling-csrf", "1");
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        request.send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test]
async fn a_server_that_is_killed_loses_no_order_and_takes_no_money_twice() {
    if python().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let station_password = register(&city, "CP1");
    let words = [
        "user",
        "add",
        &city,
        "--username",
        "li",
        "--name",
        "李强",
        "--role",
        "resident",
        "--json",
    ];
    let password = answer(&words)["password"].as_str().unwrap().to_owned();
    let operator = answer(&[
        "token", "create", &city, "--name", "op", "--role", "operator", "--json",
    ]);
    let operator = operator["token"].as_str().unwrap().to_owned();
    let open = |server: &Server| {
        Station::open("1.6", server.addresses["ocpp"], "CP1", &station_password).unwrap()
    };

    let server = Server::start_with(&city, &SETTINGS);
    let door = server.addresses["http"];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{door}/api/v1/charging/tariffs");
    let put = client
        .post(url)
        .bearer_auth(&operator)
        .json(&tariff(json!({})));
    assert_eq!(put.send().await.unwrap().status(), 201);
    let phone = Session::open(door, &password).await;
    let mut one = open(&server);
    let free = json!({"connector_id": 1, "error_code": "NoError", "status": "Available", "timestamp": ago(0)});
    one.call("StatusNotification", free);
    let start = json!({"station": "CP1", "outlet": 1, "key": "tap-1"});
    let mut order = Value::Null;
    until("it is ordered", async || {
        order = phone.ask("POST", door, MINE, &start).await;
        order["id"].is_string()
    })
    .await;
    let card = told_to_start(&mut one);
    let path = format!("{MINE}/{}", order["id"].as_str().unwrap());

    // Killed before the charge begins, in its middle, and when its bill is made.
    drop(one);
    server.kill();
    let server = Server::start_with(&city, &SETTINGS);
    let mut one = open(&server);
    let number = begin(&mut one, &card);
    let door = server.addresses["http"];
    let again = phone.ask("POST", door, MINE, &start).await;
    assert_eq!(
        again["id"], order["id"],
        "the same tap after the crash: {again}"
    );
    drop(one);
    server.kill();
    let server = Server::start_with(&city, &SETTINGS);
    let mut one = open(&server);
    end(&mut one, &number);
    drop(one);
    server.kill();
    let server = Server::start_with(&city, &SETTINGS);
    let door = server.addresses["http"];
    until("it is paid", async || {
        phone.ask("GET", door, &path, &Value::Null).await["order"]["state"] == "paid"
    })
    .await;
    let paid = phone.ask("GET", door, &path, &Value::Null).await;
    assert_eq!(paid["order"]["paid_fen"], 3_300, "{paid}");
    let mine = phone.ask("GET", door, MINE, &Value::Null).await;
    assert_eq!(mine["items"].as_array().unwrap().len(), 1, "{mine}");
    let url = format!("http://{door}/api/v1/charging/sessions");
    let all = client.get(url).bearer_auth(&operator).send().await.unwrap();
    let all: Value = all.json().await.unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
}
