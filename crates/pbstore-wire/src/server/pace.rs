//! How fast a peer sends heads and takes answers, seen where the bytes pass.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{ready, Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, sleep_until, Instant, Sleep};

use super::limits::Limits;

/// Whether the head of a request is coming, and since when.
pub(crate) struct Arrival {
    head: Mutex<Head>,
}

#[derive(Clone, Copy)]
enum Head {
    /// Nothing came since the last answer.
    Awaited,
    Coming(Instant),
    /// The request is being read and answered.
    Complete,
}

impl Arrival {
    /// The first head is late from now on, whether anything comes or not.
    fn new() -> Self {
        Self { head: Mutex::new(Head::Coming(Instant::now())) }
    }

    /// The head is there; what comes now is its body.
    pub(crate) fn complete(&self) {
        *self.head() = Head::Complete;
    }

    /// The answer is going out; what comes now is the next head.
    pub(crate) fn answered(&self) {
        *self.head() = Head::Awaited;
    }

    fn bytes_came(&self) {
        let mut head = self.head();
        if let Head::Awaited = *head {
            *head = Head::Coming(Instant::now());
        }
    }

    /// What comes while an answer goes out waits for that, and is not late.
    fn bytes_went(&self) {
        let mut head = self.head();
        if let Head::Coming(since) = &mut *head {
            *since = Instant::now();
        }
    }

    /// Waits until a head has been coming for longer than `limit`.
    pub(crate) async fn late(&self, limit: Duration) {
        loop {
            let head = *self.head();
            match head {
                Head::Coming(since) if since.elapsed() >= limit => return,
                Head::Coming(since) => sleep_until(since + limit).await,
                Head::Awaited | Head::Complete => sleep(limit).await,
            }
        }
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose peer must take what it is sent: a write that waits runs up a debt of time, each byte taken pays off
/// some of it, and a peer that is too far behind is an error.
pub(crate) struct Paced<S> {
    stream: S,
    arrival: Arc<Arrival>,
    patience: Duration,
    rate: usize,
    debt: Duration,
    waiting: Option<Waiting>,
}

struct Waiting {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, limits: &Limits) -> Self {
        let (patience, rate) = (limits.stall, limits.rate);
        Self { stream, arrival: Arc::new(Arrival::new()), patience, rate, debt: Duration::ZERO, waiting: None }
    }

    pub(crate) fn arrival(&self) -> Arc<Arrival> {
        self.arrival.clone()
    }

    fn took(&mut self, bytes: usize) {
        if let Some(waiting) = self.waiting.take() {
            self.debt += waiting.since.elapsed();
        }
        if !self.debt.is_zero() {
            let paid = Duration::from_secs_f64(bytes as f64 / self.rate as f64);
            self.debt = self.debt.saturating_sub(paid);
        }
    }

    fn waits(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let left = self.patience.saturating_sub(self.debt);
        let waiting = self.waiting.get_or_insert_with(|| Waiting { since: Instant::now(), end: Box::pin(sleep(left)) });
        ready!(waiting.end.as_mut().poll(context));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the peer does not take what it is sent"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.arrival.bytes_came();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, data) {
            Poll::Ready(Ok(bytes)) => {
                self.took(bytes);
                self.arrival.bytes_went();
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => self.waits(context).map(Err),
            failed => failed,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(context) {
            Poll::Pending => self.waits(context).map(Err),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn limits(stall: Duration, rate: usize) -> Limits {
        Limits { stall, rate, ..Limits::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_an_error() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut paced = Paced::new(ours, &limits(Duration::from_secs(5), 1000));
        let started = Instant::now();
        let error = paced.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_little_now_and_then_is_one_too() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut paced = Paced::new(ours, &limits(Duration::from_secs(5), 1000));
        let reader = tokio::spawn(async move {
            let mut buffer = [0; 1];
            while theirs.read_exact(&mut buffer).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        assert!(paced.write_all(&[0; 1000]).await.is_err());
        drop(paced);
        reader.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_fast_enough_gets_everything() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 10);
        let mut paced = Paced::new(ours, &limits(Duration::from_secs(5), 1000));
        let reader = tokio::spawn(async move {
            let (mut buffer, mut sum) = ([0; 1 << 10], 0);
            loop {
                match theirs.read(&mut buffer).await.unwrap() {
                    0 => return sum,
                    bytes => sum += bytes,
                }
                sleep(Duration::from_millis(900)).await;
            }
        });
        paced.write_all(&vec![0; 100 << 10]).await.unwrap();
        drop(paced);
        assert_eq!(reader.await.unwrap(), 100 << 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_late_when_its_bytes_trickle_and_not_when_nobody_asks() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut paced = Paced::new(ours, &limits(Duration::from_secs(5), 1000));
        let arrival = paced.arrival();
        let limit = Duration::from_secs(10);
        arrival.late(limit).await;
        arrival.complete();
        theirs.write_all(b"body").await.unwrap();
        paced.read_exact(&mut [0; 4]).await.unwrap();
        arrival.answered();
        assert!(tokio::time::timeout(Duration::from_secs(100), arrival.late(limit)).await.is_err());
        theirs.write_all(b"G").await.unwrap();
        paced.read_exact(&mut [0]).await.unwrap();
        let started = Instant::now();
        arrival.late(limit).await;
        assert!(started.elapsed() >= limit);
    }
}
