//! The server's TLS: AES-256-GCM or nothing (T47, S45).
//!
//! One port speaks HTTP/1.1 and the relay's protocol; ALPN says which. No
//! resumption and no early data.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::server::NoServerSessionStorage;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::ticket::RELAY_ALPN;
use tasuki_protocol::turn::TURN_ALPN;

use super::fault::Fault;
use super::folder::Folder;
use super::renewal::{Files, Renewable};

#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) fingerprint: Digest,
    pub(crate) certificate: Arc<Renewable>,
}

/// The names of a certificate's two files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) certificate: &'static str,
    pub(crate) key: &'static str,
}

/// The certificate of the authority that [`make_certificate`] makes.
pub(crate) const AUTHORITY: &str = "ca.crt";

impl Pair {
    pub(crate) const IN_USE: Self = Self { certificate: "server.crt", key: "server.key" };
    pub(crate) const NEXT: Self = Self { certificate: "server.next.crt", key: "server.next.key" };
}

/// The folder's certificate and key, ready to serve.
pub(crate) fn load(folder: &Folder) -> Result<Tls, Fault> {
    load_pair(folder, Pair::IN_USE)
}

pub(crate) fn load_pair(folder: &Folder, pair: Pair) -> Result<Tls, Fault> {
    let (cert, key) = (folder.file(pair.certificate), folder.file(pair.key));
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
    config.alpn_protocols = vec![b"http/1.1".to_vec(), RELAY_ALPN.to_vec(), TURN_ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

/// An own authority and one certificate under it. What binds is the pinned key;
/// the dates are wide so that a clock off by a day breaks nothing.
pub(crate) fn make_certificate(
    folder: &Folder,
    pair: Pair,
    organisation: &str,
    names: Vec<String>,
) -> Result<(), Fault> {
    let (cert, key) = (folder.file(pair.certificate), folder.file(pair.key));
    let unusable = |_| Fault::CertificateUnusable { cert: cert.clone(), key: key.clone() };
    let (from, until) = (date_time_ymd(2025, 1, 1), date_time_ymd(2049, 12, 31));
    let mut authority = CertificateParams::new(Vec::new()).map_err(unusable)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.distinguished_name.push(DnType::CommonName, format!("Tasuki CA of {organisation}"));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (authority.not_before, authority.not_after) = (from, until);
    let authority_key = KeyPair::generate().map_err(unusable)?;
    let root = authority.self_signed(&authority_key).map_err(unusable)?;
    let issuer_key = authority_key.serialize_pem();
    let issuer = Issuer::new(authority, authority_key);

    let first = names.first().cloned().unwrap_or_default();
    let mut server = CertificateParams::new(names).map_err(unusable)?;
    server.distinguished_name.push(DnType::CommonName, first);
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    (server.not_before, server.not_after) = (from, until);
    let server_key = KeyPair::generate().map_err(unusable)?;
    let leaf = server.signed_by(&server_key, &issuer).map_err(unusable)?;

    folder.write(AUTHORITY, root.pem().as_bytes())?;
    folder.write("ca.key", issuer_key.as_bytes())?;
    folder.write(pair.certificate, format!("{}{}", leaf.pem(), root.pem()).as_bytes())?;
    folder.write(pair.key, server_key.serialize_pem().as_bytes())
}
