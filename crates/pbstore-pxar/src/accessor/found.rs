//! What is at a path of an archive.

use super::Directory;
use crate::entry::{Entry, Kind};
use crate::error::PxarError;

/// What a path leads to.
pub enum Found {
    /// A directory, open.
    Directory(Directory),
    /// Anything else; hard links as such.
    Other(Box<Entry>),
}

impl Directory {
    /// What is at a path below this directory, whose components are separated by slashes; the empty path is the
    /// directory itself. No name is `.` or `..`, so neither leads anywhere.
    ///
    /// # Errors
    ///
    /// As [`Self::lookup`].
    pub fn find(&self, path: &[u8]) -> Result<Option<Found>, PxarError> {
        let mut directory = self.clone();
        let mut names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).peekable();
        while let Some(name) = names.next() {
            if let Some(child) = directory.open(name)? {
                directory = child;
                continue;
            }
            let entry = directory.lookup(name)?.filter(|entry| entry.kind != Kind::Directory);
            return Ok(entry.filter(|_| names.peek().is_none()).map(|entry| Found::Other(entry.into())));
        }
        Ok(Some(Found::Directory(directory)))
    }
}
