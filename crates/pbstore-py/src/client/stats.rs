//! What transfers did, for Python.

use pbstore_wire::client;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// What an upload did.
#[pyclass(name = "UploadStats", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PyUploadStats {
    chunk_count: u64,
    size: u64,
    csum: [u8; 32],
    uploaded_bytes: u64,
    compressed_bytes: u64,
    uploaded_chunk_count: u64,
    reused_bytes: u64,
    duration_seconds: f64,
    warning_count: u64,
}

/// What the restore of a tree did.
#[pyclass(name = "RestoreStats", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PyRestoreStats {
    size: u64,
    entry_count: u64,
    duration_seconds: f64,
    warning_count: u64,
    prelude: Option<Py<PyBytes>>,
}

/// What the upload of a split archive did.
#[pyclass(name = "SplitUploadStats", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PySplitUploadStats {
    metadata: Py<PyUploadStats>,
    payload: Py<PyUploadStats>,
    hardlink_count: u64,
    reused_file_count: u64,
    reused_payload_bytes: u64,
    encoded_file_count: u64,
    encoded_payload_bytes: u64,
    injected_chunk_count: u64,
    injected_bytes: u64,
    partial_chunk_count: u64,
    padding_bytes: u64,
    warning_count: u64,
}

impl From<client::UploadStats> for PyUploadStats {
    fn from(stats: client::UploadStats) -> Self {
        Self {
            chunk_count: stats.chunk_count,
            size: stats.size,
            csum: stats.csum,
            uploaded_bytes: stats.uploaded_bytes,
            compressed_bytes: stats.compressed_bytes,
            uploaded_chunk_count: stats.uploaded_chunk_count,
            reused_bytes: stats.reused_bytes,
            duration_seconds: stats.duration_seconds,
            warning_count: stats.warning_count,
        }
    }
}

impl PySplitUploadStats {
    pub(super) fn new(py: Python<'_>, stats: client::SplitUploadStats) -> PyResult<Self> {
        let client::SplitUploadStats { metadata, payload, tree, warning_count } = stats;
        Ok(Self {
            metadata: Py::new(py, PyUploadStats::from(metadata))?,
            payload: Py::new(py, PyUploadStats::from(payload))?,
            hardlink_count: tree.hardlink_count,
            reused_file_count: tree.reused_file_count,
            reused_payload_bytes: tree.reused_payload_bytes(),
            encoded_file_count: tree.encoded_file_count(),
            encoded_payload_bytes: tree.encoded_payload_bytes(),
            injected_chunk_count: tree.injected_chunk_count,
            injected_bytes: tree.injected_bytes,
            partial_chunk_count: tree.partial_chunk_count,
            padding_bytes: tree.padding_bytes(),
            warning_count,
        })
    }
}

impl PyRestoreStats {
    pub(super) fn new(py: Python<'_>, stats: client::RestoreStats) -> Self {
        let client::RestoreStats { size, entry_count, duration_seconds, warning_count, prelude } = stats;
        let prelude = prelude.map(|prelude| PyBytes::new(py, &prelude).unbind());
        Self { size, entry_count, duration_seconds, warning_count, prelude }
    }
}

/// What the verification of a tree saw.
#[pyclass(name = "VerifyStats", module = "pbstore._core", frozen, get_all)]
pub(crate) struct PyVerifyStats {
    size: u64,
    entry_count: u64,
}

impl From<client::VerifyStats> for PyVerifyStats {
    fn from(stats: client::VerifyStats) -> Self {
        Self { size: stats.size, entry_count: stats.entry_count }
    }
}
