//! The payload stream beside a metadata stream, read in the order of the archive (pxar.md 7).

use std::io::Read;
use std::sync::Arc;

use crate::error::PxarError;
use crate::input::Input;
use crate::items::{Header, HEADER_BYTES};
use crate::payload_items;
use crate::read_at::ReadAt;
use crate::section::Section;

/// Hands out contents. What lies between them, such as the rest of chunks that were used again, is skipped.
pub struct PayloadInput<P: Read> {
    input: Input<P>,
    /// Length of the stream, if it is known.
    end: Option<u64>,
    /// Where the next content can begin at the earliest.
    next_offset: u64,
    /// Offset and size of a content that was not gone to yet.
    noted: Option<(u64, u64)>,
    content_left: u64,
}

impl PayloadInput<Section> {
    pub fn whole(payload: Arc<dyn ReadAt>) -> Self {
        let end = Some(payload.size());
        Self { end, ..Self::over(Input::whole(payload)) }
    }
}

impl<P: Read> PayloadInput<P> {
    pub fn new(payload: P) -> Self {
        Self::over(Input::new(payload))
    }

    fn over(input: Input<P>) -> Self {
        Self { input, end: None, next_offset: HEADER_BYTES, noted: None, content_left: 0 }
    }

    /// Checks the beginning of the stream.
    pub fn begin(&mut self) -> Result<(), PxarError> {
        payload_items::check_start(self.input.header().map_err(PxarError::in_payload)?)
    }

    /// Notes the content that an entry refers to, and that is read next if it is asked for.
    pub fn refer(&mut self, offset: u64, size: u64) -> Result<(), PxarError> {
        let end = offset.checked_add(HEADER_BYTES).and_then(|start| start.checked_add(size));
        let end = end.filter(|_| offset >= self.next_offset).ok_or_else(|| {
            let reason = "a file refers to a content in front of the end of the one before it";
            PxarError::payload(offset, reason)
        })?;
        self.next_offset = end;
        self.noted = Some((offset, size));
        self.content_left = 0;
        Ok(())
    }

    /// Goes to the content that was noted, and checks that it is one, and as large as the entry says.
    pub fn check(&mut self) -> Result<(), PxarError> {
        let Some((offset, size)) = self.noted.take() else { return Ok(()) };
        let header = self.header_at(offset).map_err(PxarError::in_payload)?;
        payload_items::check_content(header, offset, size)?;
        self.content_left = size;
        Ok(())
    }

    fn header_at(&mut self, offset: u64) -> Result<Header, PxarError> {
        self.input.skip(offset - self.input.position())?;
        self.input.header()
    }

    /// Reads content; 0 at its end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, PxarError> {
        self.check()?;
        let wanted = self.content_left.min(buffer.len() as u64) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.input.some(&mut buffer[..wanted]).map_err(PxarError::in_payload)?;
        self.content_left -= count as u64;
        Ok(count)
    }

    /// Checks the end of the stream, behind the last content.
    pub fn finish(&mut self) -> Result<(), PxarError> {
        let header = self.last_header().map_err(PxarError::in_payload)?;
        payload_items::check_end(header, self.input.position() - HEADER_BYTES)
    }

    fn last_header(&mut self) -> Result<Header, PxarError> {
        let Some(end) = self.end else { return self.input.last_header() };
        let left = end.checked_sub(self.next_offset.max(self.input.position()));
        if left.is_none_or(|left| left < HEADER_BYTES) {
            return Err(PxarError::Truncated { offset: end });
        }
        self.input.skip(end - HEADER_BYTES - self.input.position())?;
        self.input.header()
    }
}
