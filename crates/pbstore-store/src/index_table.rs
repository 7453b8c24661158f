//! The table of a dynamic index, looked up in its file: in constant memory however many chunks there are.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pbstore_format::blob::MAX_CHUNK_BYTES;
use pbstore_format::dynamic_index::{DynamicHeader, ENTRY_BYTES};
use pbstore_format::index::HEADER_BYTES;
use pbstore_format::{Digest, FormatError, IndexEntry};

use crate::index_entries::IndexEntries;
use crate::{Result, StoreError};

/// An open index whose entries were all looked at. It may be replaced meanwhile: this one goes on with what it opened.
pub struct IndexTable {
    path: PathBuf,
    file: File,
    chunk_count: u64,
    bytes: u64,
}

impl IndexTable {
    /// Open a dynamic index whose manifest promises this checksum and size.
    ///
    /// # Errors
    /// `Format` for what is no dynamic index or not as large; `Index` for another checksum; `Io`.
    pub fn open(path: &Path, csum: &Digest, bytes: u64) -> Result<Self> {
        let (file, file_bytes) = IndexEntries::open_promised(path, csum, bytes)?.into_file();
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(StoreError::io("read index", path))?;
        DynamicHeader::parse(&header, file_bytes)?;
        let chunk_count = (file_bytes - HEADER_BYTES as u64) / ENTRY_BYTES as u64;
        Ok(Self { path: path.to_owned(), file, chunk_count, bytes })
    }

    /// Bytes of the archive.
    pub fn size(&self) -> u64 {
        self.bytes
    }

    /// The chunk that holds the byte at `offset`; None behind the end.
    ///
    /// # Errors
    /// `Io`; `Format` when somebody writes into the file.
    pub fn find(&self, offset: u64) -> Result<Option<IndexEntry>> {
        let (mut low, mut high) = (0, self.chunk_count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.1 > offset {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if low == self.chunk_count {
            return Ok(None);
        }
        let start = if low == 0 { 0 } else { self.entry(low - 1)?.1 };
        let (digest, end) = self.entry(low)?;
        let is_possible = start <= offset && offset < end && end - start <= MAX_CHUNK_BYTES as u64;
        let changed = || FormatError::malformed(format!("{} was changed while it was read", self.path.display()));
        is_possible.then_some(Some(IndexEntry { digest, start, end })).ok_or_else(|| changed().into())
    }

    /// Digest of a chunk, and where it ends.
    fn entry(&self, number: u64) -> Result<(Digest, u64)> {
        let mut entry = [0; ENTRY_BYTES];
        let offset = HEADER_BYTES as u64 + number * ENTRY_BYTES as u64;
        self.file.read_exact_at(&mut entry, offset).map_err(StoreError::io("read index", &self.path))?;
        let (end, digest) = entry.split_at(8);
        let end = end.try_into().map_or(0, u64::from_le_bytes);
        Ok((digest.try_into().unwrap_or_default(), end))
    }
}

impl std::fmt::Debug for IndexTable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("IndexTable").field("path", &self.path).field("bytes", &self.bytes).finish()
    }
}
