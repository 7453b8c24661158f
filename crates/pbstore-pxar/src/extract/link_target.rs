//! Finds the target of a hard link below the root, and nowhere else.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{openat, statat, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::inode_flags;

/// The directory of a link's target, and the target's name in it.
pub struct LinkTarget<'a> {
    pub directory: OwnedFd,
    pub name: &'a [u8],
}

/// Kernel flags of a file that forbid further names: append-only and immutable.
const SEALS: u32 = 0x20 | 0x10;

impl LinkTarget<'_> {
    /// Calls `link` while the target's flags that forbid further names are off; they were set with its own name.
    pub fn unsealed(&self, link: impl FnOnce() -> Result<(), Errno>) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.directory, self.name, flags, Mode::empty())?;
        let seals = inode_flags::chattr(file.as_fd())? & SEALS;
        if seals == 0 {
            return Err(Errno::PERM.into());
        }
        inode_flags::set_chattr(file.as_fd(), seals, 0)?;
        let linked = link();
        inode_flags::set_chattr(file.as_fd(), seals, seals)?;
        Ok(linked?)
    }
}

/// Walks `path` from `root` component by component, through real directories only, to a regular file.
pub fn find<'a>(root: BorrowedFd, path: &'a [u8]) -> io::Result<LinkTarget<'a>> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut directory = root.try_clone_to_owned()?;
    let mut components = path.split(|byte| *byte == b'/').peekable();
    while let Some(name) = components.next() {
        if matches!(name, b"" | b"." | b"..") {
            return Err(io::Error::other("its path leaves the archive"));
        }
        if components.peek().is_none() {
            let stat = statat(directory.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                return Err(io::Error::other("it is no regular file"));
            }
            return Ok(LinkTarget { directory, name });
        }
        directory = openat(&directory, name, flags, Mode::empty())?;
    }
    Err(io::Error::other("it has no path"))
}
