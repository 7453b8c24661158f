//! An archive that is read where it is needed: chunks are fetched one by one, checked, and kept for a while.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use pbstore_format::{Digest, Opener};
use pbstore_pxar::{ChunkCache, ChunkPlace, ReadAt};

use super::archive::Archive;
use super::checking::open_chunk;
use super::fetching::fetch_blob;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::session::Session;

/// Plain bytes that are kept at most: 16 chunks of the usual length.
const CACHE_BYTES: usize = 64 << 20;

/// Reads an archive of a reader session at any place, from several threads at once; not to be used from a task.
pub struct RemoteArchive {
    session: Arc<Session>,
    archive: Archive,
    stop: Arc<Progress>,
    /// Chunks of equal content are one.
    chunks: ChunkCache<(Digest, usize)>,
    fetched: AtomicU64,
}

impl RemoteArchive {
    /// `stop` ends reads that wait for the server.
    pub fn new(session: Arc<Session>, archive: Archive, stop: Arc<Progress>) -> Self {
        Self { session, archive, stop, chunks: ChunkCache::new(CACHE_BYTES), fetched: AtomicU64::new(0) }
    }

    /// Plain bytes of all chunks that were fetched so far.
    pub fn fetched_bytes(&self) -> u64 {
        self.fetched.load(Relaxed)
    }

    /// A chunk's plain bytes.
    fn chunk(&self, number: usize) -> Result<Arc<Vec<u8>>, ClientError> {
        let length = self.archive.length(number);
        self.chunks.get((self.archive.digest(number), length), length, || self.fetch(number))
    }

    fn fetch(&self, number: usize) -> Result<Vec<u8>, ClientError> {
        let caller = self.session.caller();
        let blob = self.session.wait(async {
            tokio::select! {
                () = self.stop.wait_for_cancel() => Err(ClientError::Aborted),
                blob = fetch_blob(&caller, &self.archive, number) => blob,
            }
        })?;
        let mut opener = Opener::new(self.archive.key().cloned())
            .map_err(|error| ClientError::local("unable to open chunks", error))?;
        let data = open_chunk(&self.archive, number, &blob, &mut opener)?;
        self.fetched.fetch_add(data.len() as u64, Relaxed);
        Ok(data)
    }
}

impl ReadAt for RemoteArchive {
    fn size(&self) -> u64 {
        self.archive.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(number) = self.archive.find(offset).filter(|_| !buffer.is_empty()) else { return Ok(0) };
        let data = self.chunk(number).map_err(io::Error::other)?;
        let within = usize::try_from(offset - self.archive.start(number)).unwrap_or(usize::MAX);
        let rest = data.get(within..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn chunk_at(&self, offset: u64) -> Option<ChunkPlace> {
        let number = self.archive.find(offset)?;
        let before = offset - self.archive.start(number);
        let rest = (self.archive.length(number) as u64).checked_sub(before)?;
        Some(ChunkPlace { digest: self.archive.digest(number), before, rest })
    }
}
