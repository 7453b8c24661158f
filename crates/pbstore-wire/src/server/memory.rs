//! The byte budget: nothing is buffered for a peer, and no window is opened to it, without a share of it.

use std::sync::Arc;

use pbstore_format::blob::MAX_BLOB_BYTES;
use tokio::sync::{watch, OwnedSemaphorePermit, Semaphore};

use super::limits::MAX_PORTIONS_BODIES;
use crate::protocol::SERVER_WINDOW_BYTES;

use super::limits::{PIECE_BYTES, SESSION_PIECES_BYTES, SESSION_RESERVE_BYTES};

/// Smallest budget that works: each part below must hold the largest blob.
pub const MIN_MEMORY_BYTES: usize = 80 << 20;
/// Bodies of plain requests, whose senders need not be anybody we know, have a part of their own.
const REQUEST_BYTES: usize = 20 << 20;
/// Each session gets at least this window; so many windows as fit into their part bound the number of sessions.
const MIN_WINDOW_BYTES: usize = 256 << 10;

/// Bodies that went through a file are read back one after the other, in memory that nobody else can hold.
const SPOOLED_BYTES: usize = MAX_BLOB_BYTES;

/// Four parts: bodies of plain requests, connection windows of sessions, bodies and answers of sessions, and one body
/// that went through a file.
pub(crate) struct MemoryBudget {
    requests: Arc<Semaphore>,
    spooled: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
    transfers_bytes: usize,
    decoded: Arc<Semaphore>,
    portions: Arc<Semaphore>,
    windows_bytes: usize,
    sessions: watch::Sender<usize>,
    places: Arc<Semaphore>,
}

/// A share of the budget; given back on drop.
pub(crate) type Share = Option<OwnedSemaphorePermit>;

impl MemoryBudget {
    pub(crate) fn new(total_bytes: usize) -> Self {
        let sessions_bytes = total_bytes.max(MIN_MEMORY_BYTES) - REQUEST_BYTES - SPOOLED_BYTES;
        let windows_bytes = sessions_bytes / 2;
        let transfers_bytes = sessions_bytes - windows_bytes;
        Self {
            requests: Arc::new(Semaphore::new(REQUEST_BYTES)),
            spooled: Arc::new(Semaphore::new(SPOOLED_BYTES)),
            transfers: Arc::new(Semaphore::new(transfers_bytes)),
            transfers_bytes,
            decoded: Arc::new(Semaphore::new(half_of(transfers_bytes))),
            portions: Arc::new(Semaphore::new(MAX_PORTIONS_BODIES)),
            windows_bytes,
            sessions: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(windows_bytes / MIN_WINDOW_BYTES)),
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

    /// Wait for the memory of the one body that is read back from a file.
    pub(crate) async fn for_spooled(&self) -> Share {
        take(&self.spooled, SPOOLED_BYTES).await
    }

    /// Wait for memory for a piece of an answer of up to `bytes` bytes. When there is none, a session goes on with small
    /// pieces: peers that take nothing of theirs slow others down, but do not stop them.
    pub(crate) async fn for_piece(&self, own: &OwnMemory, bytes: usize) -> (usize, Share) {
        let small = bytes.min(SESSION_RESERVE_BYTES);
        tokio::select! {
            biased;
            share = self.for_transfer(bytes) => (bytes, share),
            share = take(&own.reserve, small) => (small, share),
        }
    }

    /// Most that one session's uploads may have of the memory for all: half, so that a slow one does not stop the rest.
    pub(crate) fn session_bytes(&self) -> usize {
        half_of(self.transfers_bytes)
    }

    /// Bounds what all downloads of decoded archives together have of that memory: half, so that sessions have the rest.
    pub(crate) fn for_decoded(&self) -> Arc<Semaphore> {
        self.decoded.clone()
    }

    /// Wait for a place for one more body that is made portion by portion.
    pub(crate) async fn portions_place(&self) -> Share {
        take(&self.portions, 1).await
    }

    /// A place for one more session; None when there is no window left for it.
    pub(crate) fn session_place(&self) -> Share {
        self.places.clone().try_acquire_owned().ok()
    }

    /// Take part in sharing the windows; the session must have a place.
    pub(crate) fn join(self: &Arc<Self>) -> WindowShare {
        self.sessions.send_modify(|count| *count += 1);
        WindowShare { budget: self.clone(), count: self.sessions.subscribe() }
    }
}

/// Half, but enough for the largest blob.
fn half_of(bytes: usize) -> usize {
    (bytes / 2).max(MAX_BLOB_BYTES)
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

/// Bounds what one session or request has on its way to its peer.
#[derive(Clone)]
pub(crate) struct OwnMemory {
    pub(crate) pieces: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
}

impl OwnMemory {
    pub(crate) fn of_session() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { pieces: semaphore(SESSION_PIECES_BYTES), reserve: semaphore(SESSION_RESERVE_BYTES) }
    }

    /// One piece goes out while the next is read; plain requests have no reserve, as there is no bound on their number.
    pub(crate) fn of_request() -> Self {
        Self { pieces: Arc::new(Semaphore::new(2 * PIECE_BYTES)), reserve: Arc::new(Semaphore::new(0)) }
    }

    /// With another bound for the pieces.
    pub(crate) fn sharing(self, pieces: Arc<Semaphore>) -> Self {
        Self { pieces, ..self }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_all_sessions_stay_within_their_part() {
        let budget = Arc::new(MemoryBudget::new(160 << 20));
        let mut shares: Vec<_> = (0..100).map(|_| budget.join()).collect();
        let sum: u64 = shares.iter_mut().map(|share| u64::from(share.window_bytes())).sum();
        assert!(sum <= 62 << 20, "{sum}");
        shares.truncate(1);
        assert_eq!(shares.iter_mut().map(WindowShare::window_bytes).collect::<Vec<_>>(), [SERVER_WINDOW_BYTES]);
    }

    #[test]
    fn there_are_as_many_sessions_as_smallest_windows() {
        let budget = Arc::new(MemoryBudget::new(MIN_MEMORY_BYTES));
        let places: Vec<_> = std::iter::from_fn(|| budget.session_place()).collect();
        let mut shares: Vec<_> = places.iter().map(|_| budget.join()).collect();
        let windows: Vec<_> = shares.iter_mut().map(|share| share.window_bytes() as usize).collect();
        assert!(windows.iter().all(|bytes| *bytes >= MIN_WINDOW_BYTES));
        assert!(windows.iter().sum::<usize>() <= budget.windows_bytes);
        assert_eq!(shares.len(), 87);
        drop(places);
        assert!(budget.session_place().is_some());
    }

    #[test]
    fn the_smallest_budget_holds_the_largest_blob_of_each_part() {
        let budget = MemoryBudget::new(MIN_MEMORY_BYTES);
        assert!(budget.requests.available_permits() >= MAX_BLOB_BYTES);
        assert!(budget.transfers.available_permits() >= MAX_BLOB_BYTES);
        assert!(budget.session_bytes() <= budget.transfers_bytes);
    }

    #[tokio::test]
    async fn a_session_sends_small_pieces_when_others_have_all_memory() {
        let budget = MemoryBudget::new(MIN_MEMORY_BYTES);
        let _all = budget.transfers.clone().acquire_many_owned(budget.transfers_bytes as u32).await.unwrap();
        let own = OwnMemory::of_session();
        let (length, share) = budget.for_piece(&own, PIECE_BYTES).await;
        assert_eq!((length, share.is_some()), (SESSION_RESERVE_BYTES, true));
        let own = OwnMemory::of_request();
        let plain = budget.for_piece(&own, PIECE_BYTES);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), plain).await.is_err());
    }

    #[tokio::test]
    async fn bytes_keep_their_share_wherever_they_go() {
        let budget = MemoryBudget::new(MIN_MEMORY_BYTES);
        let before = budget.transfers.available_permits();
        let share = budget.for_transfer(1000).await;
        let bytes = bytes::Bytes::from_owner(HeldBytes { data: vec![0; 1000], _shares: [share, None] });
        let slice = bytes.slice(10..20);
        drop(bytes);
        assert_eq!(budget.transfers.available_permits(), before - 1000);
        drop(slice);
        assert_eq!(budget.transfers.available_permits(), before);
    }
}
