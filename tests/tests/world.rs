//! Sessions in the simulated world: what a person would see, on a virtual clock.

use std::time::Duration;

use tasuki_peer::core::io::{DesktopEvent, EndedBy, HumanAct, Input, SessionEvent};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::core::{PathPolicy, Permission};
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey};
use tasuki_protocol::manifest::AddressDisclosure;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::screen::MonitorId;
use tasuki_tests::world::desktop::Module;
use tasuki_tests::world::network::{Nat, Whose};
use tasuki_tests::world::{Plan, World};

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A session in `mode` with a picture at the viewer.
fn session(mode: Mode) -> World {
    session_of(Plan::new(1, mode))
}

fn session_of(plan: Plan) -> World {
    let mut world = World::new(plan);
    let all = world.plan.mode.ceiling();
    world.reach_consent(all);
    assert!(world.run_until(SECOND * 5, |w| !w.viewer().seen.is_empty()), "a picture comes");
    world
}

fn path_of(world: &mut World, role: Role) -> Option<PathKind> {
    world.end(role).peer.as_ref().and_then(|peer| peer.stats().path)
}

fn ended(world: &mut World, role: Role) -> Option<(EndReason, EndedBy)> {
    world.end(role).events.iter().find_map(|(_, event)| {
        let SessionEvent::Ended { reason, by } = event else { return None };
        Some((*reason, *by))
    })
}

#[test]
fn s1_s2_s18_s19_all_five_modes_show_the_host_and_only_three_let_the_viewer_operate() {
    for mode in Mode::ALL {
        let mut world = session(mode);
        let text = world.type_next();
        world.draw();
        world.run(SECOND);
        let operates = mode.ceiling().has(Capability::Operate);
        assert_eq!(world.host().desktop.typed(), if operates { vec![text] } else { vec![] });
        let revision = world.host().desktop.revision;
        assert_eq!(world.viewer().seen.last(), Some(&revision), "{mode}: the newest is shown");
        // S14, S24: where the mode has no control, no injector was ever started.
        let expected = if operates { Module::Runs } else { Module::NeverRan };
        assert_eq!(world.host().desktop.injector, expected, "{mode}");
        // T20, T23, S10: the end that looks never starts to capture.
        assert_eq!(world.viewer().desktop.capture, Module::NeverRan, "{mode}");
    }
}

#[test]
fn t1_s27_s29_without_a_click_nothing_starts_in_any_mode_and_silence_refuses() {
    for mode in Mode::ALL {
        let mut world = World::new(Plan::new(2, mode));
        assert!(world.run_until(SECOND * 5, |w| w.number.is_some()));
        let number = world.number.clone().unwrap();
        world.join(number);
        // The model fails the run at the first command or packet before consent.
        world.run(SECOND * 200);
        let silent = Some((EndReason::NobodyAnswered, EndedBy::ThisEnd));
        assert_eq!(ended(&mut world, Role::Agent), silent);
        assert_eq!(
            ended(&mut world, Role::Operator).map(|(reason, _)| reason),
            Some(EndReason::NobodyAnswered)
        );
    }
}

#[test]
fn s29_a_refusal_is_told_and_nothing_starts() {
    let mut world = World::new(Plan::new(3, Mode::Control));
    assert!(world.run_until(SECOND * 5, |w| w.number.is_some()));
    let number = world.number.clone().unwrap();
    world.join(number);
    assert!(world.run_until(SECOND * 5, |w| w.agent.question.is_some()));
    world.refuse();
    world.run(SECOND);
    let by_other = Some((EndReason::UserRefused, EndedBy::OtherEnd));
    assert_eq!(ended(&mut world, Role::Operator), by_other);
    assert_eq!(ended(&mut world, Role::Agent), Some((EndReason::UserRefused, EndedBy::ThisEnd)));
}

#[test]
fn s33_s34_t4_three_wrong_numbers_kill_the_number_at_both_ends_and_the_right_one_comes_too_late() {
    let mut world = World::new(Plan::new(4, Mode::View));
    assert!(world.run_until(SECOND * 5, |w| w.number.is_some()));
    let right = world.number.clone().unwrap();
    let other = Plan::new(99, Mode::View);
    let mut elsewhere = World::new(other);
    assert!(elsewhere.run_until(SECOND * 5, |w| w.number.is_some()));
    let mut wrong = elsewhere.number.clone().unwrap();
    wrong.locator = right.locator;
    for left in [2, 1, 0] {
        world.join(wrong.clone());
        world.run(SECOND * 20);
        assert!(
            world.operator.has(|e| *e == SessionEvent::WrongNumber { attempts_left: left }),
            "{left}: {:#?}",
            world.operator.events
        );
        assert!(world.agent.has(|e| *e == SessionEvent::WrongNumber { attempts_left: left }));
    }
    world.agent.events.clear();
    world.join(right);
    world.run(SECOND * 40);
    assert!(world.agent.question.is_none() && world.operator.count(paired) == 0);
    assert!(ended(&mut world, Role::Operator).is_some());
}

fn paired(event: &SessionEvent) -> bool {
    matches!(event, SessionEvent::Paired { .. })
}

#[test]
fn s34_t5_a_number_that_was_used_or_has_expired_pairs_nobody() {
    let mut world = session(Mode::Show);
    let used = world.number.clone().unwrap();
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    world.run(SECOND);
    world.agent.events.clear();
    world.join(used);
    world.run(SECOND * 40);
    assert_eq!(world.agent.count(paired), 0);

    let mut world = World::new(Plan::new(5, Mode::Show));
    assert!(world.run_until(SECOND * 5, |w| w.number.is_some()));
    let expired = world.number.clone().unwrap();
    world.run(SECOND * 601);
    let reason = ended(&mut world, Role::Operator).map(|(reason, _)| reason);
    assert_eq!(reason, Some(EndReason::NobodyAnswered));
    world.join(expired);
    world.run(SECOND * 40);
    assert_eq!(world.agent.count(paired), 0);
}

#[test]
fn s28_with_every_direct_path_closed_the_relay_carries_the_session() {
    let mut plan = Plan::new(6, Mode::Control);
    plan.disclosure = AddressDisclosure::RelayOnly;
    let mut world = session_of(plan);
    assert_eq!(path_of(&mut world, Role::Operator), Some(PathKind::Relayed));
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
    assert_eq!(path_of(&mut world, Role::Operator), Some(PathKind::Relayed));
    world.network.nat = Nat::Open;
    world.meet();
    world.run(SECOND);
    assert_eq!(path_of(&mut world, Role::Operator), Some(PathKind::Relayed), "not yet proven");
    world.run(SECOND * 3);
    assert_eq!(path_of(&mut world, Role::Operator), Some(PathKind::Direct));
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
    let mut world = session(Mode::Control);
    world.run(SECOND * 5);
    for _ in 0..20 {
        world.type_next();
        world.run(ms(50));
    }
    assert_eq!(path_of(&mut world, Role::Operator), Some(PathKind::Direct));
    // The host is still heard on it; only what the viewer sends is lost.
    world.cut(Whose::Operators, PathKind::Direct);
    let text = world.type_next();
    let arrived = |w: &mut World| w.host().desktop.typed().contains(&text);
    assert!(world.run_until(ms(240), arrived), "every path carries what is overdue");
    world.run(SECOND);
    assert_eq!(path_of(&mut world, Role::Operator), Some(PathKind::Relayed));
    assert_eq!(world.model.delivered(), world.model.all_typed());
}

#[test]
fn s31_t50_what_is_held_when_the_session_ends_is_let_go_before_the_desktop_is() {
    for role in [Role::Operator, Role::Agent] {
        let mut world = session(Mode::Control);
        let key = PhysicalKey::LEFT_CONTROL;
        world.operate(InputEvent::Key { key, action: KeyAction::Press });
        world.run(ms(200));
        assert!(world.host().desktop.keys.contains(&key));
        world.input(role, Input::Human(HumanAct::End(EndReason::UserEnded)));
        world.run(SECOND);
        assert!(world.host().desktop.keys.is_empty(), "{role:?}");
        assert_eq!(world.host().desktop.injector, Module::Stopped);
    }
}

#[test]
fn t50_input_that_waited_through_a_gap_is_never_replayed_and_held_keys_are_let_go() {
    let mut world = session(Mode::Control);
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
        let mut world = session(Mode::Manage);
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
            let lost = ended(&mut world, role).map(|(reason, _)| reason);
            assert_eq!(lost, (!survives).then_some(EndReason::ConnectionLost), "{gap} {role:?}");
        }
    }
}

#[test]
fn f2_the_session_goes_on_for_ten_minutes_without_a_server() {
    let mut world = session(Mode::Control);
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
fn f3_a_dead_relay_is_replaced_within_ten_seconds() {
    let mut plan = Plan::new(8, Mode::View);
    plan.agent_paths.direct = Permission::Forbidden;
    let mut world = session_of(plan);
    world.kill_relay();
    world.run(SECOND);
    world.restart_relay();
    world.draw();
    let revision = world.host().desktop.revision;
    assert!(world.run_until(SECOND * 10, |w| w.viewer().seen.last() == Some(&revision)));
}

#[test]
fn s31_ending_is_local_first_and_the_other_end_is_told_even_if_only_the_server_is_left() {
    for role in [Role::Operator, Role::Agent] {
        let mut world = session(Mode::Share);
        world.input(role, Input::Human(HumanAct::End(EndReason::UserEnded)));
        assert_ne!(world.host().desktop.capture == Module::Runs, role == Role::Operator);
        world.run(SECOND);
        assert_eq!(ended(&mut world, role).unwrap().1, EndedBy::ThisEnd);
        assert_eq!(ended(&mut world, role.other()).unwrap().1, EndedBy::OtherEnd);
        assert_ne!(world.host().desktop.capture, Module::Runs);
    }
    let mut world = session(Mode::Control);
    for whose in [Whose::Operators, Whose::Agents] {
        world.cut(whose, PathKind::Direct);
        world.cut(whose, PathKind::Relayed);
    }
    // With the network gone: at once, in the same turn.
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert_eq!(world.host().desktop.capture, Module::Stopped);
    world.run(SECOND);
    assert_eq!(ended(&mut world, Role::Operator), Some((EndReason::UserEnded, EndedBy::OtherEnd)));
}

#[test]
fn t32_the_hosts_own_hand_keeps_the_viewers_off_for_two_seconds_after_its_last_touch() {
    let mut world = session(Mode::Control);
    let key = PhysicalKey(0x05);
    world.operate(InputEvent::Key { key, action: KeyAction::Press });
    world.run(ms(200));
    world.input(Role::Agent, Input::Desktop(DesktopEvent::LocalInput));
    assert!(world.host().desktop.keys.is_empty(), "what was held is let go at once");
    world.run(ms(1500));
    world.type_next();
    world.input(Role::Agent, Input::Desktop(DesktopEvent::LocalInput));
    world.run(ms(1900));
    world.type_next();
    world.run(ms(90));
    assert_eq!(world.model.delivered(), [0u32; 0]);
    assert!(world.operator.has(|e| matches!(e, SessionEvent::InputPaused { .. })));
    world.run(ms(300));
    let text = world.type_next();
    world.run(ms(200));
    assert_eq!(world.model.delivered(), [text]);
}

#[test]
fn s16_s26_where_the_viewer_only_looks_the_host_alone_chooses_the_monitor() {
    for mode in Mode::ALL {
        let mut world = session(mode);
        let viewer = mode.viewer();
        world.input(viewer, Input::Human(HumanAct::ShowMonitor(MonitorId(1))));
        world.run(SECOND);
        let chosen = mode.ceiling().has(Capability::ChooseScreen);
        assert_eq!(world.host().desktop.shown == MonitorId(1), chosen, "{mode}");
        let host = mode.host();
        world.input(host, Input::Human(HumanAct::ShowMonitor(MonitorId(1))));
        assert_eq!(world.host().desktop.shown, MonitorId(1), "{mode}");
    }
}

#[test]
fn t12_rights_end_with_the_manifest_at_both_ends() {
    let mut plan = Plan::new(9, Mode::Control);
    plan.length_s = 30;
    let mut world = session_of(plan);
    world.run(SECOND * 40);
    for role in [Role::Operator, Role::Agent] {
        assert_eq!(ended(&mut world, role).unwrap().0, EndReason::TimeOver);
    }
    assert_eq!(world.host().desktop.capture, Module::Stopped);
}

#[test]
fn f8_at_5_percent_loss_and_200_ms_round_trip_no_key_is_lost() {
    let mut world = session(Mode::Control);
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
    let mut world = session(Mode::Control);
    world.run(SECOND * 10);
    let frames = world.viewer().seen.len();
    world.run(SECOND * 60);
    assert_eq!(world.viewer().seen.len(), frames, "nothing changed, nothing is sent");
}

#[test]
fn s13_t35_control_does_not_come_back_after_its_program_has_gone_without_a_new_number() {
    let mut world = session(Mode::Control);
    let used = world.number.clone().unwrap();
    world.kill(Role::Agent);
    world.run(SECOND * 10);
    // The program starts again: it has nothing to go on but a number, and that is dead.
    world.agent.events.clear();
    world.agent.desktop = Default::default();
    world.join(used);
    world.run(SECOND * 70);
    assert_eq!(world.agent.count(paired), 0);
    assert!(world.agent.question.is_none());
    assert_eq!(world.agent.desktop.capture, Module::NeverRan);
    assert!(ended(&mut world, Role::Operator).is_some(), "the operator is told");
}
