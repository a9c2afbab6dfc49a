//! Forwards between two joined connections: bounded, paced by the slower one.
//!
//! Each direction owns one buffer and reads only when there is room in it, so that a
//! reader who sleeps stops the writer on the other side and costs no memory.
//! A half-close travels through; an error on either side ends both. The bytes
//! are never looked at (T44).

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::core::bucket::Bucket;

/// Bytes that one direction of a pair may hold inside the relay.
pub const BUFFER_BYTES: usize = 64 * 1024;
/// How long an end that was told of the other's half-close may stay silent.
const LINGER: Duration = Duration::from_secs(10);

/// Why a pair ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Both directions were closed in order.
    Closed,
    /// One side vanished or broke its TLS.
    Broken,
    /// Nothing passed for the idle time-out.
    Idle,
}

/// What a pair may do.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Nothing passed in either direction for so long: the pair ends.
    pub idle: Duration,
    /// Bytes per second of both directions together; `None` is unlimited.
    pub rate: Option<u64>,
}

/// One end, and what it sent before it was joined.
#[derive(Debug)]
pub struct End<S> {
    pub stream: S,
    pub early: Vec<u8>,
}

/// Forwards until the pair ends; every forwarded byte is added to `total`.
/// Gives why it ended and how many bytes passed both ways.
pub async fn forward<S>(
    left: &mut End<S>,
    right: &mut End<S>,
    terms: &Terms,
    total: &AtomicU64,
) -> (Ended, u64)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut pair = Pair::new(left, right, terms, total);
    let ended = poll_fn(|cx| pair.poll(cx)).await;
    (ended, pair.meter.bytes)
}

struct Pair<'a, S> {
    left: &'a mut S,
    right: &'a mut S,
    rightwards: Direction,
    leftwards: Direction,
    meter: Meter<'a>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Pair<'a, S> {
    fn new(left: &'a mut End<S>, right: &'a mut End<S>, terms: &Terms, total: &'a AtomicU64) -> Self {
        Self {
            rightwards: Direction::starting_with(std::mem::take(&mut left.early)),
            leftwards: Direction::starting_with(std::mem::take(&mut right.early)),
            left: &mut left.stream,
            right: &mut right.stream,
            meter: Meter::new(terms, total),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let rightwards = self.rightwards.poll(cx, self.left, self.right, &mut self.meter);
        let leftwards = self.leftwards.poll(cx, self.right, self.left, &mut self.meter);
        match (rightwards, leftwards) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(Ended::Broken),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(Ended::Closed),
            (Poll::Ready(Ok(())), Poll::Pending) | (Poll::Pending, Poll::Ready(Ok(()))) => {
                self.meter.linger();
                self.meter.poll_idle(cx)
            }
            (Poll::Pending, Poll::Pending) => self.meter.poll_idle(cx),
        }
    }
}

/// One direction: a buffer between a reader and a writer.
struct Direction {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    source: Source,
    unflushed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Open,
    Ended,
    ToldOnward,
}

impl Direction {
    fn starting_with(early: Vec<u8>) -> Self {
        let end = early.len();
        let buffer = match end {
            // Zeroed by the allocator: an idle pair's pages are never touched.
            0 => vec![0; BUFFER_BYTES],
            _ => {
                let mut buffer = early;
                buffer.resize(BUFFER_BYTES.max(end), 0);
                buffer
            }
        };
        Self { buffer, start: 0, end, source: Source::Open, unflushed: false }
    }

    fn poll<S>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut S,
        to: &mut S,
        meter: &mut Meter<'_>,
    ) -> Poll<std::io::Result<()>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            if self.source == Source::ToldOnward {
                return Poll::Ready(Ok(()));
            }
            let filled = self.poll_fill(cx, from)?;
            if self.start < self.end {
                ready!(self.poll_drain(cx, to, meter))?;
            } else if self.unflushed {
                ready!(Pin::new(&mut *to).poll_flush(cx))?;
                self.unflushed = false;
            } else if self.source == Source::Ended {
                ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                self.source = Source::ToldOnward;
            } else if filled.is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Reads what is there, so that many small records leave as one write.
    fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut S,
    ) -> Poll<std::io::Result<()>> {
        while self.source == Source::Open && self.end < self.buffer.len() {
            let mut room = ReadBuf::new(&mut self.buffer[self.end..]);
            ready!(Pin::new(&mut *from).poll_read(cx, &mut room))?;
            match room.filled().len() {
                0 => self.source = Source::Ended,
                read => self.end += read,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_drain<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut S,
        meter: &mut Meter<'_>,
    ) -> Poll<std::io::Result<()>> {
        ready!(meter.poll_allowance(cx));
        let written = ready!(Pin::new(to).poll_write(cx, &self.buffer[self.start..self.end]))?;
        if written == 0 {
            return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
        }
        meter.passed(written);
        self.start += written;
        self.unflushed = true;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        Poll::Ready(Ok(()))
    }
}

/// Counts, keeps the quota, and notices silence.
struct Meter<'a> {
    total: &'a AtomicU64,
    bytes: u64,
    idle: Duration,
    last: Instant,
    silence: Pin<Box<Sleep>>,
    quota: Option<(Bucket, Pin<Box<Sleep>>)>,
}

impl<'a> Meter<'a> {
    fn new(terms: &Terms, total: &'a AtomicU64) -> Self {
        let now = Instant::now();
        let quota = terms
            .rate
            .map(|rate| (Bucket::new(rate, rate, now.into_std()), Box::pin(sleep_until(now))));
        let silence = Box::pin(sleep_until(now + terms.idle));
        Self { total, bytes: 0, idle: terms.idle, last: now, silence, quota }
    }

    fn passed(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.total.fetch_add(bytes as u64, Ordering::Relaxed);
        self.last = Instant::now();
        if let Some((bucket, _)) = &mut self.quota {
            bucket.spend(bytes as u64);
        }
    }

    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((bucket, again)) = &mut self.quota else {
            return Poll::Ready(());
        };
        while let Err(later) = bucket.ready(Instant::now().into_std()) {
            again.as_mut().reset(Instant::from_std(later));
            ready!(again.as_mut().poll(cx));
        }
        Poll::Ready(())
    }

    fn linger(&mut self) {
        if self.idle > LINGER {
            self.idle = LINGER;
            self.last = Instant::now();
            self.silence.as_mut().reset(self.last + LINGER);
        }
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            ready!(self.silence.as_mut().poll(cx));
            let until = self.last + self.idle;
            if until <= Instant::now() {
                return Poll::Ready(Ended::Idle);
            }
            self.silence.as_mut().reset(until);
        }
    }
}
