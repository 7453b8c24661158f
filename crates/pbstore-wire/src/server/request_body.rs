//! Bodies of plain requests: bounded, timed, and paid for from the memory budget as they arrive.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use pbstore_format::blob::MAX_BLOB_BYTES;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::application::Response;
use super::engine::Engine;
use super::limits::FREE_BODY_BYTES;
use super::memory::{HeldBytes, MemoryBudget, Share};
use crate::protocol::MAX_PARAMETER_BYTES;

/// What is still read of a body that is too large, so that its sender gets to see the answer.
const DRAIN_BYTES: usize = 4 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Raw bodies are up to this much slower to arrive than parameters.
const RAW_BODY_FACTOR: u32 = 10;

/// Read a whole body.
///
/// # Errors
/// The answer to give instead.
pub(crate) async fn read(engine: &Engine, headers: &HeaderMap, mut body: Incoming) -> Result<Bytes, Response> {
    let raw = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes() == b"application/octet-stream");
    let (limit, patience) = if raw {
        (MAX_BLOB_BYTES, engine.limits.body * RAW_BODY_FACTOR)
    } else {
        (MAX_PARAMETER_BYTES, engine.limits.body)
    };
    let collected = if body.size_hint().lower() > limit as u64 {
        None
    } else {
        timeout(patience, collect(&engine.memory, &mut body, limit))
            .await
            .map_err(|_| Response::text(408, "request body did not arrive in time"))??
    };
    if let Some(bytes) = collected {
        return Ok(bytes);
    }
    // What does not arrive in this time stays unread, which breaks the connection.
    let _ = timeout(DRAIN_TIMEOUT, drain(&mut body)).await;
    Err(Response::text(400, format!("request body is larger than {limit} bytes")))
}

/// None when there is more than `limit`.
async fn collect(memory: &MemoryBudget, body: &mut Incoming, limit: usize) -> Result<Option<Bytes>, Response> {
    let mut data = Vec::new();
    let mut share: Share = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Response::text(400, format!("request body is broken: {error}")))?;
        let Ok(bytes) = frame.into_data() else { continue };
        if bytes.len() > limit.saturating_sub(data.len()) {
            return Ok(None);
        }
        let paid = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let due = (data.len() + bytes.len()).saturating_sub(FREE_BODY_BYTES + paid);
        if due > 0 {
            match (&mut share, memory.for_request(due).await) {
                (Some(share), Some(more)) => share.merge(more),
                (share, more) => *share = more,
            }
        }
        data.extend_from_slice(&bytes);
    }
    Ok(Some(Bytes::from_owner(HeldBytes { data, _shares: [share, None] })))
}

async fn drain(body: &mut Incoming) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > left {
            return;
        }
        left -= length;
    }
}
