//! An archive of a store, read at any place: chunks are loaded when they are needed, checked, and kept for a while.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use pbstore_format::{Digest, IndexEntry};
use pbstore_pxar::{ChunkCache, ChunkPlace, ReadAt};
use pbstore_store::{read_plain_chunk, ChunkStore, IndexTable, StoreError};

/// Plain bytes that all archives of all stores keep together: 8 chunks of the usual length.
const CACHE_BYTES: usize = 32 << 20;

static CHUNKS: LazyLock<ChunkCache<(u64, Digest, usize)>> = LazyLock::new(|| ChunkCache::new(CACHE_BYTES));
static STORE_COUNT: AtomicU64 = AtomicU64::new(0);

/// A chunk store and its part of the memory that all of them share.
#[derive(Clone)]
pub struct CachedStore {
    store: Arc<dyn ChunkStore>,
    number: u64,
}

impl CachedStore {
    /// Nothing is kept for it yet.
    pub fn new(store: Arc<dyn ChunkStore>) -> Self {
        Self { store, number: STORE_COUNT.fetch_add(1, Relaxed) }
    }

    fn chunk(&self, entry: &IndexEntry) -> Result<Arc<Vec<u8>>, StoreError> {
        let length = usize::try_from(entry.end - entry.start).unwrap_or(usize::MAX);
        CHUNKS.get((self.number, entry.digest, length), length, || read_plain_chunk(&*self.store, entry))
    }
}

/// A plain archive with a dynamic index; threads share it.
pub struct StoredArchive {
    store: CachedStore,
    table: IndexTable,
    /// The chunk that was read last: most reads go on where the one before ended.
    last: Mutex<Option<IndexEntry>>,
}

impl StoredArchive {
    /// Open an archive by its index, whose manifest promises this checksum and size.
    ///
    /// # Errors
    /// As [`IndexTable::open`].
    pub fn open(store: CachedStore, path: &Path, csum: &Digest, bytes: u64) -> Result<Self, StoreError> {
        Ok(Self { store, table: IndexTable::open(path, csum, bytes)?, last: Mutex::default() })
    }

    fn find(&self, offset: u64) -> Result<Option<IndexEntry>, StoreError> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = last.filter(|entry| (entry.start..entry.end).contains(&offset)) {
            return Ok(Some(entry));
        }
        let found = self.table.find(offset)?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(found)
    }
}

impl ReadAt for StoredArchive {
    fn size(&self) -> u64 {
        self.table.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let found = self.find(offset).map_err(io::Error::other)?;
        let Some(entry) = found.filter(|_| !buffer.is_empty()) else { return Ok(0) };
        let data = self.store.chunk(&entry).map_err(io::Error::other)?;
        let within = usize::try_from(offset - entry.start).unwrap_or(usize::MAX);
        let rest = data.get(within..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn chunk_at(&self, offset: u64) -> Option<ChunkPlace> {
        let entry = self.find(offset).ok()??;
        Some(ChunkPlace { digest: entry.digest, before: offset - entry.start, rest: entry.end - offset })
    }
}
