//! `jingling engine`: the mathematics of packs over a department's own file.

use crate::output::{print_json, print_table};
use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use engine::{Engine, Kind, Table};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Most rows of a file that an engine reads.
const ROWS_MAX: usize = 1_000_000;
/// Longest file of parameters, in bytes: outlines of basins are long.
const PARAMETERS_BYTES_MAX: u64 = 64 << 20;

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
        after_help = "Examples:\n  jingling engine run plan-status --input figures.csv --output judged.csv\n  jingling engine run water.muskingum-fit --input flood.csv --output fitted.csv > reach.json\n  jingling engine run water.muskingum --input flood.csv --output routed.csv --parameters reach.json"
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
        /// A file of parameters, TOML or JSON; the report of an earlier run will do. What the engine finds beside its table is printed
        /// as JSON, with every parameter that held.
        #[arg(long)]
        parameters: Option<PathBuf>,
    },
}

/// Every engine that there is: the one place that names the packs that bring some.
pub fn engines() -> Vec<Engine> {
    let mut all = pack::engines::engines();
    all.extend(pack_energy::engines());
    all.extend(pack_water::engines());
    all
}

/// `jingling engine …`.
///
/// # Errors
/// An engine that there is not, and every mistake of the file with its line.
pub fn engine(command: &EngineCommand) -> Result<()> {
    match command {
        EngineCommand::List { json: true } => {
            let all: Vec<_> = engines().iter().map(|e| e.description).collect();
            print_json(&json!(all))
        }
        EngineCommand::List { json: false } => {
            let rows = engines().into_iter().map(|e| {
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
            parameters,
        } => run(name, input, output, parameters.as_deref()),
    }
}

fn describe(name: &str, as_json: bool) -> Result<()> {
    let engines = engines();
    let found = engine::find(&engines, name).map_err(|p| anyhow!("{p}"))?;
    let about = found.description;
    if as_json {
        return print_json(&json!(about));
    }
    let columns = [("reads", about.input), ("writes", about.output)];
    let rows = columns.iter().flat_map(|(word, columns)| {
        let row = move |c: &engine::Column| {
            vec![(*word).to_owned(), c.name.to_owned(), c.what.to_owned()]
        };
        columns.iter().map(row)
    });
    eprintln!("{} · {}\n{}", about.title_zh, about.title_en, about.method);
    if !about.reference.is_empty() {
        eprintln!("{}", about.reference);
    }
    print_table(&["", "column", "what"], rows.collect());
    if !about.parameters.is_empty() {
        let rows = about.parameters.iter().map(|p| {
            let (range, default) = range(p.kind);
            let cells = [p.name, p.unit, &range, &default, p.what];
            cells.map(str::to_owned).to_vec()
        });
        let head = ["parameter", "unit", "range", "default", "what"];
        print_table(&head, rows.collect());
    }
    Ok(())
}

/// What a parameter may be and what it is when it is not given, for people.
fn range(kind: Kind) -> (String, String) {
    match kind {
        Kind::Number { min, max, default } => {
            let default = default.map_or_else(|| "must be given".to_owned(), |d| d.to_string());
            (format!("{min} to {max}"), default)
        }
        Kind::Optional { min, max } => (format!("{min} to {max}"), "none".to_owned()),
        Kind::Whole { min, max, default } => (format!("{min} to {max}"), default.to_string()),
        Kind::Choice { of } => (
            of.join(", "),
            of.first().copied().unwrap_or_default().to_owned(),
        ),
        Kind::Structure => (String::new(), "none".to_owned()),
    }
}

fn run(name: &str, input: &Path, output: &Path, parameters: Option<&Path>) -> Result<()> {
    let engines = engines();
    let engine = engine::find(&engines, name).map_err(|p| anyhow!("{p}"))?;
    let place = input.display().to_string();
    let given = match parameters {
        Some(file) => {
            read_parameters(file).with_context(|| format!("reading {}", file.display()))?
        }
        None => Map::new(),
    };
    let given_place = parameters.map_or_else(
        || "--parameters".to_owned(),
        |file| file.display().to_string(),
    );
    let table = read(input).with_context(|| format!("reading {place}"))?;
    let out = engine
        .run(&table, given, &given_place, &place)
        .map_err(|problems| anyhow!("{}", crate::running::lines(&problems)))?;
    let file = std::fs::File::create_new(output)
        .with_context(|| format!("writing {}", output.display()))?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(&out.table.columns)?;
    for row in &out.table.rows {
        writer.write_record(row)?;
    }
    writer.flush()?;
    // Engines without parameters say all in their table.
    if !engine.description.parameters.is_empty() || out.report.contains_key("parameters") {
        print_json(&Value::Object(out.report))?;
    }
    Ok(())
}

/// A file of parameters: TOML when it is named so, else JSON.
fn read_parameters(file: &Path) -> Result<Map<String, Value>> {
    let size = std::fs::metadata(file)?.len();
    if size > PARAMETERS_BYTES_MAX {
        bail!("the file has {size} bytes, more than {PARAMETERS_BYTES_MAX}");
    }
    let text = std::fs::read_to_string(file)?;
    let is_toml = file.extension().is_some_and(|ending| ending == "toml");
    let value: Value = if is_toml {
        toml::from_str(&text)?
    } else {
        serde_json::from_str(&text)?
    };
    match value {
        Value::Object(map) => Ok(map),
        _ => bail!("the file holds no table of parameters"),
    }
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
