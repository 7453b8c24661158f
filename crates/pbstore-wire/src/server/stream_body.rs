//! Bodies of answers that are not in memory: files as they are or decoded on the way, and what is made portion by portion.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use pbstore_format::Digest;
use pbstore_store::{ChunkStore, DecodedBlob, DecodedIndex, StoreError};

/// A body that is sent piece by piece.
pub struct StreamBody {
    bytes: Option<u64>,
    pub(crate) source: Source,
    pub(crate) guard: Guard,
}

/// Something that lasts until the body was sent, or was given up.
pub(crate) struct Guard(Option<Box<dyn Send>>);

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(guard) = self.0.take() else { return };
        // Giving something up may block, so it must not happen on the event loop's own threads.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(guard))),
            Err(_) => drop(guard),
        }
    }
}

/// Where pieces come from.
pub(crate) enum Source {
    /// Gives bytes in pieces of any size.
    Reader(Box<dyn Read + Send>),
    /// Gives one chunk after the other.
    Chunks(Box<DecodedIndex>),
    /// Makes bytes at the price of work.
    Portions(NextPortion),
}

/// Makes the next portion of a body, at most a MiB; `None` at the end.
pub type NextPortion = Box<dyn FnMut() -> io::Result<Option<Vec<u8>>> + Send>;

impl StreamBody {
    /// A file as it is; links and everything that is no regular file are refused.
    ///
    /// # Errors
    /// What the system says, or `InvalidInput` for what is no regular file.
    pub fn file(path: &Path) -> io::Result<Self> {
        let (file, bytes) = pbstore_store::open_regular(path)?;
        Ok(Self { bytes: Some(bytes), source: Source::Reader(Box::new(file)), guard: Guard(None) })
    }

    /// The data of a blob; `csum` is that of the file in the manifest, if it is listed there.
    ///
    /// # Errors
    /// As [`DecodedBlob::open`].
    pub fn decoded_blob(path: &Path, csum: Option<&Digest>) -> Result<Self, StoreError> {
        let blob = DecodedBlob::open(path, csum)?;
        Ok(Self { bytes: Some(blob.size()), source: Source::Reader(Box::new(blob)), guard: Guard(None) })
    }

    /// The content of an archive, whose checksum and size must be those of the manifest.
    ///
    /// # Errors
    /// As [`DecodedIndex::open`].
    pub fn decoded_index(
        store: Arc<dyn ChunkStore>,
        path: &Path,
        csum: &Digest,
        bytes: u64,
    ) -> Result<Self, StoreError> {
        let index = DecodedIndex::open(store, path, csum, bytes)?;
        Ok(Self { bytes: Some(bytes), source: Source::Chunks(Box::new(index)), guard: Guard(None) })
    }

    /// What `next` makes until it returns `None`. If the length is known beforehand, another one breaks the answer off;
    /// if it is not, only the end of the answer shows that it is complete.
    pub fn portions(bytes: Option<u64>, next: NextPortion) -> Self {
        Self { bytes, source: Source::Portions(next), guard: Guard(None) }
    }

    /// Bytes in all, if that is known.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Keep `guard` until the body was sent, or was given up; then it is dropped, on some thread.
    #[must_use]
    pub fn guarded_by(self, guard: Box<dyn Send>) -> Self {
        Self { guard: Guard(Some(guard)), ..self }
    }
}

impl fmt::Debug for StreamBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamBody").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
