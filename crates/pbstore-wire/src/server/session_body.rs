//! Bodies of session calls as they come in.

use bytes::Bytes;
use h2::RecvStream;
use tokio::time::timeout;

use super::limits::Limits;
use super::session_call::Fault;

/// The next bytes; None at the end.
pub(crate) async fn next(limits: &Limits, stream: &mut RecvStream) -> Result<Option<Bytes>, Fault> {
    match timeout(limits.stall, stream.data()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(error))) => Err(if error.is_reset() { Fault::Reset } else { Fault::Lost }),
        Err(_) => Err(Fault::Failed(408, "request body did not arrive in time".into())),
    }
}
