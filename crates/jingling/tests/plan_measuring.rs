//! The plan is measured when something changes and not otherwise, and its detail says what came of an indicator.

use crate::support::{City, Mqtt, token, until};
use serde_json::{Value as Json, json};

/// Measurements since the start.
async fn measured(city: &City) -> u64 {
    let text = city.ask("GET", "/metrics", |r| r).await.body;
    let name = "jingling_indicators_measured_total ";
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

async fn stations(city: &City) -> Json {
    city.get("/api/v1/plan/indicators/5g-base-stations").await
}

#[tokio::test]
async fn what_changed_is_measured_and_nothing_else() {
    // Nothing by the clock: all 59 once, then only what changed.
    let city = City::start_with(&[
        "indicators.clock_seconds=3600",
        "indicators.at_once_max=100",
        "indicators.busy_percent=100",
    ]);
    until("every indicator measured once", async || {
        measured(&city).await == 59
    })
    .await;

    let ngsi = token(&city.dir, "collector");
    let station = |id: &str, generation: &str, town: Option<&str>| {
        let mut body = json!({
            "id": format!("urn:ngsi-ld:TelecomBaseStation:{id}"),
            "type": "TelecomBaseStation",
            "generation": {"type": "Property", "value": generation},
            "inService": {"type": "Property", "value": true},
        });
        if let Some(town) = town {
            body["townCode"] = json!({"type": "Property", "value": town});
        }
        body
    };
    let put = async |body: &Json| {
        let body = json!([body]);
        let with = |r: reqwest::RequestBuilder| r.bearer_auth(&ngsi).json(&body);
        let path = "/ngsi-ld/v1/entityOperations/upsert";
        let answer = city.ask("POST", path, with).await;
        assert!([201, 204].contains(&answer.status), "{}", answer.body);
    };
    put(&station("1", "5G", Some("429006001"))).await;
    until("one station", async || {
        stations(&city).await["value"] == 1.0
    })
    .await;
    assert_eq!(measured(&city).await, 60);

    // A lamp is read by no indicator: the next station is the next measurement.
    let mut lamp = station("1", "x", None);
    lamp["id"] = "urn:ngsi-ld:Streetlight:1".into();
    lamp["type"] = "Streetlight".into();
    put(&lamp).await;
    put(&station("2", "5G", None)).await;
    until("two stations", async || {
        stations(&city).await["value"] == 2.0
    })
    .await;
    assert_eq!(measured(&city).await, 61);

    // A device that comes is in people's records: the share of devices that are connected, and nothing else.
    let device = city.register("WaterObserved").await;
    let client = Mqtt::device(&city, &device).await;
    until("the device connected", async || {
        city.get("/api/v1/plan/indicators/iot-online-rate").await["value"] == 100.0
    })
    .await;
    drop(client);
    assert_eq!(stations(&city).await["value"], 2.0);

    // What came of it: the target year is over, and there was no value in it. By town, and what no town is known of.
    let found = stations(&city).await;
    assert_eq!(found["assessment"]["outcome"], "no_value");
    assert_eq!(found["assessment"]["on"], "2025-12-31");
    assert_eq!(
        (&found["forecast"], &found["forecast_missing"]),
        (&Json::Null, &Json::Null)
    );
    assert_eq!(found["responsible"], "jingxin");
    let towns = found["towns"]["towns"].as_array().unwrap();
    assert_eq!(towns.len(), 28);
    let first = towns
        .iter()
        .find(|town| town["code"] == "429006001")
        .unwrap();
    assert_eq!(
        (&first["name"], &first["value"]),
        (&json!("竟陵街道"), &json!(1.0))
    );
    assert_eq!(
        (
            &found["towns"]["aggregation"],
            &found["towns"]["total"],
            &found["towns"]["difference"]
        ),
        (&json!("sum"), &json!(1.0), &json!(1.0))
    );
}
