//! One call of a session: served here, or by the session's control side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::RecvStream;
use http::header::CONTENT_TYPE;
use http::Request;
use pbstore_format::blob::MAX_BLOB_BYTES;
use pbstore_store::IndexKind;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::answers::{self, Gone};
use super::application::{Response, ResponseBody, Session, SessionCall, SessionChunks};
use super::engine::Engine;
use super::limits::MAX_TARGET_BYTES;
use super::memory::OwnMemory;
use super::pieces::Pieces;
use super::session_turns::SessionTurns;
use super::target::clean_path;
use super::upload_body::{self, Length};
use super::upload_progress::UploadProgress;
use super::work::{Kind, Panicked};
use super::{backup_calls, reader_calls};
use crate::protocol::MAX_PARAMETER_BYTES;

/// What the calls of a session share.
pub(crate) struct SessionContext {
    pub(crate) engine: Arc<Engine>,
    pub(crate) chunks: SessionChunks,
    pub(crate) session: Arc<dyn Session>,
    /// Threads that work for this session.
    pub(crate) tracker: TaskTracker,
    /// Bounds the pieces of answers on the way to the peer.
    pub(crate) outgoing: OwnMemory,
    pub(crate) turns: SessionTurns,
    /// Bounds what this session's uploads have of the memory for all.
    pub(crate) uploads_limit: Arc<Semaphore>,
    pub(crate) uploads: UploadProgress,
    /// One body at a time that is complete in a file gets memory that no other may hold.
    pub(crate) complete: Arc<Semaphore>,
    /// Calls that ended because the connection did.
    pub(crate) lost_calls: AtomicUsize,
}

impl SessionContext {
    /// Run `work` on a thread when it is this session's turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        kind: Kind,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let turn = self.turns.take(kind).await;
        let work = move || {
            let _turn = turn;
            work()
        };
        self.engine.bounds.run(kind, &self.tracker, work).await
    }

    fn note_lost(&self) {
        self.lost_calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// Why a call has no ordinary answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Answer with this status and line.
    Failed(u16, String),
    /// The client took the call back.
    Reset,
    /// The connection is lost.
    Lost,
}

impl Fault {
    pub(crate) fn bad_request(text: impl ToString) -> Self {
        Self::Failed(400, text.to_string())
    }

    pub(crate) fn panicked() -> Self {
        Self::Failed(500, answers::INTERNAL_ERROR.into())
    }
}

/// What is sent back.
pub(crate) enum Answer {
    Response(Response),
    /// Octets from somewhere, piece by piece.
    Pieces(Pieces),
}

/// Serve one call from its first header to the last byte of the answer.
pub(crate) async fn serve(
    context: Arc<SessionContext>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let (head, body) = request.into_parts();
    let method = head.method.as_str();
    let routed = async {
        match clean_path(head.uri.path()) {
            _ if head.uri.path().len() > MAX_TARGET_BYTES => {
                Err(Fault::Failed(414, "path in request is too long".into()))
            }
            None => Err(Fault::bad_request("invalid path in request")),
            Some(path) => route(&context, &head, &path, body).await,
        }
    };
    // Whatever waits for a turn or for memory stops waiting when the client takes the call back.
    let answer = tokio::select! {
        answer = routed => answer,
        fault = answers::taken_back(&mut respond) => Err(fault),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(Fault::Reset) => return,
        Err(Fault::Lost) => return context.note_lost(),
        Err(Fault::Failed(status, text)) => {
            note_failure(&context, method, head.uri.path(), status, &text).await;
            Answer::Response(Response::text(status, text))
        }
    };
    if let Err(Gone { was_reset: false }) = send(&context, &mut respond, answer).await {
        context.note_lost();
    }
}

async fn route(
    context: &Arc<SessionContext>,
    head: &http::request::Parts,
    path: &str,
    body: RecvStream,
) -> Result<Answer, Fault> {
    let query = head.uri.query().unwrap_or_default();
    match (&context.chunks, head.method.as_str(), path) {
        (SessionChunks::Backup(chunks), "POST", "/fixed_chunk") => {
            backup_calls::store_chunk(context, chunks, IndexKind::Fixed, query, body).await
        }
        (SessionChunks::Backup(chunks), "POST", "/dynamic_chunk") => {
            backup_calls::store_chunk(context, chunks, IndexKind::Dynamic, query, body).await
        }
        (SessionChunks::Backup(_), "POST", "/speedtest") => backup_calls::speedtest(context, query, body).await,
        (SessionChunks::Reader(chunks), "GET", "/chunk") => reader_calls::chunk(context, chunks, query).await,
        (SessionChunks::Reader(_), "GET", "/speedtest") => reader_calls::speedtest(query),
        _ => call_session(context, head, path, body).await,
    }
}

async fn call_session(
    context: &Arc<SessionContext>,
    head: &http::request::Parts,
    path: &str,
    body: RecvStream,
) -> Result<Answer, Fault> {
    let is_raw = head.method == http::Method::POST && path == "/blob";
    let limit = if is_raw { MAX_BLOB_BYTES } else { MAX_PARAMETER_BYTES };
    let body = upload_body::receive(context, body, Length::at_most(limit, &head.headers)).await?;
    let body = Bytes::from_owner(body);
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = head.uri.query().unwrap_or_default().to_owned();
    let call = SessionCall { method: head.method.to_string(), path: path.into(), query, content_type, body };
    let session = context.session.clone();
    let handle = move || session.handle(call);
    let response = context.run(Kind::Call, handle).await;
    Ok(Answer::Response(response.map_err(|_| Fault::panicked())?))
}

async fn note_failure(context: &SessionContext, method: &str, path: &str, status: u16, text: &str) {
    let (session, method, path, text) = (context.session.clone(), method.to_owned(), path.to_owned(), text.to_owned());
    let note = move || session.failed(&method, &path, status, &text);
    if context.run(Kind::Call, note).await.is_err() {
        log::error!("a session panicked while it noted a failed call");
    }
}

async fn send(context: &Arc<SessionContext>, respond: &mut SendResponse<Bytes>, answer: Answer) -> Result<(), Gone> {
    let stall = context.engine.limits.stall;
    let (status, headers, body) = match answer {
        Answer::Response(Response { status, headers, body }) => (status, headers, body),
        Answer::Pieces(pieces) => {
            let head = answers::head(200, &[octets()]).ok_or(Gone { was_reset: true })?;
            return answers::send_pieces(respond, head, pieces, stall).await;
        }
    };
    let Some(head) = answers::head(status, &headers) else {
        let head = answers::head(500, &[]).ok_or(Gone { was_reset: true })?;
        return answers::send_whole(respond, head, Bytes::from(answers::INTERNAL_ERROR), stall).await;
    };
    match body {
        ResponseBody::Whole(bytes) => answers::send_whole(respond, head, bytes, stall).await,
        ResponseBody::Stream(body) => {
            let (engine, tracker) = (context.engine.clone(), context.tracker.clone());
            let pieces = Pieces::of_body(body, engine, tracker, context.outgoing.clone());
            answers::send_pieces(respond, head, pieces, stall).await
        }
    }
}

/// Content type of everything that is no JSON.
pub(crate) fn octets() -> (String, String) {
    ("content-type".into(), "application/octet-stream".into())
}
