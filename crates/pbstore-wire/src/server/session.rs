//! A session: HTTP/2 on the upgraded connection, each call a task, and an end after which nothing of it runs
//! (protocol-transport.md 4.3 and 4.4).

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::RecvStream;
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::application::{AbortHandle, Grant};
use super::engine::Engine;
use super::limits::{MAX_HEADER_LIST_BYTES, MAX_SESSION_CALLS, PIECE_BYTES};
use super::memory::{OwnMemory, WindowShare};
use super::session_call::{self, SessionContext};
use super::session_turns::SessionTurns;
use super::upload_progress::UploadProgress;
use crate::protocol::{MAX_FRAME_BYTES, SERVER_MAX_STREAMS, SERVER_WINDOW_BYTES};

/// Serve a session. Returns when its connection is over and all its work has ended; the reason is None when the client
/// closed in order.
pub(crate) async fn run<S>(engine: Arc<Engine>, stream: S, grant: Grant) -> Option<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut windows = engine.memory.join();
    let handshake = Builder::new()
        .initial_window_size(SERVER_WINDOW_BYTES)
        .initial_connection_window_size(windows.window_bytes())
        .max_frame_size(MAX_FRAME_BYTES)
        .max_concurrent_streams(SERVER_MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .max_send_buffer_size(PIECE_BYTES)
        .handshake(stream);
    let connection = match timeout(engine.limits.session_start, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Some(format!("HTTP/2 handshake failed: {error}")),
        Err(_) => return Some("HTTP/2 handshake timed out".into()),
    };
    let tracker = TaskTracker::new();
    let context = Arc::new(SessionContext {
        uploads_limit: Arc::new(Semaphore::new(engine.memory.session_bytes())),
        uploads: UploadProgress::new(),
        complete: Arc::new(Semaphore::new(1)),
        lost_calls: AtomicUsize::new(0),
        turns: SessionTurns::new(engine.cores),
        outgoing: OwnMemory::of_session(),
        engine,
        chunks: grant.chunks,
        session: grant.session,
        tracker: tracker.clone(),
    });
    let mut calls = JoinSet::new();
    let reason = serve(connection, &context, &mut calls, windows, &grant.abort).await;
    // Dropping a call stops it where it waits, but a thread that works for it goes on: the tracker knows of those.
    calls.shutdown().await;
    tracker.close();
    tracker.wait().await;
    reason
}

async fn serve<S>(
    mut connection: Connection<S, Bytes>,
    context: &Arc<SessionContext>,
    calls: &mut JoinSet<()>,
    mut windows: WindowShare,
    abort: &AbortHandle,
) -> Option<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        // Calls that were taken back leave the connection's count of streams before they end here.
        let has_room = calls.len() < MAX_SESSION_CALLS;
        tokio::select! {
            accepted = next_call(&mut connection, has_room) => match accepted {
                Some(Ok((request, respond))) => {
                    calls.spawn(session_call::serve(context.clone(), request, respond));
                }
                Some(Err(error)) => return broken(&error, calls, context),
                None => return unfinished(calls, context),
            },
            Some(_) = calls.join_next() => {}
            () = windows.changed() => connection.set_target_window_size(windows.window_bytes()),
            reason = abort.aborted() => return Some(reason),
            () = context.engine.breaking.cancelled() => return Some("server is shutting down".into()),
        }
    }
}

/// The next call. Without room for one, only those that are under way go on until the connection ends.
async fn next_call<S>(
    connection: &mut Connection<S, Bytes>,
    has_room: bool,
) -> Option<Result<(Request<RecvStream>, SendResponse<Bytes>), h2::Error>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if has_room {
        return connection.accept().await;
    }
    poll_fn(|context| connection.poll_closed(context)).await.err().map(Err)
}

/// Clients just drop the connection when they are done, so that is an error only with calls under way.
fn broken(error: &h2::Error, calls: &mut JoinSet<()>, context: &SessionContext) -> Option<String> {
    let is_lost = error.get_io().is_some_and(|error| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
    });
    let is_goodbye = error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR);
    if is_lost || is_goodbye {
        return unfinished(calls, context);
    }
    Some(format!("connection error: {error}"))
}

fn unfinished(calls: &mut JoinSet<()>, context: &SessionContext) -> Option<String> {
    while calls.try_join_next().is_some() {}
    match calls.len() + context.lost_calls.load(Ordering::Relaxed) {
        0 => None,
        count => Some(format!("connection closed with {count} unfinished calls")),
    }
}
