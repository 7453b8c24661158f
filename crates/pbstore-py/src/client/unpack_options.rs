//! How a tree is unpacked, as Python says it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use pbstore_pxar::{ExtractOptions, Flags, Pattern, PxarError};
use pyo3::prelude::*;

use crate::errors::exceptions;

/// Options of the restore of a tree.
#[pyclass(name = "UnpackOptions", module = "pbstore._core", frozen)]
pub(crate) struct PyUnpackOptions {
    inner: ExtractOptions,
}

#[pymethods]
impl PyUnpackOptions {
    #[new]
    #[pyo3(signature = (*, overwrite=false, overwrite_files=false, overwrite_symlinks=false, overwrite_hardlinks=false,
        allow_existing_dirs=false, ignore_acls=false, ignore_xattrs=false, ignore_ownership=false,
        ignore_permissions=false, ignore_device_errors=false, patterns=Vec::new()))]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)]
    fn new(
        overwrite: bool,
        overwrite_files: bool,
        overwrite_symlinks: bool,
        overwrite_hardlinks: bool,
        allow_existing_dirs: bool,
        ignore_acls: bool,
        ignore_xattrs: bool,
        ignore_ownership: bool,
        ignore_permissions: bool,
        ignore_device_errors: bool,
        patterns: Vec<OsString>,
    ) -> PyResult<Self> {
        let patterns: Result<_, _> = patterns.iter().map(|text| Pattern::parse_selecting(text.as_bytes())).collect();
        let ignored = [
            (ignore_acls, Flags::ACL),
            (ignore_xattrs, Flags::XATTRS),
            (ignore_ownership, Flags::OWNERSHIP),
            (ignore_permissions, Flags::PERMISSIONS),
        ];
        let defaults = ExtractOptions::default();
        let features =
            ignored.iter().filter(|(ignore, _)| *ignore).fold(defaults.features, |all, (_, flag)| all.without(*flag));
        let inner = ExtractOptions {
            features,
            allow_existing_dirs: allow_existing_dirs || overwrite,
            overwrite_files: overwrite_files || overwrite,
            overwrite_symlinks: overwrite_symlinks || overwrite,
            overwrite_hardlinks: overwrite_hardlinks || overwrite,
            ignore_device_errors,
            patterns: patterns.map_err(|error: PxarError| exceptions::FormatError::new_err(error.to_string()))?,
            ..defaults
        };
        Ok(Self { inner })
    }
}

/// The given options, or the usual ones.
pub(super) fn unpack_options(options: Option<&PyUnpackOptions>) -> ExtractOptions {
    options.map_or_else(ExtractOptions::default, |options| options.inner.clone())
}
