//! Payload streams as chunks in memory, and archives made of them.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use pbstore_format::dynamic_index::{encode_file, DynamicHeader};
use pbstore_format::{chunk_digest, Digest, DynamicIndex, Index};
use pbstore_pxar::{Decoder, Event, Kind, Metadata, PayloadSink, ReadAt, Reference, Reporter, ReusedChunk};

/// All chunks of all streams.
pub type Chunks = HashMap<Digest, Vec<u8>>;

/// How a stream is cut.
#[derive(Clone, Copy, Debug)]
pub struct Cutting {
    /// Longest chunk.
    pub max: usize,
    /// Whether to cut where a file begins, if the chunk has at least so many bytes.
    pub min: Option<usize>,
}

/// Cuts a payload stream, and holds its writer to the contract.
pub struct Cutter<'a> {
    chunks: &'a mut Chunks,
    cutting: Cutting,
    open: Vec<u8>,
    entries: Vec<(u64, Digest)>,
    suggestions: Vec<u64>,
    pub injections: Vec<(u64, usize)>,
}

impl<'a> Cutter<'a> {
    pub fn new(chunks: &'a mut Chunks, cutting: Cutting) -> Self {
        Self { chunks, cutting, open: Vec::new(), entries: Vec::new(), suggestions: Vec::new(), injections: Vec::new() }
    }

    fn closed(&self) -> u64 {
        self.entries.last().map_or(0, |(end, _)| *end)
    }

    fn position(&self) -> u64 {
        self.closed() + self.open.len() as u64
    }

    fn cut(&mut self) {
        if !self.open.is_empty() {
            let data = std::mem::take(&mut self.open);
            let digest = chunk_digest(&data, None);
            self.entries.push((self.closed() + data.len() as u64, digest));
            self.chunks.insert(digest, data);
        }
    }

    pub fn finish(mut self) -> DynamicIndex {
        self.cut();
        let header = DynamicHeader { uuid: [0; 16], ctime: 0, csum: [0; 32] };
        DynamicIndex::parse(encode_file(header, &self.entries).unwrap()).unwrap()
    }
}

impl Write for Cutter<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        for byte in data {
            let at_file = self.suggestions.binary_search(&self.position()).is_ok();
            let long_enough = self.cutting.min.is_some_and(|min| self.open.len() >= min);
            if self.open.len() == self.cutting.max || at_file && long_enough {
                self.cut();
            }
            self.open.push(*byte);
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PayloadSink for Cutter<'_> {
    fn suggest_boundary(&mut self, offset: u64) {
        assert!(offset >= self.position());
        assert!(self.suggestions.last().is_none_or(|last| *last < offset));
        self.suggestions.push(offset);
    }

    fn inject(&mut self, offset: u64, chunks: &[ReusedChunk]) -> io::Result<()> {
        assert_eq!(offset, self.position());
        assert!((1..=128).contains(&chunks.len()));
        self.cut();
        for chunk in chunks {
            assert_eq!(self.chunks[&chunk.digest].len() as u64, chunk.size);
            self.entries.push((self.closed() + chunk.size, chunk.digest));
        }
        self.injections.push((offset, chunks.len()));
        Ok(())
    }
}

/// The stream that an index describes.
pub fn assembled(index: &DynamicIndex, chunks: &Chunks) -> Vec<u8> {
    index.digests().flat_map(|digest| chunks[digest].iter().copied()).collect()
}

/// An archive in memory.
pub struct Bytes(pub Vec<u8>);

impl ReadAt for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self.0.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// A split archive as reference for the next one.
pub fn reference(metadata: &[u8], index: &DynamicIndex) -> Reference {
    Reference { metadata: Arc::new(Bytes(metadata.to_vec())), payload_index: Arc::new(index.clone()) }
}

/// An entry as everybody sees it, wherever its payload is.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub path: Vec<u8>,
    pub kind: Kind,
    pub metadata: Metadata,
    pub content: Vec<u8>,
    /// Where the payload is.
    pub payload_offset: u64,
}

/// Everything in a split archive. Contents have to follow each other, each behind its header, between two markers.
pub fn seen(metadata: &[u8], payload: &[u8]) -> Vec<Seen> {
    let number = |offset: usize| u64::from_le_bytes(payload[offset..offset + 8].try_into().unwrap());
    let tail = payload.len() - 16;
    assert_eq!([number(0), number(8)], [0x834c_68c2_194a_4ed2, 16]);
    assert_eq!([number(tail), number(tail + 8)], [0x6c72_b78b_984c_81b5, 16]);
    let mut decoder = Decoder::new(metadata);
    let mut entries = Vec::new();
    let mut end = 16;
    while let Some(event) = decoder.next_event().unwrap() {
        let Event::Entry(entry) = event else { continue };
        let (mut content, mut offset) = (Vec::new(), 0);
        let mut kind = entry.kind;
        if let Kind::File { size, payload_offset } = &mut kind {
            offset = payload_offset.take().expect("a reference");
            assert!(offset >= end, "{:?} begins at {offset}, inside the one before", decoder.path());
            let start = offset as usize;
            assert_eq!([number(start), number(start + 8)], [0x2814_7a1b_0b7c_1a25, *size + 16]);
            content.extend_from_slice(&payload[start + 16..][..*size as usize]);
            end = offset + 16 + *size;
        }
        let path = decoder.path().to_vec();
        entries.push(Seen { path, kind, metadata: entry.metadata, content, payload_offset: offset });
    }
    assert!(end <= tail as u64);
    entries
}

/// Collects what it is told.
#[derive(Default)]
pub struct Log {
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

impl Reporter for Log {
    fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    fn info(&mut self, message: String) {
        self.infos.push(message);
    }
}
