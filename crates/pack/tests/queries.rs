//! Every indicator's two queries run on the real SQL engine, over a city of a few things whose figures
//! can be counted by hand; and over an empty city, where nothing may be made up.

use futures::future::BoxFuture;
use indicators::{Definition, Method};
use lake::{ColumnKind, Lake, Limits, Options, RecordTable, RecordTables};
use model::Problem;
use pack::{Packs, embedded};
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
    let report = |id: i64, value: f64, at: &str| {
        vec![
            json!(id),
            json!("internet-hospitals"),
            json!(value),
            json!("2025"),
            json!("文件"),
            Value::Null,
            json!("plan"),
            json!(at),
        ]
    };
    let reports = vec![
        report(2, 2.0, "2026-02-01T00:00:00Z"),
        report(1, 1.0, "2025-02-01T00:00:00Z"),
    ];
    City(BTreeMap::from([
        ("entities_now", now),
        ("devices", devices),
        ("indicator_reports", reports),
    ]))
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
        ("internet-hospitals", (2.0, 2)),
    ]);
    assert_eq!(found, expected);
    let computed = measured
        .iter()
        .filter(|(i, _, _)| i.method == Method::Computed);
    assert!(computed.clone().all(|(_, value, _)| value.is_some()));
    assert_eq!(computed.count(), expected.len() - 1);
}

#[tokio::test]
async fn an_empty_city_has_no_figures() {
    for (indicator, value, rows) in measure(City(BTreeMap::new())).await {
        assert_eq!((value, rows), (None, 0), "{}", indicator.id);
    }
}
