//! A proxy's address as people write it: `http://name:password@host:port`.
//!
//! Decides what is an address and what of it may be shown. The password never is.

use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// An HTTP proxy (RFC 9110 §9.3.6), and how to sign in to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub host: String,
    pub port: u16,
    pub(super) sign_in: Option<SignIn>,
}

#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(super) struct SignIn {
    pub(super) name: String,
    pub(super) password: String,
}

/// Why an address is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProxy {
    #[error("it is auto, none or an address like http://proxy.example:3128")]
    Form,
    #[error("only HTTP proxies serve: http://proxy.example:3128")]
    Kind,
    #[error("a name with a colon cannot be sent to a proxy")]
    Name,
}

impl Proxy {
    pub fn has_password(&self) -> bool {
        self.sign_in.is_some()
    }
}

impl FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let rest = match text.trim().split_once("://") {
            Some((kind, rest)) if kind.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err(BadProxy::Kind),
            None => text.trim(),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (sign_in, place) = match rest.rsplit_once('@') {
            Some((sign_in, place)) => (Some(read_sign_in(sign_in)?), place),
            None => (None, rest),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self { host, port, sign_in })
    }
}

/// An IPv6 address stands in brackets. Without a port it is 80 (RFC 9110 §4.2.1).
fn host_and_port(place: &str) -> Result<(String, u16), BadProxy> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(BadProxy::Form)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| BadProxy::Form)?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some("80")).ok_or(BadProxy::Form)?)
        }
        None => place.rsplit_once(':').unwrap_or((place, "80")),
    };
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let port = port.parse::<u16>().ok().filter(|port| *port != 0).ok_or(BadProxy::Form)?;
    let named = !host.is_empty() && host.len() <= 253 && host.chars().all(is_host);
    let bracketed = place.starts_with('[') || !host.contains(':');
    if named && bracketed { Ok((host.to_owned(), port)) } else { Err(BadProxy::Form) }
}

fn read_sign_in(text: &str) -> Result<SignIn, BadProxy> {
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    let (name, password) = (unescaped(name)?, unescaped(password)?);
    // RFC 7617 §2: the first colon ends the name.
    if name.contains(':') { Err(BadProxy::Name) } else { Ok(SignIn { name, password }) }
}

/// Percent-decoding (RFC 3986 §2.1); control characters would end a header.
fn unescaped(text: &str) -> Result<String, BadProxy> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let digits = digits.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok()).ok_or(BadProxy::Form)?;
        bytes.push(byte);
        rest = &after[2..];
    }
    let text = String::from_utf8(bytes).map_err(|_| BadProxy::Form)?;
    if text.chars().any(char::is_control) { Err(BadProxy::Form) } else { Ok(text) }
}

/// Without name and password.
impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "http://[{host}]:{port}")
        } else {
            write!(f, "http://{host}:{port}")
        }
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t68_a_proxy_is_read_whole_and_shown_without_its_password() {
        let proxy: Proxy = "http://hana%3F:p%40ss:w@proxy.example:3128/".parse().unwrap();
        let sign_in = proxy.sign_in.as_ref().unwrap();
        assert_eq!((sign_in.name.as_str(), sign_in.password.as_str()), ("hana?", "p@ss:w"));
        assert_eq!(format!("{proxy} {proxy:?}"), "http://proxy.example:3128 http://proxy.example:3128");
    }

    #[test]
    fn every_form_of_a_host_is_read() {
        for (text, shown) in [
            ("proxy", "http://proxy:80"),
            ("HTTP://10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
            ("http://[2001:db8::1]", "http://[2001:db8::1]:80"),
        ] {
            assert_eq!(text.parse::<Proxy>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_or_would_break_out_of_a_header_is_refused() {
        for text in [
            "",
            "http://",
            ":80",
            "a:0",
            "a:65536",
            "a b:80",
            "a/b:80",
            "2001:db8::1",
            "[::1",
            "[::1]x",
            "https://a:1",
            "socks5://a:1",
            "u%0d%0ax:p@a:1",
            "u:%zz@a:1",
            "u:%+1@a:1",
            "a%3ab:p@h:1",
        ] {
            assert!(text.parse::<Proxy>().is_err(), "{text}");
        }
    }
}
