//! Archives of a datastore, read where they are needed, for Python.

use std::path::PathBuf;
use std::sync::Arc;

use pbstore_download::StoredArchive;
use pbstore_format::Digest;
use pbstore_pxar::ReadAt;
use pyo3::prelude::*;

use crate::store::{from_store, PyChunkStore};

/// An archive with a dynamic index.
#[pyclass(name = "StoredArchive", module = "pbstore._core", frozen)]
pub(crate) struct PyStoredArchive {
    inner: Arc<StoredArchive>,
}

impl PyStoredArchive {
    /// For whatever reads archives.
    pub(crate) fn read_at(&self) -> Arc<dyn ReadAt> {
        Arc::clone(&self.inner) as Arc<dyn ReadAt>
    }
}

#[pymethods]
impl PyStoredArchive {
    #[new]
    #[pyo3(signature = (store, path, *, csum, size))]
    fn new(py: Python<'_>, store: &PyChunkStore, path: PathBuf, csum: Digest, size: u64) -> PyResult<Self> {
        let opened = py.detach(|| StoredArchive::open(store.cached.clone(), &path, &csum, size));
        Ok(Self { inner: Arc::new(opened.map_err(from_store)?) })
    }

    #[getter]
    fn size(&self) -> u64 {
        self.inner.size()
    }
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyStoredArchive>()
}
