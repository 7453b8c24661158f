//! The server's index writer that one archive is appended to: opening, batches, closing (backup-protocol.md 2.2 to 2.6).

use bytes::Bytes;
use http::Method;
use pbstore_format::digest::to_hex;
use pbstore_format::index::IndexCsum;
use pbstore_format::Digest;
use serde_json::{json, Value};

use crate::client::error::ClientError;
use crate::client::session::{Call, Caller, SHORT_ANSWER_BYTES};

/// Which kind of index an archive gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexKind {
    /// Chunks of 4 MiB; without a size the index grows (4.x servers only, version-4.md 3.2).
    Fixed {
        /// Bytes of the image, when known.
        size: Option<u64>,
    },
    /// Chunks of any length.
    Dynamic,
}

impl IndexKind {
    fn name(self) -> &'static str {
        match self {
            Self::Fixed { .. } => "fixed",
            Self::Dynamic => "dynamic",
        }
    }

    /// Adds the next entry of the index to its checksum.
    pub(super) fn hash(self, csum: &mut IndexCsum, end: u64, digest: &Digest) {
        match self {
            Self::Fixed { .. } => csum.add_fixed(digest),
            Self::Dynamic => csum.add_dynamic(end, digest),
        }
    }
}

/// An open writer on the server.
#[derive(Clone)]
pub(super) struct IndexWriter {
    caller: Caller,
    kind: IndexKind,
    wid: u64,
}

impl IndexWriter {
    /// Opens the index `archive_name` in the new snapshot.
    pub(super) async fn open(caller: Caller, kind: IndexKind, archive_name: &str) -> Result<Self, ClientError> {
        let mut parameters = json!({ "archive-name": archive_name });
        if let IndexKind::Fixed { size: Some(size) } = kind {
            parameters["size"] = size.into();
        }
        let path = format!("{}_index", kind.name());
        let answer = caller.call(Call::json(Method::POST, &path, &parameters), SHORT_ANSWER_BYTES).await?;
        let wid = writer_id(&answer)
            .ok_or_else(|| ClientError::Protocol(format!("the server's answer to POST {path} holds no writer id")))?;
        Ok(Self { caller, kind, wid })
    }

    /// Uploads one chunk; returns when the server has it.
    pub(super) async fn store(&self, digest: &Digest, size: usize, blob: Bytes) -> Result<(), ClientError> {
        let path = format!("{}_chunk", self.kind.name());
        let query = format!("wid={}&digest={}&size={size}&encoded-size={}", self.wid, to_hex(digest), blob.len());
        self.caller.call(Call::raw(&path, &query, blob), SHORT_ANSWER_BYTES).await.map(drop)
    }

    /// Appends chunks that the server has: start offsets and digests, in stream order.
    pub(super) async fn append<'a>(&self, entries: impl Iterator<Item = (u64, &'a Digest)>) -> Result<(), ClientError> {
        let (offsets, digests): (Vec<u64>, Vec<String>) =
            entries.map(|(offset, digest)| (offset, to_hex(digest))).unzip();
        let parameters = json!({ "wid": self.wid, "digest-list": digests, "offset-list": offsets });
        let path = format!("{}_index", self.kind.name());
        self.caller.call(Call::json(Method::PUT, &path, &parameters), SHORT_ANSWER_BYTES).await.map(drop)
    }

    /// Makes the index final; the server compares all three with its own.
    pub(super) async fn close(&self, chunk_count: u64, size: u64, csum: &Digest) -> Result<(), ClientError> {
        let csum = to_hex(csum);
        let parameters = json!({ "wid": self.wid, "chunk-count": chunk_count, "size": size, "csum": csum });
        let path = format!("{}_close", self.kind.name());
        self.caller.call(Call::json(Method::POST, &path, &parameters), SHORT_ANSWER_BYTES).await.map(drop)
    }
}

fn writer_id(answer: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(answer).ok()?.get("data")?.as_u64()
}
