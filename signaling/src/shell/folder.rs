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
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::ticket::TicketKey;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::fault::Fault;

pub(crate) const DATABASE: &str = "tasuki.db";
const LOCK: &str = "lock";
const MARKER: &str = "setup-unfinished";

/// A server's folder, held by this process alone.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// The files of a folder that hold keys, 32 bytes each as hexadecimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFile {
    /// Signs the bundle. Nothing else needs it; keep a copy off this machine.
    TenantRoot,
    Manifest,
    Ticket,
    Pepper,
    Names,
}

impl KeyFile {
    pub(crate) const ALL: [Self; 5] =
        [Self::TenantRoot, Self::Manifest, Self::Ticket, Self::Pepper, Self::Names];

    fn name(self) -> &'static str {
        match self {
            Self::TenantRoot => "tenant-root.key",
            Self::Manifest => "manifest.key",
            Self::Ticket => "ticket.key",
            Self::Pepper => "pepper.key",
            Self::Names => "names.key",
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

/// What `run` needs of the folder. The tenant's root key is not among it.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) manifest: SigningKey,
    pub(crate) ticket: TicketKey,
    pub(crate) pepper: Secret,
    pub(crate) names: Secret,
}

impl Folder {
    /// The folder of a finished set-up.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let bundle = path.join(BUNDLE_FILE);
        if !bundle.exists() && !path.join(MARKER).exists() {
            let keys_are_here = path.join(KeyFile::Manifest.name()).exists();
            let lost = if keys_are_here {
                Fault::KeyDamaged(bundle)
            } else {
                Fault::NotSetUp(path.to_owned())
            };
            return Err(lost);
        }
        let folder = Self::lock(path)?;
        if path.join(MARKER).exists() {
            return Err(Fault::SetUpInterrupted(path.to_owned()));
        }
        Ok(folder)
    }

    /// A folder to set up: new, empty, or left by a set-up that was interrupted.
    pub(crate) fn begin(path: &Path) -> Result<Self, Fault> {
        let unreadable = Fault::unreadable(path);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(&unreadable)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(&unreadable)?;
        let interrupted = path.join(MARKER).exists();
        if path.join(BUNDLE_FILE).exists() && !interrupted {
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
        let unreadable = Fault::unreadable(&self.path);
        fs::remove_file(self.path.join(MARKER)).map_err(&unreadable)?;
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(&unreadable)
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
        Ok(Self { path: path.to_owned(), _lock: file })
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

    pub(crate) fn certificate(&self) -> (PathBuf, PathBuf) {
        (self.file("server.crt"), self.file("server.key"))
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
        fs::rename(&unfinished, &path).map_err(&unreadable)
    }

    pub(crate) fn write_key(&self, key: KeyFile, secret: &Secret) -> Result<(), Fault> {
        let mut text = format!("{}\n", Digest(secret.0));
        let written = self.write(key.name(), text.as_bytes());
        text.zeroize();
        written
    }

    pub(crate) fn read_key(&self, key: KeyFile) -> Result<Secret, Fault> {
        let path = self.file(key.name());
        let mut text = read(&path)?;
        let parsed = std::str::from_utf8(&text).ok().and_then(|t| t.trim().parse::<Digest>().ok());
        text.zeroize();
        parsed.map(|digest| Secret(digest.0)).ok_or(Fault::KeyDamaged(path))
    }

    pub(crate) fn keys(&self) -> Result<Keys, Fault> {
        let manifest = SigningKey::from_bytes(&self.read_key(KeyFile::Manifest)?.0);
        Ok(Keys {
            manifest,
            ticket: TicketKey::from_bytes(self.read_key(KeyFile::Ticket)?.0),
            pepper: self.read_key(KeyFile::Pepper)?,
            names: self.read_key(KeyFile::Names)?,
        })
    }

    /// The bundle and its envelope. That its manifest key is this folder's is checked here.
    pub(crate) fn bundle(&self, keys: &Keys) -> Result<(Bundle, Vec<u8>), Fault> {
        let path = self.file(BUNDLE_FILE);
        let envelope = read(&path)?;
        let Ok((bundle, _)) = dsse::open_self_signed::<Bundle>(&envelope) else {
            return Err(Fault::KeyDamaged(path));
        };
        let ours = keys.manifest.verifying_key().to_bytes();
        if !bundle.manifest_keys.iter().any(|key| key.0 == ours) {
            return Err(Fault::KeyDamaged(self.file(KeyFile::Manifest.name())));
        }
        Ok((bundle, envelope))
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    fs::read(path).map_err(Fault::unreadable(path))
}
