//! Fixed and dynamic index files for Python.

use pbstore_format::{dynamic_index, fixed_index, Digest, DynamicIndex, FixedIndex, Index};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::from_format;

/// A `.fidx` file.
#[pyclass(name = "FixedIndex", module = "pbstore._core", frozen)]
pub(crate) struct PyFixedIndex {
    pub(crate) inner: FixedIndex,
}

/// A `.didx` file.
#[pyclass(name = "DynamicIndex", module = "pbstore._core", frozen)]
pub(crate) struct PyDynamicIndex {
    pub(crate) inner: DynamicIndex,
}

#[pymethods]
impl PyFixedIndex {
    #[staticmethod]
    fn parse(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        let inner = py.detach(|| FixedIndex::parse(data.to_vec())).map_err(from_format)?;
        Ok(Self { inner })
    }

    #[staticmethod]
    #[pyo3(signature = (digests, size, *, uuid, ctime, chunk_size=fixed_index::CHUNK_SIZE))]
    fn encode<'py>(
        py: Python<'py>,
        digests: Vec<Digest>,
        size: u64,
        uuid: [u8; 16],
        ctime: i64,
        chunk_size: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let header = fixed_index::FixedHeader { uuid, ctime, csum: [0; 32], size, chunk_size };
        let file = fixed_index::encode_file(header, &digests).map_err(from_format)?;
        Ok(PyBytes::new(py, &file))
    }

    #[getter]
    fn chunk_size(&self) -> u64 {
        self.inner.chunk_size()
    }

    #[getter]
    fn size(&self) -> u64 {
        self.inner.size()
    }

    #[getter]
    fn csum(&self, py: Python<'_>) -> Digest {
        py.detach(|| self.inner.csum())
    }

    #[getter]
    fn uuid(&self) -> [u8; 16] {
        self.inner.uuid()
    }

    #[getter]
    fn ctime(&self) -> i64 {
        self.inner.ctime()
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn digest(&self, index: usize) -> PyResult<Digest> {
        self.inner.digest(index).copied().ok_or_else(|| no_chunk(index))
    }

    fn chunk_end(&self, index: usize) -> PyResult<u64> {
        self.inner.chunk_end(index).ok_or_else(|| no_chunk(index))
    }

    fn find(&self, offset: u64) -> Option<usize> {
        self.inner.find(offset)
    }
}

#[pymethods]
impl PyDynamicIndex {
    #[staticmethod]
    fn parse(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        let inner = py.detach(|| DynamicIndex::parse(data.to_vec())).map_err(from_format)?;
        Ok(Self { inner })
    }

    #[staticmethod]
    #[pyo3(signature = (entries, *, uuid, ctime))]
    fn encode<'py>(
        py: Python<'py>,
        entries: Vec<(u64, Digest)>,
        uuid: [u8; 16],
        ctime: i64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let header = dynamic_index::DynamicHeader { uuid, ctime, csum: [0; 32] };
        let file = dynamic_index::encode_file(header, &entries).map_err(from_format)?;
        Ok(PyBytes::new(py, &file))
    }

    #[getter]
    fn size(&self) -> u64 {
        self.inner.size()
    }

    #[getter]
    fn csum(&self, py: Python<'_>) -> Digest {
        py.detach(|| self.inner.csum())
    }

    #[getter]
    fn uuid(&self) -> [u8; 16] {
        self.inner.uuid()
    }

    #[getter]
    fn ctime(&self) -> i64 {
        self.inner.ctime()
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn digest(&self, index: usize) -> PyResult<Digest> {
        self.inner.digest(index).copied().ok_or_else(|| no_chunk(index))
    }

    fn chunk_end(&self, index: usize) -> PyResult<u64> {
        self.inner.chunk_end(index).ok_or_else(|| no_chunk(index))
    }

    fn find(&self, offset: u64) -> Option<usize> {
        self.inner.find(offset)
    }
}

fn no_chunk(index: usize) -> PyErr {
    PyIndexError::new_err(format!("index has no chunk {index}"))
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFixedIndex>()?;
    module.add_class::<PyDynamicIndex>()
}
