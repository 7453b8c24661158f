//! The content of an open file, as the encoder reads it.

use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use crate::report::Reporter;

/// Reads a file until its end, until the network file system lost it, or until the user wants to stop.
pub struct Content<'a> {
    fd: BorrowedFd<'a>,
    reporter: &'a dyn Reporter,
    /// The server does not know the file any more.
    pub is_stale: bool,
    /// The user wants to stop.
    pub is_cancelled: bool,
}

impl<'a> Content<'a> {
    pub fn new(fd: BorrowedFd<'a>, reporter: &'a dyn Reporter) -> Self {
        Self { fd, reporter, is_stale: false, is_cancelled: false }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reporter.cancelled() {
            self.is_cancelled = true;
            return Err(io::Error::other("stopped on request"));
        }
        match rustix::io::read(self.fd, buffer) {
            Err(Errno::STALE) => {
                self.is_stale = true;
                Ok(0)
            }
            result => Ok(result?),
        }
    }
}
