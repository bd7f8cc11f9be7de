//! How much room a restore takes, and how much there is: asked before a drill writes a byte, because the disk it fills may be
//! the one that the city lives on.

use anyhow::{Context, Result};
use model::Problem;
use std::path::Path;
use vault::{Point, Vault};

/// Code of the problem that there is too little room for a drill.
pub const NO_ROOM: &str = "backup-drill-room";
/// What a drill leaves free unless it is told otherwise, in MiB.
pub const RESERVE_MIB: u64 = 1_024;
/// What a file takes on a disk is a multiple of this, and its name about as much.
const BLOCK_BYTES: u64 = 4_096;

/// What a drill may take.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// What must stay free, in bytes.
    pub reserve_bytes: u64,
    /// How many bytes are free for this user on the disk of a folder.
    pub free: fn(&Path) -> std::io::Result<u64>,
}

impl Room {
    /// On the real disk.
    pub fn new(reserve_mib: u64) -> Self {
        Self {
            reserve_bytes: reserve_mib.saturating_mul(1 << 20),
            free,
        }
    }

    /// Whether `bytes` may be written below `within`.
    ///
    /// # Errors
    /// [`NO_ROOM`] with what is wanted and what there is; the system's own error when the disk does not say.
    pub fn must_hold(&self, bytes: u64, within: &Path) -> Result<()> {
        let free = (self.free)(within)
            .with_context(|| format!("asking how much room there is in {}", within.display()))?;
        if free >= bytes.saturating_add(self.reserve_bytes) {
            return Ok(());
        }
        let size = indicatif::BinaryBytes;
        Err(Problem::new(
            NO_ROOM,
            format!(
                "the drill takes {} and must leave {} free, but only {} are free; nothing was restored",
                size(bytes),
                size(self.reserve_bytes),
                size(free)
            ),
            within.display().to_string(),
            "name a folder on a larger disk (backup.drill_within, or --within), make room there, or let less stay free (backup.drill_reserve_mib, or --reserve-mib)",
        )
        .into())
    }
}

/// Bytes that this user may still write on the disk of `dir`.
fn free(dir: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What the files of a point take on a disk, as its own list says.
///
/// # Errors
/// When the list does not read, or the key does not fit.
pub fn needed(vault: &Vault, point: &Point) -> Result<u64> {
    let files = vault.files(point)?;
    let each = files.iter().map(|file| {
        let whole = file.bytes.div_ceil(BLOCK_BYTES).saturating_add(1);
        whole.saturating_mul(BLOCK_BYTES)
    });
    Ok(each.fold(0, u64::saturating_add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_free_is_kept_and_a_refusal_says_what_is_wanted_and_what_there_is() {
        let room = Room {
            reserve_bytes: 1 << 30,
            free: |_| Ok(3 << 30),
        };
        let within = Path::new("/somewhere");
        assert!(room.must_hold(2 << 30, within).is_ok());
        let error = room.must_hold((2 << 30) + 1, within).unwrap_err();
        let problem = error.downcast_ref::<Problem>().unwrap();
        assert_eq!(
            (problem.code.as_str(), problem.place.as_str()),
            (NO_ROOM, "/somewhere")
        );
        for part in ["2.00 GiB", "1.00 GiB", "3.00 GiB"] {
            assert!(problem.what.contains(part), "{}", problem.what);
        }
        assert!(problem.mend.contains("backup.drill_within"));
        assert!(room.must_hold(u64::MAX, within).is_err(), "no overflow");
        let silent = Room {
            free: |_| Err(std::io::Error::other("the disk is gone")),
            ..room
        };
        let error = format!("{:#}", silent.must_hold(1, within).unwrap_err());
        assert!(error.contains("the disk is gone"), "{error}");
    }

    #[test]
    fn the_real_disk_answers() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free(dir.path()).unwrap() > 0);
        assert!(Room::new(0).must_hold(1, dir.path()).is_ok());
        assert!(Room::new(u64::MAX).must_hold(1, dir.path()).is_err());
    }
}
