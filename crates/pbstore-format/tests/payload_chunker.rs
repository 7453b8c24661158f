//! The payload chunker against chunker.md 6: its table, its vector, and that the way a stream comes makes no difference.

mod streams;

use pbstore_format::chunker::{chunk_ends, payload_chunk_ends, PayloadChunker};
use proptest::prelude::*;
use streams::seeded_stream;

const KIB: usize = 1 << 10;
/// Smallest chunk 64, largest 1024.
const TINY: usize = 256;

/// As an upload does it: data comes in pieces, and a suggestion just before the bytes behind it.
fn ends_in_pieces(data: &[u8], suggestions: &[u64], average: usize, pieces: &[usize]) -> Vec<u64> {
    let mut chunker = PayloadChunker::new(average).unwrap();
    let (mut told, mut ends, mut buffered, mut rest) = (suggestions.iter().peekable(), vec![], vec![], data);
    for piece in pieces.iter().cycle() {
        let written = data.len() - rest.len() + piece;
        while told.peek().is_some_and(|offset| **offset < written as u64) {
            chunker.suggest(*told.next().unwrap());
        }
        let (head, tail) = rest.split_at(rest.len().min(*piece));
        buffered.extend_from_slice(head);
        rest = tail;
        while let Some(length) = chunker.cut(&buffered, rest.is_empty()) {
            buffered.drain(..length);
            ends.push(chunker.base());
        }
        if rest.is_empty() {
            return ends;
        }
    }
    ends
}

/// Straight from the table, with all data and all suggestions at hand.
fn table_ends(data: &[u8], suggestions: &[u64], average: usize) -> Vec<u64> {
    let (min, max) = (average as u64 / 4, average as u64 * 4);
    let (mut ends, mut base, mut queue) = (Vec::new(), 0, suggestions.iter().copied().peekable());
    while base < data.len() as u64 {
        while queue.next_if(|offset| *offset < base || offset - base < min).is_some() {}
        let suggested = queue.next_if(|offset| offset - base <= max && *offset <= data.len() as u64);
        let by_hash = || base + chunk_ends(&data[base as usize..], average).unwrap()[0] as u64;
        base = suggested.unwrap_or_else(by_hash);
        ends.push(base);
    }
    ends
}

#[test]
fn the_vector_with_all_known_in_advance() {
    let suggestions = [20_000, 30_000, 35_000, 100_000, 110_000, 400_000, 700_000, 700_016];
    let ends = [
        20_000, 100_000, 119_627, 156_011, 400_000, 480_059, 700_000, 753_501, 787_204, 810_919, 905_306, 938_504,
        1_000_764, 1_030_581, 1_048_576,
    ];
    let stream = seeded_stream(1 << 20);
    assert_eq!(payload_chunk_ends(&stream, &suggestions, &[], 64 * KIB).unwrap(), ends);
    assert_eq!(ends_in_pieces(&stream, &suggestions, 64 * KIB, &[1 << 12]), ends);
}

#[test]
fn a_boundary_ends_the_chunk_before_its_smallest_length_and_starts_anew_behind_the_reused_ones() {
    let stream = seeded_stream(100 * KIB);
    let ends = payload_chunk_ends(&stream, &[], &[(5, 1000)], 16 * KIB).unwrap();
    let behind = chunk_ends(&stream[5..], 16 * KIB).unwrap();
    assert_eq!(ends[0], 5);
    assert_eq!(ends[1..], behind.iter().map(|end| *end as u64 + 1005).collect::<Vec<_>>());
}

#[test]
fn a_boundary_at_the_end_of_a_chunk_makes_no_empty_one() {
    let stream = seeded_stream(100 * KIB);
    let plain = chunk_ends(&stream, 16 * KIB).unwrap();
    let first = plain[0] as u64;
    let consecutive = [(0, 7), (first + 7, 10), (first + 17, 20)];
    let ends = payload_chunk_ends(&stream, &[], &consecutive, 16 * KIB).unwrap();
    assert_eq!(ends[0], first + 7);
    assert_eq!(ends[1..], plain[1..].iter().map(|end| *end as u64 + 37).collect::<Vec<_>>());
}

#[test]
fn files_inside_reused_chunks_are_no_borders_but_those_behind_are() {
    // The boundary is at 500; files lie at 700 and 900 in reused chunks, and at 1100 and 1700 behind them. Zeros have
    // no borders of their own.
    let ends = payload_chunk_ends(&[0; 2000], &[700, 900, 1100, 1700], &[(500, 510)], TINY).unwrap();
    assert_eq!(ends, [500, 1100, 1700, 2510]);
}

#[test]
fn a_boundary_that_the_stream_is_past_or_never_reaches_is_refused() {
    let stream = seeded_stream(2000);
    for injections in [&[(300, 10), (305, 10)][..], &[(2001, 10)], &[(0, u64::MAX), (0, 1)]] {
        let error = payload_chunk_ends(&stream, &[], injections, TINY).unwrap_err().to_string();
        assert!(error.contains("invalid injection boundary"), "{error}");
    }
}

proptest! {
    #[test]
    fn the_table_decides_however_the_stream_comes(
        length in 0_usize..20_000,
        steps in proptest::collection::vec(1_u64..3000, 0..60),
        exponent in 6_u32..10,
        pieces in proptest::collection::vec(1_usize..5000, 1..8),
    ) {
        let data = seeded_stream(length);
        let files = steps.iter().scan(0, |at, step| { *at += step; Some(*at) });
        let suggestions: Vec<u64> = files.take_while(|offset| *offset <= length as u64).collect();
        let average = 1 << exponent;
        let expected = table_ends(&data, &suggestions, average);
        prop_assert_eq!(&payload_chunk_ends(&data, &suggestions, &[], average).unwrap(), &expected);
        prop_assert_eq!(&ends_in_pieces(&data, &suggestions, average, &pieces), &expected);
        let starts = std::iter::once(0).chain(expected.iter().copied());
        prop_assert!(starts.zip(&expected).all(|(start, end)| (1..=4 * average as u64).contains(&(end - start))));
    }

    #[test]
    fn without_suggestions_it_is_the_plain_chunker(length in 0_usize..20_000, exponent in 6_u32..10) {
        let data = seeded_stream(length);
        let plain: Vec<u64> = chunk_ends(&data, 1 << exponent).unwrap().iter().map(|end| *end as u64).collect();
        prop_assert_eq!(payload_chunk_ends(&data, &[], &[], 1 << exponent).unwrap(), plain);
    }
}
