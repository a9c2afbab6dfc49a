//! The relayed path: records under Noise on a stream that a relay forwards unread.
//!
//! Bytes in, bytes out when the stream has room for them, the time as told. Packets
//! pass video, so that a key stroke never waits behind a picture. The first byte
//! that is not the other end's ends the leg for good. Knows nothing of sockets,
//! TLS, tickets or of what packets say.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::leg::{
    Continuation, LegRecord, MAX_FRAME_BYTES, MAX_PIECE_BYTES, MAX_RECORD_BYTES, NOISE_PATTERN, PAD_TO,
    VideoHeader,
};
use tasuki_protocol::message::MAX_PACKET_BYTES;
use tasuki_protocol::seed::Seed;

use super::path::{Ciphers, IceSide, PathCommand, PathEnd, PathEvent, RelayFacts, VideoFrame};
use super::relay_leg_noise::{Broken, Opening, Records};
use super::relay_leg_pace::Pace;

/// How long the handshake may take after both ends were joined.
pub const REACH_WITHIN: Duration = Duration::from_secs(10);
/// How long nothing may arrive.
pub const SILENT_AFTER: Duration = Duration::from_secs(8);
/// After so long without a record of its own an end sends an empty one.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// How long a record may take from its first byte to its last (T44).
const RECORD_WITHIN: Duration = Duration::from_secs(2);
/// The most bytes of packets waiting; what comes then is lost, as on any path.
const MAX_WAITING_BYTES: usize = 2 * MAX_PACKET_BYTES;
/// The longest packet whose length is hidden.
const MAX_PADDED_BYTES: usize = 4096;
const CUT: &str = "the connection was cut without a close";

#[derive(Debug)]
pub struct RelayLeg {
    noise: Noise,
    side: IceSide,
    tls: String,
    until: Instant,
    incoming: Vec<u8>,
    /// When the first byte of an incomplete record came.
    incomplete_since: Option<Instant>,
    last_heard: Instant,
    last_sent: Instant,
    handshake: Option<Vec<u8>>,
    urgent: VecDeque<LegRecord>,
    urgent_bytes: usize,
    video: Option<Outgoing>,
    packet: Vec<u8>,
    frame: Option<VideoFrame>,
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

#[derive(Debug)]
struct Outgoing {
    frame: VideoFrame,
    written: usize,
}

impl RelayLeg {
    /// A leg whose stream has just been joined; `tls` names the suite towards the relay.
    pub fn new(facts: &RelayFacts, tls: String, seed: &Seed, now: Instant) -> Self {
        let mut leg = Self {
            noise: Noise::Ended,
            side: facts.side,
            tls,
            until: now + REACH_WITHIN,
            incoming: Vec::new(),
            incomplete_since: None,
            last_heard: now,
            last_sent: now,
            handshake: None,
            urgent: VecDeque::new(),
            urgent_bytes: 0,
            video: None,
            packet: Vec::new(),
            frame: None,
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
        self.incoming.extend_from_slice(bytes);
        let mut read = 0;
        while let Some(message) = next_message(&self.incoming[read..]) {
            read += 2 + message.len();
            let message = message.to_vec();
            self.incomplete_since = None;
            if let Err(broken) = self.on_message(&message, now) {
                return self.end(PathEnd::Violation(broken.0));
            }
            if self.is_deaf() {
                return;
            }
        }
        self.incoming.drain(..read);
        match length_of(&self.incoming) {
            Some(0) => self.end(PathEnd::Violation("an empty record")),
            Some(length) if length > MAX_RECORD_BYTES => {
                self.end(PathEnd::Violation("a record longer than any may be"));
            }
            Some(_) | None if self.incoming.is_empty() => {}
            Some(_) | None => {
                self.incomplete_since.get_or_insert(now);
            }
        }
        self.look_for_room(now);
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
                self.urgent.push_back(keep_alive());
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
            LegRecord::Packet { piece, last, padding: _ } => self.on_packet(&piece.0, last)?,
            LegRecord::Video { frame, piece, last } => self.on_video(frame, piece.0, last)?,
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

    fn on_packet(&mut self, piece: &[u8], last: Continuation) -> Result<(), Broken> {
        if self.packet.len() + piece.len() > MAX_PACKET_BYTES {
            return Err(Broken("a packet was longer than any may be"));
        }
        self.packet.extend_from_slice(piece);
        if last == Continuation::Last && !self.packet.is_empty() {
            self.events.push_back(PathEvent::Packet(std::mem::take(&mut self.packet)));
        }
        Ok(())
    }

    fn on_video(
        &mut self,
        header: VideoHeader,
        piece: Vec<u8>,
        last: Continuation,
    ) -> Result<(), Broken> {
        let mut frame = match self.frame.take() {
            None => VideoFrame { header, vp8: piece },
            Some(mut frame) if frame.header == header => {
                frame.vp8.extend(piece);
                frame
            }
            Some(_) => return Err(Broken("a frame was left unfinished")),
        };
        if frame.vp8.len() > MAX_FRAME_BYTES {
            return Err(Broken("a frame was longer than any may be"));
        }
        match last {
            Continuation::More => self.frame = Some(frame),
            Continuation::Last => {
                frame.vp8.shrink_to_fit();
                self.enqueue(LegRecord::Seen { frame: header.number }, 0);
                self.events.push_back(PathEvent::Video(frame));
            }
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
            PathCommand::SendPacket(packet) => self.send_packet(&packet),
            PathCommand::SendVideo(frame) => self.send_video(frame, now),
            PathCommand::RemoteCandidate(_) => {}
            PathCommand::AskKeyFrame => self.enqueue(LegRecord::NeedKeyFrame, 0),
            PathCommand::Close => self.close(),
        }
    }

    fn send_packet(&mut self, packet: &[u8]) {
        if packet.len() > MAX_PACKET_BYTES || self.urgent_bytes + packet.len() > MAX_WAITING_BYTES {
            return;
        }
        let pieces = packet.len().div_ceil(MAX_PIECE_BYTES);
        for (index, piece) in packet.chunks(MAX_PIECE_BYTES).enumerate() {
            let last = if index + 1 == pieces { Continuation::Last } else { Continuation::More };
            let padding = Blob(vec![0; padding(piece.len())]);
            let record = LegRecord::Packet { piece: Blob(piece.to_vec()), last, padding };
            self.enqueue(record, piece.len());
        }
    }

    fn enqueue(&mut self, record: LegRecord, bytes: usize) {
        self.urgent_bytes += bytes;
        self.urgent.push_back(record);
    }

    /// A frame without room is dropped: newer ones come.
    fn send_video(&mut self, frame: VideoFrame, now: Instant) {
        if self.room != Room::Offered || frame.vp8.is_empty() || frame.vp8.len() > MAX_FRAME_BYTES {
            return;
        }
        self.room = Room::Taken;
        self.pace.begin(frame.header.number, frame.vp8.len(), now);
        self.video = Some(Outgoing { frame, written: 0 });
    }

    fn close(&mut self) {
        self.tell(PathEnd::ClosedHere);
        if let Noise::Up(records) = std::mem::replace(&mut self.noise, Noise::Ended) {
            self.urgent.clear();
            self.video = None;
            self.urgent.push_back(LegRecord::Close);
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
        let record = self.next_record()?;
        let (Noise::Up(records) | Noise::Closing(records)) = &mut self.noise else { return None };
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

    fn next_record(&mut self) -> Option<LegRecord> {
        if !matches!(self.noise, Noise::Up(_) | Noise::Closing(_)) {
            return None;
        }
        if let Some(record) = self.urgent.pop_front() {
            if let LegRecord::Packet { piece, .. } = &record {
                self.urgent_bytes -= piece.0.len();
            }
            return Some(record);
        }
        let outgoing = self.video.as_mut()?;
        let rest = &outgoing.frame.vp8[outgoing.written..];
        let piece = Blob(rest[..rest.len().min(MAX_PIECE_BYTES)].to_vec());
        let frame = outgoing.frame.header;
        outgoing.written += piece.0.len();
        let last = if outgoing.written == outgoing.frame.vp8.len() {
            self.video = None;
            Continuation::Last
        } else {
            Continuation::More
        };
        Some(LegRecord::Video { frame, piece, last })
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
            Noise::Up(_) if now >= self.last_sent + KEEP_ALIVE && self.urgent.is_empty() => {
                self.last_sent = now;
                self.enqueue(keep_alive(), 0);
            }
            Noise::Up(_) => {}
        }
    }

    fn is_record_late(&self, now: Instant) -> bool {
        self.incomplete_since.is_some_and(|since| now >= since + RECORD_WITHIN)
    }

    /// When [`Self::handle_timeout`] must be called at the latest; `None` after the end.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.noise {
            Noise::Opening(_) | Noise::Answered(_) => Some(self.until),
            Noise::Up(_) => {
                let own = (self.last_heard + SILENT_AFTER).min(self.last_sent + KEEP_ALIVE);
                Some(self.incomplete_since.map_or(own, |since| own.min(since + RECORD_WITHIN)))
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
        if up && self.room == Room::Taken && self.video.is_none() && self.pace.has_room(now) {
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
        self.urgent.clear();
        self.video = None;
        self.incoming = Vec::new();
        self.tell(why);
    }

    fn tell(&mut self, why: PathEnd) {
        if self.told == Told::NotYet {
            self.told = Told::Down;
            self.events.push_back(PathEvent::Down(why));
        }
    }
}

/// An empty packet says nothing and shows that its sender lives.
fn keep_alive() -> LegRecord {
    LegRecord::Packet {
        piece: Blob::default(),
        last: Continuation::Last,
        padding: Blob(vec![0; padding(0)]),
    }
}

/// What brings the encoded record of a small packet to a multiple of [`PAD_TO`].
fn padding(piece: usize) -> usize {
    if piece > MAX_PADDED_BYTES {
        return 0;
    }
    let length_bytes = if piece < 128 { 1 } else { 2 };
    let around = 3 + length_bytes;
    (PAD_TO - (piece + around) % PAD_TO) % PAD_TO
}

fn length_of(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))
}

fn next_message(bytes: &[u8]) -> Option<&[u8]> {
    let length = length_of(bytes)?;
    if length == 0 || length > MAX_RECORD_BYTES {
        return None;
    }
    bytes.get(2..2 + length)
}
