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
/// Of the body of a plain request, what needs no share of the memory budget: every log-in fits, so large bodies of others
/// cannot keep anybody out. What all connections together have of it is part of what a connection costs anyway.
pub(crate) const FREE_BODY_BYTES: usize = 8 << 10;

/// Calls of a session that are under way at once. More than its streams, as one that was taken back may still end.
pub(crate) const MAX_SESSION_CALLS: usize = 256;
/// Calls of the application at once for one session.
pub(crate) const MAX_SESSION_THREADS: usize = 8;
/// Reads of files and chunks at once.
pub(crate) const MAX_READS: usize = 16;
/// Answers at once that are made portion by portion: each has a compressor and more between its portions.
pub(crate) const MAX_PORTIONS_BODIES: usize = 32;
/// A file is read and sent in pieces of this size.
pub(crate) const PIECE_BYTES: usize = 1 << 20;
/// Pieces that one session may have in memory on their way to the peer.
pub(crate) const SESSION_PIECES_BYTES: usize = 8 << 20;
/// What a session may always send, however much memory others hold: part of what its connection costs.
pub(crate) const SESSION_RESERVE_BYTES: usize = 16 << 10;
/// Length of the answer to a reader's speed test (reader-protocol.md 1).
pub(crate) const SPEEDTEST_BYTES: usize = 1 << 20;

/// Bounds that depend on the machine and its clients, so that they can be set (`PBSTORE_LIMITS`).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once, sessions included, and never more than half of the file descriptors. Beyond it a new
    /// connection is closed at once and those that are there go on.
    pub connections: usize,
    /// Connections of one address (IPv6: of one /64 network): half of all, so that nobody has them all alone, and many
    /// clients behind one router have enough.
    pub connections_per_address: usize,
    /// Connections that have not finished their TLS handshake (protocol-transport.md 1); more are closed at once.
    pub handshakes: usize,
    /// The same for one address.
    pub handshakes_per_address: usize,
    /// Plain requests that the application answers at once; failed log-ins take seconds on purpose.
    pub requests: usize,
    /// The same for one address, so that one who guesses passwords does not keep all others out.
    pub requests_per_address: usize,
    /// Session calls that the application answers at once.
    pub calls: usize,
    /// For the first bytes, and again for the TLS handshake.
    pub handshake: Duration,
    /// For the head of a request, from its first byte on; the first one counts from the handshake on.
    pub head: Duration,
    /// Without a request; longer than the 15 minutes between a client's log-ins.
    pub idle: Duration,
    /// For the body of a plain request, whose sender need not be anybody we know; raw bodies get ten times as long.
    pub body: Duration,
    /// For a client to begin HTTP/2 after 101.
    pub session_start: Duration,
    /// For the next bytes of a session call's body, or for the peer to take the next bytes of an answer.
    pub stall: Duration,
    /// Bytes a second that a peer must take while something waits to be sent; `stall` is how long it may be behind.
    pub rate: usize,
    /// How long a body of a session waits for memory before it goes through an unnamed file.
    pub memory_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 2048,
            handshakes: 1024,
            handshakes_per_address: 512,
            requests: 64,
            requests_per_address: 16,
            calls: 64,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            idle: Duration::from_secs(20 * 60),
            body: Duration::from_secs(60),
            session_start: Duration::from_secs(30),
            stall: Duration::from_secs(10 * 60),
            rate: 1024,
            memory_wait: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Set the limit of this name: a number, or seconds.
    ///
    /// # Errors
    /// What is wrong with the name or the value.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), String> {
        match name {
            "connections" => count(&mut self.connections, value),
            "connections_per_address" => count(&mut self.connections_per_address, value),
            "handshakes" => count(&mut self.handshakes, value),
            "handshakes_per_address" => count(&mut self.handshakes_per_address, value),
            "requests" => count(&mut self.requests, value),
            "requests_per_address" => count(&mut self.requests_per_address, value),
            "calls" => count(&mut self.calls, value),
            "handshake" => seconds(&mut self.handshake, value),
            "head" => seconds(&mut self.head, value),
            "idle" => seconds(&mut self.idle, value),
            "body" => seconds(&mut self.body, value),
            "session_start" => seconds(&mut self.session_start, value),
            "stall" => seconds(&mut self.stall, value),
            "rate" => count(&mut self.rate, value),
            "memory_wait" => seconds(&mut self.memory_wait, value),
            _ => return Err(format!("there is no limit '{name}' (docs/design/front.md has them)")),
        }
        .map_err(|reason| format!("limit '{name}': {reason}, got {value}"))
    }
}

/// Semaphores end far above it.
const MAX_COUNT: f64 = 1e6;
const MAX_SECONDS: f64 = 1e6;

fn count(limit: &mut usize, value: f64) -> Result<(), &'static str> {
    if !(1.0..=MAX_COUNT).contains(&value) || value.fract() != 0.0 {
        return Err("expected a whole number from 1 to 1000000");
    }
    *limit = value as usize; // exact, as was just looked at
    Ok(())
}

fn seconds(limit: &mut Duration, value: f64) -> Result<(), &'static str> {
    if !(0.001..=MAX_SECONDS).contains(&value) {
        return Err("expected seconds from 0.001 to 1000000");
    }
    *limit = Duration::from_secs_f64(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_what_it_knows_to_what_makes_sense() {
        let mut limits = Limits::default();
        limits.set("connections", 7.0).unwrap();
        limits.set("stall", 0.5).unwrap();
        assert_eq!((limits.connections, limits.stall), (7, Duration::from_millis(500)));
        for (name, value) in [
            ("connections", 0.0),
            ("connections", 1.5),
            ("connections", f64::NAN),
            ("rate", 1e30),
            ("stall", 0.0),
            ("stall", f64::INFINITY),
            ("nonsense", 1.0),
        ] {
            let reason = limits.set(name, value).unwrap_err();
            assert!(reason.contains(name), "{reason}");
        }
        assert_eq!(limits.connections, 7);
    }
}
