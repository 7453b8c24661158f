//! HTTP/1.1 requests over one kept-alive connection, and the upgrade that turns a fresh one into a session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, CONNECTION, CONTENT_LENGTH, HOST, UPGRADE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{handshake, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::connect::ServerAddress;
use super::error::ClientError;
use super::progress::Progress;
use super::runtime::EventLoop;
use super::session::Session;

/// For everything that is expected to end quickly, and between two parts of a longer body.
const QUICK: Duration = Duration::from_secs(120);
/// The text of an error has no business being longer.
pub(crate) const MAX_ERROR_BYTES: usize = 64 << 10;

type Sender = SendRequest<Full<Bytes>>;

/// What a server answered, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Lower-case names and values, in the server's order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Bytes,
}

/// A server and the one connection to it that requests share; calls wait for each other.
pub struct Connection {
    address: ServerAddress,
    idle: Mutex<Option<Sender>>,
    events: Arc<EventLoop>,
}

impl Connection {
    /// Nothing is connected before the first request.
    pub fn new(address: ServerAddress) -> Result<Self, ClientError> {
        let events =
            EventLoop::start().map_err(|error| ClientError::local("unable to start network threads", error))?;
        Ok(Self { address, idle: Mutex::new(None), events: Arc::new(events) })
    }

    /// Sends a request and reads the answer, whose body may have `max_bytes`. `stop` ends the wait.
    pub fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Bytes,
        max_bytes: usize,
        stop: &Progress,
    ) -> Result<Answer, ClientError> {
        self.events.wait(async {
            tokio::select! {
                () = stop.wait_for_cancel() => Err(ClientError::Aborted),
                answer = self.exchange(method, target, headers, body, max_bytes) => answer,
            }
        })
    }

    /// Upgrades a connection of its own to `protocol`; any answer but 101 is a [`ClientError::Server`].
    pub fn open_session(
        &self,
        target: &str,
        protocol: &str,
        headers: &[(String, String)],
        stop: &Progress,
    ) -> Result<Session, ClientError> {
        self.events.wait(async {
            tokio::select! {
                () = stop.wait_for_cancel() => Err(ClientError::Aborted),
                session = self.upgrade(target, protocol, headers) => session,
            }
        })
    }

    async fn exchange(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Bytes,
        max_bytes: usize,
    ) -> Result<Answer, ClientError> {
        // Held to the end: a dropped or failed exchange leaves no half-read connection behind.
        let mut idle = self.idle.lock().await;
        let mut request = self.build(method, target, headers, body)?;
        let mut sender = match self.still_open(idle.take()).await? {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let response = loop {
            match self.in_time(sender.try_send_request(request)).await? {
                Ok(response) => break response,
                Err(mut failure) => match failure.take_message() {
                    // The server had closed the idle connection; this request was never sent.
                    Some(unsent) => {
                        request = unsent;
                        sender = self.connect().await?;
                    }
                    None => return Err(self.lost(&failure.into_error())),
                },
            }
        };
        let answer = self.read(response, max_bytes).await?;
        *idle = Some(sender);
        Ok(answer)
    }

    async fn upgrade(
        &self,
        target: &str,
        protocol: &str,
        headers: &[(String, String)],
    ) -> Result<Session, ClientError> {
        let mut request = self.build("GET", target, headers, Bytes::new())?;
        let token = HeaderValue::from_str(protocol).map_err(|_| ClientError::Protocol("bad protocol id".to_owned()))?;
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        request.headers_mut().insert(UPGRADE, token);
        let mut sender = self.connect().await?;
        let mut response = self.in_time(sender.send_request(request)).await?.map_err(|error| self.lost(&error))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let answer = self.read(response, MAX_ERROR_BYTES).await?;
            return Err(refusal(answer.status, &answer.body));
        }
        let upgraded = hyper::upgrade::on(&mut response).await.map_err(|error| self.lost(&error))?;
        Session::start(TokioIo::new(upgraded), self.address.authority(), Arc::clone(&self.events)).await
    }

    /// The idle connection, unless the server closed it. Ready a moment after its last answer was read.
    async fn still_open(&self, idle: Option<Sender>) -> Result<Option<Sender>, ClientError> {
        let Some(mut sender) = idle else { return Ok(None) };
        let ready = self.in_time(sender.ready()).await?;
        Ok(ready.is_ok().then_some(sender))
    }

    async fn connect(&self) -> Result<Sender, ClientError> {
        let stream = self.address.connect().await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| self.lost(&error))?;
        // Its errors reach whoever waits for an answer.
        self.events.handle().spawn(connection.with_upgrades());
        Ok(sender)
    }

    fn build(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let bad = |what: &str| ClientError::Format(format!("not usable in an HTTP request: {what}"));
        let length = body.len();
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .body(Full::new(body))
            .map_err(|_| bad(&format!("{method} {target}")))?;
        let list = request.headers_mut();
        for (name, value) in headers {
            // The value may be a secret, so that only the name is shown.
            let parsed_name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(name))?;
            list.append(parsed_name, HeaderValue::from_str(value).map_err(|_| bad(name))?);
        }
        let authority = self.address.authority();
        list.entry(HOST).or_insert(HeaderValue::from_str(&authority).map_err(|_| bad(&authority))?);
        if length > 0 || method == "POST" || method == "PUT" {
            list.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(request)
    }

    async fn read(&self, response: Response<Incoming>, max_bytes: usize) -> Result<Answer, ClientError> {
        let (head, mut incoming) = response.into_parts();
        let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        let mut body = Vec::new();
        while let Some(frame) = self.in_time(incoming.frame()).await? {
            let frame = frame.map_err(|error| self.lost(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            if data.len() > max_bytes - body.len() {
                let text = format!("{} answered with more than {max_bytes} bytes", self.address.authority());
                return Err(ClientError::Protocol(text));
            }
            body.extend_from_slice(data);
        }
        Ok(Answer { status: head.status.as_u16(), headers: headers.collect(), body: body.into() })
    }

    async fn in_time<T>(&self, work: impl std::future::Future<Output = T>) -> Result<T, ClientError> {
        let text = || format!("{} did not answer within {} s", self.address.authority(), QUICK.as_secs());
        timeout(QUICK, work).await.map_err(|_| ClientError::Connection(text()))
    }

    fn lost(&self, error: &hyper::Error) -> ClientError {
        let mut text = format!("connection to {} broke: {error}", self.address.authority());
        if let Some(source) = std::error::Error::source(error) {
            text.push_str(&format!(": {source}"));
        }
        ClientError::Connection(text)
    }
}

/// An answer with an error status: the body is the text (protocol-transport.md 4.3), cleaned for a terminal.
pub(crate) fn refusal(status: u16, body: &[u8]) -> ClientError {
    let text: String =
        String::from_utf8_lossy(body).trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = if text.is_empty() { format!("HTTP status {status} without a text") } else { text };
    ClientError::Server { status, text }
}
