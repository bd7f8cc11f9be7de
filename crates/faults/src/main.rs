//! `cargo xtask sim`: runs the simulated city for many seeds, on every processor, without the lake and with
//! it. A failure prints its seed.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use clap::Parser;
use faults::city;
use faults::plan::{Figures, Plan};
use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Most failures that are told in full.
const FAILURES_TOLD_MAX: usize = 10;

#[derive(Parser)]
#[command(
    name = "cargo xtask sim",
    about = "Journal, twin, lake and devices on simulated disks and a simulated network"
)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// How many of them with the lake, too, which takes longer; as many when not said.
    #[arg(long)]
    lake_seeds: Option<u64>,
    /// With `trace`: with the lake.
    #[arg(long)]
    lake: bool,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Tells every operation of the one seed `from` on standard error.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let from = arguments.from;
    if arguments.trace {
        let plan = Plan {
            seed: from,
            lake: arguments.lake,
            trace: true,
            ..Plan::default()
        };
        println!("{:?}", city::follow(plan));
        return ExitCode::SUCCESS;
    }
    let seeds = arguments.seeds;
    let lake_seeds = arguments.lake_seeds.unwrap_or(seeds);
    let mut failed = 0;
    let mut passed = 0;
    for (lake, seeds) in [(false, seeds), (true, lake_seeds)] {
        let (good, bad) = runs(from, seeds, lake);
        passed += good;
        failed += bad;
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs many seeds; how many passed and failed.
fn runs(from: u64, seeds: u64, lake: bool) -> (u64, u64) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, quiet) = (AtomicU64::new(0), AtomicBool::new(false));
    let total = Mutex::new(Figures::default());
    let failures = Mutex::new(Vec::new());
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !quiet.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= seeds {
                        return;
                    }
                    let seed = from.wrapping_add(n);
                    // A panic of the production code is a failure like any other.
                    let outcome = panic::catch_unwind(|| city::run(seed, lake))
                        .unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
                    match outcome {
                        Ok(figures) => total.lock().expect("no panic holds it").add(&figures),
                        Err(what) => {
                            let and = if lake { " --lake" } else { "" };
                            println!("seed {seed}{and}: {what}");
                            println!("  again: cargo run -p faults -- --from {seed} --trace{and}");
                            let mut failures = failures.lock().expect("no panic holds it");
                            failures.push(seed);
                            if failures.len() >= FAILURES_TOLD_MAX {
                                quiet.store(true, Ordering::Relaxed);
                            }
                        }
                    }
                }
            });
        }
    });
    let failed = failures.into_inner().unwrap_or_default().len() as u64;
    let ran = next.into_inner().min(seeds);
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{}: {:?}\n{:.0} seeds a minute on {threads} processors",
        if lake {
            "with the lake"
        } else {
            "journal, twin and devices"
        },
        total.into_inner().unwrap_or_default(),
        ran as f64 / seconds * 60.0
    );
    (ran - failed, failed)
}
