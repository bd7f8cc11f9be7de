//! `cargo xtask fuzz PROTOCOL`: a protocol's codec under a fuzzer that sees which code an input reaches (libFuzzer). Builds the
//! protocol's folder `fuzz` with counters in it, seeds each of its targets with the frames of `vectors/`, runs one target after the
//! other, and sums up. What reached something new is kept below Cargo's target folder, and the next run begins with it.
//!
//! A C++ compiler must be there, for libFuzzer itself; the toolchain is the workspace's own.

#![allow(clippy::print_stdout)]

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use toml::{Table, Value};

/// How the compiler puts libFuzzer's counters in.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg",
    "fuzzing",
];
/// Zeros in front of each seed: a target takes that many bytes as the way in which it plays the rest.
const WAY_BYTES: usize = 8;
/// Longest input, in bytes; a link's buffer and more.
const INPUT_BYTES_MAX: usize = 8_192;
/// Longest time for one input, in seconds of the wall clock: long, for a machine that has other things to do.
const INPUT_SECONDS_MAX: u64 = 60;

/// What one target came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    executions: u64,
    /// Edges that were reached, and how often each was, in steps: what libFuzzer calls `cov` and `ft`.
    edges: u64,
    features: u64,
    /// Inputs that are kept.
    corpus: u64,
    /// The last input that was written down as bad.
    bad: Option<String>,
    has_failed: bool,
}

/// Fuzzes `protocols/proto-NAME` for so many seconds in all; answers whether nothing was found.
///
/// # Errors
/// When the protocol has no fuzz targets or no vectors, or something cannot be built, written or started.
pub fn run(root: &Path, name: &str, seconds: u64) -> Result<bool> {
    let room = root.join("protocols").join(format!("proto-{name}"));
    let folder = room.join("fuzz");
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)
        .with_context(|| format!("proto-{name} has no fuzz targets: {}", manifest.display()))?;
    let targets = targets(&text)?;
    let seeds = seeds(&room.join("vectors"))?;
    ensure!(!seeds.is_empty(), "proto-{name} has no frames in vectors/");
    let below = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from)
        .join("fuzz");
    let host = host()?;
    let programs = build(root, &folder, &below, &host)?;
    let each_seconds = (seconds / targets.len() as u64).max(1);
    let mut outcomes = Vec::new();
    for target in &targets {
        let corpus = below.join(name).join(target);
        std::fs::create_dir_all(&corpus)?;
        for (n, seed) in seeds.iter().enumerate() {
            let seed = [&[0; WAY_BYTES], seed.as_slice()].concat();
            std::fs::write(corpus.join(format!("seed-{n:03}")), seed)?;
        }
        println!(
            "==> {target}: {} seeds, {each_seconds} s, corpus {}",
            seeds.len(),
            corpus.display()
        );
        let mut command = Command::new(programs.join(target));
        command
            .arg(&corpus)
            .arg(format!("-max_total_time={each_seconds}"))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
            .arg(format!("-report_slow_units={INPUT_SECONDS_MAX}"))
            .args(["-print_final_stats=1", "-print_funcs=0"]);
        let words = folder.join("words.dict");
        if words.is_file() {
            command.arg(format!("-dict={}", words.display()));
        }
        let prefix = below.join(name).join(format!("{target}-"));
        command.arg(format!("-artifact_prefix={}", prefix.display()));
        outcomes.push((target, watch(command)?));
    }
    println!();
    for (target, outcome) in &outcomes {
        println!("{}", summary(target, outcome));
        if let Some(bad) = &outcome.bad {
            println!("  the input: {bad}");
            println!("  once more: {} {bad}", programs.join(target).display());
        }
    }
    let has_failed = |outcome: &Outcome| outcome.has_failed || outcome.bad.is_some();
    Ok(!outcomes.iter().any(|(_, outcome)| has_failed(outcome)))
}

fn summary(target: &str, outcome: &Outcome) -> String {
    format!(
        "{target}: {} executions, {} edges, {} features, {} inputs kept, {}",
        outcome.executions,
        outcome.edges,
        outcome.features,
        outcome.corpus,
        match (&outcome.bad, outcome.has_failed) {
            (Some(_), _) => "1 crash",
            (None, true) => "the fuzzer failed",
            (None, false) => "0 crashes",
        }
    )
}

/// The names of a manifest's programs.
fn targets(manifest: &str) -> Result<Vec<String>> {
    let manifest: Table = manifest.parse().context("fuzz/Cargo.toml")?;
    let programs = manifest.get("bin").and_then(Value::as_array);
    let names = programs.into_iter().flatten();
    let names: Option<Vec<String>> = names
        .map(|program| Some(program.get("name")?.as_str()?.to_owned()))
        .collect();
    let names = names.context("fuzz/Cargo.toml: a [[bin]] without a name")?;
    ensure!(!names.is_empty(), "fuzz/Cargo.toml: no [[bin]]");
    Ok(names)
}

/// What this machine is called among the compiler's targets. Named to Cargo, so that the flags are not those of build scripts.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc tells no host")?.to_owned())
}

/// Builds the targets; answers where they are.
fn build(root: &Path, folder: &Path, below: &Path, host: &str) -> Result<PathBuf> {
    // The versions that the house is built of; Cargo adds what only the targets need, for which it asks the registry.
    let (ours, theirs) = (root.join("Cargo.lock"), folder.join("Cargo.lock"));
    let changed = |path: &Path| path.metadata().and_then(|about| about.modified());
    let is_behind = match (changed(&ours), changed(&theirs)) {
        (Ok(ours), Ok(theirs)) => ours > theirs,
        _ => true,
    };
    if is_behind {
        std::fs::copy(&ours, &theirs).with_context(|| ours.display().to_string())?;
    }
    let mut command = Command::new("cargo");
    command
        .args(["build", "--release", "--bins", "--target", host])
        .arg("--target-dir")
        .arg(below)
        .current_dir(folder)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    // What Cargo told this program about itself would build build scripts anew.
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_MANIFEST_") || told.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    let status = command.status().context("cannot start cargo")?;
    ensure!(status.success(), "the fuzz targets do not build");
    Ok(below.join(host).join("release"))
}

/// Runs one target, shows what it writes but for what goes on for thousands of lines, and reads its figures.
fn watch(mut command: Command) -> Result<Outcome> {
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start: {command:?}"))?;
    let mut outcome = Outcome::default();
    let lines = child.stderr.take().map(BufReader::new);
    for line in lines.into_iter().flat_map(|lines| lines.split(b'\n')) {
        let line = String::from_utf8_lossy(&line?).into_owned();
        outcome.hear(&line);
        if !is_long(&line) {
            println!("{line}");
        }
    }
    outcome.has_failed = !child.wait()?.success();
    Ok(outcome)
}

/// Whether a line tells of one new input, or is one of the words for a dictionary that come last.
fn is_long(line: &str) -> bool {
    let is_of_one = line.starts_with('#')
        && ["NEW ", "REDUCE ", "RELOAD "]
            .iter()
            .any(|w| line.contains(w));
    is_of_one || line.starts_with('"') || line.starts_with("###### ")
}

impl Outcome {
    /// Takes the figures of a line that libFuzzer writes: `#4096 pulse cov: 812 ft: 2310 corp: 150/9Kb …`,
    /// `stat::number_of_executed_units: 4100`, `…; Test unit written to PATH`.
    fn hear(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = count.trim().parse().unwrap_or(self.executions);
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.bad = Some(path.to_owned());
        }
        if !line.starts_with('#') {
            return;
        }
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            let figure = match word {
                "cov:" => &mut self.edges,
                "ft:" => &mut self.features,
                "corp:" => &mut self.corpus,
                _ => continue,
            };
            let told = words.next().unwrap_or_default();
            let told = told.split('/').next().unwrap_or_default();
            *figure = told.parse().unwrap_or(*figure);
        }
    }
}

/// The frames of a folder of vectors, and each of the captures with the one behind it, as one link would carry them. Not more of
/// them in one: long inputs are slow, and the fuzzer makes them by itself.
fn seeds(vectors: &Path) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for path in files(vectors)? {
        if path.extension().is_some_and(|end| end == "md") {
            found.extend(of_blocks(&std::fs::read_to_string(path)?));
        }
    }
    for path in files(&vectors.join("captures"))? {
        let frames = of_lines(&std::fs::read_to_string(path).unwrap_or_default());
        found.extend(frames.windows(2).map(<[Vec<u8>]>::concat));
        found.extend(frames);
    }
    found.retain(|seed| seed.len() + WAY_BYTES <= INPUT_BYTES_MAX);
    found.sort();
    found.dedup();
    Ok(found)
}

/// The files of a folder in their order; none when it is not there.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = folder.read_dir()?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

/// The bytes of a literate file's blocks `hex`, and `ascii` with single bytes as `<01>`.
fn of_blocks(text: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    // What stands between two fences is every other part.
    for block in text.split("```").skip(1).step_by(2) {
        let (name, block) = block.split_once('\n').unwrap_or_default();
        match name {
            "hex" => found.extend(of_digits(block)),
            "ascii" => found.push(of_text(block.trim_end())),
            _ => {}
        }
    }
    found
}

/// The bytes of the hexadecimal digits of a block; `#` begins a comment.
fn of_digits(block: &str) -> Option<Vec<u8>> {
    let code = block.lines().filter_map(|line| line.split('#').next());
    let digits: Vec<char> = code
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    let value = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok();
    let is_whole = !digits.is_empty() && digits.len().is_multiple_of(2);
    is_whole.then(|| digits.chunks(2).map(value).collect())?
}

fn of_text(block: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = block;
    while let Some((before, more)) = rest.split_once('<') {
        bytes.extend(before.as_bytes());
        let byte = more
            .split_once('>')
            .and_then(|(code, after)| Some((u8::from_str_radix(code, 16).ok()?, after)));
        rest = match byte {
            Some((byte, after)) => {
                bytes.push(byte);
                after
            }
            None => {
                bytes.push(b'<');
                more
            }
        };
    }
    bytes.extend(rest.as_bytes());
    bytes
}

/// The frames of a file of captures: a line of digits each, or a line of JSON with them under `hex`.
fn of_lines(text: &str) -> Vec<Vec<u8>> {
    let frame = |line: &str| {
        let told: Option<serde_json::Value> = serde_json::from_str(line).ok();
        match told.as_ref().and_then(|told| told["hex"].as_str()) {
            Some(digits) => of_digits(digits),
            None => of_digits(line),
        }
    };
    text.lines().filter_map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        let mut outcome = Outcome::default();
        for line in [
            "INFO: Seed: 1",
            "#2\tINITED cov: 10 ft: 12 corp: 3/9b exec/s: 0 rss: 30Mb",
            "#4096\tpulse  cov: 812 ft: 2310 corp: 150/9Kb lim: 43 exec/s: 2048 rss: 44Mb",
            "stat::number_of_executed_units: 4100",
        ] {
            outcome.hear(line);
        }
        assert_eq!(
            summary("bytes", &outcome),
            "bytes: 4100 executions, 812 edges, 2310 features, 150 inputs kept, 0 crashes"
        );
        outcome.hear("artifact_prefix='a/b-'; Test unit written to a/b-crash-01");
        assert_eq!(outcome.bad.as_deref(), Some("a/b-crash-01"));
        assert!(summary("bytes", &outcome).ends_with("1 crash"));
    }

    #[test]
    fn long_lists_are_not_shown() {
        assert!(is_long("#9\tNEW    cov: 1 ft: 1 corp: 1/1b"));
        assert!(is_long("#9\tREDUCE cov: 1 ft: 1 corp: 1/1b"));
        assert!(!is_long("#8\tpulse  cov: 1 ft: 1 corp: 1/1b"));
        assert!(is_long("\"ST \" # Uses: 12"));
        assert!(is_long("###### Recommended dictionary. ######"));
        assert!(!is_long("thread panicked at a NEW place"));
    }

    #[test]
    fn frames_of_vectors_are_seeds() {
        let text = "# A\n## B\nSays `x`.\n```hex\n7E 7E # start\n01\n```\n```message\n{\"hex\":\"00\"}\n```\n```ascii\n<01>05 a<b<03>\n```\n";
        assert_eq!(
            of_blocks(text),
            [vec![0x7E, 0x7E, 0x01], b"\x0105 a<b\x03".to_vec()]
        );
        let lines =
            "# where from\n7E7E01\nodd\n{\"hex\": \"0203\", \"meaning\": {}}\n{\"hex\": 1}\n";
        assert_eq!(of_lines(lines), [vec![0x7E, 0x7E, 0x01], vec![2, 3]]);
    }

    #[test]
    fn targets_are_the_manifests_programs() {
        let text =
            "[package]\nname = \"a\"\n[[bin]]\nname = \"bytes\"\n[[bin]]\nname = \"bodies\"\n";
        assert_eq!(targets(text).unwrap(), ["bytes", "bodies"]);
        assert!(targets("[package]\nname = \"a\"\n").is_err());
        assert!(targets("[[bin]]\npath = \"a\"\n").is_err());
    }

    #[test]
    fn a_protocol_without_targets_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let told = run(dir.path(), "gone", 1).unwrap_err().to_string();
        assert!(told.contains("proto-gone has no fuzz targets"), "{told}");
    }
}
