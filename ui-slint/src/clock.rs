//! Moments as people read them, in a time zone.
//!
//! Decides the form in each language. Asks no clock: seconds since 1970 come in.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tasuki_peer::shell::texts::Lang;

/// A day and a time, like `2026-11-25 14:06`; in Japanese `2026年11月25日 14:06`.
pub fn day_and_time(seconds: u64, zone: &TimeZone, lang: Lang) -> String {
    let at = moment(seconds, zone);
    let form = match lang {
        Lang::En => "%Y-%m-%d %H:%M",
        Lang::Ja => "%Y年%-m月%-d日 %H:%M",
    };
    at.strftime(form).to_string()
}

/// `14:06`.
pub fn time(seconds: u64, zone: &TimeZone) -> String {
    moment(seconds, zone).strftime("%H:%M").to_string()
}

/// For file names: `20261125-140659`.
pub fn stamp(seconds: u64, zone: &TimeZone) -> String {
    moment(seconds, zone).strftime("%Y%m%d-%H%M%S").to_string()
}

/// 1970 for what no calendar has.
fn moment(seconds: u64, zone: &TimeZone) -> DateTime {
    let known = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    zone.to_datetime(known.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_the_zone_of_whoever_reads_it() {
        let (utc, japan) = (TimeZone::UTC, TimeZone::fixed(jiff::tz::offset(9)));
        assert_eq!(day_and_time(0, &utc, Lang::En), "1970-01-01 00:00");
        assert_eq!(day_and_time(951_782_400, &utc, Lang::En), "2000-02-29 00:00");
        assert_eq!(day_and_time(1_795_615_560, &japan, Lang::Ja), "2026年11月25日 23:06");
        assert_eq!(stamp(1_795_615_565, &utc), "20261125-140605");
        assert_eq!(stamp(1_795_650_000, &japan), "20261126-084000");
        assert_eq!(time(1_795_615_560, &japan), "23:06");
        assert_eq!(time(u64::MAX, &utc), "00:00", "no calendar has it");
    }
}
