//! The event loop that moves a connection's bytes, and what waits for it from ordinary threads.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads of the event loop: one that is busy with TLS, one for the bookkeeping beside it.
const EVENT_THREADS: usize = 2;

/// An event loop that stops without waiting for what still runs on it.
pub(crate) struct EventLoop {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl EventLoop {
    /// Starts the threads.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(EVENT_THREADS)
            .thread_name("pbstore-net")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Some(runtime), handle })
    }

    /// To start tasks with.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs `work` and waits for it; not to be called from a task.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle.block_on(work)
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
