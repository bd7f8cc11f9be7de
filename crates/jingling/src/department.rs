//! `jingling import`, `jingling export` and `jingling table`: a department's file becomes a table in SQL, a table
//! or an answer becomes a file, and a table is taken away. All work whether the city runs or not: a table appears
//! and goes in one move, and SQL sees that from its next statement on.

use crate::args::{Export, Import, OnError, TableCommand};
use crate::commands::open_records;
use crate::folder::Folder;
use crate::formats;
use crate::output::{print_json, print_table};
use crate::query::Opened;
use crate::running::{export_limits, import_limits, wall_clock};
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow, bail};
use api::import_progress::ImportStep;
use api::table_imports::{self, Asked, ImportReport, Outcome, Place};
use imports::write::{Format, Options as WriteOptions, Target};
use imports::{Kind, grouped};
use indicatif::{ProgressBar, ProgressStyle};
use model::Problem;
use records::Actor;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Problems that are printed for people; a report file and `--json` have them all up to the import's limit.
const PROBLEMS_SHOWN_MAX: usize = 20;

/// `jingling import`. Gives whether nothing was wrong, or what was wrong was left out as asked.
///
/// # Errors
/// What makes the file unreadable or the table impossible, or the disk's own error.
pub async fn import(args: Import) -> Result<bool> {
    let folder = Folder::new(&args.dir);
    let settings = Settings::load(&args.dir, &args.overrides.set)?;
    let city = folder.city(&settings.city.profile)?;
    let packs = folder.packs()?;
    if api::intake::table_of(&packs.catalogue, &args.table).is_some() {
        return crate::intake_command::import(args).await;
    }
    let now = wall_clock();
    let options = imports::Options {
        limits: import_limits(&settings),
        sheet: args.sheet.clone(),
        header_line: args.header_line,
        merged: args.merged.parse()?,
        kinds: kinds(&args.types)?,
        utc_offset_seconds: table_imports::utc_offset_seconds(&city, now),
        refuse_xls: false,
    };
    let asked = Asked {
        table: args.table.clone(),
        title_zh: args.title_zh.clone(),
        title_en: args.title_en.clone(),
        description: args.description.clone(),
        department: args.department.clone(),
        replace: args.replace,
        skip_bad_lines: args.on_error == OnError::Skip,
        dry_run: args.dry_run,
    };
    // Opened first: what a newer program wrote is not touched, and records that do not open stop us before.
    let _lock = formats::open_for_tables(&folder)?;
    let records = open_records(&folder, false).await?;
    let actor = Actor::command_line();
    let lake = folder.lake();
    let (asked, outcome) = tokio::task::spawn_blocking({
        let (file, by) = (args.file.clone(), by());
        move || {
            let place = Place {
                lake: &lake,
                catalogue: &packs.catalogue,
                city: &city,
            };
            let bar = progress_bar();
            let name = file.display().to_string();
            let file = (file.as_path(), name.as_str());
            let done = table_imports::bring_in(
                &asked,
                place,
                file,
                &options,
                (&by, now),
                &mut |step, done, total| {
                    bar.set_message(match step {
                        ImportStep::Writing => "writing",
                        _ => "reading",
                    });
                    bar.set_length(total);
                    bar.set_position(done);
                    ControlFlow::Continue(())
                },
            );
            bar.finish_and_clear();
            (asked, done)
        }
    })
    .await?;
    let outcome = outcome?;
    if let Some(entry) = &outcome.entry {
        table_imports::note(&records, &actor, now, entry).await?;
    }
    records.close().await;
    if let Some(path) = &args.report {
        imports::report::write(path, &outcome.table)?;
    }
    report(&args, &asked, &outcome)?;
    Ok(outcome.table.problems_count == 0 || outcome.entry.is_some())
}

/// `jingling table …`.
///
/// # Errors
/// When there is no such table, or the disk refuses.
pub async fn table(command: TableCommand) -> Result<()> {
    let TableCommand::Remove { dir, name } = command;
    let folder = Folder::new(&dir);
    // Opened first: what a newer program wrote is not touched, and records that do not open stop us before.
    let records = open_records(&folder, false).await?;
    let (lake, own_name) = (folder.lake(), name.clone());
    let entry =
        tokio::task::spawn_blocking(move || lake::department::remove(&lake, &own_name)).await??;
    let actor = Actor::command_line();
    table_imports::note_removal(&records, &actor, wall_clock(), &name, entry.as_ref()).await?;
    records.close().await;
    match entry {
        Some(entry) => eprintln!(
            "the table {name} is gone with its files: {} rows of {}, imported {} by {}",
            grouped(entry.rows),
            entry.source.file,
            entry.imported_at,
            entry.imported_by
        ),
        None => eprintln!("the table {name} is gone with its files; its entry was damaged"),
    }
    Ok(())
}

/// Who sits at the command line, as far as the system says.
fn by() -> String {
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    user.unwrap_or_else(|| "command line".to_owned())
}

/// `NAME=TYPE`.
fn kinds(types: &[String]) -> Result<BTreeMap<String, Kind>> {
    let each = types.iter().map(|text| {
        let (name, kind) = text
            .rsplit_once('=')
            .with_context(|| format!("--type {text}: write it as NAME=TYPE, such as 编号=text"))?;
        Ok((name.to_owned(), kind.parse()?))
    });
    each.collect()
}

fn report(args: &Import, asked: &Asked, outcome: &Outcome) -> Result<()> {
    let report = ImportReport::new(asked, outcome);
    if args.json {
        return print_json(&serde_json::to_value(&report)?);
    }
    tell_file(&outcome.table, args.report.as_deref());
    match (&outcome.entry, args.dry_run) {
        (Some(entry), _) => {
            if entry.rows_left_out > 0 {
                eprintln!("{} rows were left out", grouped(entry.rows_left_out));
            }
            eprintln!(
                "{} rows written; ask: jingling query {} \"SELECT * FROM {} LIMIT 5\"",
                grouped(entry.rows),
                args.dir.display(),
                asked.table
            );
        }
        (None, true) => eprintln!("a dry run: nothing was written"),
        (None, false) => {
            eprintln!("nothing was written; mend the lines, or leave them out with --on-error skip")
        }
    }
    Ok(())
}

/// Tells people what a file holds and what is wrong with it.
pub(crate) fn tell_file(table: &imports::Table, report: Option<&Path>) {
    let columns = table.columns.iter().map(|c| {
        vec![
            c.name.clone(),
            c.r#type.clone(),
            c.unit.clone().unwrap_or_default(),
            grouped(c.filled as u64),
        ]
    });
    print_table(&["column", "type", "unit", "filled"], columns.collect());
    for note in &table.notes {
        eprintln!("{note}");
    }
    for found in table.problems.iter().take(PROBLEMS_SHOWN_MAX) {
        eprintln!("{}", found.problem);
    }
    let more = table.problems_count.saturating_sub(PROBLEMS_SHOWN_MAX);
    if more > 0 {
        let more = grouped(more as u64);
        eprintln!("and {more} more; --report FILE writes them with their lines");
    }
    let encoding = table
        .encoding
        .map_or_else(String::new, |e| format!(", {e}"));
    let sheet = table
        .sheet
        .as_ref()
        .map_or_else(String::new, |s| format!(", sheet {s}"));
    eprintln!(
        "{} rows read ({}{encoding}{sheet}), {} good, {} bad",
        grouped(table.rows_seen as u64),
        table.format,
        grouped((table.rows_seen - table.rows_bad) as u64),
        grouped(table.rows_bad as u64)
    );
    if let Some(path) = report {
        eprintln!("the report is {}", path.display());
    }
}

/// A bar on standard error, on a terminal only.
pub(crate) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(1).with_message("reading");
    match ProgressStyle::with_template("{msg} [{wide_bar}] {percent}% {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A file that is there under its name only when it is whole.
struct Whole {
    path: PathBuf,
    beside: PathBuf,
}

impl Whole {
    fn new(path: &Path) -> Self {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        Self {
            path: path.to_owned(),
            beside: path.with_file_name(name),
        }
    }

    fn finish(self) -> Result<()> {
        std::fs::rename(&self.beside, &self.path)
            .with_context(|| format!("writing {}", self.path.display()))
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.beside);
    }
}

/// `jingling export`.
///
/// # Errors
/// The statement's own problem, or the disk's error; a file is then not there, and one of the name from before
/// is as it was.
pub async fn export(args: Export) -> Result<()> {
    let ending = args.output.extension().and_then(|e| e.to_str());
    let format: Format = ending.unwrap_or_default().parse()?;
    if args.for_spreadsheets && format != Format::Csv {
        bail!(
            "--for-spreadsheets is about CSV; Excel files keep texts as texts, and Parquet opens in no spreadsheet"
        );
    }
    let sql = match (&args.table, &args.sql) {
        (Some(table), _) => format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")),
        (None, Some(sql)) => sql.clone(),
        (None, None) => bail!("name what to export: --table NAME, or a statement"),
    };
    let city = Opened::new(&args.dir, &args.overrides.set, &sql).await?;
    let profile = Folder::new(&args.dir).city(&city.settings.city.profile)?;
    let options = WriteOptions {
        for_spreadsheets: args.for_spreadsheets,
        utc_offset_seconds: table_imports::utc_offset_seconds(&profile, wall_clock()),
    };
    let limits = export_limits(&city.settings);
    let mut answer = city.stream(&sql, &limits).await?;
    let whole = Whole::new(&args.output);
    let mut target = Target::new(&whole.beside, format, answer.schema(), options)?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows {elapsed}") {
        bar.set_style(style);
    }
    while let Some(batch) = answer.next().await {
        let batch = batch.map_err(|p| anyhow!("{p}"))?;
        target = tokio::task::spawn_blocking(move || {
            target.write(&lake::formats::flat(&batch)?).map(|()| target)
        })
        .await??;
        bar.set_position(target.rows());
    }
    if answer.truncated() {
        let problem = Problem::new(
            "export-rows",
            format!("there are more than {} rows", limits.rows_max),
            "statement",
            "add LIMIT or a condition, or raise export.rows_max",
        );
        bail!("{problem}");
    }
    let rows = tokio::task::spawn_blocking(move || target.finish()).await??;
    bar.finish_and_clear();
    whole.finish()?;
    city.close().await;
    eprintln!("{} rows in {}", grouped(rows), args.output.display());
    Ok(())
}
