//! Chunk buffers that go round instead of being allocated for each chunk.

use std::sync::{Mutex, PoisonError};

/// Holds on to a few buffers; further ones are simply freed.
pub(super) struct Buffers {
    idle: Mutex<Vec<Vec<u8>>>,
    keep: usize,
}

impl Buffers {
    pub(super) fn new(keep: usize) -> Self {
        Self { idle: Mutex::new(Vec::with_capacity(keep)), keep }
    }

    /// A buffer with whatever length and content its last user left.
    pub(super) fn take(&self) -> Vec<u8> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(super) fn put_back(&self, buffer: Vec<u8>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.keep {
            idle.push(buffer);
        }
    }
}
