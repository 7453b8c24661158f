//! What ends a download.

use std::io;

use pbstore_pxar::{quoted, PxarError};

/// Why a download cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The archive, or a chunk of it, is damaged or cannot be read.
    #[error(transparent)]
    Archive(#[from] PxarError),
    /// Something that the wanted format has no place for.
    #[error("{path} cannot be put into a {format} file: {reason}")]
    Unfit {
        /// The quoted path.
        path: String,
        /// The format.
        format: &'static str,
        /// What has no place.
        reason: &'static str,
    },
    /// The list of a zip file's members has no room on the disk.
    #[error("failed to keep the list of members: {0}")]
    Spool(#[source] io::Error),
    /// The compressor refused to work; a bug.
    #[error("failed to compress: {0}")]
    Compression(String),
}

impl DownloadError {
    pub(crate) fn unfit(path: &[u8], format: &'static str, reason: &'static str) -> Self {
        Self::Unfit { path: quoted(path), format, reason }
    }
}
