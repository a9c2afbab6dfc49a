//! The server's TLS: AES-256-GCM or nothing (T47, S45).
//!
//! One port speaks HTTP/1.1 and the relay's protocol; ALPN says which. No
//! resumption and no early data.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::server::NoServerSessionStorage;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::ticket::RELAY_ALPN;

use super::fault::Fault;
use super::folder::Folder;
use super::renewal::{Files, Renewable};

#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) fingerprint: Digest,
    pub(crate) certificate: Arc<Renewable>,
}

/// The folder's certificate and key, ready to serve.
pub(crate) fn load(folder: &Folder) -> Result<Tls, Fault> {
    let (cert, key) = folder.certificate();
    let damaged = || Fault::CertificateUnusable { cert: cert.clone(), key: key.clone() };
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ],
        ..aws_lc_rs::default_provider()
    });
    let files = Files { cert: cert.clone(), key: key.clone() };
    let certificate = Arc::new(Renewable::load(files, Arc::clone(&provider))?);
    let config = server_config(provider, Arc::clone(&certificate)).map_err(|_| damaged())?;
    Ok(Tls { config: Arc::new(config), fingerprint: certificate.pin(), certificate })
}

fn server_config(
    provider: Arc<CryptoProvider>,
    certificate: Arc<Renewable>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec(), RELAY_ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}
