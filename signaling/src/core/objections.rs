//! What an end says that it turns away from at the door, and when its word is written down (T7, T16).
//!
//! The manifest passed through here and is judged by the ends alone; so is what they agreed. A stranger's word
//! counts for nothing: an agent's only once the operator's end has answered its proof of the number, and
//! either end's once an attempt, as it closes it.

use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::Witness;
use tasuki_protocol::objection::Objection;
use tasuki_protocol::signal::CloseReason;

use super::agents::AgentState;
use super::notes::What;
use super::room::{Meeting, Stage};
use super::rooms::{ConnectionId, Now, Rooms};

impl Rooms {
    pub(crate) fn operator_objects(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        attempt: u8,
        why: Objection,
        now: Now,
    ) {
        let Some(room) = self.own(connection, session) else { return };
        if matches!(&room.stage, Stage::Meeting(meeting) if meeting.attempt == attempt) {
            self.note(What::Objected(Witness::Operator, attempt, why), Some(session));
            if why == Objection::TranscriptMismatch {
                // The agent may hold what passed for a pairing: it hears that its number counts no more.
                self.fail_attempt(session, now);
            }
        }
        self.end_room(session, CloseReason::OtherEnd, Some(connection), now);
    }

    pub(crate) fn agent_objects(&mut self, connection: ConnectionId, why: Objection, now: Now) {
        if let Some((session, attempt)) = self.objected_by(connection, now) {
            self.note(What::Objected(Witness::Agent, attempt, why), Some(session));
        }
        self.agent_closes(connection, now);
    }

    /// The attempt that the agent means.
    fn objected_by(&self, connection: ConnectionId, now: Now) -> Option<(SessionId, u8)> {
        let session = match &self.agents.get(&connection)?.state {
            AgentState::Idle | AgentState::Knocking(_) => return None,
            AgentState::Answered(answered) => answered.session?,
            AgentState::Paired(session) => *session,
        };
        let room = self.rooms.get(&session)?;
        let attempt = match &room.stage {
            Stage::Opening(_) | Stage::Waiting | Stage::Burning(_) => None,
            Stage::Meeting(Meeting { agent, attempt, replies, .. }) => {
                (*agent == connection && *replies > 0).then_some(*attempt)
            }
            // The operator's last word on the attempt came first. Nobody is at the door for long.
            Stage::Paired(paired) => {
                let within = self.settings.pairing_within;
                let is_new = paired.terms.met().is_some_and(|met| now.instant < met + within);
                is_new.then(|| room.used.saturating_sub(1))
            }
        };
        attempt.map(|attempt| (session, attempt))
    }
}
