//! One end of one session, from the number to the end, as the shell drives it.
//!
//! It passes each input to the stage that the session has reached, and hands
//! out what was decided. `turn` borrows the peer until the outputs are drained,
//! so that nothing can be forgotten between two inputs.

use std::collections::vec_deque::Drain;
use std::time::{Duration, Instant};

use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::Mode;

use super::consent::{Answered, AwaitingAnswer};
use super::door::{AgentDoor, OperatorDoor, Step};
use super::io::{EndedBy, Input, Output, SessionEvent, SessionStats};
use super::outbox::Outbox;
use super::session::{Course, Session};
use super::setup::{AgentSetup, EndSetup, OperatorSetup};

/// A session's core. `Instant`s must come from a clock that counts suspend.
#[derive(Debug)]
pub struct Peer {
    stage: Stage,
    out: Outbox,
    /// When the last input came.
    latest: Option<Instant>,
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
        Self::at(Stage::OperatorDoor(Box::new(OperatorDoor::new(setup))))
    }

    pub fn agent(setup: AgentSetup) -> Self {
        Self::at(Stage::AgentDoor(Box::new(AgentDoor::new(setup))))
    }

    fn at(stage: Stage) -> Self {
        Self { stage, out: Outbox::default(), latest: None }
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
        match &self.stage {
            Stage::OperatorDoor(door) => stats_of(Some(door.setup().mode)),
            Stage::AwaitingAnswer(answer) => stats_of(Some(answer.mode())),
            Stage::Accepted(session) => session.stats(),
            Stage::AgentDoor(_) | Stage::Over => stats_of(None),
        }
    }
}

fn stats_of(mode: Option<Mode>) -> SessionStats {
    SessionStats {
        mode,
        path: None,
        ciphers: None,
        round_trip_ms: None,
        frames: 0,
        video_bytes: 0,
        violations: 0,
        last_path_end: None,
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
            Course::GoesOn => Stage::Accepted(session),
            Course::Over(reason, by) => over(reason, by, out),
        },
        Stage::Over => Stage::Over,
    }
}

/// The one place where a session's end is told.
fn over(reason: EndReason, by: EndedBy, out: &mut Outbox) -> Stage {
    out.tell(SessionEvent::Ended { reason, by });
    Stage::Over
}
