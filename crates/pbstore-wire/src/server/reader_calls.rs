//! Calls of a reader session that are served here: chunks and the speed test (reader-protocol.md 1).

use std::sync::Arc;

use bytes::Bytes;
use pbstore_store::{ReaderChunks, StoreError};
use tokio::time::sleep;

use super::application::{Response, ResponseBody};
use super::limits::SPEEDTEST_BYTES;
use super::parameters::Parameters;
use super::pieces::Pieces;
use super::session_call::{octets, Answer, Fault, SessionContext};
use super::work::Kind;

/// Send a chunk as it is stored.
pub(crate) async fn chunk(
    context: &Arc<SessionContext>,
    chunks: &Arc<ReaderChunks>,
    query: &str,
) -> Result<Answer, Fault> {
    let mut parameters = Parameters::parse(query);
    let digest = parameters.digest("digest");
    parameters.finish().map_err(Fault::bad_request)?;
    let chunks = chunks.clone();
    let opened = context.run(Kind::Read, move || chunks.open(&digest)).await;
    let stored = match opened.map_err(|_| Fault::panicked())? {
        Ok(stored) => stored,
        Err(error @ StoreError::NotAllowed(_)) => {
            sleep(context.engine.denied_delay).await;
            return Err(Fault::Failed(401, error.to_string()));
        }
        Err(error) => return Err(Fault::bad_request(error)),
    };
    let (engine, tracker) = (context.engine.clone(), context.tracker.clone());
    Ok(Answer::Pieces(Pieces::new(stored.reader, stored.bytes, engine, tracker, context.outgoing.clone())))
}

/// A fixed amount of the same byte.
pub(crate) fn speedtest(query: &str) -> Result<Answer, Fault> {
    Parameters::parse(query).finish().map_err(Fault::bad_request)?;
    static DATA: [u8; SPEEDTEST_BYTES] = [b'A'; SPEEDTEST_BYTES];
    let body = ResponseBody::Whole(Bytes::from_static(&DATA));
    Ok(Answer::Response(Response { status: 200, headers: vec![octets()], body }))
}
