//! Rate limits: token buckets that any number of connections share, and a stream that obeys them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{ready, Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, Instant, Sleep};

/// A bucket that holds less than the rate brings in this time would run over between two looks at the clock.
const SHORTEST_BURST: Duration = Duration::from_millis(50);
/// Most bytes that are sent at once, so that connections that share a bucket take turns. TLS, which reads record by
/// record, never asks for so many.
const TURN_BYTES: usize = 64 << 10;

/// Bytes that may pass, refilled at a steady rate.
///
/// Whoever passes takes the tokens afterwards, even if there are not enough, and then waits until the debt is paid. So
/// what passes in a time is at most burst + rate x time + one turn for each that shares the bucket.
#[derive(Debug)]
pub struct TokenBucket {
    bytes_per_second: f64,
    burst: f64,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    /// Below zero: debt.
    tokens: f64,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket for `rate` bytes a second (0 counts as 1). `burst` bytes fit in, what comes in 50 ms at least.
    pub fn new(rate: u64, burst: u64) -> Self {
        let bytes_per_second = rate.max(1) as f64;
        let burst = (burst as f64).max(bytes_per_second * SHORTEST_BURST.as_secs_f64());
        Self { bytes_per_second, burst, level: Mutex::new(Level { tokens: burst, at: Instant::now() }) }
    }

    /// Takes tokens for bytes that have passed; how long to wait before the next ones.
    fn take(&self, bytes: usize, now: Instant) -> Duration {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(level.at).as_secs_f64() * self.bytes_per_second;
        level.tokens = (level.tokens + gained).min(self.burst) - bytes as f64;
        level.at = now;
        Duration::try_from_secs_f64(-level.tokens / self.bytes_per_second).unwrap_or_default()
    }
}

/// The limits of a connection; clones share their buckets.
#[derive(Clone, Debug, Default)]
pub struct TrafficLimits {
    /// For what is received.
    pub incoming: Option<Arc<TokenBucket>>,
    /// For what is sent.
    pub outgoing: Option<Arc<TokenBucket>>,
}

/// A stream that passes bytes only as fast as its limits allow.
pub(crate) struct Throttled<S> {
    stream: S,
    incoming: Lane,
    outgoing: Lane,
}

impl<S> Throttled<S> {
    pub(crate) fn new(stream: S, limits: &TrafficLimits) -> Self {
        let lane = |bucket: &Option<Arc<TokenBucket>>| Lane { bucket: bucket.clone(), pause: None };
        Self { stream, incoming: lane(&limits.incoming), outgoing: lane(&limits.outgoing) }
    }
}

/// One direction of a stream.
struct Lane {
    bucket: Option<Arc<TokenBucket>>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Lane {
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(())
    }

    fn passed(&mut self, bytes: usize) {
        let Some(bucket) = &self.bucket else { return };
        let wait = bucket.take(bytes, Instant::now());
        if !wait.is_zero() {
            self.pause = Some(Box::pin(sleep(wait)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Throttled<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.incoming.bucket.is_none() {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        }
        ready!(this.incoming.poll_open(context));
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        this.incoming.passed(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Throttled<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.outgoing.bucket.is_none() {
            return Pin::new(&mut this.stream).poll_write(context, data);
        }
        ready!(this.outgoing.poll_open(context));
        let turn = data.get(..TURN_BYTES).unwrap_or(data);
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, turn))?;
        this.outgoing.passed(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_full_bucket_lets_the_burst_through_and_then_the_rate() {
        let bucket = TokenBucket::new(1000, 5000);
        let start = Instant::now();
        assert_eq!(bucket.take(5000, start), Duration::ZERO);
        assert_eq!(bucket.take(1000, start), SECOND);
        assert_eq!(bucket.take(500, start + SECOND), SECOND / 2);
        assert_eq!(bucket.take(0, start + 100 * SECOND), Duration::ZERO);
        assert_eq!(bucket.take(7000, start + 100 * SECOND), 2 * SECOND);
    }

    #[test]
    fn those_who_share_a_bucket_share_the_rate() {
        let bucket = TokenBucket::new(1000, 50);
        let start = Instant::now();
        let waits: Vec<_> = (0..4).map(|_| bucket.take(1000, start)).collect();
        assert_eq!(waits, [950, 1950, 2950, 3950].map(Duration::from_millis));
    }

    #[test]
    fn a_burst_is_never_too_small_for_the_clock() {
        assert_eq!(TokenBucket::new(1000, 0).take(50, Instant::now()), Duration::ZERO);
        assert_eq!(TokenBucket::new(0, 0).take(10, Instant::now()).as_secs(), 9);
    }

    /// How long it takes two connections, sending 1 MB each, or receiving it, with 100 kB/s and a burst of 20 kB for both.
    async fn two_transfers(limits: TrafficLimits) -> f64 {
        let start = Instant::now();
        let transfers = [0, 1].map(|_| {
            let (near, mut far) = tokio::io::duplex(16 << 10);
            let mut near = Throttled::new(near, &limits);
            tokio::spawn(async move {
                let data = vec![1; 1_000_000];
                let mut received = vec![0; data.len()];
                let sent = tokio::join!(near.write_all(&data), far.read_exact(&mut received));
                assert!(sent.0.is_ok() && sent.1.is_ok());
                let sent = tokio::join!(far.write_all(&data), near.read_exact(&mut received));
                assert!(sent.0.is_ok() && sent.1.is_ok());
            })
        });
        for transfer in transfers {
            transfer.await.unwrap();
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn streams_that_share_a_bucket_keep_its_rate() {
        let bucket = || Some(Arc::new(TokenBucket::new(100_000, 20_000)));
        let unlimited = two_transfers(TrafficLimits::default()).await;
        assert!(unlimited < 0.1, "{unlimited}");
        let sending = two_transfers(TrafficLimits { incoming: None, outgoing: bucket() }).await;
        assert!((19.0..20.5).contains(&sending), "{sending}");
        let receiving = two_transfers(TrafficLimits { incoming: bucket(), outgoing: None }).await;
        assert!((19.0..20.5).contains(&receiving), "{receiving}");
        let both = two_transfers(TrafficLimits { incoming: bucket(), outgoing: bucket() }).await;
        assert!((38.0..41.0).contains(&both), "{both}");
    }
}
