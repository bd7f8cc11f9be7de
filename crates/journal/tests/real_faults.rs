//! What a real operating system refuses: a file system that is full, one that turns read-only, no file handle
//! left. Each test runs itself again where the system refuses (`testkit::refusal`); the same faults are held by the
//! simulated disk (`laws.rs`, and the crate `faults`).

use journal::{AppendError, Journal, Options, ReadError, Stall, WaitError, check};
use testkit::refusal::{again_on_small_disk, again_with_few_handles, inside, remount};

/// Room on the small disk.
const DISK_MIB: u32 = 4;
const MIB: usize = 1024 * 1024;

fn options() -> Options {
    Options {
        segment_bytes: MIB as u64,
        record_bytes_max: 100_000,
        block_bytes_max: 200_000,
        retry_ms: 5,
        ..Options::default()
    }
}

fn record(n: u64) -> Vec<u8> {
    let mut bytes = n.to_le_bytes().to_vec();
    bytes.resize(20_000, n as u8);
    bytes
}

/// Appends until the disk refuses; the number of records acknowledged.
async fn fill(journal: &Journal, mut n: u64) -> (u64, WaitError) {
    loop {
        match journal.append(&record(n)) {
            Ok(position) => {
                assert_eq!(position, n);
                if let Err(error) = journal.wait_durable(position).await {
                    return (n, error);
                }
                n += 1;
            }
            Err(error) => panic!("{error} before any waiter was told"),
        }
        assert!(n < 1_000, "4 MiB never fill");
    }
}

fn read_all(journal: &Journal, end: u64) {
    let mut reader = journal.read(0);
    let mut next = 0;
    while next < end {
        for (position, bytes) in reader.next_batch(10).unwrap() {
            assert_eq!((position, &bytes[..]), (next, &record(next)[..]));
            next += 1;
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_reads_on_and_takes_again() {
    let Some(dir) = inside() else {
        again_on_small_disk(
            "real_faults::a_full_disk_refuses_reads_on_and_takes_again",
            DISK_MIB,
        );
        return;
    };
    // Somebody else's file takes room, and gives it back later.
    std::fs::write(dir.join("other"), vec![1; MIB]).unwrap();
    let journal_dir = dir.join("journal");
    let (journal, _) = Journal::open(&journal_dir, options()).unwrap();
    let (end, error) = fill(&journal, 0).await;
    assert_eq!(error, WaitError::Full);
    assert!(end > 50, "{end}");
    assert_eq!(journal.stall(), Some(Stall::Full));
    assert_eq!(journal.append(b"more"), Err(AppendError::Full));
    read_all(&journal, end);
    std::fs::remove_file(dir.join("other")).unwrap();
    // By itself: the record that waited, then new ones.
    journal
        .durable()
        .wait_for(|durable| *durable > end)
        .await
        .unwrap();
    assert_eq!(journal.stall(), None);
    let position = journal.append(&record(end + 1)).unwrap();
    journal.wait_durable(position).await.unwrap();
    read_all(&journal, end + 2);
    drop(journal);
    let report = check(&journal_dir, &[]).unwrap();
    assert_eq!((report.records, report.findings), (end + 2, vec![]));
}

#[tokio::test]
async fn a_disk_turned_read_only_refuses_reads_on_and_takes_again() {
    let Some(dir) = inside() else {
        again_on_small_disk(
            "real_faults::a_disk_turned_read_only_refuses_reads_on_and_takes_again",
            DISK_MIB,
        );
        return;
    };
    {
        let (journal, _) = Journal::open(&dir, options()).unwrap();
        for n in 0..10 {
            let position = journal.append(&record(n)).unwrap();
            journal.wait_durable(position).await.unwrap();
        }
    }
    // The system remounts only when no file is open for writing, so between two runs.
    remount(&dir, "ro");
    let refused = Journal::open(&dir, options()).map(|_| ()).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("lock") && text.contains("Read-only"),
        "{text}"
    );
    let mut reader = journal::open_read_only(&dir).unwrap();
    assert_eq!(reader.next_batch(100).unwrap().len(), 10);
    assert_eq!(check(&dir, &[]).unwrap().records, 10);
    remount(&dir, "rw");
    let (journal, recovery) = Journal::open(&dir, options()).unwrap();
    assert_eq!(recovery.next_position, 10);
    let position = journal.append(&record(10)).unwrap();
    journal.wait_durable(position).await.unwrap();
    read_all(&journal, 11);
}

#[tokio::test]
async fn without_file_handles_reading_fails_and_goes_on_when_there_are_some() {
    let name = "real_faults::without_file_handles_reading_fails_and_goes_on_when_there_are_some";
    let Some(dir) = inside() else {
        again_with_few_handles(name, 64);
        return;
    };
    let (journal, _) = Journal::open(&dir, options()).unwrap();
    for n in 0..100 {
        let position = journal.append(&record(n)).unwrap();
        journal.wait_durable(position).await.unwrap();
    }
    assert!(journal.segments() > 1);
    let mut taken = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        taken.push(file);
    }
    let mut reader = journal.read(0);
    assert!(matches!(reader.next_batch(10), Err(ReadError::Io { .. })));
    assert_eq!(reader.position(), 0, "nothing is passed");
    // The segment in use is open already; a fresh one is refused, told, and tried again.
    let (end, error) = fill(&journal, 100).await;
    assert_eq!(error, WaitError::NoHandles);
    assert_eq!(journal.stall(), Some(Stall::NoHandles));
    assert_eq!(journal.append(b"more"), Err(AppendError::NoHandles));
    drop(taken);
    journal
        .durable()
        .wait_for(|durable| *durable > end)
        .await
        .unwrap();
    let position = journal.append(&record(end + 1)).unwrap();
    journal.wait_durable(position).await.unwrap();
    read_all(&journal, end + 2);
    assert_eq!(reader.next_batch(10).unwrap()[0].0, 0);
}
