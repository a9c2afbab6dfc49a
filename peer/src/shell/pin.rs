//! The one verifier of a server's key (S72): who holds the pinned key is the server.
//!
//! Names, dates and issuers decide nothing: the pin came signed with the bundle,
//! and this machine's clock may be wrong. The handshake's signature is verified, so
//! that a copied certificate is worth nothing.

use std::error::Error as StdError;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError,
    SignatureScheme, WantsVerifier,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use tasuki_protocol::ids::Digest;

use super::issuer;

/// Somebody answers at the server's address who does not hold the server's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server does not show the key that the bundle names")]
pub struct OtherServerKey {
    /// Who made the certificate that was shown, where it bears the server's own
    /// name: what a device that opens encrypted connections shows. A stranger's
    /// words: at most 64 letters, none of them a control character.
    pub inspector: Option<String>,
}

/// A client that accepts only the holder of a key whose SPKI has one of these SHA-256 values.
pub(super) fn expecting(
    pins: Vec<Digest>,
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let provider = Arc::clone(builder.crypto_provider());
    builder.dangerous().with_custom_certificate_verifier(Arc::new(Pinned { pins, provider }))
}

/// [`OtherServerKey`], if `error` or what caused it is one.
pub fn other_server_key<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a OtherServerKey> {
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return io.get_ref().and_then(|inner| other_server_key(inner));
    }
    if let Some(Error::InvalidCertificate(CertificateError::Other(OtherError(other)))) =
        error.downcast_ref::<Error>()
    {
        return other.downcast_ref();
    }
    error.source().and_then(other_server_key)
}

#[derive(Debug)]
struct Pinned {
    /// Two while the server's key is changed.
    pins: Vec<Digest>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let shown = Sha256::digest(parsed.subject_public_key_info().as_ref());
        if self.pins.iter().any(|pin| bool::from(shown.as_slice().ct_eq(&pin.0))) {
            return Ok(ServerCertVerified::assertion());
        }
        let other = OtherServerKey { inspector: issuer::of_inspector(end_entity, server_name) };
        Err(CertificateError::Other(OtherError(Arc::new(other))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
