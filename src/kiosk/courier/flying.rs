//! Requests under way: a handful, polled in turn by the courier's own task. None outlives a round, and none is ever spawned.

use std::future::Future;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

type Flight<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// In the order in which they left; they land in any.
pub(super) struct Flying<'a, T>(Vec<Flight<'a, T>>);

impl<T> Default for Flying<'_, T> {
    fn default() -> Self {
        Flying(Vec::new())
    }
}

impl<'a, T> Flying<'a, T> {
    pub fn add(&mut self, flight: Flight<'a, T>) {
        self.0.push(flight);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next to land; `None` when none is under way.
    pub async fn next(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let landed = poll_fn(|context| {
            for at in 0..self.0.len() {
                if let Poll::Ready(landed) = self.0[at].as_mut().poll(context) {
                    drop(self.0.swap_remove(at));
                    return Poll::Ready(landed);
                }
            }
            Poll::Pending
        });
        Some(landed.await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn whoever_lands_first_is_told_first_and_nobody_is_lost() {
        let mut flying = Flying::default();
        let (send, wait) = oneshot::channel::<()>();
        flying.add(Box::pin(async {
            let _sent = wait.await;
            1
        }));
        flying.add(Box::pin(ready(2)));
        assert_eq!(flying.next().await, Some(2));
        let _landed = send.send(());
        assert_eq!(flying.next().await, Some(1));
        assert_eq!(flying.next().await, None);
    }
}
