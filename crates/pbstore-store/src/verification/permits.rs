//! A bounded number of something that threads take and give back: readers, workers, bytes of memory.

use std::sync::{Condvar, Mutex, PoisonError};

/// What is free; whoever asks for more waits.
pub(super) struct Permits {
    capacity: u64,
    free: Mutex<u64>,
    returned: Condvar,
}

/// Taken permits; given back when dropped.
pub(super) struct Taken<'a> {
    permits: &'a Permits,
    count: u64,
}

impl Permits {
    pub(super) fn new(capacity: u64) -> Self {
        Self { capacity, free: Mutex::new(capacity), returned: Condvar::new() }
    }

    /// Wait for `count` permits; one that asks for more than there are takes all.
    pub(super) fn take(&self, count: u64) -> Taken<'_> {
        let count = count.min(self.capacity);
        // The number is right whatever panicked elsewhere.
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.returned.wait_while(free, |free| *free < count);
        *waited.unwrap_or_else(PoisonError::into_inner) -= count;
        Taken { permits: self, count }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.permits.free.lock().unwrap_or_else(PoisonError::into_inner) += self.count;
        self.permits.returned.notify_all();
    }
}
