//! Measures archiving a directory to nowhere, in full and with a previous archive as reference, beside only reading its
//! files, and extracting what was archived.
//!
//! `cargo run --release -p pbstore-pxar --example throughput -- SOURCE [EXTRACT_TO]`; run it twice for a warm cache.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use pbstore_format::dynamic_index::{encode_file, DynamicHeader};
use pbstore_format::DynamicIndex;
use pbstore_pxar::{
    create_archive, create_split_archive, extract_archive, CreateOptions, Decoder, ExtractOptions, PayloadSink, ReadAt,
    Reference, ReusedChunk, Silent,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let source = arguments.next().ok_or("usage: throughput SOURCE [EXTRACT_TO]")?;
    measure("only reading", || read_tree(&source))?;
    measure("archiving to nowhere", || {
        let stats = create_archive(&source, io::sink(), None, &CreateOptions::default(), &mut Silent)?;
        Ok((stats.entry_count, stats.file_bytes))
    })?;
    let options = CreateOptions::default();
    let mut metadata = Vec::new();
    let before = create_split_archive(&source, &mut metadata, &mut Nowhere, None, &options, &mut Silent)?;
    let reference =
        Reference { metadata: Arc::new(Memory(metadata)), payload_index: Arc::new(index_of(before.payload_bytes)?) };
    measure("archiving with a reference", || {
        let reference = Some(reference.clone());
        let stats = create_split_archive(&source, io::sink(), &mut Nowhere, reference, &options, &mut Silent)?;
        println!("unchanged: {} files, {} bytes", stats.reused_file_count, stats.reused_file_bytes);
        Ok((stats.entry_count, stats.file_bytes))
    })?;
    if let Some(target) = arguments.next() {
        let mut archive = Vec::new();
        create_archive(&source, &mut archive, None, &CreateOptions::default(), &mut Silent)?;
        measure("extracting from memory", || {
            let stats =
                extract_archive(Decoder::new(archive.as_slice()), &target, &ExtractOptions::default(), &mut Silent)?;
            Ok((stats.entry_count, stats.file_bytes))
        })?;
    }
    Ok(())
}

type Counts = Result<(u64, u64), Box<dyn std::error::Error>>;

fn measure(what: &str, work: impl FnOnce() -> Counts) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let (entries, bytes) = work()?;
    let seconds = began.elapsed().as_secs_f64();
    let speed = bytes as f64 / 1e6 / seconds;
    println!("{what}: {entries} entries, {bytes} bytes of content, {seconds:.2} s, {speed:.0} MB/s");
    Ok(())
}

/// A payload stream that nobody wants.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PayloadSink for Nowhere {
    fn suggest_boundary(&mut self, _offset: u64) {}

    fn inject(&mut self, _offset: u64, _chunks: &[ReusedChunk]) -> io::Result<()> {
        Ok(())
    }
}

/// A metadata stream in memory.
struct Memory(Vec<u8>);

impl ReadAt for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.get(offset as usize..).unwrap_or_default().read(buffer)
    }
}

/// An index of chunks of 4 MiB whose digests mean nothing.
fn index_of(payload_bytes: u64) -> Result<DynamicIndex, Box<dyn std::error::Error>> {
    let ends = (4 << 20..payload_bytes).step_by(4 << 20).chain([payload_bytes]);
    let entries: Vec<_> = ends.map(|end| (end, [0; 32])).collect();
    let header = DynamicHeader { uuid: [0; 16], ctime: 0, csum: [0; 32] };
    Ok(DynamicIndex::parse(encode_file(header, &entries)?)?)
}

/// The least that any backup has to do: every file's bytes through one buffer.
fn read_tree(source: &Path) -> Counts {
    let mut pending = vec![source.to_owned()];
    let mut buffer = vec![0; 1 << 20];
    let (mut entries, mut bytes) = (0, 0);
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            entries += 1;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file() {
                let mut file = File::open(entry.path())?;
                loop {
                    match file.read(&mut buffer)? {
                        0 => break,
                        count => bytes += count as u64,
                    }
                }
            }
        }
    }
    Ok((entries, bytes))
}
