//! The relay's TLS: AES-256-GCM or nothing (T47, S45).
//!
//! TLS 1.3 with one suite, TLS 1.2 with the two ECDHE suites that have it. No
//! resumption and no early data: a relay connection is made once, and a replayed
//! first flight must not reach the lobby.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, SupportedCipherSuite};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tasuki_protocol::ticket::RELAY_ALPN;
use tasuki_protocol::turn::TURN_ALPN;

/// Every suite that this relay speaks.
pub const SUITES: [SupportedCipherSuite; 3] = [
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// aws-lc-rs with [`SUITES`] only.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { cipher_suites: SUITES.to_vec(), ..aws_lc_rs::default_provider() })
}

/// A server's side that offers [`RELAY_ALPN`] and [`TURN_ALPN`].
///
/// # Errors
/// The key does not belong to the certificate, or is of an unknown kind.
pub fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![RELAY_ALPN.to_vec(), TURN_ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}
