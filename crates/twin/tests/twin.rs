//! The twin's laws and answers.

use model::{
    Accepted, AttributeName, AttributeUpdate, EntityId, Geometry, Quality, Timestamp, TypeName,
    Update, Value,
};
use proptest::prelude::*;
use twin::{CheckpointError, Comparison, Condition, Filter, Twin};

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
            entity_type: TypeName::new(if id % 2 == 0 { "Even" } else { "Odd" }).unwrap(),
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
    let level = entity.attributes.values().next().unwrap();
    assert_eq!((&level.value, level.position), (&Value::Number(2.0), 0));
    assert_eq!(twin.position(), 2);
}

#[test]
fn a_position_is_taken_once() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", Value::Number(1.0), 1));
    twin.apply(0, &message(1, "level", Value::Number(9.0), 2));
    assert_eq!(
        everything(&twin)[0]
            .attributes
            .values()
            .next()
            .unwrap()
            .value,
        Value::Number(1.0)
    );
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
    std::fs::write(&path, [7]).unwrap();
    assert!(matches!(
        Twin::restore(&path),
        Err(CheckpointError::Version(7))
    ));
}

proptest! {
    #[test]
    fn a_checkpoint_and_the_tail_equal_replay_from_zero(
        steps in proptest::collection::vec((0_u8..6, 0_usize..3, -5.0_f64..5.0, 0_i64..20), 1..60),
        cut in 0_usize..60,
        batch in 1_usize..9,
    ) {
        let messages: Vec<(u64, Accepted)> = steps
            .iter()
            .enumerate()
            .map(|(n, &(id, which, number, at))| {
                let value = if which == 2 { Value::Geometry(Geometry::Point { lon: number, lat: number }) } else { Value::Number(number) };
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
