//! Files, chunks and archives on their way out: read piece by piece, each piece holding its share of the memory budget.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::engine::Engine;
use super::limits::PIECE_BYTES;
use super::memory::{take, HeldBytes};
use super::stream_body::{Guard, Source, StreamBody};
use super::work::Kind;

/// Something that is read from its first to its last byte, on blocking threads.
pub(crate) struct Pieces {
    /// None while a thread has it.
    source: Option<Source>,
    left_bytes: u64,
    /// Of the last piece, what did not fit into the limit.
    rest: Bytes,
    engine: Arc<Engine>,
    tracker: TaskTracker,
    own_limit: Arc<Semaphore>,
    _guard: Option<Guard>,
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
        let source = Some(Source::Reader(reader));
        Self { source, left_bytes: bytes, rest: Bytes::new(), engine, tracker, own_limit, _guard: None }
    }

    /// Decoded chunks are larger than other pieces: all bodies that are made of them share a limit instead.
    pub(crate) fn of_body(
        body: StreamBody,
        engine: Arc<Engine>,
        tracker: TaskTracker,
        own_limit: Arc<Semaphore>,
    ) -> Self {
        let left_bytes = body.bytes();
        let StreamBody { source, guard, .. } = body;
        let own_limit = match source {
            Source::Reader(_) => own_limit,
            Source::Chunks(_) => engine.memory.for_decoded(),
        };
        Self { source: Some(source), left_bytes, rest: Bytes::new(), engine, tracker, own_limit, _guard: Some(guard) }
    }

    /// Length of the next piece, 0 at the end.
    pub(crate) fn next_len(&self) -> usize {
        match &self.source {
            _ if !self.rest.is_empty() => self.rest.len(),
            Some(Source::Chunks(index)) => index.next_len(),
            Some(Source::Reader(_)) => usize::try_from(self.left_bytes).unwrap_or(usize::MAX).min(PIECE_BYTES),
            None => 0,
        }
    }

    /// Read the next piece, at most `limit` bytes of it.
    ///
    /// # Errors
    /// A read error, a damaged chunk, or `UnexpectedEof` when the file became shorter.
    pub(crate) async fn next(&mut self, limit: usize) -> io::Result<Bytes> {
        if self.rest.is_empty() {
            self.rest = self.load(limit).await?;
        }
        let piece = self.rest.split_to(limit.min(self.rest.len()));
        self.left_bytes = self.left_bytes.saturating_sub(piece.len() as u64);
        Ok(piece)
    }

    async fn load(&mut self, limit: usize) -> io::Result<Bytes> {
        let mut source = self.source.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (length, kind) = match &source {
            Source::Chunks(index) => (index.next_len(), Kind::Chunk),
            Source::Reader(_) => {
                let left = usize::try_from(self.left_bytes).unwrap_or(usize::MAX);
                (left.min(PIECE_BYTES).min(limit), Kind::Read)
            }
        };
        let own_share = take(&self.own_limit, length).await;
        let share = self.engine.memory.for_transfer(length).await;
        let read = move || {
            let outcome = read_piece(&mut source, length);
            (source, outcome)
        };
        let done = self.engine.bounds.run(kind, &self.tracker, read).await;
        let (source, data) = done.map_err(|_| io::Error::other("reader panicked"))?;
        let held = HeldBytes { data: data?, _shares: [own_share, share] };
        self.source = Some(source);
        Ok(Bytes::from_owner(held))
    }
}

fn read_piece(source: &mut Source, length: usize) -> io::Result<Vec<u8>> {
    match source {
        Source::Chunks(index) => index.next_chunk().map_err(io::Error::other),
        Source::Reader(reader) => {
            let mut data = vec![0; length];
            reader.read_exact(&mut data)?;
            Ok(data)
        }
    }
}
