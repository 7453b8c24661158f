//! What can go wrong between a session and its disk.

use std::io;
use std::path::{Path, PathBuf};

use pbstore_format::digest::to_hex;
use pbstore_format::{Digest, FormatError};
use thiserror::Error;

/// Result of everything in this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a call on a store, an index writer or a session's chunks failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The system refused; names the operation and the path.
    #[error("{action} {} failed: {source}", path.display())]
    Io {
        /// What was tried, like `write chunk`.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The caller broke a rule of the protocol (backup-protocol.md 2).
    #[error("{0}")]
    Refused(String),
    /// The digest is not among those that the session may read.
    #[error("{0}")]
    NotAllowed(String),
    /// The index is not the one that the manifest lists.
    #[error("{0}")]
    WrongIndex(String),
    /// Stopped on request.
    #[error("aborted")]
    Aborted,
    /// Bytes that are not what their format or digest says.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A stored chunk is not what its digest says, or cannot be decoded.
    #[error("chunk {}: {source}", to_hex(digest))]
    Chunk {
        /// Which one.
        digest: Digest,
        /// What is wrong with it.
        source: FormatError,
    },
    /// An index is not the one that its manifest lists.
    #[error("index {} has checksum {}, its manifest says {}", path.display(), to_hex(found), to_hex(expected))]
    Index {
        /// The index file.
        path: PathBuf,
        /// The checksum in the manifest.
        expected: Digest,
        /// The checksum of the entries.
        found: Digest,
    },
}

impl StoreError {
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }

    /// For `map_err`: give an I/O error its operation and path.
    pub(crate) fn io<'a, E: Into<io::Error>>(action: &'static str, path: &'a Path) -> impl FnOnce(E) -> Self + 'a {
        move |source| Self::Io { action, path: path.to_owned(), source: source.into() }
    }
}
