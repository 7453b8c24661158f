//! The directories from a root down to the current one, of which only the innermost few are held open.
//!
//! A directory that was closed is opened again as `..` of its child, and only accepted if it is the same inode as
//! before: so depth costs no file descriptors, and a directory that somebody moves meanwhile leads nowhere.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{fstat, openat, Mode, OFlags};

/// How many directories are open at once.
const OPEN_MAX: usize = 64;

/// How directories are opened: never through a symlink.
pub const DIRECTORY_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A path of directories, each with something that the walker keeps for it.
pub struct DirectoryStack<T> {
    levels: Vec<Level<T>>,
}

struct Level<T> {
    fd: Option<OwnedFd>,
    identity: (u64, u64),
    state: T,
}

/// The innermost directory.
pub struct Current<'a, T> {
    pub fd: BorrowedFd<'a>,
    pub state: &'a mut T,
}

impl<T> DirectoryStack<T> {
    pub fn new() -> Self {
        Self { levels: Vec::new() }
    }

    pub fn depth(&self) -> usize {
        self.levels.len()
    }

    /// Goes down into `fd`, a child of the current directory.
    pub fn push(&mut self, fd: OwnedFd, state: T) -> io::Result<()> {
        let stat = fstat(&fd)?;
        if let Some(outer) = self.levels.len().checked_sub(OPEN_MAX) {
            self.levels[outer].fd = None;
        }
        self.levels.push(Level { fd: Some(fd), identity: (stat.st_dev, stat.st_ino), state });
        Ok(())
    }

    pub fn current(&mut self) -> Option<Current<'_, T>> {
        let level = self.levels.last_mut()?;
        let fd = level.fd.as_ref()?.as_fd();
        Some(Current { fd, state: &mut level.state })
    }

    /// Goes up, and returns what was kept for the directory that is left.
    pub fn pop(&mut self) -> io::Result<Option<T>> {
        let Some(child) = self.levels.pop() else { return Ok(None) };
        if let (Some(parent), Some(child)) = (self.levels.last_mut(), &child.fd) {
            if parent.fd.is_none() {
                parent.fd = Some(reopen_parent(child, parent.identity)?);
            }
        }
        Ok(Some(child.state))
    }
}

fn reopen_parent(child: &OwnedFd, identity: (u64, u64)) -> io::Result<OwnedFd> {
    let parent = openat(child, c"..", DIRECTORY_FLAGS, Mode::empty())?;
    let stat = fstat(&parent)?;
    if (stat.st_dev, stat.st_ino) != identity {
        return Err(io::Error::other("it was moved meanwhile"));
    }
    Ok(parent)
}
