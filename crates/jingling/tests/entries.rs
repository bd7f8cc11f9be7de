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

/// Packs' words come with the types, and boards that leave their titles to them have them; boards of cases are told to who may
/// see cases, and hold the cases of their workflow alone.
#[tokio::test(flavor = "multi_thread")]
async fn values_and_boards_have_the_packs_words() {
    let city = shared();
    let duty = city.token_of("duty");
    let get = async |path: &str| city.ask("GET", path, |r| r.bearer_auth(&duty)).await.json();
    let types = get("/api/v1/types").await;
    let named = |name: &str| {
        let all = types["items"].as_array().unwrap();
        all.iter().find(|kind| kind["name"] == name).unwrap()
    };
    let lights = named("Streetlight");
    let words = lights["attributes"]["powerState"]["words"].as_array();
    let off = json!({"value": "off", "title_zh": "灭", "title_en": "Off"});
    assert!(words.unwrap().contains(&off), "{words:?}");
    assert_eq!(lights["attributes"]["ratedPower"]["words"], json!([]));
    let views = lights["views"].as_array().unwrap();
    let board = views.iter().find(|v| v["id"] == "streetlight-board");
    let first = &board.unwrap()["board"]["columns"][0];
    let ok = json!({"value": "ok", "title_zh": "正常", "title_en": "OK"});
    assert_eq!(first, &ok);

    let boards = get("/api/v1/cases/boards").await;
    let all = boards["items"].as_array().unwrap();
    let flood = all.iter().find(|b| b["id"] == "flood-board").unwrap();
    assert_eq!(flood["workflow"], "flood-case");
    let states = flood["columns"].as_array().unwrap().iter();
    let states: Vec<&str> = states.map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(states, ["collected", "dispatched", "handling", "handled"]);
    // A case of another workflow stands on the city's board and not on that one.
    let case = json!({"title": "看板之外的案件"});
    let opened = city
        .ask("POST", "/api/v1/cases", |r| {
            r.bearer_auth(&duty).json(&case)
        })
        .await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    let id = opened.json()["id"].clone();
    let holds = |board: &Json| {
        let columns = board["columns"].as_array().unwrap().iter();
        let mut cases = columns.flat_map(|c| c["cases"].as_array().unwrap());
        cases.any(|case| case["id"] == id)
    };
    let own = get("/api/v1/cases/board?workflow=flood-case").await;
    assert!(!holds(&own), "{own}");
    let listed = get("/api/v1/cases?workflow=flood-case").await;
    assert!(!listed.to_string().contains("看板之外"), "{listed}");
    let listed = get("/api/v1/cases?workflow=city-case").await;
    assert!(listed.to_string().contains("看板之外"), "{listed}");
    let none = city
        .ask("GET", "/api/v1/cases/board?workflow=none", |r| {
            r.bearer_auth(&duty)
        })
        .await;
    assert_eq!(
        (none.status, none.problem().as_str()),
        (409, "workflow-missing")
    );
}

/// A list of codes is entered as one; what is no list of texts is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_takes_a_list_of_texts() {
    let city = shared();
    let duty = city.token_of("duty");
    let form = "/api/v1/views/flood-risk-area-register/entries";
    let area = |villages: Json| {
        json!({
            "id": "urn:ngsi-ld:FloodRiskArea:by-hand-1", "type": "FloodRiskArea",
            "villages": {"type": "JsonProperty", "json": villages},
        })
    };
    let enter = async |body: Json| {
        city.ask("POST", form, |r| r.bearer_auth(&duty).json(&body))
            .await
    };
    for wrong in [json!({"a": 1}), json!([429_006]), json!([]), json!([" "])] {
        let refused = enter(area(wrong)).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, "entry-list"),
            "{}",
            refused.body
        );
    }
    let taken = enter(area(json!(["429006107254", "429006107255"]))).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    let types = city.get("/api/v1/types").await;
    let area = types["items"].as_array().unwrap().iter();
    let mut area = area.filter(|kind| kind["name"] == "FloodRiskArea");
    let views = area.next().unwrap()["views"].as_array().unwrap().clone();
    let form = (views.iter()).find(|view| view["id"] == "flood-risk-area-register");
    let fields = form.unwrap()["form"]["fields"].as_array().unwrap().clone();
    let field = |name: &str| fields.iter().find(|field| field["attribute"] == name);
    assert_eq!(field("villages").unwrap()["list"], true);
    assert_eq!(
        field("refStation").unwrap()["from"],
        json!(["WaterObserved", "WaterReservoir"])
    );
}
