//! One thread, one database, one bounded queue: what is asked is done in order, and nobody else touches the connection.

use crate::vault::Error;
use crate::vault::seal::wash_registers;
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

/// The queue to a thread that owns an `S`. Dropping it lets the thread finish what is queued, then waits for it.
pub(super) struct Line<S> {
    /// `None` only while it is being dropped.
    jobs: Option<mpsc::Sender<Job<S>>>,
    thread: Option<JoinHandle<()>>,
    /// Done after each job, before its answer.
    after: fn(&mut S),
}

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// More than a visit ever asks at once; a full queue makes the asker wait.
const QUEUE_MAX: usize = 32;

impl<S: Send + 'static> Line<S> {
    pub fn start(name: &str, mut state: S, after: fn(&mut S)) -> Result<Line<S>, Error> {
        let (jobs, mut queue) = mpsc::channel::<Job<S>>(QUEUE_MAX);
        let work = move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut state);
                wash_registers();
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        Ok(Line { jobs: Some(jobs), thread: Some(thread.map_err(Error::folder("starting a thread"))?), after })
    }

    /// Does `job` over there. It is done even when the asker goes away meanwhile; then its answer is dropped.
    pub async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut S) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let after = self.after;
        let job: Job<S> = Box::new(move |state| {
            let done = job(state);
            after(state);
            drop(answer.send(done));
        });
        let jobs = self.jobs.as_ref().ok_or(Error::Stopped)?;
        jobs.send(job).await.map_err(|_| Error::Stopped)?;
        answered.await.map_err(|_| Error::Stopped)?
    }
}

impl<S> Drop for Line<S> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so already; the databases hold what was committed.
            drop(thread.join());
        }
    }
}
