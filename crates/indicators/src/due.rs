//! Which indicators must be measured again, and when: one whose query reads what has changed, at once; every one from time to time, a few
//! at a time. In a city where nothing changes nothing is measured. Pure: whoever knows what changed says so, and the time with it.

use model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Entity types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Types {
    /// These only.
    Some(BTreeSet<String>),
    /// Whatever there is.
    All,
}

impl Default for Types {
    fn default() -> Self {
        Self::Some(BTreeSet::new())
    }
}

impl Types {
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Some(a), Self::Some(b)) => !a.is_disjoint(b),
            (Self::Some(one), Self::All) | (Self::All, Self::Some(one)) => !one.is_empty(),
            (Self::All, Self::All) => true,
        }
    }

    /// These too.
    pub fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Some(held), Self::Some(other)) => held.extend(other),
            (held @ Self::Some(_), Self::All) => *held = Self::All,
            (Self::All, _) => {}
        }
    }
}

/// What a query reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Current values and history of entities of these types.
    pub types: Types,
    /// People's records, by the names of their tables.
    pub tables: BTreeSet<String>,
    /// Something of which nobody knows when it changes: then every change counts.
    pub others: bool,
    /// The time: the figure changes without anything changing.
    pub clock: bool,
}

/// What has changed since the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Entities of these types.
    pub types: Types,
    /// These tables of people's records.
    pub tables: BTreeSet<String>,
}

impl Changes {
    fn any(&self) -> bool {
        self.types.meets(&Types::All) || !self.tables.is_empty()
    }
}

impl Reads {
    /// Whether the figure may have changed.
    pub fn touched_by(&self, changes: &Changes) -> bool {
        self.types.meets(&changes.types)
            || !self.tables.is_disjoint(&changes.tables)
            || (self.others && changes.any())
    }
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Every indicator is measured again after so long, seconds, whatever happened.
    pub recompute_seconds: u64,
    /// One whose query reads the time, after so long, seconds.
    pub clock_seconds: u64,
    /// Most indicators that are measured at once though nothing of theirs changed.
    pub at_once_max: usize,
    /// One whose query took longer than this is slow: the others do not wait for it.
    pub quick_max: Duration,
}

/// Which indicators are measured one after another. What counts current values takes milliseconds; what reads years of history takes
/// seconds, and must hold up nobody else's figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Those whose query was quick when it was last asked, and those that were never asked.
    Quick,
    /// The others.
    Slow,
}

#[derive(Debug)]
struct Entry {
    sql: String,
    reads: Reads,
    changed: bool,
    measured_at: Option<Timestamp>,
    took: Duration,
}

impl Entry {
    fn lane(&self, times: Times) -> Lane {
        if self.took <= times.quick_max {
            Lane::Quick
        } else {
            Lane::Slow
        }
    }

    /// Whether it is so old that it is measured again.
    fn is_old(&self, times: Times, now: Timestamp) -> bool {
        let Some(at) = self.measured_at else {
            return true;
        };
        let seconds = if self.reads.clock {
            times.recompute_seconds.min(times.clock_seconds)
        } else {
            times.recompute_seconds
        };
        let age_us = now.micros().saturating_sub(at.micros());
        // A clock that went back says nothing about age.
        age_us < 0 || u64::try_from(age_us / 1_000_000).unwrap_or(0) >= seconds
    }
}

/// What every indicator reads, and when it was measured.
#[derive(Debug, Default)]
pub struct Schedule {
    entries: BTreeMap<String, Entry>,
}

impl Schedule {
    /// These indicators hold from now on: id, query, and what it reads. One whose query is another than before counts as never measured.
    pub fn set(&mut self, indicators: impl IntoIterator<Item = (String, String, Reads)>) {
        let mut before = std::mem::take(&mut self.entries);
        for (id, sql, reads) in indicators {
            let held = before.remove(&id).filter(|held| held.sql == sql);
            let entry = held.map_or(
                Entry {
                    sql,
                    reads: reads.clone(),
                    changed: false,
                    measured_at: None,
                    took: Duration::ZERO,
                },
                |held| Entry {
                    reads: reads.clone(),
                    ..held
                },
            );
            self.entries.insert(id, entry);
        }
    }

    /// The tables that any of them reads.
    pub fn tables(&self) -> BTreeSet<String> {
        let all = self.entries.values().flat_map(|entry| &entry.reads.tables);
        all.cloned().collect()
    }

    /// Whether any of them reads something of which nobody knows when it changes.
    pub fn reads_others(&self) -> bool {
        self.entries.values().any(|entry| entry.reads.others)
    }

    /// This has changed.
    pub fn note(&mut self, changes: &Changes) {
        for entry in self.entries.values_mut() {
            entry.changed |= entry.reads.touched_by(changes);
        }
    }

    /// Which of a lane to measure now; they count as measured. Those whose data changed come first and all, then the longest not measured,
    /// as many as may be at once.
    pub fn take(&mut self, lane: Lane, times: Times, now: Timestamp) -> Vec<String> {
        let mut changed = Vec::new();
        let mut old = Vec::new();
        for (id, entry) in &self.entries {
            if entry.lane(times) != lane {
                continue;
            }
            if entry.changed {
                changed.push(id.clone());
            } else if entry.is_old(times, now) {
                old.push((entry.measured_at, id.clone()));
            }
        }
        old.sort();
        old.truncate(times.at_once_max);
        changed.extend(old.into_iter().map(|(_, id)| id));
        for id in &changed {
            self.measured(id, now);
        }
        changed
    }

    /// One was measured, whoever asked.
    pub fn measured(&mut self, id: &str, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.changed = false;
            entry.measured_at = Some(now);
        }
    }

    /// How long the query of one took.
    pub fn took(&mut self, id: &str, took: Duration) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.took = took;
        }
    }
}
