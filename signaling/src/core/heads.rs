//! What the headers of a request say of who sends it: an administrator's signature, an operator's token.
//!
//! It refuses to know whose key or token it is, and whether it holds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const NONCE_CHARS: std::ops::RangeInclusive<usize> = 16..=64;

/// That a request was signed, at a time and with a nonce: [`tasuki_protocol::admin::ADMIN_HEADER`]'s value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Seconds since 1970, which a database can hold.
    pub at: i64,
    /// As it was signed; 16 to 64 hexadecimal digits.
    pub nonce: &'a str,
    pub signature: Vec<u8>,
}

impl<'a> Claim<'a> {
    /// `None`: it has not the form.
    pub fn read(header: &'a str) -> Option<Self> {
        let mut parts = header.split('.');
        let (at, nonce, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none();
        let is_nonce =
            NONCE_CHARS.contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_whole || !is_nonce {
            return None;
        }
        let at = i64::try_from(at.parse::<u64>().ok()?).ok()?;
        Some(Self { at, nonce, signature: STANDARD.decode(signature).ok()? })
    }
}

/// The token of an `Authorization` header's value.
pub fn bearer(header: &str) -> Option<&str> {
    header.strip_prefix("Bearer ")
}
