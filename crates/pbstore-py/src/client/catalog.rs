//! The catalog of a backup session for Python.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pbstore_wire::client::{self, CatalogUpload, ClientError};
use pyo3::prelude::*;

use super::interrupt;
use super::stats::PyUploadStats;

/// The catalog of a backup session.
#[pyclass(name = "CatalogUpload", module = "pbstore._core", frozen)]
pub(crate) struct PyCatalogUpload {
    session: Arc<client::Session>,
    inner: Mutex<Option<CatalogUpload>>,
}

impl PyCatalogUpload {
    pub(super) fn new(session: &Arc<client::Session>, catalog: CatalogUpload) -> Self {
        Self { session: Arc::clone(session), inner: Mutex::new(Some(catalog)) }
    }

    /// None once it is finished or lost.
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<CatalogUpload>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyCatalogUpload {
    fn finish(&self, py: Python<'_>) -> PyResult<PyUploadStats> {
        let gone =
            || ClientError::Local("the catalog is finished already, or was lost when an upload failed".to_owned());
        let stats = interrupt::run(py, &client::Progress::default(), || {
            let catalog = self.lock().take();
            catalog.ok_or_else(gone)?.finish(&self.session)
        })?;
        Ok(stats.into())
    }
}
