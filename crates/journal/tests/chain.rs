//! The hash chain: whoever changes a stored record, checksums and all, is found out.

use faults::{SimDisk, small_options};
use journal::format::{
    BLOCK_HEADER_BYTES, BlockHeader, Chain, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES,
    SegmentHeader,
};
use journal::{Anchor, DamageKind, Journal, Report, check_on};

const RECORDS: u64 = 60;

/// A journal of several segments, one record a block.
async fn written() -> SimDisk {
    let disk = SimDisk::new(1);
    let (journal, _) = Journal::open_on(disk.storage(), small_options()).unwrap();
    for n in 0..RECORDS {
        let record = vec![n as u8; 100];
        assert_eq!(journal.append(&record), Ok(n));
        journal.wait_durable(n).await.unwrap();
    }
    drop(journal);
    disk
}

fn segments(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.names();
    names.retain(|name| name.ends_with(".seg"));
    names
}

fn report(disk: &SimDisk, anchors: &[Anchor]) -> Report {
    check_on(&disk.storage(), anchors).unwrap()
}

/// Changes the first byte of a record and makes every checksum fit, as a person would who knows the format.
/// `rewrite`: also writes the chain of that segment's later blocks anew. Gives the chain at the end.
fn forge(disk: &SimDisk, name: &str, victim: u64, rewrite: bool) -> Chain {
    let mut bytes = disk.bytes(name);
    let segment = SegmentHeader::decode(&bytes).unwrap();
    let mut chain = segment.chain;
    let mut at = SEGMENT_HEADER_BYTES;
    while let Some(mut header) = BlockHeader::decode(&bytes[at..], segment.salt) {
        let start = at + BLOCK_HEADER_BYTES;
        let end = start + header.length as usize;
        if header.first_position == victim {
            let record = start + RECORD_HEADER_BYTES;
            bytes[record] ^= 0xff;
            let crc = crc32c::crc32c(&bytes[record..end]);
            bytes[start + 4..record].copy_from_slice(&crc.to_le_bytes());
            header.records_crc = crc32c::crc32c(&bytes[start..end]);
        }
        if rewrite {
            header.chain = chain;
        }
        bytes[at..start].copy_from_slice(&header.encode(segment.salt));
        chain = header.chain.behind(&header, &bytes[start..end]);
        at += header.stride() as usize;
    }
    disk.put(name, &bytes);
    chain
}

#[tokio::test]
async fn a_record_that_was_changed_with_its_checksums_is_found() {
    let disk = written().await;
    assert_eq!(report(&disk, &[]).findings, []);
    let names = segments(&disk);
    assert!(names.len() >= 3);
    for (n, name) in names.iter().enumerate() {
        let first: u64 = name[..20].parse().unwrap();
        let next = names
            .get(n + 1)
            .map_or(RECORDS, |n| n[..20].parse().unwrap());
        for victim in first..next {
            let hurt = disk.copy();
            forge(&hurt, name, victim, false);
            let found = report(&hurt, &[]).findings;
            if victim + 1 == RECORDS {
                // Nothing stands behind the newest block yet; see the anchors.
                assert_eq!(found, []);
                continue;
            }
            assert_eq!(found.len(), 1, "record {victim}: {found:?}");
            assert_eq!(found[0].kind, DamageKind::Altered);
            assert_eq!(found[0].positions, victim..victim + 1);
            assert_eq!(found[0].file, *name);
        }
    }
}

#[tokio::test]
async fn a_chain_written_anew_does_not_fit_the_next_segment_nor_a_noted_value() {
    let disk = written().await;
    let names = segments(&disk);
    let honest = report(&disk, &[]);
    let anchor = Anchor {
        position: honest.next_position,
        chain: honest.chain,
    };
    assert_eq!(report(&disk, &[anchor]).findings, []);

    let middle = disk.copy();
    let first: u64 = names[1][..20].parse().unwrap();
    forge(&middle, &names[1], first + 1, true);
    let found = report(&middle, &[]).findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].kind, DamageKind::Altered);
    assert_eq!(found[0].file, names[1]);

    // In the last segment nothing behind it objects; the noted value does.
    let last = disk.copy();
    let name = names.last().unwrap();
    let first: u64 = name[..20].parse().unwrap();
    forge(&last, name, first, true);
    assert_eq!(report(&last, &[]).findings, []);
    let found = report(&last, &[anchor]).findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].kind, DamageKind::Unproven);
    assert_eq!(found[0].positions, 0..RECORDS);
}

#[tokio::test]
async fn records_taken_off_the_end_are_missed_by_a_noted_value() {
    let disk = written().await;
    let honest = report(&disk, &[]);
    let anchor = Anchor {
        position: honest.next_position,
        chain: honest.chain,
    };
    let shorter = SimDisk::new(2);
    let names = segments(&disk);
    for name in &names[..names.len() - 1] {
        shorter.put(name, &disk.bytes(name));
    }
    assert_eq!(report(&shorter, &[]).findings, []);
    let found = report(&shorter, &[anchor]).findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].kind, DamageKind::Unproven);
}

#[tokio::test]
async fn a_noted_value_holds_through_growth_restarts_and_trimming() {
    let disk = SimDisk::new(1);
    let mut anchors = Vec::new();
    for life in 0..6u64 {
        let (journal, recovery) = Journal::open_on(disk.storage(), small_options()).unwrap();
        anchors.push(Anchor {
            position: recovery.next_position,
            chain: recovery.chain,
        });
        for n in 0..12 {
            let position = journal.append(&vec![n; 100 + life as usize]).unwrap();
            journal.wait_durable(position).await.unwrap();
        }
        drop(journal);
        assert_eq!(report(&disk, &anchors).findings, [], "life {life}");
    }
    let (journal, _) = Journal::open_on(disk.storage(), small_options()).unwrap();
    journal.trim_before(40).unwrap();
    assert!(journal.first_position() > 0);
    drop(journal);
    assert_eq!(
        report(&disk, &anchors).findings,
        [],
        "what was trimmed away cannot be verified, and is no finding"
    );
}
