//! Puts an archive together again from its index and a directory of chunks, without a server (cli-manager.md 4).

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pbstore_format::{
    blob, chunk_digest, dynamic_index, fixed_index, CryptKey, Digest, DynamicIndex, FixedIndex, FormatError, Index,
    Opener,
};
use thiserror::Error;

use crate::local_chunk_store::{chunk_path, open_chunk};
use crate::{RecoveryOutput, Result, StoreError};

/// Largest index file that is read: that of an image of 128 TiB.
const MAX_INDEX_BYTES: u64 = 1 << 30;

/// What a recovery makes of damage.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecoveryOptions {
    /// Take chunks as they are: neither CRC nor digest is compared. Lengths and authentication tags still are.
    pub skip_checksums: bool,
    /// Write zeros in place of chunks that are not there.
    pub ignore_missing: bool,
    /// Write zeros in place of chunks that cannot be read or do not hold what the index says.
    pub ignore_corrupt: bool,
}

/// Why a recovery ended.
#[derive(Debug, Error)]
pub enum RecoveryError {
    /// The index cannot be read, or is none.
    #[error(transparent)]
    Index(#[from] StoreError),
    /// A chunk is not there.
    #[error("could not open chunk file - {source}: {path:?}, bytes {}..{} of the archive", place.start, place.end)]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
        /// Where its data belongs.
        place: Range<u64>,
        /// What the system said.
        source: io::Error,
    },
    /// A chunk may be good, but this process may not open it.
    #[error("could not open chunk file - {source}: {path:?}")]
    Closed {
        /// The chunk.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A chunk is encrypted, and there is no key.
    #[error("Failed to decode chunk {path:?} = unable to decrypt blob - missing CryptConfig")]
    NoKey {
        /// The chunk.
        path: PathBuf,
    },
    /// A chunk does not hold what the index says.
    #[error("Failed to decode chunk {path:?} = {reason}")]
    Corrupt {
        /// The chunk.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The output takes no more.
    #[error("unable to write the output at {offset}: {source}")]
    Output {
        /// Bytes that it took.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// One archive that is being put together. Holds the index and one chunk in memory.
pub struct IndexRecovery {
    index: Box<dyn Index + Send>,
    chunks: PathBuf,
    key: Option<CryptKey>,
    opener: Opener,
    options: RecoveryOptions,
    next: usize,
    position: u64,
    /// The chunk read last: images repeat the same one, zeros above all.
    last: Option<(Digest, Vec<u8>)>,
}

impl IndexRecovery {
    /// Read the index at `index`, whatever its name; `chunks` is a directory like `.chunks`.
    ///
    /// # Errors
    /// `Index` when it cannot be read, or is no index.
    pub fn open(
        index: &Path,
        chunks: &Path,
        key: Option<CryptKey>,
        options: RecoveryOptions,
    ) -> Result<Self, RecoveryError> {
        let opener = Opener::new(key.clone()).map_err(StoreError::from)?;
        let index = read_index(index)?;
        Ok(Self { index, chunks: chunks.to_owned(), key, opener, options, next: 0, position: 0, last: None })
    }

    /// Bytes of the archive.
    pub fn size(&self) -> u64 {
        self.index.size()
    }

    /// Bytes written so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Write the chunks that start within the next `step` bytes. Returns a line for each chunk that was replaced by
    /// zeros, and one that says where.
    ///
    /// # Errors
    /// The first chunk that is missing or corrupt, unless it may be ignored; `Output`.
    pub fn advance(&mut self, output: &mut RecoveryOutput, step: u64) -> Result<Vec<String>, RecoveryError> {
        let stop = self.position.saturating_add(step);
        let mut warnings = Vec::new();
        while self.position < stop {
            let (Some(digest), Some(end)) = (self.index.digest(self.next), self.index.chunk_end(self.next)) else {
                break;
            };
            let (digest, place) = (*digest, self.position..end);
            let written = match self.load(&digest, &place) {
                Ok(data) => output.put(data, place.start),
                Err(error) => {
                    warnings.push(self.tolerate(error)?);
                    warnings.push(format!("replacing output file {}..{} with '\\0'", place.start, place.end));
                    output.put_zeros(place.end - place.start, place.start)
                }
            };
            written.map_err(|source| RecoveryError::Output { offset: place.start, source })?;
            self.position = place.end;
            self.next += 1;
        }
        Ok(warnings)
    }

    /// The warning that takes the place of an error that may be ignored.
    fn tolerate(&self, error: RecoveryError) -> Result<String, RecoveryError> {
        match error {
            RecoveryError::Missing { path, .. } if self.options.ignore_missing => {
                Ok(format!("chunk {path:?} is missing"))
            }
            RecoveryError::Corrupt { path, reason } if self.options.ignore_corrupt => {
                Ok(format!("chunk {path:?} is corrupt: {reason}"))
            }
            other => Err(other),
        }
    }

    fn load(&mut self, digest: &Digest, place: &Range<u64>) -> Result<&[u8], RecoveryError> {
        let length = place.end - place.start;
        let is_last = self.last.as_ref().is_some_and(|(last, data)| last == digest && data.len() as u64 == length);
        if !is_last {
            self.last = None;
            let path = chunk_path(&self.chunks, digest);
            let data = self.read(&path, digest, place)?;
            self.last = Some((*digest, data));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, data)| data))
    }

    fn read(&mut self, path: &Path, digest: &Digest, place: &Range<u64>) -> Result<Vec<u8>, RecoveryError> {
        let corrupt = |reason| RecoveryError::Corrupt { path: path.to_owned(), reason };
        let file = open_chunk(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RecoveryError::Missing { path: path.to_owned(), place: place.clone(), source },
            io::ErrorKind::PermissionDenied => RecoveryError::Closed { path: path.to_owned(), source },
            _ => corrupt(format!("could not open it - {source}")),
        })?;
        let mut blob = read_blob(file).map_err(|error| corrupt(error.to_string()))?;
        self.decode(&mut blob, digest, place.end - place.start).map_err(|error| match error {
            FormatError::MissingKey => RecoveryError::NoKey { path: path.to_owned() },
            other => corrupt(other.to_string()),
        })
    }

    fn decode(&mut self, blob: &mut [u8], digest: &Digest, length: u64) -> pbstore_format::Result<Vec<u8>> {
        if self.options.skip_checksums {
            // The opener compares the CRC always; now it fits whatever the payload is.
            blob::stamp_crc(blob)?;
        }
        let data = self.opener.open(blob, blob::MAX_CHUNK_BYTES)?;
        let found = data.len() as u64;
        if found != length {
            return Err(FormatError::WrongLength { expected: length, found });
        }
        if !self.options.skip_checksums {
            let key = self.key.as_ref().filter(|_| blob::kind(blob).is_ok_and(blob::BlobKind::is_encrypted));
            let found = chunk_digest(&data, key);
            if found != *digest {
                return Err(FormatError::WrongDigest { expected: *digest, found });
            }
        }
        Ok(data)
    }
}

fn read_blob(file: File) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut blob = Vec::new();
    file.take(blob::MAX_BLOB_BYTES as u64 + 1).read_to_end(&mut blob)?;
    if blob.len() > blob::MAX_BLOB_BYTES {
        return Err(io::Error::other(format!("larger than any chunk, over {} bytes", blob::MAX_BLOB_BYTES)));
    }
    Ok(blob)
}

/// Read an index of either kind; what it is says the file, not its name.
fn read_index(path: &Path) -> Result<Box<dyn Index + Send>> {
    let file = File::open(path).map_err(StoreError::io("open index", path))?;
    let mut data = Vec::new();
    file.take(MAX_INDEX_BYTES + 1).read_to_end(&mut data).map_err(StoreError::io("read index", path))?;
    if data.len() as u64 > MAX_INDEX_BYTES {
        return Err(FormatError::malformed(format!("{} is too large for an index", path.display())).into());
    }
    let parsed: pbstore_format::Result<Box<dyn Index + Send>> = if data.starts_with(&dynamic_index::MAGIC) {
        DynamicIndex::parse(data).map(|index| Box::new(index) as _)
    } else if data.starts_with(&fixed_index::MAGIC) {
        FixedIndex::parse(data).map(|index| Box::new(index) as _)
    } else {
        Err(FormatError::malformed("no index: unknown magic number"))
    };
    parsed.map_err(|error| FormatError::malformed(format!("{}: {error}", path.display())).into())
}
