//! What can be wrong with bytes.

use thiserror::Error;

use crate::digest::{to_hex, Digest};

/// Result of everything in this crate.
pub type Result<T> = std::result::Result<T, FormatError>;

/// Why bytes were refused, or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The bytes are not what their format says.
    #[error("{0}")]
    Malformed(String),
    /// More bytes than the limit allows; nothing beyond the limit was kept.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Largest number of bytes allowed.
        limit: usize,
    },
    /// The CRC-32 in the header is not that of the payload.
    #[error("blob has wrong CRC-32: header says {expected:08x}, payload has {found:08x}")]
    Checksum {
        /// The value in the header.
        expected: u32,
        /// The value computed over the payload.
        found: u32,
    },
    /// The data is not what its digest promises.
    #[error("wrong digest: expected {}, got {}", to_hex(.expected), to_hex(.found))]
    WrongDigest {
        /// The digest that was announced.
        expected: Digest,
        /// The digest of the data.
        found: Digest,
    },
    /// The data does not have the announced length.
    #[error("wrong length: expected {expected} bytes, got {found}")]
    WrongLength {
        /// The length that was announced.
        expected: u64,
        /// The length of the data.
        found: u64,
    },
    /// The authentication tag does not fit: damaged or forged data, or another key.
    #[error("cannot decrypt blob: it is damaged or was encrypted with another key")]
    WrongTag,
    /// Encrypted data and no key.
    #[error("missing key: blob is encrypted")]
    MissingKey,
    /// A library failed for a reason that is not in the bytes, like memory.
    #[error("{0}")]
    Internal(String),
}

impl FormatError {
    /// Make a `Malformed`.
    pub fn malformed(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }
}

impl From<openssl::error::ErrorStack> for FormatError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        Self::Internal(format!("OpenSSL failed: {error}"))
    }
}
