//! Figures for people: a countdown, when a session was, what protects it.

use jiff::tz::TimeZone;
use tasuki_peer::core::path::Ciphers;
use tasuki_peer::shell::texts::Lang;

use crate::clock::{day_and_time, time};

/// A space at which no line ends.
const NO_BREAK: char = '\u{A0}';

/// 754 is `12:34`; hours are counted in minutes, as the window does.
pub(super) fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `2026-11-25 21:04 – 21:17 (12 min 34 s)`: from a moment in seconds since 1970, for so many seconds, by the clock
/// of whoever reads it.
pub(super) fn span((began_at, seconds): (u64, u64), zone: &TimeZone, lang: Lang) -> String {
    let (from, to) = (day_and_time(began_at, zone, lang), time(began_at + seconds, zone));
    format!("{from} – {to} ({})", length(seconds, lang))
}

/// In one piece, wherever the line breaks.
fn length(seconds: u64, lang: Lang) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match (lang, minutes) {
        (Lang::En, 0) => format!("{rest}{NO_BREAK}s"),
        (Lang::En, _) => format!("{minutes}{NO_BREAK}min{NO_BREAK}{rest}{NO_BREAK}s"),
        (Lang::Ja, 0) => format!("{rest}{NO_BREAK}秒"),
        (Lang::Ja, _) => format!("{minutes}{NO_BREAK}分{NO_BREAK}{rest}{NO_BREAK}秒"),
    }
}

/// The negotiated suites, as they go into logs and receipts too.
pub(super) fn protection(ciphers: &Ciphers) -> String {
    match ciphers {
        Ciphers::Direct { dtls, srtp } => format!("WebRTC · {dtls} · {srtp}"),
        Ciphers::Relayed { noise, tls } => format!("{noise} · {tls}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s97_a_session_over_midnight_is_told_by_the_clock_of_whoever_reads_it() {
        let (utc, japan) = (TimeZone::UTC, TimeZone::fixed(jiff::tz::offset(9)));
        let told = |zone, lang| span((1_709_251_080, 754), zone, lang).replace(NO_BREAK, " ");
        assert_eq!(told(&utc, Lang::En), "2024-02-29 23:58 – 00:10 (12 min 34 s)");
        assert_eq!(told(&japan, Lang::Ja), "2024年3月1日 08:58 – 09:10 (12 分 34 秒)");
        assert_eq!(span((0, 59), &utc, Lang::Ja), "1970年1月1日 00:00 – 00:00 (59\u{A0}秒)");
        assert_eq!(clock(3723), "62:03");
    }
}
