//! Sessions over the real paths' cores: `DirectLink` through address translators, `RelayLeg`
//! over a relay whose lobby is the shipped one, all on the virtual clock.

use std::path::PathBuf;
use std::time::Duration;

use tasuki_peer::core::Permission;
use tasuki_peer::core::io::SessionEvent;
use tasuki_peer::core::path::PathKind;
use tasuki_protocol::ids::Role;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::AddressDisclosure;
use tasuki_tests::world::dice::Dice;
use tasuki_tests::world::network::Whose;
use tasuki_tests::world::script;
use tasuki_tests::world::wires::nat::NatKind;
use tasuki_tests::world::{Plan, Wiring, World};

const SECOND: Duration = Duration::from_secs(1);

fn plan(seed: u64, mode: Mode) -> Plan {
    Plan { wiring: Wiring::Real, ..Plan::new(seed, mode) }
}

fn session(plan: Plan, nat: [NatKind; 2]) -> World {
    let mut world = World::new(plan);
    world.set_nat(nat);
    let all = world.plan.mode.ceiling();
    world.reach_consent(all);
    let pictured = world.run_until(10 * SECOND, |w| !w.viewer().seen.is_empty());
    assert!(pictured, "{nat:?}: a picture comes: {:#?}", world.operator.events);
    world
}

/// Types and draws for a second; all of it arrives.
fn assert_works(world: &mut World, what: &str) {
    for _ in 0..10 {
        world.type_next();
        world.draw();
        world.run(SECOND / 10);
    }
    world.run(2 * SECOND);
    let told = (&world.operator.events, &world.agent.events);
    assert_eq!(world.model.delivered().last(), world.model.all_typed().last(), "{what}: {told:#?}");
    let revision = world.host().desktop.revision;
    assert_eq!(world.viewer().seen.last(), Some(&revision), "{what}: the newest is shown");
}

/// RFC 4787's kinds in pairs; a line says which of them ICE can join (RFC 8445).
#[test]
fn s28_s83_every_pair_of_translators_gets_a_session_and_a_direct_one_where_ice_can() {
    use NatKind::{PortRestricted, Symmetric, UdpBlocked};
    for operators in NatKind::ALL {
        for agents in NatKind::ALL {
            let pair = [operators, agents];
            let mut world = session(plan(31, Mode::Control), pair);
            world.run(15 * SECOND);
            let never = pair.contains(&UdpBlocked)
                || matches!(
                    pair,
                    [Symmetric, Symmetric | PortRestricted] | [PortRestricted, Symmetric]
                );
            let expected = if never { PathKind::Relayed } else { PathKind::Direct };
            assert_eq!(world.path(Role::Operator), Some(expected), "{pair:?}");
            assert_works(&mut world, &format!("{pair:?}"));
        }
    }
}

#[test]
fn s10_an_operator_who_tells_no_address_is_joined_by_the_relay_alone() {
    let mut plan = plan(32, Mode::View);
    plan.disclosure = AddressDisclosure::RelayOnly;
    let mut world = session(plan, [NatKind::Open; 2]);
    world.run(15 * SECOND);
    assert_eq!(world.path(Role::Agent), Some(PathKind::Relayed));
}

#[test]
fn f8_on_a_long_line_that_loses_and_repeats_no_key_is_lost() {
    let mut world = session(plan(33, Mode::Control), [NatKind::PortRestricted; 2]);
    world.run(10 * SECOND);
    world.network.weather.loss_percent = 5;
    world.network.weather.repeat_percent = 3;
    world.network.weather.latency = Duration::from_millis(80);
    world.network.weather.jitter = Duration::from_millis(25);
    for _ in 0..300 {
        world.type_next();
        world.draw();
        world.run(Duration::from_millis(83));
    }
    world.run(3 * SECOND);
    assert_eq!(world.model.delivered(), world.model.all_typed());
    let revision = world.host().desktop.revision;
    assert_eq!(world.viewer().seen.last(), Some(&revision));
}

/// A lost key is said again with the next one or after about a round trip; SCTP alone would wait
/// a second for it, and for three if that was lost too.
#[test]
fn f8_on_the_direct_path_alone_a_lost_key_waits_for_no_second() {
    let mut plan = plan(37, Mode::Control);
    plan.agent_paths.relay = Permission::Forbidden;
    let mut world = session(plan, [NatKind::PortRestricted; 2]);
    world.run(10 * SECOND);
    assert_eq!(world.path(Role::Operator), Some(PathKind::Direct));
    world.network.weather.loss_percent = 5;
    world.network.weather.latency = Duration::from_millis(80);
    for _ in 0..600 {
        world.type_next();
        world.run(Duration::from_millis(83));
    }
    // Now and then one key alone, which no other follows.
    for _ in 0..100 {
        world.type_next();
        world.run(SECOND);
    }
    assert_eq!(world.model.delivered(), world.model.all_typed());
    let waits = world.model.waits();
    let [half, p90, p99] = [50, 90, 99].map(|percent| waits[waits.len() * percent / 100]);
    println!("p50 {half:?}, p90 {p90:?}, p99 {p99:?}, longest {:?}", waits.last());
    assert!(p90 <= Duration::from_millis(200), "{p90:?}");
    assert!(p99 <= Duration::from_millis(800), "{p99:?}");
    assert!(waits.last().is_some_and(|longest| *longest < SECOND), "{:?}", waits.last());
}

#[test]
fn a_cut_direct_path_gives_way_to_the_relay_and_comes_back_with_the_line() {
    let mut world = session(plan(34, Mode::Control), [NatKind::FullCone, NatKind::PortRestricted]);
    world.run(15 * SECOND);
    assert_eq!(world.path(Role::Operator), Some(PathKind::Direct));
    for whose in [Whose::Operators, Whose::Agents] {
        world.cut(whose, PathKind::Direct);
    }
    let text = world.type_next();
    let arrived = |w: &mut World| w.host().desktop.typed().contains(&text);
    assert!(world.run_until(SECOND, arrived), "{:#?}", world.operator.events);
    assert_works(&mut world, "over the relay");
    assert_eq!(world.path(Role::Operator), Some(PathKind::Relayed));
    world.heal();
    let back = |w: &mut World| w.path(Role::Operator) == Some(PathKind::Direct);
    assert!(world.run_until(60 * SECOND, back), "{:#?}", world.operator.events);
    assert_works(&mut world, "direct again");
}

#[test]
fn f3_a_relay_that_dies_and_comes_back_is_found_again_with_a_fresh_ticket() {
    let mut plan = plan(35, Mode::Manage);
    plan.agent_paths.direct = Permission::Forbidden;
    let mut world = session(plan, [NatKind::Open; 2]);
    world.kill_relay();
    world.run(SECOND);
    assert!(world.operator.has(|e| *e == SessionEvent::Reconnecting));
    world.restart_relay();
    world.run(10 * SECOND);
    assert_works(&mut world, "over the new relay");
}

#[test]
fn a_network_that_changes_under_a_session_costs_the_path_and_not_the_session() {
    let mut world = session(plan(36, Mode::Control), [NatKind::PortRestricted; 2]);
    world.run(15 * SECOND);
    world.set_nat([NatKind::UdpBlocked, NatKind::Symmetric]);
    world.run(5 * SECOND);
    assert_eq!(world.path(Role::Operator), Some(PathKind::Relayed));
    assert_works(&mut world, "in a network without UDP");
}

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/wires")
}

#[test]
fn every_committed_script_holds_over_real_paths() {
    let mut chosen = [0, 0];
    let mut delivered = 0;
    for entry in std::fs::read_dir(corpus()).expect("the corpus is in the tree") {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        let outcome = script::run(&std::fs::read(&path).unwrap(), Wiring::Real);
        delivered += outcome.delivered;
        for (count, path) in chosen.iter_mut().zip([PathKind::Direct, PathKind::Relayed]) {
            *count += outcome.world.operator.count(|e| *e == SessionEvent::PathChosen { path });
        }
    }
    println!("{chosen:?} times a path was chosen; {delivered} texts arrived");
    assert!(chosen.iter().all(|count| *count > 0), "the corpus reaches both kinds: {chosen:?}");
    assert!(delivered > 0, "and the states that matter");
}

/// As for the world of told paths: `TASUKI_WORLD_SEARCH=N` runs N random scripts, and one that
/// fails is left behind in the corpus.
#[test]
fn random_scripts_hold_over_real_paths_as_well() {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let (runs, from) =
        (number("TASUKI_WORLD_SEARCH").unwrap_or(6), number("TASUKI_WORLD_FROM").unwrap_or(500));
    for seed in from..from + runs {
        let mut dice = Dice::new(seed);
        let length = 8 + dice.below(100) as usize;
        let mut bytes: Vec<u8> = (0..length).map(|_| dice.below(256) as u8).collect();
        bytes.splice(8..8, [3, 0]);
        if let Err(panic) = std::panic::catch_unwind(|| script::run(&bytes, Wiring::Real)) {
            let file = corpus().join(format!("found-{seed}.bin"));
            std::fs::write(&file, &bytes).unwrap();
            println!("left in {}", file.display());
            std::panic::resume_unwind(panic);
        }
    }
}
