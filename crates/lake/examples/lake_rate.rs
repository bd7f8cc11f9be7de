//! How fast the lake takes, seals and counts rows: `cargo run --release -p lake --example lake_rate [rows]`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use lake::{HistoryQuery, Lake, Limits, NoRecords, Options};
use model::{
    Accepted, AttributeName, AttributeUpdate, Catalogue, DeviceId, EntityId, Problem, Quality,
    Timestamp, TypeName, Update, Value,
};
use std::sync::Arc;
use std::time::Instant;

const ENTITIES: usize = 10_000;
const ATTRIBUTES: [&str; 5] = [
    "waterLevel",
    "flow",
    "temperature",
    "batteryLevel",
    "signalStrength",
];

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let rows: usize = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let dir = std::env::temp_dir().join(format!("lake_rate_{}", std::process::id()));
    let messages = messages(rows / ATTRIBUTES.len())?;
    let lake = Lake::open(&dir, Options::default())?;

    let started = Instant::now();
    let (mut applied, mut sealing, mut sealed_rows, mut sealed_bytes) = (0, 0.0, 0, 0);
    for (position, message) in &messages {
        applied += lake.apply(*position, message);
        if lake.stats().tail_rows >= Options::default().seal_rows {
            let seal_started = Instant::now();
            if let Some(sealed) = lake.seal()? {
                sealed_rows += sealed.rows;
                sealed_bytes += sealed.bytes;
            }
            sealing += seal_started.elapsed().as_secs_f64();
        }
    }
    let applying = started.elapsed().as_secs_f64() - sealing;
    println!(
        "apply: {:.2} million rows/s ({applied} rows, one lock a message)",
        applied as f64 / applying / 1e6
    );
    println!(
        "seal:  {:.2} million rows/s ({sealed_rows} rows)",
        sealed_rows as f64 / sealing / 1e6
    );
    println!(
        "file:  {:.2} bytes/row",
        sealed_bytes as f64 / sealed_rows as f64
    );
    println!(
        "tail:  {} rows in {} bytes",
        lake.stats().tail_rows,
        lake.stats().tail_bytes
    );

    let (limits, catalogue) = (Limits::default(), Catalogue::default());
    for sql in [
        "SELECT count(*) FROM observations",
        "SELECT count(*) FROM observations WHERE value_number > 30",
        "SELECT attribute, avg(value_number) FROM observations GROUP BY attribute",
        "SELECT entity_id, max(observed_at) FROM observations GROUP BY entity_id ORDER BY 2 DESC LIMIT 10",
        "SELECT * FROM observations WHERE entity_id = 'urn:ngsi-ld:WaterObserved:station-77' \
         AND attribute = 'flow' ORDER BY observed_at DESC LIMIT 100",
    ] {
        let mut best = f64::MAX;
        for _ in 0..3 {
            let answer = lake
                .query(sql, &limits, Arc::new(NoRecords), &catalogue)
                .await?;
            best = best.min(answer.elapsed.as_secs_f64());
        }
        println!("{:8.1} ms  {sql}", best * 1e3);
    }
    let wanted = HistoryQuery {
        entity_id: EntityId::new("urn:ngsi-ld:WaterObserved:station-77")?,
        attribute: AttributeName::new("flow")?,
        from: None,
        to: None,
        limit: 1_000,
    };
    let started = Instant::now();
    let history = lake.history(&wanted, &limits).await?;
    println!(
        "{:8.1} ms  history of one attribute, {} points",
        started.elapsed().as_secs_f64() * 1e3,
        history.points.len()
    );
    drop(lake);
    let findings = lake::check(&dir);
    println!("check: {} findings", findings.len());
    // What stays behind lies in the system's temporary folder.
    let _ = std::fs::remove_dir_all(&dir);
    Ok(())
}

fn messages(count: usize) -> Result<Vec<(u64, Accepted)>, Problem> {
    let start = Timestamp::from_seconds(1_795_420_800);
    let names = ATTRIBUTES
        .iter()
        .map(AttributeName::new)
        .collect::<Result<Vec<_>, _>>()?;
    let entity_type = TypeName::new("WaterObserved")?;
    (0..count)
        .map(|n| {
            let station = n % ENTITIES;
            // A thousand messages a second, each observed a little before it came.
            let received_at = start.plus_micros(n as i64 * 1_000);
            let attributes = names.iter().enumerate().map(|(a, name)| AttributeUpdate {
                name: name.clone(),
                value: Value::Number((scatter(n * 8 + a) % 5_000) as f64 / 100.0),
                unit: Some("MTR".into()),
                observed_at: received_at.plus_micros(-((scatter(n) % 1_000_000) as i64)),
                quality: Quality::Good,
            });
            let accepted = Accepted {
                door: "mqtt".into(),
                device_id: Some(DeviceId::new(format!(
                    "urn:ngsi-ld:Device:device-{station}"
                ))?),
                address: String::new(),
                received_at,
                raw: Vec::new(),
                updates: vec![Update {
                    entity_id: EntityId::new(format!(
                        "urn:ngsi-ld:WaterObserved:station-{station}"
                    ))?,
                    entity_type: entity_type.clone(),
                    attributes: attributes.collect(),
                }],
                retain: false,
            };
            Ok((n as u64, accepted))
        })
        .collect()
}

/// Numbers without a pattern, the same in every run (the finish of SplitMix64).
fn scatter(n: usize) -> u64 {
    let mut x = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
