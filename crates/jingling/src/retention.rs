//! How much of the journal is kept: never less than any projection still needs, and beyond that what the
//! settings ask for, because provenance reads the messages themselves.

use journal::{Journal, SegmentFile};
use model::{Record, Timestamp};
use std::time::Duration;

/// How often it is looked whether something can go.
pub const CHECK_S: u64 = 60;
const DAY_US: i64 = 86_400_000_000;

/// What is kept although every projection has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The newest this many bytes.
    pub bytes: u64,
    /// Whatever came within this many days; 0 leaves it to `bytes`.
    pub days: u32,
}

/// A projection's name and what tells the position from which it would need the journal after a crash.
type Floor = (&'static str, Box<dyn Fn() -> u64 + Send + Sync>);

/// From where each projection would need the journal if the process died now.
#[derive(Default)]
pub struct Floors(Vec<Floor>);

impl Floors {
    /// Adds a projection. `position` must tell what is durable, not what is in memory.
    pub fn add(&mut self, name: &'static str, position: impl Fn() -> u64 + Send + Sync + 'static) {
        self.0.push((name, Box::new(position)));
    }

    /// The lowest, and whose it is; `None` without any projection.
    pub fn lowest(&self) -> Option<(&'static str, u64)> {
        let positions = self.0.iter().map(|(name, position)| (*name, position()));
        positions.min_by_key(|(_, position)| *position)
    }
}

/// The position before which everything may go. `is_old` tells whether the record at a position, the first
/// behind a segment, came long enough ago.
pub fn trim_to(
    segments: &[SegmentFile],
    needed: u64,
    keep_bytes: u64,
    mut is_old: impl FnMut(u64) -> bool,
) -> u64 {
    let mut kept: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut to = segments.first().map_or(0, |segment| segment.first_position);
    for pair in segments.windows(2) {
        let (segment, behind) = (pair[0], pair[1].first_position);
        kept -= segment.bytes;
        if behind > needed || kept < keep_bytes || !is_old(behind) {
            break;
        }
        to = behind;
    }
    to
}

/// Removes what neither a projection nor the settings keep; gives how many records went.
///
/// # Errors
/// The journal's own, for the log; what stays is tried again.
pub fn trim(
    journal: &Journal,
    floors: &Floors,
    keep: Keep,
    now: Timestamp,
) -> Result<u64, journal::OpenError> {
    let Some((_, needed)) = floors.lowest() else {
        return Ok(0);
    };
    let first = journal.first_position();
    let to = trim_to(&journal.segment_files()?, needed, keep.bytes, |position| {
        keep.days == 0 || is_older(journal, position, now, keep.days)
    });
    if to <= first {
        return Ok(0);
    }
    journal.trim_before(to)?;
    Ok(journal.first_position() - first)
}

/// Whether the record at `position` came more than `days` ago. One that cannot be read does not hold up
/// the ones before it: those behind it are judged by themselves.
fn is_older(journal: &Journal, position: u64, now: Timestamp, days: u32) -> bool {
    let Ok(Some(bytes)) = journal.record(position) else {
        return true;
    };
    let received_at = match Record::decode(&bytes) {
        Ok(Record::Accepted(accepted)) => accepted.received_at,
        Ok(Record::Rejected(rejected)) => rejected.received_at,
        Ok(Record::Retained(retained)) => retained.received_at,
        Ok(Record::Corrected(corrected)) => corrected.received_at,
        Err(_) => return true,
    };
    now.micros_since(received_at) > i64::from(days) * DAY_US
}

/// Looks every [`CHECK_S`] for as long as the city runs.
pub async fn run(
    journal: Journal,
    floors: std::sync::Arc<Floors>,
    keep: Keep,
    clock: fn() -> Timestamp,
) {
    let mut ticker = tokio::time::interval(Duration::from_secs(CHECK_S));
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        let (journal, floors) = (journal.clone(), floors.clone());
        let trimmed =
            tokio::task::spawn_blocking(move || trim(&journal, &floors, keep, clock())).await;
        match trimmed {
            Ok(Ok(0)) => {}
            Ok(Ok(records)) => tracing::info!(records, "old messages left the journal"),
            Ok(Err(error)) => tracing::error!(%error, "the journal was not trimmed"),
            Err(error) => tracing::error!(%error, "trimming ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Problem, Rejected};

    fn segments(firsts: &[u64]) -> Vec<SegmentFile> {
        let with = |first_position: &u64| SegmentFile {
            first_position: *first_position,
            bytes: 100,
        };
        firsts.iter().map(with).collect()
    }

    #[test]
    fn a_segment_goes_when_nobody_needs_it_and_the_settings_let_it() {
        let list = segments(&[5, 10, 20, 30]);
        let to = |needed, keep_bytes| trim_to(&list, needed, keep_bytes, |_| true);
        assert_eq!(to(100, 0), 30, "the segment in use stays");
        assert_eq!(to(29, 0), 20, "what a projection needs stays");
        assert_eq!(to(9, 0), 5);
        assert_eq!(to(100, 200), 20, "the newest bytes stay");
        assert_eq!(to(100, 201), 10);
        assert_eq!(to(100, u64::MAX), 5);
        assert_eq!(
            trim_to(&list, 100, 0, |behind| behind < 20),
            10,
            "what is young stays"
        );
        assert_eq!(trim_to(&[], 100, 0, |_| true), 0);
        assert_eq!(trim_to(&segments(&[7]), 100, 0, |_| true), 7);
    }

    #[test]
    fn the_lowest_projection_decides() {
        let mut floors = Floors::default();
        assert_eq!(floors.lowest(), None);
        floors.add("twin", || 30);
        floors.add("lake", || 20);
        floors.add("rules", || 25);
        assert_eq!(floors.lowest(), Some(("lake", 20)));
    }

    #[tokio::test]
    async fn age_is_that_of_the_messages_whichever_way_the_clock_jumps() {
        let dir = tempfile::tempdir().unwrap();
        let options = journal::Options {
            segment_bytes: 4_096,
            record_bytes_max: 1_000,
            block_bytes_max: 2_000,
            ..journal::Options::default()
        };
        let (journal, _) = Journal::open(dir.path(), options).unwrap();
        let day = |n: i64| Timestamp::from_micros(n * DAY_US);
        for n in 0..40 {
            let record = Record::Rejected(Rejected {
                door: "x".into(),
                device_id: None,
                address: String::new(),
                received_at: day(n),
                raw: vec![0; 500],
                size_bytes: 500,
                problem: Problem::new("x", "x", "x", "x"),
            });
            let position = journal.append(&record.encode()).unwrap();
            journal.wait_durable(position).await.unwrap();
        }
        assert!(journal.segments() > 4);
        let mut floors = Floors::default();
        floors.add("twin", || 39);
        let keep = Keep { bytes: 0, days: 20 };
        // A clock that went back keeps more, never less.
        assert_eq!(trim(&journal, &floors, keep, day(5)).unwrap(), 0);
        assert!(trim(&journal, &floors, keep, day(40)).unwrap() > 0);
        let first = journal.first_position();
        assert!((10..20).contains(&first), "{first}");
        assert_eq!(trim(&journal, &floors, keep, day(40)).unwrap(), 0);
        // One that jumped far ahead still leaves what is kept by size, and what is needed.
        let keep = Keep {
            bytes: 1 << 30,
            days: 20,
        };
        assert_eq!(trim(&journal, &floors, keep, day(4_000)).unwrap(), 0);
        floors.add("lake", move || first);
        let keep = Keep { bytes: 0, days: 20 };
        assert_eq!(trim(&journal, &floors, keep, day(4_000)).unwrap(), 0);
    }
}
