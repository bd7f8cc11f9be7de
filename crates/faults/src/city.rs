//! A city in small: the production journal and twin on a simulated disk. A seed decides what comes in, when
//! the disk works, what it refuses, where the process dies, and what rots; nothing else does, so that a
//! seed that fails once fails always. What must hold is said with the ids of ARCHITECTURE.md.
//!
//! ```text
//!  messages ─► journal ─► SimDisk          model: what was given which position, what was acknowledged
//!                 └► reader ─► twin ─► checkpoint on the same SimDisk
//! ```
//! A round is one operation of [`Op`]; a crash (at any step of the disk, with or without loss of power) is
//! followed by a start like the binary's: recover, restore, begin behind what the checkpoint has seen, verify.

#![allow(clippy::print_stderr, reason = "a trace is asked for by hand")]

use crate::blocks::{lost, stretches};
use crate::{Random, SimDisk, small_options};
use journal::format::segment_first_position;
use journal::{
    Anchor, AppendError, Journal, OpenError, ReadError, Reader, Recovery, Round, Stepper, check_on,
};
use model::{
    Accepted, AttributeName, AttributeUpdate, EntityId, Problem, Quality, Record, Rejected,
    Timestamp, TypeName, Update, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use twin::{Filter, Twin};

/// Operations of one run.
const OPERATIONS: u64 = 120;
/// Most lives of one run: the process dies and starts again.
const LIVES_MAX: u64 = 12;
/// The twin's checkpoint on the simulated disk, and the file that becomes it.
const CHECKPOINT: &str = "twin.bin";
const CHECKPOINT_NEW: &str = "twin.new";
/// Blocks that may wait at the end: more than the journal's buffer holds.
const BLOCKS_MAX: usize = 1_000;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Records that were acknowledged.
    pub acknowledged: u64,
    /// Records that were refused.
    pub refused: u64,
    /// Starts after a crash.
    pub crashes: u64,
    /// Crashes with loss of power.
    pub power_losses: u64,
    /// Records that a reader was told are damaged.
    pub damaged: u64,
    /// Records trimmed away.
    pub trimmed: u64,
    /// Checkpoints that became durable.
    pub checkpoints: u64,
    /// Changing steps of the disk.
    pub disk_steps: u64,
}

impl Figures {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.crashes += other.crashes;
        self.power_losses += other.power_losses;
        self.damaged += other.damaged;
        self.trimmed += other.trimmed;
        self.checkpoints += other.checkpoints;
        self.disk_steps += other.disk_steps;
    }
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    /// Messages come in.
    Append,
    /// The disk is slow: messages come in until the journal is busy or stalled.
    Burst,
    /// The writer gets some rounds.
    Write,
    /// The projector reads what is new.
    Project,
    /// The twin is checkpointed.
    Checkpoint,
    /// What the checkpoint has is trimmed, in part.
    Trim,
    /// The disk begins to refuse something.
    Fault,
    /// It stops refusing.
    Heal,
    /// The process will die at a disk step soon.
    Stop,
    /// The process dies now.
    Die,
    /// The clock jumps, perhaps back.
    Clock,
}

const WEIGHTS: [(Op, u64); 11] = [
    (Op::Append, 30),
    (Op::Burst, 1),
    (Op::Write, 30),
    (Op::Project, 15),
    (Op::Checkpoint, 4),
    (Op::Trim, 2),
    (Op::Fault, 6),
    (Op::Heal, 6),
    (Op::Stop, 3),
    (Op::Die, 1),
    (Op::Clock, 2),
];

/// What a run does; all of it from the seed unless told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Without faults but one: the process dies in this step of the disk, counted from the start.
    pub die_at: Option<u64>,
    /// Whether the power goes too when it dies there.
    pub with_power: bool,
    /// Without any fault, to count the steps.
    pub faultless: bool,
    /// Tells every operation on standard error.
    pub trace: bool,
}

/// Runs one seed.
///
/// # Errors
/// Which invariant broke, and how.
pub fn run(seed: u64) -> Result<Figures, String> {
    follow(Plan {
        seed,
        ..Plan::default()
    })
}

/// Runs a plan.
///
/// # Errors
/// Which invariant broke, and how.
pub fn follow(plan: Plan) -> Result<Figures, String> {
    let mut world = World::new(plan)?;
    let quiet = plan.faultless || plan.die_at.is_some();
    if let Some(step) = plan.die_at {
        world.disk.stop_at(Some(step));
    }
    for _ in 0..OPERATIONS {
        let op = world.pick();
        if plan.trace {
            world.tell(&format!("{op:?}"));
        }
        let skip = quiet && matches!(op, Op::Fault | Op::Heal | Op::Stop | Op::Die);
        if !skip {
            world.operate(op)?;
        }
        if world.disk.has_stopped() {
            let power = if quiet {
                plan.with_power
            } else {
                world.random.once_in(2)
            };
            world.restart(power, !quiet)?;
        }
        if world.figures.crashes >= LIVES_MAX {
            break;
        }
    }
    world.finish(quiet)?;
    world.figures.disk_steps = world.disk.steps();
    Ok(world.figures)
}

struct Life {
    journal: Journal,
    stepper: Stepper,
    /// The projector's.
    reader: Reader,
}

struct World {
    random: Random,
    disk: SimDisk,
    /// `None` only while it starts.
    life: Option<Life>,
    /// What was given each position, last.
    given: BTreeMap<u64, Vec<u8>>,
    /// Records that rotted, or whose block was taken for a cut-off write because it did.
    rotten: BTreeSet<u64>,
    /// Every position below was told durable.
    acknowledged: u64,
    now_us: i64,
    serial: u64,
    twin: Twin,
    /// Records that the twin passed without having them.
    passed: BTreeSet<u64>,
    /// What the durable checkpoint has: its position and what it passed.
    stored: (u64, BTreeSet<u64>),
    /// Chain values noted at starts.
    anchors: Vec<Anchor>,
    trace: bool,
    scratch: PathBuf,
    _folder: tempfile::TempDir,
    figures: Figures,
}

fn broken(id: &str, what: impl std::fmt::Display) -> String {
    format!("{id} is broken: {what}")
}

impl World {
    fn new(plan: Plan) -> Result<Self, String> {
        // In memory where there is such a place: the twin writes its checkpoint to a real file first.
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        }
        .map_err(|e| format!("no folder for checkpoints: {e}"))?;
        let mut world = Self {
            random: Random::new(plan.seed),
            disk: SimDisk::new(plan.seed),
            life: None,
            given: BTreeMap::new(),
            rotten: BTreeSet::new(),
            acknowledged: 0,
            now_us: 1_790_000_000_000_000,
            serial: 0,
            twin: Twin::default(),
            passed: BTreeSet::new(),
            stored: (0, BTreeSet::new()),
            anchors: Vec::new(),
            trace: plan.trace,
            scratch: folder.path().join("twin.bin"),
            _folder: folder,
            figures: Figures::default(),
        };
        world.start()?;
        Ok(world)
    }

    fn pick(&mut self) -> Op {
        let total: u64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut at = self.random.below(total);
        for (op, weight) in WEIGHTS {
            if at < weight {
                return op;
            }
            at -= weight;
        }
        Op::Write
    }

    /// For whoever looks into a seed.
    fn tell(&self, what: &str) {
        let (durable, next) = self.life.as_ref().map_or((0, 0), |life| {
            let journal = &life.journal;
            (*journal.durable().borrow(), journal.next_position())
        });
        eprintln!(
            "{what}: step {}, durable {durable}, next {next}, twin {}, checkpoint {}, rotten {:?}, files {:?}",
            self.disk.steps(),
            self.twin.position(),
            self.stored.0,
            self.rotten,
            self.disk.names()
        );
    }

    fn life(&mut self) -> Result<&mut Life, String> {
        self.life.as_mut().ok_or_else(|| "no life".to_owned())
    }

    fn operate(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Append => {
                let count = 1 + self.random.below(8);
                self.append(count).map(|_| ())
            }
            Op::Burst => {
                for _ in 0..60 {
                    if !self.append(8)? {
                        break;
                    }
                }
                Ok(())
            }
            Op::Write => self.write(),
            Op::Project => self.project(),
            Op::Checkpoint => self.checkpoint(),
            Op::Trim => self.trim(),
            Op::Fault => {
                self.fault();
                Ok(())
            }
            Op::Heal => {
                let stop = self.disk.has_stopped();
                if !stop {
                    self.disk.heal();
                }
                Ok(())
            }
            Op::Stop => {
                let at = self.disk.steps() + 1 + self.random.below(20);
                self.disk.stop_at(Some(at));
                Ok(())
            }
            Op::Die => {
                self.disk.stop_at(Some(self.disk.steps()));
                Ok(())
            }
            Op::Clock => {
                // An hour on, or back.
                let jump = self.random.below(7_200_000_000) as i64 - 3_600_000_000;
                self.now_us += jump;
                Ok(())
            }
        }
    }

    fn fault(&mut self) {
        let count = 1 + self.random.below(3) as u32;
        match self.random.below(7) {
            0 => self.disk.fail_syncs(count),
            1 => self.disk.fail_writes(count),
            2 => {
                let room = self.random.below(6_000) as usize;
                self.disk.set_capacity(Some(self.disk.used() + room));
            }
            3 => self.disk.fail_opens(count),
            4 => self.disk.fail_reads(count),
            5 => self.disk.set_read_only(true),
            _ => self.disk.fail_syncs(u32::MAX),
        }
    }

    fn message(&mut self) -> Record {
        self.serial += 1;
        self.now_us += self.random.below(1_000_000) as i64;
        let received_at = Timestamp::from_micros(self.now_us);
        let length = if self.random.once_in(12) { 1_500 } else { 80 };
        let raw = vec![self.serial as u8; self.random.below(length) as usize];
        let address = format!("m/{}", self.serial);
        if self.random.once_in(6) {
            return Record::Rejected(Rejected {
                door: "sim".into(),
                device_id: None,
                address,
                received_at,
                size_bytes: raw.len() as u64,
                raw,
                problem: Problem::new("sim", "not understood", "message", "none"),
            });
        }
        let count = 1 + self.random.below(3);
        let updates = (0..count).map(|_| self.update()).collect();
        Record::Accepted(Accepted {
            door: "sim".into(),
            device_id: None,
            address,
            received_at,
            raw,
            updates,
            retain: false,
        })
    }

    fn update(&mut self) -> Update {
        let entity = self.random.below(12);
        let value = match self.random.below(8) {
            0 => Value::Deleted,
            1 => Value::Text(format!("text {}", self.serial)),
            n => Value::Number(n as f64 + self.serial as f64),
        };
        let late_us = self.random.below(5_000_000) as i64;
        Update {
            entity_id: EntityId::new(format!("urn:x:{entity}")).expect("a good id"),
            entity_type: TypeName::new(if entity.is_multiple_of(2) {
                "Even"
            } else {
                "Odd"
            })
            .expect("a good name"),
            attributes: vec![AttributeUpdate {
                name: AttributeName::new(["a", "b", "c"][self.random.below(3) as usize])
                    .expect("a good name"),
                value,
                unit: None,
                observed_at: Timestamp::from_micros(self.now_us - late_us),
                quality: Quality::Good,
            }],
        }
    }

    /// Whether they were taken.
    fn append(&mut self, count: u64) -> Result<bool, String> {
        let records: Vec<Vec<u8>> = (0..count).map(|_| self.message().encode()).collect();
        let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        match self.life()?.journal.append_all(&slices) {
            Ok(positions) => {
                for (position, record) in positions.zip(records) {
                    if self.given.insert(position, record).is_some() {
                        return Err(broken("I2", format!("position {position} was given twice")));
                    }
                }
                Ok(true)
            }
            Err(AppendError::Busy | AppendError::Full | AppendError::Failed) => {
                self.figures.refused += count;
                Ok(false)
            }
            Err(error @ AppendError::TooLarge { .. }) => Err(error.to_string()),
        }
    }

    fn write(&mut self) -> Result<(), String> {
        for _ in 0..=self.random.below(3) {
            if self.life()?.stepper.step() != Round::Wrote {
                break;
            }
        }
        self.acknowledge()
    }

    fn acknowledge(&mut self) -> Result<(), String> {
        let journal = &self.life()?.journal;
        let (durable, next) = (*journal.durable().borrow(), journal.next_position());
        if durable < self.acknowledged || durable > next {
            return Err(broken(
                "I2",
                format!(
                    "durable {durable}, acknowledged {}, next {next}",
                    self.acknowledged
                ),
            ));
        }
        self.figures.acknowledged += durable - self.acknowledged;
        self.acknowledged = durable;
        Ok(())
    }

    /// As the binary's projector: damage is passed and remembered, a refusal of the disk is tried again later.
    fn project(&mut self) -> Result<(), String> {
        loop {
            match self.life()?.reader.next_batch(20) {
                Ok(batch) if batch.is_empty() => return Ok(()),
                Ok(batch) => {
                    for (at, bytes) in batch {
                        self.same(at, &bytes)?;
                        apply(&self.twin, at, &bytes)?;
                    }
                }
                Err(ReadError::Damaged(damage)) => {
                    self.may_be_damaged(damage.positions.clone())?;
                    self.figures.damaged += damage.positions.end - damage.positions.start;
                    self.passed.extend(damage.positions.clone());
                    self.twin.advance(damage.positions.end);
                }
                Err(ReadError::Trimmed { first_position }) => {
                    return Err(broken(
                        "I21",
                        format!(
                            "the twin needs {}, the journal begins at {first_position}",
                            self.twin.position()
                        ),
                    ));
                }
                Err(ReadError::Io { .. }) => return Ok(()),
            }
        }
    }

    /// What is read must be what was written.
    fn same(&self, position: u64, bytes: &[u8]) -> Result<(), String> {
        match self.given.get(&position) {
            Some(given) if given == bytes => Ok(()),
            Some(_) => Err(broken("I2", format!("record {position} is another one"))),
            None => Err(broken("I2", format!("record {position} was never given"))),
        }
    }

    fn may_be_damaged(&self, positions: std::ops::Range<u64>) -> Result<(), String> {
        match positions.clone().find(|p| !self.rotten.contains(p)) {
            None => Ok(()),
            Some(good) => Err(broken(
                "I19",
                format!("{positions:?} told as damaged, but {good} is not"),
            )),
        }
    }

    /// The twin's own file, byte for byte, written to the simulated disk in the twin's own order of steps.
    fn checkpoint(&mut self) -> Result<(), String> {
        self.twin
            .checkpoint(&self.scratch)
            .map_err(|e| e.to_string())?;
        let bytes = std::fs::read(&self.scratch).map_err(|e| e.to_string())?;
        let position = self.twin.position();
        let disk = self.disk.storage();
        let write = || -> std::io::Result<()> {
            let file = disk.create(CHECKPOINT_NEW)?;
            file.write_all_at(&bytes, 0)?;
            file.sync_data()?;
            disk.rename(CHECKPOINT_NEW, CHECKPOINT)?;
            disk.sync_dir()
        };
        // Renamed but perhaps not durable: either checkpoint may be found at the next start.
        if write().is_ok() {
            self.stored = (position, self.passed.clone());
            self.figures.checkpoints += 1;
        }
        Ok(())
    }

    fn trim(&mut self) -> Result<(), String> {
        let stored = self.stored.0;
        let journal = self.life()?.journal.clone();
        let first = journal.first_position();
        let to = first + self.random.below(stored.saturating_sub(first) + 1);
        // A refusal of the disk leaves segments for the next trim.
        let _ = journal.trim_before(to);
        if journal.first_position() > to.max(first) {
            return Err(broken(
                "I21",
                format!("trimmed to {}, asked for {to}", journal.first_position()),
            ));
        }
        self.figures.trimmed += journal.first_position() - first;
        Ok(())
    }

    /// The process is gone, and perhaps the power; it starts again.
    fn restart(&mut self, power: bool, may_rot: bool) -> Result<(), String> {
        self.life = None;
        self.figures.crashes += 1;
        let mut power = power;
        loop {
            self.disk.heal();
            if power {
                self.figures.power_losses += 1;
                self.disk.lose_power();
            }
            if self.trace {
                self.tell(if power { "power lost" } else { "killed" });
            }
            if may_rot && self.random.once_in(4) {
                self.rot();
            }
            if may_rot && self.random.once_in(4) {
                // It dies again while it recovers.
                let at = self.disk.steps() + 1 + self.random.below(4);
                self.disk.stop_at(Some(at));
            }
            if self.start()? {
                return Ok(());
            }
            self.figures.crashes += 1;
            power = self.random.once_in(2);
        }
    }

    fn rot(&mut self) {
        let before = stretches(&self.disk);
        let ending = if self.random.once_in(6) {
            "bin"
        } else {
            ".seg"
        };
        if let Some((file, at)) = self.disk.rot(ending) {
            self.rotten.extend(lost(&before, &file, at));
            if self.trace {
                self.tell(&format!("{file} rots at {at}"));
            }
        }
    }

    /// Opens the journal; `None` when the process died doing so.
    fn open(&mut self) -> Result<Option<(Journal, Recovery, Stepper)>, String> {
        for _ in 0..2 {
            match Journal::open_stepped(self.disk.storage(), small_options()) {
                Ok(opened) => return Ok(Some(opened)),
                Err(_) if self.disk.has_stopped() => return Ok(None),
                // Allowed, and told: both head and first block of the last segment rotted. A person moves
                // the file away; here, as that person would.
                Err(OpenError::Damaged { place }) => {
                    let name = place.rsplit('/').next().unwrap_or_default().to_owned();
                    let removed = self.disk.storage().remove(&name);
                    if self.disk.has_stopped() {
                        return Ok(None);
                    }
                    removed.map_err(|e| e.to_string())?;
                    // What was before it may have been trimmed: then nothing says any more where it ended.
                    let first = segment_first_position(&name).unwrap_or_default();
                    let kept = stretches(&self.disk).last().map_or(0, |s| s.positions.end);
                    self.rotten.extend(kept..first);
                }
                Err(error) => return Err(format!("does not open: {error}")),
            }
        }
        Err("does not open, also without its last segment".to_owned())
    }

    /// Whether the process lived through its start.
    fn start(&mut self) -> Result<bool, String> {
        let Some((journal, recovery, stepper)) = self.open()? else {
            return Ok(false);
        };
        self.disk.stop_at(None);
        let next = recovery.next_position;
        if self.trace {
            self.tell(&format!("recovered {recovery:?}"));
        }
        for finding in &recovery.findings {
            self.may_be_damaged(finding.positions.clone())?;
        }
        if let Some(lost) = (next..self.acknowledged).find(|p| !self.rotten.contains(p)) {
            return Err(broken(
                "I16",
                format!("record {lost} was acknowledged; the journal ends at {next}"),
            ));
        }
        self.restore()?;
        let seen = self.twin.position();
        journal.begin_at(seen);
        let next = next.max(seen);
        // Whoever was acknowledged and is lost with a rotten end was told so by the recovery.
        self.given.split_off(&next);
        self.rotten.retain(|p| *p < next);
        for position in recovery.next_position..next {
            self.rotten.insert(position);
        }
        self.acknowledged = next;
        self.anchors
            .retain(|a| a.position <= recovery.next_position);
        let reader = journal.read(seen);
        self.life = Some(Life {
            journal,
            stepper,
            reader,
        });
        self.verify()?;
        if self.rotten.is_empty() {
            self.anchors.push(Anchor {
                position: recovery.next_position,
                chain: recovery.chain,
            });
        }
        Ok(true)
    }

    fn restore(&mut self) -> Result<(), String> {
        let found = self.disk.names().iter().any(|name| name == CHECKPOINT);
        if !found {
            (self.twin, self.passed) = (Twin::default(), BTreeSet::new());
            self.stored = (0, BTreeSet::new());
            return Ok(());
        }
        std::fs::write(&self.scratch, self.disk.bytes(CHECKPOINT)).map_err(|e| e.to_string())?;
        match Twin::restore(&self.scratch) {
            Ok(twin) => {
                if twin.position() != self.stored.0 {
                    // The one whose rename was not known to be durable: it passed what the twin had passed.
                    let position = twin.position();
                    self.stored = (position, self.passed.range(..position).copied().collect());
                }
                self.twin = twin;
                self.passed = self.stored.1.clone();
                Ok(())
            }
            // Told; the twin is rebuilt from what the journal still has.
            Err(_) => {
                (self.twin, self.passed) = (Twin::default(), BTreeSet::new());
                self.stored = (0, BTreeSet::new());
                Ok(())
            }
        }
    }

    /// The journal holds what was given, and every way to the twin leads to the same twin.
    fn verify(&mut self) -> Result<(), String> {
        self.acknowledge()?;
        let journal = self.life()?.journal.clone();
        let first = journal.first_position();
        let mut reader = journal.read(first);
        let mut told = BTreeSet::new();
        let mut expected = first;
        while expected < self.acknowledged {
            match reader.next_batch(7) {
                Ok(batch) if batch.is_empty() => {
                    return Err(broken("I16", format!("the journal ends at {expected}")));
                }
                Ok(batch) => {
                    for (at, bytes) in batch {
                        if at != expected {
                            return Err(broken("I2", format!("{at} follows {expected}")));
                        }
                        self.same(at, &bytes)?;
                        expected += 1;
                    }
                }
                Err(ReadError::Damaged(damage)) => {
                    if damage.positions.start != expected {
                        return Err(broken("I2", format!("{damage} told behind {expected}")));
                    }
                    self.may_be_damaged(damage.positions.clone())?;
                    told.extend(damage.positions.clone());
                    expected = damage.positions.end;
                }
                Err(error) => return Err(broken("I16", error)),
            }
        }
        let report = check_on(&self.disk.storage(), &self.anchors).map_err(|e| e.to_string())?;
        for finding in &report.findings {
            if self.rotten.is_empty() {
                return Err(broken("I20", finding));
            }
        }
        // The newest records have nothing behind them yet: they are told by whoever has seen them.
        let unread: BTreeSet<u64> = told.range(..report.next_position).copied().collect();
        let found: BTreeSet<u64> = report
            .findings
            .iter()
            .filter(|f| f.kind == journal::DamageKind::Unreadable)
            .flat_map(|f| f.positions.clone())
            .collect();
        if unread != found {
            return Err(broken(
                "I19",
                format!("readers are told {unread:?}, check finds {found:?}"),
            ));
        }
        self.verify_twin(first)
    }

    fn verify_twin(&mut self, first: u64) -> Result<(), String> {
        if self.twin.position() < first {
            // Its checkpoint rotted after the journal was trimmed: what is gone is told, and passed.
            let position = self.twin.position();
            self.passed.extend(position..first);
            self.twin.advance(first);
            self.life()?.reader.seek(first);
        }
        self.project()?;
        if self.twin.position() != self.acknowledged {
            return Err(broken(
                "I17",
                format!(
                    "the twin is at {}, durable is {}",
                    self.twin.position(),
                    self.acknowledged
                ),
            ));
        }
        // From zero, in one go: everything that was ever given and that the twin did not pass.
        let replayed = Twin::default();
        for (at, bytes) in self.given.range(..self.acknowledged) {
            if !self.passed.contains(at) {
                apply(&replayed, *at, bytes)?;
            }
        }
        if everything(&self.twin) != everything(&replayed) {
            return Err(broken(
                "I18",
                "checkpoint plus tail is not replay from zero",
            ));
        }
        Ok(())
    }

    fn finish(&mut self, quiet: bool) -> Result<(), String> {
        self.disk.heal();
        for _ in 0..BLOCKS_MAX {
            if self.life()?.stepper.step() == Round::Idle {
                break;
            }
        }
        self.acknowledge()?;
        let journal = self.life()?.journal.clone();
        if *journal.durable().borrow() != journal.next_position() {
            return Err(broken(
                "I16",
                "the disk is well and the journal does not write",
            ));
        }
        drop(journal);
        // The live twin, never restarted since its last start, against replay.
        self.verify().map_err(|what| what.replace("I18", "I17"))?;
        self.restart(true, false)?;
        if quiet && !self.rotten.is_empty() {
            return Err("nothing can have rotted".to_owned());
        }
        Ok(())
    }
}

fn apply(twin: &Twin, position: u64, bytes: &[u8]) -> Result<(), String> {
    match Record::decode(bytes).map_err(|e| e.to_string())? {
        Record::Accepted(accepted) => twin.apply(position, &accepted),
        Record::Rejected(_) | Record::Retained(_) => twin.advance(position + 1),
    }
    Ok(())
}

/// Every entity as it is, told in text: compared whole.
fn everything(twin: &Twin) -> Vec<String> {
    let filter = Filter {
        limit: usize::MAX,
        ..Filter::default()
    };
    let page = twin.query(&filter);
    page.items.iter().map(|e| format!("{e:?}")).collect()
}
