//! The data folder: everything that one server is, made once by `setup`.
//!
//! It is built aside and renamed into place, so that an interrupted `setup`
//! leaves nothing that looks finished, and a second one never touches the first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustix::fs::{FlockOperation, flock};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, PROTOCOL_VERSION, TenantId};
use tasuki_protocol::manifest::is_showable_name;
use tasuki_protocol::ticket::TicketKey;
use zeroize::Zeroizing;

use super::accounts::hash;
use super::passwords::Pepper;
use super::store::Store;

const IDENTITY: &str = "identity.json";
const ROOT_KEY: &str = "root.key";
const MANIFEST_KEY: &str = "manifest.key";
const TICKET_KEY: &str = "ticket.key";
const PEPPER: &str = "pepper.key";
const CERTIFICATE: &str = "server.pem";
const CERTIFICATE_KEY: &str = "server.key";
const AUTHORITY: &str = "authority.pem";
const DATABASE: &str = "tasuki.db";
const LOCK: &str = "lock";

/// Why a data folder cannot be made or used. The programs add what to do.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{0} already holds a server; it was left as it is")]
    AlreadySetUp(PathBuf),
    #[error("{0} is not empty; give a new or an empty folder")]
    NotEmpty(PathBuf),
    #[error("{0} holds no server; run `tasuki-server setup` first")]
    NotSetUp(PathBuf),
    #[error("another server runs on {0}; stop it first")]
    InUse(PathBuf),
    #[error("{file} cannot be used: {why}; restore it from a backup")]
    Damaged { file: PathBuf, why: String },
    #[error("{file} cannot be read or written ({why}); check its owner and permissions")]
    Access { file: PathBuf, why: io::Error },
    #[error("the organisation's name cannot be shown to people; use 1 to 40 plain characters")]
    Name,
    #[error("{0:?} is not a host name or an address")]
    Host(String),
    #[error("the certificate and its key cannot be used: {0}")]
    Certificate(String),
}

/// What `setup` is told.
#[derive(Debug, Clone)]
pub struct Plan {
    pub folder: PathBuf,
    pub organisation: String,
    pub host: String,
    pub port: u16,
    /// PEM files of a certificate chain and its key; otherwise an own authority is made.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// What `setup` answers: to be printed once, kept nowhere.
#[derive(Debug)]
pub struct Made {
    pub admin_token: Zeroizing<String>,
    pub server_pin: Digest,
    pub root: DeviceKey,
    pub tenant: TenantId,
    pub bundle: PathBuf,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub tenant: TenantId,
    pub organisation: String,
    pub host: String,
    pub port: u16,
}

/// An opened data folder. Held open, it keeps a second server away.
#[derive(Debug)]
pub struct Folder {
    pub identity: Identity,
    pub manifest_key: SigningKey,
    pub ticket_key: TicketKey,
    pub pepper: Pepper,
    pub certificates: Vec<CertificateDer<'static>>,
    pub certificate_key: PrivateKeyDer<'static>,
    pub bundle: Vec<u8>,
    pub store: Store,
    _lock: File,
}

/// Makes a new server in `plan.folder`.
///
/// # Errors
/// See [`FolderError`]; on any of them the folder is as before.
pub async fn set_up(plan: &Plan) -> Result<Made, FolderError> {
    check_plan(plan)?;
    let building = building_folder(&plan.folder);
    let access = |file: &Path| {
        let file = file.to_owned();
        move |why| FolderError::Access { file, why }
    };
    if building.exists() {
        fs::remove_dir_all(&building).map_err(access(&building))?;
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&building).map_err(access(&building))?;
    let made = fill(plan, &building).await;
    if let Err(error) = made {
        fs::remove_dir_all(&building).map_err(access(&building))?;
        return Err(error);
    }
    fs::rename(&building, &plan.folder).map_err(access(&plan.folder))?;
    made.map(|made| Made { bundle: plan.folder.join(BUNDLE_FILE), ..made })
}

fn check_plan(plan: &Plan) -> Result<(), FolderError> {
    if !is_showable_name(&plan.organisation) {
        return Err(FolderError::Name);
    }
    if CertificateParams::new(vec![plan.host.clone()]).is_err() || plan.host.is_empty() {
        return Err(FolderError::Host(plan.host.clone()));
    }
    if plan.folder.join(IDENTITY).exists() {
        return Err(FolderError::AlreadySetUp(plan.folder.clone()));
    }
    let empty = fs::read_dir(&plan.folder).map_or(true, |mut entries| entries.next().is_none());
    if empty { Ok(()) } else { Err(FolderError::NotEmpty(plan.folder.clone())) }
}

fn building_folder(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    folder.with_file_name(name)
}

async fn fill(plan: &Plan, folder: &Path) -> Result<Made, FolderError> {
    let tenant = TenantId(random(folder)?);
    let root = SigningKey::from_bytes(&random(folder)?);
    let manifest = SigningKey::from_bytes(&random(folder)?);
    write(&folder.join(ROOT_KEY), &hex(&root.to_bytes()))?;
    write(&folder.join(MANIFEST_KEY), &hex(&manifest.to_bytes()))?;
    write(&folder.join(TICKET_KEY), &hex(&random(folder)?))?;
    write(&folder.join(PEPPER), &hex(&random(folder)?))?;
    let server_pin = place_certificate(plan, folder)?;
    let bundle = Bundle {
        v: PROTOCOL_VERSION,
        tenant,
        organisation: plan.organisation.clone(),
        host: plan.host.clone(),
        port: plan.port,
        server_pin,
        manifest_keys: vec![DeviceKey(manifest.verifying_key().to_bytes())],
    };
    write(&folder.join(BUNDLE_FILE), &dsse::sign(&bundle, &root))?;
    let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(random::<24>(folder)?));
    fill_database(&folder.join(DATABASE), &token).await?;
    let identity = Identity {
        tenant,
        organisation: plan.organisation.clone(),
        host: plan.host.clone(),
        port: plan.port,
    };
    write(&folder.join(IDENTITY), &serde_json::to_vec_pretty(&identity).unwrap_or_default())?;
    let root = DeviceKey(root.verifying_key().to_bytes());
    Ok(Made { admin_token: token, server_pin, root, tenant, bundle: folder.join(BUNDLE_FILE) })
}

async fn fill_database(file: &Path, token: &str) -> Result<(), FolderError> {
    let damaged = |why: String| FolderError::Damaged { file: file.to_owned(), why };
    write(file, b"")?;
    let store = Store::open(file).await.map_err(|error| damaged(error.to_string()))?;
    store.set_setup_token(hash(token)).await.map_err(|error| damaged(error.to_string()))?;
    store.close().await;
    Ok(())
}

fn place_certificate(plan: &Plan, folder: &Path) -> Result<Digest, FolderError> {
    let (chain, key) = match &plan.certificate {
        Some((chain, key)) => (read(chain)?, read(key)?),
        None => own_certificate(plan, folder)
            .map_err(|error| FolderError::Certificate(error.to_string()))?,
    };
    write(&folder.join(CERTIFICATE), &chain)?;
    write(&folder.join(CERTIFICATE_KEY), &key)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| FolderError::Certificate(error.to_string()))?;
    pin(&key)
}

fn own_certificate(plan: &Plan, folder: &Path) -> Result<(Vec<u8>, Vec<u8>), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, format!("{} Tasuki", plan.organisation));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_key = KeyPair::generate()?;
    let authority = params.self_signed(&authority_key)?;
    let issuer = Issuer::from_params(&params, &authority_key);
    let mut names = vec![plan.host.clone()];
    if plan.host == "localhost" || plan.host == "127.0.0.1" || plan.host == "::1" {
        names = vec!["localhost".into(), "127.0.0.1".into(), "::1".into()];
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, &plan.host);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    let chain = [certificate.pem(), authority.pem()].concat();
    let written = write(&folder.join(AUTHORITY), authority.pem().as_bytes());
    written.map_err(|_| rcgen::Error::RemoteKeyError)?;
    Ok((chain.into_bytes(), key.serialize_pem().into_bytes()))
}

fn pin(key: &PrivateKeyDer<'static>) -> Result<Digest, FolderError> {
    let wrong = |why: &str| FolderError::Certificate(why.to_owned());
    let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(key)
        .map_err(|_| wrong("the key is of a kind that is not supported"))?;
    let spki = signer.public_key().ok_or_else(|| wrong("the key has no public half"))?;
    Ok(Digest(Sha256::digest(spki.as_ref()).into()))
}

impl Folder {
    /// Opens a folder that `setup` made, for one server at a time.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub async fn open(folder: &Path) -> Result<Self, FolderError> {
        if !folder.join(IDENTITY).exists() {
            return Err(FolderError::NotSetUp(folder.to_owned()));
        }
        let lock = lock(folder)?;
        let file = folder.join(IDENTITY);
        let identity = serde_json::from_slice(&read(&file)?)
            .map_err(|error| FolderError::Damaged { file, why: error.to_string() })?;
        let file = folder.join(DATABASE);
        if !file.exists() {
            return Err(FolderError::Damaged { file, why: "it is missing".into() });
        }
        let store = Store::open(&file)
            .await
            .map_err(|error| FolderError::Damaged { file, why: error.to_string() })?;
        Ok(Self {
            identity,
            manifest_key: SigningKey::from_bytes(&*read_key(&folder.join(MANIFEST_KEY))?),
            ticket_key: TicketKey::from_bytes(*read_key(&folder.join(TICKET_KEY))?),
            pepper: Pepper::from_bytes(*read_key(&folder.join(PEPPER))?),
            certificates: read_certificates(&folder.join(CERTIFICATE))?,
            certificate_key: read_certificate_key(&folder.join(CERTIFICATE_KEY))?,
            bundle: read(&folder.join(BUNDLE_FILE))?,
            store,
            _lock: lock,
        })
    }
}

fn lock(folder: &Path) -> Result<File, FolderError> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|why| FolderError::Access { file: path, why })?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| FolderError::InUse(folder.to_owned()))?;
    Ok(file)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, FolderError> {
    let pem = read(file)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => {
            Err(FolderError::Damaged { file: file.to_owned(), why: "it holds no certificate".into() })
        }
        Err(error) => Err(FolderError::Damaged { file: file.to_owned(), why: error.to_string() }),
    }
}

fn read_certificate_key(file: &Path) -> Result<PrivateKeyDer<'static>, FolderError> {
    PrivateKeyDer::from_pem_slice(&read(file)?)
        .map_err(|error| FolderError::Damaged { file: file.to_owned(), why: error.to_string() })
}

fn read_key(file: &Path) -> Result<Zeroizing<[u8; 32]>, FolderError> {
    let text = Zeroizing::new(read(file)?);
    let text = std::str::from_utf8(&text).unwrap_or_default().trim();
    let key: Digest = text
        .parse()
        .map_err(|_| FolderError::Damaged { file: file.to_owned(), why: "it holds no key".into() })?;
    Ok(Zeroizing::new(key.0))
}

fn read(file: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(file).map_err(|why| FolderError::Access { file: file.to_owned(), why })
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let access = |why| FolderError::Access { file: file.to_owned(), why };
    let mut out =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(access)?;
    out.set_permissions(fs::Permissions::from_mode(0o600)).map_err(access)?;
    out.write_all(bytes).map_err(access)?;
    out.sync_all().map_err(access)
}

fn random<const N: usize>(folder: &Path) -> Result<[u8; N], FolderError> {
    let mut bytes = [0; N];
    let failed =
        |_| FolderError::Access { file: folder.to_owned(), why: io::Error::other("no randomness") };
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn hex(bytes: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Digest(*bytes).to_string().into_bytes())
}
