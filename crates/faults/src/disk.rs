//! A disk in memory that can be full, be read-only, fail to write, sync, open or read, hold its syncs back,
//! rot, stop at any step, and lose power. Everything that it does follows from what it is told and one seed.

use crate::Random;
use journal::{Storage, StorageFile};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What survives a loss of power is decided sector by sector.
const SECTOR_BYTES: usize = 512;

#[derive(Default, Clone)]
struct Data {
    /// What reading gives.
    current: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// Byte ranges written since the last good sync.
    dirty: Vec<(usize, usize)>,
}

#[derive(Default, Clone)]
struct State {
    files: BTreeMap<u64, Data>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    next_file: u64,
    locked: bool,
    capacity_bytes: Option<usize>,
    syncs_to_fail: u32,
    writes_to_fail: u32,
    syncs: u64,
    hold_syncs: bool,
    syncs_held: u32,
    opens_to_fail: u32,
    reads_to_fail: u32,
    read_only: bool,
    /// Changing steps done so far.
    steps: u64,
    /// The step at which the process dies.
    stop_at: Option<u64>,
    random: Random,
}

/// What a stopped process would see, if it could see anything.
fn stopped() -> io::Error {
    io::Error::other("the simulated process has stopped")
}

/// The disk; clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<(Mutex<State>, Condvar)>);

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> Self {
        let state = State {
            random: Random::new(seed),
            ..State::default()
        };
        Self(Arc::new((Mutex::new(state), Condvar::new())))
    }
    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .0
            .lock()
            .expect("no test panics while it holds the disk")
    }
    /// As the journal takes it.
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.clone())
    }
    /// Room for this many bytes in all; `None`: endless.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.state().capacity_bytes = bytes;
    }
    /// Bytes in use.
    pub fn used(&self) -> usize {
        let state = self.state();
        state
            .names
            .values()
            .map(|id| state.files[id].current.len())
            .sum()
    }
    /// This many syncs fail, and what they should have made durable is lost with the power.
    pub fn fail_syncs(&self, count: u32) {
        self.state().syncs_to_fail = count;
    }
    /// This many writes fail, each leaving a part behind.
    pub fn fail_writes(&self, count: u32) {
        self.state().writes_to_fail = count;
    }
    /// Opening this many files fails for want of file handles.
    pub fn fail_opens(&self, count: u32) {
        self.state().opens_to_fail = count;
    }
    /// Reading fails this many times.
    pub fn fail_reads(&self, count: u32) {
        self.state().reads_to_fail = count;
    }
    /// Nothing can be changed, as after a remount by the system.
    pub fn set_read_only(&self, read_only: bool) {
        self.state().read_only = read_only;
    }
    /// Every fault ends.
    pub fn heal(&self) {
        let mut state = self.state();
        state.syncs_to_fail = 0;
        state.writes_to_fail = 0;
        state.opens_to_fail = 0;
        state.reads_to_fail = 0;
        state.read_only = false;
        state.capacity_bytes = None;
        state.stop_at = None;
    }
    /// How many steps have changed something: writes, syncs, creations, renames, removals, cuts.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }
    /// The process dies at this step, in the middle of it: whatever it asks afterwards fails.
    pub fn stop_at(&self, step: Option<u64>) {
        self.state().stop_at = step;
    }
    /// Whether it has died there.
    pub fn has_stopped(&self) -> bool {
        let state = self.state();
        state.stop_at.is_some_and(|at| state.steps >= at)
    }
    /// A bit flips in what is on the platter, in a byte that is in use, chosen by the seed, in a file whose
    /// name ends so. Where: file and byte.
    pub fn rot(&self, ending: &str) -> Option<(String, usize)> {
        let mut state = self.state();
        let used = |id: &u64| {
            let bytes = &state.files[id].current;
            bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1)
        };
        let files: Vec<(String, u64, usize)> = state
            .names
            .iter()
            .filter(|(name, _)| name.ends_with(ending))
            .map(|(name, id)| (name.clone(), *id, used(id)))
            .filter(|(_, _, used)| *used > 0)
            .collect();
        let pick = state.random().checked_rem(files.len() as u64)? as usize;
        let (name, id, used) = &files[pick];
        let at = state.random() as usize % used;
        let bit = 1 << (state.random() % 8);
        let data = state.files.get_mut(id).expect("files are never dropped");
        data.current[at] ^= bit;
        if let Some(byte) = data.durable.get_mut(at) {
            *byte ^= bit;
        }
        Some((name.clone(), at))
    }
    /// Syncs done so far.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }
    /// Syncs wait until they are let go.
    pub fn hold_syncs(&self, hold: bool) {
        self.state().hold_syncs = hold;
        self.0.1.notify_all();
    }
    /// The disk as it is at this moment, in the middle of a sync that is held back: what a process that
    /// is killed now leaves behind. Waits for such a sync.
    pub fn at_a_held_sync(&self) -> Self {
        let mut state = self.state();
        while state.syncs_held == 0 {
            state = self
                .0
                .1
                .wait(state)
                .expect("no test panics while it holds the disk");
        }
        let mut left = state.clone();
        (left.locked, left.hold_syncs, left.syncs_held) = (false, false, 0);
        Self(Arc::new((Mutex::new(left), Condvar::new())))
    }
    /// Power is lost: of what was not synced, some sectors and some names survive, chosen by the seed.
    /// No journal may be open.
    pub fn lose_power(&self) {
        let mut state = self.state();
        assert!(!state.locked, "close the journal first");
        if state.random() & 1 == 0 {
            state.names = state.durable_names.clone();
        } else {
            state.durable_names = state.names.clone();
        }
        let mut files = std::mem::take(&mut state.files);
        for data in files.values_mut() {
            for (start, end) in std::mem::take(&mut data.dirty) {
                let mut at = start;
                while at < end {
                    let sector_end = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
                    let to = sector_end.min(end).min(data.current.len());
                    if at < to && state.random() & 1 == 0 {
                        if data.durable.len() < to {
                            data.durable.resize(to, 0);
                        }
                        data.durable[at..to].copy_from_slice(&data.current[at..to]);
                    }
                    at = sector_end;
                }
            }
            data.current = data.durable.clone();
        }
        state.files = files;
    }
    /// The names of the files.
    pub fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }
    /// A file's bytes.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[&state.names[name]].current.clone()
    }
    /// Puts a file there, durably.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let id = state.next_file;
        state.next_file += 1;
        let data = Data {
            current: bytes.to_vec(),
            durable: bytes.to_vec(),
            dirty: Vec::new(),
        };
        state.files.insert(id, data);
        state.names.insert(name.to_owned(), id);
        state.durable_names.insert(name.to_owned(), id);
    }
    /// Another disk with the same files.
    pub fn copy(&self) -> Self {
        let other = Self::new(0);
        other.state().random = self.state().random.clone();
        for name in self.names() {
            other.put(&name, &self.bytes(&name));
        }
        other
    }
}

impl State {
    fn random(&mut self) -> u64 {
        self.random.any()
    }

    /// Counts a changing step; an error when the process is dead or the disk read-only. `Ok(true)`: it
    /// dies in the middle of this one.
    fn step(&mut self) -> io::Result<bool> {
        let dies = match self.stop_at {
            Some(at) if self.steps >= at => return Err(stopped()),
            Some(at) => self.steps + 1 == at,
            None => false,
        };
        self.steps += 1;
        if self.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(dies)
    }

    /// A step that happens as a whole or not at all, also when the process dies in it.
    fn whole_step(&mut self) -> io::Result<()> {
        if self.step()? && self.random() & 1 == 0 {
            return Err(stopped());
        }
        Ok(())
    }

    fn may_open(&mut self) -> io::Result<()> {
        if self.opens_to_fail > 0 {
            self.opens_to_fail -= 1;
            // EMFILE: too many open files.
            return Err(io::Error::from_raw_os_error(24));
        }
        Ok(())
    }
}

struct SimLock(SimDisk);
impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.state().locked = false;
    }
}

impl Storage for SimDisk {
    fn create_dir(&self) -> io::Result<()> {
        Ok(())
    }
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut state = self.state();
        state.may_open()?;
        state.whole_step()?;
        let id = state.next_file;
        state.next_file += 1;
        state.files.insert(id, Data::default());
        state.names.insert(name.to_owned(), id);
        Ok(Box::new(SimFile {
            disk: self.clone(),
            id,
        }))
    }
    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn StorageFile>> {
        let mut state = self.state();
        state.may_open()?;
        if write && state.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        match state.names.get(name) {
            Some(&id) => Ok(Box::new(SimFile {
                disk: self.clone(),
                id,
            })),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.whole_step()?;
        let id = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), id);
        Ok(())
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.whole_step()?;
        let gone = state.names.remove(name);
        gone.map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }
    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.whole_step()?;
        state.durable_names = state.names.clone();
        Ok(())
    }
    fn lock(&self, _name: &str) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.state();
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock(self.clone())))
    }
    fn random(&self) -> u64 {
        self.state().random()
    }
    fn place(&self) -> String {
        "the simulated disk".to_owned()
    }
}

struct SimFile {
    disk: SimDisk,
    id: u64,
}

impl SimFile {
    fn with<T>(&self, act: impl FnOnce(&mut Data) -> T) -> T {
        let mut state = self.disk.state();
        act(state
            .files
            .get_mut(&self.id)
            .expect("files are never dropped"))
    }
}

impl StorageFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        if state.reads_to_fail > 0 {
            state.reads_to_fail -= 1;
            // EIO: the platter does not answer.
            return Err(io::Error::from_raw_os_error(5));
        }
        drop(state);
        self.with(|data| {
            let from = (offset as usize).min(data.current.len());
            let n = buffer.len().min(data.current.len() - from);
            buffer[..n].copy_from_slice(&data.current[from..from + n]);
            Ok(n)
        })
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let used = self.disk.used();
        let mut state = self.disk.state();
        let capacity = state.capacity_bytes;
        let dies = state.step()?;
        let fails = dies || state.writes_to_fail > 0;
        // A failing write leaves a part behind.
        let part = state.random() as usize % (bytes.len() + 1);
        let data = state
            .files
            .get_mut(&self.id)
            .expect("files are never dropped");
        let (from, end) = (offset as usize, offset as usize + bytes.len());
        let growth = end.saturating_sub(data.current.len());
        if capacity.is_some_and(|capacity| growth > 0 && used + growth > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = if fails { &bytes[..part] } else { bytes };
        let end = from + written.len();
        if data.current.len() < end {
            data.current.resize(end, 0);
        }
        data.current[from..end].copy_from_slice(written);
        data.dirty.push((from, end));
        if dies {
            return Err(stopped());
        }
        if fails {
            state.writes_to_fail -= 1;
            return Err(io::Error::other("injected write error"));
        }
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        while state.hold_syncs {
            state.syncs_held += 1;
            self.disk.0.1.notify_all();
            state = self
                .disk
                .0
                .1
                .wait(state)
                .expect("no test panics while it holds the disk");
            state.syncs_held -= 1;
        }
        state.whole_step()?;
        state.syncs += 1;
        let fails = state.syncs_to_fail > 0;
        state.syncs_to_fail = state.syncs_to_fail.saturating_sub(1);
        let data = state
            .files
            .get_mut(&self.id)
            .expect("files are never dropped");
        let dirty = std::mem::take(&mut data.dirty);
        if fails {
            // As Linux does: the pages are clean from now on, and not on the disk.
            return Err(io::Error::other("injected sync error"));
        }
        let length = data.current.len();
        data.durable.resize(length, 0);
        for (start, end) in dirty {
            let (start, end) = (start.min(length), end.min(length));
            data.durable[start..end].copy_from_slice(&data.current[start..end]);
        }
        Ok(())
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.disk.state().whole_step()?;
        self.with(|data| data.current.resize(bytes as usize, 0));
        Ok(())
    }
    fn size(&self) -> io::Result<u64> {
        self.with(|data| Ok(data.current.len() as u64))
    }
}
