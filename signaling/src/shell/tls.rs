//! The server's TLS: AES-256-GCM or nothing (T47, S45).
//!
//! One port speaks HTTP/1.1 and the relay's protocol; ALPN says which. No
//! resumption and no early data.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::ids::Digest;
use tasuki_protocol::ticket::RELAY_ALPN;

use super::fault::Fault;
use super::folder::{Folder, read};

#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) fingerprint: Digest,
}

/// The folder's certificate and key, ready to serve.
pub(crate) fn load(folder: &Folder) -> Result<Tls, Fault> {
    let (cert, key) = folder.certificate();
    let damaged = || Fault::CertificateUnusable { cert: cert.clone(), key: key.clone() };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&cert)?)
        .collect::<Result<_, _>>()
        .map_err(|_| damaged())?;
    let key = PrivateKeyDer::from_pem_slice(&read(&key)?).map_err(|_| damaged())?;
    let leaf = chain.first().ok_or_else(damaged)?;
    let parsed = ParsedCertificate::try_from(leaf).map_err(|_| damaged())?;
    let fingerprint = Digest(Sha256::digest(parsed.subject_public_key_info().as_ref()).into());
    let config = server_config(chain, key).map_err(|_| damaged())?;
    Ok(Tls { config: Arc::new(config), fingerprint })
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ],
        ..aws_lc_rs::default_provider()
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec(), RELAY_ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}
