//! The worker of a restore: nothing of a chunk is written before all of it is checked (blobs-and-chunks.md 5).

use std::sync::Arc;

use bytes::Bytes;
use crossbeam_channel::Receiver;
use pbstore_format::{blob, chunk_digest, FormatError, Opener};
use tokio::sync::{mpsc, OwnedSemaphorePermit};

use super::archive::Archive;
use crate::client::error::ClientError;

/// A chunk as the server sent it.
pub(super) struct Fetched {
    pub(super) number: usize,
    pub(super) blob: Bytes,
    pub(super) room: OwnedSemaphorePermit,
}

/// A chunk that is what the index says.
pub(super) struct Checked {
    pub(super) number: usize,
    pub(super) data: Vec<u8>,
    /// Held until the chunk is written.
    pub(super) _room: OwnedSemaphorePermit,
}

/// Takes checked chunks, in any order, from several threads.
pub(super) type Deliver = Arc<dyn Fn(Checked) -> Result<(), ClientError> + Send + Sync>;

/// Works until no chunk can come or something failed; failures go to `failures`.
pub(super) fn check_chunks(
    archive: &Archive,
    chunks: &Receiver<Fetched>,
    deliver: &Deliver,
    failures: &mpsc::UnboundedSender<ClientError>,
) {
    if let Err(error) = check_all(archive, chunks, deliver, failures) {
        // Nobody listens once the restore has failed.
        let _ = failures.send(error);
    }
}

fn check_all(
    archive: &Archive,
    chunks: &Receiver<Fetched>,
    deliver: &Deliver,
    failures: &mpsc::UnboundedSender<ClientError>,
) -> Result<(), ClientError> {
    let mut opener =
        Opener::new(archive.key().cloned()).map_err(|error| ClientError::local("unable to open chunks", error))?;
    for Fetched { number, blob, room } in chunks {
        if failures.is_closed() {
            return Ok(());
        }
        let data = open_chunk(archive, number, &blob, &mut opener)?;
        drop(blob);
        deliver(Checked { number, data, _room: room })?;
    }
    Ok(())
}

/// The plain data of a chunk, if kind, CRC, tag, length and digest are right.
pub(super) fn open_chunk(
    archive: &Archive,
    number: usize,
    blob: &[u8],
    opener: &mut Opener,
) -> Result<Vec<u8>, ClientError> {
    let wrong = |error: &FormatError| archive.wrong(number, error);
    archive.check_kind(number, blob::kind(blob).map_err(|error| wrong(&error))?)?;
    let length = archive.length(number);
    let data = opener.open(blob, length).map_err(|error| wrong(&error))?;
    if data.len() != length {
        return Err(wrong(&FormatError::WrongLength { expected: length as u64, found: data.len() as u64 }));
    }
    let (expected, found) = (archive.digest(number), chunk_digest(&data, archive.key()));
    if expected != found {
        return Err(wrong(&FormatError::WrongDigest { expected, found }));
    }
    Ok(data)
}
