//! Archives put together from index and chunks, whole and damaged.

mod support;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use pbstore_format::fixed_index::{self, FixedHeader};
use pbstore_format::{blob, chunk_digest, dynamic_index, CryptKey, Digest};
use pbstore_store::{IndexRecovery, RecoveryError, RecoveryOptions, RecoveryOutput, SyncLevel};
use support::{key, Place};

const CHUNK: u64 = 1 << 16;

fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A store with an image: two different chunks, zeros, the first one again, a short one.
struct Image {
    place: Place,
    parts: Vec<Vec<u8>>,
    digests: Vec<Digest>,
    index: PathBuf,
}

impl Image {
    fn new(key: Option<&CryptKey>) -> Self {
        let place = Place::new(SyncLevel::None);
        let whole = usize::try_from(CHUNK).unwrap();
        let parts = vec![noise(1, whole), noise(2, whole), vec![0; whole], noise(1, whole), noise(3, 1000)];
        let digests: Vec<_> = parts.iter().map(|part| chunk_digest(part, key)).collect();
        for (part, digest) in parts.iter().zip(&digests) {
            fs::write(place.chunk_path(digest), blob::seal(part, key, true).unwrap()).unwrap();
        }
        let index = place.path().join("any-name");
        let size = 4 * CHUNK + 1000;
        let header = FixedHeader { uuid: [0; 16], ctime: 0, csum: [0; 32], size, chunk_size: CHUNK };
        fs::write(&index, fixed_index::encode_file(header, &digests).unwrap()).unwrap();
        Self { place, parts, digests, index }
    }

    fn open(&self, key: Option<CryptKey>, options: RecoveryOptions) -> IndexRecovery {
        IndexRecovery::open(&self.index, &self.place.path().join(".chunks"), key, options).unwrap()
    }

    fn damage(&self, number: usize, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
        let path = self.place.chunk_path(&self.digests[number]);
        let mut blob = fs::read(&path).unwrap();
        change(&mut blob);
        fs::write(&path, blob).unwrap();
        path
    }
}

fn recover(mut recovery: IndexRecovery, step: u64) -> Result<(Vec<u8>, Vec<String>), RecoveryError> {
    let mut file = tempfile::tempfile().unwrap();
    let mut output = RecoveryOutput::sparse(file.try_clone().unwrap());
    let mut warnings = Vec::new();
    while recovery.position() < recovery.size() {
        warnings.extend(recovery.advance(&mut output, step)?);
    }
    let mut data = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut data).unwrap();
    Ok((data, warnings))
}

fn tolerant() -> RecoveryOptions {
    RecoveryOptions { ignore_missing: true, ignore_corrupt: true, ..RecoveryOptions::default() }
}

#[test]
fn images_come_back_whatever_the_step() {
    for key in [None, Some(key())] {
        let image = Image::new(key.as_ref());
        for step in [1, CHUNK, 3 * CHUNK - 1, u64::MAX] {
            let recovered = recover(image.open(key.clone(), RecoveryOptions::default()), step).unwrap();
            assert_eq!(recovered, (image.parts.concat(), Vec::new()));
        }
    }
}

#[test]
fn archives_come_back() {
    let place = Place::new(SyncLevel::None);
    let parts = [noise(4, 70_000), noise(5, 1), noise(6, 200_000)];
    let mut entries = Vec::new();
    let mut end = 0;
    for part in &parts {
        let digest = chunk_digest(part, None);
        end += part.len() as u64;
        fs::write(place.chunk_path(&digest), blob::seal(part, None, true).unwrap()).unwrap();
        entries.push((end, digest));
    }
    let index = place.path().join("a.didx");
    let header = dynamic_index::DynamicHeader { uuid: [0; 16], ctime: 0, csum: [0; 32] };
    fs::write(&index, dynamic_index::encode_file(header, &entries).unwrap()).unwrap();
    let chunks = place.path().join(".chunks");
    let recovery = IndexRecovery::open(&index, &chunks, None, RecoveryOptions::default()).unwrap();
    assert_eq!(recover(recovery, CHUNK).unwrap().0, parts.concat());
}

#[test]
fn zeros_are_holes_in_files_and_bytes_in_streams() {
    let image = Image::new(None);
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = directory.path().join("image");
    let mut sparse = RecoveryOutput::sparse(File::create(&path).unwrap());
    image.open(None, RecoveryOptions::default()).advance(&mut sparse, u64::MAX).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), 4 * CHUNK + 1000);
    assert!(metadata.blocks() * 512 < metadata.len());

    let (mut reader, writer) = UnixStream::pair().unwrap();
    let mut stream = RecoveryOutput::stream(File::from(OwnedFd::from(writer)));
    fs::remove_file(image.place.chunk_path(&image.digests[1])).unwrap();
    let mut recovery = image.open(None, tolerant());
    let writing = std::thread::spawn(move || recovery.advance(&mut stream, u64::MAX).unwrap());
    let mut data = Vec::new();
    reader.read_to_end(&mut data).unwrap();
    assert_eq!(writing.join().unwrap().len(), 2);
    let zeros = vec![0; usize::try_from(CHUNK).unwrap()];
    let [first, _, third, fourth, last] = &image.parts[..] else { panic!("five parts") };
    assert_eq!(data, [&first[..], &zeros, third, fourth, last].concat());
}

#[test]
fn a_missing_chunk_ends_it_or_becomes_zeros() {
    let image = Image::new(None);
    let path = image.place.chunk_path(&image.digests[1]);
    fs::remove_file(&path).unwrap();
    let error = recover(image.open(None, RecoveryOptions::default()), CHUNK).unwrap_err();
    let expected = format!(
        "could not open chunk file - No such file or directory (os error 2): {path:?}, bytes 65536..131072 of the archive"
    );
    assert_eq!(error.to_string(), expected);
    let only_missing = RecoveryOptions { ignore_missing: true, ..RecoveryOptions::default() };
    let (data, warnings) = recover(image.open(None, only_missing), CHUNK).unwrap();
    let lines = [format!("chunk {path:?} is missing"), r"replacing output file 65536..131072 with '\0'".to_owned()];
    assert_eq!(warnings, lines);
    let mut parts = image.parts.clone();
    parts[1].fill(0);
    assert_eq!(data, parts.concat());
}

#[test]
fn a_missing_last_chunk_leaves_the_length_right() {
    let image = Image::new(None);
    fs::remove_file(image.place.chunk_path(&image.digests[4])).unwrap();
    let (data, _) = recover(image.open(None, tolerant()), u64::MAX).unwrap();
    assert_eq!(data.len() as u64, 4 * CHUNK + 1000);
    assert_eq!(data[data.len() - 1000..], [0; 1000]);
}

/// What a damaged chunk 1 is reported as.
fn verdict(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let image = Image::new(None);
    let path = image.damage(1, change);
    let error = recover(image.open(None, RecoveryOptions::default()), CHUNK).unwrap_err();
    let missing_is_fine = RecoveryOptions { ignore_missing: true, ..RecoveryOptions::default() };
    assert!(matches!(recover(image.open(None, missing_is_fine), CHUNK), Err(RecoveryError::Corrupt { .. })));
    let (data, warnings) = recover(image.open(None, tolerant()), CHUNK).unwrap();
    let mut parts = image.parts.clone();
    parts[1].fill(0);
    assert_eq!(data, parts.concat());
    let reason = warnings[0].strip_prefix(&format!("chunk {path:?} is corrupt: ")).unwrap();
    assert_eq!(error.to_string(), format!("Failed to decode chunk {path:?} = {reason}"));
    reason.to_owned()
}

#[test]
fn every_damage_is_noticed() {
    let whole = usize::try_from(CHUNK).unwrap();
    assert!(verdict(|blob| blob[100] ^= 1).starts_with("blob has wrong CRC-32"));
    assert!(verdict(|blob| blob.truncate(100)).starts_with("blob has wrong CRC-32"));
    assert_eq!(verdict(Vec::clear), "no data blob: only 0 bytes");
    assert_eq!(verdict(|blob| blob[0] ^= 1), "no data blob: unknown magic number");
    assert!(verdict(|blob| *blob = blob::seal(&noise(9, whole), None, true).unwrap()).starts_with("wrong digest"));
    let short = verdict(|blob| *blob = blob::seal(&noise(9, 7), None, true).unwrap());
    assert_eq!(short, "wrong length: expected 65536 bytes, got 7");
    let long = verdict(|blob| blob.resize(blob::MAX_BLOB_BYTES + 1, 0));
    assert_eq!(long, "larger than any chunk, over 16777260 bytes");
}

#[test]
fn without_checksums_damaged_data_is_taken_but_never_of_a_wrong_length() {
    let trusting = RecoveryOptions { skip_checksums: true, ..RecoveryOptions::default() };
    let image = Image::new(None);
    image.damage(1, |blob| blob[100] ^= 1);
    let (data, _) = recover(image.open(None, trusting), CHUNK).unwrap();
    let mut parts = image.parts.clone();
    parts[1][100 - blob::PLAIN_HEADER] ^= 1;
    assert_eq!(data, parts.concat());
    image.damage(1, |blob| *blob = blob::seal(&noise(9, 7), None, true).unwrap());
    assert!(matches!(recover(image.open(None, trusting), CHUNK), Err(RecoveryError::Corrupt { .. })));
}

#[test]
fn encrypted_chunks_need_the_right_key() {
    let image = Image::new(Some(&key()));
    let error = recover(image.open(None, tolerant()), CHUNK).unwrap_err();
    let path = image.place.chunk_path(&image.digests[0]);
    let expected = format!("Failed to decode chunk {path:?} = unable to decrypt blob - missing CryptConfig");
    assert_eq!(error.to_string(), expected);
    let other = CryptKey::new([9; 32]);
    let error = recover(image.open(Some(other), RecoveryOptions::default()), CHUNK).unwrap_err();
    assert!(error.to_string().ends_with("= cannot decrypt blob: it is damaged or was encrypted with another key"));
}

#[test]
fn what_is_no_chunk_file_is_not_waited_for() {
    let image = Image::new(None);
    let path = image.place.chunk_path(&image.digests[1]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = recover(image.open(None, RecoveryOptions::default()), CHUNK).unwrap_err();
    assert_eq!(error.to_string(), format!("Failed to decode chunk {path:?} = not a regular file"));
    fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    let (_, warnings) = recover(image.open(None, tolerant()), CHUNK).unwrap();
    assert!(warnings[0].contains("is corrupt: could not open it - "));
}

#[test]
fn what_is_no_index_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index");
    let open = |path: &Path| {
        let opened = IndexRecovery::open(path, directory.path(), None, RecoveryOptions::default());
        opened.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(open(&path), format!("open index {} failed: No such file or directory (os error 2)", path.display()));
    for (content, reason) in [
        (vec![], "no index: unknown magic number"),
        (vec![7; 5000], "no index: unknown magic number"),
        (fixed_index::MAGIC.to_vec(), "no fixed index: only 8 bytes, the header has 4096"),
        ([&dynamic_index::MAGIC[..], &[0; 4095]].concat(), "dynamic index has a table of wrong length 7"),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(open(&path), format!("{}: {reason}", path.display()));
    }
}

#[test]
fn a_full_output_is_named() {
    let image = Image::new(None);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut recovery = image.open(None, RecoveryOptions::default());
    let error = recovery.advance(&mut RecoveryOutput::stream(full), u64::MAX).unwrap_err();
    assert_eq!(error.to_string(), "unable to write the output at 0: No space left on device (os error 28)");
}
