//! Figures for people: a countdown, when a session was, what protects it.

use tasuki_peer::core::path::Ciphers;

/// 754 is `12:34`; hours are counted in minutes, as the window does.
pub(super) fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `2026-11-25 21:04 – 21:17 UTC`: from a moment in seconds since 1970, for so many seconds. By UTC,
/// so that it agrees with the receipt and the organisation's record.
pub(super) fn span(began_at: u64, seconds: u64) -> String {
    let (year, month, day) = date(began_at / 86_400);
    let time = |at: u64| format!("{:02}:{:02}", at / 3600 % 24, at / 60 % 60);
    let (from, to) = (time(began_at), time(began_at + seconds));
    format!("{year}-{month:02}-{day:02} {from} – {to} UTC ({})", clock(seconds))
}

/// The negotiated suites, as they go into logs and receipts too.
pub(super) fn protection(ciphers: &Ciphers) -> String {
    match ciphers {
        Ciphers::Direct { dtls, srtp } => format!("WebRTC · {dtls} · {srtp}"),
        Ciphers::Relayed { noise, tls } => format!("{noise} · {tls}"),
    }
}

/// The civil date of a day since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_over_midnight_in_a_leap_year_has_both_times() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(span(1_709_251_080, 754), "2024-02-29 23:58 – 00:10 UTC (12:34)");
        assert_eq!(clock(3723), "62:03");
    }
}
