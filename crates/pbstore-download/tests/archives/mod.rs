//! Archives in memory, and what is downloaded from them. Not every test uses all of it.

#![allow(dead_code)]

use std::io;
use std::sync::Arc;

use pbstore_download::{tar_zst_download, zip_download, DownloadError, Portions, MAX_PORTION_BYTES};
use pbstore_pxar::encoder::EntryStart;
use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{Accessor, Directory, Encoder, Found, ReadAt};

pub type Archive = Encoder<'static, Vec<u8>>;

pub const TIME: i64 = 1_717_597_476;

/// Bytes in memory.
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

/// Metadata of an inode of 1000:2000.
pub fn metadata(mode: u64) -> Metadata {
    let mtime = Mtime { seconds: TIME, nanoseconds: 5 };
    Metadata { stat: Stat { mode, uid: 1000, gid: 2000, mtime, ..Stat::default() }, ..Metadata::default() }
}

pub const DIRECTORY: u64 = 0o040_755;
pub const FILE: u64 = 0o100_640;

pub fn archive_bytes(fill: impl FnOnce(&mut Archive)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), &metadata(DIRECTORY)).unwrap();
    fill(&mut encoder);
    encoder.finish().unwrap().0
}

pub fn archive(fill: impl FnOnce(&mut Archive)) -> Directory {
    open(archive_bytes(fill))
}

pub fn open(bytes: Vec<u8>) -> Directory {
    Accessor::open(Arc::new(Bytes(bytes))).unwrap()
}

pub fn add_file(archive: &mut Archive, name: &[u8], mut content: &[u8]) -> EntryStart {
    archive.add_file(name, &metadata(FILE), content.len() as u64, &mut content).unwrap().0
}

fn directory(root: &Directory, path: &[u8]) -> Directory {
    match root.find(path).unwrap() {
        Some(Found::Directory(directory)) => directory,
        _ => panic!("no directory"),
    }
}

/// All portions together, none of them too long.
pub fn collected(mut download: impl Portions) -> Result<Vec<u8>, DownloadError> {
    let mut all = Vec::new();
    while let Some(portion) = download.next_portion()? {
        assert!(portion.len() <= MAX_PORTION_BYTES, "{}", portion.len());
        all.extend(portion);
    }
    assert!(download.next_portion()?.is_none());
    Ok(all)
}

pub fn zip(root: &Directory, path: &[u8]) -> Result<Vec<u8>, DownloadError> {
    collected(zip_download(root.clone(), directory(root, path), path, &std::env::temp_dir()))
}

pub fn tar(root: &Directory, path: &[u8]) -> Result<Vec<u8>, DownloadError> {
    let packed = collected(tar_zst_download(root.clone(), directory(root, path), path)?)?;
    let mut plain = Vec::new();
    let mut context = zstd_safe::DCtx::create();
    let mut input = zstd_safe::InBuffer::around(&packed);
    let mut buffer = vec![0; 1 << 17];
    loop {
        let mut output = zstd_safe::OutBuffer::around(buffer.as_mut_slice());
        let hint = context.decompress_stream(&mut output, &mut input).unwrap();
        plain.extend_from_slice(output.as_slice());
        if hint == 0 {
            assert_eq!(input.pos(), packed.len());
            return Ok(plain);
        }
    }
}
