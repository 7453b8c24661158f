//! How fast connections may send and receive, as Python says it.

use std::sync::Arc;

use pbstore_wire::traffic::{TokenBucket, TrafficLimits};
use pyo3::prelude::*;

/// Shared by all connections that it was given to.
#[pyclass(name = "TrafficLimit", module = "pbstore._core", frozen)]
pub(crate) struct PyTrafficLimit {
    pub(super) inner: TrafficLimits,
}

#[pymethods]
impl PyTrafficLimit {
    #[new]
    #[pyo3(signature = (*, rate_in=None, burst_in=None, rate_out=None, burst_out=None))]
    fn new(rate_in: Option<u64>, burst_in: Option<u64>, rate_out: Option<u64>, burst_out: Option<u64>) -> Self {
        let bucket = |rate: Option<u64>, burst: Option<u64>| {
            rate.map(|rate| Arc::new(TokenBucket::new(rate, burst.unwrap_or(rate))))
        };
        let inner = TrafficLimits { incoming: bucket(rate_in, burst_in), outgoing: bucket(rate_out, burst_out) };
        Self { inner }
    }
}
