//! The content of one file, wherever it lies.

use std::io;
use std::sync::Arc;

use crate::error::PxarError;
use crate::input::Input;
use crate::items::HEADER_BYTES;
use crate::payload_items;
use crate::read_at::{ChunkPlace, ReadAt};

/// A file's content as something to read from; offset 0 is its first byte.
pub struct FileContent {
    source: Arc<dyn ReadAt>,
    start: u64,
    size: u64,
}

impl FileContent {
    /// Takes `size` bytes of `source` from `start` on; `None` if there are not as many.
    pub(super) fn new(source: Arc<dyn ReadAt>, start: u64, size: u64) -> Option<Self> {
        start.checked_add(size).filter(|end| *end <= source.size())?;
        Some(Self { source, start, size })
    }

    /// Takes what stands behind the header at `offset` of a payload stream.
    pub(super) fn in_payload(payload: &Arc<dyn ReadAt>, offset: u64, size: u64) -> Result<Self, PxarError> {
        let start = offset.checked_add(HEADER_BYTES);
        let content = start.and_then(|start| Self::new(Arc::clone(payload), start, size));
        content.ok_or_else(|| PxarError::payload(offset, "it ends inside this content"))
    }

    /// Looks whether there is a header at `offset` of a payload stream, and whether it says the same size.
    pub(super) fn check_header(payload: &Arc<dyn ReadAt>, offset: u64, size: u64) -> Result<(), PxarError> {
        let header = Input::between(payload, offset, payload.size()).header();
        payload_items::check_content(header.map_err(PxarError::in_payload)?, offset, size)
    }
}

impl ReadAt for FileContent {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let room = self.size.saturating_sub(offset).min(buffer.len() as u64) as usize;
        self.source.read_at(&mut buffer[..room], self.start.saturating_add(offset))
    }

    fn chunk_at(&self, offset: u64) -> Option<ChunkPlace> {
        let room = self.size.checked_sub(offset)?;
        let place = self.source.chunk_at(self.start.checked_add(offset)?)?;
        Some(ChunkPlace { rest: place.rest.min(room), ..place })
    }
}
