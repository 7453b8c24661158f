//! Passes on what a walk through a tree tells, and lets the walk know when it should stop.

use pbstore_pxar::Reporter;

use super::progress::{LogLine, Progress};

/// The reporter of trees that are uploaded, restored or verified.
pub(crate) struct TreeReport<'a> {
    progress: &'a Progress,
    warning_count: u64,
    prelude: Option<Vec<u8>>,
}

impl<'a> TreeReport<'a> {
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self { progress, warning_count: 0, prelude: None }
    }

    pub(crate) fn warning_count(&self) -> u64 {
        self.warning_count
    }

    /// What a split archive that was read says of how it was made.
    pub(crate) fn take_prelude(&mut self) -> Option<Vec<u8>> {
        self.prelude.take()
    }
}

impl Reporter for TreeReport<'_> {
    fn warn(&mut self, message: String) {
        self.warning_count += 1;
        self.progress.tell(LogLine::Warning(message));
    }

    fn info(&mut self, message: String) {
        self.progress.tell(LogLine::Info(message));
    }

    fn entry(&mut self, _path: &[u8]) {
        self.progress.add_entry();
    }

    fn prelude(&mut self, prelude: &[u8]) {
        self.prelude = Some(prelude.to_vec());
    }

    fn cancelled(&self) -> bool {
        self.progress.is_cancelled()
    }
}
