//! `jingling import` of a file whose columns are those of a declared table, such as `ST_RIVER_R`: readings and registers of the
//! city's entities. It writes the journal, so the city must not run meanwhile; a running city takes files on its pages and over HTTP.

use crate::args::{Import, OnError};
use crate::city_lock::CityLock;
use crate::department::{progress_bar, tell_file};
use crate::folder::Folder;
use crate::output::print_json;
use crate::query::Opened;
use crate::running::{import_limits, wall_clock};
use crate::{formats, personal_keys};
use admission::Ingest;
use anyhow::{Context, Result, anyhow, bail};
use api::intake::{self, Counts, Plan, Source};
use api::intake_pages::{IntakeReport, unknown};
use api::table_imports::utc_offset_seconds;
use imports::grouped;
use journal::Journal;
use lake::{RecordTables, department};
use model::Timestamp;
use personal::Sealer;
use records::Actor;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Takes a file in. Gives whether nothing was wrong, or what was wrong was left out as asked.
///
/// # Errors
/// What makes the file unreadable, a city that runs, or the disk's own error.
pub(crate) async fn import(args: Import) -> Result<bool> {
    refuse_others(&args)?;
    let folder = Folder::new(&args.dir);
    // Held to the end: two processes must not write one journal. Who only looks disturbs nobody.
    let lock = match args.dry_run {
        true => None,
        false => Some(CityLock::take(&folder).context(
            "readings go into the journal, which the running city writes: bring the file in on the SQL page, or with POST /api/v1/intakes/TABLE",
        )?),
    };
    if let Some(lock) = &lock {
        formats::open_for_writing(&folder, lock)?;
    }
    let city = Opened::new(&args.dir, &args.overrides.set, "").await?;
    let done = take_in(&args, &folder, &city).await;
    city.close().await;
    done
}

/// What is asked of a department's table means nothing here.
fn refuse_others(args: &Import) -> Result<()> {
    let said = [
        ("--title-zh", args.title_zh.is_some()),
        ("--title-en", args.title_en.is_some()),
        ("--description", args.description.is_some()),
        ("--department", args.department.is_some()),
        ("--replace", args.replace),
        ("--type", !args.types.is_empty()),
    ];
    match said.iter().find(|(_, is_said)| *is_said) {
        Some((name, _)) => bail!(
            "{name} is of a department's own table; {} is declared by a pack, and says all that by itself",
            args.table
        ),
        None => Ok(()),
    }
}

async fn take_in(args: &Import, folder: &Folder, city: &Opened) -> Result<bool> {
    let now = wall_clock();
    let limits = admission::Limits {
        observed_past_seconds_max: city.settings.admission.observed_past_days_max * 86_400,
        observed_future_seconds_max: city.settings.admission.observed_future_seconds_max,
        attributes_max: city.settings.admission.attributes_max,
    };
    let (mut plan, source) = look(args, folder, city, &limits, now)?;
    let skips = args.on_error == OnError::Skip;
    let may = plan.is_good() || skips;
    if may || args.dry_run {
        let tables: Arc<dyn RecordTables> = city.tables.clone();
        let catalogue = &city.packs.catalogue;
        let held = plan.against(&city.tables.twin, &city.lake, &tables, catalogue);
        held.await.map_err(|p| anyhow!("{p}"))?;
    }
    if let Some(path) = &args.report {
        imports::report::write(path, &plan.table)?;
    }
    let is_new = plan.counts.rows_new > 0;
    if args.dry_run || !may || !is_new {
        report(args, &source, &plan, false)?;
        return Ok(plan.is_good() || (skips && !args.dry_run));
    }
    intake::note(&city.records, &Actor::command_line(), now, &source, &plan).await?;
    let journal = open_journal(folder, city)?;
    let ingest = Ingest::new(
        journal.clone(),
        Arc::new(city.packs.catalogue.clone()),
        limits,
    );
    let keys = personal_keys::read(folder).map_err(|p| anyhow!("{p}"))?;
    let ingest = match keys {
        Some(keys) => ingest.with_sealer(Arc::new(Sealer::new(keys, personal_keys::draw))),
        None => ingest,
    };
    let bar = progress_bar();
    bar.set_message("writing");
    let sent = intake::send(&ingest, &mut plan, &source, now, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    let sent = sent.await;
    bar.finish_and_clear();
    tokio::task::spawn_blocking(move || journal.close()).await?;
    let (_, late) = sent?;
    for problem in late {
        eprintln!("{problem}");
    }
    report(args, &source, &plan, true)?;
    Ok(true)
}

fn look(
    args: &Import,
    folder: &Folder,
    city: &Opened,
    limits: &admission::Limits,
    now: Timestamp,
) -> Result<(Plan, Source)> {
    let catalogue = &city.packs.catalogue;
    let (view, intake) =
        intake::table_of(catalogue, &args.table).ok_or_else(|| unknown(&args.table, catalogue))?;
    let profile = folder.city(&city.settings.city.profile)?;
    let options = imports::Options {
        limits: import_limits(&city.settings),
        sheet: args.sheet.clone(),
        header_line: args.header_line,
        merged: args.merged.parse()?,
        utc_offset_seconds: utc_offset_seconds(&profile, now),
        ..imports::Options::default()
    };
    let bar = progress_bar();
    let name = args.file.display().to_string();
    let read = imports::declared::read(
        &args.file,
        &name,
        (view, intake),
        &options,
        &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
            ControlFlow::Continue(())
        },
    );
    bar.finish_and_clear();
    let believe = |update| admission::admit(update, catalogue, limits, now);
    let asked = intake::City {
        twin: &city.tables.twin,
        sight: None,
        believe: &believe,
        now,
    };
    let plan = intake::look(read?, intake, catalogue, asked, options.limits.problems_max);
    let own_name = args.file.file_name();
    let source = Source {
        table: view.name.clone(),
        file: own_name.map_or(name, |name| name.to_string_lossy().into_owned()),
        sha256: department::sha256(&args.file)?,
    };
    Ok((plan, source))
}

/// Opens the journal for writing, behind everything that was seen of it.
fn open_journal(folder: &Folder, city: &Opened) -> Result<Journal> {
    let options = journal::Options {
        segment_bytes: city.settings.journal.segment_mib.max(1) << 20,
        buffer_bytes_max: city.settings.journal.buffer_mib_max.max(1) << 20,
        ..journal::Options::default()
    };
    let (journal, _) = Journal::open(folder.journal(), options).context("opening the journal")?;
    let seen = (city.tables.twin.position()).max(city.lake.sealed_position());
    if journal.begin_at(seen).is_some() {
        journal.close();
        bail!(
            "the journal ends before what the city has seen of it; start the city once, which tells what is missing, then bring the file in again"
        );
    }
    Ok(journal)
}

fn report(args: &Import, source: &Source, plan: &Plan, written: bool) -> Result<()> {
    if args.json {
        let report = IntakeReport::new(&source.table, plan, written);
        return print_json(&serde_json::to_value(&report)?);
    }
    tell_file(&plan.table, args.report.as_deref());
    let Counts {
        rows_new,
        rows_same,
        values,
        values_corrected,
        values_out_of_range,
        entities,
        span,
    } = plan.counts;
    let n = |count: usize| grouped(count as u64);
    eprintln!(
        "{} rows with something new ({} values of {} entities{}), {} rows known already",
        n(rows_new),
        n(values),
        n(entities),
        span.map_or_else(String::new, |(first, last)| format!(", {first} to {last}")),
        n(rows_same)
    );
    if values_out_of_range > 0 {
        let count = n(values_out_of_range);
        eprintln!("{count} values are outside the credible range: kept, and marked so");
    }
    if values_corrected > 0 {
        let count = n(values_corrected);
        eprintln!("{count} values stay as a person corrected them");
    }
    let may = plan.is_good() || args.on_error == OnError::Skip;
    match (written, args.dry_run, may) {
        (true, ..) => eprintln!(
            "taken in; ask: jingling query {} \"SELECT * FROM {} LIMIT 5\"",
            args.dir.display(),
            source.table
        ),
        (_, true, _) => eprintln!("a dry run: nothing was written"),
        (_, _, true) => eprintln!("nothing is new: nothing was written"),
        (_, _, false) => {
            eprintln!("nothing was written; mend the lines, or leave them out with --on-error skip")
        }
    }
    Ok(())
}
