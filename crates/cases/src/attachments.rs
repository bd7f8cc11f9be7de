//! Attachments: the bytes in files named by their SHA-256, the rows beside the case. A file is on disk, whole
//! and synced, before its row is written and anybody is told.

use crate::Cases;
use model::{Problem, Timestamp, problem::quote};
use records::attachments::{self, Attachment};
use records::{Acting, Failure, Result, audit, cases};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Characters of a file's name that are kept.
const NAME_CHARS_MAX: usize = 120;
/// Rows read at once when all are checked.
const CHECK_ROWS: u32 = 200;

/// Whether bytes begin as a kind of file does.
type Begins = fn(&[u8]) -> bool;

/// What may be attached: media type, and how its bytes begin.
const KINDS: &[(&str, Begins)] = &[
    ("image/jpeg", |b| b.starts_with(&[0xFF, 0xD8, 0xFF])),
    ("image/png", |b| b.starts_with(b"\x89PNG\r\n\x1a\n")),
    ("image/webp", |b| {
        b.starts_with(b"RIFF") && b.get(8..12) == Some(b"WEBP")
    }),
    ("application/pdf", |b| b.starts_with(b"%PDF-")),
];

/// Whether an attachment of that type shows something.
pub(crate) fn is_picture(media_type: &str) -> bool {
    media_type.starts_with("image/")
}

/// When and where a picture was taken, as whoever sends it says; what is left out here the picture says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// When, by the clock of the camera.
    pub at: Option<Timestamp>,
    /// What that clock says while the file is sent: a phone that was without a network for a week is told from one whose
    /// clock is wrong.
    pub clock: Option<Timestamp>,
    /// Longitude and latitude, degrees.
    pub place: Option<[f64; 2]>,
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
    /// clock shows now, the time of the photo stands for it.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] when the case has ended or is full of files;
    /// [`Failure::Forbidden`] when it is another department's; [`Failure::Invalid`]
    /// `attachment-size` or `attachment-type`, and for a place that is none.
    pub async fn attach_taken(
        &self,
        case_id: i64,
        name: &str,
        bytes: Vec<u8>,
        taken: &Taken,
        acting: &Acting,
        now: Timestamp,
    ) -> Result<Attachment> {
        let media_type = self.check_bytes(&bytes)?;
        let case = cases::get(&mut *self.records.read().await?, case_id)
            .await?
            .ok_or_else(|| Failure::not_found("case", case_id))?;
        if case.closed_at.is_some() {
            return Err(Failure::Conflict(Problem::new(
                "case-state",
                format!("{} has ended", case.number),
                "case",
                "open another case",
            )));
        }
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
        let said = if is_picture(media_type) {
            crate::photo::read(&bytes, &self.zone)
        } else {
            crate::photo::Said::default()
        };
        let taken_at = taken.at.or(said.taken_at);
        let place = taken.place.or(said.place);
        let size_bytes = i64::try_from(bytes.len()).map_err(Failure::internal)?;
        let dir = self.options.attachments_dir.clone();
        let sha256 = tokio::task::spawn_blocking(move || store(&dir, &bytes))
            .await
            .map_err(Failure::internal)??;
        let mut write = self.records.write().await?;
        let person = &acting.actor.name;
        if let Some(same) = attachments::same(&mut write, case_id, &sha256, person).await? {
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
            clock_off_s: taken
                .clock
                .or(taken_at)
                .map(|at| at.micros_since(now) / 1_000_000)
                .filter(|off| off.abs() > self.options.photo_clock_seconds_max),
        };
        let row = attachments::insert(&mut write, &row).await?;
        let detail = json!({"attachment": row.id, "sha256": row.sha256, "size_bytes": size_bytes});
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

    /// An attachment with its bytes, which are checked against their SHA-256.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Internal`] when the file is missing or damaged.
    pub async fn attachment(&self, id: i64) -> Result<(Attachment, Vec<u8>)> {
        let row = attachments::get(&mut *self.records.read().await?, id)
            .await?
            .ok_or_else(|| Failure::not_found("attachment", id))?;
        let path = path_of(&self.options.attachments_dir, &row.sha256);
        let expected = row.sha256.clone();
        let bytes = tokio::task::spawn_blocking(move || read(&path, &expected))
            .await
            .map_err(Failure::internal)??;
        Ok((row, bytes))
    }

    /// Checks every attachment's file against its row. Empty when all is well.
    ///
    /// # Errors
    /// The store's own.
    pub async fn check_attachments(&self) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut after = 0;
        loop {
            let rows =
                attachments::after(&mut *self.records.read().await?, after, CHECK_ROWS).await?;
            let Some(last) = rows.last() else {
                return Ok(problems);
            };
            after = last.id;
            for row in rows {
                let path = path_of(&self.options.attachments_dir, &row.sha256);
                let (place, expected) = (path.display().to_string(), row.sha256);
                let checked = tokio::task::spawn_blocking(move || read(&path, &expected))
                    .await
                    .map_err(Failure::internal)?;
                if let Err(e) = checked {
                    problems.push(Problem::new(
                        "attachment-damaged",
                        format!("attachment {}: {e}", row.id),
                        place,
                        "restore the file from the last backup",
                    ));
                }
            }
        }
    }

    fn check_bytes(&self, bytes: &[u8]) -> Result<&'static str> {
        let max = self.options.attachment_bytes_max;
        if bytes.is_empty() || bytes.len() > max {
            return Err(Failure::Invalid(Problem::new(
                "attachment-size",
                format!("the file has {} bytes", bytes.len()),
                "file",
                format!("send 1 to {max} bytes; let the phone take a smaller picture"),
            )));
        }
        sniff(bytes).ok_or_else(|| {
            Failure::Invalid(Problem::new(
                "attachment-type",
                "the file is none of the kinds that may be attached",
                "file",
                "send a JPEG, PNG or WebP picture, or a PDF",
            ))
        })
    }
}

/// What the bytes are, by how they begin; the sender's word does not count.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    KINDS
        .iter()
        .find(|(_, begins)| begins(bytes))
        .map(|(kind, _)| *kind)
}

/// A name that is safe to give back: the last part of a path, without control characters, cut.
fn clean_name(name: &str) -> String {
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

fn path_of(dir: &Path, sha256: &str) -> PathBuf {
    dir.join(sha256.get(..2).unwrap_or_default()).join(sha256)
}

/// Writes the bytes under their hash, synced with their folders; a file that is already there is kept.
fn store(dir: &Path, bytes: &[u8]) -> Result<String> {
    // Two uploads at once write two files; the rename makes one of them the one.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let sha256 = hex::encode(Sha256::digest(bytes));
    let path = path_of(dir, &sha256);
    if path.exists() && read(&path, &sha256).is_ok() {
        return Ok(sha256);
    }
    let folder = path.parent().unwrap_or(dir);
    fs::create_dir_all(folder)?;
    let unique = COUNT.fetch_add(1, Ordering::Relaxed);
    let part = folder.join(format!("{sha256}.{}.{unique}.part", std::process::id()));
    let written = (|| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(folder)?.sync_all()?;
        File::open(dir)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written?;
    Ok(sha256)
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
    fn bytes_say_what_they_are() {
        assert_eq!(sniff(b"\xFF\xD8\xFF\xE0rest"), Some("image/jpeg"));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(sniff(b"RIFF\x10\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(sniff(b"%PDF-1.7"), Some("application/pdf"));
        for bad in [&b"RIFF\x10\0\0\0WAVE"[..], b"RIFF", b"<svg/>", b"MZ", b""] {
            assert_eq!(sniff(bad), None);
        }
    }

    #[test]
    fn names_are_safe_to_give_back() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\photos\\泵站.jpg"), "泵站.jpg");
        assert_eq!(clean_name("a\"\r\nb.png"), "ab.png");
        assert_eq!(clean_name(".."), "file");
        assert_eq!(clean_name(&"x".repeat(500)).len(), NAME_CHARS_MAX);
    }
}
