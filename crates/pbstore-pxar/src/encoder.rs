//! Writes an archive, entry by entry, in one pass (pxar.md 2): version 1, or split into two streams (pxar.md 7).
//!
//! Where items go is `output`'s business, where the contents of a split archive go that of `payload_output`.

use std::io::{Read, Write};

use crate::entry::Device;
use crate::error::PxarError;
use crate::goodbye::{self, name_hash, Record};
use crate::items::{self, Header};
use crate::metadata::{AclEntry, Metadata, TYPE_BLOCK, TYPE_CHAR, TYPE_DIRECTORY, TYPE_FIFO, TYPE_FILE};
use crate::metadata::{TYPE_SOCKET, TYPE_SYMLINK};
use crate::output::Output;
use crate::payload_output::PayloadOutput;
use crate::payload_sink::{PayloadSink, ReusedChunk};

pub use crate::output::Supply;

/// Where an entry's name item begins; a hard link needs that of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryStart(u64);

/// Bytes of a complete archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// The archive; of a split one, the metadata stream.
    pub archive_bytes: u64,
    /// The payload stream of a split archive.
    pub payload_bytes: u64,
}

/// Writes an archive.
pub struct Encoder<'a, W: Write> {
    output: Output<W>,
    /// For contents, if the archive is a split one.
    payload: Option<PayloadOutput<'a>>,
    open: Vec<OpenDirectory>,
}

/// A directory whose goodbye table is not written yet.
struct OpenDirectory {
    name_hash: u64,
    name_start: u64,
    entry_start: u64,
    children: Vec<Record>,
}

impl<'a, W: Write> Encoder<'a, W> {
    /// Begins a version 1 archive whose root directory has this metadata.
    pub fn new(output: W, root: &Metadata) -> Result<Self, PxarError> {
        let mut encoder = Self { output: Output::new(output), payload: None, open: Vec::new() };
        encoder.begin_root(root)?;
        Ok(encoder)
    }

    /// Begins a split archive: `metadata` gets everything but the contents of files, which `payload` gets. `prelude`
    /// is stored as it is.
    pub fn split(
        metadata: W,
        payload: &'a mut dyn PayloadSink,
        prelude: Option<&[u8]>,
        root: &Metadata,
    ) -> Result<Self, PxarError> {
        let payload = Some(PayloadOutput::new(payload)?);
        let mut encoder = Self { output: Output::new(metadata), payload, open: Vec::new() };
        encoder.put_numbers(items::FORMAT_VERSION, &[items::SPLIT_FORMAT_VERSION])?;
        if let Some(prelude) = prelude {
            encoder.put_item(items::PRELUDE, &[prelude])?;
        }
        encoder.begin_root(root)?;
        Ok(encoder)
    }

    fn begin_root(&mut self, root: &Metadata) -> Result<(), PxarError> {
        self.check_type(root, TYPE_DIRECTORY)?;
        self.put_metadata(root)?;
        // Where the root begins is where the archive begins, also when something stands before its entry.
        self.open.push(OpenDirectory { name_hash: 0, name_start: 0, entry_start: 0, children: Vec::new() });
        Ok(())
    }

    /// Bytes of the payload stream so far; 0 if the archive is not a split one.
    pub fn payload_position(&self) -> u64 {
        self.payload.as_ref().map_or(0, PayloadOutput::position)
    }

    /// Bytes of the archive so far; of a split one, the metadata stream.
    pub fn position(&self) -> u64 {
        self.output.position()
    }

    /// Begins a directory in the innermost open one.
    pub fn begin_directory(&mut self, name: &[u8], metadata: &Metadata) -> Result<(), PxarError> {
        self.check_type(metadata, TYPE_DIRECTORY)?;
        let EntryStart(name_start) = self.put_name(name)?;
        let entry_start = self.position();
        self.put_metadata(metadata)?;
        let name_hash = name_hash(name);
        self.open.push(OpenDirectory { name_hash, name_start, entry_start, children: Vec::new() });
        Ok(())
    }

    /// Ends the innermost directory, which is not the root.
    pub fn end_directory(&mut self) -> Result<(), PxarError> {
        if self.open.len() < 2 {
            return Err(PxarError::Invalid("no directory to end in the archive".into()));
        }
        self.put_goodbye()
    }

    /// Adds a regular file with exactly `size` bytes, and says whether `content` had as many.
    ///
    /// # Errors
    ///
    /// `PxarError::Read` if `content` fails; the archive is of no use then.
    pub fn add_file(
        &mut self,
        name: &[u8],
        metadata: &Metadata,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(EntryStart, Supply), PxarError> {
        self.check_type(metadata, TYPE_FILE)?;
        let start = self.put_name(name)?;
        self.put_metadata(metadata)?;
        let Some(payload) = &mut self.payload else {
            self.put_header(items::PAYLOAD, size)?;
            let supply = self.output.put_from(content, size)?;
            self.end_child(name, start, 0);
            return Ok((start, supply));
        };
        let (offset, supply) = payload.put(content, size)?;
        self.put_numbers(items::PAYLOAD_REF, &[offset, size])?;
        self.end_child(name, start, size);
        Ok((start, supply))
    }

    /// Adds a regular file of a split archive whose content is not written: its header is in chunks that have been
    /// injected or are injected next, at `offset` of the payload stream.
    ///
    /// # Errors
    ///
    /// `Invalid` if `offset` lies before the end of the last content, or the archive is not a split one.
    pub fn add_reference(
        &mut self,
        name: &[u8],
        metadata: &Metadata,
        offset: u64,
        size: u64,
    ) -> Result<EntryStart, PxarError> {
        self.check_type(metadata, TYPE_FILE)?;
        self.payload()?.refer(offset, size)?;
        let start = self.put_name(name)?;
        self.put_metadata(metadata)?;
        self.put_numbers(items::PAYLOAD_REF, &[offset, size])?;
        self.end_child(name, start, 0);
        Ok(start)
    }

    /// Continues the payload stream of a split archive with chunks that exist already.
    pub fn inject(&mut self, chunks: &[ReusedChunk]) -> Result<(), PxarError> {
        self.payload()?.inject(chunks)
    }

    /// Adds a symbolic link.
    pub fn add_symlink(&mut self, name: &[u8], metadata: &Metadata, target: &[u8]) -> Result<(), PxarError> {
        self.check_type(metadata, TYPE_SYMLINK)?;
        check_path(target, "symlink target")?;
        let start = self.put_name(name)?;
        self.put_metadata(metadata)?;
        self.put_item(items::SYMLINK, &[target, &[0]])?;
        self.end_child(name, start, 0);
        Ok(())
    }

    /// Adds a block or character device.
    pub fn add_device(&mut self, name: &[u8], metadata: &Metadata, device: Device) -> Result<(), PxarError> {
        if metadata.file_type() != TYPE_BLOCK {
            self.check_type(metadata, TYPE_CHAR)?;
        }
        let start = self.put_name(name)?;
        self.put_metadata(metadata)?;
        self.put_numbers(items::DEVICE, &[device.major, device.minor])?;
        self.end_child(name, start, 0);
        Ok(())
    }

    /// Adds a named pipe or a socket.
    pub fn add_special(&mut self, name: &[u8], metadata: &Metadata) -> Result<(), PxarError> {
        if metadata.file_type() != TYPE_FIFO {
            self.check_type(metadata, TYPE_SOCKET)?;
        }
        let start = self.put_name(name)?;
        self.put_metadata(metadata)?;
        self.end_child(name, start, 0);
        Ok(())
    }

    /// Adds another name of the file that began at `target`, whose path from the root is `target_path`.
    pub fn add_hardlink(&mut self, name: &[u8], target_path: &[u8], target: EntryStart) -> Result<(), PxarError> {
        check_path(target_path, "hard link target")?;
        let start = self.put_name(name)?;
        let distance = start.0.checked_sub(target.0).filter(|distance| *distance > 0);
        let distance = distance.ok_or_else(|| PxarError::Invalid("a hard link has to follow its target".into()))?;
        self.put_item(items::HARDLINK, &[&distance.to_le_bytes(), target_path, &[0]])?;
        self.end_child(name, start, 0);
        Ok(())
    }

    /// Ends the root directory, and the payload stream; returns the output.
    pub fn finish(mut self) -> Result<(W, Lengths), PxarError> {
        if self.open.len() != 1 {
            return Err(PxarError::Invalid("the archive ends inside one of its directories".into()));
        }
        self.put_goodbye()?;
        let payload_bytes = self.payload.take().map_or(Ok(0), PayloadOutput::finish)?;
        let lengths = Lengths { archive_bytes: self.position(), payload_bytes };
        Ok((self.output.finish()?, lengths))
    }

    fn payload(&mut self) -> Result<&mut PayloadOutput<'a>, PxarError> {
        self.payload.as_mut().ok_or_else(|| PxarError::Invalid("only a split archive has a payload stream".into()))
    }

    fn put_goodbye(&mut self) -> Result<(), PxarError> {
        let Some(directory) = self.open.pop() else { return Ok(()) };
        let table = goodbye::encode(directory.children, directory.entry_start, self.position());
        self.output.put(&table)?;
        let size = self.position() - directory.name_start;
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(Record { hash: directory.name_hash, offset: directory.name_start, size });
        }
        Ok(())
    }

    /// Notes a complete child. The original counts contents that it has just written to the payload stream as part of
    /// the child (pxar.md 5), `payload_bytes`; nobody may rely on it, but tables come out the same.
    fn end_child(&mut self, name: &[u8], start: EntryStart, payload_bytes: u64) {
        let size = self.position() - start.0 + payload_bytes;
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(Record { hash: name_hash(name), offset: start.0, size });
        }
    }

    fn put_name(&mut self, name: &[u8]) -> Result<EntryStart, PxarError> {
        if let Some(problem) = items::name_problem(name) {
            return Err(PxarError::Invalid(problem.into()));
        }
        let start = EntryStart(self.position());
        self.put_item(items::FILENAME, &[name, &[0]])?;
        Ok(start)
    }

    fn put_metadata(&mut self, metadata: &Metadata) -> Result<(), PxarError> {
        let stat = &metadata.stat;
        let ids = u64::from(stat.uid) | u64::from(stat.gid) << 32;
        let seconds = stat.mtime.seconds as u64;
        let nanoseconds = u64::from(stat.mtime.nanoseconds);
        self.put_numbers(items::ENTRY, &[stat.mode, stat.flags, ids, seconds, nanoseconds])?;
        for xattr in &metadata.xattrs {
            check_xattr(&xattr.name, &xattr.value)?;
            self.put_item(items::XATTR, &[&xattr.name, &[0], &xattr.value])?;
        }
        self.put_acl(metadata)?;
        if let Some(fcaps) = &metadata.fcaps {
            self.put_item(items::FCAPS, &[fcaps])?;
        }
        if let Some(id) = metadata.quota_project_id {
            self.put_numbers(items::QUOTA_PROJID, &[id])?;
        }
        Ok(())
    }

    fn put_acl(&mut self, metadata: &Metadata) -> Result<(), PxarError> {
        let acl = &metadata.acl;
        self.put_acl_entries(items::ACL_USER, &acl.users)?;
        self.put_acl_entries(items::ACL_GROUP, &acl.groups)?;
        if let Some(permissions) = acl.group_obj {
            self.put_numbers(items::ACL_GROUP_OBJ, &[permissions])?;
        }
        if let Some(default) = &acl.default {
            let numbers = [default.user_obj, default.group_obj, default.other, default.mask];
            self.put_numbers(items::ACL_DEFAULT, &numbers)?;
        }
        self.put_acl_entries(items::ACL_DEFAULT_USER, &acl.default_users)?;
        self.put_acl_entries(items::ACL_DEFAULT_GROUP, &acl.default_groups)
    }

    fn put_acl_entries(&mut self, item_type: u64, entries: &[AclEntry]) -> Result<(), PxarError> {
        for entry in entries {
            self.put_numbers(item_type, &[entry.id, entry.permissions])?;
        }
        Ok(())
    }

    fn put_numbers(&mut self, item_type: u64, numbers: &[u64]) -> Result<(), PxarError> {
        self.put_header(item_type, numbers.len() as u64 * 8)?;
        for number in numbers {
            self.output.put(&number.to_le_bytes())?;
        }
        Ok(())
    }

    fn put_item(&mut self, item_type: u64, parts: &[&[u8]]) -> Result<(), PxarError> {
        self.put_header(item_type, parts.iter().map(|part| part.len() as u64).sum())?;
        for part in parts {
            self.output.put(part)?;
        }
        Ok(())
    }

    fn put_header(&mut self, item_type: u64, content_bytes: u64) -> Result<(), PxarError> {
        if content_bytes > u64::MAX - items::HEADER_BYTES {
            return Err(PxarError::Invalid("content is too large for an archive".into()));
        }
        self.output.put(&Header { item_type, content_bytes }.encode())
    }

    fn check_type(&self, metadata: &Metadata, expected: u64) -> Result<(), PxarError> {
        if metadata.file_type() == expected {
            return Ok(());
        }
        let mode = metadata.stat.mode;
        Err(PxarError::Invalid(format!("mode {mode:o} does not have the file type {expected:o} of the entry")))
    }
}

fn check_path(path: &[u8], what: &str) -> Result<(), PxarError> {
    let fits = !path.is_empty() && path.len() as u64 <= items::MAX_NAME_BYTES && !path.contains(&0);
    fits.then_some(()).ok_or_else(|| PxarError::Invalid(format!("{what} is empty, too long or contains a NUL")))
}

fn check_xattr(name: &[u8], value: &[u8]) -> Result<(), PxarError> {
    let name_fits = !name.is_empty() && name.len() as u64 <= items::MAX_XATTR_NAME_BYTES && !name.contains(&0);
    if name_fits && value.len() as u64 <= items::MAX_XATTR_VALUE_BYTES {
        return Ok(());
    }
    Err(PxarError::Invalid(format!("extended attribute {} does not fit in an archive", crate::report::quoted(name))))
}
