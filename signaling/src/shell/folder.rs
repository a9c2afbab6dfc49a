//! The data folder: which file lies where, who may have it open, and its keys.
//!
//! Every key has a file of its own outside the database, so that a copy of the
//! database alone opens nothing (T62).

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest, TenantId};
use tasuki_protocol::keys::{PreparedKeys, ServerKeyKind};
use tasuki_protocol::ticket::TicketKey;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::clock;
use super::fault::Fault;
use super::setup::certificate_names;
use super::tls::{self, Pair, Tls};
use super::trust::Adopted;

pub(crate) const DATABASE: &str = "tasuki.db";
/// What `setup` was told, and the tenant's number.
pub(crate) const FACTS: &str = "server.json";
pub(super) const LOCK: &str = "lock";
/// What a URL means that says no port.
const HTTPS: u16 = 443;
const MARKER: &str = "setup-unfinished";

/// A server's folder, held by this process alone.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: File,
}

impl Drop for Folder {
    /// Not left to the closing of the file: a process that was begun meanwhile may hold it open.
    fn drop(&mut self) {
        // A folder that is gone has no lock to give back.
        flock(&self.lock, FlockOperation::Unlock).ok();
    }
}

/// The files of a folder that hold keys, 32 bytes each as hexadecimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFile {
    Manifest,
    /// Signs the log's checkpoints.
    Checkpoint,
    Ticket,
    Pepper,
    Names,
    /// Made, and in use once a bundle names it first.
    NextManifest,
    NextCheckpoint,
}

impl KeyFile {
    /// Those that `setup` makes.
    pub(crate) const ALL: [Self; 5] =
        [Self::Manifest, Self::Checkpoint, Self::Ticket, Self::Pepper, Self::Names];

    fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest.key",
            Self::Checkpoint => "checkpoint.key",
            Self::Ticket => "ticket.key",
            Self::Pepper => "pepper.key",
            Self::Names => "names.key",
            Self::NextManifest => "manifest.next.key",
            Self::NextCheckpoint => "checkpoint.next.key",
        }
    }
}

/// 32 secret bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret(pub(crate) [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Who the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub(crate) tenant: TenantId,
    pub(crate) organisation: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Facts {
    /// As `tasuki-admin --server` takes it.
    pub(crate) fn url(&self) -> String {
        let Self { host, port, .. } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if *port == HTTPS { format!("https://{host}") } else { format!("https://{host}:{port}") }
    }
}

/// The server's own keys. Neither the tenant's root nor its lock or log key is among them:
/// those are made on the administrator's machine.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) manifest: SigningKey,
    pub(crate) checkpoint: SigningKey,
    pub(crate) ticket: TicketKey,
    pub(crate) pepper: Secret,
    pub(crate) names: Secret,
}

impl Keys {
    pub(crate) fn manifest_key(&self) -> DeviceKey {
        public(&self.manifest)
    }

    pub(crate) fn checkpoint_key(&self) -> DeviceKey {
        public(&self.checkpoint)
    }
}

/// Keys that wait for a bundle that names them first.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    manifest: Option<SigningKey>,
    checkpoint: Option<SigningKey>,
    server_pin: Option<Digest>,
}

impl Prepared {
    pub(crate) fn public(&self) -> PreparedKeys {
        PreparedKeys {
            server_pin: self.server_pin,
            manifest_key: self.manifest.as_ref().map(public),
            checkpoint_key: self.checkpoint.as_ref().map(public),
        }
    }
}

/// Whether a file is there; whoever may not look is told so, and not that there is nothing.
pub(crate) fn is_there(file: &Path) -> Result<bool, Fault> {
    file.try_exists().map_err(Fault::unreadable(file))
}

impl Folder {
    /// The folder of a finished set-up.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let facts = path.join(FACTS);
        if !is_there(&facts)? && !path.join(MARKER).exists() {
            let keys_are_here = path.join(KeyFile::Manifest.name()).exists();
            let lost =
                if keys_are_here { Fault::KeyDamaged(facts) } else { Fault::NotSetUp(path.to_owned()) };
            return Err(lost);
        }
        let folder = Self::lock(path)?;
        if path.join(MARKER).exists() {
            return Err(Fault::SetUpInterrupted(path.to_owned()));
        }
        Ok(folder)
    }

    /// Whose a folder is, and the key of its names; a server may be using it meanwhile.
    pub(crate) fn look(path: &Path) -> Result<(Facts, Secret), Fault> {
        if !is_there(&path.join(FACTS))? || path.join(MARKER).exists() {
            return Err(Fault::NotSetUp(path.to_owned()));
        }
        let facts = read_facts(path)?;
        let names = secret_of(&path.join(KeyFile::Names.name()))?;
        Ok((facts, names))
    }

    /// A folder to set up: new, empty, or left by a set-up that was interrupted.
    pub(crate) fn begin(path: &Path) -> Result<Self, Fault> {
        let unreadable = Fault::unreadable(path);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(&unreadable)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(&unreadable)?;
        let interrupted = path.join(MARKER).exists();
        if path.join(FACTS).exists() && !interrupted {
            return Err(Fault::AlreadySetUp(path.to_owned()));
        }
        let mut entries = fs::read_dir(path).map_err(&unreadable)?;
        if !interrupted && entries.any(|entry| !entry.is_ok_and(|e| e.file_name() == LOCK)) {
            return Err(Fault::FolderNotEmpty(path.to_owned()));
        }
        let folder = Self::lock(path)?;
        if interrupted {
            folder.clear()?;
        }
        folder.write(MARKER, b"")?;
        Ok(folder)
    }

    /// Everything is written: from here the folder is a server's.
    pub(crate) fn finish(&self) -> Result<(), Fault> {
        fs::remove_file(self.path.join(MARKER)).map_err(Fault::unreadable(&self.path))?;
        self.sync()
    }

    /// A name that is lost with the power is a lost file.
    fn sync(&self) -> Result<(), Fault> {
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(Fault::unreadable(&self.path))
    }

    fn clear(&self) -> Result<(), Fault> {
        let unreadable = Fault::unreadable(&self.path);
        for entry in fs::read_dir(&self.path).map_err(&unreadable)?.flatten() {
            let name = entry.file_name();
            if name != LOCK && name != MARKER {
                fs::remove_file(entry.path()).map_err(&unreadable)?;
            }
        }
        Ok(())
    }

    fn lock(path: &Path) -> Result<Self, Fault> {
        let name = path.join(LOCK);
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&name);
        let file = open.map_err(Fault::unreadable(&name))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| Fault::FolderInUse(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), lock: file })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.file(DATABASE)
    }

    /// A file that nobody else may read, whole or not at all.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.file(name);
        let unreadable = Fault::unreadable(&path);
        let unfinished = self.file(&format!("{name}.new"));
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let mut file = options.open(&unfinished).map_err(&unreadable)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(&unreadable)?;
        fs::rename(&unfinished, &path).map_err(&unreadable)?;
        self.sync()
    }

    pub(crate) fn write_key(&self, key: KeyFile, secret: &Secret) -> Result<(), Fault> {
        let mut text = format!("{}\n", Digest(secret.0));
        let written = self.write(key.name(), text.as_bytes());
        text.zeroize();
        written
    }

    pub(crate) fn read_key(&self, key: KeyFile) -> Result<Secret, Fault> {
        secret_of(&self.file(key.name()))
    }

    pub(crate) fn keys(&self) -> Result<Keys, Fault> {
        Ok(Keys {
            manifest: self.signing_key(KeyFile::Manifest)?,
            checkpoint: self.signing_key(KeyFile::Checkpoint)?,
            ticket: TicketKey::from_bytes(self.read_key(KeyFile::Ticket)?.0),
            pepper: self.read_key(KeyFile::Pepper)?,
            names: self.read_key(KeyFile::Names)?,
        })
    }

    pub(crate) fn facts(&self) -> Result<Facts, Fault> {
        read_facts(&self.path)
    }

    fn signing_key(&self, key: KeyFile) -> Result<SigningKey, Fault> {
        self.read_key(key).map(|secret| SigningKey::from_bytes(&secret.0))
    }

    /// Makes a key that a later bundle may put into use; one that waits already is kept.
    pub(crate) fn prepare(&self, kind: ServerKeyKind, facts: &Facts) -> Result<(), Fault> {
        match kind {
            ServerKeyKind::Manifest => {
                for key in [KeyFile::NextManifest, KeyFile::NextCheckpoint] {
                    if !self.file(key.name()).exists() {
                        self.write_key(key, &Secret(clock::random()?))?;
                    }
                }
                Ok(())
            }
            ServerKeyKind::Server if self.file(Pair::NEXT.key).exists() => Ok(()),
            // No authority of this folder's own: the certificate was given, and so must the next one be.
            ServerKeyKind::Server if !self.file(tls::AUTHORITY).exists() => Err(Fault::OwnCertificate),
            ServerKeyKind::Server => {
                let names = certificate_names(&facts.host)?;
                tls::make_certificate(self, Pair::NEXT, &facts.organisation, names)
            }
        }
    }

    pub(crate) fn prepared(&self) -> Result<Prepared, Fault> {
        let waiting = |key: KeyFile| {
            let here = self.file(key.name()).exists();
            here.then(|| self.signing_key(key)).transpose()
        };
        let certificate = self.file(Pair::NEXT.key).exists();
        let pin = certificate.then(|| tls::load_pair(self, Pair::NEXT)).transpose()?;
        Ok(Prepared {
            manifest: waiting(KeyFile::NextManifest)?,
            checkpoint: waiting(KeyFile::NextCheckpoint)?,
            server_pin: pin.map(|tls| tls.fingerprint),
        })
    }

    /// Puts those prepared keys into use that `bundle` names first.
    pub(crate) fn adopt(&self, bundle: &Bundle, prepared: &Prepared) -> Result<Adopted, Fault> {
        let next = prepared.public();
        let leads = |first: Option<&DeviceKey>, next: Option<DeviceKey>| {
            first.is_some_and(|first| Some(*first) == next)
        };
        let mut adopted = Adopted::default();
        if leads(bundle.manifest_keys.first(), next.manifest_key) {
            self.promote(KeyFile::NextManifest.name(), KeyFile::Manifest.name())?;
        }
        if leads(bundle.checkpoint_keys.first(), next.checkpoint_key) {
            self.promote(KeyFile::NextCheckpoint.name(), KeyFile::Checkpoint.name())?;
        }
        if next.manifest_key.is_some() || next.checkpoint_key.is_some() {
            adopted.keys = Some(self.keys()?);
        }
        let pin = bundle.server_pins.first().copied();
        if pin.is_some() && pin == next.server_pin {
            self.promote(Pair::NEXT.certificate, Pair::IN_USE.certificate)?;
            self.promote(Pair::NEXT.key, Pair::IN_USE.key)?;
            adopted.tls = Some(tls::load(self)?) as Option<Tls>;
        }
        Ok(adopted)
    }

    fn promote(&self, from: &str, to: &str) -> Result<(), Fault> {
        let to = self.file(to);
        fs::rename(self.file(from), &to).map_err(Fault::unreadable(&to))?;
        self.sync()
    }

    /// Where the power was lost between a new certificate and its key, the key follows.
    pub(crate) fn finish_change(&self) -> Result<(), Fault> {
        let is_half =
            is_there(&self.file(Pair::NEXT.key))? && !is_there(&self.file(Pair::NEXT.certificate))?;
        let across = Pair { certificate: Pair::IN_USE.certificate, key: Pair::NEXT.key };
        if !is_half || tls::load_pair(self, across).is_err() {
            return Ok(());
        }
        self.promote(Pair::NEXT.key, Pair::IN_USE.key)
    }
}

fn public(key: &SigningKey) -> DeviceKey {
    DeviceKey(key.verifying_key().to_bytes())
}

fn read_facts(folder: &Path) -> Result<Facts, Fault> {
    let path = folder.join(FACTS);
    dsse::strict_json(&read(&path)?).map_err(|_| Fault::KeyDamaged(path))
}

fn secret_of(path: &Path) -> Result<Secret, Fault> {
    let mut text = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Fault::KeyDamaged(path.to_owned()));
        }
        read => read.map_err(Fault::unreadable(path))?,
    };
    let parsed = std::str::from_utf8(&text).ok().and_then(|t| t.trim().parse::<Digest>().ok());
    text.zeroize();
    parsed.map(|digest| Secret(digest.0)).ok_or_else(|| Fault::KeyDamaged(path.to_owned()))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    fs::read(path).map_err(Fault::unreadable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the two files of a new TLS key the power may be lost; the server starts all the same, with it.
    #[test]
    fn s72_a_change_of_the_tls_key_that_stopped_half_way_is_finished_at_the_next_start() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::lock(place.path()).unwrap();
        for pair in [Pair::IN_USE, Pair::NEXT] {
            tls::make_certificate(&folder, pair, "Example", vec!["localhost".to_owned()]).unwrap();
        }
        let (before, next) =
            (tls::load(&folder).unwrap(), tls::load_pair(&folder, Pair::NEXT).unwrap());
        folder.finish_change().unwrap();
        assert_eq!(tls::load(&folder).unwrap().fingerprint, before.fingerprint, "nothing was begun");
        folder.promote(Pair::NEXT.certificate, Pair::IN_USE.certificate).unwrap();
        assert!(tls::load(&folder).is_err(), "a certificate of the one key, and the other key");
        folder.finish_change().unwrap();
        assert_eq!(tls::load(&folder).unwrap().fingerprint, next.fingerprint);
        assert_eq!(folder.prepared().unwrap().server_pin, None);
        // A key without its certificate that is no half of anything is left where it is.
        folder.write(Pair::NEXT.key, &read(&folder.file("ca.key")).unwrap()).unwrap();
        folder.finish_change().unwrap();
        assert_eq!(tls::load(&folder).unwrap().fingerprint, next.fingerprint);
    }

    /// The organisation's own certificate is followed by one that it gives, and by none of this server's making.
    #[test]
    fn s72_a_certificate_that_was_given_is_followed_by_one_that_is_given() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::lock(place.path()).unwrap();
        let facts = Facts {
            tenant: TenantId([1; 8]),
            organisation: "Example".to_owned(),
            host: "localhost".to_owned(),
            port: HTTPS,
        };
        let prepared = || folder.prepare(ServerKeyKind::Server, &facts);
        assert!(matches!(prepared(), Err(Fault::OwnCertificate)));
        assert_eq!(folder.prepared().unwrap().server_pin, None, "nothing was made");
        tls::make_certificate(&folder, Pair::NEXT, "Example", vec!["localhost".to_owned()]).unwrap();
        fs::remove_file(folder.file(tls::AUTHORITY)).unwrap();
        let given = tls::load_pair(&folder, Pair::NEXT).unwrap().fingerprint;
        prepared().unwrap();
        assert_eq!(folder.prepared().unwrap().server_pin, Some(given));
    }

    /// As a child process does that was begun while the folder was held.
    #[test]
    fn a_folder_is_free_once_its_holder_is_gone_whoever_else_has_its_lock_open() {
        let place = tempfile::tempdir().unwrap();
        let holder = Folder::lock(place.path()).unwrap();
        let inherited = holder.lock.try_clone().unwrap();
        assert!(matches!(Folder::lock(place.path()), Err(Fault::FolderInUse(_))));
        drop(holder);
        let again = Folder::lock(place.path());
        assert!(again.is_ok(), "{again:?}");
        drop(inherited);
    }
}
