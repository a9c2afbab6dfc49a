//! What a web server or a proxy answers where bytes of another kind are to follow: to
//! CONNECT (RFC 9110 §9.3.6, §11.7) and to Upgrade (§7.8). Pure, and bounded.
//!
//! Decides what is an answer at all. Believes nothing of it but its status and
//! which kinds of sign-in it names.

/// The most bytes of an answer's head.
pub const MAX_HEAD_BYTES: usize = 8 * 1024;

const BEGINNING: &[u8] = b"HTTP/1.";
const HEAD_END: &[u8] = b"\r\n\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 2xx to CONNECT: the tunnel stands, and what follows is the far end's.
    Open,
    /// 101: what follows is of the protocol that was asked for.
    Switched,
    /// 407, and Basic would do.
    AsksForBasic,
    /// 407, and only kinds that this program does not speak.
    AsksForOther,
    /// Any other status.
    Refused { status: u16 },
}

/// No HTTP answer, one longer than [`MAX_HEAD_BYTES`], or one that says more than
/// its head before anything was asked through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonsense;

/// `None` while `bytes` is only the beginning of an answer.
///
/// # Errors
/// [`Nonsense`].
pub fn read(bytes: &[u8]) -> Result<Option<Answer>, Nonsense> {
    let known = bytes.len().min(BEGINNING.len());
    if bytes[..known] != BEGINNING[..known] {
        return Err(Nonsense);
    }
    let end = bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END);
    let Some(end) = end else {
        return if bytes.len() < MAX_HEAD_BYTES { Ok(None) } else { Err(Nonsense) };
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| Nonsense)?;
    let mut lines = head.split("\r\n");
    let status = status(lines.next().unwrap_or_default())?;
    let said_more = bytes.len() > end + HEAD_END.len();
    match status {
        // This end speaks first, in TLS as towards a relay: bytes here are nobody's.
        101 | 200..300 if said_more => Err(Nonsense),
        101 => Ok(Some(Answer::Switched)),
        200..300 => Ok(Some(Answer::Open)),
        407 if lines.any(offers_basic) => Ok(Some(Answer::AsksForBasic)),
        407 => Ok(Some(Answer::AsksForOther)),
        status => Ok(Some(Answer::Refused { status })),
    }
}

/// `HTTP/1.0 200 Connection established`, in either minor version.
fn status(line: &str) -> Result<u16, Nonsense> {
    let mut words = line.split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().unwrap_or_default();
    let is_version = matches!(version, "HTTP/1.0" | "HTTP/1.1");
    let is_status = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
    if is_version && is_status { status.parse().map_err(|_| Nonsense) } else { Err(Nonsense) }
}

fn offers_basic(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let schemes = value.split(',').filter_map(|challenge| challenge.split_whitespace().next());
    name.eq_ignore_ascii_case("proxy-authenticate")
        && schemes.into_iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s84_answers_of_old_and_new_proxies_open_the_tunnel() {
        for head in [
            "HTTP/1.0 200 Connection established\r\n\r\n",
            "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n",
            "HTTP/1.1 200 \r\n\r\n",
        ] {
            assert_eq!(read(head.as_bytes()), Ok(Some(Answer::Open)));
            for cut in 0..head.len() {
                assert_eq!(read(&head.as_bytes()[..cut]), Ok(None));
            }
        }
    }

    #[test]
    fn s84_a_switch_of_protocols_is_told_apart_and_nothing_may_come_with_it() {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tasuki-relay\r\n\r\n".as_slice();
        assert_eq!(read(head), Ok(Some(Answer::Switched)));
        assert_eq!(read(&[head, b"x"].concat()), Err(Nonsense));
    }

    #[test]
    fn s84_the_kind_of_sign_in_is_told_apart() {
        let asks = |header: &str| read(format!("HTTP/1.1 407 no\r\n{header}\r\n\r\n").as_bytes());
        assert_eq!(asks("Proxy-Authenticate: Basic realm=\"x\""), Ok(Some(Answer::AsksForBasic)));
        assert_eq!(asks("proxy-authenticate: NTLM, basic"), Ok(Some(Answer::AsksForBasic)));
        assert_eq!(asks("Proxy-Authenticate: Negotiate"), Ok(Some(Answer::AsksForOther)));
        assert_eq!(asks("X: Basic"), Ok(Some(Answer::AsksForOther)));
    }

    #[test]
    fn nonsense_is_no_answer_however_long_it_is() {
        let endless = [b"HTTP/1.1 200 OK\r\n".as_slice(), &[b'a'; MAX_HEAD_BYTES]].concat();
        let eager = b"HTTP/1.1 200 OK\r\n\r\nmore".as_slice();
        for bytes in [
            b"SSH-2.0".as_slice(),
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 2000 x\r\n\r\n",
            b"HTTP/1.1 +20 x\r\n\r\n",
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 \xff\r\n\r\n",
            eager,
            &endless,
        ] {
            assert_eq!(read(bytes), Err(Nonsense), "{}", bytes.escape_ascii());
        }
        assert_eq!(read(b"HTTP/1.1 503 x\r\n\r\nsorry"), Ok(Some(Answer::Refused { status: 503 })));
    }
}
