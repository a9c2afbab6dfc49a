//! One room: a number that waits, an attempt at it, and the session that came of it.

use std::time::{Duration, Instant};

use tasuki_protocol::ids::{DeviceKey, SessionId};
use tasuki_protocol::number::Locator;
use tasuki_protocol::policy::decide::Grant;
use tasuki_protocol::signal::{CloseReason, ResumeToken};

use super::decoy::Persona;
use super::distances::Distances;
use super::issue::Wish;
use super::pace::Pace;
use super::resume::ResumeSum;
use super::rooms::{ConnectionId, Operator};

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) session: SessionId,
    pub(crate) locator: Locator,
    pub(crate) operator: Operator,
    pub(crate) operator_seat: Seat,
    pub(crate) wish: Wish,
    /// One for each attempt; taken from the front.
    pub(crate) hellos: Vec<Vec<u8>>,
    /// Attempts that were given a hello.
    pub(crate) used: u8,
    /// The number is no longer answered after this.
    pub(crate) expires: Instant,
    /// When it was asked for.
    pub(crate) since: Instant,
    pub(crate) persona: Persona,
    pub(crate) stage: Stage,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// The number is being written down; nobody knows it yet, nor what lets its operator come back.
    Opening(ResumeToken),
    Waiting,
    /// An attempt is being written down; its hello is not yet out.
    Burning(ConnectionId),
    Meeting(Meeting),
    Paired(Box<Paired>),
}

/// One agent's attempt, after both ends were told of each other.
#[derive(Debug)]
pub(crate) struct Meeting {
    pub(crate) agent: ConnectionId,
    /// The agent's key, as its hello says.
    pub(crate) device: DeviceKey,
    pub(crate) attempt: u8,
    pub(crate) token: ResumeSum,
    /// Messages that the operator's end sent in this attempt.
    pub(crate) replies: u8,
    pub(crate) terms: Terms,
}

/// What the manifest of an attempt said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) grant: Grant,
    /// Seconds since 1970.
    pub(crate) issued: u64,
    /// When its length is over.
    pub(crate) ends: Instant,
}

impl Terms {
    /// When the ends met: its manifest was made then.
    pub(crate) fn met(&self) -> Option<Instant> {
        self.ends.checked_sub(Duration::from_secs(self.grant.length_s))
    }
}

#[derive(Debug)]
pub(crate) struct Paired {
    pub(crate) agent_seat: Seat,
    pub(crate) legs: u32,
    pub(crate) leg_pace: Pace,
    pub(crate) terms: Terms,
    pub(crate) distances: Distances,
    pub(crate) held: Held,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Here,
    /// By an earlier run of the server; neither end has come back since.
    Remembered,
    /// Both ends were away for long.
    LetGo,
}

/// Where one end of a room is, and what lets it come back.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) token: ResumeSum,
    pub(crate) place: Whereabouts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    Here(ConnectionId),
    Gone { until: Instant },
}

impl Seat {
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self.place {
            Whereabouts::Here(connection) => Some(connection),
            Whereabouts::Gone { .. } => None,
        }
    }

    fn lost(&self) -> Option<Instant> {
        match self.place {
            Whereabouts::Here(_) => None,
            Whereabouts::Gone { until } => Some(until),
        }
    }
}

impl Room {
    /// When this room must end, and why, if nothing else happens.
    pub(crate) fn end(&self) -> Option<(Instant, CloseReason)> {
        match &self.stage {
            Stage::Opening(_) | Stage::Waiting => Some((self.expires, CloseReason::Expired)),
            // The attempt's own deadline decides.
            Stage::Burning(_) | Stage::Meeting(_) => None,
            Stage::Paired(paired) => {
                let over = (paired.terms.ends, CloseReason::TimeOver);
                let out = (self.operator.until, CloseReason::Withdrawn);
                // One end alone may stay away: the other has what they have between them, and may lose it.
                let away = self.operator_seat.lost().zip(paired.agent_seat.lost());
                let lost = away.filter(|_| paired.held != Held::LetGo);
                let lost = lost.map(|(one, other)| (one.max(other), CloseReason::Lost));
                [Some(over), Some(out), lost].into_iter().flatten().min_by_key(|(at, _)| *at)
            }
        }
    }

    /// Whether an end of it is here, or has not been away for long, as far as this run can tell.
    pub(crate) fn is_held(&self) -> bool {
        match &self.stage {
            Stage::Opening(_) | Stage::Waiting | Stage::Burning(_) | Stage::Meeting(_) => true,
            Stage::Paired(paired) => paired.held != Held::LetGo,
        }
    }

    pub(crate) fn agent_connection(&self) -> Option<ConnectionId> {
        match &self.stage {
            Stage::Opening(_) | Stage::Waiting => None,
            Stage::Burning(agent) | Stage::Meeting(Meeting { agent, .. }) => Some(*agent),
            Stage::Paired(paired) => paired.agent_seat.connection(),
        }
    }

    pub(crate) fn paired(&mut self) -> Option<&mut Paired> {
        match &mut self.stage {
            Stage::Paired(paired) => Some(paired),
            Stage::Opening(_) | Stage::Waiting | Stage::Burning(_) | Stage::Meeting(_) => None,
        }
    }
}
