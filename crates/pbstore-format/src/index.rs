//! What fixed and dynamic index files share (indexes.md).

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::{FormatError, Result};

/// Bytes before the entry table.
pub const HEADER_BYTES: usize = 4096;
/// Where the checksum lies in the header; written last, when a writer closes.
pub const CSUM_OFFSET: usize = 32;

/// A list of chunks that together are one archive.
///
/// `size` and `chunk_end` come from the file, `csum` is computed from the entries: a reader compares it, and the size,
/// with the manifest.
pub trait Index {
    /// Number of chunks.
    fn len(&self) -> usize;
    /// Whether there is no chunk at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Digest of chunk `index`.
    fn digest(&self, index: usize) -> Option<&Digest>;
    /// End of chunk `index` in the archive, exclusive.
    fn chunk_end(&self, index: usize) -> Option<u64>;
    /// Start of chunk `index` in the archive.
    fn chunk_start(&self, index: usize) -> Option<u64> {
        match index.checked_sub(1) {
            None if self.is_empty() => None,
            None => Some(0),
            Some(before) if index < self.len() => self.chunk_end(before),
            Some(_) => None,
        }
    }
    /// Plain length of chunk `index`.
    fn chunk_len(&self, index: usize) -> Option<u64> {
        self.chunk_end(index)?.checked_sub(self.chunk_start(index)?)
    }
    /// The chunk that holds the byte at `offset`.
    fn find(&self, offset: u64) -> Option<usize>;
    /// Bytes of the archive.
    fn size(&self) -> u64;
    /// Checksum over the entries, computed; the header's is not trusted.
    fn csum(&self) -> Digest;
    /// Random id of the index.
    fn uuid(&self) -> [u8; 16];
    /// When the index was made, in seconds since 1970; as the header says.
    fn ctime(&self) -> i64;
    /// All digests in order, repeated ones included.
    fn digests(&self) -> impl Iterator<Item = &Digest>
    where
        Self: Sized;
}

/// Checksum of an index that is being made: entries in, digest out.
#[derive(Clone, Default)]
pub struct IndexCsum(Sha256);

impl IndexCsum {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add the next chunk of a fixed index.
    pub fn add_fixed(&mut self, digest: &Digest) {
        self.0.update(digest);
    }

    /// Add the next chunk of a dynamic index; `end` is exclusive.
    pub fn add_dynamic(&mut self, end: u64, digest: &Digest) {
        self.0.update(end.to_le_bytes());
        self.0.update(digest);
    }

    /// The checksum.
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

/// Fields at the same place in both headers.
pub(crate) struct CommonHeader {
    pub(crate) uuid: [u8; 16],
    pub(crate) ctime: i64,
    pub(crate) csum: Digest,
}

impl CommonHeader {
    pub(crate) fn encode(&self, magic: [u8; 8]) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        let fields = magic.into_iter().chain(self.uuid).chain(self.ctime.to_le_bytes()).chain(self.csum);
        header.iter_mut().zip(fields).for_each(|(place, value)| *place = value);
        header
    }

    /// Returns the rest of the file behind the fixed fields, too.
    pub(crate) fn parse(file: &[u8], magic: [u8; 8], what: &str) -> Result<Self> {
        let header: &[u8; HEADER_BYTES] = file.first_chunk().ok_or_else(|| {
            FormatError::malformed(format!("no {what}: only {} bytes, the header has {HEADER_BYTES}", file.len()))
        })?;
        if field::<8>(header, 0) != magic {
            return Err(FormatError::malformed(format!("no {what}: wrong magic number")));
        }
        let (uuid, ctime) = (field(header, 8), i64::from_le_bytes(field(header, 24)));
        Ok(Self { uuid, ctime, csum: field(header, CSUM_OFFSET) })
    }
}

/// The `N` bytes at `offset`; zeros where `data` is too short.
pub(crate) fn field<const N: usize>(data: &[u8], offset: usize) -> [u8; N] {
    data.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}
