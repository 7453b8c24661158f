//! A directory of an archive: finds children by name, opens them, follows hard links.

use std::sync::Arc;

use super::content::FileContent;
use super::entries::Entries;
use super::table::{Table, TableSpan};
use super::Accessor;
use crate::entry::{Entry, Kind};
use crate::entry_reader::{read_child, read_directory, read_name, read_root, EntryRead};
use crate::error::PxarError;
use crate::goodbye::name_hash;
use crate::input::Input;
use crate::items::{self, HEADER_BYTES};
use crate::metadata::Metadata;
use crate::metadata_items::unexpected;
use crate::section::Section;

/// A directory. Clones share its table; all tables of an archive together take up to 8 MiB of memory.
#[derive(Clone)]
pub struct Directory {
    accessor: Arc<Accessor>,
    metadata: Arc<Metadata>,
    children_start: u64,
    table: Table,
}

/// A child that was read, and where what it consists of ends; its children and contents are not part of that.
pub(super) struct ChildRead {
    pub entry: Entry,
    pub end: u64,
}

impl Directory {
    /// Opens the root of an archive.
    pub(super) fn root(accessor: Arc<Accessor>) -> Result<Self, PxarError> {
        let span = TableSpan::find(&accessor.archive, 0, accessor.archive.size())?;
        let mut input = Input::between(&accessor.archive, 0, span.start + HEADER_BYTES);
        let (_, root) = read_root(&mut input).map_err(beyond_directory)?;
        Self::new(accessor, root, &input, span)
    }

    /// Opens the directory whose entry begins at `entry_start` and that ends at `end`.
    fn inner(accessor: Arc<Accessor>, entry_start: u64, end: u64) -> Result<Self, PxarError> {
        let span = TableSpan::find(&accessor.archive, entry_start, end)?;
        let mut input = Input::between(&accessor.archive, entry_start, span.start + HEADER_BYTES);
        let read = read_directory(&mut input).map_err(beyond_directory)?;
        Self::new(accessor, read, &input, span)
    }

    fn new(
        accessor: Arc<Accessor>,
        read: EntryRead,
        input: &Input<Section>,
        span: TableSpan,
    ) -> Result<Self, PxarError> {
        // The header behind a directory's metadata has been read already.
        let children_start = input.position() - HEADER_BYTES;
        let table = span.load(&accessor.archive, children_start, &accessor.room)?;
        Ok(Self { accessor, metadata: Arc::new(read.entry.metadata), children_start, table })
    }

    /// Owner, mode, times and attributes of the directory itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The child of this name; hard links are handed out as such.
    ///
    /// # Errors
    ///
    /// The archive is damaged where the child should be, or cannot be read.
    pub fn lookup(&self, name: &[u8]) -> Result<Option<Entry>, PxarError> {
        self.table.find(name_hash(name), |place| {
            let Some(mut input) = self.named(name, place.name_start)? else { return Ok(None) };
            let read = read_child(&mut input, name.to_vec(), place.name_start);
            Ok(Some(read.map_err(beyond_directory)?.entry))
        })
    }

    /// The directory of this name; `None` if there is nothing of that name, or no directory.
    ///
    /// # Errors
    ///
    /// As [`Self::lookup`].
    pub fn open(&self, name: &[u8]) -> Result<Option<Self>, PxarError> {
        let found = self.table.find(name_hash(name), |place| {
            let Some(mut input) = self.named(name, place.name_start)? else { return Ok(None) };
            let entry_start = input.position();
            let read = read_child(&mut input, name.to_vec(), place.name_start).map_err(beyond_directory)?;
            Ok(Some((read.entry.kind == Kind::Directory).then_some((entry_start, place))))
        })?;
        let Some((entry_start, place)) = found.flatten() else { return Ok(None) };
        let end = place.directory_end(self.table.start())?;
        Self::inner(Arc::clone(&self.accessor), entry_start, end).map(Some)
    }

    /// All children in the order of the archive, in memory for one of them.
    pub fn entries(&self) -> Entries {
        Entries::new(self.clone(), self.children_start)
    }

    /// The file that a hard link stands for.
    ///
    /// # Errors
    ///
    /// `link` is no hard link, or leads to something that is not an earlier file.
    pub fn follow(&self, link: &Entry) -> Result<Entry, PxarError> {
        let Kind::Hardlink { distance, .. } = &link.kind else {
            return Err(PxarError::Invalid("only a hard link can be followed".into()));
        };
        let nowhere = || PxarError::malformed(link.name_start, "a hard link to something that is not an earlier file");
        let start = link.name_start.checked_sub(*distance).filter(|_| *distance > 0).ok_or_else(nowhere)?;
        let target = self.read_at(start, link.name_start)?.entry;
        match target.kind {
            Kind::File { .. } => Ok(target),
            _ => Err(nowhere()),
        }
    }

    /// The content of a file of this archive, whichever directory it is in.
    ///
    /// # Errors
    ///
    /// `file` is no regular file, its content is not where the archive says, or the archive is a split one that was
    /// opened without its payload stream.
    pub fn content(&self, file: &Entry) -> Result<FileContent, PxarError> {
        if let (Kind::File { size, payload_offset: Some(offset) }, Some(payload)) = (&file.kind, &self.accessor.payload)
        {
            FileContent::check_header(payload, *offset, *size)?;
        }
        self.unread_content(file)
    }

    /// As [`Self::content`], but reads nothing of the payload stream: whether the content is there shows later.
    pub(crate) fn unread_content(&self, file: &Entry) -> Result<FileContent, PxarError> {
        let Kind::File { size, payload_offset } = file.kind else {
            return Err(PxarError::Invalid("only a regular file has content".into()));
        };
        if let Some(offset) = payload_offset {
            let payload = self.accessor.payload.as_ref().ok_or(PxarError::PayloadRequired)?;
            return FileContent::in_payload(payload, offset, size);
        }
        let archive = &self.accessor.archive;
        let ChildRead { entry, end: start } = self.read_at(file.name_start, archive.size())?;
        if entry.kind != file.kind {
            return Err(PxarError::Invalid("the file is not of this archive".into()));
        }
        FileContent::new(Arc::clone(archive), start, size).ok_or(PxarError::Truncated { offset: archive.size() })
    }

    /// Reads the child whose name item begins at `start`.
    pub(super) fn child_at(&self, start: u64) -> Result<ChildRead, PxarError> {
        // A pipe or socket only ends where the next item begins, which may be the table's header.
        self.read_at(start, self.table.start() + HEADER_BYTES)
    }

    /// Where the children end.
    pub(super) fn children_end(&self) -> u64 {
        self.table.start()
    }

    /// Where the child directory ends whose name item begins at `name_start`.
    pub(super) fn directory_end(&self, name: &[u8], name_start: u64) -> Result<u64, PxarError> {
        let here = |place: super::table::Place| Ok((place.name_start == name_start).then_some(place));
        let place = self.table.find(name_hash(name), here)?;
        let place =
            place.ok_or_else(|| PxarError::malformed(name_start, "a directory that its goodbye table lacks"))?;
        place.directory_end(self.table.start())
    }

    fn read_at(&self, start: u64, end: u64) -> Result<ChildRead, PxarError> {
        let mut input = Input::between(&self.accessor.archive, start, end);
        read_named(&mut input, start).map_err(beyond_directory)
    }

    /// The rest of the child at `start` if it has this name.
    fn named(&self, name: &[u8], start: u64) -> Result<Option<Input<Section>>, PxarError> {
        let mut input = Input::between(&self.accessor.archive, start, self.table.start() + HEADER_BYTES);
        let found = read_child_name(&mut input, start).map_err(beyond_directory)?;
        Ok((found == name).then_some(input))
    }
}

fn read_child_name(input: &mut Input<Section>, start: u64) -> Result<Vec<u8>, PxarError> {
    let header = input.header()?;
    if header.item_type != items::FILENAME {
        return Err(unexpected(start, header.item_type, "a file name"));
    }
    read_name(input, header)
}

fn read_named(input: &mut Input<Section>, start: u64) -> Result<ChildRead, PxarError> {
    let name = read_child_name(input, start)?;
    let EntryRead { entry, next_header } = read_child(input, name, start)?;
    let read_ahead = if next_header.is_some() { HEADER_BYTES } else { 0 };
    Ok(ChildRead { entry, end: input.position() - read_ahead })
}

/// An item that reaches beyond its directory is damage, not the end of the archive.
fn beyond_directory(error: PxarError) -> PxarError {
    match error {
        PxarError::Truncated { offset } => PxarError::malformed(offset, "an entry reaches beyond its directory"),
        error => error,
    }
}
