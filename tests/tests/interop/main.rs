//! An implementation that is not ours meets our direct path over loopback UDP: the `webrtc`
//! crate, which shares no code with str0m beyond the operating system's sockets.
//!
//! It implements no AES-256-GCM suite of DTLS and no DTLS 1.3, so the shipped link must refuse
//! it (T47); that the link's channels and video are plain WebRTC is shown with the link's own
//! set-up under weaker ciphers, which exist in this test only.

#![allow(clippy::unwrap_used)]

mod ours;
mod overhearing;
mod pictures;
mod sdp;
mod theirs;

use std::time::{Duration, Instant};

use ours::{Lenient, Line, Shipped, Socket};
use pictures::Showing;
use sdp::Names;
use str0m::Event;
use tasuki_peer::core::{
    direct_identity::DirectIdentity,
    path::{DirectFacts, IceSide, PathEnd, PathEvent},
};
use tasuki_protocol::seed::Seed;
use theirs::{Heard, Part, Theirs};

/// Nothing here should take so long on any machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The two data channels, by their SCTP streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Swift,
    Sure,
}

/// Both ends that know of each other, before the first datagram of ours.
struct Meeting {
    own: DirectIdentity,
    socket: Socket,
    theirs: Theirs,
    described: String,
    facts: DirectFacts,
}

impl Meeting {
    /// Ours on `side`: the operator's controls, offers and sees; the user's answers and shows.
    fn arrange(side: IceSide) -> Self {
        let own = DirectIdentity::generate(&Seed::from_bytes([3; 32])).unwrap();
        let socket = Socket::new();
        let us = |names: &Names| sdp::of_ours(&own, side, names, socket.address);
        let (theirs, described) = match side {
            IceSide::Controlling => {
                let theirs = Theirs::new(Part::Answers);
                let answer = theirs.answer(us(&Names::ours()));
                (theirs, answer)
            }
            IceSide::Controlled => {
                let theirs = Theirs::new(Part::Offers);
                let offer = theirs.offer();
                theirs.accept(us(&Names::of(&offer)));
                (theirs, offer)
            }
        };
        let facts = sdp::facts(&described, side);
        Self { own, socket, theirs, described, facts }
    }
}

/// Everything the shipped link told until its end, and what the other end heard.
fn meet_shipped(side: IceSide) -> (Vec<PathEvent>, Vec<Heard>) {
    let Meeting { own, socket, theirs, described, facts } = Meeting::arrange(side);
    let mut link = Shipped::new(&own, socket, &described, facts);
    let (mut events, patience) = (Vec::new(), Instant::now() + PATIENCE);
    while !matches!(events.last(), Some(PathEvent::Down(_))) {
        assert!(Instant::now() < patience, "no end: {events:?}");
        events.extend(link.turn());
    }
    events.extend(link.turn());
    (events, theirs.hear().collect())
}

/// Our DTLS client gets the alert `insufficient_security`; our server leaves the greeting of a client
/// of DTLS 1.2 unanswered. ICE has come about either way, or the end would be `NotReached`.
#[test]
fn t47_the_shipped_link_refuses_an_independent_peer_without_aes_256_gcm_in_either_role() {
    let refusals = [
        (IceSide::Controlling, "the DTLS handshake did not hold"),
        (IceSide::Controlled, "no handshake with AES-256-GCM came about"),
    ];
    for (side, why) in refusals {
        let (events, heard) = meet_shipped(side);
        let [PathEvent::LocalCandidate(_), end] = &events[..] else {
            panic!("{side:?}: {events:?}");
        };
        assert_eq!(*end, PathEvent::Down(PathEnd::Violation(why)), "{side:?}");
        assert_eq!(heard, [], "{side:?}");
    }
}

/// Str0m as the link has it, and the other end; both have both channels open.
struct Joined {
    ours: Lenient,
    theirs: Theirs,
    messages: Vec<(Lane, Vec<u8>)>,
    frames: Vec<Vec<u8>>,
    heard: Vec<Heard>,
    open: usize,
    /// Key frames that the other end asked for.
    wanted: usize,
}

impl Joined {
    fn on(side: IceSide) -> Self {
        let Meeting { own, socket, theirs, described, facts } = Meeting::arrange(side);
        let ours = Lenient::new(&own, socket, &described, &facts);
        let (messages, frames, heard) = (Vec::new(), Vec::new(), Vec::new());
        let mut joined = Self { ours, theirs, messages, frames, heard, open: 0, wanted: 0 };
        joined.until(|j| {
            let open = |lane| j.heard.contains(&Heard::Open(lane));
            j.open == 2 && open(Lane::Swift) && open(Lane::Sure)
        });
        joined.heard.clear();
        joined
    }

    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let patience = Instant::now() + PATIENCE;
        while !done(self) {
            let counts = (self.open, self.messages.len(), self.frames.len(), self.heard.len());
            assert!(Instant::now() < patience, "open, messages, frames, heard: {counts:?}");
            for event in self.ours.turn() {
                self.note(event);
            }
            self.heard.extend(self.theirs.hear());
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of the library's many events these matter")]
    fn note(&mut self, event: Event) {
        match event {
            Event::ChannelOpen(..) => self.open += 1,
            Event::ChannelData(data) => self.messages.push((self.ours.lane(data.id), data.data)),
            Event::MediaData(data) => self.frames.push(data.data.to_vec()),
            Event::KeyframeRequest(_) => self.wanted += 1,
            _ => {}
        }
    }
}

/// One of one byte, one of more than a datagram, and the longest that a lane takes.
fn messages() -> Vec<(Lane, Vec<u8>)> {
    let message =
        |(lane, length): (Lane, usize)| (lane, (0..length).map(|n| (n * 7 + length) as u8).collect());
    [(Lane::Swift, 1), (Lane::Swift, 3 * 1024), (Lane::Sure, 32), (Lane::Sure, 16 * 1024)]
        .map(message)
        .into()
}

/// Each message goes when the last has come: the swift lane promises no order.
fn talk(joined: &mut Joined) {
    let sent = messages();
    for (n, (lane, message)) in sent.iter().enumerate() {
        joined.ours.send(*lane, message);
        joined.until(|j| j.heard.len() == n + 1);
        joined.theirs.send(*lane, message);
        joined.until(|j| j.messages.len() == n + 1);
    }
    assert_eq!(joined.messages, sent);
    let heard: Vec<Heard> = sent.into_iter().map(|(lane, bytes)| Heard::Message(lane, bytes)).collect();
    assert_eq!(joined.heard, heard);
    joined.heard.clear();
}

#[test]
fn an_operators_end_talks_with_an_independent_peer_and_sees_its_screen() {
    let mut joined = Joined::on(IceSide::Controlling);
    talk(&mut joined);
    let showing = Showing::draw();
    for (n, frame) in showing.frames.iter().enumerate() {
        joined.theirs.show(frame);
        joined.until(|j| j.frames.len() == n + 1);
    }
    assert_eq!(joined.frames, showing.frames);
    showing.assert_shown_by(&joined.frames);
}

#[test]
fn a_users_end_talks_with_an_independent_peer_which_sees_its_screen() {
    let mut joined = Joined::on(IceSide::Controlled);
    talk(&mut joined);
    let showing = Showing::draw();
    let numbers = 4_000_000_000u32..;
    for (n, (number, frame)) in numbers.clone().zip(&showing.frames).enumerate() {
        joined.ours.show(number, frame);
        joined.until(|j| j.heard.len() == n + 1);
    }
    let expected: Vec<Heard> = numbers
        .zip(&showing.frames)
        .map(|(number, frame)| Heard::Frame(number, frame.clone()))
        .collect();
    assert_eq!(joined.heard, expected);
    let arrived: Vec<Vec<u8>> = joined.heard.into_iter().filter_map(frame_of).collect();
    showing.assert_shown_by(&arrived);
}

/// RFC 4585, section 6.2.1: what is missing is asked for, and sent again.
#[test]
fn what_a_line_loses_on_the_way_to_an_independent_peer_is_sent_again() {
    let mut joined = Joined::on(IceSide::Controlled);
    joined.ours.set_line(Line::Bad);
    let showing = Showing::draw();
    for (n, frame) in showing.frames.iter().enumerate() {
        joined.ours.show(n as u32, frame);
        joined.until(|j| j.heard.iter().filter(|h| matches!(h, Heard::Frame(..))).count() == n + 1);
    }
    assert!(joined.ours.lost() > 0, "nothing was lost");
    let arrived: Vec<Vec<u8>> = joined.heard.into_iter().filter_map(frame_of).collect();
    assert_eq!(arrived, showing.frames);
}

/// RFC 4585, section 6.3.1, in both directions.
#[test]
fn a_lost_picture_is_told_to_an_independent_peer_and_by_one() {
    let showing = Showing::draw();
    let mut joined = Joined::on(IceSide::Controlling);
    joined.theirs.show(&showing.frames[0]);
    joined.until(|j| j.frames.len() == 1);
    joined.ours.ask_key_frame();
    joined.until(|j| j.heard.contains(&Heard::KeyFrameWanted));

    let mut joined = Joined::on(IceSide::Controlled);
    joined.ours.show(0, &showing.frames[0]);
    joined.until(|j| j.heard.iter().any(|h| matches!(h, Heard::Frame(..))));
    joined.theirs.ask_key_frame();
    joined.until(|j| j.wanted > 0);
}

fn frame_of(heard: Heard) -> Option<Vec<u8>> {
    match heard {
        Heard::Frame(_, bytes) => Some(bytes),
        Heard::Open(_) | Heard::Message(..) | Heard::KeyFrameWanted => None,
    }
}
