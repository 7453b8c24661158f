//! Which chunks an index lists, for Python.

use std::collections::BTreeSet;

use pbstore_format::{Digest, Index};
use pyo3::prelude::*;

use crate::indexes::{PyDynamicIndex, PyFixedIndex};

/// An index of either kind.
#[derive(FromPyObject)]
enum AnyIndex<'py> {
    Fixed(PyRef<'py, PyFixedIndex>),
    Dynamic(PyRef<'py, PyDynamicIndex>),
}

fn distinct(index: &impl Index) -> Vec<Digest> {
    index.digests().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

fn lists(index: &impl Index, digest: &Digest) -> bool {
    index.digests().any(|listed| listed == digest)
}

#[pyfunction]
fn distinct_chunks(py: Python<'_>, index: AnyIndex<'_>) -> Vec<Digest> {
    match index {
        AnyIndex::Fixed(index) => {
            let index = &index.inner;
            py.detach(|| distinct(index))
        }
        AnyIndex::Dynamic(index) => {
            let index = &index.inner;
            py.detach(|| distinct(index))
        }
    }
}

#[pyfunction]
fn lists_chunk(py: Python<'_>, index: AnyIndex<'_>, digest: Digest) -> bool {
    match index {
        AnyIndex::Fixed(index) => {
            let index = &index.inner;
            py.detach(|| lists(index, &digest))
        }
        AnyIndex::Dynamic(index) => {
            let index = &index.inner;
            py.detach(|| lists(index, &digest))
        }
    }
}

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(distinct_chunks, module)?)?;
    module.add_function(wrap_pyfunction!(lists_chunk, module)?)
}
