//! Supervision of charging in a city that runs: what two stations of the Python package `ocpp` did within some hours, against figures that
//! were counted by hand; a table of the subsidy that comes to the same when it is counted again; questions that are none.

use crate::charging::{
    ANCHOR, CARD, SETTINGS, Station, ago, card, post, python, register, register_16, tariff,
};
use crate::support::{Answer, City, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SUPERVISION: &str = "/api/v1/charging/supervision";
/// Where the first station stands: at 鸿渐社区, by the city's map.
const AT: [f64; 2] = [113.23013, 30.69026];

fn text(value: &str) -> Value {
    json!({"type": "Property", "value": value})
}

fn kilowatts(value: f64) -> Value {
    json!({"type": "Property", "value": value, "unitCode": "KWT"})
}

fn point(identity: &str, more: Value) -> Value {
    let mut point =
        json!({"id": format!("urn:ngsi-ld:ChargePoint:{identity}"), "type": "ChargePoint"});
    for (key, value) in more.as_object().unwrap() {
        point[key] = value.clone();
    }
    point
}

/// Charge points as an office registers them: one place of an operator with two outlets; a point without place; one that never spoke.
async fn registered(city: &City) {
    let place = json!({
        "id": "urn:ngsi-ld:EVChargingStation:A", "type": "EVChargingStation",
        "name": text("甲站"), "operator": text("甲公司"), "townCode": text("429006001"),
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": AT}},
    });
    let refers = json!({"type": "Relationship", "object": "urn:ngsi-ld:EVChargingStation:A"});
    let all = json!([
        place,
        point(
            "CP1",
            json!({"name": text("一号桩"), "refStation": refers, "connectorType": text("GBT_DC"), "ratedPower": kilowatts(60.0)})
        ),
        point(
            "CP1:2",
            json!({"connectorType": text("GBT_AC"), "ratedPower": kilowatts(7.0)})
        ),
        point(
            "CP3",
            json!({"name": text("三号桩"), "townCode": text("429006100")})
        ),
    ]);
    let token = city.token_of("collector");
    let answer = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&token).json(&all)
        })
        .await;
    assert!(answer.status < 300, "{answer:?}");
}

fn state(outlet: u32, seconds_ago: i64, status: &str) -> Value {
    let code = if status == "Faulted" {
        "GroundFailure"
    } else {
        "NoError"
    };
    json!({"connector_id": outlet, "error_code": code, "status": status, "timestamp": ago(seconds_ago)})
}

/// A charge of 1.6 from its start to its stop.
fn charge(station: &mut Station, outlet: u32, [from, until]: [i64; 2], [first, last]: [i64; 2]) {
    let start = json!({"connector_id": outlet, "id_tag": CARD, "meter_start": first, "timestamp": ago(from)});
    let number = station.call("StartTransaction", start)["transaction_id"].clone();
    let stop = json!({"transaction_id": number, "meter_stop": last, "timestamp": ago(until)});
    station.call("StopTransaction", stop);
}

/// The city after its history, and the days that hold it.
async fn city_with_a_history() -> (City, String, [Station; 2]) {
    let city = City::start_with(&SETTINGS);
    registered(&city).await;
    until("the place is known", async || {
        let found = city.get("/api/v1/entities?type=EVChargingStation").await;
        found["items"].as_array().is_some_and(|all| !all.is_empty())
    })
    .await;
    // Who operates which station is looked up with each new tariff.
    let put = post(&city, "/api/v1/charging/tariffs", &tariff(json!({}))).await;
    assert_eq!(put.status, 201, "{put:?}");
    assert_eq!(card(&city, false).await.status, 200);
    let open = |identity: &str| {
        let password = register(&city.dir, identity);
        Station::open("1.6", city.address("ocpp"), identity, &password).unwrap()
    };
    let mut one = open("CP1");
    // Ten minutes out of order, told twice; and out of order again for five minutes, until now.
    for (seconds_ago, status) in [
        (7_000, "Available"),
        (6_000, "Faulted"),
        (5_800, "Faulted"),
        (5_400, "Available"),
        (300, "Faulted"),
    ] {
        one.call("StatusNotification", state(1, seconds_ago, status));
    }
    one.call("StatusNotification", state(2, 3_600, "Available"));
    // 22 kWh within 59 minutes; 30 kWh within ten, of which 60 kW give ten; and a meter that runs backwards.
    charge(&mut one, 1, [3_600, 60], [1_000, 23_000]);
    charge(&mut one, 1, [5_000, 4_400], [100_000, 130_000]);
    let start =
        json!({"connector_id": 2, "id_tag": CARD, "meter_start": 1_000, "timestamp": ago(3_600)});
    let number = one.call("StartTransaction", start)["transaction_id"].clone();
    let back = json!({"connector_id": 2, "transaction_id": number, "meter_value": register_16(1_800, 700)});
    one.call("MeterValues", back);
    one.call(
        "StopTransaction",
        json!({"transaction_id": number, "meter_stop": 400, "timestamp": ago(60)}),
    );
    let mut two = open("CP2");
    two.call("StatusNotification", state(1, 2_000, "Available"));
    charge(&mut two, 1, [2_000, 1_000], [0, 10_000]);
    // The history may reach into yesterday.
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let today = zone.to_datetime(*ANCHOR).date();
    let (from, to) = (today.yesterday().unwrap(), today.tomorrow().unwrap());
    let days = format!("from={from}&to={to}");
    let (path, wanted) = (format!("{SUPERVISION}?{days}"), [4, 3, 1]);
    until("all points have said how they stand", async || {
        let all = city.get(&path).await["overall"].clone();
        ["points", "online", "faulted"].map(|key| all[key].as_i64().unwrap()) == wanted
    })
    .await;
    (city, days, [one, two])
}

fn whole(at: &Value) -> i64 {
    at.as_i64().unwrap()
}

#[tokio::test]
async fn what_is_supervised_is_what_was_counted_by_hand() {
    if python().is_none() {
        return;
    }
    let (city, days, _stations) = city_with_a_history().await;
    let told = city
        .get(&format!("{SUPERVISION}?{days}&rate=0.2&cap=4"))
        .await;
    let all = &told["overall"];
    let figure = |key: &str| whole(&all[key]);
    let register = ["alternating", "direct", "without_place", "rated", "rated_w"].map(figure);
    assert_eq!(register, [1, 1, 2, 2, 67_000]);
    assert_eq!(all["online_rate"], 0.75);
    // Four charges; the one whose meter ran backwards gave nothing.
    let energy = ["sessions", "energy_wh", "rated_energy_wh"].map(figure);
    assert_eq!(energy, [4, 62_000, 52_000]);
    let at: jiff::Timestamp = told["at"].as_str().unwrap().parse().unwrap();
    let anchor = jiff::Timestamp::from_second(ANCHOR.as_second()).unwrap();
    let since = |seconds_ago: i64| {
        let micros = at.as_microsecond() - anchor.as_microsecond();
        (micros + seconds_ago * 1_000_000) / 1_000_000
    };
    assert_eq!(figure("charging_seconds"), 3_540 + 600 + 3_540 + 1_000);
    // Points are known since their first charge, where that is told of a time before they were registered; the third never charged.
    let known = [since(5_000), since(3_600), since(2_000)];
    let silent = figure("seconds") - known.iter().sum::<i64>();
    assert!((0..1_000).contains(&silent), "{silent}");
    assert_eq!(
        figure("possible_wh"),
        60_000 * known[0] / 3_600 + 7_000 * known[1] / 3_600
    );
    let rate = |part: i64, whole: i64| json!(part as f64 / whole as f64);
    assert_eq!(all["time_rate"], rate(8_680, figure("seconds")));
    assert_eq!(all["energy_rate"], rate(52_000, figure("possible_wh")));
    // One fault of ten minutes, one that lasts.
    let faults = ["faults", "fault_seconds", "repairs"].map(figure);
    assert_eq!(faults, [2, 600 + since(300), 1]);
    assert_eq!(all["repair_mean_seconds"], 600.0);
    assert_eq!(told["worst"].as_array().unwrap().len(), 1);
    assert_eq!(told["worst"][0]["name"], "一号桩");
    // The third point was never heard of but for its registration.
    assert_eq!(figure("days_missing"), 1);
    let silent: Vec<&Value> = told["silent"].as_array().unwrap().iter().collect();
    assert_eq!((silent.len(), &silent[0]["name"]), (1, &json!("三号桩")));
    let incomplete = [
        "incomplete",
        "without_energy",
        "without_card",
        "without_time",
    ];
    assert_eq!(incomplete.map(figure), [1, 1, 0, 0]);
    // Operators, towns and places are parts of the whole.
    for group in ["operators", "towns", "places"] {
        let parts = told[group].as_array().unwrap();
        for key in ["points", "energy_wh", "charging_seconds", "faults", "days"] {
            let sum: i64 = parts.iter().map(|part| whole(&part["figures"][key])).sum();
            assert_eq!(sum, figure(key), "{key} of {group}");
        }
    }
    let operator = |name: &str| {
        let mut all = told["operators"].as_array().unwrap().iter();
        all.find(|one| one["key"] == name).unwrap()["figures"].clone()
    };
    assert_eq!(operator("甲公司")["points"], 2);
    assert_eq!(operator("甲公司")["energy_wh"], 52_000);
    assert_eq!(operator("city")["points"], 2);
    let town = |code: &str| {
        let mut all = told["towns"].as_array().unwrap().iter();
        all.find(|one| one["code"] == code).unwrap().clone()
    };
    // The second outlet stands where its station does.
    assert_eq!(town("429006001")["figures"]["points"], 2);
    assert_eq!(town("429006001")["places"], 1);
    assert_eq!(town("429006100")["figures"]["points"], 1);
    assert_eq!(town("")["figures"]["points"], 1);
    // The plan's goals.
    let goal = |n: usize| &told["goals"][n];
    assert_eq!(
        (&goal(0)["target"], &goal(1)["target"]),
        (&json!(4_913.0), &json!(58.0))
    );
    until("the goal is measured", async || {
        let told = city.get(&format!("{SUPERVISION}?{days}")).await;
        told["goals"][0]["value"] == 4.0 && told["goals"][1]["value"] == 1.0
    })
    .await;
    for definition in told["definitions"].as_array().unwrap() {
        assert!(
            definition["zh"].as_str().unwrap().len() > 10,
            "{definition}"
        );
        assert!(
            definition["en"].as_str().unwrap().len() > 10,
            "{definition}"
        );
    }
}

#[tokio::test]
async fn a_subsidy_can_be_counted_again_from_its_table() {
    if python().is_none() {
        return;
    }
    let (city, days, _stations) = city_with_a_history().await;
    let terms = format!("{days}&rate=0.2&cap=4");
    let told = city.get(&format!("{SUPERVISION}?{terms}")).await;
    let subsidy = &told["subsidy"];
    assert_eq!(subsidy["rate"], "0.2000");
    assert_eq!(subsidy["cap_fen"], 400);
    let of = |name: &str| {
        let mut all = subsidy["operators"].as_array().unwrap().iter();
        all.find(|one| one["operator"] == name).unwrap().clone()
    };
    // 22 kWh are 4.40 yuan, under the cap 4; 10 kWh are 2, of a point whose power nobody knows.
    let capped = of("甲公司");
    let sums = |one: &Value| {
        ["sessions", "energy_wh", "unjudged_wh", "sum_fen", "due_fen"].map(|key| whole(&one[key]))
    };
    assert_eq!(sums(&capped), [1, 22_000, 0, 440, 400]);
    assert_eq!(sums(&of("city")), [1, 10_000, 10_000, 200, 200]);
    assert_eq!(subsidy["due_fen"], 600);
    let excluded: BTreeMap<&str, [i64; 2]> = capped["excluded"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let reason = one["reason"].as_str().unwrap();
            (
                reason,
                ["sessions", "energy_wh"].map(|key| whole(&one[key])),
            )
        })
        .collect();
    assert_eq!(
        excluded,
        BTreeMap::from([("backwards", [1, -600]), ("impossible", [1, 30_000])])
    );
    let token = city.token_of("analyst");
    let table = city
        .ask("GET", &format!("{SUPERVISION}/subsidy.csv?{terms}"), |r| {
            r.bearer_auth(&token)
        })
        .await;
    assert_eq!(
        (table.status, table.kind.as_str()),
        (200, "text/csv; charset=utf-8")
    );
    let text = table.body.strip_prefix('\u{feff}').unwrap();
    let mut lines = text
        .split_terminator("\r\n")
        .map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = |name: &str| head.iter().position(|head| head.ends_with(name)).unwrap();
    let (operator, fen, kwh) = (
        column("operator"),
        column("subsidy_fen"),
        column("counted_kwh"),
    );
    let mut again: BTreeMap<String, (i64, f64)> = BTreeMap::new();
    let mut rows = 0;
    for row in lines {
        assert_eq!(row.len(), head.len(), "{row:?}");
        let sum = again.entry(row[operator].to_owned()).or_default();
        sum.0 += row[fen].parse::<i64>().unwrap();
        sum.1 += row[kwh].parse::<f64>().unwrap();
        rows += 1;
    }
    assert_eq!(rows, 4);
    for one in subsidy["operators"].as_array().unwrap() {
        let (fen, kwh) = again[one["operator"].as_str().unwrap()];
        assert_eq!(fen, whole(&one["sum_fen"]));
        assert!((kwh * 1_000.0 - whole(&one["energy_wh"]) as f64).abs() < 0.5);
    }
    assert!(!text.contains(CARD));
}

/// Straight on the sphere by the law of cosines, km.
fn away([lon, lat]: [f64; 2], other: [f64; 2]) -> f64 {
    let (a, b) = (lat.to_radians(), other[1].to_radians());
    let east = (other[0] - lon).to_radians();
    (a.sin() * b.sin() + a.cos() * b.cos() * east.cos())
        .min(1.0)
        .acos()
        * 6_371.008_8
}

#[tokio::test]
async fn villages_far_from_charging_are_told_and_questions_that_are_none_are_refused() {
    let city = City::start_with(&SETTINGS);
    registered(&city).await;
    let ask = async |query: &str| -> Answer {
        let token = city.token_of("planner");
        city.ask("GET", &format!("{SUPERVISION}{query}"), |r| {
            r.bearer_auth(&token)
        })
        .await
    };
    until("the place is known", async || {
        ask("?far_km=6.5").await.json()["far"]["located"] == 2
    })
    .await;
    let far = ask("?far_km=6.5").await.json()["far"].clone();
    let layer = include_str!("../../../cities/tianmen/layers/villages.geojson");
    let layer: Value = serde_json::from_str(layer).unwrap();
    let villages = layer["features"].as_array().unwrap();
    let mut distances: Vec<f64> = villages
        .iter()
        .map(|village| {
            let at = &village["geometry"]["coordinates"];
            away([at[0].as_f64().unwrap(), at[1].as_f64().unwrap()], AT)
        })
        .filter(|km| *km > 6.5)
        .collect();
    distances.sort_by(|one, other| other.total_cmp(one));
    assert_eq!(far["villages"], villages.len());
    assert_eq!(far["far"], distances.len());
    let listed: Vec<f64> = far["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["km"].as_f64().unwrap())
        .collect();
    assert_eq!(listed.len(), 50);
    for (told, counted) in listed.iter().zip(&distances) {
        assert!((told - counted).abs() < 0.001, "{told} {counted}");
    }
    let towns = ask("?far_km=6.5").await.json()["towns"].clone();
    let sum: i64 = (towns.as_array().unwrap().iter())
        .map(|town| whole(&town["villages_far"]))
        .sum();
    assert_eq!(sum, whole(&far["far"]));
    assert_eq!(ask("?far_km=100").await.json()["far"]["far"], 0);
    for (query, code) in [
        ("?from=yesterday", "charging-day"),
        ("?from=2020-01-01&to=2026-01-01", "charging-days"),
        ("?rate=0.20001", "charging-price"),
        ("?cap=1.5", "charging-cap"),
        ("?far_km=0", "charging-far"),
        ("?far_km=NaN", "charging-far"),
        ("/subsidy.csv?cap=much", "charging-cap"),
    ] {
        let refused = ask(query).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, code),
            "{query}"
        );
    }
    // Days that are still to come have nothing.
    let ahead = ask("?from=2099-01-01&to=2099-01-02").await.json();
    assert_eq!(ahead["overall"]["seconds"], 0);
    assert_eq!(ahead["overall"]["time_rate"], Value::Null);
}
