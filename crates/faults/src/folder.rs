//! A disk with folders, for the lake. What the process sees is a real folder, so that production code reads
//! it as it always does; beside it stands what is durable: of each file its bytes as of the last sync, of
//! each folder its names as of its last sync. Losing the power puts the real folder back to that, and to
//! some of what was not synced, as the seed says.
//!
//! Changes of names that were not synced survive each for itself, also without earlier ones in other
//! folders; those of one name keep their order, and a rename or an exchange happens as a whole.

use crate::Random;
use lake::{Disk, DiskFile};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// What survives of a file that was not synced is decided sector by sector.
const SECTOR_BYTES: usize = 512;
/// The folder that everything is in.
const ROOT: u64 = 0;

#[derive(Debug, Default)]
struct Data {
    /// What reading gives.
    now: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    /// A sync failed: what was written before is clean for the system and on no platter.
    is_forgotten: bool,
}

#[derive(Debug, Default)]
struct Names {
    now: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
}

#[derive(Debug)]
enum Node {
    File(Data),
    Folder(Names),
}

/// A name in a folder comes to mean something else, or nothing.
#[derive(Clone, Debug)]
struct Set {
    folder: u64,
    name: String,
    node: Option<u64>,
}

/// What happens to names in one step, as a whole.
type Change = Vec<Set>;

/// What a step of the disk is, for whoever acts while it takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The content of a file is written or made durable; whether it is a table's file.
    Content {
        /// A Parquet file.
        of_table: bool,
    },
    /// Names change, or are made durable.
    Names,
}

/// What others do while the disk takes its time over a step.
struct Meanwhile(Box<dyn FnMut(Step) + Send>);

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    nodes: BTreeMap<u64, Node>,
    next_node: u64,
    /// Changes of names that are not durable, in order.
    pending: Vec<Change>,
    random: Random,
    steps: u64,
    stop_at: Option<u64>,
    can_exchange: bool,
    read_only: bool,
    capacity_bytes: Option<usize>,
    writes_to_fail: u32,
    syncs_to_fail: u32,
    folder_syncs_to_fail: u32,
    names_to_fail: u32,
    meanwhile: Option<Meanwhile>,
}

/// The disk; clones are the same disk.
#[derive(Clone, Debug)]
pub struct FolderDisk(Arc<Mutex<State>>);

/// One bit that rotted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rot {
    /// The file, from the disk's root.
    pub path: PathBuf,
    /// The byte.
    pub at: usize,
    bit: u8,
    node: u64,
}

fn stopped() -> io::Error {
    io::Error::other("the simulated process has stopped")
}

/// EIO: the device does not do it.
fn refused() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl FolderDisk {
    /// A disk whose content is the empty folder `root`.
    pub fn new(root: &Path, seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x6c61_6b65);
        Self(Arc::new(Mutex::new(State {
            root: root.to_owned(),
            nodes: [(ROOT, Node::Folder(Names::default()))].into(),
            next_node: ROOT + 1,
            pending: Vec::new(),
            // Some file systems cannot let two folders change places.
            can_exchange: !random.once_in(4),
            random,
            steps: 0,
            stop_at: None,
            read_only: false,
            capacity_bytes: None,
            writes_to_fail: 0,
            syncs_to_fail: 0,
            folder_syncs_to_fail: 0,
            names_to_fail: 0,
            meanwhile: None,
        })))
    }
    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .lock()
            .expect("nobody panics while it holds the disk")
    }
    /// As the lake takes it.
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }
    /// The disk is slow from now on: before each of its steps `meanwhile` is called, which does what others do in the
    /// time that the step takes. Its own steps on this disk are quick. `None`: it is quick again.
    pub fn set_slow(&self, meanwhile: Option<Box<dyn FnMut(Step) + Send>>) {
        // What is dropped may hold a lake, whose end is no business of the disk's lock.
        let before = std::mem::replace(&mut self.state().meanwhile, meanwhile.map(Meanwhile));
        drop(before);
    }
    /// A step begins, and takes its time.
    fn takes_time(&self, step: Step) {
        let meanwhile = self.state().meanwhile.take();
        if let Some(mut meanwhile) = meanwhile {
            (meanwhile.0)(step);
            self.state().meanwhile = Some(meanwhile);
        }
    }
    /// Whether folders can change places in one step; from the seed unless told.
    pub fn set_can_exchange(&self, can_exchange: bool) {
        self.state().can_exchange = can_exchange;
    }
    /// Something begins to be refused, for `count` times where that is said of it; which, is `kind`.
    pub fn fault(&self, kind: u64, count: u32) {
        let mut state = self.state();
        match kind % 7 {
            0 => state.writes_to_fail = count,
            1 => state.syncs_to_fail = count,
            2 => state.folder_syncs_to_fail = count,
            3 => state.names_to_fail = count,
            4 => {
                let room = state.random.below(30_000) as usize;
                state.capacity_bytes = Some(state.used() + room);
            }
            5 => state.read_only = true,
            _ => {
                let never = u32::MAX;
                (state.syncs_to_fail, state.folder_syncs_to_fail) = (never, never);
            }
        }
    }
    /// Every fault ends.
    pub fn heal(&self) {
        let mut state = self.state();
        (state.writes_to_fail, state.syncs_to_fail) = (0, 0);
        (state.folder_syncs_to_fail, state.names_to_fail) = (0, 0);
        state.read_only = false;
        state.capacity_bytes = None;
        state.stop_at = None;
    }
    /// Whether it does all that it is asked.
    pub fn is_well(&self) -> bool {
        let state = self.state();
        let refuses = state.writes_to_fail > 0
            || state.syncs_to_fail > 0
            || state.folder_syncs_to_fail > 0
            || state.names_to_fail > 0
            || state.read_only
            || state.capacity_bytes.is_some();
        !refuses && !state.is_stopped()
    }
    /// How many steps have changed something.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }
    /// The process dies at this step, in the middle of it: whatever it asks afterwards fails.
    pub fn stop_at(&self, step: Option<u64>) {
        self.state().stop_at = step;
    }
    /// Whether it has died there.
    pub fn has_stopped(&self) -> bool {
        self.state().is_stopped()
    }
    /// The files, from the root.
    pub fn files(&self) -> Vec<PathBuf> {
        let state = self.state();
        let mut found = Vec::new();
        state.walk(ROOT, Path::new(""), &mut found);
        found.into_iter().map(|(path, _)| path).collect()
    }
    /// A bit flips in a file that `may` be hit; file, byte and bit are the seed's.
    pub fn rot(&self, may: impl Fn(&Path) -> bool) -> Option<Rot> {
        let mut state = self.state();
        let mut found = Vec::new();
        state.walk(ROOT, Path::new(""), &mut found);
        found.retain(|(path, node)| may(path) && state.bytes(*node) > 0);
        let pick = state.random.any().checked_rem(found.len() as u64)? as usize;
        let (path, node) = found.swap_remove(pick);
        let at = state.random.any() as usize % state.bytes(node);
        let bit = 1 << state.random.below(8);
        drop(state);
        let rot = Rot {
            path,
            at,
            bit,
            node,
        };
        self.flip(&rot);
        Some(rot)
    }
    /// Flips a bit again: the file is as it was before it rotted.
    pub fn flip(&self, rot: &Rot) {
        let mut state = self.state();
        let Some(Node::File(data)) = state.nodes.get_mut(&rot.node) else {
            return;
        };
        data.now[rot.at] ^= rot.bit;
        if let Some(byte) = data.durable.get_mut(rot.at) {
            *byte ^= rot.bit;
        }
        let byte = data.now[rot.at];
        let mut found = Vec::new();
        state.walk(ROOT, Path::new(""), &mut found);
        // All names of one file are one file below too.
        if let Some((path, _)) = found.iter().find(|(_, node)| *node == rot.node) {
            let path = state.root.join(path);
            let file = File::options().write(true).open(path);
            file.and_then(|file| file.write_all_at(&[byte], rot.at as u64))
                .expect("a file of the simulated disk can be written");
        }
    }
    /// Power is lost: of what was not synced, some bytes and some names survive, chosen by the seed. No lake
    /// may be open.
    pub fn lose_power(&self) {
        let mut state = self.state();
        state.keep_some_names();
        let mut nodes = std::mem::take(&mut state.nodes);
        for node in nodes.values_mut() {
            match node {
                Node::Folder(names) => names.now = names.durable.clone(),
                Node::File(data) => {
                    data.durable = survivor(data, &mut state.random);
                    data.now = data.durable.clone();
                    data.is_forgotten = false;
                }
            }
        }
        state.nodes = nodes;
        state.rebuild().expect("the simulated disk can be rebuilt");
    }
}

/// What is left of a file: what was synced, a torn part of what was not, or all of it.
fn survivor(data: &Data, random: &mut Random) -> Vec<u8> {
    if data.now == data.durable {
        return data.now.clone();
    }
    match random.below(4) {
        0 => data.durable.clone(),
        1 => data.now.clone(),
        2 => data.now[..random.any() as usize % (data.now.len() + 1)].to_vec(),
        _ => {
            let mut left = data.durable.clone();
            left.resize(data.now.len(), 0);
            for at in (0..data.now.len()).step_by(SECTOR_BYTES) {
                let end = (at + SECTOR_BYTES).min(data.now.len());
                if random.once_in(2) {
                    left[at..end].copy_from_slice(&data.now[at..end]);
                }
            }
            left
        }
    }
}

impl State {
    fn is_stopped(&self) -> bool {
        self.stop_at.is_some_and(|at| self.steps >= at)
    }

    /// Counts a changing step. `Ok(true)`: the process dies in the middle of this one.
    fn step(&mut self) -> io::Result<bool> {
        if self.is_stopped() {
            return Err(stopped());
        }
        let dies = self.stop_at.is_some_and(|at| self.steps + 1 == at);
        self.steps += 1;
        if self.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(dies)
    }

    /// A step that happens as a whole or not at all, also when the process dies in it.
    fn whole_step(&mut self) -> io::Result<()> {
        if self.step()? && self.random.once_in(2) {
            return Err(stopped());
        }
        Ok(())
    }

    fn name_step(&mut self) -> io::Result<()> {
        self.whole_step()?;
        if self.names_to_fail > 0 {
            self.names_to_fail -= 1;
            return Err(refused());
        }
        Ok(())
    }

    fn names(&self, folder: u64) -> io::Result<&Names> {
        match self.nodes.get(&folder) {
            Some(Node::Folder(names)) => Ok(names),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn data(&mut self, file: u64) -> io::Result<&mut Data> {
        match self.nodes.get_mut(&file) {
            Some(Node::File(data)) => Ok(data),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn bytes(&self, node: u64) -> usize {
        match self.nodes.get(&node) {
            Some(Node::File(data)) => data.now.len(),
            _ => 0,
        }
    }

    fn used(&self) -> usize {
        let mut found = Vec::new();
        self.walk(ROOT, Path::new(""), &mut found);
        let files: BTreeSet<u64> = found.into_iter().map(|(_, node)| node).collect();
        files.into_iter().map(|node| self.bytes(node)).sum()
    }

    /// The files below a folder, in the order in which they were made.
    fn walk(&self, folder: u64, path: &Path, found: &mut Vec<(PathBuf, u64)>) {
        let Ok(names) = self.names(folder) else {
            return;
        };
        let mut names: Vec<(&String, u64)> = names.now.iter().map(|(n, id)| (n, *id)).collect();
        names.sort_by_key(|(_, id)| *id);
        for (name, node) in names {
            let path = path.join(name);
            match self.nodes[&node] {
                Node::File(_) => found.push((path, node)),
                Node::Folder(_) => self.walk(node, &path, found),
            }
        }
    }

    fn parts(&self, path: &Path) -> io::Result<Vec<String>> {
        let relative = path
            .strip_prefix(&self.root)
            .map_err(|_| io::Error::other(format!("{} is not on this disk", path.display())))?;
        let parts = relative.components().map(|part| match part {
            Component::Normal(name) => Ok(name.to_string_lossy().into_owned()),
            _ => Err(io::Error::other("only plain paths")),
        });
        parts.collect()
    }

    fn locate(&self, path: &Path) -> io::Result<u64> {
        self.parts(path)?.iter().try_fold(ROOT, |folder, name| {
            let found = self.names(folder)?.now.get(name);
            found.copied().ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    /// The folder that a path's last name is in, and that name.
    fn place(&self, path: &Path) -> io::Result<(u64, String)> {
        let mut parts = self.parts(path)?;
        let name = parts.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = self.locate(path.parent().unwrap_or(path))?;
        Ok((folder, name))
    }

    fn make(&mut self, node: Node) -> u64 {
        let id = self.next_node;
        self.next_node += 1;
        self.nodes.insert(id, node);
        id
    }

    /// Names change for the process at once, on the platter later.
    fn change(&mut self, change: Change) {
        for set in &change {
            if let Some(Node::Folder(names)) = self.nodes.get_mut(&set.folder) {
                match set.node {
                    Some(node) => names.now.insert(set.name.clone(), node),
                    None => names.now.remove(&set.name),
                };
            }
        }
        self.pending.push(change);
    }

    /// The changes chosen become durable, and what they build on.
    fn settle(&mut self, chosen: &dyn Fn(usize, &Change) -> bool) {
        let mut names: BTreeSet<(u64, &str)> = BTreeSet::new();
        let mut marked = vec![false; self.pending.len()];
        for (n, change) in self.pending.iter().enumerate().rev() {
            let is_needed = |set: &Set| names.contains(&(set.folder, set.name.as_str()));
            if chosen(n, change) || change.iter().any(is_needed) {
                marked[n] = true;
                names.extend(change.iter().map(|set| (set.folder, set.name.as_str())));
            }
        }
        let pending = std::mem::take(&mut self.pending);
        for (change, marked) in pending.into_iter().zip(marked) {
            if !marked {
                self.pending.push(change);
                continue;
            }
            for set in change {
                if let Some(Node::Folder(names)) = self.nodes.get_mut(&set.folder) {
                    match set.node {
                        Some(node) => names.durable.insert(set.name, node),
                        None => names.durable.remove(&set.name),
                    };
                }
            }
        }
    }

    fn keep_some_names(&mut self) {
        let count = self.pending.len();
        let kept: Vec<bool> = match self.random.below(4) {
            0 => vec![false; count],
            1 => vec![true; count],
            2 => {
                let first = self.random.below(count as u64 + 1) as usize;
                (0..count).map(|n| n < first).collect()
            }
            _ => (0..count).map(|_| self.random.once_in(2)).collect(),
        };
        self.settle(&|n, _| kept[n]);
        self.pending.clear();
    }

    /// The real folder becomes what the names and files say.
    fn rebuild(&mut self) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(path)?;
            } else {
                fs::remove_file(path)?;
            }
        }
        let mut made: BTreeMap<u64, PathBuf> = BTreeMap::new();
        self.lay(ROOT, &self.root, &mut made)?;
        made.insert(ROOT, self.root.clone());
        self.nodes.retain(|id, _| made.contains_key(id));
        Ok(())
    }

    fn lay(&self, folder: u64, path: &Path, made: &mut BTreeMap<u64, PathBuf>) -> io::Result<()> {
        for (name, node) in &self.names(folder)?.now {
            let path = path.join(name);
            match &self.nodes[node] {
                Node::Folder(_) => {
                    fs::create_dir(&path)?;
                    self.lay(*node, &path, made)?;
                }
                Node::File(data) => match made.get(node) {
                    Some(other) => fs::hard_link(other, &path)?,
                    None => fs::write(&path, &data.now)?,
                },
            }
            made.entry(*node).or_insert(path);
        }
        Ok(())
    }

    fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        let names = self.names(self.locate(path)?)?;
        let mut inside: Vec<(String, u64)> =
            names.now.iter().map(|(n, id)| (n.clone(), *id)).collect();
        inside.sort_by_key(|(_, id)| *id);
        for (name, node) in inside {
            let inner = path.join(name);
            match self.nodes[&node] {
                Node::Folder(_) => self.remove_tree(&inner)?,
                Node::File(_) => self.remove_file(&inner)?,
            }
        }
        self.remove_folder(path)
    }

    fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        let node = self.locate(path)?;
        self.data(node)?;
        let (folder, name) = self.place(path)?;
        self.name_step()?;
        fs::remove_file(path)?;
        self.change(vec![Set {
            folder,
            name,
            node: None,
        }]);
        Ok(())
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        let node = self.locate(path)?;
        if !self.names(node)?.now.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        let (folder, name) = self.place(path)?;
        self.name_step()?;
        fs::remove_dir(path)?;
        self.change(vec![Set {
            folder,
            name,
            node: None,
        }]);
        Ok(())
    }

    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        match self.locate(path) {
            Ok(node) => return self.names(node).map(|_| ()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        if let Some(parent) = path.parent() {
            self.create_folder(parent)?;
        }
        let (folder, name) = self.place(path)?;
        self.name_step()?;
        fs::create_dir(path)?;
        let node = self.make(Node::Folder(Names::default()));
        self.change(vec![Set {
            folder,
            name,
            node: Some(node),
        }]);
        Ok(())
    }
}

impl Disk for FolderDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.takes_time(Step::Names);
        let mut state = self.state();
        let (folder, name) = state.place(path)?;
        let old = state.names(folder)?.now.get(&name).copied();
        state.name_step()?;
        let file = File::create(path)?;
        let node = match old {
            Some(node) => {
                let data = state.data(node)?;
                data.now.clear();
                data.is_forgotten = false;
                node
            }
            None => {
                let node = state.make(Node::File(Data::default()));
                state.change(vec![Set {
                    folder,
                    name,
                    node: Some(node),
                }]);
                node
            }
        };
        Ok(Box::new(FolderFile {
            disk: self.clone(),
            node,
            file,
            of_table: path.extension().is_some_and(|e| e == "parquet"),
        }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        self.state().create_folder(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        let mut state = self.state();
        let node = state.locate(from)?;
        let ((from_folder, from_name), (folder, name)) = (state.place(from)?, state.place(to)?);
        state.name_step()?;
        fs::rename(from, to)?;
        let (gone, there) = (None, Some(node));
        state.change(vec![
            Set {
                folder: from_folder,
                name: from_name,
                node: gone,
            },
            Set {
                folder,
                name,
                node: there,
            },
        ]);
        Ok(())
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        let mut state = self.state();
        if !state.can_exchange {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let (first, second) = (state.locate(a)?, state.locate(b)?);
        let ((a_folder, a_name), (b_folder, b_name)) = (state.place(a)?, state.place(b)?);
        state.name_step()?;
        lake::RealDisk.exchange(a, b)?;
        state.change(vec![
            Set {
                folder: a_folder,
                name: a_name,
                node: Some(second),
            },
            Set {
                folder: b_folder,
                name: b_name,
                node: Some(first),
            },
        ]);
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        let mut state = self.state();
        let node = state.locate(from)?;
        let (folder, name) = state.place(to)?;
        if state.names(folder)?.now.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.name_step()?;
        fs::hard_link(from, to)?;
        state.change(vec![Set {
            folder,
            name,
            node: Some(node),
        }]);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        self.state().remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        self.state().remove_folder(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        self.state().remove_tree(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.takes_time(Step::Names);
        let mut state = self.state();
        let folder = state.locate(path)?;
        state.whole_step()?;
        if state.folder_syncs_to_fail > 0 {
            state.folder_syncs_to_fail -= 1;
            return Err(refused());
        }
        state.settle(&|_, change| change.iter().any(|set| set.folder == folder));
        Ok(())
    }
}

struct FolderFile {
    disk: FolderDisk,
    node: u64,
    file: File,
    of_table: bool,
}

impl FolderFile {
    fn takes_time(&self) {
        let of_table = self.of_table;
        self.disk.takes_time(Step::Content { of_table });
    }
}

impl Write for FolderFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.takes_time();
        let mut state = self.disk.state();
        let dies = state.step()?;
        let fails = dies || state.writes_to_fail > 0;
        let room = match state.capacity_bytes {
            Some(capacity) => capacity.saturating_sub(state.used()),
            None => usize::MAX,
        };
        let mut taken = bytes.len().min(room);
        if fails {
            // A failing write leaves a part behind.
            taken = taken.min(state.random.any() as usize % (bytes.len() + 1));
            state.writes_to_fail = state.writes_to_fail.saturating_sub(1);
        }
        self.file.write_all(&bytes[..taken])?;
        state
            .data(self.node)?
            .now
            .extend_from_slice(&bytes[..taken]);
        if dies {
            return Err(stopped());
        }
        if fails {
            return Err(refused());
        }
        if taken < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for FolderFile {
    fn sync(&mut self) -> io::Result<()> {
        self.takes_time();
        let mut state = self.disk.state();
        state.whole_step()?;
        let fails = state.syncs_to_fail > 0;
        state.syncs_to_fail = state.syncs_to_fail.saturating_sub(1);
        let data = state.data(self.node)?;
        if fails {
            // As Linux does: the pages are clean from now on, and not on the disk.
            data.is_forgotten = true;
            return Err(refused());
        }
        if !data.is_forgotten {
            data.durable = data.now.clone();
        }
        Ok(())
    }
}
