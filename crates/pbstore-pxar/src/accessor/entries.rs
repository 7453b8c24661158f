//! The children of a directory, one after the other.

use super::directory::{ChildRead, Directory};
use crate::entry::{Entry, Kind};
use crate::error::PxarError;

/// Iterates over a directory's children in the order of the archive; ends after an error.
pub struct Entries {
    directory: Directory,
    position: Option<u64>,
}

impl Entries {
    pub(super) fn new(directory: Directory, children_start: u64) -> Self {
        Self { directory, position: Some(children_start) }
    }

    /// Reads the child at `start`; returns it with the offset of the next one.
    fn read(&self, start: u64) -> Result<(Entry, u64), PxarError> {
        let ChildRead { entry, end } = self.directory.child_at(start)?;
        let next = match entry.kind {
            Kind::Directory => Some(self.directory.directory_end(&entry.name, start)?),
            Kind::File { size, payload_offset: None } => end.checked_add(size),
            _ => Some(end),
        };
        // Never back to what was read already, so that there is an end.
        let next = next.filter(|next| (end..=self.directory.children_end()).contains(next));
        let next = next.ok_or_else(|| PxarError::malformed(start, "an entry reaches beyond its directory"))?;
        Ok((entry, next))
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, PxarError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.position.take().filter(|start| *start != self.directory.children_end())?;
        match self.read(start) {
            Ok((entry, end)) => {
                self.position = Some(end);
                Some(Ok(entry))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
