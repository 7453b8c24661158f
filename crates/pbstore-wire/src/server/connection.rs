//! From an accepted socket to TLS: socket options, first bytes, handshake (protocol-transport.md 1).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{Ssl, SslAcceptor};
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_openssl::SslStream;

use super::engine::Engine;
use super::limits::{HANDSHAKE_TIMEOUT, MAX_CONNECTIONS, MAX_HANDSHAKES};
use super::{redirect, rest};
use crate::protocol::TCP_KEEPALIVE_SECONDS;

/// Pause after accept failed, as it does without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Pause between looks at a connection that has sent fewer bytes than a TLS record header.
const PEEK_PAUSE: Duration = Duration::from_millis(10);
const TLS_HEADER_BYTES: usize = 5;
const TLS_MAX_RECORD_BYTES: u16 = 16384;

/// What listeners share.
pub(crate) struct Doors {
    acceptor: SslAcceptor,
    connections: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
}

impl Doors {
    pub(crate) fn new(acceptor: SslAcceptor) -> Self {
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Self { acceptor, connections, handshakes: Arc::new(Semaphore::new(MAX_HANDSHAKES)) }
    }
}

/// Accept until the front stops.
pub(crate) async fn accept_all(engine: Arc<Engine>, doors: Arc<Doors>, listener: TcpListener) {
    loop {
        let Ok(place) = doors.connections.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = engine.stopping.cancelled() => return,
        };
        match accepted {
            Err(error) => {
                log::warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
            Ok((stream, peer)) => {
                let (engine, doors) = (engine.clone(), doors.clone());
                let tasks = engine.tasks.clone();
                tasks.spawn(async move {
                    let _place = place;
                    serve(engine, &doors, stream, canonical(peer)).await;
                });
            }
        }
    }
}

/// IPv4 clients of a dual stack listener are IPv4 clients.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

async fn serve(engine: Arc<Engine>, doors: &Doors, stream: TcpStream, peer: SocketAddr) {
    let Ok(handshake) = doors.handshakes.clone().try_acquire_owned() else {
        log::warn!("too many unfinished handshakes: dropping the connection of {peer}");
        return;
    };
    if let Err(error) = set_options(&stream) {
        log::debug!("cannot set socket options for {peer}: {error}");
    }
    match timeout(HANDSHAKE_TIMEOUT, is_tls(&stream)).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return redirect::serve(stream).await,
        Ok(Err(_)) | Err(_) => return,
    }
    let Ok(mut tls) = Ssl::new(doors.acceptor.context()).and_then(|ssl| SslStream::new(ssl, stream)) else { return };
    match timeout(HANDSHAKE_TIMEOUT, Pin::new(&mut tls).accept()).await {
        Ok(Ok(())) => {
            drop(handshake);
            rest::serve(engine, tls, peer).await;
        }
        Ok(Err(error)) => log::debug!("TLS handshake with {peer} failed: {error}"),
        Err(_) => log::debug!("TLS handshake with {peer} timed out"),
    }
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(TCP_KEEPALIVE_SECONDS))?;
    Ok(())
}

/// Look at the first bytes without taking them. A connection that ends before is an error.
async fn is_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut head = [0; TLS_HEADER_BYTES];
    loop {
        match stream.peek(&mut head).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            seen => match judge(head.get(..seen).unwrap_or_default()) {
                Some(verdict) => return Ok(verdict),
                None => sleep(PEEK_PAUSE).await,
            },
        }
    }
}

/// Whether these are the first bytes of a TLS handshake record; None if that cannot be said yet.
fn judge(head: &[u8]) -> Option<bool> {
    match *head {
        [0x16, 0x03, _, high, low, ..] => Some(u16::from_be_bytes([high, low]) <= TLS_MAX_RECORD_BYTES),
        [0x16] | [0x16, 0x03, ..] | [] => None,
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn knows_tls_by_its_first_bytes() {
        assert_eq!(judge(&[0x16, 0x03, 0x01, 0x02, 0x00]), Some(true));
        assert_eq!(judge(&[0x16, 0x03, 0x01, 0x40, 0x00]), Some(true));
        assert_eq!(judge(&[0x16, 0x03, 0x01, 0x40, 0x01]), Some(false));
        assert_eq!(judge(b"GET /"), Some(false));
        assert_eq!(judge(&[0x16, 0x04]), Some(false));
        for partial in [&[][..], &[0x16], &[0x16, 0x03], &[0x16, 0x03, 0x01, 0x00]] {
            assert_eq!(judge(partial), None, "{partial:?}");
        }
    }
}
