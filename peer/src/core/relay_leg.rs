//! The relayed path: records under Noise on a stream that a relay forwards unread.
//!
//! Bytes in, bytes out when the stream has room for them, the time as told. Packets
//! pass video, so that a key stroke never waits behind a picture. The first byte
//! that is not the other end's ends the leg for good. Knows nothing of sockets,
//! TLS, tickets or of what packets say.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tasuki_protocol::leg::{LegRecord, MAX_FRAME_BYTES, NOISE_PATTERN};
use tasuki_protocol::seed::Seed;

use super::path::{Ciphers, IceSide, PathCommand, PathEnd, PathEvent, RelayFacts, VideoFrame};
use super::relay_leg_inbox::Inbox;
use super::relay_leg_noise::{Broken, Opening, Records};
use super::relay_leg_outbox::Outbox;
use super::relay_leg_pace::Pace;

/// How long the handshake may take after both ends were joined.
pub const REACH_WITHIN: Duration = Duration::from_secs(10);
/// How long nothing may arrive.
pub const SILENT_AFTER: Duration = Duration::from_secs(8);
/// After so long without a record of its own an end sends an empty one.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
const CUT: &str = "the connection was cut without a close";

#[derive(Debug)]
pub struct RelayLeg {
    noise: Noise,
    side: IceSide,
    tls: String,
    until: Instant,
    inbox: Inbox,
    outbox: Outbox,
    last_heard: Instant,
    last_sent: Instant,
    handshake: Option<Vec<u8>>,
    pace: Pace,
    room: Room,
    told_estimate: u64,
    told: Told,
    events: VecDeque<PathEvent>,
}

/// Whether the session knows of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    NotYet,
    Down,
}

#[derive(Debug)]
enum Noise {
    Opening(Opening),
    /// The responder has answered; only a record shows that the other end lives.
    Answered(Records),
    Up(Records),
    /// The end was told; the record that says so has yet to leave.
    Closing(Records),
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Offered,
    Taken,
}

impl RelayLeg {
    /// A leg whose stream has just been joined; `tls` names the suite towards the relay.
    pub fn new(facts: &RelayFacts, tls: String, seed: &Seed, now: Instant) -> Self {
        let mut leg = Self {
            noise: Noise::Ended,
            side: facts.side,
            tls,
            until: now + REACH_WITHIN,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            last_heard: now,
            last_sent: now,
            handshake: None,
            pace: Pace::new(),
            room: Room::Taken,
            told_estimate: 0,
            told: Told::NotYet,
            events: VecDeque::new(),
        };
        if let Err(broken) = leg.begin(facts, seed) {
            leg.end(PathEnd::Violation(broken.0));
        }
        leg
    }

    fn begin(&mut self, facts: &RelayFacts, seed: &Seed) -> Result<(), Broken> {
        let mut opening = Opening::start(facts, seed)?;
        if self.side == IceSide::Controlling {
            self.handshake = Some(opening.write()?);
        }
        self.noise = Noise::Opening(opening);
        Ok(())
    }

    pub fn handle_bytes(&mut self, bytes: &[u8], now: Instant) {
        if self.is_deaf() {
            return;
        }
        self.inbox.push(bytes);
        if let Err(broken) = self.read_all(now) {
            self.end(PathEnd::Violation(broken.0));
        }
    }

    fn read_all(&mut self, now: Instant) -> Result<(), Broken> {
        while !self.is_deaf()
            && let Some(message) = self.inbox.next_message()?
        {
            self.on_message(&message, now)?;
        }
        self.inbox.settle(now);
        self.look_for_room(now);
        Ok(())
    }

    /// The stream has ended, or failed. Without a close before, that is a cut.
    pub fn handle_end(&mut self) {
        self.end(PathEnd::Network(CUT.into()));
    }

    fn on_message(&mut self, message: &[u8], now: Instant) -> Result<(), Broken> {
        self.last_heard = now;
        match std::mem::replace(&mut self.noise, Noise::Ended) {
            Noise::Opening(opening) => self.on_handshake(opening, message),
            Noise::Answered(records) => {
                let (records, record) = records.open(message)?;
                self.noise = Noise::Up(records);
                self.go_up(now);
                self.on_record(record, now)
            }
            Noise::Up(records) => {
                let (records, record) = records.open(message)?;
                self.noise = Noise::Up(records);
                self.on_record(record, now)
            }
            Noise::Closing(records) => {
                self.noise = Noise::Closing(records);
                Ok(())
            }
            Noise::Ended => Ok(()),
        }
    }

    fn on_handshake(&mut self, mut opening: Opening, message: &[u8]) -> Result<(), Broken> {
        opening.read(message)?;
        match self.side {
            IceSide::Controlling => {
                self.noise = Noise::Up(opening.finish()?);
                self.outbox.keep_alive();
                self.go_up(self.last_heard);
            }
            IceSide::Controlled => {
                self.handshake = Some(opening.write()?);
                self.noise = Noise::Answered(opening.finish()?);
            }
        }
        Ok(())
    }

    fn go_up(&mut self, now: Instant) {
        let ciphers = Ciphers::Relayed { noise: NOISE_PATTERN.into(), tls: self.tls.clone() };
        self.events.push_back(PathEvent::Up(ciphers));
        self.look_for_room(now);
    }

    fn on_record(&mut self, record: LegRecord, now: Instant) -> Result<(), Broken> {
        match record {
            LegRecord::Packet { piece, last, padding: _ } => {
                let packet = self.inbox.packet(&piece.0, last)?;
                self.events.extend(packet.map(PathEvent::Packet));
            }
            LegRecord::Video { frame, piece, last } => {
                if let Some(frame) = self.inbox.video(frame, piece.0, last)? {
                    self.outbox.signal(LegRecord::Seen { frame: frame.header.number });
                    self.events.push_back(PathEvent::Video(frame));
                }
            }
            LegRecord::Seen { frame } => {
                self.pace.seen(frame, now);
                self.tell_estimate();
            }
            LegRecord::NeedKeyFrame => self.events.push_back(PathEvent::KeyFrameWanted),
            LegRecord::Rekey => {}
            LegRecord::Close => self.end(PathEnd::ClosedByPeer),
        }
        Ok(())
    }

    pub fn handle_command(&mut self, command: PathCommand, now: Instant) {
        let Noise::Up(_) = &self.noise else {
            if command == PathCommand::Close {
                self.end(PathEnd::ClosedHere);
            }
            return;
        };
        match command {
            PathCommand::SendPacket(packet) => self.outbox.packet(&packet),
            PathCommand::SendVideo(frame) => self.send_video(frame, now),
            PathCommand::RemoteCandidate(_) | PathCommand::UseRelay(_) => {}
            PathCommand::AskKeyFrame => self.outbox.signal(LegRecord::NeedKeyFrame),
            PathCommand::Close => self.close(),
        }
    }

    /// A frame without room is dropped: newer ones come.
    fn send_video(&mut self, frame: VideoFrame, now: Instant) {
        if self.room != Room::Offered || frame.vp8.is_empty() || frame.vp8.len() > MAX_FRAME_BYTES {
            return;
        }
        self.room = Room::Taken;
        self.pace.begin(frame.header.number, frame.vp8.len(), now);
        self.outbox.video(frame);
    }

    fn close(&mut self) {
        self.tell(PathEnd::ClosedHere);
        if let Noise::Up(records) = std::mem::replace(&mut self.noise, Noise::Ended) {
            self.outbox.close();
            self.noise = Noise::Closing(records);
        }
    }

    /// The next bytes for the stream. To be asked for only when all before are
    /// written: what waits here can still be overtaken.
    pub fn next_bytes(&mut self, now: Instant) -> Option<Vec<u8>> {
        if let Some(message) = self.handshake.take() {
            self.last_sent = now;
            return Some(message);
        }
        let (Noise::Up(records) | Noise::Closing(records)) = &mut self.noise else { return None };
        let record = self.outbox.next()?;
        self.last_sent = now;
        let sealed = records.seal(&record);
        if record == LegRecord::Close {
            self.noise = Noise::Ended;
        }
        match sealed {
            Ok(bytes) => {
                self.look_for_room(now);
                Some(bytes)
            }
            Err(broken) => {
                self.end(PathEnd::Violation(broken.0));
                None
            }
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        match &self.noise {
            Noise::Ended | Noise::Closing(_) => {}
            Noise::Opening(_) | Noise::Answered(_) if now >= self.until => {
                self.end(PathEnd::NotReached(REACH_WITHIN));
            }
            Noise::Opening(_) | Noise::Answered(_) => {}
            Noise::Up(_) if self.is_record_late(now) => {
                self.end(PathEnd::Violation("a record was cut"));
            }
            Noise::Up(_) if now >= self.last_heard + SILENT_AFTER => self.end(PathEnd::Silent),
            Noise::Up(_) if now >= self.last_sent + KEEP_ALIVE => {
                self.last_sent = now;
                self.outbox.keep_alive();
            }
            Noise::Up(_) => {}
        }
    }

    fn is_record_late(&self, now: Instant) -> bool {
        self.inbox.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// When [`Self::handle_timeout`] must be called at the latest; `None` after the end.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.noise {
            Noise::Opening(_) | Noise::Answered(_) => Some(self.until),
            Noise::Up(_) => {
                let own = (self.last_heard + SILENT_AFTER).min(self.last_sent + KEEP_ALIVE);
                Some(self.inbox.deadline().map_or(own, |cut| own.min(cut)))
            }
            Noise::Closing(_) | Noise::Ended => None,
        }
    }

    pub fn poll_event(&mut self) -> Option<PathEvent> {
        self.events.pop_front()
    }

    /// Nothing more is to be sent or received.
    pub fn is_over(&self) -> bool {
        matches!(self.noise, Noise::Ended)
    }

    fn is_deaf(&self) -> bool {
        matches!(self.noise, Noise::Ended | Noise::Closing(_))
    }

    fn look_for_room(&mut self, now: Instant) {
        let up = matches!(self.noise, Noise::Up(_));
        if up && self.room == Room::Taken && !self.outbox.has_video() && self.pace.has_room(now) {
            self.room = Room::Offered;
            self.events.push_back(PathEvent::VideoRoom);
        }
    }

    fn tell_estimate(&mut self) {
        let estimate = self.pace.estimate();
        if estimate.abs_diff(self.told_estimate) * 20 > estimate {
            self.told_estimate = estimate;
            self.events.push_back(PathEvent::Capacity(estimate));
        }
    }

    fn end(&mut self, why: PathEnd) {
        self.noise = Noise::Ended;
        self.handshake = None;
        self.inbox = Inbox::default();
        self.outbox = Outbox::default();
        self.tell(why);
    }

    fn tell(&mut self, why: PathEnd) {
        if self.told == Told::NotYet {
            self.told = Told::Down;
            self.events.push_back(PathEvent::Down(why));
        }
    }
}
