//! Makes the archive's entries below the target: every name is used in an open directory, never as part of a path.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::attributes::{AttributeError, AttributeWriter};
use super::link_target;
use super::sparse::{ContentError, SparseWriter};
use super::{ExtractOptions, ExtractStats};
use crate::decoder::{Decoder, Event};
use crate::directory_stack::{DirectoryStack, DIRECTORY_FLAGS};
use crate::entry::{Device, Entry, Kind};
use crate::error::PxarError;
use crate::flags::Flags;
use crate::inode::{timestamps, Inode};
use crate::metadata::Metadata;
use crate::posix_acl;
use crate::report::{quoted, Counting, Reporter};

const NEW_FILE_FLAGS: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Most memory for the metadata of the directories on the current path, which is applied when they are left.
const MAX_HELD_BYTES: usize = 64 << 20;

/// See [`super::extract_archive`].
pub fn extract<R: Read>(
    input: R,
    target: &Path,
    options: &ExtractOptions,
    reporter: &mut dyn Reporter,
) -> Result<ExtractStats, PxarError> {
    let mut decoder = Decoder::new(input);
    let Some(Event::Entry(root_entry)) = decoder.next_event()? else {
        return Err(PxarError::Invalid("the archive has no root directory".into()));
    };
    let root = open_target(target)?;
    let clone = root.try_clone().map_err(|error| failed("failed to open the directory", target, error))?;
    let mut extraction = Extraction {
        decoder,
        options,
        reporter: Counting::new(reporter),
        root,
        stack: DirectoryStack::new(),
        attributes: AttributeWriter::new(options.features),
        content: SparseWriter::new(),
        held_bytes: 0,
        skipped_depth: 0,
        failed_count: 0,
        stats: ExtractStats { entry_count: 1, ..ExtractStats::default() },
    };
    extraction.reporter.entry(b"");
    extraction.enter(clone, root_entry.metadata, true)?;
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

fn outside() -> PxarError {
    PxarError::Invalid("an entry outside of every directory".into())
}

fn failed(action: &'static str, path: &Path, error: impl Into<std::io::Error>) -> PxarError {
    PxarError::file(action, path.as_os_str().as_encoded_bytes(), error)
}

struct Extraction<'a, R: Read> {
    decoder: Decoder<R>,
    options: &'a ExtractOptions,
    reporter: Counting<'a>,
    root: OwnedFd,
    /// The open directories, with the metadata that they get when they are left.
    stack: DirectoryStack<Metadata>,
    attributes: AttributeWriter,
    content: SparseWriter,
    held_bytes: usize,
    /// How deep the decoder is inside a directory that could not be made.
    skipped_depth: usize,
    failed_count: u64,
    stats: ExtractStats,
}

impl<R: Read> Extraction<'_, R> {
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
        self.reporter.entry(self.decoder.path());
        let result = self.extract(entry);
        if result.is_ok() {
            self.stats.entry_count += 1;
        } else if is_directory {
            self.skipped_depth = 1;
        }
        self.settle(result)
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
        let Entry { name, kind, metadata, .. } = entry;
        let features = self.options.features;
        match kind {
            Kind::Directory => self.directory(&name, metadata),
            Kind::File { payload_offset: Some(_), .. } => Err(PxarError::Invalid(
                "the archive is the metadata part of a split archive, which has no file contents".into(),
            )),
            Kind::File { .. } => self.file(&name, &metadata),
            Kind::Hardlink { target, .. } => self.hard_link(&name, &target),
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

    fn directory(&mut self, name: &[u8], metadata: Metadata) -> Result<(), PxarError> {
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
        self.held_bytes += metadata.held_bytes();
        if self.held_bytes > MAX_HELD_BYTES {
            return Err(PxarError::Invalid("the archive has more than 64 MiB of metadata on one path".into()));
        }
        self.stack.push(directory, metadata).map_err(|error| self.error("failed to enter the directory", error))
    }

    /// Gives the current directory its metadata and goes back to its parent.
    fn leave(&mut self) -> Result<(), PxarError> {
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

    fn file(&mut self, name: &[u8], metadata: &Metadata) -> Result<(), PxarError> {
        let replace = self.options.overwrite_files;
        let fd = self
            .make(name, replace, |directory| fs::openat(directory, name, NEW_FILE_FLAGS, Mode::RUSR | Mode::WUSR))
            .map_err(|error| self.error("failed to create the file", error))?;
        let inode = Inode::opened(fd.as_fd());
        let initial = self.attributes.apply_initial(&inode, metadata);
        self.applied(initial.map(|()| Vec::new()))?;
        let written = self.content.write(&mut self.decoder, fd.as_fd(), &self.reporter);
        self.stats.file_bytes += written.map_err(|error| match error {
            ContentError::Fatal(error) => error,
            ContentError::Write(error) => self.error("failed to write to", error),
        })?;
        let applied = self.attributes.apply(&inode, metadata);
        self.applied(applied)
    }

    fn hard_link(&mut self, name: &[u8], target: &[u8]) -> Result<(), PxarError> {
        let found = link_target::find(self.root.as_fd(), target)
            .map_err(|error| PxarError::file("failed to find the hard link target", target, error))?;
        let replace = self.options.overwrite_hardlinks;
        self.make(name, replace, |directory| {
            fs::linkat(&found.directory, found.name, directory, name, AtFlags::empty())
        })
        .map_err(|error| self.error("failed to create the hard link", error))
    }

    fn symlink(&mut self, name: &[u8], target: &[u8], metadata: &Metadata) -> Result<(), PxarError> {
        let replace = self.options.overwrite_symlinks;
        self.make(name, replace, |directory| fs::symlinkat(target, directory, name))
            .map_err(|error| self.error("failed to create the symlink", error))?;
        let directory = self.stack.current().ok_or_else(outside)?.fd;
        let owned = self.attributes.apply_owner(metadata, |uid, gid| {
            let (uid, gid) = (fs::Uid::from_raw(uid), fs::Gid::from_raw(gid));
            fs::chownat(directory, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        });
        let times = timestamps(metadata.stat.mtime);
        let timed = fs::utimensat(directory, name, &times, AtFlags::SYMLINK_NOFOLLOW);
        self.applied(owned.map(|_| Vec::new()))?;
        timed.map_err(|error| self.error("failed to set the time of", error))
    }

    fn device(&mut self, name: &[u8], kind: FileType, device: Device, metadata: &Metadata) -> Result<(), PxarError> {
        let result = match (u32::try_from(device.major), u32::try_from(device.minor)) {
            (Ok(major), Ok(minor)) => self.special(name, kind, fs::makedev(major, minor), metadata),
            _ => Err(self.error("failed to create the device node", Errno::INVAL)),
        };
        match result {
            Err(error @ PxarError::File { .. }) if self.options.ignore_device_errors => {
                self.reporter.warn(format!("warning: {error}"));
                Ok(())
            }
            result => result,
        }
    }

    fn special(&mut self, name: &[u8], kind: FileType, device: u64, metadata: &Metadata) -> Result<(), PxarError> {
        let action = match kind {
            FileType::Fifo => "failed to create the fifo",
            FileType::Socket => "failed to create the socket",
            _ => "failed to create the device node (only root can; or leave device nodes out)",
        };
        let replace = self.options.overwrite_files;
        let mode = Mode::RUSR | Mode::WUSR;
        self.make(name, replace, |directory| fs::mknodat(directory, name, kind, mode, device))
            .map_err(|error| self.error(action, error))?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat(self.current()?, name, flags, Mode::empty())
            .map_err(|error| self.error("failed to open", error))?;
        let stat = fs::fstat(&fd).map_err(|error| self.error("failed to stat", error))?;
        if FileType::from_raw_mode(stat.st_mode) != kind {
            return Err(self.error("failed to open", std::io::Error::other("it was replaced meanwhile")));
        }
        let applied = self.attributes.apply(&Inode::named(fd.as_fd()), metadata);
        self.applied(applied)
    }

    /// Makes something new; if allowed, in place of whatever has its name and is no directory.
    ///
    /// An old file is removed, never written to: it may have other names outside the target.
    fn make<T>(
        &mut self,
        name: &[u8],
        replace: bool,
        make: impl Fn(BorrowedFd) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let directory = self.stack.current().ok_or(Errno::BADF)?.fd;
        match make(directory) {
            Err(Errno::EXIST) if replace => {
                fs::unlinkat(directory, name, AtFlags::empty())?;
                make(directory)
            }
            result => result,
        }
    }

    fn current(&mut self) -> Result<BorrowedFd<'_>, PxarError> {
        Ok(self.stack.current().ok_or_else(outside)?.fd)
    }

    /// Passes warnings on, and names the entry in an error.
    fn applied(&mut self, result: Result<Vec<String>, AttributeError>) -> Result<(), PxarError> {
        let warnings = result.map_err(|(action, error)| self.error(action, error))?;
        for warning in warnings {
            let path = quoted(self.decoder.path());
            self.reporter.warn(format!("warning: {path}: {warning}"));
        }
        Ok(())
    }

    fn error(&self, action: &'static str, error: impl Into<std::io::Error>) -> PxarError {
        PxarError::file(action, self.decoder.path(), error)
    }
}
