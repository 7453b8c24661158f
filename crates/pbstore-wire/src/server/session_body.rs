//! Bodies of session calls: memory is taken when their first bytes are there, windows open again as they are read.

use bytes::Bytes;
use h2::RecvStream;
use http::header::CONTENT_LENGTH;
use http::HeaderMap;
use tokio::time::timeout;

use super::limits::STALL_TIMEOUT;
use super::memory::{HeldBytes, MemoryBudget, Share};
use super::session_call::Fault;

/// A body, and its share of the memory budget.
pub(crate) struct Body {
    pub(crate) data: Vec<u8>,
    pub(crate) share: Share,
}

/// Read a body of at most `limit` bytes.
pub(crate) async fn read(
    memory: &MemoryBudget,
    headers: &HeaderMap,
    stream: RecvStream,
    limit: usize,
) -> Result<Bytes, Fault> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let expected = announced.unwrap_or(limit).min(limit);
    let Body { data, share } = collect(memory, stream, expected, limit, || {
        Fault::bad_request(format!("request body is larger than {limit} bytes"))
    })
    .await?;
    Ok(Bytes::from_owner(HeldBytes { data, _shares: [share, None] }))
}

/// Read a body that must have exactly `bytes` bytes.
pub(crate) async fn read_exactly(memory: &MemoryBudget, stream: RecvStream, bytes: usize) -> Result<Body, Fault> {
    let wrong = |found: String| Fault::bad_request(format!("upload has {found} bytes, encoded-size says {bytes}"));
    let body = collect(memory, stream, bytes, bytes, || wrong(format!("more than {bytes}"))).await?;
    if body.data.len() != bytes {
        return Err(wrong(body.data.len().to_string()));
    }
    Ok(body)
}

/// Everything is reserved at once, so that no two bodies can each hold what the other one waits for.
async fn collect(
    memory: &MemoryBudget,
    mut stream: RecvStream,
    expected: usize,
    limit: usize,
    too_large: impl Fn() -> Fault,
) -> Result<Body, Fault> {
    let Some(first) = next(&mut stream).await? else { return Ok(Body { data: Vec::new(), share: None }) };
    let share = timeout(STALL_TIMEOUT, memory.for_transfer(expected)).await;
    let share =
        share.map_err(|_| Fault::Failed(503, "server has no memory for this upload: try again later".into()))?;
    let mut data = Vec::with_capacity(expected);
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        if bytes.len() > limit - data.len() {
            return Err(too_large());
        }
        data.extend_from_slice(&bytes);
        stream.flow_control().release_capacity(bytes.len()).map_err(|_| Fault::Gone)?;
        piece = next(&mut stream).await?;
    }
    Ok(Body { data, share })
}

/// The next bytes; None at the end.
pub(crate) async fn next(stream: &mut RecvStream) -> Result<Option<Bytes>, Fault> {
    match timeout(STALL_TIMEOUT, stream.data()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(_))) => Err(Fault::Gone),
        Err(_) => Err(Fault::Failed(408, "request body did not arrive in time".into())),
    }
}
