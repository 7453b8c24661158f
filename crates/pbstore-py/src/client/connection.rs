//! A server as Python sees it.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use pbstore_wire::client::{Connection, Progress, Proxy, ServerAddress};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::session::PySession;
use super::traffic_limit::PyTrafficLimit;
use super::{from_client, interrupt};
use crate::errors::{exceptions, from_format};

/// Largest answer to a REST request, unless the caller says otherwise.
const MAX_ANSWER_BYTES: usize = 64 << 20;

type Headers = Vec<(String, String)>;

/// A server, requests to it, sessions with it.
#[pyclass(name = "Connection", module = "pbstore._core", frozen)]
pub(crate) struct PyConnection {
    inner: Connection,
}

#[pymethods]
impl PyConnection {
    #[new]
    #[pyo3(signature = (host, port, *, fingerprint=None, ca_file=None, proxy=None, limit=None))]
    fn new(
        host: String,
        port: u16,
        fingerprint: Option<&str>,
        ca_file: Option<PathBuf>,
        proxy: Option<&str>,
        limit: Option<&PyTrafficLimit>,
    ) -> PyResult<Self> {
        let fingerprint = fingerprint.map(parse_fingerprint).transpose()?;
        let proxy = proxy.map(Proxy::parse).transpose().map_err(from_client)?;
        let limits = limit.map(|limit| limit.inner.clone()).unwrap_or_default();
        let address = ServerAddress { host, port, fingerprint, ca_file, proxy, limits };
        let inner = Connection::new(address).map_err(from_client)?;
        Ok(Self { inner })
    }

    #[pyo3(signature = (method, target, headers, body=None, *, max_bytes=MAX_ANSWER_BYTES))]
    #[allow(clippy::too_many_arguments)]
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &str,
        headers: Headers,
        body: Option<PyBackedBytes>,
        max_bytes: usize,
    ) -> PyResult<(u16, Headers, Bound<'py, PyBytes>)> {
        let stop = Progress::default();
        let body = body.map_or_else(Bytes::new, Bytes::from_owner);
        let answer =
            interrupt::run(py, &stop, || self.inner.request(method, target, &headers, body, max_bytes, &stop))?;
        let headers = answer.headers.into_iter().map(|(name, value)| (name, latin1(&value))).collect();
        Ok((answer.status, headers, PyBytes::new(py, &answer.body)))
    }

    fn open_session(&self, py: Python<'_>, target: &str, protocol: &str, headers: Headers) -> PyResult<PySession> {
        let stop = Progress::default();
        let session = interrupt::run(py, &stop, || self.inner.open_session(target, protocol, &headers, &stop))?;
        Ok(PySession { inner: Arc::new(session) })
    }
}

fn parse_fingerprint(text: &str) -> PyResult<[u8; 32]> {
    if text.len() != 95 || text.split(':').any(|pair| pair.len() != 2) {
        let bad = format!("not a fingerprint: {text:?}, expected 32 hex pairs joined by colons");
        return Err(exceptions::FormatError::new_err(bad));
    }
    pbstore_format::digest::from_hex(&text.replace(':', "").to_ascii_lowercase()).map_err(from_format)
}

/// Header values are bytes; this maps them to text one to one.
fn latin1(value: &[u8]) -> String {
    value.iter().copied().map(char::from).collect()
}
