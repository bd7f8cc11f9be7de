//! Making a city's folder from a backup, as it was at any position of the journal between the first point and the last.
//!
//! The newest point at or before the position gives everything but what the journal says after it; the next point
//! gives the journal up to the position. What people changed after the first of the two (cases, users, devices) is not
//! in the journal and so not in the result; that is told.

use super::Options;
use super::about::{CityPoint, Last, segments};
use super::take::{Progress, write_down};
use crate::check::{self, Finding};
use crate::folder::Folder;
use anyhow::{Context, Result, anyhow, bail};
use model::{Record, Timestamp};
use records::{Actor, Records};
use serde::Serialize;
use std::path::{Path, PathBuf};
use vault::{DamagedFile, FileEntry, Key, Point, Vault};

/// Records of the journal decoded in one step when a time is looked for.
const BATCH_RECORDS_MAX: usize = 4_096;

/// Up to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The newest point as it is.
    Newest,
    /// Every record of the journal below this position.
    Position(u64),
    /// Every record before the first that was received later than this.
    Time(Timestamp),
}

/// What is asked for.
#[derive(Clone)]
pub struct Wanted {
    /// The vault's folder.
    pub from: PathBuf,
    /// What opens it.
    pub key: Key,
    /// The folder to make; it may be there when it is empty.
    pub to: PathBuf,
    /// Up to when.
    pub until: Until,
    /// Who asks, for the audit trail; `None` for a trial.
    pub actor: Option<Actor>,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// The point that gave everything but the journal's end.
    pub point: u64,
    /// The journal ends here: all records below are there.
    pub position: u64,
    /// What people changed is as of this time.
    pub records_as_of: Timestamp,
    /// Records of the journal that came after that; the state, the history and the alerts follow from them when the
    /// city starts.
    pub replayed: u64,
    /// What the backup does not hold because it is not encrypted.
    pub left_out: Vec<String>,
    /// Files written.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The parts that were checked; nothing was found but what `damaged` names.
    pub checked: Vec<&'static str>,
    /// Files of the city that were damaged when the backup was taken, and what there is of them now.
    pub damaged: Vec<DamagedFile>,
}

impl Restored {
    /// Whether every file is whole.
    pub fn is_whole(&self) -> bool {
        self.damaged.iter().all(|file| file.held.is_good())
    }
}

/// What the newest point needs, for a progress bar, in bytes.
///
/// # Errors
/// As opening the vault.
pub fn size(wanted: &Wanted, options: &Options) -> Result<u64> {
    let vault = Vault::open(&wanted.from, &wanted.key, options.vault.clone())?;
    Ok(CityPoint::newest(&vault)?.0.stored_bytes())
}

/// Makes the folder, whole and checked, or nothing.
///
/// # Errors
/// Damage with the file and the place in it, a position that is not there, a folder that is not empty, a backup of a
/// newer program; the folder does not exist then.
pub async fn restore(wanted: Wanted, options: Options, progress: Progress) -> Result<Restored> {
    let (name, parent) = empty(&wanted.to)?;
    let staged = parent.join(format!("{name}.restoring"));
    if let Err(error) = std::fs::create_dir(&staged) {
        bail!(
            "cannot make {}: {error}; if a restore was interrupted, remove it",
            staged.display()
        );
    }
    let made = async {
        let (dir, asked) = (staged.clone(), wanted.clone());
        let laid =
            tokio::task::spawn_blocking(move || lay(&asked, &options, &dir, progress.as_ref()))
                .await
                .context("restoring ended")??;
        finish(&wanted, &staged, laid).await
    }
    .await;
    let done = made.and_then(|restored| {
        std::fs::rename(&staged, &wanted.to)
            .and_then(|()| std::fs::File::open(&parent)?.sync_all())
            .with_context(|| format!("giving {} its name", wanted.to.display()))?;
        Ok(restored)
    });
    if done.is_err() {
        let _ = std::fs::remove_dir_all(&staged);
    }
    done
}

/// The folder's name and the folder above it.
fn empty(to: &Path) -> Result<(String, PathBuf)> {
    let to = std::path::absolute(to)?;
    match std::fs::read_dir(&to) {
        Ok(mut entries) => {
            if let Some(entry) = entries.next() {
                bail!(
                    "{} is not empty (it holds {}); name a folder that is empty or not there",
                    to.display(),
                    entry?.file_name().display()
                );
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("looking at {}", to.display())),
    }
    let name = to.file_name().and_then(|n| n.to_str());
    match (name, to.parent()) {
        (Some(name), Some(parent)) if parent.is_dir() => Ok((name.to_owned(), parent.to_owned())),
        _ => bail!("{}: the folder above it must be there", to.display()),
    }
}

/// What was laid into the staged folder.
struct Laid {
    about: CityPoint,
    point: u64,
    position: u64,
    files: usize,
    bytes: u64,
    damaged: Vec<DamagedFile>,
}

/// The two points that a restore needs.
struct Chosen {
    base: (Point, CityPoint),
    /// The next one, when the journal's end must come from it.
    cover: Option<(Point, CityPoint)>,
}

fn lay(wanted: &Wanted, options: &Options, staged: &Path, progress: &dyn Fn(u64)) -> Result<Laid> {
    let vault = Vault::open(&wanted.from, &wanted.key, options.vault.clone())?;
    let Chosen { base, cover } = choose(&vault, wanted.until)?;
    let folder = Folder::new(staged);
    let (place, about) = (vault.dir().display().to_string(), base.1);
    for one in cover.iter().map(|c| &c.1).chain([&about]) {
        one.formats.check(&place)?;
    }
    let base = base.0;
    let in_journal = |file: &FileEntry| {
        let name = file.path.strip_prefix("journal/");
        name.is_some_and(|n| journal::format::segment_first_position(n).is_some())
    };
    let (mut files, mut bytes, mut damaged) = (0, 0, Vec::new());
    let mut lay = |point: &Point, file: &FileEntry| -> Result<()> {
        vault.extract(point, file, staged, progress)?;
        damaged.extend(file.damaged());
        files += usize::from(file.is_held());
        bytes += file.bytes;
        Ok(())
    };
    let mut later = Vec::new();
    if let Some((point, _)) = &cover {
        later = vault.files(point)?;
        later.retain(in_journal);
        for file in &later {
            lay(point, file)?;
        }
    }
    for file in vault.files(&base)? {
        // A segment that both have is longer in the later one.
        if !later.iter().any(|l| l.path == file.path) {
            lay(&base, &file)?;
        }
    }
    folder.make()?;
    let position = end_journal(&folder, wanted.until, &about)?;
    sync_folders(staged)?;
    Ok(Laid {
        point: base.number,
        about,
        position,
        files,
        bytes,
        damaged,
    })
}

/// The points' own words; damaged ones are left out and told, unless one is needed.
fn choose(vault: &Vault, until: Until) -> Result<Chosen> {
    if until == Until::Newest {
        return Ok(Chosen {
            base: CityPoint::newest(vault)?,
            cover: None,
        });
    }
    let mut points: Vec<(u64, CityPoint)> = Vec::new();
    for number in vault.numbers()? {
        match vault
            .point(number)
            .map_err(anyhow::Error::from)
            .and_then(|p| CityPoint::of(&p))
        {
            Ok(about) => points.push((number, about)),
            Err(error) => tracing::warn!("point {number} is left out: {error:#}"),
        }
    }
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        bail!("{} holds no backup that can be read", vault.dir().display());
    };
    let range = format!(
        "the backup reaches from position {} ({}) to position {} ({})",
        first.1.position, first.1.taken_at, last.1.position, last.1.taken_at
    );
    let before = |about: &CityPoint| match until {
        Until::Newest => true,
        Until::Position(position) => about.position <= position,
        Until::Time(time) => about.taken_at <= time,
    };
    let behind = points
        .iter()
        .rposition(|(_, about)| before(about))
        .map_or(0, |at| at + 1);
    if behind == 0 {
        bail!("{range}, and what was before cannot be restored; ask for a later one");
    }
    let read = |at: usize| -> Result<(Point, CityPoint)> {
        let (number, about) = &points[at];
        Ok((vault.point(*number)?, about.clone()))
    };
    let base = read(behind - 1)?;
    let exact = until == Until::Position(base.1.position) || until == Until::Time(base.1.taken_at);
    if exact {
        return Ok(Chosen { base, cover: None });
    }
    if behind == points.len() {
        bail!("{range}, and not further; leave --at and --position out for the newest");
    }
    let cover = read(behind)?;
    if cover.1.first_position > base.1.position {
        bail!(
            "the records {} to {} of the journal were trimmed away between points {} and {}; ask for position {} or less, or {} and more",
            base.1.position,
            cover.1.first_position - 1,
            base.0.number,
            cover.0.number,
            base.1.position,
            cover.1.position
        );
    }
    Ok(Chosen {
        base,
        cover: Some(cover),
    })
}

/// Ends the journal where it was asked for; gives the position.
fn end_journal(folder: &Folder, until: Until, about: &CityPoint) -> Result<u64> {
    let dir = folder.journal();
    std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    if segments(&dir)?.is_empty() && about.position == 0 {
        return Ok(0);
    }
    let end = journal::open_read_only(&dir)?.end();
    let position = match until {
        Until::Newest => about.position,
        Until::Position(position) => position,
        Until::Time(time) if time == about.taken_at => about.position,
        Until::Time(time) => first_after(&dir, about.position, time)?,
    };
    if position < end {
        journal::cut(&dir, position)?;
    } else if position > end {
        bail!(
            "the backup's journal ends at position {end}, not at {position}: it is damaged; use another point or another copy"
        );
    }
    Ok(position)
}

/// The position of the first record from `from` on that was received after `time`; the journal's end when none was.
fn first_after(dir: &Path, from: u64, time: Timestamp) -> Result<u64> {
    let mut reader = journal::open_read_only(dir)?;
    reader.seek(from);
    loop {
        let batch = reader.next_batch(BATCH_RECORDS_MAX)?;
        if batch.is_empty() {
            return Ok(reader.end());
        }
        for (position, bytes) in batch {
            let received_at = match Record::decode(&bytes)
                .with_context(|| format!("journal record {position}"))?
            {
                Record::Accepted(accepted) => accepted.received_at,
                Record::Rejected(rejected) => rejected.received_at,
                Record::Retained(retained) => retained.received_at,
                Record::Corrected(corrected) => corrected.received_at,
            };
            if received_at > time {
                return Ok(position);
            }
        }
    }
}

/// Checks what was laid, as `jingling check` does, and writes down who did it.
async fn finish(wanted: &Wanted, staged: &Path, laid: Laid) -> Result<Restored> {
    let mut found = check::check(staged, &[]).await?;
    // What the city had passed before the backup was taken is told by the restored city as it was by that one.
    found.findings.retain(|f| f.part != "notices");
    // What the backup itself says it does not have whole is told, and does not keep all the rest from coming back: the city
    // was served with that damage, and is again.
    let lost = laid.damaged.iter().filter(|file| !file.held.is_good());
    let lost: Vec<PathBuf> = lost.map(|file| staged.join(&file.path)).collect();
    found
        .findings
        .retain(|finding| !lost.iter().any(|path| is_about(finding, path)));
    if !found.findings.is_empty() {
        let told: Vec<String> = found
            .findings
            .iter()
            .map(|f| format!("{}: {}", f.part, f.what))
            .collect();
        bail!(
            "what point {} gives is not sound, so nothing was restored; use another point:\n{}",
            laid.point,
            told.join("\n")
        );
    }
    if let Some(actor) = &wanted.actor {
        let records = Records::open(&Folder::new(staged).records()).await?;
        let last = Last {
            vault: std::path::absolute(&wanted.from)?,
            point: laid.point,
            position: laid.position,
            taken_at: laid.about.taken_at,
            damaged: Vec::new(),
        };
        write_down(&records, actor, records::Event::BackupRestore, &last).await?;
        records.close().await;
    }
    Ok(Restored {
        point: laid.point,
        position: laid.position,
        records_as_of: laid.about.records_at,
        replayed: laid
            .position
            .checked_sub(laid.about.position)
            .ok_or_else(|| anyhow!("the journal ends before the point"))?,
        left_out: laid.about.left_out,
        files: laid.files,
        bytes: laid.bytes,
        checked: found.checked,
        damaged: laid.damaged,
    })
}

/// Whether a finding is about this file: history's are named by their path, the journal's by their name.
fn is_about(finding: &Finding, path: &Path) -> bool {
    match finding.part {
        "lake" => finding.what.contains(&path.display().to_string()),
        "journal" => path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| finding.what.contains(name)),
        _ => false,
    }
}

/// Makes the names in every folder durable.
fn sync_folders(dir: &Path) -> Result<()> {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        std::fs::File::open(&folder)
            .and_then(|f| f.sync_all())
            .with_context(|| format!("syncing {}", folder.display()))?;
    }
    Ok(())
}
