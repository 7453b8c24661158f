//! Chunk stores and the chunk side of sessions for Python.

use std::path::PathBuf;
use std::sync::Arc;

use pbstore_download::CachedStore;
use pbstore_format::{digest, Digest};
use pbstore_store as store;
use pbstore_store::{IndexKind, LocalChunkStore, StoreError};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use crate::errors::{exceptions, from_format};

/// Not a `From`: neither type is ours.
pub(crate) fn from_store(error: StoreError) -> PyErr {
    let text = error.to_string();
    match error {
        StoreError::Io { source, path, .. } => match source.raw_os_error() {
            Some(number) => PyOSError::new_err((number, text, path)),
            None => PyOSError::new_err(text),
        },
        StoreError::Refused(_) => exceptions::ProtocolError::new_err(text),
        StoreError::NotAllowed(_) => exceptions::PermissionDeniedError::new_err(text),
        StoreError::WrongIndex(_) => exceptions::IntegrityError::new_err(text),
        StoreError::Aborted => exceptions::AbortedError::new_err(text),
        StoreError::Format(error) => from_format(error),
        StoreError::Chunk { .. } | StoreError::Index { .. } => exceptions::IntegrityError::new_err(text),
    }
}

/// The chunk store of one datastore; threads share it.
#[pyclass(name = "ChunkStore", module = "pbstore._core", frozen)]
pub(crate) struct PyChunkStore {
    pub(crate) inner: Arc<dyn store::ChunkStore>,
    /// For archives that are read at any place.
    pub(crate) cached: CachedStore,
}

#[pymethods]
impl PyChunkStore {
    #[staticmethod]
    #[pyo3(signature = (path, *, progress = None))]
    fn create(py: Python<'_>, path: PathBuf, progress: Option<Py<PyAny>>) -> PyResult<()> {
        let mut raised = None;
        let report = |percent: u8| {
            let Some(progress) = &progress else { return true };
            raised = Python::attach(|py| progress.call1(py, (percent,)).err());
            raised.is_none()
        };
        let created = py.detach(|| LocalChunkStore::create(&path, report));
        match raised {
            Some(error) => Err(error),
            None => created.map_err(from_store),
        }
    }

    #[new]
    #[pyo3(signature = (path, *, sync_level = "filesystem"))]
    fn new(py: Python<'_>, path: PathBuf, sync_level: &str) -> PyResult<Self> {
        let level = sync_level.parse().map_err(from_store)?;
        let opened = py.detach(|| LocalChunkStore::open(&path, level));
        let inner: Arc<dyn store::ChunkStore> = Arc::new(opened.map_err(from_store)?);
        Ok(Self { cached: CachedStore::new(inner.clone()), inner })
    }

    fn insert(&self, py: Python<'_>, digest: Digest, blob: PyBackedBytes) -> PyResult<(bool, u64)> {
        let inserted = py.detach(|| {
            pbstore_format::blob::check_crc(&blob)?;
            self.inner.insert(&digest, &blob)
        });
        inserted.map(|done| (done.is_duplicate(), done.stored_bytes)).map_err(from_store)
    }

    fn read<'py>(&self, py: Python<'py>, digest: Digest) -> PyResult<Bound<'py, pyo3::types::PyBytes>> {
        let data = py.detach(|| self.inner.read(&digest)).map_err(from_store)?;
        Ok(pyo3::types::PyBytes::new(py, &data))
    }

    fn touch(&self, py: Python<'_>, digest: Digest) -> PyResult<bool> {
        py.detach(|| self.inner.touch(&digest)).map_err(from_store)
    }

    fn contains(&self, py: Python<'_>, digest: Digest) -> PyResult<bool> {
        py.detach(|| self.inner.contains(&digest)).map_err(from_store)
    }

    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.inner.sync()).map_err(from_store)
    }
}

/// A closed index and what was uploaded for it.
#[pyclass(name = "IndexStats", module = "pbstore._core", frozen, get_all)]
struct PyIndexStats {
    uuid: [u8; 16],
    csum: Digest,
    size: u64,
    chunk_count: u64,
    upload_count: u64,
    upload_bytes: u64,
    compressed_bytes: u64,
    duplicate_count: u64,
}

impl From<store::IndexStats> for PyIndexStats {
    fn from(stats: store::IndexStats) -> Self {
        let store::IndexStats { uuid, csum, size, chunk_count, uploads } = stats;
        Self {
            uuid,
            csum,
            size,
            chunk_count,
            upload_count: uploads.upload_count,
            upload_bytes: uploads.upload_bytes,
            compressed_bytes: uploads.compressed_bytes,
            duplicate_count: uploads.duplicate_count,
        }
    }
}

/// The chunk side of a backup session.
#[pyclass(name = "BackupChunks", module = "pbstore._core", frozen)]
pub(crate) struct PyBackupChunks {
    pub(crate) inner: Arc<store::BackupChunks>,
}

#[pymethods]
impl PyBackupChunks {
    #[new]
    fn new(store: &PyChunkStore) -> Self {
        Self { inner: Arc::new(store::BackupChunks::new(store.inner.clone())) }
    }

    #[pyo3(signature = (path, size))]
    fn create_fixed(&self, py: Python<'_>, path: PathBuf, size: Option<u64>) -> PyResult<u64> {
        py.detach(|| self.inner.create_fixed(&path, size)).map_err(from_store)
    }

    fn create_fixed_reusing(
        &self,
        py: Python<'_>,
        path: PathBuf,
        size: u64,
        base_path: PathBuf,
        csum: Digest,
    ) -> PyResult<u64> {
        py.detach(|| self.inner.create_fixed_reusing(&path, size, &base_path, &csum)).map_err(from_store)
    }

    fn create_dynamic(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        py.detach(|| self.inner.create_dynamic(&path)).map_err(from_store)
    }

    fn append(
        &self,
        py: Python<'_>,
        kind: &str,
        wid: u64,
        digests: Vec<PyBackedStr>,
        offsets: Vec<u64>,
    ) -> PyResult<()> {
        let kind: IndexKind = kind.parse().map_err(from_store)?;
        let digests = digests.iter().map(|text| digest::from_hex(text)).collect::<Result<Vec<_>, _>>();
        let digests = digests.map_err(from_format)?;
        py.detach(|| self.inner.append(kind, wid, &digests, &offsets)).map_err(from_store)
    }

    fn close_writer(
        &self,
        py: Python<'_>,
        kind: &str,
        wid: u64,
        chunk_count: u64,
        size: u64,
        csum: Digest,
    ) -> PyResult<PyIndexStats> {
        let kind: IndexKind = kind.parse().map_err(from_store)?;
        let stats = py.detach(|| self.inner.close_writer(kind, wid, chunk_count, size, &csum));
        stats.map(PyIndexStats::from).map_err(from_store)
    }

    fn register_index(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        py.detach(|| self.inner.register_index(&path)).map_err(from_store)
    }

    #[getter]
    fn open_writer_count(&self) -> usize {
        self.inner.open_writer_count()
    }

    fn shut(&self, py: Python<'_>) {
        py.detach(|| self.inner.shut());
    }
}

/// The chunk side of a reader session.
#[pyclass(name = "ReaderChunks", module = "pbstore._core", frozen)]
pub(crate) struct PyReaderChunks {
    pub(crate) inner: Arc<store::ReaderChunks>,
}

#[pymethods]
impl PyReaderChunks {
    #[new]
    fn new(store: &PyChunkStore) -> Self {
        Self { inner: Arc::new(store::ReaderChunks::new(store.inner.clone())) }
    }

    fn allow_index(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        py.detach(|| self.inner.allow_index(&path)).map_err(from_store)
    }
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyChunkStore>()?;
    module.add_class::<PyIndexStats>()?;
    module.add_class::<PyBackupChunks>()?;
    module.add_class::<PyReaderChunks>()
}
