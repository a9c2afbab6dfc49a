//! From where and when an account may be used: networks, hardware addresses, hours. S63, T54.
//!
//! Told the address, the declared hardware addresses and the time. An empty list allows
//! everything; what cannot be understood allows nothing.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tasuki_protocol::admin::{Hours, Limits};

/// The most entries of a list of limits.
const MAX_ENTRIES: usize = 64;
const DAY_MINUTES: u16 = 24 * 60;

/// Limits that were understood.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    networks: Vec<IpNet>,
    macs: Vec<String>,
    hours: Option<(TimeZone, Hours)>,
}

/// Why somebody may not come in now. Logged, and told to those alone who have proven everything else (T52).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    Address,
    Mac,
    Hours,
    /// Nobody can tell: what the account's limits are cannot be read.
    Unreadable,
}

/// Limits that say something impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLimits;

impl TryFrom<&Limits> for Admission {
    type Error = NotLimits;

    fn try_from(limits: &Limits) -> Result<Self, NotLimits> {
        if limits.addresses.len() > MAX_ENTRIES || limits.macs.len() > MAX_ENTRIES {
            return Err(NotLimits);
        }
        let networks = limits.addresses.iter().map(|text| network(text)).collect::<Result<_, _>>()?;
        let macs =
            limits.macs.iter().map(|text| mac(text).ok_or(NotLimits)).collect::<Result<_, _>>()?;
        let hours = limits.hours.clone().map(understand).transpose()?;
        Ok(Self { networks, macs, hours })
    }
}

/// Whether hardware addresses count under `now` that nobody was asked for when he signed in under `before`.
pub(crate) fn declares_anew(before: &Limits, now: &Limits) -> bool {
    !now.macs.is_empty() && now.macs != before.macs
}

impl Admission {
    /// Whether somebody at `address`, whose computer declares `macs`, may come in at `unix`.
    ///
    /// # Errors
    /// [`Outside`]: the first limit that says no.
    pub fn check(&self, address: IpAddr, macs: &[String], unix: i64) -> Result<(), Outside> {
        self.check_place_and_time(address, unix)?;
        let declared = || macs.iter().filter_map(|text| mac(text));
        if !self.macs.is_empty() && !declared().any(|mac| self.macs.contains(&mac)) {
            return Err(Outside::Mac);
        }
        Ok(())
    }

    /// As [`Self::check`], but for the hardware addresses.
    ///
    /// # Errors
    /// [`Outside`]: the first limit that says no.
    pub fn check_place_and_time(&self, address: IpAddr, unix: i64) -> Result<(), Outside> {
        let address = address.to_canonical();
        if !self.networks.is_empty() && !self.networks.iter().any(|net| net.contains(&address)) {
            return Err(Outside::Address);
        }
        if self.seconds_left(unix) == Some(0) { Err(Outside::Hours) } else { Ok(()) }
    }

    /// Seconds until the allowed hours end, 0 outside of them; `None` where any hour is allowed.
    pub fn seconds_left(&self, unix: i64) -> Option<u64> {
        let (zone, hours) = self.hours.as_ref()?;
        if is_whole_days(hours) && (1..=7).all(|day| hours.days.contains(&day)) {
            return None;
        }
        let Ok(now) = Timestamp::from_second(unix) else { return Some(0) };
        let mut end = unix + left_by_the_clock(zone, hours, now);
        // Where clocks are changed the hours go on from what they show then (S63).
        for change in zone.following(now).map(|change| change.timestamp()) {
            if change.as_second() >= end {
                break;
            }
            end = change.as_second() + left_by_the_clock(zone, hours, change);
        }
        Some(u64::try_from(end - unix).unwrap_or_default())
    }

    /// Outside of the allowed hours: when they begin next, in unix seconds, and in which zone they are.
    pub fn opens(&self, unix: i64) -> Option<(Option<i64>, &str)> {
        let (zone, hours) = self.hours.as_ref()?;
        Some((self.next_beginning(zone, hours, unix), &hours.zone))
    }

    fn next_beginning(&self, zone: &TimeZone, hours: &Hours, unix: i64) -> Option<i64> {
        let today = zone.to_datetime(Timestamp::from_second(unix).ok()?).date();
        let from = i8::try_from(hours.from / 60).ok().zip(i8::try_from(hours.from % 60).ok());
        let (hour, minute) = from?;
        // Of a day on which the clock skips the hours the week after has them.
        let days = today.series(1.day()).take(15);
        let begin = |day: Date| {
            let at = zone.to_timestamp(day.at(hour, minute, 0, 0)).ok()?.as_second();
            (at > unix && self.seconds_left(at) != Some(0)).then_some(at)
        };
        days.filter_map(begin).next()
    }
}

fn is_whole_days(hours: &Hours) -> bool {
    (hours.from, hours.until) == (0, DAY_MINUTES)
}

/// Seconds until the allowed hours end by the clock on the wall, 0 outside of them. A night belongs to the day on which it
/// begins.
fn left_by_the_clock(zone: &TimeZone, hours: &Hours, at: Timestamp) -> i64 {
    let local = zone.to_datetime(at);
    let day = u8::try_from(local.weekday().to_monday_one_offset()).unwrap_or_default();
    let clock = local.time();
    let second =
        i64::from(clock.hour()) * 3600 + i64::from(clock.minute()) * 60 + i64::from(clock.second());
    let (from, until) = (i64::from(hours.from) * 60, i64::from(hours.until) * 60);
    let whole_day = i64::from(DAY_MINUTES) * 60;
    let length = if from < until { until - from } else { until + whole_day - from };
    let left = |began: u8, since: i64| {
        let is_within = hours.days.contains(&began) && (0..length).contains(&since);
        if is_within { length - since } else { 0 }
    };
    let yesterday = (day + 5) % 7 + 1;
    let left = left(day, second - from).max(left(yesterday, second + whole_day - from));
    if left == 0 {
        return 0;
    }
    if !is_whole_days(hours) {
        return left;
    }
    // Nothing ends at midnight where the next day goes on.
    let following = (1..7_u8).map(|more| (day - 1 + more) % 7 + 1);
    let whole = following.take_while(|next| hours.days.contains(next)).count();
    left + whole_day * i64::try_from(whole).unwrap_or_default()
}

/// Who really asks: the peer, or, if that is one of `proxies`, whom it forwards for: the last
/// address of `forwarded` that is not a proxy's itself. T54.
pub fn client_address(peer: IpAddr, forwarded: Option<&str>, proxies: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_proxy = |address: &IpAddr| proxies.iter().any(|net| net.contains(address));
    let Some(forwarded) = forwarded.filter(|_| is_proxy(&peer)) else { return peer };
    let mut nearest = peer;
    for text in forwarded.rsplit(',') {
        let Ok(address) = text.trim().parse::<IpAddr>() else { return nearest };
        nearest = address.to_canonical();
        if !is_proxy(&nearest) {
            break;
        }
    }
    nearest
}

/// A network, or one address as a network of one; IPv4 in IPv6 dress is IPv4.
///
/// # Errors
/// It is neither.
pub fn network(text: &str) -> Result<IpNet, NotLimits> {
    if let Ok(address) = IpAddr::from_str(text) {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let net: IpNet = text.parse().map_err(|_| NotLimits)?;
    match net {
        IpNet::V4(_) => Ok(net),
        IpNet::V6(v6) => match v6.addr().to_ipv4_mapped() {
            Some(v4) if v6.prefix_len() >= 96 => {
                IpNet::new(IpAddr::V4(v4), v6.prefix_len() - 96).map_err(|_| NotLimits)
            }
            // A net that holds the mapped addresses and more: nobody means that.
            Some(_) => Err(NotLimits),
            None => Ok(net),
        },
    }
}

fn mac(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let is_mac = plain.len() == 12 && plain.bytes().all(|b| b.is_ascii_hexdigit());
    is_mac.then(|| plain.to_ascii_lowercase())
}

fn understand(hours: Hours) -> Result<(TimeZone, Hours), NotLimits> {
    let zone = TimeZone::get(&hours.zone).map_err(|_| NotLimits)?;
    let days = !hours.days.is_empty() && hours.days.iter().all(|day| (1..=7).contains(day));
    if days && hours.from != hours.until && hours.from < DAY_MINUTES && hours.until <= DAY_MINUTES {
        Ok((zone, hours))
    } else {
        Err(NotLimits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(addresses: &[&str]) -> Admission {
        let addresses = addresses.iter().map(|text| (*text).to_owned()).collect();
        Admission::try_from(&Limits { addresses, ..Limits::default() }).unwrap()
    }

    fn office() -> Admission {
        let hours = Hours {
            zone: "Asia/Tokyo".to_owned(),
            days: vec![1, 2, 3, 4, 5],
            from: 9 * 60,
            until: 18 * 60,
        };
        Admission::try_from(&Limits { hours: Some(hours), ..Limits::default() }).unwrap()
    }

    #[test]
    fn t54_addresses_are_compared_in_their_plain_form() {
        let allowed = at(&["192.0.2.0/24", "2001:db8:1:2::/64", "::ffff:198.51.100.7"]);
        for inside in ["192.0.2.200", "::ffff:192.0.2.1", "2001:db8:1:2:9::1", "198.51.100.7"] {
            assert_eq!(allowed.check(inside.parse().unwrap(), &[], 0), Ok(()), "{inside}");
        }
        for outside in ["192.0.3.1", "2001:db8:1:3::1", "::1", "::ffff:192.0.3.1"] {
            let refused = allowed.check(outside.parse().unwrap(), &[], 0);
            assert_eq!(refused, Err(Outside::Address), "{outside}");
        }
    }

    /// What an operator is told who comes too early: the next time at which he is let in, and no other.
    #[test]
    fn s63_the_hours_begin_next_on_an_allowed_day_and_not_where_the_clock_skips_them() {
        // Wednesday, 2026-11-25; 00:00 UTC is 09:00 in Tokyo.
        let nine = 1_795_564_800;
        let opens = |unix| office().opens(unix).unwrap().0;
        assert_eq!(office().opens(nine).unwrap().1, "Asia/Tokyo");
        assert_eq!(opens(nine - 60), Some(nine));
        assert_eq!(opens(nine + 9 * 3600), Some(nine + 86_400), "in the evening");
        assert_eq!(opens(nine + 3 * 86_400), Some(nine + 5 * 86_400), "on Saturday");
        let zone = "Europe/Berlin".to_owned();
        let hours = Some(Hours { zone, days: vec![7], from: 135, until: 165 });
        let berlin = Admission::try_from(&Limits { hours, ..Limits::default() }).unwrap();
        // On Sunday, 2026-03-29, it is never 02:15 there; a week later that is 00:15 UTC.
        let saturday = 1_774_656_000;
        assert_eq!(berlin.opens(saturday), Some((Some(saturday + 8 * 86_400 + 900), "Europe/Berlin")));
        assert_eq!(at(&["192.0.2.0/24"]).opens(0), None);
    }

    /// S63: a night that began on an allowed day goes on after midnight, and none other.
    #[test]
    fn s63_hours_that_end_before_they_begin_end_on_the_next_day() {
        let zone = "UTC".to_owned();
        let hours = Some(Hours { zone, days: vec![5], from: 22 * 60, until: 6 * 60 });
        let night = Admission::try_from(&Limits { hours, ..Limits::default() }).unwrap();
        // Friday, 2026-11-27, 00:00 UTC.
        let friday = 1_795_737_600;
        let left = |hour: i64| night.seconds_left(friday + hour * 3600);
        assert_eq!(
            [left(5), left(21), left(30)],
            [Some(0); 3],
            "the night before, the evening, Saturday"
        );
        assert_eq!([left(22), left(23), left(29)], [Some(8 * 3600), Some(7 * 3600), Some(3600)]);
        assert_eq!(night.opens(friday + 30 * 3600).unwrap().0, Some(friday + (7 * 24 + 22) * 3600));
    }

    #[test]
    fn s63_a_mac_counts_in_any_spelling_and_hours_in_the_zone_that_was_named() {
        let macs = vec!["00-1A-2B-3C-4D-5E".to_owned()];
        let allowed = Admission::try_from(&Limits { macs, ..Limits::default() }).unwrap();
        let here = "192.0.2.1".parse().unwrap();
        assert_eq!(allowed.check(here, &["00:1a:2b:3c:4d:5e".to_owned()], 0), Ok(()));
        assert_eq!(allowed.check(here, &["00:1a:2b:3c:4d:5f".to_owned()], 0), Err(Outside::Mac));
        assert_eq!(allowed.check(here, &[], 0), Err(Outside::Mac));
        // 2026-11-25 is a Wednesday; 00:00 UTC is 09:00 in Tokyo.
        let midnight = 1_795_564_800;
        assert_eq!(office().seconds_left(midnight), Some(9 * 3600));
        assert_eq!(office().check(here, &[], midnight - 1), Err(Outside::Hours));
        assert_eq!(office().check(here, &[], midnight + 9 * 3600 - 1), Ok(()));
        assert_eq!(office().check(here, &[], midnight + 9 * 3600), Err(Outside::Hours));
        assert_eq!(office().check(here, &[], midnight + 3 * 86_400), Err(Outside::Hours));
    }

    /// Whoever may be here the whole day is not put out at midnight.
    #[test]
    fn s63_hours_of_whole_days_go_on_through_midnight_to_the_last_of_them() {
        let until_the_end_of = |days: &[u8]| {
            let hours = Hours { zone: "UTC".to_owned(), days: days.to_vec(), from: 0, until: 24 * 60 };
            Admission::try_from(&Limits { hours: Some(hours), ..Limits::default() }).unwrap()
        };
        // A Wednesday, an hour before its end.
        let late = 1_795_564_800 + 23 * 3600;
        let left = |days: &[u8]| until_the_end_of(days).seconds_left(late);
        assert_eq!(left(&[3]), Some(3600));
        assert_eq!(left(&[1, 2, 3, 4, 5]), Some(3600 + 2 * 86_400));
        assert_eq!(left(&[3, 5]), Some(3600));
        assert_eq!(left(&[1, 3, 4, 5, 6, 7]), Some(3600 + 5 * 86_400), "over Sunday, Monday too");
        assert_eq!(left(&[1, 2, 3, 4, 5, 6, 7]), None);
        assert_eq!(left(&[4]), Some(0));
    }

    #[test]
    fn limits_that_say_something_impossible_are_refused() {
        let addresses = |text: &str| Limits { addresses: vec![text.to_owned()], ..Limits::default() };
        for wrong in ["", "192.0.2.0/33", "example.com", "::ffff:0:0/90"] {
            assert!(Admission::try_from(&addresses(wrong)).is_err(), "{wrong}");
        }
        let hours = |zone: &str, days: &[u8], from, until| Limits {
            hours: Some(Hours { zone: zone.to_owned(), days: days.to_vec(), from, until }),
            ..Limits::default()
        };
        for wrong in [
            hours("Asia/Edo", &[1], 0, 60),
            hours("Asia/Tokyo", &[8], 0, 60),
            hours("Asia/Tokyo", &[], 0, 60),
            hours("Asia/Tokyo", &[1], 60, 60),
            hours("Asia/Tokyo", &[1], 0, 1441),
        ] {
            assert!(Admission::try_from(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn t54_a_forwarding_header_counts_only_from_a_configured_proxy() {
        let proxies = [network("10.0.0.0/8").unwrap()];
        let (proxy, stranger) = ("10.0.0.1".parse().unwrap(), "203.0.113.9".parse().unwrap());
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let header = Some("198.51.100.1, 192.0.2.1, 10.2.0.1");
        assert_eq!(client_address(proxy, header, &proxies), client);
        assert_eq!(client_address(stranger, header, &proxies), stranger);
        assert_eq!(client_address(proxy, None, &proxies), proxy);
        assert_eq!(client_address(proxy, Some("nonsense"), &proxies), proxy);
        assert_eq!(client_address(proxy, Some("192.0.2.1, nonsense"), &proxies), proxy);
        assert_eq!(client_address(proxy, header, &[]), proxy);
    }

    proptest! {
        /// T54: what a forwarder claims never makes a stranger's address another.
        #[test]
        fn no_header_moves_a_peer_that_is_no_proxy(peer: [u8; 4], header in ".{0,60}") {
            let peer = IpAddr::from(peer);
            prop_assume!(!network("10.0.0.0/8").unwrap().contains(&peer));
            let proxies = [network("10.0.0.0/8").unwrap()];
            prop_assert_eq!(client_address(peer, Some(&header), &proxies), peer);
        }

        /// S63: an address is let in exactly if one of the networks holds it.
        #[test]
        fn a_list_of_networks_lets_in_what_lies_in_one(
            net: [u8; 4], length in 0u8..=32, address: [u8; 4],
        ) {
            let allowed = at(&[&format!("{}/{length}", IpAddr::from(net))]);
            let mask = if length == 0 { 0 } else { u32::MAX << (32 - length) };
            let inside = (u32::from_be_bytes(net) ^ u32::from_be_bytes(address)) & mask == 0;
            prop_assert_eq!(allowed.check(IpAddr::from(address), &[], 0).is_ok(), inside);
        }
    }
}
