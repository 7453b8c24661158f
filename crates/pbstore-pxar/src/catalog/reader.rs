//! Reads a catalog: any directory by its offset, without recursion and without trusting a length.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::varint::{take_signed, take_unsigned};
use super::{CatalogKind, MAGIC, NAME_LIMIT_BYTES};
use crate::error::PxarError;

/// A directory of a million entries with the longest usual names is smaller than this.
const MAX_TABLE_BYTES: u64 = 1 << 30;

/// One name of a catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Name in its directory.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: CatalogKind,
    /// Offset of a directory's block; 0 for everything else.
    pub directory_offset: u64,
    /// Size of a regular file in bytes.
    pub size: u64,
    /// Time of a regular file's last modification, in seconds since the epoch.
    pub mtime_seconds: i64,
}

/// Reads the directories of a catalog.
pub struct CatalogReader<R: Read + Seek> {
    input: R,
    root_offset: u64,
    end: u64,
    max_table_bytes: u64,
}

impl<R: Read + Seek> CatalogReader<R> {
    /// Opens a catalog and checks its magic and tail.
    pub fn new(mut input: R) -> Result<Self, PxarError> {
        let length = input.seek(SeekFrom::End(0)).map_err(PxarError::Read)?;
        let end = length
            .checked_sub(8)
            .filter(|end| *end > 8)
            .ok_or_else(|| PxarError::catalog(length, "it is too short"))?;
        let magic = read_at::<8>(&mut input, 0)?;
        if magic != MAGIC {
            return Err(PxarError::catalog(0, "wrong magic number"));
        }
        let root_offset = u64::from_le_bytes(read_at::<8>(&mut input, end)?);
        Ok(Self { input, root_offset, end, max_table_bytes: MAX_TABLE_BYTES })
    }

    /// Refuses directories that take more than so many bytes in the file, and so in memory.
    #[must_use]
    pub fn with_directories_up_to(self, bytes: u64) -> Self {
        Self { max_table_bytes: bytes.min(MAX_TABLE_BYTES), ..self }
    }

    /// Offset of the root directory's block, for [`Self::directory`].
    pub fn root_offset(&self) -> u64 {
        self.root_offset
    }

    /// The directory whose block begins at `offset`.
    pub fn directory(&mut self, offset: u64) -> Result<CatalogDirectory, PxarError> {
        let (table, end) = self.table(offset)?;
        let mut rest = table.as_slice();
        let left = take_unsigned(&mut rest).ok_or_else(|| PxarError::catalog(offset, "bad entry count"))?;
        Ok(CatalogDirectory { block: offset, end, left, position: table.len() - rest.len(), table })
    }

    /// The directory at `path`, whose components are separated by slashes, as the offset of its block; `None` if there
    /// is no such directory.
    pub fn find(&mut self, path: &[u8]) -> Result<Option<u64>, PxarError> {
        let mut offset = self.root_offset;
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            let is_wanted = |entry: &CatalogEntry| entry.kind == CatalogKind::Directory && entry.name == name;
            let found = self.directory(offset)?.find(|entry| !matches!(entry, Ok(entry) if !is_wanted(entry)));
            match found {
                Some(entry) => offset = entry?.directory_offset,
                None => return Ok(None),
            }
        }
        Ok(Some(offset))
    }

    /// The table of the block that begins at `offset`, and where the block ends.
    fn table(&mut self, offset: u64) -> Result<(Vec<u8>, u64), PxarError> {
        let damaged = |reason| PxarError::catalog(offset, reason);
        let available = self.end.checked_sub(offset).filter(|_| offset >= MAGIC.len() as u64);
        let available = available.ok_or_else(|| damaged("a directory's offset lies outside the file"))?;
        self.input.seek(SeekFrom::Start(offset)).map_err(PxarError::Read)?;
        let mut head = Vec::new();
        self.input.by_ref().take(available.min(10)).read_to_end(&mut head).map_err(PxarError::Read)?;
        let mut rest = head.as_slice();
        let length = take_unsigned(&mut rest).ok_or_else(|| damaged("bad directory length"))?;
        let prefix = (head.len() - rest.len()) as u64;
        if length == 0 || length > available - prefix {
            return Err(damaged("a directory's length lies outside the file"));
        }
        if length > self.max_table_bytes {
            return Err(damaged("a directory is too large"));
        }
        self.input.seek(SeekFrom::Start(offset + prefix)).map_err(PxarError::Read)?;
        let mut table = Vec::new();
        self.input.by_ref().take(length).read_to_end(&mut table).map_err(PxarError::Read)?;
        if table.len() as u64 != length {
            return Err(damaged("it ends inside a directory"));
        }
        Ok((table, offset + prefix + length))
    }
}

/// The entries of one directory in the order of the file. They are decoded as they are asked for, so that they take no
/// more memory than in the file; nothing comes behind an error.
pub struct CatalogDirectory {
    block: u64,
    end: u64,
    /// Entries that are not decoded yet.
    left: u64,
    position: usize,
    table: Vec<u8>,
}

impl CatalogDirectory {
    /// Where in the file the directory's block is.
    pub(super) fn block(&self) -> Range<u64> {
        self.block..self.end
    }
}

impl Iterator for CatalogDirectory {
    type Item = Result<CatalogEntry, PxarError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.table.get(self.position..).unwrap_or_default();
        let start = self.end - rest.len() as u64;
        let next = match self.left.checked_sub(1) {
            None if rest.is_empty() => return None,
            None => Err("bytes behind the last entry of a directory"),
            Some(left) => {
                self.left = left;
                entry(&mut rest, self.block)
            }
        };
        self.position = self.table.len() - rest.len();
        if next.is_err() {
            (self.left, self.position) = (0, self.table.len());
        }
        Some(next.map_err(|reason| PxarError::catalog(start, reason)))
    }
}

/// Takes one entry off the front of a directory's table, or says what is wrong with it; `block` is the offset of that
/// directory's block.
fn entry(rest: &mut &[u8], block: u64) -> Result<CatalogEntry, &'static str> {
    let (byte, after) = rest.split_first().ok_or("fewer entries than a directory's count")?;
    *rest = after;
    let kind = CatalogKind::from_byte(*byte).ok_or("unknown kind of entry")?;
    let name = take_name(rest)?;
    let mut entry = CatalogEntry { name, kind, directory_offset: 0, size: 0, mtime_seconds: 0 };
    match kind {
        CatalogKind::Directory => {
            let distance = take_unsigned(rest).ok_or("bad distance")?;
            let offset = block.checked_sub(distance).filter(|_| distance > 0);
            entry.directory_offset = offset.ok_or("a directory's distance leaves the file")?;
        }
        CatalogKind::File => {
            entry.size = take_unsigned(rest).ok_or("bad file size")?;
            entry.mtime_seconds = take_signed(rest).ok_or("bad time")?;
        }
        _ => {}
    }
    Ok(entry)
}

fn take_name(rest: &mut &[u8]) -> Result<Vec<u8>, &'static str> {
    let length = take_unsigned(rest).ok_or("bad name length")?;
    if length >= NAME_LIMIT_BYTES {
        return Err("a name is too long");
    }
    let (name, after) = rest.split_at_checked(length as usize).ok_or("a name is cut off")?;
    *rest = after;
    Ok(name.to_vec())
}

fn read_at<const N: usize>(input: &mut (impl Read + Seek), offset: u64) -> Result<[u8; N], PxarError> {
    let mut bytes = [0; N];
    input.seek(SeekFrom::Start(offset)).map_err(PxarError::Read)?;
    input.read_exact(&mut bytes).map_err(PxarError::Read)?;
    Ok(bytes)
}
