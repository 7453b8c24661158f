//! The client for Python: connections, sessions, uploads and restores.

mod catalog;
mod comparing;
mod connection;
mod interrupt;
mod progress;
mod remote_archive;
mod session;
mod stats;
mod traffic_limit;
mod tree_options;
mod unpack_options;

use pbstore_wire::client::ClientError;
use pyo3::prelude::*;

use crate::errors::exceptions;

/// Add this subject to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<progress::PyProgress>()?;
    module.add_class::<traffic_limit::PyTrafficLimit>()?;
    module.add_class::<connection::PyConnection>()?;
    module.add_class::<session::PySession>()?;
    module.add_class::<catalog::PyCatalogUpload>()?;
    module.add_class::<remote_archive::PyRemoteArchive>()?;
    module.add_class::<comparing::PyArchiveComparison>()?;
    module.add_class::<comparing::PyArchiveDifference>()?;
    module.add_function(wrap_pyfunction!(comparing::compare_archives, module)?)?;
    module.add_class::<tree_options::PyTreeOptions>()?;
    module.add_class::<unpack_options::PyUnpackOptions>()?;
    module.add_class::<stats::PyUploadStats>()?;
    module.add_class::<stats::PySplitUploadStats>()?;
    module.add_class::<stats::PyVerifyStats>()?;
    module.add_class::<stats::PyRestoreStats>()
}

fn from_client(error: ClientError) -> PyErr {
    let text = error.to_string();
    match error {
        ClientError::Connection(_) => exceptions::ConnectionFailedError::new_err(text),
        ClientError::Certificate { fingerprint, .. } => exceptions::CertificateError::new_err((text, fingerprint)),
        ClientError::Server { status, .. } => exceptions::ServerError::new_err((text, status)),
        ClientError::Protocol(_) => exceptions::ProtocolError::new_err(text),
        ClientError::Format(_) => exceptions::FormatError::new_err(text),
        ClientError::Integrity(_) => exceptions::IntegrityError::new_err(text),
        ClientError::Key(_) => exceptions::EncryptionKeyError::new_err(text),
        ClientError::Local(_) => exceptions::PbstoreError::new_err(text),
        ClientError::Aborted | ClientError::Stopped => exceptions::AbortedError::new_err(text),
    }
}
