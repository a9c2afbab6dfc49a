//! The hashes of STUN: keys from names and passwords, message integrity, fingerprints.
//!
//! RFC 8489 §9.2.2, §14.5-§14.7. A client chooses between HMAC-SHA1 and HMAC-SHA256; the key is MD5's
//! in both, as the long-term mechanism has it where no other algorithm was offered. What it hashes is a password
//! of 256 random bits that lives for minutes, so that nothing rests on MD5's strength.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use tasuki_protocol::stun::HEADER_BYTES;
use tasuki_protocol::turn::{TURN_REALM, TurnCredential};

use super::message::{Hash, Integrity, Message, attribute};
use super::written::Written;

/// A long-term key.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct LongTermKey([u8; 16]);

impl std::fmt::Debug for LongTermKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LongTermKey(..)")
    }
}

impl LongTermKey {
    pub fn of(credential: &TurnCredential) -> Self {
        let mut md5 = Md5::new();
        for part in [&credential.name, ":", TURN_REALM, ":", &credential.password] {
            md5.update(part.as_bytes());
        }
        Self(md5.finalize().into())
    }

    /// Whether the message's integrity is this key's.
    pub fn made(&self, message: &Message<'_>, integrity: &Integrity<'_>) -> bool {
        let before = &message.bytes[..integrity.at];
        let length = covered_length(integrity.at, integrity.hash);
        match integrity.hash {
            Hash::Sha1 => self.sha1(before, length).verify_slice(integrity.tag).is_ok(),
            Hash::Sha256 => self.sha256(before, length).verify_slice(integrity.tag).is_ok(),
        }
    }

    /// Appends an integrity to an answer.
    pub(crate) fn seal(&self, answer: &mut Written, hash: Hash) {
        let length = covered_length(answer.as_slice().len(), hash);
        match hash {
            Hash::Sha1 => {
                let tag = self.sha1(answer.as_slice(), length).finalize().into_bytes();
                answer.attribute(attribute::INTEGRITY, &tag);
            }
            Hash::Sha256 => {
                let tag = self.sha256(answer.as_slice(), length).finalize().into_bytes();
                answer.attribute(attribute::INTEGRITY_SHA256, &tag);
            }
        }
    }

    fn sha1(&self, before: &[u8], length: u16) -> Hmac<Sha1> {
        let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&self.0);
        let Ok(mac) = mac else { unreachable!("HMAC takes keys of any length") };
        covering(mac, before, length)
    }

    fn sha256(&self, before: &[u8], length: u16) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0);
        let Ok(mac) = mac else { unreachable!("HMAC takes keys of any length") };
        covering(mac, before, length)
    }
}

/// The header's length as the hash sees it: as if the message ended with the integrity.
fn covered_length(at: usize, hash: Hash) -> u16 {
    let tag = match hash {
        Hash::Sha1 => 20,
        Hash::Sha256 => 32,
    };
    (at + 4 + tag - HEADER_BYTES) as u16
}

fn covering<M: Mac>(mut mac: M, before: &[u8], length: u16) -> M {
    mac.update(&before[..2]);
    mac.update(&length.to_be_bytes());
    mac.update(&before[4..]);
    mac
}

/// Appends a FINGERPRINT.
pub(crate) fn mark(answer: &mut Written) {
    let length = answer.as_slice().len() + 8 - HEADER_BYTES;
    answer.set_length(length);
    let fingerprint = fingerprint(answer.as_slice());
    answer.attribute(attribute::FINGERPRINT, &fingerprint.to_be_bytes());
}

/// RFC 8489 §14.7 over what comes before the attribute.
pub(crate) fn fingerprint(before: &[u8]) -> u32 {
    let crc = before
        .iter()
        .fold(u32::MAX, |crc, &byte| CRC_OF_BYTE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8));
    !crc ^ 0x5354_554e
}

/// CRC-32 of ITU V.42, reflected.
const CRC_OF_BYTE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};
