//! A part of something that can be read at any place, read from front to end.

use std::io::{self, Read};
use std::sync::Arc;

use crate::read_at::ReadAt;

/// Reads what lies between two offsets. What is skipped is not read.
pub struct Section {
    source: Arc<dyn ReadAt>,
    position: u64,
    end: u64,
}

impl Section {
    /// Everything from `start` on, up to `end`.
    pub fn new(source: Arc<dyn ReadAt>, start: u64, end: u64) -> Self {
        Self { source, position: start, end }
    }

    /// All of it.
    pub fn whole(source: Arc<dyn ReadAt>) -> Self {
        let end = source.size();
        Self { source, position: 0, end }
    }

    /// Where the part ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Goes on `count` bytes further, or at the end; returns by how many bytes.
    pub(crate) fn pass_over(&mut self, count: u64) -> u64 {
        let count = count.min(self.end.saturating_sub(self.position));
        self.position += count;
        count
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = self.end.saturating_sub(self.position).min(buffer.len() as u64) as usize;
        let count = self.source.read_at(&mut buffer[..room], self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
