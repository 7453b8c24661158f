//! Bodies of plain requests: bounded, timed, and paid for from the memory budget as they arrive.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use pbstore_format::blob::MAX_BLOB_BYTES;
use tokio::time::timeout;

use super::application::Response;
use super::limits::REQUEST_BODY_TIMEOUT;
use super::memory::{HeldBytes, MemoryBudget, Share};
use crate::protocol::MAX_PARAMETER_BYTES;

/// Raw bodies are up to this much slower to arrive than parameters.
const RAW_BODY_FACTOR: u32 = 10;

/// Read a whole body.
///
/// # Errors
/// The answer to give instead.
pub(crate) async fn read(memory: &MemoryBudget, headers: &HeaderMap, body: Incoming) -> Result<Bytes, Response> {
    let raw = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes() == b"application/octet-stream");
    let (limit, patience) = if raw {
        (MAX_BLOB_BYTES, REQUEST_BODY_TIMEOUT * RAW_BODY_FACTOR)
    } else {
        (MAX_PARAMETER_BYTES, REQUEST_BODY_TIMEOUT)
    };
    let too_large = || Response::text(400, format!("request body is larger than {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    collect(memory, body, limit, patience).await?.ok_or_else(too_large)
}

/// None when there is more than `limit`.
async fn collect(
    memory: &MemoryBudget,
    mut body: Incoming,
    limit: usize,
    patience: Duration,
) -> Result<Option<Bytes>, Response> {
    let mut data = Vec::new();
    let mut share: Share = None;
    let read_all = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Response::text(400, format!("request body is broken: {error}")))?;
            let Ok(bytes) = frame.into_data() else { continue };
            if bytes.len() > limit.saturating_sub(data.len()) {
                return Ok(false);
            }
            match (&mut share, memory.for_request(bytes.len()).await) {
                (Some(share), Some(more)) => share.merge(more),
                (share, more) => *share = more,
            }
            data.extend_from_slice(&bytes);
        }
        Ok(true)
    };
    let complete = timeout(patience, read_all).await;
    let complete = complete.map_err(|_| Response::text(408, "request body did not arrive in time"))??;
    let held = HeldBytes { data, _shares: [share, None] };
    Ok(complete.then(|| Bytes::from_owner(held)))
}
