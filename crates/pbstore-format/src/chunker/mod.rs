//! Content-defined chunking of archive streams (chunker.md 1 to 4), and of payload streams (6).

mod payload;
mod table;

use crate::{FormatError, Result};
use table::TABLE;

pub use payload::{payload_chunk_ends, PayloadChunker};

/// Average of file archives unless the user chooses another.
pub const DEFAULT_AVERAGE: usize = 4 << 20;
/// Average of catalogs.
pub const CATALOG_AVERAGE: usize = 512 << 10;
/// Smallest average that is taken.
pub const MIN_AVERAGE: usize = 64;

const WINDOW: usize = 64;
/// Bytes rolled over at a time.
const BLOCK: usize = 16;

/// Finds the borders of chunks in a stream that comes in pieces of any size.
///
/// Hashes only the window before the smallest chunk length and what follows: nothing earlier can decide a border,
/// because what leaves the window cancels out of the hash.
#[derive(Clone)]
pub struct Chunker {
    min: usize,
    max: usize,
    mask: u32,
    threshold: u32,
    /// Bytes of the chunk before hashing starts.
    skipped: usize,
    /// Bytes of the current chunk seen.
    count: usize,
    hash: u32,
    /// The last bytes seen, in order; complete from `skipped + WINDOW` on.
    tail: [u8; WINDOW],
}

impl Chunker {
    /// Chunks of a quarter to four times `average` bytes, a power of two from 64 to 4 MiB.
    ///
    /// # Errors
    /// `Malformed` for any other average.
    pub fn new(average: usize) -> Result<Self> {
        if !average.is_power_of_two() || !(MIN_AVERAGE..=DEFAULT_AVERAGE).contains(&average) {
            let range = format!("a power of two from {MIN_AVERAGE} to {DEFAULT_AVERAGE}");
            return Err(FormatError::malformed(format!("invalid average chunk size {average}: {range} bytes")));
        }
        let min = average / 4;
        let mask = (1 << (average.trailing_zeros() + 1)) - 1;
        let threshold = mask - 2;
        let skipped = min.saturating_sub(WINDOW);
        Ok(Self { min, max: average * 4, mask, threshold, skipped, count: 0, hash: 0, tail: [0; WINDOW] })
    }

    /// Take the next piece of the stream. `Some(n)`: the current chunk ends behind the first `n` bytes of `data`; the
    /// rest was not looked at and is to be given again. `None`: all of `data` belongs to the current chunk.
    pub fn scan(&mut self, data: &[u8]) -> Option<usize> {
        let mut rest = data;
        let skip = self.skipped.saturating_sub(self.count).min(rest.len());
        self.count += skip;
        rest = rest.get(skip..)?;
        if self.count < self.skipped {
            return None;
        }
        rest = self.fill(rest);
        if self.count < self.skipped + WINDOW {
            return None;
        }
        let at_min = self.min > WINDOW && self.count == self.min && self.is_border(self.hash);
        let border = if at_min { Some(0) } else { self.roll(rest) };
        let end = data.len() - rest.len() + border?;
        self.reset();
        Some(end)
    }

    /// Forget the current chunk; the next byte starts a new one.
    pub fn reset(&mut self) {
        self.count = 0;
        self.hash = 0;
    }

    /// Bytes of the current chunk seen so far.
    pub fn pending_bytes(&self) -> usize {
        self.count
    }

    /// Hash bytes until the window is full and return the others.
    fn fill<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let filled = self.count - self.skipped;
        let Some(free) = self.tail.get_mut(filled..) else {
            return data;
        };
        let (head, rest) = data.split_at(free.len().min(data.len()));
        for (place, &byte) in free.iter_mut().zip(head) {
            *place = byte;
            self.hash = self.hash.rotate_left(1) ^ TABLE[usize::from(byte)];
        }
        self.count += head.len();
        rest
    }

    /// Roll over `data` up to a border, which is returned, or its end.
    fn roll(&mut self, data: &[u8]) -> Option<usize> {
        let room = self.max - self.count;
        let data = data.get(..room).unwrap_or(data);
        let tail = self.tail;
        let found = match self.roll_over(&tail, data) {
            Some(border) => Some(border),
            None => self.roll_over(data, data.get(WINDOW..).unwrap_or_default()).map(|border| border + WINDOW),
        };
        if found.is_none() {
            self.count += data.len();
            self.keep_tail(data);
        }
        found.or((data.len() == room).then_some(room))
    }

    /// Roll with `old` leaving and `new` entering, as far as both go.
    fn roll_over(&mut self, old: &[u8], new: &[u8]) -> Option<usize> {
        let mut rolled = 0;
        // Looking up a block before hashing it, in arrays that the compiler unrolls, doubles the speed.
        for (old, new) in old.chunks_exact(BLOCK).zip(new.chunks_exact(BLOCK)) {
            let (Some(old), Some(new)) = (old.first_chunk::<BLOCK>(), new.first_chunk::<BLOCK>()) else {
                break;
            };
            let mixed: [u32; BLOCK] = std::array::from_fn(|index| mix(old[index], new[index]));
            if let Some(border) = self.roll_mixed(mixed.into_iter()) {
                return Some(rolled + border);
            }
            rolled += BLOCK;
        }
        let rest = old.iter().zip(new).skip(rolled);
        self.roll_mixed(rest.map(|(&old, &new)| mix(old, new))).map(|border| rolled + border)
    }

    #[inline(always)]
    fn roll_mixed(&mut self, mixed: impl Iterator<Item = u32>) -> Option<usize> {
        let (mask, threshold) = (self.mask, self.threshold);
        let mut hash = self.hash;
        for (index, value) in mixed.enumerate() {
            hash = hash.rotate_left(1) ^ value;
            if hash & mask >= threshold {
                return Some(index + 1);
            }
        }
        self.hash = hash;
        None
    }

    fn keep_tail(&mut self, data: &[u8]) {
        if let Some(last) = data.last_chunk() {
            self.tail = *last;
        } else {
            self.tail.rotate_left(data.len());
            let start = WINDOW - data.len();
            self.tail.iter_mut().skip(start).zip(data).for_each(|(place, &byte)| *place = byte);
        }
    }

    fn is_border(&self, hash: u32) -> bool {
        hash & self.mask >= self.threshold
    }
}

/// What a rolling step adds: `old` leaves unrotated, for the window is a multiple of the hash's 32 bits.
#[inline(always)]
fn mix(old: u8, new: u8) -> u32 {
    TABLE[usize::from(old)] ^ TABLE[usize::from(new)]
}

/// Ends of the chunks of a whole stream; the last one is its length.
///
/// # Errors
/// `Malformed` for an average that [`Chunker::new`] refuses.
pub fn chunk_ends(data: &[u8], average: usize) -> Result<Vec<usize>> {
    let mut chunker = Chunker::new(average)?;
    let mut ends = Vec::new();
    let mut start = 0;
    while let Some(rest) = data.get(start..).filter(|rest| !rest.is_empty()) {
        start += chunker.scan(rest).unwrap_or(rest.len());
        ends.push(start);
    }
    Ok(ends)
}
