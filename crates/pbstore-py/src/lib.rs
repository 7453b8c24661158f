//! The binding: the only crate that knows Python. One file a subject; each registers its part of `pbstore._core`.

mod client;
mod errors;
mod file_body;
mod format;
mod front;
mod front_application;
mod index_chunks;
mod indexes;
mod logging;
mod pxar;
mod recovery;
mod source;
mod store;
mod stored_archive;
mod stored_tree;
mod verification;

use pyo3::prelude::*;

/// The compiled module `pbstore._core`; its stub is `src/pbstore/_core.pyi`.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    logging::register(module)?;
    client::register(module)?;
    file_body::register(module)?;
    format::register(module)?;
    front::register(module)?;
    index_chunks::register(module)?;
    indexes::register(module)?;
    pxar::register(module)?;
    recovery::register(module)?;
    store::register(module)?;
    stored_archive::register(module)?;
    stored_tree::register(module)?;
    verification::register(module)?;
    Ok(())
}
