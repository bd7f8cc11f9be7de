//! Texts that are stored anew: whoever looks sees the new ones, in memory and from a checkpoint; times, positions and what
//! came meanwhile stay.

use model::{
    Accepted, AttributeName, AttributeUpdate, EntityId, Quality, Timestamp, TypeName, Update, Value,
};
use twin::{Comparison, Condition, Filter, Options, Twin};

fn said(id: u8, text: &str, at: i64) -> Accepted {
    Accepted {
        door: "mqtt".into(),
        device_id: None,
        address: "t".into(),
        received_at: Timestamp::from_seconds(at),
        raw: vec![],
        updates: vec![Update {
            entity_id: EntityId::new(format!("urn:x:{id:03}")).unwrap(),
            entity_type: TypeName::new("T").unwrap(),
            attributes: ["phone", "note"]
                .map(|name| AttributeUpdate {
                    name: AttributeName::new(name).unwrap(),
                    value: Value::Text(text.to_owned()),
                    unit: None,
                    observed_at: Timestamp::from_seconds(at),
                    quality: Quality::Good,
                })
                .into(),
        }],
        retain: false,
    }
}

fn text(twin: &Twin, id: u8, attribute: &str) -> String {
    let entity = twin.get(&EntityId::new(format!("urn:x:{id:03}")).unwrap());
    let entity = entity.unwrap();
    let value = entity.attribute(attribute).unwrap().value;
    value.as_text().unwrap().to_owned()
}

#[test]
fn texts_are_stored_anew_and_nothing_else_changes() {
    let options = Options {
        indexed_attributes: vec![AttributeName::new("phone").unwrap()],
        checkpoint_step_entities: 2,
    };
    let twin = Twin::new(&options);
    for n in 0..5 {
        twin.apply(u64::from(n), &said(n, "old and long enough", i64::from(n)));
    }
    twin.apply(5, &said(5, "old", 5));
    let before = twin.get(&EntityId::new("urn:x:003").unwrap()).unwrap();
    let rewrite = |entity: &str, attribute: &str, text: &str| {
        (attribute == "phone" && entity != "urn:x:001" && text.starts_with("old"))
            .then(|| format!("new of {entity}"))
    };
    assert_eq!(
        twin.rewrite_texts(rewrite),
        4,
        "neither another's nor a short one"
    );
    assert_eq!(twin.rewrite_texts(rewrite), 0);
    assert_eq!(text(&twin, 3, "phone"), "new of urn:x:003");
    assert_eq!(text(&twin, 3, "note"), "old and long enough");
    assert_eq!(text(&twin, 1, "phone"), "old and long enough");
    assert_eq!(
        before.attribute("phone").unwrap().value.as_text(),
        Some("old and long enough")
    );
    let after = twin.get(&EntityId::new("urn:x:003").unwrap()).unwrap();
    assert_eq!(
        (after.changed, after.modified_at),
        (before.changed, before.modified_at)
    );
    assert_eq!(twin.position(), 6);
    let found = |text: &str| {
        let filter = Filter {
            conditions: vec![Condition {
                attribute: "phone".into(),
                comparison: Comparison::Equal,
                value: Value::Text(text.to_owned()),
            }],
            limit: 10,
            ..Filter::default()
        };
        twin.query(&filter).items.len()
    };
    assert_eq!(
        (found("new of urn:x:004"), found("old and long enough")),
        (1, 1)
    );

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    twin.checkpoint(&path).unwrap();
    let again = Twin::restore(&path).unwrap();
    assert_eq!(text(&again, 0, "phone"), "new of urn:x:000");
    // What is said afterwards holds as ever.
    again.apply(6, &said(0, "said later on", 9));
    assert_eq!(text(&again, 0, "phone"), "said later on");
}
