//! Calls of a backup session that are served here: chunk uploads and the speed test (backup-protocol.md 2.4 and 3.5).

use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use pbstore_format::blob::{ENCRYPTED_HEADER, MAX_CHUNK_BYTES, PLAIN_HEADER};
use pbstore_format::digest::to_hex;
use pbstore_store::{BackupChunks, ChunkUpload, IndexKind};

use super::application::{Response, ResponseBody};
use super::parameters::Parameters;
use super::session_body;
use super::session_call::{Answer, Fault, SessionContext};
use super::upload_body::{self, Length};
use super::work::Kind;

const MAX_WID: u32 = 256;
const MAX_PLAIN_BYTES: u32 = MAX_CHUNK_BYTES as u32;
const MIN_ENCODED_BYTES: u32 = PLAIN_HEADER as u32 + 1;
const MAX_ENCODED_BYTES: u32 = (MAX_CHUNK_BYTES + ENCRYPTED_HEADER) as u32;

/// Take a chunk in: read, verify, store, make known.
pub(crate) async fn store_chunk(
    context: &Arc<SessionContext>,
    chunks: &Arc<BackupChunks>,
    kind: IndexKind,
    query: &str,
    stream: RecvStream,
) -> Result<Answer, Fault> {
    let (upload, encoded_bytes) = parse_upload(kind, query)?;
    let mut body = upload_body::receive(context, stream, Length::Exactly(encoded_bytes)).await?;
    let (engine, chunks) = (context.engine.clone(), chunks.clone());
    let work = move || chunks.store_chunk(&engine.verifier, &upload, &mut body.data);
    let stored = context.run(Kind::Chunk, work).await;
    stored.map_err(|_| Fault::panicked())?.map_err(Fault::bad_request)?;
    Ok(json(format!(r#"{{"data":"{}"}}"#, to_hex(&upload.digest))))
}

fn parse_upload(kind: IndexKind, query: &str) -> Result<(ChunkUpload, usize), Fault> {
    let mut parameters = Parameters::parse(query);
    let wid = u64::from(parameters.integer("wid", 1..=MAX_WID));
    let digest = parameters.digest("digest");
    let plain_bytes = parameters.integer("size", 1..=MAX_PLAIN_BYTES);
    let encoded_bytes = parameters.integer("encoded-size", MIN_ENCODED_BYTES..=MAX_ENCODED_BYTES);
    parameters.finish().map_err(Fault::bad_request)?;
    let encoded_bytes = usize::try_from(encoded_bytes).map_err(Fault::bad_request)?;
    Ok((ChunkUpload { kind, wid, digest, plain_bytes }, encoded_bytes))
}

/// Read and forget.
pub(crate) async fn speedtest(context: &SessionContext, query: &str, mut stream: RecvStream) -> Result<Answer, Fault> {
    Parameters::parse(query).finish().map_err(Fault::bad_request)?;
    while let Some(bytes) = session_body::next(&context.engine.limits, &mut stream).await? {
        stream.flow_control().release_capacity(bytes.len()).map_err(|_| Fault::Lost)?;
    }
    Ok(json(r#"{"data":null}"#.into()))
}

fn json(text: String) -> Answer {
    let headers = vec![("content-type".into(), "application/json;charset=UTF-8".into())];
    Answer::Response(Response { status: 200, headers, body: ResponseBody::Whole(Bytes::from(text)) })
}
