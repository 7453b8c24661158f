//! The archive in the making: stores items one after the other, and keeps count.

use std::io::Write;
use std::os::fd::AsFd;

use super::content::Content;
use super::item::{Body, Item, OpenFile};
use super::links::Links;
use super::{warning, CreateStats, Target};
use crate::catalog::{CatalogKind, CatalogSink};
use crate::encoder::{Encoder, EntryStart, Supply};
use crate::error::PxarError;
use crate::metadata::{Metadata, TYPE_BLOCK, TYPE_FIFO, TYPE_FILE};
use crate::payload_sink::ReusedChunk;
use crate::report::{quoted, Counting, Reporter};

/// An archive, and the catalog of a version 1 archive.
pub struct Archive<'a, W: Write> {
    encoder: Encoder<'a, W>,
    catalog: Option<&'a mut dyn CatalogSink>,
    /// Which files hard links can refer to.
    pub links: Links,
    /// What was stored so far.
    pub stats: CreateStats,
}

impl<'a, W: Write> Archive<'a, W> {
    /// Begins an archive whose root has this metadata.
    pub fn new(target: Target<'a, W>, prelude: Option<&[u8]>, root: &Metadata) -> Result<Self, PxarError> {
        let Target { output, payload, catalog } = target;
        let encoder = match payload {
            Some(payload) => Encoder::split(output, payload, prelude, root)?,
            None => Encoder::new(output, root)?,
        };
        let stats = CreateStats { entry_count: 1, ..CreateStats::default() };
        Ok(Self { encoder, catalog, links: Links::default(), stats })
    }

    /// Stores an item in full; `path` is its path with leading slash.
    pub fn store(&mut self, item: &Item, path: &[u8], reporter: &mut Counting) -> Result<(), PxarError> {
        let (name, metadata) = (item.name.to_bytes(), &item.metadata);
        match &item.body {
            Body::File(file) => {
                let (start, supply, is_stale) = self.read_file(item, file, path, reporter)?;
                warn_of_change(supply, is_stale, path, reporter);
                return self.stored_file(item, file, start);
            }
            Body::Hardlink(id) => {
                let target = self.links.target(*id);
                let (target_path, start) = target.ok_or_else(|| {
                    PxarError::Invalid(format!("no target is stored for the hard link {}", quoted(path)))
                })?;
                self.encoder.add_hardlink(name, target_path, start)?;
                self.links.stored(*id, None);
                self.stats.hardlink_count += 1;
            }
            Body::Symlink(target) => self.encoder.add_symlink(name, metadata, target.to_bytes())?,
            Body::Device(device) => self.encoder.add_device(name, metadata, *device)?,
            Body::Special => self.encoder.add_special(name, metadata)?,
            Body::Directory => self.encoder.begin_directory(name, metadata)?,
        }
        self.stats.entry_count += 1;
        match &mut self.catalog {
            None => Ok(()),
            Some(catalog) => match catalog_kind(item) {
                Some(kind) => catalog.add_other(name, kind),
                None => catalog.start_directory(name),
            },
        }
    }

    /// Stores a file of a split archive without reading it: its payload is at `offset` in chunks that are injected.
    pub fn refer(&mut self, item: &Item, file: &OpenFile, offset: u64) -> Result<(), PxarError> {
        let start = self.encoder.add_reference(item.name.to_bytes(), &item.metadata, offset, file.size)?;
        self.stats.reused_file_count += 1;
        self.stats.reused_file_bytes += file.size;
        self.stored_file(item, file, start)
    }

    /// Ends the innermost directory, which is not the root.
    pub fn end_directory(&mut self) -> Result<(), PxarError> {
        self.encoder.end_directory()?;
        self.catalog.as_mut().map_or(Ok(()), |catalog| catalog.end_directory())
    }

    /// Adds a file that is not in the tree, owned by this process.
    pub fn add_generated(&mut self, name: &[u8], content: &[u8]) -> Result<(), PxarError> {
        let mut metadata = Metadata::default();
        metadata.stat.mode = TYPE_FILE | 0o600;
        metadata.stat.uid = rustix::process::getuid().as_raw();
        metadata.stat.gid = rustix::process::getgid().as_raw();
        let size = content.len() as u64;
        self.encoder.add_file(name, &metadata, size, &mut { content })?;
        self.count_file(size);
        self.catalog.as_mut().map_or(Ok(()), |catalog| catalog.add_file(name, size, 0))
    }

    /// Bytes of the payload stream so far.
    pub fn payload_position(&self) -> u64 {
        self.encoder.payload_position()
    }

    /// Continues the payload stream with chunks of the previous one.
    pub fn inject(&mut self, chunks: &[ReusedChunk]) -> Result<(), PxarError> {
        self.stats.injected_chunk_count += chunks.len() as u64;
        self.stats.injected_bytes += chunks.iter().map(|chunk| chunk.size).sum::<u64>();
        self.encoder.inject(chunks)
    }

    /// Ends the root directory.
    pub fn finish(mut self) -> Result<CreateStats, PxarError> {
        let (_, lengths) = self.encoder.finish()?;
        self.stats.archive_bytes = lengths.archive_bytes;
        self.stats.payload_bytes = lengths.payload_bytes;
        Ok(self.stats)
    }

    /// Adds a file with its content; returns also whether that changed, and whether the server lost the file meanwhile.
    fn read_file(
        &mut self,
        item: &Item,
        file: &OpenFile,
        path: &[u8],
        reporter: &Counting,
    ) -> Result<(EntryStart, Supply, bool), PxarError> {
        let mut content = Content::new(file.fd.as_fd(), reporter);
        let added = self.encoder.add_file(item.name.to_bytes(), &item.metadata, file.size, &mut content);
        let (start, supply) = added.map_err(|error| match error {
            PxarError::Read(_) if content.is_cancelled => PxarError::Cancelled,
            PxarError::Read(source) => PxarError::file("failed to read", path, source),
            other => other,
        })?;
        Ok((start, supply, content.is_stale))
    }

    fn stored_file(&mut self, item: &Item, file: &OpenFile, start: EntryStart) -> Result<(), PxarError> {
        if let Some(id) = file.id {
            self.links.stored(id, Some(start));
        }
        self.count_file(file.size);
        match &mut self.catalog {
            Some(catalog) => catalog.add_file(item.name.to_bytes(), file.size, item.metadata.stat.mtime.seconds),
            None => Ok(()),
        }
    }

    fn count_file(&mut self, size: u64) {
        self.stats.entry_count += 1;
        self.stats.file_count += 1;
        self.stats.file_bytes += size;
    }
}

/// What the catalog calls an item that is no file; `None` for a directory.
fn catalog_kind(item: &Item) -> Option<CatalogKind> {
    let file_type = item.metadata.file_type();
    Some(match &item.body {
        Body::Hardlink(_) => CatalogKind::Hardlink,
        Body::Symlink(_) => CatalogKind::Symlink,
        Body::Device(_) if file_type == TYPE_BLOCK => CatalogKind::BlockDevice,
        Body::Device(_) => CatalogKind::CharDevice,
        Body::Special if file_type == TYPE_FIFO => CatalogKind::Fifo,
        Body::Special => CatalogKind::Socket,
        Body::File(_) | Body::Directory => return None,
    })
}

fn warn_of_change(supply: Supply, is_stale: bool, path: &[u8], reporter: &mut Counting) {
    reporter.warn(match supply {
        Supply::Exact => return,
        Supply::More => warning::grown(path),
        Supply::Missing(_) if is_stale => warning::stale(path),
        Supply::Missing(_) => warning::shrunk(path),
    });
}
