//! DuckDB, Polars and Spark, unchanged from PyPI, read the folder while the city writes and files are replaced.
//! Skipped, with a word why, where Python or PyPI cannot be had. Spark is half a gigabyte and needs Java, so it is read
//! only when it is asked for: `make test-spark`.

use crate::common::{START, ask, level, rolling, upkeep_all};
use lake::{Lake, Options, check};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::foreign::Python;

/// An engine, or several in one program, that looks at the folder.
struct Readers {
    python: PathBuf,
    /// The program, in `tests/`.
    program: &'static str,
    engines: usize,
    /// Looks of all engines while the lake is written.
    looks: usize,
    /// Seals for each of them.
    writes_a_look: usize,
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
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "foreign-readers",
        imports: "duckdb, polars",
        packages: &["duckdb", "polars"],
    };
    let python = match python.make() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: DuckDB and Polars cannot be installed from PyPI here: {why}");
            return;
        }
    };
    read_while_it_is_written(Readers {
        python,
        program: "foreign.py",
        engines: 2,
        looks: 80,
        writes_a_look: 20,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "Spark is half a gigabyte: make test-spark"]
async fn spark_reads_the_folder_while_it_is_written() {
    let python = Python {
        beside: env!("CARGO_TARGET_TMPDIR"),
        name: "spark",
        imports: "pyspark",
        packages: &["pyspark"],
    };
    read_while_it_is_written(Readers {
        python: python.make().unwrap(),
        program: "spark.py",
        engines: 1,
        looks: 10,
        writes_a_look: 10,
    })
    .await;
}

async fn read_while_it_is_written(readers: Readers) {
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
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut reading = Command::new(readers.python)
        .arg(programs.join(readers.program))
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
    // What is written goes at the engine's pace.
    let (looked, next_look) = std::sync::mpsc::channel();
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
                    let _ = looked.send(());
                } else {
                    whole.push(said);
                }
                if looks >= readers.looks {
                    is_done.store(true, Ordering::Release);
                }
            }
            (looks, tries, seen, whole)
        });
        while !is_done.load(Ordering::Acquire) {
            (0..readers.writes_a_look).for_each(|_| write(&mut reached));
            // Ends when the looking does.
            if next_look.recv().is_err() {
                break;
            }
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
        looks >= readers.looks && compacted > 5,
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
    assert_eq!(whole.len(), readers.engines);
    assert_eq!(check(dir.path()), []);
}
