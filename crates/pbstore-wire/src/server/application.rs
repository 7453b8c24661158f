//! What the front asks of the program behind it: answers to requests, and sessions.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use pbstore_store::{BackupChunks, ReaderChunks};
use tokio_util::sync::CancellationToken;

pub use super::stream_body::{NextPortion, StreamBody};

/// A request that was read completely. Text is as received: percent-encoded, header values as latin-1.
#[derive(Debug, Clone)]
pub struct Request {
    /// Like `GET`.
    pub method: String,
    /// Starts with `/`; has no empty components and none that starts with a dot.
    pub path: String,
    /// What is behind the question mark.
    pub query: String,
    /// Path and query before any cleaning.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most 512 KiB, or one blob.
    pub body: Bytes,
    /// The other end.
    pub peer: SocketAddr,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names and values; the length is not among them.
    pub headers: Vec<(String, String)>,
    /// What follows.
    pub body: ResponseBody,
}

/// Body of an answer.
#[derive(Debug)]
pub enum ResponseBody {
    /// Bytes in memory.
    Whole(Bytes),
    /// Bytes that are not in memory, sent piece by piece.
    Stream(StreamBody),
}

impl Response {
    /// An answer of one line, as errors are.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        let body = ResponseBody::Whole(Bytes::from(text.into()));
        Self { status, headers: Vec::new(), body }
    }
}

/// The program behind the front. Its methods run on blocking threads and may be slow.
pub trait Application: Send + Sync + 'static {
    /// Answer a request.
    fn handle(&self, request: Request) -> Response;

    /// Decide on a request that wants to open a session.
    fn authorize(&self, request: Request) -> Decision;
}

/// Answer to a request for a session.
pub enum Decision {
    /// No session; the connection stays as it is.
    Refused(Response),
    /// Everything is open and locked: go ahead.
    Granted(Grant),
}

/// The chunk side of a session, which the front serves itself.
#[derive(Clone)]
pub enum SessionChunks {
    /// A backup session.
    Backup(Arc<BackupChunks>),
    /// A reader session.
    Reader(Arc<ReaderChunks>),
}

/// A session that may begin.
pub struct Grant {
    /// The `Upgrade` token it speaks.
    pub protocol: String,
    /// What the front serves.
    pub chunks: SessionChunks,
    /// What serves the rest.
    pub session: Arc<dyn Session>,
    /// Breaks the connection.
    pub abort: AbortHandle,
}

/// A call inside a session that the front does not serve itself.
#[derive(Debug, Clone)]
pub struct SessionCall {
    /// Like `PUT`.
    pub method: String,
    /// Starts with `/`; cleaned as in [`Request`].
    pub path: String,
    /// What is behind the question mark.
    pub query: String,
    /// Value of the header, if there is one.
    pub content_type: Option<String>,
    /// At most 512 KiB, or one blob.
    pub body: Bytes,
}

/// The control side of a session. Its methods run on blocking threads.
pub trait Session: Send + Sync + 'static {
    /// Answer a call.
    fn handle(&self, call: SessionCall) -> Response;

    /// Note that a call failed which the front served itself.
    fn failed(&self, method: &str, path: &str, status: u16, message: &str);

    /// The end: nothing of the session runs any more. Called exactly once; no reason means closed in order.
    fn closed(&self, reason: Option<&str>);
}

/// Breaks the connection of a session from any thread.
#[derive(Clone, Default)]
pub struct AbortHandle {
    token: CancellationToken,
    reason: Arc<std::sync::OnceLock<String>>,
}

impl AbortHandle {
    /// Break the connection; the first reason is the one that counts.
    pub fn abort(&self, reason: impl Into<String>) {
        // A second reason is dropped: the session ends for the first one.
        let _ = self.reason.set(reason.into());
        self.token.cancel();
    }

    /// Waits for the abort and returns its reason.
    pub(crate) async fn aborted(&self) -> String {
        self.token.cancelled().await;
        self.reason.get().cloned().unwrap_or_default()
    }
}
