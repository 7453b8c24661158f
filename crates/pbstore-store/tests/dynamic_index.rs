//! Dynamic index writers and the rules of a session (indexes.md 5.1, backup-protocol.md 2).

mod support;

use std::fs;

use pbstore_format::index::IndexCsum;
use pbstore_format::{blob, chunk_digest, Digest, DynamicIndex, FormatError, Index};
use pbstore_store::{
    BackupChunks, ChunkStore, ChunkUpload, ChunkVerifier, IndexKind, ReaderChunks, StoreError, SyncLevel,
};
use support::{hex, key, upload, Place};

const DYNAMIC: IndexKind = IndexKind::Dynamic;

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Refused(text)) => text,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A session with the chunks `hello` and ` world` known, and a writer open.
fn archive() -> (Place, BackupChunks, [Digest; 2]) {
    let place = Place::new(SyncLevel::None);
    let session = place.session();
    let wid = session.create_dynamic(&place.path().join("root.pxar.didx")).unwrap();
    let hello = upload(&place, &session, DYNAMIC, wid, b"hello").unwrap();
    let world = upload(&place, &session, DYNAMIC, wid, b" world").unwrap();
    (place, session, [hello, world])
}

fn csum(entries: &[(u64, Digest)]) -> Digest {
    let mut csum = IndexCsum::new();
    entries.iter().for_each(|(end, digest)| csum.add_dynamic(*end, digest));
    csum.finish()
}

#[test]
fn writes_the_published_example() {
    let (place, session, digests) = archive();
    session.append(DYNAMIC, 1, &digests, &[0, 5]).unwrap();
    let expected = csum(&[(5, digests[0]), (11, digests[1])]);
    assert_eq!(hex(&expected), "9b2fd908141c00eaabcc62853152a71a5db06f0b722ff557a0a50352eb6c22cd");
    let stats = session.close_writer(DYNAMIC, 1, 2, 11, &expected).unwrap();
    assert_eq!((stats.size, stats.chunk_count, stats.uploads.upload_bytes), (11, 2, 11));
    let file = fs::read(place.path().join("root.pxar.didx")).unwrap();
    assert_eq!(file.len(), 4176);
    let index = DynamicIndex::parse(file).unwrap();
    assert_eq!((index.csum(), index.header().csum), (expected, expected));
}

#[test]
fn checksums_are_the_published_ones() {
    let (empty, a) = (chunk_digest(b"", None), chunk_digest(b"a", None));
    // backup-protocol.md 2.9
    assert_eq!(
        hex(&support::fixed_csum(&[empty, a])),
        "ad83abb09da975a192cb6af596055a37dc786a28b490ecf027d482ab232e42bb"
    );
    assert_eq!(hex(&csum(&[(10, empty), (25, a)])), "da17fa52e685cd22769497bfed5b59a46bd632eda85949f925a29e209ab4c832");
}

#[test]
fn appends_only_at_the_end() {
    let (_place, session, [hello, world]) = archive();
    assert!(refusal(session.append(DYNAMIC, 1, &[hello], &[1])).contains("ends at 0"));
    assert!(refusal(session.append(DYNAMIC, 1, &[hello, world], &[0, 6])).contains("ends at 5"));
    session.append(DYNAMIC, 1, &[world], &[5]).expect("entries before a failing one stay");
    assert!(refusal(session.append(DYNAMIC, 1, &[hello], &[])).contains("1 digests and 0 offsets"));
}

#[test]
fn a_failed_close_keeps_the_writer() {
    let (_place, session, digests) = archive();
    assert!(refusal(session.close_writer(DYNAMIC, 1, 0, 0, &csum(&[]))).contains("no chunks"));
    session.append(DYNAMIC, 1, &digests, &[0, 5]).unwrap();
    let expected = csum(&[(5, digests[0]), (11, digests[1])]);
    assert!(refusal(session.close_writer(DYNAMIC, 1, 1, 11, &expected)).contains("2 chunks"));
    assert!(refusal(session.close_writer(DYNAMIC, 1, 2, 12, &expected)).contains("11 bytes"));
    assert!(refusal(session.close_writer(DYNAMIC, 1, 2, 11, &[0; 32])).contains("checksum"));
    session.append(DYNAMIC, 1, &digests[..1], &[11]).unwrap();
    let expected = csum(&[(5, digests[0]), (11, digests[1]), (16, digests[0])]);
    session.close_writer(DYNAMIC, 1, 3, 16, &expected).unwrap();
}

#[test]
fn many_entries_survive_the_buffer() {
    let (place, session, [hello, _]) = archive();
    let offsets: Vec<u64> = (0..5000).map(|index| index * 5).collect();
    session.append(DYNAMIC, 1, &vec![hello; 5000], &offsets).unwrap();
    let ends: Vec<_> = offsets.iter().map(|offset| (offset + 5, hello)).collect();
    let stats = session.close_writer(DYNAMIC, 1, 5000, 25000, &csum(&ends)).unwrap();
    let index = DynamicIndex::parse(fs::read(place.path().join("root.pxar.didx")).unwrap()).unwrap();
    assert_eq!((index.len(), index.csum()), (5000, stats.csum));
}

#[test]
fn temporary_files_go_with_the_session() {
    let (place, session, _) = archive();
    let temporary = place.path().join("root.pxar.tmp_didx");
    assert!(temporary.exists());
    session.shut();
    assert!(!temporary.exists());
    assert!(refusal(session.create_dynamic(&place.path().join("x.didx"))).contains("already finished"));
    assert!(refusal(session.append(DYNAMIC, 1, &[], &[])).contains("already finished"));
    assert_eq!(session.open_writer_count(), 0);
    let (other, dropped, _) = archive();
    drop(dropped);
    assert!(!other.path().join("root.pxar.tmp_didx").exists());
}

#[test]
fn writer_ids_are_shared_and_never_reused() {
    let (place, session, _) = archive();
    let fixed = place.path().join("a.img.fidx");
    assert_eq!(session.create_fixed(&fixed, Some(1)).unwrap(), 2);
    assert!(refusal(session.create_fixed(&fixed, Some(1))).contains("open already"));
    assert!(refusal(session.append(DYNAMIC, 2, &[], &[])).contains("dynamic writer '2' not registered"));
    for number in 3..=256 {
        assert_eq!(session.create_dynamic(&place.path().join(format!("{number}.didx"))).unwrap(), number);
    }
    assert!(refusal(session.create_dynamic(&place.path().join("x.didx"))).contains("256"));
}

fn store(
    session: &BackupChunks,
    place: &Place,
    digest: Digest,
    plain: u32,
    blob: &[u8],
) -> Result<Vec<u8>, StoreError> {
    place.chunk_path(&digest);
    let mut blob = blob.to_vec();
    let upload = ChunkUpload { kind: DYNAMIC, wid: 1, digest, plain_bytes: plain };
    session.store_chunk(&ChunkVerifier::new(), &upload, &mut blob)?;
    place.store.read(&digest)
}

#[test]
fn uploads_are_verified_and_get_the_right_crc() {
    let (place, session, _) = archive();
    let (data, digest) = ([5; 4096], chunk_digest(&[5; 4096], None));
    for compress in [true, false] {
        let good = blob::seal(&data, None, compress).unwrap();
        let mut wrong_crc = good.clone();
        wrong_crc[8..12].fill(0);
        let wrong_size = store(&session, &place, digest, 4095, &good);
        assert!(matches!(wrong_size, Err(StoreError::Format(_))), "{wrong_size:?}");
        let wrong_digest = store(&session, &place, [1; 32], 4096, &good);
        assert!(matches!(wrong_digest, Err(StoreError::Format(FormatError::WrongDigest { .. }))));
        let stored = store(&session, &place, digest, 4096, &wrong_crc).unwrap();
        blob::check_crc(&stored).unwrap();
    }
}

#[test]
fn encrypted_uploads_are_taken_as_they_are() {
    let (place, session, _) = archive();
    let blob = blob::seal(b"secret", Some(&key()), true).unwrap();
    let digest = key().digest(b"secret");
    assert_eq!(store(&session, &place, digest, 6, &blob).unwrap(), blob);
    session.append(DYNAMIC, 1, &[digest], &[0]).unwrap();
    session.append(DYNAMIC, 1, &[digest], &[6]).expect("length as announced");
}

#[test]
fn an_upload_for_no_writer_is_stored_but_not_known() {
    let place = Place::new(SyncLevel::None);
    let session = place.session();
    let text = refusal(upload(&place, &session, DYNAMIC, 7, b"hello"));
    assert_eq!(text, "dynamic writer '7' not registered");
    assert!(place.store.contains(&chunk_digest(b"hello", None)).unwrap());
}

#[test]
fn duplicates_are_counted() {
    let (place, session, [hello, world]) = archive();
    upload(&place, &session, DYNAMIC, 1, b"hello").unwrap();
    session.append(DYNAMIC, 1, &[hello, world], &[0, 5]).unwrap();
    let expected = csum(&[(5, hello), (11, world)]);
    let uploads = session.close_writer(DYNAMIC, 1, 2, 11, &expected).unwrap().uploads;
    assert_eq!((uploads.upload_count, uploads.duplicate_count, uploads.upload_bytes), (3, 1, 16));
    assert_eq!(uploads.compressed_bytes, 17 + 18 + 17);
}

#[test]
fn readers_get_what_their_indexes_name() {
    let (place, session, [hello, world]) = archive();
    session.append(DYNAMIC, 1, &[hello], &[0]).unwrap();
    session.close_writer(DYNAMIC, 1, 1, 5, &csum(&[(5, hello)])).unwrap();
    let reader = ReaderChunks::new(place.store.clone());
    assert!(matches!(reader.open(&hello), Err(StoreError::NotAllowed(_))));
    assert_eq!(reader.allow_index(&place.path().join("root.pxar.didx")).unwrap(), 1);
    assert_eq!(reader.open(&hello).unwrap().bytes, 17);
    assert!(matches!(reader.open(&world), Err(StoreError::NotAllowed(text)) if text.contains(&hex(&world))));
    fs::remove_file(place.chunk_path(&hello)).unwrap();
    assert!(matches!(reader.open(&hello), Err(StoreError::Io { .. })));
}
