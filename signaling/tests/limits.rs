//! The limits that keep guesses and floods small, on a clock of the test's own.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use tasuki_protocol::ids::SessionId;
use tasuki_signaling::core::agenda::{Agenda, Reminder};
use tasuki_signaling::core::guesses::{Guesses, Limits, OVERALL_WINDOW, Place};
use tasuki_signaling::core::pace::{Allowance, Pace};
use tasuki_signaling::core::requests::{KEPT, Requests};
use tasuki_signaling::core::rooms::ConnectionId;

fn guesses() -> Guesses {
    Guesses::new(Limits { per_address: 10, overall: 100 })
}

#[test]
fn t6_ten_tries_in_ten_minutes_from_one_place() {
    let (mut guesses, start) = (guesses(), Instant::now());
    let place = Place::V4(1);
    assert_eq!((0..50).filter(|_| guesses.admit(place, start)).count(), 10);
    assert!(!guesses.admit(place, start + Duration::from_secs(599)));
    assert!(guesses.admit(place, start + Duration::from_secs(600)));
}

/// T54: whoever has a /64 has one place, and nobody has another in the dress of IPv6.
#[test]
fn t6_t54_an_address_of_ipv6_is_one_place_with_all_of_its_64() {
    let place = |text: &str| Place::from(text.parse::<IpAddr>().unwrap());
    let of = "2001:db8:1:2";
    for host in ["::", "::1", ":ffff:ffff:ffff:ffff", ":0:0:8000:0", ":8000::"] {
        assert_eq!(place(&format!("{of}{host}")), place("2001:db8:1:2::7"), "{host}");
    }
    for other in ["2001:db8:1:3::7", "2001:db8:1:0::7", "2001:db9:1:2::7", "::7"] {
        assert_ne!(place(other), place("2001:db8:1:2::7"), "{other}");
    }
    assert_eq!(place("::ffff:192.0.2.1"), place("192.0.2.1"));
    assert_ne!(place("::ffff:192.0.2.1"), place("192.0.2.2"));
}

#[test]
fn t6_a_hundred_tries_a_minute_from_everywhere() {
    let (mut guesses, start) = (guesses(), Instant::now());
    let let_in = (0..10_000).filter(|n| guesses.admit(Place::V4(*n), start)).count();
    assert_eq!(let_in, 100);
    assert!(guesses.admit(Place::V4(20_000), start + OVERALL_WINDOW));
}

/// T59: ten places that guess at their full speed leave half of the limit to people who have not
/// tried, and the limit itself stands.
#[test]
fn t6_places_that_guess_do_not_spend_the_tries_of_those_who_have_not() {
    let (mut guesses, start) = (guesses(), Instant::now());
    let mut let_in = 0;
    for _ in 0..10 {
        let_in += (0..10).filter(|n| guesses.admit(Place::V4(*n), start)).count();
    }
    assert_eq!(let_in, 10 + 50);
    let people = (100..1_000).filter(|n| guesses.admit(Place::V4(*n), start)).count();
    assert_eq!(people, 40);
    // Nor do people who come for the first time keep others from a second try.
    let (mut guesses, later) = (self::guesses(), start + Duration::from_secs(1));
    assert_eq!((0..50).filter(|n| guesses.admit(Place::V4(*n), start)).count(), 50);
    assert!((0..50).all(|n| guesses.admit(Place::V4(n), later)));
    assert!(!guesses.admit(Place::V4(60), later));
}

/// A pairing gives back the very try that led to it.
#[test]
fn a_try_that_led_to_a_pairing_counts_neither_as_a_first_nor_as_another() {
    let (mut guesses, start) = (guesses(), Instant::now());
    for _ in 0..1_000 {
        assert!(guesses.admit(Place::V4(1), start));
        guesses.give_back(Place::V4(1));
    }
    assert!(guesses.admit(Place::V4(1), start));
    for _ in 0..1_000 {
        assert!(guesses.admit(Place::V4(1), start));
        guesses.give_back(Place::V4(1));
    }
    assert_eq!((0..200).filter(|n| guesses.admit(Place::V4(100 + n), start)).count(), 99);
}

#[test]
fn t6_one_ipv6_network_and_one_mapped_address_are_one_place() {
    let place = |text: &str| Place::from(text.parse::<IpAddr>().unwrap());
    assert_eq!(place("2001:db8:1:2::1"), place("2001:db8:1:2:ffff::9"));
    assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
    assert_eq!(place("::ffff:192.0.2.1"), place("192.0.2.1"));
    assert_ne!(place("192.0.2.1"), place("192.0.2.2"));
}

#[test]
fn a_burst_passes_then_only_what_time_refills() {
    let start = Instant::now();
    let mut pace = Pace::new(Allowance { burst: 3, per_second: 2.0 }, start);
    assert_eq!((0..5).filter(|_| pace.take(start)).count(), 3);
    let later = start + Duration::from_secs(1);
    assert_eq!((0..5).filter(|_| pace.take(later)).count(), 2);
    let much_later = start + Duration::from_secs(3600);
    assert_eq!((0..9).filter(|_| pace.take(much_later)).count(), 3);
}

#[test]
fn however_often_something_is_put_off_or_brought_forward_it_is_reminded_once() {
    let (mut agenda, now) = (Agenda::default(), Instant::now());
    let (room, agent) = (Reminder::Room(SessionId([1; 16])), Reminder::Agent(ConnectionId(1)));
    let at = |second| now + Duration::from_secs(second);
    agenda.remind(at(900), agent);
    for second in (500..1000).chain(100..600) {
        agenda.remind(at(second), room);
    }
    assert_eq!(agenda.next(), Some(at(100)));
    assert_eq!((agenda.pop_due(at(99)), agenda.pop_due(at(100))), (None, Some(room)));
    assert_eq!((agenda.pop_due(at(2000)), agenda.pop_due(at(2000))), (Some(agent), None));
    agenda.remind(at(3000), room);
    assert_eq!(agenda.next(), Some(at(3000)), "and again, where it asks for it");
}

#[test]
fn t59_an_address_has_its_burst_and_its_rate_and_takes_from_no_other() {
    let begun = Instant::now();
    let mut requests = Requests::new(60, Duration::from_secs(60), begun);
    let served = |requests: &mut Requests, of, now| {
        (0..200).filter(|_| requests.admit(Place::V4(of), now).is_ok()).count()
    };
    assert_eq!(served(&mut requests, 1, begun), 60);
    assert_eq!(requests.admit(Place::V4(1), begun), Err(Duration::from_secs(1)));
    assert_eq!(served(&mut requests, 2, begun), 60);
    // While generations pass, too: who goes on asking has what the time has given, and no more.
    let mut in_ten_minutes = 0;
    for half_seconds in 1..=1200 {
        let now = begun + Duration::from_millis(500 * half_seconds);
        in_ten_minutes += usize::from(requests.admit(Place::V4(1), now).is_ok());
    }
    assert_eq!(in_ten_minutes, 600);
}

#[test]
fn t59_addresses_without_number_take_up_no_memory_without_bound() {
    let begun = Instant::now();
    let mut requests = Requests::new(60, Duration::from_secs(60), begun);
    for place in 0..400_000 {
        requests.admit(Place::V4(place), begun).ok();
    }
    assert!(requests.kept() <= 2 * KEPT);
    let minute = Duration::from_secs(60);
    for place in [1, 2] {
        requests.admit(Place::V4(place), begun + minute * (3 + place)).ok();
    }
    assert_eq!(requests.kept(), 2);
}

/// R5: what was none that counts takes nothing away, and by those that count one address keeps one account closed to new
/// devices for a third of the time, with the settings that a server has where nobody said otherwise.
#[test]
fn t53_wrong_sign_ins_of_one_address_suspend_an_account_a_third_of_the_time_at_most() {
    let (begun, place, lock_for) = (Instant::now(), Place::V4(1), Duration::from_secs(900));
    let mut wrong = Requests::new(10, lock_for * 10, begun);
    for _ in 0..1_000 {
        assert!(wrong.admit(place, begun).is_ok());
        wrong.give_back(place);
    }
    let (mut suspended_until, mut tried, mut closed) = (Duration::ZERO, 0, 0);
    // He tries as often as he may, and not while it does nothing for him.
    for now in (0..24 * 3600).map(Duration::from_secs) {
        while now >= suspended_until && wrong.admit(place, begun + now).is_ok() {
            tried += 1;
            if tried % 3 == 0 {
                suspended_until = now + lock_for;
            }
        }
        closed += u64::from(now < suspended_until);
    }
    assert_eq!(tried, 10 + 95, "ten, and one more each quarter of an hour");
    // His ten go first, in five quarters of an hour.
    assert!(closed <= 24 * 3600 / 3 + 5 * 900, "closed for {closed} s of a day");
}
