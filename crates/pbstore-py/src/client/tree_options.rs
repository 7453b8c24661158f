//! How a directory is walked and cut, as Python says it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use pbstore_pxar::{CreateOptions, Pattern};
use pbstore_wire::client::TreeOptions;
use pyo3::prelude::*;

use crate::errors::exceptions;

const DEFAULT_AVERAGE_BYTES: usize = 4 << 20;
const DEFAULT_ENTRIES_MAX: usize = 1_048_576;

/// Options of the upload of a tree.
#[pyclass(name = "TreeOptions", module = "pbstore._core", frozen)]
pub(crate) struct PyTreeOptions {
    inner: TreeOptions,
}

#[pymethods]
impl PyTreeOptions {
    #[new]
    #[pyo3(signature = (*, exclude=Vec::new(), include_devices=Vec::new(), all_file_systems=false,
        skip_lost_and_found=false, skip_e2big_xattr=false, entries_max=DEFAULT_ENTRIES_MAX,
        chunk_size=DEFAULT_AVERAGE_BYTES))]
    fn new(
        exclude: Vec<OsString>,
        include_devices: Vec<u64>,
        all_file_systems: bool,
        skip_lost_and_found: bool,
        skip_e2big_xattr: bool,
        entries_max: usize,
        chunk_size: usize,
    ) -> PyResult<Self> {
        let exclude = exclude.iter().map(|text| Pattern::parse(text.as_bytes())).collect::<Result<_, _>>();
        let create = CreateOptions {
            all_file_systems,
            include_devices,
            exclude: exclude.map_err(|error| exceptions::FormatError::new_err(error.to_string()))?,
            skip_lost_and_found,
            skip_e2big_xattr,
            entries_max,
            ..CreateOptions::default()
        };
        Ok(Self { inner: TreeOptions { create, average_bytes: chunk_size } })
    }

    fn excludes_file(&self, path: OsString) -> bool {
        self.inner.create.excludes_file(path.as_bytes())
    }
}

/// The given options, or the usual ones.
pub(super) fn tree_options(options: Option<&PyTreeOptions>) -> TreeOptions {
    options.map_or_else(
        || TreeOptions { create: CreateOptions::default(), average_bytes: DEFAULT_AVERAGE_BYTES },
        |options| options.inner.clone(),
    )
}
