//! The front as a whole: starts its threads, listens, and ends in order.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pbstore_store::ChunkVerifier;
use rustix::net::sockopt;
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::application::Application;
use super::connection::{accept_all, Doors};
use super::engine::Engine;
use super::limits::Limits;
use super::memory::{MemoryBudget, MIN_MEMORY_BYTES};
use super::tls;
use super::work::Bounds;

const BACKLOG: u32 = 1024;
/// For broken sessions to clean up and for handlers under way; what is not done then is left behind.
const LAST_PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no front.
#[derive(Debug, Error)]
pub enum FrontError {
    /// Certificate, key or memory bound cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// As it was asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// No threads.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
}

/// How a front is set up.
#[derive(Debug, Clone)]
pub struct FrontOptions {
    /// Certificate chain, PEM, leaf first.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub private_key: PathBuf,
    /// Bound on everything that is buffered for clients; at least [`MIN_MEMORY_BYTES`].
    pub memory_bytes: usize,
    /// Waited before a 401 for a chunk.
    pub denied_delay: Duration,
    /// Bounds on what clients do.
    pub limits: Limits,
}

/// The listener of a server. Serves in its own threads until [`Front::shutdown`], or until it is dropped.
pub struct Front {
    runtime: Option<Runtime>,
    engine: Arc<Engine>,
    doors: Arc<Doors>,
}

impl Front {
    /// Load the certificate and start the threads.
    ///
    /// # Errors
    /// `Unusable`, `Threads`.
    pub fn start(application: Arc<dyn Application>, options: &FrontOptions) -> Result<Self, FrontError> {
        if options.memory_bytes < MIN_MEMORY_BYTES {
            let text =
                format!("memory bound of {} bytes is too small: at least {MIN_MEMORY_BYTES}", options.memory_bytes);
            return Err(FrontError::Unusable(text));
        }
        let acceptor = tls::acceptor(&options.certificate, &options.private_key).map_err(FrontError::Unusable)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(cores)
            .max_blocking_threads(Bounds::max_threads(&options.limits, cores))
            .thread_name("pbstore-front")
            .enable_all()
            .build()
            .map_err(FrontError::Threads)?;
        let engine = Arc::new(Engine {
            application,
            limits: options.limits.clone(),
            cores,
            memory: Arc::new(MemoryBudget::new(options.memory_bytes)),
            bounds: Bounds::new(&options.limits, cores),
            verifier: ChunkVerifier::new(),
            denied_delay: options.denied_delay,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            breaking: CancellationToken::new(),
        });
        Ok(Self { runtime: Some(runtime), engine, doors: Arc::new(Doors::new(acceptor, &options.limits, cores)) })
    }

    /// Listen on an address and serve from now on; port 0 takes a free one. Returns the real address.
    ///
    /// # Errors
    /// `Listen`; also when the front was shut down.
    pub fn listen(&self, host: &str, port: u16) -> Result<SocketAddr, FrontError> {
        let failed = |source| FrontError::Listen { address: format!("{host} port {port}"), source };
        let runtime = self.runtime.as_ref().ok_or_else(|| failed(io::Error::other("the front was shut down")))?;
        let _context = runtime.enter();
        let listener = bind(host, port).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        self.engine.tasks.spawn(accept_all(self.engine.clone(), self.doors.clone(), listener));
        Ok(address)
    }

    /// Stop listening, give what runs some time, then break it. Blocks until all sessions were told of their end.
    pub fn shutdown(&mut self, grace: Duration) {
        let Some(runtime) = self.runtime.take() else { return };
        self.engine.stopping.cancel();
        self.engine.tasks.close();
        runtime.block_on(async {
            if timeout(grace, self.engine.tasks.wait()).await.is_err() {
                self.engine.breaking.cancel();
                if timeout(LAST_PATIENCE, self.engine.tasks.wait()).await.is_err() {
                    log::error!("{} tasks did not end with the server", self.engine.tasks.len());
                }
            }
        });
        runtime.shutdown_background();
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shutdown(Duration::ZERO);
    }
}

fn bind(host: &str, port: u16) -> io::Result<TcpListener> {
    let unknown = || io::Error::new(io::ErrorKind::AddrNotAvailable, "unknown host");
    let address = (host, port).to_socket_addrs()?.next().ok_or_else(unknown)?;
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !address.ip().is_unspecified())?;
    }
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
