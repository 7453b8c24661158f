//! Which chunks the server has, as far as one session knows.

use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pbstore_format::Digest;
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// On its way; may not be appended yet.
    Sent,
    /// The server said that it has it.
    Stored,
}

/// Shared by all archives of a session, as the server's own list is (backup-protocol.md 1).
pub(crate) struct KnownChunks {
    states: Mutex<HashMap<Digest, State>>,
    /// Changes with each chunk that gets stored; true once an upload failed.
    failed: watch::Sender<bool>,
}

impl Default for KnownChunks {
    fn default() -> Self {
        Self { states: Mutex::default(), failed: watch::Sender::new(false) }
    }
}

impl KnownChunks {
    /// Takes over what the server registered when it sent a previous index.
    pub(crate) fn register<'a>(&self, digests: impl Iterator<Item = &'a Digest>) {
        let mut states = self.states();
        for digest in digests {
            states.insert(*digest, State::Stored);
        }
    }

    /// True for the one caller that has to upload the chunk.
    pub(super) fn claim(&self, digest: &Digest) -> bool {
        match self.states().entry(*digest) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(State::Sent);
                true
            }
        }
    }

    /// The server acknowledged the chunk.
    pub(super) fn mark_stored(&self, digest: &Digest) {
        self.states().insert(*digest, State::Stored);
        self.failed.send_modify(|_| {});
    }

    /// Whether the chunk may be appended to an index.
    pub(super) fn is_stored(&self, digest: &Digest) -> bool {
        self.states().get(digest) == Some(&State::Stored)
    }

    /// Chunks that were on their way may never arrive, so that nobody can count on them any more.
    pub(super) fn fail(&self) {
        self.failed.send_replace(true);
    }

    /// Told of each stored chunk; true once an upload failed.
    pub(super) fn changes(&self) -> watch::Receiver<bool> {
        self.failed.subscribe()
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Digest, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::KnownChunks;

    #[test]
    fn a_chunk_is_claimed_once_and_stored_only_when_acknowledged() {
        let known = KnownChunks::default();
        assert!(known.claim(&[1; 32]));
        assert!(!known.claim(&[1; 32]));
        assert!(!known.is_stored(&[1; 32]));
        known.mark_stored(&[1; 32]);
        assert!(known.is_stored(&[1; 32]));
        assert!(!known.claim(&[1; 32]));
    }

    #[test]
    fn chunks_of_the_previous_index_are_never_claimed() {
        let known = KnownChunks::default();
        known.register([[2; 32], [3; 32]].iter());
        assert!(known.is_stored(&[2; 32]));
        assert!(!known.claim(&[3; 32]));
        assert!(known.claim(&[4; 32]));
    }

    #[test]
    fn watchers_hear_of_storing_and_failing() {
        let known = KnownChunks::default();
        let mut changes = known.changes();
        assert!(!changes.has_changed().unwrap());
        known.mark_stored(&[1; 32]);
        assert!(changes.has_changed().unwrap());
        assert!(!*changes.borrow_and_update());
        known.fail();
        assert!(*changes.borrow_and_update());
    }
}
