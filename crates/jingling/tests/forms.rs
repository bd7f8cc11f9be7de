//! Fill once (一表同享) in a running city: what the platform knows is filled in with its source and cannot be written over, what a village
//! wrote is not asked of its town again, a form is handed in once and corrected with a reason, and the burden is counted.

use crate::support::{Answer, City, until};
use serde_json::{Value as Json, json};

const FORMS: &str = "/api/v1/forms";
const TOWN: &str = "429006001";
const VILLAGE: &str = "429006001001";
const CHARGING: &str = "/api/v1/forms/town-charging/429006001/2025";

async fn person(city: &City, username: &str, role: &str, of: &[&str]) -> String {
    let password = city.add_named(username, username, role, of);
    city.sign_in(username, &password).await.cookie.unwrap()
}

async fn get(city: &City, cookie: &str, path: &str) -> Json {
    let found = city.send(cookie, "GET", path, &Json::Null).await;
    assert_eq!(found.status, 200, "{path}: {}", found.body);
    found.json()
}

/// Sends something that is taken.
async fn does(city: &City, cookie: &str, method: &str, path: &str, body: &Json) -> Json {
    let answer = city.send(cookie, method, path, body).await;
    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
    answer.json()
}

/// A refusal: its status and code, and that it is told in Chinese too.
#[track_caller]
fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (status, code),
        "{}",
        answer.body
    );
    if code.starts_with("form-") {
        let zh = answer.json()["detail_zh"].as_str().map(str::len);
        assert!(zh.is_some_and(|zh| zh > 0), "{}", answer.body);
    }
}

fn field<'a>(form: &'a Json, element: &str) -> &'a Json {
    let fields = form["fields"].as_array().unwrap();
    let found = fields.iter().find(|field| field["element"] == element);
    found.unwrap_or_else(|| panic!("no {element} in {form}"))
}

async fn send_things(city: &City, things: &Json) {
    let token = city.token_of("collector");
    let with = |r: reqwest::RequestBuilder| r.bearer_auth(&token).json(things);
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let answer = city.ask("POST", path, with).await;
    assert!([201, 204].contains(&answer.status), "{}", answer.body);
}

fn point(n: u32, town: &str) -> Json {
    json!({"id": format!("urn:ngsi-ld:ChargePoint:form-{n}"), "type": "ChargePoint", "townCode": town})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_filled_in_once() {
    let city = City::start();
    let of_town = ["--organisation", "town-429006001"];
    let clerk = person(&city, "jingling.wu", "operator", &of_town).await;
    let of_other = ["--organisation", "town-429006100"];
    let other = person(&city, "duobao.li", "operator", &of_other).await;
    let asker = person(
        &city,
        "fagai.qian",
        "operator",
        &["--organisation", "fagai"],
    )
    .await;
    let office = person(&city, "guihua.li", "planner", &[]).await;
    let things = json!([
        point(1, TOWN),
        point(2, TOWN),
        point(3, "429006100"),
        {"id": "urn:ngsi-ld:EVChargingStation:form-1", "type": "EVChargingStation", "townCode": TOWN, "capacity": {"type": "Property", "value": 6, "unitCode": "C62"}},
        {"id": "urn:ngsi-ld:FloodRiskArea:form-1", "type": "FloodRiskArea", "townCode": TOWN, "villageCode": VILLAGE,
         "population": {"type": "Property", "value": 120, "unitCode": "C62"}, "households": {"type": "Property", "value": 40, "unitCode": "C62"}},
    ]);
    send_things(&city, &things).await;
    until("the things are there", async || {
        let form = get(&city, &clerk, CHARGING).await;
        field(&form, "town-charging-points")["value"] == 2.0
    })
    .await;

    // What is due of the town and its villages, and of nobody else.
    let list = get(&city, &clerk, FORMS).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 5);
    let due = list["due"].as_array().unwrap();
    assert!(due.iter().any(|one| one["form"] == "town-progress"));
    assert!(due.iter().any(|one| one["form"] == "village-networks"));
    for one in due {
        let code = one["division"]["code"].as_str().unwrap();
        assert!(code.starts_with(TOWN), "{one}");
    }
    // Who asks is an organisation of the city.
    for item in list["items"].as_array().unwrap() {
        assert_ne!(item["asked_by"]["id"], item["asked_by"]["name_zh"]);
    }

    // What is known is filled in, each value with where it comes from.
    let form = get(&city, &clerk, CHARGING).await;
    assert_eq!(form["state"], "none");
    let points = field(&form, "town-charging-points");
    assert_eq!(points["source"]["kind"], "indicator");
    assert_eq!(points["source"]["indicator"], "charging-points");
    let place = points["source"]["place"].as_str().unwrap();
    assert!(
        place.starts_with("pack-plan/indicators/t1-charging-points.sql:"),
        "{place}"
    );
    assert_eq!(field(&form, "town-charging-stations")["value"], 1.0);
    let capacity = field(&form, "town-charging-capacity");
    assert_eq!(
        (&capacity["value"], &capacity["source"]["kind"]),
        (&json!(6.0), &json!("query"))
    );
    assert_eq!(field(&form, "town-charging-energy")["value"], Json::Null);
    for filled in form["fields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["ask"] == false)
    {
        assert_eq!(filled["source"]["problem"], Json::Null, "{filled}");
    }
    assert_eq!(field(&form, "town-scooter-charging")["source"], Json::Null);

    // Every other form's sources can be read too.
    for path in [
        "/api/v1/forms/town-progress/429006001/2026-Q1",
        "/api/v1/forms/town-digital-services/429006001/2025",
        "/api/v1/forms/village-flood/429006001001/2025",
    ] {
        let form = get(&city, &clerk, path).await;
        for field in form["fields"].as_array().unwrap() {
            assert!(field["source"]["problem"].is_null(), "{path}: {field}");
        }
    }
    let flood = get(
        &city,
        &clerk,
        "/api/v1/forms/village-flood/429006001001/2025",
    )
    .await;
    assert_eq!(field(&flood, "village-flood-population")["value"], 120.0);
    // The register names no place where people go.
    assert_eq!(field(&flood, "village-shelter-ready")["value"], false);

    // What cannot be.
    let good = json!({"town-scooter-charging": 30, "town-charging-wanted": 2});
    let sent = |values: &Json, version: Json| json!({"values": values, "version": version});
    let submit = format!("{CHARGING}/submit");
    let refused = async |who: &str, path: &str, values: &Json| {
        city.send(who, "POST", path, &sent(values, Json::Null))
            .await
    };
    let over =
        json!({"town-charging-points": 9, "town-scooter-charging": 30, "town-charging-wanted": 2});
    let written_over = refused(&clerk, &submit, &over).await;
    is(&written_over, 400, "form-field");
    assert!(
        written_over.body.contains("由平台带出"),
        "{}",
        written_over.body
    );
    is(
        &refused(&clerk, &submit, &json!({"x": 1})).await,
        400,
        "form-field",
    );
    let missing = refused(&clerk, &submit, &json!({"town-scooter-charging": 30})).await;
    is(&missing, 400, "form-missing");
    assert!(missing.body.contains("缺充电设施"), "{}", missing.body);
    for bad in [json!(-1), json!(2.5), json!("30"), json!(1e9)] {
        let values = json!({"town-scooter-charging": bad, "town-charging-wanted": 2});
        is(&refused(&clerk, &submit, &values).await, 400, "form-value");
    }
    is(&refused(&other, &submit, &good).await, 403, "form-division");
    for (path, status, code) in [
        (
            "/api/v1/forms/town-charging/429006001/2099/submit",
            400,
            "report-future",
        ),
        (
            "/api/v1/forms/town-charging/429006001/2025-Q1/submit",
            400,
            "form-period",
        ),
        (
            "/api/v1/forms/town-charging/429006001/soon/submit",
            400,
            "report-period",
        ),
        (
            "/api/v1/forms/town-charging/429006999/2025/submit",
            404,
            "not-found",
        ),
        (
            "/api/v1/forms/town-nothing/429006001/2025/submit",
            404,
            "not-found",
        ),
    ] {
        is(&refused(&clerk, path, &good).await, status, code);
    }

    // A draft is for those who write it, and is not written over unseen.
    let draft = json!({"town-scooter-charging": 30});
    let saved = does(&city, &clerk, "PUT", CHARGING, &sent(&draft, Json::Null)).await;
    assert_eq!(
        (&saved["state"], &saved["version"]),
        (&json!("draft"), &json!(0))
    );
    let seen = get(&city, &other, CHARGING).await;
    assert_eq!(field(&seen, "town-scooter-charging")["value"], Json::Null);
    assert_eq!(seen["may_fill"], false);
    let again = city
        .send(&clerk, "PUT", CHARGING, &sent(&draft, Json::Null))
        .await;
    is(&again, 409, "form-changed");
    is(&refused(&clerk, &submit, &good).await, 409, "form-changed");

    // Handed in, once, with what the platform showed.
    let done = does(&city, &clerk, "POST", &submit, &sent(&good, json!(0))).await;
    assert_eq!(done["state"], "submitted");
    let twice = does(&city, &clerk, "POST", &submit, &sent(&good, json!(0))).await;
    assert_eq!(twice["history"].as_array().unwrap().len(), 1);
    let other_values = json!({"town-scooter-charging": 31, "town-charging-wanted": 2});
    is(
        &refused(&clerk, &submit, &other_values).await,
        409,
        "form-exists",
    );
    is(
        &city
            .send(&clerk, "PUT", CHARGING, &sent(&draft, json!(1)))
            .await,
        409,
        "form-exists",
    );
    let rows = async || {
        let sql = "SELECT element, value, origin FROM form_values WHERE form = 'town-charging' ORDER BY element";
        let rows = does(
            &city,
            &office,
            "POST",
            "/api/v1/sql",
            &json!({"query": sql}),
        )
        .await;
        let rows = rows["rows"].as_array().unwrap().iter();
        rows.map(|row| {
            (
                row["element"].as_str().unwrap().to_owned(),
                row["value"].as_f64().unwrap(),
                row["origin"].as_str().unwrap().to_owned(),
            )
        })
        .collect::<Vec<_>>()
    };
    let row =
        |element: &str, value: f64, origin: &str| (element.to_owned(), value, origin.to_owned());
    let of_points = |value: f64| row("town-charging-points", value, "indicator:charging-points");
    let stations = row("town-charging-stations", 1.0, "indicator:charging-stations");
    let capacity = row("town-charging-capacity", 6.0, "query");
    let wanted = row("town-charging-wanted", 2.0, "person");
    assert_eq!(
        rows().await,
        [
            capacity.clone(),
            of_points(2.0),
            stations.clone(),
            wanted.clone(),
            row("town-scooter-charging", 30.0, "person")
        ]
    );
    // What was handed in stays as it was shown, whatever comes later; a correction has a reason, and sees what is there by then.
    send_things(&city, &json!([point(4, TOWN)])).await;
    let other_town = "/api/v1/forms/town-charging/429006001/2026";
    until("the next point is there", async || {
        let form = get(&city, &clerk, other_town).await;
        field(&form, "town-charging-points")["value"] == 3.0
    })
    .await;
    let kept = get(&city, &clerk, CHARGING).await;
    assert_eq!(field(&kept, "town-charging-points")["value"], 2.0);
    let mut correction = sent(&other_values, kept["version"].clone());
    correction["reason"] = json!("漏报一处");
    let corrected = does(&city, &clerk, "POST", &submit, &correction).await;
    let history = corrected["history"].as_array().unwrap();
    assert_eq!(
        (&history[0]["state"], &history[0]["reason"]),
        (&json!("submitted"), &json!("漏报一处"))
    );
    assert_eq!(
        (
            &history[1]["state"],
            &history[1]["asked"]["town-scooter-charging"]
        ),
        (&json!("replaced"), &json!(30.0))
    );
    assert_eq!(
        rows().await,
        [
            capacity,
            of_points(3.0),
            stations,
            wanted,
            row("town-scooter-charging", 31.0, "person")
        ]
    );

    // Returned by who asks for it: then its values count no more.
    let back = format!("{CHARGING}/return");
    let why = json!({"reason": "请核实充电口数"});
    is(
        &city.send(&clerk, "POST", &back, &why).await,
        403,
        "form-asker",
    );
    is(
        &city
            .send(&asker, "POST", &back, &json!({"reason": ""}))
            .await,
        400,
        "report-empty",
    );
    let returned = does(&city, &asker, "POST", &back, &why).await;
    assert_eq!(
        (&returned["state"], &returned["returned_why"]),
        (&json!("returned"), &json!("请核实充电口数"))
    );
    assert_eq!(rows().await, []);
    is(
        &city.send(&asker, "POST", &back, &why).await,
        409,
        "form-state",
    );
    let version = returned["version"].clone();
    does(&city, &clerk, "POST", &submit, &sent(&good, version)).await;
    assert_eq!(rows().await.len(), 5);

    // Each step is in the audit trail.
    let auditor = city.signed_in("auditor").await;
    for (action, count) in [("form.save", 1), ("form.submit", 3), ("form.return", 1)] {
        let trail = get(&city, &auditor, &format!("/api/v1/audit?action={action}")).await;
        let items = trail["items"].as_array().unwrap();
        assert_eq!(items.len(), count, "{action}");
        assert_eq!(items[0]["target"], "form:town-charging/2025/429006001");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_village_wrote_is_not_asked_of_its_town_and_the_burden_is_counted() {
    let city = City::start();
    let of_town = ["--organisation", "town-429006001"];
    let clerk = person(&city, "jingling.wu", "operator", &of_town).await;
    let office = person(&city, "guihua.li", "planner", &[]).await;
    let progress = "/api/v1/forms/town-progress/429006001/2026-Q1";
    let before = get(&city, &clerk, progress).await;
    assert_eq!(field(&before, "town-villages-5g")["value"], Json::Null);
    // The newest year that is over, whenever this runs.
    let list = get(&city, &clerk, FORMS).await;
    let mut items = list["items"].as_array().unwrap().iter();
    let networks = items.find(|item| item["id"] == "village-networks").unwrap();
    let year = networks["period"].as_str().unwrap();
    let village = |code: &str, has_5g: bool| {
        let path = format!("/api/v1/forms/village-networks/{code}/{year}/submit");
        let values = json!({"village-5g-reached": has_5g, "village-gigabit": false, "village-broadband-households": 210, "village-video": true});
        (path, json!({"values": values, "version": null}))
    };
    for (code, has_5g) in [
        (VILLAGE, true),
        ("429006001002", false),
        ("429006001003", true),
    ] {
        let (path, body) = village(code, has_5g);
        does(&city, &clerk, "POST", &path, &body).await;
    }
    // The town's form knows it.
    let after = get(&city, &clerk, progress).await;
    assert_eq!(field(&after, "town-villages-5g")["value"], 2.0);
    assert_eq!(field(&after, "town-villages-gigabit")["value"], 0.0);
    let services = get(
        &city,
        &clerk,
        "/api/v1/forms/town-digital-services/429006001/2025",
    )
    .await;
    assert_eq!(
        field(&services, "town-broadband-households")["value"],
        630.0
    );
    assert_eq!(field(&services, "town-villages-video")["value"], 3.0);
    let (path, body) = village("429006100001", true);
    is(
        &city.send(&clerk, "POST", &path, &body).await,
        403,
        "form-division",
    );

    // Who handed in what.
    let returns = get(
        &city,
        &office,
        &format!("{FORMS}/village-networks/returns?period={year}"),
    )
    .await;
    let items = returns["items"].as_array().unwrap();
    assert_eq!(items.len(), 639);
    let handed_in = items.iter().filter(|one| one["state"] == "submitted");
    assert_eq!(handed_in.count(), 3);
    let bad = city
        .send(
            &office,
            "GET",
            "/api/v1/forms/village-networks/returns?period=2025-01",
            &Json::Null,
        )
        .await;
    is(&bad, 400, "form-period");

    // The burden: 14 fields four times, 6 and 8 once; of each village 4 and 5 once.
    let burden = get(&city, &office, "/api/v1/forms/burden?town=429006001").await;
    let towns = burden["towns"].as_array().unwrap();
    assert_eq!(towns.len(), 28);
    let town = towns.iter().find(|row| row["code"] == TOWN).unwrap();
    let villages = burden["villages"].as_array().unwrap();
    assert_eq!(town["villages"], villages.len());
    let n = villages.len();
    assert_eq!(town["cells_a_year"], 14 * 4 + 6 + 8 + 9 * n);
    assert_eq!(town["asked_a_year"], 3 * 4 + 2 + 3 + 6 * n);
    let share =
        1.0 - town["asked_a_year"].as_f64().unwrap() / town["cells_a_year"].as_f64().unwrap();
    assert!((town["saved"].as_f64().unwrap() - share).abs() < 1e-9);
    assert_eq!(
        (&town["fields"], &town["asked"], &town["filled"]),
        (&json!(28), &json!(8), &json!(20))
    );
    let first = villages.iter().find(|row| row["code"] == VILLAGE).unwrap();
    assert_eq!(
        (&first["fields"], &first["asked"], &first["handed_in"]),
        (&json!(9), &json!(6), &json!(1))
    );
    let cells = burden["cells_a_year"].as_u64().unwrap();
    assert_eq!(cells, 28 * (14 * 4 + 6 + 8) + 639 * 9);
    let unknown = city
        .send(&office, "GET", "/api/v1/forms/burden?town=1", &Json::Null)
        .await;
    is(&unknown, 404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_town_holds_wrong_is_a_case_of_who_answers_for_the_source() {
    let city = City::start();
    let of_town = ["--organisation", "town-429006001"];
    let clerk = person(&city, "jingling.wu", "operator", &of_town).await;
    let of_other = ["--organisation", "town-429006100"];
    let other = person(&city, "duobao.li", "operator", &of_other).await;
    let of_source = ["--organisation", "fagai"];
    let source = person(&city, "fagai.qian", "operator", &of_source).await;
    let office = person(&city, "guihua.li", "planner", &[]).await;
    send_things(&city, &json!([point(1, TOWN), point(2, TOWN)])).await;
    let counted = async |path: &str, value: f64| {
        let form = get(&city, &clerk, path).await;
        field(&form, "town-charging-points")["value"] == value
    };
    until("the points are there", async || {
        counted(CHARGING, 2.0).await
    })
    .await;

    // What cannot be disputed.
    let path = format!("{CHARGING}/disputes");
    let dispute = |element: &str, value: Json, why: &str| json!({"element": element, "value": value, "why": why});
    let good = dispute("town-charging-points", json!(3), "卫生院门口的一个没有登记");
    is(
        &city.send(&other, "POST", &path, &good).await,
        403,
        "form-division",
    );
    for (body, code) in [
        (
            dispute("town-scooter-charging", json!(3), "x"),
            "dispute-field",
        ),
        (dispute("nothing", json!(3), "x"), "dispute-field"),
        (
            dispute("town-charging-points", Json::Null, "x"),
            "dispute-value",
        ),
        (
            dispute("town-charging-points", json!(2), "x"),
            "dispute-same",
        ),
        (
            dispute("town-charging-points", json!(2.5), "x"),
            "form-value",
        ),
        (
            dispute("town-charging-points", json!(3), " "),
            "report-empty",
        ),
    ] {
        let refused = city.send(&clerk, "POST", &path, &body).await;
        is(&refused, 400, code);
        let zh = refused.json()["detail_zh"].as_str().map(str::len);
        assert!(zh.is_some_and(|zh| zh > 0), "{}", refused.body);
    }

    // The form goes on with the platform's value, marked; the case is with who answers for the indicator.
    let made = city.send(&clerk, "POST", &path, &good).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let form = made.json();
    let points = field(&form, "town-charging-points");
    assert_eq!(
        (&points["value"], &points["may_dispute"]),
        (&json!(2.0), &json!(false))
    );
    let found = &points["dispute"];
    assert_eq!(
        (&found["shown"], &found["stated"], &found["state"]),
        (&json!(2.0), &json!(3.0), &json!("dispatched"))
    );
    assert_eq!(found["organisation"]["id"], "fagai");
    assert!(!found["due_at"].is_null(), "{found}");
    is(
        &city.send(&clerk, "POST", &path, &good).await,
        409,
        "dispute-open",
    );
    // Another form with the same element shows the same dispute.
    let progress = "/api/v1/forms/town-progress/429006001/2026-Q1";
    let seen = get(&city, &clerk, progress).await;
    let seen = field(&seen, "town-charging-points");
    assert_eq!(seen["dispute"]["case_id"], found["case_id"]);
    let list = get(&city, &office, "/api/v1/forms/disputes").await;
    assert_eq!(
        (&list["open"], &list["items"][0]["division"]["code"]),
        (&json!(1), &json!(TOWN))
    );
    assert_eq!(list["items"][0]["may_settle"], true);

    // Handed in so, the value names the case.
    let answers = json!({"town-scooter-charging": 30, "town-charging-wanted": 2});
    let submit = format!("{CHARGING}/submit");
    let body = json!({"values": answers, "version": null});
    does(&city, &clerk, "POST", &submit, &body).await;
    let disputed = async || {
        let sql = "SELECT value, disputed FROM form_values WHERE element = 'town-charging-points'";
        let rows = json!({"query": sql});
        let rows = does(&city, &office, "POST", "/api/v1/sql", &rows).await;
        (
            rows["rows"][0]["value"].clone(),
            rows["rows"][0]["disputed"].clone(),
        )
    };
    assert_eq!(disputed().await, (json!(2.0), found["case_id"].clone()));

    // Who answers for the source looks into it, corrects it and says so; the town is not content at first.
    let case = format!("/api/v1/cases/{}/actions", found["case_id"]);
    let settle = format!("/api/v1/forms/disputes/{}", found["case_id"]);
    let act = async |who: &str, body: Json| city.send(who, "POST", &case, &body).await.status;
    let step = async |who: &str, step: &str, note: &str| {
        let body = json!({"step": step, "note": note});
        city.send(who, "POST", &settle, &body).await
    };
    assert_eq!(act(&other, json!({"action": "take"})).await, 403);
    assert_eq!(act(&source, json!({"action": "take"})).await, 200);
    // The source's people cannot accept their own answer, nor can the town before there is one.
    assert_eq!(step(&clerk, "accept", "").await.status, 409);
    let finish = json!({"action": "finish", "note": "漏登一个，已补登"});
    assert_eq!(act(&source, finish.clone()).await, 200);
    assert_eq!(act(&source, json!({"action": "verify"})).await, 403);
    is(&step(&other, "accept", "").await, 403, "form-division");
    is(&step(&clerk, "reject", "").await, 400, "report-empty");
    let again = step(&clerk, "reject", "还是两个").await;
    assert_eq!(again.json()["state"], "handling", "{}", again.body);
    send_things(&city, &json!([point(4, TOWN)])).await;
    assert_eq!(act(&source, finish).await, 200);
    let this_year = "/api/v1/forms/town-charging/429006001/2026";
    until("the value follows its source", async || {
        counted(this_year, 3.0).await
    })
    .await;
    let ended = step(&clerk, "accept", "").await;
    let ended = ended.json();
    assert_eq!(
        (&ended["is_open"], &ended["answer"]),
        (&json!(false), &json!("漏登一个，已补登"))
    );

    // What was handed in keeps its value and its mark; corrected, it has the source's. Both stay with the dispute.
    let kept = get(&city, &clerk, CHARGING).await;
    let points = field(&kept, "town-charging-points");
    assert_eq!(
        (&points["value"], &points["dispute"]["is_open"]),
        (&json!(2.0), &json!(false))
    );
    let correction = json!({"values": answers, "version": kept["version"], "reason": "来源已更正"});
    let corrected = does(&city, &clerk, "POST", &submit, &correction).await;
    let points = field(&corrected, "town-charging-points");
    assert_eq!(
        (
            &points["value"],
            &points["dispute"]["shown"],
            &points["dispute"]["stated"]
        ),
        (&json!(3.0), &json!(2.0), &json!(3.0))
    );
    assert_eq!(disputed().await, (json!(3.0), Json::Null));

    // One that is taken back ends its case, and another can follow.
    let stations = dispute("town-charging-stations", json!(4), "数错了");
    let made = does_201(&city, &clerk, &path, &stations).await;
    let taken = &field(&made, "town-charging-stations")["dispute"];
    assert_eq!(taken["shown"], Json::Null);
    let withdraw = format!("/api/v1/forms/disputes/{}", taken["case_id"]);
    let body = json!({"step": "withdraw", "note": "是我们数错了"});
    let ended = does(&city, &clerk, "POST", &withdraw, &body).await;
    assert_eq!(
        (&ended["state"], &ended["is_open"]),
        (&json!("cancelled"), &json!(false))
    );
    does_201(&city, &clerk, &path, &stations).await;
    is(
        &city
            .send(&clerk, "POST", "/api/v1/forms/disputes/99999", &body)
            .await,
        404,
        "not-found",
    );

    // What was written for the period before stands beside what is asked now.
    let next = get(&city, &clerk, this_year).await;
    let last = &field(&next, "town-scooter-charging")["last"];
    assert_eq!(
        (&last["period"], &last["value"]),
        (&json!("2025"), &json!(30.0))
    );

    let auditor = city.signed_in("auditor").await;
    for (action, count) in [("form.dispute", 3), ("form.dispute-step", 3)] {
        let trail = get(&city, &auditor, &format!("/api/v1/audit?action={action}")).await;
        let items = trail["items"].as_array().unwrap();
        assert_eq!(items.len(), count, "{action}");
        assert_eq!(items[0]["target"], "form:town-charging/2025/429006001");
    }
}

async fn does_201(city: &City, cookie: &str, path: &str, body: &Json) -> Json {
    let answer = city.send(cookie, "POST", path, body).await;
    assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    answer.json()
}
