//! Writer of `.fidx` files: any order, known or growing size, or based on a previous index (indexes.md 4 and 5.2).

use std::path::Path;

use pbstore_format::fixed_index::{FixedHeader, CHUNK_SIZE, ENTRY_BYTES};
use pbstore_format::index::{IndexCsum, HEADER_BYTES};
use pbstore_format::{digest::to_hex, Digest, FixedIndex, Index};

use crate::index_file::{Identity, IndexFile, Placement};
use crate::{IndexStats, Result, StoreError};

const EXTENSION: &str = "tmp_fidx";
const HEADER: u64 = HEADER_BYTES as u64;
const ENTRY: u64 = ENTRY_BYTES as u64;
/// Entries read at once for the checksum.
const BATCH: u64 = 32 << 10;

/// Where the size of the image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Told beforehand.
    Announced,
    /// The end of the last chunk so far; final once a short chunk came.
    Growing,
    /// Told beforehand; all digests were copied from a previous index.
    Reused,
}

/// A fixed index that is being written. Entries lie in the file, so a huge announced size costs no memory.
pub struct FixedIndexWriter {
    index: IndexFile,
    identity: Identity,
    extent: Extent,
    size: u64,
    appended: u64,
}

impl FixedIndexWriter {
    /// `size` is None for an image whose size shows only at its end.
    pub(crate) fn create(target: &Path, size: Option<u64>, identity: Identity, placement: Placement) -> Result<Self> {
        if size == Some(0) {
            return Err(StoreError::refused("fixed index of size 0: an empty image cannot be stored"));
        }
        let extent = if size.is_some() { Extent::Announced } else { Extent::Growing };
        let size = size.unwrap_or(0);
        let index = IndexFile::create(target, EXTENSION, placement)?;
        let writer = Self { index, identity, extent, size, appended: 0 };
        writer.index.set_len(HEADER + writer.entry_count() * ENTRY)?;
        writer.index.write_at(&writer.header([0; 32]), 0)?;
        Ok(writer)
    }

    /// Start from the digests of `base`, which the client knows by `csum`.
    pub(crate) fn reuse(mut self, base: &FixedIndex, csum: &Digest) -> Result<Self> {
        let found = base.csum();
        if found != *csum {
            let text = format!("cannot reuse index: expected csum {} doesn't match {}", to_hex(csum), to_hex(&found));
            return Err(StoreError::Refused(text));
        }
        let entries = u64::try_from(base.len()).unwrap_or(u64::MAX);
        if base.chunk_size() != CHUNK_SIZE || entries != self.entry_count() {
            let text = format!("cannot reuse index: it has {entries} chunks, expected {}", self.entry_count());
            return Err(StoreError::Refused(text));
        }
        self.index.write_at(base.file().get(HEADER_BYTES..).unwrap_or_default(), HEADER)?;
        self.extent = Extent::Reused;
        Ok(self)
    }

    pub(crate) fn target(&self) -> &Path {
        self.index.target()
    }

    /// Set the entry of the chunk that starts at `offset`.
    pub(crate) fn append(&mut self, digest: &Digest, offset: u64, length: u64) -> Result<()> {
        let end = offset.checked_add(length);
        let end = end.ok_or_else(|| StoreError::refused(format!("chunk at {offset} ends beyond all images")))?;
        let size = self.size_with(end)?;
        if end != size && length != CHUNK_SIZE {
            let text =
                format!("chunk at {offset} has {length} bytes: only the last one may be shorter than {CHUNK_SIZE}");
            return Err(StoreError::Refused(text));
        }
        if length == 0 || length > CHUNK_SIZE {
            return Err(StoreError::Refused(format!("chunk at {offset} has impossible length {length}")));
        }
        if offset % CHUNK_SIZE != 0 {
            return Err(StoreError::Refused(format!("chunk offset {offset} is not a multiple of {CHUNK_SIZE}")));
        }
        self.index.write_at(digest, HEADER + offset / CHUNK_SIZE * ENTRY)?;
        self.size = size;
        self.appended = self.appended.saturating_add(1);
        Ok(())
    }

    /// Size of the image once it holds a chunk that ends at `end`.
    fn size_with(&self, end: u64) -> Result<u64> {
        if end <= self.size {
            return Ok(self.size);
        }
        if self.extent == Extent::Growing && self.size % CHUNK_SIZE == 0 {
            return Ok(end);
        }
        Err(StoreError::Refused(format!("chunk ends at {end}, behind the image's end at {}", self.size)))
    }

    /// Check the client's view, then give the file its name. After an error the writer can go on.
    pub(crate) fn close(&mut self, chunk_count: u64, size: u64, csum: &Digest) -> Result<IndexStats> {
        if chunk_count != self.appended {
            let text = format!("fixed writer has {} appended chunks, client says {chunk_count}", self.appended);
            return Err(StoreError::Refused(text));
        }
        if self.extent != Extent::Reused {
            self.check_complete(size)?;
        }
        let computed = self.csum()?;
        if computed != *csum {
            let text = format!("fixed writer has checksum {}, client says {}", to_hex(&computed), to_hex(csum));
            return Err(StoreError::Refused(text));
        }
        self.index.set_len(HEADER + self.entry_count() * ENTRY)?;
        self.index.publish(&self.header(computed))?;
        let (uuid, uploads) = (self.identity.uuid, Default::default());
        Ok(IndexStats { uuid, csum: computed, size: self.size, chunk_count: self.appended, uploads })
    }

    fn check_complete(&self, size: u64) -> Result<()> {
        let entries = self.entry_count();
        if entries == 0 {
            return Err(StoreError::refused("fixed writer has no chunks: an empty image cannot be stored"));
        }
        if self.appended != entries {
            let text = format!("fixed writer got {} chunks, an image of this size has {entries}", self.appended);
            return Err(StoreError::Refused(text));
        }
        if size != self.size {
            return Err(StoreError::Refused(format!("fixed writer has {} bytes, client says {size}", self.size)));
        }
        Ok(())
    }

    /// Checksum over the table as it lies in the file; an entry that was never set is refused, as it names no chunk.
    fn csum(&self) -> Result<Digest> {
        let mut csum = IndexCsum::new();
        let mut batch = Vec::new();
        let mut first = 0;
        while first < self.entry_count() {
            let count = BATCH.min(self.entry_count() - first);
            batch.resize(usize::try_from(count * ENTRY).unwrap_or(0), 0);
            self.index.read_at(&mut batch, HEADER + first * ENTRY)?;
            for (digest, number) in batch.chunks_exact(ENTRY_BYTES).filter_map(|entry| entry.first_chunk()).zip(first..)
            {
                if *digest == [0; 32] {
                    return Err(StoreError::Refused(format!("fixed writer got no chunk for entry {number}")));
                }
                csum.add_fixed(digest);
            }
            first += count;
        }
        Ok(csum.finish())
    }

    fn entry_count(&self) -> u64 {
        self.size.div_ceil(CHUNK_SIZE)
    }

    fn header(&self, csum: Digest) -> [u8; HEADER_BYTES] {
        let Identity { uuid, ctime } = self.identity;
        FixedHeader { uuid, ctime, csum, size: self.size, chunk_size: CHUNK_SIZE }.encode()
    }
}
