//! Fixed index files, `.fidx`: block images cut every 4 MiB (indexes.md 1).

use bytes::Bytes;

use crate::blob::MAX_CHUNK_BYTES;
use crate::digest::{sha256, Digest};
use crate::index::{field, CommonHeader, Index, HEADER_BYTES};
use crate::{FormatError, Result};

/// Bytes of a chunk in every index made through the backup protocol.
pub const CHUNK_SIZE: u64 = 4 << 20;
/// Bytes of an entry: the digest.
pub const ENTRY_BYTES: usize = 32;
/// First bytes of the file.
pub const MAGIC: [u8; 8] = [0x2f, 0x7f, 0x41, 0xed, 0x91, 0xfd, 0x0f, 0xcd];

const SIZE_OFFSET: usize = 64;
const CHUNK_SIZE_OFFSET: usize = 72;

/// What a writer puts in front of the digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedHeader {
    /// Random id.
    pub uuid: [u8; 16],
    /// Seconds since 1970.
    pub ctime: i64,
    /// Checksum over all digests; zeros until the writer closes.
    pub csum: Digest,
    /// Bytes of the image.
    pub size: u64,
    /// Bytes of each chunk but the last.
    pub chunk_size: u64,
}

impl FixedHeader {
    /// Read it from the first bytes of a file that has `file_bytes` in all.
    ///
    /// # Errors
    /// `Malformed`: wrong magic, sizes that cannot be, or a length that does not fit the sizes.
    pub fn parse(head: &[u8], file_bytes: u64) -> Result<Self> {
        let CommonHeader { uuid, ctime, csum } = CommonHeader::parse(head, MAGIC, "fixed index")?;
        let size = u64::from_le_bytes(field(head, SIZE_OFFSET));
        let chunk_size = u64::from_le_bytes(field(head, CHUNK_SIZE_OFFSET));
        if !chunk_size.is_power_of_two() || chunk_size > MAX_CHUNK_BYTES as u64 {
            return Err(FormatError::malformed(format!("fixed index has impossible chunk size {chunk_size}")));
        }
        let expected = size.div_ceil(chunk_size).checked_mul(ENTRY_BYTES as u64);
        let found = file_bytes.saturating_sub(HEADER_BYTES as u64);
        if size == 0 || expected != Some(found) {
            let text = format!("fixed index of {size} bytes has a table of wrong length {found}");
            return Err(FormatError::malformed(text));
        }
        Ok(Self { uuid, ctime, csum, size, chunk_size })
    }

    /// The 4096 bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut header = CommonHeader { uuid: self.uuid, ctime: self.ctime, csum: self.csum }.encode(MAGIC);
        let sizes = self.size.to_le_bytes().into_iter().chain(self.chunk_size.to_le_bytes());
        header.iter_mut().skip(SIZE_OFFSET).zip(sizes).for_each(|(place, value)| *place = value);
        header
    }
}

/// Number of chunks of an image.
pub fn chunk_count(size: u64, chunk_size: u64) -> Option<u64> {
    (chunk_size > 0).then(|| size.div_ceil(chunk_size))
}

/// A whole file for the given chunks; the header's `csum` is replaced by the right one.
///
/// # Errors
/// `Malformed` if the number of digests does not fit the sizes, or [`FixedIndex::parse`] would refuse them.
pub fn encode_file(header: FixedHeader, digests: &[Digest]) -> Result<Vec<u8>> {
    let csum = sha256(digests.as_flattened());
    let mut file = FixedHeader { csum, ..header }.encode().to_vec();
    file.extend_from_slice(digests.as_flattened());
    let index = FixedIndex::parse(file)?;
    Ok(index.file.into())
}

/// A `.fidx` file in memory.
#[derive(Debug, Clone)]
pub struct FixedIndex {
    file: Bytes,
    header: FixedHeader,
}

impl FixedIndex {
    /// Read a whole file.
    ///
    /// # Errors
    /// `Malformed`: wrong magic, sizes that cannot be, or a length that does not fit the sizes.
    pub fn parse(file: impl Into<Bytes>) -> Result<Self> {
        let file = file.into();
        let header = FixedHeader::parse(&file, file.len() as u64)?;
        Ok(Self { file, header })
    }

    /// The header as stored; its checksum is not trusted.
    pub fn header(&self) -> &FixedHeader {
        &self.header
    }

    /// Bytes of each chunk but the last.
    pub fn chunk_size(&self) -> u64 {
        self.header.chunk_size
    }

    /// The whole file.
    pub fn file(&self) -> &Bytes {
        &self.file
    }

    fn table(&self) -> &[u8] {
        self.file.get(HEADER_BYTES..).unwrap_or_default()
    }
}

impl Index for FixedIndex {
    fn len(&self) -> usize {
        self.table().len() / ENTRY_BYTES
    }

    fn digest(&self, index: usize) -> Option<&Digest> {
        self.table().get(index.checked_mul(ENTRY_BYTES)?..)?.first_chunk()
    }

    fn chunk_end(&self, index: usize) -> Option<u64> {
        let end = (index as u64).checked_add(1)?.checked_mul(self.header.chunk_size)?;
        (index < self.len()).then(|| end.min(self.header.size))
    }

    fn find(&self, offset: u64) -> Option<usize> {
        let index = usize::try_from(offset / self.header.chunk_size).ok()?;
        (offset < self.header.size).then_some(index)
    }

    fn size(&self) -> u64 {
        self.header.size
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
        self.table().chunks_exact(ENTRY_BYTES).filter_map(|entry| entry.first_chunk())
    }
}
