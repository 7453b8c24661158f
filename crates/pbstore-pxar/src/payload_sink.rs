//! Where the contents of a split archive's files go, and what an upload wants to know about them (chunker.md 6).

use std::io::{self, Write};

use pbstore_format::Digest;

/// A chunk of a previous payload stream that is used again as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReusedChunk {
    /// What addresses it.
    pub digest: Digest,
    /// Its plain bytes.
    pub size: u64,
}

/// Takes the payload stream of a split archive.
pub trait PayloadSink: Write {
    /// Says that a file's PAYLOAD header will stand at `offset` of the stream. Offsets ascend; each is told before the
    /// bytes from there on are written, though bytes before it may still be to come.
    fn suggest_boundary(&mut self, offset: u64);

    /// Continues the stream at `offset` with chunks that exist already. All bytes before `offset` have been written;
    /// what is written next comes behind the chunks.
    ///
    /// # Errors
    ///
    /// The sink cannot take whole chunks, or has failed.
    fn inject(&mut self, offset: u64, chunks: &[ReusedChunk]) -> io::Result<()>;
}

/// Writes a payload stream to something that knows no chunks, such as a file.
pub struct PlainPayload<W: Write>(pub W);

impl<W: Write> Write for PlainPayload<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> PayloadSink for PlainPayload<W> {
    fn suggest_boundary(&mut self, _offset: u64) {}

    fn inject(&mut self, _offset: u64, _chunks: &[ReusedChunk]) -> io::Result<()> {
        Err(io::Error::other("chunks of a previous backup can only be used in an upload"))
    }
}
