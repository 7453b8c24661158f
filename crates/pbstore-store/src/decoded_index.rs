//! The content of an archive, decoded by the server: for downloads by people, who have no client at hand.

use std::path::Path;
use std::sync::Arc;

use pbstore_format::digest::to_hex;
use pbstore_format::{Digest, IndexEntry};

use crate::index_entries::IndexEntries;
use crate::plain_chunk::read_plain_chunk;
use crate::{ChunkStore, Result};

/// The chunks of an index in order, each read, checked and decoded when its turn comes. Nothing is kept between them.
pub struct DecodedIndex {
    store: Arc<dyn ChunkStore>,
    entries: IndexEntries,
    next: Option<IndexEntry>,
    bytes: u64,
}

impl DecodedIndex {
    /// Open an index whose manifest promises this checksum and size; all entries are looked at first.
    ///
    /// # Errors
    /// `Format` for what is no index or not the promised one; `Io`.
    pub fn open(store: Arc<dyn ChunkStore>, path: &Path, csum: &Digest, bytes: u64) -> Result<Self> {
        let mut entries = IndexEntries::open_promised(path, csum, bytes)?;
        let next = entries.next()?;
        Ok(Self { store, entries, next, bytes })
    }

    /// Bytes of the whole archive.
    pub fn size(&self) -> u64 {
        self.bytes
    }

    /// Bytes of the next chunk, at most 16 MiB; 0 behind the last one.
    pub fn next_len(&self) -> usize {
        self.next.map_or(0, |entry| usize::try_from(entry.end - entry.start).unwrap_or(usize::MAX))
    }

    /// Read, check and decode the next chunk; empty behind the last one.
    ///
    /// # Errors
    /// `Chunk` for one that is damaged, encrypted or not what its digest says; `Io`. It stays the next one.
    pub fn next_chunk(&mut self) -> Result<Vec<u8>> {
        let Some(entry) = self.next else { return Ok(Vec::new()) };
        let data = read_plain_chunk(&*self.store, &entry)?;
        self.next = self.entries.next()?;
        Ok(data)
    }
}

impl std::fmt::Debug for DecodedIndex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let next = self.next.map(|entry| to_hex(&entry.digest));
        formatter.debug_struct("DecodedIndex").field("path", &self.entries.path()).field("next", &next).finish()
    }
}
