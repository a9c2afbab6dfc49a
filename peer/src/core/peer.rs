//! One end of one session, from the number to the end, as the shell drives it.
//!
//! It passes each input to the stage that the session has reached, and hands
//! out what was decided. `turn` borrows the peer until the outputs are drained,
//! so that nothing can be forgotten between two inputs.

use std::collections::vec_deque::Drain;
use std::time::{Duration, Instant};

use tasuki_protocol::message::EndReason;

use super::consent::{Answered, AwaitingAnswer};
use super::door::{AgentDoor, OperatorDoor, Step};
use super::io::{EndedBy, Input, Output, SessionEvent};
use super::outbox::Outbox;
use super::session::{Life, Session};
use super::setup::{AgentSetup, EndSetup, OperatorSetup};
use super::snapshot::{SessionStats, Snapshot, StageName};

/// A session's core. `Instant`s must come from a clock that counts suspend.
#[derive(Debug)]
pub struct Peer {
    stage: Stage,
    out: Outbox,
    /// When the last input came.
    latest: Option<Instant>,
    organisation: String,
}

#[derive(Debug)]
enum Stage {
    OperatorDoor(Box<OperatorDoor>),
    AgentDoor(Box<AgentDoor>),
    AwaitingAnswer(Box<AwaitingAnswer>),
    Accepted(Box<Session>),
    Over,
}

/// What is to be done, in this order; dropped only when all of it was taken.
#[derive(Debug)]
#[must_use = "what a session decides has to be done"]
pub struct Turn<'a>(Drain<'a, Output>);

impl Iterator for Turn<'_> {
    type Item = Output;

    fn next(&mut self) -> Option<Output> {
        self.0.next()
    }
}

impl Peer {
    pub fn operator(setup: OperatorSetup) -> Self {
        let organisation = setup.end.organisation.clone();
        Self::at(Stage::OperatorDoor(Box::new(OperatorDoor::new(setup))), organisation)
    }

    pub fn agent(setup: AgentSetup) -> Self {
        let organisation = setup.end.organisation.clone();
        Self::at(Stage::AgentDoor(Box::new(AgentDoor::new(setup))), organisation)
    }

    fn at(stage: Stage, organisation: String) -> Self {
        Self { stage, out: Outbox::default(), latest: None, organisation }
    }

    pub fn turn(&mut self, input: Input, now: Instant) -> Turn<'_> {
        self.latest = Some(now);
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        self.stage = step(stage, input, now, &mut self.out);
        Turn(self.out.drain())
    }

    /// When, at the latest, [`Input::Wake`] is due. Changes only by a turn.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::OperatorDoor(door) => door.deadline(),
            Stage::AgentDoor(door) => door.deadline(),
            Stage::AwaitingAnswer(answer) => Some(answer.deadline()),
            Stage::Accepted(session) => self.latest.map(|now| session.deadline(now)),
            Stage::Over => None,
        }
    }

    /// Nothing will ever come out of it again.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    pub fn stats(&self) -> SessionStats {
        let of = |mode| SessionStats { mode, ..SessionStats::default() };
        match &self.stage {
            Stage::OperatorDoor(door) => of(Some(door.setup().mode)),
            Stage::AwaitingAnswer(answer) => of(Some(answer.mode())),
            Stage::Accepted(session) => session.stats(),
            Stage::AgentDoor(_) | Stage::Over => of(None),
        }
    }

    /// Of how many pictures that this end keeps the other one was told (T27).
    pub fn pictures_said(&self) -> u64 {
        match &self.stage {
            Stage::Accepted(session) => session.pictures_said(),
            Stage::OperatorDoor(_) | Stage::AgentDoor(_) | Stage::AwaitingAnswer(_) | Stage::Over => 0,
        }
    }

    /// All that a surface shows, as of `now`.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        match &self.stage {
            Stage::OperatorDoor(_) | Stage::AgentDoor(_) => {
                Snapshot::bare(&self.organisation, StageName::Door)
            }
            Stage::AwaitingAnswer(answer) => answer.snapshot(),
            Stage::Accepted(session) => session.snapshot(&self.organisation, now),
            Stage::Over => Snapshot::bare(&self.organisation, StageName::Over),
        }
    }
}

fn step(stage: Stage, input: Input, now: Instant, out: &mut Outbox) -> Stage {
    match stage {
        Stage::OperatorDoor(door) => {
            let setup = door.setup().end.clone();
            match door.turn(input, now, out) {
                Step::Waits(door) => Stage::OperatorDoor(Box::new(door)),
                Step::Through(introduced) => {
                    Stage::AwaitingAnswer(Box::new(AwaitingAnswer::wait(introduced, &setup)))
                }
                Step::Over(reason, by) => over(reason, by, out),
            }
        }
        Stage::AgentDoor(door) => {
            let (setup, time_out): (EndSetup, Duration) =
                (door.setup().end.clone(), door.setup().consent_time_out);
            match door.turn(input, now, out) {
                Step::Waits(door) => Stage::AgentDoor(Box::new(door)),
                Step::Through(introduced) => Stage::AwaitingAnswer(Box::new(AwaitingAnswer::ask(
                    introduced, &setup, time_out, now, out,
                ))),
                Step::Over(reason, by) => over(reason, by, out),
            }
        }
        Stage::AwaitingAnswer(answer) => match answer.turn(input, now, out) {
            Answered::Waits(answer) => Stage::AwaitingAnswer(Box::new(answer)),
            Answered::Accepted(session) => Stage::Accepted(session),
            Answered::Over(reason, by) => over(reason, by, out),
        },
        Stage::Accepted(mut session) => match session.turn(input, now, out) {
            Life::Lives => Stage::Accepted(session),
            Life::Gone => Stage::Over,
        },
        Stage::Over => Stage::Over,
    }
}

/// The end of what never became a session; a session tells its own.
fn over(reason: EndReason, by: EndedBy, out: &mut Outbox) -> Stage {
    out.tell(SessionEvent::Ended { reason, by });
    Stage::Over
}
