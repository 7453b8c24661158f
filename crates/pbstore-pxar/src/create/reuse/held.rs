//! What waits until it is decided whether contents are referenced or read.

use std::mem::take;

use crate::create::item::{Body, Item};

/// Most memory that waiting items may take, in bytes.
const MAX_BYTES: usize = 128 << 20;

/// Items in the order of the archive. The files among them are open, so that what is read later is what was looked at.
pub struct Held {
    steps: Vec<Step>,
    /// Path of the directory that the first item is in.
    directory: Vec<u8>,
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
        Self { steps: Vec::new(), directory: Vec::new(), file_count: 0, file_max, bytes: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether nothing more should be added.
    pub fn is_full(&self) -> bool {
        self.file_count >= self.file_max.max(1) || self.bytes >= MAX_BYTES
    }

    /// Adds an item with this path, and where its payload is in the previous stream.
    pub fn add(&mut self, item: Item, path: &[u8], payload_offset: Option<u64>) {
        if self.steps.is_empty() {
            self.directory = parent(path).to_vec();
        }
        self.file_count += usize::from(matches!(item.body, Body::File(_)));
        self.bytes += item.held_bytes();
        self.steps.push(Step::Item(item, payload_offset));
    }

    /// Adds the end of the innermost directory.
    pub fn end_directory(&mut self) {
        self.steps.push(Step::DirectoryEnd);
    }

    /// Hands everything out, with the path of the directory that the first item is in.
    pub fn take(&mut self) -> (Vec<u8>, Vec<Step>) {
        (self.file_count, self.bytes) = (0, 0);
        (take(&mut self.directory), take(&mut self.steps))
    }
}

/// The path of the directory that a path leads to something in.
pub fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    &path[..end]
}
