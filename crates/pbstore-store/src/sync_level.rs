//! How hard a store tries to have data on stable storage (datastore tuning option `sync-level`).

use std::str::FromStr;

use crate::StoreError;

/// When written files reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncLevel {
    /// Whenever the kernel likes.
    None,
    /// Each file before its rename, its directory after it.
    File,
    /// The whole file system at once, by [`crate::ChunkStore::sync`], before a snapshot becomes visible.
    Filesystem,
}

impl FromStr for SyncLevel {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "none" => Ok(Self::None),
            "file" => Ok(Self::File),
            "filesystem" => Ok(Self::Filesystem),
            _ => Err(StoreError::refused(format!("unknown sync level {text:?}: expected none, file or filesystem"))),
        }
    }
}
