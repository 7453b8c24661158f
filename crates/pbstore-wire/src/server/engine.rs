//! What all connections of a front share.

use std::sync::Arc;
use std::time::Duration;

use pbstore_store::ChunkVerifier;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::application::Application;
use super::limits::Limits;
use super::memory::MemoryBudget;
use super::work::Bounds;

/// Shared by all connections.
pub(crate) struct Engine {
    pub(crate) application: Arc<dyn Application>,
    pub(crate) limits: Limits,
    pub(crate) cores: usize,
    pub(crate) memory: Arc<MemoryBudget>,
    pub(crate) bounds: Bounds,
    pub(crate) verifier: ChunkVerifier,
    pub(crate) denied_delay: Duration,
    /// Connections and sessions; the front ends when all have ended.
    pub(crate) tasks: TaskTracker,
    /// No new connections and requests any more.
    pub(crate) stopping: CancellationToken,
    /// Sessions are to be broken, too.
    pub(crate) breaking: CancellationToken,
}
