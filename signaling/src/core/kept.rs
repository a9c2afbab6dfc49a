//! Sessions that an earlier run of the server knew: what is written down of each, and how it is known again.
//!
//! The paths between two ends outlive a server (F2), and what is taken away must reach such a session as any other
//! (T17). So its row is written with the record of its beginning and goes with its end, and who comes back to it
//! needs what this server gave him then. It refuses to know where rows lie.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tasuki_protocol::ids::{DeviceKey, Digest, SessionId};
use tasuki_protocol::number::Locator;
use tasuki_protocol::pairing::Facts;
use tasuki_protocol::policy::decide::Grant;
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_protocol::signal::CloseReason;

use super::agenda::Reminder;
use super::decoy::Persona;
use super::distances::Distances;
use super::issue::{Issuer, Wish};
use super::notes::What;
use super::pace::Pace;
use super::resume::ResumeSum;
use super::room::{Held, Paired, Room, Seat, Stage, Terms, Whereabouts};
use super::rooms::{Now, Operator, OperatorId, Output, Rooms, Row};

/// Numbers of legs that are left to each run of the server: an end takes none that is not above all before.
const LEGS_OF_A_RUN: u32 = 1 << 15;

/// Milliseconds between the moments at which two of them are given up.
const APART_MS: u64 = 10;

/// All that a paired session is to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    pub session: SessionId,
    pub locator: Locator,
    /// The row of the operator's account.
    pub operator: i64,
    /// The account's name then.
    pub account: String,
    pub device: DeviceKey,
    pub mode: Mode,
    pub reason: Option<String>,
    pub operator_token: ResumeSum,
    pub agent_token: ResumeSum,
    /// What the manifest said.
    pub grant: Grant,
    /// As the manifest has it, in seconds since 1970.
    pub issued: u64,
    /// Since its number was asked for.
    pub age: Duration,
    /// Until its length is over.
    pub left: Duration,
}

impl Kept {
    /// The same session, so much later.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Self { age: self.age + by, left: self.left.saturating_sub(by), ..self }
    }
}

/// A session of an earlier run, as its row has it.
#[derive(Debug)]
pub struct Remembered {
    pub kept: Kept,
    pub last: LastSeen,
    /// How often the server was started since, with this time.
    pub starts: u32,
    /// As rows have him now; `None`: his account or his device is out.
    pub operator: Option<Operator>,
}

/// Whether the record says that it was over already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastSeen {
    Running,
    LetGo,
}

impl Rooms {
    /// The so many-th. Its ends may come back as to any that both have left; what may be no more is over, and they are told so.
    pub(crate) fn remember(&mut self, remembered: Remembered, place: usize, now: Now) {
        let Remembered { kept, last, starts, operator } = remembered;
        let session = kept.session;
        let operator = operator.unwrap_or_else(|| out(&kept, now));
        // Those to whom nobody comes back are not over all at one moment.
        let later = Duration::from_millis(u64::try_from(place).unwrap_or_default() * APART_MS);
        let until = now.instant + self.settings.resume_grace + later;
        let away = |token| Seat { token, place: Whereabouts::Gone { until } };
        let ends = now.instant + kept.left;
        let terms = Terms { grant: kept.grant, issued: kept.issued, ends };
        let paired = Paired {
            agent_seat: away(kept.agent_token),
            legs: starts.saturating_mul(LEGS_OF_A_RUN),
            leg_pace: Pace::new(self.settings.legs, now.instant),
            terms,
            distances: Distances::default(),
            held: match last {
                LastSeen::Running => Held::Remembered,
                LastSeen::LetGo => Held::LetGo,
            },
        };
        let out = operator.until <= now.instant;
        self.agenda.remind(until, Reminder::Room(session));
        self.agenda.remind(ends.min(operator.until), Reminder::Room(session));
        let room = Room {
            session,
            locator: kept.locator,
            persona: faceless(&self.issuer, session, operator.device),
            operator,
            operator_seat: away(kept.operator_token),
            wish: Wish { mode: kept.mode, reason: kept.reason },
            hellos: Vec::new(),
            used: 0,
            expires: now.instant,
            since: now.instant.checked_sub(kept.age).unwrap_or(now.instant),
            stage: Stage::Paired(Box::new(paired)),
        };
        let is_allowed = self.still_allows(&room, &terms) && !out;
        self.rooms.insert(session, room);
        if ends <= now.instant {
            self.end_room(session, CloseReason::TimeOver, None, now);
        } else if !is_allowed {
            self.end_room(session, CloseReason::Withdrawn, None, now);
        }
    }

    /// A session has begun. It must not without its record, nor without its row (T65, T17).
    pub(crate) fn keep_begun(&mut self, session: SessionId, what: What, now: Now) {
        let Some(kept) = self.rooms.get(&session).and_then(|room| kept(room, now)) else { return };
        let note = Some(self.noted(what, Some(session)));
        self.put(Output::Keep { row: Row::Running(Box::new(kept)), note });
    }
}

fn kept(room: &Room, now: Now) -> Option<Kept> {
    let Stage::Paired(paired) = &room.stage else { return None };
    Some(Kept {
        session: room.session,
        locator: room.locator,
        operator: room.operator.id.0,
        account: room.operator.name.clone(),
        device: room.operator.device,
        mode: room.wish.mode,
        reason: room.wish.reason.clone(),
        operator_token: room.operator_seat.token,
        agent_token: paired.agent_seat.token,
        grant: paired.terms.grant,
        issued: paired.terms.issued,
        age: now.instant.saturating_duration_since(room.since),
        left: paired.terms.ends.saturating_duration_since(now.instant),
    })
}

/// Whoever has no account or no device any more: nothing is allowed to him.
fn out(kept: &Kept, now: Now) -> Operator {
    Operator {
        id: OperatorId(kept.operator),
        name: kept.account.clone(),
        display_name: kept.account.clone(),
        modes: Vec::new(),
        groups: Vec::new(),
        device: kept.device,
        rights: Rights::NONE,
        certificate: Vec::new(),
        until: now.instant,
        certified_until: 0,
        confirmed_until: now.instant,
    }
}

/// Its number died long ago: nobody sees this face.
fn faceless(issuer: &Issuer, session: SessionId, device: DeviceKey) -> Persona {
    let (ice_ufrag, ice_pwd) = (String::new(), String::new());
    let facts = Facts { tenant: issuer.tenant, dtls_fingerprint: Digest([0; 32]), ice_ufrag, ice_pwd };
    Persona { session, facts, device }
}
