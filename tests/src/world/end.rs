//! One end in the simulated world: its core, its desktop, what it was told.

use std::time::Instant;

use tasuki_peer::core::Peer;
use tasuki_peer::core::io::{PersonQuestion, PictureCommand, Question, SessionEvent};
use tasuki_protocol::ids::Role;
use tasuki_protocol::leg::FrameKind;
use tasuki_signaling::core::rooms::ConnectionId;

use super::MARKER;
use super::desktop::Desktop;

#[derive(Debug)]
pub struct End {
    pub role: Role,
    /// `None` once its process was killed.
    pub peer: Option<Peer>,
    pub connection: Option<ConnectionId>,
    pub desktop: Desktop,
    pub events: Vec<(Instant, SessionEvent)>,
    pub question: Option<Question>,
    /// What its person is asked in mid-session.
    pub asked: Option<PersonQuestion>,
    /// The receipt that it kept.
    pub receipt: Option<Vec<u8>>,
    /// Revisions of the host's screen that were decoded here, in order.
    pub seen: Vec<u32>,
    pub pictures: u64,
    /// How often its core was asked.
    pub turns: u64,
    decodable: Decodable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decodable {
    FromKeyFrame,
    Next(u32),
}

impl End {
    pub fn new(role: Role, peer: Option<Peer>) -> Self {
        Self {
            role,
            peer,
            connection: None,
            desktop: Desktop::default(),
            events: Vec::new(),
            question: None,
            asked: None,
            receipt: None,
            seen: Vec::new(),
            pictures: 0,
            turns: 0,
            decodable: Decodable::FromKeyFrame,
        }
    }

    pub fn has(&self, wanted: impl Fn(&SessionEvent) -> bool) -> bool {
        self.events.iter().any(|(_, event)| wanted(event))
    }

    pub fn count(&self, wanted: impl Fn(&SessionEvent) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| wanted(event)).count()
    }

    /// # Panics
    /// A frame that no decoder could use was handed to it.
    pub fn show(&mut self, command: PictureCommand) {
        self.pictures += 1;
        let frame = match command {
            PictureCommand::Frame(frame) => frame,
            PictureCommand::Layout(_) | PictureCommand::CursorShape(_) | PictureCommand::Cursor(_) => {
                return;
            }
        };
        let number = frame.header.number;
        match (frame.header.kind, self.decodable) {
            (FrameKind::Key, Decodable::FromKeyFrame | Decodable::Next(_)) => {}
            (FrameKind::Delta, Decodable::Next(next)) if next == number => {}
            (FrameKind::Delta, Decodable::FromKeyFrame | Decodable::Next(_)) => {
                panic!("{:?}: frame {number} builds on one that was never shown", self.role)
            }
        }
        self.decodable = Decodable::Next(number + 1);
        let marked = frame.vp8.get(1..).and_then(|rest| rest.strip_prefix(MARKER));
        let revision = marked.and_then(|rest| rest.try_into().ok());
        self.seen.push(u32::from_be_bytes(revision.expect("a frame of the host's screen")));
    }
}
