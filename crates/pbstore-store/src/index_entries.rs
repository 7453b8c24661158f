//! The entries of an index file one after the other, in constant memory however many there are.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use pbstore_format::index::HEADER_BYTES;
use pbstore_format::{EntryScanner, IndexEntry};

use crate::{atomic_file, Result, StoreError};

const BUFFER_BYTES: usize = 64 << 10;

/// An open index file. It may be replaced meanwhile: this one goes on with what it opened.
pub(crate) struct IndexEntries {
    path: PathBuf,
    file: BufReader<File>,
    first: EntryScanner,
    scanner: EntryScanner,
}

impl IndexEntries {
    /// Open a file of either kind and read its header.
    ///
    /// # Errors
    /// `Format` for what is no index; `Io`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let (file, bytes) = atomic_file::open_regular(path).map_err(StoreError::io("open index", path))?;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut header = Vec::with_capacity(HEADER_BYTES);
        let limit = HEADER_BYTES as u64;
        file.by_ref().take(limit).read_to_end(&mut header).map_err(StoreError::io("read index", path))?;
        let scanner = EntryScanner::new(&header, bytes)?;
        Ok(Self { path: path.to_owned(), file, first: scanner.clone(), scanner })
    }

    /// The next entry, None behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<IndexEntry>> {
        if self.scanner.remaining() == 0 {
            return Ok(None);
        }
        let mut entry = [0; pbstore_format::dynamic_index::ENTRY_BYTES];
        let entry = &mut entry[..self.scanner.entry_bytes()];
        self.file.read_exact(entry).map_err(StoreError::io("read index", &self.path))?;
        Ok(Some(self.scanner.scan(entry)?))
    }

    /// Start again with the first entry.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        let start = SeekFrom::Start(HEADER_BYTES as u64);
        self.file.seek(start).map_err(StoreError::io("read index", &self.path))?;
        self.scanner = self.first.clone();
        Ok(())
    }

    /// What was read so far: to be compared with the manifest behind the last entry.
    pub(crate) fn scanner(&self) -> &EntryScanner {
        &self.scanner
    }

    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
