//! This end's TLS towards servers: AES-256-GCM or nothing (T47), the pinned key or
//! nothing. Knows nothing of what is then said.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedCipherSuite};
use tasuki_protocol::ids::Digest;

use super::pin;
pub use super::pin::{OtherServerKey, other_server_key};

const SUITES: [SupportedCipherSuite; 3] = [
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// For a server whose SubjectPublicKeyInfo has one of the SHA-256 values `pins`, speaking
/// `alpn` alone.
pub fn client_config(pins: &[Digest], alpn: &[u8]) -> Arc<ClientConfig> {
    let provider = CryptoProvider { cipher_suites: SUITES.to_vec(), ..aws_lc_rs::default_provider() };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13, &TLS12]);
    let Ok(builder) = builder else { unreachable!("the suites serve both versions") };
    let mut config = pin::expecting(pins.to_vec(), builder).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

/// The IANA name of a negotiated suite.
pub(crate) fn suite_name(suite: SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or("unknown");
    name.replace("TLS13_", "TLS_")
}
