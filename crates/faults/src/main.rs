//! `cargo xtask sim`: runs the simulated city for many seeds, on every processor. A failure prints its seed.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use clap::Parser;
use faults::city::{self, Figures, Plan};
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
    about = "Journal and twin on a simulated disk"
)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Tells every operation of the one seed `from` on standard error.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let Arguments { seeds, from, trace } = Arguments::parse();
    if trace {
        let plan = Plan {
            seed: from,
            trace,
            ..Plan::default()
        };
        println!("{:?}", city::follow(plan));
        return ExitCode::SUCCESS;
    }
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
                    let outcome = panic::catch_unwind(|| city::run(seed))
                        .unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
                    match outcome {
                        Ok(figures) => total.lock().expect("no panic holds it").add(&figures),
                        Err(what) => {
                            println!("seed {seed}: {what}");
                            println!("  again: cargo run -p faults -- --from {seed} --trace");
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
        "{:?}\n{:.0} seeds a minute on {threads} processors",
        total.into_inner().unwrap_or_default(),
        ran as f64 / seconds * 60.0
    );
    println!("{} passed, {failed} failed", ran - failed);
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
