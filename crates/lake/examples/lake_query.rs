//! Fills a lake through its own way in, and times statements over it; `bench/lake-query/run` calls it.
//!
//! `lake_query fill DIR ROWS [DAYS]` makes ROWS observations: entities with five attributes each, one
//! message a minute and entity, over DAYS days (3) from 2026-11-01. `lake_query ask DIR RUNS` reads one
//! statement a line from standard input. Both print JSON, one object a line.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use lake::{Lake, Limits, NoRecords, Options};
use model::{
    Accepted, AttributeName, AttributeUpdate, Catalogue, DeviceId, EntityId, Problem, Quality,
    Timestamp, TypeName, Update, Value,
};
use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ATTRIBUTES: [(&str, &str, f64, f64); 5] = [
    ("waterLevel", "MTR", 24.0, 3.0),
    ("flow", "MQS", 120.0, 60.0),
    ("temperature", "CEL", 12.0, 8.0),
    ("batteryLevel", "P1", 80.0, 15.0),
    ("signalStrength", "DBM", -85.0, 20.0),
];
/// 2026-11-01T00:00:00Z.
const START: Timestamp = Timestamp::from_seconds(1_793_491_200);
const INTERVAL_S: i64 = 60;
const DAY_S: i64 = 86_400;

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let words: Vec<String> = std::env::args().collect();
    let number = |at: usize, default: i64| {
        words
            .get(at)
            .and_then(|w| w.parse().ok())
            .unwrap_or(default)
    };
    match words.get(1).map(String::as_str) {
        Some("fill") if words.len() > 2 => fill(&words[2], number(3, 10_000_000), number(4, 3)),
        Some("ask") if words.len() > 2 => ask(&words[2], number(3, 3)).await,
        _ => Err(Problem::new(
            "usage",
            "what is to be done?",
            "arguments",
            "lake_query fill DIR ROWS [DAYS] | lake_query ask DIR RUNS",
        )),
    }
}

fn fill(dir: &str, rows: i64, days: i64) -> Result<(), Problem> {
    let steps = days * DAY_S / INTERVAL_S;
    let entities = (rows / steps / ATTRIBUTES.len() as i64).max(1);
    let lake = Lake::open(dir, Options::default())?;
    let names = ATTRIBUTES
        .iter()
        .map(|(name, ..)| AttributeName::new(*name))
        .collect::<Result<Vec<_>, _>>()?;
    let entity_type = TypeName::new("WaterObserved")?;
    let things = (0..entities)
        .map(|n| {
            Ok((
                EntityId::new(format!("urn:ngsi-ld:WaterObserved:tianmen-station-{n:05}"))?,
                DeviceId::new(format!("urn:ngsi-ld:Device:tianmen-station-{n:05}"))?,
            ))
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    let started = Instant::now();
    let (mut sealing, mut upkeep) = (Duration::ZERO, Duration::ZERO);
    let mut position = lake.sealed_position();
    for step in 0..steps {
        for (n, (entity, device)) in things.iter().enumerate() {
            let n = n as i64;
            let observed_at = START.plus_seconds(step * INTERVAL_S + n * 7 % INTERVAL_S);
            let late_us = (scatter(n * 31 + step) % 2_000_000) as i64;
            let attributes = ATTRIBUTES
                .iter()
                .zip(&names)
                .enumerate()
                .map(|(a, (kind, name))| {
                    let (_, unit, middle, swing) = *kind;
                    let phase = (step as f64 / 1_440.0 + n as f64 / 17.0) * std::f64::consts::TAU;
                    let noise = (scatter((n * 8 + a as i64) << 24 | step) % 200) as f64 / 1_000.0;
                    AttributeUpdate {
                        name: name.clone(),
                        value: Value::Number(
                            ((middle + swing * (phase.sin() + noise)) * 100.0).round() / 100.0,
                        ),
                        unit: Some(unit.to_owned()),
                        observed_at,
                        quality: Quality::Good,
                    }
                });
            let message = Accepted {
                door: "mqtt".into(),
                device_id: Some(device.clone()),
                address: String::new(),
                received_at: observed_at.plus_micros(late_us),
                raw: Vec::new(),
                updates: vec![Update {
                    entity_id: entity.clone(),
                    entity_type: entity_type.clone(),
                    attributes: attributes.collect(),
                }],
                retain: false,
            };
            lake.apply(position, &message);
            position += 1;
        }
        let now = START.plus_seconds(step * INTERVAL_S);
        if lake.should_seal(now) && lake.stats().tail_rows >= Options::default().seal_rows {
            let before = Instant::now();
            lake.seal()?;
            sealing += before.elapsed();
            let before = Instant::now();
            while lake.upkeep(now)?.is_some() {}
            upkeep += before.elapsed();
        }
    }
    let before = Instant::now();
    lake.seal()?;
    sealing += before.elapsed();
    let before = Instant::now();
    // A day later all folders are quiet, and what was replaced can go.
    while lake
        .upkeep(START.plus_seconds((days + 1) * DAY_S))?
        .is_some()
    {}
    while lake
        .upkeep(START.plus_seconds((days + 2) * DAY_S))?
        .is_some()
    {}
    upkeep += before.elapsed();
    let stats = lake.stats();
    println!(
        "{}",
        serde_json::json!({
            "rows": stats.sealed_rows, "series": entities * ATTRIBUTES.len() as i64, "days": days,
            "files": stats.files, "bytes": stats.sealed_bytes,
            "bytes_per_row": stats.sealed_bytes as f64 / stats.sealed_rows as f64,
            "seconds": started.elapsed().as_secs_f64(),
            "seal_seconds": sealing.as_secs_f64(), "upkeep_seconds": upkeep.as_secs_f64(),
            "memory_peak_mib": memory_peak_mib(),
        })
    );
    Ok(())
}

async fn ask(dir: &str, runs: i64) -> Result<(), Problem> {
    let lake = Lake::open_read_only(dir, Options::default())?;
    let limits = Limits {
        time_max: Duration::from_secs(600),
        memory_bytes_max: 4 << 30,
        ..Limits::default()
    };
    for sql in std::io::stdin().lock().lines() {
        let sql =
            sql.map_err(|e| Problem::new("stdin", e.to_string(), "standard input", "try again"))?;
        let mut times = Vec::new();
        let mut rows = Vec::new();
        for _ in 0..runs.max(1) {
            let catalogue = Catalogue::default();
            let answer = lake
                .query(&sql, &limits, Arc::new(NoRecords), &catalogue)
                .await?;
            times.push(answer.elapsed.as_secs_f64() * 1e3);
            rows = answer.rows;
        }
        println!(
            "{}",
            serde_json::json!({"sql": sql, "ms": times, "rows": rows, "memory_peak_mib": memory_peak_mib()})
        );
    }
    Ok(())
}

/// Most memory that this process has held, in MiB; `None` where the system does not tell.
fn memory_peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1_024)
}

/// Numbers without a pattern, the same in every run (the finish of SplitMix64).
fn scatter(n: i64) -> u64 {
    let mut x = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
