//! The worker of an upload: digest, known or not, compress, encrypt. As many of them as there are cores.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use crossbeam_channel::Receiver;
use pbstore_format::{chunk_digest, Digest, Sealer};
use tokio::sync::mpsc;

use super::buffers::Buffers;
use super::coordinator::{Message, SealedChunk};
use super::image::BLOCK_BYTES;
use super::intake::{Data, Job};
use super::known::KnownChunks;
use super::pipeline::SealOptions;
use crate::client::error::ClientError;

/// What the workers of one upload share.
pub(super) struct Sealing {
    options: SealOptions,
    known: Arc<KnownChunks>,
    buffers: Arc<Buffers>,
    /// Digest of the zero chunk, which depends on the key (blobs-and-chunks.md 4.1).
    zero_digest: OnceLock<Digest>,
}

impl Sealing {
    pub(super) fn new(options: SealOptions, known: Arc<KnownChunks>, buffers: Arc<Buffers>) -> Self {
        Self { options, known, buffers, zero_digest: OnceLock::new() }
    }

    /// Works until no job can come or nobody takes the results.
    pub(super) fn run(&self, jobs: &Receiver<Job>, messages: &mpsc::Sender<Result<Message, ClientError>>) {
        let mut sealer = match Sealer::new(self.options.key.clone(), self.options.compress) {
            Ok(sealer) => sealer,
            Err(error) => {
                let _ = messages.blocking_send(Err(ClientError::local("unable to seal chunks", error)));
                return;
            }
        };
        for job in jobs {
            let message = self.seal(job, &mut sealer).map(Message::Sealed);
            if messages.blocking_send(message).is_err() {
                return;
            }
        }
    }

    fn seal(&self, job: Job, sealer: &mut Sealer) -> Result<SealedChunk, ClientError> {
        let Job { position, start, data, room } = job;
        let size = data.len();
        let digest = self.digest(&data);
        let blob = if self.known.claim(&digest) { Some(seal_data(sealer, &data)?) } else { None };
        if let Data::Bytes(buffer) = data {
            self.buffers.put_back(buffer);
        }
        // Known chunks make room for others at once.
        let upload = blob.map(|blob| (blob, room.bytes));
        Ok(SealedChunk { position, start, size, digest, upload, entry: room.entry })
    }

    fn digest(&self, data: &Data) -> Digest {
        let key = self.options.key.as_ref();
        match data {
            Data::Bytes(bytes) => chunk_digest(bytes, key),
            Data::Zeros(BLOCK_BYTES) => *self.zero_digest.get_or_init(|| chunk_digest(&vec![0; BLOCK_BYTES], key)),
            Data::Zeros(length) => chunk_digest(&vec![0; *length], key),
        }
    }
}

fn seal_data(sealer: &mut Sealer, data: &Data) -> Result<Bytes, ClientError> {
    let blob = match data {
        Data::Bytes(bytes) => sealer.seal(bytes),
        Data::Zeros(length) => sealer.seal(&vec![0; *length]),
    };
    blob.map(Bytes::from).map_err(|error| ClientError::local("unable to seal a chunk", error))
}
