//! Answers on their way out: heads that are well-formed, bodies that go no faster than the peer takes them.

use std::future::poll_fn;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::SendStream;
use http::{HeaderName, HeaderValue};
use tokio::time::timeout;

use super::application::Response;
use super::limits::{PIECE_BYTES, STALL_TIMEOUT};
use super::pieces::Pieces;

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

/// The peer is gone, or takes nothing any more.
pub(crate) struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

/// Send an answer that is in memory.
pub(crate) async fn send_whole(
    respond: &mut SendResponse<Bytes>,
    head: http::Response<()>,
    mut body: Bytes,
) -> Result<(), Gone> {
    let mut stream = respond.send_response(head, body.is_empty())?;
    while !body.is_empty() {
        let capacity = capacity(&mut stream, body.len().min(PIECE_BYTES)).await?;
        let piece = body.split_to(capacity.min(body.len()));
        stream.send_data(piece, body.is_empty())?;
    }
    Ok(())
}

/// Send an answer piece by piece. Memory is taken only for what the peer's windows let out.
pub(crate) async fn send_pieces(
    respond: &mut SendResponse<Bytes>,
    head: http::Response<()>,
    mut pieces: Pieces,
) -> Result<(), Gone> {
    let mut stream = respond.send_response(head, pieces.next_len() == 0)?;
    while pieces.next_len() > 0 {
        let capacity = capacity(&mut stream, pieces.next_len()).await?;
        match pieces.next(capacity).await {
            Ok(piece) => stream.send_data(piece, pieces.next_len() == 0)?,
            Err(error) => {
                log::error!("sending a file failed: {error}");
                stream.send_reset(h2::Reason::INTERNAL_ERROR);
                return Err(Gone);
            }
        }
    }
    Ok(())
}

/// Wait until the peer takes up to `wanted` bytes more; returns how many, at least 1.
async fn capacity(stream: &mut SendStream<Bytes>, wanted: usize) -> Result<usize, Gone> {
    stream.reserve_capacity(wanted);
    let granted = async {
        loop {
            match stream.capacity() {
                0 => poll_fn(|context| stream.poll_capacity(context)).await.ok_or(Gone)??,
                granted => return Ok(granted.min(wanted)),
            };
        }
    };
    match timeout(STALL_TIMEOUT, granted).await {
        Ok(granted) => granted,
        Err(_) => {
            stream.send_reset(h2::Reason::CANCEL);
            Err(Gone)
        }
    }
}
