//! Blobs, keys and the chunker for Python, and the self test that runs before anything is written.

use pbstore_format::{blob, chunker, digest, CryptKey, FormatError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::{exceptions, from_format};

/// An encryption key; never shows its material.
#[pyclass(name = "CryptKey", module = "pbstore._core", frozen)]
pub(crate) struct PyCryptKey {
    pub(crate) inner: CryptKey,
}

#[pymethods]
impl PyCryptKey {
    #[new]
    fn new(key: &[u8]) -> PyResult<Self> {
        let key = <[u8; 32]>::try_from(key).map_err(|_| {
            let text = format!("an encryption key has 32 bytes, not {}", key.len());
            exceptions::EncryptionKeyError::new_err(text)
        })?;
        Ok(Self { inner: CryptKey::new(key) })
    }

    #[getter]
    fn fingerprint(&self) -> [u8; 32] {
        self.inner.fingerprint()
    }

    fn auth_tag<'py>(&self, py: Python<'py>, data: PyBackedBytes) -> Bound<'py, PyBytes> {
        let tag = py.detach(|| self.inner.auth_tag(&data));
        PyBytes::new(py, &tag)
    }

    fn __repr__(&self) -> &'static str {
        "CryptKey(...)"
    }
}

/// Cuts a stream that comes in pieces.
#[pyclass(name = "Chunker", module = "pbstore._core")]
struct PyChunker(chunker::Chunker);

#[pymethods]
impl PyChunker {
    #[new]
    fn new(average: usize) -> PyResult<Self> {
        Ok(Self(chunker::Chunker::new(average).map_err(from_format)?))
    }

    fn scan(&mut self, py: Python<'_>, data: PyBackedBytes) -> Option<usize> {
        let chunker = &mut self.0;
        py.detach(|| chunker.scan(&data))
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

#[pyfunction]
#[pyo3(signature = (data, *, key=None, compress=true))]
fn seal_blob<'py>(
    py: Python<'py>,
    data: PyBackedBytes,
    key: Option<&PyCryptKey>,
    compress: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let key = key.map(|key| &key.inner);
    let sealed = py.detach(|| blob::seal(&data, key, compress)).map_err(from_format)?;
    Ok(PyBytes::new(py, &sealed))
}

#[pyfunction]
#[pyo3(signature = (blob, *, key=None, max_bytes=blob::MAX_CHUNK_BYTES))]
fn open_blob<'py>(
    py: Python<'py>,
    blob: PyBackedBytes,
    key: Option<&PyCryptKey>,
    max_bytes: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let key = key.map(|key| &key.inner);
    let data = py.detach(|| blob::open(&blob, key, max_bytes)).map_err(from_format)?;
    Ok(PyBytes::new(py, &data))
}

#[pyfunction]
fn blob_kind(blob: &[u8]) -> PyResult<&'static str> {
    Ok(blob::kind(blob).map_err(from_format)?.name())
}

#[pyfunction]
fn check_blob_crc(py: Python<'_>, blob: PyBackedBytes) -> PyResult<()> {
    py.detach(|| blob::check_crc(&blob)).map_err(from_format)
}

#[pyfunction]
#[pyo3(signature = (data, key=None))]
fn chunk_digest<'py>(py: Python<'py>, data: PyBackedBytes, key: Option<&PyCryptKey>) -> Bound<'py, PyBytes> {
    let key = key.map(|key| &key.inner);
    let digest = py.detach(|| digest::chunk_digest(&data, key));
    PyBytes::new(py, &digest)
}

#[pyfunction]
#[pyo3(signature = (data, average=chunker::DEFAULT_AVERAGE))]
fn chunk_ends(py: Python<'_>, data: PyBackedBytes, average: usize) -> PyResult<Vec<usize>> {
    py.detach(|| chunker::chunk_ends(&data, average)).map_err(from_format)
}

#[pyfunction]
#[pyo3(signature = (data, suggestions, *, average=chunker::DEFAULT_AVERAGE, injections=Vec::new()))]
fn payload_chunk_ends(
    py: Python<'_>,
    data: PyBackedBytes,
    suggestions: Vec<u64>,
    average: usize,
    injections: Vec<(u64, u64)>,
) -> PyResult<Vec<u64>> {
    py.detach(|| chunker::payload_chunk_ends(&data, &suggestions, &injections, average)).map_err(from_format)
}

/// Cheap enough for every start; a wrongly compiled module must not touch data.
#[pyfunction]
fn self_test(py: Python<'_>) -> PyResult<()> {
    py.detach(pbstore_format::self_test).map_err(|error: FormatError| {
        exceptions::IntegrityError::new_err(format!("self test of the compiled module failed: {error}"))
    })
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCryptKey>()?;
    module.add_class::<PyChunker>()?;
    module.add_function(wrap_pyfunction!(seal_blob, module)?)?;
    module.add_function(wrap_pyfunction!(open_blob, module)?)?;
    module.add_function(wrap_pyfunction!(blob_kind, module)?)?;
    module.add_function(wrap_pyfunction!(check_blob_crc, module)?)?;
    module.add_function(wrap_pyfunction!(chunk_digest, module)?)?;
    module.add_function(wrap_pyfunction!(chunk_ends, module)?)?;
    module.add_function(wrap_pyfunction!(payload_chunk_ends, module)?)?;
    module.add_function(wrap_pyfunction!(self_test, module)?)
}
