//! The accounts of a city on a real SQLite file of their own, with a hash of passwords that costs next to nothing.

use identity::password::WorkFactor;
use identity::{Identity, Options};
use records::Records;
use tempfile::TempDir;

/// The defaults, but for the hash.
pub fn quick() -> Options {
    Options {
        work_factor: WorkFactor {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
        ..Options::default()
    }
}

/// Opens them in a new folder.
pub async fn open(options: Options) -> (TempDir, Records, Identity) {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::open(&dir.path().join("records.sqlite"))
        .await
        .unwrap();
    let identity = Identity::new(records.clone(), options).unwrap();
    (dir, records, identity)
}
