//! How the text of a setting is read, and what is said of one that cannot be. It refuses to know
//! which setting it is.

use std::str::FromStr;
use std::time::Duration;

pub(super) const SECONDS: &str = "it must be a number of seconds above 0";
pub(super) const MILLISECONDS: &str = "it must be a number of milliseconds above 0";
pub(super) const COUNT: &str = "it must be a whole number above 0";
pub(super) const METRICS_AT: &str = "it must be off, or an address and a port like 127.0.0.1:9464";
pub(super) const NETWORKS: &str =
    "it must be addresses or networks like 10.0.0.0/8, separated by commas";
pub(super) const REQUESTS: &str = "it must be 10 to 1000000 requests a minute";
pub(super) const LENGTH: &str = "it must be 8 to 64";
pub(super) const TURN_ADDRESS: &str =
    "it must be one IPv4 address, one IPv6 address, or both with a comma";
pub(super) const DISCLOSURE: &str = "it must be relay-only, public or all";
pub(super) const NUMBER_LIFETIME: &str = "it must be 1 to 600 seconds";
pub(super) const SESSION_LENGTH: &str = "it must be 1 to 28800 seconds";
pub(super) const MEMORY: &str = "it must be at least 8";
pub(super) const SECOND_FACTOR: &str = "it must be optional or required";
pub(super) const AUTHORITY: &str = "it must be letsencrypt, or a URL that begins with https://";
pub(super) const ADDRESS: &str = "it must be an address and a port like 0.0.0.0:443";

pub(super) fn parse<T: FromStr>(value: &str, expected: &'static str) -> Result<T, &'static str> {
    value.parse().map_err(|_| expected)
}

pub(super) const RELAY: &str = "it must be embedded, none, or HOST:PORT/PIN with the pin of the relay's key, /TURN-PORT behind it where it speaks TURN, several with commas";

pub(super) fn optional<T: FromStr>(
    value: &str,
    expected: &'static str,
) -> Result<Option<T>, &'static str> {
    if value.is_empty() { Ok(None) } else { parse(value, expected).map(Some) }
}

pub(super) fn positive(value: u32) -> Result<u32, &'static str> {
    if value > 0 { Ok(value) } else { Err(COUNT) }
}

pub(super) fn count(value: &str) -> Result<usize, &'static str> {
    let count: u32 = parse(value, COUNT)?;
    usize::try_from(positive(count)?).map_err(|_| COUNT)
}

/// Fewer would keep out one person who does nothing but sign in.
pub(super) fn requests(value: &str) -> Result<u32, &'static str> {
    let requests = parse(value, REQUESTS)?;
    if (10..=1_000_000).contains(&requests) { Ok(requests) } else { Err(REQUESTS) }
}

/// SP 800-63B-4 lets nothing shorter than 8 through.
pub(super) fn length(value: &str) -> Result<usize, &'static str> {
    let length: usize = parse(value, LENGTH)?;
    if (8..=64).contains(&length) { Ok(length) } else { Err(LENGTH) }
}

pub(super) fn seconds(value: &str) -> Result<Duration, &'static str> {
    let seconds: u32 = parse(value, SECONDS)?;
    if seconds > 0 { Ok(Duration::from_secs(seconds.into())) } else { Err(SECONDS) }
}

pub(super) fn milliseconds(value: &str) -> Result<Duration, &'static str> {
    let milliseconds: u32 = parse(value, MILLISECONDS)?;
    if milliseconds > 0 { Ok(Duration::from_millis(milliseconds.into())) } else { Err(MILLISECONDS) }
}

pub(super) fn within(
    value: Duration,
    most_s: u64,
    expected: &'static str,
) -> Result<Duration, &'static str> {
    if value <= Duration::from_secs(most_s) { Ok(value) } else { Err(expected) }
}

/// What is expected of a setting, for who reads Japanese. S100.
pub(super) fn in_japanese(expected: &'static str) -> &'static str {
    let known = [
        (SECONDS, "1 以上の秒数"),
        (MILLISECONDS, "1 以上のミリ秒数"),
        (COUNT, "1 以上の整数"),
        (METRICS_AT, "off、または 127.0.0.1:9464 のようなアドレスとポート"),
        (NETWORKS, "10.0.0.0/8 のようなアドレスまたはネットワーク。複数はコンマ区切り"),
        (ADDRESS, "0.0.0.0:443 のようなアドレスとポート"),
        (
            RELAY,
            "embedded、none、または HOST:PORT/PIN（中継の鍵の PIN）。TURN を使うなら後ろに /TURN-PORT。複数はコンマ区切り",
        ),
        (REQUESTS, "1 分あたり 10 から 1000000 件"),
        (LENGTH, "8 から 64"),
        (TURN_ADDRESS, "IPv4 アドレス一つ、IPv6 アドレス一つ、またはコンマ区切りで両方"),
        (DISCLOSURE, "relay-only、public、all のどれか"),
        (NUMBER_LIFETIME, "1 から 600 秒"),
        (SESSION_LENGTH, "1 から 28800 秒"),
        (MEMORY, "8 以上"),
        (SECOND_FACTOR, "optional または required"),
        (AUTHORITY, "letsencrypt、または https:// で始まる URL"),
    ];
    known.iter().find(|(english, _)| *english == expected).map_or(expected, |(_, japanese)| japanese)
}
