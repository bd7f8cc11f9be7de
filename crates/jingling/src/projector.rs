//! Follows the journal once, reading what is not still at hand ([`admission::Recent`]), and lets every projection follow: the current state and history at once, the
//! records (alerts, dead letters, device counters) a step behind through a bounded queue. Each projection
//! has its own position and skips what it has, so any of them can be thrown away and rebuilt.

use crate::gaps::{Cause, Gap, Gaps};
use admission::Ingest;
use bytes::Bytes;
use journal::{Journal, ReadError};
use lake::Lake;
use model::{Accepted, Corrected, Record, Rejected, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use twin::Twin;

/// Most records decoded in one step.
const BATCH_RECORDS_MAX: usize = 4_096;
/// Longest time until it is seen that the city stops.
const STOP_LOOK_MS: u64 = 200;
/// Time between attempts at what the disk refuses.
const READ_RETRY_MS: u64 = 500;

/// Some records in journal order, decoded once for everyone.
#[derive(Debug, Default)]
pub struct Batch {
    /// Messages that were understood.
    pub accepted: Vec<(u64, Accepted)>,
    /// Messages that were not.
    pub rejected: Vec<(u64, Rejected)>,
    /// Corrections.
    pub corrected: Vec<(u64, Corrected)>,
    /// The position after the last record.
    pub end: u64,
}

impl Batch {
    /// Gives messages and corrections in the order of their positions: what a correction supersedes was said before it.
    fn in_order(
        &self,
        mut accepted: impl FnMut(&[(u64, Accepted)]),
        mut corrected: impl FnMut(u64, &Corrected),
    ) {
        let mut rest = self.accepted.as_slice();
        for (at, correction) in &self.corrected {
            let (before, behind) =
                rest.split_at(rest.partition_point(|(position, _)| position < at));
            accepted(before);
            corrected(*at, correction);
            rest = behind;
        }
        accepted(rest);
    }
}

/// What the projector works on.
pub struct Projector {
    /// What is read.
    pub journal: Journal,
    /// Where the journal's newest records are still decoded.
    pub ingest: Arc<Ingest>,
    /// The current state.
    pub twin: Arc<Twin>,
    /// History.
    pub lake: Arc<Lake>,
    /// Where the records' projections listen.
    pub records: mpsc::Sender<Arc<Batch>>,
    /// How far the current state and history have come.
    pub progress: watch::Sender<u64>,
    /// Where records are written down that cannot be read.
    pub gaps: Arc<Gaps>,
    /// The clock.
    pub clock: fn() -> Timestamp,
    /// Set to end.
    pub stop: Arc<AtomicBool>,
}

impl Projector {
    /// Follows the journal from `position` until told to stop. Blocks; give it a thread of its own. Records
    /// that cannot be read are written down first ([`Gaps`]) and then passed; what is good behind them goes on.
    ///
    /// # Errors
    /// A record that reads well and does not decode, which a newer program wrote: nothing is skipped silently.
    pub fn run(self, mut position: u64, runtime: &tokio::runtime::Handle) -> anyhow::Result<()> {
        let mut durable = self.journal.durable();
        let mut reader = self.journal.read(position);
        while !self.stop.load(Ordering::Acquire) {
            let safe = *durable.borrow();
            let recent = self.ingest.recent();
            let newest = recent.take(position, safe, BATCH_RECORDS_MAX);
            let read = if newest.is_empty() {
                if reader.position() != position {
                    reader.seek(position);
                }
                reader.next_batch(BATCH_RECORDS_MAX)
            } else {
                Ok(Vec::new())
            };
            let batch = match read {
                Ok(_) if !newest.is_empty() => sorted(position, (position..).zip(newest)),
                Ok(records) if records.is_empty() => {
                    let woken = runtime.block_on(async {
                        tokio::select! {
                            changed = durable.wait_for(|&durable| durable > position) => changed.is_ok(),
                            () = tokio::time::sleep(Duration::from_millis(STOP_LOOK_MS)) => true,
                        }
                    });
                    if !woken {
                        break;
                    }
                    continue;
                }
                Ok(records) => decoded(position, records)?,
                Err(ReadError::Damaged(damage)) => {
                    self.write_down(&Gap::damaged(&damage, (self.clock)()));
                    Batch {
                        end: damage.positions.end,
                        ..Batch::default()
                    }
                }
                Err(ReadError::Trimmed { first_position }) => {
                    let gone = position..first_position;
                    self.write_down(&Gap::without_file(Cause::Trimmed, gone, (self.clock)()));
                    reader.seek(first_position);
                    Batch {
                        end: first_position,
                        ..Batch::default()
                    }
                }
                // The disk does not answer, or no file handle is left: that may pass.
                Err(error @ ReadError::Io { .. }) => {
                    tracing::error!(%error, position, "the journal cannot be read; it is tried again");
                    std::thread::sleep(Duration::from_millis(READ_RETRY_MS));
                    continue;
                }
            };
            if self.stop.load(Ordering::Acquire) {
                break;
            }
            position = batch.end;
            batch.in_order(
                |accepted| {
                    self.twin.apply_batch(accepted);
                    self.lake.apply_batch(accepted);
                },
                |at, corrected| {
                    self.twin.apply_corrected(at, corrected);
                    self.lake.apply_corrected(at, corrected);
                },
            );
            self.twin.advance(position);
            self.progress.send_replace(position);
            if self.records.blocking_send(Arc::new(batch)).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Returns when the stretch is on disk, or when told to stop: nobody passes it before.
    fn write_down(&self, gap: &Gap) {
        while let Err(error) = self.gaps.add(gap.clone()) {
            tracing::error!(
                error = format!("{error:#}"),
                from = gap.from,
                to = gap.to,
                "records cannot be read, and that cannot be written down; it is tried again"
            );
            std::thread::sleep(Duration::from_millis(READ_RETRY_MS));
            if self.stop.load(Ordering::Acquire) {
                return;
            }
        }
    }
}

/// Reads what the journal holds.
fn decoded(position: u64, stored: Vec<(u64, Bytes)>) -> anyhow::Result<Batch> {
    let mut records = Vec::with_capacity(stored.len());
    for (at, bytes) in stored {
        let record = Record::decode(&bytes).map_err(|error| {
            anyhow::anyhow!("journal record {at} does not decode: {error}; run `jingling check`")
        })?;
        records.push((at, record));
    }
    Ok(sorted(position, records))
}

fn sorted(position: u64, records: impl IntoIterator<Item = (u64, Record)>) -> Batch {
    let mut batch = Batch {
        end: position,
        ..Batch::default()
    };
    for (at, record) in records {
        match record {
            Record::Accepted(accepted) => batch.accepted.push((at, accepted)),
            Record::Rejected(rejected) => batch.rejected.push((at, rejected)),
            Record::Corrected(corrected) => batch.corrected.push((at, corrected)),
            // The MQTT door's own: it reads them when it opens.
            Record::Retained(_) => {}
        }
        batch.end = at + 1;
    }
    batch
}
