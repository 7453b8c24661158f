//! The TLS side of the listener: Mozilla's intermediate profile (protocol-transport.md 1).

use std::path::Path;

use openssl::error::ErrorStack;
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslOptions};

/// Make an acceptor from a chain, leaf first, and its key, both PEM.
pub(crate) fn acceptor(certificate: &Path, private_key: &Path) -> Result<SslAcceptor, String> {
    let failed = |what: &str, path: &Path, error: ErrorStack| {
        let reason = error.errors().first().and_then(|first| first.reason()).unwrap_or("unreadable").to_owned();
        format!("cannot use {what} {}: {reason}", path.display())
    };
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    // Clients drop the connection after `finish`; HTTP knows by itself when a message is cut short.
    builder.set_options(SslOptions::NO_RENEGOTIATION | SslOptions::IGNORE_UNEXPECTED_EOF);
    builder.set_certificate_chain_file(certificate).map_err(|error| failed("certificate", certificate, error))?;
    builder
        .set_private_key_file(private_key, SslFiletype::PEM)
        .and_then(|()| builder.check_private_key())
        .map_err(|error| failed("private key", private_key, error))?;
    Ok(builder.build())
}
