//! `jingling engine`: the mathematics of packs over a department's own file.

use crate::output::{print_json, print_table};
use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use pack::Packs;
use pack::engines::{self, ENGINES, Table};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Most rows of a file that an engine reads.
const ROWS_MAX: usize = 1_000_000;

/// `jingling engine …`.
#[derive(Debug, Subcommand)]
pub enum EngineCommand {
    /// List the engines.
    List {
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Say what an engine reckons, and what columns it reads and writes.
    Describe {
        /// The engine.
        name: String,
        /// One JSON object instead of tables.
        #[arg(long)]
        json: bool,
    },
    /// Run an engine over a CSV file.
    #[command(
        after_help = "Example: jingling engine run plan-status --input figures.csv --output judged.csv"
    )]
    Run {
        /// The engine.
        name: String,
        /// The CSV file to read, UTF-8, with the names of its columns in the first line.
        #[arg(long)]
        input: PathBuf,
        /// The CSV file to write; it must not be there yet.
        #[arg(long)]
        output: PathBuf,
    },
}

/// `jingling engine …`.
///
/// # Errors
/// An engine that there is not, and every mistake of the file with its line.
pub fn engine(command: &EngineCommand) -> Result<()> {
    match command {
        EngineCommand::List { json: true } => {
            let all: Vec<_> = ENGINES.iter().map(|e| e.description).collect();
            print_json(&json!(all))
        }
        EngineCommand::List { json: false } => {
            let rows = ENGINES.iter().map(|e| {
                let about = e.description;
                [about.name, about.pack, about.title_zh, about.title_en]
                    .map(str::to_owned)
                    .to_vec()
            });
            print_table(&["engine", "pack", "名称", "title"], rows.collect());
            Ok(())
        }
        EngineCommand::Describe { name, json } => describe(name, *json),
        EngineCommand::Run {
            name,
            input,
            output,
        } => run(name, input, output),
    }
}

fn describe(name: &str, as_json: bool) -> Result<()> {
    let about = engines::find(name).map_err(|p| anyhow!("{p}"))?.description;
    if as_json {
        return print_json(&json!(about));
    }
    let columns = [("reads", about.input), ("writes", about.output)];
    let rows = columns.iter().flat_map(|(word, columns)| {
        let row = move |c: &engines::Column| {
            vec![(*word).to_owned(), c.name.to_owned(), c.what.to_owned()]
        };
        columns.iter().map(row)
    });
    eprintln!("{} · {}\n{}", about.title_zh, about.title_en, about.method);
    print_table(&["", "column", "what"], rows.collect());
    Ok(())
}

fn run(name: &str, input: &Path, output: &Path) -> Result<()> {
    let engine = engines::find(name).map_err(|p| anyhow!("{p}"))?;
    let told = |problems: &[model::Problem]| anyhow!("{}", crate::running::lines(problems));
    let packs = Packs::load_all(pack::embedded(), None).map_err(|p| told(&p))?;
    let place = input.display().to_string();
    let table = read(input).with_context(|| format!("reading {place}"))?;
    let out = engine
        .run(&packs, &table, &place)
        .map_err(|problems| told(&problems))?;
    let file = std::fs::File::create_new(output)
        .with_context(|| format!("writing {}", output.display()))?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(&out.columns)?;
    for row in &out.rows {
        writer.write_record(row)?;
    }
    writer.flush()?;
    Ok(())
}

fn read(input: &Path) -> Result<Table> {
    let mut reader = csv::Reader::from_path(input)?;
    let columns = reader.headers()?.iter().map(|name| {
        // Spreadsheets write a mark in front of UTF-8.
        name.trim_start_matches('\u{feff}').trim().to_owned()
    });
    let columns: Vec<String> = columns.collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        if rows.len() == ROWS_MAX {
            bail!("the file has more than {ROWS_MAX} rows; split it");
        }
        rows.push(record?.iter().map(str::to_owned).collect());
    }
    Ok(Table { columns, rows })
}
