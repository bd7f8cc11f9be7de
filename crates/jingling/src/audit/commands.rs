//! What `jingling audit …` does.

use super::args::{AuditCommand, Export, Verify};
use super::{VERIFIER, key};
use crate::commands::open_records;
use crate::folder::Folder;
use crate::output::print_json;
use crate::running::wall_clock;
use crate::{files, settings::Settings};
use anyhow::{Context, Result, bail};
use gm::VerifyingKey;
use model::Timestamp;
use records::audit_verify::{self, Report};
use records::{Actor, Event, Failure, Records, audit, audit_export, audit_seals};
use std::io::Write as _;
use std::path::Path;

/// Does it; gives whether nothing was found.
///
/// # Errors
/// What could not be read or written.
pub async fn audit(command: AuditCommand) -> Result<bool> {
    match command {
        AuditCommand::Verify(args) => return verify(&args).await,
        AuditCommand::Export(args) => export(&args).await?,
        AuditCommand::PublicKey { dir } => public_key(&dir).await?,
        AuditCommand::NewKey { dir } => new_key(&dir).await?,
        AuditCommand::Verifier => write!(std::io::stdout(), "{VERIFIER}")?,
    }
    Ok(true)
}

async fn verify(args: &Verify) -> Result<bool> {
    let mut options = audit_verify::Options {
        noted: args.chain.clone(),
        ..audit_verify::Options::default()
    };
    for path in &args.public_key {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let read = VerifyingKey::from_pem(&text).with_context(|| path.display().to_string())?;
        options.keys.push(read);
    }
    let records = open_records(&Folder::new(&args.dir), false).await?;
    let report = audit_verify::verify(&mut *records.read().await?, &options).await?;
    records.close().await;
    if args.json {
        print_json(&serde_json::to_value(&report)?)?;
    } else {
        for line in said(&report) {
            writeln!(std::io::stdout(), "{line}")?;
        }
    }
    Ok(report.whole)
}

/// What a report says, in a few lines, Chinese and English.
fn said(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for found in &report.breaks {
        let at = found.at.map(|at| format!(" [{at}]")).unwrap_or_default();
        lines.push(format!("断于第 {} 条{at}：{}", found.from, found.what_zh));
        lines.push(format!("  broken at row {}: {}", found.from, found.what_en));
    }
    if report.more {
        lines.push("…… and more".to_owned());
    }
    let Report {
        rows, last, seals, ..
    } = report;
    lines.push(match report.breaks.first() {
        None => format!("完整 whole: {rows} rows to number {last}, {seals} seals"),
        Some(first) => format!(
            "不完整 broken at row {} ({rows} rows, {seals} seals)",
            first.from
        ),
    });
    lines.push(match (report.sealed_by, report.sealed_at) {
        (Some(by), Some(at)) => {
            format!("sealed up to row {} by seal {by} of {at}", report.sealed_to)
        }
        _ => "no row is proved by a seal".to_owned(),
    });
    if report.chained_later > 0 {
        lines.push(format!(
            "rows up to {} are older than the chain: proved unchanged only since it was made",
            report.chained_later
        ));
    }
    if !report.keys_given {
        lines.push(format!(
            "keys as the folder names them: {}; --public-key holds the seals against a key kept elsewhere",
            if report.keys.is_empty() { "none".to_owned() } else { report.keys.join(", ") }
        ));
    }
    if report.whole {
        lines.push(format!(
            "chain {last}:{} (note it elsewhere; --chain verifies it later)",
            report.hash
        ));
    }
    lines
}

fn time(text: Option<&String>, name: &str) -> Result<Option<Timestamp>> {
    text.map(|text| Timestamp::parse(text).with_context(|| format!("--{name} {text}")))
        .transpose()
}

async fn export(args: &Export) -> Result<()> {
    let (from, to) = (
        time(args.from.as_ref(), "from")?,
        time(args.to.as_ref(), "to")?,
    );
    let folder = Folder::new(&args.dir);
    let city = folder.city(&Settings::load(&args.dir, &[])?.city.profile)?;
    let records = open_records(&folder, false).await?;
    note(&records, from, to).await?;
    let mut read = records.read().await?;
    let mut export =
        audit_export::Export::begin(&mut read, &city.id, from, to, wall_clock()).await?;
    let handle = tokio::runtime::Handle::current();
    let output = args.output.clone();
    tokio::task::block_in_place(|| {
        files::write_pieces(&output, |file| {
            while let Some(piece) = handle.block_on(export.next(&mut read))? {
                file.write_all(piece.as_bytes())?;
            }
            Ok(())
        })
    })?;
    drop(read);
    records.close().await;
    eprintln!(
        "written: {}; verify it anywhere: jingling audit verifier > verify_export.py; python3 verify_export.py {} --public-key KEY.pem",
        args.output.display(),
        args.output.display()
    );
    Ok(())
}

/// Tells the trail that it was exported; on a disk that takes no writes it goes on untold.
async fn note(records: &Records, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<()> {
    let written = async {
        let mut write = records.write().await?;
        let text = |time: Option<Timestamp>| time.map(|t| t.to_string());
        let detail = serde_json::json!({"from": text(from), "to": text(to)});
        let actor = Actor::command_line();
        audit::insert(
            &mut write,
            wall_clock(),
            &actor,
            Event::AuditExport,
            "audit",
            &detail,
        )
        .await?;
        write.commit().await
    };
    match written.await {
        Ok(()) => Ok(()),
        Err(Failure::Unavailable(problem)) => {
            eprintln!("the export could not be written into the trail: {problem}");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn public_key(dir: &Path) -> Result<()> {
    let records = open_records(&Folder::new(dir), false).await?;
    let keys = audit_seals::keys(&mut *records.read().await?).await?;
    records.close().await;
    let Some(newest) = keys.last() else {
        bail!("the city has no audit key yet: it is made at the first start of `jingling serve`");
    };
    eprintln!("key {} in use since {}", newest.id, newest.made_at);
    write!(std::io::stdout(), "{}", newest.public_key)?;
    Ok(())
}

async fn new_key(dir: &Path) -> Result<()> {
    let folder = Folder::new(dir);
    let records = open_records(&folder, false).await?;
    // What the old key can still vouch for, it does.
    if let Err(error) = super::sealing::step(&folder, &records, None, wall_clock()).await {
        eprintln!("the old key makes no last seal: {error}");
    }
    let made = key::replace(&folder, &records, &Actor::command_line(), wall_clock()).await?;
    super::sealing::step(&folder, &records, None, wall_clock()).await?;
    records.close().await;
    eprintln!(
        "key {} is in use; keep its public half elsewhere: jingling audit public-key {}",
        audit_seals::key_id(&made.verifying_key()),
        dir.display()
    );
    Ok(())
}
