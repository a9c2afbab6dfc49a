//! How far the relays are from the two ends of a session, as they measured it.
//!
//! Decides which relay a leg is joined at: the one with the shortest way from end to end, then the
//! next, and after the last the first again. What an end says decides nothing but that.

use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::signal::{RelayAddress, ServerToAgent, ServerToOperator};

use super::agents::AgentState;
use super::room::Room;
use super::rooms::{ConnectionId, Rooms};

/// What stands for a relay that an end did not reach: farther than any that it did.
const UNREACHED_MS: u32 = 100_000;

/// Milliseconds to each relay; an end that has not said counts for nothing.
#[derive(Debug, Default)]
pub(crate) struct Distances {
    operator: Vec<Option<u16>>,
    agent: Vec<Option<u16>>,
}

impl Distances {
    fn hear(&mut self, role: Role, times: Vec<Option<u16>>) {
        match role {
            Role::Operator => self.operator = times,
            Role::Agent => self.agent = times,
        }
    }

    /// The place in the list of `count` relays of a session's `leg`, which counts from 1.
    pub(crate) fn relay_of(&self, leg: u32, count: usize) -> usize {
        let mut nearest: Vec<usize> = (0..count).collect();
        nearest.sort_by_key(|relay| self.way_through(*relay));
        let turn = usize::try_from(leg.saturating_sub(1)).unwrap_or_default();
        nearest.get(turn.checked_rem(count).unwrap_or_default()).copied().unwrap_or_default()
    }

    /// From one end through the relay to the other.
    fn way_through(&self, relay: usize) -> u32 {
        let part = |times: &Vec<Option<u16>>| match times.get(relay) {
            Some(Some(ms)) => u32::from(*ms),
            Some(None) => UNREACHED_MS,
            None => 0,
        };
        part(&self.operator) + part(&self.agent)
    }
}

impl Rooms {
    /// Both ends, where there is something to choose.
    pub(crate) fn ask_how_far(
        &mut self,
        operator: ConnectionId,
        agent: ConnectionId,
        session: SessionId,
    ) {
        let places = self.issuer.relays.iter().map(|relay| relay.address.clone());
        let relays: Option<Vec<RelayAddress>> = places.collect();
        let Some(relays) = relays.filter(|relays| relays.len() > 1) else { return };
        self.tell_operator(operator, ServerToOperator::Relays { session, relays: relays.clone() });
        self.tell_agent(agent, ServerToAgent::Relays { relays });
    }

    /// What comes too late, or is of other relays, is as never said.
    pub(crate) fn operator_measured(
        &mut self,
        connection: ConnectionId,
        session: SessionId,
        times: Vec<Option<u16>>,
    ) {
        let fits = times.len() == self.issuer.relays.len();
        if let Some(paired) = self.own(connection, session).and_then(Room::paired).filter(|_| fits) {
            paired.distances.hear(Role::Operator, times);
        }
    }

    pub(crate) fn agent_measured(&mut self, connection: ConnectionId, times: Vec<Option<u16>>) {
        let fits = times.len() == self.issuer.relays.len();
        let state = self.agents.get(&connection).map(|agent| &agent.state);
        let Some(AgentState::Paired(session)) = state else { return };
        let room = self.rooms.get_mut(session);
        if let Some(paired) = room.and_then(Room::paired).filter(|_| fits) {
            paired.distances.hear(Role::Agent, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(distances: &Distances, count: usize) -> Vec<usize> {
        (1..=4).map(|leg| distances.relay_of(leg, count)).collect()
    }

    #[test]
    fn f3_unmeasured_relays_are_taken_in_turn() {
        assert_eq!(order(&Distances::default(), 3), [0, 1, 2, 0]);
        assert_eq!(order(&Distances::default(), 1), [0, 0, 0, 0]);
        assert_eq!(order(&Distances::default(), 0), [0, 0, 0, 0]);
    }

    #[test]
    fn s84_the_shortest_way_from_end_to_end_comes_first_and_the_unreached_last() {
        let mut distances = Distances::default();
        distances.hear(Role::Operator, vec![Some(10), Some(80), None]);
        assert_eq!(order(&distances, 3), [0, 1, 2, 0]);
        distances.hear(Role::Agent, vec![Some(200), Some(20), Some(1)]);
        assert_eq!(order(&distances, 3), [1, 0, 2, 1]);
    }

    #[test]
    fn times_for_other_relays_than_there_are_are_borne() {
        let mut distances = Distances::default();
        distances.hear(Role::Agent, vec![None; 7]);
        assert_eq!(order(&distances, 2), [0, 1, 0, 1]);
    }
}
