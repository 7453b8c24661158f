//! Bodies of responses that the front sends by itself, for Python: files, or what is made of archives on the way.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pbstore_format::Digest;
use pbstore_wire::server::application::StreamBody;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::store::{from_store, PyChunkStore};

/// A file, or what is made of an archive, as body of a response; sent once.
#[pyclass(name = "FileBody", module = "pbstore._core", frozen)]
pub(crate) struct PyFileBody {
    #[pyo3(get)]
    size: Option<u64>,
    body: Mutex<Option<StreamBody>>,
}

#[pymethods]
impl PyFileBody {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let opened = py.detach(|| StreamBody::file(&path));
        let body = opened.map_err(|error| match error.raw_os_error() {
            Some(number) => {
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or_default().to_owned();
                PyOSError::new_err((number, text, path))
            }
            None => PyOSError::new_err(format!("{}: {error}", path.display())),
        })?;
        Ok(Self::from(body))
    }

    #[staticmethod]
    #[pyo3(signature = (path, *, csum = None))]
    fn decoded_blob(py: Python<'_>, path: PathBuf, csum: Option<Digest>) -> PyResult<Self> {
        py.detach(|| StreamBody::decoded_blob(&path, csum.as_ref())).map(Self::from).map_err(from_store)
    }

    #[staticmethod]
    #[pyo3(signature = (store, path, *, csum, size))]
    fn decoded_index(py: Python<'_>, store: &PyChunkStore, path: PathBuf, csum: Digest, size: u64) -> PyResult<Self> {
        let opened = py.detach(|| StreamBody::decoded_index(store.inner.clone(), &path, &csum, size));
        opened.map(Self::from).map_err(from_store)
    }

    fn hold(&self, guard: Py<PyAny>) -> PyResult<()> {
        let mut body = self.lock();
        let held = body.take().ok_or_else(|| PyValueError::new_err("the body is on its way"))?;
        *body = Some(held.guarded_by(Box::new(PyGuard { object: guard })));
        Ok(())
    }
}

impl From<StreamBody> for PyFileBody {
    fn from(body: StreamBody) -> Self {
        Self { size: body.bytes(), body: Mutex::new(Some(body)) }
    }
}

impl PyFileBody {
    /// The body, the first time.
    pub(crate) fn take(&self) -> Option<StreamBody> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<StreamBody>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An object that is closed with the body.
struct PyGuard {
    object: Py<PyAny>,
}

impl Drop for PyGuard {
    fn drop(&mut self) {
        // Nothing to close any more when the interpreter is ending.
        let _ = Python::try_attach(|py| {
            if let Err(error) = self.object.call_method0(py, "close") {
                error.write_unraisable(py, Some(self.object.bind(py)));
            }
        });
    }
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFileBody>()
}
