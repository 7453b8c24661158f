//! What differs between two archives on the server, for Python.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use pbstore_pxar::{Accessor, Change, Changes, Comparison, Difference, Directory, PxarError};
use pbstore_wire::client::{ClientError, Progress};
use pyo3::prelude::*;

use super::interrupt;
use super::progress::{counters, PyProgress};
use super::remote_archive::PyRemoteArchive;
use crate::pxar::PyPxarEntry;

/// An entry that is not the same in both archives.
#[pyclass(name = "ArchiveDifference", module = "pbstore._core", frozen, get_all)]
pub(super) struct PyArchiveDifference {
    change: char,
    entry: Py<PyPxarEntry>,
    changes: BTreeSet<&'static str>,
}

/// The differences between two archives, found as they are asked for.
#[pyclass(name = "ArchiveComparison", module = "pbstore._core", frozen)]
pub(super) struct PyArchiveComparison {
    inner: Mutex<Comparison>,
    progress: Arc<Progress>,
}

#[pyfunction]
#[pyo3(signature = (old, new, *, old_payload=None, new_payload=None, compare_content=false, progress=None))]
pub(super) fn compare_archives(
    py: Python<'_>,
    old: &PyRemoteArchive,
    new: &PyRemoteArchive,
    old_payload: Option<&PyRemoteArchive>,
    new_payload: Option<&PyRemoteArchive>,
    compare_content: bool,
    progress: Option<&PyProgress>,
) -> PyResult<PyArchiveComparison> {
    let progress = counters(progress);
    let inner = interrupt::run(py, &progress, || {
        let (old, new) = (root(old, old_payload)?, root(new, new_payload)?);
        Ok(Comparison::new(old, new, compare_content))
    })?;
    Ok(PyArchiveComparison { inner: Mutex::new(inner), progress })
}

fn root(archive: &PyRemoteArchive, payload: Option<&PyRemoteArchive>) -> Result<Directory, ClientError> {
    let opened = match payload {
        Some(payload) => Accessor::with_payload(archive.read_at(), payload.read_at()),
        None => Accessor::open(archive.read_at()),
    };
    opened.map_err(reading_error)
}

#[pymethods]
impl PyArchiveComparison {
    fn __iter__(comparison: PyRef<'_, Self>) -> PyRef<'_, Self> {
        comparison
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<PyArchiveDifference>> {
        let next = interrupt::run(py, &self.progress, || {
            let mut comparison = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            comparison.next_difference().map_err(reading_error)
        })?;
        next.map(|difference| PyArchiveDifference::new(py, difference)).transpose()
    }
}

impl PyArchiveDifference {
    fn new(py: Python<'_>, difference: Difference) -> PyResult<Self> {
        let change = match difference.change {
            Change::Added => 'A',
            Change::Modified => 'M',
            Change::Removed => 'D',
        };
        let entry = PyPxarEntry::linked(&difference.path, difference.entry, difference.linked);
        Ok(Self { change, entry: Py::new(py, entry)?, changes: names(difference.changes) })
    }
}

fn names(changes: Changes) -> BTreeSet<&'static str> {
    let Changes { kind, uid, gid, mode, size, mtime, other } = changes;
    let named = [
        (kind, "kind"),
        (uid, "uid"),
        (gid, "gid"),
        (mode, "mode"),
        (size, "size"),
        (mtime, "mtime"),
        (other, "other"),
    ];
    named.into_iter().filter(|(is_changed, _)| *is_changed).map(|(_, name)| name).collect()
}

fn reading_error(error: PxarError) -> ClientError {
    let inside = match &error {
        PxarError::Read(source) => ClientError::inside(source),
        _ => None,
    };
    inside.unwrap_or_else(|| match error {
        PxarError::Cancelled => ClientError::Aborted,
        PxarError::Malformed { .. } | PxarError::Truncated { .. } | PxarError::Payload { .. } => {
            ClientError::Format(error.to_string())
        }
        other => ClientError::Local(other.to_string()),
    })
}
