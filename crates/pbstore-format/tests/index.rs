//! Index files: the test list of indexes.md 7, and no panic on any bytes.

mod streams;

use pbstore_format::digest::{sha256, to_hex};
use pbstore_format::dynamic_index::{self, DynamicHeader};
use pbstore_format::fixed_index::{self, FixedHeader};
use pbstore_format::index::IndexCsum;
use pbstore_format::{Digest, DynamicIndex, EntryScanner, FixedIndex, FormatError, Index, IndexEntry};
use proptest::prelude::*;
use streams::unhex;

const CTIME: i64 = 1_593_179_765;

fn uuid() -> [u8; 16] {
    std::array::from_fn(|index| index as u8)
}

fn fixed_file() -> Vec<u8> {
    let (whole, last) = (sha256(&vec![0; 4 << 20]), sha256(&vec![0; 1 << 20]));
    let header = FixedHeader { uuid: uuid(), ctime: CTIME, csum: [0; 32], size: 9 << 20, chunk_size: 4 << 20 };
    fixed_index::encode_file(header, &[whole, whole, last]).unwrap()
}

fn dynamic_file() -> Vec<u8> {
    let header = DynamicHeader { uuid: uuid(), ctime: CTIME, csum: [0; 32] };
    dynamic_index::encode_file(header, &[(5, sha256(b"hello")), (11, sha256(b" world"))]).unwrap()
}

#[test]
fn fixed_example() {
    let file = fixed_file();
    assert_eq!(file.len(), 4192);
    let head = "2f7f41ed91fd0fcd 000102030405060708090a0b0c0d0e0f 75fef55e00000000
        c8f97c712320613991f39507b92b54d92085daf3d0b44dc6264b60a9c6da2fc1
        0000900000000000 0000400000000000";
    assert_eq!(file[..80], unhex(head));
    assert_eq!(to_hex(&sha256(&file)), "25e0f74ec280a54dc9ee15f94b64f4fa596b2ee0a25103045d9a2fc13f8300b6");
    let index = FixedIndex::parse(file).unwrap();
    assert_eq!((index.len(), index.size(), index.chunk_size()), (3, 9 << 20, 4 << 20));
    assert_eq!((index.uuid(), index.ctime(), index.csum()), (uuid(), CTIME, index.header().csum));
    assert_eq!(
        (index.chunk_start(2), index.chunk_end(2), index.chunk_len(2)),
        (Some(8 << 20), Some(9 << 20), Some(1 << 20))
    );
    assert_eq!((index.digest(3), index.chunk_end(3), index.chunk_start(3)), (None, None, None));
    let found = [0, (4 << 20) - 1, 4 << 20, (9 << 20) - 1, 9 << 20].map(|offset| index.find(offset));
    assert_eq!(found, [Some(0), Some(0), Some(1), Some(2), None]);
    let mut csum = IndexCsum::new();
    index.digests().for_each(|digest| csum.add_fixed(digest));
    assert_eq!(csum.finish(), index.csum());
}

fn scan(file: &[u8]) -> Result<(Vec<IndexEntry>, EntryScanner), FormatError> {
    let mut scanner = EntryScanner::new(&file[..file.len().min(4096)], file.len() as u64)?;
    let size = scanner.entry_bytes();
    let entries = file[4096..].chunks(size).map(|entry| scanner.scan(entry)).collect::<Result<_, _>>()?;
    Ok((entries, scanner))
}

#[test]
fn entry_by_entry_is_as_the_whole_file() {
    let (fixed, dynamic) = (FixedIndex::parse(fixed_file()).unwrap(), DynamicIndex::parse(dynamic_file()).unwrap());
    let (entries, scanner) = scan(&fixed_file()).unwrap();
    let ends: Vec<_> = entries.iter().map(|entry| (entry.start, entry.end)).collect();
    assert_eq!(ends, [(0, 4 << 20), (4 << 20, 8 << 20), (8 << 20, 9 << 20)]);
    assert!(entries.iter().map(|entry| &entry.digest).eq(fixed.digests()));
    assert_eq!((scanner.remaining(), scanner.size(), scanner.csum()), (0, fixed.size(), fixed.csum()));
    let (entries, mut scanner) = scan(&dynamic_file()).unwrap();
    assert_eq!(entries.iter().map(|entry| (entry.start, entry.end)).collect::<Vec<_>>(), [(0, 5), (5, 11)]);
    assert!(entries.iter().map(|entry| &entry.digest).eq(dynamic.digests()));
    assert!(scanner.scan(&[0; 40]).is_err());
    assert_eq!((scanner.remaining(), scanner.size(), scanner.csum()), (0, dynamic.size(), dynamic.csum()));
}

#[test]
fn dynamic_example() {
    let file = dynamic_file();
    assert_eq!(file.len(), 4176);
    let entries = "0500000000000000 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
        0b00000000000000 045f13dd864bafaad0dd977ac971de549b090cb2836f061d0779b26dd9bb8f4b";
    assert_eq!(file[4096..], unhex(entries));
    assert_eq!(to_hex(&sha256(&file)), "fc7e7db0a3a55e9b5af60dacb87cad14488f970d16ce8f0f44d8e6bc4d2f757d");
    let index = DynamicIndex::parse(file).unwrap();
    assert_eq!(to_hex(&index.csum()), "9b2fd908141c00eaabcc62853152a71a5db06f0b722ff557a0a50352eb6c22cd");
    assert_eq!((index.len(), index.size(), index.ctime()), (2, 11, CTIME));
    assert_eq!((index.chunk_start(0), index.chunk_len(0), index.chunk_len(1)), (Some(0), Some(5), Some(6)));
    let found = [0, 4, 5, 10, 11].map(|offset| index.find(offset));
    assert_eq!(found, [Some(0), Some(0), Some(1), Some(1), None]);
    let mut csum = IndexCsum::new();
    (0..2).for_each(|chunk| csum.add_dynamic(index.chunk_end(chunk).unwrap(), index.digest(chunk).unwrap()));
    assert_eq!(csum.finish(), index.csum());
}

#[test]
fn damaged_files_are_refused() {
    for (file, parses) in [
        (fixed_file(), (|file| FixedIndex::parse(file).is_ok()) as fn(Vec<u8>) -> bool),
        (dynamic_file(), |file| DynamicIndex::parse(file).is_ok()),
    ] {
        assert!(parses(file.clone()));
        assert!(!parses(file[..file.len() - 1].to_vec()));
        assert!(!parses([&file[..], &[0]].concat()));
        assert!(!parses([&file[..], &[0; 32]].concat()));
        assert!(!parses(file[..4095].to_vec()));
        assert!(!parses([&[0][..], &file[1..]].concat()));
        assert!(!parses(Vec::new()));
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for (size, chunk_size, count) in [(0, 4 << 20, 0), (1, 0, 1), (1, 3, 1), (u64::MAX, 1, 1), (1, 1 << 40, 1)] {
        let header = FixedHeader { uuid: uuid(), ctime: 0, csum: [0; 32], size, chunk_size };
        assert!(fixed_index::encode_file(header, &vec![[0; 32]; count]).is_err(), "{size} {chunk_size}");
    }
    let header = DynamicHeader { uuid: uuid(), ctime: 0, csum: [0; 32] };
    for ends in [&[0][..], &[5, 5], &[5, 4], &[(16 << 20) + 1], &[1, u64::MAX]] {
        let entries: Vec<(u64, Digest)> = ends.iter().map(|end| (*end, [0; 32])).collect();
        assert!(dynamic_index::encode_file(header, &entries).is_err(), "{ends:?}");
    }
}

#[test]
fn an_empty_stream_has_an_index_without_chunks() {
    let file = dynamic_index::encode_file(DynamicHeader { uuid: uuid(), ctime: 0, csum: [0; 32] }, &[]).unwrap();
    let index = DynamicIndex::parse(file).unwrap();
    assert_eq!((index.len(), index.size(), index.find(0), index.chunk_start(0)), (0, 0, None, None));
}

proptest! {
    #[test]
    fn lookups_agree_with_the_entries(lengths in proptest::collection::vec(1_u64..1000, 1..50), offset in 0_u64..50_000) {
        let mut end = 0;
        let mut next = |length: &u64| { end += length; (end, sha256(&length.to_le_bytes())) };
        let entries: Vec<(u64, Digest)> = lengths.iter().map(&mut next).collect();
        let header = DynamicHeader { uuid: uuid(), ctime: -1, csum: [0; 32] };
        let index = DynamicIndex::parse(dynamic_index::encode_file(header, &entries).unwrap()).unwrap();
        prop_assert_eq!(index.find(offset), entries.iter().position(|(end, _)| *end > offset));
        prop_assert_eq!(index.size(), lengths.iter().sum::<u64>());
        prop_assert!(index.digests().eq(entries.iter().map(|(_, digest)| digest)));
    }

    #[test]
    fn any_header_gives_a_result(size: u64, chunk_size: u64, table in proptest::collection::vec(any::<u8>(), 0..200), index: usize, offset: u64) {
        let header = FixedHeader { uuid: uuid(), ctime: 0, csum: [0; 32], size, chunk_size };
        let file = [&header.encode()[..], &table].concat();
        prop_assert_eq!(scan(&file).is_ok(), FixedIndex::parse(file.clone()).is_ok());
        if let Ok(fixed) = FixedIndex::parse(file) {
            let _ = (fixed.chunk_end(index), fixed.digest(index), fixed.chunk_len(index), fixed.find(offset));
        }
        let header = DynamicHeader { uuid: uuid(), ctime: 0, csum: [0; 32] };
        let file = [&header.encode()[..], &table].concat();
        prop_assert_eq!(scan(&file).is_ok(), DynamicIndex::parse(file.clone()).is_ok());
        if let Ok(dynamic) = DynamicIndex::parse(file) {
            let _ = (dynamic.chunk_end(index), dynamic.digest(index), dynamic.chunk_len(index), dynamic.find(offset));
        }
    }
}
