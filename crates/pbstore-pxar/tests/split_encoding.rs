//! Split archives as the encoder writes them: the worked example byte for byte, references, injections, refusals.

use std::io::{self, Write};

use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{Decoder, Encoder, Event, Kind, Lengths, PayloadSink, PlainPayload, PxarError, ReusedChunk};
use sha2::{Digest, Sha256};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn metadata(mode: u64, uid: u32, nanoseconds: u32) -> Metadata {
    let mtime = Mtime { seconds: 1_700_000_000, nanoseconds };
    Metadata { stat: Stat { mode, uid, gid: uid, mtime, flags: 0 }, ..Metadata::default() }
}

fn root() -> Metadata {
    metadata(0o040_755, 0, 0)
}

fn file() -> Metadata {
    metadata(0o100_644, 1000, 5)
}

/// Keeps what it is told, in order; injected chunks as what they are.
#[derive(Default)]
struct Recorder {
    bytes: Vec<u8>,
    suggestions: Vec<(u64, u64)>,
    injections: Vec<(u64, u64, Vec<ReusedChunk>)>,
    injected_bytes: u64,
}

impl Recorder {
    fn position(&self) -> u64 {
        self.bytes.len() as u64 + self.injected_bytes
    }
}

impl Write for Recorder {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PayloadSink for Recorder {
    fn suggest_boundary(&mut self, offset: u64) {
        self.suggestions.push((offset, self.position()));
    }

    fn inject(&mut self, offset: u64, chunks: &[ReusedChunk]) -> io::Result<()> {
        self.injections.push((offset, self.position(), chunks.to_vec()));
        self.injected_bytes += chunks.iter().map(|chunk| chunk.size).sum::<u64>();
        Ok(())
    }
}

fn chunks(sizes: &[u64]) -> Vec<ReusedChunk> {
    sizes.iter().map(|size| ReusedChunk { digest: [*size as u8; 32], size: *size }).collect()
}

#[test]
fn example_is_encoded_byte_for_byte() {
    let mut payload = PlainPayload(Vec::new());
    let prelude = br#"{"exclude-patterns":"*.tmp\n"}"#;
    let mut encoder = Encoder::split(Vec::new(), &mut payload, Some(prelude), &root()).unwrap();
    encoder.add_file(b"a.txt", &file(), 6, &mut b"hello\n".as_slice()).unwrap();
    encoder.add_file(b"empty", &file(), 0, &mut io::empty()).unwrap();
    let (archive, lengths) = encoder.finish().unwrap();
    assert_eq!(lengths, Lengths { archive_bytes: 434, payload_bytes: 70 });
    let expected = "0cff933f4f381ae3ab6df7bea9b2046967ba7d73638100bcfbd2902f64de3a41";
    assert_eq!(hex(&Sha256::digest(&archive)), expected);
    let expected = "d24e4a19c2684c831000000000000000251a7c0b1b7a1428160000000000000068656c6c6f0a\
                    251a7c0b1b7a14281000000000000000b5814c988bb7726c1000000000000000";
    assert_eq!(hex(&payload.0), expected);
}

#[test]
fn the_payload_stream_is_told_where_contents_begin() {
    let mut sink = Recorder::default();
    let mut encoder = Encoder::split(Vec::new(), &mut sink, None, &root()).unwrap();
    encoder.add_file(b"a", &file(), 3_000_000, &mut io::repeat(b'a')).unwrap();
    encoder.add_file(b"b", &file(), 10, &mut io::repeat(b'b')).unwrap();
    encoder.inject(&chunks(&[100, 200])).unwrap();
    encoder.add_file(b"c", &file(), 10, &mut io::repeat(b'c')).unwrap();
    let (_, lengths) = encoder.finish().unwrap();
    let ends = [16, 3_000_032, 3_000_058 + 300];
    assert_eq!(sink.suggestions.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), ends);
    assert!(sink.suggestions.iter().all(|(offset, written)| written <= offset));
    assert_eq!(sink.injections, [(3_000_058, 3_000_058, chunks(&[100, 200]))]);
    assert_eq!(lengths.payload_bytes, sink.position());
}

#[test]
fn long_runs_are_injected_in_parts() {
    let mut sink = Recorder::default();
    let mut encoder = Encoder::split(Vec::new(), &mut sink, None, &root()).unwrap();
    encoder.inject(&chunks(&[1000; 300])).unwrap();
    encoder.finish().unwrap();
    let parts: Vec<_> = sink.injections.iter().map(|(at, written, chunks)| (*at, *written, chunks.len())).collect();
    assert_eq!(parts, [(16, 16, 128), (128_016, 128_016, 128), (256_016, 256_016, 44)]);
}

#[test]
fn references_name_places_in_the_payload_stream() {
    let mut sink = Recorder::default();
    let mut encoder = Encoder::split(Vec::new(), &mut sink, None, &root()).unwrap();
    assert_eq!(encoder.payload_position(), 16);
    encoder.inject(&chunks(&[1000])).unwrap();
    encoder.add_reference(b"a", &file(), 20, 84).unwrap();
    encoder.add_reference(b"b", &file(), 120, 0).unwrap();
    let (archive, _) = encoder.finish().unwrap();
    let mut decoder = Decoder::new(archive.as_slice());
    decoder.next_event().unwrap();
    for (name, size, offset) in [(b"a", 84, 20), (b"b", 0, 120)] {
        let Some(Event::Entry(entry)) = decoder.next_event().unwrap() else { panic!("no entry") };
        assert_eq!(entry.name, name);
        assert_eq!(entry.kind, Kind::File { size, payload_offset: Some(offset) });
    }
    // The sizes of reused files in the goodbye table count no content: a name, an entry, a reference.
    let size = |record: usize| u64::from_le_bytes(archive[record + 16..record + 24].try_into().unwrap());
    let table = archive.len() - 72;
    assert_eq!((size(table), size(table + 24)), (18 + 56 + 32, 18 + 56 + 32));
}

#[test]
fn references_out_of_order_are_refused() {
    let mut sink = Recorder::default();
    let mut encoder = Encoder::split(Vec::new(), &mut sink, None, &root()).unwrap();
    encoder.inject(&chunks(&[1000])).unwrap();
    encoder.add_reference(b"a", &file(), 100, 50).unwrap();
    for (offset, size) in [(100, 0), (165, 0), (200, u64::MAX)] {
        let error = encoder.add_reference(b"b", &file(), offset, size).unwrap_err();
        assert!(matches!(error, PxarError::Invalid(_)), "{error}");
    }
}

#[test]
fn contents_in_chunks_that_never_came_are_refused() {
    let mut sink = Recorder::default();
    let mut encoder = Encoder::split(Vec::new(), &mut sink, None, &root()).unwrap();
    encoder.add_reference(b"a", &file(), 100, 50).unwrap();
    assert!(encoder.add_file(b"b", &file(), 1, &mut io::repeat(0)).is_err());
    let mut sink = Recorder::default();
    let mut encoder = Encoder::split(Vec::new(), &mut sink, None, &root()).unwrap();
    encoder.add_reference(b"a", &file(), 100, 50).unwrap();
    assert!(encoder.finish().is_err());
}

#[test]
fn chunks_have_no_place_in_plain_streams() {
    let mut encoder = Encoder::new(Vec::new(), &root()).unwrap();
    assert!(matches!(encoder.inject(&chunks(&[1])), Err(PxarError::Invalid(_))));
    assert!(matches!(encoder.add_reference(b"a", &file(), 16, 0), Err(PxarError::Invalid(_))));
    let mut payload = PlainPayload(Vec::new());
    let mut encoder = Encoder::split(Vec::new(), &mut payload, None, &root()).unwrap();
    assert!(matches!(encoder.inject(&chunks(&[1])), Err(PxarError::Write(_))));
}
