//! Every stored format ever written stays readable, and version 1 is still written byte for byte.

mod common;

use common::SimDisk;
use journal::{Journal, Options, check_on};

const NAME: &str = "00000000000000000000.seg";

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        ..common::small_options()
    }
}

fn batches() -> Vec<Vec<Vec<u8>>> {
    vec![
        vec![b"first".to_vec()],
        vec![b"second".to_vec(), Vec::new(), "第四".into()],
        vec![(0..=255).collect(), vec![0; 300]],
    ]
}

#[test]
fn version_1_stays_readable() {
    // Written by version 1 of the format; never change this fixture, add another beside it.
    let disk = SimDisk::new(1);
    disk.put(
        NAME,
        include_bytes!("../fixtures/v1/00000000000000000000.seg"),
    );
    assert_eq!(check_on(&disk.storage()).unwrap().findings, []);
    let (journal, recovery) = Journal::open_on(disk.storage(), options()).unwrap();
    assert_eq!(recovery.next_position, 6);
    let records: Vec<Vec<u8>> = journal
        .read(0)
        .next_batch(100)
        .unwrap()
        .into_iter()
        .map(|(_, bytes)| bytes.to_vec())
        .collect();
    assert_eq!(records, batches().concat());
}

#[tokio::test]
async fn version_1_is_what_is_written() {
    let disk = SimDisk::new(1);
    let (journal, _) = Journal::open_on(disk.storage(), options()).unwrap();
    for batch in batches() {
        let records: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
        let positions = journal.append_all(&records).unwrap();
        journal.wait_durable(positions.end - 1).await.unwrap();
    }
    drop(journal);
    let written = disk.bytes(NAME);
    let stored = include_bytes!("../fixtures/v1/00000000000000000000.seg");
    // The salt depends on what the disk was asked before; all else is given by the records.
    if written != stored {
        let path = std::env::temp_dir().join(NAME);
        std::fs::write(&path, &written).unwrap();
        panic!(
            "the format changed; what was written is in {}",
            path.display()
        );
    }
}
