//! Errors of the crates as exceptions of `pbstore.errors`. Each subject's file adds the mapping of its own crate.

use pbstore_format::FormatError;
use pyo3::PyErr;

/// The Python classes; imported when the first one is raised.
pub(crate) mod exceptions {
    pyo3::import_exception!(pbstore.errors, ConfigError);
    pyo3::import_exception!(pbstore.errors, ServerError);
    pyo3::import_exception!(pbstore.errors, ConnectionFailedError);
    pyo3::import_exception!(pbstore.errors, CertificateError);
    pyo3::import_exception!(pbstore.errors, AbortedError);
    pyo3::import_exception!(pbstore.errors, DatastoreError);
    pyo3::import_exception!(pbstore.errors, EncryptionKeyError);
    pyo3::import_exception!(pbstore.errors, FormatError);
    pyo3::import_exception!(pbstore.errors, IntegrityError);
    pyo3::import_exception!(pbstore.errors, PbstoreError);
    pyo3::import_exception!(pbstore.errors, PermissionDeniedError);
    pyo3::import_exception!(pbstore.errors, ProtocolError);
}

/// Not a `From`: neither type is ours.
pub(crate) fn from_format(error: FormatError) -> PyErr {
    let text = error.to_string();
    match error {
        FormatError::Malformed(_) | FormatError::TooLarge { .. } => exceptions::FormatError::new_err(text),
        FormatError::Checksum { .. }
        | FormatError::WrongDigest { .. }
        | FormatError::WrongLength { .. }
        | FormatError::WrongTag => exceptions::IntegrityError::new_err(text),
        FormatError::MissingKey => exceptions::EncryptionKeyError::new_err(text),
        FormatError::Internal(_) => exceptions::PbstoreError::new_err(text),
    }
}
