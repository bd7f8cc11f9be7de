//! A basin by the clock: what the model makes of known rain comes in as gauges and discharge, is foretold with and without rain to come,
//! is calibrated, and what was calibrated is adopted by the department and by nobody else.

use crate::runs;
use crate::support::{City, jingling, text};
use serde_json::{Value as Json, json};

const HOUR_S: i64 = 3_600;
/// Hours with readings, the last of them now, and hours to come.
const PAST: usize = 1_100;
const AHEAD: usize = 24;
const BASIN: &str = "urn:ngsi-ld:RiverBasin:basins";

fn station(code: &str) -> String {
    format!("urn:ngsi-ld:WaterObserved:basins-{code}")
}

/// Nine wet hours every 97, and more of them a few hours from now, in tenths of a millimetre.
fn rain(n: usize) -> f64 {
    match (n % 97, n) {
        (wet @ 0..9, _) => ((wet * 37 + n / 97 * 11) % 120) as f64 / 10.0,
        (_, n) if (PAST + 2..PAST + 6).contains(&n) => 8.0,
        _ => 0.0,
    }
}

fn truth() -> Json {
    json!({"area_km2": 428.0, "step_h": 1, "k": 0.8, "b": 0.35, "sm": 22.0, "ki": 0.25, "kg": 0.35, "ci": 0.6, "cs": 0.35, "lag_h": 4.0})
}

/// What the model makes of all the rain, as the command line reckons it: m³/s.
fn discharge() -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (input, output, parameters) = (file("rain.csv"), file("q.csv"), file("truth.json"));
    let rows: Vec<String> = (0..PAST + AHEAD)
        .map(|n| format!("{},0.1", rain(n)))
        .collect();
    let table = format!("rain_mm,evaporation_mm\n{}\n", rows.join("\n"));
    std::fs::write(&input, table).unwrap();
    std::fs::write(&parameters, truth().to_string()).unwrap();
    let words = ["engine", "run", "water.xinanjiang", "--input", &input];
    let ran = jingling(
        &[
            &words[..],
            &["--output", &output, "--parameters", &parameters],
        ]
        .concat(),
    );
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let table = std::fs::read_to_string(&output).unwrap();
    let mut lines = table.lines();
    let mut columns = lines.next().unwrap().split(',');
    let at = columns.position(|name| name == "model_m3s").unwrap();
    let cell = |line: &str| line.split(',').nth(at).unwrap().parse().unwrap();
    lines.map(cell).collect()
}

fn time(hour: i64) -> String {
    jiff::Timestamp::from_second(hour * HOUR_S)
        .unwrap()
        .to_string()
}

async fn send(city: &City, batch: &Json) {
    let collector = city.token_of("collector");
    let path = "/ngsi-ld/v1/entityOperations/upsert";
    let taken = city
        .ask("POST", path, |r| r.bearer_auth(&collector).json(batch))
        .await;
    assert!((200..300).contains(&taken.status), "{}", taken.body);
}

/// The basin, with two gauges of which one is silent now and then, and the discharge at its outlet, up to `last`.
async fn basin(city: &City, flow: &[f64], last: i64) {
    let fact =
        |value: Json, unit: &str| json!({"type": "Property", "value": value, "unitCode": unit});
    let said = |value: &str| json!({"type": "Property", "value": value});
    let fixed = [
        "b", "im", "wum", "wlm", "wdm", "c", "ex", "ki", "kg", "ci", "cg",
    ];
    let values = [
        0.35, 0.01, 20.0, 70.0, 40.0, 0.16, 1.2, 0.25, 0.35, 0.6, 0.98,
    ];
    let bounds: serde_json::Map<String, Json> = fixed
        .iter()
        .zip(values)
        .map(|(name, value)| ((*name).to_owned(), json!([value, value])))
        .collect();
    let settings =
        json!({"evaluations_max": 400, "complexes": 2, "folds": 0, "leads": 6, "bounds": bounds});
    let gauges = format!("{} 0.6, {} 0.4", station("west"), station("east"));
    send(city, &json!([{
        "id": BASIN, "type": "RiverBasin", "name": said("试验流域"), "rainGauges": said(&gauges), "monthlyEvaporation": said("2.4"),
        "area": fact(json!(428), "KMK"), "modelStep": fact(json!(1), "HUR"),
        "outletStation": {"type": "Relationship", "object": station("outlet")},
        "calibrationSettings": {"type": "JsonProperty", "json": settings}
    }]))
    .await;
    for hours in (0..PAST).collect::<Vec<_>>().chunks(100) {
        let mut batch = Vec::new();
        for n in hours {
            let at = time(last - (PAST - 1 - n) as i64);
            let mut say = |code: &str, attribute: &str, value: f64, unit: &str| {
                let value =
                    json!({"type": "Property", "value": value, "unitCode": unit, "observedAt": at});
                batch.push(json!({"id": station(code), "type": "WaterObserved", attribute: value}));
            };
            say("outlet", "flow", flow[*n], "MQS");
            say("west", "precipitation1h", rain(*n), "MMT");
            if n % 50 != 3 {
                say("east", "precipitation1h", rain(*n), "MMT");
            }
        }
        send(city, &Json::Array(batch)).await;
    }
    city.shows(&station("outlet"), "flow", flow[PAST - 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basin_is_calibrated_adopted_by_its_department_and_foretold_by_the_clock() {
    let city = City::start();
    let last = jiff::Timestamp::now().as_second().div_euclid(HOUR_S);
    let flow = discharge();
    basin(&city, &flow, last).await;
    let duty = city.token_of("duty");
    let run =
        async |definition: &str, target: &str| runs::done(&city, &duty, definition, target).await;
    let outlet = station("outlet");

    // A basin without parameters is no target yet.
    let unknown = runs::start(&city, &duty, "water-runoff-forecast", &outlet).await;
    assert_eq!(unknown.status, 404, "{}", unknown.body);
    let calibrated = run("water-runoff-calibrate", BASIN).await;
    let rows = calibrated["rows_in"].as_u64().unwrap() as usize;
    assert!((PAST - 1..=PAST + 1).contains(&rows), "{rows}");
    let nse = &calibrated["report"]["validation"]["nse"];
    assert!(nse.as_f64() > Some(0.99), "{}", calibrated["report"]);
    assert_eq!(
        (&calibrated["entity_id"], &calibrated["is_adoptable"]),
        (&Json::Null, &json!(true))
    );

    // Old beside new; adopted by the department alone.
    let person = async |name: &str, organisation: &str| {
        let password = city.add_named(name, name, "operator", &["--organisation", organisation]);
        city.sign_in(name, &password).await.cookie.unwrap()
    };
    let hydrologist = person("shuili.zhao", "shuili").await;
    let stranger = person("chengguan.sun", "chengguan").await;
    let path = |what: &str| format!("/api/v1/runs/{}/{what}", calibrated["id"]);
    let shown = city
        .send(&hydrologist, "GET", &path("adoption"), &Json::Null)
        .await
        .json();
    let attributes = shown["attributes"].as_array().unwrap();
    let model = attributes
        .iter()
        .find(|a| a["attribute"] == "modelParameters")
        .unwrap();
    assert_eq!(
        (&model["old"], &model["new"]["area_km2"]),
        (&Json::Null, &json!(428.0)),
        "{shown}"
    );
    let body = json!({"seen": shown["seen"]});
    let refused = city.send(&stranger, "POST", &path("adopt"), &body).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let analyst = city.token_of("analyst");
    let refused = city
        .ask("POST", &path("adopt"), |r| {
            r.bearer_auth(&analyst).json(&body)
        })
        .await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let adopted = city.send(&hydrologist, "POST", &path("adopt"), &body).await;
    assert_eq!(
        (adopted.status, &adopted.json()["refused"]),
        (200, &json!([])),
        "{}",
        adopted.body
    );
    let kept = city.get(&format!("/api/v1/entities/{BASIN}")).await;
    assert_eq!(
        kept["attributes"]["calibratedByRun"]["value"],
        json!(format!("run-{}", calibrated["id"])),
        "{kept}"
    );

    // Without rain to come it supposes none, and says so.
    let dry = run("water-runoff-forecast", &outlet).await;
    assert_eq!(
        dry["entity_id"],
        "urn:ngsi-ld:WaterFlowForecast:basins-outlet"
    );
    assert!(
        dry["report"]["doubts"].to_string().contains("none falls"),
        "{}",
        dry["report"]
    );

    // With it, the forecast is what the model made of the rain, and the city has it with its interval.
    let points: Vec<Json> = (0..AHEAD)
        .map(|n| json!({"at": time(last + 1 + n as i64), "value": rain(PAST + n)}))
        .collect();
    let series = json!({"method": "nwp", "version": "1", "unit": "MMT", "points": points});
    send(&city, &json!([{
        "id": "urn:ngsi-ld:RainForecast:basins", "type": "RainForecast", "refBasin": {"type": "Relationship", "object": BASIN},
        "precipitationSeries": {"type": "JsonProperty", "observedAt": time(last), "json": series}
    }]))
    .await;
    let wet = run("water-runoff-forecast", &outlet).await;
    assert!(
        !wet["report"]["doubts"].to_string().contains("none falls"),
        "{}",
        wet["report"]
    );
    let path = format!("/api/v1/entities/{outlet}/forecasts?attribute=flow&issued=5");
    let told = city.ask("GET", &path, |r| r.bearer_auth(&duty)).await;
    let forecast = told.json()[0].clone();
    assert_eq!(
        (&forecast["run"], &forecast["certainty"], &forecast["unit"]),
        (
            &json!(format!("run-{}", wet["id"])),
            &json!(0.9),
            &json!("MQS")
        ),
        "{forecast}"
    );
    let points = forecast["points"].as_array().unwrap();
    assert!(points.len() >= AHEAD - 1, "{forecast}");
    let mut peak: f64 = 0.0;
    for point in points {
        let at: jiff::Timestamp = point["at"].as_str().unwrap().parse().unwrap();
        let ahead = at.as_second().div_euclid(HOUR_S) - last;
        let Some(truth) = flow.get(PAST - 1 + ahead as usize) else {
            continue;
        };
        let value = point["value"].as_f64().unwrap();
        assert!((value / truth - 1.0).abs() < 0.1, "{point}: {truth}");
        peak = peak.max(value);
    }
    assert!(points[0]["lower"].as_f64() <= points[0]["value"].as_f64());
    let dry_peak = dry["report"]["peak"]["forecast"].as_f64().unwrap();
    assert!(
        peak > 1.2 * dry_peak,
        "{peak} with rain, {dry_peak} without"
    );
}
