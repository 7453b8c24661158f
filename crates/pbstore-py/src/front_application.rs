//! The Python application behind the front. Whatever it raises is logged and answered; the server goes on.

use std::sync::Arc;

use bytes::Bytes;
use pbstore_wire::server::application::{
    Application, Decision, Grant, Request, Response, ResponseBody, Session, SessionCall,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::file_body::PyFileBody;
use crate::front::{PyRequest, PySessionGrant};

const LOGGER: &str = "pbstore.front";

/// An object with `handle` and `authorize`.
pub(crate) struct PyApplication {
    object: Py<PyAny>,
}

impl PyApplication {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self { object }
    }

    fn call<'py>(&self, py: Python<'py>, method: &str, request: Request) -> PyResult<Bound<'py, PyAny>> {
        let request = PyRequest::from_wire(py, request)?;
        self.object.bind(py).call_method1(method, (request,))
    }
}

impl Application for PyApplication {
    fn handle(&self, request: Request) -> Response {
        let what = format!("{} {}", request.method, request.path);
        attached(&what, |py| response(&self.call(py, "handle", request)?)).unwrap_or_else(internal_error)
    }

    fn authorize(&self, request: Request) -> Decision {
        let what = format!("{} {}", request.method, request.path);
        let decided = attached(&what, |py| {
            let answer = self.call(py, "authorize", request)?;
            match answer.cast::<PySessionGrant>() {
                Ok(granted) => grant(py, granted.get()).map(Decision::Granted),
                Err(_) => response(&answer).map(Decision::Refused),
            }
        });
        decided.unwrap_or_else(|| Decision::Refused(internal_error()))
    }
}

fn grant(py: Python<'_>, granted: &PySessionGrant) -> PyResult<Grant> {
    if !granted.claim() {
        return Err(PyValueError::new_err("a SessionGrant is good for one connection"));
    }
    Ok(Grant {
        protocol: granted.protocol.clone(),
        chunks: granted.chunks.clone(),
        session: Arc::new(PySession { object: granted.session.clone_ref(py) }),
        abort: granted.abort.clone(),
    })
}

/// An object with `handle`, `failed` and `closed`.
struct PySession {
    object: Py<PyAny>,
}

impl Session for PySession {
    fn handle(&self, call: SessionCall) -> Response {
        let what = format!("{} {}", call.method, call.path);
        let SessionCall { method, path, query, content_type, body } = call;
        let handled = attached(&what, |py| {
            let arguments = (method, path, query, content_type, PyBytes::new(py, &body));
            response(&self.object.bind(py).call_method1("handle", arguments)?)
        });
        handled.unwrap_or_else(internal_error)
    }

    fn failed(&self, method: &str, path: &str, status: u16, message: &str) {
        let noted = attached("failed", |py| self.object.call_method1(py, "failed", (method, path, status, message)));
        drop(noted);
    }

    fn closed(&self, reason: Option<&str>) {
        drop(attached("closed", |py| self.object.call_method1(py, "closed", (reason,))));
    }
}

fn internal_error() -> Response {
    Response::text(500, "internal server error")
}

/// Run `work` in the interpreter. None when it raised, which is then in the log, or when the interpreter is ending.
fn attached<T>(what: &str, work: impl for<'py> FnOnce(Python<'py>) -> PyResult<T>) -> Option<T> {
    Python::try_attach(|py| match work(py) {
        Ok(value) => Some(value),
        Err(error) => {
            if let Err(second) = log_exception(py, what, &error) {
                second.write_unraisable(py, None);
            }
            None
        }
    })
    .flatten()
}

/// With its traceback, which the peer must not see.
fn log_exception(py: Python<'_>, what: &str, error: &PyErr) -> PyResult<()> {
    let options = PyDict::new(py);
    options.set_item("exc_info", error.value(py))?;
    let logger = py.import("logging")?.call_method1("getLogger", (LOGGER,))?;
    logger.call_method("error", ("%s raised an exception", what), Some(&options))?;
    Ok(())
}

/// `(status, headers, body)`.
fn response(answer: &Bound<'_, PyAny>) -> PyResult<Response> {
    let (status, headers, body): (u16, Vec<(String, String)>, Bound<'_, PyAny>) = answer.extract()?;
    let body = match body.cast::<PyFileBody>() {
        Ok(file) => {
            let sent = || PyValueError::new_err("a FileBody is good for one response");
            ResponseBody::Stream(file.get().take().ok_or_else(sent)?)
        }
        Err(_) => ResponseBody::Whole(Bytes::copy_from_slice(&body.extract::<PyBackedBytes>()?)),
    };
    Ok(Response { status, headers, body })
}
