//! What of a TLS connection stands in the open: its records' kinds and the two hellos (RFC 8446 §4.1,
//! §5.1).

use anyhow::{Context, Result, ensure};

/// TLS 1.3 as its hellos write it.
pub const TLS_13: u16 = 0x0304;

const HANDSHAKE: u8 = 22;
/// change_cipher_spec, alert, handshake and application data.
const KINDS: std::ops::RangeInclusive<u8> = 20..=23;
/// With the most that protection may add.
const MAX_RECORD: usize = (1 << 14) + 256;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
const PSK_MODES: u16 = 45;
const KEY_SHARE: u16 = 51;
const PSK_WITH_DH: u8 = 1;

/// What two ends agreed on, as anybody on the line reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hellos {
    pub version: u16,
    pub suite: u16,
    /// Keys of this connection alone were exchanged: who steals the server's keys later reads nothing.
    pub is_forward_secret: bool,
}

/// Reads both directions as TLS to their last byte.
///
/// # Errors
/// One of them is not TLS, or has no hello.
pub fn hellos(client: &[u8], server: &[u8]) -> Result<Hellos> {
    let asked = Hello::read(client, CLIENT_HELLO).context("the client's side")?;
    let agreed = Hello::read(server, SERVER_HELLO).context("the server's side")?;
    let version = agreed.extension(SUPPORTED_VERSIONS).unwrap_or(agreed.version);
    let version = u16::from_be_bytes(version.try_into().context("a version of another length")?);
    // A session that is taken up again may leave the exchange out, and bytes before the answer always do.
    let modes = asked.extension(PSK_MODES).and_then(|modes| modes.split_first());
    let is_exchanged_anew = modes.is_none_or(|(_, modes)| modes == [PSK_WITH_DH]);
    let is_early = asked.extension(EARLY_DATA).is_some();
    let is_offered = asked.extension(PRE_SHARED_KEY).is_none() || is_exchanged_anew;
    let is_forward_secret = agreed.extension(KEY_SHARE).is_some() && is_offered && !is_early;
    Ok(Hellos { version, suite: agreed.suite(), is_forward_secret })
}

struct Hello<'a> {
    version: &'a [u8],
    /// What follows the session's name.
    rest: &'a [u8],
    extensions: Vec<(u16, &'a [u8])>,
}

impl<'a> Hello<'a> {
    fn read(stream: &'a [u8], kind: u8) -> Result<Self> {
        let mut first = None;
        let mut left = stream;
        while !left.is_empty() {
            let record;
            (record, left) = next_record(left)?;
            first.get_or_insert(record);
        }
        let (found, record) = first.context("nothing was said")?;
        ensure!(found == HANDSHAKE, "the first record is of kind {found}");
        Self::parse(record, kind).context("no hello in the first record")
    }

    fn parse(record: &'a [u8], kind: u8) -> Option<Self> {
        let (head, body) = record.split_at_checked(4)?;
        let (version, body) = body.split_at_checked(2)?;
        let body = body.get(32..)?;
        let rest = take_short(body, 1)?.1;
        let after_suites = match kind {
            CLIENT_HELLO => take_short(take_short(rest, 2)?.1, 1)?.1,
            _ => rest.get(3..)?,
        };
        let mut list = take_short(after_suites, 2)?.0;
        let mut extensions = Vec::new();
        while !list.is_empty() {
            let name = u16::from_be_bytes(list.get(..2)?.try_into().ok()?);
            let value;
            (value, list) = take_short(list.get(2..)?, 2)?;
            extensions.push((name, value));
        }
        (head.first() == Some(&kind)).then_some(Self { version, rest, extensions })
    }

    fn extension(&self, name: u16) -> Option<&'a [u8]> {
        self.extensions.iter().find_map(|(found, value)| (*found == name).then_some(*value))
    }

    /// A server's: the one that it chose.
    fn suite(&self) -> u16 {
        self.rest.iter().take(2).fold(0, |sum, byte| sum << 8 | u16::from(*byte))
    }
}

/// A value behind its length of one or two bytes, and what follows it.
fn take_short(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(width)?;
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

type Record<'a> = (u8, &'a [u8]);

fn next_record(stream: &[u8]) -> Result<(Record<'_>, &[u8])> {
    let (head, rest) = stream.split_at_checked(5).context("it ends within a record's head")?;
    let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
    let looks_right = KINDS.contains(&head[0]) && head[1] == 3 && length <= MAX_RECORD;
    ensure!(looks_right, "no TLS record begins with {head:02x?}");
    // A program that was killed may have left half a record.
    let (record, rest) = rest.split_at(length.min(rest.len()));
    Ok(((head[0], record), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s46_what_is_not_tls_is_not_taken_for_it() {
        assert!(hellos(b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        let record = [22, 3, 3, 0, 4, 1, 0, 0, 0];
        assert!(hellos(&record, &record).is_err());
        assert!(hellos(b"", b"").is_err());
    }
}
