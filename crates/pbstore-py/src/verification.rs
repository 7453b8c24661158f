//! Verification of stored chunks for Python: a check runs on threads of its own, and is looked at from time to time.

use std::path::PathBuf;
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use pbstore_format::Digest;
use pbstore_store::{CheckProgress, IndexClaim, IndexVerdict, StoreError, Verification, VerificationOptions};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::errors::exceptions;
use crate::store::{from_store, PyChunkStore};

type Outcome = Result<IndexVerdict, StoreError>;

/// What one verification task remembers over all indexes.
#[pyclass(name = "Verification", module = "pbstore._core", frozen)]
struct PyVerification {
    inner: Arc<Verification>,
}

#[pymethods]
impl PyVerification {
    #[new]
    #[pyo3(signature = (store, *, readers, workers, chunk_order))]
    fn new(store: &PyChunkStore, readers: u8, workers: u8, chunk_order: &str) -> PyResult<Self> {
        let options = VerificationOptions { readers, workers, order: chunk_order.parse().map_err(from_store)? };
        Ok(Self { inner: Arc::new(Verification::new(store.inner.clone(), options)) })
    }

    #[pyo3(signature = (path, *, csum, size, encrypted))]
    fn start_check(&self, path: PathBuf, csum: Digest, size: u64, encrypted: bool) -> PyResult<PyIndexCheck> {
        let claim = IndexClaim { csum, size, is_encrypted: encrypted };
        let progress = Arc::new(CheckProgress::default());
        let (sender, receiver) = sync_channel(1);
        let (verification, seen) = (self.inner.clone(), progress.clone());
        let work = move || {
            // Nobody may be waiting any more.
            let _ = sender.send(verification.check_index(&path, &claim, &seen));
        };
        thread::Builder::new().name("pbstore-verify".into()).spawn(work).map_err(PyOSError::new_err)?;
        Ok(PyIndexCheck { progress, state: Mutex::new(State { receiver, outcome: None }) })
    }

    fn abort(&self) {
        self.inner.abort();
    }
}

/// A check of one index that runs, or has run.
#[pyclass(name = "IndexCheck", module = "pbstore._core", frozen)]
struct PyIndexCheck {
    progress: Arc<CheckProgress>,
    state: Mutex<State>,
}

struct State {
    receiver: Receiver<Outcome>,
    outcome: Option<Outcome>,
}

#[pymethods]
impl PyIndexCheck {
    #[getter]
    fn chunk_count(&self) -> u64 {
        self.progress.chunk_count()
    }

    #[getter]
    fn checked_count(&self) -> u64 {
        self.progress.checked_count()
    }

    fn wait(&self, py: Python<'_>, timeout_seconds: f64) -> PyResult<bool> {
        let patience = Duration::try_from_secs_f64(timeout_seconds);
        let patience = patience.map_err(|error| PyValueError::new_err(error.to_string()))?;
        py.detach(|| {
            let mut state = self.state();
            if state.outcome.is_none() {
                match state.receiver.recv_timeout(patience) {
                    Ok(outcome) => state.outcome = Some(outcome),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(exceptions::PbstoreError::new_err("the check of an index ended without a verdict"));
                    }
                }
            }
            Ok(state.outcome.is_some())
        })
    }

    fn verdict(&self) -> PyResult<PyIndexVerdict> {
        match self.state().outcome.take() {
            Some(outcome) => outcome.map(PyIndexVerdict::from).map_err(from_store),
            None => Err(PyValueError::new_err("the verdict is there once, after wait returned True")),
        }
    }
}

impl PyIndexCheck {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the check of an index found.
#[pyclass(name = "IndexVerdict", module = "pbstore._core", frozen, get_all)]
struct PyIndexVerdict {
    read_bytes: u64,
    plain_bytes: u64,
    error_count: u64,
    messages: Vec<String>,
}

impl From<IndexVerdict> for PyIndexVerdict {
    fn from(verdict: IndexVerdict) -> Self {
        let IndexVerdict { read_bytes, plain_bytes, error_count, messages } = verdict;
        Self { read_bytes, plain_bytes, error_count, messages }
    }
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyVerification>()?;
    module.add_class::<PyIndexCheck>()?;
    module.add_class::<PyIndexVerdict>()
}
