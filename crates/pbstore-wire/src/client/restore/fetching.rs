//! Fetches the chunks of an archive ahead of their use, as many at once as the memory bound allows.

use std::sync::Arc;

use bytes::Bytes;
use crossbeam_channel::Sender;
use pbstore_format::digest::to_hex;
use tokio::sync::{mpsc, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::archive::Archive;
use super::checking::{check_chunks, Deliver, Fetched};
use crate::client::error::ClientError;
use crate::client::progress::Progress;
use crate::client::running::Running;
use crate::client::session::{Call, Caller, Session};
use crate::client::share::Share;

/// Fetches, checks and delivers the chunks with these numbers. Requests go out in the given order, deliveries come in
/// any; room is given to chunks in that order, so that whoever needs order can wait for the next one.
pub(super) fn start(
    session: &Session,
    archive: &Arc<Archive>,
    numbers: Vec<usize>,
    deliver: &Deliver,
    share: Share,
    progress: &Arc<Progress>,
) -> Result<Running<()>, ClientError> {
    let (chunks, queue) = crossbeam_channel::unbounded();
    let (failures, inbox) = mpsc::unbounded_channel();
    let fetching = Fetching {
        caller: session.caller(),
        archive: Arc::clone(archive),
        room: Arc::new(Semaphore::new(share.room_bytes)),
    };
    let mut running = Running::new(session.handle().spawn(fetching.run(numbers, chunks, inbox, Arc::clone(progress))));
    for _ in 0..share.worker_count {
        let (archive, queue) = (Arc::clone(archive), queue.clone());
        let (deliver, failures) = (Arc::clone(deliver), failures.clone());
        running.spawn("pbstore-check", move || check_chunks(&archive, &queue, &deliver, &failures))?;
    }
    Ok(running)
}

struct Fetching {
    caller: Caller,
    archive: Arc<Archive>,
    /// Bounds what is fetched and not yet used; the queue to the workers needs no bound of its own.
    room: Arc<Semaphore>,
}

impl Fetching {
    /// Ends when all workers have ended, or with the first failure.
    async fn run(
        self,
        numbers: Vec<usize>,
        chunks: Sender<Fetched>,
        mut failures: mpsc::UnboundedReceiver<ClientError>,
        progress: Arc<Progress>,
    ) -> Result<(), ClientError> {
        let cancelled = progress.wait_for_cancel();
        tokio::pin!(cancelled);
        let mut numbers = numbers.into_iter();
        let mut next = numbers.next();
        let mut fetches = JoinSet::new();
        let mut chunks = Some(chunks);
        loop {
            if next.is_none() && fetches.is_empty() {
                chunks = None;
            }
            tokio::select! {
                () = &mut cancelled => return Err(ClientError::Aborted),
                failure = failures.recv() => return failure.map_or(Ok(()), Err),
                Some(fetched) = fetches.join_next() => {
                    let fetched: Fetched = fetched.map_err(|error| ClientError::local("fetching died", error))??;
                    if let Some(chunks) = &chunks {
                        chunks.send(fetched).map_err(|_| ClientError::Stopped)?;
                    }
                }
                (number, room) = self.admit(next), if next.is_some() => {
                    next = numbers.next();
                    fetches.spawn(fetch(self.caller.clone(), Arc::clone(&self.archive), number, room?));
                }
            }
        }
    }

    /// Waits for the room that the next chunk needs.
    async fn admit(&self, next: Option<usize>) -> (usize, Result<OwnedSemaphorePermit, ClientError>) {
        let number = next.unwrap_or(0);
        // Lengths were checked to be 16 MiB at most.
        let length = u32::try_from(self.archive.length(number)).unwrap_or(0);
        let room = Arc::clone(&self.room).acquire_many_owned(length).await;
        (number, room.map_err(|_| ClientError::Stopped))
    }
}

async fn fetch(
    caller: Caller,
    archive: Arc<Archive>,
    number: usize,
    room: OwnedSemaphorePermit,
) -> Result<Fetched, ClientError> {
    let blob = fetch_blob(&caller, &archive, number).await?;
    Ok(Fetched { number, blob, room })
}

/// One chunk as the server has it; nothing of it is checked but its length.
pub(super) async fn fetch_blob(caller: &Caller, archive: &Archive, number: usize) -> Result<Bytes, ClientError> {
    let query = format!("digest={}", to_hex(&archive.digest(number)));
    let limit = encoded_limit(archive.length(number));
    caller.call(Call::get("chunk", &query), limit).await.map_err(|error| match error {
        ClientError::Server { status, text } => ClientError::Server { status, text: archive.about(number, &text) },
        ClientError::Protocol(text) => ClientError::Protocol(archive.about(number, &text)),
        other => other,
    })
}

/// The longest blob of a chunk: encoders drop a frame that is longer than its data; zstd's own bound is some slack
/// for those that do not.
fn encoded_limit(length: usize) -> usize {
    length + length / 256 + 1024
}
