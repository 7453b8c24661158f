//! The chunker of payload streams, with suggested borders and chunks that come in between, in pieces of any length and
//! all at once, against one that hashes every byte as chunker.md 2 and 6 say.
//!
//! Input: the average, a multiplier, the length of pieces, four suggestions and two injections as distances, the data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_format::chunker::{payload_chunk_ends, PayloadChunker};
use pbstore_fuzz::{plain_chunker, within, Steering};

/// Lists of ends, four times.
const HEAP_BOUND: usize = 256 << 10;

fuzz_target!(|input: &[u8]| {
    let mut steering = Steering::new(input);
    let average = 64 << (steering.byte() % 6);
    let repeats = 1 + usize::from(steering.byte() % 32);
    let piece = 1 + usize::from(u16::from_le_bytes(steering.bytes()));
    let suggestions = ascending(steering.bytes::<8>().chunks(2));
    let [first, second, bytes, more_bytes] = [steering.byte(), steering.byte(), steering.byte(), steering.byte()];
    let data = steering.rest().repeat(repeats);
    let injections = injections([(first, bytes), (second, more_bytes)], data.len() as u64);
    within(HEAP_BOUND, || {
        let expected = plain_chunker::payload_ends(&data, &suggestions, &injections, average);
        assert_eq!(payload_chunk_ends(&data, &suggestions, &injections, average).as_ref(), Ok(&expected));
        assert_eq!(ends_in_pieces(&data, &suggestions, &injections, average, piece), expected);
    });
});

fn ascending<'a>(distances: impl Iterator<Item = &'a [u8]>) -> Vec<u64> {
    let mut offset = 0;
    let next = distances.map(|pair| {
        offset += u64::from(pair[0]) << (pair[1] % 8);
        offset
    });
    next.collect()
}

/// Up to two injections that the stream reaches; sixteenths of it apart, zero for none.
fn injections(choices: [(u8, u8); 2], data_bytes: u64) -> Vec<(u64, u64)> {
    let mut boundary = 0;
    let mut data_left = data_bytes;
    let mut injections = Vec::new();
    for (sixteenths, bytes) in choices.into_iter().filter(|(sixteenths, _)| *sixteenths > 0) {
        let distance = data_left.min(u64::from(sixteenths % 16) * data_bytes / 16);
        data_left -= distance;
        let bytes = u64::from(bytes) * 100;
        injections.push((boundary + distance, bytes));
        boundary += distance + bytes;
    }
    injections
}

/// As an upload does it: what was not cut yet is kept, and suggestions are told when the stream gets to them.
fn ends_in_pieces(
    data: &[u8],
    suggestions: &[u64],
    injections: &[(u64, u64)],
    average: usize,
    piece: usize,
) -> Vec<u64> {
    let mut chunker = PayloadChunker::new(average).unwrap();
    let mut suggestions = suggestions.iter().copied().peekable();
    let mut ends = Vec::new();
    let mut rest = data;
    for (boundary, bytes) in injections.iter().copied().chain([(u64::MAX, 0)]) {
        let length = usize::try_from(boundary - chunker.base()).unwrap_or(usize::MAX).min(rest.len());
        let (mut run, behind) = rest.split_at(length);
        let mut buffered = 0;
        loop {
            buffered = run.len().min(buffered + piece);
            while let Some(offset) = suggestions.next_if(|offset| *offset <= chunker.base() + buffered as u64) {
                chunker.suggest(offset);
            }
            let is_all = buffered == run.len();
            while let Some(length) = chunker.cut(&run[..buffered], is_all) {
                ends.push(chunker.base());
                run = &run[length..];
                buffered -= length;
            }
            if is_all {
                break;
            }
        }
        chunker.skip(bytes);
        rest = behind;
    }
    ends
}
