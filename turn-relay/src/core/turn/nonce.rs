//! Nonces that cost no memory: a time and a tag that binds it to one client's address.
//!
//! Whoever shows one back has received it there (T49): a datagram with somebody else's source
//! address reaches no allocation. RFC 8489 §9.2.4. It knows no credential.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long a nonce is good.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(600);
/// Short enough that the error which brings it stays under twice the request.
pub const NONCE_BYTES: usize = 20;

const TAG_BYTES: usize = 11;

pub type Nonce = [u8; NONCE_BYTES];

/// Makes nonces and knows its own again.
#[derive(Debug)]
pub struct Nonces {
    key: [u8; 32],
    born: Instant,
}

impl Nonces {
    pub fn new(key: [u8; 32], now: Instant) -> Self {
        Self { key, born: now }
    }

    pub fn make(&self, client: SocketAddr, now: Instant) -> Nonce {
        let seconds = self.seconds(now);
        let mut raw = [0; 4 + TAG_BYTES];
        raw[..4].copy_from_slice(&seconds.to_be_bytes());
        raw[4..].copy_from_slice(&self.tag(seconds, client));
        let mut nonce = [0; NONCE_BYTES];
        URL_SAFE_NO_PAD.encode_slice(raw, &mut nonce).ok();
        nonce
    }

    /// Whether it was made for this address within the last [`NONCE_LIFETIME`].
    pub fn knows(&self, nonce: &[u8], client: SocketAddr, now: Instant) -> bool {
        let mut raw = [0; 4 + TAG_BYTES];
        if nonce.len() != NONCE_BYTES || URL_SAFE_NO_PAD.decode_slice(nonce, &mut raw).is_err() {
            return false;
        }
        let [a, b, c, d, tag @ ..] = raw;
        let made = u32::from_be_bytes([a, b, c, d]);
        let age = self.seconds(now).checked_sub(made);
        age.is_some_and(|age| u64::from(age) < NONCE_LIFETIME.as_secs())
            && self.mac(made, client).verify_truncated_left(&tag).is_ok()
    }

    fn seconds(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.born).as_secs() as u32
    }

    fn tag(&self, seconds: u32, client: SocketAddr) -> [u8; TAG_BYTES] {
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&self.mac(seconds, client).finalize().into_bytes()[..TAG_BYTES]);
        tag
    }

    fn mac(&self, seconds: u32, client: SocketAddr) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key);
        let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
        mac.update(&seconds.to_be_bytes());
        match client.ip().to_canonical() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.update(&client.port().to_be_bytes());
        mac
    }
}
