//! The server's front for Python: requests, grants, and the listener itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pbstore_wire::server::application::{self as wire, AbortHandle, SessionChunks};
use pbstore_wire::server::{Front, FrontError, FrontOptions, Limits};
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::errors::exceptions;
use crate::front_application::PyApplication;
use crate::store::{PyBackupChunks, PyReaderChunks};

/// A request as Python sees it.
#[pyclass(name = "Request", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PyRequest {
    method: String,
    path: String,
    query: String,
    target: String,
    headers: Py<PyList>,
    body: Py<PyBytes>,
    peer: String,
}

#[pymethods]
impl PyRequest {
    #[new]
    #[pyo3(signature = (*, method, path, query = String::new(), target = None, headers = Vec::new(), body = Vec::new(),
        peer = String::new()))]
    #[allow(clippy::too_many_arguments)] // keyword arguments of a value, all named by the caller
    fn new(
        py: Python<'_>,
        method: String,
        path: String,
        query: String,
        target: Option<String>,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        peer: String,
    ) -> PyResult<Self> {
        let joined = || if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
        let target = target.unwrap_or_else(joined);
        let headers = PyList::new(py, headers)?.unbind();
        Ok(Self { method, path, query, target, headers, body: PyBytes::new(py, &body).unbind(), peer })
    }
}

impl PyRequest {
    pub(crate) fn from_wire(py: Python<'_>, request: wire::Request) -> PyResult<Self> {
        let wire::Request { method, path, query, target, headers, body, peer } = request;
        let headers = PyList::new(py, headers)?.unbind();
        let body = PyBytes::new(py, &body).unbind();
        Ok(Self { method, path, query, target, headers, body, peer: peer.to_string() })
    }
}

/// The answer that opens a session; good for one connection.
#[pyclass(name = "SessionGrant", module = "pbstore._core", frozen)]
pub(crate) struct PySessionGrant {
    pub(crate) protocol: String,
    pub(crate) chunks: SessionChunks,
    pub(crate) session: Py<PyAny>,
    pub(crate) abort: AbortHandle,
    used: AtomicBool,
}

#[pymethods]
impl PySessionGrant {
    #[new]
    fn new(protocol: String, chunks: &Bound<'_, PyAny>, session: Py<PyAny>) -> PyResult<Self> {
        let chunks = if let Ok(backup) = chunks.cast::<PyBackupChunks>() {
            SessionChunks::Backup(backup.get().inner.clone())
        } else if let Ok(reader) = chunks.cast::<PyReaderChunks>() {
            SessionChunks::Reader(reader.get().inner.clone())
        } else {
            return Err(PyTypeError::new_err("chunks must be BackupChunks or ReaderChunks"));
        };
        Ok(Self { protocol, chunks, session, abort: AbortHandle::default(), used: AtomicBool::new(false) })
    }

    fn abort(&self, reason: String) {
        self.abort.abort(reason);
    }
}

impl PySessionGrant {
    /// True the first time.
    pub(crate) fn claim(&self) -> bool {
        !self.used.swap(true, Ordering::SeqCst)
    }
}

/// The listener of the server.
#[pyclass(name = "Front", module = "pbstore._core", frozen)]
struct PyFront {
    inner: Mutex<Option<Front>>,
}

#[pymethods]
impl PyFront {
    #[new]
    #[pyo3(signature = (application, *, certificate, private_key, memory_bytes = 160 << 20, denied_delay_seconds = 3.0,
        limits = BTreeMap::new()))]
    fn new(
        py: Python<'_>,
        application: Py<PyAny>,
        certificate: PathBuf,
        private_key: PathBuf,
        memory_bytes: usize,
        denied_delay_seconds: f64,
        limits: BTreeMap<String, f64>,
    ) -> PyResult<Self> {
        let denied_delay = seconds(denied_delay_seconds)?;
        let mut bounds = Limits::default();
        for (name, value) in limits {
            bounds.set(&name, value).map_err(exceptions::ConfigError::new_err)?;
        }
        let options = FrontOptions { certificate, private_key, memory_bytes, denied_delay, limits: bounds };
        let application = Arc::new(PyApplication::new(application));
        let front = py.detach(|| Front::start(application, &options)).map_err(from_front)?;
        Ok(Self { inner: Mutex::new(Some(front)) })
    }

    fn listen(&self, py: Python<'_>, host: &str, port: u16) -> PyResult<(String, u16)> {
        let bound = py.detach(|| match &*self.lock() {
            Some(front) => front.listen(host, port).map(Some),
            None => Ok(None),
        });
        let address: Option<SocketAddr> = bound.map_err(from_front)?;
        let address = address.ok_or_else(|| PyValueError::new_err("the front was shut down"))?;
        Ok((address.ip().to_string(), address.port()))
    }

    fn shutdown(&self, py: Python<'_>, grace_seconds: f64) -> PyResult<()> {
        let grace = seconds(grace_seconds)?;
        py.detach(|| {
            let front = self.lock().take();
            if let Some(mut front) = front {
                front.shutdown(grace);
            }
        });
        Ok(())
    }
}

impl PyFront {
    fn lock(&self) -> MutexGuard<'_, Option<Front>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PyFront {
    fn drop(&mut self) {
        let front = self.lock().take();
        // Sessions are told of their end, which needs the interpreter's lock on other threads.
        let _ = Python::try_attach(|py| py.detach(|| drop(front)));
    }
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn from_front(error: FrontError) -> PyErr {
    let text = error.to_string();
    match error {
        FrontError::Unusable(_) => exceptions::ConfigError::new_err(text),
        FrontError::Listen { source, .. } | FrontError::Threads(source) => match source.raw_os_error() {
            Some(number) => PyOSError::new_err((number, text)),
            None => PyOSError::new_err(text),
        },
    }
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRequest>()?;
    module.add_class::<PySessionGrant>()?;
    module.add_class::<PyFront>()
}
