//! What the crates log goes to Python's `logging`, below the logger names `pbstore_store`, `pbstore_wire` and so on.

use log::LevelFilter;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3_log::{Caching, Logger};

/// Connect the two, once a process.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Anything below `info` would take the interpreter's lock on the event loop for every odd connection.
    let logger = Logger::new(module.py(), Caching::LoggersAndLevels)?.filter(LevelFilter::Info);
    logger.install().map(drop).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}
