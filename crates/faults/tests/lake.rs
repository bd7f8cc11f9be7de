//! The simulated city with its lake: random seeds, and a death at every step of the lake's disk.

use faults::city;
use faults::plan::{Figures, Op, Plan};
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn some_seeds() {
    let mut total = Figures::default();
    for seed in 0..40 {
        match city::run(seed, true) {
            Ok(figures) => total.add(&figures),
            Err(what) => panic!("seed {seed}: {what}"),
        }
    }
    // The work and the faults happened, or the test tests nothing.
    let lake = total.lake;
    assert!(lake.rows_compared > 10_000, "{total:?}");
    for count in [
        total.crashes,
        total.power_losses,
        total.trimmed,
        lake.seals,
        lake.rolled,
        lake.expired,
        lake.compacted,
        lake.forgotten,
        lake.struck,
        lake.refused,
        lake.meanwhile,
        lake.asked_meanwhile,
        lake.sealed_meanwhile,
        total.corrections,
    ] {
        assert!(count > 10, "{total:?}");
    }
    assert!(lake.rotten > 5 && lake.rotten_refused > 5, "{total:?}");
}

#[test]
fn a_seed_does_the_same_each_time() {
    for seed in 1_000..1_005 {
        assert_eq!(city::run(seed, true), city::run(seed, true), "{seed}");
    }
}

/// Two seals on top of each other, all kinds of upkeep, then days pass and rows are given up.
const STORY: &[Op] = &[
    Op::Append,
    Op::Append,
    Op::Write,
    Op::Write,
    Op::Project,
    Op::Seal,
    Op::Correct,
    Op::Append,
    Op::Append,
    Op::Write,
    Op::Write,
    Op::Correct,
    Op::Project,
    Op::Seal,
    Op::Upkeep,
    Op::Append,
    Op::Append,
    Op::Write,
    Op::Write,
    Op::Project,
    Op::Correct,
    Op::Write,
    Op::Project,
    Op::Seal,
    Op::Upkeep,
    Op::Trim,
    Op::Days,
    Op::Days,
    Op::Days,
    Op::Upkeep,
    Op::Days,
    Op::Days,
    Op::Upkeep,
];

/// Whether folders can change places is the seed's: here they can, there they cannot.
const SEEDS: [u64; 2] = [7, 13];

/// The suite lets the process die at each thirteenth step, `make sim` at every one.
const STRIDE: u64 = 13;

#[test]
fn a_death_at_every_thirteenth_step_of_the_lakes_disk() {
    deaths(STRIDE);
}

#[test]
#[ignore = "takes minutes of every processor: make sim"]
fn a_death_at_every_step_of_the_lakes_disk() {
    deaths(1);
}

fn deaths(stride: u64) {
    for seed in SEEDS {
        let plan = Plan {
            seed,
            lake: true,
            script: STORY,
            faultless: true,
            ..Plan::default()
        };
        let lake = city::follow(plan).expect("nothing goes wrong").lake;
        for count in [
            lake.seals,
            lake.rolled,
            lake.expired,
            lake.compacted,
            lake.struck,
        ] {
            assert!(count > 0, "{lake:?}");
        }
        let next = AtomicU64::new(1);
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let die_at = next.fetch_add(stride, Ordering::Relaxed);
                        if die_at > lake.disk_steps {
                            return;
                        }
                        dies(plan, die_at);
                    }
                });
            }
        });
    }
}

fn dies(plan: Plan, die_at: u64) {
    for with_power in [false, true] {
        let plan = Plan {
            faultless: false,
            die_at_lake: Some(die_at),
            with_power,
            ..plan
        };
        if let Err(what) = city::follow(plan) {
            panic!("{plan:?}: {what}");
        }
    }
}
