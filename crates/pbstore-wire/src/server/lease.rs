//! Tells a session of its end exactly once, whichever way the end comes.

use std::sync::Arc;

use super::application::{Grant, Session};

/// Holds a session from the grant on; a lease that is lost on the way counts as a broken connection.
pub(crate) struct Lease {
    session: Option<Arc<dyn Session>>,
}

impl Lease {
    pub(crate) fn new(grant: &Grant) -> Self {
        Self { session: Some(grant.session.clone()) }
    }

    /// Tell the session; blocks for as long as it cleans up.
    pub(crate) fn end(mut self, reason: Option<&str>) {
        if let Some(session) = self.session.take() {
            session.closed(reason);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let tell = move || session.closed(Some("connection lost"));
        // Cleaning up blocks, so it must not happen on the event loop's own threads.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(tell)),
            Err(_) => tell(),
        }
    }
}
