//! The insert table of blobs-and-chunks.md 5.1, one test a row, and what an insert promises beyond it.

mod support;

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{symlink, MetadataExt, PermissionsExt};
use std::time::{Duration, SystemTime};

use pbstore_format::{blob, Digest};
use pbstore_store::{ChunkStore, InsertOutcome, LocalChunkStore, StoreError, SyncLevel};
use support::{key, Place};

const DIGEST: Digest = [0xab; 32];

fn plain(length: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..length).map(|index| u8::try_from(index * 7 % 251).unwrap()).collect();
    blob::seal(&data, None, false).unwrap()
}

fn encrypted(length: usize) -> Vec<u8> {
    let random: Vec<u8> = (0..length).map(|index| u8::try_from((index * 131 + 17) % 251).unwrap()).collect();
    blob::seal(&random, Some(&key()), false).unwrap()
}

fn encrypted_compressed(length: usize) -> Vec<u8> {
    blob::seal(&vec![0; length], Some(&key()), true).unwrap()
}

/// A store where `old` lies under the digest, with times an hour ago.
fn place_with(old: &[u8]) -> Place {
    let place = Place::new(SyncLevel::None);
    let path = place.chunk_path(&DIGEST);
    fs::write(&path, old).unwrap();
    let past = SystemTime::now() - Duration::from_secs(3600);
    let times = FileTimes::new().set_accessed(past).set_modified(past);
    File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    place
}

fn assert_kept(place: &Place, old: &[u8], new: &[u8]) {
    let path = place.chunk_path(&DIGEST);
    let before = fs::metadata(&path).unwrap();
    let inserted = place.store.insert(&DIGEST, new).unwrap();
    assert_eq!(inserted.outcome, InsertOutcome::Duplicate);
    assert_eq!(inserted.stored_bytes, old.len() as u64);
    let after = fs::metadata(&path).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap(), "touch must keep the modification time");
    assert!(after.accessed().unwrap() > before.accessed().unwrap() + Duration::from_secs(3000), "not touched");
    assert_eq!(before.ino(), after.ino());
    assert_eq!(fs::read(&path).unwrap(), old);
}

fn assert_written(place: &Place, new: &[u8], outcome: InsertOutcome) {
    let inserted = place.store.insert(&DIGEST, new).unwrap();
    assert_eq!((inserted.outcome, inserted.stored_bytes), (outcome, new.len() as u64));
    assert_eq!(fs::read(place.chunk_path(&DIGEST)).unwrap(), new);
}

fn assert_refused(place: &Place, new: &[u8], part: &str) {
    match place.store.insert(&DIGEST, new) {
        Err(StoreError::Refused(text)) => assert!(text.contains(part), "{text}"),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn a_path_that_is_no_file_is_an_error() {
    let place = Place::new(SyncLevel::None);
    fs::create_dir(place.chunk_path(&DIGEST)).unwrap();
    assert_refused(&place, &plain(100), "not a regular file");
    let linked = Place::new(SyncLevel::None);
    symlink("/etc/hostname", linked.chunk_path(&DIGEST)).unwrap();
    assert_refused(&linked, &plain(100), "not a regular file");
}

#[test]
fn equal_length_is_a_duplicate() {
    let old = plain(100);
    assert_kept(&place_with(&old), &old, &plain(100));
}

#[test]
fn an_empty_file_is_healed() {
    assert_written(&place_with(&[]), &plain(100), InsertOutcome::HealedEmpty);
    assert_written(&place_with(&[]), &encrypted(100), InsertOutcome::HealedEmpty);
}

#[test]
fn encrypted_over_plain_is_an_error() {
    assert_refused(&place_with(&plain(10)), &encrypted(100), "unencrypted");
    let compressed = blob::seal(&[0; 4096], None, true).unwrap();
    assert_refused(&place_with(&compressed), &encrypted_compressed(1 << 20), "unencrypted");
}

#[test]
fn encrypted_uncompressed_of_another_length_is_an_error() {
    assert_refused(&place_with(&encrypted(10)), &encrypted(100), "cannot be right");
}

#[test]
fn encrypted_otherwise_is_a_duplicate() {
    let old = encrypted_compressed(4096);
    assert_kept(&place_with(&old), &old, &encrypted(4096));
    let old = encrypted(4096);
    assert_kept(&place_with(&old), &old, &encrypted_compressed(4096));
}

#[test]
fn a_larger_plain_one_is_a_duplicate() {
    let old = plain(50);
    assert_kept(&place_with(&old), &old, &plain(100));
}

#[test]
fn a_smaller_plain_one_replaces() {
    assert_written(&place_with(&plain(100)), &plain(50), InsertOutcome::ReplacedLarger);
}

#[test]
fn a_new_one_is_written() {
    for level in [SyncLevel::None, SyncLevel::File, SyncLevel::Filesystem] {
        let place = Place::new(level);
        place.chunk_path(&DIGEST);
        assert_written(&place, &plain(100), InsertOutcome::New);
        place.store.sync().unwrap();
        let directory = place.chunk_path(&DIGEST);
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o7777, 0o644);
        assert_eq!(fs::read_dir(directory.parent().unwrap()).unwrap().count(), 1, "temporary files left");
    }
}

#[test]
fn what_is_no_blob_is_refused() {
    let place = Place::new(SyncLevel::None);
    for blob in [&[][..], &[0; 100], &plain(100)[..11], &encrypted(1)[..43]] {
        assert!(matches!(place.store.insert(&DIGEST, blob), Err(StoreError::Format(_))));
    }
}

#[test]
fn many_threads_insert_the_same_chunk_once() {
    let place = Place::new(SyncLevel::None);
    place.chunk_path(&DIGEST);
    let blob = plain(100_000);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let insert = || place.store.insert(&DIGEST, &blob).unwrap().outcome;
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(insert)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == InsertOutcome::New).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == InsertOutcome::Duplicate).count(), 15);
}

#[test]
fn reads_touches_and_finds_what_is_there() {
    let place = place_with(&plain(100));
    assert_eq!(place.store.read(&DIGEST).unwrap(), plain(100));
    assert!(place.store.touch(&DIGEST).unwrap() && place.store.contains(&DIGEST).unwrap());
    let absent = [0; 32];
    assert!(!place.store.touch(&absent).unwrap() && !place.store.contains(&absent).unwrap());
    assert!(matches!(place.store.read(&absent), Err(StoreError::Io { .. })));
}

#[test]
fn a_file_larger_than_any_chunk_is_not_read() {
    let place = place_with(&plain(100));
    let file = File::options().write(true).open(place.chunk_path(&DIGEST)).unwrap();
    file.set_len((16 << 20) + 45).unwrap();
    assert!(matches!(place.store.read(&DIGEST), Err(StoreError::Format(_))));
}

#[test]
fn creates_the_whole_layout() {
    let root = tempfile::tempdir().unwrap();
    LocalChunkStore::create(root.path(), |_| true).unwrap();
    let chunks = root.path().join(".chunks");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(fs::read_dir(&chunks).unwrap().count(), 65536);
    assert_eq!((mode(&chunks), mode(&chunks.join("0000")), mode(&chunks.join("ffff"))), (0o750, 0o750, 0o750));
    assert_eq!(mode(&root.path().join(".lock")), 0o644);
    assert!(matches!(LocalChunkStore::create(root.path(), |_| true), Err(StoreError::Refused(_))));
}

#[test]
fn a_directory_without_chunks_is_no_store() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(LocalChunkStore::open(root.path(), SyncLevel::None), Err(StoreError::Refused(_))));
}
