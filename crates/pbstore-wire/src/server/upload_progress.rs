//! Whether the uploads of a session come in, or wait for memory in vain.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A session is stuck when bodies that have memory get nothing for this long while others wait.
const STUCK_AFTER: Duration = Duration::from_secs(2);
/// Once a body has waited for others' memory in vain, the next ones do not wait for this long.
const CROWDED_FOR: Duration = Duration::from_secs(60);

/// What the uploads of a session know of each other.
pub(crate) struct UploadProgress {
    receiving: AtomicUsize,
    last: Mutex<Instant>,
    is_interleaved: AtomicBool,
    crowded_at: Mutex<Option<Instant>>,
}

impl UploadProgress {
    pub(crate) fn new() -> Self {
        Self {
            receiving: AtomicUsize::new(0),
            last: Mutex::new(Instant::now()),
            is_interleaved: AtomicBool::new(false),
            crowded_at: Mutex::new(None),
        }
    }

    /// Something came in.
    pub(crate) fn note(&self) {
        *lock(&self.last) = Instant::now();
    }

    /// A client that was stuck once sends its bodies in turn, so it would be stuck again.
    pub(crate) fn is_stuck(&self) -> bool {
        let last = *lock(&self.last);
        if self.receiving.load(Ordering::Relaxed) > 0 && last.elapsed() > STUCK_AFTER {
            self.is_interleaved.store(true, Ordering::Relaxed);
        }
        self.is_interleaved.load(Ordering::Relaxed)
    }

    /// A body waited for memory in vain.
    pub(crate) fn note_crowd(&self) {
        *lock(&self.crowded_at) = Some(Instant::now());
    }

    /// Whether that was a moment ago.
    pub(crate) fn is_crowded(&self) -> bool {
        lock(&self.crowded_at).is_some_and(|since| since.elapsed() < CROWDED_FOR)
    }

    /// Count a body that is coming in.
    pub(crate) fn receiving(&self) -> Receiving<'_> {
        self.note();
        self.receiving.fetch_add(1, Ordering::Relaxed);
        Receiving(self)
    }
}

/// Counts one body.
pub(crate) struct Receiving<'a>(&'a UploadProgress);

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        self.0.receiving.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
