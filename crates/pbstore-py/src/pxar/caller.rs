//! The Python caller of a long run: takes its warnings, and can interrupt it.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use pbstore_pxar::{PxarError, Reporter};
use pyo3::prelude::*;

use super::from_pxar;

/// How soon Ctrl-C is noticed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// Collects warnings, and runs Python's signal handlers now and then on the thread that called.
pub(super) struct Caller {
    warnings: Vec<String>,
    checked: Cell<Instant>,
    raised: RefCell<Option<PyErr>>,
}

impl Caller {
    pub(super) fn new() -> Self {
        Self { warnings: Vec::new(), checked: Cell::new(Instant::now()), raised: RefCell::new(None) }
    }

    /// What a signal handler raised comes before the error that it led to.
    pub(super) fn outcome<T>(self, result: Result<T, PxarError>) -> PyResult<(T, Vec<String>)> {
        match self.raised.into_inner() {
            Some(raised) => Err(raised),
            None => result.map(|value| (value, self.warnings)).map_err(from_pxar),
        }
    }
}

impl Reporter for Caller {
    fn warn(&mut self, message: String) {
        self.warnings.push(message);
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
