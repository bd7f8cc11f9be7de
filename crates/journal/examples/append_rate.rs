//! Durable appends a second with 200-byte records, beside the bare probe: one file, preallocated, one write and
//! one data sync a batch, nothing else. Both in turns within one run, so that a busy machine is busy for both.
//!
//! `cargo run --release -p journal --example append_rate -- [--seconds S] [--sync-delay-us D] [--dir DIR]`
//! prints a JSON object: per batch size the rates and their ratio, and what hashing costs. `--sync-delay-us`
//! lets every sync of both take that much longer, as a disk does whose cache is not to be trusted.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use journal::{Journal, Options, RealStorage, Storage};
use sha2::Digest;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const RECORD_BYTES: usize = 200;
const FILE_BYTES: usize = 64 * 1024 * 1024;
/// Turns in which each way is measured.
const TURNS: u32 = 5;
/// Tasks that write at the same time.
const WRITERS: usize = 100;

type Failure = Box<dyn std::error::Error>;

struct Arguments {
    seconds: f64,
    sync_delay: Duration,
    dir: PathBuf,
}

fn arguments() -> Result<Arguments, Failure> {
    let mut out = Arguments {
        seconds: 3.0,
        sync_delay: Duration::ZERO,
        dir: std::env::temp_dir(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or("every option takes a value")?;
        match word.as_str() {
            "--seconds" => out.seconds = value.parse()?,
            "--sync-delay-us" => out.sync_delay = Duration::from_micros(value.parse()?),
            "--dir" => out.dir = value.into(),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(out)
}

fn main() -> Result<(), Failure> {
    let arguments = arguments()?;
    let base = arguments
        .dir
        .join(format!("append-rate-{}", std::process::id()));
    std::fs::create_dir_all(&base)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let turn = Duration::from_secs_f64(arguments.seconds / f64::from(TURNS));
    let mut lines = Vec::new();
    for batch in [1, 100, 1_000] {
        let mut ways = vec![Way::bare(
            &base.join(format!("bare{batch}")),
            arguments.sync_delay,
        )?];
        for ahead in [1, 4] {
            let dir = base.join(format!("journal{batch}-{ahead}"));
            ways.push(runtime.block_on(Way::journal(&dir, &arguments, ahead))?);
        }
        let mut rates = vec![0.0; ways.len()];
        for _ in 0..TURNS {
            for (way, rate) in ways.iter_mut().zip(&mut rates) {
                *rate += runtime.block_on(way.rate(batch, turn))? / f64::from(TURNS);
            }
        }
        let [bare, one, four] = rates[..] else {
            return Err("three ways".into());
        };
        lines.push(format!(
            "{{\"batch\":{batch},\"bare_per_second\":{bare:.0},\"journal_one_at_a_time_per_second\":{one:.0},\"journal_four_on_the_way_per_second\":{four:.0},\"ratio_one\":{:.2},\"ratio_four\":{:.2}}}",
            one / bare,
            four / bare
        ));
    }
    let (many, blocks) = many_writers(&base.join("many"), &arguments, turn * TURNS)?;
    std::fs::remove_dir_all(&base)?;
    println!(
        "{{\"record_bytes\":{RECORD_BYTES},\"sync_delay_us\":{},\"appends\":[{}],\"writers\":{WRITERS},\"writers_per_second\":{many:.0},\"writers_syncs_per_second\":{blocks:.0},\"hash_bytes_per_second\":{}}}",
        arguments.sync_delay.as_micros(),
        lines.join(","),
        hashes()
    );
    Ok(())
}

/// One way to write, kept open between its turns.
enum Way {
    Bare {
        file: File,
        offset: usize,
        sync_delay: Duration,
    },
    Journal {
        journal: Journal,
        /// Batches that may be on the way at once.
        ahead: u64,
    },
}

impl Way {
    fn bare(path: &Path, sync_delay: Duration) -> io::Result<Self> {
        let file = File::create(path)?;
        file.write_all_at(&vec![0; FILE_BYTES], 0)?;
        file.sync_all()?;
        Ok(Self::Bare {
            file,
            offset: 0,
            sync_delay,
        })
    }

    async fn journal(dir: &Path, arguments: &Arguments, ahead: u64) -> Result<Self, Failure> {
        let storage = Slow {
            storage: RealStorage::new(dir),
            sync_delay: arguments.sync_delay,
        };
        let (journal, _) = Journal::open_on(Arc::new(storage), Options::default())?;
        // The first segment is made before the clock starts.
        journal.wait_durable(journal.append(b"first")?).await?;
        Ok(Self::Journal { journal, ahead })
    }

    /// Records a second in batches of `batch`.
    async fn rate(&mut self, batch: usize, time: Duration) -> Result<f64, Failure> {
        let (start, mut count) = (Instant::now(), 0);
        match self {
            Self::Bare {
                file,
                offset,
                sync_delay,
            } => {
                let bytes = vec![b'x'; batch * (RECORD_BYTES + 8) + 64];
                while start.elapsed() < time {
                    if *offset + bytes.len() > FILE_BYTES {
                        *offset = 0;
                    }
                    file.write_all_at(&bytes, *offset as u64)?;
                    file.sync_data()?;
                    if !sync_delay.is_zero() {
                        std::thread::sleep(*sync_delay);
                    }
                    *offset += bytes.len();
                    count += batch;
                }
            }
            Self::Journal { journal, ahead } => {
                let record = [b'x'; RECORD_BYTES];
                let records = vec![&record[..]; batch];
                while start.elapsed() < time {
                    let end = journal.append_all(&records)?.end;
                    count += batch;
                    let waiting = (*ahead - 1) * batch as u64;
                    if end > waiting {
                        journal.wait_durable(end - 1 - waiting).await?;
                    }
                }
                journal.wait_durable(journal.next_position() - 1).await?;
                journal.trim_before(u64::MAX)?;
            }
        }
        Ok(count as f64 / start.elapsed().as_secs_f64())
    }
}

/// Many tasks, each one record at a time and waiting for it, as connections do: records a second and syncs a second.
fn many_writers(dir: &Path, arguments: &Arguments, time: Duration) -> Result<(f64, f64), Failure> {
    let storage = Slow {
        storage: RealStorage::new(dir),
        sync_delay: arguments.sync_delay,
    };
    let (journal, _) = Journal::open_on(Arc::new(storage), Options::default())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let (start, before) = (Instant::now(), SYNCS.load(Ordering::Relaxed));
    let tasks: Vec<_> = (0..WRITERS)
        .map(|_| {
            let journal = journal.clone();
            runtime.spawn(async move {
                let mut count = 0u64;
                while start.elapsed() < time {
                    let position = journal.append(&[b'x'; RECORD_BYTES]).ok()?;
                    journal.wait_durable(position).await.ok()?;
                    count += 1;
                }
                Some(count)
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += runtime.block_on(task)?.ok_or("the journal refused")?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let syncs = SYNCS.load(Ordering::Relaxed) - before;
    Ok((count as f64 / seconds, syncs as f64 / seconds))
}

/// The real disk, its syncs counted and perhaps slower.
struct Slow {
    storage: RealStorage,
    sync_delay: Duration,
}

static SYNCS: AtomicU64 = AtomicU64::new(0);

struct SlowFile(Box<dyn journal::StorageFile>, Duration);

impl Slow {
    fn file(&self, file: Box<dyn journal::StorageFile>) -> Box<dyn journal::StorageFile> {
        Box::new(SlowFile(file, self.sync_delay))
    }
}

impl Storage for Slow {
    fn create_dir(&self) -> io::Result<()> {
        self.storage.create_dir()
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.storage.list()
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn journal::StorageFile>> {
        Ok(self.file(self.storage.create(name)?))
    }
    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn journal::StorageFile>> {
        Ok(self.file(self.storage.open(name, write)?))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.storage.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.storage.remove(name)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.storage.sync_dir()
    }
    fn lock(&self, name: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.storage.lock(name)
    }
    fn random(&self) -> u64 {
        self.storage.random()
    }
    fn place(&self) -> String {
        self.storage.place()
    }
}

impl journal::StorageFile for SlowFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        SYNCS.fetch_add(1, Ordering::Relaxed);
        self.0.sync_data()?;
        if !self.1.is_zero() {
            std::thread::sleep(self.1);
        }
        Ok(())
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

/// What the chain could be made with, on blocks of one, a hundred and a thousand records.
fn hashes() -> String {
    let one = |bytes: usize| {
        let block = vec![7u8; bytes];
        let blake3 = speed(&block, |block| blake3::hash(block).as_bytes()[0]);
        let sha256 = speed(&block, |block| sha2::Sha256::digest(block)[0]);
        format!("{{\"block_bytes\":{bytes},\"blake3\":{blake3:.0},\"sha256\":{sha256:.0}}}")
    };
    format!("[{},{},{}]", one(256), one(20_864), one(208_064))
}

fn speed(block: &[u8], hash: impl Fn(&[u8]) -> u8) -> f64 {
    let (start, mut bytes, mut seen) = (Instant::now(), 0usize, 0u8);
    while start.elapsed() < Duration::from_millis(200) {
        for _ in 0..16 {
            seen ^= hash(std::hint::black_box(block));
            bytes += block.len();
        }
    }
    std::hint::black_box(seen);
    bytes as f64 / start.elapsed().as_secs_f64()
}
