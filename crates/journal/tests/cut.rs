//! A journal can be copied while it is written, and cut at any position.

use journal::{CutError, Journal, Options, check, cut, extent, open_read_only};
use std::path::Path;

fn options() -> Options {
    Options {
        segment_bytes: 4_096,
        record_bytes_max: 512,
        block_bytes_max: 1_024,
        ..Options::default()
    }
}

fn record(n: u64) -> Vec<u8> {
    format!("record {n} {}", "x".repeat((n % 90) as usize)).into_bytes()
}

/// Records `0..count` in blocks of one to five.
async fn write(dir: &Path, count: u64) {
    let (journal, recovery) = Journal::open(dir, options()).unwrap();
    let mut next = recovery.next_position;
    while next < count {
        let block: Vec<Vec<u8>> = (next..count.min(next + 1 + next % 5)).map(record).collect();
        let block: Vec<&[u8]> = block.iter().map(Vec::as_slice).collect();
        next = journal.append_all(&block).unwrap().end;
        journal.wait_durable(next - 1).await.unwrap();
    }
}

fn read(dir: &Path) -> Vec<Vec<u8>> {
    let mut reader = open_read_only(dir).unwrap();
    let mut found = Vec::new();
    loop {
        let batch = reader.next_batch(100).unwrap();
        if batch.is_empty() {
            return found;
        }
        found.extend(batch.into_iter().map(|(_, bytes)| bytes.to_vec()));
    }
}

fn copied(from: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

#[tokio::test]
async fn it_ends_at_any_position_and_is_written_on_from_there() {
    const COUNT: u64 = 150;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), COUNT).await;
    assert!(
        std::fs::read_dir(dir.path()).unwrap().count() > 3,
        "several segments"
    );
    for position in 0..=COUNT {
        let copy = copied(dir.path());
        cut(copy.path(), position).unwrap();
        let expected: Vec<_> = (0..position).map(record).collect();
        assert_eq!(read(copy.path()), expected, "cut at {position}");
        let report = check(copy.path(), &[]).unwrap();
        assert_eq!(
            (report.findings, report.torn),
            (vec![], None),
            "cut at {position}"
        );
        if position % 10 == 3 {
            write(copy.path(), position + 7).await;
            assert_eq!(read(copy.path()).len() as u64, position + 7);
        }
    }
    let outside = cut(dir.path(), COUNT + 1).unwrap_err();
    assert!(matches!(outside, CutError::Outside { end: COUNT, .. }));
    assert_eq!(read(dir.path()).len() as u64, COUNT, "nothing was changed");
}

#[tokio::test]
async fn the_bytes_up_to_an_extent_are_a_whole_journal() {
    const COUNT: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), COUNT).await;
    for position in 0..=COUNT {
        let extent = extent(dir.path(), position).unwrap().unwrap();
        assert!(extent.position <= position && position - extent.position < 5);
        let copy = copied(dir.path());
        for entry in std::fs::read_dir(copy.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name == extent.file {
                let bytes = std::fs::read(&path).unwrap();
                std::fs::write(&path, &bytes[..extent.bytes as usize]).unwrap();
            } else if name > extent.file {
                std::fs::remove_file(&path).unwrap();
            }
        }
        assert_eq!(read(copy.path()).len() as u64, extent.position);
        assert_eq!(check(copy.path(), &[]).unwrap().torn, None);
    }
    assert_eq!(extent(dir.path(), COUNT).unwrap().unwrap().position, COUNT);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(extent(empty.path(), 0).unwrap(), None);
    cut(empty.path(), 0).unwrap();
}
