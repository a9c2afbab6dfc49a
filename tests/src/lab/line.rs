//! A long line: what delays, limits and loses packets between two namespaces.
//!
//! The kernel here has no `netem`. Two TUN devices, one at each end, and this process between
//! them: what goes into one comes out of the other, later or not at all. Decides when each packet
//! leaves; refuses to know what is in it.

use std::{
    process::Command,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tappers::{Interface, Tun};

use crate::running::run;

/// What a line does to everything that is sent over it, in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub delay: Duration,
    /// Of a hundred packets, so many never come.
    pub loss_percent: u8,
    /// Bits a millisecond; `None`: as fast as this machine goes.
    pub kilobits: Option<u32>,
}

/// What a slow line keeps waiting before it drops: a quarter of a second's worth.
const PATIENCE: Duration = Duration::from_millis(250);
/// What a fast one does: packets.
const ROOM: usize = 10_000;
/// More than a TUN device's packets of 1,500 bytes.
const LARGEST: usize = 2048;

/// One direction of a line.
#[derive(Debug)]
pub struct Shaper {
    line: Line,
    /// When the last packet that was let in has left the slowest part.
    free_at: Option<Instant>,
    state: u64,
}

impl Shaper {
    /// The same `seed` loses the same packets.
    pub fn new(line: Line, seed: u64) -> Self {
        Self { line, free_at: None, state: seed | 1 }
    }

    /// When a packet of so many bytes arrives at the other end; `None`: never.
    pub fn admit(&mut self, bytes: usize, now: Instant) -> Option<Instant> {
        if self.draw() % 100 < u64::from(self.line.loss_percent) {
            return None;
        }
        let start = self.free_at.map_or(now, |free| free.max(now));
        if start.saturating_duration_since(now) > PATIENCE {
            return None;
        }
        let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(8);
        let sending = self.line.kilobits.map_or(0, |rate| bits * 1000 / u64::from(rate.max(1)));
        let left = start + Duration::from_micros(sending);
        self.free_at = Some(left);
        Some(left + self.line.delay)
    }

    /// xorshift64*: chance enough for a line.
    fn draw(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33
    }
}

/// Lays a line between two namespaces, as `eth0` of the first and `lan` of the second, tells
/// `standing`, and carries packets for as long as both are there.
///
/// # Errors
/// This process may not make devices, or a namespace is gone.
pub fn carry(near: &str, far: &str, line: Line, standing: impl FnOnce()) -> Result<()> {
    let ends = [lay(near, "eth0", 0)?, lay(far, "lan", 1)?].map(Arc::new);
    standing();
    let [near, far] = ends;
    let there = (Arc::clone(&near), Arc::clone(&far));
    let one_way = thread::spawn(move || forward(&there.0, there.1, Shaper::new(line, 0x7a51)));
    forward(&far, near, Shaper::new(line, 0x0c0d))?;
    one_way.join().map_err(|_| anyhow::anyhow!("the other direction failed"))?
}

fn lay(namespace: &str, name: &str, number: u8) -> Result<Tun> {
    // Made here, named there: a name is free in a namespace of its own.
    let made = format!("tl{}-{number}", std::process::id());
    let device = Tun::new_named(Interface::new(&made)?).context("no TUN device can be made")?;
    let mut moved = Command::new("ip");
    moved.args(["link", "set", &made, "netns", namespace, "name", name]);
    run(moved)?;
    Ok(device)
}

fn forward(from: &Tun, to: Arc<Tun>, mut shaper: Shaper) -> Result<()> {
    let (queue, due) = mpsc::sync_channel::<(Instant, Vec<u8>)>(ROOM);
    let writer = thread::spawn(move || {
        for (at, packet) in due {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            // A device that is down loses packets, as a cable does that is not plugged in.
            let _ = to.send(&packet);
        }
    });
    let mut packet = [0; LARGEST];
    loop {
        let length = from.recv(&mut packet).context("a device is gone")?;
        let Some(at) = shaper.admit(length, Instant::now()) else { continue };
        let full = queue.try_send((at, packet[..length].to_vec()));
        if matches!(full, Err(mpsc::TrySendError::Disconnected(_))) {
            drop(queue);
            bail!("the writer failed: {:?}", writer.join().err());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Line = Line { delay: Duration::from_millis(50), loss_percent: 0, kilobits: None };

    #[test]
    fn a_line_delays_all_alike_and_loses_its_share() {
        let now = Instant::now();
        let mut fast = Shaper::new(FAST, 1);
        assert!((0..100).all(|_| fast.admit(1500, now) == Some(now + FAST.delay)));
        let mut lossy = Shaper::new(Line { loss_percent: 5, ..FAST }, 1);
        let lost = (0..100_000).filter(|_| lossy.admit(1500, now).is_none()).count();
        assert!((4_700..5_300).contains(&lost), "{lost} of 100,000");
    }

    #[test]
    fn a_slow_line_sends_one_after_another_and_drops_what_would_wait_too_long() {
        let now = Instant::now();
        // 1,000 bytes take 10 ms.
        let mut slow = Shaper::new(Line { kilobits: Some(800), ..FAST }, 1);
        let came: Vec<_> = (0..100).map(|_| slow.admit(1000, now)).collect();
        assert_eq!(came[0], Some(now + Duration::from_millis(60)));
        assert_eq!(came[9], Some(now + Duration::from_millis(150)));
        assert_eq!(came.iter().flatten().count(), 26);
        let later = now + Duration::from_secs(2);
        assert_eq!(slow.admit(1000, later), Some(later + Duration::from_millis(60)));
    }
}
