//! What was handed to the journal a moment ago, still decoded. Whoever follows the journal at its end takes it from here
//! instead of reading it back, checking it and decoding it again; what is not here (the memory is bounded, and a start
//! begins with nothing) is read from the journal, with the same result.

use model::Record;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// A bounded memory of records by journal position.
pub struct Recent {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Every position below was taken, or passed.
    passed: u64,
    bytes: usize,
    /// In the order of their positions. Who appends side by side puts nearly in that order.
    records: VecDeque<One>,
}

struct One {
    position: u64,
    /// Of the encoded record; they stand for what it takes in memory.
    bytes: usize,
    record: Record,
}

impl Recent {
    /// Keeps records up to `bytes_max` bytes, as encoded; decoded they take two to three times as much.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            kept: Mutex::default(),
        }
    }

    /// Keeps a record whose position the journal has just given, when there is room and it was not passed already.
    pub(crate) fn put(&self, position: u64, bytes: usize, record: Record) {
        let mut kept = self.kept.lock();
        if position >= kept.passed && kept.bytes + bytes <= self.bytes_max {
            kept.bytes += bytes;
            let behind = kept
                .records
                .iter()
                .rev()
                .take_while(|one| one.position > position);
            let at = kept.records.len() - behind.count();
            let one = One {
                position,
                bytes,
                record,
            };
            kept.records.insert(at, one);
        }
    }

    /// Takes the records at `from` and behind it without a hole, below `to`, at most `count_max`. Lower positions are
    /// forgotten: there is one follower, and it never turns back.
    ///
    /// The caller sees to it that `to` is the journal's durable position at most.
    pub fn take(&self, from: u64, to: u64, count_max: usize) -> Vec<Record> {
        let mut kept = self.kept.lock();
        kept.forget_below(from);
        let mut taken = Vec::new();
        while taken.len() < count_max {
            let position = from + taken.len() as u64;
            let is_next = |one: &mut One| one.position == position && position < to;
            let Some(one) = kept.records.pop_front_if(is_next) else {
                break;
            };
            kept.bytes -= one.bytes;
            taken.push(one.record);
        }
        kept.passed = from + taken.len() as u64;
        taken
    }
}

impl Kept {
    fn forget_below(&mut self, position: u64) {
        while let Some(one) = self.records.pop_front_if(|one| one.position < position) {
            self.bytes -= one.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Problem, Rejected, Timestamp};

    fn record(number: u64) -> Record {
        Record::Rejected(Rejected {
            door: "mqtt".into(),
            device_id: None,
            address: String::new(),
            received_at: Timestamp::from_seconds(0),
            raw: vec![],
            size_bytes: number,
            problem: Problem::new("a", "b", "c", "d"),
        })
    }

    fn numbers(records: &[Record]) -> Vec<u64> {
        let number = |record: &Record| match record {
            Record::Rejected(rejected) => rejected.size_bytes,
            _ => unreachable!("only such are put"),
        };
        records.iter().map(number).collect()
    }

    #[test]
    fn what_is_taken_has_no_hole_and_is_durable() {
        let recent = Recent::new(1_000);
        for position in [0, 2, 1, 4] {
            recent.put(position, 10, record(position));
        }
        assert_eq!(numbers(&recent.take(0, 2, 100)), [0, 1]);
        assert_eq!(numbers(&recent.take(2, 9, 100)), [2]);
        // 3 is in the journal alone.
        assert_eq!(numbers(&recent.take(3, 9, 100)), [0; 0]);
        assert_eq!(numbers(&recent.take(4, 9, 100)), [4]);
    }

    #[test]
    fn what_was_passed_or_has_no_room_is_left_to_the_journal() {
        let recent = Recent::new(25);
        recent.take(5, 9, 100);
        for position in 4..9 {
            recent.put(position, 10, record(position));
        }
        assert_eq!(numbers(&recent.take(5, 9, 1)), [5]);
        assert_eq!(numbers(&recent.take(6, 9, 100)), [6]);
        assert_eq!(numbers(&recent.take(7, 9, 100)), [0; 0]);
        // There is room again; whoever skips forgets.
        recent.put(9, 10, record(9));
        recent.put(10, 10, record(10));
        assert_eq!(numbers(&recent.take(10, 11, 100)), [10]);
        recent.put(11, 25, record(11));
        assert_eq!(numbers(&recent.take(11, 12, 100)), [11]);
    }
}
