//! Goes through a whole catalog, parents before children, in the order of the archives.

use std::collections::HashSet;
use std::io::{Read, Seek};

use super::{CatalogDirectory, CatalogEntry, CatalogKind, CatalogReader};
use crate::error::PxarError;

/// Longest path that is followed.
const MAX_PATH_BYTES: usize = 16 << 20;

/// A walk through a catalog. Every directory is read once: a file that names one twice could describe more entries
/// than anything can hold. And directories lie apart, as they are written: if they could overlap, those on one path
/// could take many times the memory of the file.
pub struct CatalogWalk<R: Read + Seek> {
    reader: CatalogReader<R>,
    open: Vec<OpenDirectory>,
    visited: HashSet<u64>,
    path: Vec<u8>,
}

struct OpenDirectory {
    entries: CatalogDirectory,
    path_length: usize,
}

impl<R: Read + Seek> CatalogWalk<R> {
    /// Begins at the root directory, which has the archives.
    pub fn new(mut reader: CatalogReader<R>) -> Result<Self, PxarError> {
        let root = reader.root_offset();
        let entries = reader.directory(root)?;
        let open = vec![OpenDirectory { entries, path_length: 0 }];
        Ok(Self { reader, open, visited: HashSet::from([root]), path: Vec::new() })
    }

    /// The next entry, or `None` behind the last one.
    pub fn next_entry(&mut self) -> Result<Option<CatalogEntry>, PxarError> {
        while let Some(directory) = self.open.last_mut() {
            self.path.truncate(directory.path_length);
            let Some(entry) = directory.entries.next().transpose()? else {
                self.open.pop();
                continue;
            };
            self.path.push(b'/');
            self.path.extend_from_slice(&entry.name);
            if entry.kind == CatalogKind::Directory {
                self.descend(entry.directory_offset)?;
            }
            return Ok(Some(entry));
        }
        Ok(None)
    }

    /// Path of the last entry, with leading slash.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    fn descend(&mut self, offset: u64) -> Result<(), PxarError> {
        if !self.visited.insert(offset) || self.path.len() > MAX_PATH_BYTES {
            return Err(PxarError::catalog(offset, "a directory lies in two places or too deep"));
        }
        let entries = self.reader.directory(offset)?;
        let parent = self.open.last().map_or(u64::MAX, |parent| parent.entries.block().start);
        if entries.block().end > parent {
            return Err(PxarError::catalog(offset, "a directory does not end before its parent begins"));
        }
        self.open.push(OpenDirectory { entries, path_length: self.path.len() });
        Ok(())
    }
}
