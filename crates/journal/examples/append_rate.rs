//! Durable appends a second with 200-byte records, one batch after the other:
//! `cargo run --release -p journal --example append_rate [DIR]`.
//! The disk's own figure, one write and sync of as many bytes without a journal, stands beside it.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use journal::{Journal, Options};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

const RECORD_BYTES: usize = 200;
const TIME_EACH: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, Into::into);
    let dir = base.join(format!("append-rate-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    println!(
        "{:>8} {:>16} {:>16} {:>16}",
        "batch", "journal rec/s", "waiting 4 rec/s", "bare file rec/s"
    );
    for batch in [1, 100, 1_000] {
        let journal = runtime.block_on(measure(&dir.join(format!("j{batch}")), batch, 1))?;
        let ahead = runtime.block_on(measure(&dir.join(format!("a{batch}")), batch, 4))?;
        let bare = bare_file(&dir.join("bare"), batch)?;
        println!("{batch:>8} {journal:>16.0} {ahead:>16.0} {bare:>16.0}");
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Appends batches, with up to `ahead` of them on the way at once.
async fn measure(dir: &Path, batch: usize, ahead: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let (journal, _) = Journal::open(dir, Options::default())?;
    let record = [b'x'; RECORD_BYTES];
    let records = vec![&record[..]; batch];
    // The first segment is made before the clock starts.
    journal.wait_durable(journal.append(&record)?).await?;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < TIME_EACH {
        let end = journal.append_all(&records)?.end;
        count += batch;
        let waiting = (ahead - 1) * batch as u64;
        if end > waiting {
            journal.wait_durable(end - 1 - waiting).await?;
        }
    }
    journal.wait_durable(journal.next_position() - 1).await?;
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

fn bare_file(path: &Path, batch: usize) -> std::io::Result<f64> {
    const FILE_BYTES: usize = 64 * 1024 * 1024;
    let file = File::create(path)?;
    file.write_all_at(&vec![0; FILE_BYTES], 0)?;
    file.sync_all()?;
    let bytes = vec![b'x'; batch * (RECORD_BYTES + 8) + 64];
    let (start, mut count, mut offset) = (Instant::now(), 0, 0);
    while start.elapsed() < TIME_EACH {
        if offset + bytes.len() > FILE_BYTES {
            offset = 0;
        }
        file.write_all_at(&bytes, offset as u64)?;
        file.sync_data()?;
        offset += bytes.len();
        count += batch;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
