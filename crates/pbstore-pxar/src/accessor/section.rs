//! A part of an archive, read from front to end.

use std::io::{self, Read};
use std::sync::Arc;

use crate::error::PxarError;
use crate::input::Input;
use crate::read_at::ReadAt;

/// What lies between two offsets.
pub struct Section {
    source: Arc<dyn ReadAt>,
    position: u64,
    end: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = self.end.saturating_sub(self.position).min(buffer.len() as u64) as usize;
        let count = self.source.read_at(&mut buffer[..room], self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// Reads items from `start` on, and nothing from `end` on.
pub fn input_at(source: &Arc<dyn ReadAt>, start: u64, end: u64) -> Input<Section> {
    Input::at(Section { source: Arc::clone(source), position: start, end }, start)
}

/// An item that reaches beyond its directory is damage, not the end of the archive.
pub fn beyond_directory(error: PxarError) -> PxarError {
    match error {
        PxarError::Truncated { offset } => PxarError::malformed(offset, "an entry reaches beyond its directory"),
        error => error,
    }
}
