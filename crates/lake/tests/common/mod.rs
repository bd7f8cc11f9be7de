//! What the lake's tests share: messages, a catalogue, tables lent, and short ways to ask.
#![allow(dead_code, reason = "each test file uses its own part")]

use futures::future::BoxFuture;
use lake::{ColumnKind, Lake, Limits, Options, QueryResult, RecordTable, RecordTables, Upkeep};
use model::{
    Accepted, AttributeKind, AttributeName, AttributeUpdate, Catalogue, DeviceId, EntityId,
    EntityKind, HistoryKind, MissingUnit, Problem, Quality, RollupKind, RollupSpan, Timestamp,
    TypeName, Update, Value, ValueKind,
};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// 2026-11-23T08:00:00Z.
pub const START: Timestamp = Timestamp::from_seconds(1_795_420_800);

pub fn value(name: &str, value: Value, observed_at: Timestamp) -> AttributeUpdate {
    AttributeUpdate {
        name: AttributeName::new(name).unwrap(),
        unit: matches!(value, Value::Number(_)).then(|| "MTR".to_owned()),
        value,
        observed_at,
        quality: Quality::Good,
    }
}

pub fn message(
    entity_type: &str,
    entity: &str,
    received_at: Timestamp,
    attributes: Vec<AttributeUpdate>,
) -> Accepted {
    Accepted {
        door: "mqtt".into(),
        device_id: Some(DeviceId::new(format!("urn:ngsi-ld:Device:{entity}")).unwrap()),
        address: "devices/x/up".into(),
        received_at,
        raw: Vec::new(),
        updates: vec![Update {
            entity_id: EntityId::new(format!("urn:ngsi-ld:{entity_type}:{entity}")).unwrap(),
            entity_type: TypeName::new(entity_type).unwrap(),
            attributes,
        }],
        retain: false,
    }
}

/// Message number `n`: ten stations take turns, a level each second.
pub fn level(n: u64) -> Accepted {
    let at = START.plus_seconds(n as i64);
    let level = 28.0 + n as f64 / 100.0;
    message(
        "WaterObserved",
        &format!("station-{}", n % 10),
        at,
        vec![value("waterLevel", Value::Number(level), at)],
    )
}

/// The levels from `from` up to but not including `to`.
pub fn levels(from: u64, to: u64) -> Vec<(u64, Accepted)> {
    (from..to).map(|n| (n, level(n))).collect()
}

/// As [`options`], with every rollup of `WaterObserved`.
pub fn rolling() -> Options {
    let rollups = RollupSpan::ALL.map(|span| (span, RollupKind::default()));
    let history = HistoryKind {
        keep_days: None,
        rollups: rollups.into(),
    };
    Options {
        history: [("WaterObserved".to_owned(), history)].into(),
        ..options()
    }
}

/// Does all upkeep that is due; says what it was.
pub fn upkeep_all(lake: &Lake, now: Timestamp) -> Vec<Upkeep> {
    std::iter::from_fn(|| lake.upkeep(now).unwrap())
        .map(|upkept| upkept.work)
        .collect()
}

/// Small chunks, so that few rows cross every boundary.
pub fn options() -> Options {
    Options {
        chunk_rows: 7,
        row_group_rows: 16,
        page_rows: 8,
        seal_rows: 100,
        ..Options::default()
    }
}

pub fn catalogue() -> Catalogue {
    let kind = |name: &str, attributes: &[(&str, ValueKind)]| {
        let attributes = attributes.iter().map(|(name, value)| {
            let kind = AttributeKind {
                value: *value,
                title_zh: "属性".into(),
                title_en: "Attribute".into(),
                unit: None,
                unit_missing: MissingUnit::Assume,
                min: None,
                max: None,
                personal: None,
                mask: None,
            };
            ((*name).to_owned(), kind)
        });
        let kind = EntityKind {
            name: name.into(),
            title_zh: "类型".into(),
            title_en: "Type".into(),
            source: None,
            standard: None,
            attributes: attributes.collect(),
            open: true,
            history: None,
            heard_within_seconds: None,
            data_subject: None,
            forecast: None,
            affected: None,
            commands: Default::default(),
        };
        (name.to_owned(), kind)
    };
    Catalogue {
        kinds: [
            kind(
                "WaterObserved",
                &[
                    ("waterLevel", ValueKind::Number),
                    ("name", ValueKind::Text),
                    ("flooded", ValueKind::Boolean),
                    ("location", ValueKind::Geometry),
                    ("refDevice", ValueKind::Relationship),
                    ("extra", ValueKind::Json),
                ],
            ),
            kind("Streetlight", &[("powerState", ValueKind::Text)]),
        ]
        .into(),
        ..Catalogue::default()
    }
}

/// Lends `cases` and counts how often its rows are asked for.
#[derive(Default)]
pub struct Cases {
    pub asked: AtomicUsize,
}

impl RecordTables for Cases {
    fn tables(&self) -> Vec<RecordTable> {
        vec![RecordTable {
            name: "cases".into(),
            description: "Cases.".into(),
            columns: vec![
                ("id".into(), ColumnKind::Integer),
                ("entity_id".into(), ColumnKind::Text),
                ("opened_at".into(), ColumnKind::Time),
                ("cost".into(), ColumnKind::Number),
                ("closed".into(), ColumnKind::Boolean),
                ("location".into(), ColumnKind::Json),
            ],
        }]
    }

    fn rows(&self, name: &str) -> BoxFuture<'_, Result<Vec<Vec<serde_json::Value>>, Problem>> {
        assert_eq!(name, "cases");
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            Ok(vec![
                vec![
                    json!(1),
                    json!("urn:ngsi-ld:WaterObserved:station-3"),
                    json!("2026-11-23T08:00:10Z"),
                    json!(12.5),
                    json!(false),
                    json!({"type": "Point"}),
                ],
                vec![
                    json!(2),
                    json!(null),
                    json!(null),
                    json!(null),
                    json!(true),
                    json!(null),
                ],
            ])
        })
    }
}

pub async fn try_ask(lake: &Lake, sql: &str) -> Result<QueryResult, Problem> {
    lake.query(
        sql,
        &Limits::default(),
        Arc::new(Cases::default()),
        &catalogue(),
    )
    .await
}

/// The rows of an answer that must come.
pub async fn ask(lake: &Lake, sql: &str) -> serde_json::Value {
    match try_ask(lake, sql).await {
        Ok(answer) => json!(answer.rows),
        Err(problem) => panic!("{sql}: {problem:?}"),
    }
}

/// The problem of a statement that must fail.
pub async fn problem(lake: &Lake, sql: &str) -> Problem {
    match try_ask(lake, sql).await {
        Ok(answer) => panic!("{sql} was answered: {:?}", answer.rows),
        Err(problem) => problem,
    }
}

/// Rows, distinct positions, least and greatest position: all agree when each row is there once.
pub const CENSUS: &str = "SELECT count(*), count(DISTINCT journal_position), min(journal_position), \
     max(journal_position) FROM observations";
