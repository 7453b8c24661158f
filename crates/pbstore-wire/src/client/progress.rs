//! Counters and log lines of a running transfer for whoever watches it, and the switch that stops it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

const UNKNOWN: u64 = u64::MAX;
/// Lines that wait to be taken. Keeps a tree of unreadable files from filling the memory when nobody takes them.
const MAX_LINES: usize = 100_000;

/// What a transfer has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLine {
    /// Worth knowing.
    Info(String),
    /// Something was left out or is not as it should be.
    Warning(String),
}

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<LogLine>,
    left_out: u64,
}

/// Shared by the stages of a transfer and whoever shows how it goes on.
#[derive(Debug)]
pub struct Progress {
    processed: AtomicU64,
    uploaded: AtomicU64,
    reused: AtomicU64,
    total: AtomicU64,
    entries: AtomicU64,
    lines: Mutex<Lines>,
    cancelled: watch::Sender<bool>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            processed: AtomicU64::new(0),
            uploaded: AtomicU64::new(0),
            reused: AtomicU64::new(0),
            total: AtomicU64::new(UNKNOWN),
            entries: AtomicU64::new(0),
            lines: Mutex::default(),
            cancelled: watch::Sender::new(false),
        }
    }
}

impl Progress {
    /// Plain bytes that went through.
    pub fn processed_bytes(&self) -> u64 {
        self.processed.load(Relaxed)
    }

    /// Plain bytes whose chunks the server acknowledged.
    pub fn uploaded_bytes(&self) -> u64 {
        self.uploaded.load(Relaxed)
    }

    /// Plain bytes that the server had already.
    pub fn reused_bytes(&self) -> u64 {
        self.reused.load(Relaxed)
    }

    /// Plain bytes in all, when known.
    pub fn total_bytes(&self) -> Option<u64> {
        Some(self.total.load(Relaxed)).filter(|total| *total != UNKNOWN)
    }

    /// Files, directories and other entries of trees that were met.
    pub fn entry_count(&self) -> u64 {
        self.entries.load(Relaxed)
    }

    /// The lines that came since the last call.
    pub fn take_lines(&self) -> Vec<LogLine> {
        let Lines { mut waiting, left_out } =
            std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        if left_out > 0 {
            waiting.push(LogLine::Warning(format!("{left_out} more warnings were left out")));
        }
        waiting
    }

    /// Makes every transfer that uses these counters end with [`super::ClientError::Aborted`].
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    /// Whether [`Self::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Returns once [`Self::cancel`] was called.
    pub(crate) async fn wait_for_cancel(&self) {
        let mut changes = self.cancelled.subscribe();
        // The sender lives in self, so the wait cannot fail.
        let _ = changes.wait_for(|cancelled| *cancelled).await;
    }

    pub(crate) fn add_processed(&self, bytes: u64) {
        self.processed.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_uploaded(&self, bytes: u64) {
        self.uploaded.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_reused(&self, bytes: u64) {
        self.reused.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_entry(&self) {
        self.entries.fetch_add(1, Relaxed);
    }

    pub(crate) fn tell(&self, line: LogLine) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.waiting.len() < MAX_LINES {
            lines.waiting.push(line);
        } else {
            lines.left_out += 1;
        }
    }

    /// Several archives may share the counters: their sizes add up.
    pub(crate) fn add_total(&self, bytes: u64) {
        let _ = self.total.fetch_update(Relaxed, Relaxed, |total| {
            Some(if total == UNKNOWN { bytes } else { total.saturating_add(bytes) })
        });
    }
}
