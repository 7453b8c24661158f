//! A TCP connection with TLS on it, to a server whose certificate was checked (protocol-transport.md 2, 3.3).

use std::fmt::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ssl::{Ssl, SslConnector, SslMethod, SslRef, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_openssl::SslStream;

use super::error::ClientError;
use super::proxy::Proxy;
use crate::protocol::TCP_KEEPALIVE_SECONDS;
use crate::traffic::{Throttled, TrafficLimits};

/// Applies to TCP and to the TLS handshake, each.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a server is, what proves that it is the right one, and how fast it may be talked to.
#[derive(Debug, Clone)]
pub struct ServerAddress {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// SHA-256 of the leaf certificate, accepted even if no authority vouches for it.
    pub fingerprint: Option<[u8; 32]>,
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Goes between, when set.
    pub proxy: Option<Proxy>,
    /// Shared by all connections to this address.
    pub limits: TrafficLimits,
}

impl ServerAddress {
    /// `host:port`, IPv6 in brackets: for messages, `Host` headers and `CONNECT`.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Connects and lets nothing through before the certificate is accepted.
    pub(crate) async fn connect(&self) -> Result<SslStream<Throttled<TcpStream>>, ClientError> {
        let tcp = Throttled::new(self.connect_tcp().await?, &self.limits);
        let invalid = Arc::new(AtomicBool::new(false));
        let ssl = self.tls(Arc::clone(&invalid)).map_err(|error| {
            ClientError::Connection(format!("unable to set up TLS for {}: {error}", self.authority()))
        })?;
        let mut stream = SslStream::new(ssl, tcp).map_err(|error| self.failed(&error))?;
        match timeout(CONNECT_TIMEOUT, Pin::new(&mut stream).connect()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.failed(&format!("TLS handshake failed: {error}"))),
            Err(_) => return Err(self.failed(&"no TLS handshake within 10 s")),
        }
        if invalid.load(Ordering::Acquire) {
            self.check_fingerprint(stream.ssl())?;
        }
        Ok(stream)
    }

    async fn connect_tcp(&self) -> Result<TcpStream, ClientError> {
        let target = match &self.proxy {
            Some(proxy) => (proxy.host.as_str(), proxy.port),
            None => (self.host.as_str(), self.port),
        };
        let mut tcp = match timeout(CONNECT_TIMEOUT, TcpStream::connect(target)).await {
            Ok(Ok(tcp)) => tcp,
            Ok(Err(error)) => return Err(self.failed(&error)),
            Err(_) => return Err(self.failed(&"no answer within 10 s")),
        };
        set_options(&tcp).map_err(|error| self.failed(&error))?;
        if let Some(proxy) = &self.proxy {
            match timeout(CONNECT_TIMEOUT, proxy.open_tunnel(&mut tcp, &self.authority())).await {
                Ok(result) => result?,
                Err(_) => return Err(self.failed(&"the proxy did not answer within 10 s")),
            }
        }
        Ok(tcp)
    }

    /// TLS settings that note an invalid chain or name in `invalid` and leave the verdict to [`Self::check_fingerprint`].
    fn tls(&self, invalid: Arc<AtomicBool>) -> Result<Ssl, ErrorStack> {
        let mut builder = SslConnector::builder(SslMethod::tls_client())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        if let Some(path) = &self.ca_file {
            builder.set_cert_store(X509StoreBuilder::new()?.build());
            builder.set_ca_file(path)?;
        }
        builder.set_verify_callback(SslVerifyMode::PEER, move |valid, _| {
            if !valid {
                invalid.store(true, Ordering::Release);
            }
            true
        });
        builder.build().configure()?.into_ssl(&self.host)
    }

    fn check_fingerprint(&self, ssl: &SslRef) -> Result<(), ClientError> {
        let certificate = ssl.peer_certificate().ok_or_else(|| self.failed(&"the server showed no certificate"))?;
        let shown = certificate.digest(MessageDigest::sha256()).map_err(|error| self.failed(&error))?;
        if self.fingerprint.as_ref().is_some_and(|expected| expected[..] == shown[..]) {
            return Ok(());
        }
        let fingerprint = fingerprint_text(&shown);
        let reason = match &self.fingerprint {
            Some(expected) => {
                format!("its fingerprint is {fingerprint}, not the expected {}", fingerprint_text(expected))
            }
            None => format!("no authority vouches for it; its fingerprint is {fingerprint}"),
        };
        let text = format!("the certificate of {} is not accepted: {reason}", self.authority());
        Err(ClientError::Certificate { text, fingerprint })
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> ClientError {
        ClientError::Connection(format!("unable to connect to {}: {reason}", self.authority()))
    }
}

fn set_options(tcp: &TcpStream) -> std::io::Result<()> {
    tcp.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(tcp, true)?;
    rustix::net::sockopt::set_tcp_keepidle(tcp, Duration::from_secs(TCP_KEEPALIVE_SECONDS))?;
    Ok(())
}

fn fingerprint_text(digest: &[u8]) -> String {
    let mut text = String::with_capacity(digest.len() * 3);
    for byte in digest {
        if !text.is_empty() {
            text.push(':');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
