//! Something that can be read at any place, read and searched like a file.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::read_at::ReadAt;

/// Reads on from where it is.
pub struct Cursor {
    source: Arc<dyn ReadAt>,
    position: u64,
}

impl Cursor {
    /// Begins at the first byte.
    pub fn new(source: Arc<dyn ReadAt>) -> Self {
        Self { source, position: 0 }
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(distance) => self.source.size().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
