//! Corrections in the current state: what is known now gives way when it is the observation superseded; all else
//! stays. And the law: a checkpoint and the tail equal replay from zero.

use model::{
    Accepted, AttributeName, AttributeUpdate, Corrected, Corrector, EntityId, Geometry, Quality,
    Timestamp, TypeName, Update, Value,
};
use proptest::prelude::*;
use twin::{Filter, Twin, ValueRef};

const NAMES: [&str; 2] = ["level", "location"];

fn entity(id: u8) -> EntityId {
    EntityId::new(format!("urn:x:{id:03}")).unwrap()
}

fn value(attribute: &str, number: f64) -> Value {
    match attribute {
        "location" => Value::Geometry(Geometry::Point {
            lon: number,
            lat: number,
        }),
        _ => Value::Number(number),
    }
}

fn message(id: u8, attribute: &str, number: f64, at: i64) -> Accepted {
    Accepted {
        door: "mqtt".into(),
        device_id: None,
        address: "t".into(),
        received_at: Timestamp::from_seconds(at),
        raw: vec![],
        updates: vec![Update {
            entity_id: entity(id),
            entity_type: TypeName::new("T").unwrap(),
            attributes: vec![AttributeUpdate {
                name: AttributeName::new(attribute).unwrap(),
                value: value(attribute, number),
                unit: Some("MTR".into()),
                observed_at: Timestamp::from_seconds(at),
                quality: Quality::Good,
            }],
        }],
        retain: false,
    }
}

fn correction(id: u8, attribute: &str, supersedes: u64, number: Option<f64>, at: i64) -> Corrected {
    Corrected {
        entity_id: entity(id),
        entity_type: TypeName::new("T").unwrap(),
        attribute: AttributeName::new(attribute).unwrap(),
        observed_at: Timestamp::from_seconds(at),
        supersedes,
        old_value: Value::Deleted,
        old_unit: None,
        old_quality: Quality::Good,
        value: number.map(|number| value(attribute, number)),
        unit: Some("MTR".into()),
        reason: "a test".into(),
        by: Corrector {
            kind: "user".into(),
            id: "1".into(),
            name: "somebody".into(),
            peer: String::new(),
        },
        received_at: Timestamp::from_seconds(1_000),
        raw: vec![],
    }
}

fn level(twin: &Twin) -> Option<(f64, Quality, u64)> {
    let entity = twin.get(&entity(1)).unwrap();
    let level = entity.attribute("level")?;
    Some((level.value.as_number()?, level.quality, level.position))
}

#[test]
fn what_is_known_now_gives_way_to_its_correction() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", 812.0, 100));
    let before = twin.get(&entity(1)).unwrap();
    twin.apply_corrected(1, &correction(1, "level", 0, Some(28.12), 100));
    assert_eq!(level(&twin), Some((28.12, Quality::Corrected, 1)));
    let now = twin.get(&entity(1)).unwrap();
    let attribute = now.attribute("level").unwrap();
    assert_eq!(attribute.observed_at, Timestamp::from_seconds(100));
    assert_eq!(attribute.received_at, Timestamp::from_seconds(1_000));
    assert_eq!(now.changed, 1, "pages that follow hear of it");
    let old = before.attribute("level").unwrap();
    assert_eq!(
        old.value,
        ValueRef::Number(812.0),
        "who looked sees what was"
    );
    // A correction of the correction.
    twin.apply_corrected(2, &correction(1, "level", 1, Some(28.13), 100));
    assert_eq!(level(&twin), Some((28.13, Quality::Corrected, 2)));
    // The next reading is a reading like any other.
    twin.apply(3, &message(1, "level", 29.0, 101));
    assert_eq!(level(&twin), Some((29.0, Quality::Good, 3)));
}

#[test]
fn history_does_not_become_the_present() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", 812.0, 100));
    twin.apply(1, &message(1, "level", 29.0, 101));
    for (at, wrong) in [
        correction(1, "level", 0, Some(28.12), 100),
        correction(1, "level", 0, Some(28.12), 101),
        correction(1, "level", 1, Some(28.12), 100),
        correction(1, "other", 1, Some(28.12), 101),
        correction(2, "level", 1, Some(28.12), 101),
    ]
    .into_iter()
    .enumerate()
    {
        twin.apply_corrected(2 + at as u64, &wrong);
        assert_eq!(level(&twin), Some((29.0, Quality::Good, 1)));
    }
    assert_eq!(twin.position(), 7);
    assert_eq!(twin.get(&entity(1)).unwrap().changed, 1);
    assert!(twin.get(&entity(2)).is_none(), "nothing is made up");
    twin.apply_corrected(6, &correction(1, "level", 1, None, 101));
    assert_eq!(level(&twin), Some((29.0, Quality::Good, 1)), "taken before");
}

#[test]
fn a_withdrawn_value_leaves_nothing_until_something_is_said() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "level", 812.0, 100));
    twin.apply_corrected(1, &correction(1, "level", 0, None, 100));
    assert_eq!(level(&twin), None);
    twin.apply(2, &message(1, "level", 27.0, 99));
    assert_eq!(level(&twin), None, "older than what was withdrawn");
    twin.apply(3, &message(1, "level", 28.0, 100));
    assert_eq!(level(&twin), Some((28.0, Quality::Good, 3)));
}

#[test]
fn a_corrected_place_is_found_where_it_is() {
    let twin = Twin::default();
    twin.apply(0, &message(1, "location", 4.0, 100));
    twin.apply_corrected(1, &correction(1, "location", 0, Some(-4.0), 100));
    let within = |bbox| {
        let filter = Filter {
            bbox: Some(bbox),
            limit: 9,
            ..Filter::default()
        };
        twin.query(&filter).items.len()
    };
    assert_eq!(within([3.0, 3.0, 5.0, 5.0]), 0);
    assert_eq!(within([-5.0, -5.0, -3.0, -3.0]), 1);
}

proptest! {
    #[test]
    fn a_checkpoint_and_the_tail_equal_replay_from_zero(
        steps in proptest::collection::vec((0_u8..3, 0_usize..2, -5.0_f64..5.0, 0_i64..6, 0_u8..6, any::<prop::sample::Index>()), 1..60),
        cut in 0_usize..60,
    ) {
        enum Said { Message(Box<Accepted>), Correction(Box<Corrected>) }
        let mut journal: Vec<(u8, usize, i64, Said)> = Vec::new();
        for (id, which, number, at, kind, earlier) in steps {
            let said = if kind < 3 || journal.is_empty() {
                (id, which, at, Said::Message(Box::new(message(id, NAMES[which], number, at))))
            } else {
                let supersedes = earlier.index(journal.len());
                let (id, which, at, _) = journal[supersedes];
                let number = (kind < 5).then_some(number);
                let corrected = correction(id, NAMES[which], supersedes as u64, number, at);
                (id, which, at, Said::Correction(Box::new(corrected)))
            };
            journal.push(said);
        }
        let follow = |twin: &Twin, from: usize, to: usize| {
            for (position, (.., said)) in journal.iter().enumerate().take(to).skip(from) {
                match said {
                    Said::Message(accepted) => twin.apply(position as u64, accepted),
                    Said::Correction(corrected) => twin.apply_corrected(position as u64, corrected),
                }
            }
        };
        let everything = |twin: &Twin| {
            twin.query(&Filter { limit: usize::MAX, ..Filter::default() }).items
        };
        let whole = Twin::default();
        follow(&whole, 0, journal.len());
        let cut = cut.min(journal.len());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("twin.bin");
        let early = Twin::default();
        follow(&early, 0, cut);
        early.checkpoint(&path).unwrap();
        let resumed = Twin::restore(&path).unwrap();
        // From zero again: what is in the checkpoint already changes nothing.
        follow(&resumed, 0, journal.len());
        prop_assert_eq!(everything(&whole), everything(&resumed));
        prop_assert_eq!(whole.position(), resumed.position());
        let world = Filter { bbox: Some([-9.0, -9.0, 9.0, 9.0]), limit: 99, ..Filter::default() };
        prop_assert_eq!(whole.query(&world).items, resumed.query(&world).items);
    }
}
