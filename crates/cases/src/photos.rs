//! Photos of projects' sites: their bytes are kept as those of attachments are, from before their row is written; what is shown of them on
//! pages is a small copy, or the picture without what the camera wrote into it.

use crate::Cases;
use crate::attachments::{Staged, part_of, path_of};
use crate::kinds::{self, Kind};
use crate::{photo, picture, plain};
use model::{Problem, Timestamp};
use records::{Failure, Result};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use tokio::sync::Mutex;

/// Held while a picture is unpacked: one at a time, whatever is asked for.
static UNPACKING: Mutex<()> = Mutex::const_new(());

/// A photo whose bytes are kept, and what it says of itself; whoever asked for it writes down what it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPhoto {
    /// What it is, found from its bytes.
    pub media_type: &'static str,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// SHA-256 of its bytes, hex: the name of its file.
    pub sha256: String,
    /// When it was taken, by the camera's clock.
    pub taken_at: Option<Timestamp>,
    /// Longitude and latitude where it was taken, degrees.
    pub place: Option<[f64; 2]>,
}

/// A photo whose bytes are on disk and are nobody's yet: dropped, they are gone; [`StagedPhoto::settle`] keeps them.
#[derive(Debug)]
pub struct StagedPhoto {
    /// What it says of itself.
    pub photo: KeptPhoto,
    /// Width and height of one that is too large to be shown, pixels.
    pub too_large: Option<[u32; 2]>,
    staged: Staged,
}

impl StagedPhoto {
    /// Keeps the file. It takes no longer than a rename, so that the row can be checked and written in the same transaction.
    ///
    /// # Errors
    /// The disk's own.
    pub async fn settle(self) -> Result<KeptPhoto> {
        let staged = self.staged;
        tokio::task::spawn_blocking(move || staged.settle())
            .await
            .map_err(Failure::internal)??;
        Ok(self.photo)
    }
}

impl Cases {
    /// Puts the bytes of a photo that belongs to no case on disk, whole and synced, and looks at them; they are kept once they are settled.
    ///
    /// # Errors
    /// [`Failure::Invalid`] `attachment-size`, `attachment-type`, and `photo-type` for what is no picture.
    pub async fn stage_photo(&self, bytes: Vec<u8>) -> Result<StagedPhoto> {
        let (media_type, kind) = kinds::of(&bytes, false, &self.options)?;
        if kind != Kind::Photo {
            return Err(Failure::Invalid(Problem::new(
                "photo-type",
                format!("the file is {media_type}, which is no picture"),
                "file",
                "send a JPEG, PNG or WebP picture",
            )));
        }
        let said = photo::read(&bytes, &self.zone);
        let size_bytes = i64::try_from(bytes.len()).map_err(Failure::internal)?;
        let dir = self.options.attachments_dir.clone();
        let (too_large, staged) = tokio::task::spawn_blocking(move || {
            let too_large = picture::too_large(&bytes, media_type);
            Staged::write(&dir, &bytes).map(|staged| (too_large, staged))
        })
        .await
        .map_err(Failure::internal)??;
        Ok(StagedPhoto {
            photo: KeptPhoto {
                media_type,
                size_bytes,
                sha256: staged.sha256.clone(),
                taken_at: said.taken_at,
                place: said.place,
            },
            too_large,
            staged,
        })
    }

    /// The small copy of a kept photo, as JPEG: made when it is asked for first, and kept beside the photo. `None` when the photo cannot
    /// be read as a picture.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the photo's file is missing or damaged, or the disk fails.
    pub async fn small_photo(&self, sha256: &str, media_type: &str) -> Result<Option<Vec<u8>>> {
        let path = path_of(&self.options.attachments_dir, sha256);
        let side = picture::SMALL_SIDE_MAX;
        let path = path.with_file_name(format!("{sha256}.{side}.jpg"));
        let of = path.clone();
        let known = tokio::task::spawn_blocking(move || whole(&of))
            .await
            .map_err(Failure::internal)?;
        if known.is_some() {
            return Ok(known);
        }
        let bytes = self.kept(sha256).await?;
        let media_type = media_type.to_owned();
        let _unpacking = UNPACKING.lock().await;
        let made = tokio::task::spawn_blocking(move || {
            let small = picture::small(&bytes, &media_type)?;
            Some(put(&path, &small).map(|()| small))
        });
        // A picture at which its reader stumbles is one that cannot be read.
        made.await.unwrap_or_default().transpose()
    }

    /// A kept photo without what the camera wrote into it (place, time, device); `None` when its parts cannot be told apart.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the photo's file is missing or damaged.
    pub async fn plain_photo(&self, sha256: &str, media_type: &str) -> Result<Option<Vec<u8>>> {
        let bytes = self.kept(sha256).await?;
        let media_type = media_type.to_owned();
        tokio::task::spawn_blocking(move || plain::plain(&bytes, &media_type))
            .await
            .map_err(Failure::internal)
    }
}

/// A small copy that is there, from its first mark to its last.
fn whole(path: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(path).ok()?;
    let is_whole = bytes.starts_with(b"\xFF\xD8") && bytes.ends_with(b"\xFF\xD9");
    is_whole.then_some(bytes)
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path);
    let written = (|| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    Ok(written?)
}
