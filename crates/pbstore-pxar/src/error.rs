//! What can go wrong with an archive: facts as fields, one line of text each.

use std::io;

/// Why an archive could not be read, made or extracted.
#[derive(Debug, thiserror::Error)]
pub enum PxarError {
    /// The bytes are not what the format says.
    #[error("damaged pxar archive at byte {offset}: {reason}")]
    Malformed {
        /// Where in the archive, in bytes from its start.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The archive ends in the middle of something.
    #[error("truncated pxar archive: it ends at byte {offset}")]
    Truncated {
        /// Length of what there is.
        offset: u64,
    },
    /// The payload stream of a split archive is not what the archive says.
    #[error("damaged payload stream at byte {offset}: {reason}")]
    Payload {
        /// Where in the payload stream, in bytes from its start.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The contents of a split archive's files are wanted, but its payload stream was not given.
    #[error("this is the metadata of a split archive: name its payload too, which has the contents of the files")]
    PayloadRequired,
    /// The catalog's bytes are not what the format says.
    #[error("damaged catalog at byte {offset}: {reason}")]
    Catalog {
        /// Where in the catalog: the directory or entry that is wrong, in bytes from the start of the file.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// Something a caller handed in does not fit the format.
    #[error("{0}")]
    Invalid(String),
    /// An operating system call on a file of the tree failed.
    #[error("{action} {path}: {source}")]
    File {
        /// What was tried, as in "failed to open".
        action: &'static str,
        /// The quoted path.
        path: String,
        /// What the system answered.
        source: io::Error,
    },
    /// The archive or catalog could not be written.
    #[error("failed to write: {0}")]
    Write(#[source] io::Error),
    /// The archive could not be read.
    #[error("failed to read the archive: {0}")]
    Read(#[source] io::Error),
    /// Some entries could not be extracted; each was reported as a warning.
    #[error("there were errors: {count} entries could not be extracted")]
    Incomplete {
        /// How many entries failed.
        count: u64,
    },
    /// The reporter asked to stop.
    #[error("stopped on request")]
    Cancelled,
}

impl PxarError {
    pub(crate) fn file(action: &'static str, path: &[u8], source: impl Into<io::Error>) -> Self {
        let path = crate::report::quoted(path);
        Self::File { action, path, source: source.into() }
    }

    pub(crate) fn payload(offset: u64, reason: impl Into<String>) -> Self {
        Self::Payload { offset, reason: reason.into() }
    }

    /// What the reader of items says, said of the payload stream.
    pub(crate) fn in_payload(self) -> Self {
        match self {
            Self::Malformed { offset, reason } => Self::Payload { offset, reason },
            Self::Truncated { offset } => Self::payload(offset, "it ends there"),
            error => error,
        }
    }

    pub(crate) fn catalog(offset: u64, reason: &'static str) -> Self {
        Self::Catalog { offset, reason }
    }

    pub(crate) fn malformed(offset: u64, reason: impl Into<String>) -> Self {
        Self::Malformed { offset, reason: reason.into() }
    }
}
