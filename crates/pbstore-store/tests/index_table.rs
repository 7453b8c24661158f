//! Dynamic indexes looked up in their files.

mod support;

use std::path::{Path, PathBuf};

use pbstore_format::blob::MAX_CHUNK_BYTES;
use pbstore_format::dynamic_index::{self, DynamicHeader, ENTRY_BYTES};
use pbstore_format::fixed_index::{self, FixedHeader};
use pbstore_format::index::HEADER_BYTES;
use pbstore_format::{Digest, DynamicIndex, FixedIndex, FormatError, Index};
use pbstore_store::{IndexTable, StoreError};
use tempfile::TempDir;

struct Made {
    directory: TempDir,
    path: PathBuf,
    csum: Digest,
    ends: Vec<u64>,
}

/// An index of chunks of these lengths, the n-th with n as digest.
fn made(lengths: &[u64]) -> Made {
    let ends: Vec<u64> = lengths
        .iter()
        .scan(0, |end, length| {
            *end += length;
            Some(*end)
        })
        .collect();
    let entries: Vec<_> = ends.iter().enumerate().map(|(number, end)| (*end, [number as u8; 32])).collect();
    let file = dynamic_index::encode_file(DynamicHeader { uuid: [7; 16], ctime: 0, csum: [0; 32] }, &entries).unwrap();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.didx");
    std::fs::write(&path, &file).unwrap();
    Made { directory, path, csum: DynamicIndex::parse(file).unwrap().csum(), ends }
}

#[test]
fn every_byte_is_found_in_its_chunk() {
    for lengths in [&[5][..], &[1, 1, 1, 1], &[3, 1, 4, 1, 5, 9, 2, 6], &[100; 50], &[]] {
        let index = made(lengths);
        let size = index.ends.last().copied().unwrap_or(0);
        let table = IndexTable::open(&index.path, &index.csum, size).unwrap();
        assert_eq!(table.size(), size);
        for offset in 0..size {
            let found = table.find(offset).unwrap().unwrap();
            let number = index.ends.iter().position(|end| *end > offset).unwrap();
            let start = if number == 0 { 0 } else { index.ends[number - 1] };
            assert_eq!((found.start, found.end, found.digest), (start, index.ends[number], [number as u8; 32]));
        }
        assert!(table.find(size).unwrap().is_none());
        assert!(table.find(u64::MAX).unwrap().is_none());
    }
}

#[test]
fn what_the_manifest_does_not_promise_is_refused() {
    let index = made(&[5, 5]);
    let open = |csum: &Digest, size| IndexTable::open(&index.path, csum, size).map(drop).unwrap_err();
    assert!(matches!(open(&[0; 32], 10), StoreError::Index { .. }));
    assert!(matches!(open(&index.csum, 11), StoreError::Format(FormatError::WrongLength { .. })));
    let missing = Path::new("/nowhere/a.didx");
    assert!(matches!(IndexTable::open(missing, &index.csum, 10), Err(StoreError::Io { .. })));
}

#[test]
fn a_fixed_index_is_none() {
    let index = made(&[5]);
    let header = FixedHeader { uuid: [7; 16], ctime: 0, csum: [0; 32], size: 4096, chunk_size: 4096 };
    let file = fixed_index::encode_file(header, &[[1; 32]]).unwrap();
    let csum = FixedIndex::parse(file.clone()).unwrap().csum();
    let path = index.directory.path().join("a.fidx");
    std::fs::write(&path, file).unwrap();
    let error = IndexTable::open(&path, &csum, 4096).map(drop).unwrap_err();
    assert!(error.to_string().contains("no dynamic index"), "{error}");
}

#[test]
fn a_file_that_is_written_to_meanwhile_leads_nowhere() {
    let index = made(&[5, 5, 5]);
    let table = IndexTable::open(&index.path, &index.csum, 15).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&index.path).unwrap();
    for end in [0, 3, 5, 6 + MAX_CHUNK_BYTES as u64, u64::MAX] {
        use std::os::unix::fs::FileExt;
        file.write_all_at(&end.to_le_bytes(), (HEADER_BYTES + ENTRY_BYTES) as u64).unwrap();
        if let Ok(Some(found)) = table.find(7) {
            assert!((found.start..found.end).contains(&7), "{found:?}");
            assert!(found.end - found.start <= MAX_CHUNK_BYTES as u64);
        }
    }
    file.set_len(HEADER_BYTES as u64).unwrap();
    assert!(matches!(table.find(7), Err(StoreError::Io { .. })));
}
