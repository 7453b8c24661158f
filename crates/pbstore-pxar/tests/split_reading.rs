//! Both streams of split archives, read in order and at any place: padding, checks, and damage.

mod memory;
mod views;

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{Accessor, Decoder, Encoder, Event, Kind, PayloadSink, PxarError, ReadAt, ReusedChunk};

use memory::Bytes;
use views::{accessed, content_of, decoded, Seen};

fn metadata(mode: u64) -> Metadata {
    let mtime = Mtime { seconds: 1, nanoseconds: 2 };
    Metadata { stat: Stat { mode, mtime, ..Stat::default() }, ..Metadata::default() }
}

/// A payload stream in memory, into which "chunks" are injected that hold nothing but the letter x.
#[derive(Default)]
struct Padded(Vec<u8>);

impl Write for Padded {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PayloadSink for Padded {
    fn suggest_boundary(&mut self, _offset: u64) {}

    fn inject(&mut self, offset: u64, chunks: &[ReusedChunk]) -> io::Result<()> {
        assert_eq!(offset, self.0.len() as u64);
        let size: u64 = chunks.iter().map(|chunk| chunk.size).sum();
        self.0.resize(self.0.len() + size as usize, b'x');
        Ok(())
    }
}

/// Three files with content, one without, a hard link; padding at the start, between and at the end.
fn example() -> (Vec<u8>, Vec<u8>) {
    let padding = |size| [ReusedChunk { digest: [0; 32], size }];
    let mut payload = Padded::default();
    let mut encoder = Encoder::split(Vec::new(), &mut payload, Some(b"{}"), &metadata(0o040_755)).unwrap();
    let file = metadata(0o100_644);
    encoder.inject(&padding(1000)).unwrap();
    let (start, _) = encoder.add_file(b"a", &file, 5, &mut b"hello".as_slice()).unwrap();
    encoder.add_file(b"b", &file, 0, &mut io::empty()).unwrap();
    encoder.begin_directory(b"d", &metadata(0o040_700)).unwrap();
    encoder.inject(&padding(7)).unwrap();
    encoder.add_file(b"c", &file, 300_000, &mut io::repeat(b'c')).unwrap();
    encoder.add_hardlink(b"h", b"a", start).unwrap();
    encoder.end_directory().unwrap();
    encoder.add_file(b"e", &file, 3, &mut b"end".as_slice()).unwrap();
    encoder.inject(&padding(50)).unwrap();
    let (archive, _) = encoder.finish().unwrap();
    (archive, payload.0)
}

fn shared(bytes: &[u8]) -> Arc<dyn ReadAt> {
    Arc::new(Bytes(bytes.to_vec()))
}

/// Reads everything from two streams, and from two sources that can be read at any place.
fn read(archive: &[u8], payload: &[u8]) -> Result<Vec<Seen>, PxarError> {
    let streams = decoded(Decoder::with_payload(archive, payload));
    let places = decoded(Decoder::at(shared(archive), Some(shared(payload))));
    assert_eq!(streams.is_ok(), places.is_ok());
    let streams = streams?;
    assert_eq!(streams, places?);
    Ok(streams)
}

#[test]
fn contents_are_found_among_padding() {
    let (archive, payload) = example();
    let seen = read(&archive, &payload).unwrap();
    let contents: Vec<_> = seen.iter().map(|(path, _, content)| (path.as_slice(), content.len())).collect();
    let expected: [(&[u8], usize); 6] = [(b"a", 5), (b"b", 0), (b"d", 0), (b"d/c", 300_000), (b"d/h", 0), (b"e", 3)];
    assert_eq!(contents, expected);
    assert_eq!(seen[0].2, b"hello");
    assert!(seen[3].2.iter().all(|byte| *byte == b'c'));
    assert_eq!(seen[5].2, b"end");
}

#[test]
fn jumping_finds_what_reading_finds() {
    let (archive, payload) = example();
    let root = Accessor::with_payload(shared(&archive), shared(&payload)).unwrap();
    let seen = decoded(Decoder::with_payload(archive.as_slice(), payload.as_slice())).unwrap();
    assert!(accessed(root.clone()) == seen);
    let directory = root.open(b"d").unwrap().unwrap();
    let target = root.follow(&directory.lookup(b"h").unwrap().unwrap()).unwrap();
    assert_eq!(content_of(&root, &target), b"hello");
    let without = Accessor::open(shared(&archive)).unwrap();
    let file = without.lookup(b"a").unwrap().unwrap();
    assert!(matches!(without.content(&file).map(drop), Err(PxarError::PayloadRequired)));
}

#[test]
fn links_are_followed_while_reading() {
    let (archive, payload) = example();
    let mut decoder = Decoder::at(shared(&archive), Some(shared(&payload)));
    let mut streams = Decoder::with_payload(archive.as_slice(), payload.as_slice());
    while let Some(event) = decoder.next_event().unwrap() {
        streams.next_event().unwrap();
        let Event::Entry(entry) = event else { continue };
        if matches!(entry.kind, Kind::Hardlink { .. }) {
            let (file, content) = decoder.follow(&entry).unwrap().unwrap();
            assert_eq!((file.name.as_slice(), content.size()), (b"a".as_slice(), 5));
            assert!(streams.follow(&entry).unwrap().is_none());
        }
    }
}

/// Counts what is read.
struct Counted(Bytes, AtomicU64);

impl ReadAt for Counted {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.0.read_at(buffer, offset)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn contents_that_nobody_wants_are_not_read() {
    let size = 40_000_000;
    let mut payload = Padded::default();
    let mut split = Encoder::split(Vec::new(), &mut payload, None, &metadata(0o040_755)).unwrap();
    let mut plain = Encoder::new(Vec::new(), &metadata(0o040_755)).unwrap();
    for name in [b"a", b"b"] {
        split.add_file(name, &metadata(0o100_644), size, &mut io::repeat(0)).unwrap();
        plain.add_file(name, &metadata(0o100_644), size, &mut io::repeat(0)).unwrap();
    }
    let metadata_stream = split.finish().unwrap().0;
    let payload = Arc::new(Counted(Bytes(payload.0), AtomicU64::new(0)));
    let archive = Arc::new(Counted(Bytes(plain.finish().unwrap().0), AtomicU64::new(0)));
    let decoders = [
        Decoder::at(shared(&metadata_stream), Some(Arc::clone(&payload) as Arc<dyn ReadAt>)),
        Decoder::at(Arc::clone(&archive) as Arc<dyn ReadAt>, None),
    ];
    for mut decoder in decoders {
        while decoder.next_event().unwrap().is_some() {
            decoder.check_content().unwrap();
        }
    }
    assert!(payload.1.load(Ordering::Relaxed) < 2_000_000);
    assert!(archive.1.load(Ordering::Relaxed) < 2_000_000);
}

#[test]
fn payloads_cut_anywhere_are_errors() {
    let (archive, payload) = example();
    let interesting = (0..1200).chain((1200..payload.len()).step_by(9001)).chain(payload.len() - 120..payload.len());
    for length in interesting {
        let error = read(&archive, &payload[..length]).unwrap_err();
        assert!(matches!(error, PxarError::Payload { .. }), "{length}: {error}");
    }
    // Whoever does not read contents notices what is missing at the end.
    let mut decoder = Decoder::with_payload(archive.as_slice(), &payload[..payload.len() - 1]);
    let error = loop {
        match decoder.next_event() {
            Ok(event) => assert!(event.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, PxarError::Payload { .. }), "{error}");
}

#[test]
fn headers_have_to_be_those_of_the_files() {
    let (archive, payload) = example();
    let changed = |offset: usize, byte: u8| {
        let mut payload = payload.clone();
        payload[offset] = byte;
        read(&archive, &payload).unwrap_err().to_string()
    };
    assert!(changed(0, 0).contains("byte 0: it begins with an item of type"));
    assert!(changed(8, 17).contains("byte 0: it begins with"));
    assert!(changed(1016, 0).contains("byte 1016: expected the content of a file"));
    assert!(changed(1024, 22).contains("byte 1016: a content of 6 bytes where the archive has a file of 5"));
    assert!(changed(payload.len() - 1, 1).contains("it does not end like a payload"));
    let root = Accessor::with_payload(shared(&archive), shared(&payload[..1035])).unwrap();
    let file = root.lookup(b"a").unwrap().unwrap();
    assert!(root.content(&file).map(drop).unwrap_err().to_string().contains("it ends inside this content"));
    Accessor::with_payload(shared(&archive), shared(&payload[1..])).map(drop).unwrap_err();
}

#[test]
fn references_do_not_go_back() {
    let (archive, payload) = example();
    let reference = archive.windows(16).position(|bytes| bytes[..8] == 0x419d_3d6b_c4ba_977e_u64.to_le_bytes());
    for offset in [0, 15, u64::MAX, u64::MAX - 16, 400_000] {
        let mut archive = archive.clone();
        let place = reference.unwrap() + 16;
        archive[place..place + 8].copy_from_slice(&u64::to_le_bytes(offset));
        let error = read(&archive, &payload).unwrap_err();
        assert!(matches!(error, PxarError::Payload { .. }), "{offset}: {error}");
    }
}

#[test]
fn streams_that_do_not_belong_together_are_refused() {
    let (archive, payload) = example();
    let plain = Encoder::new(Vec::new(), &metadata(0o040_755)).unwrap().finish().unwrap().0;
    assert!(read(&plain, &payload).unwrap_err().to_string().contains("not a split one"));
    let mut alone = Decoder::new(archive.as_slice());
    alone.next_event().unwrap();
    assert!(!alone.has_contents());
    assert_eq!(alone.prelude(), Some(b"{}".as_slice()));
    alone.next_event().unwrap();
    assert!(matches!(alone.read_content(&mut [0; 10]), Err(PxarError::PayloadRequired)));
    alone.next_event().unwrap();
    let mut payload_first = Decoder::new(payload.as_slice());
    assert!(payload_first.next_event().unwrap_err().to_string().contains("834c68c2194a4ed2"));
}
