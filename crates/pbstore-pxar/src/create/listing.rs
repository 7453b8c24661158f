//! The sorted names of a directory.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, RawDir};

/// A name and what the directory says it is, which may be `FileType::Unknown`.
pub struct Name {
    pub name: CString,
    pub kind: FileType,
}

/// Reads directories through one buffer.
pub struct DirectoryReader {
    buffer: Vec<u8>,
}

impl DirectoryReader {
    pub fn new() -> Self {
        Self { buffer: Vec::with_capacity(64 << 10) }
    }

    /// The names of a directory in the archive's order; `None` if there are more than `limit`.
    pub fn read(&mut self, directory: BorrowedFd, limit: usize) -> io::Result<Option<Vec<Name>>> {
        let spare: &mut [MaybeUninit<u8>] = self.buffer.spare_capacity_mut();
        let mut entries = RawDir::new(directory, spare);
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if names.len() == limit {
                return Ok(None);
            }
            names.push(Name { name: name.to_owned(), kind: entry.file_type() });
        }
        names.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        // Some file systems list a name twice when it changes during the listing; an archive has each name once.
        names.dedup_by(|a, b| a.name == b.name);
        Ok(Some(names))
    }
}
