//! Smart charging and the rest of what stations are told, in a city that runs: stations of the Python package `ocpp`, 1.6 and 2.0.1, share
//! what a transformer has left; what they hold fits at every moment, is seen by everybody, and is known again after a restart.

use crate::charging::{CARD, Station, ago, city_with, post, python, station};
use crate::support::{City, new_city, until};
use serde_json::{Value, json};

const SETTINGS: [&str; 3] = [
    "ocpp.listen=127.0.0.1:0",
    "charging.look_seconds=1",
    "charging.grid_seconds=1",
];
const GRID: &str = "/api/v1/charging/grid";
const T: &str = "urn:ngsi-ld:Transformer:T1";

fn kw(value: f64) -> Value {
    json!({"type": "Property", "value": value, "unitCode": "KWT"})
}

fn to(id: &str) -> Value {
    json!({"type": "Relationship", "object": id})
}

async fn upsert(city: &City, all: Value) {
    let token = city.token_of("collector");
    let answer = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&token).json(&all)
        })
        .await;
    assert!(answer.status < 300, "{answer:?}");
}

/// A transformer of 40 kW of which 10 are for charging when nothing is known; a place on it with the points of these identities, each of 22 kW.
async fn wired(city: &City, points: &[&str]) {
    let place = "urn:ngsi-ld:EVChargingStation:A";
    let mut all = vec![
        json!({"id": T, "type": "Transformer", "name": {"type": "Property", "value": "西湖路台区"}, "powerLimit": kw(40.0),
            "staticChargingPower": kw(10.0)}),
        json!({"id": place, "type": "EVChargingStation", "refTransformer": to(T)}),
    ];
    for point in points {
        all.push(json!({"id": format!("urn:ngsi-ld:ChargePoint:{point}"), "type": "ChargePoint", "refStation": to(place),
            "connectorType": {"type": "Property", "value": "GBT_AC"}, "ratedPower": kw(22.0)}));
    }
    upsert(city, Value::Array(all)).await;
}

/// The meter of the transformer: everything together.
async fn metered(city: &City, power: f64) {
    upsert(
        city,
        json!([{"id": T, "type": "Transformer", "totalActivePower": kw(power)}]),
    )
    .await;
}

fn begin_16(one: &mut Station) -> Value {
    let start = json!({"connector_id": 1, "id_tag": CARD, "meter_start": 0, "timestamp": ago(60)});
    one.call("StartTransaction", start)["transaction_id"].clone()
}

async fn shown(city: &City) -> Value {
    city.get(GRID).await["items"][0].clone()
}

/// An attribute of a charge point as everybody sees it.
async fn attribute(city: &City, point: &str, name: &str) -> Value {
    let path = format!("/ngsi-ld/v1/entities/urn:ngsi-ld:ChargePoint:{point}");
    city.get(&path).await[name]["value"].clone()
}

/// The next limit of that purpose that a station of 1.6 hears, W or A.
fn limited_16(one: &mut Station, purpose: &str) -> f64 {
    loop {
        let heard = one.tell(&json!({"wait": "SetChargingProfile"}));
        let profile = &heard["answer"]["cs_charging_profiles"];
        assert!(profile.is_object(), "{heard}");
        if profile["charging_profile_purpose"] == purpose {
            let schedule = &profile["charging_schedule"];
            return schedule["charging_schedule_period"][0]["limit"]
                .as_f64()
                .unwrap();
        }
    }
}

#[tokio::test]
async fn what_a_transformer_has_left_is_shared_out_and_lowered_at_once() {
    if python().is_none() {
        return;
    }
    let city = city_with(&SETTINGS, json!({})).await;
    let closed = city.get(GRID).await;
    assert_eq!(
        (&closed["is_on"], &closed["seconds"]),
        (&json!(true), &json!(1))
    );
    let mut one = station(&city, "1.6", "CP1");
    let mut two = station(&city, "2.0.1", "CP2");
    wired(&city, &["CP1", "CP2"]).await;
    // Each is told its static share of 10 kW first: it holds when the centre is gone.
    assert_eq!(limited_16(&mut one, "TxDefaultProfile"), 4_750.0);
    let heard = two.tell(&json!({"wait": "SetChargingProfile"}));
    let profile = &heard["answer"]["charging_profile"];
    assert_eq!(profile["charging_profile_purpose"], "TxDefaultProfile");
    // One vehicle, and a meter that says 5 kW: nearly all of the 35 kW that are left, as far as the outlet goes.
    metered(&city, 5.0).await;
    let number = begin_16(&mut one);
    let first = limited_16(&mut one, "TxProfile");
    until("the first has what its outlet gives", async || {
        shown(&city).await["held_w"] == 22_000
    })
    .await;
    assert!(first > 4_750.0 && first <= 22_000.0, "{first}");
    // The meter says 30 kW although nobody said what the vehicle takes: 10 kW are left.
    metered(&city, 30.0).await;
    until("it is lowered", async || {
        shown(&city).await["held_w"] == 9_500
    })
    .await;
    let seen = shown(&city).await;
    assert_eq!(
        (&seen["basis"], &seen["budget_w"], &seen["over_w"]),
        (&json!("measured"), &json!(10_000), &json!(0)),
        "{seen}"
    );
    // A second vehicle: both have half.
    let started = json!({"event_type": "Started", "timestamp": ago(30), "trigger_reason": "CablePluggedIn", "seq_no": 0,
        "transaction_info": {"transaction_id": "T-2", "charging_state": "Charging"}, "evse": {"id": 1, "connector_id": 1},
        "id_token": {"id_token": CARD, "type": "ISO14443"}});
    two.call("TransactionEvent", started);
    until("both share", async || {
        let seen = shown(&city).await;
        let limits = seen["outlets"].as_array().unwrap().iter();
        let mut limits: Vec<i64> = limits
            .map(|outlet| outlet["limit_w"].as_i64().unwrap_or_default())
            .collect();
        limits.sort_unstable();
        limits == [4_750, 4_750]
    })
    .await;
    // What a station of 2.0.1 calls occupied is told apart by its transaction.
    until("it is told", async || {
        attribute(&city, "CP2", "status").await == "Charging"
    })
    .await;
    // Everybody sees what a point may take, with its history.
    city.shows("urn:ngsi-ld:ChargePoint:CP1", "chargingLimit", 4.75)
        .await;
    city.shows(T, "chargingPowerLimit", 10.0).await;
    // The first leaves: the other has it all.
    let stop = json!({"transaction_id": number, "meter_stop": 900, "timestamp": ago(0)});
    one.call("StopTransaction", stop);
    until("the other has it all", async || {
        let seen = shown(&city).await;
        seen["held_w"] == 9_500 && seen["outlets"][0]["is_charging"] == false
    })
    .await;
    until("its limit is taken away", async || {
        attribute(&city, "CP1", "chargingLimit").await.is_null()
    })
    .await;
    // A load that leaves less than anything: what charges is told to stop, and the shortfall is told.
    metered(&city, 60.0).await;
    until("nobody charges", async || {
        let seen = shown(&city).await;
        seen["held_w"] == 0 && seen["over_w"] == 20_000
    })
    .await;
    city.shows(T, "chargingShortfall", 20.0).await;
    // No transformer any more: the static share is taken away.
    upsert(&city, json!([{"id": "urn:ngsi-ld:EVChargingStation:A", "type": "EVChargingStation", "refTransformer": to("urn:ngsi-ld:Transformer:none")}])).await;
    let cleared = one.tell(&json!({"wait": "ClearChargingProfile"}));
    assert_eq!(cleared["answer"]["id"], 10_001, "{cleared}");
}

#[tokio::test]
async fn a_station_that_takes_amperes_alone_and_one_that_refuses() {
    if python().is_none() {
        return;
    }
    let city = city_with(&SETTINGS, json!({})).await;
    let mut one = station(&city, "1.6", "CP1");
    one.tell(&json!({"takes": ["A"]}));
    wired(&city, &["CP1"]).await;
    assert_eq!(limited_16(&mut one, "TxDefaultProfile"), 9_500.0);
    // 9,500 W over three phases of 220 V.
    assert_eq!(limited_16(&mut one, "TxDefaultProfile"), 14.3);
    until("it is known", async || {
        shown(&city).await["outlets"][0]["is_static_told"] == true
    })
    .await;
    // From now on it takes nothing: what it may take by itself counts as taken.
    one.tell(&json!({"takes": []}));
    metered(&city, 39.0).await;
    begin_16(&mut one);
    until("it is out of reach", async || {
        let seen = shown(&city).await;
        seen["outlets"][0]["why"] == "out-of-reach" && seen["over_w"] == 8_500
    })
    .await;
    let seen = shown(&city).await;
    assert_eq!(
        (&seen["held_w"], &seen["outlets"][0]["is_reachable"]),
        (&json!(9_500), &json!(false)),
        "{seen}"
    );
}

#[tokio::test]
async fn what_is_missing_is_told_and_nobody_is_steered() {
    let city = city_with(&SETTINGS, json!({})).await;
    let place = "urn:ngsi-ld:EVChargingStation:A";
    upsert(
        &city,
        json!([
            {"id": T, "type": "Transformer", "powerLimit": kw(40.0), "staticChargingPower": kw(50.0)},
            {"id": place, "type": "EVChargingStation", "refTransformer": to(T)},
            {"id": "urn:ngsi-ld:ChargePoint:CP1", "type": "ChargePoint", "refStation": to(place)},
        ]),
    )
    .await;
    until("it is told", async || {
        shown(&city).await["missing"] == json!(["ratedPower", "staticChargingPower"])
    })
    .await;
    let off = city_with(
        &["ocpp.listen=127.0.0.1:0", "charging.grid_seconds=0"],
        json!({}),
    )
    .await;
    assert_eq!(off.get(GRID).await["is_on"], false);
}

#[tokio::test]
async fn logs_firmware_settings_and_limits_are_ordered() {
    if python().is_none() {
        return;
    }
    let city = city_with(&SETTINGS, json!({})).await;
    let mut one = station(&city, "1.6", "CP1");
    let mut two = station(&city, "2.0.1", "CP2");
    let order = async |identity: &str, body: Value| {
        let path = format!("/api/v1/charging/stations/{identity}/orders");
        post(&city, &path, &body).await
    };
    let log = json!({"order": "log", "location": "ftp://up:secret@files.example/cp1"});
    let told = order("CP1", log).await.json();
    assert_eq!(told["file"], "diagnostics.tar.gz", "{told}");
    let heard = one.tell(&json!({"wait": "GetDiagnostics"}));
    assert_eq!(
        heard["answer"]["location"],
        "ftp://up:secret@files.example/cp1"
    );
    let told = order(
        "CP2",
        json!({"order": "log", "security": true, "location": "https://files.example/cp2"}),
    )
    .await;
    assert_eq!(told.json()["file"], "diagnostics.zip");
    let heard = two.tell(&json!({"wait": "GetLog"}));
    assert_eq!(heard["answer"]["log_type"], "SecurityLog");
    let firmware = json!({"order": "firmware", "location": "https://files.example/fw.bin", "retrieve_at": "2026-12-01T02:00:00+08:00"});
    for identity in ["CP1", "CP2"] {
        assert_eq!(
            order(identity, firmware.clone()).await.json()["accepted"],
            true
        );
    }
    let heard = one.tell(&json!({"wait": "UpdateFirmware"}));
    assert_eq!(heard["answer"]["retrieve_date"], "2026-11-30T18:00:00Z");
    let told = order(
        "CP1",
        json!({"order": "trigger", "message": "readings", "outlet": 1}),
    )
    .await;
    assert_eq!(told.json()["accepted"], true);
    let heard = one.tell(&json!({"wait": "TriggerMessage"}));
    assert_eq!(
        heard["answer"],
        json!({"requested_message": "MeterValues", "connector_id": 1})
    );
    // Settings: the keys of 1.6, the whole device model of 2.0.1, which comes in parts.
    let told = order("CP1", json!({"order": "read_settings"})).await.json();
    assert_eq!(told["settings"][0]["name"], "HeartbeatInterval", "{told}");
    let told = order("CP2", json!({"order": "read_settings"})).await.json();
    let names: Vec<_> = told["settings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["component"], &it["name"], &it["value"]))
        .collect();
    assert_eq!(
        names,
        [
            (&json!("HeartbeatCtrlr"), &json!("Interval"), &json!("300")),
            (&json!("HeartbeatCtrlr"), &json!("Enabled"), &json!("true"))
        ],
        "{told}"
    );
    let write = json!({"order": "write_settings", "settings": [{"component": "HeartbeatCtrlr", "name": "Interval", "value": "60"}]});
    assert_eq!(
        order("CP2", write.clone()).await.json()["settings"][0]["status"],
        "Accepted"
    );
    assert_eq!(order("CP1", write).await.json()["status"], "RebootRequired");
    let told = order(
        "CP1",
        json!({"order": "data", "vendor": "com.example", "message": "m", "data": "x"}),
    )
    .await;
    assert_eq!(told.json()["data"], "as you like");
    assert_eq!(
        order("CP1", json!({"order": "forget_cards"})).await.json()["accepted"],
        true
    );
    // A person's limit of a station as a whole.
    let told = order(
        "CP1",
        json!({"order": "limit", "power_kw": 12.5, "minutes": 60}),
    )
    .await;
    assert_eq!(told.json()["accepted"], true);
    assert_eq!(limited_16(&mut one, "ChargePointMaxProfile"), 12_500.0);
    let told = order("CP1", json!({"order": "clear_limit"})).await;
    assert_eq!(told.json()["accepted"], true);
    // What makes no sense goes to no station.
    for wrong in [
        json!({"order": "limit", "power_kw": -1.0, "minutes": 60}),
        json!({"order": "log", "location": "file:///etc/passwd"}),
        json!({"order": "firmware", "location": "https://files.example/fw.bin", "signature": "x"}),
        json!({"order": "write_settings", "settings": [{"name": "HeartbeatInterval"}]}),
    ] {
        let told = order("CP1", wrong.clone()).await;
        assert_eq!(
            (told.status, told.problem().as_str()),
            (400, "charging-order"),
            "{wrong}"
        );
    }
    // What was ordered stands in the audit trail, without passwords and without values.
    let acts = city
        .get("/api/v1/audit?action=charging.order")
        .await
        .to_string();
    assert!(
        acts.contains("files.example/cp1") && !acts.contains("secret"),
        "{acts}"
    );
    assert!(acts.contains("HeartbeatCtrlr.Interval"), "{acts}");
}

#[tokio::test]
async fn what_stations_hold_is_known_again_after_the_power_failed() {
    if python().is_none() {
        return;
    }
    let (folder, dir) = new_city();
    let settings = [&SETTINGS[..], &["charging.unknown_cards=take"]].concat();
    let start = || City::start_in(tempfile::tempdir().unwrap(), dir.clone(), &settings);
    let city = start();
    let mut one = station(&city, "1.6", "CP1");
    wired(&city, &["CP1"]).await;
    metered(&city, 25.0).await;
    begin_16(&mut one);
    // Neither its static share of 9.5 kW nor the 22 kW that it is rated for.
    until("it has what is left", async || {
        shown(&city).await["held_w"] == 14_250
    })
    .await;
    city.shows("urn:ngsi-ld:ChargePoint:CP1", "chargingLimit", 14.25)
        .await;
    drop(city);
    drop(one);
    // The station does not come back: what it holds is known all the same.
    let city = start();
    until("it is looked at", async || {
        let seen = city.get(GRID).await;
        seen["items"][0]["outlets"][0]["why"] == "out-of-reach"
    })
    .await;
    let seen = shown(&city).await;
    assert_eq!(seen["held_w"], 14_250, "{seen}");
    drop(folder);
}
