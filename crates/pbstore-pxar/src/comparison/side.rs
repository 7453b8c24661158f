//! One of the two directories that are compared.

use crate::accessor::{Directory, Entries, FileContent};
use crate::entry::Entry;
use crate::error::PxarError;

/// A directory, and how far its children were compared.
pub struct Side {
    directory: Directory,
    entries: Entries,
    ahead: Option<Entry>,
}

impl Side {
    /// Begins with the first child.
    pub fn new(directory: Directory) -> Self {
        Self { entries: directory.entries(), directory, ahead: None }
    }

    /// Name of the child that [`Self::take`] returns.
    pub fn next_name(&mut self) -> Result<Option<&[u8]>, PxarError> {
        if self.ahead.is_none() {
            self.ahead = self.entries.next().transpose()?;
        }
        Ok(self.ahead.as_ref().map(|entry| entry.name.as_slice()))
    }

    /// The next child, if its name was looked at.
    pub fn take(&mut self) -> Option<Entry> {
        self.ahead.take()
    }

    /// See [`Directory::lookup`].
    pub fn lookup(&self, name: &[u8]) -> Result<Option<Entry>, PxarError> {
        self.directory.lookup(name)
    }

    /// See [`Directory::open`].
    pub fn open(&self, name: &[u8]) -> Result<Option<Self>, PxarError> {
        Ok(self.directory.open(name)?.map(Self::new))
    }

    /// See [`Directory::follow`].
    pub fn follow(&self, link: &Entry) -> Result<Entry, PxarError> {
        self.directory.follow(link)
    }

    /// See [`Directory::unread_content`].
    pub fn unread_content(&self, file: &Entry) -> Result<FileContent, PxarError> {
        self.directory.unread_content(file)
    }

    /// See [`Directory::content`].
    pub fn content(&self, file: &Entry) -> Result<FileContent, PxarError> {
        self.directory.content(file)
    }
}
