//! Decides which chunks of the previous payload stream are used again (version-4.md 2.3). Nothing is read or written
//! here.
//!
//! Payloads of unchanged files that lie behind one another in the previous stream make a run. A run is stored as the
//! whole chunks that cover it if what these hold besides is little enough; else its files are read again.

use std::mem::{replace, take};
use std::ops::Range;
use std::sync::Arc;

use pbstore_format::{DynamicIndex, Index};

use crate::payload_sink::ReusedChunk;

/// At most one byte in so many of the chunks of a run may be padding.
const BYTES_PER_PADDING: u64 = 10;

/// Follows the payloads of the previous stream.
pub struct LookAhead {
    index: Arc<DynamicIndex>,
    /// Payloads without a plan; empty at the end of the last run if there are none.
    run: Range<u64>,
    /// End of the last payload that was accepted.
    accepted_end: u64,
    /// The last chunk of a run, kept back because the next run may begin in it. In the new stream it comes next.
    kept: Option<UsedChunk>,
}

/// A chunk of the previous stream in which files lie.
struct UsedChunk {
    number: usize,
    chunk: ReusedChunk,
    /// Bytes of it that are payloads of those files.
    used: u64,
}

/// How a run is stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Chunks to inject before anything else is stored.
    pub chunks: Vec<ReusedChunk>,
    /// How many of them hold padding.
    pub partial_count: u64,
    /// Where the payloads of the run will be; `None` if the files have to be read.
    pub shift: Option<Shift>,
}

/// Leads from places in the previous stream to places in the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    old: u64,
    new: u64,
}

impl Shift {
    /// The new offset of a payload of the run.
    pub fn apply(self, offset: u64) -> u64 {
        self.new + (offset - self.old)
    }
}

impl Plan {
    fn inject(&mut self, used_chunk: UsedChunk) {
        self.partial_count += u64::from(used_chunk.used < used_chunk.chunk.size);
        self.chunks.push(used_chunk.chunk);
    }
}

impl LookAhead {
    /// Begins with the index of the previous payload stream.
    pub fn new(index: Arc<DynamicIndex>) -> Self {
        Self { index, run: 0..0, accepted_end: 0, kept: None }
    }

    /// Whether the payload of an unchanged file can be used again. It cannot if the index has no such bytes, or if they
    /// lie before the end of one that was accepted already: readers of both streams could not get there.
    pub fn accept(&mut self, payload: &Range<u64>) -> bool {
        let fits = payload.start >= self.accepted_end && payload.end <= self.index.size();
        if fits {
            self.accepted_end = payload.end;
        }
        fits
    }

    /// Whether the run goes on with this payload.
    pub fn continues_with(&self, payload: &Range<u64>) -> bool {
        self.run.end == payload.start
    }

    /// Adds a payload to the run that it continues, or begins a run with it; there must be a plan for the one before.
    pub fn add(&mut self, payload: Range<u64>) {
        if self.continues_with(&payload) {
            self.run.end = payload.end;
        } else {
            self.run = payload;
        }
    }

    /// Plans how the run is stored when the new stream has got to `position`. With `keep_last` its last chunk may be
    /// kept back for the next run; else everything is injected, so that other bytes can follow.
    pub fn plan(&mut self, position: u64, keep_last: bool) -> Plan {
        let end = self.run.end;
        let run = replace(&mut self.run, end..end);
        let mut plan = Plan::default();
        if run.is_empty() && keep_last {
            return plan;
        }
        let kept = self.kept.take();
        let Some(numbers) = self.worthwhile_cover(&run, kept.as_ref()) else {
            kept.into_iter().for_each(|kept| plan.inject(kept));
            return plan;
        };
        let mut used_before = 0;
        match kept {
            Some(kept) if kept.number == numbers.start => used_before = kept.used,
            kept => kept.into_iter().for_each(|kept| plan.inject(kept)),
        }
        let injected_bytes: u64 = plan.chunks.iter().map(|chunk| chunk.size).sum();
        plan.shift = Some(Shift { old: self.span(numbers.start).start, new: position + injected_bytes });
        for number in numbers.clone() {
            let span = self.span(number);
            let used = run.end.min(span.end) - run.start.max(span.start) + take(&mut used_before);
            let digest = self.index.digest(number).copied().unwrap_or_default();
            let used_chunk = UsedChunk { number, chunk: ReusedChunk { digest, size: span.end - span.start }, used };
            if keep_last && number + 1 == numbers.end {
                self.kept = Some(used_chunk);
            } else {
                plan.inject(used_chunk);
            }
        }
        plan
    }

    /// Numbers of the chunks that cover a run, unless there are none or too much of them would be padding.
    fn worthwhile_cover(&self, run: &Range<u64>, kept: Option<&UsedChunk>) -> Option<Range<usize>> {
        if run.is_empty() {
            return None;
        }
        let numbers = self.index.find(run.start)?..self.index.find(run.end - 1)? + 1;
        let size = self.span(numbers.end - 1).end - self.span(numbers.start).start;
        let used_before = kept.filter(|kept| kept.number == numbers.start).map_or(0, |kept| kept.used);
        let padding = size - (run.end - run.start) - used_before;
        (padding <= size / BYTES_PER_PADDING).then_some(numbers)
    }

    fn span(&self, number: usize) -> Range<u64> {
        self.index.chunk_start(number).unwrap_or(0)..self.index.chunk_end(number).unwrap_or(0)
    }
}
