//! Bodies of session calls: memory is taken when their first bytes are there, windows open again as they are read.

use bytes::Bytes;
use h2::RecvStream;
use http::header::CONTENT_LENGTH;
use http::HeaderMap;
use tokio::time::timeout;

use super::limits::STALL_TIMEOUT;
use super::memory::{HeldBytes, MemoryBudget};
use super::session_call::Fault;

/// Read a body of at most `limit` bytes.
pub(crate) async fn read(
    memory: &MemoryBudget,
    headers: &HeaderMap,
    mut stream: RecvStream,
    limit: usize,
) -> Result<Bytes, Fault> {
    let Some(first) = next(&mut stream).await? else {
        return Ok(Bytes::new());
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let expected = announced.unwrap_or(limit).min(limit);
    let share = timeout(STALL_TIMEOUT, memory.for_transfer(expected)).await;
    let share = share.map_err(|_| Fault::Failed(503, "server has no memory for this call: try again later".into()))?;
    let mut data = Vec::new();
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        if bytes.len() > limit - data.len() {
            return Err(Fault::bad_request(format!("request body is larger than {limit} bytes")));
        }
        data.extend_from_slice(&bytes);
        stream.flow_control().release_capacity(bytes.len()).map_err(|_| Fault::Lost)?;
        piece = next(&mut stream).await?;
    }
    Ok(Bytes::from_owner(HeldBytes { data, _shares: [share, None] }))
}

/// The next bytes; None at the end.
pub(crate) async fn next(stream: &mut RecvStream) -> Result<Option<Bytes>, Fault> {
    match timeout(STALL_TIMEOUT, stream.data()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(error))) => Err(if error.is_reset() { Fault::Reset } else { Fault::Lost }),
        Err(_) => Err(Fault::Failed(408, "request body did not arrive in time".into())),
    }
}
