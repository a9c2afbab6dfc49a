//! What an administrator may see of the rooms: whose they are, in which mode, since when.
//!
//! It tells nothing of agents, of which the server knows nothing worth telling.

use std::time::Duration;

use tasuki_protocol::policy::exchange::{SessionEntry, SessionStage};

use super::room::{Meeting, Room, Stage};
use super::rooms::{Now, Rooms};

impl Rooms {
    /// All rooms that an end is in, the oldest first.
    pub fn sessions(&self, now: Now) -> Vec<SessionEntry> {
        let mut rooms: Vec<&Room> = self.rooms.values().filter(|room| room.is_held()).collect();
        rooms.sort_by_key(|room| room.since);
        rooms.into_iter().map(|room| entry(room, now)).collect()
    }
}

fn entry(room: &Room, now: Now) -> SessionEntry {
    let (stage, ends) = match &room.stage {
        Stage::Opening(_) | Stage::Waiting | Stage::Burning(_) => (SessionStage::Waiting, room.expires),
        Stage::Meeting(Meeting { .. }) => (SessionStage::Meeting, room.expires),
        Stage::Paired(paired) => (SessionStage::Paired, paired.terms.ends),
    };
    let seconds = |span: Duration| span.as_secs();
    SessionEntry {
        session: room.session,
        operator: room.operator.name.clone(),
        display_name: room.operator.display_name.clone(),
        mode: room.wish.mode,
        stage,
        age_s: seconds(now.instant.saturating_duration_since(room.since)),
        left_s: seconds(ends.saturating_duration_since(now.instant)),
        reason: room.wish.reason.clone(),
    }
}
