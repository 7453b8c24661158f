//! The Python caller of a long run: takes its warnings, and can interrupt it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pbstore_pxar::{PxarError, Reporter};
use pyo3::prelude::*;

use super::{from_io, from_pxar};

/// How soon Ctrl-C is noticed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// Collects warnings or passes them on, and runs Python's signal handlers now and then on the thread that called.
pub(super) struct Caller {
    warnings: Vec<String>,
    warn: Option<Py<PyAny>>,
    prelude_path: Option<PathBuf>,
    checked: Cell<Instant>,
    raised: RefCell<Option<PyErr>>,
}

impl Caller {
    pub(super) fn new() -> Self {
        let (checked, raised) = (Cell::new(Instant::now()), RefCell::new(None));
        Self { warnings: Vec::new(), warn: None, prelude_path: None, checked, raised }
    }

    /// Calls `warn` with every warning instead of collecting them.
    pub(super) fn warning(self, warn: Option<Py<PyAny>>) -> Self {
        Self { warn, ..self }
    }

    /// Writes the prelude, if there is one, to a new file.
    pub(super) fn keeping_prelude(self, prelude_path: Option<PathBuf>) -> Self {
        Self { prelude_path, ..self }
    }

    /// What a signal handler or the caller's function raised comes before the error that it led to.
    pub(super) fn outcome<T>(self, result: Result<T, PxarError>) -> PyResult<(T, Vec<String>)> {
        match self.raised.into_inner() {
            Some(raised) => Err(raised),
            None => result.map(|value| (value, self.warnings)).map_err(from_pxar),
        }
    }
}

impl Reporter for Caller {
    fn warn(&mut self, message: String) {
        let Some(warn) = &self.warn else { return self.warnings.push(message) };
        if let Err(error) = Python::attach(|py| warn.call1(py, (message,))) {
            self.raised.replace(Some(error));
        }
    }

    fn prelude(&mut self, prelude: &[u8]) {
        let Some(path) = &self.prelude_path else { return };
        let file = File::options().write(true).create_new(true).mode(0o640).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(prelude)) {
            self.raised.replace(Some(from_io("failed to write", path, &error)));
        }
    }

    fn cancelled(&self) -> bool {
        if self.checked.get().elapsed() >= SIGNAL_INTERVAL {
            self.checked.set(Instant::now());
            if let Err(error) = Python::attach(|py| py.check_signals()) {
                self.raised.replace(Some(error));
            }
        }
        self.raised.borrow().is_some()
    }
}
