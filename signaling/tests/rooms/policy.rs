//! What a policy does to numbers and sessions.

use tasuki_protocol::policy::{POLICY_FORM, Policy, RuleBook};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{
    CloseReason, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};
use tasuki_signaling::core::rooms::{ConnectionId, Input, Operator, Outcome, Output};

use crate::hall::{Hall, TENANT, hellos, only, to_agent, to_operator};

fn policy(version: u64, rules: &str) -> Policy {
    let rules: RuleBook = serde_json::from_str(rules).unwrap();
    Policy { v: POLICY_FORM, tenant: TENANT, version, issued_at: 0, rules }
}

pub(crate) fn publish(hall: &mut Hall, version: u64, rules: &str) -> Vec<Output> {
    let policy = policy(version, rules);
    policy.check(TENANT).unwrap();
    hall.turn(Input::PolicyChanged { policy: Box::new(policy) })
}

fn open(hall: &mut Hall, operator: ConnectionId, reason: Option<&str>) -> ServerToOperator {
    let reason = reason.map(str::to_owned);
    let message = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: hellos(1), reason };
    let outputs = hall.say(operator, message);
    only(to_operator(&outputs, operator))
}

#[test]
fn s69_no_number_is_given_out_for_a_mode_an_hour_or_without_a_reason_that_the_policy_wants() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let refused = |reason| ServerToOperator::Refused { reason };
    publish(&mut hall, 1, r#"{"operator":{"op1":{"modes":["view"]}}}"#);
    assert_eq!(open(&mut hall, operator, None), refused(RefusalReason::Mode));
    publish(&mut hall, 2, r#"{"default":{"reason":"required"}}"#);
    assert_eq!(open(&mut hall, operator, None), refused(RefusalReason::Reason));
    assert_eq!(open(&mut hall, operator, Some("bad\u{202E}")), refused(RefusalReason::Reason));
    assert!(matches!(open(&mut hall, operator, Some("#1234")), ServerToOperator::RoomOpened { .. }));
    publish(&mut hall, 3, r#"{"default":{"hours":["mon 03:00-03:01","tue 03:00-03:01"]}}"#);
    assert_eq!(open(&mut hall, operator, None), refused(RefusalReason::Hours));
}

#[test]
fn t17_a_narrower_policy_ends_what_is_wider_at_once_and_nothing_else() {
    let mut hall = Hall::new();
    let (first, second) = (hall.operator(1), hall.operator(2));
    let (room, other) = (hall.open(first, 1), hall.open(second, 2));
    let agent = hall.pair(first, room, 1);
    hall.pair(second, other, 2);
    let outputs = publish(&mut hall, 1, r#"{"operator":{"op1":{"screenshot":false}}}"#);
    let reason = CloseReason::Withdrawn;
    let session = room.0;
    assert_eq!(to_operator(&outputs, first), [ServerToOperator::Closed { session, reason }]);
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Closed { reason }]);
    assert_eq!(to_operator(&outputs, second), []);
    assert_eq!(hall.rooms.occupancy(), 1);
}

#[test]
fn t17_a_wider_policy_changes_no_running_session_and_the_next_one_has_it() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    publish(&mut hall, 1, r#"{"default":{"read_clipboard":false}}"#);
    let room = hall.open(operator, 1);
    hall.pair(operator, room, 1);
    let outputs = publish(&mut hall, 2, r#"{"default":{"read_clipboard":true}}"#);
    assert_eq!(to_operator(&outputs, operator), []);
    assert_eq!(hall.rooms.occupancy(), 1);
}

/// T17: the policy of the moment in which the attempt begins counts, and not of when it was asked for.
#[test]
fn t17_an_attempt_whose_rights_were_narrowed_while_it_was_written_down_starts_nothing() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, locator) = hall.open(operator, 1);
    hall.database = None;
    let (agent, outputs) = hall.knock(1, locator);
    let write = outputs.iter().find_map(|output| match output {
        Output::Persist { write, .. } => Some(*write),
        Output::ToOperator { .. }
        | Output::ToAgent { .. }
        | Output::HangUp { .. }
        | Output::Keep { .. }
        | Output::Note(_) => None,
    });
    publish(&mut hall, 1, r#"{"default":{"screenshot":false}}"#);
    let written = Input::Written { write: write.unwrap(), outcome: Outcome::Durable };
    let outputs = hall.turn(written);
    assert_eq!(to_operator(&outputs, operator), [], "nobody has arrived");
    let met: Vec<ServerToAgent> = to_agent(&outputs, agent);
    assert!(matches!(met.as_slice(), [ServerToAgent::Met { .. }]), "as at a dead number: {met:?}");
    // The number is good for another, under the rights of now.
    hall.database = Some(Outcome::Durable);
    hall.pair(operator, (session, locator), 2);
    assert_eq!(hall.rooms.present().len(), 1);
}

/// T17: somebody's other groups, or a narrower certificate, as a narrower policy.
#[test]
fn t17_who_is_in_other_groups_loses_what_they_do_not_allow_and_nobody_else() {
    let mut hall = Hall::new();
    let (first, second) = (hall.operator(1), hall.operator(2));
    publish(&mut hall, 1, r#"{"group":{"silent":{"screenshot":false}}}"#);
    let (room, other) = (hall.open(first, 1), hall.open(second, 2));
    let agent = hall.pair(first, room, 1);
    hall.pair(second, other, 2);
    let same = hall.as_operator(1);
    let outputs = hall.turn(Input::OperatorChanged { operator: Box::new(same.clone()) });
    assert!(outputs.is_empty(), "{outputs:?}");
    let now = Operator { groups: vec!["silent".to_owned()], ..same };
    let outputs = hall.turn(Input::OperatorChanged { operator: Box::new(now) });
    let reason = CloseReason::Withdrawn;
    assert_eq!(to_operator(&outputs, first), [ServerToOperator::Closed { session: room.0, reason }]);
    assert_eq!(to_agent(&outputs, agent), [ServerToAgent::Closed { reason }]);
    assert_eq!(to_operator(&outputs, second), []);
    assert_eq!(hall.rooms.occupancy(), 1);
    let without = Operator { modes: vec![Mode::View], ..hall.as_operator(2) };
    let outputs = hall.turn(Input::OperatorChanged { operator: Box::new(without) });
    assert_eq!(to_operator(&outputs, second), [ServerToOperator::Closed { session: other.0, reason }]);
}

#[test]
fn an_older_policy_that_comes_late_does_not_replace_a_newer() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    publish(&mut hall, 2, r#"{"default":{"modes":["view"]}}"#);
    publish(&mut hall, 1, "{}");
    let refused = ServerToOperator::Refused { reason: RefusalReason::Mode };
    assert_eq!(open(&mut hall, operator, None), refused);
}

#[test]
fn a_number_that_can_lead_to_no_session_any_more_dies_with_its_mode() {
    let mut hall = Hall::new();
    let operator = hall.operator(1);
    let (session, _) = hall.open(operator, 1);
    let outputs = publish(&mut hall, 1, r#"{"default":{"modes":["view"]}}"#);
    let reason = CloseReason::Withdrawn;
    assert_eq!(to_operator(&outputs, operator), [ServerToOperator::Closed { session, reason }]);
}
