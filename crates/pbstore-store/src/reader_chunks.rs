//! The chunk side of one reader session: which chunks it may read (reader-protocol.md 1).

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use pbstore_format::digest::to_hex;
use pbstore_format::Digest;

use crate::index_entries::IndexEntries;
use crate::{ChunkStore, Result, StoreError, StoredChunk};

/// Chunks that a reader session may fetch: those of the indexes it has downloaded. The set only grows.
pub struct ReaderChunks {
    store: Arc<dyn ChunkStore>,
    allowed: RwLock<HashSet<Digest>>,
}

impl ReaderChunks {
    /// Nothing is allowed.
    pub fn new(store: Arc<dyn ChunkStore>) -> Self {
        Self { store, allowed: RwLock::default() }
    }

    /// Allow every chunk of an index file. Returns how many entries it has.
    ///
    /// # Errors
    /// `Format` when the file is no index; `Io`.
    pub fn allow_index(&self, path: &Path) -> Result<u64> {
        let mut entries = IndexEntries::open_named(path)?;
        let mut allowed = self.allowed.write().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        while let Some(entry) = entries.next()? {
            allowed.insert(entry.digest);
            count += 1;
        }
        Ok(count)
    }

    /// Check that the session may read a chunk.
    ///
    /// # Errors
    /// `NotAllowed`, naming the digest.
    pub fn check(&self, digest: &Digest) -> Result<()> {
        let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        if allowed.contains(digest) {
            return Ok(());
        }
        Err(StoreError::NotAllowed(format!("download chunk {} not allowed", to_hex(digest))))
    }

    /// Open an allowed chunk, as stored.
    ///
    /// # Errors
    /// `NotAllowed`; `Io` when it is missing or unreadable.
    pub fn open(&self, digest: &Digest) -> Result<StoredChunk> {
        self.check(digest)?;
        self.store.open(digest)
    }
}
