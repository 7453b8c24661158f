//! The file below an index writer: temporary name, header last, rename (indexes.md 4).

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use pbstore_format::Digest;
use rustix::fs::OFlags;

use crate::atomic_file::{self, Owner, FILE_MODE};
use crate::{Result, StoreError, SyncLevel};

/// What identifies a new index in its header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) uuid: [u8; 16],
    pub(crate) ctime: i64,
}

impl Identity {
    /// A random id, and now.
    pub(crate) fn fresh() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { uuid: uuid::Uuid::new_v4().into_bytes(), ctime: i64::try_from(now).unwrap_or(i64::MAX) }
    }
}

/// Where an index file goes and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) owner: Owner,
    pub(crate) level: SyncLevel,
}

/// What a client uploaded for one index, whether or not the index refers to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UploadCounts {
    /// Chunks uploaded.
    pub upload_count: u64,
    /// Their plain bytes.
    pub upload_bytes: u64,
    /// Bytes they take in the store.
    pub compressed_bytes: u64,
    /// How many of them were there already.
    pub duplicate_count: u64,
}

/// A closed index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexStats {
    /// Random id in the header.
    pub uuid: [u8; 16],
    /// Checksum in the header.
    pub csum: Digest,
    /// Bytes of the archive.
    pub size: u64,
    /// Entries appended in this session.
    pub chunk_count: u64,
    /// What was uploaded for it.
    pub uploads: UploadCounts,
}

/// An index file under its temporary name; removed when dropped before [`IndexFile::publish`].
#[derive(Debug)]
pub(crate) struct IndexFile {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    placement: Placement,
    published: bool,
}

impl IndexFile {
    /// Create, or truncate, the temporary file of `target`; its last extension becomes `extension`.
    pub(crate) fn create(target: &Path, extension: &str, placement: Placement) -> Result<Self> {
        let temporary = target.with_extension(extension);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&temporary)
            .map_err(StoreError::io("create index", &temporary))?;
        let index = Self { file, temporary, target: target.to_owned(), placement, published: false };
        placement.owner.claim(&index.file, FILE_MODE, &index.temporary)?;
        Ok(index)
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn write_at(&self, data: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(data, offset).map_err(StoreError::io("write index", &self.temporary))
    }

    pub(crate) fn read_at(&self, data: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_exact_at(data, offset).map_err(StoreError::io("read index", &self.temporary))
    }

    pub(crate) fn set_len(&self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes).map_err(StoreError::io("resize index", &self.temporary))
    }

    /// Write the final header and give the file its final name.
    pub(crate) fn publish(&mut self, header: &[u8]) -> Result<()> {
        self.write_at(header, 0)?;
        if self.placement.level == SyncLevel::File {
            self.file.sync_all().map_err(StoreError::io("sync index", &self.temporary))?;
        }
        fs::rename(&self.temporary, &self.target).map_err(StoreError::io("rename to", &self.target))?;
        self.published = true;
        match (self.placement.level, self.target.parent()) {
            (SyncLevel::File, Some(directory)) => atomic_file::sync_directory(directory),
            _ => Ok(()),
        }
    }
}

impl Drop for IndexFile {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        if let Err(error) = fs::remove_file(&self.temporary) {
            log::warn!("cannot remove {}: {error}", self.temporary.display());
        }
    }
}
