//! The chunker against the vectors of chunker.md 5 and against a plain one that hashes every byte.

mod streams;

use pbstore_format::chunker::{chunk_ends, Chunker};
use pbstore_format::digest::{sha256, to_hex};
use proptest::prelude::*;
use streams::seeded_stream;

const V1: [usize; 12] = [
    5200380, 11122019, 15816364, 24161158, 28383920, 31143815, 36435737, 48160421, 56007056, 58994137, 60177684,
    67108864,
];
const V2: [usize; 23] = [
    42522, 86649, 119627, 156011, 222359, 239915, 261585, 288811, 319801, 336551, 370169, 480059, 525457, 642043,
    677915, 753501, 787204, 810919, 905306, 938504, 1000764, 1030581, 1048576,
];
const V4: [usize; 5] = [143377, 405521, 667665, 929809, 1048576];

fn counters() -> Vec<u8> {
    (0..262_144_u32).flat_map(u32::to_le_bytes).collect()
}

/// Ends of the chunks when the stream comes in pieces of the given lengths, over and over.
fn ends_in_pieces(data: &[u8], average: usize, pieces: &[usize]) -> Vec<usize> {
    let mut chunker = Chunker::new(average).unwrap();
    let mut ends = Vec::new();
    let mut lengths = pieces.iter().cycle();
    let mut at = 0;
    while at < data.len() {
        let mut stop = data.len().min(at + lengths.next().unwrap());
        while at < stop {
            match chunker.scan(&data[at..stop]) {
                Some(len) => {
                    at += len;
                    ends.push(at);
                }
                None => at = stop,
            }
        }
        stop = at;
        assert!(stop <= data.len());
    }
    if ends.last() != Some(&data.len()) {
        ends.push(data.len());
    }
    ends
}

/// Straight from the text of chunker.md 2: every byte is hashed.
fn plain_ends(data: &[u8], average: usize, table: &[u32; 256]) -> Vec<usize> {
    let (min, max, mask) = (average / 4, average * 4, average as u32 * 2 - 1);
    let mut ends = Vec::new();
    let (mut start, mut hash) = (0, 0_u32);
    for (at, &byte) in data.iter().enumerate() {
        let count = at - start + 1;
        hash = hash.rotate_left(1) ^ table[usize::from(byte)];
        if count > 64 {
            hash ^= table[usize::from(data[at - 64])];
            if count >= max || (count >= min && hash & mask >= mask - 2) {
                ends.push(at + 1);
                (start, hash) = (at + 1, 0);
            }
        }
    }
    if start < data.len() {
        ends.push(data.len());
    }
    ends
}

/// The table, recovered from the chunker's own source so that it is written down once.
fn table() -> [u32; 256] {
    let source = include_str!("../src/chunker/table.rs");
    let values = source.split("0x").skip(1).map(|text| u32::from_str_radix(&text[..8], 16).unwrap());
    values.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn table_has_the_published_digest() {
    let bytes: Vec<u8> = table().into_iter().flat_map(u32::to_le_bytes).collect();
    assert_eq!(to_hex(&sha256(&bytes)), "5b52080d38287da9d2e278466e3e0db7ec98e5e8b226f50612a56fa012b1f660");
}

#[test]
fn random_stream_with_default_average() {
    let stream = seeded_stream(67_108_864);
    assert_eq!(to_hex(&sha256(&stream)), "d1a0438dfd41075db2bce5f5e320b05e054d445661e2f51215c77e7d72bfdac3");
    assert_eq!(chunk_ends(&stream, 4 << 20).unwrap(), V1);
    assert_eq!(ends_in_pieces(&stream, 4 << 20, &[1_000_003, 77, 65_536, 4]), V1);
}

#[test]
fn random_stream_with_small_average() {
    let stream = seeded_stream(1 << 20);
    assert_eq!(chunk_ends(&stream, 64 << 10).unwrap(), V2);
    assert_eq!(ends_in_pieces(&stream, 64 << 10, &[1]), V2);
    assert_eq!(plain_ends(&stream, 64 << 10, &table()), V2);
}

#[test]
fn constant_data_gives_chunks_of_the_largest_length() {
    let zeros = vec![0; 41_943_040];
    assert_eq!(chunk_ends(&zeros, 4 << 20).unwrap(), [16_777_216, 33_554_432, 41_943_040]);
}

#[test]
fn counters_with_small_average() {
    let stream = counters();
    assert_eq!(to_hex(&sha256(&stream)), "21b9bf484e8bb6ca346d2cd113f24594cadb15c31c3e6ea4bd99897b1e728282");
    assert_eq!(chunk_ends(&stream, 64 << 10).unwrap(), V4);
    assert_eq!(ends_in_pieces(&stream, 64 << 10, &[1]), V4);
}

#[test]
fn an_inserted_byte_moves_later_borders_by_one() {
    let stream = seeded_stream(8 << 20);
    let longer = [&[7][..], &stream].concat();
    let before: Vec<usize> = chunk_ends(&stream, 64 << 10).unwrap().iter().map(|end| end + 1).collect();
    let after = chunk_ends(&longer, 64 << 10).unwrap();
    assert_eq!(before[before.len() - 30..], after[after.len() - 30..]);
}

#[test]
fn an_empty_stream_has_no_chunks_and_odd_averages_are_refused() {
    assert!(chunk_ends(&[], 4 << 20).unwrap().is_empty());
    for average in [0, 1, 32, 100, 3 << 20, 8 << 20, usize::MAX] {
        assert!(Chunker::new(average).is_err(), "{average}");
    }
}

/// Runs of one byte between random bytes, as in real archives.
fn run() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..600),
        (any::<u8>(), 0_usize..5000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

proptest! {
    #[test]
    fn skipping_and_pieces_change_nothing(
        runs in proptest::collection::vec(run(), 0..20),
        exponent in 6_u32..13,
        pieces in proptest::collection::vec(1_usize..3000, 1..8),
    ) {
        let data = runs.concat();
        let average = 1 << exponent;
        let expected = plain_ends(&data, average, &table());
        prop_assert_eq!(&chunk_ends(&data, average).unwrap(), &expected);
        if !data.is_empty() {
            prop_assert_eq!(&ends_in_pieces(&data, average, &pieces), &expected);
        }
    }
}
