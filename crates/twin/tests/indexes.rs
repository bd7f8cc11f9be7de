//! The law of the indexes: whatever is asked, the answer is what looking at every entity gives, after any
//! updates, deletions and restores. And pages: each entity that is there throughout is seen exactly once.

use model::{
    Accepted, AttributeName, AttributeUpdate, DeviceId, EntityId, Geometry, Quality, Timestamp,
    TypeName, Update, Value,
};
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use twin::{Comparison, Condition, Entity, Filter, Options, Relation, Twin, ValueRef};

fn id(number: u8) -> EntityId {
    EntityId::new(format!("urn:ngsi-ld:Thing:{number:03}")).unwrap()
}

fn options() -> Options {
    Options {
        indexed_attributes: ["level", "state", "level"]
            .map(|name| AttributeName::new(name).unwrap())
            .to_vec(),
        checkpoint_step_entities: 3,
    }
}

/// What one message says: which entity, which attribute, what value, when, and whether through a device.
type Said = (u8, usize, Value, i64, bool);

const NAMES: [&str; 6] = ["level", "state", "location", "partOf", "seenBy", "name"];

fn value(which: usize) -> BoxedStrategy<Value> {
    let number = prop_oneof![
        (-4_i8..4).prop_map(f64::from),
        Just(-0.0),
        Just(f64::NAN),
        Just(1e300)
    ];
    let place = (-3_i8..3, -3_i8..3).prop_map(|(lon, lat)| {
        let (lon, lat) = (f64::from(lon) / 3.0, f64::from(lat) / 3.0);
        Value::Geometry(Geometry::Point { lon, lat })
    });
    let kept = match which {
        0 => {
            prop_oneof![4 => number.prop_map(Value::Number), 1 => "[ab]{1,9}".prop_map(Value::Text)]
                .boxed()
        }
        1 => prop_oneof![
            "(on|off|maintenance|a long text that is held)".prop_map(Value::Text),
            any::<bool>().prop_map(Value::Boolean),
            "[ab]".prop_map(|text| Value::Json(format!("\"{text}\"")))
        ]
        .boxed(),
        2 => place.boxed(),
        3 | 4 => (0_u8..12).prop_map(|n| Value::Relationship(id(n))).boxed(),
        _ => "[站点]{0,4}".prop_map(Value::Text).boxed(),
    };
    prop_oneof![6 => kept, 1 => Just(Value::Deleted)].boxed()
}

fn said() -> impl Strategy<Value = Said> {
    (0_usize..NAMES.len()).prop_flat_map(|which| {
        (
            0_u8..12,
            Just(which),
            value(which),
            0_i64..30,
            any::<bool>(),
        )
    })
}

fn message(said: &[Said]) -> Accepted {
    let updates = said.iter().map(|(number, which, value, at, _)| Update {
        entity_id: id(*number),
        entity_type: TypeName::new(["A", "B", "C"][usize::from(number % 3)]).unwrap(),
        attributes: vec![AttributeUpdate {
            name: AttributeName::new(NAMES[*which]).unwrap(),
            value: value.clone(),
            unit: (*which == 0).then(|| if at % 2 == 0 { "MTR" } else { "CMT" }.to_owned()),
            observed_at: Timestamp::from_seconds(*at),
            quality: Quality::Good,
        }],
    });
    let (number, _, _, at, through) = &said[0];
    Accepted {
        door: "mqtt".into(),
        device_id: through.then(|| DeviceId::new(id(*number % 5).as_str()).unwrap()),
        address: String::new(),
        received_at: Timestamp::from_seconds(*at + 5),
        raw: Vec::new(),
        updates: updates.collect(),
        retain: false,
    }
}

fn everything(twin: &Twin) -> Vec<Entity> {
    let all = Filter {
        limit: usize::MAX,
        ..Filter::default()
    };
    twin.query(&all).items
}

/// Through pages of `limit`; the whole answer.
fn paged(twin: &Twin, filter: &Filter, limit: usize) -> Vec<Entity> {
    let mut filter = Filter {
        limit,
        ..filter.clone()
    };
    let mut all = Vec::new();
    loop {
        let page = twin.query(&filter);
        assert!(page.items.len() <= limit);
        all.extend(page.items);
        let Some(next) = page.next else {
            return all;
        };
        filter.after = Some(next.to_string());
    }
}

fn compares(entity: &Entity, condition: &Condition) -> bool {
    let Some(attribute) = entity.attribute(&condition.attribute) else {
        return false;
    };
    let (known, wanted) = (attribute.value.to_value(), &condition.value);
    let numbers = known.as_number().zip(wanted.as_number());
    match condition.comparison {
        Comparison::Equal => known == *wanted,
        Comparison::NotEqual => known != *wanted,
        Comparison::Less => numbers.is_some_and(|(a, b)| a < b),
        Comparison::AtMost => numbers.is_some_and(|(a, b)| a <= b),
        Comparison::Greater => numbers.is_some_and(|(a, b)| a > b),
        Comparison::AtLeast => numbers.is_some_and(|(a, b)| a >= b),
    }
}

/// Asks for everything that an index answers, and compares with a look at every entity.
fn check(twin: &Twin) {
    let all = everything(twin);
    assert!(all.is_sorted_by(|a, b| a.id < b.id), "by id, each once");
    let compare = |what: &str, filter: Filter, fits: &dyn Fn(&Entity) -> bool| {
        let scanned: Vec<&EntityId> = all.iter().filter(|e| fits(e)).map(|e| &e.id).collect();
        for limit in [1, 2, 5, usize::MAX] {
            let found = paged(twin, &filter, limit);
            let found: Vec<&EntityId> = found.iter().map(|e| &e.id).collect();
            assert_eq!(found, scanned, "{what}, pages of {limit} of {all:?}");
        }
    };
    for name in ["A", "B", "C", "None"] {
        let types = vec![name.to_owned()];
        let filter = Filter {
            types,
            ..Filter::default()
        };
        compare(name, filter, &|e| e.entity_type.as_str() == name);
        let counted = all
            .iter()
            .filter(|e| e.entity_type.as_str() == name)
            .count();
        assert_eq!(twin.counts().get(name).copied().unwrap_or(0), counted);
    }
    let values = [
        ("level", Value::Number(1.0)),
        ("level", Value::Number(0.0)),
        ("level", Value::Number(f64::NAN)),
        ("level", Value::Text("ab".into())),
        ("state", Value::Text("off".into())),
        ("state", Value::Text("maintenance".into())),
        ("state", Value::Boolean(true)),
        ("state", Value::Json("\"a\"".into())),
        ("state", Value::Deleted),
        ("name", Value::Text("站".into())),
    ];
    let comparisons = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Greater,
        Comparison::AtLeast,
    ];
    for (attribute, value) in values {
        for comparison in comparisons {
            let condition = Condition {
                attribute: attribute.into(),
                comparison,
                value: value.clone(),
            };
            let conditions = vec![condition.clone()];
            let filter = Filter {
                conditions,
                ..Filter::default()
            };
            compare("a condition", filter, &|e| compares(e, &condition));
        }
    }
    for bbox in [
        [-1.0, -1.0, 0.0, 0.4],
        [0.3, 0.3, 0.4, 0.4],
        [-2.0, -2.0, 2.0, 2.0],
    ] {
        let [west, south, east, north] = bbox;
        let filter = Filter {
            bbox: Some(bbox),
            ..Filter::default()
        };
        compare("space", filter, &|e| {
            let place = e.attribute("location").map(|a| a.value);
            matches!(place, Some(ValueRef::Point([lon, lat]))
                if west <= lon && lon <= east && south <= lat && lat <= north)
        });
    }
    for target in 0..12 {
        for through in [None, Some("partOf"), Some("seenBy"), Some("unheardOf")] {
            let relation = Relation {
                target: id(target),
                through: through.map(str::to_owned),
            };
            let filter = Filter {
                relation: Some(relation),
                ..Filter::default()
            };
            compare("relation", filter, &|e| {
                e.attributes().any(|(name, a)| {
                    a.value == ValueRef::Relationship(&id(target))
                        && through.is_none_or(|through| name.as_str() == through)
                })
            });
        }
    }
    for seconds in [0, 10, 20, 34, 40] {
        let time = Timestamp::from_seconds(seconds);
        let filter = Filter {
            modified_since: Some(time),
            ..Filter::default()
        };
        compare("time of change", filter, &|e| e.modified_at >= time);
    }
    for position in 0..=twin.position() {
        let mut scanned: Vec<&Entity> = all.iter().filter(|e| e.changed >= position).collect();
        scanned.sort_by_key(|e| e.changed);
        let (mut from, mut told) = (position, Vec::new());
        while from < twin.position() {
            let step = twin.changes_since(from, 2);
            assert!(!step.missed && step.position > from);
            told.extend(step.ids);
            from = step.position;
        }
        let mut expected: Vec<(u64, &EntityId)> =
            scanned.iter().map(|e| (e.changed, &e.id)).collect();
        let changed = |id: &EntityId| twin.get(id).unwrap().changed;
        let positions: Vec<u64> = told.iter().map(changed).collect();
        assert!(positions.is_sorted(), "in the order of change");
        let mut told: Vec<(u64, &EntityId)> = positions.into_iter().zip(&told).collect();
        expected.sort();
        told.sort();
        assert_eq!(told, expected, "changed since {position}");
    }
    for entity in &all {
        assert_eq!(
            format!("{:?}", twin.get(&entity.id).unwrap()),
            format!("{entity:?}")
        );
    }
}

proptest! {
    #[test]
    fn every_index_answers_as_a_look_at_every_entity(
        messages in proptest::collection::vec(proptest::collection::vec(said(), 1..4), 1..60),
        restores in proptest::collection::vec(0_usize..60, 0..3),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("twin.bin");
        let whole = Twin::new(&options());
        let mut restored = Twin::new(&options());
        for (n, said) in messages.iter().enumerate() {
            if restores.contains(&n) {
                restored.checkpoint(&path).unwrap();
                restored = Twin::restore_with(&path, &options()).unwrap();
            }
            whole.apply(n as u64, &message(said));
            restored.apply(n as u64, &message(said));
        }
        check(&whole);
        check(&restored);
        let shown = |twin: &Twin| format!("{:?}", everything(twin));
        prop_assert_eq!(shown(&whole), shown(&restored));
    }
}

/// Many entities with random changes, so that blocks, runs and trees split and shrink.
#[test]
fn the_indexes_hold_at_sizes_that_split_them() {
    let twin = Twin::new(&options());
    let name = |n: u64| EntityId::new(format!("urn:n:{:06}", n * 7919 % 10_007)).unwrap();
    let mut position = 0;
    let mut say = |n: u64, level: f64| {
        let mut said = message(&[(0, 0, Value::Number(level), position as i64, false)]);
        said.updates[0].entity_id = name(n);
        said.received_at = Timestamp::from_seconds(position as i64);
        twin.apply(position, &said);
        position += 1;
    };
    for n in 0..10_000 {
        say(n, n as f64);
    }
    // One half changes often, a tenth again and again.
    for turn in 0..40_000_u64 {
        let n = turn * 31 % if turn % 3 == 0 { 1_000 } else { 5_000 };
        say(n, (turn % 997) as f64);
    }
    let all = everything(&twin);
    assert_eq!(all.len(), 10_000);
    assert!(all.is_sorted_by(|a, b| a.id < b.id));
    for since in [0, 5_000, 10_000, 30_000, 49_000, 50_000] {
        let scanned = all.iter().filter(|e| e.changed >= since).count();
        assert_eq!(twin.changes_since(since, usize::MAX).ids.len(), scanned);
        let filter = Filter {
            modified_since: Some(Timestamp::from_seconds(since as i64)),
            ..Filter::default()
        };
        assert_eq!(paged(&twin, &filter, 100).len(), scanned);
    }
    let least = Value::Number(5_990.0);
    let condition = Condition {
        attribute: "level".into(),
        comparison: Comparison::AtLeast,
        value: least,
    };
    let scanned = all.iter().filter(|e| compares(e, &condition)).count();
    let filter = Filter {
        conditions: vec![condition],
        ..Filter::default()
    };
    assert!(scanned > 1_000);
    assert_eq!(paged(&twin, &filter, 7).len(), scanned);
    let memory = twin.memory();
    assert!(
        memory.change_bytes < 10_000 * 80,
        "stale entries go: {memory:?}"
    );
}

/// Entities that fit throughout are seen exactly once, however the data changes while pages are read.
#[test]
fn pages_see_each_entity_once_while_data_changes() {
    let twin = Twin::new(&options());
    let stays = |n: u64| n.is_multiple_of(2);
    let name = |n: u64| EntityId::new(format!("urn:n:{:05}", n * 7919 % 20_011)).unwrap();
    let said = |n: u64, position: u64, level: f64| {
        let mut said = message(&[(0, 0, Value::Number(level), position as i64, false)]);
        said.updates[0].entity_id = name(n);
        said.updates[0].attributes.push(AttributeUpdate {
            name: AttributeName::new("location").unwrap(),
            value: Value::Geometry(Geometry::Point {
                lon: level / 1e4,
                lat: 0.5,
            }),
            unit: None,
            observed_at: Timestamp::from_seconds(position as i64),
            quality: Quality::Good,
        });
        said
    };
    for n in 0..2_000 {
        twin.apply(n, &said(n, n, if stays(n) { 500.0 } else { 0.0 }));
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut position = 2_000;
            while !done.load(Ordering::Relaxed) {
                // Those that stay move about within what is asked for; the others come and go; new ones come.
                let n = position * 13 % 3_000;
                let level = if n < 2_000 && stays(n) {
                    500.0 + (position % 400) as f64
                } else {
                    (position % 2 * 600) as f64
                };
                twin.apply(position, &said(n, position, level));
                position += 1;
            }
        });
        let least = Condition {
            attribute: "level".into(),
            comparison: Comparison::AtLeast,
            value: Value::Number(500.0),
        };
        let filters = [
            Filter::default(),
            Filter {
                conditions: vec![least],
                ..Filter::default()
            },
            Filter {
                bbox: Some([0.05, 0.0, 0.1, 1.0]),
                ..Filter::default()
            },
            Filter {
                types: vec!["A".into()],
                ..Filter::default()
            },
        ];
        for (turn, filter) in filters.iter().cycle().take(40).enumerate() {
            let seen = paged(&twin, filter, 10 + turn);
            let in_order = seen.is_sorted_by(|a, b| a.id < b.id);
            let missing = (0..2_000)
                .filter(|n| stays(*n))
                .map(name)
                .find(|wanted| seen.binary_search_by(|e| e.id.cmp(wanted)).is_err());
            if !in_order || missing.is_some() {
                done.store(true, Ordering::Relaxed);
                panic!("{filter:?}: in order {in_order}, missing {missing:?}");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// A checkpoint taken while messages go on is the state at one position, wherever that was.
#[test]
fn a_checkpoint_is_one_position_while_messages_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("twin.bin");
    let said = |position: u64| {
        let which = (position * 7 % 5) as usize;
        let value = match which {
            0 => Value::Number(position as f64),
            1 => Value::Text(format!("text {position}")),
            2 => Value::Geometry(Geometry::Point {
                lon: (position % 90) as f64,
                lat: 1.0,
            }),
            _ => Value::Relationship(id((position % 12) as u8)),
        };
        let value = if position.is_multiple_of(11) {
            Value::Deleted
        } else {
            value
        };
        let mut said = message(&[(0, which, value, position as i64, position.is_multiple_of(2))]);
        said.updates[0].entity_id =
            EntityId::new(format!("urn:n:{:03}", position * 31 % 700)).unwrap();
        said
    };
    let twin = Twin::new(&options());
    let mut position = 0;
    while position < 700 {
        twin.apply(position, &said(position));
        position += 1;
    }
    for _ in 0..5 {
        let done = AtomicBool::new(false);
        let end = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut position = position;
                while !done.load(Ordering::Relaxed) {
                    twin.apply(position, &said(position));
                    position += 1;
                }
                position
            });
            let written = twin.checkpoint(&path);
            done.store(true, Ordering::Relaxed);
            written.unwrap();
            writer.join().unwrap()
        });
        let restored = Twin::restore_with(&path, &options()).unwrap();
        let replayed = Twin::new(&options());
        for position in 0..restored.position() {
            replayed.apply(position, &said(position));
        }
        assert!(
            everything(&restored) == everything(&replayed),
            "at {}",
            restored.position()
        );
        // And the tail on it is the state that went on.
        for position in restored.position()..end {
            restored.apply(position, &said(position));
        }
        assert!(everything(&restored) == everything(&twin), "at {end}");
        assert!((position..=end).contains(&restored.position()));
        position = end;
    }
}
