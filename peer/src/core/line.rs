//! What a paired end says through the server: sealed for the other end, in order.
//!
//! The server may be away (F2): what must still be said waits, bounded, until
//! the connection is taken up again. It knows nothing of what the messages mean.

use std::collections::VecDeque;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::message::{self, EndToEnd, Forwarded};
use tasuki_protocol::sealing::{Opener, SealKey, Sealer};
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, Leg, MAX_FORWARD, OperatorToServer, Presence, RefusalReason,
    ResumeToken, ServerToAgent, ServerToOperator,
};

use super::io::{Output, ServerMessage, ServerRequest};
use super::outbox::Outbox;

/// What is authenticated beside every sealed message.
pub const SEALED_CONTEXT: &[u8] = b"tasuki-end-to-end-v1";
/// Messages that wait for the server's return; older ones give way.
const MAX_WAITING: usize = 64;

#[derive(Debug)]
pub(super) struct Line {
    pub(super) role: Role,
    pub(super) session: SessionId,
    resume: ResumeToken,
    sealer: Sealer,
    opener: Opener,
    state: LineState,
    seal: Seal,
    waiting: VecDeque<EndToEnd>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineState {
    Open,
    /// The server's connection is gone; the shell dials.
    Away,
    /// The connection is back and the server was asked for the session.
    Resuming,
    /// The server has let go of the session.
    Finished,
}

/// Whether what the other end says here is still believed. The server is heard in any case: what is
/// withdrawn ends, whoever spoilt the line (T17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seal {
    Whole,
    Broken,
}

impl Line {
    pub(super) fn open(
        role: Role,
        session: SessionId,
        resume: ResumeToken,
        outgoing: SealKey,
        incoming: SealKey,
    ) -> Self {
        Self {
            role,
            session,
            resume,
            sealer: Sealer::new(outgoing),
            opener: Opener::new(incoming),
            state: LineState::Open,
            seal: Seal::Whole,
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == LineState::Open && self.seal == Seal::Whole
    }

    pub(super) fn say(&mut self, message: EndToEnd, out: &mut Outbox) {
        if self.seal == Seal::Broken {
            return;
        }
        match self.state {
            LineState::Open => self.forward(&message, out),
            LineState::Away | LineState::Resuming => {
                if self.waiting.len() == MAX_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(message);
            }
            LineState::Finished => {}
        }
    }

    /// What the other end said, if it did.
    ///
    /// # Errors
    /// The body was altered, repeated or never sealed by the other end: nothing is said
    /// to it or heard from it on this line any more (T46).
    fn hear(&mut self, body: &Blob) -> Result<EndToEnd, LineBroken> {
        if self.state == LineState::Finished || self.seal == Seal::Broken {
            return Err(LineBroken);
        }
        let heard = self.unseal(body);
        if heard.is_err() {
            self.seal = Seal::Broken;
            self.waiting.clear();
        }
        heard
    }

    /// The server's connection stands again.
    pub(super) fn server_up(&mut self, out: &mut Outbox) {
        if self.state == LineState::Finished {
            return;
        }
        self.state = LineState::Resuming;
        let (session, token) = (self.session, self.resume);
        out.push(Output::ToServer(match self.role {
            Role::Operator => ServerRequest::Operator(OperatorToServer::Resume { session, token }),
            Role::Agent => ServerRequest::Agent(AgentToServer::Resume { session, token }),
        }));
    }

    pub(super) fn server_down(&mut self) {
        if self.state != LineState::Finished {
            self.state = LineState::Away;
        }
    }

    fn resumed(&mut self, out: &mut Outbox) {
        if self.state != LineState::Resuming {
            return;
        }
        self.state = LineState::Open;
        while let Some(message) = self.waiting.pop_front() {
            self.forward(&message, out);
        }
    }

    pub(super) fn finish(&mut self) {
        self.state = LineState::Finished;
        self.waiting.clear();
    }

    /// What a message of the server means to a paired end.
    pub(super) fn take(&mut self, message: ServerMessage, out: &mut Outbox) -> Heard {
        match message {
            ServerMessage::Operator(message) if self.role == Role::Operator => {
                self.take_as_operator(message, out)
            }
            ServerMessage::Agent(message) if self.role == Role::Agent => {
                self.take_as_agent(message, out)
            }
            ServerMessage::Operator(_) | ServerMessage::Agent(_) => Heard::Nothing,
        }
    }

    fn take_as_operator(&mut self, message: ServerToOperator, out: &mut Outbox) -> Heard {
        let own = self.session;
        match message {
            ServerToOperator::Forwarded { session, body } if session == own => self.heard(&body),
            ServerToOperator::Leg { session, leg } if session == own => Heard::Leg(leg),
            ServerToOperator::Resumed { session } if session == own => {
                self.resumed(out);
                Heard::OtherEndBack
            }
            ServerToOperator::AgentPresence { session, presence } if session == own => {
                presence_heard(presence)
            }
            ServerToOperator::Closed { session, reason } if session == own => Heard::Closed(reason),
            ServerToOperator::Refused { reason } => Heard::Refused(reason),
            ServerToOperator::Challenge { .. }
            | ServerToOperator::Ready { .. }
            | ServerToOperator::OutsideHours { .. }
            | ServerToOperator::RoomOpened { .. }
            | ServerToOperator::Arrived { .. }
            | ServerToOperator::Forwarded { .. }
            | ServerToOperator::Leg { .. }
            | ServerToOperator::Resumed { .. }
            | ServerToOperator::Relays { .. }
            | ServerToOperator::LedgerTicket { .. }
            | ServerToOperator::AgentPresence { .. }
            | ServerToOperator::Closed { .. } => Heard::Nothing,
        }
    }

    fn take_as_agent(&mut self, message: ServerToAgent, out: &mut Outbox) -> Heard {
        match message {
            ServerToAgent::Forwarded { body } => self.heard(&body),
            ServerToAgent::Leg { leg } => Heard::Leg(leg),
            ServerToAgent::Resumed => {
                self.resumed(out);
                Heard::OtherEndBack
            }
            ServerToAgent::OperatorPresence { presence } => presence_heard(presence),
            ServerToAgent::Closed { reason } => Heard::Closed(reason),
            // The operator's end did not believe the last word of the pairing (T7), or says so.
            ServerToAgent::Refused { reason: RefusalReason::Number } => {
                self.finish();
                Heard::NotPaired
            }
            ServerToAgent::Refused { reason } => Heard::Refused(reason),
            ServerToAgent::Met { .. }
            | ServerToAgent::Relays { .. }
            | ServerToAgent::LedgerTicket { .. } => Heard::Nothing,
        }
    }

    fn heard(&mut self, body: &Blob) -> Heard {
        self.hear(body).map_or(Heard::Broken, Heard::Said)
    }

    /// Whether a refusal answers this line's own attempt to come back.
    pub(super) fn is_resuming(&self) -> bool {
        self.state == LineState::Resuming
    }

    /// Tells the server that the session is over, and says no more.
    pub(super) fn close(&mut self, out: &mut Outbox) {
        if self.state == LineState::Open {
            out.push(close_request(self.role, self.session));
        }
        self.finish();
    }

    fn forward(&mut self, message: &EndToEnd, out: &mut Outbox) {
        let sealed = self.sealer.seal(SEALED_CONTEXT, &message::encode(message));
        out.push(forward(self.role, self.session, &Forwarded::Sealed(Blob(sealed))));
    }

    fn unseal(&mut self, body: &Blob) -> Result<EndToEnd, LineBroken> {
        let Ok(Forwarded::Sealed(sealed)) = message::decode(&body.0, MAX_FORWARD) else {
            return Err(LineBroken);
        };
        let plain = self.opener.open(SEALED_CONTEXT, &sealed.0).map_err(|_| LineBroken)?;
        message::decode(&plain, MAX_FORWARD).map_err(|_| LineBroken)
    }
}

/// What came through the server.
#[derive(Debug)]
pub(super) enum Heard {
    Said(EndToEnd),
    Leg(Leg),
    /// Either end's connection was gone and is back: what was said meanwhile may be lost.
    OtherEndBack,
    Closed(CloseReason),
    Refused(RefusalReason),
    /// Altered, repeated or forged on the way; the line carries nothing any more (T46).
    Broken,
    /// The server knows no session of this number (T65).
    NotPaired,
    Nothing,
}

fn presence_heard(presence: Presence) -> Heard {
    match presence {
        Presence::Here => Heard::OtherEndBack,
        Presence::Gone => Heard::Nothing,
    }
}

/// Something reached this end that the other end never said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server altered what passed between the two ends")]
struct LineBroken;

/// A body for the other end, by way of the server.
pub(super) fn forward(role: Role, session: SessionId, body: &Forwarded) -> Output {
    let body = Blob(message::encode(body));
    Output::ToServer(match role {
        Role::Operator => ServerRequest::Operator(OperatorToServer::Forward { session, body }),
        Role::Agent => ServerRequest::Agent(AgentToServer::Forward { body }),
    })
}

pub(super) fn close_request(role: Role, session: SessionId) -> Output {
    Output::ToServer(match role {
        Role::Operator => ServerRequest::Operator(OperatorToServer::Close { session }),
        Role::Agent => ServerRequest::Agent(AgentToServer::Close),
    })
}
