//! Directory trees of archives.

use std::path::PathBuf;

use pbstore_pxar::{ExtractOptions, Pattern};
use pyo3::prelude::*;

use super::archive_input::open_archive;
use super::caller::Caller;
use super::features::features;
use super::{from_pxar, PyPxarStats};
use crate::source::Source;

/// Add this subject to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(extract_pxar, module)?)
}

#[pyfunction]
#[pyo3(signature = (
    archive, target, *, payload_path=None, prelude_path=None, patterns=Vec::new(), allow_existing_dirs=false,
    overwrite_files=false, overwrite_symlinks=false, overwrite_hardlinks=false, ignore_device_errors=false, strict=true,
    without=Vec::new(), warn=None
))]
#[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
fn extract_pxar(
    py: Python<'_>,
    archive: Source,
    target: PathBuf,
    payload_path: Option<PathBuf>,
    prelude_path: Option<PathBuf>,
    patterns: Vec<Vec<u8>>,
    allow_existing_dirs: bool,
    overwrite_files: bool,
    overwrite_symlinks: bool,
    overwrite_hardlinks: bool,
    ignore_device_errors: bool,
    strict: bool,
    without: Vec<String>,
    warn: Option<Py<PyAny>>,
) -> PyResult<PyPxarStats> {
    let patterns: Result<Vec<_>, _> = patterns.iter().map(|text| Pattern::parse_selecting(text)).collect();
    let options = ExtractOptions {
        features: features(&without)?,
        allow_existing_dirs,
        overwrite_files,
        overwrite_symlinks,
        overwrite_hardlinks,
        ignore_device_errors,
        patterns: patterns.map_err(from_pxar)?,
        strict,
    };
    py.detach(|| {
        let (reader, archive_bytes) = open_archive(archive, payload_path)?;
        let mut caller = Caller::new().warning(warn).keeping_prelude(prelude_path);
        let result = reader.extract(&target, &options, &mut caller);
        let (stats, warnings) = caller.outcome(result)?;
        let (entry_count, file_bytes) = (stats.entry_count, stats.file_bytes);
        Ok(PyPxarStats { entry_count, file_bytes, archive_bytes, warnings })
    })
}
