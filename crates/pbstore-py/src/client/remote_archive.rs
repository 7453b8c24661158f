//! An archive on the server that is read where it is needed, for Python.

use std::sync::Arc;

use pbstore_pxar::ReadAt;
use pbstore_wire::client::{Archive, ClientError, Progress, RemoteArchive, Session};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::interrupt;

/// An archive of a reader session.
#[pyclass(name = "RemoteArchive", module = "pbstore._core", frozen)]
pub(crate) struct PyRemoteArchive {
    inner: Arc<RemoteArchive>,
    progress: Arc<Progress>,
}

impl PyRemoteArchive {
    pub(super) fn new(session: &Arc<Session>, archive: Archive, progress: Arc<Progress>) -> Self {
        Self { inner: Arc::new(RemoteArchive::new(Arc::clone(session), archive, Arc::clone(&progress))), progress }
    }

    /// For whatever reads archives.
    pub(crate) fn read_at(&self) -> Arc<dyn ReadAt> {
        Arc::clone(&self.inner) as Arc<dyn ReadAt>
    }
}

#[pymethods]
impl PyRemoteArchive {
    #[getter]
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read<'py>(&self, py: Python<'py>, offset: u64, length: usize) -> PyResult<Bound<'py, PyBytes>> {
        let rest = usize::try_from(self.inner.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; length.min(rest)];
        interrupt::run(py, &self.progress, || {
            let read = self.inner.read_exact_at(&mut buffer, offset);
            read.map_err(|error| ClientError::inside(&error).unwrap_or_else(|| ClientError::Local(error.to_string())))
        })?;
        Ok(PyBytes::new(py, &buffer))
    }
}
