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

    /// Where the chunk begins in which the run ends.
    pub fn last_chunk_start(&self) -> u64 {
        let last = self.run.end.checked_sub(1).and_then(|last| self.index.find(last));
        last.map_or(0, |number| self.span(number).start)
    }

    /// Plans only the part of the run before `border`, at which a payload begins. `None` if that is not worthwhile, or
    /// if there is no need to, as the whole run is.
    pub fn plan_front(&mut self, border: u64, position: u64) -> Option<Plan> {
        let front = self.run.start..border;
        let kept = self.kept.as_ref();
        self.worthwhile_cover(&front, kept).filter(|_| self.worthwhile_cover(&self.run, kept).is_none())?;
        let rest = border..replace(&mut self.run, front).end;
        let plan = self.plan(position, true);
        self.run = rest;
        Some(plan)
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

#[cfg(test)]
mod tests {
    use pbstore_format::dynamic_index::{encode_file, DynamicHeader};

    use super::*;

    /// Chunks of 1000 bytes; the digest is the number.
    fn look_ahead() -> LookAhead {
        let entries: Vec<_> = (0..20).map(|number| (1000 * (number + 1), [number as u8; 32])).collect();
        let header = DynamicHeader { uuid: [0; 16], ctime: 0, csum: [0; 32] };
        LookAhead::new(Arc::new(DynamicIndex::parse(encode_file(header, &entries).unwrap()).unwrap()))
    }

    fn planned(look_ahead: &mut LookAhead, run: Range<u64>, keep_last: bool) -> Plan {
        assert!(look_ahead.accept(&run));
        look_ahead.add(run);
        look_ahead.plan(50_000, keep_last)
    }

    fn plan(numbers: impl IntoIterator<Item = u8>, partial_count: u64, shift: Option<(u64, u64)>) -> Plan {
        let chunks = numbers.into_iter().map(|number| ReusedChunk { digest: [number; 32], size: 1000 }).collect();
        Plan { chunks, partial_count, shift: shift.map(|(old, new)| Shift { old, new }) }
    }

    #[test]
    fn whole_chunks_are_injected_as_they_are() {
        // The chunk behind a run that ends with a chunk is not needed.
        assert_eq!(planned(&mut look_ahead(), 2000..5000, false), plan(2..5, 0, Some((2000, 50_000))));
        assert_eq!(planned(&mut look_ahead(), 19_000..20_000, false), plan(19..20, 0, Some((19_000, 50_000))));
    }

    #[test]
    fn a_tenth_may_be_padding() {
        assert_eq!(planned(&mut look_ahead(), 1050..2950, false), plan(1..3, 2, Some((1000, 50_000))));
        assert_eq!(planned(&mut look_ahead(), 1200..3000, false), plan(1..3, 1, Some((1000, 50_000))));
        assert_eq!(planned(&mut look_ahead(), 1201..3000, false), plan([], 0, None));
        assert_eq!(planned(&mut look_ahead(), 1900..2900, false), plan([], 0, None));
    }

    #[test]
    fn payloads_have_new_places() {
        let shift = planned(&mut look_ahead(), 1050..3000, false).shift.unwrap();
        assert_eq!((shift.apply(1050), shift.apply(2999)), (50_050, 51_999));
    }

    #[test]
    fn the_last_chunk_is_shared_with_the_next_run() {
        let mut look_ahead = look_ahead();
        assert_eq!(planned(&mut look_ahead, 0..1900, true), plan([0], 0, Some((0, 50_000))));
        // Without what is used of chunk 1 already, 950 of 2000 bytes would be padding.
        assert_eq!(planned(&mut look_ahead, 1950..3000, true), plan([1], 1, Some((1000, 50_000))));
        assert_eq!(planned(&mut look_ahead, 3000..4000, false), plan([2, 3], 0, Some((3000, 51_000))));
    }

    #[test]
    fn one_chunk_serves_many_runs() {
        let mut look_ahead = look_ahead();
        assert_eq!(planned(&mut look_ahead, 0..910, true), plan([], 0, Some((0, 50_000))));
        for start in [920, 940, 960] {
            let shift = planned(&mut look_ahead, start..start + 10, true).shift.unwrap();
            assert_eq!(shift.apply(start), 50_000 + start);
        }
        assert_eq!(look_ahead.plan(50_000, false), plan([0], 1, None));
    }

    #[test]
    fn a_kept_chunk_comes_before_everything_else() {
        let mut look_ahead = look_ahead();
        assert_eq!(planned(&mut look_ahead, 0..1000, true), plan([], 0, Some((0, 50_000))));
        // Another chunk.
        assert_eq!(planned(&mut look_ahead, 3000..4000, true), plan([0], 0, Some((3000, 51_000))));
        // A run that has to be read.
        assert_eq!(planned(&mut look_ahead, 4500..4600, true), plan([3], 0, None));
        // Nothing: it stays for a run that may come, and goes before other bytes.
        assert_eq!(planned(&mut look_ahead, 5000..6000, true), plan([], 0, Some((5000, 50_000))));
        assert_eq!(look_ahead.plan(50_000, true), plan([], 0, None));
        assert_eq!(look_ahead.plan(50_000, false), plan([5], 0, None));
        assert_eq!(look_ahead.plan(50_000, false), plan([], 0, None));
    }

    #[test]
    fn runs_grow_while_payloads_follow_each_other() {
        let mut look_ahead = look_ahead();
        for payload in [0..700, 700..1400, 1400..2000] {
            assert!(payload.start == 0 || look_ahead.continues_with(&payload));
            assert!(look_ahead.accept(&payload));
            look_ahead.add(payload);
        }
        assert!(!look_ahead.continues_with(&(2001..2010)));
        assert_eq!(look_ahead.plan(50_000, true), plan([0], 0, Some((0, 50_000))));
        // Also behind a plan.
        assert!(look_ahead.continues_with(&(2000..2010)));
    }

    #[test]
    fn the_front_of_a_long_run_can_go_ahead() {
        let mut look_ahead = look_ahead();
        look_ahead.add(0..2500);
        assert_eq!(look_ahead.last_chunk_start(), 2000);
        assert_eq!(look_ahead.plan_front(1950, 50_000), Some(plan([0], 0, Some((0, 50_000)))));
        // The rest is a run that begins in the chunk that was kept.
        assert!(look_ahead.continues_with(&(2500..2950)));
        look_ahead.add(2500..2950);
        assert_eq!(look_ahead.plan(51_000, false), plan([1, 2], 1, Some((1000, 51_000))));
    }

    #[test]
    fn the_front_stays_where_it_does_not_help() {
        let mut look_ahead = look_ahead();
        look_ahead.add(0..2950);
        // All of it is worthwhile.
        assert_eq!(look_ahead.plan_front(1950, 50_000), None);
        look_ahead.plan(50_000, false);
        look_ahead.add(3500..4500);
        // Not even the front is; or there is none.
        assert_eq!(look_ahead.plan_front(3900, 50_000), None);
        assert_eq!(look_ahead.plan_front(3500, 50_000), None);
    }

    #[test]
    fn payloads_that_readers_could_not_reach_are_refused() {
        let mut look_ahead = look_ahead();
        assert!(look_ahead.accept(&(100..200)));
        assert!(!look_ahead.accept(&(100..116)));
        assert!(!look_ahead.accept(&(199..215)));
        assert!(!look_ahead.accept(&(19_990..20_006)));
        assert!(look_ahead.accept(&(200..216)));
    }
}
