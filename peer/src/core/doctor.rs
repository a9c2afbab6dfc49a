//! What observations of a network mean: which translation stands in front of an
//! end, and whether two clocks agree. Knows no socket and says no sentence.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What stands between this end's UDP and the Internet, as far as one server can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    /// Nothing came back.
    Blocked,
    /// Only the registered port answered; sessions and TURN go by the server's own.
    PortBlocked,
    /// The server sees this end's own address.
    Open,
    /// One public address and port for every destination (RFC 4787 §4.1).
    SameForAll,
    /// Another port for each destination: a direct path needs the other end's luck.
    PerDestination,
    /// Translated, and only one answer came to judge by.
    Translated,
}

impl Mapping {
    /// Whether a session would rather go this way, where a server has addresses of both families. Of
    /// two that pass and are not open, neither is the better one.
    pub fn is_better_than(self, other: Self) -> bool {
        self.rank() > other.rank()
    }

    fn rank(self) -> u8 {
        match self {
            Self::Blocked => 0,
            Self::PortBlocked => 1,
            Self::SameForAll | Self::PerDestination | Self::Translated => 2,
            Self::Open => 3,
        }
    }
}

/// Judges what a server's own port and the registered one (RFC 8489 §17.3) saw of one socket.
pub fn mapping(own: IpAddr, seen: [Option<SocketAddr>; 2]) -> Mapping {
    match seen {
        [None, None] => Mapping::Blocked,
        [None, Some(_)] => Mapping::PortBlocked,
        [Some(one), Some(other)] if one != other => Mapping::PerDestination,
        [Some(one), _] if one.ip() == own => Mapping::Open,
        [Some(_), Some(_)] => Mapping::SameForAll,
        [Some(_), None] => Mapping::Translated,
    }
}

/// A line slower than this, in bit/s either way, shows pictures late or coarse.
pub const SLOW_BELOW: u64 = 1_000_000;
/// A way there and back that is longer than this is felt with every key.
pub const FAR_ABOVE: Duration = Duration::from_millis(300);

/// More than this cannot be told by the little that is sent, and need not be.
pub const FASTEST_TOLD: u64 = 20_000_000;

/// How a line took what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub round_trip: Duration,
    /// Bit/s, up to [`FASTEST_TOLD`]. Networks that let the first bytes run ahead make it too much.
    pub down: u64,
    pub up: u64,
}

/// What is to be said of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    Well,
    Slowly,
    FromFar,
}

impl Line {
    pub fn carries(&self) -> Carries {
        if self.down.min(self.up) < SLOW_BELOW {
            Carries::Slowly
        } else if self.round_trip > FAR_ABOVE {
            Carries::FromFar
        } else {
            Carries::Well
        }
    }
}

/// Bit/s of so many bytes, which came in `pieces` that each waited for the one before.
pub fn rate(bytes: usize, pieces: u32, taken: Duration, round_trip: Duration) -> u64 {
    let moving = taken.saturating_sub(round_trip * pieces).max(Duration::from_millis(1));
    ((bytes as f64 * 8.0 / moving.as_secs_f64()) as u64).min(FASTEST_TOLD)
}

/// A difference of clocks that nothing here minds, in seconds: manifests and tickets
/// are judged by the other end's challenge and not by dates.
pub const CLOCK_TOLERANCE_S: u64 = 300;

/// By how many seconds this clock is ahead of a server's `Date`, if that is a date.
pub fn clock_ahead(date: &str, unix: u64) -> Option<i64> {
    let theirs = i64::try_from(http_date(date)?).ok()?;
    Some(i64::try_from(unix).ok()?.saturating_sub(theirs))
}

/// Seconds since 1970 of an IMF-fixdate (RFC 9110 §5.6.7), such as
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split(' ').collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (day, year) = (number(day)?, number(year)?);
    let clock: Vec<u64> = time.split(':').map(number).collect::<Option<_>>()?;
    let [hour, minute, second] = clock[..] else { return None };
    let sane = (1..=31).contains(&day) && (1970..=9999).contains(&year);
    if !sane || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(
        days_before(year, u64::try_from(month).ok()? + 1, day) * 86_400
            + hour * 3600
            + minute * 60
            + second,
    )
}

/// Days from 1970-01-01: years begin in March, so that the leap day comes last.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + day_of_year).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_answers_saw_tells_the_kind_of_translation() {
        let own = IpAddr::from([10, 0, 0, 2]);
        let at = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        let (one, other) = (at("203.0.113.1:40000"), at("203.0.113.1:40001"));
        assert_eq!(mapping(own, [None, None]), Mapping::Blocked);
        assert_eq!(mapping(own, [at("10.0.0.2:5000"), at("10.0.0.2:5000")]), Mapping::Open);
        assert_eq!(mapping(own, [at("10.0.0.2:5000"), None]), Mapping::Open);
        assert_eq!(mapping(own, [one, one]), Mapping::SameForAll);
        assert_eq!(mapping(own, [one, other]), Mapping::PerDestination);
        assert_eq!(mapping(own, [one, None]), Mapping::Translated);
    }

    #[test]
    fn s84_a_firewall_that_shuts_the_servers_own_udp_port_alone_is_told_from_one_that_shuts_all() {
        let own = IpAddr::from([10, 0, 0, 2]);
        let at = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        for registered in [at("10.0.0.2:5000"), at("203.0.113.1:40000")] {
            assert_eq!(mapping(own, [None, registered]), Mapping::PortBlocked);
        }
    }

    #[test]
    fn of_two_families_the_one_counts_that_a_session_would_take() {
        let worst_to_best = [
            &[Mapping::Blocked][..],
            &[Mapping::PortBlocked],
            &[Mapping::SameForAll, Mapping::PerDestination, Mapping::Translated],
            &[Mapping::Open],
        ];
        for (at, worse) in worst_to_best.iter().enumerate() {
            for one in *worse {
                assert!(worse.iter().all(|other| !one.is_better_than(*other)), "{one:?}");
                let better = worst_to_best[at + 1..].iter().copied().flatten();
                for better in better {
                    assert!(better.is_better_than(*one) && !one.is_better_than(*better));
                }
            }
        }
    }

    #[test]
    fn s84_a_line_is_judged_by_what_moves_and_not_by_the_waiting_between_pieces() {
        let (ms, piece) = (Duration::from_millis, 64 * 1024);
        // 8 pieces in 490 ms each, of which 90 are the way there and back.
        assert_eq!(rate(8 * piece, 8, ms(3920), ms(90)), 1_310_720);
        assert_eq!(rate(piece, 1, ms(2), ms(2)), FASTEST_TOLD, "never endless");
        let line = |round_trip, down, up| Line { round_trip: ms(round_trip), down, up }.carries();
        assert_eq!(line(20, 9_000_000, 2_000_000), Carries::Well);
        assert_eq!(line(20, 9_000_000, 999_999), Carries::Slowly);
        assert_eq!(line(20, 999_999, 9_000_000), Carries::Slowly);
        assert_eq!(line(301, 9_000_000, 2_000_000), Carries::FromFar);
    }

    #[test]
    fn dates_are_read_and_what_is_none_is_not() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        assert_eq!(clock_ahead("Thu, 01 Jan 1970 00:01:00 GMT", 90), Some(30));
        assert_eq!(clock_ahead("Thu, 01 Jan 1970 00:01:00 GMT", 0), Some(-60));
        for bad in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 6x Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 0000 08:49:37 GMT",
        ] {
            assert_eq!(http_date(bad), None, "{bad}");
        }
    }
}
