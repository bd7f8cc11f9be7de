//! The command line: what can be said, with an example for each.

use crate::audit::args::AuditCommand;
use crate::backup::args::{Backup, Restore};
use crate::notice::args::NoticeCommand;
use crate::organisation::args::OrgCommand;
use crate::security::args::SecurityCommand;
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
  jingling org export ./city 名册.xlsx            a template to fill, or what there is
  jingling org import ./city 名册.xlsx --dry-run
  jingling oidc client add ./city --name 水利调度 --redirect-uri https://water.example.gov.cn/callback
  jingling query ./city \"SELECT entity_id, count(*) FROM observations GROUP BY 1\"
  jingling import ./city towns.xlsx --table towns --dry-run
  jingling export ./city --table towns --output towns.csv
  jingling check ./city                        verify every stored file
  jingling audit verify ./city                 prove the audit trail whole
  jingling security holes ./city --advisories DIR  known holes of the program's own packages
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
    /// Make a department's file (CSV, Excel, Parquet) a table in SQL, whether the city runs or not.
    #[command(
        after_help = "Examples:\n  jingling import ./city 乡镇.xlsx --table towns --title-zh 乡镇名录 --dry-run\n  jingling import ./city 乡镇.xlsx --table towns --header-line 2 --merged fill\n  jingling import ./city 编号.csv --table codes --type 编号=text --on-error skip --report bad.csv\n\nExit status: 0 when nothing is wrong, or what is wrong was left out with --on-error skip; 1 when a line is bad or the file is refused, and nothing was written."
    )]
    Import(Import),
    /// Write a table or an answer to a file: .csv, .xlsx or .parquet, whether the city runs or not.
    #[command(
        after_help = "Examples:\n  jingling export ./city --table towns --output towns.xlsx\n  jingling export ./city \"SELECT * FROM cases\" --output cases.csv --for-spreadsheets"
    )]
    Export(Export),
    /// Tables that departments' files were made.
    #[command(subcommand)]
    Table(TableCommand),
    /// The audit trail: prove it whole, export it for others to verify, its keys.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Known holes of what this program is made of, by advisories that you bring.
    #[command(subcommand)]
    Security(SecurityCommand),
    /// Service tokens for machines.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Devices and their credentials.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// People who sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Who may do what: read, check and change the policies, and ask why.
    #[command(subcommand)]
    Policy(crate::policies::command::PolicyCommand),
    /// Organisations, posts and people: import them from Excel, export them, hand over the work of who leaves.
    #[command(subcommand)]
    Org(OrgCommand),
    /// The roster of duty from a file.
    #[command(subcommand)]
    Duty(crate::duty_commands::DutyCommand),
    /// Telling people: try a channel, see what could not be sent.
    #[command(subcommand)]
    Notice(NoticeCommand),
    /// Systems that people sign in to with their account here (OpenID Connect).
    #[command(subcommand)]
    Oidc(OidcCommand),
    /// Outside providers that people sign in with here (OpenID Connect).
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// The exchange with other charging platforms (T/CEC 102).
    #[command(subcommand)]
    Exchange(ExchangeCommand),
    /// The keys that personal data is sealed under.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// What the city holds about a person, and who looked at it.
    #[command(subcommand)]
    Personal(PersonalCommand),
    /// Play devices against a running city, through its doors.
    #[command(after_help = "Example: jingling sim ./demo-city --speed 10 --seconds 60")]
    Sim(Sim),
    /// Make, check, test and describe packs.
    #[command(subcommand)]
    Pack(crate::pack_commands::PackCommand),
    /// Alert rules: list those in force, try one on a past period.
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Run the mathematics of packs over files.
    #[command(subcommand)]
    Engine(crate::engine_commands::EngineCommand),
    /// Read frames of a device protocol, one a line, and print what each says as one JSON object a line.
    #[command(
        after_help = "Example: jingling decode sl651 frames.txt --at 2026-11-27T08:00:00+08:00\n\nExit status: 0 when each line was a message, 1 when one was not."
    )]
    Decode(crate::decode_command::Decode),
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
    /// Mark it as a demonstration and make sign-ins for a duty officer, a field worker, a planner, an operator and a resident too.
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

/// `jingling keys …`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the keys: which one seals, which ones still open, and what still needs the older ones. The keys themselves are not
    /// printed. With older keys it reads the whole journal and history's texts, which takes its time.
    #[command(after_help = "Example: jingling keys list ./city")]
    List {
        /// The city's folder.
        dir: PathBuf,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Make a new key that seals from now on, whether the city runs or not; older ones still open what they sealed.
    #[command(
        after_help = "Examples:\n  jingling keys rotate ./city\n  jingling keys rotate ./city --cipher aes-256-gcm\n\nA running city follows within seconds."
    )]
    Rotate {
        /// The city's folder.
        dir: PathBuf,
        /// sm4-gcm or aes-256-gcm; as personal.cipher says when not given.
        #[arg(long)]
        cipher: Option<String>,
        /// The old keys are lost: begin anew. What they sealed can never be read again.
        #[arg(long)]
        forget_old: bool,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Destroy an older key, whether the city runs or not. Refused, with the stores that need it, while anything is under it.
    #[command(
        after_help = "Examples:\n  jingling keys retire ./city 4c357642\n  jingling keys retire ./city 4c357642 --even-if-needed --confirm 4c357642\n\nThe second makes all that is still under the key unreadable for good, also in backups taken from now on."
    )]
    Retire {
        /// The city's folder.
        dir: PathBuf,
        /// The key's id, as `jingling keys list` shows it.
        id: String,
        /// Destroy it although values or messages are under it: nobody can read them ever again.
        #[arg(long, requires = "confirm")]
        even_if_needed: bool,
        /// The key's id once more: that what is under it is really to be unreadable.
        #[arg(long, value_name = "ID", requires = "even_if_needed")]
        confirm: Option<String>,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// Whose data.
#[derive(Debug, Args)]
pub struct PersonOf {
    /// The city's folder.
    pub dir: PathBuf,
    /// The person's identifier, such as a telephone number; - reads it from standard input, so that no list of processes
    /// and no history of commands has it.
    pub subject: String,
}

/// `jingling personal …`.
#[derive(Debug, Subcommand)]
pub enum PersonalCommand {
    /// Write everything held about a person to a file; the audit trail tells it.
    #[command(
        after_help = "Example: echo 13800001234 | jingling personal export ./city - --output person.json"
    )]
    Export {
        /// Whose.
        #[command(flatten)]
        of: PersonOf,
        /// The file to write (JSON), which must not be there; only its owner may read it.
        #[arg(long, short)]
        output: PathBuf,
        /// What for: the id of a purpose of the city.
        #[arg(long, default_value = "own-request")]
        purpose: String,
    },
    /// Tell who saw or exported a person's data: when, from where and what for.
    #[command(after_help = "Example: echo 13800001234 | jingling personal viewers ./city -")]
    Viewers {
        /// Whose.
        #[command(flatten)]
        of: PersonOf,
    },
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
    /// What personal values are looked at for, the id of a purpose of the city: they are shown whole, and the audit trail has
    /// which. The answer is gathered first, up to sql.rows_max rows.
    #[arg(long, value_name = "WORD")]
    pub purpose: Option<String>,
    /// Settings.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `jingling import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The city's folder.
    pub dir: PathBuf,
    /// The file: .csv, .tsv, .txt (UTF-8, GB18030 or UTF-16), .xlsx, .xls or .parquet.
    pub file: PathBuf,
    /// The table's name in SQL: small letters, digits and _. Or a table that a pack declares for files, such as ST_RIVER_R: its rows
    /// become readings of the stations, and the city must not run meanwhile.
    #[arg(long)]
    pub table: String,
    /// Its title in Chinese.
    #[arg(long)]
    pub title_zh: Option<String>,
    /// Its title in English.
    #[arg(long)]
    pub title_en: Option<String>,
    /// What it holds, in a sentence.
    #[arg(long)]
    pub description: Option<String>,
    /// The department that it is from, by its id in the city profile.
    #[arg(long)]
    pub department: Option<String>,
    /// Put it in the place of a table of the same name.
    #[arg(long)]
    pub replace: bool,
    /// The sheet of a workbook; the first without it.
    #[arg(long)]
    pub sheet: Option<String>,
    /// The line that names the columns, from 1; what stands above is left out. The first that is not empty without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub header_line: Option<u64>,
    /// Merged cells: refuse the file, fill each with the range's value, or leave all but the first empty.
    #[arg(long, default_value = "refuse", value_parser = ["refuse", "fill", "first"])]
    pub merged: String,
    /// What a column holds instead of what is found: text, integer, number, boolean, date or time (may be repeated).
    #[arg(long = "type", value_name = "NAME=TYPE")]
    pub types: Vec<String>,
    /// Read and report, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// A bad line refuses the file (stop), or is left out and told (skip).
    #[arg(long, value_enum, default_value_t = OnError::Stop)]
    pub on_error: OnError,
    /// Write every problem to this CSV file: line, column, value, what is wrong, how to mend it; Chinese and English.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// One JSON object with every problem instead of text.
    #[arg(long)]
    pub json: bool,
    /// Settings.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// What is done about a bad line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OnError {
    /// Nothing is written.
    Stop,
    /// It is left out.
    Skip,
}

/// `jingling export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The city's folder.
    pub dir: PathBuf,
    /// The statement.
    #[arg(required_unless_present = "table", conflicts_with = "table")]
    pub sql: Option<String>,
    /// The whole table of this name.
    #[arg(long)]
    pub table: Option<String>,
    /// The file; its ending is its format: .csv, .xlsx or .parquet.
    #[arg(long, short)]
    pub output: PathBuf,
    /// CSV for Excel and its kin: with the mark that makes them read UTF-8, and with ' before a text that would be a
    /// formula. Without it CSV is written as the data is.
    #[arg(long)]
    pub for_spreadsheets: bool,
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

/// `jingling table …`.
#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// Take a department's table away with its files, for good, whether the city runs or not; only a backup has it
    /// then. A statement that reads it at that moment may end with an error.
    #[command(after_help = "Example: jingling table remove ./city towns")]
    Remove {
        /// The city's folder.
        dir: PathBuf,
        /// The table's name in SQL.
        name: String,
    },
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
        /// Days after which it ends; without it, it has no end.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..=TOKEN_DAYS_MAX))]
        days: Option<i64>,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Which tokens there are, when each ends and when it was last used; their texts are kept nowhere.
    #[command(after_help = "Example: jingling token list ./city --json")]
    List {
        /// The city's folder.
        dir: PathBuf,
        /// A JSON array instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Take a token away: it is refused from now on, and its MQTT connections end.
    #[command(after_help = "Example: jingling token remove ./city --name telegraf")]
    Remove {
        /// The city's folder.
        dir: PathBuf,
        /// The token's name.
        #[arg(long)]
        name: String,
    },
}

/// Longest life of a token that ends, in days.
const TOKEN_DAYS_MAX: i64 = 3_650;

/// `jingling device …`.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Register a device; its password or key is printed once.
    #[command(
        after_help = "Examples:\n  jingling device add ./city --id urn:ngsi-ld:WaterObserved:1 --type WaterObserved --json\n  jingling device add ./city --id urn:ngsi-ld:WaterObserved:2 --type WaterObserved --psk"
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
        /// A key that it proves to hold, in the place of a password.
        #[arg(long)]
        psk: bool,
        /// File with the key, hex, when it was made elsewhere; without it one is made and printed once.
        #[arg(long, requires = "psk")]
        key_file: Option<PathBuf>,
        /// One JSON object with id, client_id, username, password or key, topic.
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
    /// Give a device a new password or key, printed once; the old one stays good for a time.
    #[command(
        after_help = "Examples:\n  jingling device rotate ./city --id gauge-7-k3f9ab --overlap-hours 72\n  jingling device rotate ./city --id gauge-7-k3f9ab --psk"
    )]
    Rotate {
        /// The city's folder.
        dir: PathBuf,
        /// Its id or client id.
        #[arg(long)]
        id: String,
        /// Hours for which the old password or key stays good; 0 for none.
        #[arg(long, default_value_t = identity::OVERLAP_HOURS)]
        overlap_hours: u32,
        /// A key from now on; without --psk and --password it gets what it has, a password or a key.
        #[arg(long)]
        psk: bool,
        /// A password from now on.
        #[arg(long, conflicts_with = "psk")]
        password: bool,
        /// File with the key, hex, when it was made elsewhere; without it one is made and printed once.
        #[arg(long, requires = "psk")]
        key_file: Option<PathBuf>,
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Print a proof of a device's key, to be sent in the place of a password, for a test. It is good once, and for minutes.
    #[command(
        after_help = "Example: mosquitto_pub -i gauge-7-k3f9ab -u gauge-7-k3f9ab -P \"$(jingling device proof --client-id gauge-7-k3f9ab --key-file key.hex)\" …"
    )]
    Proof {
        /// The device's client id.
        #[arg(long)]
        client_id: String,
        /// Its username, when that is another.
        #[arg(long)]
        username: Option<String>,
        /// File with its key, hex.
        #[arg(long)]
        key_file: PathBuf,
        /// With what the proof is computed: sha256 or sm3.
        #[arg(long, default_value = "sha256")]
        algorithm: String,
    },
    /// Certificates (X.509) with which a device signs in over TLS.
    #[command(subcommand)]
    Certificate(CertificateCommand),
}

/// `jingling device certificate …`.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Make a key and a certificate for a device and register it; or register a certificate that it has.
    #[command(
        after_help = "Examples:\n  jingling device certificate add ./city --id gauge-7-k3f9ab --make ./gauge-7\n  jingling device certificate add ./city --id gauge-7-k3f9ab --file gauge-7.pem"
    )]
    Add {
        /// The city's folder.
        dir: PathBuf,
        /// The device's id or client id.
        #[arg(long)]
        id: String,
        /// Folder for the new key.pem and certificate.pem; they are to be carried to the device and deleted.
        #[arg(long, required_unless_present = "file", conflicts_with = "file")]
        make: Option<PathBuf>,
        /// Days that a new certificate is good.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3_650))]
        days: u16,
        /// A certificate that the device has, PEM.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// List what a device may sign in with.
    List {
        /// The city's folder.
        dir: PathBuf,
        /// The device's id or client id.
        #[arg(long)]
        id: String,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Take a certificate away; a connection with it ends.
    Remove {
        /// The city's folder.
        dir: PathBuf,
        /// The device's id or client id.
        #[arg(long)]
        id: String,
        /// SHA-256 of the certificate, hex, as the list shows it.
        #[arg(long)]
        fingerprint: String,
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
    /// Take a person's second factors away, because a telephone or a key is lost; every session of theirs ends.
    #[command(after_help = "Example: jingling user reset-factors ./city --username wang")]
    ResetFactors {
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
        /// admin, security, auditor, duty, operator, field, planner, analyst, viewer or none.
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

/// `jingling provider …`.
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// Ask each for its description and its keys, and say what is wrong; exit status 1 when something is.
    #[command(after_help = "Example: jingling provider check ./city")]
    Check {
        /// The city's folder.
        dir: PathBuf,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
        /// Settings.
        #[command(flatten)]
        overrides: Overrides,
    },
}

/// `jingling exchange …`.
#[derive(Debug, Subcommand)]
pub enum ExchangeCommand {
    /// Make the secrets with which a partner asks this city, and say where they lie.
    #[command(after_help = "Example: jingling exchange partner-keys ./city 123456789")]
    PartnerKeys {
        /// The city's folder.
        dir: PathBuf,
        /// The partner's operator id, as in its [[tcec102.partner]].
        operator_id: String,
        /// Put others in the place of those that are there.
        #[arg(long)]
        replace: bool,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
        /// Settings.
        #[command(flatten)]
        overrides: Overrides,
    },
}

/// `jingling oidc …`.
#[derive(Debug, Subcommand)]
pub enum OidcCommand {
    /// The systems.
    #[command(subcommand)]
    Client(OidcClientCommand),
    /// What people gave them.
    #[command(subcommand)]
    Grant(GrantCommand),
}

/// `jingling oidc client …`.
#[derive(Debug, Subcommand)]
pub enum OidcClientCommand {
    /// Register a system; its secret is printed once.
    #[command(
        after_help = "Examples:\n  jingling oidc client add ./city --name 水利调度 --redirect-uri https://water.example.gov.cn/callback\n  jingling oidc client add ./city --name 数据同步 --grant client_credentials --scope role\n  jingling oidc client add ./city --name 大屏 --public --grant device_code"
    )]
    Add(OidcClientAdd),
    /// List systems.
    List {
        /// The city's folder.
        dir: PathBuf,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Take a system away with everything that it was given.
    Remove {
        /// The city's folder.
        dir: PathBuf,
        /// Its client_id.
        #[arg(long)]
        client_id: String,
    },
    /// Make a new secret; it is printed once, and the old one is wrong from now on.
    RotateSecret {
        /// The city's folder.
        dir: PathBuf,
        /// Its client_id.
        #[arg(long)]
        client_id: String,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// `jingling oidc client add`.
#[derive(Debug, Args)]
pub struct OidcClientAdd {
    /// The city's folder.
    pub dir: PathBuf,
    /// What people call it.
    #[arg(long)]
    pub name: String,
    /// It cannot keep a secret: a page, an app, a screen.
    #[arg(long)]
    pub public: bool,
    /// Where people are sent back to, character by character as the system gives it (may be repeated).
    #[arg(long, value_name = "URI")]
    pub redirect_uri: Vec<String>,
    /// Where people may be sent after signing out (may be repeated).
    #[arg(long, value_name = "URI")]
    pub post_logout_redirect_uri: Vec<String>,
    /// Where it is told that a session ended.
    #[arg(long, value_name = "URI")]
    pub backchannel_logout_uri: Option<String>,
    /// authorization_code (when none is given), refresh_token, client_credentials or device_code (may be repeated).
    #[arg(long)]
    pub grant: Vec<String>,
    /// openid and profile (when none is given), organisation, role or offline_access (may be repeated).
    #[arg(long)]
    pub scope: Vec<String>,
    /// People are not asked before it gets what it wants: a system of the city's own.
    #[arg(long)]
    pub no_consent: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// `jingling oidc grant …`.
#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// List what a person gave to systems.
    List {
        /// The city's folder.
        dir: PathBuf,
        /// Whose.
        #[arg(long)]
        username: String,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Take back what a person gave a system: every sign-in and token of theirs there ends.
    End {
        /// The city's folder.
        dir: PathBuf,
        /// Whose.
        #[arg(long)]
        username: String,
        /// The system.
        #[arg(long)]
        client_id: String,
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

/// `jingling rule …`.
#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// List the rules in force.
    List {
        /// The city's folder.
        #[arg(long, default_value = ".")]
        data: PathBuf,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// What a rule would have raised over a past period, whether the city runs or not.
    #[command(
        after_help = "Example: jingling rule back-test rise.toml --data ./city --from 2026-07-01T00:00:00+08:00 --until 2026-08-01T00:00:00+08:00"
    )]
    BackTest {
        /// A file with the rule in TOML, or the id of a rule in force.
        rule: String,
        /// From when (RFC 3339).
        #[arg(long)]
        from: String,
        /// Until when (RFC 3339), exclusive.
        #[arg(long, visible_alias = "to")]
        until: String,
        /// The city's folder.
        #[arg(long, default_value = ".")]
        data: PathBuf,
        /// The whole report as JSON.
        #[arg(long)]
        json: bool,
    },
}
