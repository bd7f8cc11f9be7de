//! Laws of the journal under any order of appends, disk faults, crashes and losses of power.

use faults::{SimDisk, small_options};
use journal::{Journal, check_on};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Op {
    /// Records of these lengths, at once; then wait for the last.
    Append(Vec<usize>),
    FailSyncs(u32),
    FailWrites(u32),
    /// Room for this many bytes more than are in use.
    Full(usize),
    /// Faults end and room comes back.
    Heal,
    /// The process ends and starts again.
    Restart,
    /// The machine loses power.
    PowerLoss,
    /// The process is killed, and perhaps the power lost, while records of these lengths are being written.
    KillMidWrite(Vec<usize>, bool),
    /// Trim this share (of 100) of what there is.
    Trim(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => prop::collection::vec(prop_oneof![9 => 0usize..120, 1 => 0usize..2000], 1..12).prop_map(Op::Append),
        2 => (1u32..4).prop_map(Op::FailSyncs),
        1 => (1u32..4).prop_map(Op::FailWrites),
        1 => (0usize..6000).prop_map(Op::Full),
        3 => Just(Op::Heal),
        2 => Just(Op::Restart),
        3 => Just(Op::PowerLoss),
        4 => (prop::collection::vec(0usize..400, 1..12), any::<bool>())
            .prop_map(|(lengths, power_loss)| Op::KillMidWrite(lengths, power_loss)),
        1 => (0u64..100).prop_map(Op::Trim),
    ]
}

/// Bytes that nobody else writes.
fn payload(serial: u64, length: usize) -> Vec<u8> {
    let mut bytes = serial.to_le_bytes().to_vec();
    bytes.resize(8 + length.min(1900), serial as u8);
    bytes
}

struct World {
    disk: SimDisk,
    journal: Option<Journal>,
    /// What was given each position, last.
    given: BTreeMap<u64, Vec<u8>>,
    /// Every position below was told durable.
    acknowledged: u64,
    serial: u64,
}

impl World {
    fn journal(&self) -> &Journal {
        self.journal.as_ref().expect("open between operations")
    }

    fn heal(&self) {
        self.disk.fail_syncs(0);
        self.disk.fail_writes(0);
        self.disk.set_capacity(None);
    }

    /// Gives the records their positions; `None` when they were refused, and nothing promised.
    fn hand_in(&mut self, lengths: &[usize]) -> Option<u64> {
        let records: Vec<Vec<u8>> = lengths
            .iter()
            .map(|length| {
                self.serial += 1;
                payload(self.serial, *length)
            })
            .collect();
        let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let positions = self.journal().append_all(&slices).ok()?;
        for (position, record) in positions.clone().zip(records) {
            let before = self.given.insert(position, record);
            assert_eq!(
                before, None,
                "position {position} was given twice in one life"
            );
        }
        Some(positions.end)
    }

    async fn append(&mut self, lengths: &[usize]) {
        if let Some(end) = self.hand_in(lengths)
            && self.journal().wait_durable(end - 1).await.is_ok()
        {
            self.acknowledged = end;
        }
    }

    /// Faults end, and what waited becomes durable by itself.
    async fn settle(&mut self) {
        self.heal();
        let next = self.journal().next_position();
        let mut durable = self.journal().durable();
        durable.wait_for(|end| *end >= next).await.expect("open");
        self.acknowledged = next;
    }

    async fn kill_mid_write(&mut self, lengths: &[usize], power_loss: bool) {
        self.settle().await;
        self.disk.hold_syncs(true);
        self.hand_in(lengths).expect("nothing is in the way");
        let left = self.disk.at_a_held_sync();
        self.disk.hold_syncs(false);
        self.journal = None;
        self.disk = left;
        self.restart(power_loss);
    }

    /// Ends the journal, with or without the power, and opens it again.
    fn restart(&mut self, power_loss: bool) {
        self.journal = None;
        if power_loss {
            self.disk.lose_power();
        }
        self.heal();
        let (journal, recovery) =
            Journal::open_on(self.disk.storage(), small_options()).expect("opens after any crash");
        assert_eq!(recovery.findings, [], "a crash is no damage");
        assert!(
            recovery.next_position >= self.acknowledged,
            "acknowledged up to {}, kept up to {}",
            self.acknowledged,
            recovery.next_position
        );
        // What is there now was recovered, so it is durable like anything acknowledged.
        self.acknowledged = recovery.next_position;
        self.given.split_off(&recovery.next_position);
        self.journal = Some(journal);
        self.verify();
    }

    fn verify(&self) {
        let journal = self.journal();
        let first = journal.first_position();
        let mut reader = journal.read(first);
        let mut next = first;
        loop {
            let batch = reader.next_batch(5).expect("nothing is damaged");
            if batch.is_empty() {
                break;
            }
            for (position, bytes) in batch {
                assert_eq!(position, next, "dense");
                assert_eq!(Some(&bytes.to_vec()), self.given.get(&position));
                next += 1;
            }
        }
        assert!(next >= self.acknowledged);
        assert_eq!(next, *journal.durable().borrow());
        for position in first..next {
            let record = journal.record(position).expect("readable").expect("there");
            assert_eq!(Some(&record.to_vec()), self.given.get(&position));
        }
    }
}

async fn run(seed: u64, ops: Vec<Op>) {
    let disk = SimDisk::new(seed);
    let (journal, _) = Journal::open_on(disk.storage(), small_options()).expect("opens");
    let mut world = World {
        disk,
        journal: Some(journal),
        given: BTreeMap::new(),
        acknowledged: 0,
        serial: 0,
    };
    for op in ops {
        match op {
            Op::Append(lengths) => world.append(&lengths).await,
            Op::FailSyncs(n) => world.disk.fail_syncs(n),
            Op::FailWrites(n) => world.disk.fail_writes(n),
            Op::Full(room) => world.disk.set_capacity(Some(world.disk.used() + room)),
            Op::Heal => {
                world.settle().await;
                world.verify();
            }
            Op::Restart => world.restart(false),
            Op::PowerLoss => world.restart(true),
            Op::KillMidWrite(lengths, power_loss) => {
                world.kill_mid_write(&lengths, power_loss).await;
            }
            Op::Trim(share) => {
                let first = world.journal().first_position();
                let to = first + (world.acknowledged - first) * share / 100;
                world.journal().trim_before(to).expect("trims");
                assert!(world.journal().first_position() <= to.max(first));
            }
        }
    }
    world.restart(true);
    let kept = world.acknowledged - world.journal().first_position();
    world.journal = None;
    let report = check_on(&world.disk.storage(), &[]).expect("checks");
    assert_eq!(report.findings, []);
    assert_eq!(report.torn, None);
    assert_eq!(report.records, kept);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_acknowledged_record_is_lost_and_positions_are_dense(
        seed in any::<u64>(),
        ops in prop::collection::vec(op(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run(seed, ops));
    }
}
