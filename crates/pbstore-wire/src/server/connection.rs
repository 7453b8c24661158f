//! From an accepted socket to TLS: socket options, first bytes, handshake (protocol-transport.md 1).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{ready, Context};
use std::time::Duration;

use openssl::ssl::{self, Ssl, SslAcceptor};
use rustix::net::{recv, sockopt, RecvFlags};
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_openssl::SslStream;
use tokio_util::sync::PollSemaphore;

use super::complaint::Complaint;
use super::engine::Engine;
use super::limits::Limits;
use super::pace::Paced;
use super::visitors::{Visit, Visitors};
use super::{redirect, rest};
use crate::protocol::TCP_KEEPALIVE_SECONDS;

/// Pause after accept failed, as it does without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const TLS_HEADER_BYTES: usize = 5;
const TLS_MAX_RECORD_BYTES: u16 = 16384;

/// What listeners share.
pub(crate) struct Doors {
    acceptor: SslAcceptor,
    visitors: Arc<Visitors>,
    /// Private keys are at work on one core at most, or half of them: the event loop has others to serve.
    turns: Arc<Semaphore>,
    refused: Complaint,
    dropped: Complaint,
    broken: Complaint,
}

impl Doors {
    pub(crate) fn new(acceptor: SslAcceptor, limits: &Limits, cores: usize) -> Self {
        Self {
            acceptor,
            visitors: Arc::new(Visitors::new(limits)),
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
            refused: Complaint::default(),
            dropped: Complaint::default(),
            broken: Complaint::default(),
        }
    }
}

/// Accept until the front stops.
pub(crate) async fn accept_all(engine: Arc<Engine>, doors: Arc<Doors>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = engine.stopping.cancelled() => return,
        };
        match accepted {
            Err(error) => {
                doors.broken.warn(|| format!("cannot accept a connection: {error}"));
                sleep(ACCEPT_PAUSE).await;
            }
            Ok((stream, peer)) => {
                let peer = canonical(peer);
                let Some(visit) = doors.visitors.admit(peer.ip()) else {
                    doors.refused.warn(|| format!("too many connections: refusing one of {}", peer.ip()));
                    continue;
                };
                let (engine, doors) = (engine.clone(), doors.clone());
                let tasks = engine.tasks.clone();
                tasks.spawn(async move { serve(engine, &doors, stream, peer, visit).await });
            }
        }
    }
}

/// IPv4 clients of a dual stack listener are IPv4 clients.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

async fn serve(engine: Arc<Engine>, doors: &Doors, stream: TcpStream, peer: SocketAddr, visit: Visit) {
    let Some(handshake) = visit.handshake() else {
        doors.dropped.warn(|| format!("too many unfinished handshakes: dropping one of {}", peer.ip()));
        return;
    };
    let patience = engine.limits.handshake;
    if let Err(error) = set_options(&stream) {
        log::debug!("cannot set socket options for {peer}: {error}");
    }
    match timeout(patience, is_tls(&stream)).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return redirect::serve(stream, patience).await,
        Ok(Err(_)) | Err(_) => return,
    }
    let Ok(mut tls) = Ssl::new(doors.acceptor.context()).and_then(|ssl| SslStream::new(ssl, stream)) else { return };
    match timeout(patience, shake_hands(&mut tls, PollSemaphore::new(doors.turns.clone()))).await {
        Ok(Ok(())) => {
            drop(handshake);
            let stream = Paced::new(tls, &engine.limits);
            rest::serve(engine, stream, peer, Arc::new(visit)).await;
        }
        Ok(Err(error)) => log::debug!("TLS handshake with {peer} failed: {error}"),
        Err(_) => log::debug!("TLS handshake with {peer} timed out"),
    }
}

/// The server's part of a handshake takes milliseconds of a core each time its turn comes; nobody has a turn while
/// waiting for the peer.
async fn shake_hands(tls: &mut SslStream<TcpStream>, mut turns: PollSemaphore) -> Result<(), ssl::Error> {
    let step = |context: &mut Context<'_>| {
        let _turn = ready!(turns.poll_acquire(context));
        Pin::new(&mut *tls).poll_accept(context)
    };
    std::future::poll_fn(step).await
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(TCP_KEEPALIVE_SECONDS))?;
    Ok(())
}

/// Look at the first bytes without taking them, once more whenever more arrive. A connection that ends before is an error.
async fn is_tls(stream: &TcpStream) -> io::Result<bool> {
    let look = || {
        let mut head = [0; TLS_HEADER_BYTES];
        let (_, seen) = recv(stream, &mut head[..], RecvFlags::PEEK)?;
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        judge(head.get(..seen).unwrap_or_default()).ok_or_else(|| io::ErrorKind::WouldBlock.into())
    };
    loop {
        let ready = stream.ready(Interest::READABLE).await?;
        match stream.try_io(Interest::READABLE, look) {
            // A closed side stays ready for ever, and nothing more will come.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && ready.is_read_closed() => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            verdict => return verdict,
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
