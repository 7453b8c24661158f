//! What Python hands in to be read: a path, or something that it has open.

use std::fs::File;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;

use pyo3::prelude::*;

use crate::errors::exceptions;

/// A path or an open descriptor.
#[derive(FromPyObject)]
pub(crate) enum Source {
    Descriptor(RawFd),
    Path(PathBuf),
}

/// A descriptor of our own for what the caller has open.
pub(crate) fn duplicate(descriptor: RawFd) -> PyResult<File> {
    if descriptor < 0 {
        return Err(exceptions::PbstoreError::new_err(format!("not an open descriptor: {descriptor}")));
    }
    // SAFETY: the descriptor is only used for this call, which fails if it is not open; -1 is ruled out above.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(borrowed.try_clone_to_owned()?.into())
}
