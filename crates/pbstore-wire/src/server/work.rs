//! Blocking work beside the event loop: bounded by kind, and waited for at the end of what started it.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::limits::{Limits, MAX_READS};

/// What a thread is needed for. Kinds do not take each other's threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Calls of the application for plain requests; failed log-ins are slow on purpose.
    Request,
    /// Calls of sessions.
    Call,
    /// Checking and storing chunks: as many as there are cores.
    Chunk,
    /// Reading files and chunks.
    Read,
}

/// The bounds of all kinds.
pub(crate) struct Bounds {
    requests: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    chunks: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

/// The work panicked; a panic is a bug, and its text went to the panic hook.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

impl Bounds {
    pub(crate) fn new(limits: &Limits, cores: usize) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(limits.requests)),
            calls: Arc::new(Semaphore::new(limits.calls)),
            chunks: Arc::new(Semaphore::new(cores.max(1))),
            reads: Arc::new(Semaphore::new(MAX_READS)),
        }
    }

    /// Threads that all kinds together can use, with a few to spare for the ends of sessions.
    pub(crate) fn max_threads(limits: &Limits, cores: usize) -> usize {
        limits.requests + 2 * limits.calls + MAX_READS + cores.max(1)
    }

    /// Run `work` on a thread of its kind. Once it has begun it runs to its end, whatever becomes of the caller;
    /// `tracker` knows when that is.
    pub(crate) async fn run<T, F>(&self, kind: Kind, tracker: &TaskTracker, work: F) -> Result<T, Panicked>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let bound = match kind {
            Kind::Request => &self.requests,
            Kind::Call => &self.calls,
            Kind::Chunk => &self.chunks,
            Kind::Read => &self.reads,
        };
        let place = bound.clone().acquire_owned().await.map_err(|_| Panicked)?;
        let job = tracker.spawn_blocking(move || {
            let _place = place;
            work()
        });
        job.await.map_err(|_| Panicked)
    }
}
