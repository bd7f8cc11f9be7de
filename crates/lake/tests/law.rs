//! The law of a projection: however the journal is cut into batches, seals and restarts, the table is
//! the same.

mod common;

use common::{ask, level, options};
use lake::{Lake, check};
use proptest::prelude::*;

const MESSAGES: u64 = 120;

#[derive(Clone, Debug)]
enum Step {
    /// Take so many messages more.
    Apply(u64),
    Seal,
    /// Stop, start, and replay from the sealed position.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..40u64).prop_map(Step::Apply),
        2 => Just(Step::Seal),
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
    runtime.block_on(ask(
        lake,
        "SELECT * FROM observations ORDER BY journal_position",
    ))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_table_does_not_depend_on_how_it_came_about(steps in proptest::collection::vec(step(), 0..20)) {
        let plain = tempfile::tempdir().unwrap();
        let expected = Lake::open(plain.path(), options()).unwrap();
        apply(&expected, 0, MESSAGES);

        let dir = tempfile::tempdir().unwrap();
        let mut lake = Lake::open(dir.path(), options()).unwrap();
        let mut reached = 0;
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
                Step::Restart => {
                    drop(lake);
                    lake = Lake::open(dir.path(), options()).unwrap();
                    apply(&lake, lake.sealed_position(), reached);
                }
            }
        }
        apply(&lake, reached, MESSAGES);
        prop_assert_eq!(table(&lake), table(&expected));
        prop_assert_eq!(check(dir.path()), []);
    }
}
