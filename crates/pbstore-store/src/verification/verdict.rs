//! What the check of one index found, and how far it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Faults that are told of one by one; the others are only counted.
const MAX_TOLD: usize = 1000;

/// What the check of one index found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexVerdict {
    /// Bytes of the chunks that could be read, as stored.
    pub read_bytes: u64,
    /// Their bytes in the archive.
    pub plain_bytes: u64,
    /// Chunks that did not pass, those found bad by earlier checks included; each counts once.
    pub error_count: u64,
    /// What is wrong, in the order of the index; for at most 1000 chunks, then a line that says how many more there are.
    pub messages: Vec<String>,
}

/// How far a check is; read by other threads while it runs.
#[derive(Debug, Default)]
pub struct CheckProgress {
    chunk_count: AtomicU64,
    checked_count: AtomicU64,
}

impl CheckProgress {
    /// Chunks to check: different ones, and not those that an earlier check has settled.
    pub fn chunk_count(&self) -> u64 {
        self.chunk_count.load(Ordering::Relaxed)
    }

    /// Chunks that are done.
    pub fn checked_count(&self) -> u64 {
        self.checked_count.load(Ordering::Relaxed)
    }

    pub(super) fn expect(&self, chunk_count: usize) {
        self.chunk_count.store(u64::try_from(chunk_count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn advance(&self) {
        self.checked_count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A verdict in the making, filled by many threads.
#[derive(Default)]
pub(super) struct Findings {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    verdict: IndexVerdict,
    /// With the position in the index.
    told: Vec<(usize, Vec<String>)>,
}

impl Findings {
    pub(super) fn add_read(&self, read_bytes: u64, plain_bytes: u64) {
        let verdict = &mut self.state().verdict;
        verdict.read_bytes = verdict.read_bytes.saturating_add(read_bytes);
        verdict.plain_bytes = verdict.plain_bytes.saturating_add(plain_bytes);
    }

    pub(super) fn add_fault(&self, position: usize, lines: Vec<String>) {
        let mut state = self.state();
        state.verdict.error_count = state.verdict.error_count.saturating_add(1);
        if state.told.len() < MAX_TOLD {
            state.told.push((position, lines));
        }
    }

    pub(super) fn into_verdict(self) -> IndexVerdict {
        let State { verdict, mut told } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        told.sort_by_key(|(position, _)| *position);
        let untold = verdict.error_count.saturating_sub(u64::try_from(told.len()).unwrap_or(u64::MAX));
        let mut messages: Vec<String> = told.into_iter().flat_map(|(_, lines)| lines).collect();
        if untold > 0 {
            messages.push(format!("{untold} more chunks could not be verified"));
        }
        IndexVerdict { messages, ..verdict }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
