//! The payload stream of a split archive: contents one after the other, between two markers (pxar.md 7).

use std::io::Read;

use crate::error::PxarError;
use crate::items::{Header, HEADER_BYTES, PAYLOAD, PAYLOAD_START_MARKER, PAYLOAD_TAIL_MARKER};
use crate::output::{Output, Supply};
use crate::payload_sink::{PayloadSink, ReusedChunk};

/// Most chunks that one injection has (chunker.md 6.1).
const MAX_INJECTED_CHUNKS: usize = 128;

/// Writes contents, and keeps the order that readers of both streams need: each content lies behind the one before.
pub struct PayloadOutput<'a> {
    output: Output<&'a mut dyn PayloadSink>,
    injected_bytes: u64,
    /// End of the last content, which may lie in chunks that are still to be injected.
    contents_end: u64,
}

impl<'a> PayloadOutput<'a> {
    pub fn new(sink: &'a mut dyn PayloadSink) -> Result<Self, PxarError> {
        let mut output = Output::new(sink);
        output.put(&Header { item_type: PAYLOAD_START_MARKER, content_bytes: 0 }.encode())?;
        let contents_end = output.position();
        Ok(Self { output, injected_bytes: 0, contents_end })
    }

    /// Bytes of the stream so far, injected chunks included.
    pub fn position(&self) -> u64 {
        self.output.position() + self.injected_bytes
    }

    /// Puts exactly `size` bytes of `content`; returns where their header is, and whether there were as many.
    pub fn put(&mut self, content: &mut dyn Read, size: u64) -> Result<(u64, Supply), PxarError> {
        let offset = self.position();
        self.refer(offset, size)?;
        self.output.inner_mut().suggest_boundary(offset);
        self.output.put(&Header { item_type: PAYLOAD, content_bytes: size }.encode())?;
        let supply = self.output.put_from(content, size)?;
        Ok((offset, supply))
    }

    /// Notes a content whose header stands at `offset`, in chunks that were injected or will be the next to be.
    pub fn refer(&mut self, offset: u64, size: u64) -> Result<(), PxarError> {
        if offset < self.contents_end {
            let text =
                format!("content at byte {offset} of the payload stream lies before the end of the one before it");
            return Err(PxarError::Invalid(text));
        }
        let end = offset.checked_add(HEADER_BYTES).and_then(|start| start.checked_add(size));
        self.contents_end = end.ok_or_else(|| PxarError::Invalid("content is too large for an archive".into()))?;
        Ok(())
    }

    /// Continues the stream with chunks that exist already.
    pub fn inject(&mut self, chunks: &[ReusedChunk]) -> Result<(), PxarError> {
        for group in chunks.chunks(MAX_INJECTED_CHUNKS) {
            let offset = self.position();
            self.output.written()?.inject(offset, group).map_err(PxarError::Write)?;
            self.injected_bytes += group.iter().map(|chunk| chunk.size).sum::<u64>();
        }
        Ok(())
    }

    /// Ends the stream; returns its length in bytes.
    pub fn finish(mut self) -> Result<u64, PxarError> {
        if self.position() < self.contents_end {
            let text = format!("the payload stream ends before the content that ends at byte {}", self.contents_end);
            return Err(PxarError::Invalid(text));
        }
        self.output.put(&Header { item_type: PAYLOAD_TAIL_MARKER, content_bytes: 0 }.encode())?;
        let length = self.position();
        self.output.finish()?;
        Ok(length)
    }
}
