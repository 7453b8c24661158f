//! Archives and blobs as they are decoded for a download.

mod support;

use std::io::Read;
use std::path::{Path, PathBuf};

use pbstore_format::digest::sha256;
use pbstore_format::dynamic_index::{self, DynamicHeader};
use pbstore_format::fixed_index::{self, FixedHeader};
use pbstore_format::{blob, chunk_digest, Digest, DynamicIndex, FixedIndex, FormatError, Index};
use pbstore_store::{ChunkStore, DecodedBlob, DecodedIndex, Result, StoreError, SyncLevel};
use support::{key, Place};

const CHUNK_SIZE: u64 = 4096;

fn insert(place: &Place, data: &[u8]) -> Digest {
    let digest = chunk_digest(data, None);
    place.chunk_path(&digest);
    place.store.insert(&digest, &blob::seal(data, None, true).unwrap()).unwrap();
    digest
}

fn write(place: &Place, name: &str, content: &[u8]) -> PathBuf {
    let path = place.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn dynamic(place: &Place, pieces: &[&[u8]]) -> (PathBuf, Digest) {
    let mut end = 0;
    let entries: Vec<_> = pieces
        .iter()
        .map(|piece| {
            end += piece.len() as u64;
            (end, insert(place, piece))
        })
        .collect();
    let file = dynamic_index::encode_file(DynamicHeader { uuid: [7; 16], ctime: 0, csum: [0; 32] }, &entries).unwrap();
    let csum = DynamicIndex::parse(file.clone()).unwrap().csum();
    (write(place, "a.didx", &file), csum)
}

fn open(place: &Place, path: &Path, csum: &Digest, bytes: u64) -> Result<DecodedIndex> {
    DecodedIndex::open(place.store.clone(), path, csum, bytes)
}

fn read_all(mut index: DecodedIndex) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    while index.next_len() > 0 {
        let expected = index.next_len();
        let chunk = index.next_chunk()?;
        assert_eq!(chunk.len(), expected);
        data.extend(chunk);
    }
    Ok(data)
}

#[test]
fn a_dynamic_archive_comes_out_whole() {
    let place = Place::new(SyncLevel::None);
    let pieces: [&[u8]; 4] = [b"hello", &[0; 70_000], b"hello", b"x"];
    let (path, csum) = dynamic(&place, &pieces);
    let index = open(&place, &path, &csum, 70_011).unwrap();
    assert_eq!(index.size(), 70_011);
    assert_eq!(read_all(index).unwrap(), pieces.concat());
}

#[test]
fn a_fixed_archive_ends_with_a_short_chunk() {
    let place = Place::new(SyncLevel::None);
    let image: Vec<u8> = (0..10_000_u32).map(|value| (value / 100) as u8).collect();
    let digests: Vec<_> = image.chunks(CHUNK_SIZE as usize).map(|piece| insert(&place, piece)).collect();
    let header = FixedHeader { uuid: [1; 16], ctime: 0, csum: [0; 32], size: 10_000, chunk_size: CHUNK_SIZE };
    let file = fixed_index::encode_file(header, &digests).unwrap();
    let csum = FixedIndex::parse(file.clone()).unwrap().csum();
    let path = write(&place, "a.fidx", &file);
    assert_eq!(read_all(open(&place, &path, &csum, 10_000).unwrap()).unwrap(), image);
}

#[test]
fn the_manifest_is_compared_before_anything_is_read() {
    let place = Place::new(SyncLevel::None);
    let (path, csum) = dynamic(&place, &[b"hello", b"world"]);
    assert!(matches!(open(&place, &path, &[0; 32], 10), Err(StoreError::Index { .. })));
    let wrong_size = open(&place, &path, &csum, 11);
    assert!(matches!(wrong_size, Err(StoreError::Format(FormatError::WrongLength { expected: 11, found: 10 }))));
    let cut_off = write(&place, "b.didx", &std::fs::read(&path).unwrap()[..4096 + 39]);
    assert!(matches!(open(&place, &cut_off, &csum, 10), Err(StoreError::Format(FormatError::Malformed(_)))));
    let link = place.path().join("c.didx");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(open(&place, &link, &csum, 10), Err(StoreError::Io { .. })));
}

#[test]
fn damaged_missing_and_encrypted_chunks_are_named() {
    let place = Place::new(SyncLevel::None);
    let (path, csum) = dynamic(&place, &[b"hello", b"world"]);
    let digest = chunk_digest(b"hello", None);
    let chunk = place.chunk_path(&digest);
    for (content, expected) in [
        (blob::seal(b"jello", None, false).unwrap(), "wrong digest"),
        (blob::seal(b"hello there", None, false).unwrap(), "larger than 5 bytes"),
        (blob::seal(b"hell", None, false).unwrap(), "wrong length"),
        (blob::seal(b"hello", Some(&key()), false).unwrap(), "missing key"),
        (b"rubbish".to_vec(), "no data blob"),
    ] {
        std::fs::write(&chunk, content).unwrap();
        let error = read_all(open(&place, &path, &csum, 10).unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("chunk 2cf24dba") && error.contains(expected), "{error}");
    }
    std::fs::remove_file(&chunk).unwrap();
    assert!(matches!(read_all(open(&place, &path, &csum, 10).unwrap()), Err(StoreError::Io { .. })));
}

fn frame(data: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(data.len()));
    zstd_safe::compress(&mut frame, data, 1).unwrap();
    frame
}

fn blob_file(place: &Place, content: &[u8]) -> PathBuf {
    write(place, "x.blob", content)
}

fn decoded(path: &Path) -> Vec<u8> {
    let mut opened = DecodedBlob::open(path, None).unwrap();
    let mut data = Vec::new();
    opened.read_to_end(&mut data).unwrap();
    assert_eq!(data.len() as u64, opened.size());
    data
}

#[test]
fn blobs_are_decoded_as_they_are_read() {
    let place = Place::new(SyncLevel::None);
    let long: Vec<u8> = (0..3_000_000_u32).flat_map(|value| value.wrapping_mul(value).to_le_bytes()).collect();
    for data in [&b""[..], b"short", &[7; 300_000], &long] {
        for compress in [false, true] {
            let path = blob_file(&place, &blob::seal(data, None, compress).unwrap());
            assert!(decoded(&path) == data);
        }
    }
    let mut two_frames = blob::BlobKind::Compressed.magic().to_vec();
    two_frames.extend([0; 4]);
    for text in [&b"first "[..], b"second"] {
        two_frames.extend(frame(text));
    }
    blob::stamp_crc(&mut two_frames).unwrap();
    assert_eq!(decoded(&blob_file(&place, &two_frames)), b"first second");
}

#[test]
fn bad_blobs_are_refused_before_anything_is_sent() {
    let place = Place::new(SyncLevel::None);
    let good = blob::seal(&[b'a'; 1000], None, true).unwrap();
    let refused = |content: &[u8], csum: Option<&Digest>| {
        DecodedBlob::open(&blob_file(&place, content), csum).unwrap_err().to_string()
    };
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(refused(&flipped, None).contains("wrong CRC-32"));
    let mut cut_off = good[..good.len() - 3].to_vec();
    blob::stamp_crc(&mut cut_off).unwrap();
    assert!(refused(&cut_off, None).contains("zstd data ends too early"));
    let mut damaged = good.clone();
    damaged[14] ^= 0xff;
    blob::stamp_crc(&mut damaged).unwrap();
    assert!(refused(&damaged, None).contains("damaged zstd data"));
    assert!(refused(&good, Some(&[0; 32])).contains("wrong digest"));
    DecodedBlob::open(&blob_file(&place, &good), Some(&sha256(&good))).unwrap();
    assert!(refused(&blob::seal(b"secret", Some(&key()), true).unwrap(), None).contains("missing key"));
    assert!(refused(b"rubbish", None).contains("no data blob"));
    assert!(refused(b"", None).contains("no data blob"));
    let bomb = blob::seal(&vec![0; 128 << 20], None, true).unwrap();
    DecodedBlob::open(&blob_file(&place, &bomb), None).unwrap();
    let mut larger = bomb.clone();
    larger.extend(frame(b"x"));
    blob::stamp_crc(&mut larger).unwrap();
    assert!(refused(&larger, None).contains("larger than 134217728 bytes"));
}
