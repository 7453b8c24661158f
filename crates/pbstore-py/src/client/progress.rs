//! Counters that a program polls while a transfer runs.

use std::sync::Arc;

use pbstore_wire::client::{LogLine, Progress};
use pyo3::prelude::*;

/// Shared with the transfers that it was given to.
#[pyclass(name = "Progress", module = "pbstore._core", frozen)]
#[derive(Default)]
pub(crate) struct PyProgress {
    pub(super) inner: Arc<Progress>,
}

#[pymethods]
impl PyProgress {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    #[getter]
    fn processed_bytes(&self) -> u64 {
        self.inner.processed_bytes()
    }

    #[getter]
    fn uploaded_bytes(&self) -> u64 {
        self.inner.uploaded_bytes()
    }

    #[getter]
    fn reused_bytes(&self) -> u64 {
        self.inner.reused_bytes()
    }

    #[getter]
    fn total_bytes(&self) -> Option<u64> {
        self.inner.total_bytes()
    }

    #[getter]
    fn entry_count(&self) -> u64 {
        self.inner.entry_count()
    }

    fn take_lines(&self) -> Vec<(&'static str, String)> {
        let tagged = |line| match line {
            LogLine::Info(text) => ("info", text),
            LogLine::Warning(text) => ("warn", text),
        };
        self.inner.take_lines().into_iter().map(tagged).collect()
    }

    fn cancel(&self) {
        self.inner.cancel();
    }
}

/// The given counters, or some that nobody sees.
pub(super) fn counters(progress: Option<&PyProgress>) -> Arc<Progress> {
    progress.map_or_else(Arc::default, |progress| Arc::clone(&progress.inner))
}
