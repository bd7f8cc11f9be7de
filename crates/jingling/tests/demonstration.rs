//! The demonstration as whoever makes one sees it: charge points come in over OCPP and their charges are billed, transformers, buildings
//! and backup power have history, and a resident orders a charge by phone.

use crate::support::{City, PATIENCE, jingling, jingling_json, text};
use serde_json::{Value as Json, json};
use std::cell::Cell;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Charge points that are live, `cities/tianmen/demo/demo.toml`.
const POINTS: usize = 48;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(200);

/// A city as `jingling demo` makes it.
fn made() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("city").display().to_string();
    let made = jingling(&["init", &dir, "--city", "tianmen", "--demo"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    (folder, dir)
}

/// `jingling sim` beside the city; it ends with the test.
struct Sim(Option<Child>);

impl Sim {
    fn start(dir: &str) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_jingling"))
            .args(["sim", dir])
            .stdout(Stdio::piped())
            .spawn();
        Self(Some(program.unwrap()))
    }

    /// Ctrl-C; what it reports.
    fn stop(mut self) -> Json {
        let program = self.0.take().unwrap();
        let pid = program.id().to_string();
        let told = Command::new("kill").args(["-INT", &pid]).status();
        assert!(told.unwrap().success());
        let output = program.wait_with_output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if let Some(program) = &mut self.0 {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

/// Asks until it is as wanted; what was answered last.
async fn until<T>(what: &str, ask: impl AsyncFn() -> Result<T, String>) -> T {
    let end = Instant::now() + 2 * PATIENCE;
    loop {
        match ask().await {
            Ok(found) => return found,
            Err(last) => assert!(Instant::now() < end, "in vain: {what}: {last}"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn items(city: &City, path: &str) -> Vec<Json> {
    city.get(path).await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn charging_and_energy_of_the_demonstration_are_alive() {
    let (folder, dir) = made();
    let city = City::start_in(folder, dir, &["charging.look_seconds=1"]);
    let sim = Sim::start(&city.dir);
    let stations = until("all stations are connected", async || {
        let all = items(&city, "/api/v1/charging/stations").await;
        if all.len() == POINTS {
            Ok(all)
        } else {
            Err(format!("{} of {POINTS}", all.len()))
        }
    })
    .await;
    let of_16 = stations.iter().filter(|s| s["version"] == "1.6").count();
    assert_eq!(of_16, POINTS / 2, "{stations:?}");
    // A week of them, each billed once, with whose income it is.
    let billed = until("the past is billed", async || {
        let billed = items(&city, "/api/v1/charging/sessions?state=billed&limit=500").await;
        if billed.len() >= 300 {
            Ok(billed)
        } else {
            Err(format!("{} billed", billed.len()))
        }
    })
    .await;
    for session in &billed {
        assert_ne!(session["operator"], "city", "{session}");
        assert!(
            session["total_fen"].is_i64() && session["card"].is_string(),
            "{session}"
        );
    }
    let wh: i64 = billed
        .iter()
        .map(|session| session["energy_wh"].as_i64().unwrap())
        .sum();
    assert!(wh > 1_000_000, "{wh} Wh");
    let doubtful = items(&city, "/api/v1/charging/sessions?state=doubtful&limit=10").await;
    assert_eq!(doubtful, Vec::<Json>::new());
    let charging = until("something charges", async || {
        let open = items(&city, "/api/v1/charging/sessions?state=charging&limit=50").await;
        if open.len() >= 5 {
            Ok(open)
        } else {
            Err(format!("{} open", open.len()))
        }
    })
    .await;
    assert!(
        charging.iter().all(|s| s["ended_at"].is_null()),
        "{charging:?}"
    );

    // A resident charges by phone; a point may be taken by another vehicle meanwhile, as anywhere.
    let cookie = city.signed_in("resident").await;
    let asked = Cell::new(0);
    until("a charge by phone", async || {
        let ask = async |method, path: &str, body: &Json| {
            let answer = city.send(&cookie, method, path, body).await;
            (answer.status, answer.json())
        };
        let (_, places) = ask("GET", "/api/v1/charging/places", &Json::Null).await;
        let places = places["items"].as_array().unwrap();
        let points = places
            .iter()
            .flat_map(|it| it["points"].as_array().unwrap());
        let mut free = points.filter(|point| point["may_start"] == true);
        let free = free.nth(asked.get()).ok_or("nothing is free")?;
        asked.set(asked.get() + 1);
        let key = format!("demonstration-{}", asked.get());
        let order = json!({"key": key, "station": free["station"], "outlet": free["outlet"]});
        let (status, ordered) = ask("POST", "/api/v1/charging/mine", &order).await;
        if status != 201 {
            return Err(ordered.to_string());
        }
        let path = format!("/api/v1/charging/mine/{}", ordered["id"].as_str().unwrap());
        loop {
            let (_, mine) = ask("GET", &path, &Json::Null).await;
            match mine["order"]["state"].as_str() {
                Some("holding" | "starting") => tokio::time::sleep(LOOK).await,
                Some("charging") => return Ok(()),
                _ => return Err(mine.to_string()),
            }
        }
    })
    .await;

    let report = sim.stop();
    assert_eq!(report["station_errors"], 0, "{report}");
    assert_eq!(report["station_acts_lost"], 0, "{report}");
    assert_eq!(report["http_failures"], 0, "{report}");
    assert_eq!(report["links"], POINTS, "{report}");

    // What charged when the simulator ended has ended too.
    until("nothing charges", async || {
        let open = items(&city, "/api/v1/charging/sessions?state=charging&limit=50").await;
        if open.is_empty() {
            Ok(())
        } else {
            Err(format!("{open:?}"))
        }
    })
    .await;
    let today = city.get("/api/v1/charging/supervision").await;
    let all = &today["overall"];
    assert!(all["points"].as_i64().unwrap() > POINTS as i64, "{all}");
    assert!(
        all["charging_seconds"].as_i64().unwrap() > 0 && all["sessions"].as_i64().unwrap() > 0,
        "{all}"
    );
    let operators = today["operators"].as_array().unwrap();
    assert!(operators.len() >= 3, "{operators:?}");

    let sql = |sql: &str| jingling_json(&["query", &city.dir, sql, "--json"]);
    let months =
        sql("SELECT building_id, month, energy FROM building_energy_month WHERE energy > 0");
    assert!(months.as_array().unwrap().len() >= 6, "{months}");
    let tests = sql("SELECT backup_id, counts FROM backup_power_tests");
    assert_eq!(tests.as_array().unwrap().len(), 3, "{tests}");
    assert!(
        tests
            .as_array()
            .unwrap()
            .iter()
            .all(|t| t["counts"] == true),
        "{tests}"
    );
    let load = sql(
        "SELECT entity_id, count(*) AS n FROM observations WHERE entity_type = 'Transformer' AND attribute = 'totalActivePower' GROUP BY 1",
    );
    assert_eq!(load.as_array().unwrap().len(), 2, "{load}");
}
