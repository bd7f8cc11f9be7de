//! Attachments: the bytes in files named by their SHA-256, the rows beside the case. A file is on disk, whole
//! and synced, before its row is written and anybody is told. Photos of projects' sites and numbered documents of the
//! plan office are kept in the same files.

use crate::Cases;
use crate::kinds::{self, Kind, Signed};
use model::{Problem, Timestamp, problem::quote};
use records::attachments::{self, Attachment};
use records::cases::Case;
use records::{Acting, Connection, Failure, Result, audit, cases, plan_numbers, project_photos};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Characters of a file's name that are kept.
const NAME_CHARS_MAX: usize = 120;
/// Rows read at once when all are checked.
pub(crate) const CHECK_ROWS: u32 = 200;
/// The action that adds words and files to a case and moves nothing.
const REMARK: &str = "comment";

/// What whoever sends a file says of it; what is left out here a picture says itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// When it was made, by the clock of the phone or camera.
    pub at: Option<Timestamp>,
    /// What that clock says while the file is sent: a phone that was without a network for a week is told from one whose
    /// clock is wrong.
    pub clock: Option<Timestamp>,
    /// Longitude and latitude, degrees.
    pub place: Option<[f64; 2]>,
    /// How sure the phone is of the place, in metres.
    pub accuracy_m: Option<f64>,
    /// How long a voice note is, in milliseconds.
    pub duration_ms: Option<u32>,
    /// Whose signature it is; `None` when it is none.
    pub signed: Option<Signed>,
}

impl Cases {
    /// [`Cases::attach_taken`] of a file of which nothing more is known.
    ///
    /// # Errors
    /// As there.
    pub async fn attach(
        &self,
        case_id: i64,
        name: &str,
        bytes: Vec<u8>,
        acting: &Acting,
        now: Timestamp,
    ) -> Result<Attachment> {
        let taken = Taken::default();
        self.attach_taken(case_id, name, bytes, &taken, acting, now)
            .await
    }

    /// Adds a file to a case. It belongs to no step of the history until an action names it; the same bytes sent again by
    /// the same person before that are the same attachment. A photo whose clock is further from the reception than
    /// [`crate::Options::photo_clock_seconds_max`] is taken all the same, and says so; where the sender does not say what the
    /// clock shows now, the time of the photo stands for it. So does one that claims to be of later than that clock shows: it
    /// was put back since.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] when the case has ended and its workflow takes no remark of this person
    /// any more, or when it is full of files; [`Failure::Forbidden`] when it is another department's; [`Failure::Invalid`]
    /// `attachment-size`, `attachment-type`, `signature-type`, `signer`, `signer-capacity` or `voice-long`, and for a place
    /// that is none.
    pub async fn attach_taken(
        &self,
        case_id: i64,
        name: &str,
        bytes: Vec<u8>,
        taken: &Taken,
        acting: &Acting,
        now: Timestamp,
    ) -> Result<Attachment> {
        let options = &self.options;
        let (media_type, kind) = kinds::of(&bytes, taken.signed.is_some(), options)?;
        let signed = taken.signed.as_ref().map(|signed| signed.checked(options));
        let signed = signed.transpose()?;
        check_duration(taken.duration_ms, options.voice_seconds_max)?;
        let mut read = self.records.read().await?;
        let case = cases::get(&mut read, case_id)
            .await?
            .ok_or_else(|| Failure::not_found("case", case_id))?;
        // What a phone sends after the end still has its place where the workflow takes a remark there.
        if case.closed_at.is_some() && !self.takes_remarks(&mut read, &case, acting).await? {
            return Err(Failure::Conflict(Problem::new(
                "case-state",
                format!("{} has ended", case.number),
                "case",
                "open another case",
            )));
        }
        drop(read);
        if acting.organisation_id.is_some()
            && case.organisation_id.is_some()
            && acting.organisation_id != case.organisation_id
        {
            return Err(Failure::Forbidden(Problem::new(
                "case-of-others",
                format!("{} is another department's", case.number),
                "case",
                "ask the duty officer to dispatch it to you",
            )));
        }
        if let Some([lon, lat]) = taken.place {
            let point = json!({"type": "Point", "coordinates": [lon, lat]});
            model::Geometry::from_geojson(&point)?;
        }
        let accuracy_m = taken.accuracy_m.filter(|m| m.is_finite() && *m >= 0.0);
        let said = if kind == Kind::Photo {
            crate::photo::read(&bytes, &self.zone)
        } else {
            crate::photo::Said::default()
        };
        let taken_at = taken.at.or(said.taken_at);
        let place = taken.place.or(said.place);
        let size_bytes = i64::try_from(bytes.len()).map_err(Failure::internal)?;
        let sha256 = self.keep(bytes).await?;
        let mut write = self.records.write().await?;
        let person = &acting.actor.name;
        if let Some(same) =
            attachments::same(&mut write, case_id, &sha256, person, kind.name()).await?
        {
            return Ok(same);
        }
        let max = self.options.attachments_per_case_max;
        if attachments::count_of_case(&mut write, case_id).await? >= max {
            return Err(Failure::Conflict(Problem::new(
                "attachments-full",
                format!("{} has {max} attachments already", case.number),
                "case",
                "use one of those",
            )));
        }
        let row = Attachment {
            id: 0,
            case_id,
            event_id: None,
            name: clean_name(name),
            media_type: media_type.to_owned(),
            size_bytes,
            sha256,
            uploaded_at: now,
            uploaded_by: acting.actor.name.clone(),
            taken_at,
            lon: place.map(|p| p[0]),
            lat: place.map(|p| p[1]),
            clock_off_s: clock_off_s(
                taken.clock,
                taken_at,
                now,
                self.options.photo_clock_seconds_max,
            ),
            kind: kind.name().to_owned(),
            accuracy_m: accuracy_m.filter(|_| taken.place.is_some()),
            duration_ms: taken.duration_ms.map(i64::from),
            signed_how: signed
                .as_ref()
                .map(|s| if s.is_typed { "typed" } else { "drawn" }.to_owned()),
            signer_capacity: signed.as_ref().map(|s| s.capacity.clone()),
            signer: signed.map(|s| s.signer),
        };
        let row = attachments::insert(&mut write, &row).await?;
        let detail = json!({"attachment": row.id, "kind": row.kind, "sha256": row.sha256, "size_bytes": size_bytes});
        let target = format!("case:{case_id}");
        audit::insert(
            &mut write,
            now,
            &acting.actor,
            records::Event::CaseAttach,
            &target,
            &detail,
        )
        .await?;
        write.commit().await?;
        Ok(row)
    }

    /// What a file is by its bytes, and whether it may be attached.
    ///
    /// # Errors
    /// `attachment-size`, `attachment-type`.
    pub fn kind_of(&self, bytes: &[u8]) -> std::result::Result<(&'static str, Kind), Problem> {
        kinds::of(bytes, false, &self.options)
    }

    /// Whether the workflow lets the person remark something on a case as it stands.
    async fn takes_remarks(
        &self,
        read: &mut Connection,
        case: &Case,
        acting: &Acting,
    ) -> Result<bool> {
        let workflow = self.workflow_of(read, case).await?;
        let allowed = workflow.allowed(case, acting);
        Ok(allowed.iter().any(|t| t.action == REMARK))
    }

    /// An attachment with its bytes, which are checked against their SHA-256.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Internal`] when the file is missing or damaged.
    pub async fn attachment(&self, id: i64) -> Result<(Attachment, Vec<u8>)> {
        let row = attachments::get(&mut *self.records.read().await?, id)
            .await?
            .ok_or_else(|| Failure::not_found("attachment", id))?;
        let bytes = self.kept(&row.sha256).await?;
        Ok((row, bytes))
    }

    /// Puts a file that the platform wrote itself, such as a numbered document, beside the attachments of cases; its SHA-256.
    ///
    /// # Errors
    /// [`Failure::Internal`] when it cannot be written.
    pub async fn keep_written(&self, bytes: Vec<u8>) -> Result<String> {
        self.keep(bytes).await
    }

    /// The bytes of a kept file, which are checked against their SHA-256.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the file is missing or damaged.
    pub async fn kept(&self, sha256: &str) -> Result<Vec<u8>> {
        let path = path_of(&self.options.attachments_dir, sha256);
        let expected = sha256.to_owned();
        tokio::task::spawn_blocking(move || read(&path, &expected))
            .await
            .map_err(Failure::internal)?
    }

    pub(crate) async fn keep(&self, bytes: Vec<u8>) -> Result<String> {
        let dir = self.options.attachments_dir.clone();
        tokio::task::spawn_blocking(move || store(&dir, &bytes))
            .await
            .map_err(Failure::internal)?
    }

    /// Checks the file of every attachment, of every photo of a project, of every numbered document and of every proof of a figure against
    /// its row. Empty when all is well.
    ///
    /// # Errors
    /// The store's own.
    pub async fn check_attachments(&self) -> Result<Vec<Problem>> {
        let mut problems = self.check_evidence().await?;
        let mut after = 0;
        loop {
            let rows =
                attachments::after(&mut *self.records.read().await?, after, CHECK_ROWS).await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.id;
            for row in rows {
                let what = format!("attachment {}", row.id);
                problems.extend(self.damage(&what, &row.sha256).await);
            }
        }
        after = 0;
        loop {
            let rows =
                project_photos::after(&mut *self.records.read().await?, after, CHECK_ROWS).await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.id;
            for row in rows {
                let what = format!("photo {} of the project {}", row.id, quote(&row.project_id));
                problems.extend(self.damage(&what, &row.sha256).await);
            }
        }
        after = 0;
        loop {
            let rows =
                plan_numbers::files_after(&mut *self.records.read().await?, after, CHECK_ROWS)
                    .await?;
            let Some(last) = rows.last() else {
                return Ok(problems);
            };
            after = last.id;
            for row in rows {
                let what = format!("{} {} of a numbered document", row.format, row.id);
                problems.extend(self.damage(&what, &row.sha256).await);
            }
        }
    }

    /// What is wrong with the file of that hash.
    pub(crate) async fn damage(&self, what: &str, sha256: &str) -> Option<Problem> {
        let error = self.kept(sha256).await.err()?;
        let path = path_of(&self.options.attachments_dir, sha256);
        Some(Problem::new(
            "attachment-damaged",
            format!("{what}: {error}"),
            path.display().to_string(),
            "restore the file from the last backup",
        ))
    }
}

/// How far the clock is off that a file's time is of, in seconds, positive when it is ahead; `None` within the limit.
///
/// What the clock shows now tells it; where that is not said, the time itself stands for it. And nothing is made after it was
/// sent: a time beyond the clock of its own phone is of that clock before it was put back, and was ahead by so much at least.
fn clock_off_s(
    clock: Option<Timestamp>,
    taken_at: Option<Timestamp>,
    now: Timestamp,
    limit_s: i64,
) -> Option<i64> {
    let seconds = |later: Timestamp, earlier| later.micros_since(earlier) / 1_000_000;
    let put_back = taken_at
        .zip(clock)
        .is_some_and(|(at, clock)| seconds(at, clock) > limit_s);
    let shown = if put_back {
        taken_at
    } else {
        clock.or(taken_at)
    };
    shown
        .map(|at| seconds(at, now))
        .filter(|off| off.abs() > limit_s)
}

fn check_duration(duration_ms: Option<u32>, seconds_max: u32) -> Result<()> {
    if duration_ms.is_some_and(|ms| u64::from(ms) > (u64::from(seconds_max) + 1) * 1_000) {
        return Err(Failure::Invalid(Problem::new(
            "voice-long",
            format!("the voice note is longer than {seconds_max} s"),
            "duration_ms",
            "speak shorter notes",
        )));
    }
    Ok(())
}

/// A name that is safe to give back: the last part of a path, without control characters, cut.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last
        .chars()
        .filter(|c| !c.is_control() && *c != '"')
        .take(NAME_CHARS_MAX)
        .collect();
    let name = name.trim().trim_start_matches('.').to_owned();
    if name.is_empty() {
        "file".to_owned()
    } else {
        name
    }
}

pub(crate) fn path_of(dir: &Path, sha256: &str) -> PathBuf {
    dir.join(sha256.get(..2).unwrap_or_default()).join(sha256)
}

/// A name beside a file, for bytes that are not the file yet: two uploads at once write two, and a rename makes one of them the one.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let unique = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{unique}.part", std::process::id()));
    path.with_file_name(name)
}

/// Bytes on disk, synced, under a name that no row can mean. They become the file of their hash when they are settled; dropped before,
/// they are gone, so that nothing is left of what was refused.
#[derive(Debug)]
pub(crate) struct Staged {
    dir: PathBuf,
    pub(crate) sha256: String,
    /// `None` when the file is there already, whole.
    part: Option<PathBuf>,
}

impl Staged {
    pub(crate) fn write(dir: &Path, bytes: &[u8]) -> Result<Self> {
        let sha256 = hex::encode(Sha256::digest(bytes));
        let path = path_of(dir, &sha256);
        let mut staged = Self {
            dir: dir.to_owned(),
            part: None,
            sha256,
        };
        if path.exists() && read(&path, &staged.sha256).is_ok() {
            return Ok(staged);
        }
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        let part = part_of(&path);
        let mut file = File::create(&part)?;
        // From here on what was written goes away with it.
        staged.part = Some(part);
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(staged)
    }

    /// The file of that hash is there, synced with its folders.
    pub(crate) fn settle(mut self) -> Result<String> {
        let path = path_of(&self.dir, &self.sha256);
        if let Some(part) = &self.part {
            fs::rename(part, &path)?;
            self.part = None;
            File::open(path.parent().unwrap_or(&self.dir))?.sync_all()?;
            File::open(&self.dir)?.sync_all()?;
        }
        Ok(std::mem::take(&mut self.sha256))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = fs::remove_file(part);
        }
    }
}

/// Writes the bytes under their hash, synced with their folders; a file that is already there is kept.
fn store(dir: &Path, bytes: &[u8]) -> Result<String> {
    Staged::write(dir, bytes)?.settle()
}

fn read(path: &Path, sha256: &str) -> Result<Vec<u8>> {
    let bytes = fs::read(path)?;
    if hex::encode(Sha256::digest(&bytes)) == sha256 {
        return Ok(bytes);
    }
    Err(Failure::internal(format!(
        "the file {} is damaged: its bytes do not have that SHA-256",
        quote(&path.display().to_string())
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_to_give_back() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\photos\\泵站.jpg"), "泵站.jpg");
        assert_eq!(clean_name("a\"\r\nb.png"), "ab.png");
        assert_eq!(clean_name(".."), "file");
        assert_eq!(clean_name(&"x".repeat(500)).len(), NAME_CHARS_MAX);
    }
}
