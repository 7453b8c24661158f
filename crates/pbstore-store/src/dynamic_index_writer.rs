//! Writer of `.didx` files: strictly sequential (indexes.md 4 and 5.1).

use std::path::Path;

use pbstore_format::dynamic_index::{encode_entry, DynamicHeader};
use pbstore_format::index::{IndexCsum, HEADER_BYTES};
use pbstore_format::{digest::to_hex, Digest};

use crate::index_file::{Identity, IndexFile, Placement};
use crate::{IndexStats, Result, StoreError};

const EXTENSION: &str = "tmp_didx";
/// Entries are written in pieces of about this size.
const BUFFER_BYTES: usize = 64 << 10;

/// A dynamic index that is being written.
pub struct DynamicIndexWriter {
    index: IndexFile,
    identity: Identity,
    csum: IndexCsum,
    end: u64,
    appended: u64,
    buffer: Vec<u8>,
    written: u64,
}

impl DynamicIndexWriter {
    pub(crate) fn create(target: &Path, identity: Identity, placement: Placement) -> Result<Self> {
        let index = IndexFile::create(target, EXTENSION, placement)?;
        let header = DynamicHeader { uuid: identity.uuid, ctime: identity.ctime, csum: [0; 32] }.encode();
        let (csum, buffer) = (IndexCsum::new(), header.to_vec());
        Ok(Self { index, identity, csum, end: 0, appended: 0, buffer, written: 0 })
    }

    pub(crate) fn target(&self) -> &Path {
        self.index.target()
    }

    /// Add the chunk that starts at `offset`, which must be the current end.
    pub(crate) fn append(&mut self, digest: &Digest, offset: u64, length: u64) -> Result<()> {
        if offset != self.end {
            let text = format!("dynamic append at unexpected offset {offset}: the index ends at {}", self.end);
            return Err(StoreError::Refused(text));
        }
        let end = offset.checked_add(length).filter(|&end| end > offset);
        let end =
            end.ok_or_else(|| StoreError::refused(format!("chunk at {offset} has impossible length {length}")))?;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(&encode_entry(end, digest));
        self.csum.add_dynamic(end, digest);
        self.end = end;
        self.appended = self.appended.saturating_add(1);
        Ok(())
    }

    /// Check the client's view, then give the file its name. After an error the writer can go on.
    pub(crate) fn close(&mut self, chunk_count: u64, size: u64, csum: &Digest) -> Result<IndexStats> {
        if chunk_count != self.appended {
            let text = format!("dynamic writer has {} chunks, client says {chunk_count}", self.appended);
            return Err(StoreError::Refused(text));
        }
        if size != self.end {
            return Err(StoreError::Refused(format!("dynamic writer has {} bytes, client says {size}", self.end)));
        }
        if self.appended == 0 {
            return Err(StoreError::refused("dynamic writer has no chunks: an empty archive cannot be stored"));
        }
        let computed = self.csum.clone().finish();
        if computed != *csum {
            let text = format!("dynamic writer has checksum {}, client says {}", to_hex(&computed), to_hex(csum));
            return Err(StoreError::Refused(text));
        }
        self.flush()?;
        let Identity { uuid, ctime } = self.identity;
        self.index.publish(&DynamicHeader { uuid, ctime, csum: computed }.encode())?;
        let uploads = Default::default();
        Ok(IndexStats { uuid, csum: computed, size: self.end, chunk_count: self.appended, uploads })
    }

    fn flush(&mut self) -> Result<()> {
        self.index.write_at(&self.buffer, self.written)?;
        self.written = self.written.saturating_add(u64::try_from(self.buffer.len()).unwrap_or(0));
        self.buffer.clear();
        Ok(())
    }
}

// The header is the first thing in the buffer, so a flush never splits it.
const _: () = assert!(HEADER_BYTES < BUFFER_BYTES);
