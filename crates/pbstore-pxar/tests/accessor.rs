//! Random access: what is found by jumping is what is found by reading from front to end, and damage leads nowhere.

mod memory;
mod views;

use std::sync::Arc;

use pbstore_pxar::goodbye::{name_hash, permutation};
use pbstore_pxar::items::{self, Header};
use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{Accessor, Decoder, Directory, Encoder, Entry, Found, Kind, PxarError, ReadAt, TreeWalk};
use proptest::prelude::*;

use memory::Bytes;
use views::{accessed, content_of, decoded};

fn open(archive: &[u8]) -> Result<Directory, PxarError> {
    Accessor::open(Arc::new(Bytes(archive.to_vec())))
}

fn metadata(mode: u64) -> Metadata {
    let mtime = Mtime { seconds: -1, nanoseconds: 5 };
    Metadata { stat: Stat { mode, mtime, ..Stat::default() }, ..Metadata::default() }
}

const DIRECTORY: u64 = 0o040_755;
const FILE: u64 = 0o100_644;
const SYMLINK: u64 = 0o120_777;
const FIFO: u64 = 0o010_600;

type Archive = Encoder<'static, Vec<u8>>;

fn archive(fill: impl FnOnce(&mut Archive)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), &metadata(DIRECTORY)).unwrap();
    fill(&mut encoder);
    encoder.finish().unwrap().0
}

/// One of everything, a fifo and a directory at the ends of directories, a hard link into another directory.
fn varied() -> Vec<u8> {
    archive(|encoder| {
        let (start, _) = encoder.add_file(b"a", &metadata(FILE), 5, &mut b"hello".as_slice()).unwrap();
        encoder.begin_directory(b"b", &metadata(0o040_700)).unwrap();
        encoder.begin_directory(b"empty", &metadata(DIRECTORY)).unwrap();
        encoder.end_directory().unwrap();
        encoder.add_hardlink(b"hard", b"a", start).unwrap();
        encoder.add_special(b"pipe", &metadata(FIFO)).unwrap();
        encoder.end_directory().unwrap();
        encoder.add_symlink(b"link", &metadata(SYMLINK), b"target").unwrap();
        encoder.add_file(b"nothing", &metadata(FILE), 0, &mut [].as_slice()).unwrap();
        encoder.begin_directory(b"z", &metadata(DIRECTORY)).unwrap();
        encoder.add_file(b"last", &metadata(FILE), 3, &mut b"end".as_slice()).unwrap();
        encoder.end_directory().unwrap();
    })
}

#[test]
fn jumping_finds_what_reading_finds() {
    let bytes = varied();
    let root = open(&bytes).unwrap();
    assert_eq!(*root.metadata(), metadata(DIRECTORY));
    assert_eq!(accessed(root), decoded(Decoder::new(bytes.as_slice())).unwrap());
}

#[test]
fn hard_links_are_followed() {
    let root = open(&varied()).unwrap();
    let inner = root.open(b"b").unwrap().unwrap();
    let link = inner.lookup(b"hard").unwrap().unwrap();
    let target = inner.follow(&link).unwrap();
    assert_eq!(target.name, b"a");
    assert_eq!(content_of(&root, &target), b"hello");
    root.content(&link).map(drop).unwrap_err();
    root.follow(&target).unwrap_err();
}

#[test]
fn links_that_lead_nowhere_are_errors() {
    let bytes = archive(|encoder| {
        let (start, _) = encoder.add_file(b"a", &metadata(FILE), 4, &mut b"text".as_slice()).unwrap();
        encoder.add_hardlink(b"b", b"a", start).unwrap();
        encoder.add_hardlink(b"c", b"a", start).unwrap();
        encoder.add_symlink(b"d", &metadata(SYMLINK), b"a").unwrap();
        encoder.add_hardlink(b"e", b"a", start).unwrap();
    });
    let root = open(&bytes).unwrap();
    let start_of = |name: &[u8]| root.lookup(name).unwrap().unwrap().name_start;
    let link = root.lookup(b"e").unwrap().unwrap();
    let Kind::Hardlink { target, distance } = link.kind.clone() else { panic!("no hard link") };
    assert_eq!(distance, link.name_start - start_of(b"a"));
    let to = |name: &[u8]| link.name_start - start_of(name);
    for distance in [0, 1, distance - 1, distance + 1, to(b"b"), to(b"d"), link.name_start, u64::MAX] {
        let forged = Entry { kind: Kind::Hardlink { target: target.clone(), distance }, ..link.clone() };
        root.follow(&forged).unwrap_err();
    }
}

fn wide(count: usize) -> Vec<u8> {
    archive(|encoder| {
        for number in 0..count {
            let name = format!("name-{number:04}");
            encoder.add_special(name.as_bytes(), &metadata(FIFO)).unwrap();
        }
    })
}

#[test]
fn every_child_is_found_in_directories_of_all_sizes() {
    for count in (0..40).chain([63, 64, 65, 500, 999, 1000]) {
        let root = open(&wide(count)).unwrap();
        for number in 0..count {
            let name = format!("name-{number:04}");
            assert_eq!(root.lookup(name.as_bytes()).unwrap().unwrap().name, name.as_bytes());
        }
        let beyond = format!("name-{count:04}");
        assert!(root.lookup(beyond.as_bytes()).unwrap().is_none());
        assert_eq!(root.entries().count(), count);
    }
}

/// Replaces the hashes of the root's table by `hashes` (in the order of the children), in the order of the tree.
fn with_hashes(mut archive: Vec<u8>, hashes: &[u64]) -> Vec<u8> {
    let count = hashes.len();
    let records = archive.len() - 24 * (count + 1);
    let place = |archive: &[u8], node: usize| {
        let record = &archive[records + 24 * node..][..24];
        (u64::from_le_bytes(record[8..16].try_into().unwrap()), record.to_vec())
    };
    let mut by_place: Vec<_> = (0..count).map(|node| place(&archive, node)).collect();
    by_place.sort_by_key(|(offset, _)| std::cmp::Reverse(*offset));
    let mut hashed: Vec<_> = hashes.iter().zip(by_place).map(|(hash, (_, record))| (*hash, record)).collect();
    hashed.sort_by_key(|(hash, _)| *hash);
    for (node, index) in permutation(count).into_iter().enumerate() {
        let (hash, record) = &hashed[index];
        let target = &mut archive[records + 24 * node..][..24];
        target.copy_from_slice(record);
        target[..8].copy_from_slice(&hash.to_le_bytes());
    }
    archive
}

#[test]
fn names_with_the_same_hash_are_told_apart() {
    let wanted = b"name-0007";
    for count in [8, 9, 20, 100] {
        for equal in [1, 2, 5, count] {
            // The wanted name and others have its hash, the rest lies on both sides.
            let hash = name_hash(wanted);
            let hashes: Vec<_> = (0..count)
                .map(|number| match number {
                    7 => hash,
                    _ if number < equal => hash,
                    _ if number % 2 == 0 => hash - number as u64,
                    _ => hash + number as u64,
                })
                .collect();
            let root = open(&with_hashes(wide(count), &hashes)).unwrap();
            assert_eq!(root.lookup(wanted).unwrap().unwrap().name, wanted);
        }
    }
}

#[test]
fn a_table_of_a_million_children_is_read() {
    // A table for children of the least possible size, all the same one.
    let count: u64 = 1_000_000;
    let mut bytes = archive(|_| ());
    bytes.truncate(56);
    let child_start = bytes.len() as u64;
    for _ in 0..count {
        bytes.extend_from_slice(&Header { item_type: items::FILENAME, content_bytes: 2 }.encode());
        bytes.extend_from_slice(b"x\0");
        bytes.extend_from_slice(&Header { item_type: items::HARDLINK, content_bytes: 10 }.encode());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(b"y\0");
    }
    let table_start = bytes.len() as u64;
    let content_bytes = 24 * (count + 1);
    bytes.extend_from_slice(&Header { item_type: items::GOODBYE, content_bytes }.encode());
    let put = |bytes: &mut Vec<u8>, numbers: [u64; 3]| numbers.map(|number| bytes.extend(number.to_le_bytes()));
    for number in 0..count {
        put(&mut bytes, [name_hash(b"x"), table_start - child_start - 44 * number, 44]);
    }
    put(&mut bytes, [items::GOODBYE_TAIL_MARKER, table_start, content_bytes + 16]);
    let root = open(&bytes).unwrap();
    assert_eq!(root.lookup(b"x").unwrap().unwrap().name_start, child_start);
    assert!(root.lookup(b"nothing").unwrap().is_none());
    assert_eq!(root.entries().count() as u64, count);
    // One child less, and there is no room for the table that is announced.
    let mut crowded = bytes[..56].to_vec();
    crowded.extend_from_slice(&bytes[100..]);
    let tail = crowded.len() - 16;
    crowded[tail..tail + 8].copy_from_slice(&(table_start - 44).to_le_bytes());
    let error = open(&crowded).map(drop).unwrap_err();
    assert!(error.to_string().contains("more children than there is room for"), "{error}");
}

/// Goes everywhere that the archive lets one go; the number of steps is bounded by its size.
fn wander(archive: &[u8]) {
    let Ok(root) = open(archive) else { return };
    let _ = paths_of(TreeWalk::new(root.clone(), b""));
    let mut pending = vec![root];
    let mut steps = 0;
    while let Some(directory) = pending.pop() {
        for entry in directory.entries() {
            steps += 1;
            assert!(steps <= archive.len());
            let Ok(entry) = entry else { break };
            let _ = directory.lookup(&entry.name);
            let _ = directory.follow(&entry);
            let _ = directory.find(&entry.name);
            if let Ok(content) = directory.content(&entry) {
                let mut start = [0; 64];
                content.read_at(&mut start, 0).unwrap();
            }
            pending.extend(directory.open(&entry.name).ok().flatten());
        }
    }
}

#[test]
fn archives_cut_anywhere_are_not_opened() {
    let bytes = varied();
    for length in 0..bytes.len() {
        open(&bytes[..length]).map(drop).unwrap_err();
    }
}

#[test]
fn impossible_numbers_lead_nowhere() {
    let bytes = varied();
    for offset in (0..bytes.len() - 8).step_by(2) {
        for number in [0, 1, 15, 16, 44, bytes.len() as u64, 1 << 40, u64::MAX - 15, u64::MAX] {
            let mut damaged = bytes.clone();
            damaged[offset..offset + 8].copy_from_slice(&number.to_le_bytes());
            wander(&damaged);
        }
    }
}

#[test]
fn a_directory_cannot_contain_itself() {
    let bytes = archive(|encoder| {
        encoder.begin_directory(b"d", &metadata(DIRECTORY)).unwrap();
        encoder.add_special(b"p", &metadata(FIFO)).unwrap();
        encoder.end_directory().unwrap();
    });
    let root = open(&bytes).unwrap();
    let directory = root.lookup(b"d").unwrap().unwrap();
    let record = bytes.len() - 48;
    for size in [0, 1, 100, bytes.len() as u64, bytes.len() as u64 - directory.name_start, u64::MAX] {
        let mut forged = bytes.clone();
        forged[record + 16..record + 24].copy_from_slice(&size.to_le_bytes());
        let root = open(&forged).unwrap();
        root.open(b"d").map(drop).unwrap_err();
        wander(&forged);
    }
}

fn paths_of(mut walk: TreeWalk) -> Result<Vec<Vec<u8>>, PxarError> {
    let mut paths = Vec::new();
    while let Some((path, _)) = walk.next_entry()? {
        paths.push(path);
    }
    Ok(paths)
}

#[test]
fn a_walk_comes_to_everything() {
    let root = open(&varied()).unwrap();
    let expected = ["a", "b", "b/empty", "b/hard", "b/pipe", "link", "nothing", "z", "z/last"];
    assert!(paths_of(TreeWalk::new(root.clone(), b"")).unwrap().iter().eq(expected.map(str::as_bytes).iter()));
    let inner = root.open(b"z").unwrap().unwrap();
    assert_eq!(paths_of(TreeWalk::new(inner, b"some/where")).unwrap(), [b"some/where/last"]);
}

#[test]
fn paths_lead_to_what_is_there() {
    let root = open(&varied()).unwrap();
    let name = |path: &[u8]| match root.find(path).unwrap() {
        Some(Found::Directory(directory)) => directory.entries().count().to_string(),
        Some(Found::Other(entry)) => String::from_utf8(entry.name).unwrap(),
        None => "nothing".to_owned() + " here",
    };
    for (path, expected) in [
        ("", "5"),
        ("/", "5"),
        ("b", "3"),
        ("/b//empty/", "0"),
        ("a", "a"),
        ("b/hard", "hard"),
        ("/z/last/", "last"),
        ("c", "nothing here"),
        ("a/x", "nothing here"),
        ("b/nope/x", "nothing here"),
        ("b/../a", "nothing here"),
        ("./a", "nothing here"),
        ("b\0", "nothing here"),
    ] {
        assert_eq!(name(path.as_bytes()), expected, "{path:?}");
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused_wherever_they_stand() {
    let bytes = archive(|encoder| {
        encoder.begin_directory(b"qq", &metadata(DIRECTORY)).unwrap();
        encoder.add_file(b"Q", &metadata(FILE), 4, &mut b"text".as_slice()).unwrap();
        encoder.end_directory().unwrap();
    });
    let place = |name: &[u8]| bytes.windows(name.len()).position(|window| window == name).unwrap();
    for (name, forged) in
        [(&b"qq\0"[..], &b"..\0"[..]), (b"qq\0", b"q/\0"), (b"qq\0", b"q\0\0"), (b"Q\0", b".\0"), (b"Q\0", b"/\0")]
    {
        let mut bytes = bytes.clone();
        bytes[place(name)..][..forged.len()].copy_from_slice(forged);
        let error = paths_of(TreeWalk::new(open(&bytes).unwrap(), b"")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("file name ") || text.contains("NUL inside"), "{forged:?}: {text}");
    }
}

proptest! {
    #[test]
    fn flipped_bytes_lead_nowhere(positions in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = varied();
        for (position, value) in positions {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        wander(&bytes);
    }
}
