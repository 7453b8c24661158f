//! Long work without the GIL that Ctrl-C can still stop.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use pbstore_wire::client::{ClientError, Progress};
use pyo3::prelude::*;

use super::from_client;

/// How soon Ctrl-C is noticed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// Does `work` on a thread of its own, because only the thread that called can run Python's signal handlers. If one
/// raises, `progress` is cancelled, the end of the work is waited for, and what was raised is the result.
pub(super) fn run<T: Send>(
    py: Python<'_>,
    progress: &Progress,
    work: impl FnOnce() -> Result<T, ClientError> + Send,
) -> PyResult<T> {
    thread::scope(|scope| {
        let (done, mut waiting) = mpsc::channel::<()>();
        let worker = scope.spawn(move || {
            // Dropped when the work ends in whatever way.
            let _done = done;
            work()
        });
        let mut raised = None;
        loop {
            let waited;
            (waiting, waited) = py.detach(move || {
                let waited = waiting.recv_timeout(SIGNAL_INTERVAL);
                (waiting, waited)
            });
            if waited != Err(RecvTimeoutError::Timeout) {
                break;
            }
            if let (None, Err(error)) = (&raised, py.check_signals()) {
                progress.cancel();
                raised = Some(error);
            }
        }
        let outcome =
            worker.join().unwrap_or_else(|_| Err(ClientError::Local("a thread of the client died".to_owned())));
        raised.map_or_else(|| outcome.map_err(from_client), Err)
    })
}
