//! The chunker, in pieces of any length, against one that hashes every byte as chunker.md 2 says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_format::Chunker;
use pbstore_fuzz::{plain_chunker, within, Steering};

/// Lists of ends.
const HEAP_BOUND: usize = 64 << 10;

fuzz_target!(|input: &[u8]| {
    let mut steering = Steering::new(input);
    // Averages from 64 to 2048 bytes, and a multiplier that makes short inputs long.
    let average = 64 << (steering.byte() % 6);
    let repeats = 1 + usize::from(steering.byte() % 64);
    let pieces = steering.bytes::<4>().map(|byte| 1 + usize::from(byte) * 7);
    let data = steering.rest().repeat(repeats);
    within(HEAP_BOUND, || assert_eq!(ends_in_pieces(&data, average, pieces), plain_chunker::ends(&data, average)));
});

fn ends_in_pieces(data: &[u8], average: usize, pieces: [usize; 4]) -> Vec<usize> {
    let mut chunker = Chunker::new(average).unwrap();
    let mut ends = Vec::new();
    let mut start = 0;
    for length in pieces.into_iter().cycle() {
        let stop = data.len().min(start + length);
        while let Some(count) = chunker.scan(&data[start..stop]) {
            assert!(count > 0 || chunker.pending_bytes() == 0);
            start += count;
            ends.push(start);
        }
        start = stop;
        if start == data.len() {
            break;
        }
    }
    if ends.last().copied().unwrap_or(0) < data.len() {
        ends.push(data.len());
    }
    ends
}
