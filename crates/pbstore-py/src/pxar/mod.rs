//! pxar archives and catalogs as files, for Python.

mod archive_input;
mod caller;
mod catalog;
mod creating;
mod extracting;
mod features;
mod listing;

use std::fs::{File, Metadata};
use std::path::Path;

use pbstore_pxar::{quoted, PxarError};
use pyo3::prelude::*;

use crate::errors::exceptions;

pub(crate) use self::listing::PyPxarEntry;

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPxarStats>()?;
    catalog::register(module)?;
    creating::register(module)?;
    extracting::register(module)?;
    listing::register(module)
}

pub(crate) fn from_pxar(error: PxarError) -> PyErr {
    let text = error.to_string();
    match error {
        PxarError::Malformed { .. }
        | PxarError::Truncated { .. }
        | PxarError::Payload { .. }
        | PxarError::Catalog { .. } => exceptions::FormatError::new_err(text),
        PxarError::Cancelled => exceptions::AbortedError::new_err(text),
        _ => exceptions::PbstoreError::new_err(text),
    }
}

fn from_io(action: &str, path: &Path, error: &std::io::Error) -> PyErr {
    let path = quoted(path.as_os_str().as_encoded_bytes());
    exceptions::PbstoreError::new_err(format!("{action} {path}: {error}"))
}

/// What an archive was made of, or what was extracted.
#[pyclass(name = "PxarStats", module = "pbstore._core", frozen, get_all)]
struct PyPxarStats {
    entry_count: u64,
    file_bytes: u64,
    archive_bytes: u64,
    warnings: Vec<String>,
}

fn open(path: &Path) -> PyResult<(File, Metadata)> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    opened.map_err(|error| from_io("failed to open", path, &error))
}
