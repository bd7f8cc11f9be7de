//! What a question reads by the footers of files: an answer is the same as when every row is read and each condition is
//! asked of it, whatever the rows, files, row groups and pages, corrected rows and rows in memory; and where a condition
//! is known to hold, it is not asked.

use crate::common::{START, ask, message, options, upkeep_all, value};
use lake::{Lake, Options};
use model::{AttributeName, Corrected, Corrector, EntityId, Quality, Timestamp, TypeName, Value};
use proptest::prelude::*;
use serde_json::Value as Json;

/// Longer than what a footer keeps of a text.
const LONG: &str = "a-name-that-goes-on-for-so-long-that-the-footer-keeps-only-its-beginning";

#[derive(Clone, Debug)]
struct Said {
    thing: u8,
    is_flow: bool,
    /// Seconds from the start; late where it is less than before.
    second: u32,
    /// Halves: sums are the same in every order. `None` is a text.
    halves: Option<i8>,
}

#[derive(Clone, Debug)]
enum Step {
    Say(Vec<Said>),
    /// Takes the place of what the message of this number, counted round, said; nothing takes its place when told `None`.
    Correct(usize, Option<i8>),
    Seal,
    Upkeep,
}

fn said() -> impl Strategy<Value = Said> {
    let halves = prop_oneof![5 => any::<i8>().prop_map(Some), 1 => Just(None)];
    // A day and a half: two folders of files.
    (0..14u8, any::<bool>(), 0..129_600u32, halves).prop_map(|(thing, is_flow, second, halves)| {
        Said {
            thing,
            is_flow,
            second,
            halves,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => proptest::collection::vec(said(), 1..120).prop_map(Step::Say),
        2 => (any::<usize>(), proptest::option::of(any::<i8>())).prop_map(|(n, v)| Step::Correct(n, v)),
        3 => Just(Step::Seal),
        2 => Just(Step::Upkeep),
    ]
}

/// Types, and names short and long.
fn entity(thing: u8) -> (&'static str, String) {
    match thing {
        0..5 => ("WaterObserved", format!("station-{thing}")),
        5..10 => ("WaterObserved", format!("{LONG}-{thing}")),
        _ => ("Streetlight", format!("lamp-{thing}")),
    }
}

fn id(thing: u8) -> String {
    let (entity_type, name) = entity(thing);
    format!("urn:ngsi-ld:{entity_type}:{name}")
}

fn attribute(is_flow: bool) -> &'static str {
    if is_flow { "flow" } else { "waterLevel" }
}

fn told(halves: Option<i8>) -> Value {
    match halves {
        Some(halves) => Value::Number(f64::from(halves) / 2.0),
        None => Value::Text("dry".into()),
    }
}

fn time(second: u32) -> Timestamp {
    START.plus_seconds(i64::from(second))
}

/// A lake that came about by steps; how it ends is how much of it lies in memory.
fn filled(dir: &std::path::Path, options: Options, steps: Vec<Step>) -> Lake {
    let lake = Lake::open(dir, options).unwrap();
    let mut all: Vec<(u64, Said)> = Vec::new();
    let mut position = 0;
    for step in steps {
        match step {
            Step::Say(many) => {
                for said in many {
                    let (entity_type, name) = entity(said.thing);
                    let at = time(said.second);
                    let one = value(attribute(said.is_flow), told(said.halves), at);
                    lake.apply(position, &message(entity_type, &name, at, vec![one]));
                    all.push((position, said));
                    position += 1;
                }
            }
            Step::Correct(n, now) => {
                if all.is_empty() {
                    continue;
                }
                let n = n % all.len();
                let (supersedes, said) = all[n].clone();
                let (entity_type, _) = entity(said.thing);
                let corrected = Corrected {
                    entity_id: EntityId::new(id(said.thing)).unwrap(),
                    entity_type: TypeName::new(entity_type).unwrap(),
                    attribute: AttributeName::new(attribute(said.is_flow)).unwrap(),
                    observed_at: time(said.second),
                    supersedes,
                    old_value: told(said.halves),
                    old_unit: said.halves.map(|_| "MTR".into()),
                    old_quality: Quality::Good,
                    value: now.map(|now| told(Some(now))),
                    unit: Some("MTR".into()),
                    reason: "a test".into(),
                    by: Corrector {
                        kind: "user".into(),
                        id: "1".into(),
                        name: "somebody".into(),
                        peer: String::new(),
                    },
                    received_at: time(said.second).plus_seconds(10),
                    raw: Vec::new(),
                };
                lake.apply_corrected(position, &corrected);
                match now {
                    Some(now) => {
                        all[n] = (
                            position,
                            Said {
                                halves: Some(now),
                                ..said
                            },
                        );
                    }
                    None => {
                        all.swap_remove(n);
                    }
                }
                position += 1;
            }
            Step::Seal => {
                lake.seal().unwrap();
            }
            Step::Upkeep => {
                upkeep_all(&lake, START.plus_seconds(7 * 86_400));
            }
        }
    }
    lake
}

fn condition() -> impl Strategy<Value = String> {
    let op = || {
        prop_oneof![
            Just("="),
            Just("<>"),
            Just("<"),
            Just("<="),
            Just(">"),
            Just(">=")
        ]
    };
    let thing = || 0..15u8;
    let at = |second: u32| {
        let micros = time(second).micros();
        format!("to_timestamp_micros({micros})")
    };
    prop_oneof![
        4 => (thing(), thing()).prop_map(|(a, b)| {
            let (a, b) = (id(a).min(id(b)), id(a).max(id(b)));
            format!("entity_id BETWEEN '{a}' AND '{b}'")
        }),
        3 => (op(), thing()).prop_map(|(op, a)| format!("entity_id {op} '{}'", id(a))),
        1 => (op(), thing()).prop_map(|(op, a)| format!("'{}' {op} entity_id", id(a))),
        1 => (thing(), thing()).prop_map(|(a, b)| format!("entity_id IN ('{}', '{}')", id(a), id(b))),
        1 => (thing(), thing()).prop_map(|(a, b)| format!("(entity_id < '{}' OR entity_id > '{}')", id(a), id(b))),
        1 => any::<bool>().prop_map(|is_flow| format!("attribute = '{}'", attribute(is_flow))),
        1 => op().prop_map(|op| format!("entity_type {op} 'Streetlight'")),
        2 => (op(), 0..129_600u32).prop_map(move |(op, second)| format!("observed_at {op} {}", at(second))),
        1 => (op(), 0..600u32).prop_map(|(op, position)| format!("journal_position {op} {position}")),
        1 => (op(), any::<i8>()).prop_map(|(op, v)| format!("value_number {op} {}", f64::from(v) / 2.0)),
        1 => Just("value_text IS NULL".to_owned()),
        1 => Just("entity_id LIKE 'urn:ngsi-ld:WaterObserved:station-%'".to_owned()),
    ]
}

/// What is asked of the rows for which a condition holds, `from` being them.
fn asked(from: &str) -> [String; 6] {
    [
        format!("SELECT * FROM {from} ORDER BY journal_position"),
        format!("SELECT count(*) FROM {from}"),
        format!(
            "SELECT entity_id, attribute, date_bin(INTERVAL '1 hour', observed_at) AS t, count(*), avg(value_number) \
             FROM {from} GROUP BY entity_id, attribute, t ORDER BY 1, 2, 3"
        ),
        // Keys that are missing, a key that is no name and no time, and keys in another order.
        format!(
            "SELECT unit, journal_position % 3 AS third, quality, count(*), sum(value_number) \
             FROM {from} GROUP BY unit, third, quality ORDER BY 1, 2, 3"
        ),
        format!(
            "SELECT value_number, unit, count(*) FROM {from} GROUP BY value_number, unit ORDER BY 1, 2"
        ),
        format!(
            "SELECT min(observed_at), max(entity_id), min(value_number), max(journal_position) FROM {from}"
        ),
    ]
}

fn answers(lake: &Lake, from: &str) -> Vec<Json> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let asked = asked(from);
    let answers = asked.iter().map(|sql| runtime.block_on(ask(lake, sql)));
    answers.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_known_of_row_groups_and_pages_changes_no_answer(
        steps in proptest::collection::vec(step(), 1..12),
        (group, page, most) in (1..40usize, 1..20usize, 40..400usize),
        questions in proptest::collection::vec(proptest::collection::vec(condition(), 1..4), 1..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            row_group_rows: group,
            page_rows: page,
            file_rows_max: most,
            compact_files_min: 2,
            ..options()
        };
        let lake = filled(dir.path(), options, steps);
        for conditions in questions {
            let conditions = conditions.join(" AND ");
            let found = answers(&lake, &format!("(SELECT * FROM observations WHERE {conditions}) AS found"));
            // Past a limit no condition goes down: all rows are read, and each is asked.
            let plain = "(SELECT * FROM observations ORDER BY journal_position LIMIT 1000000)";
            let plain = answers(&lake, &format!("(SELECT * FROM {plain} AS all_rows WHERE {conditions}) AS found"));
            prop_assert_eq!(found, plain, "{}", conditions);
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_of_rows_for_which_it_is_known_to_hold() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        row_group_rows: 16,
        page_rows: 4,
        ..options()
    };
    let say = |thing: u8, n: u32| Said {
        thing,
        is_flow: false,
        second: n,
        halves: Some(1),
    };
    // Ten things with ten rows each, in six row groups of sixteen rows and one of four: those asked for begin with a page and end
    // within one.
    let many = (0..100).map(|n| say((n % 10) as u8, n)).collect();
    let lake = filled(dir.path(), options, vec![Step::Say(many), Step::Seal]);
    let (from, to) = (id(1), id(3));
    let sql = format!(
        "SELECT entity_id, count(*) FROM observations WHERE entity_id BETWEEN '{from}' AND '{to}' GROUP BY entity_id ORDER BY 1"
    );
    let plan = ask(&lake, &format!("EXPLAIN {sql}")).await.to_string();
    let scans = plan
        .split("\\n")
        .filter(|line| line.contains("DataSourceExec"));
    let (asking, plain): (Vec<&str>, Vec<&str>) =
        scans.partition(|scan| scan.contains("predicate="));
    assert_eq!((plain.len(), asking.len()), (1, 1), "{plan}");
    // Numbers stand for the names of things between the halves of a GROUP BY.
    assert!(plan.contains("Swapped: to=Names"), "{plan}");
    let counted = ask(&lake, &sql).await;
    let expected: Vec<Json> = (1..4).map(|n| serde_json::json!([id(n), 10])).collect();
    assert_eq!(counted, Json::from(expected));
}
