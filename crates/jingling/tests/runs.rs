//! Runs of packs' mathematics over the city's data: a forecast made from what stations said, kept whole, reckoned again here and by
//! the command line, told when it cannot be made, and seen by who may see its station.

use crate::support::{City, jingling, jingling_json, text, until};
use serde_json::{Value as Json, json};

const RUN: &str = "water-stage-forecast";
const STEP_S: i64 = 900;

fn station(code: &str) -> String {
    format!("urn:ngsi-ld:WaterObserved:runs-{code}")
}

/// A wave that goes down the river: up to now, every quarter of an hour for four days; the lower station sees it six steps later.
fn wave(step: i64, delay: i64) -> f64 {
    let phase = |period: f64| ((step - delay) as f64 / period * std::f64::consts::TAU).sin();
    30.0 + 0.8 * phase(61.0) + 0.5 * phase(23.0) + 0.2 * phase(11.0)
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
    let last = now.div_euclid(STEP_S);
    for (n, point) in (1..).zip(forecast["points"].as_array().unwrap()).take(6) {
        let value = point["value"].as_f64().unwrap();
        let truth = wave(last + n, 6);
        assert!(
            (value - truth).abs() < 0.15,
            "lead {n}: {value} for {truth}"
        );
        assert!(point["lower"].as_f64() <= Some(value) && point["upper"].as_f64() >= Some(value));
    }

    // It is kept whole, and here and by the command line the same comes of it.
    let whole = get(format!("/api/v1/runs/{id}")).await.json();
    assert_eq!(whole["input"]["columns"][0], "at");
    assert_eq!(whole["parameters"]["leads"], 24);
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
        (&declared["engine_version"], &declared["pack"]),
        (&json!(1), &json!("pack-water"))
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
    let body = json!({"definition_id": RUN, "target_id": station("down")});
    let made = city
        .ask("POST", "/api/v1/runs", |r| {
            r.bearer_auth(&analyst).json(&body)
        })
        .await;
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
