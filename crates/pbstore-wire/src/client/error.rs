//! Everything that can go wrong at the client, sorted by what the caller can do about it.

/// Why a request, an upload or a restore failed. The text is one line for the user.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The server cannot be reached, or the connection broke.
    #[error("{0}")]
    Connection(String),
    /// Neither trusted nor the expected certificate; `fingerprint` is what the server showed, as text.
    #[error("{text}")]
    Certificate {
        /// The line for the user.
        text: String,
        /// SHA-256 of the leaf, lower-case hex pairs joined by colons.
        fingerprint: String,
    },
    /// The server answered with an error.
    #[error("{text}")]
    Server {
        /// HTTP status.
        status: u16,
        /// The server's own words.
        text: String,
    },
    /// The server broke the rules of the protocol.
    #[error("{0}")]
    Protocol(String),
    /// Bytes that are not what their format says.
    #[error("{0}")]
    Format(String),
    /// Well-formed data with a wrong checksum, digest or tag.
    #[error("{0}")]
    Integrity(String),
    /// A key that is missing or is the wrong one.
    #[error("{0}")]
    Key(String),
    /// Source or target of the data failed.
    #[error("{0}")]
    Local(String),
    /// Stopped on request.
    #[error("stopped on request")]
    Aborted,
    /// Another stage has ended first and knows why; never leaves this crate.
    #[error("stopped")]
    Stopped,
}

impl ClientError {
    /// An error of the source or target: what was done to what, and what the system said.
    pub(crate) fn local(action: &str, error: impl std::fmt::Display) -> Self {
        Self::Local(format!("{action}: {error}"))
    }

    /// The error that one of our readers or writers has wrapped for somebody who knows I/O errors only.
    pub fn inside(error: &std::io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().cloned()
    }
}
