//! An archive of a snapshot as a restore sees it: its index, which is checked already, and how its chunks have to look.

use std::fmt::Display;
use std::str::FromStr;

use pbstore_format::blob::{BlobKind, MAX_CHUNK_BYTES};
use pbstore_format::digest::to_hex;
use pbstore_format::{CryptKey, Digest, FormatError, Index};

use crate::client::error::ClientError;

/// What the manifest says about an archive (blobs-and-chunks.md 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptMode {
    /// Plain chunks.
    None,
    /// Plain chunks, signed manifest.
    SignOnly,
    /// Encrypted chunks with keyed digests.
    Encrypt,
}

impl FromStr for CryptMode {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        match text {
            "none" => Ok(Self::None),
            "sign-only" => Ok(Self::SignOnly),
            "encrypt" => Ok(Self::Encrypt),
            _ => Err(ClientError::Format(format!("not a crypt mode: {text:?}"))),
        }
    }
}

/// An archive whose chunks are wanted.
pub struct Archive {
    name: String,
    index: Box<dyn Index + Send + Sync>,
    key: Option<CryptKey>,
}

impl Archive {
    /// `key` is needed for, and only used with, [`CryptMode::Encrypt`]. Refuses an index with chunks that no chunk
    /// may be as large as, before anything is made for them.
    pub fn new(
        name: String,
        index: Box<dyn Index + Send + Sync>,
        mode: CryptMode,
        key: Option<CryptKey>,
    ) -> Result<Self, ClientError> {
        let key = match mode {
            CryptMode::Encrypt if key.is_none() => {
                return Err(ClientError::Key(format!("{name} is encrypted: its key is needed")));
            }
            CryptMode::Encrypt => key,
            CryptMode::None | CryptMode::SignOnly => None,
        };
        let archive = Self { name, index, key };
        for number in 0..archive.chunk_count() {
            if !(1..=MAX_CHUNK_BYTES).contains(&archive.length(number)) {
                let text = format!("{}: the index gives chunk {number} an impossible length", archive.name);
                return Err(ClientError::Format(text));
            }
        }
        Ok(archive)
    }

    pub(super) fn size(&self) -> u64 {
        self.index.size()
    }

    pub(super) fn chunk_count(&self) -> usize {
        self.index.len()
    }

    /// The chunk that holds the byte at `offset`.
    pub(super) fn find(&self, offset: u64) -> Option<usize> {
        self.index.find(offset)
    }

    /// Start of a chunk, 0 for one that does not exist.
    pub(super) fn start(&self, number: usize) -> u64 {
        self.index.chunk_start(number).unwrap_or(0)
    }

    /// Plain length of a chunk; 0 for one that does not exist or is longer than memory.
    pub(super) fn length(&self, number: usize) -> usize {
        self.index.chunk_len(number).and_then(|length| usize::try_from(length).ok()).unwrap_or(0)
    }

    /// All zeros for a chunk that does not exist.
    pub(super) fn digest(&self, number: usize) -> Digest {
        self.index.digest(number).copied().unwrap_or_default()
    }

    /// The key that chunks are encrypted with, and their digests made with.
    pub(super) fn key(&self) -> Option<&CryptKey> {
        self.key.as_ref()
    }

    /// Refuses a chunk of the other crypt mode, which could be one that the server has made up.
    pub(super) fn check_kind(&self, number: usize, kind: BlobKind) -> Result<(), ClientError> {
        let reason = match (self.key.is_some(), kind.is_encrypted()) {
            (true, false) => "it is not encrypted, although the archive is",
            (false, true) => "it is encrypted, although the archive is not",
            _ => return Ok(()),
        };
        Err(ClientError::Integrity(self.about(number, &reason)))
    }

    /// An error of one chunk, of the kind that fits.
    pub(super) fn wrong(&self, number: usize, error: &FormatError) -> ClientError {
        let text = self.about(number, error);
        match error {
            FormatError::MissingKey => ClientError::Key(text),
            FormatError::Internal(_) => ClientError::Local(text),
            _ => ClientError::Integrity(text),
        }
    }

    /// One line that names archive, chunk and digest.
    pub(super) fn about(&self, number: usize, reason: &dyn Display) -> String {
        format!("{}: chunk {number} ({}): {reason}", self.name, to_hex(&self.digest(number)))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
