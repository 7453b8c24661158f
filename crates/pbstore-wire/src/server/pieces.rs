//! Files and chunks on their way out: read piece by piece, each piece holding its share of the memory budget.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::application::FileBody;
use super::engine::Engine;
use super::limits::PIECE_BYTES;
use super::memory::{take, HeldBytes};
use super::work::Kind;

/// Something that is read from its first to its last byte, on blocking threads.
pub(crate) struct Pieces {
    reader: Option<Box<dyn Read + Send>>,
    left_bytes: u64,
    engine: Arc<Engine>,
    tracker: TaskTracker,
    own_limit: Arc<Semaphore>,
}

impl Pieces {
    /// `own_limit` bounds what one session or request has on the way.
    pub(crate) fn new(
        reader: Box<dyn Read + Send>,
        bytes: u64,
        engine: Arc<Engine>,
        tracker: TaskTracker,
        own_limit: Arc<Semaphore>,
    ) -> Self {
        Self { reader: Some(reader), left_bytes: bytes, engine, tracker, own_limit }
    }

    pub(crate) fn of_file(
        body: FileBody,
        engine: Arc<Engine>,
        tracker: TaskTracker,
        own_limit: Arc<Semaphore>,
    ) -> Self {
        Self::new(Box::new(body.file), body.bytes, engine, tracker, own_limit)
    }

    /// Length of the next piece, 0 at the end.
    pub(crate) fn next_len(&self) -> usize {
        usize::try_from(self.left_bytes).unwrap_or(usize::MAX).min(PIECE_BYTES)
    }

    /// Read the next piece, at most `limit` bytes of it.
    ///
    /// # Errors
    /// A read error, or `UnexpectedEof` when the file became shorter.
    pub(crate) async fn next(&mut self, limit: usize) -> io::Result<Bytes> {
        let length = self.next_len().min(limit);
        let own_share = take(&self.own_limit, length).await;
        let share = self.engine.memory.for_transfer(length).await;
        let mut reader = self.reader.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let read = move || {
            let mut data = vec![0; length];
            let outcome = reader.read_exact(&mut data);
            (reader, outcome.map(|()| data))
        };
        let done = self.engine.bounds.run(Kind::Read, &self.tracker, read).await;
        let (reader, data) = done.map_err(|_| io::Error::other("reader panicked"))?;
        let held = HeldBytes { data: data?, _shares: [own_share, share] };
        self.reader = Some(reader);
        self.left_bytes = self.left_bytes.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        Ok(Bytes::from_owner(held))
    }
}
