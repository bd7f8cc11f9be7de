//! What an update costs with many rules: `cost RULES ENTITIES UPDATES` prints JSON. Used by `bench/rules/run`.
#![expect(clippy::print_stdout, reason = "its answer")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement, not a part of the program"
)]

use model::{
    AttributeName, AttributeUpdate, Calendars, Catalogue, EntityId, EntityKind, Quality, Timestamp,
    TypeName, Update, Value,
};
use rules::{Engine, Rule};
use std::time::Instant;

/// Rules of each type; the rest of the rules concern other types.
const RULES_OF_A_TYPE: usize = 10;

fn main() {
    let mut words = std::env::args()
        .skip(1)
        .map(|word| word.parse::<usize>().unwrap());
    let (count, entities, updates) = (
        words.next().unwrap_or(1_000),
        words.next().unwrap_or(100_000),
        words.next().unwrap_or(1_000_000),
    );
    let types = count.div_ceil(RULES_OF_A_TYPE).max(1);
    let kinds: Vec<EntityKind> = (0..types)
        .map(|n| {
            toml::from_str(&format!(
                "name = \"Kind{n}\"\ntitle_zh = \"类\"\ntitle_en = \"Kind\"\n\
                 [attributes.level]\nvalue = \"number\"\ntitle_zh = \"值\"\ntitle_en = \"Value\"\n\
                 [attributes.other]\nvalue = \"number\"\ntitle_zh = \"值\"\ntitle_en = \"Value\"\n"
            ))
            .unwrap()
        })
        .collect();
    let catalogue = Catalogue {
        kinds: kinds.into_iter().map(|k| (k.name.clone(), k)).collect(),
        ..Catalogue::default()
    };
    let mut out = serde_json::Map::new();
    for (name, lines) in [
        ("threshold", "op = \">\"\nthreshold = 1e9\nfor_seconds = 60"),
        (
            "rate",
            "kind = \"rate\"\nop = \">\"\nthreshold = 1e9\nwindow_seconds = 600",
        ),
        ("silence", "kind = \"silence\"\nfor_seconds = 900"),
        (
            "count",
            "kind = \"count\"\nat_least = 10\nwindow_seconds = 60\nop = \">\"\nthreshold = 0.5",
        ),
        (
            "expression",
            "kind = \"expression\"\nexpression = \"level > 1000000.0 && level < 2000000.0\"",
        ),
    ] {
        let all: Vec<Rule> = (0..count)
            .map(|n| {
                toml::from_str(&format!(
                    "id = \"r{n}\"\nversion = 1\ntitle_zh = \"x\"\ntitle_en = \"x\"\nseverity = \"info\"\n\
                     entity_type = \"Kind{}\"\nattribute = \"level\"\n{lines}",
                    n % types
                ))
                .unwrap()
            })
            .collect();
        let mut engine = Engine::new(all, &catalogue, &Calendars::default()).unwrap();
        let names: Vec<(EntityId, TypeName)> = (0..entities)
            .map(|n| {
                let kind = format!("Kind{}", n % types);
                let id = EntityId::new(format!("urn:ngsi-ld:{kind}:{n}")).unwrap();
                (id, TypeName::new(&kind).unwrap())
            })
            .collect();
        let update = |n: usize| {
            // In no order, so that memory is looked for as in a city.
            let (id, kind) = &names[n.wrapping_mul(7_919) % entities];
            let second = i64::try_from(n / 20_000).unwrap();
            let at = Timestamp::from_seconds(1_800_000_000 + second);
            let attribute = AttributeUpdate {
                name: AttributeName::new("level").unwrap(),
                value: Value::Number(f64::from(u8::try_from(n % 200).unwrap())),
                unit: None,
                observed_at: at,
                quality: Quality::Good,
            };
            let update = Update {
                entity_id: id.clone(),
                entity_type: kind.clone(),
                attributes: vec![attribute],
            };
            (at, update)
        };
        for n in 0..entities {
            let (at, update) = update(n);
            engine.observe(n as u64, &update, at);
        }
        let said: Vec<(Timestamp, Update)> = (0..updates.min(200_000))
            .map(|n| update(entities + n))
            .collect();
        let begun = Instant::now();
        let mut done = 0_usize;
        let mut events = 0;
        while done < updates {
            for (at, update) in said.iter().take(updates - done) {
                events += engine.observe(done as u64, update, *at).len();
                done += 1;
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let a_rule = seconds * 1e9 / updates as f64 / RULES_OF_A_TYPE as f64;
        out.insert(
            name.to_owned(),
            serde_json::json!({
                "updates_per_second": updates as f64 / seconds,
                "ns_per_update": seconds * 1e9 / updates as f64,
                "ns_per_rule_and_update": a_rule,
                "events": events,
            }),
        );
    }
    println!("{}", serde_json::Value::Object(out));
}
