//! One HTTP/2 session: calls, each a stream, over the connection that was upgraded (protocol-transport.md 4.3).

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use h2::client::{Builder, SendRequest};
use h2::RecvStream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::error::ClientError;
use super::progress::Progress;
use super::rest::{refusal, MAX_ERROR_BYTES};
use super::runtime::EventLoop;
use super::upload::KnownChunks;
use crate::protocol::{CLIENT_WINDOW_BYTES, MAX_FRAME_BYTES, MAX_QUERY_CHARS};

/// Answers of the calls that the pipelines make.
pub(crate) const SHORT_ANSWER_BYTES: usize = 64 << 10;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const RAW: &str = "application/octet-stream";
const AGENT: &str = "proxmox-backup-client/1.0";

/// One call on a session.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path_and_query: String,
    content_type: String,
    body: Bytes,
}

impl Call {
    /// `path` without the leading slash, `query` without the question mark. A query that is too long is refused:
    /// its values have lost their types, so that only the caller can make a JSON body of them.
    pub fn new(
        method: &str,
        path: &str,
        query: &str,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<Self, ClientError> {
        if query.len() > MAX_QUERY_CHARS {
            let text = format!("query of {path} has more than {MAX_QUERY_CHARS} characters: send it as a JSON body");
            return Err(ClientError::Protocol(text));
        }
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| ClientError::Protocol(format!("not an HTTP method: {method}")))?;
        let path_and_query = if query.is_empty() { format!("/{path}") } else { format!("/{path}?{query}") };
        Ok(Self { method, path_and_query, content_type: content_type.unwrap_or(FORM).to_owned(), body })
    }

    /// A call with parameters as JSON.
    pub(crate) fn json(method: Method, path: &str, parameters: &serde_json::Value) -> Self {
        let body = Bytes::from(parameters.to_string());
        Self { method, path_and_query: format!("/{path}"), content_type: JSON.to_owned(), body }
    }

    /// A call with parameters in the query and raw bytes as body.
    pub(crate) fn raw(path: &str, query: &str, body: Bytes) -> Self {
        let path_and_query = format!("/{path}?{query}");
        Self { method: Method::POST, path_and_query, content_type: RAW.to_owned(), body }
    }

    /// A call without a body.
    pub(crate) fn get(path: &str, query: &str) -> Self {
        let path_and_query = format!("/{path}?{query}");
        Self { method: Method::GET, path_and_query, content_type: FORM.to_owned(), body: Bytes::new() }
    }

    fn into_request(self) -> Result<(Request<()>, Bytes), ClientError> {
        let bad = || ClientError::Protocol(format!("not usable in a request: {}", self.path_and_query));
        let uri = format!("https://localhost:8007{}", self.path_and_query);
        let mut request = Request::builder().method(&self.method).uri(uri).body(()).map_err(|_| bad())?;
        let content_type = HeaderValue::from_str(&self.content_type).map_err(|_| bad())?;
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        request.headers_mut().insert(http::header::USER_AGENT, HeaderValue::from_static(AGENT));
        Ok((request, self.body))
    }
}

/// Sends calls of one session; cheap to clone, and all clones end with the session.
#[derive(Clone)]
pub(crate) struct Caller {
    streams: SendRequest<Bytes>,
    ended: Arc<OnceLock<String>>,
    server: Arc<str>,
}

impl Caller {
    /// Makes one call and reads the body of a 2xx answer; anything else is [`ClientError::Server`]. No time limit
    /// (version-4.md 0.2 D6). Waits while the peer has all the streams that it allows.
    pub(crate) async fn call(&self, call: Call, max_bytes: usize) -> Result<Bytes, ClientError> {
        let (request, body) = call.into_request()?;
        let mut streams = self.streams.clone().ready().await.map_err(|error| self.lost(&error))?;
        let (response, mut outgoing) =
            streams.send_request(request, body.is_empty()).map_err(|error| self.lost(&error))?;
        if !body.is_empty() {
            // Not copied: h2 keeps the buffer and cuts frames from it as the peer's windows allow.
            outgoing.send_data(body, true).map_err(|error| self.lost(&error))?;
        }
        let (head, mut incoming) = response.await.map_err(|error| self.lost(&error))?.into_parts();
        if head.status.is_success() {
            return self.read(&mut incoming, max_bytes).await;
        }
        let text = self.read(&mut incoming, MAX_ERROR_BYTES).await?;
        Err(refusal(head.status.as_u16(), &text))
    }

    async fn read(&self, incoming: &mut RecvStream, max_bytes: usize) -> Result<Bytes, ClientError> {
        // Most chunks come in one frame, which is not copied; further parts are, as many tiny ones would take more
        // memory than their bytes.
        let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
        while let Some(part) = incoming.data().await {
            let part = part.map_err(|error| self.lost(&error))?;
            if part.len() > max_bytes - whole.len().max(first.len()) {
                let text = format!("{} answered with more than {max_bytes} bytes", self.server);
                return Err(ClientError::Protocol(text));
            }
            // Fails only on a stream that is gone, which the next read reports.
            let _ = incoming.flow_control().release_capacity(part.len());
            if first.is_empty() {
                first = part;
                continue;
            }
            if whole.is_empty() {
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&part);
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    }

    /// An h2 error, with the reason why the whole connection ended when it did.
    fn lost(&self, error: &h2::Error) -> ClientError {
        let reason = self.ended.get().cloned().unwrap_or_else(|| error.to_string());
        ClientError::Connection(format!("session with {} broke: {reason}", self.server))
    }
}

/// A session; ends with its connection when dropped.
pub struct Session {
    caller: Caller,
    connection: AbortHandle,
    known: Arc<KnownChunks>,
    events: Arc<EventLoop>,
}

impl Session {
    /// Starts HTTP/2 on a connection that was upgraded.
    pub(crate) async fn start<S>(stream: S, server: String, events: Arc<EventLoop>) -> Result<Self, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = Builder::new()
            .initial_window_size(CLIENT_WINDOW_BYTES)
            .initial_connection_window_size(CLIENT_WINDOW_BYTES)
            .max_frame_size(MAX_FRAME_BYTES)
            .enable_push(false)
            .handshake(stream)
            .await;
        let (streams, connection) =
            handshake.map_err(|error| ClientError::Connection(format!("no session with {server}: {error}")))?;
        let ended = Arc::new(OnceLock::new());
        let reason = Arc::clone(&ended);
        let task = events.handle().spawn(async move {
            let text = match connection.await {
                Ok(()) => "the server closed the connection".to_owned(),
                Err(error) => error.to_string(),
            };
            let _ = reason.set(text);
        });
        let caller = Caller { streams, ended, server: server.into() };
        Ok(Self { caller, connection: task.abort_handle(), known: Arc::default(), events })
    }

    /// Makes one call; the body of a 2xx answer, [`ClientError::Server`] for any other. `stop` ends the wait.
    pub fn request(&self, call: Call, max_bytes: usize, stop: &Progress) -> Result<Bytes, ClientError> {
        self.wait(async {
            tokio::select! {
                () = stop.wait_for_cancel() => Err(ClientError::Aborted),
                answer = self.caller.call(call, max_bytes) => answer,
            }
        })
    }

    /// Ends the connection without ceremony, as the original client does.
    pub fn close(&self) {
        self.connection.abort();
    }

    pub(crate) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// What the server has, by what this session did so far.
    pub(crate) fn known(&self) -> &Arc<KnownChunks> {
        &self.known
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.events.handle()
    }

    pub(crate) fn wait<T>(&self, work: impl std::future::Future<Output = T>) -> T {
        self.events.wait(work)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}
