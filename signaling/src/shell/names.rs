//! Names in the database: sealed, and found by a keyed hash.
//!
//! A copy of the database without the folder's key file shows no operator's name (T62).

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

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

#[derive(Debug, Clone)]
pub(crate) struct Names {
    seal: Secret,
    index: Secret,
}

impl Names {
    pub(crate) fn new(key: &Secret) -> Self {
        let part = |label: &[u8]| Secret(mac(&key.0, label));
        Self { seal: part(b"tasuki-names-seal-v1"), index: part(b"tasuki-names-index-v1") }
    }

    /// Equal for equal names, and says nothing else.
    pub(crate) fn index(&self, name: &str) -> Vec<u8> {
        mac(&self.index.0, name.as_bytes()).to_vec()
    }

    pub(crate) fn seal(&self, person: &Person) -> Result<Vec<u8>, Fault> {
        self.seal_bytes(b"person", &serde_json::to_vec(person).unwrap_or_default())
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Person> {
        serde_json::from_slice(&self.open_bytes(b"person", sealed)?).ok()
    }

    /// `purpose` must be the same at both times.
    pub(crate) fn seal_bytes(&self, purpose: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce: [u8; NONCE_BYTES] = clock::random()?;
        let payload = Payload { msg: plain, aad: purpose };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).unwrap_or_default();
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(crate) fn open_bytes(&self, purpose: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: purpose };
        self.cipher().decrypt(&Nonce::from(*nonce), payload).ok()
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
    fn t62_a_sealed_name_opens_with_its_key_only() {
        let (names, other) = (Names::new(&Secret([1; 32])), Names::new(&Secret([2; 32])));
        let person = Person { name: "hanako".to_owned(), display_name: "山田 花子".to_owned() };
        let sealed = names.seal(&person).unwrap();
        assert_eq!(names.open(&sealed), Some(person));
        assert_eq!(other.open(&sealed), None);
        assert_eq!(names.index("hanako"), names.index("hanako"));
        assert_ne!(names.index("hanako"), other.index("hanako"));
    }
}
