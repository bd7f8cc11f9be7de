//! `cargo xtask test`: everything that a change must pass, one step after another, each named as it
//! begins. A failing step does not stop the next; the counts of all come last, on one line.

#![allow(clippy::print_stdout)]

use crate::{Finding, Tree, known_holes, licences, tidy};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

/// How many checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
}

/// Runs every step below `root`; with words, only the steps whose names hold one of them.
///
/// # Errors
/// When a program cannot be started or a file cannot be read.
pub fn run(root: &Path, only: &[String]) -> Result<Counts> {
    let mut total = Counts::default();
    let mut failed = Vec::new();
    for step in steps(root) {
        if !only.is_empty() && !only.iter().any(|word| step.name.contains(word)) {
            continue;
        }
        println!("\n==> {}", step.name);
        let begin = Instant::now();
        let counts = (step.run)(root).with_context(|| step.name)?;
        println!(
            "<== {}: {} passed, {} failed, {} s",
            step.name,
            counts.passed,
            counts.failed,
            begin.elapsed().as_secs()
        );
        total.passed += counts.passed;
        total.failed += counts.failed;
        if counts.failed > 0 {
            failed.push(step.name);
        }
    }
    if !failed.is_empty() {
        println!("\nfailed: {}", failed.join(", "));
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    Ok(total)
}

type Run = Box<dyn Fn(&Path) -> Result<Counts>>;

struct Step {
    name: &'static str,
    run: Run,
}

fn step(name: &'static str, run: impl Fn(&Path) -> Result<Counts> + 'static) -> Step {
    Step {
        name,
        run: Box::new(run),
    }
}

/// A step that is one program, run in `folder` below the root.
fn program(name: &'static str, folder: &'static str, line: &'static str) -> Step {
    step(name, move |root| execute(root, folder, line))
}

fn steps(root: &Path) -> Vec<Step> {
    let has_nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .current_dir(root)
        .output()
        .is_ok_and(|output| output.status.success());
    let tests = if has_nextest {
        // One more than there are cores: a city that waits for its disk leaves its core idle, a fifth of the time.
        let threads = thread::available_parallelism().map_or(1, usize::from) + 1;
        format!("cargo nextest run --workspace --locked --no-fail-fast --test-threads {threads}")
    } else {
        "cargo test --workspace --locked --no-fail-fast".to_owned()
    };
    vec![
        program("formatting", ".", "cargo fmt --all --check"),
        step("lints", move |root| {
            linted(
                root,
                "cargo build --workspace --all-targets --locked --timings",
            )
        }),
        step("tidy", |root| Ok(judge(&tidy::check(&Tree::read(root)?)?))),
        step("licences", |root| Ok(judge(&licences::check(root)?))),
        step("unit and integration tests", move |root| {
            linted(root, &tests)
        }),
        step("simulation", |root| {
            // Built with the tests: building it alone would build the query engine once more, with fewer features.
            let mut simulation = Command::new(built(root, "faults"));
            simulation.args(["--seeds", "400", "--lake-seeds", "150"]);
            watch(root, ".", simulation)
        }),
        step("known holes", |root| {
            Ok(known_holes::check(root, &built(root, "jingling")))
        }),
        program("page types and lints", "web", "npm run --silent check"),
        program("page tests", "web", "npm run --silent test"),
        program("end-to-end tests", "web", "npm run --silent e2e"),
    ]
}

/// Runs a line of cargo that compiles with Clippy in the compiler's place: it lints and makes the programs in one go. `cargo
/// clippy` would check every dependency first, which the programs cannot use: a quarter of the time of a first run.
fn linted(root: &Path, line: &str) -> Result<Counts> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(root)
        .output()
        .context("cannot start rustc")?;
    let driver = Path::new(String::from_utf8_lossy(&sysroot.stdout).trim())
        .join("bin")
        .join("clippy-driver");
    if !driver.is_file() {
        println!(
            "{} is missing: rustup component add clippy",
            driver.display()
        );
        return Ok(Counts {
            passed: 0,
            failed: 1,
        });
    }
    let mut command = words(line);
    command
        .env("RUSTC_WORKSPACE_WRAPPER", driver)
        // What follows `--` in `cargo clippy -- -D warnings`, in the form in which it hands it on.
        .env(
            "CLIPPY_ARGS",
            "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__",
        );
    watch(root, ".", command)
}

fn judge(findings: &[Finding]) -> Counts {
    findings.iter().for_each(|finding| println!("{finding}"));
    Counts {
        passed: u64::from(findings.is_empty()),
        failed: findings.len() as u64,
    }
}

/// Runs a program, shows what it writes, and counts what it reports. A program that reports no tests
/// counts as one; one that fails without reporting a failed test counts as one failed.
fn execute(root: &Path, folder: &str, line: &str) -> Result<Counts> {
    watch(root, folder, words(line))
}

fn words(line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

fn watch(root: &Path, folder: &str, mut command: Command) -> Result<Counts> {
    // Cargo told this program which package it is of. Build scripts of dependencies look at these, and would run again, with
    // all that is built upon them, whenever a build of one's own and one of this suite follow each other.
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_MANIFEST_") || told.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    let mut child = command
        .current_dir(root.join(folder))
        .env("NO_COLOR", "1")
        .env("JINGLING_BINARY", built(root, "jingling"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start: {command:?}"))?;
    let (sender, lines) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|out| forward(out, sender.clone())),
        child.stderr.take().map(|err| forward(err, sender)),
    ];
    let mut counts = Counts::default();
    for text in lines {
        println!("{text}");
        if let Some(reported) = reported(&text) {
            counts.passed += reported.passed;
            counts.failed += reported.failed;
        }
    }
    for reader in readers.into_iter().flatten() {
        // A reader ends with its pipe; it has nothing to fail with.
        let _ = reader.join();
    }
    let good = child.wait()?.success();
    if !good && counts.failed == 0 {
        counts.failed = 1;
    } else if counts == Counts::default() {
        counts.passed = 1;
    }
    Ok(counts)
}

fn forward(
    pipe: impl Read + Send + 'static,
    sender: mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    })
}

/// Where a program is built.
pub fn built(root: &Path, name: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("debug").join(name)
}

/// The counts in a line of a test runner's summary, if it is one: cargo-nextest's
/// `28 tests run: 27 passed, 1 failed`, libtest's `test result: ok. 8 passed; 0 failed`, Vitest's
/// `Tests  1 failed | 12 passed (13)`, and the end-to-end runner's plain `12 passed, 0 failed`.
///
/// What a failed test itself wrote is shown indented by cargo-nextest and holds libtest's line once more: it does not
/// count twice.
fn reported(line: &str) -> Option<Counts> {
    let is_libtest = line.starts_with("test result: ");
    let line = line.trim();
    let is_summary = line.contains(" run: ")
        || is_libtest
        || line.starts_with("Tests ")
        || line
            .split_once(" passed, ")
            .is_some_and(|(count, _)| count.parse::<u64>().is_ok());
    if !is_summary {
        return None;
    }
    let words: Vec<&str> = line
        .split([' ', ',', ';', '|'])
        .filter(|word| !word.is_empty())
        .collect();
    let before = |name: &str| -> u64 {
        let found = words.windows(2).find(|pair| pair[1] == name);
        found.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
    };
    let counts = Counts {
        passed: before("passed"),
        failed: before("failed") + before("timed"),
    };
    (counts != Counts::default()).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_counted() {
        for (line, passed, failed) in [
            (
                "     Summary [   0.1s] 16 tests run: 15 passed, 1 failed, 0 skipped",
                15,
                1,
            ),
            (
                "     Summary [   0.1s] 28 tests run: 28 passed (2 slow), 0 skipped",
                28,
                0,
            ),
            (
                "test result: ok. 8 passed; 2 failed; 0 ignored; 0 measured",
                8,
                2,
            ),
            ("      Tests  1 failed | 12 passed (13)", 12, 1),
            ("12 passed, 3 failed", 12, 3),
        ] {
            assert_eq!(reported(line), Some(Counts { passed, failed }), "{line}");
        }
        for line in [
            "        PASS [ 0.1s] a b",
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured",
            "Test Files  2 passed (2)",
            "3 things passed, 1 failed",
            "",
        ] {
            assert_eq!(reported(line), None, "{line}");
        }
    }

    #[test]
    fn a_failing_program_counts_as_failed() {
        let here = Path::new(".");
        assert_eq!(
            execute(here, ".", "true").unwrap(),
            Counts {
                passed: 1,
                failed: 0
            }
        );
        assert_eq!(
            execute(here, ".", "false").unwrap(),
            Counts {
                passed: 0,
                failed: 1
            }
        );
        assert_eq!(
            execute(here, ".", "echo 4 passed, 0 failed").unwrap(),
            Counts {
                passed: 4,
                failed: 0
            }
        );
        assert!(execute(here, ".", "no-such-program-here").is_err());
    }
}
