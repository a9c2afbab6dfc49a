//! Whose word counts of what does not hold at the door, and how often (T7, T16).

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::objection::Objection;
use tasuki_protocol::signal::{AgentToServer, CloseReason, OperatorToServer, ServerToAgent};
use tasuki_signaling::core::rooms::{ConnectionId, Output};

use crate::hall::{Hall, Room, seconds, to_agent, to_operator};

const WHY: Objection = Objection::ManifestTooWide;

/// What the ledger says of objections, whole.
fn objections(outputs: &[Output]) -> Vec<Entry> {
    let entry = |output: &Output| match output {
        Output::Note(note) | Output::Keep { note: Some(note), .. } => Some(note.entry()),
        Output::ToOperator { .. }
        | Output::ToAgent { .. }
        | Output::HangUp { .. }
        | Output::Keep { note: None, .. }
        | Output::Persist { .. } => None,
    };
    let entries = outputs.iter().filter_map(entry);
    entries.filter(|entry| matches!(entry.event, Event::PairingRefused { .. })).collect()
}

fn row(session: SessionId, by: Witness, attempt: u8, why: Objection) -> Entry {
    let event = Event::PairingRefused { by, attempt, why };
    Entry::server(event).of(Some(session), Some("op1".to_owned()))
}

fn answers(hall: &mut Hall, operator: ConnectionId, session: SessionId) {
    let body = Blob(vec![1]);
    hall.say(operator, OperatorToServer::Forward { session, body });
}

fn agent_objects(hall: &mut Hall, agent: ConnectionId) -> Vec<Output> {
    hall.ask(agent, AgentToServer::Object { why: WHY })
}

fn ringing() -> (Hall, ConnectionId, Room) {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let room = hall.open(operator, 1);
    (hall, operator, room)
}

#[test]
fn t16_an_agent_that_was_answered_at_the_door_is_written_down_once_under_the_numbers_operator() {
    let (mut hall, operator, (session, locator)) = ringing();
    let (agent, _) = hall.knock(9, locator);
    answers(&mut hall, operator, session);
    let outputs = agent_objects(&mut hall, agent);
    assert_eq!(objections(&outputs), [row(session, Witness::Agent, 0, WHY)]);
    for _ in 0..100 {
        assert_eq!(objections(&agent_objects(&mut hall, agent)), [], "said again");
    }
    // The attempt is over with it: the next one has its own.
    let (next, _) = hall.knock(10, locator);
    answers(&mut hall, operator, session);
    assert_eq!(objections(&agent_objects(&mut hall, next)), [row(session, Witness::Agent, 1, WHY)]);
    assert_eq!(objections(&agent_objects(&mut hall, agent)), [], "the first one's is over");
}

#[test]
fn t16_a_stranger_who_has_shown_no_number_writes_nothing_and_hears_no_difference() {
    let (mut hall, _, (_, locator)) = ringing();
    let nobody = hall.agent(8);
    assert_eq!(objections(&agent_objects(&mut hall, nobody)), [], "who has not knocked");
    let dead = tasuki_protocol::number::Locator::try_from(u32::from(locator) ^ 1).unwrap();
    let mut heard = Vec::new();
    for locator in [locator, dead] {
        let (agent, _) = hall.knock(9, locator);
        let mut outputs = agent_objects(&mut hall, agent);
        outputs.extend(hall.wait(seconds(2)));
        assert_eq!(objections(&outputs), []);
        heard.push(to_agent(&outputs, agent));
    }
    assert_eq!(heard[0], heard[1], "T6: a number that lives, and one that does not");
}

#[test]
fn t16_who_waits_beside_an_attempt_does_not_speak_for_it() {
    let (mut hall, operator, (session, locator)) = ringing();
    let (agent, _) = hall.knock(9, locator);
    let (second, _) = hall.knock(10, locator);
    answers(&mut hall, operator, session);
    let outputs = agent_objects(&mut hall, second);
    assert_eq!((objections(&outputs), to_agent(&outputs, agent)), (vec![], vec![]));
    assert_eq!(objections(&agent_objects(&mut hall, agent)).len(), 1);
}

/// The operator's last word may come first: then a session has begun, and ends at once.
#[test]
fn t16_an_agents_word_counts_a_moment_after_the_pairing_too_and_is_none_of_a_session() {
    let (mut hall, operator, room) = ringing();
    let agent = hall.pair(operator, room, 9);
    let outputs = agent_objects(&mut hall, agent);
    assert_eq!(objections(&outputs), [row(room.0, Witness::Agent, 0, WHY)]);
    let reason = CloseReason::OtherEnd;
    let closed = tasuki_protocol::signal::ServerToOperator::Closed { session: room.0, reason };
    assert_eq!(to_operator(&outputs, operator), [closed]);

    let room = hall.open(operator, 1);
    let agent = hall.pair(operator, room, 9);
    hall.wait(seconds(60));
    let outputs = agent_objects(&mut hall, agent);
    assert_eq!(objections(&outputs), [], "nobody stands at a door for a minute");
    assert_eq!(hall.rooms.occupancy(), 0, "it has closed it all the same");
}

#[test]
fn t7_an_operators_word_counts_for_his_own_attempt_alone_and_ends_his_number() {
    let (mut hall, operator, (session, locator)) = ringing();
    let other = hall.operator(2);
    let object = |hall: &mut Hall, who, attempt| {
        let why = Objection::TranscriptMismatch;
        hall.say(who, OperatorToServer::Object { session, attempt, why })
    };
    let (agent, _) = hall.knock(9, locator);
    answers(&mut hall, operator, session);
    assert_eq!(objections(&object(&mut hall, other, 0)), [], "another operator's number");
    let outputs = object(&mut hall, operator, 0);
    let expected = row(session, Witness::Operator, 0, Objection::TranscriptMismatch);
    assert_eq!(objections(&outputs), [expected]);
    assert_eq!(hall.rooms.occupancy(), 0);
    assert_eq!(objections(&object(&mut hall, operator, 0)), [], "said again");
    let reason = tasuki_protocol::signal::RefusalReason::Number;
    assert_eq!(to_agent(&hall.wait(seconds(10)), agent), [ServerToAgent::Refused { reason }]);

    for attempt in [None, Some(1)] {
        let (session, locator) = hall.open(operator, 1);
        attempt.inspect(|_| drop(hall.knock(9, locator)));
        let attempt = attempt.unwrap_or_default();
        let outputs = hall.say(operator, OperatorToServer::Object { session, attempt, why: WHY });
        assert_eq!(objections(&outputs), [], "an attempt that there is not");
        assert_eq!(hall.rooms.occupancy(), 0);
    }
}
