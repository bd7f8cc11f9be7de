//! Corrections on the running city: a person puts an observation right, and history, current state, SQL, the audit
//! trail and the command line show the old value, the new one, who and why.

use crate::support::{Answer, City, Credentials, Mqtt, jingling_json, shared, token, until};
use serde_json::{Value as Json, json};

const PATH: &str = "/api/v1/corrections";
const REASON: &str = "读数多了一位 / a digit too many";

/// A device says a level in metres, at a time of its own if it is given.
async fn say(city: &City, device: &Credentials, level: f64, at: Option<&str>) {
    let mut client = Mqtt::device(city, device).await;
    let mut said = json!({"type": "Property", "value": level, "unitCode": "MTR"});
    if let Some(at) = at {
        said["observedAt"] = at.into();
    }
    let message = json!({ "waterLevel": said }).to_string();
    let ack = client.publish(&device.topic, message).await;
    assert_eq!(format!("{:?}", ack.reason), "Success");
}

/// The points of the device's level once there are so many, oldest first.
async fn points(city: &City, device: &Credentials, count: usize) -> Vec<Json> {
    let path = format!(
        "/api/v1/entities/{}/history?attribute=waterLevel",
        device.id
    );
    let mut points = Vec::new();
    until(&format!("{count} points"), async || {
        points = city.get(&path).await["points"].as_array().unwrap().clone();
        points.len() == count
    })
    .await;
    points
}

async fn correct(city: &City, token: &str, body: &Json) -> Answer {
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(token).json(body);
    city.ask("POST", PATH, with).await
}

fn draft(device: &Credentials, point: &Json, value: Json) -> Json {
    json!({
        "entity_id": device.id,
        "attribute": "waterLevel",
        "observed_at": point["observed_at"],
        "value": value,
        "reason": REASON,
    })
}

#[tokio::test]
async fn a_correction_keeps_the_old_value_the_new_one_who_and_why() {
    let city = shared();
    let planner = token(&city.dir, "planner");
    let device = city.register("WaterObserved").await;
    say(&city, &device, 28.5, None).await;
    say(&city, &device, 812.0, None).await;
    let before = points(&city, &device, 2).await;
    assert_eq!(before[1]["quality"], "out_of_range");
    let alerts = format!(
        "SELECT count(*) FROM alerts WHERE entity_id = '{}'",
        device.id
    );

    let mut asked = draft(&device, &before[1], json!(2_812.0));
    asked["unit"] = "cm".into();
    let done = correct(&city, &planner, &asked).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let done = done.json();
    for (member, value) in [
        ("old_value", json!(812.0)),
        ("old_unit", json!("MTR")),
        ("old_quality", json!("out_of_range")),
        ("new_value", json!(28.12)),
        ("unit", json!("MTR")),
        ("reason", json!(REASON)),
        ("supersedes", before[1]["position"].clone()),
        ("observed_at", before[1]["observed_at"].clone()),
        ("entity_type", json!("WaterObserved")),
    ] {
        assert_eq!(done[member], value, "{member}");
    }
    assert!(
        done["corrected_by"]
            .as_str()
            .unwrap()
            .starts_with("planner")
    );
    let position = done["position"].clone();

    // History and current state show it.
    let after = points(&city, &device, 2).await;
    assert_eq!(after[0], before[0]);
    assert_eq!(
        (
            &after[1]["value"],
            &after[1]["quality"],
            &after[1]["position"]
        ),
        (&json!(28.12), &json!("corrected"), &position)
    );
    let now = city.shows(&device.id, "waterLevel", 28.12).await;
    assert_eq!(now["quality"], "corrected");
    // The request is kept as it came, and so is the message that it corrects.
    let stored = city.get(&format!("/api/v1/provenance/{position}")).await;
    assert_eq!(
        (&stored["door"], &stored["address"]),
        (&json!("correction"), &json!(PATH))
    );
    let raw: Json = serde_json::from_str(stored["raw_text"].as_str().unwrap()).unwrap();
    assert_eq!(raw, asked);
    let old = city
        .get(&format!("/api/v1/provenance/{}", done["supersedes"]))
        .await;
    assert!(old["raw_text"].as_str().unwrap().contains("812"));

    // The list, SQL and the audit trail have it.
    let path = format!("{PATH}?entity_id={}", device.id);
    until("the correction in the list", async || {
        city.get(&path).await["items"] == json!([done])
    })
    .await;
    let sql = "SELECT old_value, new_value, reason FROM corrections WHERE entity_id";
    let row = city.sql(&format!("{sql} = '{}'", device.id)).await;
    assert_eq!(
        row,
        json!({"old_value": "812.0", "new_value": "28.12", "reason": REASON})
    );
    let audit = city.get("/api/v1/audit").await["items"].clone();
    let act = audit.as_array().unwrap().iter().find(|act| {
        act["action"] == "observation.correct" && act["target"] == format!("entity:{}", device.id)
    });
    assert!(act.is_some(), "{audit}");
    // No rule judged it: the projection that wrote the list has seen the correction.
    let raised = city.sql(&alerts).await;

    // The command line reads the same from the folder.
    let sql = format!(
        "SELECT value_number, quality, door FROM observations WHERE entity_id = '{}' ORDER BY observed_at",
        device.id
    );
    let rows = jingling_json(&["query", &city.dir, &sql, "--json"]);
    assert_eq!(
        rows[1],
        json!({"value_number": 28.12, "quality": "corrected", "door": "correction"})
    );

    // What was corrected is corrected again, and then withdrawn.
    let again = correct(&city, &planner, &draft(&device, &before[1], json!(28.13))).await;
    assert_eq!(
        (again.status, &again.json()["supersedes"]),
        (200, &position)
    );
    let withdrawn = correct(&city, &planner, &draft(&device, &before[1], Json::Null)).await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.body);
    assert_eq!(withdrawn.json()["new_value"], Json::Null);
    assert_eq!(withdrawn.json()["old_value"], 28.13);
    assert_eq!(points(&city, &device, 1).await, before[..1]);
    let entity = city.get(&format!("/api/v1/entities/{}", device.id)).await;
    assert_eq!(entity["attributes"]["waterLevel"], Json::Null);
    let gone = correct(&city, &planner, &draft(&device, &before[1], json!(28.14))).await;
    assert_eq!((gone.status, gone.problem().as_str()), (404, "not-found"));
    until("three corrections in the list", async || {
        city.get(&path).await["items"].as_array().unwrap().len() == 3
    })
    .await;
    assert_eq!(city.sql(&alerts).await, raised);
    city.goes_on().await;
}

#[tokio::test]
async fn what_is_no_correction_is_told() {
    let city = shared();
    let planner = token(&city.dir, "planner");
    let device = city.register("WaterObserved").await;
    say(&city, &device, 28.5, None).await;
    let point = points(&city, &device, 1).await.remove(0);
    let good = draft(&device, &point, json!(28.6));
    let with = |member: &str, value: Json| {
        let mut draft = good.clone();
        draft[member] = value;
        draft
    };
    for (body, status, code) in [
        (with("reason", json!(" ")), 422, "reason"),
        (with("reason", json!("长".repeat(2_001))), 422, "reason"),
        (with("value", json!(9_999.0)), 422, "out-of-range"),
        (with("value", json!("high")), 422, "wrong-type"),
        (with("unit", json!("kPa")), 422, "wrong-unit"),
        (with("unit", json!("parsec")), 422, "unknown-unit"),
        (with("attribute", json!("flow")), 404, "not-found"),
        (with("position", json!(999_999_999)), 404, "not-found"),
        (
            with("entity_id", json!("urn:ngsi-ld:WaterObserved:none")),
            404,
            "not-found",
        ),
        (
            with("observed_at", json!("2026-11-24T00:00:00Z")),
            404,
            "not-found",
        ),
        (with("values", json!(1)), 400, "request-shape"),
        (json!({"value": 1}), 400, "request-shape"),
    ] {
        let answer = correct(&city, &planner, &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, code),
            "{body}"
        );
    }
    for role in ["viewer", "operator", "analyst", "collector"] {
        let answer = correct(&city, &token(&city.dir, role), &good).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (403, "forbidden")
        );
    }
    assert_eq!(points(&city, &device, 1).await, [point]);
}

#[tokio::test]
async fn of_several_observations_of_one_time_one_is_named() {
    let city = shared();
    let duty = token(&city.dir, "duty");
    let device = city.register("WaterObserved").await;
    let clock = city
        .sql("SELECT date_trunc('second', now() - INTERVAL '1 minute') AS at")
        .await;
    let at = clock["at"].as_str().unwrap();
    say(&city, &device, 28.5, Some(at)).await;
    say(&city, &device, 28.7, Some(at)).await;
    let both = points(&city, &device, 2).await;
    let body = draft(&device, &both[0], json!(28.6));
    let answer = correct(&city, &duty, &body).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (409, "several-observations")
    );
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    for point in &both {
        assert!(detail.contains(&point["position"].to_string()), "{detail}");
    }
    let mut body = body;
    body["position"] = both[0]["position"].clone();
    let answer = correct(&city, &duty, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["old_value"], both[0]["value"]);
    let after = points(&city, &device, 2).await;
    assert!(after.contains(&both[1]), "{after:?}");
}

#[tokio::test]
async fn as_many_corrections_wait_for_upkeep_as_are_set() {
    let city = City::start_with(&["lake.struck_rows_max=1"]);
    let planner = token(&city.dir, "planner");
    let device = city.register("WaterObserved").await;
    say(&city, &device, 28.5, None).await;
    let point = points(&city, &device, 1).await.remove(0);
    let first = correct(&city, &planner, &draft(&device, &point, json!(28.6))).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let again = correct(&city, &planner, &draft(&device, &point, json!(28.7))).await;
    assert_eq!(
        (again.status, again.problem().as_str()),
        (503, "corrections-full")
    );
    assert!(again.body.contains("lake.struck_rows_max"), "{again:?}");
}
