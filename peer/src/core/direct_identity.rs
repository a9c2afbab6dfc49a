//! What this end shows of itself on a direct path, made before any pairing so
//! that the pairing's transcript covers it. Knows nothing of the other end.

use sha2::{Digest as _, Sha256};
use str0m::IceCreds;
use str0m::config::DtlsCert;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::seed::Seed;
use zeroize::Zeroize;

use super::dtls;

/// A self-signed DTLS certificate and the ICE credentials of one attempt at pairing.
pub struct DirectIdentity {
    cert: DtlsCert,
    ufrag: String,
    pwd: String,
}

impl std::fmt::Debug for DirectIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DirectIdentity").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

impl Drop for DirectIdentity {
    fn drop(&mut self) {
        self.cert.private_key.zeroize();
        self.pwd.zeroize();
    }
}

/// The cryptographic library could not make a key: this machine's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no DTLS key could be made")]
pub struct IdentityFailed;

impl DirectIdentity {
    /// ICE credentials come from `seed`; the P-256 key comes from the cryptographic
    /// library, which takes none. Nothing that is decided depends on its value.
    ///
    /// # Errors
    /// The library's generator failed.
    pub fn generate(seed: &Seed) -> Result<Self, IdentityFailed> {
        let cert = dtls::certificate().ok_or(IdentityFailed)?;
        let ufrag = hex(&seed.derive::<6>("ice ufrag"));
        let pwd = hex(&seed.derive::<16>("ice pwd"));
        Ok(Self { cert, ufrag, pwd })
    }

    /// SHA-256 of the certificate (RFC 8122 §5).
    pub fn fingerprint(&self) -> Digest {
        Digest(Sha256::digest(&self.cert.certificate).into())
    }

    /// RFC 8445 §5.3: 48 random bits.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// RFC 8445 §5.3: 128 random bits.
    pub fn pwd(&self) -> &str {
        &self.pwd
    }

    pub(crate) fn cert(&self) -> DtlsCert {
        self.cert.clone()
    }

    pub(crate) fn credentials(&self) -> IceCreds {
        IceCreds { ufrag: self.ufrag.clone(), pass: self.pwd.clone() }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_follow_the_seed_and_keep_the_bounds_of_rfc_8445() {
        let one = DirectIdentity::generate(&Seed::from_bytes([1; 32])).unwrap();
        let same = DirectIdentity::generate(&Seed::from_bytes([1; 32])).unwrap();
        let other = DirectIdentity::generate(&Seed::from_bytes([2; 32])).unwrap();
        assert_eq!((one.ufrag(), one.pwd()), (same.ufrag(), same.pwd()));
        assert_ne!(one.ufrag(), other.ufrag());
        assert_ne!(one.fingerprint(), same.fingerprint());
        assert!(one.ufrag().len() >= 4 && one.pwd().len() >= 22);
        assert!(!format!("{one:?}").contains(one.pwd()));
    }
}
