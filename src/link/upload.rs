//! A request's body on its way out, in small frames: an upload that moves is no silence.

use hyper::body::Body;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper::body::SizeHint;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::time::Instant;

pub(super) struct Upload {
    left: Bytes,
    moved: Moved,
}

/// When the upload last moved.
#[derive(Clone)]
pub(super) struct Moved(Arc<Mutex<Instant>>);

impl Upload {
    pub(super) fn new(body: Bytes) -> (Upload, Moved) {
        let moved = Moved(Arc::new(Mutex::new(Instant::now())));
        (Upload { left: body, moved: moved.clone() }, moved)
    }
}

impl Moved {
    pub(super) fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        *self.moved.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let count = self.left.len().min(FRAME_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(count)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

/// Under a second at 200 kbit/s.
const FRAME_BYTES: usize = 16 * 1024;
