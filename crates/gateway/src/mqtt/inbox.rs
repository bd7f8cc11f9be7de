//! A connection's bytes: a read buffer, where they come in at the back and are used up at the front,
//! small while the connection is quiet and larger while it is busy; and the transfer in both directions.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Size of the buffer of a quiet connection, in bytes.
const QUIET_BYTES: usize = 2048;

/// The bytes received and not yet used.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    grown_bytes_max: usize,
}

impl Inbox {
    /// An empty buffer that grows up to `grown_bytes_max` on its own, and further only by
    /// [`Inbox::make_room`].
    pub fn new(grown_bytes_max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            grown_bytes_max,
        }
    }

    /// What is there.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Drops `n` bytes from the front.
    pub fn used(&mut self, n: usize) {
        self.start += n;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Makes room for `n` more bytes.
    pub fn make_room(&mut self, n: usize) {
        if self.bytes.len() - self.end >= n {
            return;
        }
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let needed = self.end + n;
        if needed > self.bytes.len() {
            self.bytes.resize(needed.max(QUIET_BYTES), 0);
        }
    }

    /// Gives back the memory of a buffer that is empty.
    pub fn rest(&mut self) {
        if self.end == 0 && self.bytes.len() > QUIET_BYTES {
            self.bytes = Vec::new();
        }
    }

    /// Reads once; answers how many bytes came, 0 at the end of the stream.
    pub fn poll_read<S: AsyncRead>(
        &mut self,
        stream: Pin<&mut S>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<usize>> {
        self.make_room(1);
        let mut buffer = ReadBuf::new(&mut self.bytes[self.end..]);
        ready!(stream.poll_read(context, &mut buffer))?;
        let n = buffer.filled().len();
        self.end += n;
        // A read that fills the buffer tells of more to come.
        if self.end == self.bytes.len() && self.bytes.len() < self.grown_bytes_max {
            let grown = (self.bytes.len() * 2).min(self.grown_bytes_max);
            self.bytes.resize(grown, 0);
        }
        Poll::Ready(Ok(n))
    }
}

/// What a [`transfer`] did.
pub(crate) struct Moved {
    /// Bytes written.
    pub wrote: usize,
    /// Bytes read, 0 at the end of the stream; `None` when nothing was there.
    pub read: Option<usize>,
}

/// Writes what is to be written and reads what is there, whichever comes; both directions on, so
/// that a peer that writes without reading does not stop itself.
pub(crate) async fn transfer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    inbox: &mut Inbox,
    out: &[u8],
    written: &mut usize,
    reads: bool,
) -> std::io::Result<Moved> {
    std::future::poll_fn(|context| {
        let mut wrote = 0;
        let mut flushed = true;
        while *written < out.len() {
            match Pin::new(&mut *stream).poll_write(context, &out[*written..]) {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
                }
                Poll::Ready(Ok(n)) => {
                    *written += n;
                    wrote += n;
                    flushed = false;
                }
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Pending => break,
            }
        }
        if !flushed && let Poll::Ready(Err(e)) = Pin::new(&mut *stream).poll_flush(context) {
            return Poll::Ready(Err(e));
        }
        let mut read = None;
        if reads {
            match inbox.poll_read(Pin::new(&mut *stream), context) {
                Poll::Ready(Ok(n)) => read = Some(n),
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Pending => {}
            }
        }
        if wrote > 0 || read.is_some() {
            Poll::Ready(Ok(Moved { wrote, read }))
        } else {
            Poll::Pending
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn read(inbox: &mut Inbox, mut from: &[u8]) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        match inbox.poll_read(Pin::new(&mut from), &mut context) {
            Poll::Ready(Ok(n)) => n,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_grows_moves_and_rests() {
        let mut inbox = Inbox::new(8192);
        assert_eq!(read(&mut inbox, &[7; 5000]), QUIET_BYTES);
        assert_eq!(read(&mut inbox, &[8; 5000]), QUIET_BYTES);
        inbox.used(QUIET_BYTES);
        assert_eq!(inbox.bytes(), [8; QUIET_BYTES]);
        inbox.make_room(7000);
        assert_eq!(inbox.bytes(), [8; QUIET_BYTES]);
        assert_eq!(read(&mut inbox, &[9; 5000]), 5000);
        inbox.used(QUIET_BYTES + 5000);
        inbox.rest();
        assert_eq!((inbox.bytes().len(), inbox.bytes.len()), (0, 0));
        assert_eq!(read(&mut inbox, &[]), 0);
    }
}
