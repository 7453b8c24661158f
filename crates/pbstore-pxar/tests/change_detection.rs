//! Metadata change detection on real trees: what is referenced is what would have been read, whatever changes between
//! two archives and wherever chunks end.

mod payloads;

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use payloads::{assembled, reference, seen, Bytes, Chunks, Cutter, Cutting, Log, Seen};
use pbstore_format::{DynamicIndex, Index};
use pbstore_pxar::{create_split_archive, CreateOptions, CreateStats, PlainPayload, Reference, Silent};
use proptest::prelude::*;
use tempfile::TempDir;

/// An archive whose payload is chunks.
struct Made {
    metadata: Vec<u8>,
    index: DynamicIndex,
    stats: CreateStats,
    injections: Vec<(u64, usize)>,
    log: Log,
}

impl Made {
    fn reference(&self) -> Reference {
        reference(&self.metadata, &self.index)
    }

    fn seen(&self, chunks: &Chunks) -> Vec<Seen> {
        seen(&self.metadata, &assembled(&self.index, chunks))
    }
}

/// An entry, wherever its payload is.
fn without_place(entry: Seen) -> Seen {
    Seen { payload_offset: 0, ..entry }
}

const WHOLE_FILES: Cutting = Cutting { max: 4096, min: Some(1) };

/// A tree, and the chunks of all its archives.
struct Scene {
    directory: TempDir,
    chunks: Chunks,
    /// Every change gets another time.
    clock: u64,
}

impl Scene {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), chunks: Chunks::new(), clock: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn touch(&mut self, path: &Path) -> std::io::Result<()> {
        self.clock += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + self.clock);
        File::open(path)?.set_times(FileTimes::new().set_modified(time))
    }

    /// Writes a file of `size` bytes that no other file has.
    fn write(&mut self, name: &str, size: usize) -> std::io::Result<()> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut content = format!("{} {name}", self.clock).into_bytes().repeat(size / 3 + 1);
        content.truncate(size);
        fs::write(&path, content)?;
        self.touch(&path)
    }

    fn make(&mut self, reference: Option<Reference>, cutting: Cutting, held_files_max: Option<usize>) -> Made {
        let mut log = Log::default();
        let mut metadata = Vec::new();
        let mut cutter = Cutter::new(&mut self.chunks, cutting);
        let options = CreateOptions { held_files_max, ..CreateOptions::default() };
        let source = self.directory.path();
        let stats = create_split_archive(source, &mut metadata, &mut cutter, reference, &options, &mut log).unwrap();
        let injections = cutter.injections.clone();
        let index = cutter.finish();
        assert_eq!(stats.payload_bytes, index.size());
        assert_eq!(stats.archive_bytes, metadata.len() as u64);
        Made { metadata, index, stats, injections, log }
    }

    fn first(&mut self) -> Made {
        self.make(None, WHOLE_FILES, None)
    }

    fn next(&mut self, before: &Made) -> Made {
        self.make(Some(before.reference()), WHOLE_FILES, None)
    }

    /// What reading every file gives.
    fn read_in_full(&self) -> Vec<Seen> {
        let (mut metadata, mut payload) = (Vec::new(), PlainPayload(Vec::new()));
        let options = CreateOptions::default();
        create_split_archive(self.directory.path(), &mut metadata, &mut payload, None, &options, &mut Silent).unwrap();
        seen(&metadata, &payload.0).into_iter().map(without_place).collect()
    }

    /// Compares an archive with what reading every file gives.
    fn check(&self, made: &Made) {
        let found: Vec<_> = made.seen(&self.chunks).into_iter().map(without_place).collect();
        // Not assert_eq, which would print both.
        for (found, expected) in found.iter().zip(&self.read_in_full()) {
            assert!(found == expected, "{} differs", String::from_utf8_lossy(&found.path));
        }
        assert_eq!(found.len(), self.read_in_full().len());
        check_counts(&made.stats);
    }
}

fn check_counts(stats: &CreateStats) {
    let stored = stats.encoded_payload_bytes() + stats.reused_payload_bytes() + stats.padding_bytes();
    assert_eq!(stats.payload_bytes, 32 + stored);
    assert!(stats.partial_chunk_count <= stats.injected_chunk_count);
    assert_eq!(stats.partial_chunk_count == 0, stats.padding_bytes() == 0);
}

#[test]
fn an_unchanged_tree_is_not_read() {
    let mut scene = Scene::new();
    for number in 0..200 {
        scene.write(&format!("d{}/f{number:03}", number % 7), number * 11 % 500).unwrap();
    }
    symlink("f001", scene.path("d1/link")).unwrap();
    let first = scene.first();
    // What is read would be seen, as nothing else tells of this change.
    let path = scene.path("d1/f001");
    let times = FileTimes::new().set_modified(fs::metadata(&path).unwrap().modified().unwrap());
    fs::write(&path, b"CHANGED ...").unwrap();
    File::open(&path).unwrap().set_times(times).unwrap();
    let second = scene.next(&first);
    assert_eq!((second.stats.reused_file_count, second.stats.encoded_file_count()), (200, 0));
    assert_eq!((second.stats.encoded_payload_bytes(), second.stats.padding_bytes()), (0, 16));
    let before: Vec<_> = first.seen(&scene.chunks).into_iter().map(without_place).collect();
    let after: Vec<_> = second.seen(&scene.chunks).into_iter().map(without_place).collect();
    assert!(before == after);
    check_counts(&second.stats);
    // Long runs come in parts.
    assert!(second.stats.injected_chunk_count > 128);
    assert!(second.injections.len() > 1);
}

#[test]
fn every_change_of_metadata_is_seen() {
    let mut scene = Scene::new();
    let names = ["content", "kind", "mode", "same", "size", "time", "value", "xattr"];
    for name in names {
        scene.write(name, 100).unwrap();
    }
    set_xattr(&scene.path("value"), b"one");
    let first = scene.first();
    scene.write("content", 100).unwrap();
    fs::remove_file(scene.path("kind")).unwrap();
    symlink("same", scene.path("kind")).unwrap();
    fs::set_permissions(scene.path("mode"), PermissionsExt::from_mode(0o600)).unwrap();
    let time = fs::metadata(scene.path("size")).unwrap().modified().unwrap();
    let file = File::options().append(true).open(scene.path("size")).unwrap();
    file.set_len(101).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
    let nanosecond = time_of(&scene.path("time")) + Duration::from_nanos(1);
    File::open(scene.path("time")).unwrap().set_times(FileTimes::new().set_modified(nanosecond)).unwrap();
    // The original compares names of attributes only.
    set_xattr(&scene.path("value"), b"two");
    set_xattr(&scene.path("xattr"), b"one");
    let second = scene.next(&first);
    assert_eq!(second.stats.reused_file_count, 1);
    assert_eq!(second.log.warnings, Vec::<String>::new());
    scene.check(&second);
}

fn time_of(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

fn set_xattr(path: &Path, value: &[u8]) {
    rustix::fs::setxattr(path, c"user.test", value, rustix::fs::XattrFlags::empty()).unwrap();
}

#[test]
fn runs_with_too_much_around_them_are_read_again() {
    let mut scene = Scene::new();
    for number in 0..10 {
        scene.write(&format!("f{number}"), 984).unwrap();
    }
    let cutting = Cutting { max: 10_000, min: None };
    let first = scene.make(None, cutting, None);
    fs::remove_file(scene.path("f4")).unwrap();
    // Each half is 60 % padding for itself, together the chunk is 90 % used: it is decided run by run.
    let second = scene.make(Some(first.reference()), cutting, None);
    assert_eq!(second.stats.reused_file_count, 0);
    scene.check(&second);
    // The last of ten files is a tenth.
    scene.write("f4", 984).unwrap();
    let third = scene.make(None, cutting, None);
    fs::remove_file(scene.path("f9")).unwrap();
    let fourth = scene.make(Some(third.reference()), cutting, None);
    assert_eq!((fourth.stats.reused_file_count, fourth.stats.partial_chunk_count), (9, 1));
    scene.check(&fourth);
}

#[test]
fn two_runs_share_the_chunk_between_them() {
    let mut scene = Scene::new();
    for number in 0..40 {
        scene.write(&format!("f{number:02}"), 484).unwrap();
    }
    // Chunks of 16 files each. The second one loses its last but one.
    let cutting = Cutting { max: 8016, min: Some(8000) };
    let first = scene.make(None, cutting, None);
    fs::remove_file(scene.path("f30")).unwrap();
    let second = scene.make(Some(first.reference()), cutting, None);
    assert_eq!(second.stats.reused_file_count, 39);
    assert_eq!(second.stats.injected_bytes, first.index.size());
    scene.check(&second);
}

#[test]
fn hard_links_refer_to_files_that_are_only_referenced() {
    let mut scene = Scene::new();
    for name in ["a/1", "a/2", "b/1", "c"] {
        scene.write(name, 300).unwrap();
    }
    for name in ["a/3", "b/2", "d"] {
        fs::hard_link(scene.path("a/2"), scene.path(name)).unwrap();
    }
    let first = scene.first();
    scene.check(&first);
    let second = scene.next(&first);
    assert_eq!((second.stats.reused_file_count, second.stats.hardlink_count), (4, 3));
    scene.check(&second);
    // Read again while its other names wait, and its first name gone.
    scene.write("a/2", 300).unwrap();
    fs::remove_file(scene.path("a/3")).unwrap();
    let third = scene.next(&second);
    assert_eq!((third.stats.reused_file_count, third.stats.hardlink_count), (3, 2));
    scene.check(&third);
    fs::remove_file(scene.path("a/2")).unwrap();
    let fourth = scene.next(&third);
    assert_eq!((fourth.stats.encoded_file_count(), fourth.stats.hardlink_count), (1, 1));
    scene.check(&fourth);
}

#[test]
fn a_reference_that_cannot_be_read_only_costs_time() {
    let mut scene = Scene::new();
    for number in 0..100 {
        scene.write(&format!("d{}/f{number:02}", number % 5), 300).unwrap();
    }
    let first = scene.first();
    let nothing = Reference { metadata: std::sync::Arc::new(Bytes(vec![1, 2, 3])), ..first.reference() };
    let made = scene.make(Some(nothing), WHOLE_FILES, None);
    assert_eq!((made.stats.reused_file_count, made.log.warnings.len()), (0, 1));
    scene.check(&made);
    for position in (0..first.metadata.len()).step_by(first.metadata.len() / 37) {
        let mut damaged = first.metadata.clone();
        // Wrong metadata or names; a wrong offset would be a wrong content, which digests rule out.
        let is_reference = |start: usize| damaged[start..].starts_with(&0x419d_3d6b_c4ba_977e_u64.to_le_bytes());
        if (position.saturating_sub(31)..=position).any(is_reference) {
            continue;
        }
        damaged[position] ^= 0x55;
        let made = scene.make(Some(reference(&damaged, &first.index)), WHOLE_FILES, None);
        assert!(made.log.warnings.len() <= 1, "{:?}", made.log.warnings);
        scene.check(&made);
    }
}

#[test]
fn payloads_beyond_the_index_or_out_of_order_are_read() {
    let mut scene = Scene::new();
    for name in ["a", "b", "c"] {
        scene.write(name, 300).unwrap();
    }
    let first = scene.first();
    let entries: Vec<_> =
        (0..2).map(|n| (first.index.chunk_end(n).unwrap(), *first.index.digest(n).unwrap())).collect();
    let short = pbstore_format::dynamic_index::encode_file(*first.index.header(), &entries).unwrap();
    let made = scene.make(Some(reference(&first.metadata, &DynamicIndex::parse(short).unwrap())), WHOLE_FILES, None);
    assert_eq!((made.stats.reused_file_count, made.log.warnings.len()), (1, 2));
    scene.check(&made);
    // The offset of c's payload becomes that of a's.
    let mut swapped = first.metadata.clone();
    let places: Vec<_> = (0..swapped.len() - 8)
        .filter(|start| swapped[*start..].starts_with(&0x419d_3d6b_c4ba_977e_u64.to_le_bytes()))
        .collect();
    let offset = swapped[places[0] + 16..places[0] + 24].to_vec();
    swapped[places[2] + 16..places[2] + 24].copy_from_slice(&offset);
    let made = scene.make(Some(reference(&swapped, &first.index)), WHOLE_FILES, None);
    assert_eq!((made.stats.reused_file_count, made.log.warnings.len()), (2, 1));
    scene.check(&made);
}

#[test]
fn files_that_change_while_they_wait_are_padded_or_cut() {
    let mut scene = Scene::new();
    for name in ["a", "b", "z"] {
        scene.write(name, 2000).unwrap();
    }
    let cutting = Cutting { max: 1 << 20, min: None };
    let first = scene.make(None, cutting, None);
    fs::remove_file(scene.path("z")).unwrap();
    scene.write("y", 10).unwrap();
    /// Changes the files that wait when the walk gets to a certain path.
    struct Changing<'a>(&'a Path, Log);
    impl pbstore_pxar::Reporter for Changing<'_> {
        fn warn(&mut self, message: String) {
            self.1.warn(message);
        }
        fn entry(&mut self, path: &[u8]) {
            if path == b"y" {
                fs::write(self.0.join("a"), b"short").unwrap();
                fs::write(self.0.join("b"), [b'x'; 3000]).unwrap();
            }
        }
    }
    let source = scene.directory.path().to_owned();
    let mut reporter = Changing(&source, Log::default());
    let (mut metadata, mut payload) = (Vec::new(), PlainPayload(Vec::new()));
    let reference = Some(first.reference());
    let options = CreateOptions::default();
    create_split_archive(&source, &mut metadata, &mut payload, reference, &options, &mut reporter).unwrap();
    assert_eq!(
        reporter.1.warnings,
        [
            "warning: file size shrunk while reading: \"a\", file will be padded with zeros!",
            "warning: file size increased while reading: \"b\", file will be truncated!",
        ]
    );
    let seen = seen(&metadata, &payload.0);
    assert_eq!(seen[1].content, [b"short".as_slice(), &[0; 1995]].concat());
    assert_eq!(seen[2].content, [b'x'; 2000]);
}

#[test]
fn a_run_of_more_files_than_may_be_open_is_not_read() {
    let mut scene = Scene::new();
    for number in 0..300 {
        scene.write(&format!("d{}/f{number:03}", number / 50), 50).unwrap();
    }
    // 62 files a chunk: any 100 files in a row leave too much of the chunk in which the last one is.
    let cutting = Cutting { max: 4092, min: None };
    let first = scene.make(None, cutting, None);
    let second = scene.make(Some(first.reference()), cutting, Some(100));
    assert_eq!((second.stats.reused_file_count, second.stats.injected_chunk_count), (300, 5));
    scene.check(&second);
    // With less than a chunk of files there is no way to know.
    let third = scene.make(Some(first.reference()), cutting, Some(20));
    assert_eq!(third.stats.reused_file_count, 0);
    scene.check(&third);
}

#[test]
fn descriptors_are_given_back() {
    let mut scene = Scene::new();
    for number in 0..300 {
        scene.write(&format!("f{number:03}"), 50).unwrap();
    }
    let first = scene.first();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    let second = scene.make(Some(first.reference()), WHOLE_FILES, Some(10));
    assert_eq!(second.stats.reused_file_count, 300);
    scene.check(&second);
    // Other tests of this process open files too, but not hundreds.
    assert!(open() < before + 200);
}

/// Something that happens to a tree. Names come from a small set, so that they meet.
#[derive(Clone, Debug)]
enum Change {
    Write(u8, usize),
    Touch(u8),
    Mode(u8, u32),
    Attribute(u8, u8),
    Remove(u8),
    Rename(u8, u8),
    Link(u8, u8),
    Symlink(u8),
    Directory(u8),
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let size = prop_oneof![Just(0usize), 1usize..40, 1usize..600, 2000usize..5000];
    let change = prop_oneof![
        8 => (any::<u8>(), size).prop_map(|(name, size)| Change::Write(name, size)),
        1 => any::<u8>().prop_map(Change::Touch),
        1 => (any::<u8>(), 0u32..0o1000).prop_map(|(name, mode)| Change::Mode(name, mode)),
        1 => (any::<u8>(), 0u8..3).prop_map(|(name, value)| Change::Attribute(name, value)),
        2 => any::<u8>().prop_map(Change::Remove),
        2 => any::<(u8, u8)>().prop_map(|(from, to)| Change::Rename(from, to)),
        2 => any::<(u8, u8)>().prop_map(|(from, to)| Change::Link(from, to)),
        1 => any::<u8>().prop_map(Change::Symlink),
        1 => any::<u8>().prop_map(Change::Directory),
    ];
    proptest::collection::vec(change, 0..most)
}

/// One of 48 paths; some names are directories of others.
fn name(number: u8) -> String {
    let number = number % 48;
    match number / 16 {
        0 => format!("{:x}", number % 16),
        1 => format!("{:x}/{:x}", number % 4, number % 16),
        _ => format!("{:x}/{:x}/{:x}", number % 4, number % 5, number % 16),
    }
}

impl Scene {
    /// Does what is possible of a change.
    fn change(&mut self, change: &Change) {
        let _ = match change {
            Change::Write(path, size) => self.write(&name(*path), *size),
            Change::Touch(path) => self.touch(&self.path(&name(*path))),
            Change::Mode(path, mode) => {
                let path = self.path(&name(*path));
                let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
                // Whoever runs this has to be able to read what is in the tree.
                let mode = if is_file { mode | 0o400 } else { mode | 0o700 };
                fs::set_permissions(path, PermissionsExt::from_mode(mode))
            }
            Change::Attribute(path, value) => {
                let path = self.path(&name(*path));
                if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_symlink()) {
                    set_xattr(&path, &[*value]);
                }
                Ok(())
            }
            Change::Remove(path) => {
                let path = self.path(&name(*path));
                fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path))
            }
            Change::Rename(from, to) => fs::rename(self.path(&name(*from)), self.path(&name(*to))),
            Change::Link(from, to) => fs::hard_link(self.path(&name(*from)), self.path(&name(*to))),
            Change::Symlink(path) => symlink("target", self.path(&name(*path))),
            Change::Directory(path) => fs::create_dir_all(self.path(&name(*path))),
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn archives_are_what_reading_everything_gives(
        beginning in changes(60),
        generations in proptest::collection::vec((changes(8), 0usize..40), 1..4),
        max in prop_oneof![1usize..60, 60usize..3000, Just(1 << 20)],
        min in proptest::option::of(1usize..400),
    ) {
        let mut scene = Scene::new();
        beginning.iter().for_each(|change| scene.change(change));
        let cutting = Cutting { max, min };
        let mut made = scene.make(None, cutting, None);
        scene.check(&made);
        for (changes, held) in &generations {
            changes.iter().for_each(|change| scene.change(change));
            made = scene.make(Some(made.reference()), cutting, Some(*held));
            prop_assert_eq!(&made.log.warnings, &Vec::<String>::new());
            scene.check(&made);
        }
    }
}
