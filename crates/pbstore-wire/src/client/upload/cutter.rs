//! Cuts a stream at content-defined borders while it is written (chunker.md).

use std::io::{self, Write};

use pbstore_format::Chunker;

use super::intake::{Data, Intake};
use crate::client::error::ClientError;

/// Takes a stream and hands its chunks to an upload.
pub(super) struct ChunkWriter {
    chunker: Chunker,
    buffer: Vec<u8>,
    intake: Intake,
}

impl ChunkWriter {
    /// `average` is a power of two, in bytes.
    pub(super) fn new(intake: Intake, average: usize) -> Result<Self, ClientError> {
        let chunker = Chunker::new(average).map_err(|error| ClientError::Format(error.to_string()))?;
        let mut writer = Self { chunker, buffer: Vec::new(), intake };
        writer.renew_buffer();
        Ok(writer)
    }

    /// The stream is complete.
    pub(super) fn finish(mut self) -> Result<(), ClientError> {
        if !self.buffer.is_empty() {
            self.send()?;
        }
        self.intake.finish();
        Ok(())
    }

    /// The stream will never be complete, because of `error`.
    pub(super) fn fail(self, error: ClientError) {
        self.intake.fail(error);
    }

    fn send(&mut self) -> Result<(), ClientError> {
        let chunk = std::mem::take(&mut self.buffer);
        self.intake.send(Data::Bytes(chunk))?;
        self.renew_buffer();
        Ok(())
    }

    fn renew_buffer(&mut self) {
        self.buffer = self.intake.buffers.take();
        self.buffer.clear();
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut rest = data;
        while let Some(border) = self.chunker.scan(rest) {
            let (head, tail) = rest.split_at(border);
            self.buffer.extend_from_slice(head);
            self.send().map_err(io::Error::other)?;
            rest = tail;
        }
        self.buffer.extend_from_slice(rest);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
