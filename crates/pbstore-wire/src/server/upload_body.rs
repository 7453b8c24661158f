//! Bodies of session calls: in memory, or in an unnamed file when others hold the memory, be it bodies of other sessions
//! or those of a client that sends pieces of more bodies in turn than there is memory for (docs/design/front.md).
//!
//! HTTP/2 leaves the order of pieces to the client, and windows are larger than bodies. Without the file, bodies that
//! wait for memory could fill the connection's window, and those that have memory would never get their rest.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::RecvStream;
use http::header::CONTENT_LENGTH;
use http::HeaderMap;
use pbstore_store::BackupChunks;
use tokio::time::timeout;

use super::application::SessionChunks;
use super::memory::{take, HeldBytes, Share};
use super::session_body;
use super::session_call::{Fault, SessionContext};
use super::work::Kind;

/// How often a body that waits for memory looks whether it should go through a file.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a body is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// As the call's parameters say; anything else is an error.
    Exactly(usize),
    /// Up to `limit`, and probably `expected`.
    AtMost { limit: usize, expected: usize },
}

impl Length {
    /// What headers say is believed up to `limit`.
    pub(crate) fn at_most(limit: usize, headers: &HeaderMap) -> Self {
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Self::AtMost { limit, expected: announced.unwrap_or(limit).min(limit) }
    }

    /// What memory is taken for, as long as nothing else is known.
    fn expected(self) -> usize {
        match self {
            Self::Exactly(bytes) => bytes,
            Self::AtMost { expected, .. } => expected,
        }
    }

    fn check_room(self, present: usize, more: usize) -> Result<(), Fault> {
        match self {
            Self::Exactly(bytes) if more > bytes.saturating_sub(present) => {
                Err(wrong_length(&format!("more than {bytes}"), bytes))
            }
            Self::AtMost { limit, .. } if more > limit.saturating_sub(present) => {
                Err(Fault::bad_request(format!("request body is larger than {limit} bytes")))
            }
            _ => Ok(()),
        }
    }

    fn check_complete(self, present: usize) -> Result<(), Fault> {
        match self {
            Self::Exactly(bytes) if present != bytes => Err(wrong_length(&present.to_string(), bytes)),
            _ => Ok(()),
        }
    }
}

/// Read a body; its bytes hold their share of the memory budget.
pub(crate) async fn receive(
    context: &SessionContext,
    mut stream: RecvStream,
    length: Length,
) -> Result<HeldBytes, Fault> {
    let Some(first) = session_body::next(&context.engine.limits, &mut stream).await? else {
        length.check_complete(0)?;
        return Ok(HeldBytes { data: Vec::new(), _shares: [None, None] });
    };
    match memory_or_file(context, length.expected()).await? {
        Room::Memory(shares) => {
            let mut data = Vec::new();
            if let Length::Exactly(bytes) = length {
                data.reserve_exact(bytes);
            }
            let _receiving = context.uploads.receiving();
            let mut piece = Some(first);
            while let Some(received) = piece {
                length.check_room(data.len(), received.len())?;
                data.extend_from_slice(&received);
                piece = following(context, &mut stream, received.len()).await?;
            }
            length.check_complete(data.len())?;
            Ok(HeldBytes { data, _shares: shares })
        }
        Room::File(chunks) => {
            let file = blocking(context, move || chunks.spool_file().map_err(Fault::bad_request)).await??;
            let (file, bytes) = spool(context, file, first, &mut stream, length).await?;
            let shares = memory_for_complete(context, bytes).await;
            let data = blocking(context, move || read_back(file, bytes)).await?.map_err(Fault::bad_request)?;
            Ok(HeldBytes { data, _shares: shares })
        }
    }
}

/// Where a body is collected.
enum Room {
    Memory([Share; 2]),
    /// An unnamed file beside these chunks.
    File(Arc<BackupChunks>),
}

/// Wait for memory, but not for long: others may hold it for as long as they like.
async fn memory_or_file(context: &SessionContext, bytes: usize) -> Result<Room, Fault> {
    let mut shares = pin!(memory(context, bytes));
    let since = Instant::now();
    while since.elapsed() < context.engine.limits.stall {
        let patience = if context.uploads.is_crowded() { Duration::ZERO } else { LOOK_EVERY };
        if let Ok(shares) = timeout(patience, shares.as_mut()).await {
            return Ok(Room::Memory(shares));
        }
        let SessionChunks::Backup(chunks) = &context.chunks else { continue };
        if since.elapsed() >= context.engine.limits.memory_wait {
            context.uploads.note_crowd();
        }
        if context.uploads.is_stuck() || context.uploads.is_crowded() {
            return Ok(Room::File(chunks.clone()));
        }
    }
    Err(Fault::Failed(503, "server has no memory for this call: try again later".into()))
}

/// Everything at once, so that no two bodies can each hold what the other one waits for.
async fn memory(context: &SessionContext, bytes: usize) -> [Share; 2] {
    let own = take(&context.uploads_limit, bytes).await;
    [own, context.engine.memory.for_transfer(bytes).await]
}

async fn spool(
    context: &SessionContext,
    mut file: File,
    first: Bytes,
    stream: &mut RecvStream,
    length: Length,
) -> Result<(File, usize), Fault> {
    let _receiving = context.uploads.receiving();
    let (mut written, mut piece) = (0, Some(first));
    while let Some(received) = piece {
        let bytes = received.len();
        length.check_room(written, bytes)?;
        let append = move || file.write_all(&received).map(|()| file);
        file = blocking(context, append).await?.map_err(Fault::bad_request)?;
        written += bytes;
        piece = following(context, stream, bytes).await?;
    }
    length.check_complete(written)?;
    Ok((file, written))
}

/// Memory of the usual kind, or a turn of the memory that only complete bodies get.
async fn memory_for_complete(context: &SessionContext, bytes: usize) -> [Share; 2] {
    let last_resort = async {
        let turn = take(&context.complete, 1).await;
        [turn, context.engine.memory.for_spooled().await]
    };
    tokio::select! {
        biased;
        shares = memory(context, bytes) => shares,
        shares = last_resort => shares,
    }
}

fn read_back(mut file: File, bytes: usize) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut data = vec![0; bytes];
    file.read_exact(&mut data)?;
    Ok(data)
}

/// Open the window again for what was taken, and wait for the next bytes.
async fn following(context: &SessionContext, stream: &mut RecvStream, taken: usize) -> Result<Option<Bytes>, Fault> {
    stream.flow_control().release_capacity(taken).map_err(|_| Fault::Lost)?;
    let piece = session_body::next(&context.engine.limits, stream).await?;
    context.uploads.note();
    Ok(piece)
}

async fn blocking<T: Send + 'static>(
    context: &SessionContext,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    context.run(Kind::Read, work).await.map_err(|_| Fault::panicked())
}

fn wrong_length(found: &str, bytes: usize) -> Fault {
    Fault::bad_request(format!("upload has {found} bytes, encoded-size says {bytes}"))
}
