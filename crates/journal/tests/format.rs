//! Every stored format ever written stays readable, and the newest is still written byte for byte.

use faults::SimDisk;
use journal::{Anchor, Chain, Journal, Options, check_on};

const NAME: &str = "00000000000000000000.seg";
const V1: &[u8] = include_bytes!("../fixtures/v1/00000000000000000000.seg");
const V2: &[u8] = include_bytes!("../fixtures/v2/00000000000000000000.seg");

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        ..faults::small_options()
    }
}

fn batches() -> Vec<Vec<Vec<u8>>> {
    vec![
        vec![b"first".to_vec()],
        vec![b"second".to_vec(), Vec::new(), "第四".into()],
        vec![(0..=255).collect(), vec![0; 300]],
    ]
}

fn all_records(journal: &Journal) -> Vec<Vec<u8>> {
    let batch = journal.read(0).next_batch(100).unwrap();
    batch.into_iter().map(|(_, bytes)| bytes.to_vec()).collect()
}

#[test]
fn every_version_stays_readable() {
    // Written by those versions of the format; never change these fixtures, add another beside them.
    for (version, stored) in [(1, V1), (2, V2)] {
        let disk = SimDisk::new(1);
        disk.put(NAME, stored);
        let report = check_on(&disk.storage(), &[]).unwrap();
        assert_eq!(
            (report.findings, report.next_position),
            (vec![], 6),
            "{version}"
        );
        let (journal, recovery) = Journal::open_on(disk.storage(), options()).unwrap();
        assert_eq!(recovery.next_position, 6, "{version}");
        assert_eq!(recovery.chain, report.chain, "{version}");
        assert_eq!(all_records(&journal), batches().concat(), "{version}");
    }
}

#[tokio::test]
async fn version_1_is_continued_in_a_segment_of_the_newest_version_that_vouches_for_it() {
    let disk = SimDisk::new(1);
    disk.put(NAME, V1);
    let before = check_on(&disk.storage(), &[]).unwrap();
    assert_ne!(before.chain, Chain::default());
    let (journal, _) = Journal::open_on(disk.storage(), options()).unwrap();
    let position = journal.append(b"seventh").unwrap();
    journal.wait_durable(position).await.unwrap();
    assert_eq!((position, journal.segments()), (6, 2));
    drop(journal);
    let mut expected = batches().concat();
    expected.push(b"seventh".to_vec());
    let (journal, recovery) = Journal::open_on(disk.storage(), options()).unwrap();
    assert_eq!(all_records(&journal), expected);
    drop(journal);
    let anchor = Anchor {
        position: before.next_position,
        chain: before.chain,
    };
    let report = check_on(&disk.storage(), &[anchor]).unwrap();
    assert_eq!(
        (report.findings, report.chain),
        (vec![], recovery.chain),
        "the old segment's chain is the new one's beginning"
    );
}

#[tokio::test]
async fn version_2_is_what_is_written() {
    let disk = SimDisk::new(1);
    let (journal, _) = Journal::open_on(disk.storage(), options()).unwrap();
    for batch in batches() {
        let records: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
        let positions = journal.append_all(&records).unwrap();
        journal.wait_durable(positions.end - 1).await.unwrap();
    }
    drop(journal);
    let written = disk.bytes(NAME);
    // The salt depends on what the disk was asked before; all else is given by the records.
    if written != V2 {
        let path = std::env::temp_dir().join(NAME);
        std::fs::write(&path, &written).unwrap();
        panic!(
            "the format changed; what was written is in {}",
            path.display()
        );
    }
}
