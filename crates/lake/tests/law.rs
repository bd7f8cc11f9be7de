//! The law of a projection: however the journal is cut into batches, seals, upkeep and restarts, the
//! tables are the same.

use crate::common::{START, ask, level, rolling};
use lake::{Lake, check};
use proptest::prelude::*;

const MESSAGES: u64 = 120;

#[derive(Clone, Debug)]
enum Step {
    /// Take so many messages more.
    Apply(u64),
    Seal,
    /// Look after the files, once.
    Upkeep,
    /// Stop, start, and replay from the sealed position.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..40u64).prop_map(Step::Apply),
        2 => Just(Step::Seal),
        3 => Just(Step::Upkeep),
        1 => Just(Step::Restart),
    ]
}

/// Every seventh message was not understood: its position is not the lake's.
fn apply(lake: &Lake, from: u64, to: u64) {
    for position in from..to {
        if position % 7 != 3 {
            lake.apply(position, &level(position));
        }
    }
}

fn table(lake: &Lake) -> serde_json::Value {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ask = |sql| runtime.block_on(ask(lake, sql));
    serde_json::json!([
        ask("SELECT * FROM observations ORDER BY journal_position"),
        ask(
            "SELECT entity_id, bucket_start, count, min, max, round(mean, 6), last, last_position, unit \
             FROM observations_1m ORDER BY 1, 2"
        ),
        ask("SELECT bucket_start, sum(count) FROM observations_1d GROUP BY 1 ORDER BY 1"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_table_does_not_depend_on_how_it_came_about(steps in proptest::collection::vec(step(), 0..30)) {
        let plain = tempfile::tempdir().unwrap();
        let expected = Lake::open(plain.path(), rolling()).unwrap();
        apply(&expected, 0, MESSAGES);

        let dir = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(dir.path(), rolling()).unwrap();
        let mut reached = 0;
        // All folders are quiet by then, and replaced files old enough to go.
        let later = START.plus_seconds(7 * 86_400);
        for step in steps {
            match step {
                Step::Apply(count) => {
                    let to = MESSAGES.min(reached + count);
                    apply(&lake, reached, to);
                    reached = to;
                }
                Step::Seal => {
                    lake.seal().unwrap();
                }
                Step::Upkeep => {
                    lake.upkeep(later).unwrap();
                }
                Step::Restart => {
                    drop(lake);
                    lake = Lake::open(dir.path(), rolling()).unwrap();
                    apply(&lake, lake.sealed_position(), reached);
                }
            }
        }
        apply(&lake, reached, MESSAGES);
        prop_assert_eq!(table(&lake), table(&expected));
        prop_assert_eq!(check(dir.path()), []);
    }
}
