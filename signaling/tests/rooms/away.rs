//! A session whose ends come and go, or that its operator would hide: what is taken away ends it at the agent.

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::policy::exchange::SessionStage;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, OperatorToServer, RefusalReason, ResumeToken, ServerToAgent,
    ServerToOperator,
};
use tasuki_signaling::core::notes::What;
use tasuki_signaling::core::rooms::{ConnectionId, Input, Now, Operator, OperatorId, Output, Settings};

use crate::hall::{Hall, LENGTH_S, device, join, noted, only, seconds, to_agent, to_operator};
use crate::policy::publish;

pub(crate) const WITHDRAWN: ServerToAgent = ServerToAgent::Closed { reason: CloseReason::Withdrawn };

/// A session, and what its agent may come back with.
struct Running {
    hall: Hall,
    operator: ConnectionId,
    session: SessionId,
    agent: ConnectionId,
    token: ResumeToken,
}

fn begun() -> Running {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    let (agent, outputs) = hall.knock(9, locator);
    let token = token(&outputs, agent);
    hall.say(operator, OperatorToServer::Paired { session });
    Running { hall, operator, session, agent, token }
}

pub(crate) fn token(outputs: &[Output], agent: ConnectionId) -> ResumeToken {
    let met = to_agent(outputs, agent).into_iter().find_map(|message| {
        let ServerToAgent::Met { resume, .. } = message else { return None };
        Some(resume)
    });
    met.expect("it has met somebody")
}

impl Running {
    fn leaves(&mut self, connection: ConnectionId) {
        self.hall.turn(Input::Gone { connection });
    }

    /// The agent on a new connection, and what it is told there.
    fn comes_back(&mut self) -> (ConnectionId, Vec<Output>) {
        let agent = self.hall.agent(9);
        let (session, token) = (self.session, self.token);
        (agent, self.hall.ask(agent, AgentToServer::Resume { session, token }))
    }

    fn listed(&self) -> Vec<(SessionId, SessionStage)> {
        let now = Now { instant: self.hall.now, unix: self.hall.unix() };
        let sessions = self.hall.rooms.sessions(now);
        sessions.into_iter().map(|entry| (entry.session, entry.stage)).collect()
    }
}

pub(crate) type Decree = fn(&mut Hall, SessionId) -> Vec<Output>;

/// Everything that ends a session over its operator's head.
pub(crate) const DECREES: [Decree; 5] = [
    |hall, _| hall.turn(Input::Withdrawn { operator: OperatorId(1) }),
    |hall, _| hall.turn(Input::DeviceWithdrawn { device: device(1) }),
    |hall, session| hall.turn(Input::Ended { session }),
    |hall, _| publish(hall, 1, r#"{"default":{"screenshot":false}}"#),
    |hall, _| {
        let operator = Operator { modes: vec![Mode::View], ..hall.as_operator(1) };
        hall.turn(Input::OperatorChanged { operator: Box::new(operator) })
    },
];

#[test]
fn t17_t55_an_operator_who_stays_away_hides_no_session_and_keeps_none() {
    for decree in DECREES {
        let mut running = begun();
        running.leaves(running.operator);
        let outputs = running.hall.wait(seconds(200));
        assert_eq!(to_agent(&outputs, running.agent), []);
        assert_eq!(running.listed(), [(running.session, SessionStage::Paired)]);
        let outputs = decree(&mut running.hall, running.session);
        assert_eq!(to_agent(&outputs, running.agent), [WITHDRAWN]);
        assert_eq!(running.listed(), []);
    }
}

#[test]
fn t17_what_was_taken_away_while_the_agent_was_away_ends_there_when_it_comes_back() {
    for decree in DECREES {
        for (away, is_alone) in [(1, true), (200, true), (1, false), (200, false)] {
            let mut running = begun();
            running.leaves(running.agent);
            if !is_alone {
                running.leaves(running.operator);
            }
            let mut outputs = running.hall.wait(seconds(away));
            outputs.extend(decree(&mut running.hall, running.session));
            let over = noted(&outputs).into_iter().filter(|what| matches!(what, What::Over(..)));
            assert_eq!(over.count(), 1, "it is over once");
            for _ in 0..2 {
                let (agent, outputs) = running.comes_back();
                assert_eq!(to_agent(&outputs, agent), [WITHDRAWN]);
                running.hall.wait(seconds(60));
            }
        }
    }
}

/// T17, S65: the operator's program says that it is over, and keeps the path.
#[test]
fn t17_an_operator_who_says_that_a_session_is_over_ends_it_at_the_agent() {
    let closed = ServerToAgent::Closed { reason: CloseReason::OtherEnd };
    let mut running = begun();
    let close = OperatorToServer::Close { session: running.session };
    let outputs = running.hall.say(running.operator, close);
    assert_eq!(to_agent(&outputs, running.agent), std::slice::from_ref(&closed));

    let mut running = begun();
    running.leaves(running.agent);
    let close = OperatorToServer::Close { session: running.session };
    running.hall.say(running.operator, close);
    let (agent, outputs) = running.comes_back();
    assert_eq!(to_agent(&outputs, agent), [closed], "though it was away");
    let stranger = running.hall.agent(10);
    let (session, token) = (running.session, ResumeToken(tasuki_protocol::ids::Challenge([9; 32])));
    let outputs = running.hall.ask(stranger, AgentToServer::Resume { session, token });
    let reason = RefusalReason::Session;
    assert_eq!(to_agent(&outputs, stranger), [ServerToAgent::Refused { reason }]);
}

/// F2: a path between the ends may carry a session that neither can reach the server with.
#[test]
fn f2_a_session_that_both_ends_left_is_taken_up_again_and_can_still_be_ended() {
    let mut running = begun();
    running.leaves(running.agent);
    running.hall.wait(seconds(30));
    running.leaves(running.operator);
    let outputs = running.hall.wait(seconds(119));
    assert_eq!(noted(&outputs), []);
    let outputs = running.hall.wait(seconds(1));
    assert_eq!(noted(&outputs), [What::Over(CloseReason::Lost, None)]);
    assert_eq!((running.listed(), running.hall.rooms.occupancy()), (vec![], 0));
    running.hall.wait(seconds(1800));
    let (agent, outputs) = running.comes_back();
    let told = to_agent(&outputs, agent);
    assert!(told.contains(&ServerToAgent::Resumed), "{told:?}");
    assert_eq!(noted(&outputs), [What::TakenUp]);
    assert_eq!(running.listed(), [(running.session, SessionStage::Paired)]);
    let outputs = running.hall.turn(Input::Withdrawn { operator: OperatorId(1) });
    assert_eq!(to_agent(&outputs, agent), [WITHDRAWN]);
    assert_eq!(noted(&outputs), [What::Over(CloseReason::Withdrawn, None)]);
}

#[test]
fn t59_sessions_that_one_operator_leaves_behind_are_bounded() {
    let mut hall = Hall::new();
    let mut left = Vec::new();
    for address in 0..40 {
        let operator = hall.operator(1);
        let (session, locator) = hall.open(operator, 1);
        let (agent, outputs) = hall.knock(address, locator);
        left.push((session, token(&outputs, agent)));
        hall.say(operator, OperatorToServer::Paired { session });
        hall.turn(Input::Gone { connection: agent });
        hall.turn(Input::Gone { connection: operator });
        hall.wait(seconds(1));
    }
    hall.wait(seconds(130));
    let mut told = left.into_iter().map(|(session, token)| {
        let agent = hall.agent(9);
        let outputs = hall.ask(agent, AgentToServer::Resume { session, token });
        to_agent(&outputs, agent).remove(0)
    });
    // The oldest is over: its agent is told so, and does not go on unknown.
    assert!(told.by_ref().take(8).all(|told| told == WITHDRAWN));
    assert!(told.all(|told| told == ServerToAgent::Resumed));
}

#[test]
fn t59_what_agents_are_told_of_ended_sessions_is_bounded_and_the_oldest_give_way() {
    let mut hall = Hall::with(Settings { farewells: 4, ..Settings::default() }, []);
    let operator = hall.operator(1);
    let mut over = Vec::new();
    for address in 0..6 {
        let (session, locator) = hall.open(operator, 1);
        let (agent, outputs) = hall.knock(address, locator);
        over.push((session, token(&outputs, agent)));
        hall.say(operator, OperatorToServer::Paired { session });
        hall.turn(Input::Gone { connection: agent });
        hall.say(operator, OperatorToServer::Close { session });
    }
    let told = over.into_iter().map(|(session, token)| {
        let agent = hall.agent(9);
        let outputs = hall.ask(agent, AgentToServer::Resume { session, token });
        only(to_agent(&outputs, agent))
    });
    let (refused, closed) = (RefusalReason::Session, CloseReason::OtherEnd);
    let refused = ServerToAgent::Refused { reason: refused };
    let closed = ServerToAgent::Closed { reason: closed };
    let expected =
        [[refused.clone(), refused], [closed.clone(), closed.clone()], [closed.clone(), closed]];
    assert_eq!(told.collect::<Vec<_>>(), expected.concat());
}

/// T65: the operator's program pairs, and does not say so to the server.
#[test]
fn t65_a_pairing_that_the_server_never_heard_of_is_no_session() {
    let reason = RefusalReason::Number;
    for withdrawn in [true, false] {
        let mut hall = Hall::new();
        let operator = hall.operator(1);
        let (session, locator) = hall.open(operator, 1);
        let (agent, outputs) = hall.knock(9, locator);
        let token = token(&outputs, agent);
        hall.say(operator, OperatorToServer::Forward { session, body: Blob(vec![1]) });
        if withdrawn {
            let outputs = hall.turn(Input::Withdrawn { operator: OperatorId(1) });
            assert_eq!(to_agent(&outputs, agent), [WITHDRAWN], "at once");
        } else {
            let outputs = hall.wait(seconds(10));
            assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Refused { reason }]);
        }
        let again = hall.agent(9);
        let outputs = hall.ask(again, AgentToServer::Resume { session, token });
        assert_eq!(to_agent(&outputs, again), [WITHDRAWN]);
    }
}

/// T6: a guesser learns by coming back no more than by staying.
#[test]
fn t6_who_comes_back_after_a_wrong_number_hears_the_same_as_at_a_dead_one() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (_, locator) = hall.open(operator, 1);
    let nobody = (0..).map(|n| tasuki_protocol::number::Locator::try_from(n).unwrap());
    let nobody = nobody.into_iter().find(|other| *other != locator).unwrap();
    let mut told = Vec::new();
    for locator in [locator, nobody] {
        let agent = hall.agent(9);
        let outputs = hall.ask(agent, join(locator));
        let ServerToAgent::Met { session, resume: token, .. } = only(to_agent(&outputs, agent)) else {
            panic!()
        };
        hall.turn(Input::Gone { connection: agent });
        hall.wait(seconds(20));
        let again = hall.agent(9);
        let outputs = hall.ask(again, AgentToServer::Resume { session, token });
        told.push(to_agent(&outputs, again));
    }
    let reason = RefusalReason::Session;
    assert_eq!(told, vec![vec![ServerToAgent::Refused { reason }]; 2]);
}

/// S63, T55: where the operator is when his hours or his certificate end makes no difference.
#[test]
fn t55_a_session_ends_with_its_operators_hours_at_the_host_and_at_the_server() {
    let mut hall = Hall::new();
    let connection = hall.connection();
    let operator = Operator { until: hall.now + seconds(100), ..hall.as_operator(1) };
    hall.turn(Input::OperatorHere { connection, operator: operator.clone() });
    let (session, locator) = hall.open(connection, 1);
    let (agent, outputs) = hall.knock(9, locator);
    let ServerToOperator::Arrived { manifest, .. } = only(to_operator(&outputs, connection)) else {
        panic!()
    };
    let signer = ed25519_dalek::SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
    let signer = tasuki_protocol::ids::DeviceKey(signer);
    let manifest: tasuki_protocol::manifest::Manifest =
        tasuki_protocol::dsse::open(&manifest.0, &[signer]).unwrap();
    assert!(manifest.length <= 100 && LENGTH_S > 100, "the host ends by itself");
    hall.say(connection, OperatorToServer::Paired { session });
    hall.turn(Input::Gone { connection });
    // They end earlier than they were to.
    let sooner = Operator { until: hall.now + seconds(50), ..operator };
    hall.turn(Input::OperatorChanged { operator: Box::new(sooner) });
    assert_eq!(to_agent(&hall.wait(seconds(49)), agent), []);
    assert_eq!(to_agent(&hall.wait(seconds(1)), agent), [WITHDRAWN]);
}

/// S63: as often as they are changed, and whichever way.
#[test]
fn s63_hours_that_are_lengthened_and_shortened_again_end_a_session_when_they_say_so() {
    let mut running = begun();
    let (start, as_he_is) = (running.hall.now, running.hall.as_operator(1));
    for until in (200..1200).chain([700, 900]) {
        let operator = Operator { until: start + seconds(until), ..as_he_is.clone() };
        running.hall.turn(Input::OperatorChanged { operator: Box::new(operator) });
    }
    assert_eq!(to_agent(&running.hall.wait(seconds(899)), running.agent), []);
    assert_eq!(to_agent(&running.hall.wait(seconds(1)), running.agent), [WITHDRAWN]);
}

/// S65, T55: nobody is reminded of it by an end that comes or goes.
#[test]
fn s65_t55_a_session_that_both_ends_left_for_long_ends_with_its_length_and_its_operators_hours() {
    for (until, over) in [(LENGTH_S * 2, CloseReason::TimeOver), (1800, CloseReason::Withdrawn)] {
        for returns in [true, false] {
            let mut running = begun();
            let at = running.hall.now + seconds(until);
            let operator = Operator { until: at, ..running.hall.as_operator(1) };
            running.hall.turn(Input::OperatorChanged { operator: Box::new(operator) });
            running.leaves(running.agent);
            running.leaves(running.operator);
            running.hall.wait(seconds(200));
            let agent = returns.then(|| running.comes_back().0);
            let ends = until.min(LENGTH_S);
            running.hall.wait(seconds(ends - 201));
            assert_eq!(running.hall.rows.len(), 1, "not yet");
            let outputs = running.hall.wait(seconds(1));
            let told = ServerToAgent::Closed { reason: over };
            agent.inspect(|agent| assert_eq!(to_agent(&outputs, *agent), [told]));
            assert!(running.hall.rows.is_empty(), "{over:?}: its row is gone");
        }
    }
}
