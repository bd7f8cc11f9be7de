//! Every indicator's two queries run on the real SQL engine, over a city of a few things whose figures
//! can be counted by hand; and over an empty city, where nothing may be made up.

use futures::future::BoxFuture;
use indicators::proof::Lead;
use indicators::{Definition, Method, Towns};
use lake::{ColumnKind, Lake, Limits, Options, RecordTable, RecordTables};
use model::Problem;
use pack::{Packs, embedded};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const AT: &str = "2026-11-23T08:00:00Z";

/// Lends rows under the names and columns that the platform has.
struct City(BTreeMap<&'static str, Vec<Vec<Value>>>);

fn columns(name: &str) -> Vec<(String, ColumnKind)> {
    use ColumnKind::{Boolean, Integer, Number, Text, Time};
    let columns: &[(&str, ColumnKind)] = match name {
        "entities_now" => &[
            ("entity_id", Text),
            ("entity_type", Text),
            ("attribute", Text),
            ("value_number", Number),
            ("value_text", Text),
            ("value_json", Text),
            ("unit", Text),
            ("quality", Text),
            ("observed_at", Time),
            ("device_id", Text),
            ("journal_position", Integer),
        ],
        "devices" => &[
            ("id", Text),
            ("client_id", Text),
            ("type", Text),
            ("name", Text),
            ("online", Boolean),
            ("last_seen_at", Time),
            ("messages", Integer),
            ("rejected", Integer),
        ],
        _ => &[
            ("id", Integer),
            ("indicator_id", Text),
            ("value", Number),
            ("period", Text),
            ("evidence", Text),
            ("note", Text),
            ("reported_by", Text),
            ("at", Time),
            ("as_of", Text),
            ("filing_id", Integer),
        ],
    };
    columns.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect()
}

impl RecordTables for City {
    fn tables(&self) -> Vec<RecordTable> {
        ["entities_now", "devices", "indicator_reports"]
            .map(|name| RecordTable {
                name: name.into(),
                description: String::new(),
                columns: columns(name),
            })
            .into()
    }
    fn rows(&self, name: &str) -> BoxFuture<'_, Result<Vec<Vec<Value>>, Problem>> {
        let rows = self.0.get(name).cloned().unwrap_or_default();
        Box::pin(async { Ok(rows) })
    }
}

fn city() -> City {
    let mut now = Vec::new();
    let mut put = |kind: &str, id: &str, attribute: &str, value: Value, quality: &str| {
        let (number, text) = match &value {
            Value::Bool(b) => (json!(f64::from(u8::from(*b))), json!(b.to_string())),
            Value::Number(_) => (value.clone(), Value::Null),
            _ => (Value::Null, value.clone()),
        };
        let position = now.len();
        now.push(vec![
            json!(format!("urn:ngsi-ld:{kind}:{id}")),
            json!(kind),
            json!(attribute),
            number,
            text,
            Value::Null,
            Value::Null,
            json!(quality),
            json!(AT),
            Value::Null,
            json!(position),
        ]);
    };
    for (id, generation, up) in [
        ("a", "5G", true),
        ("b", "5G", true),
        ("c", "5G", false),
        ("d", "4G", true),
    ] {
        put(
            "TelecomBaseStation",
            id,
            "generation",
            json!(generation),
            "good",
        );
        put(
            "TelecomBaseStation",
            id,
            "inService",
            json!(up),
            "simulated",
        );
        put("TelecomBaseStation", id, "name", json!(id), "good");
    }
    // Two towns, and of the second station in service nobody knows the town.
    for (id, town) in [("a", "429006001"), ("c", "429006001"), ("d", "429006002")] {
        put("TelecomBaseStation", id, "townCode", json!(town), "good");
    }
    for (id, town) in [("1", "429006001"), ("2", "429006002"), ("3", "429006002")] {
        put("ServerRack", id, "townCode", json!(town), "good");
    }
    for id in ["1", "2"] {
        put("ChargePoint", id, "townCode", json!("429006100"), "good");
    }
    for (id, used) in [("1", true), ("2", true), ("3", false)] {
        put("ServerRack", id, "inUse", json!(used), "good");
    }
    put("ServerRack", "1", "serverCount", json!(12.0), "good");
    put(
        "ServerRack",
        "2",
        "serverCount",
        json!(900.0),
        "out_of_range",
    );
    for id in ["1", "2"] {
        put("ChargePoint", id, "status", json!("Available"), "good");
    }
    put("EVChargingStation", "1", "capacity", json!(2.0), "good");
    for (id, it, total) in [("1", 100.0, 130.0), ("2", 300.0, 450.0)] {
        put("DataCentre", id, "itPower", json!(it), "good");
        put("DataCentre", id, "totalPower", json!(total), "good");
    }
    put("EdgeNode", "1", "inService", json!(true), "good");
    water(&mut now);
    let devices = [true, true, true, false]
        .iter()
        .enumerate()
        .map(|(n, online)| {
            vec![
                json!(format!("urn:d:{n}")),
                json!(n.to_string()),
                json!("Device"),
                Value::Null,
                json!(online),
                json!(AT),
                json!(1),
                json!(0),
            ]
        })
        .collect();
    let report = |id: i64, value: f64, at: &str, as_of: &str| {
        vec![
            json!(id),
            json!("internet-hospitals"),
            json!(value),
            json!("2025"),
            json!("文件"),
            Value::Null,
            json!("plan"),
            json!(at),
            json!(as_of),
            json!(100 + id),
        ]
    };
    let reports = vec![
        // The figure is that of the newest period, whenever it was reported: what 2024 was put right to later is none of 2025.
        report(2, 2.0, "2026-02-01T00:00:00Z", "2025-12-31"),
        report(1, 1.0, "2025-02-01T00:00:00Z", "2024-12-31"),
        report(3, 1.5, "2026-03-01T00:00:00Z", "2024-12-31"),
    ];
    City(BTreeMap::from([
        ("entities_now", now),
        ("devices", devices),
        ("indicator_reports", reports),
    ]))
}

/// Stations, reaches and reservoirs, with readings of so many hours ago. Heard within the day: the stations `fresh` and `doubted` (whose reading is not credible, so
/// that it reports and watches nothing) and the reservoir `level`; `gone` has not been heard for more than 30 days, and `named` never.
fn water(now: &mut Vec<Vec<Value>>) {
    let mut put = |id: &str, attribute: &str, value: Value, quality: &str, hours: i64| {
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
        let position = now.len();
        now.push(vec![
            json!(format!("urn:ngsi-ld:{id}")),
            json!(id.split(':').next()),
            json!(attribute),
            value.as_f64().map_or(Value::Null, |n| json!(n)),
            value.as_str().map_or(Value::Null, |text| json!(text)),
            Value::Null,
            Value::Null,
            json!(quality),
            json!(at.to_string()),
            Value::Null,
            json!(position),
        ]);
    };
    let station = |id: &str| json!(format!("urn:ngsi-ld:{id}"));
    put("WaterObserved:fresh", "waterLevel", json!(27.5), "good", 1);
    put("WaterObserved:fresh", "name", json!("fresh"), "good", 9_000);
    put("WaterObserved:late", "waterLevel", json!(27.5), "good", 48);
    put(
        "WaterObserved:doubted",
        "flow",
        json!(9.0),
        "out_of_range",
        2,
    );
    put("WaterObserved:gone", "waterLevel", json!(27.5), "good", 960);
    put("WaterObserved:named", "name", json!("named"), "good", 1);
    // Watched: both ends are asked, and a reservoir may be one of them.
    put(
        "RiverReach:1",
        "upstreamStation",
        station("WaterObserved:late"),
        "good",
        9_000,
    );
    put(
        "RiverReach:1",
        "downstreamStation",
        station("WaterObserved:fresh"),
        "good",
        9_000,
    );
    put(
        "RiverReach:2",
        "downstreamStation",
        station("WaterReservoir:level"),
        "good",
        9_000,
    );
    put(
        "WaterReservoir:level",
        "waterLevelUpstream",
        json!(90.0),
        "good",
        3,
    );
    put(
        "WaterReservoir:station",
        "refStation",
        station("WaterObserved:fresh"),
        "good",
        9_000,
    );
    // Not watched: a doubtful reading, no station, only what joins along it, a level of yesterday.
    put(
        "RiverReach:3",
        "upstreamStation",
        station("WaterObserved:doubted"),
        "good",
        9_000,
    );
    put("RiverReach:4", "name", json!("bare"), "good", 1);
    put(
        "RiverReach:5",
        "lateralStation",
        station("WaterObserved:fresh"),
        "good",
        1,
    );
    put(
        "WaterReservoir:old",
        "waterLevelUpstream",
        json!(90.0),
        "good",
        25,
    );
}

#[tokio::test]
async fn the_towns_add_up_to_the_city_but_for_what_has_no_town() {
    let packs = Packs::load_all(embedded(), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path(), Options::default()).unwrap();
    let tables: Arc<dyn RecordTables> = Arc::new(city());
    let mut found = BTreeMap::new();
    for indicator in packs.indicators.iter().filter(|i| i.towns != Towns::None) {
        let tables = Arc::clone(&tables);
        let (sql, limits) = (&indicator.towns_sql, Limits::default());
        let answer = lake.query(sql, &limits, tables, &packs.catalogue).await;
        let answer = answer.unwrap_or_else(|problem| panic!("{}: {problem}", indicator.file));
        let names: Vec<_> = answer.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["town_code", "value"], "{}", indicator.file);
        let towns = answer.rows.iter().map(|row| {
            let code = row[0].as_str().unwrap().trim_start_matches("429006");
            format!("{code}={}", row[1])
        });
        let towns: Vec<String> = towns.collect();
        found.insert(indicator.id.clone(), towns.join(" "));
    }
    let expected = [
        ("5g-base-stations", "001=1.0 002=0.0"),
        ("charging-points", "100=2.0"),
        ("charging-stations", ""),
        ("data-centre-racks", "001=1.0 002=2.0"),
        ("edge-nodes", ""),
        ("racks-in-use", "001=1.0 002=1.0"),
        ("servers", "001=12.0 002=null"),
    ];
    let expected = expected.map(|(id, towns)| (id.to_owned(), towns.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));
}

/// Value and number of rows behind it, for every indicator.
async fn measure(city: City) -> Vec<(Definition, Option<f64>, usize)> {
    let packs = Packs::load_all(embedded(), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path(), Options::default()).unwrap();
    let tables: Arc<dyn RecordTables> = Arc::new(city);
    let mut all = Vec::new();
    for indicator in &packs.indicators {
        let ask = async |sql: &str| {
            lake.query(
                sql,
                &Limits::default(),
                Arc::clone(&tables),
                &packs.catalogue,
            )
            .await
            .unwrap_or_else(|problem| panic!("{}: {problem}\n{sql}", indicator.file))
        };
        let value = ask(&indicator.sql).await;
        let names: Vec<_> = value.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["value"], "{}", indicator.file);
        assert!(value.rows.len() <= 1, "{}", indicator.file);
        let number = value.rows.first().and_then(|row| row[0].as_f64());
        let rows = ask(&indicator.rows_sql).await.rows.len();
        all.push((indicator.clone(), number, rows));
    }
    all
}

#[tokio::test]
async fn figures_that_can_be_counted_by_hand() {
    let measured = measure(city()).await;
    let found: BTreeMap<_, _> = measured
        .iter()
        .filter_map(|(i, value, rows)| Some((i.id.as_str(), (value.as_ref().copied()?, *rows))))
        .collect();
    let expected = BTreeMap::from([
        ("5g-base-stations", (2.0, 3)),
        ("data-centre-racks", (3.0, 3)),
        ("racks-in-use", (2.0, 3)),
        ("servers", (12.0, 1)),
        ("charging-points", (2.0, 2)),
        ("charging-stations", (1.0, 1)),
        ("data-centre-pue", (1.45, 2)),
        ("edge-nodes", (1.0, 1)),
        ("iot-online-rate", (75.0, 4)),
        ("internet-hospitals", (2.0, 3)),
        ("river-lake-monitoring", (50.0, 8)),
        ("water-station-reporting", (100.0 * (2.0 / 3.0), 3)),
    ]);
    assert_eq!(found, expected);
    let computed = measured
        .iter()
        .filter(|(i, _, _)| i.method == Method::Computed);
    assert!(computed.clone().all(|(_, value, _)| value.is_some()));
    assert_eq!(computed.count(), expected.len() - 1);
}

/// From any figure to what proves it: what was computed leads to the message in the journal; what a person reported has none, and leads to
/// the report with its evidence.
#[tokio::test]
async fn every_row_behind_a_figure_leads_to_what_it_came_from() {
    let packs = Packs::load_all(embedded(), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path(), Options::default()).unwrap();
    let tables: Arc<dyn RecordTables> = Arc::new(city());
    let mut counted: BTreeMap<Vec<Lead>, [usize; 2]> = BTreeMap::new();
    for indicator in &packs.indicators {
        let file = &indicator.file;
        let (sql, limits) = (&indicator.rows_sql, Limits::default());
        let answered = lake.query(sql, &limits, Arc::clone(&tables), &packs.catalogue);
        let answered = answered
            .await
            .unwrap_or_else(|problem| panic!("{file}: {problem}"));
        let names: Vec<&str> = answered.columns.iter().map(|c| c.name.as_str()).collect();
        let leads: Vec<(usize, Lead)> = (names.iter().enumerate())
            .filter_map(|(place, name)| Some((place, Lead::of(name)?)))
            .collect();
        let kinds: BTreeSet<Lead> = leads.iter().map(|(_, lead)| *lead).collect();
        match indicator.method {
            Method::Computed => assert!(kinds.contains(&Lead::Message), "{file}: {names:?}"),
            Method::Reported => {
                assert_eq!(kinds, [Lead::Report].into(), "{file}: {names:?}");
                assert!(!Lead::Report.has_message());
            }
        }
        for row in &answered.rows {
            let leads_on = leads.iter().any(|(place, _)| !row[*place].is_null());
            assert!(leads_on, "{file}: {row:?}");
        }
        // A town's figure is proved by its own rows.
        if indicator.towns != Towns::None {
            assert!(names.contains(&"town_code"), "{file}: {names:?}");
        }
        let [indicators, rows] = counted.entry(kinds.into_iter().collect()).or_default();
        *indicators += 1;
        *rows += answered.rows.len();
    }
    let expected = BTreeMap::from([
        (vec![Lead::Message, Lead::Entity], [10, 27]),
        (vec![Lead::Message, Lead::Device], [1, 4]),
        (vec![Lead::Report], [48, 3]),
    ]);
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn an_empty_city_has_no_figures() {
    for (indicator, value, rows) in measure(City(BTreeMap::new())).await {
        assert_eq!((value, rows), (None, 0), "{}", indicator.id);
    }
}
