//! A question is checked, its statements name their values as parameters, and pages follow one another without a gap.

use super::*;

const FROM: &str = "2026-11-26T08:00:00Z";
const UNTIL: &str = "2026-11-26T09:00:00Z";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-26T12:00:00Z").unwrap()
}

fn query(from: &str, until: &str) -> ReplayQuery {
    ReplayQuery {
        from: from.into(),
        until: until.into(),
        types: None,
        attributes: None,
        after: None,
        limit: None,
    }
}

fn wanted(query: &ReplayQuery) -> Result<Wanted, Problem> {
    let shown = ["waterLevel".to_owned(), "waterLevel".to_owned()];
    Wanted::of(query, &Options::default(), shown.into_iter(), now())
}

fn code(query: &ReplayQuery) -> String {
    wanted(query).unwrap_err().code
}

#[test]
fn a_question_is_checked() {
    assert_eq!(code(&query(UNTIL, FROM)), "replay-order");
    assert_eq!(code(&query(FROM, FROM)), "replay-order");
    assert_eq!(
        code(&query("2026-11-26T00:00:00Z", "2026-11-26T06:00:01Z")),
        "replay-span"
    );
    assert!(wanted(&query("2026-11-26T00:00:00Z", "2026-11-26T06:00:00Z")).is_ok());
    assert_eq!(
        code(&query("2026-11-27T00:00:00Z", "2026-11-27T01:00:00Z")),
        "replay-future"
    );
    assert!(wanted(&query("yesterday", UNTIL)).is_err());
    let many: Vec<String> = (0..21).map(|n| format!("a{n}")).collect();
    let too_many = ReplayQuery {
        attributes: Some(many.join(",")),
        ..query(FROM, UNTIL)
    };
    assert_eq!(code(&too_many), "replay-attributes");
    for broken in ["x", "!!", "e30"] {
        let query = ReplayQuery {
            after: Some(broken.into()),
            ..query(FROM, UNTIL)
        };
        assert_eq!(code(&query), "cursor", "{broken}");
    }
}

#[test]
fn the_place_is_always_among_the_attributes_and_limits_hold() {
    let asked = wanted(&query(FROM, UNTIL)).unwrap();
    assert_eq!(asked.attributes, ["location", "waterLevel"]);
    let asked = wanted(&ReplayQuery {
        attributes: Some(String::new()),
        limit: Some(usize::MAX),
        ..query(FROM, UNTIL)
    })
    .unwrap();
    assert_eq!(asked.attributes, ["location"]);
    assert_eq!(asked.limit, Options::default().changes_max);
}

#[test]
fn what_the_asker_writes_is_never_part_of_a_statement() {
    let asked = ReplayQuery {
        types: Some("WaterObserved".into()),
        attributes: Some("waterLevel".into()),
        ..query(FROM, UNTIL)
    };
    let asked = wanted(&asked).unwrap();
    for (sql, parameters) in [asked.changes(), asked.last_values(Duration::from_mins(5))] {
        assert!(
            !sql.contains("WaterObserved") && !sql.contains("waterLevel"),
            "{sql}"
        );
        assert_eq!(parameters.len(), 5);
        assert!(sql.contains("$5") && !sql.contains("$6"), "{sql}");
    }
}

fn row(at: i64, position: i64, entity: &str) -> Row {
    Row {
        entity: entity.into(),
        attribute: LOCATION.into(),
        entity_type: "Bus".into(),
        value: serde_json::json!({"type": "Point", "coordinates": [113.1, 30.6]}),
        at,
        position,
    }
}

#[test]
fn a_page_ends_with_the_cursor_of_its_last_change() {
    let mut asked = wanted(&query(FROM, UNTIL)).unwrap();
    asked.limit = 2;
    let from = asked.from.micros();
    let rows = vec![
        row(from, 1, "a"),
        row(from + 2_500_000, 2, "b"),
        row(from + 3_000_000, 3, "a"),
    ];
    let (changes, next) = paged(rows, &asked);
    assert_eq!(changes.at_ms, [0, 2_500]);
    assert_eq!(changes.ids, ["a", "b"]);
    assert_eq!(changes.value[0], serde_json::json!([113.1, 30.6]));
    let cursor = Cursor::parse(&next.unwrap()).unwrap();
    assert_eq!(
        (cursor.at, cursor.position, cursor.entity.as_str()),
        (from + 2_500_000, 2, "b")
    );
    asked.after = Some(cursor);
    let (sql, parameters) = asked.changes();
    assert!(
        sql.contains("observed_at > $1 OR journal_position > $5"),
        "{sql}"
    );
    assert_eq!(parameters.len(), 7);
    let (rest, next) = paged(vec![row(from + 3_000_000, 3, "a")], &asked);
    assert_eq!((rest.ids.len(), next), (1, None));
}

#[test]
fn values_come_out_of_history_as_they_went_in() {
    let json = |text: &str| serde_json::json!(text);
    let null = Value::Null;
    assert_eq!(
        value_of(&serde_json::json!(2.5), &null, &null),
        serde_json::json!(2.5)
    );
    assert_eq!(value_of(&null, &json("open"), &null), json("open"));
    assert_eq!(
        value_of(&serde_json::json!(1.0), &json("true"), &null),
        serde_json::json!(true)
    );
    assert_eq!(value_of(&null, &null, &json("[1]")), serde_json::json!([1]));
    assert_eq!(value_of(&null, &null, &null), null);
    assert_eq!(place_of(&serde_json::json!({"coordinates": [1.0]})), None);
    assert_eq!(place_of(&null), None);
}
