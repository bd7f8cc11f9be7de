//! A station is asked and set over SL 651 by a person (召测、参数设置): what goes out, what the station answers, what the city learns from the
//! answer, and what is refused before anything is sent. The station was written in Python from the standard's text.

use crate::sl651::{Station, report};
use crate::support::{Answer, City, until};
use serde_json::{Value as Json, json};

const ADDRESS: &str = "0062206900";
const ENTITY: &str = "urn:ngsi-ld:WaterObserved:62206900";
const SETTINGS: [&str; 3] = [
    "sl651.tcp_listen=127.0.0.1:0",
    "sl651.weak_identity_is_accepted=true",
    "sl651.password=\"03E8\"",
];

/// Asks while the station obeys; the answer to the person, and what the station was told.
async fn asked(
    city: &City,
    questions: (&str, &str),
    station: Station,
    order: Json,
    body: Json,
) -> (Answer, Station, Json) {
    let obeying = tokio::task::spawn_blocking(move || {
        let mut station = station;
        let told = station.tell(order);
        (station, told)
    });
    let (cookie, path) = questions;
    let answer = city.send(cookie, "POST", path, &body).await;
    let (station, told) = obeying.await.unwrap();
    (answer, station, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_is_asked_and_set_and_what_it_says_is_known() {
    let city = City::start_with(&SETTINGS);
    let cookie = city.signed_in("admin").await;
    let device = json!({"id": ENTITY, "type": "WaterObserved"});
    let made = city.send(&cookie, "POST", "/api/v1/devices", &device).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let client = made.json()["client_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/devices/{client}/questions");
    let questions = (cookie.as_str(), path.as_str());
    let offers = city.send(&cookie, "GET", &path, &Json::Null).await.json();
    let offers = offers["items"].as_array().unwrap();
    let of = |name: &str| offers.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(of("now")["title_zh"], "查询实时数据");
    assert_eq!(
        (&of("now")["changes"], &of("clock-set")["changes"]),
        (&json!(false), &json!(true))
    );
    assert!(offers.iter().all(|one| one["name"] != "factory-reset"));

    // Before it has a link nothing is sent, and that is told.
    let status = json!({"question": "status"});
    let refused = city.send(&cookie, "POST", &path, &status).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "sl651-not-on-the-line")
    );
    let mut station = Station::start("tcp", city.address("sl651"), ADDRESS, "03E8");
    let timed = report("32", 1, 0, json!([["38", 2, 2, 12.3]]));
    assert_eq!(station.confirmed(timed)["serial"], 1);

    // Present data (37H): what it answers is known like any report.
    let obey = |more: Json| {
        let mut order = json!({"do": "obey"});
        order
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        order
    };
    let stage = report("37", 0, 0, json!([["39", 4, 3, 28.512]]));
    let answers = obey(json!({"observed": stage["observed"], "elements": stage["elements"]}));
    let now = json!({"question": "now"});
    let (answer, station, told) = asked(&city, questions, station, answers, now).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(told["command"]["function"], "37", "{told}");
    assert_eq!(answer.json()["answer"]["function"], "37", "{}", answer.body);
    city.shows(ENTITY, "waterLevel", 28.512).await;

    // Running parameters set (42H), as the standard's example writes them; the station tells what holds now.
    let values = json!({"question": "running-set", "values": {"20": 1, "30": 0.2}});
    let (answer, station, told) = asked(&city, questions, station, obey(json!({})), values).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        (&told["command"]["function"], &told["command"]["more"]),
        (&json!("42"), &json!("200801301b000200")),
        "{told}"
    );
    until("the parameters", async || {
        let entity = city
            .ask("GET", &format!("/api/v1/entities/{ENTITY}"), |r| {
                r.bearer_auth(&city.admin)
            })
            .await;
        entity.json()["attributes"]["parameters"]["value"]["30"] == 0.2
    })
    .await;

    // The clock (4AH): the message's own time is what sets it.
    let set = json!({"question": "clock-set"});
    let (answer, _station, told) = asked(&city, questions, station, obey(json!({})), set).await;
    assert_eq!(
        (answer.status, &told["command"]["function"]),
        (200, &json!("4A")),
        "{told}"
    );

    // What cannot be said is refused before anything is sent.
    for wrong in [
        json!({"question": "factory-reset"}),
        json!({"question": "running-set", "values": {"20": 1000}}),
        json!({"question": "elements"}),
        json!({"question": "period", "codes": ["39"], "from": "2026-07-01T08:00:00+08:00", "to": "2026-07-01T08:00:00+08:00"}),
        json!({"question": "elements", "codes": vec!["39"; 33]}),
    ] {
        let refused = city.send(&cookie, "POST", &path, &wrong).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, "device-question"),
            "{wrong}"
        );
    }

    // Who asked what is in the trail, with what it was set to.
    let trail = city.get("/api/v1/audit?action=device.ask").await;
    let acts: Vec<_> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|act| act["detail"]["question"].clone())
        .collect();
    assert!(
        acts.contains(&json!("running-set")) && acts.contains(&json!("clock-set")),
        "{trail}"
    );
    let operator = city.add_named(
        "shuili.zhao",
        "赵",
        "operator",
        &["--organisation", "shuili"],
    );
    let operator = city.sign_in("shuili.zhao", &operator).await.cookie.unwrap();
    let refused = city
        .send(&operator, "POST", &path, &json!({"question": "now"}))
        .await;
    assert_eq!(refused.status, 403, "{}", refused.body);
}
