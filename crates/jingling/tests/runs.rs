//! Runs of packs' mathematics over the city's data: a forecast made from what stations said, kept whole, reckoned again here and by
//! the command line, told when it cannot be made, and seen by who may see its station.

use crate::support::{Answer, City, jingling, jingling_json, text, until};
use serde_json::{Value as Json, json};

const RUN: &str = "water-stage-forecast";
const STEP_S: i64 = 900;

fn station(code: &str) -> String {
    format!("urn:ngsi-ld:WaterObserved:runs-{code}")
}

/// Starts a run of a declaration for a target.
pub async fn start(city: &City, token: &str, definition: &str, target: &str) -> Answer {
    let body = json!({"definition_id": definition, "target_id": target});
    city.ask("POST", "/api/v1/runs", |r| r.bearer_auth(token).json(&body))
        .await
}

/// The same of a run that must be done, whole.
pub async fn done(city: &City, token: &str, definition: &str, target: &str) -> Json {
    let made = start(city, token, definition, target).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let run = made.json()["runs"][0].clone();
    assert_eq!(run["outcome"], "done", "{run}");
    let path = format!("/api/v1/runs/{}", run["id"]);
    city.ask("GET", &path, |r| r.bearer_auth(token))
        .await
        .json()
}

/// A wave that goes down the river: up to now, every quarter of an hour for four days; the lower station sees it six steps later. In whole
/// millimetres, as stations send: numbers with all the digits that there are do not come out of JSON as they went in.
fn wave(step: i64, delay: i64) -> f64 {
    let phase = |period: f64| ((step - delay) as f64 / period * std::f64::consts::TAU).sin();
    let metres = 30.0 + 0.8 * phase(61.0) + 0.5 * phase(23.0) + 0.2 * phase(11.0);
    (metres * 1_000.0).round() / 1_000.0
}

/// Four days of two stations, up to a moment.
async fn readings(city: &City, until_s: i64) {
    let collector = city.token_of("collector");
    let last = until_s.div_euclid(STEP_S);
    let facts = json!([
        {"id": station("up"), "type": "WaterObserved", "name": {"type": "Property", "value": "上游站"}},
        {"id": station("down"), "type": "WaterObserved", "name": {"type": "Property", "value": "下游站"},
            "upstreamStation": {"type": "Relationship", "object": station("up")}},
    ]);
    let mut batches = vec![facts];
    for steps in (last - 384..=last).collect::<Vec<_>>().chunks(60) {
        for (code, delay) in [("up", 0), ("down", 6)] {
            let one = |step: &i64| {
                let at = jiff::Timestamp::from_second(step * STEP_S).unwrap();
                json!({"id": station(code), "type": "WaterObserved", "waterLevel":
                    {"type": "Property", "value": wave(*step, delay), "unitCode": "MTR", "observedAt": at.to_string()}})
            };
            batches.push(Json::Array(steps.iter().map(one).collect()));
        }
    }
    for batch in batches {
        let taken = city
            .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
                r.bearer_auth(&collector).json(&batch)
            })
            .await;
        assert!((200..300).contains(&taken.status), "{}", taken.body);
    }
    city.shows(&station("down"), "waterLevel", wave(last, 6))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_made_kept_told_to_the_city_and_reckoned_again_to_the_bit() {
    let city = City::start();
    let now = jiff::Timestamp::now().as_second();
    readings(&city, now).await;
    let duty = city.token_of("duty");
    let asked = |target: &str| json!({"definition_id": RUN, "target_id": target});
    let start = async |body: Json| {
        city.ask("POST", "/api/v1/runs", |r| r.bearer_auth(&duty).json(&body))
            .await
    };
    let get = async |path: String| {
        let answer = city.ask("GET", &path, |r| r.bearer_auth(&duty)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    };

    let made = start(asked(&station("down"))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let run = made.json()["runs"][0].clone();
    assert_eq!(run["outcome"], "done", "{run}");
    assert_eq!(
        (&run["target_name"], &run["rows_out"]),
        (&json!("下游站"), &json!(24))
    );
    let id = run["id"].as_i64().unwrap();

    // The forecast is an entity of the city, by which run it was made, and it knows the wave that is on its way.
    let path = format!(
        "/api/v1/entities/{}/forecasts?attribute=waterLevel&issued=5",
        station("down")
    );
    let forecast = get(path).await.json()[0].clone();
    assert_eq!(forecast["run"], format!("run-{id}"), "{forecast}");
    assert_eq!(
        (&forecast["unit"], &forecast["is_out_of_range"]),
        (&json!("MTR"), &json!(false))
    );
    // By its own time: the first lead is left out when a quarter of an hour begins meanwhile.
    for point in &forecast["points"].as_array().unwrap()[..6] {
        let value = point["value"].as_f64().unwrap();
        let at: jiff::Timestamp = point["at"].as_str().unwrap().parse().unwrap();
        let truth = wave(at.as_second().div_euclid(STEP_S), 6);
        assert!((value - truth).abs() < 0.15, "at {at}: {value} for {truth}");
        assert!(point["lower"].as_f64() <= Some(value) && point["upper"].as_f64() >= Some(value));
    }

    // It is kept whole, and here and by the command line the same comes of it.
    let whole = get(format!("/api/v1/runs/{id}")).await.json();
    assert_eq!(whole["input"]["columns"][0], "at");
    assert_eq!(whole["parameters"]["leads"], 24);
    assert_eq!(whole["forecast_unit"], "MTR");
    assert_eq!(whole["is_withheld"], false);
    let again = city
        .ask("POST", &format!("/api/v1/runs/{id}/repeat"), |r| {
            r.bearer_auth(&duty)
        })
        .await;
    assert_eq!(again.json()["is_same"], true, "{}", again.body);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    for name in ["input.csv", "parameters.json", "output.csv"] {
        let body = get(format!("/api/v1/runs/{id}/{name}")).await.body;
        std::fs::write(file(name), body).unwrap();
    }
    let (input, output, parameters) = (
        file("input.csv"),
        file("again.csv"),
        file("parameters.json"),
    );
    let words = [
        "engine",
        "run",
        "water.corresponding-stage",
        "--input",
        &input,
        "--output",
        &output,
        "--parameters",
        &parameters,
    ];
    let ran = jingling(&words);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_eq!(
        std::fs::read(&output).unwrap(),
        std::fs::read(file("output.csv")).unwrap()
    );

    // A target that there is not, a declaration that there is not.
    let unknown = start(asked(&station("nobody"))).await;
    assert_eq!(
        (unknown.status, unknown.problem().as_str()),
        (404, "not-found"),
        "{}",
        unknown.body
    );
    let unknown = start(json!({"definition_id": "nothing"})).await;
    assert_eq!(unknown.status, 404, "{}", unknown.body);

    // A station that has said too little is told as a run that failed, with why; what it read is kept.
    let collector = city.token_of("collector");
    let young = json!([{"id": station("young"), "type": "WaterObserved",
        "waterLevel": {"type": "Property", "value": 30.0, "unitCode": "MTR"}}]);
    city.ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
        r.bearer_auth(&collector).json(&young)
    })
    .await;
    city.shows(&station("young"), "waterLevel", 30.0).await;
    let failed = start(asked(&station("young"))).await.json()["runs"][0].clone();
    assert_eq!(
        (&failed["outcome"], &failed["position"]),
        (&json!("failed"), &Json::Null),
        "{failed}"
    );
    assert_ne!(failed["problems"][0]["mend"], "", "{failed}");
    let listed = get(format!(
        "/api/v1/runs?definition_id={RUN}&outcome=failed&target_id={}",
        station("young")
    ))
    .await;
    assert_eq!(listed.json()["items"][0]["id"], failed["id"]);
    let definitions = get("/api/v1/runs/definitions".to_owned()).await.json();
    let declared = definitions
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["id"] == RUN)
        .unwrap();
    assert_eq!(
        (
            &declared["engine_version"],
            &declared["pack"],
            &declared["forecast_unit"]
        ),
        (&json!(1), &json!("pack-water"), &json!("MTR"))
    );

    // Who asked is in the trail; the clock asks too, without anybody.
    let auditor = city.token_of("auditor");
    let trail = city
        .ask("GET", "/api/v1/audit?action=run.start", |r| {
            r.bearer_auth(&auditor)
        })
        .await;
    assert_eq!(
        trail.json()["items"][0]["target"],
        format!("run-definition:{RUN}"),
        "{}",
        trail.body
    );
    assert!(run["asked_by"].is_string(), "{run}");
}

const HOUR_S: i64 = 3_600;

/// What comes into the reach of the test at an hour, m³/s.
fn inflow(hour: i64) -> f64 {
    let phase = |period: f64| (hour as f64 / period * std::f64::consts::TAU).sin();
    500.0 + 150.0 * phase(67.0) + 60.0 * phase(29.0)
}

/// What comes out of it, by McCarthy's coefficients for K = 8 h, x = 0.2 and a step of an hour; for so many hours from `first` on.
fn outflows(first: i64, hours: i64) -> Vec<f64> {
    let (k, x) = (8.0, 0.2);
    let below = 2.0 * k * (1.0 - x) + 1.0;
    let (c1, c2) = ((1.0 - 2.0 * k * x) / below, (1.0 + 2.0 * k * x) / below);
    let mut all = vec![inflow(first)];
    for hour in first + 1..first + hours {
        let last = all[all.len() - 1];
        all.push(c1 * inflow(hour) + c2 * inflow(hour - 1) + (1.0 - c1 - c2) * last);
    }
    all
}

/// A reach between two stations, with two hundred hours of discharge at both ends and of the stage at the lower one.
async fn reach(city: &City, last: i64) -> i64 {
    let collector = city.token_of("collector");
    let first = last - 199;
    let number = |value: f64, unit: &str, at: &str| json!({"type": "Property", "value": value, "unitCode": unit, "observedAt": at});
    let relation = |code: &str| json!({"type": "Relationship", "object": station(code)});
    let fact =
        |value: f64, unit: &str| json!({"type": "Property", "value": value, "unitCode": unit});
    let mut batches = vec![json!([{
        "id": "urn:ngsi-ld:RiverReach:runs", "type": "RiverReach", "upstreamStation": relation("in"), "downstreamStation": relation("out"),
        "muskingumK": fact(8.0, "HUR"), "muskingumX": fact(0.2, "C62")
    }])];
    let out = outflows(first, 200);
    for part in (first..=last).collect::<Vec<_>>().chunks(50) {
        let mut batch = Vec::new();
        for hour in part {
            let at = jiff::Timestamp::from_second(hour * HOUR_S)
                .unwrap()
                .to_string();
            let flow = out[usize::try_from(hour - first).unwrap()];
            // Q = 40 (h - 22)^1.6, the other way round.
            let stage = 22.0 + (flow / 40.0).powf(1.0 / 1.6);
            batch.push(json!({"id": station("in"), "type": "WaterObserved", "flow": number(inflow(*hour), "MQS", &at)}));
            batch.push(json!({"id": station("out"), "type": "WaterObserved", "flow": number(flow, "MQS", &at),
                "waterLevel": number(stage, "MTR", &at)}));
        }
        batches.push(Json::Array(batch));
    }
    for batch in batches {
        let taken = city
            .ask("POST", "/ngsi-ld/v1/entityOperations/upsert", |r| {
                r.bearer_auth(&collector).json(&batch)
            })
            .await;
        assert!((200..300).contains(&taken.status), "{}", taken.body);
    }
    city.shows(&station("out"), "flow", out[199]).await;
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn discharge_is_foretold_by_routing_and_a_rating_curve_is_fitted() {
    let city = City::start();
    let now = jiff::Timestamp::now().as_second();
    let last = now.div_euclid(HOUR_S);
    let first = reach(&city, last).await;
    let duty = city.token_of("duty");
    let run = async |definition: &str| done(&city, &duty, definition, &station("out")).await;

    let made = run("water-flow-routing").await;
    assert_eq!(made["entity_id"], "urn:ngsi-ld:WaterFlowForecast:runs-out");
    assert_eq!(
        (&made["forecast_unit"], &made["parameters"]["k_h"]),
        (&json!("MQS"), &json!(8.0))
    );
    let path = format!(
        "/api/v1/entities/{}/forecasts?attribute=flow&issued=5",
        station("out")
    );
    let told = city.ask("GET", &path, |r| r.bearer_auth(&duty)).await;
    let forecast = told.json()[0].clone();
    assert_eq!(
        (&forecast["unit"], &forecast["method"]),
        (&json!("MQS"), &json!("routed-flow")),
        "{}",
        told.body
    );
    let truth = outflows(first, 260);
    let hour = |at: &Json| {
        let at: jiff::Timestamp = at.as_str().unwrap().parse().unwrap();
        at.as_second() / HOUR_S
    };
    let of = |hour: i64| truth[usize::try_from(hour - first).unwrap()];
    let points = forecast["points"].as_array().unwrap();
    let begin = hour(&points[0]["at"]) - 1;
    assert!((last - begin) <= 1, "{begin} for {last}");
    for point in &points[..4] {
        let at = hour(&point["at"]);
        let value = point["value"].as_f64().unwrap();
        let error = (value - of(at)).abs();
        // Beside what little moves at a crest, it knows the wave better than that nothing changes.
        let stays = (of(begin) - of(at)).abs();
        assert!(error < 0.6 * stays + 8.0, "{point}: {error} beside {stays}");
        assert!(point["lower"].as_f64() <= Some(value) && point["upper"].as_f64() >= Some(value));
    }

    // A curve is no forecast: it is kept, and nothing is told to the city.
    let fitted = run("water-rating-fit").await;
    assert_eq!(
        (&fitted["entity_id"], &fitted["forecast_unit"]),
        (&Json::Null, &Json::Null)
    );
    let curve = &fitted["report"]["parameters"];
    for (name, value) in [("a", 40.0), ("b", 1.6), ("zero_m", 22.0)] {
        let found = curve[name].as_f64().unwrap();
        assert!((found / value - 1.0).abs() < 0.01, "{name}: {curve}");
    }

    // A person of the department adopts it: the curve becomes an entity that names the station and the run.
    let person = async |name: &str, organisation: &str| {
        let password = city.add_named(name, name, "operator", &["--organisation", organisation]);
        city.sign_in(name, &password).await.cookie.unwrap()
    };
    let (hydrologist, stranger) = (
        person("shuili.zhao", "shuili").await,
        person("chengguan.sun", "chengguan").await,
    );
    let adoption = async |run: &Json, cookie: &str| {
        let path = format!("/api/v1/runs/{}/adoption", run["id"]);
        city.send(cookie, "GET", &path, &Json::Null).await
    };
    let adopt = async |run: &Json, cookie: &str, seen: &Json| {
        let path = format!("/api/v1/runs/{}/adopt", run["id"]);
        city.send(cookie, "POST", &path, &json!({"seen": seen}))
            .await
    };
    let none = adoption(&made, &hydrologist).await;
    assert_eq!(
        (none.status, none.problem().as_str()),
        (409, "run-adopt-nothing")
    );
    let shown = adoption(&fitted, &hydrologist).await.json();
    let curve_id = "urn:ngsi-ld:RatingCurve:runs-out";
    assert_eq!(
        (&shown["entity_id"], &shown["is_new"], &shown["is_allowed"]),
        (&json!(curve_id), &json!(true), &json!(true)),
        "{shown}"
    );
    let seen = &shown["seen"];
    let refused = adopt(&fitted, &stranger, seen).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let late = adopt(&fitted, &hydrologist, &json!(999_999)).await;
    assert_eq!(
        (late.status, late.problem().as_str()),
        (409, "run-adopt-changed")
    );
    let adopted = adopt(&fitted, &hydrologist, seen).await;
    assert_eq!(
        (adopted.status, &adopted.json()["refused"]),
        (200, &json!([])),
        "{}",
        adopted.body
    );
    let b = curve["b"].as_f64().unwrap();
    city.shows(curve_id, "exponent", b).await;
    let entity = city.get(&format!("/api/v1/entities/{curve_id}")).await;
    let of = |name: &str| entity["attributes"][name]["value"].clone();
    assert_eq!(
        (of("refStation"), of("fittedByRun")),
        (
            json!(station("out")),
            json!(format!("run-{}", fitted["id"]))
        ),
        "{entity}"
    );
    // Another curve's values would be seen first: what was shown is old now.
    let again = adopt(&fitted, &hydrologist, seen).await;
    assert_eq!(again.problem(), "run-adopt-changed");
    let shown = adoption(&fitted, &hydrologist).await.json();
    let exponent = shown["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["attribute"] == "exponent");
    let exponent = exponent.unwrap();
    assert_eq!((&exponent["old"], &exponent["new"]), (&json!(b), &json!(b)));

    // K and x of the reach come out of its own discharge, and take the place of those that were entered.
    let reach_id = "urn:ngsi-ld:RiverReach:runs";
    let fitted = done(&city, &duty, "water-reach-fit", reach_id).await;
    let k = fitted["report"]["parameters"]["k_h"].as_f64().unwrap();
    let x = fitted["report"]["parameters"]["x"].as_f64().unwrap();
    assert!(
        (k - 8.0).abs() < 0.2 && (x - 0.2).abs() < 0.05,
        "{}",
        fitted["report"]
    );
    let shown = adoption(&fitted, &hydrologist).await.json();
    let adopted = adopt(&fitted, &hydrologist, &shown["seen"]).await;
    assert_eq!(adopted.status, 200, "{}", adopted.body);
    city.shows(reach_id, "muskingumK", k).await;
    let trail = city.get("/api/v1/audit?action=run.adopt").await;
    let acts = trail["items"].as_array().unwrap();
    assert!(
        acts.iter()
            .any(|act| act["target"] == format!("run:{}", fitted["id"])),
        "{trail}"
    );
}

/// What a run reads may be anything: who sees a part of the city sees the outcome for what they see, and no input.
#[tokio::test(flavor = "multi_thread")]
async fn who_sees_a_part_of_the_city_sees_no_input_of_a_run() {
    let policy = r#"@id("lamps") @zh("分析员不看路灯") @en("No lamps for analysts")
forbid (principal in Role::"analyst", action == Action::"entity.read", resource is Datum)
when { resource.type == "Streetlight" };"#;
    let (folder, dir) = crate::support::new_city();
    let file = folder.path().join("runs.cedar").display().to_string();
    std::fs::write(&file, policy).unwrap();
    let set = jingling(&["policy", "set", &dir, &file, "--reason", "试验"]);
    assert!(set.status.success(), "{}", text(&set.stderr));
    let city = City::start_in(folder, dir, &[]);
    readings(&city, jiff::Timestamp::now().as_second()).await;
    let analyst = city.token_of("analyst");
    let made = start(&city, &analyst, RUN, &station("down")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.json()["runs"][0]["id"].as_i64().unwrap();
    let ask = async |path: &str| {
        let path = format!("/api/v1/runs/{id}{path}");
        city.ask("GET", &path, |r| r.bearer_auth(&analyst)).await
    };
    let whole = ask("").await.json();
    assert_eq!(
        (&whole["input"], &whole["is_withheld"]),
        (&Json::Null, &json!(true)),
        "{whole}"
    );
    assert_eq!(whole["output"]["columns"][0], "at");
    assert_eq!(ask("/input.csv").await.status, 403);
    assert_eq!(ask("/output.csv").await.status, 200);
}

/// Every engine that a carried pack's run names is there, and the check of a pack tells one that is not.
#[test]
fn a_run_of_an_engine_that_there_is_not_is_told_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display().to_string();
    assert!(
        jingling(&["pack", "new", "drains", "--dir", &dir])
            .status
            .success()
    );
    let pack = format!("{dir}/pack-drains");
    assert_eq!(
        jingling_json(&["pack", "check", &pack, "--json"]),
        json!([])
    );
    std::fs::create_dir_all(format!("{pack}/runs")).unwrap();
    let run = "id = \"levels\"\nversion = 1\ntitle_zh = \"水位\"\ntitle_en = \"Levels\"\nengine = \"water.magic\"\nevery_minutes = 60\n\
        window_hours = 24\n[input]\nsql = \"SELECT 1\"\n";
    std::fs::write(format!("{pack}/runs/levels.toml"), run).unwrap();
    let checked = jingling(&["pack", "check", &pack]);
    let told = text(&checked.stderr);
    assert!(
        !checked.status.success()
            && told.contains("there is no engine water.magic")
            && told.contains("runs/levels.toml"),
        "{told}"
    );
}

/// The clock makes what is due, once for each moment, whether the program was started again meanwhile or not.
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_makes_a_run_once_for_its_moment() {
    let (folder, dir) = crate::support::new_city();
    let packs = format!("{dir}/packs");
    std::fs::create_dir_all(&packs).unwrap();
    let made = jingling(&["pack", "new", "drains", "--dir", &packs]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let runs = format!("{packs}/pack-drains/runs");
    std::fs::create_dir_all(&runs).unwrap();
    // Due once a year: this test does not meet the next moment.
    let run = "id = \"judged\"\nversion = 1\ntitle_zh = \"对照路径\"\ntitle_en = \"Against the path\"\nengine = \"plan-status\"\n\
        every_minutes = 525600\nwindow_hours = 24\n[input]\n\
        sql = \"SELECT 'charging-stations' AS indicator, '2026-01-01' AS day, '5' AS value\"\n";
    std::fs::write(format!("{runs}/judged.toml"), run).unwrap();
    let listed = async |city: &City| {
        let duty = city.token_of("duty");
        let path = "/api/v1/runs?definition_id=judged";
        let answer = city.ask("GET", path, |r| r.bearer_auth(&duty)).await;
        answer.json()["items"].as_array().unwrap().clone()
    };
    let start = || City::start_in(tempfile::tempdir().unwrap(), dir.clone(), &[]);
    let city = start();
    until("the clock made the run", async || {
        let runs = listed(&city).await;
        runs.first().is_some_and(|run| run["outcome"] != "running")
    })
    .await;
    let first = listed(&city).await;
    assert_eq!(
        (&first[0]["outcome"], &first[0]["asked_by"]),
        (&json!("done"), &Json::Null),
        "{first:?}"
    );
    drop(city);

    let city = start();
    // A run that a person asks for stands behind whatever the clock did at the start.
    let duty = city.token_of("duty");
    let body = json!({"definition_id": "judged"});
    let asked = city
        .ask("POST", "/api/v1/runs", |r| r.bearer_auth(&duty).json(&body))
        .await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let both = listed(&city).await;
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(both[1]["id"], first[0]["id"]);
    assert_eq!(both[0]["output_digest"], first[0]["output_digest"]);
    drop(folder);
}
