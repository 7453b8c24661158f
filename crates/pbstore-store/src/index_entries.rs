//! The entries of an index file one after the other, in constant memory however many there are.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use pbstore_format::index::HEADER_BYTES;
use pbstore_format::{dynamic_index, fixed_index, Digest, EntryScanner, FormatError, IndexEntry};

use crate::{atomic_file, Result, StoreError};

const BUFFER_BYTES: usize = 64 << 10;

/// An open index file. It may be replaced meanwhile: this one goes on with what it opened.
pub(crate) struct IndexEntries {
    path: PathBuf,
    file: BufReader<File>,
    file_bytes: u64,
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
        Ok(Self { path: path.to_owned(), file, file_bytes: bytes, first: scanner.clone(), scanner })
    }

    /// Open a file whose manifest promises this checksum and size of the archive, look at all entries, and start again.
    ///
    /// # Errors
    /// As [`Self::open`]; `Format` for another size, `Index` for another checksum.
    pub(crate) fn open_promised(path: &Path, csum: &Digest, bytes: u64) -> Result<Self> {
        let mut entries = Self::open(path)?;
        while entries.next()?.is_some() {}
        let scanned = entries.scanner.clone();
        if scanned.size() != bytes {
            return Err(FormatError::WrongLength { expected: bytes, found: scanned.size() }.into());
        }
        let found = scanned.csum();
        if found != *csum {
            return Err(StoreError::Index { path: path.to_owned(), expected: *csum, found });
        }
        entries.rewind()?;
        Ok(entries)
    }

    /// Open a file whose extension says which kind it must be, look at all entries, and start again.
    ///
    /// # Errors
    /// As [`Self::open`]; `Refused` for another extension, `Format` for the other kind.
    pub(crate) fn open_named(path: &Path) -> Result<Self> {
        let entry_bytes = match path.extension().and_then(|extension| extension.to_str()) {
            Some("fidx") => fixed_index::ENTRY_BYTES,
            Some("didx") => dynamic_index::ENTRY_BYTES,
            _ => return Err(StoreError::Refused(format!("{} is no index: expected .fidx or .didx", path.display()))),
        };
        let mut entries = Self::open(path)?;
        if entries.scanner.entry_bytes() != entry_bytes {
            return Err(FormatError::malformed("index is of the other kind than its name says").into());
        }
        while entries.next()?.is_some() {}
        entries.rewind()?;
        Ok(entries)
    }

    /// The file and its length.
    pub(crate) fn into_file(self) -> (File, u64) {
        (self.file.into_inner(), self.file_bytes)
    }

    /// The next entry, None behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<IndexEntry>> {
        if self.scanner.remaining() == 0 {
            return Ok(None);
        }
        let mut entry = [0; dynamic_index::ENTRY_BYTES];
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

    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
