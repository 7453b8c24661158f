//! One inode through its descriptor, whether that was opened for reading or only names the inode.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{self, AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, CWD, UTIME_OMIT};
use rustix::io::Errno;

use crate::metadata::Mtime;

/// An open inode. Nothing here follows a symlink or looks up a name again.
pub struct Inode<'a> {
    fd: BorrowedFd<'a>,
    /// For descriptors opened with O_PATH, which most calls refuse: the same inode as a path of /proc.
    link: Option<String>,
}

impl<'a> Inode<'a> {
    /// An inode opened for reading or writing.
    pub fn opened(fd: BorrowedFd<'a>) -> Self {
        Self { fd, link: None }
    }

    /// An inode opened with O_PATH that is no symlink.
    pub fn named(fd: BorrowedFd<'a>) -> Self {
        Self { fd, link: Some(format!("/proc/self/fd/{}", fd.as_raw_fd())) }
    }

    /// The descriptor for ioctls; `None` if it was opened with O_PATH.
    pub fn ioctl_fd(&self) -> Option<BorrowedFd<'a>> {
        self.link.is_none().then_some(self.fd)
    }

    pub fn list_xattrs(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        match &self.link {
            Some(link) => fs::listxattr(link, buffer),
            None => fs::flistxattr(self.fd, buffer),
        }
    }

    pub fn get_xattr(&self, name: &[u8], buffer: &mut [u8]) -> Result<usize, Errno> {
        match &self.link {
            Some(link) => fs::getxattr(link, name, buffer),
            None => fs::fgetxattr(self.fd, name, buffer),
        }
    }

    pub fn set_xattr(&self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        match &self.link {
            Some(link) => fs::setxattr(link, name, value, XattrFlags::empty()),
            None => fs::fsetxattr(self.fd, name, value, XattrFlags::empty()),
        }
    }

    pub fn remove_xattr(&self, name: &str) -> Result<(), Errno> {
        match &self.link {
            Some(link) => fs::removexattr(link, name),
            None => fs::fremovexattr(self.fd, name),
        }
    }

    pub fn set_owner(&self, uid: Option<Uid>, gid: Option<Gid>) -> Result<(), Errno> {
        fs::chownat(self.fd, "", uid, gid, AtFlags::EMPTY_PATH)
    }

    pub fn set_mode(&self, mode: u64) -> Result<(), Errno> {
        let mode = Mode::from_raw_mode(mode as u32 & 0o7777);
        match &self.link {
            Some(link) => fs::chmod(link, mode),
            None => fs::fchmod(self.fd, mode),
        }
    }

    pub fn set_mtime(&self, mtime: Mtime) -> Result<(), Errno> {
        match &self.link {
            Some(link) => fs::utimensat(CWD, link, &timestamps(mtime), AtFlags::empty()),
            None => fs::futimens(self.fd, &timestamps(mtime)),
        }
    }
}

/// An owner for the kernel.
///
/// # Errors
///
/// EINVAL for all ones, which no inode can have: the kernel would take it for "leave as it is".
pub fn owner(uid: u32, gid: u32) -> Result<(Uid, Gid), Errno> {
    if uid == u32::MAX || gid == u32::MAX {
        return Err(Errno::INVAL);
    }
    Ok((Uid::from_raw(uid), Gid::from_raw(gid)))
}

/// Times for the kernel that leave the time of last access alone.
pub fn timestamps(mtime: Mtime) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: mtime.seconds, tv_nsec: mtime.nanoseconds.into() },
    }
}

/// Whether a call failed because the file system or the kind of inode does not have the feature.
pub fn is_unsupported(error: &io::Error) -> bool {
    let unsupported = [Errno::NOTTY, Errno::NOSYS, Errno::BADF, Errno::OPNOTSUPP, Errno::INVAL];
    error.raw_os_error().is_some_and(|code| unsupported.iter().any(|errno| errno.raw_os_error() == code))
}
