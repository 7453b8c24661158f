//! Differences between two archives: of every property, in every order, of both kinds of archives.

mod memory;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use pbstore_pxar::metadata::{Acl, AclEntry, Metadata, Mtime, Stat, Xattr};
use pbstore_pxar::{
    Accessor, Change, Changes, ChunkPlace, Comparison, Device, Difference, Directory, Encoder, PxarError, ReadAt,
};
use proptest::prelude::*;

use memory::Bytes;

type Archive = Encoder<'static, Vec<u8>>;

const DIRECTORY: u64 = 0o040_755;
const FILE: u64 = 0o100_644;
const SYMLINK: u64 = 0o120_777;
const CHAR_DEVICE: u64 = 0o020_600;

fn metadata(mode: u64) -> Metadata {
    Metadata { stat: Stat { mode, ..Stat::default() }, ..Metadata::default() }
}

fn archive(fill: impl FnOnce(&mut Archive)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), &metadata(DIRECTORY)).unwrap();
    fill(&mut encoder);
    encoder.finish().unwrap().0
}

fn open(archive: Vec<u8>) -> Directory {
    Accessor::open(Arc::new(Bytes(archive))).unwrap()
}

fn differences(old: Directory, new: Directory, compare_content: bool) -> Vec<Difference> {
    let mut comparison = Comparison::new(old, new, compare_content);
    let mut found = Vec::new();
    while let Some(difference) = comparison.next_difference().unwrap() {
        found.push(difference);
    }
    assert!(comparison.next_difference().unwrap().is_none());
    found
}

/// Lines like `M a/b` of what differs.
fn lines(old: impl FnOnce(&mut Archive), new: impl FnOnce(&mut Archive), compare_content: bool) -> Vec<String> {
    let found = differences(open(archive(old)), open(archive(new)), compare_content);
    found.iter().map(|difference| format!("{:?} {}", difference.change, text(&difference.path))).collect()
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn file(encoder: &mut Archive, name: &[u8], metadata: &Metadata, content: &[u8]) {
    encoder.add_file(name, metadata, content.len() as u64, &mut &*content).unwrap();
}

fn directory(encoder: &mut Archive, name: &[u8], fill: impl FnOnce(&mut Archive)) {
    encoder.begin_directory(name, &metadata(DIRECTORY)).unwrap();
    fill(encoder);
    encoder.end_directory().unwrap();
}

/// What differs when one file changes its metadata from one value to another.
fn changes_of_metadata(change: impl FnOnce(&mut Metadata)) -> Changes {
    let old = metadata(FILE);
    let mut new = old.clone();
    change(&mut new);
    let one_file = |metadata: Metadata| move |encoder: &mut Archive| file(encoder, b"f", &metadata, b"text");
    let found = differences(open(archive(one_file(old))), open(archive(one_file(new.clone()))), true);
    let [difference] = &found[..] else { panic!("{found:?}") };
    assert_eq!((difference.change, text(&difference.path)), (Change::Modified, "f".to_owned()));
    assert_eq!(difference.entry.metadata, new);
    difference.changes
}

#[test]
fn each_property_is_told_apart() {
    let none = Changes::default();
    let other = Changes { other: true, ..none };
    assert_eq!(changes_of_metadata(|m| m.stat.uid = 1), Changes { uid: true, ..none });
    assert_eq!(changes_of_metadata(|m| m.stat.gid = 1), Changes { gid: true, ..none });
    assert_eq!(changes_of_metadata(|m| m.stat.mode = 0o104_644), Changes { mode: true, ..none });
    assert_eq!(changes_of_metadata(|m| m.stat.mtime.seconds = 1), Changes { mtime: true, ..none });
    assert_eq!(changes_of_metadata(|m| m.stat.mtime.nanoseconds = 1), Changes { mtime: true, ..none });
    assert_eq!(changes_of_metadata(|m| m.stat.flags = 1), other);
    assert_eq!(changes_of_metadata(|m| m.fcaps = Some(vec![1; 20])), other);
    assert_eq!(changes_of_metadata(|m| m.quota_project_id = Some(7)), other);
    let attribute = Xattr { name: b"user.x".to_vec(), value: b"y".to_vec() };
    assert_eq!(changes_of_metadata(|m| m.xattrs.push(attribute)), other);
    let acl = Acl { users: vec![AclEntry { id: 5, permissions: 4 }], group_obj: Some(4), ..Acl::default() };
    assert_eq!(changes_of_metadata(|m| m.acl = acl), other);
}

#[test]
fn the_order_of_attributes_is_no_difference() {
    let one = Xattr { name: b"user.a".to_vec(), value: b"1".to_vec() };
    let two = Xattr { name: b"user.b".to_vec(), value: b"2".to_vec() };
    let with = |xattrs: Vec<Xattr>| Metadata { xattrs, ..metadata(FILE) };
    let (old, new) = (with(vec![one.clone(), two.clone()]), with(vec![two, one]));
    let found = lines(|e| file(e, b"f", &old, b""), |e| file(e, b"f", &new, b""), true);
    assert!(found.is_empty(), "{found:?}");
}

fn only(old: impl FnOnce(&mut Archive), new: impl FnOnce(&mut Archive), compare_content: bool) -> Difference {
    let mut found = differences(open(archive(old)), open(archive(new)), compare_content);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn contents_differ_only_when_they_are_compared() {
    let old = |e: &mut Archive| file(e, b"f", &metadata(FILE), b"old!");
    let new = |e: &mut Archive| file(e, b"f", &metadata(FILE), b"new!");
    assert!(lines(old, new, false).is_empty());
    assert_eq!(only(old, new, true).changes, Changes { other: true, ..Changes::default() });
    let longer = |e: &mut Archive| file(e, b"f", &metadata(FILE), b"longer");
    assert_eq!(only(old, longer, false).changes, Changes { size: true, ..Changes::default() });
    assert_eq!(only(old, longer, true).changes, Changes { size: true, other: true, ..Changes::default() });
}

#[test]
fn links_and_devices_differ_in_what_they_stand_for() {
    let link = |target: &'static [u8]| move |e: &mut Archive| e.add_symlink(b"l", &metadata(SYMLINK), target).unwrap();
    assert_eq!(only(link(b"a"), link(b"b"), false).changes, Changes { other: true, ..Changes::default() });
    let device =
        |minor| move |e: &mut Archive| e.add_device(b"c", &metadata(CHAR_DEVICE), Device { major: 1, minor }).unwrap();
    assert_eq!(only(device(3), device(5), false).changes, Changes { size: true, ..Changes::default() });
}

#[test]
fn kinds_change_with_all_that_was_below() {
    let found = lines(
        |e| directory(e, b"x", |e| directory(e, b"in", |e| file(e, b"ner", &metadata(FILE), b""))),
        |e| file(e, b"x", &metadata(FILE), b"text"),
        true,
    );
    assert_eq!(found, ["Modified x", "Removed x/in", "Removed x/in/ner"]);
    let found = lines(
        |e| e.add_symlink(b"x", &metadata(SYMLINK), b"y").unwrap(),
        |e| directory(e, b"x", |e| file(e, b"new", &metadata(FILE), b"")),
        true,
    );
    assert_eq!(found, ["Modified x", "Added x/new"]);
}

#[test]
fn hard_links_stand_for_their_files() {
    let linked = |content: &'static [u8]| {
        move |e: &mut Archive| {
            let (start, _) = e.add_file(b"a", &metadata(FILE), 4, &mut &*content).unwrap();
            e.add_hardlink(b"b", b"a", start).unwrap();
        }
    };
    let two_files = |e: &mut Archive| {
        file(e, b"a", &metadata(FILE), b"same");
        file(e, b"b", &metadata(FILE), b"same");
    };
    let difference = only(two_files, linked(b"same"), true);
    assert_eq!(difference.changes, Changes { kind: true, ..Changes::default() });
    assert_eq!(difference.linked.map(|file| file.metadata), Some(metadata(FILE)));
    assert!(lines(linked(b"same"), linked(b"same"), true).is_empty());
    assert_eq!(lines(linked(b"same"), linked(b"diff"), true), ["Modified a", "Modified b"]);
}

#[test]
fn paths_are_those_of_where_it_happened() {
    let shared = |e: &mut Archive| file(e, b"same", &metadata(FILE), b"");
    let found = lines(
        |e| {
            directory(e, b"deep", |e| directory(e, b"er", |e| file(e, b"gone", &metadata(FILE), b"")));
            directory(e, b"gone", shared);
            shared(e);
        },
        |e| {
            directory(e, b"come", shared);
            directory(e, b"deep", |e| {
                directory(e, b"er", |e| file(e, b"come", &metadata(FILE), b""));
                shared(e);
            });
            shared(e);
            file(e, b"zz", &metadata(FILE), b"");
        },
        false,
    );
    let expected = [
        "Added come",
        "Added come/same",
        "Added deep/er/come",
        "Removed deep/er/gone",
        "Added deep/same",
        "Removed gone",
        "Removed gone/same",
        "Added zz",
    ];
    assert_eq!(found, expected);
}

#[test]
fn no_depth_is_too_deep() {
    let nested = |name: &'static [u8]| {
        archive(|e| {
            for _ in 0..5000 {
                e.begin_directory(b"d", &metadata(DIRECTORY)).unwrap();
            }
            file(e, name, &metadata(FILE), b"");
            for _ in 0..5000 {
                e.end_directory().unwrap();
            }
        })
    };
    let found = differences(open(nested(b"x")), open(nested(b"y")), false);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].path.len(), 2 * 5000 + 1);
}

#[test]
fn damage_ends_the_walk() {
    let mut bytes = archive(|e| directory(e, b"d", |e| file(e, b"f", &metadata(FILE), b"text")));
    let intact = bytes.clone();
    let name = bytes.windows(2).position(|pair| pair == b"f\0").unwrap();
    bytes[name - 16] ^= 1;
    let mut comparison = Comparison::new(open(intact), open(bytes), false);
    let error = comparison.next_difference().unwrap_err();
    assert!(matches!(error, PxarError::Malformed { .. }), "{error}");
}

/// Bytes in chunks of 1000, of which it is counted how many are read.
struct Chunked {
    bytes: Bytes,
    read: AtomicU64,
}

impl ReadAt for Chunked {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, offset)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn chunk_at(&self, offset: u64) -> Option<ChunkPlace> {
        let start = offset / 1000 * 1000;
        let chunk = self.bytes.0.get(start as usize..)?;
        let chunk = chunk.get(..1000).unwrap_or(chunk);
        let digest = pbstore_format::chunk_digest(chunk, None);
        Some(ChunkPlace { digest, before: offset - start, rest: chunk.len() as u64 - (offset - start) })
    }
}

#[test]
fn what_is_in_the_same_chunks_is_not_read() {
    let noise: Vec<u8> = (0..200_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let make = |last: u8| {
        let mut content = noise.clone();
        content[150_000] = last;
        let bytes = Bytes(archive(|e| file(e, b"f", &metadata(FILE), &content)));
        Arc::new(Chunked { bytes, read: AtomicU64::new(0) })
    };
    for (last, expected) in [(7, 0), (8, 1)] {
        let (old, new) = (make(7), make(last));
        let roots = [&old, &new].map(|source| Accessor::open(Arc::clone(source) as Arc<dyn ReadAt>).unwrap());
        let [old_root, new_root] = roots;
        assert_eq!(differences(old_root, new_root, true).len(), expected);
        let most = if expected == 0 { 10_000 } else { 60_000 };
        assert!(new.read.load(Ordering::Relaxed) < most, "{}", new.read.load(Ordering::Relaxed));
    }
}

fn tree() -> impl Strategy<Value = BTreeMap<Vec<u8>, Vec<u8>>> {
    prop::collection::btree_map(
        prop::collection::vec(b'a'..=b'f', 1..3),
        prop::collection::vec(any::<u8>(), 0..3),
        0..12,
    )
}

fn flat(tree: &BTreeMap<Vec<u8>, Vec<u8>>, order: &[usize]) -> Vec<u8> {
    let mut names: Vec<_> = tree.iter().collect();
    // As nobody promises that names are sorted, they are not.
    names.sort_by_key(|(name, _)| order.get(usize::from(name[0] - b'a')).copied());
    archive(|e| names.iter().for_each(|(name, content)| file(e, name, &metadata(FILE), content)))
}

proptest! {
    #[test]
    fn every_difference_is_found_once_whatever_the_order(
        old in tree(), new in tree(),
        old_order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(), new_order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(),
    ) {
        let found = differences(open(flat(&old, &old_order)), open(flat(&new, &new_order)), true);
        let mut found: Vec<_> = found.iter().map(|found| (found.path.clone(), found.change)).collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let expected: Vec<_> = names.into_iter().filter_map(|name| match (old.get(name), new.get(name)) {
            (Some(_), None) => Some((name.clone(), Change::Removed)),
            (None, Some(_)) => Some((name.clone(), Change::Added)),
            (old, new) => (old != new).then(|| (name.clone(), Change::Modified)),
        }).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn times_before_the_epoch_are_times() {
    let at = |seconds| {
        let mut metadata = metadata(FILE);
        metadata.stat.mtime = Mtime { seconds, nanoseconds: 999_999_999 };
        move |e: &mut Archive| file(e, b"f", &metadata, b"")
    };
    assert_eq!(only(at(-1), at(-2), false).changes, Changes { mtime: true, ..Changes::default() });
}
