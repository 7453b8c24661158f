//! The archive's input: counts bytes, and never takes an item's word for how much memory it needs.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::sync::Arc;

use crate::error::PxarError;
use crate::items::{self, Header, HEADER_BYTES};
use crate::read_at::ReadAt;
use crate::section::Section;

const BUFFER_BYTES: usize = 256 << 10;
/// Enough for almost every entry's items.
const SMALL_BUFFER_BYTES: usize = 1 << 10;

/// Reads items from a stream.
pub struct Input<R: Read> {
    inner: BufReader<R>,
    position: u64,
    /// Goes on without reading, by as many bytes as it returns.
    pass_over: fn(&mut R, u64) -> u64,
}

impl Input<Section> {
    /// Reads items of an archive from `start` on, and nothing from `end` on; a little at a time.
    pub fn between(source: &Arc<dyn ReadAt>, start: u64, end: u64) -> Self {
        let section = Section::new(Arc::clone(source), start, end);
        let inner = BufReader::with_capacity(SMALL_BUFFER_BYTES, section);
        Self { inner, position: start, pass_over: Section::pass_over }
    }

    /// Reads all of an archive, but what is skipped.
    pub fn whole(source: Arc<dyn ReadAt>) -> Self {
        Self { pass_over: Section::pass_over, ..Self::new(Section::whole(source)) }
    }
}

impl<R: Read> Input<R> {
    pub fn new(inner: R) -> Self {
        Self { inner: BufReader::with_capacity(BUFFER_BYTES, inner), position: 0, pass_over: |_, _| 0 }
    }

    /// Offset in the archive of what is read next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether the stream has ended.
    pub fn at_end(&mut self) -> Result<bool, PxarError> {
        Ok(self.buffered()? == 0)
    }

    /// Bytes that can be had at once; 0 only at the end of the stream.
    fn buffered(&mut self) -> Result<usize, PxarError> {
        loop {
            match self.inner.fill_buf() {
                Ok(buffer) => return Ok(buffer.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(PxarError::Read(error)),
            }
        }
    }

    pub fn header(&mut self) -> Result<Header, PxarError> {
        let start = self.position;
        let mut bytes = [0; HEADER_BYTES as usize];
        self.fill(&mut bytes)?;
        Header::parse(bytes).ok_or_else(|| PxarError::malformed(start, "an item is smaller than its own header"))
    }

    /// The content of an item that may not be longer than `limit`.
    pub fn content(&mut self, header: Header, limit: u64) -> Result<Vec<u8>, PxarError> {
        if header.content_bytes > limit {
            let reason = format!("an item of {} bytes where {limit} are allowed", header.content_bytes);
            return Err(PxarError::malformed(self.position, reason));
        }
        let mut bytes = vec![0; header.content_bytes as usize];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The content of an item that is exactly `N` numbers.
    pub fn numbers<const N: usize>(&mut self, header: Header) -> Result<[u64; N], PxarError> {
        let start = self.position;
        let bytes = self.content(header, N as u64 * 8)?;
        items::u64s(&bytes).ok_or_else(|| PxarError::malformed(start, "an item is too short for its type"))
    }

    /// The content of an item that is text with a NUL at its end, without the NUL.
    pub fn text(&mut self, header: Header, limit: u64) -> Result<Vec<u8>, PxarError> {
        let start = self.position;
        let mut bytes = self.content(header, limit + 1)?;
        if bytes.pop() != Some(0) {
            return Err(PxarError::malformed(start, "a text without the NUL at its end"));
        }
        if bytes.is_empty() || bytes.contains(&0) {
            return Err(PxarError::malformed(start, "a text that is empty or has a NUL inside"));
        }
        Ok(bytes)
    }

    /// Reads into `buffer`, at least one byte unless it is empty.
    pub fn some(&mut self, buffer: &mut [u8]) -> Result<usize, PxarError> {
        loop {
            match self.inner.read(buffer) {
                Ok(0) if !buffer.is_empty() => return Err(PxarError::Truncated { offset: self.position }),
                Ok(count) => {
                    self.position += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(PxarError::Read(error)),
            }
        }
    }

    pub fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), PxarError> {
        while !buffer.is_empty() {
            let count = self.some(buffer)?;
            buffer = &mut buffer[count..];
        }
        Ok(())
    }

    pub fn skip(&mut self, mut count: u64) -> Result<(), PxarError> {
        while count > 0 {
            if self.inner.buffer().is_empty() {
                let passed = (self.pass_over)(self.inner.get_mut(), count);
                self.position += passed;
                count -= passed;
                if count == 0 {
                    break;
                }
            }
            let step = count.min(self.buffered()? as u64);
            if step == 0 {
                return Err(PxarError::Truncated { offset: self.position });
            }
            self.inner.consume(step as usize);
            self.position += step;
            count -= step;
        }
        Ok(())
    }

    /// Reads up to the end of the stream; returns the header that its last bytes are.
    pub fn last_header(&mut self) -> Result<Header, PxarError> {
        let mut last = Vec::new();
        loop {
            let count = self.buffered()?;
            if count == 0 {
                break;
            }
            let new = &self.inner.buffer()[count.saturating_sub(HEADER_BYTES as usize)..];
            last.extend_from_slice(new);
            last.drain(..last.len().saturating_sub(HEADER_BYTES as usize));
            self.inner.consume(count);
            self.position += count as u64;
        }
        let header = last.try_into().ok().and_then(Header::parse);
        header.ok_or_else(|| PxarError::malformed(self.position, "it does not end with an item"))
    }
}
