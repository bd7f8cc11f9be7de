//! Reads the journal once and lets every projection follow: the current state and history at once, the
//! records (alerts, dead letters, device counters) a step behind through a bounded queue. Each projection
//! has its own position and skips what it has, so any of them can be thrown away and rebuilt.

use journal::Journal;
use lake::Lake;
use model::{Accepted, Record, Rejected};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, watch};
use twin::Twin;

/// Most records decoded in one step.
const BATCH_RECORDS_MAX: usize = 4_096;

/// Some records in journal order, decoded once for everyone.
#[derive(Debug, Default)]
pub struct Batch {
    /// Messages that were understood.
    pub accepted: Vec<(u64, Accepted)>,
    /// Messages that were not.
    pub rejected: Vec<(u64, Rejected)>,
    /// The position after the last record.
    pub end: u64,
}

/// What the projector works on.
pub struct Projector {
    /// What is read.
    pub journal: Journal,
    /// The current state.
    pub twin: Arc<Twin>,
    /// History.
    pub lake: Arc<Lake>,
    /// Where the records' projections listen.
    pub records: mpsc::Sender<Arc<Batch>>,
    /// How far the current state and history have come.
    pub progress: watch::Sender<u64>,
    /// Set to end.
    pub stop: Arc<AtomicBool>,
}

impl Projector {
    /// Follows the journal from `position` until told to stop. Blocks; give it a thread of its own.
    ///
    /// # Errors
    /// The journal's own error, or a record that does not decode: nothing is skipped silently.
    pub fn run(self, mut position: u64, runtime: &tokio::runtime::Handle) -> anyhow::Result<()> {
        let mut durable = self.journal.durable();
        let mut reader = self.journal.read(position);
        while !self.stop.load(Ordering::Acquire) {
            let records = reader.next_batch(BATCH_RECORDS_MAX)?;
            if records.is_empty() {
                let woken = runtime.block_on(async {
                    tokio::select! {
                        changed = durable.wait_for(|&durable| durable > position) => changed.is_ok(),
                        () = tokio::time::sleep(std::time::Duration::from_millis(200)) => true,
                    }
                });
                if !woken {
                    break;
                }
                continue;
            }
            let mut batch = Batch {
                end: position,
                ..Batch::default()
            };
            for (at, bytes) in records {
                match Record::decode(&bytes) {
                    Ok(Record::Accepted(accepted)) => batch.accepted.push((at, accepted)),
                    Ok(Record::Rejected(rejected)) => batch.rejected.push((at, rejected)),
                    // The MQTT door's own: it reads them when it opens.
                    Ok(Record::Retained(_)) => {}
                    Err(error) => {
                        anyhow::bail!(
                            "journal record {at} does not decode: {error}; run `jingling check`"
                        )
                    }
                }
                batch.end = at + 1;
            }
            position = batch.end;
            self.twin.apply_batch(&batch.accepted);
            self.lake.apply_batch(&batch.accepted);
            self.progress.send_replace(position);
            if self.records.blocking_send(Arc::new(batch)).is_err() {
                break;
            }
        }
        Ok(())
    }
}
