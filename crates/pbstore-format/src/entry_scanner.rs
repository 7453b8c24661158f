//! Reading an index entry by entry, for files that are too large to be held: header first, then each entry in order.

use crate::digest::Digest;
use crate::dynamic_index::{self, DynamicHeader};
use crate::fixed_index::{self, FixedHeader};
use crate::index::{field, IndexCsum, HEADER_BYTES};
use crate::{FormatError, Result};

/// One chunk of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// Digest of the chunk.
    pub digest: Digest,
    /// First byte of the chunk in the archive.
    pub start: u64,
    /// End in the archive, exclusive; at most 16 MiB behind `start`.
    pub end: u64,
}

/// Checks entries as the parsers of whole files do, and computes the checksum on the way.
#[derive(Clone)]
pub struct EntryScanner {
    fixed: Option<FixedHeader>,
    entry_count: u64,
    scanned: u64,
    end: u64,
    csum: IndexCsum,
}

impl EntryScanner {
    /// Read the header: the first 4096 bytes of a file that has `file_bytes` in all. Its magic tells the kind.
    ///
    /// # Errors
    /// `Malformed` for what is no index, or has a length that does not fit.
    pub fn new(header: &[u8], file_bytes: u64) -> Result<Self> {
        let is_fixed = header.starts_with(&fixed_index::MAGIC);
        let fixed = is_fixed.then(|| FixedHeader::parse(header, file_bytes)).transpose()?;
        if !is_fixed {
            DynamicHeader::parse(header, file_bytes)?;
        }
        let table_bytes = file_bytes.saturating_sub(HEADER_BYTES as u64);
        let mut scanner = Self { fixed, entry_count: 0, scanned: 0, end: 0, csum: IndexCsum::new() };
        scanner.entry_count = table_bytes / scanner.entry_bytes() as u64;
        Ok(scanner)
    }

    /// Bytes of one entry in the file.
    pub fn entry_bytes(&self) -> usize {
        if self.fixed.is_some() {
            fixed_index::ENTRY_BYTES
        } else {
            dynamic_index::ENTRY_BYTES
        }
    }

    /// Entries that are still to come.
    pub fn remaining(&self) -> u64 {
        self.entry_count - self.scanned
    }

    /// Read the next entry.
    ///
    /// # Errors
    /// `Malformed` for a chunk that cannot be, or when there should be no entry any more.
    pub fn scan(&mut self, entry: &[u8]) -> Result<IndexEntry> {
        if self.remaining() == 0 || entry.len() != self.entry_bytes() {
            return Err(FormatError::malformed(format!(
                "index has no entry {} of {} bytes",
                self.scanned,
                entry.len()
            )));
        }
        let start = self.end;
        let digest = match &self.fixed {
            Some(header) => {
                let digest = field(entry, 0);
                self.end = start.saturating_add(header.chunk_size).min(header.size);
                self.csum.add_fixed(&digest);
                digest
            }
            None => {
                let digest = field(entry, dynamic_index::DIGEST_OFFSET);
                self.end = dynamic_index::check_end(self.scanned, start, u64::from_le_bytes(field(entry, 0)))?;
                self.csum.add_dynamic(self.end, &digest);
                digest
            }
        };
        self.scanned += 1;
        Ok(IndexEntry { digest, start, end: self.end })
    }

    /// Bytes of the archive up to the last entry that was read.
    pub fn size(&self) -> u64 {
        self.end
    }

    /// Checksum over the entries that were read: what the manifest says, after the last one.
    pub fn csum(self) -> Digest {
        self.csum.finish()
    }
}
