//! How the stages of an upload are put together, and what comes out of it.

use std::sync::Arc;

use pbstore_format::{CryptKey, Digest};
use tokio::sync::mpsc;

use super::buffers::Buffers;
use super::coordinator::Coordinator;
use super::intake::{Intake, Limits};
use super::sealing::Sealing;
use super::writer::{IndexKind, IndexWriter};
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::running::Running;
use crate::client::session::Session;
use crate::client::share::Share;

/// How the chunks of an archive are made.
#[derive(Clone)]
pub struct SealOptions {
    /// Encrypts, and makes keyed digests.
    pub key: Option<CryptKey>,
    /// Whether to try zstd.
    pub compress: bool,
}

/// What an upload did.
#[derive(Debug, Default, Clone)]
pub struct UploadStats {
    /// Chunks in the index.
    pub chunk_count: u64,
    /// Plain bytes of the archive.
    pub size: u64,
    /// Checksum of the index.
    pub csum: Digest,
    /// Plain bytes of the chunks that were sent.
    pub uploaded_bytes: u64,
    /// Their bytes as blobs.
    pub compressed_bytes: u64,
    /// Their number.
    pub uploaded_chunk_count: u64,
    /// Plain bytes that the server had already.
    pub reused_bytes: u64,
    /// From opening to closing.
    pub duration_seconds: f64,
    /// How many things could not be saved as they were; trees only.
    pub warning_count: u64,
}

/// Opens the index and starts all stages; chunks go into the intake.
pub(super) fn start(
    session: &Session,
    kind: IndexKind,
    archive_name: &str,
    seal: &SealOptions,
    share: Share,
    progress: &Arc<Progress>,
) -> Result<(Running<UploadStats>, Intake), ClientError> {
    let writer = session.wait(async {
        tokio::select! {
            () = progress.wait_for_cancel() => Err(ClientError::Aborted),
            writer = IndexWriter::open(session.caller(), kind, archive_name) => writer,
        }
    })?;
    let Share { worker_count, room_bytes } = share;
    let limits = Limits::new(room_bytes);
    let buffers = Arc::new(Buffers::new(2 * worker_count + 1));
    let (jobs, job_queue) = crossbeam_channel::bounded(worker_count);
    let (messages, inbox) = mpsc::channel(2 * worker_count);
    let known = session.known();
    let coordinator = Coordinator::new(kind, writer, Arc::clone(known), Arc::clone(progress), limits.clone());
    let mut running = Running::new(session.handle().spawn(coordinator.run(inbox)));
    let sealing = Arc::new(Sealing::new(seal.clone(), Arc::clone(known), Arc::clone(&buffers)));
    for _ in 0..worker_count {
        let (sealing, queue, messages) = (Arc::clone(&sealing), job_queue.clone(), messages.clone());
        running.spawn("pbstore-seal", move || sealing.run(&queue, &messages))?;
    }
    let handle = session.handle().clone();
    Ok((running, Intake { jobs, messages, limits, buffers, handle, position: 0, start: 0 }))
}

/// The error of an upload as its caller should see it.
pub(super) fn explained(archive_name: &str, error: ClientError) -> ClientError {
    match error {
        ClientError::Local(text) => ClientError::Local(format!("{archive_name}: {text}")),
        ClientError::Stopped => {
            ClientError::Local(format!("{archive_name}: not uploaded, because another upload of this session failed"))
        }
        other => other,
    }
}
