//! Which relay a session's legs are joined at.

use tasuki_protocol::signal::{AgentToServer, OperatorToServer, ServerToAgent, ServerToOperator};
use tasuki_signaling::core::rooms::{ConnectionId, Output};

use crate::hall::{Hall, only, to_agent, to_operator};

struct Session {
    hall: Hall,
    operator: ConnectionId,
    agent: ConnectionId,
    room: crate::hall::Room,
}

impl Session {
    fn begin(relays: &[&str]) -> Self {
        let mut hall = Hall::with_relays(relays);
        let operator = hall.operator(1);
        let room = hall.open(operator, 1);
        let agent = hall.pair(operator, room, 9);
        Self { hall, operator, agent, room }
    }

    /// At which relay the next leg is, for both ends the same.
    fn leg(&mut self) -> String {
        let ask = OperatorToServer::NeedLeg { session: self.room.0 };
        let outputs = self.hall.say(self.operator, ask);
        let told = to_operator(&outputs, self.operator);
        let ServerToOperator::Leg { leg: ours, .. } = only(told) else { panic!() };
        let ServerToAgent::Leg { leg: theirs } = only(to_agent(&outputs, self.agent)) else { panic!() };
        assert_eq!(ours.relay, theirs.relay);
        ours.relay.unwrap().host
    }

    fn operator_says(&mut self, times: &[Option<u16>]) -> Vec<Output> {
        let times = OperatorToServer::RelayTimes { session: self.room.0, times: times.to_vec() };
        self.hall.say(self.operator, times)
    }

    fn agent_says(&mut self, times: &[Option<u16>]) -> Vec<Output> {
        self.hall.ask(self.agent, AgentToServer::RelayTimes { times: times.to_vec() })
    }
}

#[test]
fn s84_the_first_leg_goes_to_the_relay_between_which_and_both_ends_the_way_is_shortest() {
    let mut session = Session::begin(&["tokyo", "osaka", "lost"]);
    session.operator_says(&[Some(5), Some(60), Some(1)]);
    assert_eq!(session.leg(), "lost");
    session.agent_says(&[Some(250), Some(30), None]);
    // Leg by leg: the second of the new order, the last, and the first again.
    assert_eq!([session.leg(), session.leg(), session.leg()], ["tokyo", "lost", "osaka"]);
}

#[test]
fn f3_without_times_the_legs_of_a_session_go_from_relay_to_relay() {
    let mut session = Session::begin(&["tokyo", "osaka"]);
    assert_eq!([session.leg(), session.leg(), session.leg()], ["tokyo", "osaka", "tokyo"]);
}

/// What fits no list of relays is as never said, and ends nobody's session.
#[test]
fn t56_times_of_other_relays_or_of_anothers_session_choose_nothing() {
    let mut session = Session::begin(&["tokyo", "osaka"]);
    for times in [&[][..], &[None], &[Some(9), Some(1), Some(1)]] {
        assert_eq!(session.operator_says(times), []);
        assert_eq!(session.agent_says(times), []);
    }
    let other = session.hall.operator(2);
    let times = vec![Some(9), Some(1)];
    let lie = OperatorToServer::RelayTimes { session: session.room.0, times };
    assert_eq!(session.hall.say(other, lie), []);
    assert_eq!(session.leg(), "tokyo");
}
