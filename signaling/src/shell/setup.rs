//! `tasuki-server setup`: makes a tenant, its keys, a certificate and a database, once.
//!
//! An interrupted set-up leaves a mark and is begun anew by the next; a finished
//! one is never touched again.

use std::net::IpAddr;
use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::manifest::is_showable_name;

use super::clock;
use super::config::CONFIG_FILE;
use super::fault::Fault;
use super::folder::{DATABASE, Folder, KeyFile, Secret, read};
use super::store::Store;
use super::tls;

/// What `setup` is told.
#[derive(Debug, Clone)]
pub struct SetUp {
    pub data: PathBuf,
    /// By which agents and operators' programs reach the server: DNS name or IP address.
    pub host: String,
    pub port: u16,
    /// Shown to people. The host's name if not given.
    pub organisation: Option<String>,
    /// PEM files of an own certificate chain and its key.
    pub certificate: Option<OwnCertificate>,
}

#[derive(Debug, Clone)]
pub struct OwnCertificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What the administrator needs afterwards. The token is told once and stored nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUpDone {
    pub tenant: TenantId,
    pub bundle: PathBuf,
    /// SHA-256 of the certificate's public key.
    pub fingerprint: Digest,
    pub admin_token: String,
}

impl std::fmt::Debug for SetUpDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetUpDone").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// # Errors
/// The folder is taken, a name cannot be used, or a file cannot be written; see [`Fault`].
pub async fn set_up(order: SetUp) -> Result<SetUpDone, Fault> {
    let organisation = order.organisation.clone().unwrap_or_else(|| order.host.clone());
    if !is_showable_name(&organisation) {
        return Err(Fault::Organisation(organisation));
    }
    let names = certificate_names(&order.host)?;
    let folder = Folder::begin(&order.data)?;
    for key in KeyFile::ALL {
        folder.write_key(key, &Secret(clock::random()?))?;
    }
    match &order.certificate {
        Some(own) => copy_certificate(&folder, own)?,
        None => make_certificate(&folder, &organisation, names)?,
    }
    let fingerprint = tls::load(&folder)?.fingerprint;
    let admin_token = Digest(clock::random()?).to_string();
    // SQLite fills an empty file, and keeps to its rights.
    folder.write(DATABASE, b"")?;
    let store = Store::create(&folder.database()).await?;
    store.expect_admin(&Sha256::digest(admin_token.as_bytes())).await?;
    store.close().await;
    folder.write(CONFIG_FILE, super::config::TEMPLATE.as_bytes())?;
    let tenant = TenantId(clock::random()?);
    let bundle = Bundle {
        v: PROTOCOL_VERSION,
        tenant,
        organisation,
        host: order.host,
        port: order.port,
        server_pin: fingerprint,
        manifest_keys: vec![DeviceKey(folder.keys()?.manifest.verifying_key().to_bytes())],
    };
    folder.write(BUNDLE_FILE, &dsse::sign(&bundle, &folder.root_key()?))?;
    folder.finish()?;
    Ok(SetUpDone { tenant, bundle: folder.file(BUNDLE_FILE), fingerprint, admin_token })
}

impl Folder {
    fn root_key(&self) -> Result<SigningKey, Fault> {
        self.read_key(KeyFile::TenantRoot).map(|secret| SigningKey::from_bytes(&secret.0))
    }
}

fn certificate_names(host: &str) -> Result<Vec<String>, Fault> {
    let is_address = host.parse::<IpAddr>().is_ok();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_name = host.len() <= 253 && host.split('.').all(is_label);
    if !is_address && !is_name {
        return Err(Fault::HostName(host.to_owned()));
    }
    let mut names = vec![host.to_owned()];
    if is_address || host == "localhost" {
        let local = ["localhost", "127.0.0.1"].map(str::to_owned);
        names.extend(local.into_iter().filter(|name| name != host));
    }
    Ok(names)
}

/// An own authority and one certificate under it. What binds is the pinned key;
/// the dates are wide so that a clock off by a day breaks nothing.
fn make_certificate(folder: &Folder, organisation: &str, names: Vec<String>) -> Result<(), Fault> {
    let (cert, key) = folder.certificate();
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

    folder.write("ca.crt", root.pem().as_bytes())?;
    folder.write("ca.key", issuer_key.as_bytes())?;
    folder.write("server.crt", format!("{}{}", leaf.pem(), root.pem()).as_bytes())?;
    folder.write("server.key", server_key.serialize_pem().as_bytes())
}

fn copy_certificate(folder: &Folder, own: &OwnCertificate) -> Result<(), Fault> {
    folder.write("server.crt", &read(&own.cert)?)?;
    folder.write("server.key", &read(&own.key)?)?;
    let unusable = || Fault::CertificateUnusable { cert: own.cert.clone(), key: own.key.clone() };
    tls::load(folder).map(|_| ()).map_err(|_| unusable())
}
