//! A run of the world as bytes: eight for the plan, then two for each step.
//!
//! Any bytes are a script, so that whatever finds new ones need know nothing of
//! sessions, and a committed script stays valid when steps are added behind.

use std::time::Duration;

use tasuki_peer::core::io::{DesktopEvent, HumanAct, Input, SessionEvent};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::core::{PathPolicy, Permission};
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::screen::MonitorId;
use tasuki_protocol::terms::AddressDisclosure;

use super::network::Whose;
use super::setup::everything;
use super::wires::nat::NatKind;
use super::{Plan, Wiring, World};

/// Steps beyond these are not taken.
const MAX_STEPS: usize = 200;

const BETWEEN_STEPS: Duration = Duration::from_millis(25);

/// What one run came to.
#[derive(Debug)]
pub struct Outcome {
    pub accepted: Reached,
    pub typed: usize,
    pub delivered: usize,
    pub world: World,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    NotYet,
    Accepted,
}

/// Whether anything happened that may cost a key stroke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calm {
    Undisturbed,
    Disturbed,
}

/// Runs the script and checks what must hold afterwards.
///
/// # Panics
/// Something that must hold did not.
pub fn run(script: &[u8], wiring: Wiring) -> Outcome {
    let byte = |place: usize| script.get(place).copied().unwrap_or_default();
    let mut world = World::new(Plan { wiring, ..plan(script) });
    if wiring == Wiring::Real {
        let kind = |number: u8| NatKind::ALL[usize::from(number) % NatKind::ALL.len()];
        world.set_nat([kind(byte(4) / 4), kind(byte(4) / 20)]);
    }
    world.network.weather.loss_percent = byte(5) % 16;
    world.network.weather.repeat_percent = byte(5) / 16;
    world.network.weather.latency = Duration::from_millis(1 + u64::from(byte(6)) % 200);
    let mut calm = if byte(5) == 0 { Calm::Undisturbed } else { Calm::Disturbed };
    let granted = granted(byte(2));
    world.run(Duration::from_millis(100));
    if let Some(number) = world.number.clone() {
        world.join(number);
    }
    world.run(Duration::from_millis(400));
    for step in script.get(8..).unwrap_or_default().chunks_exact(2).take(MAX_STEPS) {
        if take(&mut world, step[0], step[1], granted) == Calm::Disturbed {
            calm = Calm::Disturbed;
        }
        world.run(BETWEEN_STEPS);
    }
    finish(world, calm)
}

fn plan(script: &[u8]) -> Plan {
    let byte = |place: usize| script.get(place).copied().unwrap_or_default();
    let mode = Mode::ALL[usize::from(byte(1)) % Mode::ALL.len()];
    let mut plan = Plan::new(u64::from(byte(0)), mode);
    plan.operator_paths = policy(byte(3) & 3);
    plan.agent_paths = policy(byte(3) >> 2 & 3);
    plan.disclosure = match byte(4) % 4 {
        0 => AddressDisclosure::RelayOnly,
        1 => AddressDisclosure::Public,
        _ => AddressDisclosure::All,
    };
    if byte(7) % 8 == 1 {
        plan.host_local = everything().without(Capability::Operate);
    }
    if byte(7) / 8 % 8 == 1 {
        plan.length_s = 20;
    }
    plan
}

fn policy(bits: u8) -> PathPolicy {
    match bits {
        1 => PathPolicy { direct: Permission::Forbidden, relay: Permission::Allowed },
        2 => PathPolicy { direct: Permission::Allowed, relay: Permission::Forbidden },
        _ => PathPolicy::default(),
    }
}

fn granted(bits: u8) -> Rights {
    match bits % 8 {
        1 => everything().without(Capability::Operate),
        2 => everything().without(Capability::SeeScreen),
        _ => everything(),
    }
}

fn take(world: &mut World, step: u8, how: u8, granted: Rights) -> Calm {
    match step % 8 {
        0 => {
            world.run(Duration::from_millis(u64::from(how) * 20));
            Calm::Undisturbed
        }
        1 | 2 => hand(world, how),
        3 => person(world, how, granted),
        4 => cut(world, how),
        5 => outage(world, how),
        6 => {
            world.draw();
            world.run(Duration::from_millis(u64::from(how)));
            Calm::Undisturbed
        }
        _ => weather(world, how),
    }
}

fn hand(world: &mut World, how: u8) -> Calm {
    let action = if how & 1 == 0 { KeyAction::Press } else { KeyAction::Release };
    match how / 16 {
        0..=9 => {
            world.type_next();
        }
        10 | 11 => {
            let key = PhysicalKey(4 + u16::from(how % 16));
            world.operate(InputEvent::Key { key, action });
        }
        12 => world.operate(InputEvent::Button { button: PointerButton::Left, action }),
        13 => world.operate(InputEvent::Wheel { dx: 0, dy: 120 }),
        _ => {
            let (monitor, x, y) = (MonitorId(how & 1), u16::from(how) * 40, 700);
            world.operate(InputEvent::PointerMove { monitor, x, y });
        }
    }
    Calm::Undisturbed
}

fn person(world: &mut World, how: u8, granted: Rights) -> Calm {
    let (host, viewer) = (world.plan.mode.host(), world.plan.mode.viewer());
    match how % 16 {
        0..=8 => world.accept(granted),
        9 => world.refuse(),
        10 => world.input(host, Input::Desktop(DesktopEvent::LocalInput)),
        11 => world.input(viewer, Input::Human(HumanAct::ShowMonitor(MonitorId(how / 128)))),
        12 => world.input(host, Input::Human(HumanAct::ShowMonitor(MonitorId(how / 128)))),
        13 => world.input(viewer, Input::Human(HumanAct::Chat("hello".to_owned()))),
        14 if how > 200 => {
            world.input(Role::Agent, Input::Human(HumanAct::End(EndReason::UserEnded)));
        }
        15 if how > 200 => {
            world.input(Role::Operator, Input::Human(HumanAct::End(EndReason::OperatorEnded)));
        }
        _ => world.input(viewer, Input::Human(HumanAct::TookScreenshot)),
    }
    if how % 16 == 10 { Calm::Disturbed } else { Calm::Undisturbed }
}

fn cut(world: &mut World, how: u8) -> Calm {
    let whose = if how & 1 == 0 { Whose::Operators } else { Whose::Agents };
    let kind = if how & 2 == 0 { PathKind::Direct } else { PathKind::Relayed };
    match how / 4 % 4 {
        0 => world.cut(whose, kind),
        1 => {
            world.cut(whose, PathKind::Direct);
            world.cut(whose, PathKind::Relayed);
        }
        _ => world.heal(),
    }
    Calm::Disturbed
}

fn outage(world: &mut World, how: u8) -> Calm {
    match how % 8 {
        0 => world.crash_server(),
        1 => world.restart_server(),
        2 => world.kill_relay(),
        3 => world.restart_relay(),
        4 => world.lose_server(Role::Operator),
        5 => world.lose_server(Role::Agent),
        6 if how > 240 => world.kill(Role::Agent),
        7 if how > 240 => world.kill(Role::Operator),
        _ => world.set_nat(if how & 16 == 0 { [NatKind::Open; 2] } else { [NatKind::Symmetric; 2] }),
    }
    Calm::Disturbed
}

fn weather(world: &mut World, how: u8) -> Calm {
    world.network.weather.loss_percent = how % 16;
    world.network.weather.repeat_percent = how / 16;
    world.network.weather.latency = Duration::from_millis(1 + u64::from(how));
    Calm::Disturbed
}

fn finish(mut world: World, calm: Calm) -> Outcome {
    let accepted = if world.model.granted.is_some() { Reached::Accepted } else { Reached::NotYet };
    if calm == Calm::Undisturbed {
        world.run(Duration::from_secs(2));
        check_complete(&mut world);
    }
    world.set_nat([NatKind::Open; 2]);
    world.network.weather = super::network::Weather::default();
    world.restart_server();
    world.restart_relay();
    world.heal();
    world.run(Duration::from_secs(75));
    check_agreement(&mut world);
    check_alive(&mut world);
    world.input(Role::Operator, Input::Human(HumanAct::End(EndReason::OperatorEnded)));
    world.run(Duration::from_secs(140));
    check_over(&mut world);
    let (typed, delivered) = (world.model.all_typed().len(), world.model.delivered().len());
    Outcome { accepted, typed, delivered, world }
}

fn may_operate(world: &World) -> Rights {
    let granted = world.model.granted.unwrap_or(Rights::NONE);
    granted.and(world.plan.mode.ceiling()).and(world.plan.host_local)
}

/// Without any disturbance nothing is lost, once a path stood.
fn check_complete(world: &mut World) {
    let delivered: Vec<u32> = world.model.delivered().to_vec();
    if !may_operate(world).has(Capability::Operate) {
        assert!(delivered.is_empty(), "input without the right to it");
        return;
    }
    if let [first, .., last] = delivered.as_slice() {
        let whole: Vec<u32> = (*first..=*last).collect();
        assert_eq!(delivered, whole, "keys were lost on an undisturbed path");
    }
}

fn is_over(world: &mut World, role: Role) -> Option<bool> {
    world.end(role).peer.as_ref().map(tasuki_peer::core::Peer::is_over)
}

/// When all is well again, an accepted session is over at both ends or at neither.
fn check_agreement(world: &mut World) {
    if world.model.granted.is_none() {
        return;
    }
    if let (Some(operator), Some(agent)) = (is_over(world, Role::Operator), is_over(world, Role::Agent))
    {
        let told = (&world.operator.events, &world.agent.events);
        assert_eq!(operator, agent, "one end is over and the other does not know: {told:#?}");
    }
}

/// What lives, works.
fn check_alive(world: &mut World) {
    let both = [Role::Operator, Role::Agent].map(|role| is_over(world, role) == Some(false));
    let works = both == [true, true] && may_operate(world).has(Capability::Operate);
    if !works || world.model.granted.is_none() {
        return;
    }
    world.operate(InputEvent::ReleaseAll);
    for _ in 0..3 {
        world.run(Duration::from_secs(1));
    }
    let text = world.type_next();
    world.run(Duration::from_secs(3));
    let told = (&world.operator.events, &world.agent.events);
    assert!(world.model.delivered().contains(&text), "nothing arrives any more: {told:#?}");
}

fn check_over(world: &mut World) {
    for role in [Role::Operator, Role::Agent] {
        let Some(over) = is_over(world, role) else { continue };
        let ended = world.end(role).count(|event| matches!(event, SessionEvent::Ended { .. }));
        let accepted = world.model.granted.is_some();
        assert!(over || !accepted, "{role:?} never ended");
        assert_eq!(ended, usize::from(over), "{role:?} is told of its end once");
        if over {
            let desktop = &world.end(role).desktop;
            assert!(desktop.keys.is_empty(), "T50: keys are held after the end");
            assert!(desktop.buttons.is_empty(), "T50: buttons are held after the end");
            let runs = super::desktop::Module::Runs;
            assert!(desktop.capture != runs && desktop.injector != runs, "S31: something still runs");
        }
    }
}
