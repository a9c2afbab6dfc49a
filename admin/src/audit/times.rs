//! Days and moments, as people of one time zone write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::fault::AuditFault;

/// The zone in which dates are read and shown.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// That of this computer, if none is named.
    ///
    /// # Errors
    /// [`AuditFault::Zone`].
    pub fn named(name: Option<&str>) -> Result<Self, AuditFault> {
        let Some(name) = name else { return Ok(Self(TimeZone::system())) };
        TimeZone::get(name).map(Self).map_err(|_| AuditFault::Zone(name.to_owned()))
    }

    /// Milliseconds since 1970 of `2026-07-01` (its first moment) or `2026-07-01T09:30`.
    ///
    /// # Errors
    /// [`AuditFault::Date`].
    pub fn read(&self, text: &str) -> Result<u64, AuditFault> {
        let wrong = || AuditFault::Date(text.to_owned());
        let moment = match text.parse::<Date>() {
            Ok(date) if !text.contains(['T', ' ']) => date.to_datetime(jiff::civil::Time::midnight()),
            Ok(_) | Err(_) => text.parse::<DateTime>().map_err(|_| wrong())?,
        };
        let moment = moment.to_zoned_datetime(self.0.clone()).map_err(|_| wrong())?;
        u64::try_from(moment.timestamp().as_millisecond()).map_err(|_| wrong())
    }

    /// As [`Self::read`], of the moment after a whole day: `2026-07-31` includes that day.
    ///
    /// # Errors
    /// [`AuditFault::Date`].
    pub fn read_end(&self, text: &str) -> Result<u64, AuditFault> {
        let whole_day = text.parse::<Date>().ok().filter(|_| !text.contains(['T', ' ']));
        match whole_day.and_then(|date| date.tomorrow().ok()) {
            Some(next) => self.read(&next.to_string()),
            None => self.read(text),
        }
    }

    /// `2026-07-01 09:30:05 +09:00`, or `2026-07-01 00:30:05 UTC`: the one form of every time that is shown.
    pub fn moment(&self, unix_ms: u64) -> String {
        let zone = self.show(unix_ms, "%:z");
        let zone = if zone == "+00:00" { "UTC" } else { &zone };
        format!("{} {zone}", self.show(unix_ms, "%Y-%m-%d %H:%M:%S"))
    }

    /// As strftime puts it.
    pub(crate) fn show(&self, unix_ms: u64, form: &str) -> String {
        let stamp = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        stamp.map_or_else(
            || unix_ms.to_string(),
            |stamp| stamp.to_zoned_datetime(self.0.clone()).strftime(form).to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_and_end_in_the_zone_that_was_named() {
        let tokyo = Zone::named(Some("Asia/Tokyo")).unwrap();
        let begin = tokyo.read("2026-07-01").unwrap();
        assert_eq!(begin, 1_782_831_600_000);
        assert_eq!(tokyo.moment(begin), "2026-07-01 00:00:00 +09:00");
        assert_eq!(tokyo.read_end("2026-07-01").unwrap() - begin, 86_400_000);
        assert_eq!(tokyo.read_end("2026-07-01T00:01").unwrap() - begin, 60_000);
        let utc = Zone::named(Some("UTC")).unwrap();
        assert_eq!(utc.read("2026-07-01").unwrap() - begin, 9 * 3_600_000);
        assert_eq!(utc.moment(begin), "2026-06-30 15:00:00 UTC");
        for wrong in ["", "yesterday", "2026-13-01", "1960-01-01", "\u{1b}[2J"] {
            assert!(utc.read(wrong).is_err(), "{wrong:?}");
        }
        assert!(Zone::named(Some("Asia/Atlantis")).is_err());
    }
}
