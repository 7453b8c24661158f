//! How the walk gets at inodes. What cannot be had is a warning and is left out; what is broken ends the walk.

use std::ffi::CStr;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{fstat, openat, statat, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{Walk, FILE_FLAGS};
use crate::create::file_system::FileSystem;
use crate::create::warning;
use crate::directory_stack::DIRECTORY_FLAGS;
use crate::error::PxarError;
use crate::flags::Flags;
use crate::inode::Inode;
use crate::metadata::Metadata;
use crate::report::Reporter;

impl<W: Write> Walk<'_, W> {
    /// The inode behind a name; `None` after a warning if it cannot be had.
    pub(super) fn stat(&mut self, name: &CStr) -> Result<Option<Stat>, PxarError> {
        let Some(directory) = self.stack.current() else { return Ok(None) };
        match statat(directory.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => return Ok(Some(stat)),
            Err(Errno::NOENT) => self.warn_vanished(),
            Err(Errno::STALE) => self.warn_stale(),
            Err(Errno::ACCESS) => {
                let path = self.shown_path();
                self.reporter.warn(format!("warning: failed to stat file: {path}: access denied"));
            }
            Err(error) => return Err(PxarError::file("failed to stat", &self.path, error)),
        }
        Ok(None)
    }

    /// Opens a name of the current directory; `None` after a warning if it cannot be opened.
    pub(super) fn open(&mut self, name: &CStr, flags: OFlags) -> Result<Option<OwnedFd>, PxarError> {
        let Some(directory) = self.stack.current() else { return Ok(None) };
        match open_quietly(directory.fd, name, flags) {
            Ok(fd) => return Ok(Some(fd)),
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => self.warn_vanished(),
            Err(Errno::STALE) => self.warn_stale(),
            Err(Errno::ACCESS) => {
                let path = self.shown_path();
                self.reporter.warn(format!("failed to open file: {path}: access denied"));
            }
            Err(error) => return Err(PxarError::file("failed to open", &self.path, error)),
        }
        Ok(None)
    }

    /// Opens what a listing says to be a file or directory without a look at it before, which spares most inodes a call.
    /// `None` if that does not work or if it is something else by now: a closer look will tell.
    pub(super) fn open_as_listed(&mut self, name: &CStr, kind: FileType) -> Option<(OwnedFd, Stat)> {
        let flags = match kind {
            FileType::RegularFile => FILE_FLAGS,
            FileType::Directory => DIRECTORY_FLAGS,
            _ => return None,
        };
        let fd = open_quietly(self.stack.current()?.fd, name, flags).ok()?;
        let stat = fstat(&fd).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == kind).then_some((fd, stat))
    }

    /// Stat data of an open inode; `None` after a warning if the server lost it.
    pub(super) fn fstat(&mut self, fd: &OwnedFd) -> Result<Option<Stat>, PxarError> {
        let result = fstat(fd).map_err(io::Error::from);
        self.unless_stale(result)
    }

    /// All metadata of an open inode; `None` after a warning if the server lost it.
    pub(super) fn metadata(&mut self, inode: &Inode, stat: &Stat) -> Result<Option<Metadata>, PxarError> {
        // Overlays give files other device numbers than the directories they are in, so those count for directories only.
        let known = if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            self.file_systems.iter().position(|known| known.device == stat.st_dev)
        } else {
            self.stack.current().map(|current| current.state.file_system)
        };
        let mut unknown = FileSystem { device: stat.st_dev, features: Flags::DEFAULT, is_virtual: false };
        let file_system = known.map_or(&mut unknown, |index| &mut self.file_systems[index]);
        let result = self.attributes.read(inode, stat, file_system);
        self.unless_stale(result)
    }

    fn unless_stale<T>(&mut self, result: io::Result<T>) -> Result<Option<T>, PxarError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.raw_os_error() == Some(Errno::STALE.raw_os_error()) => {
                self.warn_stale();
                Ok(None)
            }
            Err(error) => Err(PxarError::file("failed to read the metadata of", &self.path, error)),
        }
    }

    /// Index of the file system that an open directory is on.
    pub(super) fn file_system(&mut self, directory: &OwnedFd, device: u64) -> Result<usize, PxarError> {
        if let Some(index) = self.file_systems.iter().position(|known| known.device == device) {
            return Ok(index);
        }
        let file_system = FileSystem::of(directory, device)
            .map_err(|error| PxarError::file("failed to look at the file system of", &self.path, error))?;
        self.file_systems.push(file_system);
        Ok(self.file_systems.len() - 1)
    }

    pub(super) fn warn_vanished(&mut self) {
        self.reporter.warn(warning::vanished(&self.path));
    }

    pub(super) fn warn_stale(&mut self) {
        self.reporter.warn(warning::stale(&self.path));
    }

    /// The current path as messages show it.
    pub(super) fn shown_path(&self) -> String {
        warning::shown(&self.path)
    }
}

/// Opens without a new time of last access, where that is allowed: only the owner may leave it alone.
fn open_quietly(directory: BorrowedFd, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let quiet = if flags.contains(OFlags::PATH) { flags } else { flags | OFlags::NOATIME };
    match openat(directory, name, quiet, Mode::empty()) {
        Err(Errno::PERM) => openat(directory, name, flags, Mode::empty()),
        result => result,
    }
}
