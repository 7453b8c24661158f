//! What a long walk tells its caller, and how the caller stops it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Receives warnings and progress of [`crate::create_archive`] and [`crate::extract_archive`].
pub trait Reporter {
    /// Something was left out or differs; the text is complete, one line, as the user should see it.
    fn warn(&mut self, message: String);

    /// Something worth a log line that is no warning, such as a mount point that is left out.
    fn info(&mut self, _message: String) {}

    /// An entry begins; `path` is relative to the archive's root, without leading slash, empty for the root.
    fn entry(&mut self, _path: &[u8]) {}

    /// What the program that made a split archive left in it for its readers; told once, before the first entry.
    fn prelude(&mut self, _prelude: &[u8]) {}

    /// Asked for at every entry and at every block of file content; true ends the walk with `PxarError::Cancelled`.
    fn cancelled(&self) -> bool {
        false
    }
}

/// A reporter that drops everything.
pub struct Silent;

impl Reporter for Silent {
    fn warn(&mut self, _message: String) {}
}

/// Counts the warnings that pass through.
pub(crate) struct Counting<'a> {
    inner: &'a mut dyn Reporter,
    pub warnings: u64,
}

impl<'a> Counting<'a> {
    pub fn new(inner: &'a mut dyn Reporter) -> Self {
        Self { inner, warnings: 0 }
    }
}

impl Reporter for Counting<'_> {
    fn warn(&mut self, message: String) {
        self.warnings += 1;
        self.inner.warn(message);
    }

    fn info(&mut self, message: String) {
        self.inner.info(message);
    }

    fn entry(&mut self, path: &[u8]) {
        self.inner.entry(path);
    }

    fn prelude(&mut self, prelude: &[u8]) {
        self.inner.prelude(prelude);
    }

    fn cancelled(&self) -> bool {
        self.inner.cancelled()
    }
}

/// A path in double quotes with everything unprintable escaped, as the log lines show it.
pub fn quoted(path: &[u8]) -> String {
    format!("{:?}", OsStr::from_bytes(path))
}
