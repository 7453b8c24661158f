//! Cuts payload streams of split archives: at the border of a file where one is near, else by content (chunker.md 6).

use std::collections::VecDeque;

use super::Chunker;
use crate::{FormatError, Result};

/// Finds the borders of chunks in a payload stream, whose files' places are suggested as borders.
///
/// Each decision is made with all that can have a say in it at hand, so that the same stream with the same suggestions
/// is cut in the same places however it arrives.
pub struct PayloadChunker {
    chunker: Chunker,
    /// Ascending; only such that can still be the end of the current chunk or of a later one.
    suggestions: VecDeque<u64>,
    /// Where the current chunk starts in the stream.
    base: u64,
}

impl PayloadChunker {
    /// Chunks of a quarter to four times `average` bytes, a power of two from 64 to 4 MiB.
    ///
    /// # Errors
    /// `Malformed` for any other average.
    pub fn new(average: usize) -> Result<Self> {
        Ok(Self { chunker: Chunker::new(average)?, suggestions: VecDeque::new(), base: 0 })
    }

    /// Where the current chunk starts in the stream.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// A file begins at `offset` of the stream. Offsets ascend, and each is told before [`Self::cut`] sees what lies
    /// behind it.
    pub fn suggest(&mut self, offset: u64) {
        // Too near the start of this chunk is near or before the start of any later one.
        if offset >= self.first_end() {
            self.suggestions.push_back(offset);
        }
    }

    /// Where the current chunk ends, if that is certain by now. `buffered` is all of the stream from the start of the
    /// current chunk on, `is_all` tells that the stream, or this run of it, ends there. `Some(n)`: the chunk is the
    /// first `n` bytes, and the next one starts behind them. `None`: more is needed, or nothing is left.
    pub fn cut(&mut self, buffered: &[u8], is_all: bool) -> Option<usize> {
        let longest = buffered.len().min(self.chunker.max);
        let end = match self.suggested_end(longest) {
            Some(end) => end,
            None if buffered.len() >= self.chunker.max || (is_all && longest > 0) => {
                self.chunker.reset();
                self.chunker.scan(&buffered[..longest]).unwrap_or(longest)
            }
            None => return None,
        };
        self.base += end as u64;
        Some(end)
    }

    /// Chunks of `bytes` in all that exist already come into the stream here, between two chunks.
    pub fn skip(&mut self, bytes: u64) {
        self.base = self.base.saturating_add(bytes);
    }

    /// The first suggestion that makes a chunk of at least the smallest and at most `longest` bytes.
    fn suggested_end(&mut self, longest: usize) -> Option<usize> {
        while self.suggestions.front().is_some_and(|offset| *offset < self.first_end()) {
            self.suggestions.pop_front();
        }
        let length = self.suggestions.front()? - self.base;
        usize::try_from(length).ok().filter(|length| *length <= longest)
    }

    /// Where the current chunk ends at the earliest, unless the stream is interrupted before.
    fn first_end(&self) -> u64 {
        self.base.saturating_add(self.chunker.min as u64)
    }
}

/// Ends of the chunks that a whole payload stream is cut into. `data` is what the stream has beside the chunks that
/// exist already; each of `injections` is where such chunks come into the stream, and their bytes. Offsets and ends
/// count those.
///
/// # Errors
/// `Malformed` for an average that [`Chunker::new`] refuses, and for an injection that the stream does not reach.
pub fn payload_chunk_ends(
    data: &[u8],
    suggestions: &[u64],
    injections: &[(u64, u64)],
    average: usize,
) -> Result<Vec<u64>> {
    let mut chunker = PayloadChunker::new(average)?;
    suggestions.iter().for_each(|offset| chunker.suggest(*offset));
    let mut ends = Vec::new();
    let mut rest = data;
    for (boundary, bytes) in injections {
        let length = boundary.checked_sub(chunker.base()).and_then(|length| usize::try_from(length).ok());
        let (run, behind) = length.and_then(|length| rest.split_at_checked(length)).ok_or_else(|| {
            FormatError::malformed(format!("invalid injection boundary {boundary} at {}", chunker.base()))
        })?;
        cut_run(&mut chunker, run, &mut ends);
        chunker.skip(*bytes);
        rest = behind;
    }
    cut_run(&mut chunker, rest, &mut ends);
    Ok(ends)
}

fn cut_run(chunker: &mut PayloadChunker, mut run: &[u8], ends: &mut Vec<u64>) {
    while let Some(length) = chunker.cut(run, true) {
        ends.push(chunker.base());
        run = &run[length..];
    }
}
