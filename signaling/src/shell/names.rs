//! What people are called, in the database: sealed, and found by a keyed hash.
//!
//! A copy of the database without the folder's key file shows no operator's name,
//! group, limit or authenticator secret (T62).

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use hmac::{Hmac, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tasuki_protocol::likeness::likeness;
use tasuki_protocol::showable::composed;

use super::clock;
use super::fault::Fault;
use super::folder::Secret;

const NONCE_BYTES: usize = 12;

/// Who an account is, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) display_name: String,
}

/// What a sealed cell holds; a cell of one kind never passes as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    Person,
    Group,
    Limits,
    Authenticator,
    Policy,
    Certificate,
    Decree,
    Session,
    Invited,
}

impl Cell {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Person => b"person",
            Self::Group => b"group",
            Self::Limits => b"limits",
            Self::Authenticator => b"authenticator",
            Self::Policy => b"policy",
            Self::Certificate => b"certificate",
            Self::Decree => b"decree",
            Self::Session => b"session",
            Self::Invited => b"invited",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Names {
    seal: Secret,
    index: Secret,
    look: Secret,
    shown_look: Secret,
}

impl Names {
    pub(crate) fn new(key: &Secret) -> Self {
        let part = |label: &[u8]| Secret(mac(&key.0, label));
        Self {
            seal: part(b"tasuki-names-seal-v1"),
            index: part(b"tasuki-names-index-v1"),
            look: part(b"tasuki-names-look-v1"),
            shown_look: part(b"tasuki-names-shown-look-v1"),
        }
    }

    /// Equal for equal names, in whatever form of Unicode they were typed, and says nothing else.
    pub(crate) fn index(&self, name: &str) -> Vec<u8> {
        mac(&self.index.0, composed(name).as_bytes()).to_vec()
    }

    /// As [`Self::index`], of a name that was typed in wide letters: those of a keyboard that was left in Japanese.
    pub(crate) fn narrow_index(&self, name: &str) -> Vec<u8> {
        let narrow = |c: char| match u32::from(c) {
            wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(c),
            _ => c,
        };
        self.index(&name.chars().map(narrow).collect::<String>())
    }

    /// Equal for names that a person takes for one another, and says nothing else. T8.
    pub(crate) fn look(&self, name: &str) -> Vec<u8> {
        mac(&self.look.0, likeness(name).as_bytes()).to_vec()
    }

    /// As [`Self::look`], of a name that end users see: that it looks like an account is not told either.
    pub(crate) fn shown_look(&self, name: &str) -> Vec<u8> {
        mac(&self.shown_look.0, likeness(name).as_bytes()).to_vec()
    }

    pub(crate) fn seal<T: Serialize>(&self, cell: Cell, value: &T) -> Result<Vec<u8>, Fault> {
        let nonce: [u8; NONCE_BYTES] = clock::random()?;
        let Ok(plain) = serde_json::to_vec(value) else {
            unreachable!("names and limits are plain data")
        };
        let payload = Payload { msg: &plain, aad: cell.label() };
        let sealed = self.cipher().encrypt(&nonce.into(), payload);
        let Ok(sealed) = sealed else { unreachable!("a cell is far below AES-GCM's limit") };
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(crate) fn open<T: DeserializeOwned>(&self, cell: Cell, sealed: &[u8]) -> Option<T> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: cell.label() };
        let plain = self.cipher().decrypt(&Nonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(self.seal.0))
    }
}

fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key);
    let Ok(mut mac) = mac else { unreachable!("HMAC takes keys of any length") };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t62_a_sealed_name_opens_with_its_key_and_as_what_it_is_only() {
        let (names, other) = (Names::new(&Secret([1; 32])), Names::new(&Secret([2; 32])));
        let person = Person { name: "hanako".to_owned(), display_name: "山田 花子".to_owned() };
        let sealed = names.seal(Cell::Person, &person).unwrap();
        assert_eq!(names.open(Cell::Person, &sealed), Some(person));
        assert_eq!(names.open::<Person>(Cell::Group, &sealed), None);
        assert_eq!(other.open::<Person>(Cell::Person, &sealed), None);
        assert_eq!(names.index("hanako"), names.index("hanako"));
        assert_ne!(names.index("hanako"), other.index("hanako"));
    }
}
