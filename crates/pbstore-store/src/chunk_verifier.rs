//! What a server checks on an uploaded chunk before it stores it (blobs-and-chunks.md 5).

use std::sync::{Mutex, PoisonError};

use pbstore_format::{blob, Digest, FormatError, Opener};

use crate::Result;

/// Checks uploads on many threads; keeps as many decoders as ran at once.
#[derive(Default)]
pub struct ChunkVerifier {
    idle: Mutex<Vec<Opener>>,
}

impl ChunkVerifier {
    /// No decoders yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plain chunks: decode, compare length and digest. Encrypted ones cannot be checked. Then write the right CRC.
    ///
    /// # Errors
    /// `Format` for what is no blob or not the announced data.
    pub fn accept(&self, blob: &mut [u8], digest: &Digest, plain_bytes: u32) -> Result<()> {
        if !blob::kind(blob)?.is_encrypted() {
            let size = usize::try_from(plain_bytes).unwrap_or(usize::MAX);
            let mut opener = self.take()?;
            let verdict = opener.verify_plain_chunk(blob, digest, size);
            self.idle().push(opener);
            verdict?;
        }
        Ok(blob::stamp_crc(blob)?)
    }

    fn take(&self) -> Result<Opener, FormatError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| Opener::new(None), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Opener>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
