//! Data blobs: the container of chunks and small files (blobs-and-chunks.md 1).

mod open;
mod seal;

use crate::{FormatError, Result};

pub use open::{open, verify_plain_chunk, Opener};
pub use seal::{seal, Sealer};

/// Most plain bytes of one chunk.
pub const MAX_CHUNK_BYTES: usize = 16 << 20;
/// Most bytes of an encoded blob on the wire.
pub const MAX_BLOB_BYTES: usize = MAX_CHUNK_BYTES + ENCRYPTED_HEADER;
/// Most bytes that go into one blob at all.
pub const MAX_INPUT_BYTES: usize = 128 << 20;
/// Header of plain blobs: magic and CRC-32.
pub const PLAIN_HEADER: usize = 12;
/// Header of encrypted blobs: magic, CRC-32, IV and tag.
pub const ENCRYPTED_HEADER: usize = 44;

/// Where the CRC-32 of the payload lies in the header, little-endian.
pub const CRC_OFFSET: usize = 8;

/// What is inside a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobKind {
    /// The data as it is.
    Plain,
    /// zstd frames.
    Compressed,
    /// Ciphertext of the data.
    Encrypted,
    /// Ciphertext of zstd frames.
    EncryptedCompressed,
}

impl BlobKind {
    const ALL: [Self; 4] = [Self::Plain, Self::Compressed, Self::Encrypted, Self::EncryptedCompressed];

    pub(crate) fn of(encrypted: bool, compressed: bool) -> Self {
        match (encrypted, compressed) {
            (false, false) => Self::Plain,
            (false, true) => Self::Compressed,
            (true, false) => Self::Encrypted,
            (true, true) => Self::EncryptedCompressed,
        }
    }

    /// The first eight bytes of the blob.
    pub fn magic(self) -> [u8; 8] {
        match self {
            Self::Plain => [0x42, 0xab, 0x38, 0x07, 0xbe, 0x83, 0x70, 0xa1],
            Self::Compressed => [0x31, 0xb9, 0x58, 0x42, 0x6f, 0xb6, 0xa3, 0x7f],
            Self::Encrypted => [0x7b, 0x67, 0x85, 0xbe, 0x22, 0x2d, 0x4c, 0xf0],
            Self::EncryptedCompressed => [0xe6, 0x59, 0x1b, 0xbf, 0x0b, 0xbf, 0xd8, 0x0b],
        }
    }

    /// Bytes before the payload.
    pub fn header_len(self) -> usize {
        if self.is_encrypted() {
            ENCRYPTED_HEADER
        } else {
            PLAIN_HEADER
        }
    }

    /// Whether a key is needed to open it.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Encrypted | Self::EncryptedCompressed)
    }

    /// Whether the payload is zstd.
    pub fn is_compressed(self) -> bool {
        matches!(self, Self::Compressed | Self::EncryptedCompressed)
    }

    /// Name for messages and bindings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Compressed => "compressed",
            Self::Encrypted => "encrypted",
            Self::EncryptedCompressed => "encrypted-compressed",
        }
    }
}

/// Read the kind from the magic; the whole header must be there.
///
/// # Errors
/// `Malformed`: unknown magic or too short.
pub fn kind(blob: &[u8]) -> Result<BlobKind> {
    let magic: [u8; 8] = blob.first_chunk().copied().ok_or_else(|| too_short(blob))?;
    let kind = BlobKind::ALL.into_iter().find(|kind| kind.magic() == magic);
    let kind = kind.ok_or_else(|| FormatError::malformed("no data blob: unknown magic number"))?;
    if blob.len() < kind.header_len() {
        return Err(too_short(blob));
    }
    Ok(kind)
}

/// Compare the CRC-32 in the header with that of the payload.
///
/// # Errors
/// `Checksum` if they differ, `Malformed` if it is no blob.
pub fn check_crc(blob: &[u8]) -> Result<()> {
    let (_, payload) = split(blob)?;
    let stored = blob.get(CRC_OFFSET..).and_then(|rest| rest.first_chunk()).ok_or_else(|| too_short(blob))?;
    let expected = u32::from_le_bytes(*stored);
    let found = crc32fast::hash(payload);
    if expected != found {
        return Err(FormatError::Checksum { expected, found });
    }
    Ok(())
}

/// Write the CRC-32 of the payload into the header, as a server does with every uploaded chunk.
///
/// # Errors
/// `Malformed` if it is no blob.
pub fn stamp_crc(blob: &mut [u8]) -> Result<()> {
    let (_, payload) = split(blob)?;
    let crc = crc32fast::hash(payload).to_le_bytes();
    if let Some(field) = blob.get_mut(CRC_OFFSET..CRC_OFFSET + crc.len()) {
        field.copy_from_slice(&crc);
    }
    Ok(())
}

/// Kind and payload.
fn split(blob: &[u8]) -> Result<(BlobKind, &[u8])> {
    let kind = kind(blob)?;
    let payload = blob.get(kind.header_len()..).ok_or_else(|| too_short(blob))?;
    Ok((kind, payload))
}

fn too_short(blob: &[u8]) -> FormatError {
    FormatError::malformed(format!("no data blob: only {} bytes", blob.len()))
}
