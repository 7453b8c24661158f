//! Directory trees of archives.

use std::path::PathBuf;

use pbstore_pxar::{extract_archive, ExtractOptions};
use pyo3::prelude::*;

use super::caller::Caller;
use super::features::features;
use super::{open, PyPxarStats};

/// Add this subject to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(extract_pxar, module)?)
}

#[pyfunction]
#[pyo3(signature = (
    archive_path, target, *, allow_existing_dirs=false, overwrite_files=false, overwrite_symlinks=false,
    overwrite_hardlinks=false, ignore_device_errors=false, strict=true, without=Vec::new()
))]
#[allow(clippy::too_many_arguments)]
fn extract_pxar(
    py: Python<'_>,
    archive_path: PathBuf,
    target: PathBuf,
    allow_existing_dirs: bool,
    overwrite_files: bool,
    overwrite_symlinks: bool,
    overwrite_hardlinks: bool,
    ignore_device_errors: bool,
    strict: bool,
    without: Vec<String>,
) -> PyResult<PyPxarStats> {
    let options = ExtractOptions {
        features: features(&without)?,
        allow_existing_dirs,
        overwrite_files,
        overwrite_symlinks,
        overwrite_hardlinks,
        ignore_device_errors,
        strict,
    };
    py.detach(|| {
        let (input, archive_bytes) = open(&archive_path)?;
        let mut caller = Caller::new();
        let result = extract_archive(input, &target, &options, &mut caller);
        let (stats, warnings) = caller.outcome(result)?;
        let (entry_count, file_bytes) = (stats.entry_count, stats.file_bytes);
        Ok(PyPxarStats { entry_count, file_bytes, archive_bytes, warnings })
    })
}
