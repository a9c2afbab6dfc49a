//! What the two ends say through the server, sealed with AES-256-GCM.
//!
//! Each direction has its own key and counts its messages: a message that is
//! altered, repeated, out of order or reflected does not open, and one failure
//! ends the channel (T46).

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use zeroize::{Zeroize, ZeroizeOnDrop};

const COUNTER_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
/// Bytes that sealing adds to a message.
pub const SEAL_OVERHEAD: usize = COUNTER_BYTES + TAG_BYTES;

/// A 256-bit AES key for one direction and one purpose.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealKey([u8; 32]);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

impl SealKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(self.0))
    }
}

/// The sending half.
#[derive(Debug)]
pub struct Sealer {
    key: SealKey,
    next: u64,
}

impl Sealer {
    pub fn new(key: SealKey) -> Self {
        Self { key, next: 0 }
    }

    /// Counter (8 bytes, big-endian), ciphertext, tag. `context` is authenticated, not sent.
    pub fn seal(&mut self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let counter = self.next;
        self.next += 1;
        let payload = Payload { msg: plain, aad: context };
        let Ok(sealed) = self.key.cipher().encrypt(&nonce(counter), payload) else {
            unreachable!("AES-GCM seals any message that fits memory")
        };
        let mut out = counter.to_be_bytes().to_vec();
        out.extend_from_slice(&sealed);
        out
    }
}

/// The receiving half.
#[derive(Debug)]
pub struct Opener {
    key: SealKey,
    next: Option<u64>,
}

impl Opener {
    pub fn new(key: SealKey) -> Self {
        Self { key, next: Some(0) }
    }

    /// # Errors
    /// The message was not sealed by the other end under `context`, is older
    /// than one already opened, or an earlier one failed.
    pub fn open(&mut self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let expected = self.next.take().ok_or(NotSealed)?;
        let (counter, sealed) = sealed.split_first_chunk::<COUNTER_BYTES>().ok_or(NotSealed)?;
        let counter = u64::from_be_bytes(*counter);
        if counter < expected || counter == u64::MAX {
            return Err(NotSealed);
        }
        let payload = Payload { msg: sealed, aad: context };
        let plain = self.key.cipher().decrypt(&nonce(counter), payload).map_err(|_| NotSealed)?;
        self.next = Some(counter + 1);
        Ok(plain)
    }
}

/// Tampering, a replay, or the wrong key: not said which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed message did not open")]
pub struct NotSealed;

fn nonce(counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Sealer, Opener) {
        let key = SealKey::from_bytes([7; 32]);
        (Sealer::new(key.clone()), Opener::new(key))
    }

    #[test]
    fn messages_open_in_order_and_a_lost_one_is_no_fault() {
        let (mut sealer, mut opener) = pair();
        let first = sealer.seal(b"x", b"one");
        let _lost = sealer.seal(b"x", b"two");
        let third = sealer.seal(b"x", b"three");
        assert_eq!(opener.open(b"x", &first).unwrap(), b"one");
        assert_eq!(opener.open(b"x", &third).unwrap(), b"three");
    }

    #[test]
    fn t46_any_flipped_bit_ends_the_channel_for_good() {
        let (mut sealer, _) = pair();
        let sealed = sealer.seal(b"x", b"one");
        let good = sealer.seal(b"x", b"two");
        for bit in 0..sealed.len() * 8 {
            let (_, mut opener) = pair();
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opener.open(b"x", &bad), Err(NotSealed));
            assert_eq!(opener.open(b"x", &good), Err(NotSealed));
        }
    }

    #[test]
    fn a_replay_and_another_context_are_refused() {
        let (mut sealer, mut opener) = pair();
        let sealed = sealer.seal(b"x", b"one");
        assert!(opener.open(b"x", &sealed).is_ok());
        assert_eq!(opener.open(b"x", &sealed), Err(NotSealed));
        let (mut sealer, mut opener) = pair();
        assert_eq!(opener.open(b"y", &sealer.seal(b"x", b"one")), Err(NotSealed));
    }
}
