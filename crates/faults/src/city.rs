//! A city in small: the production journal and twin on a simulated disk, and the lake on another when it is
//! asked for; devices speak to it over a simulated network. A seed decides what comes in, what the network
//! loses, when the disks work, what they refuse, where the process dies, and what rots; nothing else does, so
//! that a seed that fails once fails always. What must hold is said with the ids of ARCHITECTURE.md.
//!
//! ```text
//!  devices ─► network ─► admission (see `network`)
//!                            ▼
//!  messages ─► journal ─► SimDisk          model: what was given which position, what was acknowledged
//!                 └► reader ─► twin ─► checkpoint on the same SimDisk
//!                        └───► lake ─► FolderDisk (see `history`)
//! ```
//! A round is one operation of [`Op`]; a crash (at any step of the disk, with or without loss of power) is
//! followed by a start like the binary's: recover, restore, begin behind what the checkpoint has seen, verify.

#![allow(clippy::print_stderr, reason = "a trace is asked for by hand")]

use crate::blocks::{lost, stretches};
use crate::history::{History, Slow};
use crate::messages::{DAY_US, Messages, standing};
use crate::network::{Gate, Given, Network};
use crate::plan::{Figures, LAKE_WEIGHTS, Op, Plan, WEIGHTS};
use crate::{Random, SimDisk, small_options};
use admission::{Ingest, Limits};
use journal::format::segment_first_position;
use journal::{
    Anchor, AppendError, Journal, OpenError, ReadError, Reader, Recovery, Round, Stepper, check_on,
};
use model::Record;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
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
/// Times that everything is carried to and fro at the end, after which nobody may still wait for an answer.
const ROUNDS_MAX: usize = 100;

/// Runs one seed, with the lake or without.
///
/// # Errors
/// Which invariant broke, and how.
pub fn run(seed: u64, lake: bool) -> Result<Figures, String> {
    follow(Plan {
        seed,
        lake,
        ..Plan::default()
    })
}

/// Runs a plan.
///
/// # Errors
/// Which invariant broke, and how.
pub fn follow(plan: Plan) -> Result<Figures, String> {
    let mut world = World::new(plan)?;
    let quiet = plan.faultless || plan.die_at.is_some() || plan.die_at_lake.is_some();
    world.disk.stop_at(plan.die_at);
    if let Some(history) = &world.history {
        history.disk.stop_at(plan.die_at_lake);
    }
    if !world.start()? {
        world.restart(plan.with_power, !quiet)?;
    }
    let operations = match plan.script {
        [] => OPERATIONS,
        script => script.len() as u64,
    };
    for n in 0..operations {
        let op = match plan.script.get(n as usize) {
            Some(op) => *op,
            None => world.pick(),
        };
        if plan.trace {
            world.tell(&format!("{op:?}"));
        }
        let skip = quiet && matches!(op, Op::Fault | Op::Heal | Op::Stop | Op::Die | Op::Rot);
        if !skip {
            world.operate(op)?;
        }
        if world.has_stopped() {
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
    world.figures.network = world.network.figures();
    if let Some(history) = &world.history {
        world.figures.lake = history.figures();
    }
    Ok(world.figures)
}

struct Life {
    journal: Journal,
    stepper: Stepper,
    /// The projector's.
    reader: Reader,
    /// What devices come through; what it remembers of them dies with the process.
    ingest: Ingest,
}

struct World {
    random: Random,
    disk: SimDisk,
    /// `None` only while it starts.
    life: Option<Life>,
    /// How many there were.
    lives: u64,
    network: Network,
    /// What was given each position, last.
    given: BTreeMap<u64, Vec<u8>>,
    /// Records that rotted, or whose block was taken for a cut-off write because it did.
    rotten: BTreeSet<u64>,
    /// Every position below was told durable.
    acknowledged: u64,
    messages: Messages,
    twin: Twin,
    history: Option<History>,
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

pub(crate) fn broken(id: &str, what: impl std::fmt::Display) -> String {
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
        Ok(Self {
            random: Random::new(plan.seed),
            disk: SimDisk::new(plan.seed),
            life: None,
            lives: 0,
            network: Network::new(plan.seed),
            given: BTreeMap::new(),
            rotten: BTreeSet::new(),
            acknowledged: 0,
            messages: Messages::new(plan.lake),
            twin: Twin::default(),
            history: plan.lake.then(|| History::new(plan.seed)).transpose()?,
            passed: BTreeSet::new(),
            stored: (0, BTreeSet::new()),
            anchors: Vec::new(),
            trace: plan.trace,
            scratch: folder.path().join("twin.bin"),
            _folder: folder,
            figures: Figures::default(),
        })
    }

    fn has_stopped(&self) -> bool {
        let history = self.history.as_ref();
        self.disk.has_stopped() || history.is_some_and(|h| h.disk.has_stopped())
    }

    fn pick(&mut self) -> Op {
        let weights: &[(Op, u64)] = match self.history {
            Some(_) => &LAKE_WEIGHTS,
            None => &WEIGHTS,
        };
        let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut at = self.random.below(total);
        for (op, weight) in weights {
            if at < *weight {
                return *op;
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
        if let Some(history) = &self.history {
            eprintln!("    {}", history.told());
        }
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
            Op::Network => self.network(),
            Op::Correct => self.correct(),
            Op::Write => self.write(),
            Op::Project => self.project(),
            Op::Checkpoint => self.checkpoint(),
            Op::Trim => self.trim(),
            Op::Fault => {
                self.fault();
                Ok(())
            }
            Op::Heal => {
                if !self.has_stopped() {
                    self.heal();
                }
                Ok(())
            }
            Op::Stop => {
                self.stop_within(20);
                Ok(())
            }
            Op::Die => {
                self.disk.stop_at(Some(self.disk.steps()));
                Ok(())
            }
            Op::Clock => {
                // An hour on, or back.
                let jump = self.random.below(7_200_000_000) as i64 - 3_600_000_000;
                self.messages.now_us += jump;
                Ok(())
            }
            Op::Days => {
                self.messages.now_us += self.random.below(2 * DAY_US as u64) as i64;
                Ok(())
            }
            Op::Slow => self.slow(),
            Op::Seal | Op::Upkeep | Op::Ask | Op::Rot => {
                let Some(history) = &mut self.history else {
                    return Ok(());
                };
                let now_us = self.messages.now_us;
                if op == Op::Rot {
                    // The file is restored from a backup while the process is down.
                    self.disk.stop_at(Some(self.disk.steps()));
                }
                match op {
                    Op::Seal => history.seal(now_us),
                    Op::Upkeep => history
                        .upkeep(now_us, 1 + self.random.below(12))
                        .map(|_| ()),
                    Op::Ask => history.verify(&self.given, false),
                    _ => history.rot(now_us),
                }
            }
        }
    }

    fn heal(&self) {
        self.disk.heal();
        if let Some(history) = &self.history {
            history.disk.heal();
        }
    }

    /// The process will die at one of the next steps of a disk.
    fn stop_within(&mut self, steps: u64) {
        match &self.history {
            Some(history) if !self.random.once_in(4) => {
                let at = history.disk.steps() + 1 + self.random.below(4 * steps);
                history.disk.stop_at(Some(at));
            }
            _ => {
                let at = self.disk.steps() + 1 + self.random.below(steps);
                self.disk.stop_at(Some(at));
            }
        }
    }

    fn fault(&mut self) {
        let count = 1 + self.random.below(3) as u32;
        if let Some(history) = &self.history
            && !self.random.once_in(4)
        {
            history.disk.fault(self.random.any(), count);
            return;
        }
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

    /// Whether they were taken.
    fn append(&mut self, count: u64) -> Result<bool, String> {
        let records: Vec<Vec<u8>> = (0..count)
            .map(|_| self.messages.next(&mut self.random).encode())
            .collect();
        let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        match self.life()?.journal.append_all(&slices) {
            Ok(positions) => {
                self.give(positions.zip(records))?;
                Ok(true)
            }
            Err(error @ AppendError::TooLarge { .. }) => Err(error.to_string()),
            Err(_) => {
                self.figures.refused += count;
                Ok(false)
            }
        }
    }

    /// Notes which record was given which position.
    fn give(&mut self, records: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Result<(), String> {
        for (position, record) in records {
            if self.given.insert(position, record).is_some() {
                return Err(broken("I2", format!("position {position} was given twice")));
            }
        }
        Ok(())
    }

    fn network(&mut self) -> Result<(), String> {
        let (_, written) = self.at_the_gate(|network, gate| network.carry(gate))?;
        self.give(written)
    }

    /// A person corrects one observation of those that history shows.
    fn correct(&mut self) -> Result<(), String> {
        let mut stand = standing(self.given.iter())?;
        stand.retain(|s| s.position < self.acknowledged && !self.rotten.contains(&s.position));
        let now_us = self.messages.now_us;
        if let Some(history) = &self.history {
            stand.retain(|s| history.may_correct(s, now_us));
        }
        let pick = self.random.below(stand.len() as u64) as usize;
        let Some(stands) = stand.get(pick) else {
            return Ok(());
        };
        let corrected = self.messages.correct(stands, &mut self.random);
        let record = Record::Corrected(corrected).encode();
        // Refused, it was never made.
        if let Ok(position) = self.life()?.journal.append(&record) {
            self.give([(position, record)])?;
            self.figures.corrections += 1;
        }
        Ok(())
    }

    /// Lets the network meet the city; what was written then is still to be noted.
    fn at_the_gate<T>(
        &mut self,
        meet: impl FnOnce(&mut Network, &mut Gate<'_>) -> Result<T, String>,
    ) -> Result<(T, Given), String> {
        let life = self.life.as_ref().ok_or_else(|| "no life".to_owned())?;
        let mut gate = Gate {
            ingest: &life.ingest,
            messages: &mut self.messages,
            life: self.lives,
            written: Vec::new(),
        };
        let met = meet(&mut self.network, &mut gate)?;
        Ok((met, gate.written))
    }

    /// A good network and a good disk: nobody waits for ever.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            let (is_settled, written) = self.at_the_gate(|network, gate| network.settle(gate))?;
            self.give(written)?;
            if is_settled {
                return Ok(());
            }
            self.write_all()?;
        }
        let waits = self.network.waits();
        Err(broken(
            "I23",
            format!("{waits} messages are never acknowledged"),
        ))
    }

    fn write_all(&mut self) -> Result<(), String> {
        for _ in 0..BLOCKS_MAX {
            if self.life()?.stepper.step() == Round::Idle {
                break;
            }
        }
        self.acknowledge()
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
        for (at, record) in self.read()? {
            if let Some(history) = &mut self.history {
                history.take(at, &record)?;
            }
        }
        Ok(())
    }

    /// The disk of history is slow: what comes meanwhile is taken all the same.
    fn slow(&mut self) -> Result<(), String> {
        let news = self.read()?;
        let Some(history) = &mut self.history else {
            return Ok(());
        };
        let work = if self.random.once_in(2) {
            Slow::Seal
        } else {
            Slow::Upkeep
        };
        let now_us = self.messages.now_us;
        history.slowly(work, now_us, news.into(), &self.given, &mut self.random)
    }

    /// Lets the twin follow the journal; what was read is for history.
    fn read(&mut self) -> Result<Vec<(u64, Record)>, String> {
        let mut read = Vec::new();
        loop {
            match self.life()?.reader.next_batch(20) {
                Ok(batch) if batch.is_empty() => return Ok(read),
                Ok(batch) => {
                    for (at, bytes) in batch {
                        self.same(at, &bytes)?;
                        read.push((at, apply(&self.twin, at, &bytes)?));
                    }
                }
                Err(ReadError::Damaged(damage)) => {
                    self.may_be_damaged(damage.positions.clone())?;
                    self.figures.damaged += damage.positions.end - damage.positions.start;
                    // What the twin has from an earlier life it does not lose.
                    let new = damage.positions.start.max(self.twin.position());
                    self.passed.extend(new..damage.positions.end);
                    self.twin.advance(damage.positions.end);
                }
                Err(ReadError::Trimmed { first_position }) => {
                    // What rotted may be gone with its file, which a person moved away: told as a gap, and passed.
                    let needed = self.life()?.reader.position();
                    let gone = (needed..first_position).find(|p| !self.rotten.contains(p));
                    if let Some(good) = gone {
                        return Err(broken(
                            "I21",
                            format!("{good} is needed, the journal begins at {first_position}"),
                        ));
                    }
                    let new = needed.max(self.twin.position());
                    self.passed.extend(new..first_position);
                    self.twin.advance(first_position);
                    self.life()?.reader.seek(first_position);
                }
                Err(ReadError::Io { .. }) => return Ok(read),
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
        let mut stored = self.stored.0;
        if let Some(history) = &self.history {
            stored = stored.min(history.sealed());
        }
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
        if let Some(history) = &mut self.history {
            history.die();
        }
        self.figures.crashes += 1;
        let mut power = power;
        loop {
            self.heal();
            if power {
                self.figures.power_losses += 1;
                self.disk.lose_power();
                if let Some(history) = &self.history {
                    history.disk.lose_power();
                }
            }
            if self.trace {
                self.tell(if power { "power lost" } else { "killed" });
            }
            if may_rot && self.random.once_in(4) {
                self.rot();
            }
            if may_rot && self.random.once_in(4) {
                // It dies again while it recovers.
                self.stop_within(4);
            }
            if self.start()? {
                self.disk.stop_at(None);
                if let Some(history) = &self.history {
                    history.disk.stop_at(None);
                }
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
        self.network.restart(next, &self.rotten);
        self.restore()?;
        let mut seen = self.twin.position();
        let mut from = seen;
        if let Some(history) = &mut self.history {
            if !history.open()? {
                return Ok(false);
            }
            seen = seen.max(history.sealed());
            from = from.min(history.sealed());
        }
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
        let reader = journal.read(from);
        let ingest = Ingest::new(journal.clone(), Arc::default(), Limits::default());
        self.lives += 1;
        self.life = Some(Life {
            journal,
            stepper,
            reader,
            ingest,
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
        self.network.verify(self.acknowledged)?;
        self.verify_twin(first)?;
        let acknowledged = self.acknowledged;
        if let Some(history) = &mut self.history {
            let journaled = self.given.range(..acknowledged);
            let good = journaled.filter(|(at, _)| !self.rotten.contains(at));
            history.has_all(good)?;
            history.verify(&self.given, false)?;
        }
        Ok(())
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
        self.heal();
        self.write_all()?;
        self.settle()?;
        self.write_all()?;
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
        if let Some(history) = &mut self.history {
            history.finish(self.messages.now_us, &self.given)?;
        }
        self.restart(true, false)?;
        if quiet && !self.rotten.is_empty() {
            return Err("nothing can have rotted".to_owned());
        }
        Ok(())
    }
}

fn apply(twin: &Twin, position: u64, bytes: &[u8]) -> Result<Record, String> {
    let record = Record::decode(bytes).map_err(|e| e.to_string())?;
    match &record {
        Record::Accepted(accepted) => twin.apply(position, accepted),
        Record::Corrected(corrected) => twin.apply_corrected(position, corrected),
        Record::Rejected(_) | Record::Retained(_) => twin.advance(position + 1),
    }
    Ok(record)
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
