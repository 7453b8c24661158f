//! Verification of chunks: every kind of damage, what is told of it and what becomes of the file.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use pbstore_format::{blob, chunk_digest, dynamic_index, fixed_index, Digest, DynamicIndex, Index};
use pbstore_store::{
    CheckProgress, ChunkOrder, ChunkStore, IndexClaim, IndexVerdict, Result, SetAside, StoreError, SyncLevel,
    Verification, VerificationOptions,
};
use support::{hex, key, Place};

const ALL: [(u8, u8); 4] = [(1, 1), (1, 4), (4, 1), (3, 5)];

/// Some data; each number gives other bytes and another length.
fn data(number: usize) -> Vec<u8> {
    (0..2000 + number).map(|at| u8::try_from((at * 31 + number * 17 + at / 251) % 251).unwrap()).collect()
}

struct Site {
    place: Place,
    index: PathBuf,
    claim: IndexClaim,
    digests: Vec<Digest>,
}

impl Site {
    /// A store with a dynamic index of `count` chunks.
    fn new(count: usize) -> Self {
        Self::of(&(0..count).map(data).collect::<Vec<_>>(), false)
    }

    fn of(chunks: &[Vec<u8>], is_encrypted: bool) -> Self {
        let place = Place::new(SyncLevel::None);
        let (key, mut end, mut entries) = (is_encrypted.then(key), 0, Vec::new());
        for chunk in chunks {
            let digest = chunk_digest(chunk, key.as_ref());
            fs::write(place.chunk_path(&digest), blob::seal(chunk, key.as_ref(), true).unwrap()).unwrap();
            end += chunk.len() as u64;
            entries.push((end, digest));
        }
        Self::indexed(place, &entries, is_encrypted)
    }

    fn indexed(place: Place, entries: &[(u64, Digest)], is_encrypted: bool) -> Self {
        let header = dynamic_index::DynamicHeader { uuid: [1; 16], ctime: 0, csum: [0; 32] };
        let file = dynamic_index::encode_file(header, entries).unwrap();
        let parsed = DynamicIndex::parse(file.clone()).unwrap();
        let index = place.path().join("a.didx");
        fs::write(&index, file).unwrap();
        let claim = IndexClaim { csum: parsed.csum(), size: parsed.size(), is_encrypted };
        Self { place, index, claim, digests: entries.iter().map(|(_, digest)| *digest).collect() }
    }

    fn verification(&self, (readers, workers): (u8, u8), order: ChunkOrder) -> Verification {
        Verification::new(self.place.store.clone(), VerificationOptions { readers, workers, order })
    }

    fn check(&self, verification: &Verification) -> Result<IndexVerdict> {
        verification.check_index(&self.index, &self.claim, &CheckProgress::default())
    }

    fn verdict(&self) -> IndexVerdict {
        self.check(&self.verification((1, 4), ChunkOrder::Inode)).unwrap()
    }

    fn chunk(&self, number: usize) -> PathBuf {
        self.place.chunk_path(&self.digests[number])
    }

    fn bad(&self, number: usize, copy: u8) -> PathBuf {
        self.chunk(number).with_extension(format!("{copy}.bad"))
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut Vec<u8>)) {
        let mut content = fs::read(self.chunk(number)).unwrap();
        change(&mut content);
        fs::write(self.chunk(number), content).unwrap();
    }
}

#[test]
fn good_chunks_pass_in_every_order_and_with_any_threads() {
    let site = Site::new(50);
    let stored: u64 = (0..50).map(|number| fs::metadata(site.chunk(number)).unwrap().len()).sum();
    for threads in ALL {
        for order in [ChunkOrder::Index, ChunkOrder::Inode] {
            let progress = CheckProgress::default();
            let verification = site.verification(threads, order);
            let verdict = verification.check_index(&site.index, &site.claim, &progress).unwrap();
            let expected = IndexVerdict { read_bytes: stored, plain_bytes: site.claim.size, ..IndexVerdict::default() };
            assert_eq!(verdict, expected);
            assert_eq!((progress.chunk_count(), progress.checked_count()), (50, 50));
        }
    }
}

#[test]
fn a_chunk_is_read_once_in_a_task() {
    let mut chunks = vec![data(1); 5];
    chunks.push(data(2));
    let site = Site::of(&chunks, false);
    let verification = site.verification((2, 2), ChunkOrder::Inode);
    assert_eq!(site.check(&verification).unwrap().plain_bytes, 2001 + 2002);
    fs::remove_file(site.chunk(0)).unwrap();
    assert_eq!(site.check(&verification).unwrap(), IndexVerdict::default());
}

#[test]
fn fixed_indexes_are_checked_too() {
    let place = Place::new(SyncLevel::None);
    let (full, rest) = (vec![7; 4 << 20], data(3));
    let digests: Vec<Digest> = [&full, &rest].into_iter().map(|chunk| chunk_digest(chunk, None)).collect();
    for (digest, chunk) in digests.iter().zip([&full, &rest]) {
        fs::write(place.chunk_path(digest), blob::seal(chunk, None, true).unwrap()).unwrap();
    }
    let size = (full.len() + rest.len()) as u64;
    let header = fixed_index::FixedHeader { uuid: [0; 16], ctime: 0, csum: [0; 32], size, chunk_size: 4 << 20 };
    let index = place.path().join("a.fidx");
    fs::write(&index, fixed_index::encode_file(header, &digests).unwrap()).unwrap();
    let claim = IndexClaim { csum: support::fixed_csum(&digests), size, is_encrypted: false };
    let site = Site { place, index, claim, digests };
    assert_eq!(site.verdict().plain_bytes, size);
}

#[test]
fn damage_is_told_in_the_order_of_the_index_and_the_chunks_are_set_aside() {
    for threads in ALL {
        let site = Site::new(8);
        site.change(0, |content| content[40] ^= 1);
        fs::copy(site.chunk(6), site.chunk(1)).unwrap();
        site.change(2, |content| content.truncate(100));
        site.change(3, Vec::clear);
        fs::remove_file(site.chunk(4)).unwrap();
        site.change(5, |content| content[0] ^= 1);
        let verdict = site.check(&site.verification(threads, ChunkOrder::Inode)).unwrap();
        assert_eq!(verdict.error_count, 6);
        assert_eq!(verdict.plain_bytes, 2001 + 2006 + 2007, "what was read: the wrong one and the good ones");
        let renamed = |number: usize| format!("corrupt chunk renamed to {:?}", site.bad(number, 0));
        let failed = |number: usize, reason: &str| {
            let name = hex(&site.digests[number]);
            format!("can't verify chunk, load failed - unable to load chunk '{name}' - {reason}")
        };
        assert_eq!(verdict.messages.len(), 11);
        assert!(verdict.messages[0].starts_with(&failed(0, "blob has wrong CRC-32")), "{}", verdict.messages[0]);
        assert_eq!(verdict.messages[1], renamed(0));
        let wrong = format!("detected chunk with wrong digest: '{}' - ", hex(&site.digests[1]));
        assert!(verdict.messages[2].starts_with(&wrong), "{}", verdict.messages[2]);
        assert_eq!(verdict.messages[3], renamed(1));
        assert!(verdict.messages[4].starts_with(&failed(2, "")), "{}", verdict.messages[4]);
        assert_eq!(verdict.messages[5], renamed(2));
        assert_eq!(verdict.messages[6], failed(3, "no data blob: only 0 bytes"));
        assert!(verdict.messages[8].contains("No such file"), "{}", verdict.messages[8]);
        assert!(verdict.messages[9].starts_with(&failed(5, "no data blob: unknown magic")), "{}", verdict.messages[9]);
        for number in [0, 1, 2, 3, 5] {
            assert!(!site.chunk(number).exists());
            assert!(site.bad(number, 0).exists());
        }
        assert!(!site.bad(4, 0).exists());
        assert!(site.chunk(6).exists() && site.chunk(7).exists());
    }
}

#[test]
fn what_is_known_to_be_bad_is_an_error_of_every_later_index() {
    let site = Site::new(4);
    site.change(1, |content| content[30] ^= 1);
    fs::remove_file(site.chunk(3)).unwrap();
    let verification = site.verification((1, 4), ChunkOrder::Inode);
    assert_eq!(site.check(&verification).unwrap().error_count, 2);
    let again = site.check(&verification).unwrap();
    let lines: Vec<String> =
        [1, 3].map(|number: usize| format!("chunk {} was marked as corrupt", hex(&site.digests[number]))).into();
    assert_eq!(again, IndexVerdict { error_count: 2, messages: lines, ..IndexVerdict::default() });
}

#[test]
fn the_next_upload_heals() {
    let site = Site::new(2);
    let good = fs::read(site.chunk(0)).unwrap();
    site.change(0, |content| content[30] ^= 1);
    assert_eq!(site.verdict().error_count, 1);
    assert!(!site.place.store.contains(&site.digests[0]).unwrap());
    assert!(!site.place.store.insert(&site.digests[0], &good).unwrap().is_duplicate());
    assert_eq!(site.verdict().error_count, 0);
    assert!(site.bad(0, 0).exists());
}

#[test]
fn ten_bad_copies_are_kept_and_the_last_is_overwritten() {
    let site = Site::new(1);
    for copy in 0..12_u8 {
        fs::write(site.chunk(0), [copy; 20]).unwrap();
        assert_eq!(site.verdict().error_count, 1);
    }
    let contents: Vec<u8> = (0..10).map(|copy| fs::read(site.bad(0, copy)).unwrap()[0]).collect();
    assert_eq!(contents, [0, 1, 2, 3, 4, 5, 6, 7, 8, 11]);
}

#[test]
fn a_chunk_that_somebody_healed_meanwhile_stays() {
    let site = Site::new(1);
    let (store, digest) = (&site.place.store, &site.digests[0]);
    assert_eq!(store.set_aside(digest, &mut |again| again.is_err()).unwrap(), SetAside::Kept);
    assert!(site.chunk(0).exists());
    fs::remove_file(site.chunk(0)).unwrap();
    assert_eq!(store.set_aside(digest, &mut |_| true).unwrap(), SetAside::Gone);
}

#[test]
fn encrypted_chunks_need_no_key() {
    let site = Site::of(&[data(1), data(2)], true);
    assert_eq!(site.verdict().error_count, 0);
    site.change(1, |content| *content.last_mut().unwrap() ^= 1);
    assert_eq!(site.verdict().error_count, 1);
    assert!(site.bad(1, 0).exists());
}

#[test]
fn a_chunk_of_the_other_crypt_mode_is_an_error_but_stays() {
    for is_encrypted in [false, true] {
        let mut site = Site::of(&[data(1)], is_encrypted);
        let verification = site.verification((1, 4), ChunkOrder::Inode);
        assert_eq!(site.check(&verification).unwrap().error_count, 0);
        site.claim.is_encrypted = !is_encrypted;
        let verdict = site.check(&verification).unwrap();
        assert_eq!(verdict.error_count, 1);
        assert!(verdict.messages[0].contains("encrypted, the file is"), "{:?}", verdict.messages);
        assert!(site.chunk(0).exists());
    }
}

#[test]
fn an_index_that_lies_about_a_length_condemns_no_chunk() {
    for length in [1999, 2003] {
        let good = Site::of(&[data(1)], false);
        let site = Site::indexed(good.place, &[(length, good.digests[0])], false);
        let verdict = site.verdict();
        assert_eq!(verdict.error_count, 1);
        let text = format!("the chunk has 2001 bytes, the index says {length}");
        assert!(verdict.messages[0].ends_with(&text), "{:?}", verdict.messages);
        assert!(site.chunk(0).exists());
    }
}

#[test]
fn what_is_no_chunk_at_all_is_set_aside() {
    let site = Site::new(2);
    fs::remove_file(site.chunk(0)).unwrap();
    fs::create_dir(site.chunk(0)).unwrap();
    fs::File::create(site.chunk(1)).unwrap().set_len(blob::MAX_BLOB_BYTES as u64 + 1).unwrap();
    let verdict = site.verdict();
    assert_eq!(verdict.error_count, 2);
    assert!(verdict.messages[0].ends_with("is not a regular file"), "{:?}", verdict.messages);
    assert!(site.bad(0, 0).is_dir() && site.bad(1, 0).is_file());
}

#[test]
fn an_index_other_than_the_manifests_is_refused_before_any_chunk_is_read() {
    let mut site = Site::new(2);
    fs::remove_file(site.chunk(0)).unwrap();
    site.claim.csum[0] ^= 1;
    let error = site.check(&site.verification((1, 1), ChunkOrder::Index)).unwrap_err();
    assert!(matches!(&error, StoreError::WrongIndex(text) if text == "wrong index checksum"), "{error}");
    site.claim.csum[0] ^= 1;
    site.claim.size += 1;
    let error = site.check(&site.verification((1, 1), ChunkOrder::Index)).unwrap_err();
    assert_eq!(error.to_string(), "wrong size (4001 != 4002)");
    fs::write(&site.index, b"rubbish").unwrap();
    assert!(matches!(site.check(&site.verification((1, 1), ChunkOrder::Index)), Err(StoreError::Format(_))));
    fs::remove_file(&site.index).unwrap();
    assert!(matches!(site.check(&site.verification((1, 1), ChunkOrder::Index)), Err(StoreError::Io { .. })));
}

#[test]
fn only_so_many_faults_are_told_but_all_are_counted() {
    let place = Place::new(SyncLevel::None);
    let entries: Vec<(u64, Digest)> = (1..=1500_u64).map(|end| (end, chunk_digest(&end.to_le_bytes(), None))).collect();
    let verdict = Site::indexed(place, &entries, false).verdict();
    assert_eq!((verdict.error_count, verdict.messages.len()), (1500, 1001));
    assert_eq!(verdict.messages[1000], "500 more chunks could not be verified");
}

#[test]
fn an_abort_ends_a_check_and_all_later_ones() {
    let site = Site::new(200);
    let verification = Arc::new(site.verification((1, 4), ChunkOrder::Index));
    verification.abort();
    assert!(matches!(site.check(&verification), Err(StoreError::Aborted)));
}

#[test]
fn an_abort_in_the_middle_gives_no_verdict() {
    let site = Site::new(400);
    let verification = site.verification((1, 1), ChunkOrder::Index);
    let progress = CheckProgress::default();
    let outcome = std::thread::scope(|scope| {
        let check = scope.spawn(|| verification.check_index(&site.index, &site.claim, &progress));
        while progress.checked_count() == 0 {
            std::thread::yield_now();
        }
        verification.abort();
        check.join().unwrap()
    });
    // Unless the last chunk was done by then.
    assert!(matches!(outcome, Err(StoreError::Aborted)) || progress.checked_count() == 400, "{outcome:?}");
}

#[test]
fn the_largest_chunks_pass_with_the_most_threads() {
    let chunk = vec![0; 16 << 20];
    let chunks: Vec<Vec<u8>> =
        (0..3).map(|number| [&chunk[..chunk.len() - number], &vec![1; number]].concat()).collect();
    let site = Site::of(&chunks, false);
    let verdict = site.check(&site.verification((32, 32), ChunkOrder::Inode)).unwrap();
    assert_eq!((verdict.error_count, verdict.plain_bytes), (0, 48 << 20));
}
