//! Makes the archive's entries below the target: every name is used in an open directory, never as part of a path.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::attributes::AttributeWriter;
use super::loose_links::LooseLinks;
use super::selection::Selection;
use super::sparse::SparseWriter;
use super::{ExtractOptions, ExtractStats};
use crate::decoder::{Decoder, Event};
use crate::directory_stack::{DirectoryStack, DIRECTORY_FLAGS};
use crate::entry::{Entry, Kind};
use crate::error::PxarError;
use crate::flags::Flags;
use crate::inode::Inode;
use crate::metadata::Metadata;
use crate::posix_acl;
use crate::report::{Counting, Reporter};

/// Most memory for the metadata of the directories on the current path, which is applied when they are left.
const MAX_HELD_BYTES: usize = 64 << 20;

/// See [`super::extract_archive`].
pub fn extract<R: Read, P: Read>(
    mut decoder: Decoder<R, P>,
    target: &Path,
    options: &ExtractOptions,
    reporter: &mut dyn Reporter,
) -> Result<ExtractStats, PxarError> {
    let Some(Event::Entry(root_entry)) = decoder.next_event()? else {
        return Err(PxarError::Invalid("the archive has no root directory".into()));
    };
    if let Some(prelude) = decoder.prelude() {
        reporter.prelude(prelude);
    }
    if !decoder.has_contents() {
        return Err(PxarError::PayloadRequired);
    }
    let mut extraction = Extraction {
        decoder,
        options,
        reporter: Counting::new(reporter),
        root: open_target(target)?,
        selection: Selection::new(&options.patterns),
        stack: DirectoryStack::new(),
        held_back: Vec::new(),
        attributes: AttributeWriter::new(options.features),
        content: SparseWriter::new(),
        loose_links: LooseLinks::default(),
        held_bytes: 0,
        skipped_depth: 0,
        failed_count: 0,
        stats: ExtractStats::default(),
    };
    extraction.entry(root_entry)?;
    extraction.run()
}

fn open_target(target: &Path) -> Result<OwnedFd, PxarError> {
    match fs::mkdir(target, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(failed("failed to create the directory", target, error)),
    }
    // The target is the user's choice and may be a symlink, unlike everything below it.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    fs::open(target, flags, Mode::empty()).map_err(|error| failed("failed to open the directory", target, error))
}

pub(super) fn outside() -> PxarError {
    PxarError::Invalid("an entry outside of every directory".into())
}

fn failed(action: &'static str, path: &Path, error: impl Into<std::io::Error>) -> PxarError {
    PxarError::file(action, path.as_os_str().as_encoded_bytes(), error)
}

pub(super) struct Extraction<'a, R: Read, P: Read> {
    pub decoder: Decoder<R, P>,
    pub options: &'a ExtractOptions,
    pub reporter: Counting<'a>,
    pub root: OwnedFd,
    pub selection: Selection<'a>,
    /// The open directories, with the metadata that they get when they are left.
    pub stack: DirectoryStack<Metadata>,
    /// Directories below those, which are made once something in them is selected.
    held_back: Vec<HeldBack>,
    pub attributes: AttributeWriter,
    pub content: SparseWriter,
    pub loose_links: LooseLinks,
    held_bytes: usize,
    /// How deep the decoder is inside a directory that could not be made.
    skipped_depth: usize,
    failed_count: u64,
    pub stats: ExtractStats,
}

/// A directory that is not selected itself.
struct HeldBack {
    name: Vec<u8>,
    metadata: Metadata,
}

impl<R: Read, P: Read> Extraction<'_, R, P> {
    fn run(mut self) -> Result<ExtractStats, PxarError> {
        while let Some(event) = self.decoder.next_event()? {
            if self.reporter.cancelled() {
                return Err(PxarError::Cancelled);
            }
            match event {
                Event::Entry(entry) => self.entry(entry)?,
                Event::DirectoryEnd if self.skipped_depth > 0 => self.skipped_depth -= 1,
                Event::DirectoryEnd => self.leave()?,
            }
        }
        self.attributes.summarise(&mut self.reporter);
        if self.stats.entry_count == 0 && self.failed_count == 0 {
            self.reporter.warn("warning: nothing in the archive matches the patterns".to_owned());
        }
        self.stats.warning_count = self.reporter.warnings;
        match self.failed_count {
            0 => Ok(self.stats),
            count => Err(PxarError::Incomplete { count }),
        }
    }

    fn entry(&mut self, entry: Entry) -> Result<(), PxarError> {
        let is_directory = entry.kind == Kind::Directory;
        if self.skipped_depth > 0 {
            self.skipped_depth += usize::from(is_directory);
            return Ok(());
        }
        let selected = self.selection.selects(self.decoder.path(), is_directory);
        let result = match selected {
            true => self.selected(entry),
            false if is_directory => self.hold_back(entry),
            false => Ok(()),
        };
        match result {
            Ok(()) if is_directory => self.selection.enter(selected),
            Err(_) if is_directory => self.skipped_depth += 1,
            _ => {}
        }
        self.settle(result)
    }

    fn selected(&mut self, entry: Entry) -> Result<(), PxarError> {
        self.reporter.entry(self.decoder.path());
        self.make_held_back()?;
        self.extract(entry)?;
        self.stats.entry_count += 1;
        Ok(())
    }

    /// Makes a warning of what went wrong with one entry, if the options say so.
    fn settle(&mut self, result: Result<(), PxarError>) -> Result<(), PxarError> {
        match result {
            Err(error @ PxarError::File { .. }) if !self.options.strict => {
                self.failed_count += 1;
                self.reporter.warn(error.to_string());
                Ok(())
            }
            result => result,
        }
    }

    fn extract(&mut self, entry: Entry) -> Result<(), PxarError> {
        let features = self.options.features;
        if let Kind::Hardlink { target, .. } = &entry.kind {
            return self.hard_link(&entry, target);
        }
        let Entry { name, kind, metadata, .. } = entry;
        match kind {
            Kind::Directory => self.directory(&name, metadata),
            Kind::File { .. } => self.file(&name, &metadata),
            Kind::Symlink { target } if features.contains(Flags::SYMLINKS) => self.symlink(&name, &target, &metadata),
            Kind::BlockDevice(device) if features.contains(Flags::DEVICE_NODES) => {
                self.device(&name, FileType::BlockDevice, device, &metadata)
            }
            Kind::CharDevice(device) if features.contains(Flags::DEVICE_NODES) => {
                self.device(&name, FileType::CharacterDevice, device, &metadata)
            }
            Kind::Fifo if features.contains(Flags::FIFOS) => self.special(&name, FileType::Fifo, 0, &metadata),
            Kind::Socket if features.contains(Flags::SOCKETS) => self.special(&name, FileType::Socket, 0, &metadata),
            _ => Ok(()),
        }
    }

    fn hold_back(&mut self, entry: Entry) -> Result<(), PxarError> {
        self.hold(&entry.metadata)?;
        self.held_back.push(HeldBack { name: entry.name, metadata: entry.metadata });
        Ok(())
    }

    /// Makes the directories on the way to an entry that is selected. If one cannot be made, all in it is skipped.
    fn make_held_back(&mut self) -> Result<(), PxarError> {
        let mut held_back = std::mem::take(&mut self.held_back).into_iter();
        while let Some(HeldBack { name, metadata }) = held_back.next() {
            self.held_bytes -= metadata.held_bytes();
            if let Err(error) = self.directory(&name, metadata) {
                for inner in held_back {
                    self.held_bytes -= inner.metadata.held_bytes();
                    self.skip_directory();
                }
                self.skip_directory();
                return Err(self.error_of_parent(error));
            }
            self.stats.entry_count += 1;
        }
        Ok(())
    }

    /// Skips what follows up to the end of the current directory.
    fn skip_directory(&mut self) {
        self.selection.leave();
        self.skipped_depth += 1;
    }

    /// An error of a directory around the current entry: the one below those that are open.
    fn error_of_parent(&self, error: PxarError) -> PxarError {
        let PxarError::File { action, source, .. } = error else { return error };
        let components = self.decoder.path().split(|byte| *byte == b'/').take(self.stack.depth());
        PxarError::file(action, &components.collect::<Vec<_>>().join(&b'/'), source)
    }

    fn directory(&mut self, name: &[u8], metadata: Metadata) -> Result<(), PxarError> {
        if self.stack.depth() == 0 {
            let root = self.root.try_clone().map_err(|error| self.error("failed to open the directory", error))?;
            return self.enter(root, metadata, true);
        }
        let existed = match fs::mkdirat(self.current()?, name, Mode::RWXU) {
            Ok(()) => false,
            Err(Errno::EXIST) if self.options.allow_existing_dirs => true,
            Err(error) => return Err(self.error("failed to create the directory", error)),
        };
        let fd = fs::openat(self.current()?, name, DIRECTORY_FLAGS, Mode::empty())
            .map_err(|error| self.error("failed to open the directory", error))?;
        self.enter(fd, metadata, existed)
    }

    fn enter(&mut self, directory: OwnedFd, metadata: Metadata, existed: bool) -> Result<(), PxarError> {
        if existed && self.options.features.contains(Flags::ACL) {
            // What lies in a directory with a default ACL inherits it; ACLs have to be the archive's. Where there is
            // none, or it is not ours to change, there is nothing to do.
            let inode = Inode::opened(directory.as_fd());
            let _ = inode.remove_xattr(posix_acl::DEFAULT_XATTR);
            let _ = inode.remove_xattr(posix_acl::ACCESS_XATTR);
        }
        self.hold(&metadata)?;
        self.stack.push(directory, metadata).map_err(|error| self.error("failed to enter the directory", error))
    }

    fn hold(&mut self, metadata: &Metadata) -> Result<(), PxarError> {
        self.held_bytes += metadata.held_bytes();
        if self.held_bytes > MAX_HELD_BYTES {
            return Err(PxarError::Invalid("the archive has more than 64 MiB of metadata on one path".into()));
        }
        Ok(())
    }

    /// Gives the current directory its metadata and goes back to its parent.
    fn leave(&mut self) -> Result<(), PxarError> {
        self.selection.leave();
        if let Some(HeldBack { metadata, .. }) = self.held_back.pop() {
            self.held_bytes -= metadata.held_bytes();
            return Ok(());
        }
        let mut result = Ok(());
        if let Some(current) = self.stack.current() {
            let metadata = std::mem::take(current.state);
            self.held_bytes -= metadata.held_bytes();
            let applied = self.attributes.apply(&Inode::opened(current.fd), &metadata);
            result = self.applied(applied);
        }
        self.stack.pop().map_err(|error| self.error("failed to go back to the parent of", error))?;
        self.settle(result)
    }

    pub fn current(&mut self) -> Result<BorrowedFd<'_>, PxarError> {
        Ok(self.stack.current().ok_or_else(outside)?.fd)
    }
}
