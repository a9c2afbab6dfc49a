//! From a number's opening to a session's end.

use std::time::Duration;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{Challenge, DeviceKey, PROTOCOL_VERSION, Role, SessionId};
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::number::Locator;
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, MAX_FORWARD, OperatorToServer, RefusalReason, ResumeToken,
    ServerToAgent, ServerToOperator,
};
use tasuki_protocol::terms::Approval;
use tasuki_protocol::ticket::TicketKey;
use tasuki_signaling::core::notes::What;
use tasuki_signaling::core::rooms::{Input, OperatorId, Output, Settings};

use crate::hall::{
    Hall, LENGTH_S, device, hellos, hung_up, noted, only, seconds, to_agent, to_operator,
};

fn closed(session: SessionId, reason: CloseReason) -> ServerToOperator {
    ServerToOperator::Closed { session, reason }
}

fn refused(reason: RefusalReason) -> ServerToOperator {
    ServerToOperator::Refused { reason }
}

#[test]
fn t13_the_manifest_is_bound_to_both_keys_and_the_challenge_and_not_wider_than_its_mode() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    let (_, outputs) = hall.knock(9, locator);
    let ServerToOperator::Arrived { hello, manifest, .. } = only(to_operator(&outputs, operator))
    else {
        panic!()
    };
    let hello = tasuki_protocol::hello::Hello::decode(&hello.0).unwrap();
    let signer = DeviceKey(ed25519_dalek::SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes());
    let manifest: Manifest = dsse::open(&manifest.0, &[signer]).unwrap();
    assert_eq!((manifest.session, manifest.mode), (session, Mode::Control));
    assert_eq!((manifest.operator_key, manifest.agent_key), (device(1), hello.device));
    assert_eq!((manifest.challenge, manifest.length), (hello.challenge, LENGTH_S));
    assert!(manifest.capabilities.is_within(Mode::Control.ceiling()));
    assert!(!manifest.capabilities.has(Capability::Reconnect));
    assert_eq!((manifest.files.fetch, manifest.files.send), (Approval::Ask, Approval::Ask));
}

#[test]
fn t5_a_number_dies_after_ten_minutes_and_is_not_given_out_again_for_ten_more() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    assert_eq!(to_operator(&hall.wait(seconds(599)), operator), []);
    let outputs = hall.wait(seconds(1));
    assert_eq!(to_operator(&outputs, operator), [closed(session, CloseReason::Expired)]);
    let (_, outputs) = hall.knock(9, locator);
    assert_eq!(to_operator(&outputs, operator), []);
}

#[test]
fn t5_a_number_serves_once() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    hall.pair(operator, room, 9);
    let (second, outputs) = hall.knock(10, room.1);
    assert_eq!(to_operator(&outputs, operator), []);
    assert!(matches!(to_agent(&outputs, second).as_slice(), [ServerToAgent::Met { .. }]));
    let outputs = hall.wait(seconds(2));
    let reason = RefusalReason::Number;
    assert_eq!(to_agent(&outputs, second), [ServerToAgent::Refused { reason }]);
}

#[test]
fn t5_cancelling_and_signing_out_kill_a_number() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (first, one) = hall.open(operator, 1);
    hall.say(operator, OperatorToServer::Close { session: first });
    let (second, two) = hall.open(operator, 1);
    let outputs = hall.turn(Input::Withdrawn { operator: OperatorId(1) });
    assert_eq!(to_operator(&outputs, operator), [closed(second, CloseReason::Withdrawn)]);
    assert!(hung_up(&outputs, operator));
    for locator in [one, two] {
        let (_, outputs) = hall.knock(9, locator);
        assert_eq!(to_operator(&outputs, operator), []);
    }
}

#[test]
fn t17_a_disabled_operators_session_ends_at_both_ends_at_once() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    let outputs = hall.turn(Input::Withdrawn { operator: OperatorId(1) });
    let reason = CloseReason::Withdrawn;
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Closed { reason }]);
    assert_eq!(to_operator(&outputs, operator), [closed(room.0, reason)]);
}

/// S53: what an operator's line says once he is out is no agent's refusal, and takes none of theirs from the ledger.
#[test]
fn s53_whoever_was_withdrawn_is_taken_for_no_agent_whatever_his_line_still_says() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    hall.turn(Input::Withdrawn { operator: OperatorId(1) });
    let reason = RefusalReason::Message;
    for _ in 0..100 {
        let outputs = hall.turn(Input::NotUnderstood { connection: operator, reason });
        assert_eq!((noted(&outputs), to_agent(&outputs, operator)), (vec![], vec![]));
    }
    let (agent, _) = hall.knock(9, Locator::try_from(1).unwrap());
    let outputs = hall.turn(Input::NotUnderstood { connection: agent, reason });
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Refused { reason }]);
    assert!(matches!(noted(&outputs).as_slice(), [What::Refused(..)]), "an agent's own is noted");
}

#[test]
fn a_session_ends_with_its_manifests_length_also_at_the_server() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    assert_eq!(to_agent(&hall.wait(seconds(LENGTH_S - 1)), agent), []);
    let outputs = hall.wait(seconds(1));
    let reason = CloseReason::TimeOver;
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Closed { reason }]);
    assert_eq!(to_operator(&outputs, operator), [closed(room.0, reason)]);
}

#[test]
fn an_end_that_stays_away_loses_no_session_while_the_other_is_here() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    hall.turn(Input::Gone { connection: agent });
    assert_eq!(to_operator(&hall.wait(seconds(600)), operator), []);
    let outputs = hall.say(operator, OperatorToServer::NeedLedgerTicket { session: room.0 });
    let told = only(to_operator(&outputs, operator));
    assert!(matches!(told, ServerToOperator::LedgerTicket { .. }), "{told:?}");
}

#[test]
fn a_second_agent_never_comes_into_an_attempt() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    let (first, _) = hall.knock(9, locator);
    let (second, outputs) = hall.knock(10, locator);
    assert_eq!(to_operator(&outputs, operator), []);
    let body = Blob(vec![2; 10]);
    let outputs = hall.ask(second, AgentToServer::Forward { body: body.clone() });
    assert_eq!(to_operator(&outputs, operator), []);
    let outputs = hall.say(operator, OperatorToServer::Forward { session, body: body.clone() });
    assert_eq!(to_agent(&outputs, first), [ServerToAgent::Forwarded { body }]);
    assert_eq!(to_agent(&outputs, second), []);
}

#[test]
fn a_slow_line_has_ten_seconds_once_the_operators_end_has_answered() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    let (agent, _) = hall.knock(9, locator);
    hall.wait(Duration::from_millis(1_900));
    hall.say(operator, OperatorToServer::Forward { session, body: Blob(vec![1]) });
    assert_eq!(to_agent(&hall.wait(seconds(8)), agent), []);
    hall.say(operator, OperatorToServer::Paired { session });
    assert_eq!(to_agent(&hall.wait(seconds(60)), agent), []);
    let outputs = hall.ask(agent, AgentToServer::Close);
    assert_eq!(to_operator(&outputs, operator), [closed(session, CloseReason::OtherEnd)]);
}

#[test]
fn t56_another_operators_session_answers_as_one_that_does_not_exist() {
    let mut hall = Hall::new();
    let (operator, other) = (hall.operator(1), hall.operator(2));
    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    let nowhere = SessionId([0; 16]);
    let token = ResumeToken(Challenge([0; 32]));
    for session in [room.0, nowhere] {
        for message in [
            OperatorToServer::Forward { session, body: Blob(vec![1]) },
            OperatorToServer::NeedLeg { session },
            OperatorToServer::Resume { session, token },
            OperatorToServer::Paired { session },
        ] {
            let outputs = hall.say(other, message);
            assert_eq!(to_operator(&outputs, other), [refused(RefusalReason::Session)]);
            assert_eq!(to_agent(&outputs, agent), []);
        }
        let outputs = hall.say(other, OperatorToServer::Close { session });
        assert_eq!(outputs, []);
    }
}

#[test]
fn s66_a_mode_that_the_operator_may_not_use_opens_no_number() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    for mode in Mode::ALL {
        let outputs =
            hall.say(operator, OperatorToServer::OpenRoom { mode, hellos: hellos(1), reason: None });
        let allowed = matches!(mode, Mode::Control | Mode::View);
        let is_refused = to_operator(&outputs, operator) == [refused(RefusalReason::Mode)];
        assert_eq!(is_refused, !allowed);
    }
}

#[test]
fn hellos_of_another_device_or_too_few_open_no_number() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let few = hellos(1)[..2].to_vec();
    for hellos in [hellos(2), few, vec![Blob(vec![1, 2]); 3]] {
        let outputs =
            hall.say(operator, OperatorToServer::OpenRoom { mode: Mode::View, hellos, reason: None });
        let ServerToOperator::Refused { reason } = only(to_operator(&outputs, operator)) else {
            panic!()
        };
        assert!(matches!(reason, RefusalReason::Message | RefusalReason::Version { .. }));
    }
}

#[test]
fn an_agent_of_another_version_is_told_the_servers_and_costs_no_attempt() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (_, locator) = hall.open(operator, 1);
    let agent = hall.agent(9);
    let hello = Blob(vec![9, 9]);
    let outputs = hall.ask(agent, AgentToServer::Join { version: 9, locator, hello });
    let reason = RefusalReason::Version { server: PROTOCOL_VERSION };
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Refused { reason }]);
    assert_eq!(to_operator(&outputs, operator), []);
}

#[test]
fn t45_legs_count_up_carry_a_ticket_for_each_role_and_are_rationed() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    let key = TicketKey::from_bytes([9; 32]);
    for number in 1..=6 {
        let outputs = hall.say(operator, OperatorToServer::NeedLeg { session: room.0 });
        let ServerToOperator::Leg { leg: ours, .. } = only(to_operator(&outputs, operator)) else {
            panic!()
        };
        let ServerToAgent::Leg { leg: theirs } = only(to_agent(&outputs, agent)) else { panic!() };
        for (leg, role) in [(ours, Role::Operator), (theirs, Role::Agent)] {
            let ticket = key.open(&leg.ticket.0, 1_000).unwrap();
            assert_eq!((ticket.session, ticket.leg, ticket.role), (room.0, number, role));
        }
    }
    let outputs = hall.say(operator, OperatorToServer::NeedLeg { session: room.0 });
    assert_eq!(to_operator(&outputs, operator), [refused(RefusalReason::SlowDown)]);
}

#[test]
fn t59_too_large_and_too_many_messages_end_their_own_connection_only() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    let body = Blob(vec![0; MAX_FORWARD + 1]);
    let outputs = hall.ask(agent, AgentToServer::Forward { body });
    assert!(hung_up(&outputs, agent) && !hung_up(&outputs, operator));
    let flooder = hall.agent(10);
    let mut outputs = Vec::new();
    for _ in 0..300 {
        outputs.extend(hall.ask(flooder, AgentToServer::Close));
    }
    assert!(hung_up(&outputs, flooder) && !hung_up(&outputs, operator));
}

#[test]
fn one_operator_cannot_use_up_the_numbers() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let mut refusals = 0;
    for _ in 0..20 {
        let message = OperatorToServer::OpenRoom { mode: Mode::View, hellos: hellos(1), reason: None };
        let outputs = hall.say(operator, message);
        refusals += usize::from(to_operator(&outputs, operator) == [refused(RefusalReason::SlowDown)]);
    }
    assert_eq!(refusals, 12);
}

#[test]
fn t5_locators_of_an_earlier_run_are_not_given_out_while_they_rest() {
    let all = |n: u32| Locator::try_from(n).unwrap();
    let resting = (0..Locator::COUNT).filter(|n| n % 8 != 3).map(|n| (all(n), seconds(600)));
    let mut hall = Hall::with(Settings { open_numbers: 60, ..Settings::default() }, resting);
    let operator = hall.operator(1);
    for _ in 0..20 {
        let (_, locator) = hall.open(operator, 1);
        assert_eq!(u32::from(locator) % 8, 3);
    }
    hall.wait(seconds(600));
    let others = (0..20).map(|_| hall.open(operator, 1).1).filter(|l| u32::from(*l) % 8 != 3);
    assert!(others.count() > 0);
}

#[test]
fn what_was_forwarded_to_an_end_that_is_away_is_lost_and_not_kept() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    hall.turn(Input::Gone { connection: agent });
    let body = Blob(vec![1]);
    let outputs = hall.say(operator, OperatorToServer::Forward { session: room.0, body });
    assert!(outputs.iter().all(|output| !matches!(output, Output::ToAgent { .. })));
}

/// T59, T65: whatever one operator is refused, on however many lines, leaves the ledger to everybody else.
#[test]
fn t59_refusals_of_one_operator_are_noted_at_a_pace_and_anothers_are_noted_beside_them() {
    let mut hall = Hall::new();
    let lines = [hall.operator(1), hall.operator(1)];
    let refused = |outputs: &[Output]| {
        noted(outputs).into_iter().filter(|what| matches!(what, What::Refused(..))).count()
    };
    let nobodys = OperatorToServer::NeedLedgerTicket { session: SessionId([9; 16]) };
    let mut seen = 0;
    for _ in 0..100 {
        for line in lines {
            seen += refused(&hall.say(line, nobodys.clone()));
        }
        hall.wait(Duration::from_millis(50));
    }
    assert!((60..65).contains(&seen), "{seen} of 200");
    let other = hall.operator(2);
    assert_eq!(refused(&hall.say(other, nobodys)), 1);
}
