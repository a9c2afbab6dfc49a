//! What a guesser gets: nothing, and no sign of which numbers live (T4, T6, S34).

use std::time::Duration;

use tasuki_protocol::blob::Blob;
use tasuki_protocol::hello::Hello;
use tasuki_protocol::number::Locator;
use tasuki_protocol::signal::{
    self, AgentToServer, CloseReason, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};
use tasuki_signaling::core::guesses::Limits;
use tasuki_signaling::core::rooms::{Input, Outcome, Output, Settings};

use crate::hall::{Hall, hung_up, only, seconds, to_agent, to_operator};

const REFUSED: ServerToAgent = ServerToAgent::Refused { reason: RefusalReason::Number };

fn wide() -> Hall {
    let guesses = Limits { per_address: 1000, overall: 100_000 };
    Hall::with(Settings { guesses, ..Settings::default() }, [])
}

/// What an agent sees of one attempt: kinds, sizes, and when, in virtual milliseconds.
fn transcript(hall: &mut Hall, locator: Locator, messages: usize) -> Vec<(u128, String, usize)> {
    let started = hall.now;
    let (agent, outputs) = hall.knock(9, locator);
    let mut seen: Vec<_> = to_agent(&outputs, agent).into_iter().map(|m| (0, m)).collect();
    for _ in 0..messages {
        let outputs = hall.ask(agent, AgentToServer::Forward { body: Blob(vec![1; 40]) });
        seen.extend(to_agent(&outputs, agent).into_iter().map(|m| (0, m)));
        if hung_up(&outputs, agent) {
            hall.turn(Input::Gone { connection: agent });
        }
    }
    for _ in 0..40 {
        let outputs = hall.wait(Duration::from_millis(100));
        let at = (hall.now - started).as_millis();
        seen.extend(to_agent(&outputs, agent).into_iter().map(|m| (at, m)));
    }
    let kind = |message: &ServerToAgent| {
        let text = signal::encode(message);
        (text.split(',').next().unwrap_or_default().to_owned(), text.len())
    };
    seen.iter().map(|(at, m)| (*at, kind(m).0, kind(m).1)).collect()
}

#[test]
fn t6_live_and_dead_locators_answer_alike_in_shape_size_and_time() {
    for messages in 0..7 {
        let mut hall = wide();
        let operator = hall.operator(1);
        let (_, live) = hall.open(operator, 1);
        let dead = Locator::try_from((u32::from(live) + 1) % Locator::COUNT).unwrap();
        for _ in 0..4 {
            let (alive, gone) =
                (transcript(&mut hall, live, messages), transcript(&mut hall, dead, messages));
            assert_eq!(alive, gone);
            let refusals = alive.iter().filter(|(_, kind, _)| kind.contains("refused")).count();
            assert_eq!(refusals, 1);
        }
    }
}

#[test]
fn t6_an_attempt_that_the_operator_calls_wrong_at_once_is_refused_no_sooner() {
    let mut hall = wide();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    let (agent, _) = hall.knock(9, locator);
    let outputs = hall.say(operator, OperatorToServer::PairingFailed { session, attempt: 0 });
    assert_eq!(to_agent(&outputs, agent), []);
    assert_eq!(to_agent(&hall.wait(Duration::from_millis(1_999)), agent), []);
    assert_eq!(to_agent(&hall.wait(Duration::from_millis(1)), agent), [REFUSED]);
}

#[test]
fn t6_a_dead_locator_keeps_one_face_and_a_dying_one_its_own() {
    let face = |outputs: &[Output], agent| match to_agent(outputs, agent).as_slice() {
        [ServerToAgent::Met { session, hello, .. }] => {
            let hello = Hello::decode(&hello.0).unwrap();
            (*session, hello.device, hello.dtls_fingerprint, hello.ice_ufrag, hello.ice_pwd)
        }
        other => panic!("{other:?}"),
    };
    let mut hall = wide();
    let operator = hall.operator(1);
    let (_, live) = hall.open(operator, 1);
    let dead = Locator::try_from((u32::from(live) + 1) % Locator::COUNT).unwrap();
    for locator in [live, dead] {
        let faces: Vec<_> = (0..6)
            .map(|_| {
                let (agent, outputs) = hall.knock(9, locator);
                hall.wait(seconds(3));
                face(&outputs, agent)
            })
            .collect();
        assert!(faces.iter().all(|f| *f == faces[0]));
    }
}

#[test]
fn t6_every_hello_of_a_dead_locator_carries_another_key_exchange() {
    let mut hall = wide();
    let dead = Locator::try_from(7).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let (agent, outputs) = hall.knock(9, dead);
        let ServerToAgent::Met { hello, .. } = only(to_agent(&outputs, agent)) else { panic!() };
        let hello = Hello::decode(&hello.0).unwrap();
        assert!(seen.insert(hello.pake.0) && seen.insert(hello.exchange.0.to_vec()));
    }
}

/// `peer/src/core/direct_identity.rs` names itself by 6 and 16 bytes in hexadecimal.
#[test]
fn t6_a_dead_locator_has_ice_names_of_the_length_and_letters_that_operators_programs_make() {
    let mut hall = wide();
    for dead in 0..50 {
        let (agent, outputs) = hall.knock(9, Locator::try_from(dead).unwrap());
        let ServerToAgent::Met { hello, .. } = only(to_agent(&outputs, agent)) else { panic!() };
        let hello = Hello::decode(&hello.0).unwrap();
        assert_eq!((hello.ice_ufrag.len(), hello.ice_pwd.len()), (12, 32));
        let is_hex = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
        assert!(hello.ice_ufrag.bytes().chain(hello.ice_pwd.bytes()).all(is_hex), "{hello:?}");
    }
}

#[test]
fn t4_three_failed_attempts_kill_a_number_and_both_ends_learn_it() {
    let mut hall = wide();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    let mut hellos = std::collections::BTreeSet::new();
    for attempt in 0..3 {
        let (agent, outputs) = hall.knock(9, locator);
        let ServerToAgent::Met { hello, .. } = only(to_agent(&outputs, agent)) else { panic!() };
        assert!(hellos.insert(hello.0), "each attempt has a hello of its own");
        let arrived = to_operator(&outputs, operator);
        assert!(
            matches!(arrived.as_slice(), [ServerToOperator::Arrived { attempt: a, .. }] if *a == attempt)
        );
        let outputs = hall.say(operator, OperatorToServer::PairingFailed { session, attempt });
        let reason = CloseReason::TooManyAttempts;
        let expected: &[ServerToOperator] =
            if attempt == 2 { &[ServerToOperator::Closed { session, reason }] } else { &[] };
        assert_eq!(to_operator(&outputs, operator), expected);
    }
    let (agent, outputs) = hall.knock(9, locator);
    assert!(matches!(to_agent(&outputs, agent).as_slice(), [ServerToAgent::Met { .. }]));
    assert_eq!(to_operator(&outputs, operator), []);
}

#[test]
fn t4_an_attempt_counts_though_its_agent_hangs_up_or_says_nothing() {
    let mut hall = wide();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    let (first, _) = hall.knock(9, locator);
    hall.turn(Input::Gone { connection: first });
    hall.knock(9, locator);
    hall.wait(seconds(2));
    let (third, _) = hall.knock(9, locator);
    let outputs = hall.ask(third, AgentToServer::Close);
    let closed = ServerToOperator::Closed { session, reason: CloseReason::TooManyAttempts };
    assert_eq!(to_operator(&outputs, operator), [closed]);
}

#[test]
fn f1_no_hello_is_given_out_before_its_attempt_is_written_down() {
    let mut hall = wide();
    let operator = hall.operator(1);
    let (_, locator) = hall.open(operator, 1);
    hall.database = None;
    let (agent, outputs) = hall.knock(9, locator);
    assert_eq!((to_agent(&outputs, agent), to_operator(&outputs, operator)), (vec![], vec![]));
    let [Output::Persist { write, .. }] = outputs.as_slice() else { panic!("{outputs:?}") };
    let outputs = hall.turn(Input::Written { write: *write, outcome: Outcome::Failed });
    let refused = ServerToAgent::Refused { reason: RefusalReason::Unavailable };
    assert_eq!(to_agent(&outputs, agent), [refused]);
    assert_eq!(to_operator(&outputs, operator), []);
}

#[test]
fn s34_a_hundred_thousand_guesses_at_full_speed_hit_nothing_and_the_limits_hold() {
    let mut hall = Hall::new();
    let mut open = Vec::new();
    for id in 1..=12 {
        let operator = hall.operator(id);
        open.extend((0..8).map(|_| (operator, hall.open(operator, id))));
    }
    let (mut met, mut slowed, mut arrived) = (0_u32, 0_u32, 0_u32);
    let agents: Vec<_> = (0..500).map(|address| hall.agent(address)).collect();
    for guess in 0..100_000_u32 {
        let agent = agents[usize::try_from(guess).unwrap() % agents.len()];
        let locator = Locator::try_from(guess.wrapping_mul(7_919) % Locator::COUNT).unwrap();
        let outputs = hall.ask(agent, join_at(locator));
        for message in to_agent(&outputs, agent) {
            met += u32::from(matches!(message, ServerToAgent::Met { .. }));
            let slow = ServerToAgent::Refused { reason: RefusalReason::SlowDown };
            slowed += u32::from(message == slow);
        }
        let told = open.iter().flat_map(|(operator, _)| to_operator(&outputs, *operator));
        let is_arrival =
            |message: &ServerToOperator| matches!(message, ServerToOperator::Arrived { .. });
        arrived += u32::from(told.into_iter().any(|message| is_arrival(&message)));
        hall.wait(Duration::from_millis(6));
    }
    // 600 virtual seconds: at most 100 a minute, and each of them in a window of its own.
    assert!(met <= 1_100, "{met}");
    assert_eq!(met + slowed, 100_000);
    // Each arrival at one of 96 live numbers is one guess at a million secrets.
    assert!(arrived <= 20, "{arrived}");
}

/// T59: a frame that says nothing takes of the same allowance as a message, at either end.
#[test]
fn t59_pings_are_bounded_like_messages_and_stop_their_own_connection_only() {
    let mut hall = Hall::new();
    let burst = Settings::default().messages.burst;
    let (agent, operator, other) = (hall.agent(1), hall.operator(1), hall.agent(2));
    let slow = RefusalReason::SlowDown;
    for connection in [agent, operator] {
        for _ in 0..burst {
            assert_eq!(hall.turn(Input::Pinged { connection }), []);
        }
        let outputs = hall.turn(Input::Pinged { connection });
        assert!(hung_up(&outputs, connection), "{outputs:?}");
        let told = (to_agent(&outputs, connection), to_operator(&outputs, connection));
        let expected = if connection == agent {
            (vec![ServerToAgent::Refused { reason: slow }], vec![])
        } else {
            (vec![], vec![ServerToOperator::Refused { reason: slow }])
        };
        assert_eq!(told, expected);
    }
    // A resting line answers one ping of the server's in twenty seconds, for ever.
    for _ in 0..10 * burst {
        assert_eq!(hall.turn(Input::Pinged { connection: other }), []);
        hall.wait(seconds(20));
    }
}

fn join_at(locator: Locator) -> AgentToServer {
    crate::hall::join(locator)
}

#[test]
fn t6_ten_tries_from_one_address_and_then_no_more_for_ten_minutes() {
    let mut hall = Hall::new();
    let locator = Locator::try_from(1).unwrap();
    for n in 0..15 {
        let (agent, outputs) = hall.knock(4, locator);
        let slow = ServerToAgent::Refused { reason: RefusalReason::SlowDown };
        assert_eq!(to_agent(&outputs, agent) == [slow], n >= 10);
        hall.wait(seconds(3));
    }
    let (agent, outputs) = hall.knock(5, locator);
    assert!(matches!(to_agent(&outputs, agent).as_slice(), [ServerToAgent::Met { .. }]));
    hall.wait(seconds(600));
    let (agent, outputs) = hall.knock(4, locator);
    assert!(matches!(to_agent(&outputs, agent).as_slice(), [ServerToAgent::Met { .. }]));
}
