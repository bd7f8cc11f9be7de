//! What the journal promises, on a real disk and on a simulated one.

use faults::{SimDisk, small_options};
use journal::{
    AppendError, Journal, OpenError, Options, ReadError, Reader, SegmentInspection, Stall,
    WaitError, check, check_on, open_read_only,
};
use std::collections::BTreeSet;

fn open(disk: &SimDisk) -> (Journal, journal::Recovery) {
    Journal::open_on(disk.storage(), small_options()).unwrap()
}

/// A record that tells its own number.
fn record(n: u64) -> Vec<u8> {
    let mut bytes = format!("record {n} ").into_bytes();
    bytes.resize(bytes.len() + (n as usize * 37) % 200, b'.');
    bytes
}

async fn append_durable(journal: &Journal, range: std::ops::Range<u64>) {
    for n in range {
        assert_eq!(journal.append(&record(n)), Ok(n));
        journal.wait_durable(n).await.unwrap();
    }
}

fn read_all(reader: &mut Reader) -> Vec<(u64, Vec<u8>)> {
    let mut out = Vec::new();
    loop {
        let batch = reader.next_batch(7).unwrap();
        if batch.is_empty() {
            return out;
        }
        out.extend(batch.into_iter().map(|(p, bytes)| (p, bytes.to_vec())));
    }
}

fn expected(range: std::ops::Range<u64>) -> Vec<(u64, Vec<u8>)> {
    range.map(|n| (n, record(n))).collect()
}

#[tokio::test]
async fn what_gathers_is_written_also_when_the_journal_closes() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        // After every block.
        gather_appends_min: 0,
        gather_us: 1_000,
        ..small_options()
    };
    let (journal, _) = Journal::open(dir.path(), options.clone()).unwrap();
    append_durable(&journal, 0..20).await;
    for n in 20..60 {
        assert_eq!(journal.append(&record(n)), Ok(n));
    }
    drop(journal);
    let (journal, recovery) = Journal::open(dir.path(), options).unwrap();
    assert_eq!(recovery.next_position, 60);
    assert_eq!(read_all(&mut journal.read(0)), expected(0..60));
}

#[tokio::test]
async fn what_is_appended_is_read_again_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("journal");
    let options = Options {
        segment_bytes: 20_000,
        ..small_options()
    };
    let (journal, recovery) = Journal::open(&dir, options.clone()).unwrap();
    assert_eq!((recovery.next_position, recovery.segments), (0, 0));
    append_durable(&journal, 0..150).await;
    assert_eq!(read_all(&mut journal.read(0)), expected(0..150));
    assert_eq!(read_all(&mut journal.read(77)), expected(77..150));
    assert_eq!(journal.record(149).unwrap().unwrap(), record(149));
    assert_eq!(journal.record(150).unwrap(), None);
    drop(journal);

    let (journal, recovery) = Journal::open(&dir, options).unwrap();
    assert_eq!(recovery.next_position, 150);
    assert_eq!(recovery.torn, None);
    append_durable(&journal, 150..300).await;
    assert!(journal.segments() > 1);
    assert_eq!(read_all(&mut journal.read(0)), expected(0..300));
    // Another process may look while this one writes.
    assert_eq!(
        read_all(&mut open_read_only(&dir).unwrap()),
        expected(0..300)
    );
    let report = check(&dir, &[]).unwrap();
    assert_eq!((report.records, report.next_position), (300, 300));
    assert_eq!((report.findings.len(), report.torn), (0, None));
}

#[test]
fn two_writers_never_open_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path(), small_options()).unwrap();
    assert!(matches!(
        Journal::open(dir.path(), small_options()),
        Err(OpenError::Locked { .. })
    ));
    drop(journal);
    assert!(Journal::open(dir.path(), small_options()).is_ok());
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let disk = SimDisk::new(1);
    for options in [
        Options {
            segment_bytes: 100,
            ..small_options()
        },
        Options {
            buffer_bytes_max: 100,
            ..small_options()
        },
        Options {
            record_bytes_max: 0,
            ..small_options()
        },
    ] {
        assert!(matches!(
            Journal::open_on(disk.storage(), options),
            Err(OpenError::Option { .. })
        ));
    }
}

#[tokio::test]
async fn every_record_waits_for_one_sync_at_most_two() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..1).await;
    let before = disk.syncs();
    disk.hold_syncs(true);
    let small = [7; 5];
    let positions: Vec<u64> = (0..50).map(|_| journal.append(&small).unwrap()).collect();
    disk.hold_syncs(false);
    journal.wait_durable(positions[49]).await.unwrap();
    let syncs = disk.syncs() - before;
    assert!(
        syncs <= 2,
        "{syncs} syncs for 50 records that waited together"
    );
}

#[tokio::test]
async fn a_buffer_that_is_full_says_busy_and_takes_again_later() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    disk.hold_syncs(true);
    let mut taken = 0;
    let error = loop {
        match journal.append(&record(taken)) {
            Ok(position) => assert_eq!(position, taken),
            Err(error) => break error,
        }
        taken += 1;
    };
    assert_eq!(error, AppendError::Busy);
    disk.hold_syncs(false);
    journal.wait_durable(taken - 1).await.unwrap();
    append_durable(&journal, taken..taken + 1).await;
    assert_eq!(read_all(&mut journal.read(0)), expected(0..taken + 1));
}

#[tokio::test]
async fn a_record_too_large_is_refused_and_the_largest_is_taken() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    assert_eq!(
        journal.append(&[1; 2001]),
        Err(AppendError::TooLarge {
            bytes: 2001,
            bytes_max: 2000
        })
    );
    for n in 0..5 {
        assert_eq!(journal.append(&[1; 2000]), Ok(n));
        journal.wait_durable(n).await.unwrap();
    }
    assert_eq!(journal.append(&[]), Ok(5));
    journal.wait_durable(5).await.unwrap();
    assert_eq!(journal.record(5).unwrap().unwrap().len(), 0);
    assert_eq!(journal.record(4).unwrap().unwrap().len(), 2000);
}

#[tokio::test]
async fn a_full_disk_refuses_tells_and_resumes() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..3).await;
    disk.set_capacity(Some(disk.used()));
    // The segment in use has room still; then the next one finds none.
    let mut n = 3;
    let error = loop {
        match journal.append(&record(n)) {
            Ok(position) => match journal.wait_durable(position).await {
                Ok(()) => n += 1,
                Err(error) => break error,
            },
            Err(error) => panic!("{error} before any waiter was told"),
        }
    };
    assert_eq!(error, WaitError::Full);
    assert_eq!(journal.stall(), Some(Stall::Full));
    assert_eq!(journal.append(b"more"), Err(AppendError::Full));
    // Whoever asks later is told the same, and reading goes on.
    assert_eq!(journal.wait_durable(n).await, Err(WaitError::Full));
    assert_eq!(read_all(&mut journal.read(0)), expected(0..n));
    assert_eq!(*journal.durable().borrow(), n);

    disk.set_capacity(None);
    let mut durable = journal.durable();
    durable.wait_for(|end| *end > n).await.unwrap();
    assert_eq!(journal.stall(), None);
    append_durable(&journal, n + 1..n + 20).await;
    assert_eq!(read_all(&mut journal.read(0)), expected(0..n + 20));
    drop(journal);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.next_position, n + 20);
    assert_eq!(read_all(&mut journal.read(0)), expected(0..n + 20));
}

#[tokio::test]
async fn a_failed_sync_writes_the_block_again_into_a_fresh_segment() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..3).await;
    disk.fail_syncs(1);
    append_durable(&journal, 3..6).await;
    assert_eq!(journal.segments(), 2);
    assert!(
        disk.names()
            .contains(&"00000000000000000003.seg".to_owned())
    );
    drop(journal);
    disk.lose_power();
    let (journal, _) = open(&disk);
    assert_eq!(read_all(&mut journal.read(0)), expected(0..6));
    assert_eq!(check_on(&disk.storage(), &[]).unwrap().findings, []);
}

#[tokio::test]
async fn a_disk_that_cannot_write_at_all_is_told_and_recovers() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..3).await;
    disk.fail_syncs(u32::MAX);
    assert_eq!(journal.append(&record(3)), Ok(3));
    assert_eq!(journal.wait_durable(3).await, Err(WaitError::Failed));
    assert_eq!(journal.append(b"x"), Err(AppendError::Failed));
    disk.fail_syncs(0);
    journal.durable().wait_for(|end| *end > 3).await.unwrap();
    append_durable(&journal, 4..9).await;
    assert_eq!(read_all(&mut journal.read(0)), expected(0..9));
}

#[tokio::test]
async fn closing_a_stalled_journal_tells_waiters_and_ends() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..3).await;
    disk.fail_syncs(u32::MAX);
    assert_eq!(journal.append(&record(3)), Ok(3));
    assert_eq!(journal.wait_durable(3).await, Err(WaitError::Failed));
    let mut reader = journal.read(0);
    journal.close();
    assert!(journal.wait_durable(3).await.is_err());
    assert_eq!(journal.append(b"x"), Err(AppendError::Failed));
    assert_eq!(read_all(&mut reader), expected(0..3));
    assert!(!reader.wait().await, "nothing more will come");
}

#[tokio::test]
async fn a_cut_off_last_block_is_dropped_at_every_byte() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..5).await;
    let before = disk.bytes("00000000000000000000.seg");
    let last: Vec<Vec<u8>> = (5..8).map(record).collect();
    let slices: Vec<&[u8]> = last.iter().map(Vec::as_slice).collect();
    let positions = journal.append_all(&slices).unwrap();
    journal.wait_durable(positions.end - 1).await.unwrap();
    drop(journal);
    let after = disk.bytes("00000000000000000000.seg");
    let start = (0..after.len()).find(|n| after[*n] != before[*n]).unwrap();
    let end = (0..after.len()).rfind(|n| after[*n] != before[*n]).unwrap() + 1;
    assert!(end - start > 200);
    for cut in start..end {
        // The tail is missing, still zero, or something else; or only the tail arrived.
        let mut shorter = after.clone();
        shorter.truncate(cut);
        let mut zeros = after.clone();
        zeros[cut..].fill(0);
        let mut garbage = after.clone();
        garbage[cut..end].iter_mut().for_each(|b| *b ^= 0xa5);
        let mut tail_only = after.clone();
        tail_only[start..=cut].copy_from_slice(&before[start..=cut]);
        for (how, bytes) in [shorter, zeros, garbage, tail_only].iter().enumerate() {
            let torn = disk.copy();
            torn.put("00000000000000000000.seg", bytes);
            let (journal, recovery) = open(&torn);
            assert_eq!(recovery.next_position, 5, "cut at {cut}, way {how}");
            assert_eq!(recovery.findings, []);
            let nothing_left = bytes[start.min(bytes.len())..].iter().all(|b| *b == 0);
            assert_eq!(
                recovery.torn.is_none(),
                nothing_left,
                "cut at {cut}, way {how}"
            );
            if let Some(told) = recovery.torn {
                assert_eq!(told.offset, start as u64);
            }
            append_durable(&journal, 5..6).await;
            assert_eq!(read_all(&mut journal.read(0)), expected(0..6));
            drop(journal);
            let report = check_on(&torn.storage(), &[]).unwrap();
            assert_eq!((report.records, report.torn), (6, None));
            assert_eq!(report.findings, []);
        }
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_told_and_never_skipped_in_silence() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..60).await;
    let firsts: Vec<u64> = disk
        .names()
        .iter()
        .filter_map(|name| name.strip_suffix(".seg")?.parse().ok())
        .collect();
    drop(journal);
    assert!(firsts.len() >= 3, "{firsts:?}");
    // In the first segment, a middle one and the last: a block's head, or a record's bytes.
    for first in [firsts[0], firsts[1], *firsts.last().unwrap()] {
        let name = format!("{first:020}.seg");
        let bytes = disk.bytes(&name);
        let mut starts = Vec::new();
        for at in (64..bytes.len() - 4).step_by(8) {
            if bytes[at..].starts_with(b"JLBK") {
                starts.push(at);
            }
        }
        let victim = first + 1;
        assert!(starts.len() > 2, "another block follows the victim");
        for at in [starts[1] + 20, starts[1] + 66, starts[1] + 73] {
            let hurt = disk.copy();
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            hurt.put(&name, &bytes);
            let report = check_on(&hurt.storage(), &[]).unwrap();
            assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
            assert_eq!(report.findings[0].positions, victim..victim + 1);
            assert_eq!(report.findings[0].file, name);
            assert_eq!((report.records, report.next_position), (59, 60));

            let (journal, recovery) = open(&hurt);
            assert_eq!(recovery.next_position, 60);
            let mut reader = journal.read(0);
            let mut read = Vec::new();
            let mut told = Vec::new();
            while reader.position() < 60 {
                match reader.next_batch(100) {
                    Ok(batch) => read.extend(batch.into_iter().map(|(p, b)| (p, b.to_vec()))),
                    Err(ReadError::Damaged(damage)) => {
                        told.push((damage.positions.start, damage.positions.end));
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(told, vec![(victim, victim + 1)]);
            let good: Vec<_> = expected(0..60)
                .into_iter()
                .filter(|(n, _)| *n != victim)
                .collect();
            assert_eq!(read, good);
            assert!(matches!(journal.record(victim), Err(ReadError::Damaged(_))));
            assert_eq!(
                journal.record(victim + 1).unwrap().unwrap(),
                record(victim + 1)
            );
            append_durable(&journal, 60..61).await;
        }
    }
}

#[tokio::test]
async fn a_missing_segment_is_found() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..60).await;
    drop(journal);
    let hurt = SimDisk::new(2);
    let names: Vec<String> = disk
        .names()
        .into_iter()
        .filter(|n| n.ends_with(".seg"))
        .collect();
    for name in names.iter().filter(|name| **name != names[1]) {
        hurt.put(name, &disk.bytes(name));
    }
    let lost = names[1][..20].parse::<u64>().unwrap()..names[2][..20].parse().unwrap();
    let report = check_on(&hurt.storage(), &[]).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].positions, lost);
    let (journal, _) = open(&hurt);
    let mut reader = journal.read(lost.start);
    match reader.next_batch(10) {
        Err(ReadError::Damaged(damage)) => assert_eq!(damage.positions, lost),
        other => panic!("{other:?}"),
    }
    assert_eq!(read_all(&mut reader), expected(lost.end..60));
}

#[tokio::test]
async fn bytes_that_look_like_a_block_inside_a_torn_one_do_not_pass_for_one() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..3).await;
    // A device that knows the format, but not the salt, sends blocks as its payload.
    let records = [0, 0, 0, 0, 0, 0, 0, 0];
    let forged = journal::format::BlockHeader {
        first_position: 4,
        count: 1,
        length: 8,
        records_crc: crc32c::crc32c(&records),
        chain: journal::Chain::default(),
    };
    let mut payload = Vec::new();
    for shift in 0..8 {
        payload.resize(payload.len() + shift, 0);
        payload.extend_from_slice(&forged.encode(0));
        payload.extend_from_slice(&records);
    }
    assert_eq!(journal.append(&payload), Ok(3));
    journal.wait_durable(3).await.unwrap();
    drop(journal);
    let mut bytes = disk.bytes("00000000000000000000.seg");
    let last = (0..bytes.len()).rfind(|n| bytes[*n] != 0).unwrap();
    bytes[last] = 0;
    disk.put("00000000000000000000.seg", &bytes);
    let (_journal, recovery) = open(&disk);
    assert_eq!(recovery.next_position, 3);
    assert_eq!(recovery.findings, []);
    assert!(recovery.torn.is_some());
}

#[tokio::test]
async fn trimming_takes_whole_segments_and_says_so_to_readers() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..60).await;
    let before = journal.segments();
    let mut behind = journal.read(0);
    journal.trim_before(30).unwrap();
    let first = journal.first_position();
    assert!(first > 0 && first <= 30 && journal.segments() < before);
    assert!(matches!(
        behind.next_batch(10),
        Err(ReadError::Trimmed { first_position }) if first_position == first
    ));
    behind.seek(first);
    assert_eq!(read_all(&mut behind), expected(first..60));
    assert_eq!(journal.record(0).unwrap(), None);
    // Never more than what is durable, never the segment in use.
    journal.trim_before(u64::MAX).unwrap();
    assert_eq!(journal.segments(), 1);
    let first = journal.first_position();
    append_durable(&journal, 60..65).await;
    drop(journal);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.first_position, first);
    assert_eq!(read_all(&mut journal.read(first)), expected(first..65));
    assert_eq!(check_on(&disk.storage(), &[]).unwrap().findings, []);
}

#[tokio::test]
async fn what_a_killed_process_left_is_durable_after_opening() {
    // Killed at each step of its first write, so also between a segment's name and the sync of the folder;
    // the power goes only after the next process has acknowledged.
    let mut left_a_segment = 0;
    for (seed, step) in (0..8).flat_map(|seed| (1..30).map(move |step| (seed, step))) {
        let disk = SimDisk::new(seed);
        let (journal, _, mut stepper) =
            Journal::open_stepped(disk.storage(), small_options()).unwrap();
        disk.stop_at(Some(step));
        assert_eq!(journal.append(&record(0)), Ok(0));
        stepper.step();
        drop((journal, stepper));
        disk.heal();
        let (journal, recovery) = open(&disk);
        let n = recovery.next_position;
        left_a_segment += usize::from(recovery.segments == 1 && n == 0);
        append_durable(&journal, n..n + 1).await;
        drop(journal);
        disk.lose_power();
        let (journal, recovery) = open(&disk);
        assert_eq!(recovery.next_position, n + 1, "seed {seed}, step {step}");
        assert_eq!(read_all(&mut journal.read(0)), expected(0..n + 1));
    }
    assert!(left_a_segment > 0, "some died just there");
}

#[tokio::test]
async fn a_damaged_head_is_told_with_its_file() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..60).await;
    drop(journal);
    let names: Vec<String> = disk
        .names()
        .into_iter()
        .filter(|n| n.ends_with(".seg"))
        .collect();
    let hurt = |name: &str| {
        let other = disk.copy();
        let mut bytes = disk.bytes(name);
        bytes[9] ^= 1;
        other.put(name, &bytes);
        other
    };
    let middle = hurt(&names[1]);
    let report = check_on(&middle.storage(), &[]).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].file, names[1]);
    let (journal, _) = open(&middle);
    let start = names[1][..20].parse().unwrap();
    assert!(matches!(journal.record(start), Err(ReadError::Damaged(_))));
    // The last one: its records are told, their positions are not given again, and writing goes on.
    let name = names.last().unwrap();
    let last = hurt(name);
    let first: u64 = name[..20].parse().unwrap();
    let report = check_on(&last.storage(), &[]).unwrap();
    assert_eq!(report.findings[0].positions, first..60);
    assert_eq!((report.findings.len(), report.next_position), (1, 60));
    let (journal, recovery) = open(&last);
    assert_eq!(recovery.next_position, 60);
    assert_eq!(recovery.findings, report.findings);
    append_durable(&journal, 60..62).await;
    let mut reader = journal.read(first - 1);
    assert_eq!(reader.next_batch(9).unwrap().len(), 1);
    assert!(matches!(
        reader.next_batch(9),
        Err(ReadError::Damaged(damage)) if damage.positions == (first..60)
    ));
    assert_eq!(read_all(&mut reader), expected(60..62));
    drop(journal);
    assert_eq!(
        check_on(&last.storage(), &[]).unwrap().findings,
        report.findings
    );
    // With its first block damaged too, nobody knows where it ends.
    let mut bytes = last.bytes(name);
    bytes[64] ^= 1;
    let worse = hurt(name);
    worse.put(name, &bytes);
    assert!(matches!(
        Journal::open_on(worse.storage(), small_options()),
        Err(OpenError::Damaged { place }) if place.contains(name)
    ));
}

#[tokio::test]
async fn positions_that_somebody_has_seen_are_not_given_again() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    append_durable(&journal, 0..10).await;
    drop(journal);
    // A damaged last block looks like a write that was cut off.
    let name = "00000000000000000000.seg";
    let mut bytes = disk.bytes(name);
    let last = bytes.iter().rposition(|b| *b != 0).unwrap();
    bytes[last] ^= 1;
    disk.put(name, &bytes);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.next_position, 9);
    assert!(recovery.torn.is_some());
    assert_eq!(journal.begin_at(9), None);
    assert_eq!(journal.begin_at(12), Some(9..12));
    let told = |journal: &Journal| {
        let mut reader = journal.read(8);
        assert_eq!(reader.next_batch(9).unwrap().len(), 1);
        match reader.next_batch(9) {
            Err(ReadError::Damaged(damage)) => assert_eq!(damage.positions, 9..12),
            other => panic!("{other:?}"),
        }
        read_all(&mut reader)
    };
    assert_eq!(told(&journal), []);
    append_durable(&journal, 12..14).await;
    assert_eq!(journal.begin_at(50), Some(14..50));
    let mut reader = journal.read(12);
    assert_eq!(reader.next_batch(9).unwrap().len(), 2);
    assert!(matches!(
        reader.next_batch(9),
        Err(ReadError::Damaged(damage)) if damage.positions == (14..50)
    ));
    drop(reader);
    drop(journal);
    // Nothing was written behind 50, so nothing says so but whoever has seen them.
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.next_position, 14);
    assert_eq!(told(&journal), expected(12..14));
    let report = check_on(&disk.storage(), &[]).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].positions, 9..12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_appenders_and_a_reader_that_follows() {
    const TASKS: u64 = 8;
    const EACH: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        segment_bytes: 32 * 1024,
        ..small_options()
    };
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    let mut reader = journal.read(0);
    let follower = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        let mut next = 0;
        while next < TASKS * EACH && reader.wait().await {
            for (position, bytes) in reader.next_batch(50).unwrap() {
                assert_eq!(position, next, "no holes");
                next += 1;
                assert!(seen.insert(bytes.to_vec()), "no record twice");
            }
        }
        seen
    });
    let appenders: Vec<_> = (0..TASKS)
        .map(|task| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut written = Vec::new();
                for n in 0..EACH {
                    let bytes = record(task * EACH + n);
                    let position = journal.append(&bytes).unwrap();
                    if n % 16 == 0 {
                        journal.wait_durable(position).await.unwrap();
                        assert_eq!(journal.record(position).unwrap().unwrap(), bytes);
                    }
                    written.push(bytes);
                }
                written
            })
        })
        .collect();
    let mut written = BTreeSet::new();
    for appender in appenders {
        written.extend(appender.await.unwrap());
    }
    assert_eq!(follower.await.unwrap(), written);
}

/// What is wrong with a segment whose bytes come in pieces, as when it is copied.
fn inspected(bytes: &[u8], first: u64, until: u64) -> Option<String> {
    let mut inspection = SegmentInspection::new(first, until);
    for piece in bytes.chunks(777) {
        inspection.look(piece);
    }
    inspection.verdict()
}

#[tokio::test]
async fn a_segment_that_is_copied_is_damaged_for_whoever_copies_it_when_it_is_for_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("journal");
    let options = Options {
        segment_bytes: 20_000,
        ..small_options()
    };
    let (journal, _) = Journal::open(&dir, options).unwrap();
    append_durable(&journal, 0..300).await;
    let files = journal.segment_files().unwrap();
    drop(journal);
    assert!(files.len() > 2);
    let firsts: Vec<u64> = files.iter().map(|file| file.first_position).collect();
    for range in firsts.windows(2) {
        let name = journal::format::segment_name(range[0]);
        let path = dir.join(&name);
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(inspected(&whole, range[0], range[1]), None, "{name}");
        for at in (0..whole.len()).step_by(whole.len() / 60) {
            let mut rotten = whole.clone();
            rotten[at] ^= 4;
            std::fs::write(&path, &rotten).unwrap();
            let told = inspected(&rotten, range[0], range[1]);
            let found = check(&dir, &[]).map_or(true, |report| !report.findings.is_empty());
            assert_eq!(told.is_some(), found, "{name}, byte {at}: {told:?}");
        }
        std::fs::write(&path, &whole).unwrap();
        for cut in [10, whole.len() - 9] {
            assert!(inspected(&whole[..cut], range[0], range[1]).is_some());
        }
        // Zeros in place of a block, and others behind it.
        let mut hole = whole.clone();
        hole[64..200].fill(0);
        let told = inspected(&hole, range[0], range[1]).unwrap();
        assert!(told.contains("byte 64"), "{told}");
        // Unused room at the end, and positions that are left out, are none.
        let roomy = [whole.as_slice(), &[0; 5_000]].concat();
        assert_eq!(inspected(&roomy, range[0], range[1] + 7), None);
    }
}
