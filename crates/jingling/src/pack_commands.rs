//! `jingling pack`: a pack is made, checked, tested and described from its folder, with no city and no server.

use crate::output::{print_json, print_table};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Subcommand, ValueEnum};
use model::{EntityKind, Problem};
use pack::schema::Form;
use pack::{Pack, scenario, schema};
use serde_json::json;
use std::path::{Path, PathBuf};

/// `jingling pack …`.
#[derive(Debug, Subcommand)]
pub enum PackCommand {
    /// Check a pack's folder: every mistake with file and line.
    Check {
        /// The pack's folder.
        dir: PathBuf,
        /// One JSON array instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Play the scenarios of a pack in simulated time, and say where they go otherwise than they say.
    #[command(
        after_help = "Examples:\n  jingling pack test packs/pack-water\n  jingling pack test pack-water\n  jingling pack test"
    )]
    Test {
        /// The pack's folder, or the name of a pack that the program carries; all of those when left out.
        pack: Option<PathBuf>,
        /// One JSON array instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Make a new pack that passes its check and its test.
    #[command(after_help = "Example: jingling pack new drains --dir ./city/packs")]
    New {
        /// Its name without the prefix pack-, in kebab case.
        name: String,
        /// The folder in which the pack's folder is made.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
    },
    /// Print what a pack's entity types are, in a form that others read.
    #[command(
        after_help = "Examples:\n  jingling pack schema pack-water --format json-ld\n  jingling pack schema packs/pack-water --type WaterObserved --format json-schema"
    )]
    Schema {
        /// The pack's folder, or the name of a pack that the program carries.
        pack: PathBuf,
        /// One entity type; all of the pack when left out.
        #[arg(long = "type")]
        kind: Option<String>,
        /// What to print.
        #[arg(long, value_enum)]
        format: SchemaFormat,
        /// For JSON Schema: of entities as NGSI-LD's normalised form says them, instead of the simplified one.
        #[arg(long)]
        normalised: bool,
    },
}

/// What `jingling pack schema` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaFormat {
    /// The JSON-LD context.
    JsonLd,
    /// A JSON Schema (2020-12) of each type.
    JsonSchema,
    /// The description of a form for each type.
    Form,
}

/// `jingling pack …`. Gives whether nothing was found.
///
/// # Errors
/// When a pack cannot be read, or the findings cannot be printed.
pub async fn pack(command: &PackCommand) -> Result<bool> {
    match command {
        PackCommand::Check { dir, json } => {
            let mut problems = pack::check(dir);
            if problems.is_empty() {
                problems = crate::policies::check_pack(dir);
            }
            tell(&problems, *json)
        }
        PackCommand::Test { pack, json } => test(pack.as_deref(), *json).await,
        PackCommand::New { name, dir } => new(name, dir).map(|()| true),
        PackCommand::Schema {
            pack,
            kind,
            format,
            normalised,
        } => {
            let form = match normalised {
                true => Form::Normalised,
                false => Form::Simplified,
            };
            print_schema(pack, kind.as_deref(), *format, form).map(|()| true)
        }
    }
}

fn tell(problems: &[Problem], as_json: bool) -> Result<bool> {
    if as_json {
        print_json(&json!(problems))?;
    } else {
        for problem in problems {
            eprintln!("{problem}");
        }
    }
    Ok(problems.is_empty())
}

/// The pack in a folder, or the carried one of that name.
fn load(named: &Path) -> Result<Pack, Vec<Problem>> {
    if named.join("pack.toml").is_file() {
        return Pack::load(&pack::Folder::new(named, pack::Limits::default()));
    }
    let name = named.to_string_lossy();
    let carried = pack::embedded().into_iter().find(|pack| {
        let own = pack::Files::name(pack);
        own == name || own.strip_prefix("pack-") == Some(&*name)
    });
    match carried {
        Some(carried) => Pack::load(&carried),
        None => Err(vec![Problem::new(
            "pack-missing",
            "there is no pack.toml there, and the program carries no pack of that name",
            name,
            "name a pack's folder, or one of the carried packs, such as pack-water",
        )]),
    }
}

async fn test(named: Option<&Path>, as_json: bool) -> Result<bool> {
    let loaded: Vec<_> = match named {
        Some(named) => vec![load(named)],
        None => pack::embedded()
            .into_iter()
            .map(|pack| Pack::load(&pack))
            .collect(),
    };
    let mut outcomes = Vec::new();
    let mut problems = Vec::new();
    for pack in loaded {
        let played = match pack {
            Ok(pack) => scenario::run(&pack).await,
            Err(problems) => Err(problems),
        };
        match played {
            Ok(found) => outcomes.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return tell(&problems, as_json);
    }
    let failures = outcomes.iter().flat_map(|o| &o.failures);
    let failed = failures.clone().count();
    if as_json {
        print_json(&json!(outcomes))?;
        return Ok(failed == 0);
    }
    for failure in failures {
        eprintln!(
            "{}: {}\n  expected: {}\n  seen:     {}",
            failure.place, failure.step, failure.expected, failure.seen
        );
    }
    let rows = outcomes.iter().map(|outcome| {
        let holds = if outcome.failures.is_empty() {
            "holds"
        } else {
            "FAILS"
        };
        vec![
            outcome.pack.clone(),
            outcome.scenario.clone(),
            outcome.steps.to_string(),
            holds.to_owned(),
        ]
    });
    print_table(&["pack", "scenario", "steps", ""], rows.collect());
    Ok(failed == 0)
}

fn new(name: &str, dir: &Path) -> Result<()> {
    let name = name.strip_prefix("pack-").unwrap_or(name);
    let files = pack::scaffold(name).map_err(|problem| anyhow!("{problem}"))?;
    let folder = dir.join(format!("pack-{name}"));
    if folder.exists() {
        bail!("{} exists already; choose another name", folder.display());
    }
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("making {}", parent.display()))?;
        }
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    eprintln!(
        "made {}; next: jingling pack check {0} && jingling pack test {0}",
        folder.display()
    );
    Ok(())
}

fn print_schema(named: &Path, only: Option<&str>, format: SchemaFormat, form: Form) -> Result<()> {
    let pack = load(named).map_err(|problems| anyhow!("{}", crate::running::lines(&problems)))?;
    let kinds: Vec<&EntityKind> = pack
        .kinds
        .iter()
        .filter(|kind| only.is_none_or(|name| kind.name == name))
        .collect();
    if let (true, Some(name)) = (kinds.is_empty(), only) {
        let known: Vec<&str> = pack.kinds.iter().map(|kind| kind.name.as_str()).collect();
        bail!(
            "{} has no entity type {name}; it has {}",
            pack.manifest.name,
            known.join(", ")
        );
    }
    let many: Vec<_> = match format {
        SchemaFormat::JsonLd => return print_json(&schema::context(kinds)),
        SchemaFormat::JsonSchema => kinds
            .iter()
            .map(|kind| schema::json_schema(kind, form))
            .collect(),
        SchemaFormat::Form => kinds
            .iter()
            .map(|kind| json!(schema::form(kind, None)))
            .collect(),
    };
    match (only, many.as_slice()) {
        (Some(_), [one]) => print_json(one),
        _ => print_json(&json!(many)),
    }
}
