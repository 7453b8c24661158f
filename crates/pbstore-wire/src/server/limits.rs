//! Every bound that the front puts on its peers, in one place (docs/design/front.md).

use std::time::Duration;

/// Path and query of a request; beyond it the answer is 414 (protocol-transport.md 3.1).
pub(crate) const MAX_TARGET_BYTES: usize = 3072;
/// Head of a plain request: request line and headers.
pub(crate) const MAX_HEAD_BYTES: usize = 64 << 10;
/// Header lines of a request.
pub(crate) const MAX_HEADERS: usize = 100;
/// Header list of a session call. Queries belong into bodies beyond 4096 characters, so there is no need for more.
pub(crate) const MAX_HEADER_LIST_BYTES: u32 = 64 << 10;

/// Connections at once; more wait in the kernel's queue.
pub(crate) const MAX_CONNECTIONS: usize = 4096;
/// Connections that have not finished their TLS handshake; more are dropped.
pub(crate) const MAX_HANDSHAKES: usize = 1024;
/// For the first bytes, and again for the TLS handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For the first request after the handshake.
pub(crate) const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// For every later request to arrive, idle time included; longer than the 15 minutes between a client's log-ins.
pub(crate) const NEXT_REQUEST_TIMEOUT: Duration = Duration::from_secs(20 * 60);
/// For a client to begin HTTP/2 after 101.
pub(crate) const SESSION_START_TIMEOUT: Duration = Duration::from_secs(30);
/// For the next bytes of a body that is held in memory, or for the peer to take the next bytes of an answer.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// For the body of a plain request, whose sender need not be anybody we know.
pub(crate) const REQUEST_BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// Calls of the application at once for plain requests, and again for session calls.
pub(crate) const MAX_CALLS: usize = 64;
/// Reads of files and chunks at once.
pub(crate) const MAX_READS: usize = 16;
/// Answers at once that are made portion by portion: each has a compressor and more between its portions.
pub(crate) const MAX_PORTIONS_BODIES: usize = 32;
/// A file is read and sent in pieces of this size.
pub(crate) const PIECE_BYTES: usize = 1 << 20;
/// Pieces that one session may have in memory on their way to the peer.
pub(crate) const SESSION_PIECES_BYTES: usize = 8 << 20;
/// Length of the answer to a reader's speed test (reader-protocol.md 1).
pub(crate) const SPEEDTEST_BYTES: usize = 1 << 20;
