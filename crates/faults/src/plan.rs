//! What a run of the simulated city is to do, and what it did.

use crate::history::LakeFigures;
use crate::network::NetworkFigures;

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
    /// Observations that were corrected or withdrawn.
    pub corrections: u64,
    /// Records trimmed away.
    pub trimmed: u64,
    /// Checkpoints that became durable.
    pub checkpoints: u64,
    /// Changing steps of the disk.
    pub disk_steps: u64,
    /// What the network did.
    pub network: NetworkFigures,
    /// What the lake did.
    pub lake: LakeFigures,
}

impl Figures {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.crashes += other.crashes;
        self.power_losses += other.power_losses;
        self.damaged += other.damaged;
        self.corrections += other.corrections;
        self.trimmed += other.trimmed;
        self.checkpoints += other.checkpoints;
        self.disk_steps += other.disk_steps;
        self.network.add(&other.network);
        self.lake.add(&other.lake);
    }
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Messages come in.
    Append,
    /// A person corrects an observation, or withdraws it.
    Correct,
    /// Devices speak, and the network does with it what it does.
    Network,
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
    /// The lake writes what it has in memory.
    Seal,
    /// The lake looks after its files.
    Upkeep,
    /// The lake seals or looks after its files on a slow disk, and the rest goes on.
    Slow,
    /// The lake is asked for everything.
    Ask,
    /// Some days pass.
    Days,
    /// A file of the lake rots.
    Rot,
}

/// How often each comes.
pub const WEIGHTS: [(Op, u64); 13] = [
    (Op::Append, 20),
    (Op::Correct, 2),
    (Op::Network, 25),
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

/// With a lake.
pub const LAKE_WEIGHTS: [(Op, u64); 18] = [
    (Op::Append, 25),
    (Op::Correct, 5),
    (Op::Network, 10),
    (Op::Write, 25),
    (Op::Project, 20),
    (Op::Seal, 8),
    (Op::Upkeep, 7),
    (Op::Slow, 4),
    (Op::Ask, 1),
    (Op::Days, 2),
    (Op::Rot, 1),
    (Op::Checkpoint, 3),
    (Op::Trim, 3),
    (Op::Fault, 6),
    (Op::Heal, 6),
    (Op::Stop, 4),
    (Op::Die, 1),
    (Op::Clock, 1),
];

/// What a run does; all of it from the seed unless told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// With the lake, too.
    pub lake: bool,
    /// These operations instead of those that the seed picks.
    pub script: &'static [Op],
    /// Without faults but one: the process dies in this step of the disk, counted from the start.
    pub die_at: Option<u64>,
    /// The same for the lake's disk.
    pub die_at_lake: Option<u64>,
    /// Whether the power goes too when it dies there.
    pub with_power: bool,
    /// Without any fault, to count the steps.
    pub faultless: bool,
    /// Tells every operation on standard error.
    pub trace: bool,
}
