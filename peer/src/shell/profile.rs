//! The folders of one user's programs, and the small secrets in them.
//!
//! Decides where things lie and that secrets are readable by their owner alone.
//! Does not know what a server makes of them.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tasuki_protocol::bundle::Known;
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::{DeviceKey, TenantId};
use tasuki_protocol::rights::Mode;
use tasuki_protocol::terms::Requirement;
use zeroize::Zeroize;

use super::fault::Fault;
use super::system;

/// The most bytes that any file of a profile may have.
const MAX_FILE_BYTES: u64 = 64 * 1024;
const DEVICE_KEY: &str = "device.key";
const SIGN_IN: &str = "sign-in.json";
const ROOT_PIN: &str = "root.pin";

/// Where configuration is read and state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub config: PathBuf,
    pub state: PathBuf,
}

impl Profile {
    /// One folder for everything.
    pub fn at(folder: &Path) -> Self {
        Self { config: folder.to_owned(), state: folder.to_owned() }
    }

    /// By the XDG base directories.
    ///
    /// # Errors
    /// [`Fault::NoHome`] when the environment names no home.
    pub fn of_user() -> Result<Self, Fault> {
        Ok(Self {
            config: xdg("XDG_CONFIG_HOME", ".config")?.join("tasuki"),
            state: xdg("XDG_STATE_HOME", ".local/state")?.join("tasuki"),
        })
    }

    /// Whether the device's key was made already: it may wait, or be approved.
    pub fn has_device_key(&self) -> bool {
        self.state.join(DEVICE_KEY).exists()
    }

    /// The operator's device key; made at the first call.
    ///
    /// # Errors
    /// [`Fault::Profile`] when the file cannot be read or is damaged, [`Fault::OpenToOthers`],
    /// [`Fault::NotKept`] of the first one.
    pub fn device_key(&self) -> Result<SigningKey, Fault> {
        let path = self.state.join(DEVICE_KEY);
        if let Some(mut text) = read_secret(&path)? {
            let key = text.trim().parse::<DeviceKey>();
            text.zeroize();
            let mut key = key.map_err(|_| Fault::damaged(&path))?;
            let signing = SigningKey::from_bytes(&key.0);
            key.0.zeroize();
            return Ok(signing);
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| Fault::NoRandomness)?;
        let mut text = format!("{}\n", DeviceKey(bytes));
        self.write(DEVICE_KEY, text.as_bytes())?;
        text.zeroize();
        let key = SigningKey::from_bytes(&bytes);
        bytes.zeroize();
        Ok(key)
    }

    /// # Errors
    /// [`Fault::NotSignedIn`] before a login, [`Fault::Profile`] for a damaged file.
    pub fn sign_in(&self) -> Result<SignIn, Fault> {
        let path = self.state.join(SIGN_IN);
        let mut text = read_secret(&path)?.ok_or(Fault::NotSignedIn)?;
        let parsed = serde_json::from_str(&text).map_err(|_| Fault::damaged(&path));
        text.zeroize();
        parsed
    }

    /// # Errors
    /// [`Fault::NotKept`] when the folder cannot be written.
    pub fn keep_sign_in(&self, sign_in: &SignIn) -> Result<(), Fault> {
        let mut bytes = serde_json::to_vec(sign_in).unwrap_or_default();
        let kept = self.write(SIGN_IN, &bytes);
        bytes.zeroize();
        kept
    }

    /// # Errors
    /// [`Fault::Profile`] when the file stays.
    pub fn forget_sign_in(&self) -> Result<(), Fault> {
        let path = self.state.join(SIGN_IN);
        match std::fs::remove_file(&path) {
            Err(why) if why.kind() != ErrorKind::NotFound => {
                Err(Fault::Profile { file: path, why: why.to_string() })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The root key that this user's programs trust, and the newest bundle they saw. T70.
    ///
    /// # Errors
    /// [`Fault::Profile`] for a file that cannot be read or is damaged.
    pub fn known(&self) -> Result<Option<Known>, Fault> {
        let path = self.root_pin();
        let Some(text) = read_secret(&path)? else { return Ok(None) };
        let known = strict_json(text.trim().as_bytes());
        known.map(Some).map_err(|_| Fault::damaged(&path))
    }

    /// # Errors
    /// [`Fault::NotKept`] when the folder cannot be written.
    pub fn keep_known(&self, known: &Known) -> Result<(), Fault> {
        let text = serde_json::to_string(known).unwrap_or_default();
        self.write(ROOT_PIN, text.as_bytes())
    }

    pub fn root_pin(&self) -> PathBuf {
        self.state.join(ROOT_PIN)
    }

    /// What a file of the state folder remembers; nothing yet where there is none.
    ///
    /// # Errors
    /// [`Fault::Profile`] when it cannot be read or is damaged, [`Fault::OpenToOthers`].
    pub fn remembered<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, Fault> {
        let path = self.state.join(name);
        let Some(text) = read_secret(&path)? else { return Ok(T::default()) };
        toml::from_str(&text).map_err(|_| Fault::damaged(&path))
    }

    /// Replaces a file of the state folder whole, readable by its owner alone.
    ///
    /// # Errors
    /// [`Fault::NotKept`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        write_whole(&self.state, name, bytes)
            .map_err(|why| Fault::NotKept { file: self.state.join(name), why: why.to_string() })
    }
}

/// What a login leaves behind.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignIn {
    pub operator: String,
    pub token: String,
    /// Seconds since 1970 on this machine's clock: a hint; the server decides.
    pub expires_at: u64,
    pub tenant: TenantId,
    pub organisation: String,
    pub display_name: String,
    pub modes: Vec<Mode>,
    /// As the policy was at the sign-in.
    #[serde(default)]
    pub reason: Requirement,
    /// Until when this device's certificate holds, in seconds since 1970, where the server said it.
    #[serde(default)]
    pub certified_until: Option<u64>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("operator", &self.operator).finish_non_exhaustive()
    }
}

impl Drop for SignIn {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

fn xdg(variable: &str, under_home: &str) -> Result<PathBuf, Fault> {
    let absolute = |value: std::ffi::OsString| Some(PathBuf::from(value)).filter(|p| p.is_absolute());
    if let Some(path) = std::env::var_os(variable).and_then(absolute) {
        return Ok(path);
    }
    let home = std::env::var_os("HOME").and_then(absolute).ok_or(Fault::NoHome)?;
    Ok(home.join(under_home))
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    system::make_private_folder(folder)?;
    // Two sessions of one program may keep the same file at once.
    let thread = std::thread::current().id();
    let fresh = folder.join(format!(".{name}.{}.{thread:?}", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file = system::private(options.write(true).create(true).truncate(true)).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, folder.join(name))?;
    system::sync_folder(folder)
}

/// The file's text; `None` when there is none.
fn read_secret(path: &Path) -> Result<Option<String>, Fault> {
    let fault = |why: String| Fault::Profile { file: path.to_owned(), why };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(fault(why.to_string())),
    };
    let facts = file.metadata().map_err(|why| fault(why.to_string()))?;
    if !facts.is_file() {
        return Err(Fault::damaged(path));
    }
    if system::is_open_to_others(&facts) {
        return Err(Fault::OpenToOthers { file: path.to_owned() });
    }
    let mut text = String::new();
    match file.take(MAX_FILE_BYTES).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(why) if why.kind() == ErrorKind::InvalidData => Err(Fault::damaged(path)),
        Err(why) => Err(fault(why.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[test]
    fn a_device_key_is_made_once_kept_for_its_owner_alone_and_refused_when_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        let first = profile.device_key().unwrap();
        assert_eq!(profile.device_key().unwrap().to_bytes(), first.to_bytes());
        let path = folder.path().join(DEVICE_KEY);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(profile.device_key(), Err(Fault::OpenToOthers { .. })));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(&path, "not a key").unwrap();
        assert!(matches!(profile.device_key(), Err(Fault::Profile { .. })));
    }

    #[test]
    fn nobody_is_signed_in_before_a_login() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Profile::at(folder.path()).sign_in(), Err(Fault::NotSignedIn)));
    }
}
