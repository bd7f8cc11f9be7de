//! The simulated city, as often as a test may take: random seeds, and a death at every step of the disk.

use faults::city;
use faults::plan::{Figures, Plan};

#[test]
fn some_seeds() {
    let mut total = Figures::default();
    for seed in 0..60 {
        match city::run(seed, false) {
            Ok(figures) => total.add(&figures),
            Err(what) => panic!("seed {seed}: {what}"),
        }
    }
    // The faults happened, or the test tests nothing.
    assert!(total.acknowledged > 5_000, "{total:?}");
    for count in [
        total.refused,
        total.crashes,
        total.power_losses,
        total.damaged,
        total.trimmed,
        total.checkpoints,
        total.network.acknowledged,
        total.network.again,
        total.network.duplicates,
        total.network.rewritten,
        total.network.cut,
        total.network.lost,
    ] {
        assert!(count > 10, "{total:?}");
    }
}

#[test]
fn a_seed_does_the_same_each_time() {
    for seed in 1_000..1_010 {
        assert_eq!(city::run(seed, false), city::run(seed, false), "{seed}");
    }
}

#[test]
fn a_death_at_every_step_of_the_disk() {
    let plan = Plan {
        seed: 7,
        faultless: true,
        ..Plan::default()
    };
    let steps = city::follow(plan).expect("nothing goes wrong").disk_steps;
    assert!(steps > 100, "{steps}");
    for die_at in 1..=steps {
        for with_power in [false, true] {
            let plan = Plan {
                faultless: false,
                die_at: Some(die_at),
                with_power,
                ..plan
            };
            if let Err(what) = city::follow(plan) {
                panic!("{plan:?}: {what}");
            }
        }
    }
}
