//! The command line: what can be said, with an example for each.

use crate::backup::args::{Backup, Restore};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Jingling (竟陵): the operating platform of a county-level city.
#[derive(Debug, Parser)]
#[command(name = "jingling", version, about, max_term_width = 110, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Seed of the demonstration.
pub const SIM_SEED: u64 = 429_006;

const EXAMPLES: &str = "Examples:
  jingling init ./city --city tianmen          make a city
  jingling serve ./city                        run it
  jingling demo ./demo-city                    make and run a city with demonstration data
  jingling device add ./city --id urn:ngsi-ld:WaterObserved:1 --type WaterObserved
  jingling token create ./city --name telegraf --role collector
  jingling query ./city \"SELECT entity_id, count(*) FROM observations GROUP BY 1\"
  jingling check ./city                        verify every stored file
  jingling backup ./city --to /mnt/backup/city copy it while it runs
  jingling restore /mnt/backup/city --to ./new make a city from a backup

Exit status: 0 done, 1 something was found or failed, 2 the command was not understood.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a city in a folder: settings, secrets, records, and the first sign-in.
    #[command(after_help = "Example: jingling init ./city --city tianmen")]
    Init(Init),
    /// Run a city until Ctrl-C.
    #[command(after_help = "Example: jingling serve ./city --set http.listen=127.0.0.1:0")]
    Serve(Serve),
    /// Make a demonstration city when there is none, run it, and play devices beside it.
    #[command(after_help = "Example: jingling demo ./demo-city")]
    Demo(Demo),
    /// Verify every stored file; exit status 1 with what and where.
    #[command(after_help = "Example: jingling check ./city --json")]
    Check(Check),
    /// Copy a city to another disk while it runs; each time only what is new.
    #[command(
        after_help = "Examples:\n  jingling backup ./city --to /mnt/backup/city --encrypt-to admins.txt --keep 30\n  jingling backup verify /mnt/backup/city\n  jingling backup drill /mnt/backup/city --identity key.txt"
    )]
    Backup(Backup),
    /// Make a city's folder from a backup, as it was at any time or position since the first one.
    #[command(
        after_help = "Example: jingling restore /mnt/backup/city --to ./city --at 2026-11-23T16:00:00+08:00"
    )]
    Restore(Restore),
    /// Query a city's data with SQL, whether it runs or not.
    #[command(
        after_help = "Example: jingling query ./city \"SELECT * FROM observations ORDER BY observed_at DESC LIMIT 5\" --csv"
    )]
    Query(Query),
    /// Service tokens for machines.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Devices and their credentials.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// People who sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Play devices against a running city, through its doors.
    #[command(after_help = "Example: jingling sim ./demo-city --speed 10 --seconds 60")]
    Sim(Sim),
    /// Check a pack's folder.
    #[command(subcommand)]
    Pack(PackCommand),
    /// Print the API's description (OpenAPI).
    Openapi,
}

/// `jingling init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The city's folder; made when absent, must hold no city yet.
    pub dir: PathBuf,
    /// The city profile.
    #[arg(long, default_value = "tianmen")]
    pub city: String,
    /// Mark it as a demonstration and make sign-ins for a duty officer, a field worker and a planner too.
    #[arg(long)]
    pub demo: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Settings given on the command line.
#[derive(Debug, Args)]
pub struct Overrides {
    /// Overrides a key of jingling.toml, e.g. --set http.listen=127.0.0.1:0 (may be repeated).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `jingling serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The city's folder.
    pub dir: PathBuf,
    /// Settings.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `jingling demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// The city's folder; made when absent.
    #[arg(default_value = "./demo-city")]
    pub dir: PathBuf,
    /// How many times faster than life the recorded series are played.
    #[arg(long, default_value_t = 30.0)]
    pub speed: f64,
    /// Settings.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `jingling check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The city's folder.
    pub dir: PathBuf,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// A chain value that an earlier check printed (`POSITION:HASH`), kept outside the city's folder: shows
    /// that no message from before was changed or removed from the journal's end. May be given several times.
    #[arg(long, value_name = "POSITION:HASH", value_parser = anchor)]
    pub chain: Vec<journal::Anchor>,
}

fn anchor(text: &str) -> Result<journal::Anchor, String> {
    let read = || {
        let (position, chain) = text.split_once(':')?;
        Some(journal::Anchor {
            position: position.parse().ok()?,
            chain: chain.parse().ok()?,
        })
    };
    read()
        .ok_or_else(|| "write it as an earlier `jingling check` printed it: 1234:9f86…".to_owned())
}

/// `jingling query`.
#[derive(Debug, Args)]
pub struct Query {
    /// The city's folder.
    pub dir: PathBuf,
    /// The statement.
    pub sql: String,
    /// How the answer is written. A table and JSON are cut off at sql.rows_max rows and say so; CSV and Arrow
    /// are written as rows are found, and end with an error past sql.stream_rows_max.
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    pub format: QueryFormat,
    /// The same as --format json: one JSON array of objects.
    #[arg(long, conflicts_with_all = ["csv", "format"])]
    pub json: bool,
    /// The same as --format csv: comma-separated values with a header.
    #[arg(long, conflicts_with = "format")]
    pub csv: bool,
    /// Settings.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum QueryFormat {
    /// A table for people.
    Table,
    /// One JSON array of objects.
    Json,
    /// Comma-separated values with a header.
    Csv,
    /// Arrow's stream format.
    Arrow,
}

/// `jingling token …`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is printed once.
    #[command(
        after_help = "Example: jingling token create ./city --name telegraf --role collector"
    )]
    Create {
        /// The city's folder.
        dir: PathBuf,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// The role whose permissions it has.
        #[arg(long)]
        role: String,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// `jingling device …`.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Register a device; its password is printed once.
    #[command(
        after_help = "Example: jingling device add ./city --id urn:ngsi-ld:WaterObserved:1 --type WaterObserved --json"
    )]
    Add {
        /// The city's folder.
        dir: PathBuf,
        /// The id of the thing it speaks for, a URI.
        #[arg(long)]
        id: String,
        /// The entity type of that thing.
        #[arg(long = "type")]
        entity_type: String,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        /// One JSON object with id, client_id, username, password, topic.
        #[arg(long)]
        json: bool,
    },
    /// List devices.
    List {
        /// The city's folder.
        dir: PathBuf,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Take a device's credentials away; its history stays.
    Remove {
        /// The city's folder.
        dir: PathBuf,
        /// Its id or client id.
        #[arg(long)]
        id: String,
    },
}

/// `jingling user …`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Give a person a new password; it is printed once and every session of theirs ends.
    #[command(after_help = "Example: jingling user password ./city --username wang")]
    Password {
        /// The city's folder.
        dir: PathBuf,
        /// Name to sign in with.
        #[arg(long)]
        username: String,
    },
    /// Make a sign-in; its password is printed once.
    #[command(
        after_help = "Example: jingling user add ./city --username wang --name 王敏 --role duty"
    )]
    Add {
        /// The city's folder.
        dir: PathBuf,
        /// Name to sign in with.
        #[arg(long)]
        username: String,
        /// The person's name.
        #[arg(long)]
        name: String,
        /// admin, duty, operator, field, planner, analyst or viewer.
        #[arg(long)]
        role: String,
        /// Organisation, by its id in the city profile.
        #[arg(long)]
        organisation: Option<String>,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// `jingling sim`.
#[derive(Debug, Args)]
pub struct Sim {
    /// The folder of the running city.
    pub dir: PathBuf,
    /// How many times faster than life the recorded series are played.
    #[arg(long, default_value_t = 30.0)]
    pub speed: f64,
    /// Stop after this many seconds; without it, play until Ctrl-C.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Seed of everything that is drawn by chance.
    #[arg(long, default_value_t = SIM_SEED)]
    pub seed: u64,
}

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
}
