//! What people enter in a pack's form: within the form, by the department that the pack belongs to, of what is there; stored like
//! what a device says, and in the audit trail.

use crate::support::{City, shared};
use serde_json::{Value as Json, json};

const FORM: &str = "/api/v1/views/water-readings/entries";
const STATION: &str = "urn:ngsi-ld:WaterObserved:by-hand-1";

/// Somebody of a department, signed in.
async fn operator(city: &City, username: &str, organisation: &str) -> String {
    let of = ["--organisation", organisation];
    let password = city.add_named(username, "赵钱", "operator", &of);
    city.sign_in(username, &password).await.cookie.unwrap()
}

fn reading(id: &str, attributes: Json) -> Json {
    let mut entity = json!({"id": id, "type": "WaterObserved"});
    let all = entity.as_object_mut().unwrap();
    all.extend(attributes.as_object().unwrap().clone());
    entity
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_enters_what_the_form_has_and_nothing_else() {
    let city = shared();
    let collector = city.token_of("collector");
    let made = json!([reading(
        STATION,
        json!({"waterLevel": {"type": "Property", "value": 20.0, "unitCode": "MTR"}})
    )]);
    let known = city
        .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
            r.bearer_auth(&collector).json(&made)
        })
        .await;
    assert_eq!(known.status, 201, "{}", known.body);
    let level =
        |value: f64| json!({"waterLevel": {"type": "Property", "value": value, "unitCode": "MTR"}});
    let ours = operator(&city, "shuili.zhao", "shuili").await;
    let entered = city
        .send(&ours, "POST", FORM, &reading(STATION, level(28.25)))
        .await;
    assert_eq!(entered.status, 200, "{}", entered.body);
    assert_eq!(entered.json(), json!({"entity_id": STATION, "refused": []}));
    city.shows(STATION, "waterLevel", 28.25).await;
    // The command centre enters for every department, another department for its own only.
    let duty = city.token_of("duty");
    let body = reading(STATION, level(28.5));
    let entered = city
        .ask("POST", FORM, |r| r.bearer_auth(&duty).json(&body))
        .await;
    assert_eq!(entered.status, 200, "{}", entered.body);
    let others = operator(&city, "chengguan.qian", "chengguan").await;
    let refused = city
        .send(&others, "POST", FORM, &reading(STATION, level(1.0)))
        .await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "forbidden")
    );
    let outside = json!({"warningLevel": {"type": "Property", "value": 1.0, "unitCode": "MTR"}});
    let wrong = [
        (reading(STATION, outside), "entry-outside"),
        (
            json!({"id": "urn:ngsi-ld:Streetlight:1", "type": "Streetlight", "waterLevel": {"type": "Property", "value": 1.0}}),
            "entry-outside",
        ),
        (
            reading("urn:ngsi-ld:WaterObserved:nobody", level(1.0)),
            "entry-unknown-entity",
        ),
        (json!([reading(STATION, level(1.0))]), "body-shape"),
    ];
    for (body, code) in wrong {
        let refused = city.send(&ours, "POST", FORM, &body).await;
        assert_eq!(refused.status, 400, "{body} {}", refused.body);
        if code != "body-shape" {
            assert_eq!(refused.problem(), code, "{body} {}", refused.body);
        }
    }
    let unknown = city
        .send(
            &ours,
            "POST",
            "/api/v1/views/water-stations/entries",
            &reading(STATION, level(1.0)),
        )
        .await;
    assert_eq!(unknown.status, 404, "a table is no form: {}", unknown.body);
    city.shows(STATION, "waterLevel", 28.5).await;
    // The trail names what was entered, and not the values: those are in the history.
    let auditor = city.token_of("auditor");
    let trail = city
        .ask("GET", "/api/v1/audit?action=data.enter", |r| {
            r.bearer_auth(&auditor)
        })
        .await;
    assert_eq!(trail.status, 200, "{}", trail.body);
    let acts = trail.json()["items"].as_array().unwrap().clone();
    let named = format!("{acts:?}");
    assert!(
        named.contains(STATION) && named.contains("waterLevel"),
        "{named}"
    );
    assert!(!named.contains("28.25"), "no values: {named}");
}
