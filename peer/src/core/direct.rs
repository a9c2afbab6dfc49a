//! The direct path: ICE, DTLS, data channels and RTP between the two ends.
//!
//! Told the time and datagrams; returns datagrams, events and the next deadline.
//! Everything that authenticates the other end comes from [`DirectFacts`]. Knows
//! nothing of sockets, of what packets say or of codecs.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::media::MediaData;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError};
use subtle::ConstantTimeEq;

use super::direct_address::Routes;
pub use super::direct_address::{LocalAddress, Transmit, at_relay};
use super::direct_early::Early;
use super::direct_identity::DirectIdentity;
use super::direct_lanes::{Lanes, Received};
use super::direct_setup;
use super::direct_video::{Taken, Video, ask_key_frame};
use super::dtls::{self, Negotiation};
use super::path::{DirectFacts, PathCommand, PathEnd, PathEvent, VideoFrame};

/// How long ICE, DTLS and the proofs may take together.
pub const REACH_WITHIN: Duration = Duration::from_secs(10);
/// How long nothing may arrive on a path that was up.
pub const SILENT_AFTER: Duration = Duration::from_secs(8);
/// How long an orderly end may take to leave.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// After a fault of the library that leaves it alive.
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(20);
const MAX_REMOTE_CANDIDATES: usize = 32;
const MAX_CANDIDATE_BYTES: usize = 256;

#[derive(Debug)]
pub struct DirectLink {
    rtc: Rtc,
    facts: DirectFacts,
    negotiation: Negotiation,
    lanes: Lanes,
    video: Video,
    stage: Stage,
    last_heard: Instant,
    rtc_deadline: Instant,
    remote_candidates: usize,
    /// Addresses that reach the other end were found.
    reached: Reached,
    routes: Routes,
    early: Early,
    happened: VecDeque<Event>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<PathEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reaching {
        until: Instant,
    },
    /// The other end's proof was right.
    Up,
    /// The end was told; what is left in the library still leaves.
    Closing {
        until: Instant,
    },
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    NotYet,
    Once,
}

impl DirectLink {
    pub fn new(identity: &DirectIdentity, facts: DirectFacts, now: Instant) -> Self {
        let (mut rtc, negotiation) = dtls::build(direct_setup::config(identity), now);
        let lanes = Lanes::open(&mut rtc);
        let video = Video::declare(&mut rtc, facts.video, now);
        let mut link = Self {
            rtc,
            negotiation,
            lanes,
            video,
            stage: Stage::Reaching { until: now + REACH_WITHIN },
            last_heard: now,
            rtc_deadline: now,
            remote_candidates: 0,
            reached: Reached::NotYet,
            routes: Routes::default(),
            early: Early::default(),
            happened: VecDeque::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            facts,
        };
        if direct_setup::meet(&mut link.rtc, &link.facts).is_err() {
            link.end(PathEnd::Violation("DTLS could not be started"));
        }
        link.handle_timeout(now);
        link
    }

    /// An address by which this end may be reached, in any order and at any time.
    pub fn add_local(&mut self, address: LocalAddress, now: Instant) {
        let Some(candidate) = address.candidate() else { return };
        if !matches!(address, LocalAddress::Untold(_)) {
            self.events.push_back(PathEvent::LocalCandidate(candidate.to_sdp_string()));
        }
        self.routes.learn(address);
        // One that is like another already here brings nothing, and is still worth telling.
        self.rtc.add_local_candidate(candidate);
        self.handle_timeout(now);
    }

    /// A datagram that came to `local` from `source`. What ICE has not verified
    /// goes no further (T48).
    pub fn handle_datagram(
        &mut self,
        source: SocketAddr,
        local: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) {
        if self.is_over() {
            return;
        }
        if self.admit(source, local, bytes, now) {
            self.drain(now);
            self.look_again(now);
        } else if matches!(self.stage, Stage::Reaching { .. }) {
            self.early.keep_datagram(source, local, bytes);
        }
    }

    fn admit(&mut self, source: SocketAddr, local: SocketAddr, bytes: &[u8], now: Instant) -> bool {
        let Ok(received) = Receive::new(Protocol::Udp, source, local, bytes) else { return false };
        let input = Input::Receive(now, received);
        if !self.rtc.accepts(&input) {
            return false;
        }
        self.last_heard = now;
        if let Err(error) = self.rtc.handle_input(input) {
            self.on_fault(&error, now);
        }
        true
    }

    fn look_again(&mut self, now: Instant) {
        for early in self.early.take_datagrams() {
            self.handle_datagram(early.source, early.local, &early.bytes, now);
        }
    }

    pub fn handle_command(&mut self, command: PathCommand, now: Instant) {
        match command {
            PathCommand::SendPacket(packet) if self.stage == Stage::Up => {
                self.lanes.send(&mut self.rtc, &packet);
            }
            PathCommand::SendVideo(frame) if self.stage == Stage::Up => self.send_video(&frame, now),
            // Sockets are the shell's, and so is who may be asked from them.
            PathCommand::SendPacket(_) | PathCommand::SendVideo(_) | PathCommand::UseRelay(_) => return,
            PathCommand::RemoteCandidate(line) => self.add_remote(&line),
            PathCommand::AskKeyFrame => ask_key_frame(&mut self.rtc),
            PathCommand::Close => self.close(now),
        }
        self.handle_timeout(now);
    }

    fn send_video(&mut self, frame: &VideoFrame, now: Instant) {
        let Video::Sends(sending) = &mut self.video else { return };
        match sending.send(&mut self.rtc, frame, now) {
            Taken::Written | Taken::Dropped => {}
        }
    }

    /// What carried it is known to be gone.
    pub fn lose(&mut self) {
        self.end(PathEnd::Silent);
    }

    fn add_remote(&mut self, line: &str) {
        if line.len() > MAX_CANDIDATE_BYTES || self.remote_candidates == MAX_REMOTE_CANDIDATES {
            return;
        }
        let Ok(candidate) = Candidate::from_sdp_string(line) else { return };
        if candidate.proto() == Protocol::Udp {
            self.remote_candidates += 1;
            self.rtc.add_remote_candidate(candidate);
        }
    }

    fn close(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        // A close that fails leaves nothing to send; the end is told all the same.
        self.rtc.close().ok();
        self.events.push_back(PathEvent::Down(PathEnd::ClosedHere));
        self.stage = Stage::Closing { until: now + CLOSE_WITHIN };
    }

    /// Lets time pass. Harmless at any moment.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.stage == Stage::Ended {
            return;
        }
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            self.on_fault(&error, now);
        }
        self.drain(now);
        match self.stage {
            Stage::Reaching { until } if now >= until => self.give_up(),
            Stage::Up if now >= self.last_heard + SILENT_AFTER => self.end(PathEnd::Silent),
            Stage::Closing { until } if now >= until || !self.rtc.is_alive() => {
                self.stage = Stage::Ended
            }
            Stage::Reaching { .. } | Stage::Up | Stage::Closing { .. } | Stage::Ended => {}
        }
    }

    /// Who answers on the path and completes no handshake has no such suite: its
    /// refusal need not come back.
    fn give_up(&mut self) {
        match self.reached {
            Reached::NotYet => self.end(PathEnd::NotReached(REACH_WITHIN)),
            Reached::Once => self.end(PathEnd::Violation("no handshake with AES-256-GCM came about")),
        }
    }

    /// When [`Self::handle_timeout`] must be called at the latest; `None` after the end.
    pub fn deadline(&self) -> Option<Instant> {
        let own = match self.stage {
            Stage::Reaching { until } | Stage::Closing { until } => until,
            Stage::Up => self.last_heard + SILENT_AFTER,
            Stage::Ended => return None,
        };
        let frame = match &self.video {
            Video::Sends(sending) => sending.deadline(),
            Video::Receives(_) => None,
        };
        Some(own.min(self.rtc_deadline).min(frame.unwrap_or(own)))
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<PathEvent> {
        self.events.pop_front()
    }

    /// Every change is followed by this, before the next change: the library's rule.
    fn drain(&mut self, now: Instant) {
        loop {
            self.drain_once(now);
            let Some(event) = self.happened.pop_front() else { break };
            self.on_event(event, now);
        }
        if self.stage == Stage::Up {
            self.pump_video(now);
        }
    }

    fn drain_once(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(deadline)) => {
                    self.rtc_deadline = deadline;
                    return;
                }
                Ok(Output::Transmit(datagram)) => {
                    let transmit = Transmit {
                        local: datagram.source,
                        destination: datagram.destination,
                        bytes: datagram.contents.into(),
                    };
                    self.events.extend(self.routes.show(&transmit).map(PathEvent::Routed));
                    self.transmits.extend(self.video.hold(transmit));
                }
                Ok(Output::Event(event)) => self.happened.push_back(event),
                Err(error) => {
                    self.on_fault(&error, now);
                    return;
                }
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of the library's many events these matter")]
    fn on_event(&mut self, event: Event, now: Instant) {
        match event {
            Event::ChannelOpen(id, _) if self.lanes.is_sure(id) => {
                self.lanes.prove(&mut self.rtc, &self.facts.own_proof.0);
            }
            Event::ChannelData(data) => {
                if self.lanes.is_sure(data.id) && matches!(self.stage, Stage::Reaching { .. }) {
                    self.check_proof(&data.data, now);
                } else if self.stage == Stage::Up {
                    self.receive(data);
                }
            }
            Event::ChannelBufferedAmountLow(_) => self.lanes.flush(&mut self.rtc),
            Event::MediaData(data) => match self.stage {
                Stage::Up => self.receive_video(data, now),
                Stage::Reaching { .. } => self.early.keep_frame(data),
                Stage::Closing { .. } | Stage::Ended => {}
            },
            Event::KeyframeRequest(_) if self.stage == Stage::Up => {
                self.events.push_back(PathEvent::KeyFrameWanted);
            }
            Event::RawPacket(packet) => self.video.heed(*packet, now),
            Event::IceConnectionStateChange(
                IceConnectionState::Connected | IceConnectionState::Completed,
            ) => self.reached = Reached::Once,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected)
                if self.stage == Stage::Up =>
            {
                self.end(PathEnd::Silent);
            }
            Event::Closed | Event::ChannelClose(_) => self.on_closed(),
            _ => {}
        }
    }

    fn check_proof(&mut self, message: &[u8], now: Instant) {
        let Some(ciphers) = self.negotiation.ciphers() else {
            return self.end(PathEnd::Violation("data came before the handshake's end"));
        };
        if !bool::from(message.ct_eq(&self.facts.peer_proof.0)) {
            return self.end(PathEnd::Violation("the other end did not prove to be in this session"));
        }
        self.stage = Stage::Up;
        self.last_heard = now;
        self.events.push_back(PathEvent::Up(ciphers));
        for frame in self.early.take_frames() {
            self.receive_video(frame, now);
        }
    }

    fn receive_video(&mut self, data: MediaData, now: Instant) {
        if let Video::Receives(receiving) = &mut self.video
            && let Some(frame) = receiving.receive(&mut self.rtc, data, now)
        {
            self.events.push_back(PathEvent::Video(frame));
        }
    }

    fn receive(&mut self, data: str0m::channel::ChannelData) {
        match self.lanes.receive(data.id, data.data) {
            Received::Packet(packet) => self.events.push_back(PathEvent::Packet(packet)),
            Received::Incomplete => {}
            Received::TooLong => self.end(PathEnd::Violation("a packet was longer than any may be")),
        }
    }

    fn pump_video(&mut self, now: Instant) {
        let Video::Sends(sending) = &mut self.video else { return };
        self.transmits.extend(std::iter::from_fn(|| sending.release(now)));
        self.events.extend(sending.new_estimate().map(PathEvent::Capacity));
        if sending.has_new_room(now) {
            self.events.push_back(PathEvent::VideoRoom);
        }
    }

    fn on_closed(&mut self) {
        match self.negotiation.refused() {
            Some(why) => self.end(PathEnd::Violation(why)),
            None => self.end(PathEnd::ClosedByPeer),
        }
    }

    /// A fault is the path's end only if the library gives up or a check failed:
    /// junk from an address that ICE has verified must not end a session.
    fn on_fault(&mut self, error: &RtcError, now: Instant) {
        if let Some(why) = self.negotiation.refused() {
            return self.end(PathEnd::Violation(why));
        }
        if !self.rtc.is_alive() {
            let foreign = matches!(error, RtcError::RemoteSdp(_));
            let why = PathEnd::Violation("the certificate is not the pairing's");
            return self.end(if foreign { why } else { PathEnd::Network(error.to_string()) });
        }
        self.rtc_deadline = now + PAUSE_AFTER_FAULT;
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Closing { .. } | Stage::Ended)
    }

    fn end(&mut self, why: PathEnd) {
        if !self.is_over() {
            self.events.push_back(PathEvent::Down(why));
        }
        self.rtc.disconnect();
        self.stage = Stage::Ended;
    }
}
