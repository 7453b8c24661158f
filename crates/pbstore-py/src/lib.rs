//! The binding: the only crate that knows Python. One file a subject; each registers its part of `pbstore._core`.

use pyo3::prelude::*;

/// The compiled module `pbstore._core`; its stub is `src/pbstore/_core.pyi`.
#[pymodule]
fn _core(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
