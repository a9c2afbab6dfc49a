//! Sessions that outlive a restart of the server: what is kept of each, and who may come back.
//!
//! Both ends of a session may go on over a path of their own while the server is away. Without
//! this an administrator could neither see nor end such a session afterwards. It refuses to know
//! where the rows lie.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tasuki_protocol::ids::{DeviceKey, SessionId};
use tasuki_protocol::number::Locator;
use tasuki_protocol::pairing::Facts;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{CloseReason, ResumeToken, ServerToAgent, ServerToOperator};

use super::agenda::Reminder;
use super::agents::same;
use super::decoy::Persona;
use super::issue::Wish;
use super::notes::{Note, What};
use super::pace::Pace;
use super::room::{Paired, Room, Seat, Stage, Terms, Whereabouts};
use super::rooms::{ConnectionId, Now, Operator, Output, Rooms, Row};

/// All that a paired session is to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptSession {
    pub session: SessionId,
    pub locator: Locator,
    /// The row of the operator's account.
    pub operator: i64,
    pub device: DeviceKey,
    pub mode: Mode,
    pub reason: Option<String>,
    pub operator_token: ResumeToken,
    pub agent_token: ResumeToken,
    /// When the manifest was issued, in seconds since 1970.
    pub issued: u64,
    /// When its length is over, in seconds since 1970.
    pub ends: u64,
}

/// A session that was ended while one of its ends was away, which is told when it comes back.
#[derive(Debug)]
pub(crate) struct Withdrawn {
    tokens: [ResumeToken; 2],
    reason: CloseReason,
    /// By then the session is over by itself.
    until: Instant,
}

impl Rooms {
    /// A session of an earlier run: its ends may come back to it for as long as to any other.
    /// Without an operator who may have it, it is over, and its ends are told so.
    pub fn revive(&mut self, kept: KeptSession, operator: Option<Operator>, now: Now) {
        let ends = now.instant + Duration::from_secs(kept.ends.saturating_sub(now.unix));
        let grant = operator
            .as_ref()
            .and_then(|operator| self.issuer.decide(operator, kept.mode, kept.issued).outcome.ok());
        let (Some(operator), Some(grant)) = (operator, grant) else {
            let tokens = [kept.operator_token, kept.agent_token];
            let withdrawn = Withdrawn { tokens, reason: CloseReason::Withdrawn, until: ends };
            self.withdrawn.insert(kept.session, withdrawn);
            return;
        };
        let until = now.instant + self.settings.resume_grace;
        let away = |token| Seat { token, place: Whereabouts::Gone { until } };
        let age = Duration::from_secs(now.unix.saturating_sub(kept.issued));
        let paired = Paired {
            agent_seat: away(kept.agent_token),
            // None is given twice: there were fewer than one a second.
            legs: u32::try_from(age.as_secs() + LEGS_AT_ONCE).unwrap_or(u32::MAX / 2),
            leg_pace: Pace::new(self.settings.legs, now.instant),
            terms: Terms { grant, issued: kept.issued, ends },
        };
        let room = Room {
            session: kept.session,
            locator: kept.locator,
            persona: faceless(kept.session, self.issuer.tenant, operator.device),
            operator,
            operator_seat: away(kept.operator_token),
            wish: Wish { mode: kept.mode, reason: kept.reason },
            hellos: Vec::new(),
            used: 0,
            expires: now.instant,
            since: now.instant.checked_sub(age).unwrap_or(now.instant),
            stage: Stage::Paired(Box::new(paired)),
        };
        self.agenda.remind(until.min(ends), Reminder::Room(kept.session));
        self.agenda.remind(ends, Reminder::Room(kept.session));
        self.rooms.insert(kept.session, room);
    }

    /// What an earlier run ended, and one of whose ends has not heard of it.
    pub fn still_over(&mut self, kept: &KeptSession, now: Now) {
        let until = now.instant + Duration::from_secs(kept.ends.saturating_sub(now.unix));
        let tokens = [kept.operator_token, kept.agent_token];
        let withdrawn = Withdrawn { tokens, reason: CloseReason::Withdrawn, until };
        self.withdrawn.insert(kept.session, withdrawn);
    }

    /// A session has begun: it must not without its row.
    pub(crate) fn note_paired(&mut self, session: SessionId, what: What, now: Now) {
        let note = self.noted(what, Some(session));
        match self.rooms.get(&session).and_then(|room| kept(room, now)) {
            Some(kept) => self.put(Output::Write { row: Row::Paired(Box::new(kept)), note }),
            None => self.put(Output::Note(note)),
        }
    }

    /// A room is over; where an administrator ended a session that an end does not hear of now,
    /// that end is told when it comes back.
    pub(crate) fn note_over(&mut self, session: SessionId, reason: CloseReason, note: Note, now: Now) {
        self.withdrawn.retain(|_, withdrawn| withdrawn.until > now.instant);
        let room = self.rooms.get(&session);
        let Some((room, Stage::Paired(paired))) = room.map(|room| (room, &room.stage)) else {
            return self.put(Output::Note(note));
        };
        let all_here = room.operator_seat.connection().is_some() && room.agent_connection().is_some();
        if all_here || reason != CloseReason::Withdrawn {
            return self.put(Output::Write { row: Row::Over { session }, note });
        }
        let tokens = [room.operator_seat.token, paired.agent_seat.token];
        let withdrawn = Withdrawn { tokens, reason, until: paired.terms.ends };
        self.withdrawn.insert(session, withdrawn);
        self.put(Output::Write { row: Row::Withdrawn { session }, note });
    }

    fn ended_meanwhile(&self, session: SessionId, token: ResumeToken) -> Option<CloseReason> {
        let withdrawn = self.withdrawn.get(&session)?;
        withdrawn.tokens.iter().any(|own| same(*own, token)).then_some(withdrawn.reason)
    }

    /// Whether the operator's end came back to what was ended meanwhile; it is told so.
    pub(crate) fn tell_operator_of_end(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        token: ResumeToken,
    ) -> bool {
        let reason = self.ended_meanwhile(session, token);
        if let Some(reason) = reason {
            self.tell_operator(connection, ServerToOperator::Closed { session, reason });
        }
        reason.is_some()
    }

    /// As [`Self::tell_operator_of_end`], for the agent's end.
    pub(crate) fn tell_agent_of_end(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        token: ResumeToken,
    ) -> bool {
        let reason = self.ended_meanwhile(session, token);
        if let Some(reason) = reason {
            self.tell_agent(connection, ServerToAgent::Closed { reason });
        }
        reason.is_some()
    }
}

/// The most legs of a session's first second.
const LEGS_AT_ONCE: u64 = 64;

fn kept(room: &Room, now: Now) -> Option<KeptSession> {
    let Stage::Paired(paired) = &room.stage else { return None };
    let left = paired.terms.ends.saturating_duration_since(now.instant);
    Some(KeptSession {
        session: room.session,
        locator: room.locator,
        operator: room.operator.id.0,
        device: room.operator.device,
        mode: room.wish.mode,
        reason: room.wish.reason.clone(),
        operator_token: room.operator_seat.token,
        agent_token: paired.agent_seat.token,
        issued: paired.terms.issued,
        ends: now.unix + left.as_secs(),
    })
}

/// Its number died long ago: nobody sees this face.
fn faceless(session: SessionId, tenant: tasuki_protocol::ids::TenantId, device: DeviceKey) -> Persona {
    let facts = Facts {
        tenant,
        dtls_fingerprint: tasuki_protocol::ids::Digest([0; 32]),
        ice_ufrag: String::new(),
        ice_pwd: String::new(),
    };
    Persona { session, facts, device }
}
