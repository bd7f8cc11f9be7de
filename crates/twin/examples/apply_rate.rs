//! Updates a second into the twin, and how long it takes to ask 10,000 entities:
//! `cargo run --release -p twin --example apply_rate`.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use model::{
    Accepted, AttributeName, AttributeUpdate, DeviceId, EntityId, Geometry, Problem, Quality,
    Timestamp, TypeName, Update, Value,
};
use std::time::Instant;
use twin::{Comparison, Condition, Filter, Twin};

const ENTITIES: u64 = 10_000;
const BATCH: u64 = 1_000;
const UPDATES: u64 = 2_000_000;
const ASKED_TIMES: usize = 21;

fn message(n: u64, attribute: &str, value: Value, unit: Option<&str>) -> Result<Accepted, Problem> {
    let at = Timestamp::from_seconds(1_790_000_000).plus_micros(n as i64);
    let id = n % ENTITIES;
    Ok(Accepted {
        door: "mqtt".into(),
        device_id: Some(DeviceId::new(format!("urn:ngsi-ld:Device:water:{id:05}"))?),
        address: format!("devices/{id}/up"),
        received_at: at,
        raw: Vec::new(),
        updates: vec![Update {
            entity_id: EntityId::new(format!("urn:ngsi-ld:WaterObserved:{id:05}"))?,
            entity_type: TypeName::new("WaterObserved")?,
            attributes: vec![AttributeUpdate {
                name: AttributeName::new(attribute)?,
                value,
                unit: unit.map(str::to_owned),
                observed_at: at,
                quality: Quality::Good,
            }],
        }],
        retain: false,
    })
}

/// The median time of [`ASKED_TIMES`] runs, in milliseconds.
fn median_ms(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ASKED_TIMES)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ASKED_TIMES / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let twin = Twin::default();
    let mut position = 0;
    for n in 0..ENTITIES {
        let (lon, lat) = (112.0 + n as f64 / 5_000.0, 30.0 + (n % 97) as f64 / 97.0);
        for (attribute, value) in [
            ("location", Value::Geometry(Geometry::Point { lon, lat })),
            ("name", Value::Text(format!("水位站 {n}"))),
            ("flow", Value::Number(n as f64)),
            ("temperature", Value::Number(20.0)),
        ] {
            twin.apply(position, &message(n, attribute, value, None)?);
            position += 1;
        }
    }
    // The messages are made before the clock starts; each is used many times, at new positions.
    let mut batches: Vec<Vec<(u64, Accepted)>> = Vec::new();
    for first in (0..ENTITIES).step_by(BATCH as usize) {
        let batch = (first..first + BATCH).map(|n| {
            let level = Value::Number(28.0 + n as f64 / 1e4);
            // Scattered, as devices are.
            Ok((0, message(n * 7919, "waterLevel", level, Some("MTR"))?))
        });
        batches.push(batch.collect::<Result<_, Problem>>()?);
    }
    let mut spent = std::time::Duration::ZERO;
    for turn in 0..UPDATES / BATCH {
        let count = batches.len() as u64;
        let batch = &mut batches[(turn % count) as usize];
        for (at, accepted) in batch.iter_mut() {
            *at = position;
            position += 1;
            accepted.updates[0].attributes[0].observed_at = Timestamp::from_seconds(1_790_000_100);
        }
        let start = Instant::now();
        twin.apply_batch(batch);
        spent += start.elapsed();
    }
    println!("{:.0} updates/s", UPDATES as f64 / spent.as_secs_f64());

    let all = Filter {
        limit: usize::MAX,
        ..Filter::default()
    };
    let high = Condition {
        attribute: "waterLevel".into(),
        comparison: Comparison::AtLeast,
        value: Value::Number(28.9),
    };
    let asked = [
        ("all, copied", all.clone()),
        (
            "one type and a condition",
            Filter {
                types: vec!["WaterObserved".into()],
                conditions: vec![high],
                ..all.clone()
            },
        ),
        (
            "text in id or name",
            Filter {
                text: Some("站 77".into()),
                ..all.clone()
            },
        ),
        (
            "a tenth of the map",
            Filter {
                bbox: Some([112.0, 30.0, 112.2, 31.0]),
                ..all.clone()
            },
        ),
    ];
    for (name, filter) in &asked {
        let mut found = 0;
        let took = median_ms(|| found = twin.query(filter).items.len());
        println!("{name}: {found} in {took:.2} ms");
    }
    let mut sum = 0.0;
    let took = median_ms(|| {
        twin.visit(&all, |entity| {
            sum += entity.location.map_or(0.0, |place| place[0]);
        });
    });
    println!("all, visited: {took:.2} ms ({sum:.0})");

    let path = std::env::temp_dir().join(format!("apply-rate-{}.bin", std::process::id()));
    let start = Instant::now();
    twin.checkpoint(&path)?;
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "checkpoint: {bytes} bytes in {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    let restored = Twin::restore(&path)?;
    println!(
        "restore: to {} in {:.1} ms",
        restored.position(),
        start.elapsed().as_secs_f64() * 1e3
    );
    std::fs::remove_file(&path)?;
    Ok(())
}
