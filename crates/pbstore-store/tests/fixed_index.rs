//! Fixed index writers through a session (indexes.md 5.2, 5.3 and version-4.md 3.2).

mod support;

use std::fs;

use pbstore_format::{Digest, FixedIndex, Index};
use pbstore_store::{BackupChunks, IndexKind, IndexStats, StoreError, SyncLevel};
use support::{fixed_csum, upload, Place, CHUNK};

const FIXED: IndexKind = IndexKind::Fixed;

struct Image {
    place: Place,
    session: BackupChunks,
    wid: u64,
    full: Digest,
    other: Digest,
    short: Digest,
}

/// A session with three known chunks: two of 4 MiB, and one of 1 MiB.
fn image(size: Option<u64>) -> Image {
    let place = Place::new(SyncLevel::File);
    let session = place.session();
    let wid = session.create_fixed(&place.path().join("disk.img.fidx"), size).unwrap();
    let send = |byte, length| upload(&place, &session, FIXED, wid, &vec![byte; length]).unwrap();
    let (full, other, short) = (send(0, 4 << 20), send(1, 4 << 20), send(0, 1 << 20));
    Image { place, session, wid, full, other, short }
}

impl Image {
    fn append(&self, digest: Digest, offset: u64) -> Result<(), StoreError> {
        self.session.append(FIXED, self.wid, &[digest], &[offset])
    }

    fn close(&self, count: u64, size: u64, digests: &[Digest]) -> Result<IndexStats, StoreError> {
        self.session.close_writer(FIXED, self.wid, count, size, &fixed_csum(digests))
    }

    fn parsed(&self) -> FixedIndex {
        FixedIndex::parse(fs::read(self.place.path().join("disk.img.fidx")).unwrap()).unwrap()
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Refused(text)) => text,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn takes_entries_in_any_order_and_again() {
    let image = image(Some(9 << 20));
    image.append(image.short, 8 << 20).unwrap();
    image.append(image.full, 0).unwrap();
    image.append(image.full, CHUNK).unwrap();
    let stats = image.close(3, 9 << 20, &[image.full, image.full, image.short]).unwrap();
    // indexes.md 6
    let csum = "c8f97c712320613991f39507b92b54d92085daf3d0b44dc6264b60a9c6da2fc1";
    assert_eq!(support::hex(&stats.csum), csum);
    assert_eq!((stats.size, stats.chunk_count, stats.uploads.upload_count), (9 << 20, 3, 3));
    let index = image.parsed();
    assert_eq!((index.csum(), index.header().csum, index.uuid()), (stats.csum, stats.csum, stats.uuid));
    assert_eq!((index.size(), index.len(), index.chunk_size()), (9 << 20, 3, CHUNK));
    assert_eq!(fs::read_dir(image.place.path()).unwrap().count(), 2, "temporary file left");
}

#[test]
fn refuses_offsets_and_lengths_that_do_not_fit() {
    let image = image(Some(9 << 20));
    assert!(refusal(image.append(image.full, 1)).contains("multiple"));
    assert!(refusal(image.append(image.full, 8 << 20)).contains("behind the image's end"));
    assert!(refusal(image.append(image.short, 0)).contains("only the last one"));
    assert!(refusal(image.append(image.full, u64::MAX - 5)).contains("beyond"));
    assert!(refusal(image.append([9; 32], 0)).contains("no such chunk 0909"));
}

#[test]
fn refuses_to_close_with_a_gap() {
    let image = image(Some(8 << 20));
    image.append(image.full, 0).unwrap();
    assert!(refusal(image.close(1, 8 << 20, &[image.full, [0; 32]])).contains("an image of this size has 2"));
    image.append(image.full, 0).unwrap();
    assert!(refusal(image.close(2, 8 << 20, &[image.full, [0; 32]])).contains("no chunk for entry 1"));
}

#[test]
fn a_failed_close_keeps_the_writer() {
    let image = image(Some(9 << 20));
    let digests = [image.full, image.other, image.short];
    image.session.append(FIXED, image.wid, &digests, &[0, CHUNK, 8 << 20]).unwrap();
    assert!(refusal(image.close(2, 9 << 20, &digests)).contains("3 appended chunks"));
    assert!(refusal(image.close(3, 8 << 20, &digests)).contains("9437184 bytes"));
    assert!(refusal(image.close(3, 9 << 20, &digests[..2])).contains("checksum"));
    assert_eq!(image.session.open_writer_count(), 1);
    assert!(!image.place.path().join("disk.img.fidx").exists());
    image.close(3, 9 << 20, &digests).unwrap();
    assert!(refusal(image.close(3, 9 << 20, &digests)).contains("fixed writer '1' not registered"));
}

#[test]
fn takes_one_short_chunk_and_no_larger_one() {
    let image = image(Some(9 << 20));
    let send = |length| upload(&image.place, &image.session, FIXED, image.wid, &vec![7; length]);
    assert!(refusal(send(1000)).contains("second chunk shorter"));
    assert!(refusal(send((4 << 20) + 1)).contains("at most 4194304"));
    let refused = pbstore_format::chunk_digest(&[7; 1000], None);
    assert!(refusal(image.append(refused, 8 << 20)).contains("no such chunk"), "a refused upload must not be known");
}

#[test]
fn grows_until_a_short_chunk_ends_it() {
    let image = image(None);
    image.append(image.full, 0).unwrap();
    image.append(image.other, CHUNK).unwrap();
    image.append(image.short, 8 << 20).unwrap();
    assert!(refusal(image.append(image.full, 12 << 20)).contains("behind the image's end"));
    image.append(image.other, 0).unwrap();
    assert!(refusal(image.close(4, 9 << 20, &[image.other, image.other, image.short])).contains("has 3"));
}

#[test]
fn closes_a_grown_index_at_its_real_size() {
    let image = image(None);
    let digests = [image.full, image.other, image.short];
    image.session.append(FIXED, image.wid, &digests, &[0, CHUNK, 8 << 20]).unwrap();
    assert!(refusal(image.close(3, 12 << 20, &digests)).contains("9437184 bytes"));
    image.close(3, 9 << 20, &digests).unwrap();
    assert_eq!((image.parsed().len(), image.parsed().size()), (3, 9 << 20));
}

#[test]
fn refuses_empty_images() {
    let image = image(None);
    assert!(refusal(image.close(0, 0, &[])).contains("empty image"));
    let path = image.place.path().join("x.img.fidx");
    assert!(refusal(image.session.create_fixed(&path, Some(0))).contains("empty image"));
}

#[test]
fn a_huge_announced_size_costs_nothing() {
    let image = image(Some(1 << 50));
    image.append(image.full, 1 << 49).unwrap();
    assert!(refusal(image.close(1, 1 << 50, &[image.full])).contains("268435456"));
}

/// An image whose first backup is closed, and a second session that starts from it.
fn incremental() -> (Image, BackupChunks, Digest) {
    let image = image(Some(9 << 20));
    let digests = [image.full, image.full, image.short];
    image.session.append(FIXED, image.wid, &digests, &[0, CHUNK, 8 << 20]).unwrap();
    let csum = image.close(3, 9 << 20, &digests).unwrap().csum;
    let next = image.place.session();
    (image, next, csum)
}

#[test]
fn an_unchanged_image_closes_with_nothing_appended() {
    let (image, next, csum) = incremental();
    let (base, path) = (image.place.path().join("disk.img.fidx"), image.place.path().join("next.img.fidx"));
    let wid = next.create_fixed_reusing(&path, 9 << 20, &base, &csum).unwrap();
    let stats = next.close_writer(FIXED, wid, 0, 0, &csum).unwrap();
    assert_eq!((stats.csum, stats.chunk_count, stats.size), (csum, 0, 9 << 20));
    assert_ne!(stats.uuid, image.parsed().uuid());
}

#[test]
fn a_changed_block_needs_a_known_chunk() {
    let (image, next, csum) = incremental();
    let (base, path) = (image.place.path().join("disk.img.fidx"), image.place.path().join("next.img.fidx"));
    let wid = next.create_fixed_reusing(&path, 9 << 20, &base, &csum).unwrap();
    assert!(refusal(next.append(FIXED, wid, &[image.full], &[0])).contains("no such chunk"), "copied is not known");
    assert_eq!(next.register_index(&base).unwrap(), 3);
    next.append(FIXED, wid, &[image.full], &[0]).unwrap();
    let changed = upload(&image.place, &next, FIXED, wid, &vec![9; 4 << 20]).unwrap();
    next.append(FIXED, wid, &[changed], &[CHUNK]).unwrap();
    let csum = fixed_csum(&[image.full, changed, image.short]);
    let stats = next.close_writer(FIXED, wid, 2, 4 << 20, &csum).unwrap();
    assert_eq!((stats.chunk_count, stats.size, stats.uploads.upload_count), (2, 9 << 20, 1));
}

#[test]
fn a_base_that_does_not_fit_is_refused() {
    let (image, next, csum) = incremental();
    let (base, path) = (image.place.path().join("disk.img.fidx"), image.place.path().join("next.img.fidx"));
    assert!(refusal(next.create_fixed_reusing(&path, 9 << 20, &base, &[1; 32])).contains("doesn't match"));
    assert!(refusal(next.create_fixed_reusing(&path, 13 << 20, &base, &csum)).contains("expected 4"));
    assert_eq!(next.open_writer_count(), 0);
    assert!(!path.with_extension("tmp_fidx").exists());
}
