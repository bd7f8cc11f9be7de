//! The drill: restores the newest point into a folder that is thrown away, checks it, and compares what is there with
//! what the point says of itself. A backup that was never restored is a hope. Before it begins it asks for room; whether it
//! is good, fails or is refused, nothing of it stays.

use super::Options;
use super::about::CityPoint;
use super::restore::{Restored, Until, Wanted, restore};
use super::room::{Room, needed};
use super::take::Progress;
use crate::folder::Folder;
use anyhow::{Context, Result, anyhow};
use model::Record;
use records::Records;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;
use twin::Twin;
use vault::{Key, Vault};

/// Records of the journal read in one step.
const BATCH_RECORDS_MAX: usize = 4_096;

/// What a drill found.
#[derive(Debug, Serialize)]
pub struct Drill {
    /// What was restored and checked.
    pub restored: Restored,
    /// Records read from the journal.
    pub journal_records: u64,
    /// Entities whose current state came back.
    pub entities: u64,
    /// Rows in history's files.
    pub lake_rows: u64,
    /// Rows in the records' tables.
    pub record_rows: u64,
    /// Where the point and what came of it differ; empty when all is well.
    pub differences: Vec<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Restores the newest point of the vault into a temporary folder below `within`, and compares.
///
/// # Errors
/// [`super::room::NO_ROOM`] when there is too little room; else as restoring. Differences are no error but told.
pub async fn drill(
    from: PathBuf,
    key: Key,
    (within, room): (&Path, Room),
    options: Options,
    progress: Progress,
) -> Result<Drill> {
    let started = Instant::now();
    let said = {
        let vault = Vault::open(&from, &key, options.vault.clone())?;
        let (point, said) = CityPoint::newest(&vault)?;
        room.must_hold(needed(&vault, &point)?, within)?;
        said
    };
    let dir = tempfile::Builder::new()
        .prefix("jingling-drill-")
        .tempdir_in(within)
        .with_context(|| format!("making a folder in {}", within.display()))?;
    let to = dir.path().join("city");
    let wanted = Wanted {
        from,
        key,
        to: to.clone(),
        until: Until::Newest,
        actor: None,
    };
    let restored = restore(wanted, options, progress).await?;
    let folder = Folder::new(&to);
    let lost = restored.damaged.iter().filter(|file| !file.held.is_good());
    let mut differences: Vec<String> = lost.map(ToString::to_string).collect();
    let mut compare = |what: &str, said: u64, is: u64| {
        if said != is {
            differences.push(format!("{what}: the point says {said}, restored are {is}"));
        }
    };
    let (journal_records, twin) = replay(&folder)?;
    compare(
        "records of the journal",
        said.position - said.first_position,
        journal_records,
    );
    compare("end of the journal", said.position, twin.position());
    let lake = lake::Lake::open_read_only(folder.lake(), lake::Options::default())
        .map_err(|p| anyhow!("{p}"))?
        .stats();
    compare("rows of history", said.lake_rows, lake.sealed_rows);
    compare(
        "position of history",
        said.lake_position,
        lake.sealed_position,
    );
    let records = Records::open(&folder.records()).await?;
    let rows = records.row_counts().await?;
    records.close().await;
    for (table, &said) in &said.record_rows {
        // A table that a newer program no longer has cannot be compared.
        if let Some(&is) = rows.get(table) {
            compare(&format!("rows of {table}"), said, is);
        }
    }
    Ok(Drill {
        restored,
        journal_records,
        entities: twin.counts().values().map(|&n| n as u64).sum(),
        lake_rows: lake.sealed_rows,
        record_rows: rows.values().sum(),
        differences,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Reads the whole journal as a start does: how many records there are, and the current state that follows.
fn replay(folder: &Folder) -> Result<(u64, Twin)> {
    let twin = Twin::restore(&folder.twin_checkpoint())?;
    let mut reader = journal::open_read_only(folder.journal())?;
    let mut count = 0;
    loop {
        let records = reader.next_batch(BATCH_RECORDS_MAX)?;
        if records.is_empty() {
            break;
        }
        count += records.len() as u64;
        for (position, bytes) in records {
            let record =
                Record::decode(&bytes).with_context(|| format!("journal record {position}"))?;
            match record {
                Record::Accepted(accepted) => twin.apply(position, &accepted),
                Record::Corrected(corrected) => twin.apply_corrected(position, &corrected),
                Record::Rejected(_) | Record::Retained(_) => {}
            }
        }
    }
    twin.advance(reader.end());
    Ok((count, twin))
}
