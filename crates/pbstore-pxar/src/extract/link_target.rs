//! Finds the target of a hard link below the root, and nowhere else.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{openat, statat, AtFlags, FileType, Mode, OFlags};

/// The directory of a link's target, and the target's name in it.
pub struct LinkTarget<'a> {
    pub directory: OwnedFd,
    pub name: &'a [u8],
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
