//! Cuts the payload stream of a split archive while it is written, and puts reused chunks into it (chunker.md 6).

use std::io::{self, Write};
use std::sync::Arc;

use pbstore_format::digest::to_hex;
use pbstore_format::PayloadChunker;
use pbstore_pxar::{PayloadSink, ReusedChunk};

use super::intake::{Data, Intake};
use super::known::KnownChunks;
use crate::client::error::ClientError;

/// Takes a payload stream and hands its chunks to an upload.
pub(super) struct PayloadWriter {
    chunker: PayloadChunker,
    /// What came last; the first `sent` bytes of it are cut already.
    buffer: Vec<u8>,
    sent: usize,
    intake: Intake,
    known: Arc<KnownChunks>,
}

impl PayloadWriter {
    /// `average` is a power of two, in bytes; `known` has the chunks that may be reused.
    pub(super) fn new(intake: Intake, average: usize, known: &Arc<KnownChunks>) -> Result<Self, ClientError> {
        let chunker = PayloadChunker::new(average).map_err(|error| ClientError::Format(error.to_string()))?;
        Ok(Self { chunker, buffer: Vec::new(), sent: 0, intake, known: Arc::clone(known) })
    }

    /// The stream is complete.
    pub(super) fn finish(mut self) -> Result<(), ClientError> {
        self.send(true)?;
        self.intake.finish();
        Ok(())
    }

    /// The stream will never be complete, because of `error`.
    pub(super) fn fail(self, error: ClientError) {
        self.intake.fail(error);
    }

    /// Sends the chunks whose ends are certain; all of them if the stream, or this run of it, ends here.
    fn send(&mut self, is_all: bool) -> Result<(), ClientError> {
        while let Some(length) = self.chunker.cut(&self.buffer[self.sent..], is_all) {
            let mut chunk = self.intake.buffers.take();
            chunk.clear();
            chunk.extend_from_slice(&self.buffer[self.sent..self.sent + length]);
            self.intake.send(Data::Bytes(chunk))?;
            self.sent += length;
        }
        // Moves no byte more than once for each that is dropped.
        if self.sent >= self.buffer.len() - self.sent {
            self.buffer.drain(..self.sent);
            self.sent = 0;
        }
        Ok(())
    }

    fn reuse(&mut self, offset: u64, chunks: &[ReusedChunk]) -> Result<(), ClientError> {
        self.send(true)?;
        let position = self.chunker.base();
        if offset != position {
            let text =
                format!("invalid injection boundary: chunks to be reused at {offset}, the stream is at {position}");
            return Err(ClientError::Local(text));
        }
        if let Some(chunk) = chunks.iter().find(|chunk| !self.known.is_stored(&chunk.digest)) {
            let text = format!("chunk {} is to be reused, but no previous index has it", to_hex(&chunk.digest));
            return Err(ClientError::Local(text));
        }
        self.intake.reuse(chunks)?;
        self.chunker.skip(chunks.iter().map(|chunk| chunk.size).sum());
        Ok(())
    }
}

impl Write for PayloadWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(data);
        self.send(false).map_err(io::Error::other)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PayloadSink for PayloadWriter {
    fn suggest_boundary(&mut self, offset: u64) {
        self.chunker.suggest(offset);
    }

    fn inject(&mut self, offset: u64, chunks: &[ReusedChunk]) -> io::Result<()> {
        self.reuse(offset, chunks).map_err(io::Error::other)
    }
}
