//! The one moment in which files become the lake's, or stop being it, for everyone at once.
//!
//! Our own readers follow the manifest: it lists the old files or the new ones, never both. Others look at
//! the folders; for them a folder in which files are replaced is built anew beside the old one, from links
//! to the files that stay, and the two change places in one step. A replaced file is linked into `replaced`
//! before, where readers that know an older manifest find it; it goes when none is left.
//!
//! A crash at any step leaves the old manifest or the new one whole; [`recover`] puts the folders right.
//! So does a loss of power, after which any change of names that was not synced may be undone, each for
//! itself: what the old manifest needs is durable before anything is taken from its place, and is taken
//! away only when the new manifest is durable.

use crate::disk::Disk;
use crate::layout::{REPLACED_FOLDER, Table, file_name, replaced_name};
use crate::manifest::{FileEntry, Manifest, entries, io_problem, strays};
use crate::struck::StruckRow;
use crate::writer::{WORK_FOLDER, Written};
use model::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where folders are built before they change places, under the lake's folder.
pub(crate) const NEXT_FOLDER: &str = "next";

/// What is to change.
#[derive(Default)]
pub(crate) struct Change {
    pub add: Vec<Written>,
    pub remove: Vec<Arc<FileEntry>>,
    /// Files, by path, whose `rolled` becomes this.
    pub mark: BTreeMap<String, BTreeSet<String>>,
    pub sealed_position: Option<u64>,
    pub rows_sealed: u64,
    pub rows_expired: u64,
    /// Rows given up because corrections took their place.
    pub rows_struck: u64,
    /// Rows in files that corrections took the place of, from now on known by the manifest.
    pub strike: Vec<StruckRow>,
    /// Struck rows that are in no file any more.
    pub settle: Vec<StruckRow>,
}

impl Change {
    /// The manifest after the change, with the new files named.
    fn manifest(&mut self, before: &Manifest) -> Manifest {
        let generation = before.generation + 1;
        for (number, written) in self.add.iter_mut().enumerate() {
            written.entry.path = format!(
                "{}/{}/{}",
                written.entry.table.name(),
                written.partition,
                file_name(generation, number)
            );
        }
        let removed: BTreeSet<&str> = self.remove.iter().map(|f| f.path.as_str()).collect();
        let kept = before
            .files
            .iter()
            .filter(|f| !removed.contains(f.path.as_str()))
            .map(|f| match self.mark.get(&f.path) {
                Some(rolled) => Arc::new(FileEntry {
                    rolled: rolled.clone(),
                    ..FileEntry::clone(f)
                }),
                None => Arc::clone(f),
            });
        let added = self.add.iter().map(|w| Arc::new(w.entry.clone()));
        Manifest {
            version: before.version,
            generation,
            sealed_position: self.sealed_position.unwrap_or(before.sealed_position),
            day_offset_seconds: before.day_offset_seconds,
            rows_sealed: before.rows_sealed + self.rows_sealed,
            rows_expired: before.rows_expired + self.rows_expired,
            rows_struck: before.rows_struck + self.rows_struck,
            struck: (before.struck.iter().chain(&self.strike))
                .filter(|row| !self.settle.contains(row))
                .cloned()
                .collect(),
            files: kept.chain(added).collect(),
        }
    }
}

/// A folder that has changed places with the one built for it.
struct Exchanged {
    live: PathBuf,
    next: PathBuf,
}

/// What is still to be taken back or away, because the disk refused it: before anything else is published,
/// which would give the same names to other files.
#[derive(Default)]
pub(crate) struct Undo {
    exchanged: Vec<Exchanged>,
    placed: Vec<PathBuf>,
    /// Folders whose names were put right, and not yet durably.
    unsynced: BTreeSet<PathBuf>,
}

impl Undo {
    /// Takes it back, durably; what is refused again stays for the next time.
    pub fn finish(&mut self, disk: &dyn Disk) -> io::Result<()> {
        while let Some(Exchanged { live, next }) = self.exchanged.last() {
            disk.exchange(next, live)?;
            // What stays of it is cleared before the next exchange.
            let _ = disk.remove_dir_all(next);
            self.unsynced.extend(live.parent().map(Path::to_owned));
            self.exchanged.pop();
        }
        while let Some(path) = self.placed.last() {
            match disk.remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            self.unsynced.extend(path.parent().map(Path::to_owned));
            self.placed.pop();
        }
        while let Some(folder) = self.unsynced.first() {
            match disk.sync_folder(folder) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            self.unsynced.pop_first();
        }
        Ok(())
    }
}

/// A manifest that is what a restart finds.
pub(crate) struct Published {
    pub manifest: Manifest,
    /// Why it may be the old one again after a loss of power: it must be written again before anything is
    /// built on it.
    pub unsure: Option<Problem>,
}

/// Puts the change on disk; when it returns, it is durable, or said to be unsure. On an error all is as
/// before.
pub(crate) fn publish(
    disk: &dyn Disk,
    dir: &Path,
    before: &Manifest,
    undo: &mut Undo,
    mut change: Change,
) -> Result<Published, Problem> {
    let manifest = change.manifest(before);
    let mut folders: BTreeMap<PathBuf, (Vec<&Written>, Vec<&Arc<FileEntry>>)> = BTreeMap::new();
    let folder_of = |path: &str| {
        dir.join(path)
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default()
    };
    for written in &change.add {
        let folder = folders.entry(folder_of(&written.entry.path)).or_default();
        folder.0.push(written);
    }
    for entry in &change.remove {
        folders
            .entry(folder_of(&entry.path))
            .or_default()
            .1
            .push(entry);
    }

    let mut placed: Vec<PathBuf> = Vec::new();
    let mut exchanged: Vec<Exchanged> = Vec::new();
    let mut late: Vec<PathBuf> = Vec::new();
    let outcome = (|| {
        for (folder, (add, remove)) in &folders {
            disk.create_dir_all(folder)
                .map_err(|e| io_problem("create", folder, &e))?;
            if !remove.is_empty() {
                keep_replaced(disk, dir, remove)?;
                match exchange(disk, dir, folder, add, remove)? {
                    Some(done) => {
                        exchanged.push(done);
                        continue;
                    }
                    // Not here: for a moment other engines see old and new together.
                    None => late.extend(remove.iter().map(|f| dir.join(&f.path))),
                }
            }
            for written in add {
                let path = dir.join(&written.entry.path);
                placed.push(path.clone());
                disk.rename(&written.path, &path)
                    .map_err(|e| io_problem("place", &path, &e))?;
            }
            sync(disk, folder)?;
        }
        for table in folders
            .keys()
            .filter_map(|f| f.parent())
            .collect::<BTreeSet<_>>()
        {
            sync(disk, table)?;
        }
        sync(disk, dir)?;
        manifest.write(disk, dir)
    })();
    // Renamed but not surely on disk: the new manifest is what a restart would find, so it counts. So does
    // one of which that cannot be seen: what it lists is there, and it is written again.
    let is_old = || match Manifest::read(dir) {
        Ok(found) => found.is_none_or(|found| found.generation != manifest.generation),
        Err(_) => false,
    };
    let unsure = outcome.err();
    if let Some(problem) = &unsure
        && is_old()
    {
        // Back to how it was; what cannot be undone now is undone before the next try or at the next start.
        (undo.exchanged, undo.placed) = (exchanged, placed);
        let _ = undo.finish(disk);
        return Err(problem.clone());
    }
    undo.placed.extend(late);
    if let Err(error) = undo.finish(disk) {
        tracing::warn!(%error, "a replaced file could not be removed; it is tried again");
    }
    for Exchanged { live, next } in &exchanged {
        let _ = disk.remove_dir_all(next);
        // Only an empty folder can be removed so.
        let _ = disk.remove_dir(live);
    }
    Ok(Published { manifest, unsure })
}

fn sync(disk: &dyn Disk, folder: &Path) -> Result<(), Problem> {
    disk.sync_folder(folder)
        .map_err(|e| io_problem("sync", folder, &e))
}

/// Links files that are replaced to where readers of older manifests look for them.
fn keep_replaced(disk: &dyn Disk, dir: &Path, files: &[&Arc<FileEntry>]) -> Result<(), Problem> {
    let folder = dir.join(REPLACED_FOLDER);
    disk.create_dir_all(&folder)
        .map_err(|e| io_problem("create", &folder, &e))?;
    for file in files {
        link(
            disk,
            &dir.join(&file.path),
            &folder.join(replaced_name(&file.path)),
        )?;
    }
    sync(disk, &folder)?;
    // Its own name, too, or nothing in it would be found.
    sync(disk, dir)
}

fn link(disk: &dyn Disk, from: &Path, to: &Path) -> Result<(), Problem> {
    match disk.hard_link(from, to) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|e| io_problem("link", from, &e)),
    }
}

/// Builds a folder's successor and lets the two change places; `None` when that cannot be done here, in
/// which case nothing has changed.
fn exchange(
    disk: &dyn Disk,
    dir: &Path,
    folder: &Path,
    add: &[&Written],
    remove: &[&Arc<FileEntry>],
) -> Result<Option<Exchanged>, Problem> {
    let relative = folder.strip_prefix(dir).unwrap_or(folder);
    let next = dir
        .join(NEXT_FOLDER)
        .join(replaced_name(&relative.to_string_lossy()));
    // What an earlier try left has the names of this one.
    match disk.remove_dir_all(&next) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(io_problem("clear", &next, &e));
        }
        _ => {}
    }
    disk.create_dir_all(&next)
        .map_err(|e| io_problem("create", &next, &e))?;
    let gone: BTreeSet<PathBuf> = remove.iter().map(|f| dir.join(&f.path)).collect();
    let there = entries(folder)?;
    if there.iter().any(|path| !path.is_file()) {
        // Somebody laid a folder there, which cannot be linked and must not be lost.
        return Ok(None);
    }
    for path in there.iter().filter(|path| !gone.contains(*path)) {
        if let Some(name) = path.file_name() {
            link(disk, path, &next.join(name))?;
        }
    }
    for written in add {
        let path = dir.join(&written.entry.path);
        if let Some(name) = path.file_name() {
            // A link: were the places not changed, the file would still be in the work folder.
            link(disk, &written.path, &next.join(name))?;
        }
    }
    sync(disk, &next)?;
    match disk.exchange(&next, folder) {
        Ok(()) => Ok(Some(Exchanged {
            live: folder.to_owned(),
            next,
        })),
        Err(e) if is_unsupported(&e) => {
            let _ = disk.remove_dir_all(&next);
            Ok(None)
        }
        Err(e) => Err(io_problem("exchange", folder, &e)),
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
    )
}

fn remove(disk: &dyn Disk, path: &Path) {
    if let Err(error) = disk.remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "a replaced file could not be removed");
    }
}

/// Deletes replaced files that nobody can be reading any more.
pub(crate) fn forget_replaced(disk: &dyn Disk, dir: &Path, files: &[Arc<FileEntry>]) {
    for file in files {
        let kept = dir.join(REPLACED_FOLDER).join(replaced_name(&file.path));
        remove(disk, &kept);
    }
}

/// Puts the folders right after a crash: listed files are where the manifest says, what work left that
/// did not end is gone.
pub(crate) fn recover(disk: &dyn Disk, dir: &Path, manifest: &Manifest) -> Result<(), Problem> {
    for file in &manifest.files {
        let path = dir.join(&file.path);
        let kept = dir.join(REPLACED_FOLDER).join(replaced_name(&file.path));
        if !path.exists() && kept.exists() {
            tracing::info!(path = %path.display(), "back from an exchange that did not end");
            if let Some(folder) = path.parent() {
                disk.create_dir_all(folder)
                    .map_err(|e| io_problem("create", folder, &e))?;
                link(disk, &kept, &path)?;
                sync(disk, folder)?;
                // The folder may be new.
                sync(disk, folder.parent().unwrap_or(dir))?;
                sync(disk, dir)?;
            }
        }
    }
    for stray in strays(dir, manifest)? {
        if stray.is_leftover {
            tracing::info!(path = %stray.path.display(), "removing what interrupted work left");
            disk.remove_file(&stray.path)
                .map_err(|e| io_problem("remove", &stray.path, &e))?;
            // Back after a loss of power, it would look like a file of a later manifest.
            sync(disk, stray.path.parent().unwrap_or(dir))?;
        } else {
            tracing::warn!(path = %stray.path.display(), "not in the manifest: left alone, not read");
        }
    }
    for table in Table::ALL {
        for folder in entries(&dir.join(table.name()))? {
            // Only an empty folder can be removed so.
            let _ = disk.remove_dir(&folder);
        }
    }
    for name in [WORK_FOLDER, NEXT_FOLDER, REPLACED_FOLDER] {
        let folder = dir.join(name);
        match disk.remove_dir_all(&folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(io_problem("clear", &folder, &e));
            }
            _ => {}
        }
    }
    Ok(())
}
