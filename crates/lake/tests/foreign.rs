//! DuckDB and Polars, unchanged from PyPI, read the folder while the city writes and files are replaced.
//! Skipped, with a word why, where Python or PyPI cannot be had.

mod common;

use common::{START, ask, level, rolling, upkeep_all};
use lake::{Lake, Options, check};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Looks of each engine while the lake is written.
const LOOKS: usize = 40;

/// A Python with the two engines, made once and kept beside the build.
fn python() -> Result<PathBuf, String> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign-readers");
    let python = venv.join("bin/python");
    let run = |command: &mut Command| -> Result<(), String> {
        let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default().to_owned();
        output.status.success().then_some(()).ok_or(last)
    };
    let is_ready = |python: &Path| run(Command::new(python).args(["-c", "import duckdb, polars"]));
    if is_ready(&python).is_err() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv))?;
        run(Command::new(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "duckdb",
            "polars",
        ]))?;
        is_ready(&python)?;
    }
    Ok(python)
}

/// Says that all is done when it goes, also when it goes because something was wrong.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_and_polars_read_the_folder_while_it_is_written() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: DuckDB and Polars cannot be installed from PyPI here: {why}");
            return;
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(
        dir.path(),
        Options {
            replaced_keep: Duration::ZERO,
            ..rolling()
        },
    )
    .unwrap();
    // Something to look at from the first look on.
    let mut reached = 0;
    let write = |reached: &mut u64| {
        for _ in 0..30 {
            let mut told = level(*reached);
            // Every eleventh comes a day late.
            if reached.is_multiple_of(11) {
                let late = &mut told.updates[0].attributes[0];
                late.observed_at = late.observed_at.plus_seconds(-86_400);
            }
            lake.apply(*reached, &told);
            *reached += 1;
        }
        lake.seal().unwrap();
    };
    write(&mut reached);
    let mut reading = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign.py"))
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = reading.stdin.take();
    let stdout = reading.stdout.take().unwrap();
    let is_done = AtomicBool::new(false);
    let (is_done, lake) = (&is_done, &lake);
    let (mut looks, mut tries, mut seen, mut compacted) = (0, 0, 0, 0);
    let mut whole = Vec::new();
    std::thread::scope(|threads| {
        let upkeep = threads.spawn(move || {
            let mut steps = 0;
            while !is_done.load(Ordering::Acquire) {
                steps += usize::from(lake.upkeep(START).unwrap().is_some());
            }
            steps
        });
        let looking = threads.spawn(move || {
            let _ended = Ended(is_done);
            let mut looks = 0;
            let mut tries = 0;
            let mut seen = 0;
            let mut whole = Vec::new();
            for line in BufReader::new(stdout).lines() {
                let said: Value = serde_json::from_str(&line.unwrap()).unwrap();
                if let Some(census) = said["census"].as_array() {
                    let count = census[0].as_u64().unwrap();
                    assert_eq!(census[1], count, "{said}: no row twice");
                    // What was sealed before the look is all there; of what came meanwhile perhaps one day
                    // is seen and another not yet: folders are listed one after the other.
                    assert_eq!(census[2], said["sealed"], "{said}: no row missing");
                    seen = seen.max(count);
                    tries += said["tries"].as_u64().unwrap();
                    looks += 1;
                } else {
                    whole.push(said);
                }
                if looks >= 2 * LOOKS {
                    is_done.store(true, Ordering::Release);
                }
            }
            (looks, tries, seen, whole)
        });
        while !is_done.load(Ordering::Acquire) {
            write(&mut reached);
        }
        compacted = upkeep.join().unwrap();
        // Nothing moves any more: the end of its input asks for the whole table.
        drop(stdin);
        (looks, tries, seen, whole) = looking.join().unwrap();
    });
    let mut complaint = String::new();
    reading
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaint)
        .unwrap();
    assert!(reading.wait().unwrap().success(), "{complaint}");
    assert!(
        looks >= 2 * LOOKS && compacted > 5,
        "{looks} looks, {compacted} steps of upkeep"
    );
    eprintln!(
        "{looks} looks, {compacted} steps of upkeep, {tries} times a file went away while it was looked for"
    );

    upkeep_all(lake, START.plus_seconds(7 * 86_400));
    let ours = ask(
        lake,
        "SELECT CAST(date_trunc('day', observed_at) AS DATE)::VARCHAR, entity_id, count(*), round(sum(value_number), 6), \
         max(observed_at), count(value_text) FROM observations GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .await;
    for theirs in &whole {
        assert_eq!(
            theirs["whole"], ours,
            "{} {}",
            theirs["engine"], theirs["version"]
        );
    }
    assert_eq!(whole.len(), 2);
    assert_eq!(check(dir.path()), []);
}
