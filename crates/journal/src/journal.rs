//! The journal's handle: opening with recovery, appending, waiting, reading, trimming.

use crate::Options;
use crate::error::{AppendError, Damage, OpenError, ReadError, Stall, WaitError};
use crate::format::{
    BLOCK_HEADER_BYTES, Chain, FORMAT_VERSION, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES,
    segment_name,
};
use crate::reader::{Limit, Reader};
use crate::scan::{Last, Torn, io_error, scan_last, segment_firsts};
use crate::segments::Segments;
use crate::storage::{RealStorage, Storage};
use crate::writer::{Begin, Round, Shared, Spare, Tail, Writer};
use bytes::Bytes;
use parking_lot::Mutex;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::watch;

/// The file that only one writer can lock.
const LOCK_NAME: &str = "lock";

/// What opening found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The oldest position kept.
    pub first_position: u64,
    /// The position that the next record gets; all below are durable.
    pub next_position: u64,
    /// Number of segment files.
    pub segments: usize,
    /// A cut-off write at the end, never acknowledged, that was dropped.
    pub torn: Option<Torn>,
    /// The hash chain over all that was found: note it elsewhere with `next_position` as a
    /// [`crate::Anchor`] for [`crate::check`].
    pub chain: Chain,
    /// Damage in the last segment. The others are not read when opening: [`crate::check`] reads all.
    pub findings: Vec<Damage>,
}

/// One segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its first record's position.
    pub first_position: u64,
    /// Its size.
    pub bytes: u64,
}

/// The durable log, open for writing. Cloning gives another handle to the same journal; when the last
/// one is dropped, what waits is written and the directory is free for the next.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    storage: Arc<dyn Storage>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held by the one trim that runs.
    trimming: Mutex<()>,
    /// Held until the writer has ended.
    _lock: Box<dyn Send + Sync>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Inner {
    fn writer_of(&self, tail: Option<Tail>, recovery: &Recovery, spare: Spare) -> Writer {
        let begin = Begin {
            tail,
            next: recovery.next_position,
            chain: recovery.chain,
        };
        Writer::new(self.shared.clone(), self.storage.clone(), begin, spare)
    }

    fn finish(&self) {
        self.shared.close();
        if let Some(writer) = self.writer.lock().take()
            && writer.join().is_err()
        {
            tracing::error!("the journal's writer ended in a panic");
        }
    }
}

/// Writes for a journal that was opened without threads. Dropped, it leaves what waits unwritten, as a
/// process does that is killed.
pub struct Stepper(Writer);

impl Stepper {
    /// Makes one block durable, if anything waits; a refusal of the disk is tried once.
    pub fn step(&mut self) -> Round {
        self.0.round()
    }
}

impl Journal {
    /// Opens the journal in `dir`, making it when there is none, and recovers its end: a cut-off last
    /// write is dropped and told.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovery), OpenError> {
        Self::open_on(Arc::new(RealStorage::new(dir)), options)
    }

    /// [`Journal::open`] on any storage.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on(
        storage: Arc<dyn Storage>,
        options: Options,
    ) -> Result<(Self, Recovery), OpenError> {
        let (journal, recovery, tail) = Self::recover(storage, options)?;
        let inner = &journal.inner;
        let writer = Spare::thread(inner.storage.clone(), inner.shared.options.segment_bytes)
            .map(|spare| inner.writer_of(tail, &recovery, spare))
            .and_then(|writer| {
                std::thread::Builder::new()
                    .name("journal-writer".into())
                    .spawn(move || writer.run())
            })
            .map_err(|e| io_error(inner.storage.as_ref(), "start the writer", None, e))?;
        *inner.writer.lock() = Some(writer);
        Ok((journal, recovery))
    }

    /// [`Journal::open_on`] without threads: nothing is written but by [`Stepper::step`], so that a
    /// simulation decides, from its seed, what happens when.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_stepped(
        storage: Arc<dyn Storage>,
        options: Options,
    ) -> Result<(Self, Recovery, Stepper), OpenError> {
        let (journal, recovery, tail) = Self::recover(storage, options)?;
        let inner = &journal.inner;
        let spare = Spare::Inline(inner.storage.clone(), inner.shared.options.segment_bytes);
        let stepper = Stepper(inner.writer_of(tail, &recovery, spare));
        Ok((journal, recovery, stepper))
    }

    fn recover(
        storage: Arc<dyn Storage>,
        options: Options,
    ) -> Result<(Self, Recovery, Option<Tail>), OpenError> {
        check_options(&options)?;
        let disk = storage.as_ref();
        disk.create_dir()
            .map_err(|e| io_error(disk, "make the directory", None, e))?;
        let lock = disk.lock(LOCK_NAME).map_err(|error| {
            if error.kind() == std::io::ErrorKind::WouldBlock {
                OpenError::Locked {
                    place: disk.place(),
                }
            } else {
                io_error(disk, "lock", Some(LOCK_NAME), error)
            }
        })?;
        let firsts = segment_firsts(disk)?;
        // Whoever made the last segment may have died before its name was durable; what is acknowledged from now on
        // lies in it.
        disk.sync_dir()
            .map_err(|e| io_error(disk, "sync", None, e))?;
        let mut recovery = Recovery {
            first_position: firsts.first().copied().unwrap_or(0),
            next_position: 0,
            segments: firsts.len(),
            torn: None,
            chain: Chain::default(),
            findings: Vec::new(),
        };
        let mut tail = None;
        if let Some(&last) = firsts.last() {
            tail = recover_last(disk, last, &mut recovery)?;
        }
        let segments = Arc::new(Segments::new(storage.clone(), &firsts));
        let shared = Arc::new(Shared::new(options, segments, recovery.next_position));
        let inner = Arc::new(Inner {
            shared,
            storage,
            writer: Mutex::new(None),
            trimming: Mutex::new(()),
            _lock: lock,
        });
        Ok((Self { inner }, recovery, tail))
    }

    /// Takes one record: gives it its position at once, durable later ([`Journal::wait_durable`]).
    ///
    /// # Errors
    /// See [`AppendError`]; the record then has no position and is not kept.
    pub fn append(&self, record: &[u8]) -> Result<u64, AppendError> {
        self.append_all(&[record]).map(|positions| positions.start)
    }

    /// Takes several records with positions that follow each other; all or none.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append_all(&self, records: &[&[u8]]) -> Result<Range<u64>, AppendError> {
        self.inner.shared.append(records)
    }

    /// The durable position: every record below it is on disk. The receiver is also woken, with the
    /// position unchanged, when writing stalls: look at [`Journal::stall`] then.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.inner.shared.durable.subscribe()
    }

    /// Waits until the record at `position` is on disk.
    ///
    /// # Errors
    /// [`WaitError`] when it is not and writing has stalled or ended. It may still become durable
    /// later, so whoever sent it must be told "no" and may send it again.
    pub async fn wait_durable(&self, position: u64) -> Result<(), WaitError> {
        self.inner.shared.wait_durable(position).await
    }

    /// Why nothing is being written at the moment; `None` when all is well.
    pub fn stall(&self) -> Option<Stall> {
        self.inner.shared.stall()
    }

    /// The oldest position kept.
    pub fn first_position(&self) -> u64 {
        let shared = &self.inner.shared;
        shared.segments.first_position(*shared.durable.borrow())
    }

    /// The position that the next record gets.
    pub fn next_position(&self) -> u64 {
        self.inner.shared.next_position()
    }

    /// The segment files, oldest first, with their sizes: what trimming can free.
    ///
    /// # Errors
    /// [`OpenError::Io`] when a file cannot be looked at.
    pub fn segment_files(&self) -> Result<Vec<SegmentFile>, OpenError> {
        let storage = self.inner.storage.as_ref();
        let segments = self.inner.shared.segments.all();
        let size = |name: &str| storage.open(name, false)?.size();
        segments
            .iter()
            .map(|segment| {
                let name = segment.name();
                let bytes = size(&name).map_err(|e| io_error(storage, "read", Some(&name), e))?;
                Ok(SegmentFile {
                    first_position: segment.first,
                    bytes,
                })
            })
            .collect()
    }

    /// Number of segment files.
    pub fn segments(&self) -> usize {
        self.inner.shared.segments.count()
    }

    /// For right after opening: gives the next record `position`, when it would be less. Whoever has seen
    /// records up to `position` shows that the journal lost some (a damaged last block looks like a
    /// cut-off write; a folder may have been put back from an older copy): their positions must not be
    /// given to others. They are told to readers as damaged; the range is the answer.
    pub fn begin_at(&self, position: u64) -> Option<Range<u64>> {
        self.inner.shared.begin_at(position)
    }

    /// A reader whose first batch begins at `from`. It sees durable records only.
    pub fn read(&self, from: u64) -> Reader {
        let shared = &self.inner.shared;
        Reader::new(
            shared.segments.clone(),
            Limit::Live(shared.clone(), shared.durable.subscribe()),
            shared.options.read_batch_bytes_max,
            from,
        )
    }

    /// One durable record; `None` when `position` is not durable yet or was trimmed away.
    ///
    /// # Errors
    /// [`ReadError`] when it is damaged or the disk does not answer.
    pub fn record(&self, position: u64) -> Result<Option<Bytes>, ReadError> {
        record(&mut self.read(position))
    }

    /// Takes away the segments that hold only positions below `position`. The segment in use stays, so
    /// up to a segment's worth of older records remains.
    ///
    /// # Errors
    /// [`OpenError::Io`] when a file cannot be removed: it stays, and the next trim tries it again.
    pub fn trim_before(&self, position: u64) -> Result<(), OpenError> {
        let storage = self.inner.storage.as_ref();
        let shared = &self.inner.shared;
        let position = position.min(*shared.durable.borrow());
        let _one_at_a_time = self.inner.trimming.lock();
        while let Some(segment) = shared.segments.take_before(position) {
            let name = segment.name();
            match storage.remove(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    shared.segments.put_back(segment);
                    return Err(io_error(storage, "remove", Some(&name), error));
                }
                _ => {}
            }
            // One by one, so that a crash never leaves a hole among those that stay.
            storage
                .sync_dir()
                .map_err(|e| io_error(storage, "sync", None, e))?;
        }
        Ok(())
    }

    /// Writes what waits and ends writing; appending fails from then on, reading goes on. Blocks until done.
    pub fn close(&self) {
        self.inner.finish();
    }
}

/// Opens the journal in `dir` for reading only, as far as it reaches at this moment; another process
/// may be writing it. The reader stands at the oldest position.
///
/// # Errors
/// See [`OpenError`].
pub fn open_read_only(dir: impl AsRef<Path>) -> Result<Reader, OpenError> {
    let storage: Arc<dyn Storage> = Arc::new(RealStorage::new(dir));
    let firsts = segment_firsts(storage.as_ref())?;
    let end = match firsts.last() {
        Some(&last) => scan_last(storage.as_ref(), last)?.next(),
        None => 0,
    };
    let from = firsts.first().copied().unwrap_or(0);
    Ok(Reader::new(
        Arc::new(Segments::new(storage, &firsts)),
        Limit::Fixed(end),
        Options::default().read_batch_bytes_max,
        from,
    ))
}

impl Reader {
    /// One record, without moving the reader; `None` when `position` is not there yet or was trimmed away.
    ///
    /// # Errors
    /// [`ReadError`] when it is damaged or the disk does not answer.
    pub fn record(&mut self, position: u64) -> Result<Option<Bytes>, ReadError> {
        let back = self.position();
        self.seek(position);
        let found = record(self);
        self.seek(back);
        found
    }
}

fn record(reader: &mut Reader) -> Result<Option<Bytes>, ReadError> {
    match reader.next_batch(1) {
        Ok(batch) => Ok(batch.into_iter().next().map(|(_, record)| record)),
        Err(ReadError::Trimmed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds the end of the last segment and makes it the place to write on, when it is clean.
fn recover_last(
    disk: &dyn Storage,
    last: u64,
    recovery: &mut Recovery,
) -> Result<Option<Tail>, OpenError> {
    let name = segment_name(last);
    let fail = |action| move |error| (action, error);
    let scanned = match scan_last(disk, last)? {
        Last::Scanned(scanned) => *scanned,
        Last::Headless { next, damage } => {
            recovery.next_position = next;
            recovery.findings = vec![damage];
            return Ok(None);
        }
    };
    recovery.next_position = scanned.walker.next;
    let (offset, header) = (scanned.walker.offset, *scanned.walker.header());
    recovery.torn = scanned.torn;
    recovery.findings = scanned.findings;
    recovery.chain = scanned.link.map_or_else(Chain::default, |link| link.chain);
    let write = || {
        let file = disk.open(&name, true).map_err(fail("open"))?;
        if let Some((_, start)) = scanned.last_block {
            // Whoever wrote the last block may have died before its sync; and a sync may have failed
            // and left the block in memory only. Written again and synced, it is durable for certain.
            let length = usize::try_from(offset - start).unwrap_or(0);
            let mut block = vec![0; length];
            let n = file.read_at(&mut block, start).map_err(fail("read"))?;
            file.write_all_at(&block[..n], start)
                .map_err(fail("write"))?;
        }
        if recovery.torn.is_some() || header.version != FORMAT_VERSION {
            file.set_len(offset).map_err(fail("cut"))?;
        }
        file.sync_data().map_err(fail("sync"))?;
        let length = file.size().map_err(fail("measure"))?;
        Ok((file, length))
    };
    let (file, length) =
        write().map_err(|(action, source)| io_error(disk, action, Some(&name), source))?;
    // A segment of an older version is not written on: its successor begins with the next record.
    Ok((header.version == FORMAT_VERSION).then_some(Tail {
        file,
        salt: header.salt,
        offset,
        length,
    }))
}

fn check_options(options: &Options) -> Result<(), OpenError> {
    let heads = (SEGMENT_HEADER_BYTES + BLOCK_HEADER_BYTES + RECORD_HEADER_BYTES) as u64;
    let bad = |option, value, mend| {
        Err(OpenError::Option {
            option,
            value,
            mend,
        })
    };
    let record = options.record_bytes_max as u64;
    let buffer = options.buffer_bytes_max as u64;
    let block = options.block_bytes_max as u64;
    if record == 0 || record + heads > u64::from(u32::MAX) {
        return bad(
            "record_bytes_max",
            record,
            "use 1 to 4,000,000,000".to_owned(),
        );
    }
    for (option, value, least) in [
        (
            "segment_bytes",
            options.segment_bytes,
            record.max(block) + heads,
        ),
        ("buffer_bytes_max", buffer, record + heads),
        ("block_bytes_max", block, 1),
        ("retry_ms", options.retry_ms, 1),
        (
            "read_batch_bytes_max",
            options.read_batch_bytes_max as u64,
            1,
        ),
    ] {
        if value < least {
            return bad(option, value, format!("use {least} or more"));
        }
    }
    if block > u64::from(u32::MAX) - heads {
        return bad("block_bytes_max", block, "use less than 4 GiB".to_owned());
    }
    Ok(())
}
