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
        let text = &as_iso(text);
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
        let text = &as_iso(text);
        let whole_day = text.parse::<Date>().ok().filter(|_| !text.contains(['T', ' ']));
        match whole_day.and_then(|date| date.tomorrow().ok()) {
            Some(next) => self.read(&next.to_string()),
            None => self.read(text),
        }
    }

    /// From the first to before the second, where one is given.
    ///
    /// # Errors
    /// [`AuditFault::Date`], [`AuditFault::Span`] where nothing can lie between them.
    pub fn read_span(
        &self,
        since: Option<&str>,
        until: Option<&str>,
    ) -> Result<(Option<u64>, Option<u64>), AuditFault> {
        let since = since.map(|date| self.read(date)).transpose()?;
        let until = until.map(|date| self.read_end(date)).transpose()?;
        let is_empty = since.zip(until).is_some_and(|(since, until)| since >= until);
        if is_empty { Err(AuditFault::Span) } else { Ok((since, until)) }
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

/// `2026/7/1` as `2026-07-01`, with what stands behind it.
fn as_iso(text: &str) -> String {
    let (date, rest) =
        text.split_once(['T', ' ']).map_or((text, None), |(date, rest)| (date, Some(rest)));
    let parts: Vec<&str> = date.split('/').collect();
    let [year, month, day] = parts[..] else { return text.to_owned() };
    let date = format!("{year}-{month:0>2}-{day:0>2}");
    rest.map_or_else(|| date.clone(), |rest| format!("{date}T{rest}"))
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
        assert_eq!(utc.read("2026/7/1").unwrap(), utc.read("2026-07-01").unwrap());
        assert_eq!(utc.read("2026/07/01 09:30").unwrap(), utc.read("2026-07-01T09:30").unwrap());
        assert_eq!(utc.read_end("2026/07/31").unwrap(), utc.read_end("2026-07-31").unwrap());
        assert!(matches!(utc.read_span(Some("2026-12-01"), Some("2026-11-01")), Err(AuditFault::Span)));
        assert!(utc.read_span(Some("2026-12-01"), Some("2026-12-01")).is_ok(), "one day");
        for wrong in ["", "2026/13/01", "1/2", "yesterday", "2026-13-01", "1960-01-01", "\u{1b}[2J"] {
            assert!(utc.read(wrong).is_err(), "{wrong:?}");
        }
        assert!(Zone::named(Some("Asia/Atlantis")).is_err());
    }
}
