//! The administrator's own folder: the bundle he trusts and the key that is his.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle};
use tasuki_protocol::dsse;
use tasuki_protocol::ids::{DeviceKey, Digest};
use zeroize::Zeroizing;

use crate::fault::Fault;

const KEY: &str = "admin.key";

/// A bundle whose signature holds, and who signed it.
#[derive(Debug, Clone)]
pub struct Trusted {
    pub bundle: Bundle,
    pub root: DeviceKey,
    bytes: Vec<u8>,
}

/// A folder of one administrator for one server.
#[derive(Debug, Clone)]
pub struct Profile(PathBuf);

impl Profile {
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The bundle kept here; a given file must be of the same root once one is kept (T70).
    ///
    /// # Errors
    /// Neither a file nor a kept bundle, a damaged one, or another organisation's.
    pub fn trust(&self, given: Option<&Path>) -> Result<Trusted, Fault> {
        let kept = self.0.join(BUNDLE_FILE);
        let kept = kept.exists().then(|| load(&kept)).transpose()?;
        let Some(file) = given else {
            return kept.ok_or_else(|| Fault::NoBundle(self.0.clone()));
        };
        let given = load(file)?;
        match kept {
            Some(kept) if kept.root != given.root => Err(Fault::OtherTenant(file.to_owned())),
            Some(_) | None => Ok(given),
        }
    }

    /// # Errors
    /// [`Fault::NotEnrolled`], [`Fault::DamagedKey`].
    pub fn key(&self) -> Result<SigningKey, Fault> {
        let file = self.0.join(KEY);
        let text = fs::read_to_string(&file).map(Zeroizing::new);
        let text = text.map_err(|_| Fault::NotEnrolled(self.0.clone()))?;
        let secret: Digest = text.trim().parse().map_err(|_| Fault::DamagedKey(file))?;
        Ok(SigningKey::from_bytes(&secret.0))
    }

    /// Keeps key and bundle, after the server has taken the key.
    ///
    /// # Errors
    /// [`Fault::File`].
    pub fn keep(&self, key: &SigningKey, trusted: &Trusted) -> Result<(), Fault> {
        let failed = |why| Fault::File { file: self.0.clone(), why };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed)?;
        let secret = Zeroizing::new(Digest(key.to_bytes()).to_string());
        replace(&self.0.join(KEY), secret.as_bytes())?;
        replace(&self.0.join(BUNDLE_FILE), &trusted.bytes)
    }
}

/// The standard folder: `$XDG_CONFIG_HOME/tasuki/admin` or `~/.config/tasuki/admin`.
pub fn standard_folder() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").unwrap_or_default().join(".config");
    set("XDG_CONFIG_HOME").unwrap_or_else(home).join("tasuki").join("admin")
}

fn load(file: &Path) -> Result<Trusted, Fault> {
    let bytes = fs::read(file).map_err(|_| Fault::NoBundle(file.to_owned()))?;
    let (bundle, root) =
        dsse::open_self_signed::<Bundle>(&bytes).map_err(|_| Fault::DamagedBundle(file.to_owned()))?;
    Ok(Trusted { bundle, root, bytes })
}

fn replace(file: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let failed = |why| Fault::File { file: file.to_owned(), why };
    let aside = file.with_extension("new");
    let mut options = OpenOptions::new();
    let mut out =
        options.write(true).create(true).truncate(true).mode(0o600).open(&aside).map_err(failed)?;
    out.write_all(bytes).and_then(|()| out.sync_all()).map_err(failed)?;
    fs::rename(&aside, file).map_err(failed)
}
