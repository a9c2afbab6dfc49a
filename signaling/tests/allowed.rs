//! Who may come in from where and when, for any list and any hour (S63, T54).

#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tasuki_protocol::admin::{Hours, Limits};
use tasuki_signaling::core::admission::{Admission, client_address, network};

fn at(addresses: &[&str]) -> Admission {
    let addresses = addresses.iter().map(|text| (*text).to_owned()).collect();
    Admission::try_from(&Limits { addresses, ..Limits::default() }).unwrap()
}

/// Those whose clocks go forward and back by an hour, by half of one and at midnight, and those of one time all year.
const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Tokyo",
    "Asia/Kathmandu",
];
/// Of 2026: when they do in the first four, each time, and a day on which nobody's do.
const MOMENTS: [i64; 9] = [
    1_774_746_000,
    1_792_890_000,
    1_772_953_200,
    1_793_512_800,
    1_775_314_800,
    1_791_041_400,
    1_772_946_000,
    1_793_509_200,
    1_795_564_800,
];

proptest! {
    /// S63, T54: as of an address of IPv6, whose networks are told apart at any of its bits.
    #[test]
    fn a_list_of_networks_of_ipv6_lets_in_what_lies_in_one(
        net: u128, length in 0u8..=128, flipped in 0u8..128,
    ) {
        let mapped = |bits: u128| bits >> 32 == 0xffff;
        let address = net ^ 1 << (127 - flipped);
        prop_assume!(!mapped(net) && !mapped(address));
        let allowed = at(&[&format!("{}/{length}", Ipv6Addr::from_bits(net))]);
        let address = IpAddr::V6(Ipv6Addr::from_bits(address));
        prop_assert_eq!(allowed.check(address, &[], 0).is_ok(), flipped >= length);
    }

    /// T54: in either dress, of the list and of who asks, an address is the same one.
    #[test]
    fn an_address_of_ipv4_in_the_dress_of_ipv6_is_that_address(
        net: [u8; 4], length in 0u8..=32, address: [u8; 4],
    ) {
        let (net, address) = (Ipv4Addr::from(net), Ipv4Addr::from(address));
        let plain = at(&[&format!("{net}/{length}")]);
        let dressed = at(&[&format!("{}/{}", net.to_ipv6_mapped(), 96 + length)]);
        let is_in = plain.check(IpAddr::V4(address), &[], 0);
        let mapped = IpAddr::V6(address.to_ipv6_mapped());
        prop_assert_eq!(plain.check(mapped, &[], 0), is_in);
        prop_assert_eq!(dressed.check(mapped, &[], 0), is_in);
        prop_assert_eq!(dressed.check(IpAddr::V4(address), &[], 0), is_in);
    }

    /// T54: behind any number of proxies it is whom the farthest of them names, and what he himself
    /// claims to forward for, or what is no address, is not looked at.
    #[test]
    fn of_a_forwarded_list_the_last_that_is_no_proxy_is_who_asks(
        claimed in vec("[0-9a-f.:, x]{0,20}", 0..3), client: [u8; 4], own in vec(any::<[u8; 3]>(), 0..4),
        dressed: bool,
    ) {
        let proxies = [network("10.0.0.0/8").unwrap(), network("2001:db8::/32").unwrap()];
        let client = IpAddr::from(client);
        prop_assume!(!proxies[0].contains(&client));
        let dress = |address: IpAddr| match address {
            IpAddr::V4(v4) if dressed => IpAddr::V6(v4.to_ipv6_mapped()),
            IpAddr::V4(_) | IpAddr::V6(_) => address,
        };
        let proxy = |[a, b, c]: [u8; 3]| dress(IpAddr::from([10, a, b, c])).to_string();
        let mut list = claimed;
        list.push(dress(client).to_string());
        list.extend(own.into_iter().map(proxy));
        for peer in ["10.9.9.9", "2001:db8::9"].map(|peer| dress(peer.parse().unwrap())) {
            let header = list.join(", ");
            prop_assert_eq!(client_address(peer, Some(&header), &proxies), client, "{}", header);
        }
    }

    /// S63: in every zone, on the days too on which its clocks are changed, who is let in is so for exactly
    /// as long as was said, and whoever is not is outside of the hours that its clocks show.
    #[test]
    fn hours_end_when_the_clocks_of_their_zone_say_so(
        zone in select(&ZONES[..]), near in select(&MOMENTS[..]),
        off in -100_000_i64..100_000, days in subsequence((1..=7).collect::<Vec<u8>>(), 1..=6),
        from in 0u16..1440, span in 1u16..=1440, whole: bool,
    ) {
        let (from, until) = if whole { (0, 1440) } else { (from, (from + span).min(1440)) };
        let hours = Hours { zone: zone.to_owned(), days: days.clone(), from, until };
        let limits = Limits { hours: Some(hours), ..Limits::default() };
        let allowed = Admission::try_from(&limits).unwrap();
        let shown = |unix: i64| {
            let moment = Timestamp::from_second(unix).unwrap();
            let local = TimeZone::get(zone).unwrap().to_datetime(moment);
            let day = u8::try_from(local.weekday().to_monday_one_offset()).unwrap();
            let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
            days.contains(&day) && (from..until).contains(&u16::try_from(minute).unwrap())
        };
        let unix = near + off;
        let left = i64::try_from(allowed.seconds_left(unix).unwrap()).unwrap();
        prop_assert_eq!(left > 0, shown(unix));
        for at in [left / 3, left / 2, left - 3_600, left - 1] {
            prop_assert!(at < 0 || left == 0 || shown(unix + at), "{} of {} s", at, left);
        }
        prop_assert!(!shown(unix + left), "it ended {} s too late or early", left);
    }
}
