//! What one session may have on threads at once, so that sessions take turns however many calls one of them makes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::MAX_SESSION_THREADS;
use super::work::Kind;

/// The turns of one session.
pub(crate) struct SessionTurns {
    calls: Arc<Semaphore>,
    chunks: Arc<Semaphore>,
}

impl SessionTurns {
    /// A session alone may use all cores.
    pub(crate) fn new(cores: usize) -> Self {
        Self { calls: Arc::new(Semaphore::new(MAX_SESSION_THREADS)), chunks: Arc::new(Semaphore::new(cores.max(1))) }
    }

    /// Wait for a turn; reads are bounded by the memory for what they read.
    pub(crate) async fn take(&self, kind: Kind) -> Option<OwnedSemaphorePermit> {
        let turns = match kind {
            Kind::Chunk => &self.chunks,
            Kind::Call | Kind::Request => &self.calls,
            Kind::Read => return None,
        };
        turns.clone().acquire_owned().await.ok()
    }
}
