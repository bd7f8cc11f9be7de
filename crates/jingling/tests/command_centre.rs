//! The front page's overview and the replay of a past stretch, over the running program: figures follow what devices say, each
//! role gets what it may see, pages of a replay follow one another, and a bad question is told.

use crate::support::{City, token, until};
use serde_json::{Value as Json, json};

const BUS: &str = "urn:ngsi-ld:Streetlight:replay-1";

/// Says where a thing is, and its state, at a moment.
async fn say(city: &City, collector: &str, at: &str, lon: f64, state: &str) {
    let said = json!([{
        "id": BUS, "type": "Streetlight",
        "powerState": {"type": "Property", "value": state, "observedAt": at},
        "location": {"type": "GeoProperty", "observedAt": at, "value": {"type": "Point", "coordinates": [lon, 30.65]}},
    }]);
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(collector).json(&said);
    let answer = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", with)
        .await;
    assert!(answer.status < 300, "{}", answer.body);
}

fn of<'a>(overview: &'a Json, id: &str) -> &'a Json {
    let systems = overview["systems"].as_array().unwrap();
    systems.iter().find(|s| s["id"] == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_follows_what_devices_say_and_each_role_sees_its_part() {
    // Not kept: what is said is seen at once.
    let city = City::start_with(&["command_centre.overview_kept_ms=0"]);
    let (collector, duty) = (token(&city.dir, "collector"), token(&city.dir, "duty"));
    let glance = async |token: &str| {
        let answer = city
            .ask("GET", "/api/v1/overview", |r| r.bearer_auth(token))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let before = glance(&duty).await;
    assert_eq!(before["systems"].as_array().unwrap().len(), 37);
    assert_eq!(of(&before, "S18")["installed"], false);
    let lamps = of(&before, "S21")["flow"]["total"].as_u64().unwrap();
    let now = model::Timestamp::from_micros(jiff_now()).to_string();
    say(&city, &collector, &now, 113.1, "on").await;
    until("the lamp is counted", async || {
        of(&glance(&duty).await, "S21")["flow"]["total"] == lamps + 1
    })
    .await;
    let counted = glance(&duty).await;
    assert!(counted["alerts"].is_object() && counted["cases"].is_object());
    // Who may not read cases gets none, not a nought.
    let collectors = glance(&collector).await;
    assert!(collectors["cases"].is_null() && collectors["alerts"].is_null());
    let rows = city
        .ask("GET", "/api/v1/overview/systems/S21", |r| {
            r.bearer_auth(&duty)
        })
        .await;
    assert_eq!(rows.status, 200, "{}", rows.body);
    assert_eq!(rows.json()["system"]["id"], "S21");
    let none = city
        .ask("GET", "/api/v1/overview/systems/S99", |r| {
            r.bearer_auth(&duty)
        })
        .await;
    assert_eq!((none.status, none.problem().as_str()), (404, "not-found"));
}

fn jiff_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_micros()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_stretch_comes_back_as_it_was_page_by_page() {
    let city = City::start();
    let (collector, duty) = (token(&city.dir, "collector"), token(&city.dir, "duty"));
    let at = |minutes: i64| {
        model::Timestamp::from_micros(jiff_now() - 3_600_000_000)
            .plus_seconds(60 * minutes)
            .to_string()
    };
    let times: Vec<String> = (0..6).map(|n| at(n * 5)).collect();
    for (n, time) in times.iter().enumerate() {
        let lon = 113.0 + 0.01 * n as f64;
        say(&city, &collector, time, lon, ["on", "off"][n % 2]).await;
    }
    let replay = async |query: &str| {
        city.ask("GET", &format!("/api/v1/replay?{query}"), |r| {
            r.bearer_auth(&duty)
        })
        .await
    };
    // From between the second and the third to the end.
    let stretch = format!(
        "types=Streetlight&attributes=powerState&from={}&until={}",
        at(7),
        at(40)
    );
    until("all six are in history", async || {
        let all = format!(
            "types=Streetlight&attributes=powerState&from={}&until={}",
            at(-5),
            at(40)
        );
        let answer = replay(&all).await.json();
        answer["changes"]["ids"].as_array().unwrap().len() == 12
    })
    .await;
    let whole = replay(&stretch).await.json();
    assert_eq!(whole["state"]["ids"], json!([BUS]));
    assert_eq!(whole["state"]["lon"], json!([113.01]));
    assert_eq!(whole["state"]["values"], json!([{"powerState": "off"}]));
    assert_eq!(whole["changes"]["ids"].as_array().unwrap().len(), 8);
    assert!(whole["next"].is_null());
    // The same by pages of three.
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = replay(&format!("{stretch}&limit=3{after}")).await.json();
        assert_eq!(page["state"].is_null(), !after.is_empty());
        seen.extend(page["changes"]["at_ms"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(json!(seen), whole["changes"]["at_ms"]);
    for (query, code) in [
        (format!("from={}&until={}", at(2), at(1)), "replay-order"),
        (format!("from={}&until={}", at(-600), at(1)), "replay-span"),
        (format!("from={}&until={}&after=x", at(1), at(2)), "cursor"),
        (
            format!("from={}&until={}", at(90), at(100)),
            "replay-future",
        ),
    ] {
        let refused = replay(&query).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, code),
            "{query}"
        );
    }
}
