//! The twin's laws and answers.

use model::{
    Accepted, AttributeName, AttributeUpdate, EntityId, Geometry, Quality, Timestamp, TypeName,
    Update, Value,
};
use proptest::prelude::*;
use twin::{CheckpointError, Comparison, Condition, Filter, Twin, ValueRef};

fn message(id: u8, attribute: &str, value: Value, at: i64) -> Accepted {
    let observed_at = Timestamp::from_seconds(at);
    Accepted {
        door: "mqtt".into(),
        device_id: None,
        address: "t".into(),
        received_at: Timestamp::from_seconds(at),
        raw: vec![],
        updates: vec![Update {
            entity_id: EntityId::new(format!("urn:x:{id:03}")).unwrap(),
            entity_type: TypeName::new(if id.is_multiple_of(2) { "Even" } else { "Odd" }).unwrap(),
            attributes: vec![AttributeUpdate {
                name: AttributeName::new(attribute).unwrap(),
                value,
                unit: Some("MTR".into()),
                observed_at,
                quality: Quality::Good,
            }],
        }],
        retain: false,
    }
}

fn ids(twin: &Twin, filter: &Filter) -> Vec<String> {
    twin.query(filter)
        .items
        .iter()
        .map(|e| e.id.to_string())
        .collect()
}

fn everything(twin: &Twin) -> Vec<twin::Entity> {
    twin.query(&Filter {
        limit: usize::MAX,
        ..Filter::default()
    })
    .items
}

#[test]
fn an_older_observation_does_not_replace_a_newer_one() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", Value::Number(2.0), 100));
    twin.apply(1, &message(1, "level", Value::Number(1.0), 50));
    let entity = twin.get(&EntityId::new("urn:x:001").unwrap()).unwrap();
    let level = entity.attribute("level").unwrap();
    assert_eq!((level.value, level.position), (ValueRef::Number(2.0), 0));
    assert_eq!(twin.position(), 2);
}

#[test]
fn a_position_is_taken_once() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", Value::Number(1.0), 1));
    twin.apply(0, &message(1, "level", Value::Number(9.0), 2));
    let level = everything(&twin)[0]
        .attribute("level")
        .unwrap()
        .value
        .as_number();
    assert_eq!(level, Some(1.0));
}

#[test]
fn pages_types_text_and_conditions() {
    let twin = Twin::default();
    for id in 0..10 {
        twin.apply(
            u64::from(id),
            &message(id, "level", Value::Number(f64::from(id)), 1),
        );
    }
    let first = twin.query(&Filter {
        types: vec!["Even".into()],
        limit: 3,
        ..Filter::default()
    });
    assert_eq!(first.items.len(), 3);
    let rest = Filter {
        types: vec!["Even".into()],
        limit: 3,
        after: first.next.map(|n| n.to_string()),
        ..Filter::default()
    };
    assert_eq!(ids(&twin, &rest), ["urn:x:006", "urn:x:008"]);
    assert!(twin.query(&rest).next.is_none());
    let high = Condition {
        attribute: "level".into(),
        comparison: Comparison::AtLeast,
        value: Value::Number(8.0),
    };
    assert_eq!(
        ids(
            &twin,
            &Filter {
                conditions: vec![high],
                limit: 9,
                ..Filter::default()
            }
        ),
        ["urn:x:008", "urn:x:009"]
    );
    assert_eq!(
        ids(
            &twin,
            &Filter {
                text: Some("X:003".into()),
                limit: 9,
                ..Filter::default()
            }
        ),
        ["urn:x:003"]
    );
    assert!(
        ids(
            &twin,
            &Filter {
                types: vec!["None".into()],
                limit: 9,
                ..Filter::default()
            }
        )
        .is_empty()
    );
    assert_eq!(twin.counts()["Even"], 5);
}

#[test]
fn an_entity_that_moves_is_found_where_it_is() {
    let twin = Twin::default();
    let at = |lon, lat| Value::Geometry(Geometry::Point { lon, lat });
    let within = |bbox| {
        ids(
            &twin,
            &Filter {
                bbox: Some(bbox),
                limit: 9,
                ..Filter::default()
            },
        )
    };
    twin.apply(0, &message(1, "location", at(113.1, 30.6), 1));
    assert_eq!(within([113.0, 30.5, 113.2, 30.7]), ["urn:x:001"]);
    twin.apply(1, &message(1, "location", at(112.0, 30.6), 2));
    assert!(within([113.0, 30.5, 113.2, 30.7]).is_empty());
    assert_eq!(within([111.9, 30.5, 112.1, 30.7]), ["urn:x:001"]);
}

#[test]
fn damage_of_a_checkpoint_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("twin.bin");
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", Value::Number(1.0), 1));
    twin.checkpoint(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 0x40;
        std::fs::write(&path, &bad).unwrap();
        assert!(Twin::restore(&path).is_err(), "byte {byte}");
    }
    for length in 0..good.len() {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(Twin::restore(&path).is_err(), "cut at {length}");
    }
    std::fs::write(&path, [7]).unwrap();
    assert!(matches!(
        Twin::restore(&path),
        Err(CheckpointError::Version(7))
    ));
}

#[test]
fn what_is_taken_away_does_not_come_back_with_a_late_older_value() {
    let twin = Twin::default();
    let id = EntityId::new("urn:x:001").unwrap();
    let names = |twin: &Twin| -> Vec<String> {
        let entity = twin.get(&id).unwrap();
        entity
            .attributes()
            .map(|(name, _)| name.to_string())
            .collect()
    };
    let at = Value::Geometry(Geometry::Point { lon: 1.0, lat: 2.0 });
    twin.apply(0, &message(1, "level", Value::Number(1.0), 10));
    twin.apply(1, &message(1, "location", at, 10));
    twin.apply(2, &message(1, "level", Value::Deleted, 5));
    assert_eq!(names(&twin), ["level", "location"], "older than the value");
    twin.apply(3, &message(1, "level", Value::Deleted, 20));
    twin.apply(4, &message(1, "location", Value::Deleted, 20));
    assert!(names(&twin).is_empty());
    assert_eq!(twin.get(&id).unwrap().location(), None);
    twin.apply(5, &message(1, "level", Value::Number(2.0), 19));
    assert!(names(&twin).is_empty(), "older than the deletion");
    twin.apply(6, &message(1, "level", Value::Number(3.0), 21));
    assert_eq!(names(&twin), ["level"]);
    let world = Filter {
        bbox: Some([-180.0, -90.0, 180.0, 90.0]),
        limit: 9,
        ..Filter::default()
    };
    assert!(ids(&twin, &world).is_empty());
}

#[test]
fn text_is_found_in_ids_and_names_whatever_the_case() {
    let twin = Twin::default();
    let name = Value::Text("汉北河 Gauge ÄÖ".into());
    twin.apply(0, &message(1, "name", name, 1));
    twin.apply(1, &message(2, "other", Value::Text("gauge".into()), 1));
    let found = |text: &str| {
        let filter = Filter {
            text: Some(text.into()),
            limit: 9,
            ..Filter::default()
        };
        ids(&twin, &filter).len()
    };
    assert_eq!((found("汉北"), found("gAUGE"), found("äö")), (1, 1, 1));
    assert_eq!((found("URN:"), found("天门")), (2, 0));
}

#[test]
fn an_answer_does_not_change_while_the_twin_goes_on() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", Value::Number(1.0), 1));
    let before = everything(&twin);
    let kept = before.clone();
    twin.apply(1, &message(1, "level", Value::Number(2.0), 2));
    twin.apply(2, &message(1, "other", Value::Number(3.0), 2));
    assert_eq!(before, kept);
    assert_eq!(before[0].attributes().len(), 1);
    assert_eq!(everything(&twin)[0].attributes().len(), 2);
}

#[test]
fn doubtful_values_are_current_and_keep_their_quality() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", Value::Number(2.0), 100));
    let mut doubtful = message(1, "level", Value::Number(99.0), 200);
    doubtful.updates[0].attributes[0].quality = Quality::OutOfRange;
    twin.apply(1, &doubtful);
    let entity = twin.get(&EntityId::new("urn:x:001").unwrap()).unwrap();
    let level = entity.attribute("level").unwrap();
    assert_eq!(
        (level.value, level.quality),
        (ValueRef::Number(99.0), Quality::OutOfRange)
    );
}

#[test]
fn changes_are_told_by_the_last_change_of_each_entity() {
    let twin = Twin::default();
    for (position, id) in [(0, 1), (1, 2), (2, 1), (5, 3)] {
        twin.apply(position, &message(id, "level", Value::Number(1.0), 1));
    }
    let texts = |changes: &twin::Changes| -> Vec<String> {
        changes.ids.iter().map(ToString::to_string).collect()
    };
    let all = twin.changes_since(0, 100);
    assert_eq!(texts(&all), ["urn:x:002", "urn:x:001", "urn:x:003"]);
    assert_eq!((all.position, all.missed), (6, false));
    assert_eq!(
        texts(&twin.changes_since(2, 100)),
        ["urn:x:001", "urn:x:003"]
    );
    let none = twin.changes_since(all.position, 100);
    assert_eq!((none.ids.len(), none.position, none.missed), (0, 6, false));
    // Of which types they are; of more than asked for, any.
    let types = |positions, limit| twin.types_within(positions, limit).map(|types| types.len());
    assert_eq!((types(0..6, 3), types(0..6, 2)), (Some(2), None));
    // What changed at 0 has changed since; nothing did at 3 and 4.
    assert_eq!(
        (types(0..1, 9), types(3..5, 0), types(3..6, 0)),
        (Some(0), Some(0), None)
    );
    // In steps of one: nothing is left out, whatever the limit, and what changes meanwhile comes again.
    let (mut position, mut told) = (0, Vec::new());
    while position < twin.position() {
        let step = twin.changes_since(position, 1);
        assert!(step.position > position && !step.missed);
        told.extend(texts(&step));
        position = step.position;
        if told.len() == 1 {
            twin.apply(6, &message(2, "level", Value::Number(2.0), 2));
        }
    }
    let expected = ["urn:x:002", "urn:x:001", "urn:x:003", "urn:x:002"];
    assert_eq!(told, expected);
    // All entities of one message come together, whatever the limit.
    let mut both = message(4, "level", Value::Number(1.0), 1);
    both.updates
        .extend(message(5, "level", Value::Number(1.0), 1).updates);
    twin.apply(7, &both);
    assert_eq!(texts(&twin.changes_since(7, 1)), ["urn:x:004", "urn:x:005"]);
}

#[test]
fn a_restored_twin_knows_what_changed_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("twin.bin");
    let twin = Twin::restore(&path).unwrap();
    assert_eq!((twin.position(), twin.counts().len()), (0, 0), "no file");
    twin.apply(0, &message(1, "level", Value::Number(1.0), 1));
    twin.apply(1, &message(1, "level", Value::Deleted, 2));
    twin.checkpoint(&path).unwrap();
    let restored = Twin::restore(&path).unwrap();
    assert_eq!(restored.changes_since(1, 9), twin.changes_since(1, 9));
    assert_eq!(restored.changes_since(1, 9).ids.len(), 1);
}

#[test]
fn a_condition_on_no_attributes_name_fits_nothing() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", Value::Number(1.0), 1));
    let filter = |attribute: &str| Filter {
        conditions: vec![Condition {
            attribute: attribute.into(),
            comparison: Comparison::NotEqual,
            value: Value::Number(7.0),
        }],
        limit: 9,
        ..Filter::default()
    };
    assert_eq!(ids(&twin, &filter("level")).len(), 1);
    assert!(ids(&twin, &filter("0 no name")).is_empty());
    assert!(ids(&twin, &filter("other")).is_empty());
}

#[test]
fn a_place_that_is_no_number_is_no_place() {
    let twin = Twin::default();
    let nowhere = Value::Geometry(Geometry::Point {
        lon: f64::NAN,
        lat: 1.0,
    });
    twin.apply(0, &message(1, "location", nowhere, 1));
    let entity = twin.get(&EntityId::new("urn:x:001").unwrap()).unwrap();
    assert_eq!(entity.location(), None);
}

/// What the fixtures of every version hold.
fn fixture_twin() -> Twin {
    let twin = Twin::default();
    let mut first = message(1, "level", Value::Number(28.31), 1_790_000_000);
    first.device_id = Some(model::DeviceId::new("urn:ngsi-ld:Device:1").unwrap());
    twin.apply(0, &first);
    let place = Value::Geometry(Geometry::Point {
        lon: 113.16,
        lat: 30.65,
    });
    let steps = [
        ("location", place),
        ("name", Value::Text("竟陵".into())),
        ("open", Value::Boolean(true)),
        ("extra", Value::Json("{\"a\":1}".into())),
        ("old", Value::Deleted),
    ];
    for (n, (name, value)) in steps.into_iter().enumerate() {
        twin.apply(n as u64 + 1, &message(2, name, value, 1_790_000_001));
    }
    twin.advance(40);
    twin
}

#[test]
fn every_version_stays_readable() {
    // Each was written by the program of its time; never change a fixture, add another beside it.
    for version in ["v1", "v2"] {
        let name = format!("fixtures/twin-{version}.bin");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let twin = Twin::restore(&path).unwrap();
        let shown = |twin: &Twin| -> Vec<String> {
            let shown = |entity: &twin::Entity| {
                let attributes: Vec<_> = entity.attributes().collect();
                format!("{} {:?} {attributes:?}", entity.id, entity.location())
            };
            everything(twin).iter().map(shown).collect()
        };
        assert_eq!(shown(&twin), shown(&fixture_twin()), "{version}");
        assert_eq!(twin.position(), 40);
        // What was taken away is remembered too.
        twin.apply(41, &message(2, "old", Value::Number(1.0), 1_790_000_000));
        assert_eq!(shown(&twin), shown(&fixture_twin()), "{version}");
        // Version 1 did not say when entities changed.
        assert_eq!(twin.changes_since(0, 9).missed, version == "v1");
        assert!(!twin.changes_since(40, 9).missed);
    }
}

#[test]
fn version_2_is_what_is_written() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/twin-v2.bin");
    let dir = tempfile::tempdir().unwrap();
    let written = dir.path().join("twin.bin");
    fixture_twin().checkpoint(&written).unwrap();
    let same = std::fs::read(&written).unwrap() == std::fs::read(&path).unwrap_or_default();
    if !same {
        panic!(
            "the format changed; what was written is in {}",
            dir.keep().display()
        );
    }
}

proptest! {
    #[test]
    fn a_checkpoint_and_the_tail_equal_replay_from_zero(
        steps in proptest::collection::vec((0_u8..6, 0_usize..3, -5.0_f64..5.0, 0_i64..20, 0_u8..5), 1..60),
        cut in 0_usize..60,
        batch in 1_usize..9,
    ) {
        let messages: Vec<(u64, Accepted)> = steps
            .iter()
            .enumerate()
            .map(|(n, &(id, which, number, at, kind))| {
                let value = if kind == 0 { Value::Deleted } else if which == 2 { Value::Geometry(Geometry::Point { lon: number, lat: number }) } else { Value::Number(number) };
                (n as u64, message(id, ["a", "b", "location"][which], value, at))
            })
            .collect();
        let whole = Twin::default();
        for (position, accepted) in &messages {
            whole.apply(*position, accepted);
        }
        let cut = cut.min(messages.len());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("twin.bin");
        let early = Twin::default();
        early.apply_batch(&messages[..cut]);
        early.checkpoint(&path).unwrap();
        let resumed = Twin::restore(&path).unwrap();
        // From zero again: what is in the checkpoint already changes nothing.
        for chunk in messages.chunks(batch) {
            resumed.apply_batch(chunk);
        }
        prop_assert_eq!(everything(&whole), everything(&resumed));
        prop_assert_eq!(whole.position(), resumed.position());
        let world = Filter { bbox: Some([-9.0, -9.0, 9.0, 9.0]), limit: 99, ..Filter::default() };
        prop_assert_eq!(ids(&whole, &world), ids(&resumed, &world));
    }
}
