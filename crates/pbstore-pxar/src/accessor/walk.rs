//! Everything below a directory, without recursion and in bounded memory.

use super::{Directory, Entries};
use crate::entry::{Entry, Kind};
use crate::error::PxarError;

/// Paths are shorter than this; no system takes longer ones, and zip cannot name them.
const PATH_LIMIT_BYTES: usize = 65535;
/// Attributes of the directories that are open at once.
const MAX_ATTRIBUTE_BYTES: usize = 16 << 20;

/// Walks a tree: parents before children, in the order of the archive.
pub struct TreeWalk {
    frames: Vec<Frame>,
    path: Vec<u8>,
    attribute_bytes: usize,
}

struct Frame {
    directory: Directory,
    entries: Entries,
    /// How much of the path is that of the directory's parent.
    parent_path_bytes: usize,
    attribute_bytes: usize,
}

impl TreeWalk {
    /// What is below `directory`, which itself has the path `path`.
    pub fn new(directory: Directory, path: &[u8]) -> Self {
        let frame = Frame { entries: directory.entries(), directory, parent_path_bytes: 0, attribute_bytes: 0 };
        Self { frames: vec![frame], path: path.to_vec(), attribute_bytes: 0 }
    }

    /// The next entry with its path; `None` at the end.
    ///
    /// # Errors
    ///
    /// The archive is damaged, cannot be read, or is nested beyond all use; the walk cannot go on then.
    pub fn next_entry(&mut self) -> Result<Option<(Vec<u8>, Entry)>, PxarError> {
        while let Some(frame) = self.frames.last_mut() {
            let Some(entry) = frame.entries.next().transpose()? else {
                self.path.truncate(frame.parent_path_bytes);
                self.attribute_bytes -= frame.attribute_bytes;
                self.frames.pop();
                continue;
            };
            let path = joined(&self.path, &entry.name);
            if path.len() >= PATH_LIMIT_BYTES {
                return Err(PxarError::malformed(entry.name_start, "a path is longer than 65534 bytes"));
            }
            if entry.kind == Kind::Directory {
                self.descend(&entry, path.clone())?;
            }
            return Ok(Some((path, entry)));
        }
        Ok(None)
    }

    fn descend(&mut self, entry: &Entry, path: Vec<u8>) -> Result<(), PxarError> {
        let attribute_bytes = entry.metadata.held_bytes();
        self.attribute_bytes += attribute_bytes;
        if self.attribute_bytes > MAX_ATTRIBUTE_BYTES {
            let reason = "directories inside each other have more than 16 MiB of attributes";
            return Err(PxarError::malformed(entry.name_start, reason));
        }
        let directory = self.frames.last().map_or(Ok(None), |frame| frame.directory.open(&entry.name))?;
        let directory = directory
            .ok_or_else(|| PxarError::malformed(entry.name_start, "a directory that cannot be found by its name"))?;
        let parent_path_bytes = std::mem::replace(&mut self.path, path).len();
        self.frames.push(Frame { entries: directory.entries(), directory, parent_path_bytes, attribute_bytes });
        Ok(())
    }
}

fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        [] => name.to_vec(),
        _ => [directory, b"/", name].concat(),
    }
}
