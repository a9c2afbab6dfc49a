//! Windows of the week in which sessions may be, on the clocks of a named place.
//!
//! It refuses to know what time it is: the moment is handed in.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::admin::Hours;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;
const STEP_S: u64 = 60;

/// A place of the IANA time zone database, like `Asia/Tokyo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(String);

impl Zone {
    fn clock(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = NotAWindow;

    fn from_str(text: &str) -> Result<Self, NotAWindow> {
        let known =
            TimeZone::get(text).map_err(|_| NotAWindow::Zone(text.chars().take(64).collect()))?;
        Ok(Self(known.iana_name().unwrap_or(text).to_owned()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A moment in unix seconds as the clocks of `zone` show it, and the zone: UTC where nobody knows the one that was named.
pub fn on_the_clock(unix: u64, zone: &str) -> Option<(String, String)> {
    let moment = Timestamp::from_second(i64::try_from(unix).ok()?).ok()?;
    let known = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let there = known.to_datetime(moment).strftime("%Y-%m-%d %H:%M").to_string();
    Some((there, known.iana_name().unwrap_or("UTC").to_owned()))
}

/// `mon-fri 09:00-18:00`, `sat,sun 10:00-12:00 Europe/Berlin`, `daily 22:00-06:00`: one that
/// ends before it begins ends on the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Monday first, one bit a day.
    days: u8,
    /// Minutes since midnight.
    from: u16,
    until: u16,
    zone: Option<Zone>,
}

impl Window {
    /// Whether it says itself on whose clocks.
    pub fn names_a_zone(&self) -> bool {
        self.zone.is_some()
    }

    /// As an account's limits have it (S63); by UTC where it names no zone.
    pub fn of_account(&self) -> Hours {
        let on = |day: &u8| self.days & (1 << (day - 1)) != 0;
        Hours {
            zone: self.zone.as_ref().map_or_else(|| "UTC".to_owned(), Zone::to_string),
            days: (1..=7).filter(on).collect(),
            from: self.from,
            until: self.until,
        }
    }

    fn admits(&self, weekday: usize, minute: u16) -> bool {
        let on = |day: usize| self.days & (1 << (day % 7)) != 0;
        if self.from < self.until {
            return on(weekday) && (self.from..self.until).contains(&minute);
        }
        (on(weekday) && minute >= self.from) || (on(weekday + 6) && minute < self.until)
    }
}

/// Windows with their clocks at hand.
#[derive(Debug, Clone)]
pub(super) struct Schedule<'a>(Vec<(&'a Window, TimeZone)>);

impl<'a> Schedule<'a> {
    pub(super) fn new(windows: &'a [Window], usual: Option<&Zone>) -> Self {
        let clock = |window: &Window| window.zone.as_ref().or(usual).map_or(TimeZone::UTC, Zone::clock);
        Self(windows.iter().map(|window| (window, clock(window))).collect())
    }

    /// Whether one of the windows is open at `unix`, seconds since 1970.
    pub(super) fn is_open(&self, unix: u64) -> bool {
        let moment = i64::try_from(unix).ok().and_then(|unix| Timestamp::from_second(unix).ok());
        let Some(moment) = moment else { return false };
        self.0.iter().any(|(window, clock)| {
            let there = clock.to_datetime(moment);
            let weekday = usize::try_from(there.weekday().to_monday_zero_offset()).unwrap_or(0);
            let minute = u16::try_from(i32::from(there.hour()) * 60 + i32::from(there.minute()));
            window.admits(weekday, minute.unwrap_or(0))
        })
    }

    /// For how long from `unix` on it stays open without a gap, at most `most_s`.
    pub(super) fn open_for(&self, unix: u64, most_s: u64) -> u64 {
        if !self.is_open(unix) {
            return 0;
        }
        let mut at = unix - unix % STEP_S + STEP_S;
        while at < unix + most_s {
            if !self.is_open(at) {
                return at - unix;
            }
            at += STEP_S;
        }
        most_s
    }
}

impl FromStr for Window {
    type Err = NotAWindow;

    fn from_str(text: &str) -> Result<Self, NotAWindow> {
        let wrong = || NotAWindow::Form(text.chars().take(64).collect());
        let mut parts = text.split(' ');
        let (Some(days), Some(times)) = (parts.next(), parts.next()) else { return Err(wrong()) };
        let zone = parts.next().map(Zone::from_str).transpose()?;
        let (from, until) = times.split_once('-').ok_or_else(wrong)?;
        let (from, until) = (minutes(from).ok_or_else(wrong)?, minutes(until).ok_or_else(wrong)?);
        if parts.next().is_some() || from == until || from == DAY_MINUTES {
            return Err(wrong());
        }
        Ok(Self { days: weekdays(days).ok_or_else(wrong)?, from, until, zone })
    }
}

fn weekdays(text: &str) -> Option<u8> {
    if text == "daily" {
        return Some(0x7F);
    }
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    let mut mask = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let span = (last + 7 - first) % 7;
        mask = (first..=first + span).fold(mask, |mask, day| mask | 1 << (day % 7));
    }
    Some(mask)
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let whole = hour * 60 + minute;
    (minute < 60 && whole <= DAY_MINUTES).then_some(whole)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |day: &usize| self.days & (1 << day) != 0;
        let days: Vec<&str> = (0..DAYS.len()).filter(on).map(|day| DAYS[day]).collect();
        let days = match self.days {
            0x7F => "daily".to_owned(),
            0x1F => "mon-fri".to_owned(),
            _ => days.join(","),
        };
        let (from, until) = (self.from, self.until);
        let (from, until) = ((from / 60, from % 60), (until / 60, until % 60));
        write!(f, "{days} {:02}:{:02}-{:02}:{:02}", from.0, from.1, until.0, until.1)?;
        self.zone.as_ref().map_or(Ok(()), |zone| write!(f, " {zone}"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAWindow {
    #[error("{0:?} is no window of hours: write one like \"mon-fri 09:00-18:00\"")]
    Form(String),
    #[error("{0:?} is no time zone: write one like \"Asia/Tokyo\"")]
    Zone(String),
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

as_text!(Zone);
as_text!(Window);

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 2 November 2026, 00:00 UTC.
    const MONDAY: u64 = 1_793_577_600;
    const HOUR: u64 = 3600;

    fn open(windows: &[&str], unix: u64) -> bool {
        let windows: Vec<Window> = windows.iter().map(|text| text.parse().unwrap()).collect();
        Schedule::new(&windows, None).is_open(unix)
    }

    #[test]
    fn a_window_is_open_on_its_days_from_its_first_minute_to_before_its_last() {
        let office = ["mon-fri 09:00-18:00"];
        assert!(!open(&office, MONDAY + 9 * HOUR - 1));
        assert!(open(&office, MONDAY + 9 * HOUR));
        assert!(open(&office, MONDAY + 18 * HOUR - 1));
        assert!(!open(&office, MONDAY + 18 * HOUR));
        assert!(!open(&office, MONDAY + 5 * 24 * HOUR + 10 * HOUR));
    }

    #[test]
    fn a_night_ends_on_the_next_day_and_belongs_to_the_day_it_began_on() {
        let night = ["fri 22:00-06:00"];
        let friday = MONDAY + 4 * 24 * HOUR;
        assert!(open(&night, friday + 23 * HOUR));
        assert!(open(&night, friday + 29 * HOUR));
        assert!(!open(&night, friday + 30 * HOUR));
        assert!(!open(&night, friday + 5 * HOUR));
    }

    #[test]
    fn a_place_has_its_own_clock_and_its_summer() {
        assert!(open(&["mon 09:00-10:00 Asia/Tokyo"], MONDAY + 30 * 60));
        // 10:00 in Berlin is 08:00 UTC in July and 09:00 UTC in November.
        let july = 1_783_324_800; // Monday, 6 July 2026, 08:00 UTC
        assert!(open(&["mon 10:00-10:30 Europe/Berlin"], july));
        assert!(open(&["mon 10:00-10:30 Europe/Berlin"], MONDAY + 9 * HOUR));
    }

    #[test]
    fn how_long_it_stays_open_ends_with_the_last_window_that_touches() {
        let windows: Vec<Window> =
            ["mon 09:00-12:00", "mon 12:00-13:30"].iter().map(|text| text.parse().unwrap()).collect();
        let schedule = Schedule::new(&windows, None);
        assert_eq!(schedule.open_for(MONDAY + 11 * HOUR + 10, 8 * HOUR), 2 * HOUR + HOUR / 2 - 10);
        assert_eq!(schedule.open_for(MONDAY + 11 * HOUR, HOUR), HOUR);
        assert_eq!(schedule.open_for(MONDAY + 14 * HOUR, HOUR), 0);
    }

    #[test]
    fn what_is_no_window_is_refused_and_what_is_one_comes_back_the_same() {
        for wrong in [
            "",
            "mon",
            "mon 9:00-18:00",
            "mon 09:00-09:00",
            "mon 24:00-03:00",
            "mon 09:00-25:00",
            "mon 09:60-10:00",
            "someday 09:00-10:00",
            "mon 09:00-10:00 Nowhere/City",
            "mon 09:00-10:00 UTC x",
        ] {
            assert!(wrong.parse::<Window>().is_err(), "{wrong}");
        }
        for right in ["daily 00:00-24:00", "mon-fri 09:00-18:00 Asia/Tokyo", "sun 22:00-06:00"] {
            assert_eq!(right.parse::<Window>().unwrap().to_string(), right);
        }
    }
}
