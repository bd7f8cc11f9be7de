//! Figures of the twin, as a line of JSON; `bench/twin/run` and `bench/last-value/run` call it.
//!
//! - `measure size ENTITIES FILE`: entities with ten attributes each: memory, speed of updates, questions, and
//!   a checkpoint into FILE while updates go on.
//! - `measure restore FILE`: from the start of the program to a twin that answers.
//! - `measure last-value DEVICES ROUNDS`: the last value of every device after so many values of each.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use model::{
    Accepted, AttributeName, AttributeUpdate, DeviceId, EntityId, Geometry, Problem, Quality,
    Timestamp, TypeName, Update, Value,
};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use twin::{Comparison, Condition, Filter, Options, Relation, Twin};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const TYPES: [&str; 10] = [
    "WaterObserved",
    "AirQualityObserved",
    "Streetlight",
    "EVChargingStation",
    "ParkingSpot",
    "WasteContainer",
    "TelecomBaseStation",
    "ServerRack",
    "FloodMonitoring",
    "NoiseLevelObserved",
];
/// Messages that are applied under one lock.
const BATCH: u64 = 1_000;
const UPDATES: u64 = 1_000_000;
const ASKED_TIMES: usize = 11;
const BEGIN_S: i64 = 1_790_000_000;

fn type_of(n: u64) -> &'static str {
    TYPES[(n % TYPES.len() as u64) as usize]
}

fn entity_id(n: u64) -> std::result::Result<EntityId, Problem> {
    EntityId::new(format!("urn:ngsi-ld:{}:{n:07}", type_of(n)))
}

/// A number below `below` that looks like chance.
fn scattered(n: u64, below: u64) -> u64 {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ mixed >> 31) % below
}

fn said(
    name: &str,
    value: Value,
    unit: Option<&str>,
    at: Timestamp,
) -> std::result::Result<AttributeUpdate, Problem> {
    Ok(AttributeUpdate {
        name: AttributeName::new(name)?,
        value,
        unit: unit.map(str::to_owned),
        observed_at: at,
        quality: Quality::Good,
    })
}

fn message(
    n: u64,
    at: Timestamp,
    attributes: Vec<AttributeUpdate>,
) -> std::result::Result<Accepted, Problem> {
    Ok(Accepted {
        door: "mqtt".into(),
        // A device that speaks for several things, so that its id is not the entity's.
        device_id: Some(DeviceId::new(format!(
            "urn:ngsi-ld:Device:gateway:{:05}",
            n / 16
        ))?),
        address: String::new(),
        received_at: at,
        raw: Vec::new(),
        updates: vec![Update {
            entity_id: entity_id(n)?,
            entity_type: TypeName::new(type_of(n))?,
            attributes,
        }],
        retain: false,
    })
}

fn group(n: u64) -> std::result::Result<EntityId, Problem> {
    EntityId::new(format!("urn:ngsi-ld:Group:{:05}", n / 100))
}

fn ten_attributes(n: u64, at: Timestamp) -> std::result::Result<Vec<AttributeUpdate>, Problem> {
    let lon = 112.5 + scattered(n, 1_000_000) as f64 / 1e6;
    let lat = 30.3 + scattered(n + 77_777, 1_000_000) as f64 / 1e6;
    let state = if n.is_multiple_of(7) {
        "offline"
    } else {
        "online"
    };
    [
        (
            "location",
            Value::Geometry(Geometry::Point { lon, lat }),
            None,
        ),
        ("name", Value::Text(format!("竟陵监测站 {n}")), None),
        ("status", Value::Text(state.into()), None),
        ("partOf", Value::Relationship(group(n)?), None),
        (
            "level",
            Value::Number(scattered(n + 3, 1_000_000) as f64 / 1e3),
            Some("MTR"),
        ),
        ("flow", Value::Number(n as f64), Some("MQS")),
        (
            "temperature",
            Value::Number(20.0 + (n % 90) as f64 / 10.0),
            Some("CEL"),
        ),
        ("battery", Value::Number((n % 100) as f64), Some("P1")),
        ("signal", Value::Number(-((n % 120) as f64)), Some("DBM")),
        ("open", Value::Boolean(n.is_multiple_of(2)), None),
    ]
    .into_iter()
    .map(|(name, value, unit)| said(name, value, unit, at))
    .collect()
}

/// A line of `/proc/self/status`, in bytes.
fn memory_bytes(line: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find(|l| l.starts_with(line));
    let kib = found
        .and_then(|l| l.split_whitespace().nth(1))
        .unwrap_or("0");
    Ok(kib.parse::<f64>()? * 1024.0)
}

/// The median of some runs, milliseconds.
fn median_ms(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ASKED_TIMES)
        .map(|_| {
            let start = Instant::now();
            run();
            ms(start.elapsed())
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ASKED_TIMES / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Updates of one attribute each, at entities met in no order; the messages are made before the clock starts.
struct Updates<'a> {
    twin: &'a Twin,
    entities: u64,
    position: u64,
}

impl Updates<'_> {
    fn apply(&mut self, count: u64) -> Result<Duration> {
        let mut batch = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let n = scattered(self.position, self.entities);
            let at = Timestamp::from_seconds(BEGIN_S + 1_000).plus_micros(self.position as i64);
            let level = Value::Number(scattered(self.position, 1_000_000) as f64 / 1e3);
            let level = said("level", level, Some("MTR"), at)?;
            batch.push((self.position, message(n, at, vec![level])?));
            self.position += 1;
        }
        let start = Instant::now();
        self.twin.apply_batch(&batch);
        Ok(start.elapsed())
    }
}

fn size(entities: u64, file: &Path) -> Result<()> {
    let twin = Twin::new(&Options {
        indexed_attributes: vec![AttributeName::new("flow")?],
        ..Options::default()
    });
    let empty = memory_bytes("VmRSS")?;
    let mut spent = Duration::ZERO;
    for first in (0..entities).step_by(BATCH as usize) {
        let mut batch = Vec::new();
        for n in first..entities.min(first + BATCH) {
            let at = Timestamp::from_seconds(BEGIN_S).plus_micros(n as i64);
            batch.push((n, message(n, at, ten_attributes(n, at)?)?));
        }
        let start = Instant::now();
        twin.apply_batch(&batch);
        spent += start.elapsed();
    }
    let each = |bytes: f64| (bytes / entities as f64).round();
    let rss_each = each(memory_bytes("VmRSS")? - empty);
    print!("{{\"entities\":{entities},\"bytes_each_rss\":{rss_each}");
    print!(
        ",\"bytes_each_estimated\":{}",
        each(twin.memory().total() as f64)
    );
    let memory = twin.memory();
    for (part, bytes) in [
        ("entity", memory.entity_bytes),
        ("id_and_type", memory.id_bytes),
        ("space", memory.space_bytes),
        ("time_of_change", memory.change_bytes),
        ("relation", memory.relation_bytes),
        ("one_value_index", memory.value_bytes),
        ("words", memory.word_bytes),
    ] {
        print!(",\"bytes_each_{part}\":{}", each(bytes as f64));
    }
    print!(
        ",\"created_per_s\":{:.0}",
        entities as f64 / spent.as_secs_f64()
    );

    let mut updates = Updates {
        twin: &twin,
        entities,
        position: entities,
    };
    let mut spent = Duration::ZERO;
    for _ in 0..UPDATES / BATCH {
        spent += updates.apply(BATCH)?;
    }
    print!(
        ",\"updates_per_s\":{:.0}",
        UPDATES as f64 / spent.as_secs_f64()
    );
    let rss_each = each(memory_bytes("VmRSS")? - empty);
    print!(",\"bytes_each_rss_after_updates\":{rss_each}");
    questions(&twin, entities, updates.position)?;

    // A checkpoint while updates go on, one at a time: the longest that one took, beside the longest
    // without a checkpoint over the same time.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = memory_bytes("VmHWM")?;
    let done = AtomicBool::new(false);
    let (took, during, applied) = std::thread::scope(|scope| -> Result<_> {
        let writer = scope.spawn(|| {
            let start = Instant::now();
            let written = twin.checkpoint(file);
            done.store(true, Ordering::Release);
            written.map(|()| start.elapsed())
        });
        let (mut longest, mut applied) = (Duration::ZERO, 0);
        while !done.load(Ordering::Acquire) {
            longest = longest.max(updates.apply(1)?);
            applied += 1;
        }
        let took = writer.join().map_err(|_| "the checkpoint panicked")??;
        Ok((took, longest, applied))
    })?;
    let peak = memory_bytes("VmHWM")? - before;
    let start = Instant::now();
    let mut without = Duration::ZERO;
    while start.elapsed() < took {
        without = without.max(updates.apply(1)?);
    }
    println!(
        ",\"checkpoint_ms\":{:.0},\"checkpoint_bytes_each\":{},\"checkpoint_peak_extra_mib\":{:.1},\"updates_during_checkpoint\":{applied},\"longest_update_during_checkpoint_ms\":{:.3},\"longest_update_without_ms\":{:.3}}}",
        ms(took),
        each(std::fs::metadata(file)?.len() as f64),
        peak / 1024.0 / 1024.0,
        ms(during),
        ms(without)
    );
    Ok(())
}

fn questions(twin: &Twin, entities: u64, position: u64) -> Result<()> {
    let ids: Vec<EntityId> = (0..10_000)
        .map(|n| entity_id(scattered(n, entities)))
        .collect::<std::result::Result<_, _>>()?;
    let mut found = 0;
    let by_id = median_ms(|| found = ids.iter().filter_map(|id| twin.get(id)).count());
    print!(",\"by_id_us\":{:.3}", by_id / ids.len() as f64 * 1e3);
    assert_eq!(found, ids.len(), "every id is known");
    let all = Filter {
        limit: usize::MAX,
        ..Filter::default()
    };
    let types = vec![TYPES[0].to_owned()];
    let middle = entity_id(entities / 2 / 10 * 10)?.to_string();
    let flow = |comparison, value| Condition {
        attribute: "flow".into(),
        comparison,
        value: Value::Number(value),
    };
    let asked = [
        (
            "type_page_of_100",
            Filter {
                types: types.clone(),
                limit: 100,
                after: Some(middle),
                ..Filter::default()
            },
        ),
        (
            "type_all",
            Filter {
                types,
                ..all.clone()
            },
        ),
        (
            "value_equal",
            Filter {
                conditions: vec![flow(Comparison::Equal, 4_321.0)],
                ..all.clone()
            },
        ),
        (
            "value_top_1000",
            Filter {
                conditions: vec![flow(Comparison::AtLeast, entities as f64 - 1_000.0)],
                ..all.clone()
            },
        ),
        (
            "space",
            Filter {
                bbox: Some([113.0, 30.8, 113.03, 30.83]),
                ..all.clone()
            },
        ),
        (
            "relation",
            Filter {
                relation: Some(Relation {
                    target: group(4_321)?,
                    through: Some("partOf".into()),
                }),
                ..all.clone()
            },
        ),
        (
            "changed_last_1000",
            Filter {
                modified_since: Some(
                    Timestamp::from_seconds(BEGIN_S + 1_000).plus_micros(position as i64 - 1_000),
                ),
                ..all.clone()
            },
        ),
    ];
    for (name, filter) in &asked {
        let mut found = 0;
        let took = median_ms(|| found = twin.query(filter).items.len());
        print!(",\"{name}_ms\":{took:.3},\"{name}_found\":{found}");
    }
    let took = median_ms(|| found = twin.changes_since(position - 1_000, 1_000).ids.len());
    print!(",\"changes_since_ms\":{took:.3},\"changes_since_found\":{found}");
    // At a million, one type is a hundred thousand devices; below, all are taken.
    let wanted = if entities >= 1_000_000 {
        &asked[1].1
    } else {
        &all
    };
    let took = median_ms(|| found = last_values(twin, wanted).values.len());
    print!(",\"last_value_ms\":{took:.3},\"last_value_found\":{found}");
    Ok(())
}

/// Ids, values and times of one attribute, copied into columns as an answer has them.
#[derive(Default)]
struct LastValues {
    ids: String,
    id_ends: Vec<usize>,
    values: Vec<f64>,
    times: Vec<Timestamp>,
}

fn last_values(twin: &Twin, filter: &Filter) -> LastValues {
    let mut answer = LastValues::default();
    twin.visit(filter, |entity| {
        if let Some(level) = entity.attribute("level")
            && let Some(number) = level.value.as_number()
        {
            answer.ids.push_str(entity.id.as_str());
            answer.id_ends.push(answer.ids.len());
            answer.values.push(number);
            answer.times.push(level.observed_at);
        }
    });
    answer
}

fn restore(file: &Path) -> Result<()> {
    let start = Instant::now();
    let twin = Twin::restore(file)?;
    let entities: usize = twin.counts().values().sum();
    let took = ms(start.elapsed());
    let (rss, peak) = (memory_bytes("VmRSS")?, memory_bytes("VmHWM")?);
    let each = |bytes: f64| bytes / entities as f64;
    println!(
        "{{\"restored\":{entities},\"restore_ms\":{took:.0},\"bytes_each_rss_restored\":{:.0},\"bytes_each_peak_of_restore\":{:.0}}}",
        each(rss),
        each(peak)
    );
    Ok(())
}

fn last_value(devices: u64, rounds: u64) -> Result<()> {
    let twin = Twin::default();
    for round in 0..rounds {
        for first in (0..devices).step_by(BATCH as usize) {
            let mut batch = Vec::new();
            for n in first..devices.min(first + BATCH) {
                let at = Timestamp::from_seconds(BEGIN_S + round as i64 * 60);
                // The same rule as in bench/last-value/run.
                let level = ((n * 7_919 + round * 104_729) % 100_000) as f64 / 1e3;
                let mut attributes = vec![said("level", Value::Number(level), Some("MTR"), at)?];
                if round == 0 {
                    attributes.extend(
                        ten_attributes(n, at)?
                            .into_iter()
                            .filter(|a| a.name.as_str() != "level"),
                    );
                }
                // Devices of one type, registered one after the other.
                let device = n * TYPES.len() as u64;
                batch.push((round * devices + n, message(device, at, attributes)?));
            }
            twin.apply_batch(&batch);
        }
    }
    let all = Filter {
        limit: usize::MAX,
        ..Filter::default()
    };
    let mut found = LastValues::default();
    let took = median_ms(|| found = last_values(&twin, &all));
    let sum: f64 = found.values.iter().sum();
    let newest = found.times.iter().max().map(|at| at.micros());
    assert_eq!(
        newest,
        Some((BEGIN_S + rounds as i64 * 60 - 60) * 1_000_000)
    );
    assert_eq!(found.id_ends.last(), Some(&found.ids.len()));
    println!(
        "{{\"devices\":{},\"ms\":{took:.3},\"sum\":{sum:.3}}}",
        found.values.len()
    );
    Ok(())
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["size", entities, file] => size(entities.parse()?, Path::new(file)),
        ["restore", file] => restore(Path::new(file)),
        ["last-value", devices, rounds] => last_value(devices.parse()?, rounds.parse()?),
        _ => Err("measure size ENTITIES FILE | restore FILE | last-value DEVICES ROUNDS".into()),
    }
}
