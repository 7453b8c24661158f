//! Collects what a walk through a tree warns of, and lets the walk know when it should stop.

use pbstore_pxar::Reporter;

use super::progress::Progress;

/// More than anybody reads; keeps a tree of unreadable files from filling the memory.
const MAX_WARNINGS: usize = 100_000;

/// The reporter of trees that are uploaded or restored.
pub(crate) struct Warnings<'a> {
    progress: &'a Progress,
    list: Vec<String>,
    left_out: u64,
    prelude: Option<Vec<u8>>,
}

impl<'a> Warnings<'a> {
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self { progress, list: Vec::new(), left_out: 0, prelude: None }
    }

    /// What a split archive that was read says of how it was made.
    pub(crate) fn take_prelude(&mut self) -> Option<Vec<u8>> {
        self.prelude.take()
    }

    pub(crate) fn into_list(mut self) -> Vec<String> {
        if self.left_out > 0 {
            self.list.push(format!("{} more warnings were left out", self.left_out));
        }
        self.list
    }
}

impl Reporter for Warnings<'_> {
    fn warn(&mut self, message: String) {
        if self.list.len() < MAX_WARNINGS {
            self.list.push(message);
        } else {
            self.left_out += 1;
        }
    }

    fn prelude(&mut self, prelude: &[u8]) {
        self.prelude = Some(prelude.to_vec());
    }

    fn cancelled(&self) -> bool {
        self.progress.is_cancelled()
    }
}
