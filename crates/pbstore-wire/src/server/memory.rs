//! The byte budget: nothing is buffered for a peer, and no window is opened to it, without a share of it.

use std::sync::Arc;

use pbstore_format::blob::MAX_BLOB_BYTES;
use tokio::sync::{watch, OwnedSemaphorePermit, Semaphore};

use crate::protocol::SERVER_WINDOW_BYTES;

/// Smallest budget that works: each part below must hold the largest blob.
pub const MIN_MEMORY_BYTES: usize = 64 << 20;
/// Bodies of plain requests, whose senders need not be anybody we know, have a part of their own.
const REQUEST_BYTES: usize = 20 << 20;
/// However many sessions there are, each gets this window.
const MIN_WINDOW_BYTES: usize = 256 << 10;

/// Three parts: bodies of plain requests, connection windows of sessions, bodies and answers of sessions.
pub(crate) struct MemoryBudget {
    requests: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
    transfers_bytes: usize,
    windows_bytes: usize,
    sessions: watch::Sender<usize>,
}

/// A share of the budget; given back on drop.
pub(crate) type Share = Option<OwnedSemaphorePermit>;

impl MemoryBudget {
    pub(crate) fn new(total_bytes: usize) -> Self {
        let sessions_bytes = total_bytes.max(MIN_MEMORY_BYTES) - REQUEST_BYTES;
        let windows_bytes = sessions_bytes / 2;
        let transfers_bytes = sessions_bytes - windows_bytes;
        Self {
            requests: Arc::new(Semaphore::new(REQUEST_BYTES)),
            transfers: Arc::new(Semaphore::new(transfers_bytes)),
            transfers_bytes,
            windows_bytes,
            sessions: watch::Sender::new(0),
        }
    }

    /// Wait for memory for the body of a plain request.
    pub(crate) async fn for_request(&self, bytes: usize) -> Share {
        take(&self.requests, bytes).await
    }

    /// Wait for memory for a body or a piece of an answer of a session.
    pub(crate) async fn for_transfer(&self, bytes: usize) -> Share {
        take(&self.transfers, bytes).await
    }

    /// Most that one session's uploads may have of the memory for all: half, so that a slow one does not stop the rest.
    pub(crate) fn session_bytes(&self) -> usize {
        (self.transfers_bytes / 2).max(MAX_BLOB_BYTES)
    }

    /// Take part in sharing the windows.
    pub(crate) fn join(self: &Arc<Self>) -> WindowShare {
        self.sessions.send_modify(|count| *count += 1);
        WindowShare { budget: self.clone(), count: self.sessions.subscribe() }
    }
}

/// First come, first served, so that a large body is not starved by small ones.
pub(crate) async fn take(part: &Arc<Semaphore>, bytes: usize) -> Share {
    let bytes = u32::try_from(bytes.min(MAX_BLOB_BYTES)).unwrap_or(u32::MAX);
    part.clone().acquire_many_owned(bytes).await.ok()
}

/// One session's part in the windows; the fewer sessions, the larger.
pub(crate) struct WindowShare {
    budget: Arc<MemoryBudget>,
    count: watch::Receiver<usize>,
}

impl WindowShare {
    /// The window that the session may open now.
    pub(crate) fn window_bytes(&mut self) -> u32 {
        let sessions = (*self.count.borrow_and_update()).max(1);
        let share = (self.budget.windows_bytes / sessions).max(MIN_WINDOW_BYTES);
        u32::try_from(share).map_or(SERVER_WINDOW_BYTES, |share| share.min(SERVER_WINDOW_BYTES))
    }

    /// Waits until the number of sessions changes.
    pub(crate) async fn changed(&mut self) {
        if self.count.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for WindowShare {
    fn drop(&mut self) {
        self.budget.sessions.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Bytes that hold their share of the budget for as long as they exist, wherever they are passed to.
pub(crate) struct HeldBytes {
    pub(crate) data: Vec<u8>,
    pub(crate) _shares: [Share; 2],
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}
