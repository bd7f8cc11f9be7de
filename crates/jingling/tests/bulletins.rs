//! Bulletins of packs: what stations say, in the words of the declaration, as the page, PDF and a Word-compatible file; of what the
//! caller may see, and no more.

use crate::support::{City, jingling, new_city, text};
use serde_json::{Value as Json, json};

const BULLETIN: &str = "/api/v1/bulletins/water-bulletin";

async fn said(city: &City) {
    let collector = city.token_of("collector");
    let metres = |value: f64, at: jiff::Timestamp| json!({"type": "Property", "value": value, "unitCode": "MTR", "observedAt": at.to_string()});
    let now = jiff::Timestamp::now();
    let yesterday = now - jiff::SignedDuration::from_hours(25);
    let station = |code: &str, town: &str, before: f64, stage: f64| {
        let id = format!("urn:ngsi-ld:WaterObserved:bulletin-{town}");
        let name = json!({"type": "Property", "value": format!("{code}站")});
        [
            json!({"id": id, "type": "WaterObserved", "name": name, "townCode": {"type": "Property", "value": town},
                "defenceLevel": metres(28.0, now), "warningLevel": metres(29.0, now), "guaranteeLevel": metres(30.0, now)}),
            json!({"id": id, "type": "WaterObserved", "waterLevel": metres(before, yesterday)}),
            json!({"id": id, "type": "WaterObserved", "waterLevel": metres(stage, now)}),
        ]
    };
    let entities = [
        station("甲", "429006001", 28.0, 29.5),
        station("乙", "429006100", 27.0, 27.25),
    ];
    // One message each: of one moment an entity has one value.
    for entity in entities.into_iter().flatten() {
        let taken = city
            .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
                r.bearer_auth(&collector).json(&json!([entity]))
            })
            .await;
        assert!((200..300).contains(&taken.status), "{}", taken.body);
    }
    city.shows(
        "urn:ngsi-ld:WaterObserved:bulletin-429006100",
        "waterLevel",
        27.25,
    )
    .await;
}

fn table<'a>(bulletin: &'a Json, heading: &str) -> &'a Json {
    let parts = bulletin["parts"].as_array().unwrap();
    let at = parts
        .iter()
        .position(|part| part["text"] == heading)
        .unwrap();
    &parts[at + 1]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulletin_tells_the_stages_as_the_caller_may_see_them() {
    let policy = r#"@id("one-town") @zh("只看本镇") @en("One town only")
forbid (principal in Role::"viewer", action == Action::"entity.read", resource is Datum)
unless { resource in Division::"429006001" };"#;
    let (folder, dir) = new_city();
    let file = folder.path().join("town.cedar").display().to_string();
    std::fs::write(&file, policy).unwrap();
    let set = jingling(&["policy", "set", &dir, &file, "--reason", "试验"]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    let city = City::start_in(folder, dir, &[]);
    said(&city).await;
    let duty = city.token_of("duty");
    let get = async |token: &str, query: &str| {
        let path = format!("{BULLETIN}{query}");
        let answer = city.ask("GET", &path, |r| r.bearer_auth(token)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    };
    let told = get(&duty, "").await.json();
    assert_eq!(told["title"], "水情简报");
    let summary = table(&told, "概况")["text"].as_str().unwrap();
    for words in ["全市 2 个水情站", "超警戒 1 站", "甲站，+1.50 米"] {
        assert!(summary.contains(words), "{summary}");
    }
    let stages = table(&told, "各站水位");
    let rows = stages["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{stages}");
    assert_eq!(
        (
            &rows[0][0],
            &rows[0][2],
            &rows[0][3],
            &rows[0][6],
            &rows[0][7]
        ),
        (
            &json!("甲站"),
            &json!("29.50"),
            &json!("+1.50"),
            &json!("+0.50"),
            &json!("超警戒")
        )
    );
    assert_eq!(
        (&rows[1][0], &rows[1][3], &rows[1][6]),
        (&json!("乙站"), &json!("+0.25"), &json!("-1.75"))
    );
    let english = get(&duty, "?language=en").await.json();
    let summary = table(&english, "In short")["text"].as_str().unwrap();
    assert!(
        summary.contains("1 above warning and 0 above guarantee"),
        "{summary}"
    );
    assert_eq!(table(&english, "Stages")["rows"][0][7], "above warning");

    // Who sees one town reads of one station.
    let viewer = city.token_of("viewer");
    let theirs = get(&viewer, "").await.json();
    assert_eq!(
        table(&theirs, "各站水位")["rows"].as_array().unwrap().len(),
        1,
        "{theirs}"
    );
    assert!(!theirs.to_string().contains("乙站"), "{theirs}");

    for (format, kind) in [
        ("pdf", "application/pdf"),
        (
            "docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
    ] {
        let file = get(&duty, &format!("?format={format}")).await;
        assert_eq!(file.kind, kind);
        assert!(
            file.body.len() > 1_000,
            "{format} has {} bytes",
            file.body.len()
        );
    }
    let refused = city
        .ask("GET", &format!("{BULLETIN}?format=odt"), |r| {
            r.bearer_auth(&duty)
        })
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (400, "bulletin-format")
    );
    let listed = city
        .ask("GET", "/api/v1/bulletins", |r| r.bearer_auth(&duty))
        .await
        .json();
    assert_eq!(listed[0]["id"], "water-bulletin", "{listed}");
}

/// The use of a month comes from history: the last reading before it began and the last one now, whatever base a person entered.
#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_water_is_reckoned_from_the_readings() {
    let city = City::start();
    let collector = city.token_of("collector");
    let now = jiff::Timestamp::now();
    let beijing = jiff::tz::offset(8);
    let month = beijing.to_datetime(now).date().first_of_month();
    let began = beijing
        .to_timestamp(month.to_datetime(jiff::civil::Time::midnight()))
        .unwrap();
    let point = "urn:ngsi-ld:WaterConsumptionObserved:bulletin";
    let cubic = |value: f64, at: jiff::Timestamp| json!({"type": "Property", "value": value, "unitCode": "MTQ", "observedAt": at.to_string()});
    let text = |value: &str| json!({"type": "Property", "value": value});
    let reading = |value, at| json!({"waterConsumption": cubic(value, at)});
    let hour = jiff::SignedDuration::from_hours(1);
    let mut said = vec![
        reading(480_000.0, began - hour * 2),
        reading(500_000.0, began - hour),
        reading(585_000.0, now),
        json!({"name": text("一级站"), "permitNumber": text("D429006"), "permitValidUntil": text("2026-01-01"),
            "monthQuota": cubic(100_000.0, now), "yearQuota": cubic(1_000_000.0, now)}),
    ];
    for entity in &mut said {
        entity["id"] = json!(point);
        entity["type"] = json!("WaterConsumptionObserved");
        let taken = city
            .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
                r.bearer_auth(&collector).json(&json!([entity]))
            })
            .await;
        assert!((200..300).contains(&taken.status), "{}", taken.body);
    }
    city.shows(point, "yearQuota", 1_000_000.0).await;
    let duty = city.token_of("duty");
    let path = "/api/v1/bulletins/water-use?format=json&language=en";
    let answer = city.ask("GET", path, |r| r.bearer_auth(&duty)).await;
    let bulletin = answer.json();
    let rows = &table(&bulletin, "Metering points")["rows"];
    let cells: Vec<&str> = [0, 2, 3, 4, 5]
        .iter()
        .map(|n| rows[0][n].as_str().unwrap())
        .collect();
    assert_eq!(
        cells,
        ["一级站", "585000", "500000", "85000", "85"],
        "{rows}"
    );
    // Of the year nothing is known but in January, which it began with, and so it is not summed for the permit.
    let known = if month.month() == 1 { "1" } else { "0" };
    let permits = &table(&bulletin, "By permit")["rows"][0];
    assert_eq!(
        (&permits[0], &permits[3]),
        (&json!("D429006"), &json!(known))
    );
    let ends = &table(&bulletin, "Permits that end within 45 days, or have")["rows"][0];
    assert_eq!(ends[0], "2026-01-01");
}
