//! Paths in the simulated world: which carries, what is lost with one, what never is.

use std::time::Duration;

use tasuki_peer::core::io::SessionEvent;
use tasuki_peer::core::path::PathKind;
use tasuki_peer::core::{PathPolicy, Permission};
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_tests::world::network::{Nat, Whose};
use tasuki_tests::world::{Plan, World};

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn s28_with_every_direct_path_closed_the_relay_carries_the_session() {
    let mut plan = Plan::new(6, Mode::Control);
    plan.disclosure = AddressDisclosure::RelayOnly;
    let mut world = World::session_of(plan);
    assert_eq!(world.path(Role::Operator), Some(PathKind::Relayed));
    let text = world.type_next();
    world.run(SECOND);
    assert_eq!(world.host().desktop.typed(), [text]);
}

#[test]
fn the_direct_path_takes_over_once_proven_and_gives_back_within_300_ms_of_silence() {
    let mut plan = Plan::new(7, Mode::Control);
    plan.operator_paths = PathPolicy { direct: Permission::Allowed, relay: Permission::Allowed };
    let mut world = World::new(plan);
    world.network.nat = Nat::Closed;
    world.reach_consent(Mode::Control.ceiling());
    assert!(world.run_until(SECOND * 5, |w| !w.viewer().seen.is_empty()));
    assert_eq!(world.path(Role::Operator), Some(PathKind::Relayed));
    world.network.nat = Nat::Open;
    world.meet();
    world.run(SECOND);
    assert_eq!(world.path(Role::Operator), Some(PathKind::Relayed), "not yet proven");
    world.run(SECOND * 3);
    assert_eq!(world.path(Role::Operator), Some(PathKind::Direct));
    for _ in 0..10 {
        world.type_next();
        world.draw();
        world.run(ms(50));
    }
    world.cut(Whose::Operators, PathKind::Direct);
    world.cut(Whose::Agents, PathKind::Direct);
    let text = world.type_next();
    world.draw();
    let revision = world.host().desktop.revision;
    assert!(
        world.run_until(ms(400), |w| w.host().desktop.typed().contains(&text)
            && w.viewer().seen.last() == Some(&revision)),
        "key and picture arrive by the relay: {:?}",
        world.model.delivered()
    );
    assert_eq!(world.model.delivered(), world.model.all_typed(), "no key was lost");
    assert_eq!(world.agent.count(|e| matches!(e, SessionEvent::Consent { .. })), 1);
}

#[test]
fn a_path_that_is_dead_in_one_direction_costs_no_key_and_no_third_of_a_second() {
    let mut world = World::session(Mode::Control);
    world.run(SECOND * 5);
    for _ in 0..20 {
        world.type_next();
        world.run(ms(50));
    }
    assert_eq!(world.path(Role::Operator), Some(PathKind::Direct));
    // The host is still heard on it; only what the viewer sends is lost.
    world.cut(Whose::Operators, PathKind::Direct);
    let text = world.type_next();
    let arrived = |w: &mut World| w.host().desktop.typed().contains(&text);
    assert!(world.run_until(ms(240), arrived), "every path carries what is overdue");
    world.run(SECOND);
    assert_eq!(world.path(Role::Operator), Some(PathKind::Relayed));
    assert_eq!(world.model.delivered(), world.model.all_typed());
}

#[test]
fn t50_input_that_waited_through_a_gap_is_never_replayed_and_held_keys_are_let_go() {
    let mut world = World::session(Mode::Control);
    let key = PhysicalKey(0x04);
    world.operate(InputEvent::Key { key, action: KeyAction::Press });
    world.run(ms(200));
    assert!(world.host().desktop.keys.contains(&key));
    for whose in [Whose::Operators, Whose::Agents] {
        world.cut(whose, PathKind::Direct);
        world.cut(whose, PathKind::Relayed);
    }
    let lost = world.type_next();
    world.run(SECOND);
    // F9: within a second, by the host alone.
    assert!(world.host().desktop.keys.is_empty(), "a silent viewer holds no key");
    world.run(SECOND * 3);
    world.heal();
    world.run(SECOND * 5);
    world.operate(InputEvent::Key { key, action: KeyAction::Release });
    world.run(SECOND);
    let after = world.type_next();
    world.run(SECOND);
    assert!(!world.model.delivered().contains(&lost), "stale input came back");
    assert!(world.model.delivered().contains(&after), "{:?}", world.operator.events);
}

#[test]
fn f9_a_gap_of_20_seconds_is_survived_and_one_of_90_ends_the_session_at_both_ends() {
    for (gap, survives) in [(20, true), (90, false)] {
        let mut world = World::session(Mode::Manage);
        world.run(SECOND * 5);
        for whose in [Whose::Operators, Whose::Agents] {
            world.cut(whose, PathKind::Direct);
            world.cut(whose, PathKind::Relayed);
        }
        world.run(SECOND * gap);
        assert!(world.operator.has(|e| *e == SessionEvent::Reconnecting));
        world.heal();
        world.run(SECOND * 5);
        let text = world.type_next();
        world.run(SECOND);
        assert_eq!(world.model.delivered().contains(&text), survives, "{gap}");
        for role in [Role::Operator, Role::Agent] {
            let lost = world.ended(role).map(|(reason, _)| reason);
            assert_eq!(lost, (!survives).then_some(EndReason::ConnectionLost), "{gap} {role:?}");
        }
    }
}

#[test]
fn f2_the_session_goes_on_for_ten_minutes_without_a_server() {
    let mut world = World::session(Mode::Control);
    world.crash_server();
    for _ in 0..60 {
        world.run(SECOND * 10);
        world.type_next();
        world.draw();
    }
    world.run(SECOND);
    assert_eq!(world.model.delivered(), world.model.all_typed());
    let revision = world.host().desktop.revision;
    assert_eq!(world.viewer().seen.last(), Some(&revision));
}

#[test]
fn f3_a_dead_relay_is_replaced_within_five_seconds() {
    for seed in 1..=50 {
        let mut plan = Plan::new(seed, Mode::View);
        plan.agent_paths.direct = Permission::Forbidden;
        let mut world = World::session_of(plan);
        world.kill_relay();
        world.run(SECOND);
        world.restart_relay();
        world.draw();
        let revision = world.host().desktop.revision;
        let back = world.run_until(SECOND * 4, |w| w.viewer().seen.last() == Some(&revision));
        assert!(back, "seed {seed}");
    }
}

#[test]
fn f8_at_5_percent_loss_and_200_ms_round_trip_no_key_is_lost() {
    let mut world = World::session(Mode::Control);
    world.network.weather.loss_percent = 5;
    world.network.weather.latency = ms(100);
    world.network.weather.jitter = ms(30);
    for _ in 0..1200 {
        world.type_next();
        world.draw();
        world.run(ms(83));
    }
    world.run(SECOND * 2);
    assert_eq!(world.model.delivered(), world.model.all_typed());
    let revision = world.host().desktop.revision;
    assert_eq!(world.viewer().seen.last(), Some(&revision));
}

#[test]
fn an_idle_session_wakes_little_and_sends_no_frame() {
    let mut world = World::session(Mode::Control);
    world.run(SECOND * 10);
    let frames = world.viewer().seen.len();
    let before = world.operator.turns + world.agent.turns;
    world.run(SECOND * 60);
    let turns = world.operator.turns + world.agent.turns - before;
    assert!(turns <= 60 * 10, "{turns} turns of both ends in a minute of nothing");
    assert_eq!(world.viewer().seen.len(), frames, "nothing changed, nothing is sent");
}
