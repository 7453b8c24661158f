//! An archive that is read where it is needed: chunks are fetched one by one, checked, and kept for a while.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pbstore_format::{Digest, Opener};
use pbstore_pxar::{ChunkPlace, ReadAt};

use super::archive::Archive;
use super::checking::open_chunk;
use super::fetching::fetch_blob;
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::session::Session;

/// Plain bytes that are kept at most: 16 chunks of the usual length.
const CACHE_BYTES: usize = 64 << 20;
/// Chunks that are kept at most, however small.
const CACHE_CHUNKS: usize = 1024;

/// Reads an archive of a reader session at any place, from several threads at once; not to be used from a task.
pub struct RemoteArchive {
    session: Arc<Session>,
    archive: Archive,
    stop: Arc<Progress>,
    chunks: Mutex<Cache>,
    fetched: AtomicU64,
}

/// A chunk that is wanted by somebody; locked while it is fetched.
type Slot = Arc<Mutex<Option<Arc<Vec<u8>>>>>;

impl RemoteArchive {
    /// `stop` ends reads that wait for the server.
    pub fn new(session: Arc<Session>, archive: Archive, stop: Arc<Progress>) -> Self {
        Self { session, archive, stop, chunks: Mutex::default(), fetched: AtomicU64::new(0) }
    }

    /// Plain bytes of all chunks that were fetched so far.
    pub fn fetched_bytes(&self) -> u64 {
        self.fetched.load(Relaxed)
    }

    /// A chunk's plain bytes. Whoever comes first fetches them, others wait; after a failure the next one tries again.
    fn chunk(&self, number: usize) -> Result<Arc<Vec<u8>>, ClientError> {
        let slot = locked(&self.chunks).slot((self.archive.digest(number), self.archive.length(number)));
        let mut content = locked(&slot);
        if let Some(data) = &*content {
            return Ok(Arc::clone(data));
        }
        let caller = self.session.caller();
        let blob = self.session.wait(async {
            tokio::select! {
                () = self.stop.wait_for_cancel() => Err(ClientError::Aborted),
                blob = fetch_blob(&caller, &self.archive, number) => blob,
            }
        })?;
        let mut opener = Opener::new(self.archive.key().cloned())
            .map_err(|error| ClientError::local("unable to open chunks", error))?;
        let data = Arc::new(open_chunk(&self.archive, number, &blob, &mut opener)?);
        self.fetched.fetch_add(data.len() as u64, Relaxed);
        *content = Some(Arc::clone(&data));
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

/// Chunks of equal content are one.
type Key = (Digest, usize);

/// The chunks used last, as many as have room.
#[derive(Default)]
struct Cache {
    chunks: HashMap<Key, Cached>,
    bytes: usize,
    /// Counts uses.
    now: u64,
}

struct Cached {
    slot: Slot,
    last_use: u64,
}

impl Cache {
    /// The place of a chunk, which counts as filled from now on.
    fn slot(&mut self, key: Key) -> Slot {
        self.now += 1;
        let is_new = !self.chunks.contains_key(&key);
        let cached = self.chunks.entry(key).or_insert_with(|| Cached { slot: Slot::default(), last_use: 0 });
        cached.last_use = self.now;
        let slot = Arc::clone(&cached.slot);
        if is_new {
            self.bytes += key.1;
            while self.bytes > CACHE_BYTES || self.chunks.len() > CACHE_CHUNKS {
                self.drop_oldest();
            }
        }
        slot
    }

    fn drop_oldest(&mut self) {
        let oldest = self.chunks.iter().min_by_key(|(_, cached)| cached.last_use).map(|(key, _)| *key);
        if let Some(key) = oldest {
            self.chunks.remove(&key);
            self.bytes -= key.1;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
