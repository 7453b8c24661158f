//! Files, chunks and archives on their way out: read piece by piece, each piece holding its share of the memory budget.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use tokio_util::task::TaskTracker;

use super::engine::Engine;
use super::limits::PIECE_BYTES;
use super::memory::{take, HeldBytes, OwnMemory, Share};
use super::stream_body::{Guard, Source, StreamBody};
use super::work::Kind;

/// Something that is read from its first to its last byte, on blocking threads.
pub(crate) struct Pieces {
    /// None while a thread has it.
    source: Option<Source>,
    /// Unknown for some portions; else another length is an error.
    left_bytes: Option<u64>,
    /// Of the last piece, what did not fit into the limit.
    rest: Bytes,
    engine: Arc<Engine>,
    tracker: TaskTracker,
    own: OwnMemory,
    /// Whoever makes portions has a state in memory between them, and needs a place for it.
    place: Share,
    _guard: Option<Guard>,
}

impl Pieces {
    /// `own` bounds what one session or request has on the way.
    pub(crate) fn new(
        reader: Box<dyn Read + Send>,
        bytes: u64,
        engine: Arc<Engine>,
        tracker: TaskTracker,
        own: OwnMemory,
    ) -> Self {
        let source = Some(Source::Reader(reader));
        let left_bytes = Some(bytes);
        Self { source, left_bytes, rest: Bytes::new(), engine, tracker, own, place: None, _guard: None }
    }

    /// Decoded chunks are larger than other pieces: all bodies that are made of them share a limit instead.
    pub(crate) fn of_body(body: StreamBody, engine: Arc<Engine>, tracker: TaskTracker, own: OwnMemory) -> Self {
        let left_bytes = body.bytes();
        let StreamBody { source, guard, .. } = body;
        let own = match source {
            Source::Reader(_) | Source::Portions(_) => own,
            Source::Chunks(_) => own.sharing(engine.memory.for_decoded()),
        };
        let (source, guard) = (Some(source), Some(guard));
        Self { source, left_bytes, rest: Bytes::new(), engine, tracker, own, place: None, _guard: guard }
    }

    /// Length of the next piece, 0 at the end. Of portions it is the largest: they may be shorter, even empty.
    pub(crate) fn next_len(&self) -> usize {
        match &self.source {
            _ if !self.rest.is_empty() => self.rest.len(),
            Some(Source::Chunks(index)) => index.next_len(),
            Some(Source::Reader(_)) => self.left_up_to(PIECE_BYTES),
            Some(Source::Portions(_)) => PIECE_BYTES,
            None => 0,
        }
    }

    fn left_up_to(&self, limit: usize) -> usize {
        self.left_bytes.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX).min(limit)
    }

    /// Read the next piece, at most `limit` bytes of it.
    ///
    /// # Errors
    /// A read error, a damaged chunk, or `UnexpectedEof` when there is less or more than was promised.
    pub(crate) async fn next(&mut self, limit: usize) -> io::Result<Bytes> {
        if self.rest.is_empty() {
            self.rest = self.load(limit).await?;
        }
        let piece = self.rest.split_to(limit.min(self.rest.len()));
        self.count(piece.len())?;
        Ok(piece)
    }

    fn count(&mut self, sent: usize) -> io::Result<()> {
        let Some(left) = self.left_bytes else { return Ok(()) };
        let left = left.checked_sub(sent as u64);
        self.left_bytes = Some(left.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    async fn load(&mut self, limit: usize) -> io::Result<Bytes> {
        let mut source = self.source.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (wanted, kind) = match &source {
            Source::Chunks(index) => (index.next_len(), Kind::Chunk),
            Source::Reader(_) => (self.left_up_to(PIECE_BYTES.min(limit)), Kind::Read),
            Source::Portions(_) => (PIECE_BYTES, Kind::Chunk),
        };
        if matches!(source, Source::Portions(_)) && self.place.is_none() {
            self.place = self.engine.memory.portions_place().await;
        }
        let own_share = take(&self.own.pieces, wanted).await;
        let (length, share) = match &source {
            Source::Reader(_) => self.engine.memory.for_piece(&self.own, wanted).await,
            Source::Chunks(_) | Source::Portions(_) => (wanted, self.engine.memory.for_transfer(wanted).await),
        };
        let read = move || {
            let outcome = read_piece(&mut source, length);
            (source, outcome)
        };
        let done = self.engine.bounds.run(kind, &self.tracker, read).await;
        let (source, data) = done.map_err(|_| io::Error::other("reader panicked"))?;
        let Some(data) = data? else { return self.end() };
        self.source = Some(source);
        Ok(Bytes::from_owner(HeldBytes { data, _shares: [own_share, share] }))
    }

    /// All portions are there.
    fn end(&self) -> io::Result<Bytes> {
        match self.left_bytes {
            None | Some(0) => Ok(Bytes::new()),
            Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// None when the last portion was made already.
fn read_piece(source: &mut Source, length: usize) -> io::Result<Option<Vec<u8>>> {
    match source {
        Source::Chunks(index) => index.next_chunk().map(Some).map_err(io::Error::other),
        Source::Portions(next) => next(),
        Source::Reader(reader) => {
            let mut data = vec![0; length];
            reader.read_exact(&mut data)?;
            Ok(Some(data))
        }
    }
}
