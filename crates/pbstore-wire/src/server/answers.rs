//! Answers on their way out: heads that are well-formed, bodies that go no faster than the peer takes them.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::SendStream;
use http::{HeaderName, HeaderValue};
use tokio::time::timeout;

use super::application::Response;
use super::limits::PIECE_BYTES;
use super::pieces::Pieces;
use super::session_call::Fault;

/// What a peer learns of a bug; the rest is in the log.
pub(crate) const INTERNAL_ERROR: &str = "internal server error";

/// The answer after a panic.
pub(crate) fn internal_error() -> Response {
    Response::text(500, INTERNAL_ERROR)
}

/// Build a head. None when the application's values are not allowed in HTTP; that is logged.
pub(crate) fn head(status: u16, headers: &[(String, String)]) -> Option<http::Response<()>> {
    let mut head = http::Response::new(());
    let Some(code) = http::StatusCode::from_u16(status).ok().filter(|code| code.as_u16() >= 200) else {
        log::error!("the application answered with the impossible status {status}");
        return None;
    };
    *head.status_mut() = code;
    for (name, value) in headers {
        match (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            (Ok(name), Ok(value)) => {
                head.headers_mut().append(name, value);
            }
            _ => {
                log::error!("the application answered with an invalid header {name:?}");
                return None;
            }
        }
    }
    Some(head)
}

/// An answer that did not get out: the call was reset by either side, or else the connection is lost.
pub(crate) struct Gone {
    pub(crate) was_reset: bool,
}

impl Gone {
    async fn before(respond: &mut SendResponse<Bytes>) -> Self {
        let was_reset = poll_fn(|context| Poll::Ready(matches!(respond.poll_reset(context), Poll::Ready(Ok(_))))).await;
        Self { was_reset }
    }

    async fn within(stream: &mut SendStream<Bytes>) -> Self {
        let was_reset = poll_fn(|context| Poll::Ready(matches!(stream.poll_reset(context), Poll::Ready(Ok(_))))).await;
        Self { was_reset }
    }
}

/// Waits until nobody wants an answer any more.
pub(crate) async fn taken_back(respond: &mut SendResponse<Bytes>) -> Fault {
    match poll_fn(|context| respond.poll_reset(context)).await {
        Ok(_) => Fault::Reset,
        Err(_) => Fault::Lost,
    }
}

/// Send an answer that is in memory; `stall` is how long the peer may take nothing of it.
pub(crate) async fn send_whole(
    respond: &mut SendResponse<Bytes>,
    head: http::Response<()>,
    mut body: Bytes,
    stall: Duration,
) -> Result<(), Gone> {
    let mut stream = send_head(respond, head, body.is_empty()).await?;
    while !body.is_empty() {
        let capacity = capacity(&mut stream, body.len().min(PIECE_BYTES), stall).await?;
        let piece = body.split_to(capacity.min(body.len()));
        send_piece(&mut stream, piece, body.is_empty()).await?;
    }
    Ok(())
}

/// Send an answer piece by piece. Memory is taken only for what the peer's windows let out.
pub(crate) async fn send_pieces(
    respond: &mut SendResponse<Bytes>,
    head: http::Response<()>,
    mut pieces: Pieces,
    stall: Duration,
) -> Result<(), Gone> {
    let mut stream = send_head(respond, head, pieces.next_len() == 0).await?;
    while pieces.next_len() > 0 {
        let capacity = capacity(&mut stream, pieces.next_len(), stall).await?;
        match pieces.next(capacity).await {
            Ok(piece) => send_piece(&mut stream, piece, pieces.next_len() == 0).await?,
            Err(error) => {
                log::error!("sending a file failed: {error}");
                stream.send_reset(h2::Reason::INTERNAL_ERROR);
                return Err(Gone { was_reset: true });
            }
        }
    }
    Ok(())
}

async fn send_head(
    respond: &mut SendResponse<Bytes>,
    head: http::Response<()>,
    is_all: bool,
) -> Result<SendStream<Bytes>, Gone> {
    match respond.send_response(head, is_all) {
        Ok(stream) => Ok(stream),
        Err(_) => Err(Gone::before(respond).await),
    }
}

async fn send_piece(stream: &mut SendStream<Bytes>, piece: Bytes, is_last: bool) -> Result<(), Gone> {
    match stream.send_data(piece, is_last) {
        Ok(()) => Ok(()),
        Err(_) => Err(Gone::within(stream).await),
    }
}

/// Wait until the peer takes up to `wanted` bytes more; returns how many, at least 1.
async fn capacity(stream: &mut SendStream<Bytes>, wanted: usize, stall: Duration) -> Result<usize, Gone> {
    stream.reserve_capacity(wanted);
    let granted = async {
        while stream.capacity() == 0 {
            match poll_fn(|context| stream.poll_capacity(context)).await {
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return Err(Gone::within(stream).await),
            }
        }
        Ok(stream.capacity().min(wanted))
    };
    match timeout(stall, granted).await {
        Ok(granted) => granted,
        Err(_) => {
            stream.send_reset(h2::Reason::CANCEL);
            Err(Gone { was_reset: true })
        }
    }
}
