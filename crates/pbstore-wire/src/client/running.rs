//! The threads and the task of a transfer that is under way.

use std::thread;

use tokio::task::JoinHandle;

use super::error::ClientError;
use super::session::Session;

/// Ends with what its task says; all threads are joined by then.
pub(crate) struct Running<T> {
    outcome: JoinHandle<Result<T, ClientError>>,
    workers: Vec<thread::JoinHandle<()>>,
}

impl<T> Running<T> {
    pub(crate) fn new(outcome: JoinHandle<Result<T, ClientError>>) -> Self {
        Self { outcome, workers: Vec::new() }
    }

    /// Starts a worker that ends by itself once the task is gone or has no more work.
    pub(crate) fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), ClientError> {
        let worker = thread::Builder::new().name(name.to_owned()).spawn(work);
        self.workers.push(worker.map_err(|error| ClientError::local("unable to start a thread", error))?);
        Ok(())
    }

    /// Waits for the task and the workers. [`ClientError::Stopped`] if somebody else knows the cause.
    pub(crate) fn finish(mut self, session: &Session) -> Result<T, ClientError> {
        // The task is lost only when the connection's event loop is dropped under it.
        let outcome = session.wait(&mut self.outcome).unwrap_or(Err(ClientError::Stopped));
        let mut panicked = false;
        for worker in self.workers.drain(..) {
            panicked |= worker.join().is_err();
        }
        if panicked {
            return Err(ClientError::Local("a worker thread died".to_owned()));
        }
        outcome
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.outcome.abort();
    }
}
