//! The network lab's short form: the pairs that are hardest, with real programs in namespaces.
//! `./dev lab` tries all of them.

#![allow(clippy::unwrap_used)]

use std::{thread, time::Duration};

use tasuki_tests::{
    lab::{Kind, Lab, Line, Meeting, Side, expected, is_possible},
    running::Mark,
    stack::Way,
};

/// S28, S83-S85, F23, R7: restricted at both ends at once, each in its own way. A pair that comes to
/// another path than it must is an error of [`Lab::attempt`].
#[test]
fn s83_s84_s85_sessions_stand_between_restricted_networks() {
    if !is_possible() {
        eprintln!("SKIPPED: making networks needs root");
        return;
    }
    let mut lab = Lab::set_up_with_turn().unwrap();
    for (operator, agent) in [
        (Kind::Proxied, Kind::Proxied),
        (Kind::Only443, Kind::Proxied),
        (Kind::PortRestricted, Kind::PortRestricted),
        (Kind::Symmetric, Kind::PortRestricted),
        (Kind::FullCone, Kind::Symmetric),
        (Kind::Ipv6Only, Kind::Ipv6Only),
        (Kind::Ipv6Only, Kind::NoUdp),
    ] {
        let outcome = lab.attempt(operator, agent).unwrap();
        assert_eq!(outcome.path, expected(operator, agent), "{operator:?} with {agent:?}");
        // R1, S10: under `public` only what STUN saw, accounted for address by address.
        let public = |address: &String| address.starts_with("203.0.113.") || address.contains(':');
        assert!(outcome.told.iter().all(public), "{:?}", outcome.told);
        assert_eq!(outcome.told.is_empty(), operator.is_silent(), "{operator:?}: {:?}", outcome.told);
    }
}

/// S84, F23: the obstacle, or what keeps a session from going directly, is named where it is.
#[test]
fn f23_the_doctor_tells_the_networks_apart() {
    if !is_possible() {
        eprintln!("SKIPPED: making networks needs root");
        return;
    }
    let mut lab = Lab::set_up().unwrap();
    let found = lab.diagnose(Kind::Open).unwrap();
    assert!(found.iter().any(|code| code == "turn_absent"), "a relay without TURN: {found:?}");
    drop(lab);
    let mut lab = Lab::set_up_with_turn().unwrap();
    for (kind, wanted) in [
        (Kind::Open, &["no_proxy", "udp_open", "turn_open"][..]),
        (Kind::PortRestricted, &["no_proxy", "udp_same_for_all", "turn_open"]),
        (Kind::Symmetric, &["no_proxy", "udp_per_destination", "turn_open"]),
        (Kind::Only443, &["no_proxy", "udp_blocked"]),
        (Kind::Proxied, &["proxy_serves", "udp_blocked"]),
    ] {
        let found = lab.diagnose(kind).unwrap();
        assert!(wanted.iter().all(|code| found.iter().any(|f| f == code)), "{kind:?}: {found:?}");
    }
    for (delay, kilobits, wanted) in [(200, None, "line_far"), (10, Some(400), "line_slow")] {
        let line = Line { delay: Duration::from_millis(delay), loss_percent: 0, kilobits };
        let found = lab.diagnose_far(line).unwrap();
        assert!(found.iter().any(|code| code == wanted), "{line:?}: {found:?}");
    }
}

/// F9: 20 s of nothing in either direction, with a NAT in between that may have forgotten.
#[test]
fn f9_a_session_comes_back_after_a_blackhole_without_a_new_consent() {
    if !is_possible() {
        eprintln!("SKIPPED: making networks needs root");
        return;
    }
    let mut lab = Lab::set_up().unwrap();
    let mut session = lab.start(Kind::Open, Kind::PortRestricted).unwrap();
    let mark = session.operator.log().mark();
    lab.layout().cut(Side::Agent).unwrap();
    session.operator.event(mark, "the gap", |e| e["event"] == "reconnecting").unwrap();
    thread::sleep(Duration::from_secs(17));
    let mark = session.operator.log().mark();
    lab.layout().heal(Side::Agent).unwrap();
    session.operator.event(mark, "a path again", |e| e["event"] == "path_chosen").unwrap();
    was_asked_once(&session);
    session.end().unwrap();
}

/// F7, R1: the end user's computer changes its network; the session finds it again, relayed first
/// and then directly, and the new address is accounted for like the old one.
#[test]
fn f7_a_session_follows_a_computer_into_another_network() {
    if !is_possible() {
        eprintln!("SKIPPED: making networks needs root");
        return;
    }
    let mut lab = Lab::set_up().unwrap();
    let mut session = lab.start(Kind::PortRestricted, Kind::Open).unwrap();
    let direct = |e: &serde_json::Value| e["event"] == "path_chosen" && e["path"] == "direct";
    session.operator.event(Mark::default(), "the direct path", direct).unwrap();
    let (operator, agent) = (session.operator.log().mark(), session.agent.log().mark());
    lab.layout().move_away(Side::Agent).unwrap();
    session.operator.event(operator, "a path again", |e| e["event"] == "path_chosen").unwrap();
    let told = |e: &serde_json::Value| e["event"] == "disclosed" && e["address"] == "203.0.113.112";
    session.agent.event(agent, "the new address", told).unwrap();
    session.operator.event(operator, "the direct path again", direct).unwrap();
    was_asked_once(&session);
    session.end().unwrap();
}

/// F8, short: 5 % loss and 200 ms there and back. That no key is lost or doubled is an error of
/// [`Lab::endure`]; `./dev lab far` endures ten minutes and writes the figures.
#[test]
fn f8_a_session_endures_a_long_line_that_loses_packets() {
    if !is_possible() {
        eprintln!("SKIPPED: making networks needs root");
        return;
    }
    let mut lab = Lab::set_up().unwrap();
    let line = Line { delay: Duration::from_millis(100), loss_percent: 5, kilobits: None };
    let endured = lab.endure(line, Way::Auto, Duration::from_secs(15)).unwrap();
    assert_eq!(endured.gaps, 0);
    assert!(endured.pictures > 15 && endured.keys.len() > 5, "{endured:?}");
}

fn was_asked_once(session: &Meeting) {
    let events = session.agent.events(Mark::default());
    assert_eq!(events.iter().filter(|event| event["event"] == "question").count(), 1);
}
