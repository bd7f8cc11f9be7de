//! Group commit: many threads append to one buffer, one thread writes what waits and syncs it.
//!
//! ```text
//!  append ─► pending buffer ─swap─► blocks ─► write ─► sync ─► durable position ─► waiters
//!                                     │ error: the same block into a fresh segment
//!                                     └ error again: stalled (appends and waiters are told), tried again every `retry_ms`
//! ```
//! One block is in flight at a time, so a cut-off write can only be the last block of the last segment.

use crate::Options;
use crate::error::{AppendError, Stall, WaitError};
use crate::format::{
    BLOCK_HEADER_BYTES, BlockHeader, Chain, FORMAT_VERSION, RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES, SegmentHeader, push_record, segment_name, u32_at,
};
use crate::segments::{Segment, Segments};
use crate::storage::{Storage, StorageFile};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// The name of a segment that is not yet in use.
const SPARE_NAME: &str = "spare.tmp";
/// Written at once while a segment is filled with zeros.
const ZERO_BYTES: usize = 1024 * 1024;
/// Buffers that grew beyond this in a burst are given back to the system.
const BUFFER_KEEP_BYTES: usize = 4 * 1024 * 1024;

/// What appenders, waiters and the writer share.
pub(crate) struct Shared {
    pub options: Options,
    pub segments: Arc<Segments>,
    pub durable: watch::Sender<u64>,
    state: Mutex<State>,
    /// Tells the writer that there is something to write, or that the journal closes.
    work: Condvar,
}

struct State {
    /// Records that wait, behind room for the first block's head.
    buffer: Vec<u8>,
    /// How many there are.
    count: u64,
    /// How many appends brought them.
    appends: u64,
    /// The position that the next record gets.
    next: u64,
    /// Bytes that the writer has taken and not yet made durable.
    in_flight: usize,
    stall: Option<Stall>,
    closing: bool,
    /// The writer has ended; nothing will become durable any more.
    ended: bool,
}

fn empty_buffer() -> Vec<u8> {
    vec![0; BLOCK_HEADER_BYTES]
}

impl Shared {
    pub fn new(options: Options, segments: Arc<Segments>, next: u64) -> Self {
        Self {
            options,
            segments,
            durable: watch::Sender::new(next),
            state: Mutex::new(State {
                buffer: empty_buffer(),
                count: 0,
                appends: 0,
                next,
                in_flight: 0,
                stall: None,
                closing: false,
                ended: false,
            }),
            work: Condvar::new(),
        }
    }

    pub fn append(&self, records: &[&[u8]]) -> Result<Range<u64>, AppendError> {
        let bytes_max = self.options.record_bytes_max;
        if let Some(long) = records.iter().find(|record| record.len() > bytes_max) {
            return Err(AppendError::TooLarge {
                bytes: long.len(),
                bytes_max,
            });
        }
        // Checksums are computed before the lock is taken; one record, the usual case, needs no list.
        let first_crc = records.first().map_or(0, |record| crc32c::crc32c(record));
        let other_crcs: Vec<u32> = records.iter().skip(1).map(|r| crc32c::crc32c(r)).collect();
        let bytes: usize = records.iter().map(|r| RECORD_HEADER_BYTES + r.len()).sum();

        let mut state = self.state.lock();
        if state.closing || state.ended {
            return Err(AppendError::Failed);
        }
        if let Some(stall) = state.stall {
            return Err(stall.into());
        }
        if state.buffer.len() + state.in_flight + bytes > self.options.buffer_bytes_max {
            return Err(AppendError::Busy);
        }
        let crcs = std::iter::once(first_crc).chain(other_crcs);
        state.buffer.reserve(bytes);
        for (record, crc) in records.iter().zip(crcs) {
            push_record(&mut state.buffer, record, crc);
        }
        let first = state.next;
        state.next += records.len() as u64;
        state.count += records.len() as u64;
        state.appends += 1;
        let positions = first..state.next;
        drop(state);
        self.work.notify_one();
        Ok(positions)
    }

    pub fn next_position(&self) -> u64 {
        self.state.lock().next
    }

    pub fn begin_at(&self, position: u64) -> Option<Range<u64>> {
        let mut state = self.state.lock();
        if position <= state.next || state.count > 0 || state.in_flight > 0 {
            return None;
        }
        let missing = state.next..position;
        state.next = position;
        self.durable.send_replace(position);
        Some(missing)
    }

    /// Whether the writer has ended, so that nothing more becomes durable.
    pub fn ended(&self) -> bool {
        self.state.lock().ended
    }

    pub fn stall(&self) -> Option<Stall> {
        self.state.lock().stall
    }

    pub async fn wait_durable(&self, position: u64) -> Result<(), WaitError> {
        let mut durable = self.durable.subscribe();
        loop {
            if *durable.borrow_and_update() > position {
                return Ok(());
            }
            let (stall, ended) = {
                let state = self.state.lock();
                (state.stall, state.ended)
            };
            if ended || stall.is_some() {
                // It may have become durable between the two looks.
                return match (*durable.borrow() > position, stall) {
                    (true, _) => Ok(()),
                    (false, Some(stall)) => Err(stall.into()),
                    (false, None) => Err(WaitError::Closed),
                };
            }
            if durable.changed().await.is_err() {
                return Err(WaitError::Closed);
            }
        }
    }

    /// Lets the writer finish what waits and end.
    pub fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_all();
    }

    /// Wakes every waiter, so that it looks at `stall` and `ended`.
    fn touch(&self) {
        self.durable.send_modify(|_| {});
    }
}

/// The segment being written.
pub(crate) struct Tail {
    pub file: Box<dyn StorageFile>,
    pub salt: u64,
    /// Where the next block goes.
    pub offset: u64,
    /// The file's length; all behind `offset` is zero.
    pub length: u64,
}

/// Where writing begins.
pub(crate) struct Begin {
    /// The segment to write on; `None`: a fresh one.
    pub tail: Option<Tail>,
    /// The position behind the last record.
    pub next: u64,
    /// The hash of all blocks before.
    pub chain: Chain,
}

/// Records taken from the buffer that are not all durable yet.
struct Pending {
    /// The records, behind room for the first block's head.
    bytes: Vec<u8>,
    /// Where in `bytes` the next block's records begin.
    start: usize,
    /// The position of the first of them.
    first: u64,
    /// How many there are.
    count: u64,
}

/// What one round of writing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing waits.
    Idle,
    /// One block became durable.
    Wrote,
    /// The disk refused; the block waits for another round.
    Stalled,
}

/// What writes: block after block, a round each. A thread of its own drives it, or whoever simulates one.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    storage: Arc<dyn Storage>,
    tail: Option<Tail>,
    /// The segment before: who follows a little behind still reads it from memory.
    before: Option<Box<dyn StorageFile>>,
    spare: Spare,
    /// The position behind all blocks that are durable.
    next: u64,
    /// Their hash.
    chain: Chain,
    pending: Option<Pending>,
    /// A buffer to give to appenders when theirs is taken.
    free: Vec<u8>,
}

/// Tells waiters that the writer has ended, however it ended.
impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.state.lock().ended = true;
        self.shared.touch();
    }
}

impl Writer {
    pub fn new(shared: Arc<Shared>, storage: Arc<dyn Storage>, begin: Begin, spare: Spare) -> Self {
        Self {
            shared,
            storage,
            tail: begin.tail,
            before: None,
            spare,
            next: begin.next,
            chain: begin.chain,
            pending: None,
            free: empty_buffer(),
        }
    }

    /// Writes until the journal closes and nothing waits, or what waits cannot be written.
    pub fn run(mut self) {
        if self.tail.is_none() {
            self.spare.request();
        }
        let shared = self.shared.clone();
        loop {
            match self.round() {
                Round::Wrote => self.gather(),
                Round::Idle => {
                    let mut state = shared.state.lock();
                    if state.count > 0 {
                        continue;
                    }
                    if state.closing {
                        return;
                    }
                    shared.work.wait(&mut state);
                }
                Round::Stalled => {
                    let mut state = shared.state.lock();
                    if state.closing {
                        return;
                    }
                    let retry = Duration::from_millis(shared.options.retry_ms);
                    shared.work.wait_for(&mut state, retry);
                }
            }
        }
    }

    /// Waits for more, where many append at once.
    fn gather(&self) {
        let options = &self.shared.options;
        let many = {
            let state = self.shared.state.lock();
            state.appends >= options.gather_appends_min && !state.closing
        };
        if many && options.gather_us > 0 && self.pending.is_none() {
            std::thread::sleep(Duration::from_micros(options.gather_us));
        }
    }

    /// Makes one block durable, if anything waits.
    pub fn round(&mut self) -> Round {
        let Some(mut pending) = self.pending.take().or_else(|| self.take()) else {
            return Round::Idle;
        };
        let (end, count) = self.block_end(&pending.bytes, pending.start, pending.count);
        // The block's head goes over the end of the block before, which is durable by now.
        let block = &mut pending.bytes[pending.start - BLOCK_HEADER_BYTES..end];
        match self.try_commit(block, pending.first, count) {
            Ok(header) => {
                let first = header.end_position();
                self.tell_durable(&header);
                // Only now, when whoever waited is on the way: the next block's head needs it.
                self.chain = self.chain.behind(&header, &block[BLOCK_HEADER_BYTES..]);
                self.next = first;
                if pending.count > u64::from(count) {
                    pending.start = end;
                    pending.first = first;
                    pending.count -= u64::from(count);
                    self.pending = Some(pending);
                } else {
                    self.free = pending.bytes;
                    if self.free.capacity() > BUFFER_KEEP_BYTES {
                        self.free = empty_buffer();
                    }
                    self.free.truncate(BLOCK_HEADER_BYTES);
                }
                Round::Wrote
            }
            Err(error) => {
                self.tell_stalled(&error, pending.first);
                self.pending = Some(pending);
                Round::Stalled
            }
        }
    }

    /// Takes what the appenders have left.
    fn take(&mut self) -> Option<Pending> {
        let mut state = self.shared.state.lock();
        if state.count == 0 {
            return None;
        }
        let bytes = std::mem::replace(&mut state.buffer, std::mem::take(&mut self.free));
        let count = std::mem::take(&mut state.count);
        state.appends = 0;
        state.in_flight = bytes.len() - BLOCK_HEADER_BYTES;
        Some(Pending {
            bytes,
            start: BLOCK_HEADER_BYTES,
            first: state.next - count,
            count,
        })
    }

    fn tell_durable(&self, header: &BlockHeader) {
        // Before the position moves on: whoever is told yes finds the room free.
        let mut state = self.shared.state.lock();
        let was = state.stall.take();
        state.in_flight -= header.length as usize;
        drop(state);
        self.shared.durable.send_replace(header.end_position());
        if was.is_some() {
            tracing::info!(position = header.first_position, "the journal writes again");
        }
    }

    fn tell_stalled(&self, error: &io::Error, position: u64) {
        let stall = Stall::of(error);
        let was = self.shared.state.lock().stall.replace(stall);
        if was != Some(stall) {
            tracing::error!(%error, position, place = self.storage.place(),
                "the journal cannot write; it refuses new records until it can");
        }
        self.shared.touch();
    }

    /// Where a block that starts with the record at `start` ends, and how many records it takes.
    fn block_end(&self, bytes: &[u8], start: usize, count: u64) -> (usize, u32) {
        let block_bytes_max = self.shared.options.block_bytes_max;
        if bytes.len() - start <= block_bytes_max
            && let Ok(count) = u32::try_from(count)
        {
            return (bytes.len(), count);
        }
        let (mut end, mut taken) = (start, 0);
        while u64::from(taken) < count {
            let behind = end + RECORD_HEADER_BYTES + u32_at(bytes, end) as usize;
            if taken > 0 && behind - start > block_bytes_max {
                break;
            }
            end = behind;
            taken += 1;
        }
        (end, taken)
    }

    fn try_commit(&mut self, block: &mut [u8], first: u64, count: u32) -> io::Result<BlockHeader> {
        let fits =
            |tail: &Tail, bytes: usize| tail.offset.saturating_add(bytes as u64) <= tail.length;
        // Not dense: positions were left out on purpose, and only a segment's name can say so.
        if self.next != first || !self.tail.as_ref().is_some_and(|t| fits(t, block.len())) {
            self.roll(first)?;
        }
        self.write(block, first, count).or_else(|error| {
            // What reached the disk is unknown after a failed write or sync, and asking the same file
            // again can answer "done" without having done it. So the block goes to a fresh segment,
            // whose first position tells readers to leave out whatever the old one holds from there on.
            tracing::warn!(%error, position = first, "a journal block was not written; trying a fresh segment");
            self.seal();
            self.roll(first)?;
            self.write(block, first, count)
                .inspect_err(|_| self.seal())
        })
    }

    fn write(&mut self, block: &mut [u8], first: u64, count: u32) -> io::Result<BlockHeader> {
        let Some(tail) = &mut self.tail else {
            return Err(io::Error::other("no segment to write to"));
        };
        let records = &block[BLOCK_HEADER_BYTES..];
        let header = BlockHeader {
            first_position: first,
            count,
            length: u32::try_from(records.len()).map_err(io::Error::other)?,
            records_crc: crc32c::crc32c(records),
            chain: self.chain,
        };
        block[..BLOCK_HEADER_BYTES].copy_from_slice(&header.encode(tail.salt));
        tail.file.write_all_at(block, tail.offset)?;
        tail.file.sync_data()?;
        tail.offset += header.stride();
        if tail.offset > tail.length / 2 {
            self.spare.request();
        }
        Ok(header)
    }

    /// Starts a fresh segment that begins with `first`.
    fn roll(&mut self, first: u64) -> io::Result<()> {
        let file = self.spare.take()?;
        let salt = self.storage.random();
        let header = SegmentHeader {
            version: FORMAT_VERSION,
            first_position: first,
            salt,
            chain: self.chain,
        };
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        self.storage.rename(SPARE_NAME, &segment_name(first))?;
        self.storage.sync_dir()?;
        self.seal();
        self.shared.segments.push(Segment::new(first));
        let length = file.size()?;
        self.tail = Some(Tail {
            file,
            salt,
            offset: SEGMENT_HEADER_BYTES as u64,
            length,
        });
        Ok(())
    }

    /// Ends the segment being written, and gives back the room that it did not use.
    fn seal(&mut self) {
        let Some(tail) = self.tail.take() else { return };
        if let Err(error) = tail.file.set_len(tail.offset) {
            // Harmless: the next segment's first position says where this one ends.
            tracing::debug!(%error, "a sealed journal segment keeps its unused room");
        }
        // The system would keep every segment in memory for as long as it has any; taking the memory of an old one for the
        // next is a seventh of the work of taking fresh memory, and what queries read stays.
        if let Some(old) = self.before.replace(tail.file) {
            old.forget();
        }
    }
}

/// Has the next segment ready: made beside the writer, because filling a file with zeros takes a while.
pub(crate) enum Spare {
    /// A thread of its own makes it.
    Thread(SpareThread),
    /// It is made when it is taken.
    Inline(Arc<dyn Storage>, u64),
}

pub(crate) struct SpareThread {
    orders: Option<mpsc::Sender<()>>,
    ready: mpsc::Receiver<io::Result<Box<dyn StorageFile>>>,
    ordered: bool,
    thread: Option<JoinHandle<()>>,
}

impl Spare {
    pub fn thread(storage: Arc<dyn Storage>, segment_bytes: u64) -> io::Result<Self> {
        let (orders, taken) = mpsc::channel();
        let (made, ready) = mpsc::channel();
        let body = move || {
            for () in taken {
                let file = prepare(storage.as_ref(), segment_bytes);
                if made.send(file).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("journal-spare".into())
            .spawn(body)?;
        Ok(Self::Thread(SpareThread {
            orders: Some(orders),
            ready,
            ordered: false,
            thread: Some(thread),
        }))
    }

    /// Has one made, unless that is already so.
    fn request(&mut self) {
        if let Self::Thread(thread) = self {
            thread.request();
        }
    }

    /// The one made; waits for it.
    fn take(&mut self) -> io::Result<Box<dyn StorageFile>> {
        match self {
            Self::Thread(thread) => thread.take(),
            Self::Inline(storage, segment_bytes) => prepare(storage.as_ref(), *segment_bytes),
        }
    }
}

impl SpareThread {
    fn request(&mut self) {
        if let Some(orders) = &self.orders
            && !self.ordered
        {
            self.ordered = orders.send(()).is_ok();
        }
    }

    fn take(&mut self) -> io::Result<Box<dyn StorageFile>> {
        if self.ordered {
            self.ordered = false;
            if let Ok(Ok(file)) = self.ready.recv() {
                return Ok(file);
            }
            // That was some time ago: there may be room by now.
        }
        self.request();
        self.ordered = false;
        self.ready
            .recv()
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for SpareThread {
    fn drop(&mut self) {
        // The directory is free for another writer only when this thread no longer touches it.
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's spare thread ended in a panic");
        }
    }
}

fn prepare(storage: &dyn Storage, segment_bytes: u64) -> io::Result<Box<dyn StorageFile>> {
    let fill = || {
        let file = storage.create(SPARE_NAME)?;
        // Written zeros, not only reserved room: a later sync then has no bookkeeping to write.
        let zeros = vec![0; ZERO_BYTES.min(usize::try_from(segment_bytes).unwrap_or(ZERO_BYTES))];
        let mut offset = 0;
        while offset < segment_bytes {
            let length = (segment_bytes - offset).min(zeros.len() as u64);
            file.write_all_at(&zeros[..usize::try_from(length).unwrap_or(0)], offset)?;
            offset += length;
        }
        file.sync_data()?;
        Ok(file)
    };
    let made = fill();
    if made.is_err() {
        // Half a segment must not fill the disk that others need too.
        let _ = storage.remove(SPARE_NAME);
    }
    made
}
