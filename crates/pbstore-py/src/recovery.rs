//! Recovery of archives from chunk directories, for Python.

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pbstore_store::{IndexRecovery, RecoveryError, RecoveryOptions, RecoveryOutput, StoreError};
use pyo3::prelude::*;

use crate::errors::exceptions;
use crate::format::PyCryptKey;
use crate::source::duplicate;
use crate::store::from_store;

/// One archive that is being put together.
#[pyclass(name = "IndexRecovery", module = "pbstore._core", frozen)]
struct PyIndexRecovery {
    inner: Mutex<IndexRecovery>,
}

impl PyIndexRecovery {
    fn lock(&self) -> MutexGuard<'_, IndexRecovery> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyIndexRecovery {
    #[new]
    #[pyo3(signature = (index_path, chunk_directory, *, key, skip_checksums=false, ignore_missing=false,
        ignore_corrupt=false))]
    fn new(
        py: Python<'_>,
        index_path: PathBuf,
        chunk_directory: PathBuf,
        key: Option<&PyCryptKey>,
        skip_checksums: bool,
        ignore_missing: bool,
        ignore_corrupt: bool,
    ) -> PyResult<Self> {
        let options = RecoveryOptions { skip_checksums, ignore_missing, ignore_corrupt };
        let key = key.map(|key| key.inner.clone());
        let inner = py.detach(|| IndexRecovery::open(&index_path, &chunk_directory, key, options));
        Ok(Self { inner: Mutex::new(inner.map_err(from_recovery)?) })
    }

    #[getter]
    fn size(&self) -> u64 {
        self.lock().size()
    }

    #[getter]
    fn position(&self) -> u64 {
        self.lock().position()
    }

    #[pyo3(signature = (target_fd, *, sparse, step_bytes))]
    fn advance(&self, py: Python<'_>, target_fd: RawFd, sparse: bool, step_bytes: u64) -> PyResult<Vec<String>> {
        let file = duplicate(target_fd)?;
        py.detach(|| {
            let mut output = if sparse { RecoveryOutput::sparse(file) } else { RecoveryOutput::stream(file) };
            self.lock().advance(&mut output, step_bytes).map_err(from_recovery)
        })
    }
}

fn from_recovery(error: RecoveryError) -> PyErr {
    let text = error.to_string();
    match error {
        RecoveryError::Index(StoreError::Io { .. }) => exceptions::PbstoreError::new_err(text),
        RecoveryError::Index(error) => from_store(error),
        RecoveryError::Missing { .. } => exceptions::DatastoreError::new_err(text),
        RecoveryError::Corrupt { .. } => exceptions::IntegrityError::new_err(text),
        RecoveryError::NoKey { .. } => exceptions::EncryptionKeyError::new_err(text),
        RecoveryError::Output { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe => source.into(),
        RecoveryError::Closed { .. } | RecoveryError::Output { .. } => exceptions::PbstoreError::new_err(text),
    }
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyIndexRecovery>()
}
