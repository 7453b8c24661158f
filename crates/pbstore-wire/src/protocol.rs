//! What both ends of a session agree on: protocol ids, window sizes and limits (protocol-transport.md 4.3).

/// `Upgrade` token of a backup session.
pub const BACKUP_PROTOCOL: &str = "proxmox-backup-protocol-v1";
/// `Upgrade` token of a reader session.
pub const READER_PROTOCOL: &str = "proxmox-backup-reader-protocol-v1";

/// Window that the client grants, for a stream and for the connection alike.
pub const CLIENT_WINDOW_BYTES: u32 = (1 << 31) - 2;
/// Window that the server grants, for a stream and for the connection alike.
pub const SERVER_WINDOW_BYTES: u32 = 32 << 20;
/// Largest frame that either end accepts.
pub const MAX_FRAME_BYTES: u32 = 4 << 20;
/// Streams that a client may have open at once.
pub const SERVER_MAX_STREAMS: u32 = 200;
/// Largest header list that the server accepts.
pub const SERVER_MAX_HEADER_LIST_BYTES: u32 = 16 << 20;
/// Longest query that a client puts into a request target; more goes into a JSON body.
pub const MAX_QUERY_CHARS: usize = 4096;
/// Largest parameter body that a server takes.
pub const MAX_PARAMETER_BYTES: usize = 512 << 10;
/// Idle time after which TCP looks whether the other side still lives.
pub const TCP_KEEPALIVE_SECONDS: u64 = 120;
