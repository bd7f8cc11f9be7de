//! The rest of a refused request is read before its connection ends, within limits. Most clients send the whole body
//! before they read the answer: a connection that is closed on them first takes the answer with it.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How much is read of what nobody wants.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most bytes of one request.
    pub bytes_max: usize,
    /// Longest time for one request.
    pub time_max: Duration,
}

/// Gives the request a body whose rest is read when the handler lets go of it.
pub async fn read_on(options: Options, request: Request, next: Next) -> Response {
    let request = request.map(|body| {
        if body.is_end_stream() {
            body
        } else {
            Body::new(ReadOn { body, options })
        }
    });
    next.run(request).await
}

struct ReadOn {
    body: Body,
    options: Options,
}

impl HttpBody for ReadOn {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ReadOn {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            return;
        }
        // Outside of a runtime nobody waits for an answer.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (body, options) = (take(&mut self.body), self.options);
            runtime.spawn(tokio::time::timeout(
                options.time_max,
                drain(body, options.bytes_max),
            ));
        }
    }
}

async fn drain(mut body: Body, mut bytes_left: usize) {
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = bytes_left.checked_sub(bytes) else {
            return;
        };
        bytes_left = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How much of a body of 100 pieces of 10 bytes is read when its first piece was enough.
    async fn read_of(bytes_max: usize) -> usize {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let pieces = futures::stream::iter(0..100).map(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from_static(&[0; 10]))
        });
        let options = Options {
            bytes_max,
            time_max: Duration::from_secs(60),
        };
        let mut body = Body::new(ReadOn {
            body: Body::from_stream(pieces),
            options,
        });
        body.frame().await;
        let rest = take(&mut body);
        drop(rest);
        // The one thread of this test runs the reading task until it has nothing to wait for.
        tokio::task::yield_now().await;
        read.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn the_rest_of_a_body_is_read_within_limits() {
        assert_eq!(read_of(10_000).await, 100);
        assert_eq!(read_of(100).await, 12);
        assert_eq!(read_of(0).await, 2);
    }
}
