//! Copying a city into a vault while it runs, so that the copy is the city at one position of the journal.
//!
//! The order is what makes it whole. Every projection has a position of its own and is replayed from it, so each may
//! be copied when its turn comes, as long as the journal, copied last, begins before all of them and ends after them:
//!
//! 1. settings, packs, the rules' memory, retained messages, the current state, history: each folder is copied until
//!    nothing of what was copied has changed meanwhile, so that it is as it was at one moment;
//! 2. the records, as one transaction sees them (after the rules' memory, which must not be ahead of the alerts);
//! 3. attachments, which are written before the row that names them;
//! 4. the journal up to its last whole block, synced first. If its beginning was trimmed meanwhile, all over again.
//!
//! Where it is known what a file must be ([`super::damage`]), it is compared while it is copied. A damaged one costs nothing
//! but itself, and not even itself when an earlier point has it.

use super::Options;
use super::about::{CITY_POINT_VERSION, CityPoint, Last, SECRET, city_id, segments};
use super::damage::{self, Told};
use crate::folder::Folder;
use crate::formats;
use crate::records_projection;
use crate::running::wall_clock;
use anyhow::{Context, Result, anyhow, bail};
use model::Timestamp;
use records::{Actor, Records, audit};
use serde::Serialize;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;
use vault::{Copied, Copy, CopyError, Expected, Protection, Removed, Vault};

/// Top-level names that are no part of the city: what runs, what backups remember, what a disk keeps for itself.
const NOT_COPIED: [&str; 3] = ["run", "backup", "lost+found"];
/// Ends of names of files that are being written.
const UNFINISHED: [&str; 3] = [".tmp", ".new", ".part"];
/// Names of locks.
const LOCK: &str = "lock";

/// What is asked for.
#[derive(Clone)]
pub struct Wanted {
    /// The vault's folder.
    pub to: PathBuf,
    /// How a new vault is encrypted; must fit an old one.
    pub protection: Protection,
    /// How many points stay; `None` for all.
    pub keep: Option<usize>,
    /// Whether a vault is made when there is none. A schedule never does: the disk may just not be there.
    pub may_make: bool,
    /// Who asks, for the audit trail.
    pub actor: Actor,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The point's number.
    pub point: u64,
    /// What it says of the city.
    pub about: CityPoint,
    /// How much was copied.
    #[serde(flatten)]
    pub copied: Copied,
    /// Whether the backup is encrypted.
    pub encrypted: bool,
    /// What was taken away to keep only so many points.
    pub removed: Removed,
    /// Files of the city that are damaged, by path; empty when all is well.
    pub damaged: Vec<Told>,
    /// Whether the point has every file whole: none was damaged, or an earlier copy stands in its place.
    pub whole: bool,
}

/// Told the bytes of each stretch that was dealt with.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// Copies the city as a new point.
///
/// # Errors
/// What could not be read or written, with the place and the mend; then there is no new point.
pub async fn take(
    folder: Folder,
    wanted: Wanted,
    options: Options,
    progress: Progress,
) -> Result<Made> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        blocking(&folder, &wanted, &options, &runtime, progress.as_ref())
    })
    .await
    .context("copying ended")?
}

fn blocking(
    folder: &Folder,
    wanted: &Wanted,
    options: &Options,
    runtime: &Handle,
    progress: &dyn Fn(u64),
) -> Result<Made> {
    let started_at = wall_clock();
    if !folder.holds_a_city() {
        bail!(
            "{dir} holds no city; make one first: jingling init {dir}",
            dir = folder.path().display()
        );
    }
    // Held while the records are brought to a newer shape, if they must be.
    let lock = formats::open_beside(folder)?;
    apart(folder.path(), &wanted.to)?;
    if !wanted.may_make && !Vault::is_one(&wanted.to) {
        bail!(
            "{to} holds no backup: is its disk there? The first one is made by hand: jingling backup {dir} --to {to}",
            to = wanted.to.display(),
            dir = folder.path().display()
        );
    }
    let vault = Vault::open_or_make(&wanted.to, &wanted.protection, options.vault.clone())?;
    let city = city_id(folder)?;
    if let Some(newest) = vault.numbers()?.last()
        && CityPoint::of(&vault.point(*newest)?)?.city != city
    {
        bail!(
            "{} holds the backups of another city, or of this one before it was restored; name another folder",
            wanted.to.display()
        );
    }
    let records = runtime.block_on(Records::open(&folder.records()))?;
    drop(lock);
    let own = folder
        .last_backup()
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default();
    std::fs::create_dir_all(&own).with_context(|| format!("making {}", own.display()))?;
    let cache = own.join(format!("vault-{}.json", vault.id()));
    let mut taker = Taker {
        folder,
        city,
        options,
        runtime,
        records: &records,
        with_secrets: vault.is_encrypted(),
        copy: Copy::begin(&vault, Some(&cache), started_at, progress)?,
    };
    let about = taker.all()?;
    let told = serde_json::to_value(&about)?;
    let damaged = taker.copy.damaged();
    let (point, copied) = taker.copy.finish(told, wall_clock())?;
    let removed = match wanted.keep {
        Some(count) => vault.keep(count),
        None => vault.keep(usize::MAX),
    }
    .with_context(|| {
        format!(
            "point {} is whole, but older ones could not be taken away",
            point.number
        )
    })?;
    let last = Last {
        vault: std::path::absolute(&wanted.to)?,
        point: point.number,
        position: about.position,
        taken_at: about.taken_at,
        damaged,
    };
    last.write(folder)?;
    runtime.block_on(write_down(
        &records,
        &wanted.actor,
        records::Event::BackupTake,
        &last,
    ))?;
    runtime.block_on(records.close());
    Ok(Made {
        point: point.number,
        about,
        copied,
        encrypted: vault.is_encrypted(),
        removed,
        whole: point.is_whole(),
        damaged: last
            .damaged
            .into_iter()
            .map(|file| Told::new(file, &wanted.to))
            .collect(),
    })
}

/// Writes an act into the audit trail.
pub(super) async fn write_down(
    records: &Records,
    actor: &Actor,
    event: records::Event,
    last: &Last,
) -> Result<()> {
    let mut write = records.write().await?;
    let mut detail = serde_json::json!({"position": last.position, "taken_at": last.taken_at});
    if !last.damaged.is_empty() {
        detail["damaged_files"] = last.damaged.len().into();
    }
    let target = format!("point:{} of {}", last.point, last.vault.display());
    audit::insert(&mut write, wall_clock(), actor, event, &target, &detail).await?;
    Ok(write.commit().await?)
}

/// Neither of the folders may lie in the other.
fn apart(city: &Path, vault: &Path) -> Result<()> {
    let city = std::fs::canonicalize(city)?;
    let parent = std::path::absolute(vault)?;
    let vault = std::fs::canonicalize(vault).unwrap_or_else(|_| {
        let above = parent.parent().and_then(|p| std::fs::canonicalize(p).ok());
        match (above, parent.file_name()) {
            (Some(above), Some(name)) => above.join(name),
            _ => parent.clone(),
        }
    });
    if vault.starts_with(&city) || city.starts_with(&vault) {
        bail!(
            "{} and {} lie in each other; put the backup elsewhere, best on another disk",
            city.display(),
            vault.display()
        );
    }
    Ok(())
}

/// A rough size of what is copied, for a progress bar, in bytes.
pub fn size(folder: &Folder) -> u64 {
    let listed = top(folder, true).unwrap_or_default();
    let below = |name: &String| listing(folder.path(), name).unwrap_or_default();
    let files = listed.iter().flat_map(below);
    let known: u64 = files.map(|(_, stamp)| stamp.bytes).sum();
    known + std::fs::metadata(folder.records()).map_or(0, |m| m.len())
}

struct Taker<'a> {
    folder: &'a Folder,
    city: String,
    options: &'a Options,
    runtime: &'a Handle,
    records: &'a Records,
    with_secrets: bool,
    copy: Copy<'a>,
}

impl Taker<'_> {
    fn all(&mut self) -> Result<CityPoint> {
        for _ in 0..self.options.attempts_max {
            self.copy.forget("");
            let first = self.first_segment()?;
            if let Some(about) = self.once()?
                && self.first_segment()? == first
            {
                return Ok(about);
            }
        }
        bail!(
            "the journal's beginning was trimmed away again and again while it was copied; try again later"
        )
    }

    fn first_segment(&self) -> Result<Option<String>> {
        Ok(segments(&self.folder.journal())?.into_iter().next())
    }

    /// One pass; `None` when the journal changed under it.
    fn once(&mut self) -> Result<Option<CityPoint>> {
        let mut lake = None;
        for name in top(self.folder, self.with_secrets)? {
            if self.folder.path().join(&name) == self.folder.lake() {
                lake = Some(self.settled(&name, &damage::of_lake, |folder| {
                    lake::Lake::open_read_only(folder.lake(), lake::Options::default())
                        .map(|lake| lake.stats())
                        .map_err(|p| anyhow!("{p}"))
                })?);
            } else if ![self.folder.attachments(), self.folder.journal()]
                .contains(&self.folder.path().join(&name))
            {
                self.settled(&name, &nothing_known, |_| Ok(()))?;
            }
        }
        let records_at = wall_clock();
        let (records_position, record_rows) = self.records()?;
        if self.folder.attachments().is_dir() {
            self.settled("attachments", &nothing_known, |_| Ok(()))?;
        }
        let Some((first_position, position, taken_at)) = self.journal()? else {
            return Ok(None);
        };
        let left_out = SECRET
            .iter()
            .filter(|name| !self.with_secrets && self.folder.path().join(name).exists());
        Ok(Some(CityPoint {
            version: CITY_POINT_VERSION,
            city: self.city.clone(),
            formats: formats::read(self.folder)?,
            taken_at,
            position,
            first_position,
            records_at,
            records_position,
            record_rows,
            lake_position: lake.as_ref().map_or(0, |s| s.sealed_position),
            lake_rows: lake.as_ref().map_or(0, |s| s.sealed_rows),
            left_out: left_out.map(|&name| name.to_owned()).collect(),
        }))
    }

    /// Copies a top-level folder or file until nothing of what was copied has changed meanwhile; `look` sees it in
    /// that state. `known` says which files must be there, and with which SHA-256.
    fn settled<T>(
        &mut self,
        name: &str,
        known: &dyn Fn(&Folder) -> Result<Known>,
        look: impl Fn(&Folder) -> Result<T>,
    ) -> Result<T> {
        for _ in 0..self.options.attempts_max {
            self.copy.forget(name);
            let before = listing(self.folder.path(), name)?;
            if !self.copied(&before, &known(self.folder)?)? {
                continue;
            }
            let seen = look(self.folder);
            let after = listing(self.folder.path(), name)?;
            if before
                .iter()
                .all(|(path, stamp)| after.get(path) == Some(stamp))
            {
                return seen;
            }
        }
        bail!(
            "{} was changed each time while it was copied; try again when less is going on",
            self.folder.path().join(name).display()
        )
    }

    /// Copies files; `false` when one came, went or changed meanwhile.
    fn copied(&mut self, files: &BTreeMap<String, Stamp>, known: &Known) -> Result<bool> {
        for path in files.keys() {
            let source = self.folder.path().join(path);
            let added = match known.get(path) {
                Some(sha256) => {
                    let expected = Expected::Sha256(sha256);
                    self.copy.add_expecting(path, &source, expected)
                }
                None => self.copy.add(path, &source),
            };
            if !is_done(added)? {
                return Ok(false);
            }
        }
        for (path, sha256) in known.iter().filter(|(path, _)| !files.contains_key(*path)) {
            // A list of a folder is not made at one moment: the file may have come after its folder was looked at.
            if self.folder.path().join(path).exists() {
                return Ok(false);
            }
            self.copy.missing(path, sha256, "the file is missing");
        }
        Ok(true)
    }

    fn records(&mut self) -> Result<(u64, BTreeMap<String, u64>)> {
        let snapshot = self.folder.records_snapshot();
        remove(&snapshot)?;
        let looked = self.runtime.block_on(async {
            self.records.snapshot(&snapshot).await?;
            let copy = Records::open(&snapshot).await?;
            let position = copy.projection_position(records_projection::NAME).await?;
            let rows = copy.row_counts().await?;
            // What is copied is one file, without a journal of its own beside it.
            copy.close().await;
            Ok::<_, anyhow::Error>((position, rows))
        });
        let added = looked.and_then(|looked| {
            let path = relative(self.folder.path(), &self.folder.records())?;
            match is_done(self.copy.add(&path, &snapshot))? {
                true => Ok(looked),
                false => bail!("{} was changed by another program", snapshot.display()),
            }
        });
        remove(&snapshot)?;
        added
    }

    fn journal(&mut self) -> Result<Option<(u64, u64, Timestamp)>> {
        let dir = self.folder.journal();
        let name = relative(self.folder.path(), &dir)?;
        let taken_at = wall_clock();
        let (first, end) = {
            let reader = journal::open_read_only(&dir)?;
            (reader.first_position(), reader.end())
        };
        let Some(extent) = journal::extent(&dir, end)? else {
            return Ok((end == 0).then_some((0, 0, taken_at)));
        };
        // Written by the server and perhaps not synced yet: what is copied must not be more than what is durable.
        let open = dir.join(&extent.file);
        let synced = std::fs::File::open(&open).and_then(|f| f.sync_data());
        synced.with_context(|| format!("syncing {}", open.display()))?;
        let all = segments(&dir)?;
        for (at, segment) in all.iter().enumerate() {
            if *segment > extent.file {
                continue;
            }
            let (path, source) = (format!("{name}/{segment}"), dir.join(segment));
            let next = all.get(at + 1);
            let added = if *segment == extent.file {
                self.copy.add_prefix(&path, &source, extent.bytes)
            } else if let Some(mut looks) = next.and_then(|n| damage::Segment::new(segment, n)) {
                let expected = Expected::Inspected(&mut looks);
                self.copy.add_expecting(&path, &source, expected)
            } else {
                self.copy.add(&path, &source)
            };
            if !is_done(added)? {
                return Ok(None);
            }
        }
        // Whatever else the journal keeps beside its segments.
        let others: BTreeMap<String, Stamp> = listing(self.folder.path(), &name)?
            .into_iter()
            .filter(|(path, _)| {
                let file = path.rsplit('/').next().unwrap_or_default();
                journal::format::segment_first_position(file).is_none()
            })
            .collect();
        if !self.copied(&others, &Known::new())? {
            return Ok(None);
        }
        Ok(Some((first, extent.position, taken_at)))
    }
}

/// SHA-256 of files by their path in the city's folder.
type Known = BTreeMap<String, String>;

/// For folders whose files have no checksum of their own.
fn nothing_known(_: &Folder) -> Result<Known> {
    Ok(Known::new())
}

fn is_done(added: Result<(), CopyError>) -> Result<bool> {
    match added {
        Ok(()) => Ok(true),
        Err(CopyError::Gone | CopyError::Changed) => Ok(false),
        Err(CopyError::Unreadable(problem) | CopyError::Failed(problem)) => Err(problem.into()),
    }
}

fn remove(snapshot: &Path) -> Result<()> {
    let name = snapshot.as_os_str().to_owned();
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut path = name.clone();
        path.push(end);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn relative(root: &Path, path: &Path) -> Result<String> {
    let below = path.strip_prefix(root)?;
    below
        .to_str()
        .map(str::to_owned)
        .with_context(|| format!("{} is not UTF-8; rename it", path.display()))
}

/// What lies in the city's folder, in the order of copying.
fn top(folder: &Folder, with_secrets: bool) -> Result<Vec<String>> {
    let root = folder.path();
    let records = relative(root, &folder.records())?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root).with_context(|| format!("listing {}", root.display()))? {
        let name = relative(root, &entry?.path())?;
        let other = !NOT_COPIED.contains(&name.as_str()) && !name.starts_with(&records);
        if other && !is_passing(&name) && (with_secrets || !SECRET.contains(&name.as_str())) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a file is one that is being written, or a lock.
fn is_passing(name: &str) -> bool {
    name == LOCK || UNFINISHED.iter().any(|end| name.ends_with(end))
}

/// What says whether a file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The files at or below `name`, by their path from the root.
fn listing(root: &Path, name: &str) -> Result<BTreeMap<String, Stamp>> {
    let mut found = BTreeMap::new();
    let mut paths = vec![root.join(name)];
    while let Some(path) = paths.pop() {
        let told = || format!("looking at {}", path.display());
        let meta = match std::fs::metadata(&path) {
            Ok(meta) => meta,
            // Went while the folder was listed.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e).with_context(told),
        };
        if meta.is_dir() {
            for entry in std::fs::read_dir(&path).with_context(told)? {
                let entry = entry.with_context(told)?;
                if !entry.file_name().to_str().is_some_and(is_passing) {
                    paths.push(entry.path());
                }
            }
        } else if meta.is_file() {
            let stamp = Stamp {
                bytes: meta.len(),
                inode: meta.ino(),
                modified: (meta.mtime(), meta.mtime_nsec()),
                changed: (meta.ctime(), meta.ctime_nsec()),
            };
            found.insert(relative(root, &path)?, stamp);
        }
    }
    Ok(found)
}
