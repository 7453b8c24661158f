//! What waits until it is decided whether contents are referenced or read.

use std::collections::VecDeque;

use crate::create::item::{Body, Item};
use crate::items::HEADER_BYTES;

/// Most memory that waiting items may take, in bytes.
const MAX_BYTES: usize = 128 << 20;

/// Items in the order of the archive. The files among them are open, so that what is read later is what was looked at.
pub struct Held {
    steps: VecDeque<Step>,
    /// Path of the item that was handed out last, or of the directory in which the next one is.
    path: Vec<u8>,
    /// Length of that directory's path.
    directory_length: usize,
    file_count: usize,
    file_max: usize,
    bytes: usize,
}

/// Something to store.
// Most steps are items: a box would only add an allocation to each.
#[allow(clippy::large_enum_variant)]
pub enum Step {
    /// An item, and for unchanged files where their payload is in the previous stream.
    Item(Item, Option<u64>),
    /// The end of the innermost directory.
    DirectoryEnd,
}

impl Held {
    /// Holds up to `file_max` files open, at least one.
    pub fn new(file_max: usize) -> Self {
        let (steps, path) = (VecDeque::new(), Vec::new());
        Self { steps, path, directory_length: 0, file_count: 0, file_max, bytes: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether something has to be stored before more is added.
    pub fn is_full(&self) -> bool {
        self.file_count >= self.file_max.max(1) || self.bytes >= MAX_BYTES
    }

    /// Adds an item with this path, and where its payload is in the previous stream.
    pub fn add(&mut self, item: Item, path: &[u8], payload_offset: Option<u64>) {
        if self.steps.is_empty() {
            self.directory_length = parent_length(path);
            path[..self.directory_length].clone_into(&mut self.path);
        }
        self.file_count += usize::from(matches!(item.body, Body::File(_)));
        self.bytes += item.held_bytes();
        self.steps.push_back(Step::Item(item, payload_offset));
    }

    /// Adds the end of the innermost directory.
    pub fn end_directory(&mut self) {
        self.steps.push_back(Step::DirectoryEnd);
    }

    /// Where the first payload begins that does not end before or at `offset`.
    pub fn payload_across(&self, offset: u64) -> Option<u64> {
        self.steps.iter().find_map(|step| match step {
            Step::Item(Item { body: Body::File(file), .. }, Some(start)) => {
                (start + HEADER_BYTES + file.size > offset).then_some(*start)
            }
            _ => None,
        })
    }

    /// Hands out the next step, unless it is a file whose payload begins at `end` or behind.
    pub fn pop(&mut self, end: u64) -> Option<Step> {
        if matches!(self.steps.front(), Some(Step::Item(_, Some(offset))) if *offset >= end) {
            return None;
        }
        let step = self.steps.pop_front()?;
        self.path.truncate(self.directory_length);
        match &step {
            Step::Item(item, _) => {
                self.file_count -= usize::from(matches!(item.body, Body::File(_)));
                self.bytes -= item.held_bytes();
                self.path.push(b'/');
                self.path.extend_from_slice(item.name.to_bytes());
                if matches!(item.body, Body::Directory) {
                    self.directory_length = self.path.len();
                }
            }
            Step::DirectoryEnd => self.directory_length = parent_length(&self.path),
        }
        Some(step)
    }

    /// Path of the item that was handed out last.
    pub fn path(&self) -> &[u8] {
        &self.path
    }
}

/// Length of the path of the directory that a path leads to something in.
fn parent_length(path: &[u8]) -> usize {
    path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)
}
