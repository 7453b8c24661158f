//! How the walk gets at inodes. What cannot be had is a warning and is left out; what is broken ends the walk.

use std::ffi::CStr;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{fstat, openat, statat, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::Walk;
use crate::create::file_system::FileSystem;
use crate::create::warning;
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
        let quiet = if flags.contains(OFlags::PATH) { flags } else { flags | OFlags::NOATIME };
        let opened = match openat(directory.fd, name, quiet, Mode::empty()) {
            // Only the owner may leave the time of last access alone.
            Err(Errno::PERM) => openat(directory.fd, name, flags, Mode::empty()),
            result => result,
        };
        match opened {
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

    /// All metadata of an open inode; `None` after a warning if the server lost it.
    pub(super) fn inspect(&mut self, fd: &OwnedFd, only_named: bool) -> Result<Option<(Stat, Metadata)>, PxarError> {
        let result = self.try_inspect(fd, only_named);
        match result {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.raw_os_error() == Some(Errno::STALE.raw_os_error()) => {
                self.warn_stale();
                Ok(None)
            }
            Err(error) => Err(PxarError::file("failed to read the metadata of", &self.path, error)),
        }
    }

    fn try_inspect(&mut self, fd: &OwnedFd, only_named: bool) -> io::Result<(Stat, Metadata)> {
        let stat = fstat(fd)?;
        let inode = if only_named { Inode::named(fd.as_fd()) } else { Inode::opened(fd.as_fd()) };
        // Overlays give files other device numbers than the directories they are in, so those count for directories only.
        let known = if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            self.file_systems.iter().position(|known| known.device == stat.st_dev)
        } else {
            self.stack.current().map(|current| current.state.file_system)
        };
        let mut unknown = FileSystem { device: stat.st_dev, features: Flags::DEFAULT, is_virtual: false };
        let file_system = known.map_or(&mut unknown, |index| &mut self.file_systems[index]);
        let metadata = self.attributes.read(&inode, &stat, file_system)?;
        Ok((stat, metadata))
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
