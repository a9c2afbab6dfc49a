//! Moments as people read them, on this machine's clock and in its time zone.
//!
//! Decides the form in each language. Asks no clock: seconds since 1970 come in.

use tasuki_peer::shell::texts::Lang;

/// A day and a time, like `2026-11-25 14:06`; in Japanese `11月25日 14:06`.
pub fn day_and_time(seconds: u64, lang: Lang) -> String {
    let (year, month, day, hour, minute) = parts(seconds);
    match lang {
        Lang::En => format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}"),
        Lang::Ja => format!("{year}年{month}月{day}日 {hour:02}:{minute:02}"),
    }
}

/// `14:06`.
pub fn time(seconds: u64) -> String {
    let (.., hour, minute) = parts(seconds);
    format!("{hour:02}:{minute:02}")
}

/// For file names: `20261125-140659`.
pub fn stamp(seconds: u64) -> String {
    let (year, month, day, hour, minute) = parts(seconds);
    format!("{year}{month:02}{day:02}-{hour:02}{minute:02}{:02}", seconds % 60)
}

/// Of the proleptic Gregorian calendar, at UTC (the inverse of Hinnant's `days_from_civil`).
fn parts(seconds: u64) -> (u64, u64, u64, u64, u64) {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day, rest / 3600, rest % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day_and_time(0, Lang::En), "1970-01-01 00:00");
        assert_eq!(day_and_time(951_782_400, Lang::En), "2000-02-29 00:00");
        assert_eq!(day_and_time(1_795_615_560, Lang::Ja), "2026年11月25日 14:06");
        assert_eq!(stamp(1_795_615_565), "20261125-140605");
        assert_eq!(time(1_795_615_560), "14:06");
    }
}
