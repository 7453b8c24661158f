//! Dynamic index files, `.didx`: archive streams cut by content (indexes.md 2).

use bytes::Bytes;

use crate::blob::MAX_CHUNK_BYTES;
use crate::digest::{sha256, Digest};
use crate::index::{field, CommonHeader, Index, HEADER_BYTES};
use crate::{FormatError, Result};

/// Bytes of an entry: end offset and digest.
pub const ENTRY_BYTES: usize = 40;
/// First bytes of the file.
pub const MAGIC: [u8; 8] = [0x1c, 0x91, 0x4e, 0xa5, 0x19, 0xba, 0xb3, 0xcd];

pub(crate) const DIGEST_OFFSET: usize = 8;

/// What a writer puts in front of the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DynamicHeader {
    /// Random id.
    pub uuid: [u8; 16],
    /// Seconds since 1970.
    pub ctime: i64,
    /// Checksum over all entries; zeros until the writer closes.
    pub csum: Digest,
}

impl DynamicHeader {
    /// Read it from the first bytes of a file that has `file_bytes` in all.
    ///
    /// # Errors
    /// `Malformed`: wrong magic, or a length that is no whole number of entries.
    pub fn parse(head: &[u8], file_bytes: u64) -> Result<Self> {
        let CommonHeader { uuid, ctime, csum } = CommonHeader::parse(head, MAGIC, "dynamic index")?;
        let table_bytes = file_bytes.saturating_sub(HEADER_BYTES as u64);
        if table_bytes % ENTRY_BYTES as u64 != 0 {
            let text = format!("dynamic index has a table of wrong length {table_bytes}");
            return Err(FormatError::malformed(text));
        }
        Ok(Self { uuid, ctime, csum })
    }

    /// The 4096 bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        CommonHeader { uuid: self.uuid, ctime: self.ctime, csum: self.csum }.encode(MAGIC)
    }
}

/// Return `end` if chunk `number` can reach from `start` to it.
pub(crate) fn check_end(number: u64, start: u64, end: u64) -> Result<u64> {
    if end <= start || end - start > MAX_CHUNK_BYTES as u64 {
        let text = format!("dynamic index has an impossible chunk {number}, from {start} to {end}");
        return Err(FormatError::malformed(text));
    }
    Ok(end)
}

/// One entry: `end` is the exclusive end of the chunk in the archive.
pub fn encode_entry(end: u64, digest: &Digest) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    let fields = end.to_le_bytes().into_iter().chain(*digest);
    entry.iter_mut().zip(fields).for_each(|(place, value)| *place = value);
    entry
}

/// A whole file for the given chunks, each with its end; the header's `csum` is replaced by the right one.
///
/// # Errors
/// `Malformed` for ends that [`DynamicIndex::parse`] would refuse.
pub fn encode_file(header: DynamicHeader, entries: &[(u64, Digest)]) -> Result<Vec<u8>> {
    let table: Vec<u8> = entries.iter().flat_map(|(end, digest)| encode_entry(*end, digest)).collect();
    let csum = sha256(&table);
    let file = [&DynamicHeader { csum, ..header }.encode()[..], &table].concat();
    let index = DynamicIndex::parse(file)?;
    Ok(index.file.into())
}

/// A `.didx` file in memory.
#[derive(Debug, Clone)]
pub struct DynamicIndex {
    file: Bytes,
    header: DynamicHeader,
}

impl DynamicIndex {
    /// Read a whole file.
    ///
    /// # Errors
    /// `Malformed`: wrong magic, a length that is no whole number of entries, ends that do not increase, or a chunk
    /// longer than any chunk can be.
    pub fn parse(file: impl Into<Bytes>) -> Result<Self> {
        let file = file.into();
        let index = Self { header: DynamicHeader::parse(&file, file.len() as u64)?, file };
        let mut start = 0;
        for (number, entry) in index.table().chunks_exact(ENTRY_BYTES).enumerate() {
            start = check_end(number as u64, start, u64::from_le_bytes(field(entry, 0)))?;
        }
        Ok(index)
    }

    /// The header as stored; its checksum is not trusted.
    pub fn header(&self) -> &DynamicHeader {
        &self.header
    }

    /// The whole file.
    pub fn file(&self) -> &Bytes {
        &self.file
    }

    fn table(&self) -> &[u8] {
        self.file.get(HEADER_BYTES..).unwrap_or_default()
    }

    fn entry(&self, index: usize) -> Option<&[u8; ENTRY_BYTES]> {
        self.table().get(index.checked_mul(ENTRY_BYTES)?..)?.first_chunk()
    }
}

impl Index for DynamicIndex {
    fn len(&self) -> usize {
        self.table().len() / ENTRY_BYTES
    }

    fn digest(&self, index: usize) -> Option<&Digest> {
        self.entry(index)?.last_chunk()
    }

    fn chunk_end(&self, index: usize) -> Option<u64> {
        self.entry(index).map(|entry| u64::from_le_bytes(field(entry, 0)))
    }

    fn find(&self, offset: u64) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.chunk_end(middle)? > offset {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        (low < self.len()).then_some(low)
    }

    fn size(&self) -> u64 {
        self.len().checked_sub(1).and_then(|last| self.chunk_end(last)).unwrap_or(0)
    }

    fn csum(&self) -> Digest {
        sha256(self.table())
    }

    fn uuid(&self) -> [u8; 16] {
        self.header.uuid
    }

    fn ctime(&self) -> i64 {
        self.header.ctime
    }

    fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.table().chunks_exact(ENTRY_BYTES).filter_map(|entry| entry.get(DIGEST_OFFSET..)?.first_chunk())
    }
}
