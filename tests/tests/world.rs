//! Sessions in the simulated world: what a person would see, on a virtual clock.

use std::time::Duration;

use tasuki_peer::core::io::{DesktopEvent, EndedBy, HumanAct, Input, SessionEvent};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::core::snapshot::RightStand;
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_protocol::screen::MonitorId;
use tasuki_tests::world::desktop::Module;
use tasuki_tests::world::network::Whose;
use tasuki_tests::world::{Plan, World};

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn s1_s2_s18_s19_all_five_modes_show_the_host_and_only_three_let_the_viewer_operate() {
    for mode in Mode::ALL {
        let mut world = World::session(mode);
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
        assert_eq!(world.ended(Role::Agent), silent);
        assert_eq!(
            world.ended(Role::Operator).map(|(reason, _)| reason),
            Some(EndReason::NobodyAnswered)
        );
    }
}

/// S30: the program is left behind with a number that somebody gave it, started again each day, for
/// a week; and the number of a session that ended is said to it once more each time.
#[test]
fn s30_software_that_is_left_for_a_week_and_started_daily_starts_nothing_without_a_click() {
    let mut world = World::session(Mode::Control);
    let used = world.number.clone().unwrap();
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    world.run(SECOND);
    // From here on the model fails the run at the first command or packet.
    world.model.granted = None;
    world.agent.events.clear();
    world.agent.desktop = Default::default();
    for day in 0..7 {
        world.join(used.clone());
        world.run(24 * 3600 * SECOND);
        assert_eq!(world.agent.count(paired), 0, "day {day}");
        assert!(world.agent.question.is_none(), "day {day}");
        assert_eq!(world.agent.desktop.capture, Module::NeverRan, "day {day}");
        assert_eq!(world.agent.desktop.injector, Module::NeverRan, "day {day}");
    }
}

/// S30: asked, and left alone: the question goes with the day's first minutes, and a click on what
/// is left of it opens nothing.
#[test]
fn s29_s30_a_click_on_a_question_of_last_week_starts_nothing() {
    for mode in Mode::ALL {
        let mut world = World::new(Plan::new(10, mode));
        assert!(world.run_until(SECOND * 5, |w| w.number.is_some()));
        let number = world.number.clone().unwrap();
        world.join(number);
        assert!(world.run_until(SECOND * 5, |w| w.agent.question.is_some()));
        world.run(7 * 24 * 3600 * SECOND);
        assert!(world.agent.question.is_none(), "{mode}: withdrawn");
        let click = HumanAct::Accept { granted: mode.ceiling(), shown: Digest([7; 32]) };
        world.input(Role::Agent, Input::Human(click));
        world.run(SECOND * 60);
        assert_eq!(world.host().desktop.capture, Module::NeverRan, "{mode}");
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
    assert_eq!(world.ended(Role::Operator), by_other);
    assert_eq!(world.ended(Role::Agent), Some((EndReason::UserRefused, EndedBy::ThisEnd)));
}

/// The page still showed the question.
#[test]
fn s31_a_refusal_that_comes_after_the_yes_ends_the_session() {
    for mode in Mode::ALL {
        let mut world = World::session(mode);
        world.refuse();
        world.run(SECOND);
        let ended = world.ended(Role::Agent);
        assert_eq!(ended, Some((EndReason::UserEnded, EndedBy::ThisEnd)), "{mode}");
        let ended = world.ended(Role::Operator);
        assert_eq!(ended, Some((EndReason::UserEnded, EndedBy::OtherEnd)), "{mode}");
    }
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
    assert!(world.ended(Role::Operator).is_some());
}

fn paired(event: &SessionEvent) -> bool {
    matches!(event, SessionEvent::Paired { .. })
}

#[test]
fn s34_t5_a_number_that_was_used_or_has_expired_pairs_nobody() {
    let mut world = World::session(Mode::Show);
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
    let reason = world.ended(Role::Operator).map(|(reason, _)| reason);
    assert_eq!(reason, Some(EndReason::NobodyAnswered));
    world.join(expired);
    world.run(SECOND * 40);
    assert_eq!(world.agent.count(paired), 0);
}

#[test]
fn s31_t50_what_is_held_when_the_session_ends_is_let_go_before_the_desktop_is() {
    for role in [Role::Operator, Role::Agent] {
        let mut world = World::session(Mode::Control);
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
fn s31_ending_is_local_first_and_the_other_end_is_told_even_if_only_the_server_is_left() {
    for role in [Role::Operator, Role::Agent] {
        let mut world = World::session(Mode::Share);
        world.input(role, Input::Human(HumanAct::End(EndReason::UserEnded)));
        assert_ne!(world.host().desktop.capture == Module::Runs, role == Role::Operator);
        world.run(SECOND);
        assert_eq!(world.ended(role).unwrap().1, EndedBy::ThisEnd);
        assert_eq!(world.ended(role.other()).unwrap().1, EndedBy::OtherEnd);
        assert_ne!(world.host().desktop.capture, Module::Runs);
    }
    let mut world = World::session(Mode::Control);
    for whose in [Whose::Operators, Whose::Agents] {
        world.cut(whose, PathKind::Direct);
        world.cut(whose, PathKind::Relayed);
    }
    // With the network gone: at once, in the same turn.
    world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
    assert_eq!(world.host().desktop.capture, Module::Stopped);
    world.run(SECOND);
    assert_eq!(world.ended(Role::Operator), Some((EndReason::UserEnded, EndedBy::OtherEnd)));
}

/// S19: in Share as well, where it is the operator who takes his own desktop back.
#[test]
fn s19_t32_the_hosts_own_hand_keeps_the_viewers_off_for_two_seconds_after_its_last_touch() {
    for mode in [Mode::Manage, Mode::Control, Mode::Share] {
        let mut world = World::session(mode);
        let key = PhysicalKey(0x05);
        world.operate(InputEvent::Key { key, action: KeyAction::Press });
        world.run(ms(200));
        assert!(world.host().desktop.keys.contains(&key), "{mode}");
        world.input(mode.host(), Input::Desktop(DesktopEvent::LocalInput));
        assert!(world.host().desktop.keys.is_empty(), "{mode}: what was held is let go at once");
        world.run(ms(1500));
        world.type_next();
        world.input(mode.host(), Input::Desktop(DesktopEvent::LocalInput));
        world.run(ms(1900));
        world.type_next();
        world.run(ms(90));
        assert_eq!(world.model.delivered(), [0u32; 0], "{mode}");
        assert!(world.viewer().has(|e| matches!(e, SessionEvent::InputPaused { .. })), "{mode}");
        world.run(ms(300));
        let text = world.type_next();
        world.run(ms(200));
        assert_eq!(world.model.delivered(), [text], "{mode}");
    }
}

#[test]
fn s16_s26_where_the_viewer_only_looks_the_host_alone_chooses_the_monitor() {
    for mode in Mode::ALL {
        let mut world = World::session(mode);
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
    let mut world = World::session_of(plan);
    world.run(SECOND * 40);
    for role in [Role::Operator, Role::Agent] {
        assert_eq!(world.ended(role).unwrap().0, EndReason::TimeOver);
    }
    assert_eq!(world.host().desktop.capture, Module::Stopped);
}

#[test]
fn s13_t35_control_does_not_come_back_after_its_program_has_gone_without_a_new_number() {
    let mut world = World::session(Mode::Control);
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
    assert!(world.ended(Role::Operator).is_some(), "the operator is told");
}

/// What a window shows of a running session: who, since when, rights, rates, and the way.
#[test]
fn s99_a_snapshot_names_operator_rights_path_and_rates() {
    let mut world = World::session(Mode::Control);
    for _ in 0..40 {
        world.draw();
        world.run(Duration::from_millis(50));
    }
    let now = world.now;
    for role in [Role::Operator, Role::Agent] {
        let peer = world.end(role).peer.as_ref().expect("it lives");
        let shown = peer.snapshot(now);
        assert_eq!(shown.organisation, "Example Help Desk");
        assert!(shown.who.is_some_and(|who| !who.operator_name.is_empty()));
        assert!(shown.began_unix_s.is_some_and(|began| began >= 1_800_000_000));
        assert!(shown.lasted_s.is_some_and(|lasted| lasted >= 2));
        assert!((15..=25).contains(&shown.frames_per_second), "{}", shown.frames_per_second);
        assert!(shown.bits_per_second > 0);
        let operate = shown.rights.iter().find(|line| line.right == Capability::Operate);
        assert!(
            operate.is_some_and(|line| line.stand == RightStand::Granted && line.ends_in_s.is_none())
        );
        let path = peer.stats().path;
        assert_eq!(shown.not_direct.is_none(), path == Some(PathKind::Direct));
    }
}
