//! The certificate in use, and a newer one taken from its files while the server runs.
//!
//! Decides what a renewal is: another certificate for the same key, because the key is
//! what every end has pinned (S72). Connections that stand never notice.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::ids::Digest;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::fault::Fault;
use super::folder::read;

/// Where a certificate chain and its key are, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Renewable {
    files: Files,
    provider: Arc<CryptoProvider>,
    pin: Digest,
    in_use: RwLock<Arc<CertifiedKey>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) pin: Digest,
    at: [Option<SystemTime>; 2],
}

/// What became of newer files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    Taken,
    /// Unusable, or for another key: the certificate in use stays in use.
    Refused,
}

impl Renewable {
    /// # Errors
    /// [`Fault::CertificateUnusable`], or the files cannot be read.
    pub(crate) fn load(files: Files, provider: Arc<CryptoProvider>) -> Result<Self, Fault> {
        let (certified, pin) = open(&files, &provider)?;
        Ok(Self { files, provider, pin, in_use: RwLock::new(Arc::new(certified)) })
    }

    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub(crate) fn pin(&self) -> Digest {
        self.pin
    }

    pub(crate) fn renew(&self) -> Renewal {
        match open(&self.files, &self.provider) {
            Ok((certified, pin)) if pin == self.pin => {
                *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
                Renewal::Taken
            }
            Ok(_) | Err(_) => Renewal::Refused,
        }
    }

    /// Whose files are looked at, and when they were written.
    pub(crate) fn written(&self) -> Written {
        let at = [&self.files.cert, &self.files.key]
            .map(|file| std::fs::metadata(file).and_then(|found| found.modified()).ok());
        Written { pin: self.pin, at }
    }

    /// The files were written anew.
    pub(crate) fn take_newer(&self) {
        match self.renew() {
            Renewal::Taken => tracing::info!("a renewed certificate is in use"),
            Renewal::Refused => tracing::warn!(
                cert = %self.files.cert.display(),
                "the new certificate is not for the key that every end has pinned, or cannot be read: the old one stays in use"
            ),
        }
    }
}

impl ResolvesServerCert for Renewable {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.in_use.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn open(files: &Files, provider: &CryptoProvider) -> Result<(CertifiedKey, Digest), Fault> {
    let Files { cert, key } = files;
    let damaged = || Fault::CertificateUnusable { cert: cert.clone(), key: key.clone() };
    // One that is not there is mended as one that is damaged; one that may not be read is not.
    let present = |file: &PathBuf| if file.exists() { read(file) } else { Err(damaged()) };
    let (cert, key) = (present(cert)?, present(key)?);
    certified(&cert, &key, provider).ok_or_else(damaged)
}

/// The one judge of a chain and a key in PEM: what it takes can be served, now and after a restart.
/// Gives with it the SHA-256 of the key that ends pin.
pub(super) fn certified(
    cert: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Option<(CertifiedKey, Digest)> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(cert).collect::<Result<_, _>>().ok()?;
    if !chain.iter().all(|one| X509Certificate::from_der(one).is_ok()) {
        return None;
    }
    let key = PrivateKeyDer::from_pem_slice(key).ok()?;
    let parsed = ParsedCertificate::try_from(chain.first()?).ok()?;
    let pin = Digest(Sha256::digest(parsed.subject_public_key_info().as_ref()).into());
    Some((CertifiedKey::from_der(chain, key, provider).ok()?, pin))
}

#[cfg(test)]
mod tests {
    use super::*;

    use rcgen::{CertificateParams, KeyPair};
    use rustls::crypto::aws_lc_rs::default_provider;

    fn write(files: &Files, name: &str, key: &KeyPair) {
        let cert = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(key).unwrap();
        std::fs::write(&files.cert, cert.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
    }

    fn shown(renewable: &Renewable) -> Vec<u8> {
        renewable.in_use.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn s72_a_new_certificate_for_the_pinned_key_is_taken_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files { cert: folder.path().join("c"), key: folder.path().join("k") };
        let key = KeyPair::generate().unwrap();
        write(&files, "first.example", &key);
        let renewable = Renewable::load(files.clone(), Arc::new(default_provider())).unwrap();
        let first = shown(&renewable);
        write(&files, "second.example", &key);
        assert_eq!(renewable.renew(), Renewal::Taken);
        let second = shown(&renewable);
        assert_ne!(first, second);
        write(&files, "third.example", &KeyPair::generate().unwrap());
        assert_eq!(renewable.renew(), Renewal::Refused);
        std::fs::write(&files.cert, "half a cert").unwrap();
        assert_eq!(renewable.renew(), Renewal::Refused);
        write(&files, "fourth.example", &key);
        let good = std::fs::read_to_string(&files.cert).unwrap();
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&files.cert, format!("{good}{damaged}")).unwrap();
        assert_eq!(renewable.renew(), Renewal::Refused, "a chain with a damaged link");
        assert_eq!(shown(&renewable), second);
    }
}
