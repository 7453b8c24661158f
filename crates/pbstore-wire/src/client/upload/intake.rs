//! Where chunks enter an upload: they get their place in the stream and wait here until there is room for them.

use std::sync::Arc;

use crossbeam_channel::Sender;
use pbstore_pxar::ReusedChunk;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, OwnedSemaphorePermit, Semaphore};

use super::buffers::Buffers;
use super::coordinator::{Message, ReusedRun};
use crate::client::error::ClientError;

/// Entries of the index that may be under way; far more than go into one append.
const MAX_ENTRIES: usize = 2048;
/// Reused chunks that are put into the stream at once.
const MAX_REUSED: usize = 128;

/// What bounds an upload: plain bytes between cutting and acknowledgement, and entries that are not appended yet.
#[derive(Clone)]
pub(super) struct Limits {
    bytes: Arc<Semaphore>,
    entries: Arc<Semaphore>,
}

impl Limits {
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes: Arc::new(Semaphore::new(bytes)), entries: Arc::new(Semaphore::new(MAX_ENTRIES)) }
    }

    /// Wakes whoever waits for room with an error.
    pub(super) fn close(&self) {
        self.bytes.close();
        self.entries.close();
    }

    async fn entries(&self, count: usize) -> Result<OwnedSemaphorePermit, ClientError> {
        let count = u32::try_from(count).map_err(|_| ClientError::Stopped)?;
        Arc::clone(&self.entries).acquire_many_owned(count).await.map_err(|_| ClientError::Stopped)
    }

    async fn room(&self, bytes: usize) -> Result<Room, ClientError> {
        let bytes = u32::try_from(bytes).map_err(|_| ClientError::Stopped)?;
        let entry = self.entries(1).await?;
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.map_err(|_| ClientError::Stopped)?;
        Ok(Room { bytes, entry })
    }
}

/// Room that one chunk takes; given back by dropping its parts.
pub(super) struct Room {
    /// Until the chunk is acknowledged.
    pub(super) bytes: OwnedSemaphorePermit,
    /// Until it is in the index.
    pub(super) entry: OwnedSemaphorePermit,
}

/// The plain bytes of a chunk.
pub(super) enum Data {
    /// Some bytes.
    Bytes(Vec<u8>),
    /// That many zeros.
    Zeros(usize),
}

impl Data {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Zeros(length) => *length,
        }
    }
}

/// A chunk that waits for a worker.
pub(super) struct Job {
    /// Number of the chunk in the stream.
    pub(super) position: u64,
    /// Where it starts in the stream.
    pub(super) start: u64,
    pub(super) data: Data,
    pub(super) room: Room,
}

/// The entry to an upload, held by the one thread that reads the source.
pub(super) struct Intake {
    pub(super) jobs: Sender<Job>,
    pub(super) messages: mpsc::Sender<Result<Message, ClientError>>,
    pub(super) limits: Limits,
    pub(super) buffers: Arc<Buffers>,
    pub(super) handle: Handle,
    pub(super) position: u64,
    pub(super) start: u64,
}

impl Intake {
    /// Hands on the next chunk of the stream, once there is room. Fails only if the upload has ended.
    pub(super) fn send(&mut self, data: Data) -> Result<(), ClientError> {
        let length = data.len();
        let room = self.handle.block_on(self.limits.room(length))?;
        let job = Job { position: self.position, start: self.start, data, room };
        self.jobs.send(job).map_err(|_| ClientError::Stopped)?;
        self.position += 1;
        self.start += length as u64;
        Ok(())
    }

    /// Puts chunks that the server has into the stream, once there is room for their entries. Fails only if the upload
    /// has ended.
    pub(super) fn reuse(&mut self, chunks: &[ReusedChunk]) -> Result<(), ClientError> {
        for chunks in chunks.chunks(MAX_REUSED) {
            let entries = self.handle.block_on(self.limits.entries(chunks.len()))?;
            let run = ReusedRun { position: self.position, start: self.start, chunks: chunks.to_vec(), entries };
            self.messages.blocking_send(Ok(Message::Reused(run))).map_err(|_| ClientError::Stopped)?;
            self.position += chunks.len() as u64;
            self.start += chunks.iter().map(|chunk| chunk.size).sum::<u64>();
        }
        Ok(())
    }

    /// Whether the upload has ended for whatever reason, for sources that wait for long.
    pub(super) fn is_stopped(&self) -> bool {
        self.messages.is_closed()
    }

    /// Nothing follows: the archive is complete.
    pub(super) fn finish(self) {
        // A failure means that the upload has ended, and it knows why.
        let _ = self.messages.blocking_send(Ok(Message::End { chunk_count: self.position }));
    }

    /// The source failed: the upload ends with its error unless it has one already.
    pub(super) fn fail(self, error: ClientError) {
        let _ = self.messages.blocking_send(Err(error));
    }
}
