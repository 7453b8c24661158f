//! Measures archiving a directory to nowhere, beside only reading its files, and extracting what was archived.
//!
//! `cargo run --release -p pbstore-pxar --example throughput -- SOURCE [EXTRACT_TO]`; run it twice for a warm cache.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use pbstore_pxar::{create_archive, extract_archive, CreateOptions, Decoder, ExtractOptions, Silent};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let source = arguments.next().ok_or("usage: throughput SOURCE [EXTRACT_TO]")?;
    measure("only reading", || read_tree(&source))?;
    measure("archiving to nowhere", || {
        let stats = create_archive(&source, io::sink(), None, &CreateOptions::default(), &mut Silent)?;
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
