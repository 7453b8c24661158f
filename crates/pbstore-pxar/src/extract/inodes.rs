//! Makes single entries in the current directory.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::attributes::AttributeError;
use super::link_target;
use super::sparse::ContentError;
use super::tree::{outside, Extraction};
use crate::accessor::FileContent;
use crate::entry::Device;
use crate::error::PxarError;
use crate::inode::{timestamps, Inode};
use crate::metadata::Metadata;
use crate::read_at::ReadAt;
use crate::report::{quoted, Reporter};

const NEW_FILE_FLAGS: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl<R: Read, P: Read> Extraction<'_, R, P> {
    /// Makes the decoder's current file.
    pub fn file(&mut self, name: &[u8], metadata: &Metadata) -> Result<(), PxarError> {
        let fd = self.new_file(name, metadata)?;
        let read = |buffer: &mut [u8]| self.decoder.read_content(buffer);
        let written = self.content.write(read, fd.as_fd(), &self.reporter);
        self.finish_file(&fd, metadata, written)
    }

    /// Makes a file whose content is somewhere else.
    pub fn file_of(&mut self, name: &[u8], metadata: &Metadata, content: &FileContent) -> Result<(), PxarError> {
        let fd = self.new_file(name, metadata)?;
        let mut offset = 0;
        let read = |buffer: &mut [u8]| {
            let wanted = (content.size() - offset).min(buffer.len() as u64) as usize;
            content.read_exact_at(&mut buffer[..wanted], offset).map_err(PxarError::Read)?;
            offset += wanted as u64;
            Ok(wanted)
        };
        let written = self.content.write(read, fd.as_fd(), &self.reporter);
        self.finish_file(&fd, metadata, written)
    }

    fn new_file(&mut self, name: &[u8], metadata: &Metadata) -> Result<OwnedFd, PxarError> {
        let replace = self.options.overwrite_files;
        let fd = self
            .make(name, replace, |directory| fs::openat(directory, name, NEW_FILE_FLAGS, Mode::RUSR | Mode::WUSR))
            .map_err(|error| self.error("failed to create the file", error))?;
        let initial = self.attributes.apply_initial(&Inode::opened(fd.as_fd()), metadata);
        self.applied(initial.map(|()| Vec::new()))?;
        Ok(fd)
    }

    fn finish_file(
        &mut self,
        fd: &OwnedFd,
        metadata: &Metadata,
        written: Result<u64, ContentError>,
    ) -> Result<(), PxarError> {
        self.stats.file_bytes += written.map_err(|error| match error {
            ContentError::Fatal(error) => error,
            ContentError::Write(error) => self.error("failed to write to", error),
        })?;
        let applied = self.attributes.apply(&Inode::opened(fd.as_fd()), metadata);
        self.applied(applied)
    }

    /// Makes another name of the file that was extracted at `target`, a path from the root.
    pub fn link_to(&mut self, name: &[u8], target: &[u8]) -> Result<(), PxarError> {
        let found = link_target::find(self.root.as_fd(), target)
            .map_err(|error| PxarError::file("failed to find the hard link target", target, error))?;
        let replace = self.options.overwrite_hardlinks;
        let link = |directory: BorrowedFd| fs::linkat(&found.directory, found.name, directory, name, AtFlags::empty());
        let made = match self.make(name, replace, link) {
            Err(Errno::PERM) => found.unsealed(|| self.make(name, replace, link)),
            made => made.map_err(Into::into),
        };
        made.map_err(|error| self.error("failed to create the hard link", error))
    }

    pub fn symlink(&mut self, name: &[u8], target: &[u8], metadata: &Metadata) -> Result<(), PxarError> {
        let replace = self.options.overwrite_symlinks;
        self.make(name, replace, |directory| fs::symlinkat(target, directory, name))
            .map_err(|error| self.error("failed to create the symlink", error))?;
        let directory = self.stack.current().ok_or_else(outside)?.fd;
        let owned = self
            .attributes
            .apply_owner(metadata, |uid, gid| fs::chownat(directory, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW));
        let times = timestamps(metadata.stat.mtime);
        let timed = fs::utimensat(directory, name, &times, AtFlags::SYMLINK_NOFOLLOW);
        self.applied(owned.map(|_| Vec::new()))?;
        timed.map_err(|error| self.error("failed to set the time of", error))
    }

    pub fn device(
        &mut self,
        name: &[u8],
        kind: FileType,
        device: Device,
        metadata: &Metadata,
    ) -> Result<(), PxarError> {
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

    pub fn special(&mut self, name: &[u8], kind: FileType, device: u64, metadata: &Metadata) -> Result<(), PxarError> {
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

    /// Passes warnings on, and names the entry in an error.
    pub fn applied(&mut self, result: Result<Vec<String>, AttributeError>) -> Result<(), PxarError> {
        let warnings = result.map_err(|(action, error)| self.error(action, error))?;
        for warning in warnings {
            let path = quoted(self.decoder.path());
            self.reporter.warn(format!("warning: {path}: {warning}"));
        }
        Ok(())
    }

    pub fn error(&self, action: &'static str, error: impl Into<std::io::Error>) -> PxarError {
        PxarError::file(action, self.decoder.path(), error)
    }
}
