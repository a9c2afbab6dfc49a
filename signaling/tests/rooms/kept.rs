//! Sessions that outlive a restart of the server: who comes back to one, and how it ends (F2, T17).

use std::time::Duration;

use tasuki_protocol::ids::{Challenge, SessionId};
use tasuki_protocol::policy::exchange::{SessionEntry, SessionStage};
use tasuki_protocol::policy::{POLICY_FORM, Policy};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, OperatorToServer, Presence, RefusalReason, ResumeToken, ServerToAgent,
    ServerToOperator,
};
use tasuki_signaling::core::kept::Kept;
use tasuki_signaling::core::notes::What;
use tasuki_signaling::core::rooms::{ConnectionId, Input, Now, Operator, Output};

use crate::away::{DECREES, WITHDRAWN, token};
use crate::hall::{Hall, LENGTH_S, TENANT, device, noted, only, seconds, to_agent, to_operator};

const REFUSED: ServerToAgent = ServerToAgent::Refused { reason: RefusalReason::Session };

/// Which of the two ends come back after the restart.
const RETURNS: [[bool; 2]; 3] = [[true, true], [true, false], [false, true]];

struct Before {
    hall: Hall,
    operator: ConnectionId,
    agent: ConnectionId,
    session: SessionId,
    agent_token: ResumeToken,
    operator_token: ResumeToken,
}

fn begun() -> Before {
    begun_in(Hall::new(), 1)
}

/// Of the operator with this number.
fn begun_in(mut hall: Hall, id: u8) -> Before {
    let operator = hall.operator(id);
    let message = OperatorToServer::OpenRoom {
        mode: Mode::Control,
        hellos: crate::hall::hellos(id),
        reason: Some("ticket 7".to_owned()),
    };
    let outputs = hall.say(operator, message);
    let opened = only(to_operator(&outputs, operator));
    let ServerToOperator::RoomOpened { session, locator, resume: operator_token, .. } = opened else {
        panic!("{opened:?}")
    };
    let (agent, outputs) = hall.knock(u32::from(id), locator);
    let agent_token = token(&outputs, agent);
    hall.say(operator, OperatorToServer::Paired { session });
    Before { hall, operator, agent, session, agent_token, operator_token }
}

/// Who may all that he might before.
fn as_before(hall: &Hall, kept: &Kept) -> Option<Operator> {
    Some(hall.as_operator(u8::try_from(kept.operator).unwrap()))
}

impl Before {
    fn restart(&mut self, down: Duration) -> Vec<Output> {
        self.hall.restart(down, as_before)
    }

    /// The agent on a new connection, and what it is told there.
    fn agent_returns(&mut self) -> (ConnectionId, Vec<Output>) {
        let agent = self.hall.agent(9);
        let (session, token) = (self.session, self.agent_token);
        (agent, self.hall.ask(agent, AgentToServer::Resume { session, token }))
    }

    fn operator_returns(&mut self) -> (ConnectionId, Vec<Output>) {
        let operator = self.hall.operator(1);
        let (session, token) = (self.session, self.operator_token);
        (operator, self.hall.say(operator, OperatorToServer::Resume { session, token }))
    }

    fn listed(&self) -> Vec<SessionEntry> {
        self.hall.rooms.sessions(Now { instant: self.hall.now, unix: self.hall.unix() })
    }
}

/// Who is told that it is over, when he comes back.
fn is_told(before: &mut Before) -> ServerToAgent {
    let (agent, outputs) = before.agent_returns();
    only(to_agent(&outputs, agent))
}

#[test]
fn f2_a_session_of_before_a_restart_stands_in_the_list_as_it_was_and_is_taken_up_once() {
    for returns in RETURNS {
        let mut before = begun();
        before.hall.wait(seconds(300));
        let as_it_was = before.listed();
        assert!(before.restart(Duration::ZERO).is_empty());
        assert_eq!(before.listed(), as_it_was);
        assert_eq!((as_it_was[0].stage, as_it_was[0].age_s), (SessionStage::Paired, 300));
        before.hall.wait(seconds(60));
        let mut outputs = Vec::new();
        if returns[0] {
            let (operator, told) = before.operator_returns();
            let resumed = ServerToOperator::Resumed { session: before.session };
            assert!(to_operator(&told, operator).contains(&resumed), "{told:?}");
            outputs.extend(told);
        }
        if returns[1] {
            let (agent, told) = before.agent_returns();
            assert!(to_agent(&told, agent).contains(&ServerToAgent::Resumed), "{told:?}");
            outputs.extend(told);
        }
        assert_eq!(noted(&outputs), [What::TakenUp], "once");
        // Whether or not the other ever comes.
        before.hall.wait(seconds(1000));
        assert_eq!(before.listed().len(), 1, "{returns:?}");
    }
}

#[test]
fn t17_what_is_taken_away_after_a_restart_ends_at_the_agent_as_ever() {
    for decree in DECREES {
        for [operator, agent] in RETURNS {
            let mut before = begun();
            before.restart(seconds(20));
            if operator {
                before.operator_returns();
            }
            let came = agent.then(|| before.agent_returns().0);
            let outputs = decree(&mut before.hall, before.session);
            assert_eq!(noted(&outputs), [What::Over(CloseReason::Withdrawn, None)]);
            assert_eq!(before.listed(), []);
            match came {
                Some(agent) => assert_eq!(to_agent(&outputs, agent), [WITHDRAWN]),
                None => assert_eq!(is_told(&mut before), WITHDRAWN),
            }
            assert!(before.hall.rows.is_empty());
        }
    }
}

#[test]
fn t17_an_administrator_ends_a_session_before_either_end_is_back() {
    let mut before = begun();
    before.restart(seconds(20));
    before.hall.turn(Input::Ended { session: before.session });
    assert_eq!(is_told(&mut before), WITHDRAWN);
}

/// T17: however it ended, and whether or not the agent heard of it.
#[test]
fn t17_what_was_over_before_a_restart_stays_so() {
    type End = fn(&mut Before);
    let ends: [End; 4] = [
        |before| drop(before.hall.turn(Input::Ended { session: before.session })),
        |before| {
            let close = OperatorToServer::Close { session: before.session };
            before.hall.say(before.operator, close);
        },
        |before| drop(before.hall.ask(before.agent, AgentToServer::Close)),
        |before| drop(before.hall.wait(seconds(LENGTH_S))),
    ];
    for (end, is_away) in ends.into_iter().zip([true, true, false, true]) {
        let mut before = begun();
        if is_away {
            before.hall.turn(Input::Gone { connection: before.agent });
        }
        end(&mut before);
        assert!(before.restart(seconds(5)).is_empty());
        assert_eq!((before.listed(), is_told(&mut before)), (vec![], REFUSED));
        let (operator, outputs) = before.operator_returns();
        let reason = RefusalReason::Session;
        assert_eq!(to_operator(&outputs, operator), [ServerToOperator::Refused { reason }]);
        assert_eq!(before.listed(), []);
    }
}

#[test]
fn t17_who_may_no_more_when_the_server_starts_has_no_session_left() {
    type Who = fn(&Hall, &Kept) -> Option<Operator>;
    let who: [Who; 5] = [
        |_, _| None,
        |hall, kept| as_before(hall, kept).map(|who| Operator { modes: vec![Mode::View], ..who }),
        |hall, kept| as_before(hall, kept).map(|who| Operator { until: hall.now, ..who }),
        |hall, kept| {
            let rights = tasuki_protocol::rights::Rights::NONE;
            as_before(hall, kept).map(|who| Operator { rights, ..who })
        },
        as_before,
    ];
    for (place, who) in who.into_iter().enumerate() {
        let mut before = begun();
        if place == 4 {
            let rules = serde_json::from_str(r#"{"default":{"screenshot":false}}"#).unwrap();
            before.hall.policy =
                Policy { v: POLICY_FORM, tenant: TENANT, version: 1, issued_at: 0, rules };
        }
        let outputs = before.hall.restart(seconds(30), who);
        assert_eq!(noted(&outputs), [What::Over(CloseReason::Withdrawn, None)], "{place}");
        assert_eq!((before.listed(), is_told(&mut before)), (vec![], WITHDRAWN), "{place}");
        assert!(before.hall.rows.is_empty());
    }
}

/// T17, T56: what this server gave to the two ends, and to nobody else.
#[test]
fn t17_t56_nobody_takes_up_somebody_elses_session() {
    let mut other = begun_in(Hall::new(), 2);
    let theirs = (other.session, other.agent_token, other.operator_token);
    let mut before = begun_in(std::mem::replace(&mut other.hall, Hall::new()), 1);
    before.restart(seconds(10));
    let (session, token) = (before.session, before.operator_token);
    let wrong = [theirs.1, theirs.2, token, ResumeToken(Challenge([0; 32]))];
    for token in wrong {
        let stranger = before.hall.agent(9);
        let outputs = before.hall.ask(stranger, AgentToServer::Resume { session, token });
        assert_eq!(to_agent(&outputs, stranger), [REFUSED]);
    }
    // The other operator, who has the token; and the same account at another device.
    let at_another = Operator { device: device(7), ..before.hall.as_operator(1) };
    for operator in [before.hall.as_operator(2), at_another] {
        let connection = before.hall.connection();
        before.hall.turn(Input::OperatorHere { connection, operator });
        let outputs = before.hall.say(connection, OperatorToServer::Resume { session, token });
        let reason = RefusalReason::Session;
        assert_eq!(to_operator(&outputs, connection), [ServerToOperator::Refused { reason }]);
    }
    let (operator, outputs) = before.operator_returns();
    let presence = Presence::Gone;
    let told =
        [ServerToOperator::Resumed { session }, ServerToOperator::AgentPresence { session, presence }];
    assert_eq!(to_operator(&outputs, operator), told, "nobody has the agent's place");
}

#[test]
fn s65_a_length_counts_from_the_beginning_over_every_restart() {
    let mut before = begun();
    before.hall.wait(seconds(600));
    for _ in 0..2 {
        before.restart(seconds(600));
        before.operator_returns();
    }
    let (agent, _) = before.agent_returns();
    assert_eq!(before.listed()[0].left_s, LENGTH_S - 1800);
    assert_eq!(to_agent(&before.hall.wait(seconds(LENGTH_S - 1801)), agent), []);
    let reason = CloseReason::TimeOver;
    assert_eq!(to_agent(&before.hall.wait(seconds(1)), agent), [ServerToAgent::Closed { reason }]);
    // And where it was over while the server was away.
    let mut before = begun();
    let outputs = before.restart(seconds(LENGTH_S));
    assert_eq!(noted(&outputs), [What::Over(CloseReason::TimeOver, None)]);
    assert!(before.hall.rows.is_empty());
}

#[test]
fn f2_a_session_to_which_nobody_comes_back_is_over_once_and_can_be_taken_up_after_all() {
    let mut before = begun();
    before.restart(seconds(10));
    assert_eq!(noted(&before.hall.wait(seconds(119))), []);
    let outputs = before.hall.wait(seconds(1));
    assert_eq!(noted(&outputs), [What::Over(CloseReason::Lost, None)]);
    before.restart(seconds(10));
    assert_eq!(noted(&before.hall.wait(seconds(500))), [], "the record says so already");
    assert_eq!(before.listed(), []);
    let (_, outputs) = before.agent_returns();
    assert_eq!(noted(&outputs), [What::TakenUp]);
    before.restart(seconds(10));
    assert_eq!(before.listed().len(), 1, "it runs again");
}

/// T45: an end takes no leg that is not newer than all before.
#[test]
fn t45_legs_after_a_restart_are_newer_than_all_before() {
    let mut before = begun();
    let mut last = 0;
    for _ in 0..3 {
        let operator = before.operator_returns().0;
        before.agent_returns();
        for _ in 0..4 {
            let outputs =
                before.hall.say(operator, OperatorToServer::NeedLeg { session: before.session });
            let ServerToOperator::Leg { leg, .. } = only(to_operator(&outputs, operator)) else {
                panic!("{outputs:?}")
            };
            assert!(leg.number > last, "{} after {last}", leg.number);
            last = leg.number;
        }
        before.restart(Duration::ZERO);
    }
}

/// Its number may be another's by then.
#[test]
fn a_session_of_before_takes_nobodys_number_with_it() {
    let mut before = begun();
    before.restart(seconds(5));
    let operator = before.hall.operator(2);
    let (session, locator) = before.hall.open(operator, 2);
    let mut long_ago = before.hall.rows[0].0.clone();
    (long_ago.session, long_ago.locator) = (SessionId([9; 16]), locator);
    before.hall.rows[0] = (long_ago, before.hall.rows[0].1, before.hall.now, 1);
    let (kept, last, _, starts) = before.hall.rows[0].clone();
    let who = as_before(&before.hall, &kept);
    let remembered = tasuki_signaling::core::kept::Remembered { kept, last, starts, operator: who };
    before.hall.turn(Input::Remembered { sessions: vec![remembered] });
    before.hall.turn(Input::Ended { session: SessionId([9; 16]) });
    let (_, outputs) = before.hall.knock(77, locator);
    let arrived = to_operator(&outputs, operator);
    assert!(
        matches!(&arrived[..], [ServerToOperator::Arrived { session: whose, .. }] if *whose == session),
        "{arrived:?}"
    );
}

/// T55: what is kept of a session lets nobody come back to it who reads it.
#[test]
fn t55_nothing_that_is_kept_of_a_session_is_what_lets_an_end_come_back() {
    let before = begun();
    let kept: Vec<&Kept> = before.hall.rows.iter().map(|(kept, ..)| kept).collect();
    let kept = serde_json::to_string(&kept).unwrap();
    assert!(kept.contains("operator_token"), "{kept}");
    for token in [before.agent_token, before.operator_token] {
        let word = serde_json::to_string(&token).unwrap();
        assert!(!kept.contains(word.trim_matches('"')), "{kept}");
    }
}
