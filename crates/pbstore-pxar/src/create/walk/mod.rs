//! Goes through the tree, relative to open directories and without recursion, and hands every inode to the encoder.

mod access;

use std::ffi::CString;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{fstat, open, readlinkat, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::archive::Archive;
use super::attributes::{basic, AttributeReader};
use super::exclusions::{Exclusions, PATTERN_FILE, RECORDED_PATTERNS};
use super::file_system::FileSystem;
use super::item::{Body, Item, OpenFile};
use super::listing::{DirectoryReader, Name};
use super::reuse::{Previous, Reuse};
use super::{CreateOptions, CreateStats, Reference, Target};
use crate::directory_stack::{DirectoryStack, DIRECTORY_FLAGS};
use crate::entry::Device;
use crate::error::PxarError;
use crate::flags::Flags;
use crate::inode::Inode;
use crate::metadata::Metadata;
use crate::report::{quoted, Counting, Reporter};

const FILE_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// What the walk keeps for each directory down to the current one.
struct Level {
    names: std::vec::IntoIter<Name>,
    name_count: usize,
    /// Length of the path of this directory.
    path_length: usize,
    file_system: usize,
    /// Active patterns outside of this directory.
    pattern_count: usize,
    /// The same directory in the previous archive.
    previous: Option<Previous>,
}

struct Walk<'a, W: Write> {
    archive: Archive<'a, W>,
    is_split: bool,
    /// For change detection, if there is a previous archive.
    reuse: Option<Reuse>,
    options: &'a CreateOptions,
    reporter: Counting<'a>,
    attributes: AttributeReader,
    listing: DirectoryReader,
    exclusions: Exclusions,
    file_systems: Vec<FileSystem>,
    stack: DirectoryStack<Level>,
    /// Path of the current entry with leading slash; empty for the root.
    path: Vec<u8>,
    held_names: usize,
}

/// See [`super::create_archive`] and [`super::create_split_archive`].
pub fn walk<'a, W: Write>(
    source: &Path,
    target: Target<'a, W>,
    reference: Option<&Reference>,
    options: &'a CreateOptions,
    reporter: &'a mut dyn Reporter,
) -> Result<CreateStats, PxarError> {
    let source_bytes = source.as_os_str().as_encoded_bytes();
    let failed = |error: Errno| PxarError::file("failed to open the directory", source_bytes, error);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(source, flags | OFlags::NOATIME, Mode::empty())
        .or_else(|error| if error == Errno::PERM { open(source, flags, Mode::empty()) } else { Err(error) })
        .map_err(failed)?;
    let stat = fstat(&root).map_err(failed)?;
    let mut file_system = FileSystem::of(&root, stat.st_dev).map_err(failed)?;
    if file_system.is_virtual {
        return Err(PxarError::Invalid(format!("{} lies on a virtual file system", quoted(source_bytes))));
    }
    let mut attributes = AttributeReader::new(options.features, options.skip_e2big_xattr);
    let metadata = attributes
        .read(&Inode::opened(root.as_fd()), &stat, &mut file_system)
        .map_err(|error| PxarError::file("failed to read the metadata of", source_bytes, error))?;
    let mut reporter = Counting::new(reporter);
    reporter.entry(b"");
    let exclusions = Exclusions::new(&options.exclude, options.skip_lost_and_found, &mut reporter)?;
    let (reuse, previous) = Reuse::begin(reference, options.held_files_max, &mut reporter).unzip();
    let walk = Walk {
        is_split: target.payload.is_some(),
        archive: Archive::new(target, exclusions.prelude().as_deref(), &metadata)?,
        reuse,
        options,
        attributes,
        listing: DirectoryReader::new(),
        exclusions,
        reporter,
        file_systems: vec![file_system],
        stack: DirectoryStack::new(),
        path: Vec::new(),
        held_names: 0,
    };
    walk.run(root, previous)
}

impl<W: Write> Walk<'_, W> {
    fn run(mut self, root: OwnedFd, previous: Option<Previous>) -> Result<CreateStats, PxarError> {
        self.enter(root, 0, previous)?;
        while let Some(current) = self.stack.current() {
            let path_length = current.state.path_length;
            match current.state.names.next() {
                Some(name) => {
                    self.path.truncate(path_length);
                    self.path.push(b'/');
                    self.path.extend_from_slice(name.name.to_bytes());
                    self.visit(name)?;
                }
                None => self.leave()?,
            }
        }
        if let Some(mut reuse) = self.reuse {
            reuse.finish(&mut self.archive, &mut self.reporter)?;
        }
        let stats = self.archive.finish()?;
        Ok(CreateStats { warning_count: self.reporter.warnings, ..stats })
    }

    /// Makes an open directory the current one and lists it.
    fn enter(&mut self, directory: OwnedFd, file_system: usize, previous: Option<Previous>) -> Result<(), PxarError> {
        let limit = self.options.entries_max.saturating_sub(self.held_names);
        let names = match self.listing.read(directory.as_fd(), limit) {
            Ok(Some(names)) => names,
            Ok(None) => {
                let max = self.options.entries_max;
                return Err(PxarError::Invalid(format!(
                    "more than {max} directory entries at once in {}; a higher limit needs more memory",
                    quoted(&self.path)
                )));
            }
            Err(error) if error.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => {
                let path = self.shown_path();
                self.reporter.warn(format!("warning: file vanished while reading directory: {path}"));
                Vec::new()
            }
            Err(error) => return Err(PxarError::file("failed to read the directory", &self.path, error)),
        };
        let pattern_count = self.exclusions.len();
        if names.binary_search_by(|entry| entry.name.as_c_str().cmp(PATTERN_FILE)).is_ok() {
            self.exclusions.read_file(directory.as_fd(), &self.path, &mut self.reporter);
        }
        self.held_names += names.len();
        let level = Level {
            name_count: names.len(),
            names: names.into_iter(),
            path_length: self.path.len(),
            file_system,
            pattern_count,
            previous,
        };
        self.stack.push(directory, level).map_err(|error| PxarError::file("failed to enter", &self.path, error))
    }

    /// Ends the current directory and goes back to its parent.
    fn leave(&mut self) -> Result<(), PxarError> {
        if self.stack.depth() > 1 {
            self.end_directory()?;
        } else if let Some(patterns) = self.exclusions.recorded().filter(|_| !self.is_split) {
            // Last in the root, and out of order.
            self.archive.add_generated(RECORDED_PATTERNS, &patterns)?;
        }
        let left = self
            .stack
            .pop()
            .map_err(|error| PxarError::file("failed to go back to the parent of", &self.path, error))?;
        if let Some(level) = left {
            self.held_names -= level.name_count;
            self.exclusions.truncate(level.pattern_count);
        }
        Ok(())
    }

    /// Stores an item, or holds it until it is decided how.
    fn put(&mut self, item: Item) -> Result<(), PxarError> {
        self.reporter.entry(&self.path[1..]);
        let Some(reuse) = &mut self.reuse else { return self.archive.store(&item, &self.path, &mut self.reporter) };
        let previous = self.stack.current().and_then(|current| current.state.previous.as_ref());
        reuse.put(item, &self.path, previous, &mut self.archive, &mut self.reporter)
    }

    fn end_directory(&mut self) -> Result<(), PxarError> {
        match &mut self.reuse {
            Some(reuse) => reuse.end_directory(&mut self.archive),
            None => self.archive.end_directory(),
        }
    }

    fn visit(&mut self, entry: Name) -> Result<(), PxarError> {
        if self.reporter.cancelled() {
            return Err(PxarError::Cancelled);
        }
        // The archive gets an entry of this name that is made of the caller's patterns.
        if !self.is_split && self.stack.depth() == 1 && entry.name.to_bytes() == RECORDED_PATTERNS {
            return Ok(());
        }
        let listed = (entry.kind != FileType::Unknown).then_some(entry.kind);
        // Without a kind, only what is left out in any case can be told before a closer look.
        let excludes = |is_directory| self.exclusions.excludes(&self.path, is_directory);
        if listed.map_or_else(|| excludes(false) && excludes(true), |kind| excludes(kind == FileType::Directory)) {
            return Ok(());
        }
        if let Some((fd, stat)) = listed.and_then(|kind| self.open_as_listed(&entry.name, kind)) {
            return self.visit_opened(entry.name, fd, &stat);
        }
        let Some(stat) = self.stat(&entry.name)? else { return Ok(()) };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if listed != Some(kind) && self.exclusions.excludes(&self.path, kind == FileType::Directory) {
            return Ok(());
        }
        let flags = match kind {
            FileType::RegularFile => FILE_FLAGS,
            FileType::Directory => DIRECTORY_FLAGS,
            FileType::Symlink => return self.visit_symlink(entry.name, &stat),
            _ => return self.visit_special(entry.name, &stat),
        };
        let Some(fd) = self.open(&entry.name, flags)? else { return Ok(()) };
        let Some(stat) = self.fstat(&fd)? else { return Ok(()) };
        self.visit_opened(entry.name, fd, &stat)
    }

    fn visit_opened(&mut self, name: CString, fd: OwnedFd, stat: &Stat) -> Result<(), PxarError> {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.visit_file(name, fd, stat),
            FileType::Directory => self.visit_directory(name, fd, stat),
            // Replaced since it was looked at.
            _ => {
                self.warn_vanished();
                Ok(())
            }
        }
    }

    fn visit_file(&mut self, name: CString, fd: OwnedFd, stat: &Stat) -> Result<(), PxarError> {
        if let Some(id) = self.archive.links.meet(stat) {
            return self.put(Item { name, metadata: Metadata::default(), body: Body::Hardlink(id) });
        }
        let Some(metadata) = self.metadata(&Inode::opened(fd.as_fd()), stat)? else { return Ok(()) };
        let id = self.archive.links.remember(stat, &self.path[1..]);
        self.put(Item { name, metadata, body: Body::File(OpenFile { fd, size: stat.st_size as u64, id }) })
    }

    fn visit_directory(&mut self, name: CString, fd: OwnedFd, stat: &Stat) -> Result<(), PxarError> {
        let Some(metadata) = self.metadata(&Inode::opened(fd.as_fd()), stat)? else { return Ok(()) };
        let file_system = self.file_system(&fd, stat.st_dev)?;
        if !self.descends(file_system) {
            self.put(Item { name, metadata, body: Body::Directory })?;
            return self.end_directory();
        }
        let previous = self.previous(&name);
        self.put(Item { name, metadata, body: Body::Directory })?;
        self.enter(fd, file_system, previous)
    }

    /// What the previous archive has as directory of this name in the current one.
    fn previous(&mut self, name: &CString) -> Option<Previous> {
        let parent = self.stack.current()?.state.previous.as_ref()?;
        self.reuse.as_mut()?.directory(parent, name.to_bytes(), &mut self.reporter)
    }

    fn descends(&mut self, file_system: usize) -> bool {
        let parent = self.stack.current().map(|current| current.state.file_system);
        let FileSystem { device, is_virtual, .. } = self.file_systems[file_system];
        let included = device == self.file_systems[0].device || self.options.include_devices.contains(&device);
        if parent != Some(file_system) && !included && !self.options.all_file_systems {
            let path = self.shown_path();
            self.reporter.info(format!("skipping mount point: {path}"));
            return false;
        }
        if is_virtual {
            let path = self.shown_path();
            self.reporter.info(format!("skipping virtual file system: {path}"));
        }
        !is_virtual
    }

    fn visit_symlink(&mut self, name: CString, stat: &Stat) -> Result<(), PxarError> {
        if !self.options.features.contains(Flags::SYMLINKS) {
            return Ok(());
        }
        let Some(directory) = self.stack.current() else { return Ok(()) };
        let target = match readlinkat(directory.fd, &name, Vec::new()) {
            Ok(target) => target,
            // No symlink any more.
            Err(Errno::INVAL | Errno::NOENT) => {
                self.warn_vanished();
                return Ok(());
            }
            Err(Errno::STALE) => {
                self.warn_stale();
                return Ok(());
            }
            Err(error) => return Err(PxarError::file("failed to read the symlink", &self.path, error)),
        };
        let metadata = Metadata { stat: basic(stat), ..Metadata::default() };
        self.put(Item { name, metadata, body: Body::Symlink(target) })
    }

    /// Adds a device, fifo or socket. It is only named, never opened: opening a device can do things.
    fn visit_special(&mut self, name: CString, stat: &Stat) -> Result<(), PxarError> {
        let feature = match FileType::from_raw_mode(stat.st_mode) {
            FileType::BlockDevice | FileType::CharacterDevice => Flags::DEVICE_NODES,
            FileType::Fifo => Flags::FIFOS,
            FileType::Socket => Flags::SOCKETS,
            _ => return Ok(()),
        };
        if !self.options.features.contains(feature) {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Some(fd) = self.open(&name, flags)? else { return Ok(()) };
        let Some(now) = self.fstat(&fd)? else { return Ok(()) };
        let Some(metadata) = self.metadata(&Inode::named(fd.as_fd()), &now)? else { return Ok(()) };
        if FileType::from_raw_mode(now.st_mode) != FileType::from_raw_mode(stat.st_mode) {
            self.warn_vanished();
            return Ok(());
        }
        let body = if feature == Flags::DEVICE_NODES {
            let (major, minor) = (rustix::fs::major(now.st_rdev), rustix::fs::minor(now.st_rdev));
            Body::Device(Device { major: major.into(), minor: minor.into() })
        } else {
            Body::Special
        };
        self.put(Item { name, metadata, body })
    }
}
