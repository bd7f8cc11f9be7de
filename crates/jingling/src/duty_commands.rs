//! `jingling duty`: the roster of an organisation from a file, whether the city runs or not.

use crate::commands::open_records;
use crate::folder::Folder;
use crate::output::{print_json, print_table};
use crate::running::{import_limits, wall_clock};
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use api::duty_sheets::{self, ImportBody};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use records::{Actor, organisations};
use std::io::Write as _;
use std::path::PathBuf;

/// Mistakes that are printed for people; `--json` has them all up to the file's limit.
const MISTAKES_SHOWN_MAX: usize = 20;

/// `jingling duty …`.
#[derive(Debug, Subcommand)]
pub enum DutyCommand {
    /// Put turns on an organisation's roster from a workbook (.xlsx) or a sheet (.csv, UTF-8 or GB18030): a line for each turn, or a
    /// line for each day with a column for each shift and post. A file with a mistake is refused whole.
    #[command(
        after_help = "Examples:\n  jingling duty import ./city 十二月.xlsx --organisation command-centre --dry-run\n  jingling duty import ./city 十二月.csv --organisation yingji\n\nExit status: 0 when nothing is wrong, 1 when something is and nothing was written."
    )]
    Import(DutyImport),
}

/// `jingling duty import`.
#[derive(Debug, Args)]
pub struct DutyImport {
    /// The city's folder.
    pub dir: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// Whose roster, by the organisation's id.
    #[arg(long, value_name = "ID")]
    pub organisation: String,
    /// Only tell what would be done and what is wrong.
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Does it; gives whether nothing was wrong.
///
/// # Errors
/// What could not be read or written, or why it is refused.
pub async fn command(command: DutyCommand) -> Result<bool> {
    match command {
        DutyCommand::Import(args) => import(args).await,
    }
}

async fn import(args: DutyImport) -> Result<bool> {
    let folder = Folder::new(&args.dir);
    let settings = Settings::load(&args.dir, &[])?;
    let zone = TimeZone::get(&folder.city(&settings.city.profile)?.zone)?;
    let records = open_records(&folder, false).await?;
    let known = organisations::get(&mut *records.read().await?, &args.organisation).await?;
    if known.is_none_or(|organisation| organisation.disabled) {
        bail!(
            "there is no organisation \"{}\" that takes work: jingling org list names them",
            args.organisation
        );
    }
    let (path, limits) = (args.file.clone(), import_limits(&settings));
    let (sheets, mistakes, sha256) = tokio::task::spawn_blocking(move || {
        let name = path.display().to_string();
        let (sheets, mistakes) = imports::book::read_texts(&path, &name, &limits)?;
        let sha256 = lake::department::sha256(&path)?;
        anyhow::Ok((sheets, mistakes, sha256))
    })
    .await?
    .with_context(|| args.file.display().to_string())?;
    let (id, now) = (args.organisation.as_str(), wall_clock());
    let is_only_looked_at = args.dry_run || !mistakes.is_empty();
    let read = if is_only_looked_at {
        let mut connection = records.read().await?;
        duty_sheets::plan(&mut connection, id, (&sheets, &mistakes), (&zone, now)).await?
    } else {
        let file = args.file.file_name().unwrap_or_default().to_string_lossy();
        let source = (&*file, sha256.as_str());
        let actor = Actor::command_line();
        duty_sheets::apply(&records, id, &sheets, (source, &actor), (&zone, now)).await?
    };
    records.close().await;
    let is_good = read.mistakes_count == 0;
    let report = ImportBody::new(read, is_good && !is_only_looked_at);
    if args.json {
        print_json(&serde_json::to_value(&report)?)?;
    } else {
        tell(&report)?;
    }
    Ok(is_good)
}

fn tell(report: &ImportBody) -> Result<()> {
    for mistake in report.mistakes.iter().take(MISTAKES_SHOWN_MAX) {
        let line = mistake.line.map(|n| format!(" 第 {n} 行"));
        let line = line.unwrap_or_default();
        let column = mistake.column.as_deref().unwrap_or_default();
        let (sheet, what, mend) = (&mistake.sheet, &mistake.what_zh, &mistake.mend_zh);
        eprintln!("{sheet}{line} {column}：{what}；{mend}");
        eprintln!("    {}; {}", mistake.what_en, mistake.mend_en);
    }
    let more = report.mistakes_count.saturating_sub(MISTAKES_SHOWN_MAX);
    if more > 0 {
        eprintln!("…… and {more} more (--json has them)");
    }
    for name in &report.not_read {
        eprintln!("未读取 not read: {name}");
    }
    let row = |what: &str, count: usize| vec![what.to_owned(), count.to_string()];
    print_table(
        &["班次 turns", ""],
        vec![
            row("新排 new", report.added),
            row("已有 there already", report.same),
        ],
    );
    let said = match (report.mistakes_count, report.written) {
        (0, true) => "已导入 imported".to_owned(),
        (0, false) => "没有错误，未写入 nothing is wrong; nothing was written".to_owned(),
        (n, _) => format!("{n} 处错误，未写入 {n} mistakes; nothing was written"),
    };
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}
