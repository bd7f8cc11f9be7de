//! `cargo xtask`: see the library.

#![allow(clippy::print_stdout)]

use clap::{Parser, Subcommand, ValueEnum};
use std::process::ExitCode;
use xtask::{Finding, Tree, fuzz, licences, root, scaffold, suite, tidy};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's automation")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the house's rules: layers, furniture, map, documents, sources, purity, words.
    Tidy,
    /// Checks the licences of all dependencies against the allow-list of deny.toml.
    Licences,
    /// Runs everything that a change must pass, and counts; `make test` sets the machine up first.
    Test {
        /// Only the steps whose names hold one of these words.
        only: Vec<String>,
    },
    /// Runs the production journal, twin and lake on simulated disks and devices on a simulated network, a seed a
    /// run: torn and lost writes, bit rot, a full or slow disk, lost and repeated messages, corrections, deaths at any
    /// step. A failure prints its seed.
    Sim {
        /// How many seeds.
        #[arg(long, default_value_t = 1_000)]
        seeds: u64,
        /// How many of them with the lake, too, which takes longer; as many when not said.
        #[arg(long)]
        lake_seeds: Option<u64>,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Runs a protocol's codec under a fuzzer that sees which code an input reaches, its targets one after another, begun
    /// with the frames of its vectors; a C++ compiler must be there. For an hour: `cargo xtask fuzz sl651 --seconds 3600`. A
    /// failure prints the path of the input that causes it.
    Fuzz {
        /// Its name without prefix: `sl651`.
        protocol: String,
        /// How long, all targets together.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Makes a new room with all its furniture.
    New {
        /// What to make.
        kind: Kind,
        /// Its name without prefix, in kebab case: `hj212`.
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A crate in protocols/.
    Protocol,
}

fn main() -> anyhow::Result<ExitCode> {
    let root = root();
    let findings: Vec<Finding> = match Arguments::parse().command {
        Command::Tidy => tidy::check(&Tree::read(&root)?)?,
        Command::Licences => licences::check(&root)?,
        Command::Test { only } => {
            let counts = suite::run(&root, &only)?;
            return Ok(if counts.failed == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Command::Sim {
            seeds,
            lake_seeds,
            from,
        } => {
            let lake_seeds = lake_seeds.unwrap_or(seeds);
            // With the workspace, as the tests build it: alone it would build the query engine once more.
            let made = std::process::Command::new("cargo")
                .args(["build", "--locked", "--workspace", "--bin", "faults"])
                .current_dir(&root)
                .status()?;
            if !made.success() {
                return Ok(ExitCode::FAILURE);
            }
            let status = std::process::Command::new(suite::built(&root, "faults"))
                .args(["--seeds", &seeds.to_string(), "--from", &from.to_string()])
                .args(["--lake-seeds", &lake_seeds.to_string()])
                .current_dir(&root)
                .status()?;
            return Ok(if status.success() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Command::Fuzz { protocol, seconds } => {
            return Ok(if fuzz::run(&root, &protocol, seconds)? {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        Command::New { kind, name } => {
            let made = match kind {
                Kind::Protocol => scaffold::protocol(&root, &name)?,
            };
            made.iter().for_each(|path| println!("made {path}"));
            return Ok(ExitCode::SUCCESS);
        }
    };
    findings.iter().for_each(|finding| println!("{finding}"));
    println!("{} findings", findings.len());
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
