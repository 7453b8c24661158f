//! The one task that sees all of an upload: it sends chunks, appends them in stream order and ends with the first error.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use pbstore_format::index::IndexCsum;
use pbstore_format::Digest;
use pbstore_pxar::ReusedChunk;
use tokio::sync::{mpsc, OwnedSemaphorePermit};
use tokio::task::JoinSet;

use super::intake::Limits;
use super::known::KnownChunks;
use super::pipeline::UploadStats;
use super::writer::{IndexKind, IndexWriter};
use crate::client::error::ClientError;
use crate::client::progress::Progress;

/// Fewer entries are only sent at the end, as the original does (backup-protocol.md 3.1).
const BATCH_MIN: usize = 64;
/// More would near the 64 KiB that 3.2 servers take as a body.
const BATCH_MAX: usize = 512;

/// What workers and source tell.
pub(super) enum Message {
    /// A chunk has its digest and, when new, its blob.
    Sealed(SealedChunk),
    /// The source uses chunks again.
    Reused(ReusedRun),
    /// The source is complete and had this many chunks.
    End {
        /// Chunks in all.
        chunk_count: u64,
    },
}

/// What became of a chunk at a worker.
pub(super) struct SealedChunk {
    pub(super) position: u64,
    pub(super) start: u64,
    pub(super) size: usize,
    pub(super) digest: Digest,
    /// The blob of a chunk that the server does not have, and the room it takes.
    pub(super) upload: Option<(Bytes, OwnedSemaphorePermit)>,
    pub(super) entry: OwnedSemaphorePermit,
}

/// Chunks in a row that the server has already.
pub(super) struct ReusedRun {
    /// Number of the first one in the stream.
    pub(super) position: u64,
    /// Where it starts in the stream.
    pub(super) start: u64,
    pub(super) chunks: Vec<ReusedChunk>,
    /// For one entry each.
    pub(super) entries: OwnedSemaphorePermit,
}

/// A chunk on its way into the index.
struct Entry {
    start: u64,
    size: u64,
    digest: Digest,
    /// Held for the time that the entry exists.
    _room: OwnedSemaphorePermit,
}

/// What a call to the server achieved.
enum Done {
    Stored { digest: Digest, size: usize, encoded: usize },
    Appended,
}

type Calls = JoinSet<Result<Done, ClientError>>;

/// State of one upload.
pub(super) struct Coordinator {
    kind: IndexKind,
    writer: IndexWriter,
    known: Arc<KnownChunks>,
    progress: Arc<Progress>,
    limits: Limits,
    /// Entries that wait for an earlier one or for their own chunk, by position.
    waiting: BTreeMap<u64, Entry>,
    /// Entries that may be appended now.
    batch: Vec<Entry>,
    next: u64,
    /// Chunks that came from the workers so far.
    received: u64,
    chunk_count: Option<u64>,
    appending: bool,
    csum: IndexCsum,
    stats: UploadStats,
    complete: bool,
}

impl Coordinator {
    pub(super) fn new(
        kind: IndexKind,
        writer: IndexWriter,
        known: Arc<KnownChunks>,
        progress: Arc<Progress>,
        limits: Limits,
    ) -> Self {
        Self {
            kind,
            writer,
            known,
            progress,
            limits,
            waiting: BTreeMap::new(),
            batch: Vec::new(),
            next: 0,
            received: 0,
            chunk_count: None,
            appending: false,
            csum: IndexCsum::new(),
            stats: UploadStats::default(),
            complete: false,
        }
    }

    /// Ends when the index is closed, or with the first thing that went wrong anywhere.
    pub(super) async fn run(
        mut self,
        mut messages: mpsc::Receiver<Result<Message, ClientError>>,
    ) -> Result<UploadStats, ClientError> {
        let began = Instant::now();
        let mut calls = Calls::new();
        let mut changes = self.known.changes();
        let progress = Arc::clone(&self.progress);
        let cancelled = progress.wait_for_cancel();
        tokio::pin!(cancelled);
        loop {
            if *changes.borrow_and_update() {
                return Err(ClientError::Stopped);
            }
            self.advance(&mut calls);
            if self.is_complete() {
                break;
            }
            tokio::select! {
                () = &mut cancelled => return Err(ClientError::Aborted),
                Some(call) = calls.join_next() => self.called(call.map_err(lost_task)??),
                // The end may overtake chunks that are still with the workers.
                message = messages.recv(), if self.chunk_count != Some(self.received) => {
                    // All senders gone too early: a thread has died.
                    let lost = || ClientError::Local("the source ended without completing the archive".to_owned());
                    self.heard(message.ok_or_else(lost)??, &mut calls)?;
                }
                _ = changes.changed() => {}
            }
        }
        self.close().await?;
        self.stats.duration_seconds = began.elapsed().as_secs_f64();
        self.complete = true;
        Ok(std::mem::take(&mut self.stats))
    }

    fn heard(&mut self, message: Message, calls: &mut Calls) -> Result<(), ClientError> {
        match message {
            Message::Sealed(chunk) => self.sealed(chunk, calls),
            Message::Reused(run) => self.reused(run),
            Message::End { chunk_count: 0 } => {
                return Err(ClientError::Local("the source is empty, there is nothing to back up".to_owned()))
            }
            Message::End { chunk_count } => self.chunk_count = Some(chunk_count),
        }
        Ok(())
    }

    fn sealed(&mut self, chunk: SealedChunk, calls: &mut Calls) {
        let SealedChunk { position, start, size, digest, upload, entry } = chunk;
        self.received += 1;
        self.progress.add_processed(size as u64);
        if let Some((blob, room)) = upload {
            let writer = self.writer.clone();
            calls.spawn(async move {
                let encoded = blob.len();
                writer.store(&digest, size, blob).await?;
                drop(room);
                Ok(Done::Stored { digest, size, encoded })
            });
        } else {
            self.stats.reused_bytes += size as u64;
            self.progress.add_reused(size as u64);
        }
        self.waiting.insert(position, Entry { start, size: size as u64, digest, _room: entry });
    }

    fn reused(&mut self, run: ReusedRun) {
        let ReusedRun { mut position, mut start, chunks, mut entries } = run;
        for ReusedChunk { digest, size } in chunks {
            // There is a permit for each.
            let Some(room) = entries.split(1) else { break };
            self.waiting.insert(position, Entry { start, size, digest, _room: room });
            self.received += 1;
            self.progress.add_processed(size);
            self.progress.add_reused(size);
            self.stats.reused_bytes += size;
            position += 1;
            start += size;
        }
    }

    fn called(&mut self, done: Done) {
        match done {
            Done::Appended => self.appending = false,
            Done::Stored { digest, size, encoded } => {
                self.known.mark_stored(&digest);
                self.progress.add_uploaded(size as u64);
                self.stats.uploaded_bytes += size as u64;
                self.stats.compressed_bytes += encoded as u64;
                self.stats.uploaded_chunk_count += 1;
            }
        }
    }

    /// Moves entries that are next and whose chunks are acknowledged to the batch, and sends it when it is due.
    fn advance(&mut self, calls: &mut Calls) {
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() != self.next || !self.known.is_stored(&first.get().digest) {
                break;
            }
            let entry = first.remove();
            self.stats.size = entry.start + entry.size;
            self.kind.hash(&mut self.csum, self.stats.size, &entry.digest);
            self.batch.push(entry);
            self.next += 1;
        }
        let last = self.chunk_count == Some(self.next) && !self.batch.is_empty();
        if !self.appending && (last || self.batch.len() >= BATCH_MIN) {
            self.append(calls);
        }
    }

    /// One append at a time keeps the entries in order.
    fn append(&mut self, calls: &mut Calls) {
        let entries: Vec<Entry> = self.batch.drain(..self.batch.len().min(BATCH_MAX)).collect();
        let writer = self.writer.clone();
        self.appending = true;
        calls.spawn(async move {
            writer.append(entries.iter().map(|entry| (entry.start, &entry.digest))).await?;
            Ok(Done::Appended)
        });
    }

    fn is_complete(&self) -> bool {
        self.chunk_count == Some(self.next) && self.batch.is_empty() && !self.appending
    }

    async fn close(&mut self) -> Result<(), ClientError> {
        let csum = std::mem::take(&mut self.csum).finish();
        self.stats.chunk_count = self.next;
        self.stats.csum = csum;
        self.writer.close(self.next, self.stats.size, &csum).await
    }
}

impl Drop for Coordinator {
    /// However it ends: nobody waits for room any longer, and others hear that chunks may be missing.
    fn drop(&mut self) {
        self.limits.close();
        if !self.complete {
            self.known.fail();
        }
    }
}

fn lost_task(error: tokio::task::JoinError) -> ClientError {
    ClientError::Local(format!("a task of the upload died: {error}"))
}
