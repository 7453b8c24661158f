//! The examples of the format description, byte for byte, and what becomes of them when they are damaged.

use std::io::Cursor;

use pbstore_pxar::catalog::{CatalogKind, CatalogReader, CatalogSink, CatalogWalk, CatalogWriter};
use pbstore_pxar::encoder::Supply;
use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{Decoder, Encoder, Event, Kind, PxarError};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const ROOT_TABLE: &str = "\
    1d73d542a64fec2f8800000000000000\
    d01baf051416681d74000000000000007400000000000000\
    5ae7230a3056c0150a010000000000003300000000000000\
    72aa11b6662d39dc6e010000000000006400000000000000\
    efc00fcf2e0bfe04d7000000000000006300000000000000\
    55153e755bed5eefa6010000000000008800000000000000";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn metadata(mode: u64, uid: u32, nanoseconds: u32) -> Metadata {
    let mtime = Mtime { seconds: 1_700_000_000, nanoseconds };
    Metadata { stat: Stat { mode, uid, gid: uid, mtime, flags: 0 }, ..Metadata::default() }
}

/// Example E1: a file, a hard link to it, a symlink, an empty directory.
fn example() -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), &metadata(0o040_755, 0, 0)).unwrap();
    let content = &mut b"hello\n".as_slice();
    let file = metadata(0o100_644, 1000, 5);
    let (start, supply) = encoder.add_file(b"a.txt", &file, 6, content).unwrap();
    assert_eq!(supply, Supply::Exact);
    encoder.add_hardlink(b"hard", b"a.txt", start).unwrap();
    encoder.add_symlink(b"link", &metadata(0o120_777, 0, 0), b"a.txt").unwrap();
    encoder.begin_directory(b"sub", &metadata(0o040_700, 0, 0)).unwrap();
    encoder.end_directory().unwrap();
    let (archive, lengths) = encoder.finish().unwrap();
    assert_eq!(archive.len() as u64, lengths.archive_bytes);
    archive
}

/// Path, kind and content.
type Decoded = (Vec<u8>, Kind, Vec<u8>);

/// Everything in an archive.
fn decode(archive: &[u8]) -> Result<Vec<Decoded>, PxarError> {
    let mut decoder = Decoder::new(archive);
    let mut entries = Vec::new();
    while let Some(event) = decoder.next_event()? {
        let Event::Entry(entry) = event else { continue };
        let path = decoder.path().to_vec();
        let mut content = Vec::new();
        let mut buffer = [0; 100];
        loop {
            match decoder.read_content(&mut buffer)? {
                0 => break,
                count => content.extend_from_slice(&buffer[..count]),
            }
        }
        entries.push((path, entry.kind, content));
    }
    Ok(entries)
}

#[test]
fn example_is_encoded_byte_for_byte() {
    let archive = example();
    assert_eq!(archive.len(), 558);
    assert_eq!(hex(&archive[422..]), ROOT_TABLE);
    assert_eq!(hex(&archive[177..207]), "7572bd22849c26511e000000000000006400000000000000612e74787400");
    let expected = "c557bbaaaeab171b46f608435dea99657a01ab6d74c05c92c3609ae9edfe39ad";
    assert_eq!(hex(&Sha256::digest(&archive)), expected);
}

#[test]
fn example_is_decoded() {
    let file = Kind::File { size: 6, payload_offset: None };
    let link = Kind::Hardlink { target: b"a.txt".to_vec(), distance: 100 };
    let expected = vec![
        (b"".to_vec(), Kind::Directory, vec![]),
        (b"a.txt".to_vec(), file, b"hello\n".to_vec()),
        (b"hard".to_vec(), link, vec![]),
        (b"link".to_vec(), Kind::Symlink { target: b"a.txt".to_vec() }, vec![]),
        (b"sub".to_vec(), Kind::Directory, vec![]),
    ];
    assert_eq!(decode(&example()).unwrap(), expected);
}

#[test]
fn metadata_stream_of_a_split_archive_is_decoded() {
    let mut archive = Vec::new();
    for number in [0x730f_6c75_df16_a40d_u64, 24, 2, 0xe309_d79d_9f7b_771b, 18] {
        archive.extend_from_slice(&number.to_le_bytes());
    }
    archive.extend_from_slice(b"{}");
    let plain = example();
    // The example with its content behind a reference: header of 16 bytes at 134, content "hello\n".
    let payload = plain.windows(8).position(|bytes| bytes == 0x2814_7a1b_0b7c_1a25_u64.to_le_bytes()).unwrap();
    archive.extend_from_slice(&plain[..payload]);
    for number in [0x419d_3d6b_c4ba_977e_u64, 32, 16, 6] {
        archive.extend_from_slice(&number.to_le_bytes());
    }
    archive.extend_from_slice(&plain[payload + 22..]);
    let mut decoder = Decoder::new(archive.as_slice());
    decoder.next_event().unwrap();
    assert_eq!(decoder.prelude(), Some(b"{}".as_slice()));
    let Some(Event::Entry(entry)) = decoder.next_event().unwrap() else { panic!("no entry") };
    assert_eq!(entry.kind, Kind::File { size: 6, payload_offset: Some(16) });
}

#[test]
fn old_entries_are_read() {
    let mut archive = Vec::new();
    let mtime = 1_700_000_000_000_000_005_u64;
    for number in [0x11da_850a_1c1c_ceff_u64, 48, 0o040_755, 0, 7 | 8 << 32, mtime] {
        archive.extend_from_slice(&number.to_le_bytes());
    }
    for number in [0x2fec_4fa6_42d5_731d_u64, 40, 0xef5e_ed5b_753e_1555, 48, 40] {
        archive.extend_from_slice(&number.to_le_bytes());
    }
    let mut decoder = Decoder::new(archive.as_slice());
    let Some(Event::Entry(root)) = decoder.next_event().unwrap() else { panic!("no root") };
    let mtime = Mtime { seconds: 1_700_000_000, nanoseconds: 5 };
    assert_eq!(root.metadata.stat, Stat { mode: 0o040_755, flags: 0, uid: 7, gid: 8, mtime });
    assert!(matches!(decoder.next_event(), Ok(Some(Event::DirectoryEnd))));
    assert!(matches!(decoder.next_event(), Ok(None)));
}

#[test]
fn content_of_another_size_is_cut_or_padded() {
    for (content, supply, stored) in [
        (b"hello world".as_slice(), Supply::More, b"hello\x20".as_slice()),
        (b"hel".as_slice(), Supply::Missing(3), b"hel\0\0\0".as_slice()),
    ] {
        let mut encoder = Encoder::new(Vec::new(), &metadata(0o040_755, 0, 0)).unwrap();
        let mut source = content;
        let (_, given) = encoder.add_file(b"f", &metadata(0o100_644, 0, 0), 6, &mut source).unwrap();
        assert_eq!(given, supply);
        assert_eq!(decode(&encoder.finish().unwrap().0).unwrap()[1].2, stored);
    }
}

#[test]
fn archives_cut_anywhere_are_errors() {
    let archive = example();
    for length in 0..archive.len() {
        let error = decode(&archive[..length]).unwrap_err();
        assert!(matches!(error, PxarError::Truncated { .. }), "{length}: {error}");
    }
    assert!(decode(&[archive.as_slice(), b"x"].concat()).is_err());
}

#[test]
fn impossible_sizes_cost_no_memory() {
    let archive = example();
    for offset in (0..archive.len() - 8).step_by(8) {
        for size in [u64::MAX, u64::MAX - 15, 1 << 40, 15, 0] {
            let mut damaged = archive.clone();
            damaged[offset..offset + 8].copy_from_slice(&size.to_le_bytes());
            let _ = decode(&damaged);
        }
    }
}

#[test]
fn deep_archives_need_no_stack() {
    let mut encoder = Encoder::new(Vec::new(), &metadata(0o040_755, 0, 0)).unwrap();
    for _ in 0..50_000 {
        encoder.begin_directory(b"d", &metadata(0o040_755, 0, 0)).unwrap();
    }
    for _ in 0..50_000 {
        encoder.end_directory().unwrap();
    }
    let (archive, _) = encoder.finish().unwrap();
    let mut decoder = Decoder::new(archive.as_slice());
    let mut count = 0;
    while decoder.next_event().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2 * 50_001);
}

fn catalog_example() -> Vec<u8> {
    let mut catalog = CatalogWriter::new(Vec::new()).unwrap();
    catalog.start_archive(b"root.pxar.didx").unwrap();
    catalog.add_file(b"a.txt", 6, 1_700_000_000).unwrap();
    catalog.add_other(b"hard", CatalogKind::Hardlink).unwrap();
    catalog.add_other(b"link", CatalogKind::Symlink).unwrap();
    catalog.start_directory(b"sub").unwrap();
    catalog.end_directory().unwrap();
    catalog.end_archive().unwrap();
    catalog.finish().unwrap()
}

/// Paths of everything in a catalog.
fn read_catalog(bytes: &[u8]) -> Result<Vec<Vec<u8>>, PxarError> {
    let mut walk = CatalogWalk::new(CatalogReader::new(Cursor::new(bytes))?)?;
    let mut paths = Vec::new();
    while walk.next_entry()?.is_some() {
        paths.push(walk.path().to_vec());
    }
    Ok(paths)
}

#[test]
fn catalog_example_is_written_byte_for_byte() {
    let catalog = catalog_example();
    assert_eq!(catalog.len(), 70);
    let expected = "f60cbccf6e47cf41ab7a1c2b25f82c8ca5e946205a8da5804d9f956e5d92f539";
    assert_eq!(hex(&Sha256::digest(&catalog)), expected);
}

#[test]
fn catalog_example_is_read() {
    let paths = read_catalog(&catalog_example()).unwrap();
    let names = ["", "/a.txt", "/hard", "/link", "/sub"];
    assert_eq!(paths, names.map(|name| format!("/root.pxar.didx{name}").into_bytes()));
    let mut reader = CatalogReader::new(Cursor::new(catalog_example())).unwrap();
    assert_eq!(reader.find(b"/root.pxar.didx/sub").unwrap(), Some(8));
    assert_eq!(reader.find(b"root.pxar.didx").unwrap(), Some(10));
    assert_eq!(reader.find(b"/root.pxar.didx/link").unwrap(), None);
}

#[test]
fn damaged_catalogs_are_errors() {
    let catalog = catalog_example();
    for length in 0..catalog.len() {
        assert!(read_catalog(&catalog[..length]).is_err(), "{length}");
    }
    for (offset, byte) in [(0, 0), (42, 100), (43, 0x7f), (45, b'x'), (10, 0x21), (62, 0xff)] {
        let mut damaged = catalog.clone();
        damaged[offset] = byte;
        assert!(read_catalog(&damaged).is_err(), "{offset}");
    }
}

#[test]
fn directories_of_a_catalog_do_not_overlap() {
    // The root is the name of a symlink that lies in the directory below it.
    let root = [5, 1, b'd', 1, b'x', 4];
    let below = [&[9, 1, b'l', 6], root.as_slice()].concat();
    let catalog = [&catalog_example()[..8], &below, &12_u64.to_le_bytes()].concat();
    let error = read_catalog(&catalog).unwrap_err().to_string();
    assert_eq!(error, "damaged catalog at byte 8: a directory does not end before its parent begins");
}

#[test]
fn deep_and_wide_catalogs_are_read() {
    let mut catalog = CatalogWriter::new(Vec::new()).unwrap();
    catalog.start_archive(b"a").unwrap();
    for _ in 0..10_000 {
        catalog.start_directory(b"d").unwrap();
    }
    for number in 0..100_000 {
        catalog.add_file(format!("{number:06}").as_bytes(), number, -1).unwrap();
    }
    for _ in 0..10_000 {
        catalog.end_directory().unwrap();
    }
    catalog.end_archive().unwrap();
    let mut walk = CatalogWalk::new(CatalogReader::new(Cursor::new(catalog.finish().unwrap())).unwrap()).unwrap();
    let mut count = 0;
    while walk.next_entry().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 110_001);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = decode(&bytes);
        let _ = read_catalog(&bytes);
    }

    #[test]
    fn flipped_bytes_never_panic(position in 0usize..558, value: u8) {
        let mut archive = example();
        archive[position] = value;
        let _ = decode(&archive);
        let mut catalog = catalog_example();
        let position = position % catalog.len();
        catalog[position] = value;
        let _ = read_catalog(&catalog);
    }
}
