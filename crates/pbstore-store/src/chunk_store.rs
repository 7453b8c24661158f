//! What every chunk store can do, wherever it keeps its chunks.

use std::io::Read;
use std::path::{Path, PathBuf};

use pbstore_format::digest::to_hex;
use pbstore_format::Digest;

use crate::{Result, StoreError, SyncLevel};

/// What an insert did (blobs-and-chunks.md 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertOutcome {
    /// There was no such chunk.
    New,
    /// An empty file stood there, as a crash leaves it; it was overwritten.
    HealedEmpty,
    /// A larger form of the same chunk stood there; the new one replaced it.
    ReplacedLarger,
    /// The chunk was there already and was kept; its access time is now.
    Duplicate,
}

/// Result of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inserted {
    /// What happened.
    pub outcome: InsertOutcome,
    /// Bytes of the blob that the store now holds under the digest.
    pub stored_bytes: u64,
}

impl Inserted {
    /// Whether the upload brought nothing new.
    pub fn is_duplicate(&self) -> bool {
        self.outcome == InsertOutcome::Duplicate
    }
}

/// What became of a chunk that was found corrupt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetAside {
    /// It has this name now; its digest counts as missing, so that the next upload of the data heals it.
    Renamed(PathBuf),
    /// There was none any more.
    Gone,
    /// It was not bad this time and stays, as when somebody uploaded it anew.
    Kept,
}

/// A chunk that can be read, from first byte to last.
pub struct StoredChunk {
    /// Length, at most that of the largest blob.
    pub bytes: u64,
    /// Gives exactly that many bytes unless the disk fails.
    pub reader: Box<dyn Read + Send>,
}

impl StoredChunk {
    /// The bytes.
    pub(crate) fn read_all(self, digest: &Digest) -> Result<Vec<u8>> {
        let mut data = Vec::with_capacity(usize::try_from(self.bytes).unwrap_or(0));
        let read = self.reader.take(self.bytes).read_to_end(&mut data);
        read.map_err(StoreError::io("read chunk", Path::new(&to_hex(digest))))?;
        Ok(data)
    }
}

/// A store of chunks by digest. All methods block on I/O and may be called from any thread.
pub trait ChunkStore: Send + Sync {
    /// Store an encoded blob whose content the caller has verified and whose CRC is right.
    ///
    /// # Errors
    /// `Refused` where the table of blobs-and-chunks.md 5.1 says error; `Io`.
    fn insert(&self, digest: &Digest, blob: &[u8]) -> Result<Inserted>;

    /// Open a chunk as stored; neither CRC nor digest is checked.
    ///
    /// # Errors
    /// `Io` when it is missing or unreadable, `Format` when it is larger than any chunk may be.
    fn open(&self, digest: &Digest) -> Result<StoredChunk>;

    /// Bytes of a chunk as stored.
    ///
    /// # Errors
    /// As [`Self::open`].
    fn read(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.open(digest)?.read_all(digest)
    }

    /// Set the access time to now, so that garbage collection keeps the chunk. False when there is none.
    ///
    /// # Errors
    /// `Io`.
    fn touch(&self, digest: &Digest) -> Result<bool>;

    /// Whether the chunk is there.
    ///
    /// # Errors
    /// `Io`.
    fn contains(&self, digest: &Digest) -> Result<bool>;

    /// Where the chunk lies: chunks are read fastest in ascending order. The highest number for one that is not there.
    fn place(&self, digest: &Digest) -> u64;

    /// Take a corrupt chunk out of use. `is_bad` decides once more on what loading it gives, while no insert of the same
    /// chunk can run.
    ///
    /// # Errors
    /// `Io`.
    fn set_aside(&self, digest: &Digest, is_bad: &mut dyn FnMut(&Result<Vec<u8>>) -> bool) -> Result<SetAside>;

    /// Make everything written so far durable, if the sync level asks for that at the end of a backup.
    ///
    /// # Errors
    /// `Io`.
    fn sync(&self) -> Result<()>;

    /// How index files of this store are to be written.
    fn sync_level(&self) -> SyncLevel;

    /// Directory whose owner new files take.
    fn root(&self) -> &Path;
}
