//! What is taken from an operator ends at the customer's, whatever the operator's program does: real ends, a real
//! server's rooms, and a path between the ends that needs no server.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tasuki_peer::core::io::{EndedBy, ServerRequest};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Role, SessionId};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::OperatorToServer;
use tasuki_signaling::core::rooms::{Input, OperatorId};
use tasuki_tests::world::desktop::Module;
use tasuki_tests::world::{Plan, World};

const SECOND: Duration = Duration::from_secs(1);
/// T17.
const AT_ONCE: Duration = Duration::from_secs(5);
const DISABLED: Input = Input::Withdrawn { operator: OperatorId(1) };

/// Modes in which the customer's desktop is the host.
const CUSTOMERS: [Mode; 3] = [Mode::Manage, Mode::Control, Mode::View];

fn session(world: &World) -> SessionId {
    let listed = world.server.sessions(world.now);
    assert_eq!(listed.len(), 1, "one session: {listed:?}");
    listed[0].session
}

fn lives(world: &mut World) -> bool {
    world.ended(Role::Agent).is_none() && world.agent.desktop.capture == Module::Runs
}

#[track_caller]
fn is_over_at_once(world: &mut World) {
    let over = world.run_until(AT_ONCE, |world| world.ended(Role::Agent).is_some());
    assert!(over, "it goes on: {:#?}", world.agent.events);
    assert_ne!(world.agent.desktop.capture, Module::Runs);
    assert_ne!(world.agent.desktop.injector, Module::Runs);
}

#[test]
fn t17_t55_an_operator_who_left_the_server_and_kept_the_path_is_out_when_he_is_disabled() {
    for mode in CUSTOMERS {
        let mut world = World::session(mode);
        let running = session(&world);
        world.operator_deserts();
        world.run(SECOND * 600);
        assert!(lives(&mut world), "{mode}: a path carries it");
        assert_eq!(session(&world), running, "{mode}: and whoever looks sees it");
        world.decree(DISABLED);
        is_over_at_once(&mut world);
        assert_eq!(world.ended(Role::Agent), Some((EndReason::Withdrawn, EndedBy::Server)));
    }
}

#[test]
fn t17_an_operator_who_tells_the_server_that_it_is_over_and_keeps_the_path_is_out() {
    for mode in CUSTOMERS {
        let mut world = World::session(mode);
        let session = session(&world);
        world.operator_pretends(OperatorToServer::Close { session });
        is_over_at_once(&mut world);
        // And if the customer's end was not there just then.
        let mut world = World::session(mode);
        let session = self::session(&world);
        world.lose_server(Role::Agent);
        world.operator_pretends(OperatorToServer::Close { session });
        is_over_at_once(&mut world);
    }
}

/// T46: whoever spoils what passes through the server makes the customer's end deaf to nobody but himself.
#[test]
fn t17_t46_an_operator_who_spoils_the_line_is_out_when_he_is_disabled() {
    for comes_back in [false, true] {
        let mut world = World::session(Mode::Control);
        let session = session(&world);
        let body = Blob(b"no such words".to_vec());
        world.operator_pretends(OperatorToServer::Forward { session, body });
        world.run(SECOND);
        if comes_back {
            world.lose_server(Role::Agent);
        }
        world.run(SECOND * 200);
        assert!(lives(&mut world), "it lives on its paths");
        world.decree(DISABLED);
        is_over_at_once(&mut world);
    }
}

#[test]
fn t17_what_was_withdrawn_while_neither_end_reached_the_server_is_over_when_the_customers_does() {
    for mode in CUSTOMERS {
        let mut world = World::session(mode);
        let session = session(&world);
        world.operator_deserts();
        let agent = world.agent.connection.take().unwrap();
        let said = world.server.lose(agent, world.now);
        assert!(said.is_empty());
        world.run(SECOND * 300);
        assert!(lives(&mut world), "{mode}: F2");
        world.decree(Input::Ended { session });
        world.agent.connection = Some(agent);
        world.lose_server(Role::Agent);
        is_over_at_once(&mut world);
    }
}

/// T17: the customer's end reaches no server just then, and hears it from the operator's, which does.
#[test]
fn t17_what_was_withdrawn_while_only_the_operators_end_reached_the_server_is_over_at_once() {
    for mode in CUSTOMERS {
        let mut world = World::session(mode);
        let session = session(&world);
        let agent = world.agent.connection.take().unwrap();
        drop(world.server.lose(agent, world.now));
        world.decree(Input::Ended { session });
        is_over_at_once(&mut world);
        assert_eq!(world.ended(Role::Agent), Some((EndReason::ProgramEnded, EndedBy::OtherEnd)));
    }
}

/// T65: what the server was never told of cannot be ended, so it does not begin.
#[test]
fn t65_an_operator_who_keeps_a_pairing_from_the_server_has_no_session() {
    for mode in CUSTOMERS {
        let mut world = World::new(Plan::new(7, mode));
        world.withheld =
            |request| matches!(request, ServerRequest::Operator(OperatorToServer::Paired { .. }));
        world.reach_consent(mode.ceiling());
        world.run(SECOND * 12);
        assert!(world.ended(Role::Agent).is_some(), "{mode}: {:#?}", world.agent.events);
        assert_ne!(world.agent.desktop.capture, Module::Runs);
    }
}

/// F2: the server knows its sessions after a crash, whoever of the two ends comes back to it.
#[test]
fn f2_t17_what_is_withdrawn_after_the_server_was_killed_ends_at_the_customers() {
    for mode in CUSTOMERS {
        for comes_back in [true, false] {
            let mut world = World::session(mode);
            let running = session(&world);
            if !comes_back {
                world.operator_deserts();
            }
            world.crash_server();
            world.run(SECOND * 20);
            world.restart_server();
            world.run(SECOND * 300);
            assert!(lives(&mut world), "{mode}: {:#?}", world.agent.events);
            assert_eq!(session(&world), running, "{mode}: and whoever looks sees it");
            world.decree(DISABLED);
            is_over_at_once(&mut world);
            assert_eq!(world.ended(Role::Agent), Some((EndReason::Withdrawn, EndedBy::Server)));
        }
    }
}

/// T17: a server that was killed has forgotten to whom it owes a word, and not what is over.
#[test]
fn t17_what_was_withdrawn_before_the_server_was_killed_is_over_when_the_customers_end_comes_back() {
    for mode in CUSTOMERS {
        let mut world = World::session(mode);
        let session = session(&world);
        let agent = world.agent.connection.take().unwrap();
        world.server.lose(agent, world.now);
        world.decree(Input::Ended { session });
        world.operator_deserts();
        world.server.crash();
        world.restart_server();
        assert!(lives(&mut world), "{mode}: nobody has told it");
        world.agent.connection = Some(agent);
        world.lose_server(Role::Agent);
        is_over_at_once(&mut world);
    }
}
