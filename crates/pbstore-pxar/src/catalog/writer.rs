//! Writes a catalog while its archives are made: children before parents, so that nothing has to be changed later.

use std::io::Write;

use super::varint::{put_signed, put_unsigned};
use super::{CatalogKind, CatalogSink, MAGIC, NAME_LIMIT_BYTES};
use crate::error::PxarError;

/// Writes one catalog for any number of archives, one after the other.
pub struct CatalogWriter<W: Write> {
    output: W,
    position: u64,
    open: Vec<OpenDirectory>,
}

/// A directory whose block is not written yet.
#[derive(Default)]
struct OpenDirectory {
    name: Vec<u8>,
    /// The encoded entries, without the distances of directories.
    entries: Vec<u8>,
    count: u64,
    /// Where in `entries` the distance of a child's block belongs, and that block's offset. The distance is not known
    /// before this directory's own block is written.
    children: Vec<(usize, u64)>,
}

impl OpenDirectory {
    /// The table of a block that begins at `offset`.
    fn table(&self, offset: u64) -> Vec<u8> {
        let mut table = Vec::with_capacity(self.entries.len() + 10 + self.children.len() * 10);
        put_unsigned(&mut table, self.count);
        let mut copied = 0;
        for (position, child) in &self.children {
            table.extend_from_slice(&self.entries[copied..*position]);
            put_unsigned(&mut table, offset - child);
            copied = *position;
        }
        table.extend_from_slice(&self.entries[copied..]);
        table
    }
}

impl<W: Write> CatalogWriter<W> {
    /// Begins a catalog on `output`.
    pub fn new(output: W) -> Result<Self, PxarError> {
        let mut writer = Self { output, position: 0, open: vec![OpenDirectory::default()] };
        writer.write(&MAGIC)?;
        Ok(writer)
    }

    /// Begins an archive; `name` is its full file name, as `root.pxar.didx`.
    pub fn start_archive(&mut self, name: &[u8]) -> Result<(), PxarError> {
        if self.open.len() != 1 {
            return Err(PxarError::Invalid("the catalog's last archive is not complete".into()));
        }
        self.start_directory(name)
    }

    /// Ends the archive that `start_archive` began.
    pub fn end_archive(&mut self) -> Result<(), PxarError> {
        if self.open.len() != 2 {
            return Err(PxarError::Invalid("the catalog's archive ends inside one of its directories".into()));
        }
        self.end_directory()
    }

    /// Writes the root directory and the tail and gives the output back.
    pub fn finish(mut self) -> Result<W, PxarError> {
        let root = match (self.open.pop(), self.open.is_empty()) {
            (Some(root), true) => root,
            _ => return Err(PxarError::Invalid("the catalog's last archive is not complete".into())),
        };
        let root_offset = self.write_block(&root)?;
        self.write(&root_offset.to_le_bytes())?;
        self.output.flush().map_err(PxarError::Write)?;
        Ok(self.output)
    }

    /// Writes a directory's block and returns its offset.
    fn write_block(&mut self, directory: &OpenDirectory) -> Result<u64, PxarError> {
        let offset = self.position;
        let table = directory.table(offset);
        let mut length = Vec::new();
        put_unsigned(&mut length, table.len() as u64);
        self.write(&length)?;
        self.write(&table)?;
        Ok(offset)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PxarError> {
        self.output.write_all(bytes).map_err(PxarError::Write)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Begins an entry of the innermost directory; the caller appends what its kind needs.
    fn entry(&mut self, name: &[u8], kind: CatalogKind) -> Result<&mut Vec<u8>, PxarError> {
        if name.is_empty() || name.len() as u64 >= NAME_LIMIT_BYTES {
            return Err(PxarError::Invalid(format!("a name of {} bytes does not fit in a catalog", name.len())));
        }
        let directory = self.open.last_mut().ok_or_else(|| PxarError::Invalid("no open directory".into()))?;
        directory.count += 1;
        directory.entries.push(kind.byte());
        put_unsigned(&mut directory.entries, name.len() as u64);
        directory.entries.extend_from_slice(name);
        Ok(&mut directory.entries)
    }
}

impl<W: Write> CatalogSink for CatalogWriter<W> {
    fn start_directory(&mut self, name: &[u8]) -> Result<(), PxarError> {
        self.open.push(OpenDirectory { name: name.to_vec(), ..OpenDirectory::default() });
        Ok(())
    }

    fn end_directory(&mut self) -> Result<(), PxarError> {
        if self.open.len() < 2 {
            return Err(PxarError::Invalid("no open directory in the catalog".into()));
        }
        let Some(directory) = self.open.pop() else { return Ok(()) };
        let child = self.write_block(&directory)?;
        self.entry(&directory.name, CatalogKind::Directory)?;
        if let Some(parent) = self.open.last_mut() {
            parent.children.push((parent.entries.len(), child));
        }
        Ok(())
    }

    fn add_file(&mut self, name: &[u8], size: u64, mtime_seconds: i64) -> Result<(), PxarError> {
        let entries = self.entry(name, CatalogKind::File)?;
        put_unsigned(entries, size);
        put_signed(entries, mtime_seconds);
        Ok(())
    }

    fn add_other(&mut self, name: &[u8], kind: CatalogKind) -> Result<(), PxarError> {
        if matches!(kind, CatalogKind::Directory | CatalogKind::File) {
            return Err(PxarError::Invalid("directories and files have calls of their own".into()));
        }
        self.entry(name, kind).map(drop)
    }
}
