//! What can be wrong with a chunk that an index refers to, and finding it out.

use std::io;

use pbstore_format::blob::{self, MAX_CHUNK_BYTES};
use pbstore_format::digest::{sha256, to_hex};
use pbstore_format::{Digest, FormatError, Opener};
use rustix::io::Errno;

use crate::{Result, StoreError};

/// What an index says of a chunk.
pub(super) struct Expected<'a> {
    pub(super) digest: &'a Digest,
    pub(super) plain_bytes: u64,
    pub(super) is_encrypted: bool,
}

/// Why a chunk did not pass.
pub(super) enum Fault {
    /// There is no such chunk.
    Missing(String),
    /// It is no blob, or not one that can be trusted: nothing can be restored from it.
    Damaged(String),
    /// It is a good blob of other data than its name says.
    WrongData(String),
    /// It could not be judged, which says nothing about the chunk (too many open files, no memory).
    Unreadable(String),
    /// The chunk is good, but it is not what this index means.
    Unfit(String),
}

impl Fault {
    /// Whether the chunk itself is bad, whatever index refers to it.
    pub(super) fn is_corruption(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::WrongData(_))
    }

    /// Whether a blob was read whose checksum is right.
    pub(super) fn is_loaded(&self) -> bool {
        matches!(self, Self::WrongData(_) | Self::Unfit(_))
    }

    /// The line of the task log.
    pub(super) fn describe(&self, digest: &Digest) -> String {
        let name = to_hex(digest);
        match self {
            Self::Missing(reason) | Self::Damaged(reason) | Self::Unreadable(reason) => {
                format!("can't verify chunk, load failed - unable to load chunk '{name}' - {reason}")
            }
            Self::WrongData(reason) => format!("detected chunk with wrong digest: '{name}' - {reason}"),
            Self::Unfit(reason) => format!("chunk '{name}' does not fit - {reason}"),
        }
    }

    /// Only a disk that cannot give the bytes condemns a chunk.
    fn of_load(error: &StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Self::Missing(text),
            StoreError::Io { source, .. } if source.raw_os_error() != Some(Errno::IO.raw_os_error()) => {
                Self::Unreadable(text)
            }
            _ => Self::Damaged(text),
        }
    }
}

/// Check what loading a chunk gave. Of encrypted chunks only the CRC and the kind can be.
pub(super) fn judge(opener: &mut Opener, loaded: &Result<Vec<u8>>, expected: &Expected<'_>) -> Result<(), Fault> {
    let blob = loaded.as_ref().map_err(Fault::of_load)?;
    let damaged = |error: FormatError| Fault::Damaged(error.to_string());
    blob::check_crc(blob).map_err(damaged)?;
    let is_encrypted = blob::kind(blob).map_err(damaged)?.is_encrypted();
    if is_encrypted != expected.is_encrypted {
        let text = |encrypted| if encrypted { "encrypted" } else { "not encrypted" };
        let (found, wanted) = (text(is_encrypted), text(expected.is_encrypted));
        return Err(Fault::Unfit(format!("the chunk is {found}, the file is {wanted}")));
    }
    if is_encrypted {
        return Ok(());
    }
    let size = usize::try_from(expected.plain_bytes).unwrap_or(usize::MAX);
    match opener.verify_plain_chunk(blob, expected.digest, size) {
        Ok(()) => Ok(()),
        Err(FormatError::Internal(text)) => Err(Fault::Unreadable(text)),
        Err(error @ (FormatError::WrongLength { .. } | FormatError::TooLarge { .. })) => {
            Err(judge_length(opener, blob, expected, &error))
        }
        Err(error) => Err(Fault::WrongData(error.to_string())),
    }
}

/// A chunk with the right content but another length than the index says is good: the index is wrong.
fn judge_length(opener: &mut Opener, blob: &[u8], expected: &Expected<'_>, error: &FormatError) -> Fault {
    match opener.open(blob, MAX_CHUNK_BYTES) {
        Ok(data) if sha256(&data) == *expected.digest => {
            let (found, wanted) = (data.len(), expected.plain_bytes);
            Fault::Unfit(format!("the chunk has {found} bytes, the index says {wanted}"))
        }
        _ => Fault::WrongData(error.to_string()),
    }
}
