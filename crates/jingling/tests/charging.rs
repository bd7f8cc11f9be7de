//! Charging in a city that runs: charge points of the Python package `ocpp`, 1.6 and 2.0.1, through the door to bills that stand in the
//! books once, whatever is said twice and whenever the power fails; what is doubtful is decided on by a person; cards are seen nowhere.

use crate::served::{Server, answer, done, made};
use crate::support::{Answer, City, until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use testkit::foreign::Python;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/charging_station.py");
pub const SETTINGS: [&str; 2] = ["ocpp.listen=127.0.0.1:0", "charging.look_seconds=1"];
pub const CARD: &str = "04A1B2C3D4";

/// A station as a program.
pub struct Station {
    program: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// A Python with the package; says so where there is none.
pub fn python() -> Option<PathBuf> {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "ocpp-python",
        imports: "ocpp, websockets",
        packages: &["ocpp==2.1.0", "websockets==15.0.1"],
    };
    python
        .make()
        .inspect_err(|why| {
            eprintln!("skipped: the package ocpp cannot be installed from PyPI here: {why}");
        })
        .ok()
}

impl Station {
    /// Opens a link; the status where it is refused.
    pub fn open(
        version: &str,
        door: SocketAddr,
        identity: &str,
        password: &str,
    ) -> Result<Self, Value> {
        let python = python().unwrap();
        let (host, port) = (door.ip().to_string(), door.port().to_string());
        let mut program = Command::new(python)
            .args([SCRIPT, version, &host, &port, identity, password])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut station = Self {
            orders: program.stdin.take().unwrap(),
            answers: BufReader::new(program.stdout.take().unwrap()),
            program,
        };
        let first = station.hear();
        match first.get("refused") {
            Some(status) => Err(status.clone()),
            None => Ok(station),
        }
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }

    pub fn tell(&mut self, order: &Value) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        self.hear()
    }

    /// Says something and gives the centre's answer.
    pub fn call(&mut self, action: &str, with: Value) -> Value {
        let told = self.tell(&json!({"call": action, "with": with}));
        assert!(told.get("answer").is_some(), "{told} to {action} {with}");
        told["answer"].clone()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The moment that everything a test says is counted from: two calls a second
/// apart must not stretch what lies between them, which begun minutes are
/// charged for.
pub(crate) static ANCHOR: std::sync::LazyLock<jiff::Timestamp> =
    std::sync::LazyLock::new(jiff::Timestamp::now);

pub fn ago(seconds: i64) -> String {
    let at = *ANCHOR - jiff::SignedDuration::from_secs(seconds);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Registers a station; its password.
pub fn register(city: &str, identity: &str) -> String {
    let id = format!("urn:ngsi-ld:ChargePoint:{identity}");
    let made = answer(&[
        "device",
        "add",
        city,
        "--id",
        &id,
        "--type",
        "ChargePoint",
        "--json",
    ]);
    made["password"].as_str().unwrap().to_owned()
}

/// 1.50 yuan a kWh at any hour.
pub fn tariff(more: Value) -> Value {
    let mut version = json!({
        "id": "2026", "first": "2026-01-01", "source": "test",
        "prices": {"flat": {"energy": "1.0000", "service": "0.5000"}},
        "days": [{"hours": ["00:00-24:00 flat"]}],
    });
    for (key, value) in more.as_object().unwrap() {
        version[key] = value.clone();
    }
    json!({
        "from": "2026-01-01T00:00:00+08:00",
        "tariff": {"id": "flat", "title_zh": "单一电价", "title_en": "One price", "versions": [version]},
    })
}

/// A city with a tariff and a card, and who operates charging there.
async fn city_that_bills(more: Value) -> City {
    city_with(&SETTINGS, more).await
}

/// The same with settings.
pub async fn city_with(settings: &[&str], more: Value) -> City {
    let city = City::start_with(settings);
    let put = post(&city, "/api/v1/charging/tariffs", &tariff(more)).await;
    assert_eq!(put.status, 201, "{put:?}");
    let put = card(&city, false).await;
    assert_eq!(put.status, 200, "{put:?}");
    city
}

/// Sends something as an operator.
pub async fn post(city: &City, path: &str, body: &Value) -> Answer {
    let token = city.token_of("operator");
    city.ask("POST", path, |r| r.bearer_auth(&token).json(body))
        .await
}

pub(crate) async fn card(city: &City, is_blocked: bool) -> Answer {
    let token = city.token_of("operator");
    let card = json!({"card": CARD, "holder": "driver-1", "blocked": is_blocked});
    city.ask("PUT", "/api/v1/charging/cards", |r| {
        r.bearer_auth(&token).json(&card)
    })
    .await
}

pub fn station(city: &City, version: &str, identity: &str) -> Station {
    let password = register(&city.dir, identity);
    Station::open(version, city.address("ocpp"), identity, &password).unwrap()
}

async fn sessions(city: &City, query: &str) -> Vec<Value> {
    let all = city.get(&format!("/api/v1/charging/sessions{query}")).await;
    all["items"].as_array().unwrap().clone()
}

/// The one session of the city, with its bill.
async fn only(city: &City) -> Value {
    let all = sessions(city, "").await;
    assert_eq!(all.len(), 1, "{all:?}");
    city.get(&format!("/api/v1/charging/sessions/{}", all[0]["id"]))
        .await
}

/// What a station of 1.6 says of a charge, all but the transaction's number.
fn start_16() -> Value {
    json!({"connector_id": 1, "id_tag": CARD, "meter_start": 1_000, "timestamp": ago(3_600)})
}

pub fn register_16(seconds_ago: i64, wh: i64) -> Value {
    json!([{"timestamp": ago(seconds_ago), "sampled_value": [
        {"value": wh.to_string(), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "7.2", "measurand": "Power.Active.Import", "unit": "kW"},
    ]}])
}

#[test]
fn what_a_station_was_confirmed_is_billed_once_after_kill_9() {
    if python().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let city = made(dir.path());
    let password = register(&city, "CP1");
    let taking = [SETTINGS[0], SETTINGS[1], "charging.unknown_cards=take"];
    let server = Server::start_with(&city, &taking);
    let mut one = Station::open("1.6", server.addresses["ocpp"], "CP1", &password).unwrap();
    one.call(
        "BootNotification",
        json!({"charge_point_vendor": "V", "charge_point_model": "M"}),
    );
    let start = start_16();
    let begun = one.call("StartTransaction", start.clone());
    let number = begun["transaction_id"].clone();
    let middle = json!({"connector_id": 1, "transaction_id": number, "meter_value": register_16(1_800, 12_000)});
    one.call("MeterValues", middle.clone());
    // The power fails; the station heard the answer to its start or not, and says it all again.
    drop(one);
    server.kill();
    let server = Server::start_with(&city, &taking);
    let mut one = Station::open("1.6", server.addresses["ocpp"], "CP1", &password).unwrap();
    let again = one.call("StartTransaction", start);
    assert_eq!(again["transaction_id"], number);
    one.call("MeterValues", middle);
    let stop = json!({"transaction_id": number, "meter_stop": 23_456, "timestamp": ago(60)});
    one.call("StopTransaction", stop.clone());
    drop(one);
    server.kill();
    let server = Server::start_with(&city, &taking);
    let mut one = Station::open("1.6", server.addresses["ocpp"], "CP1", &password).unwrap();
    one.call("StopTransaction", stop);
    // There is no tariff, so there is no bill; and one session, with the energy of the meter.
    let csv = done(&[
        "query",
        &city,
        "SELECT station, transaction_id, state, energy_wh FROM charging_sessions",
        "--csv",
    ]);
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(rows, [format!("CP1,{number},unpriced,22456")]);
    let metrics = server.get("/metrics");
    assert!(
        metrics.contains("jingling_ocpp_links_opened_total 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_charge_of_1_6_becomes_a_bill_line_by_line_and_its_card_is_seen_nowhere() {
    if python().is_none() {
        return;
    }
    let city = city_that_bills(json!({})).await;
    let mut one = station(&city, "1.6", "CP1");
    let boot = one.call(
        "BootNotification",
        json!({"charge_point_vendor": "V", "charge_point_model": "M"}),
    );
    assert_eq!(
        (&boot["status"], &boot["interval"]),
        (&json!("Accepted"), &json!(300))
    );
    let good = one.call("Authorize", json!({"id_tag": CARD.to_lowercase()}));
    assert_eq!(good["id_tag_info"]["status"], "Accepted");
    let strange = one.call("Authorize", json!({"id_tag": "NOBODY"}));
    assert_eq!(strange["id_tag_info"]["status"], "Invalid");
    let begun = one.call("StartTransaction", start_16());
    assert_eq!(begun["id_tag_info"]["status"], "Accepted");
    let number = begun["transaction_id"].clone();
    let middle = json!({"connector_id": 1, "transaction_id": number, "meter_value": register_16(1_800, 12_000)});
    one.call("MeterValues", middle);
    let known = sessions(&city, "?state=charging").await;
    assert_eq!(known.len(), 1, "{known:?}");
    let stop = json!({"transaction_id": number, "meter_stop": 23_000, "timestamp": ago(60), "id_tag": CARD});
    one.call("StopTransaction", stop.clone());
    one.call("StopTransaction", stop);
    let whole = only(&city).await;
    let (session, bill) = (&whole["session"], &whole["bill"]);
    assert_eq!(
        (&session["state"], &session["energy_wh"]),
        (&json!("billed"), &json!(22_000))
    );
    assert_eq!(
        (&bill["standing"], &bill["due_fen"]),
        (&json!("due"), &json!(3_300))
    );
    let lines: Vec<(&Value, &Value)> = bill["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["kind"], &line["amount_fen"]))
        .collect();
    assert_eq!(
        lines,
        [
            (&json!("energy"), &json!(2_200)),
            (&json!("service"), &json!(1_100))
        ]
    );
    assert_eq!(whole["money"]["billed_fen"], 3_300);
    assert_eq!(whole["holder"], "driver-1");
    assert_eq!(whole["events"].as_array().unwrap().len(), 3);
    // The twin has what the outlet reads; the message behind it is kept without the card.
    let point = city
        .shows("urn:ngsi-ld:ChargePoint:CP1", "energyRegister", 12.0)
        .await;
    assert_eq!(point["unit"], "KWH");
    let position = &point["position"];
    let behind = city.get(&format!("/api/v1/provenance/{position}")).await;
    assert!(!behind.to_string().contains(CARD), "{behind}");
    let begun_at = city
        .sql("SELECT MIN(journal_position) AS n FROM observations")
        .await["n"]
        .clone();
    for position in begun_at.as_u64().unwrap()..=position.as_u64().unwrap() {
        let path = format!("/api/v1/provenance/{position}");
        let behind = city.ask("GET", &path, |r| r.bearer_auth(&city.admin));
        let text = behind.await.body;
        assert!(!text.contains(CARD) && !text.contains("NOBODY"), "{text}");
    }
    let figures = city.get("/api/v1/charging/figures").await;
    assert_eq!(figures["sums"][0]["total_fen"], 3_300, "{figures}");
    // A figure leads to its rows.
    let days = format!("?from={0}&to={0}", figures["to"].as_str().unwrap());
    assert_eq!(sessions(&city, &days).await.len(), 1);
    assert_eq!(
        sessions(&city, "?from=2026-01-01&to=2026-01-02")
            .await
            .len(),
        0
    );
    assert_eq!(
        (&figures["stations"], &figures["stations_online"]),
        (&json!(1), &json!(1))
    );
    let line = city.get("/api/v1/charging/stations").await;
    assert_eq!(
        line["items"],
        json!([{"identity": "CP1", "version": "1.6"}])
    );
}

/// A part of a transaction of 2.0.1.
fn part(phase: &str, sequence: i64, seconds_ago: i64, trigger: &str, more: Value) -> Value {
    let mut part = json!({
        "event_type": phase, "timestamp": ago(seconds_ago), "trigger_reason": trigger, "seq_no": sequence,
        "transaction_info": {"transaction_id": "7d1f-1"}, "evse": {"id": 2, "connector_id": 1},
    });
    for (key, value) in more.as_object().unwrap() {
        part[key] = value.clone();
    }
    part
}

fn register_201(seconds_ago: i64, wh: f64) -> Value {
    json!([{"timestamp": ago(seconds_ago), "sampled_value": [
        {"value": wh, "measurand": "Energy.Active.Import.Register", "unit_of_measure": {"unit": "Wh"}},
    ]}])
}

#[tokio::test]
async fn a_charge_of_2_0_1_begins_with_the_cable_and_costs_until_the_vehicle_leaves() {
    if python().is_none() {
        return;
    }
    let idle = json!({"idle": {"free_minutes": 10, "unit_minutes": 1, "fen_per_unit": 50, "cap_fen": 3_000}});
    let city = city_that_bills(idle).await;
    let mut one = station(&city, "2.0.1", "CP2");
    let token = json!({"id_token": CARD, "type": "ISO14443"});
    one.call(
        "TransactionEvent",
        part(
            "Started",
            0,
            4_000,
            "CablePluggedIn",
            json!({"meter_value": register_201(4_000, 500.0)}),
        ),
    );
    let shown = one.call(
        "TransactionEvent",
        part(
            "Updated",
            1,
            3_900,
            "Authorized",
            json!({"id_token": token}),
        ),
    );
    assert_eq!(shown["id_token_info"]["status"], "Accepted");
    one.call(
        "TransactionEvent",
        part(
            "Updated",
            2,
            1_800,
            "ChargingStateChanged",
            json!({
                "transaction_info": {"transaction_id": "7d1f-1", "charging_state": "SuspendedEV"},
                "meter_value": register_201(1_800, 10_500.0),
            }),
        ),
    );
    // Ten minutes are free, ten are not.
    one.call(
        "TransactionEvent",
        part(
            "Ended",
            3,
            600,
            "EVDeparted",
            json!({"meter_value": register_201(600, 10_500.0)}),
        ),
    );
    let whole = only(&city).await;
    assert_eq!(whole["session"]["state"], "billed", "{whole}");
    assert_eq!(whole["session"]["energy_wh"], 10_000);
    assert_eq!(whole["holder"], "driver-1");
    let idle: Vec<&Value> = whole["bill"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["kind"] == "idle")
        .collect();
    assert_eq!(idle.len(), 1, "{whole}");
    assert_eq!(idle[0]["amount_fen"], 500);
    assert_eq!(whole["bill"]["due_fen"], 1_500 + 500);
    // The second outlet is a charge point of its own.
    city.shows("urn:ngsi-ld:ChargePoint:CP2:2", "energyRegister", 10.5)
        .await;
}

#[tokio::test]
async fn what_is_doubtful_waits_for_a_person_and_is_charged_once() {
    if python().is_none() {
        return;
    }
    let city = city_that_bills(json!({})).await;
    let mut one = station(&city, "1.6", "CP1");
    // The meter runs backwards at one outlet, and jumps at the other.
    let number = one.call("StartTransaction", start_16())["transaction_id"].clone();
    let back = json!({"connector_id": 1, "transaction_id": number, "meter_value": register_16(1_800, 400)});
    one.call("MeterValues", back);
    one.call(
        "StopTransaction",
        json!({"transaction_id": number, "meter_stop": 9_000, "timestamp": ago(60)}),
    );
    let mut start = start_16();
    start["connector_id"] = 2.into();
    let jumped = one.call("StartTransaction", start)["transaction_id"].clone();
    one.call(
        "StopTransaction",
        json!({"transaction_id": jumped, "meter_stop": 1_501_000, "timestamp": ago(60)}),
    );
    // A stop without a start, and one that names no transaction.
    let lost = json!({"transaction_id": 77, "meter_stop": 5_000, "timestamp": ago(60)});
    one.call("StopTransaction", lost);
    let nameless = json!({"transaction_id": -1, "meter_stop": 5_000, "timestamp": ago(60)});
    one.call("StopTransaction", nameless);
    let held = sessions(&city, "?state=doubtful").await;
    let held_of = |transaction: &str| {
        let found = held.iter().find(|row| row["transaction_id"] == transaction);
        found.unwrap_or_else(|| panic!("{transaction} of {held:?}"))["id"].clone()
    };
    assert_eq!(held.len(), 3, "{held:?}");
    let (back, lost) = (held_of(&number.to_string()), held_of("77"));
    let jumped = held_of(&jumped.to_string());
    let whole = city.get(&format!("/api/v1/charging/sessions/{back}")).await;
    assert_eq!(whole["bill"]["standing"], "held");
    assert_eq!(whole["bill"]["due_fen"], Value::Null);
    assert_eq!(whole["money"]["billed_fen"], 0);
    assert!(
        whole["bill"]["doubts"][0]["text_zh"]
            .as_str()
            .unwrap()
            .contains("电表倒走（20"),
        "{whole}"
    );
    // Nobody is known who could pay for a stop without a start; a reason is asked for.
    let path = |id: &Value| format!("/api/v1/charging/sessions/{id}/decision");
    let accept = json!({"decision": "accept", "note": "looked at the meter"});
    let refused = post(&city, &path(&lost), &accept).await;
    assert_eq!(
        (refused.status, refused.problem()),
        (409, "billing-no-card".to_owned())
    );
    let blank = json!({"decision": "accept", "note": " "});
    let refused = post(&city, &path(&jumped), &blank).await;
    assert_eq!(refused.status, 409);
    let decided = post(&city, &path(&jumped), &accept).await;
    assert_eq!(decided.status, 200, "{}", decided.problem());
    let whole = decided.json();
    assert_eq!(
        (&whole["bill"]["standing"], &whole["money"]["billed_fen"]),
        (&json!("accepted"), &json!(225_000))
    );
    let again = post(&city, &path(&jumped), &accept).await;
    assert_eq!(again.status, 409);
    let waive = json!({"decision": "waive", "note": "nobody charged there"});
    let waived = post(&city, &path(&lost), &waive).await;
    assert_eq!(waived.json()["bill"]["due_fen"], 0, "{}", waived.problem());
    // Whoever only looks decides nothing.
    let analyst = city.token_of("analyst");
    let path = path(&lost);
    let refused = city.ask("POST", &path, |r| r.bearer_auth(&analyst).json(&waive));
    assert_eq!(refused.await.status, 403);
    let acts = city.get("/api/v1/audit?action=charging.decide").await;
    assert_eq!(acts["items"].as_array().unwrap().len(), 2, "{acts}");
}

#[tokio::test]
async fn strangers_and_what_is_no_message_are_told_so_and_kept() {
    if python().is_none() {
        return;
    }
    let city = city_that_bills(json!({})).await;
    let password = register(&city.dir, "CP1");
    let door = city.address("ocpp");
    assert_eq!(
        Station::open("1.6", door, "CP9", &password).err(),
        Some(json!(404))
    );
    assert_eq!(
        Station::open("1.6", door, "CP1", "wrong").err(),
        Some(json!(401))
    );
    let mut one = Station::open("1.6", door, "CP1", &password).unwrap();
    // It fits no schema, and holds a card: the letter is kept, the card is not shown.
    let text = format!(
        "[2,\"raw-1\",\"StartTransaction\",{{\"connectorId\":\"one\",\"idTag\":\"{CARD}\"}}]"
    );
    let told = one.tell(&json!({"raw": text}));
    assert_eq!(told["answer"][0], 4, "{told}");
    let is_it = |letter: &Value| letter["door"] == "ocpp";
    let letter = city.dead_letter_where("/api/v1/dead-letters", is_it).await;
    assert!(!letter.to_string().contains(CARD), "{letter}");
    // A card that is blocked charges nothing more.
    assert_eq!(card(&city, true).await.json()["blocked"], true);
    let said = one.call("Authorize", json!({"id_tag": CARD}));
    assert_eq!(said["id_tag_info"]["status"], "Blocked");
}

#[tokio::test]
async fn an_operator_tells_a_station_what_to_do() {
    if python().is_none() {
        return;
    }
    let city = city_that_bills(json!({})).await;
    let mut one = station(&city, "1.6", "CP1");
    let orders = "/api/v1/charging/stations/CP1/orders";
    let start = json!({"order": "start", "outlet": 1, "card": CARD});
    let told = post(&city, orders, &start).await;
    let nothing =
        json!({"accepted": true, "status": "Accepted", "settings": [], "file": null, "data": null});
    assert_eq!(told.json(), nothing);
    let heard = one.tell(&json!({"wait": "RemoteStartTransaction"}));
    assert_eq!(heard["answer"], json!({"connector_id": 1, "id_tag": CARD}));
    let stop = json!({"order": "stop", "transaction": "5"});
    let told = post(&city, orders, &stop).await;
    assert_eq!(told.json()["accepted"], true);
    let heard = one.tell(&json!({"wait": "RemoteStopTransaction"}));
    assert_eq!(heard["answer"], json!({"transaction_id": 5}));
    let unlock = json!({"order": "unlock", "outlet": 1});
    let told = post(&city, orders, &unlock).await;
    let said = told.json();
    assert_eq!(
        (&said["accepted"], &said["status"]),
        (&json!(false), &json!("UnlockFailed"))
    );
    let away = json!({"order": "availability", "operative": false});
    let told = post(&city, orders, &away).await;
    assert_eq!(told.json()["status"], "Scheduled");
    // A station that is not on the line is told nothing.
    let absent = "/api/v1/charging/stations/CP8/orders";
    let told = post(&city, absent, &start).await;
    assert_eq!(
        (told.status, told.problem()),
        (409, "ocpp-not-on-the-line".to_owned())
    );
    // Whose device is removed is sent away.
    drop(one);
    until("it has gone", async || {
        let line = city.get("/api/v1/charging/stations").await;
        line["items"] == json!([])
    })
    .await;
    let closed = City::start();
    let told = post(&closed, orders, &start).await;
    assert_eq!(
        (told.status, told.problem()),
        (503, "ocpp-closed".to_owned())
    );
}

#[tokio::test]
async fn a_tariff_that_is_none_is_told_so() {
    let city = city_that_bills(json!({})).await;
    let tariffs = "/api/v1/charging/tariffs";
    for (wrong, code) in [
        (json!({"days": [{"hours": ["00:00-23:00 flat"]}]}), None),
        (json!({"prices": {"flat": {"energy": "a lot"}}}), None),
        (json!({"surprise": 1}), Some("charging-tariff")),
    ] {
        let told = post(&city, tariffs, &tariff(wrong)).await;
        assert_eq!(told.status, 400, "{}", told.problem());
        if let Some(code) = code {
            assert_eq!(told.problem(), code);
        }
    }
    let mut nowhen = tariff(json!({}));
    nowhen["from"] = "tomorrow".into();
    let told = post(&city, tariffs, &nowhen).await;
    assert_eq!(
        (told.status, told.problem()),
        (400, "charging-time".to_owned())
    );
    let all = city.get(tariffs).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(all["items"][0]["holds_now"], true);
    for query in [
        "?from=2026-02-01&to=2026-01-01",
        "?from=yesterday",
        "?from=2020-01-01&to=2026-01-01",
    ] {
        for what in ["figures", "sessions"] {
            let path = format!("/api/v1/charging/{what}{query}");
            let token = city.token_of("operator");
            let told = city.ask("GET", &path, |r| r.bearer_auth(&token)).await;
            assert_eq!(told.status, 400, "{path}");
        }
    }
}
