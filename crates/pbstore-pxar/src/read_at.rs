//! An archive that can be read at any place: a file, or chunks that are fetched when they are needed.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use pbstore_format::Digest;

/// Where a byte lies in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPlace {
    /// Digest of the chunk: the same digest means the same bytes.
    pub digest: Digest,
    /// Bytes of the chunk before it.
    pub before: u64,
    /// Bytes from it on to the end of the chunk.
    pub rest: u64,
}

/// Reads at offsets, from several threads at once.
pub trait ReadAt: Send + Sync {
    /// Bytes of the whole.
    fn size(&self) -> u64;

    /// Reads some bytes at `offset`, at least one unless `buffer` is empty or the end is reached.
    ///
    /// # Errors
    ///
    /// Whatever the source says; chunks that are not what their index says are errors too.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Where the byte at `offset` lies, if this is made of chunks; nothing is read for that.
    fn chunk_at(&self, offset: u64) -> Option<ChunkPlace> {
        let _ = offset;
        None
    }

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    ///
    /// As [`Self::read_at`], and `UnexpectedEof` if the end comes too early.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A file and its length when it was opened.
pub struct FileAt {
    file: File,
    size: u64,
}

impl FileAt {
    /// Takes a regular file.
    ///
    /// # Errors
    ///
    /// Its length cannot be found.
    pub fn new(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl ReadAt for FileAt {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(&self.file, buffer, offset)
    }
}
