//! Bodies of chunk uploads: in memory, or in an unnamed file for a client that sends pieces of more bodies in turn than
//! there is memory for (docs/design/front.md).
//!
//! HTTP/2 leaves the order of pieces to the client, and windows are larger than bodies. Without the file, bodies that
//! wait for memory could fill the connection's window, and those that have memory would never get their rest.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::RecvStream;
use pbstore_store::BackupChunks;
use tokio::time::timeout;

use super::limits::STALL_TIMEOUT;
use super::memory::{take, Share};
use super::session_body::next;
use super::session_call::{Fault, SessionContext};
use super::work::Kind;

/// How often a body that waits for memory looks whether the session is stuck.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A session is stuck when bodies that have memory get nothing for this long while others wait.
const STUCK_AFTER: Duration = Duration::from_secs(2);

/// A chunk as it was sent, and its share of the memory budget.
pub(crate) struct UploadBody {
    pub(crate) data: Vec<u8>,
    pub(crate) _shares: [Share; 2],
}

/// Whether the uploads of a session come in.
pub(crate) struct UploadProgress {
    receiving: AtomicUsize,
    last: Mutex<Instant>,
    is_interleaved: AtomicBool,
}

impl UploadProgress {
    pub(crate) fn new() -> Self {
        Self {
            receiving: AtomicUsize::new(0),
            last: Mutex::new(Instant::now()),
            is_interleaved: AtomicBool::new(false),
        }
    }

    fn note(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// A client that was stuck once sends its bodies in turn, so it would be stuck again.
    fn is_stuck(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if self.receiving.load(Ordering::Relaxed) > 0 && last.elapsed() > STUCK_AFTER {
            self.is_interleaved.store(true, Ordering::Relaxed);
        }
        self.is_interleaved.load(Ordering::Relaxed)
    }
}

/// Counts one body that is coming in.
struct Receiving<'a>(&'a UploadProgress);

impl<'a> Receiving<'a> {
    fn new(progress: &'a UploadProgress) -> Self {
        progress.note();
        progress.receiving.fetch_add(1, Ordering::Relaxed);
        Self(progress)
    }
}

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        self.0.receiving.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Read a body that must have exactly `bytes` bytes.
pub(crate) async fn receive(
    context: &SessionContext,
    chunks: &Arc<BackupChunks>,
    mut stream: RecvStream,
    bytes: usize,
) -> Result<UploadBody, Fault> {
    let Some(first) = next(&mut stream).await? else {
        return Err(wrong_length("0", bytes));
    };
    match memory_or_stuck(context, bytes).await? {
        Some(shares) => {
            let mut data = Vec::with_capacity(bytes);
            let _receiving = Receiving::new(&context.uploads);
            let mut piece = Some(first);
            while let Some(received) = piece {
                check_room(data.len(), received.len(), bytes)?;
                data.extend_from_slice(&received);
                piece = following(context, &mut stream, received.len()).await?;
            }
            check_complete(data.len(), bytes)?;
            Ok(UploadBody { data, _shares: shares })
        }
        None => {
            let chunks = chunks.clone();
            let file = blocking(context, move || chunks.spool_file().map_err(Fault::bad_request)).await??;
            let file = spool(context, file, first, &mut stream, bytes).await?;
            // It is complete, so it keeps nobody else from going on while it waits.
            let shares = memory(context, bytes).await;
            let data = blocking(context, move || read_back(file, bytes)).await?.map_err(Fault::bad_request)?;
            Ok(UploadBody { data, _shares: shares })
        }
    }
}

/// Wait for memory; None once the session is stuck.
async fn memory_or_stuck(context: &SessionContext, bytes: usize) -> Result<Option<[Share; 2]>, Fault> {
    let mut shares = pin!(memory(context, bytes));
    let since = Instant::now();
    while since.elapsed() < STALL_TIMEOUT {
        if let Ok(shares) = timeout(LOOK_EVERY, shares.as_mut()).await {
            return Ok(Some(shares));
        }
        if context.uploads.is_stuck() {
            return Ok(None);
        }
    }
    Err(Fault::Failed(503, "server has no memory for this upload: try again later".into()))
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
    bytes: usize,
) -> Result<File, Fault> {
    let _receiving = Receiving::new(&context.uploads);
    let (mut written, mut piece) = (0, Some(first));
    while let Some(received) = piece {
        let length = received.len();
        check_room(written, length, bytes)?;
        let append = move || file.write_all(&received).map(|()| file);
        file = blocking(context, append).await?.map_err(Fault::bad_request)?;
        written += length;
        piece = following(context, stream, length).await?;
    }
    check_complete(written, bytes)?;
    Ok(file)
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
    let piece = next(stream).await?;
    context.uploads.note();
    Ok(piece)
}

async fn blocking<T: Send + 'static>(
    context: &SessionContext,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    context.engine.bounds.run(Kind::Read, &context.tracker, work).await.map_err(|_| Fault::panicked())
}

fn check_room(present: usize, more: usize, bytes: usize) -> Result<(), Fault> {
    if more > bytes.saturating_sub(present) {
        return Err(wrong_length(&format!("more than {bytes}"), bytes));
    }
    Ok(())
}

fn check_complete(present: usize, bytes: usize) -> Result<(), Fault> {
    if present != bytes {
        return Err(wrong_length(&present.to_string(), bytes));
    }
    Ok(())
}

fn wrong_length(found: &str, bytes: usize) -> Fault {
    Fault::bad_request(format!("upload has {found} bytes, encoded-size says {bytes}"))
}
