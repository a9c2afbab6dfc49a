//! How well one path lives: when it was last heard, how long its round trip is,
//! and whether the other end hears this end on it.

use std::time::{Duration, Instant};

use tasuki_protocol::message::{Echo, Packet};

use crate::core::path::Ciphers;

/// How often an end shows itself on each path, while something happens and while not.
const BEAT: Duration = Duration::from_millis(100);
const IDLE_BEAT: Duration = Duration::from_secs(1);
/// Silence after which a path is no longer good.
const SILENCE: Duration = Duration::from_millis(250);
const IDLE_SILENCE: Duration = Duration::from_millis(2500);
/// The round trip assumed before one was measured.
pub(in crate::core) const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);

/// Whether both ends have reason to show themselves often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tempo {
    /// Since when.
    Busy(Instant),
    Idle,
}

#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) ciphers: Ciphers,
    heard: Instant,
    /// Nothing was sent before the path was up: the first beat is due at once.
    sent: Option<Instant>,
    up: Instant,
    /// The newest `sent_ms` received on this path, and when.
    newest: Option<(u32, Instant)>,
    round_trip: Option<Duration>,
    /// For how long the other end had heard nothing new here when it last spoke.
    unheard_there: Duration,
    good_since: Option<Instant>,
}

impl Pulse {
    pub(super) fn new(ciphers: Ciphers, now: Instant) -> Self {
        Self {
            ciphers,
            heard: now,
            sent: None,
            up: now,
            newest: None,
            round_trip: None,
            unheard_there: Duration::ZERO,
            good_since: Some(now),
        }
    }

    pub(super) fn heard_at(&self) -> Instant {
        self.heard
    }

    pub(super) fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// `own_ms` is this end's clock, in milliseconds, as it stands in its packets.
    pub(super) fn hear_packet(&mut self, packet: &Packet, own_ms: u32, now: Instant) {
        self.hear(now);
        if self.newest.is_none_or(|(newest, _)| packet.sent_ms > newest) {
            self.newest = Some((packet.sent_ms, now));
        }
        if let Some(Echo { sent_ms, held_ms }) = packet.echo {
            self.unheard_there = Duration::from_millis(held_ms.into());
            let passed = own_ms.checked_sub(sent_ms).and_then(|ms| ms.checked_sub(held_ms));
            if let Some(sample) = passed.map(|ms| Duration::from_millis(ms.into())) {
                self.round_trip = Some(match self.round_trip {
                    Some(smooth) => smooth * 7 / 8 + sample / 8,
                    None => sample,
                });
            }
        }
    }

    pub(super) fn echo(&self, now: Instant) -> Option<Echo> {
        self.newest.map(|(sent_ms, at)| {
            let held = now.saturating_duration_since(at).as_millis();
            Echo { sent_ms, held_ms: u32::try_from(held).unwrap_or(u32::MAX) }
        })
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    pub(super) fn beat_due(&self, tempo: Tempo) -> Instant {
        match (self.sent, tempo) {
            (None, Tempo::Busy(_) | Tempo::Idle) => self.up,
            (Some(sent), Tempo::Busy(_)) => sent + BEAT,
            (Some(sent), Tempo::Idle) => sent + IDLE_BEAT,
        }
    }

    /// When, if nothing is heard, the path stops being good; `None` once it has.
    pub(super) fn doubt_due(&self, tempo: Tempo) -> Option<Instant> {
        self.good_since.map(|_| self.silent_at(tempo))
    }

    fn silent_at(&self, tempo: Tempo) -> Instant {
        match tempo {
            Tempo::Busy(since) => self.heard.max(since) + SILENCE + self.jitter(),
            Tempo::Idle => self.heard + IDLE_SILENCE,
        }
    }

    /// A long way brings more uneven gaps.
    fn jitter(&self) -> Duration {
        (self.round_trip.unwrap_or_default() / 4).min(Duration::from_millis(50))
    }

    fn is_heard_there(&self, tempo: Tempo, now: Instant) -> bool {
        match tempo {
            Tempo::Busy(since) => {
                let settled = since + SILENCE * 2 + self.round_trip.unwrap_or(FIRST_ROUND_TRIP);
                now < settled || self.unheard_there <= SILENCE + self.jitter()
            }
            Tempo::Idle => self.unheard_there <= IDLE_SILENCE,
        }
    }

    /// Judges the path afresh: since when it has been good without a break.
    pub(super) fn judge(&mut self, tempo: Tempo, now: Instant) -> Option<Instant> {
        if now < self.silent_at(tempo) && self.is_heard_there(tempo, now) {
            self.good_since.get_or_insert(now);
        } else {
            self.good_since = None;
        }
        self.good_since
    }

    pub(super) fn good_since(&self) -> Option<Instant> {
        self.good_since
    }
}
