//! `jingling policy`: the policies of a city from the command line, whether it runs or not.

use crate::commands::open_records;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::wall_clock;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use identity::Identity;
use policy::{Access, What};
use records::{Actor, Records};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// `jingling policy …`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print what policies may speak of, as a Cedar schema.
    Schema {
        /// The city's folder.
        dir: PathBuf,
    },
    /// List the policies that hold.
    #[command(after_help = "Example: jingling policy show ./city --text")]
    Show {
        /// The city's folder.
        dir: PathBuf,
        /// Their texts, instead of a table.
        #[arg(long)]
        text: bool,
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Check files of policies as if they were to hold, and say what they would change. Nothing is changed.
    #[command(after_help = "Example: jingling policy check ./city night.cedar towns.cedar")]
    Check(Files),
    /// Let files of policies hold in place of the city's own.
    #[command(
        after_help = "Examples:\n  jingling policy set ./city night.cedar towns.cedar --reason 汛期夜间值守\n  jingling policy set ./city --none --reason 恢复默认"
    )]
    Set {
        /// What to set.
        #[command(flatten)]
        files: Files,
        /// Why; it is kept and audited.
        #[arg(long)]
        reason: String,
        /// Take the city's own policies away.
        #[arg(long, conflicts_with = "files")]
        none: bool,
    },
    /// Why somebody may do or see something, or may not.
    #[command(
        after_help = "Examples:\n  jingling policy why ./city --user duty --action case.dispatch\n  jingling policy why ./city --user field --type Streetlight --attribute power --town 429006101"
    )]
    Why(Why),
}

/// Files of policies.
#[derive(Debug, Args)]
pub struct Files {
    /// The city's folder.
    pub dir: PathBuf,
    /// The files, `NAME.cedar`: all that are to hold.
    pub files: Vec<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `jingling policy why`.
#[derive(Debug, Args)]
pub struct Why {
    /// The city's folder.
    pub dir: PathBuf,
    /// Of whom: the name to sign in with.
    #[arg(long = "user", value_name = "USERNAME")]
    pub username: String,
    /// The act; entity.read when a type is named.
    #[arg(long, default_value = "entity.read")]
    pub action: String,
    /// Upon entities of this type.
    #[arg(long = "type", requires = "attribute")]
    pub entity_type: Option<String>,
    /// Upon this attribute of theirs.
    #[arg(long, requires = "entity_type")]
    pub attribute: Option<String>,
    /// That stand in this town, by code.
    #[arg(long)]
    pub town: Option<String>,
    /// That this organisation owns.
    #[arg(long)]
    pub owner: Option<String>,
    /// For this stated purpose.
    #[arg(long)]
    pub purpose: Option<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// The identity of a city under its policies, beside a server or without one.
async fn open(dir: &Path) -> Result<(Records, Identity)> {
    let folder = Folder::new(dir);
    let settings = Settings::load(dir, &[])?;
    let (packs, city) = (folder.packs()?, folder.city(&settings.city.profile)?);
    let records = open_records(&folder, false).await?;
    let identity = Identity::new(records.clone(), identity::Options::default())?;
    let identity = super::govern(identity, &packs, &city, super::Own::Tried, true).await?;
    Ok((records, identity))
}

fn read(files: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut documents = BTreeMap::new();
    for path in files {
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        let Some(name) = name.strip_suffix(".cedar") else {
            bail!("{}: name the file NAME.cedar", path.display());
        };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        if documents.insert(name.to_owned(), text).is_some() {
            bail!("two files are called {name}.cedar");
        }
    }
    Ok(documents)
}

/// `jingling policy …`. Gives whether nothing was found wrong.
///
/// # Errors
/// What is wrong with the words, or the records' own error.
pub async fn run(command: PolicyCommand) -> Result<bool> {
    match command {
        PolicyCommand::Schema { dir } => {
            let (records, identity) = open(&dir).await?;
            records.close().await;
            let schema = identity.policies().engine().schema();
            write!(std::io::stdout(), "{schema}")?;
            Ok(true)
        }
        PolicyCommand::Show { dir, text, json } => show(&dir, text, json).await,
        PolicyCommand::Check(files) => check(&files).await,
        PolicyCommand::Set {
            files,
            reason,
            none,
        } => {
            if files.files.is_empty() && !none {
                bail!("name the files that are to hold, or --none to take the city's own away");
            }
            let documents = read(&files.files)?;
            let (records, identity) = open(&files.dir).await?;
            let tried = identity.try_policies(&documents, wall_clock()).await?;
            if let Err(problems) = tried {
                records.close().await;
                return tell(&problems, files.json);
            }
            let actor = Actor::command_line();
            let version = identity
                .change_policies(&documents, &reason, None, &actor, wall_clock())
                .await;
            records.close().await;
            let version = version?;
            if files.json {
                print_json(&json!({"version": version.id, "reason": version.reason}))?;
            } else {
                eprintln!(
                    "version {} holds; a running city takes it over within a second",
                    version.id
                );
            }
            Ok(true)
        }
        PolicyCommand::Why(args) => why(&args).await,
    }
}

fn tell(problems: &[model::Problem], as_json: bool) -> Result<bool> {
    if as_json {
        print_json(&json!({"problems": problems, "effects": []}))?;
    }
    for problem in problems.iter().filter(|_| !as_json) {
        eprintln!("{problem}");
    }
    Ok(problems.is_empty())
}

async fn show(dir: &Path, text: bool, as_json: bool) -> Result<bool> {
    let (records, identity) = open(dir).await?;
    let (version, _) = identity.city_policies().await?;
    records.close().await;
    let engine = identity.policies().engine();
    if as_json {
        let policies: Vec<_> = engine.all().collect();
        print_json(
            &json!({"version": version, "documents": engine.documents(), "policies": policies}),
        )?;
    } else if text {
        for document in engine.documents() {
            writeln!(
                std::io::stdout(),
                "// {}\n{}",
                document.title(),
                document.text
            )?;
        }
    } else {
        let rows = engine.all().map(|p| {
            vec![
                p.id.clone(),
                if p.permits { "permits" } else { "forbids" }.to_owned(),
                p.zh.clone().unwrap_or_default(),
                p.en.clone().unwrap_or_default(),
            ]
        });
        print_table(&["policy", "", "用途", "what for"], rows.collect());
    }
    Ok(true)
}

async fn check(files: &Files) -> Result<bool> {
    let documents = read(&files.files)?;
    let (records, identity) = open(&files.dir).await?;
    let now = wall_clock();
    let engine = match identity.try_policies(&documents, now).await? {
        Ok(engine) => model::Shared::new(engine),
        Err(problems) => {
            records.close().await;
            return tell(&problems, files.json);
        }
    };
    let effects = identity.effect(&engine, now).await?;
    records.close().await;
    let seen = |list: &[(String, Access, Access)]| {
        let told = list
            .iter()
            .map(|(attribute, before, after)| format!("{attribute}: {before:?} → {after:?}"));
        told.collect::<Vec<_>>()
    };
    if files.json {
        let effects: Vec<_> = effects
            .iter()
            .map(|e| json!({"username": e.username, "gained": e.gained, "lost": e.lost, "seen": seen(&e.seen)}))
            .collect();
        print_json(&json!({"problems": [], "effects": effects}))?;
    } else if effects.is_empty() {
        eprintln!("the policies are right, and change nothing for anybody in this hour");
    } else {
        let rows = effects.iter().map(|e| {
            vec![
                e.username.clone(),
                e.gained.join("\n"),
                e.lost.join("\n"),
                seen(&e.seen).join("\n"),
            ]
        });
        print_table(
            &[
                "who",
                "could do then",
                "could do no more",
                "would see otherwise",
            ],
            rows.collect(),
        );
    }
    Ok(true)
}

async fn why(args: &Why) -> Result<bool> {
    let (records, identity) = open(&args.dir).await?;
    let now = wall_clock();
    let person = identity.person(&args.username, now).await;
    records.close().await;
    let who = person?.who();
    let engine = identity.policies().engine();
    if !engine.knows(&args.action) {
        bail!(
            "\"{}\" is no act; `jingling policy schema` lists them",
            args.action
        );
    }
    let what = match (&args.entity_type, &args.attribute) {
        (Some(entity_type), Some(attribute)) => What::Datum {
            entity_type,
            attribute,
            division: args.town.as_deref(),
            owner: args.owner.as_deref(),
        },
        _ => What::City,
    };
    let moment = identity.moment(now);
    let judged = engine
        .judge(&who, &args.action, &what, args.purpose.as_deref(), moment)
        .map_err(|p| anyhow::anyhow!("{p}"))?;
    let others: Vec<&str> = engine
        .permitting(&args.action)
        .filter(|_| !judged.permitted && judged.by.is_empty())
        .map(|policy| policy.id.as_str())
        .collect();
    if args.json {
        print_json(&json!({
            "who": who, "action": args.action, "permitted": judged.permitted, "by": judged.by,
            "permitted_to_others_by": others, "hour": moment.hour, "weekday": moment.weekday,
        }))?;
        return Ok(true);
    }
    let answer = if judged.permitted { "yes" } else { "no" };
    writeln!(std::io::stdout(), "{answer}: {} {}", who.name, args.action)?;
    for id in &judged.by {
        let text = engine.stated(id).map_or("", |policy| policy.text.as_str());
        writeln!(std::io::stdout(), "\n{id}\n{text}")?;
    }
    if !others.is_empty() {
        writeln!(
            std::io::stdout(),
            "nothing permits it; to others: {}",
            others.join(", ")
        )?;
    }
    Ok(true)
}
