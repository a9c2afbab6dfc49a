//! The administrator's own folder for one server: where it is, what it trusts, the key that
//! signs his requests, and the vault with the organisation's keys.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle, BundleRefused, Known, TrustNews};
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::{DeviceKey, Digest};
use tasuki_protocol::keys::Vault;
use tasuki_protocol::ledger::checkpoint::MAX_NOTE_BYTES;
use tasuki_protocol::signal;
use zeroize::Zeroizing;

use crate::fault::Fault;

const KEY: &str = "admin.key";
/// Takes the other's place once the server is known to know it.
const NEXT_KEY: &str = "admin.next.key";
/// What the last sign-in at this computer was answered with.
const SESSION: &str = "admin.session";
const PLACE: &str = "server.json";
const VAULT: &str = "vault.json";
const CHECKPOINT: &str = "ledger.note";
/// What the server last told of the bundle, with every change of the root.
const NEWS: &str = "trust.json";

/// A server, and the keys of which one must be its.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub host: String,
    pub port: u16,
    pub pins: Vec<Digest>,
}

impl Place {
    pub fn of(bundle: &Bundle) -> Self {
        Self { host: bundle.host.clone(), port: bundle.port, pins: bundle.server_pins.clone() }
    }

    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// `https://HOST[:PORT]`, as `--server` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    pub host: String,
    pub port: u16,
}

impl std::str::FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not like https://help.example or https://help.example:7443");
        let plain = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
        if plain.is_empty() || plain.contains("://") || plain.contains(['/', '@', '?', '#', ' ']) {
            return Err(wrong());
        }
        let (host, port) = match plain.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            Some(_) | None => (plain, 443),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() { Err(wrong()) } else { Ok(Self { host, port }) }
    }
}

/// Where a server stands, beside the bundle that is kept.
#[derive(Debug)]
pub enum Renewed {
    /// At the kept one or a newer one.
    Goes(Box<Bundle>),
    /// At one from before it: an older database is there.
    Behind(Box<Bundle>),
}

/// A folder of one administrator for one server.
#[derive(Debug, Clone)]
pub struct Profile(PathBuf);

impl Profile {
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder that was named, that of the server that was named, or the only one there is.
    ///
    /// # Errors
    /// [`Fault::WhichServer`]: there are several.
    pub fn find(folder: Option<&Path>, server: Option<&ServerUrl>) -> Result<Self, Fault> {
        if let Some(folder) = folder {
            return Ok(Self(folder.to_owned()));
        }
        let standard = standard_folder();
        if let Some(server) = server {
            let safe =
                |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
            let name: String = server.host.chars().map(safe).collect();
            return Ok(Self(standard.join(format!("{name}_{}", server.port))));
        }
        let entries = fs::read_dir(&standard).into_iter().flatten().flatten();
        let mut here: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.join(PLACE).exists()).collect();
        here.sort();
        match here.as_slice() {
            [] => Ok(Self(standard)),
            [only] => Ok(Self(only.clone())),
            several => Err(Fault::WhichServer(several.to_vec())),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The bundle kept here, or a given file that goes on from it (T70).
    ///
    /// # Errors
    /// Neither a file nor a kept bundle, a damaged or an older one, or another organisation's.
    pub fn bundle(&self, given: Option<&Path>) -> Result<Bundle, Fault> {
        let file = self.0.join(BUNDLE_FILE);
        let kept = file.exists().then(|| open_first(&file)).transpose()?;
        let Some(given) = given else { return kept.ok_or_else(|| Fault::NoBundle(self.0.clone())) };
        let Some(kept) = kept else { return open_first(given) };
        let envelope = read(given)?;
        Bundle::open(&envelope, &kept.known()).map_err(|refused| fault(refused, given))
    }

    /// Goes on to the newest bundle that the server has.
    ///
    /// # Errors
    /// [`Fault::OtherTenant`], [`Fault::DamagedBundle`]: what the server shows does not go on
    /// from the kept one.
    pub fn renew(&self, kept: &Bundle, news: &TrustNews) -> Result<Renewed, Fault> {
        let file = self.0.join(BUNDLE_FILE);
        let newest = match news.bundle(&kept.known()) {
            Ok(newest) => newest,
            Err(refused) => {
                let behind = self.left_behind(kept, news).map(Renewed::Behind);
                return behind.ok_or_else(|| fault(refused, &file));
            }
        };
        // Also one that was given by hand: the server is known by it now.
        if self.bundle(None).map_or(true, |stored| newest.version > stored.version) {
            self.keep_bundle(&news.bundle.0)?;
        }
        if !news.handovers.is_empty() && self.news().is_none_or(|before| before != *news) {
            self.write(NEWS, signal::encode(news).as_bytes())?;
        }
        Ok(Renewed::Goes(Box::new(newest)))
    }

    /// The bundle that the server shows, if it is one of this organisation's own from before `kept`.
    fn left_behind(&self, kept: &Bundle, news: &TrustNews) -> Option<Box<Bundle>> {
        let older = Bundle::open_first(&news.bundle.0).ok()?;
        let is_older = older.tenant == kept.tenant && older.version < kept.version;
        let is_ours = older.root == kept.root || self.lead_on(older.known(), kept.root).is_some();
        (is_older && is_ours).then(|| Box::new(older))
    }

    /// The bundles by which the root changed between `from` and the root `to`, oldest first.
    /// `None`: they are not here.
    pub fn lead_on(&self, from: Known, to: DeviceKey) -> Option<Vec<Blob>> {
        let kept = self.news().map(|news| news.handovers).unwrap_or_default();
        let newest = read(&self.0.join(BUNDLE_FILE)).ok().map(Blob);
        let (mut known, mut led) = (from, Vec::new());
        for envelope in kept.into_iter().chain(newest) {
            if known.root == to {
                break;
            }
            let Ok(next) = Bundle::open(&envelope.0, &known) else { continue };
            if next.root != known.root && next.version > known.version {
                known = next.known();
                led.push(envelope);
            }
        }
        (known.root == to).then_some(led)
    }

    fn news(&self) -> Option<TrustNews> {
        strict_json(&fs::read(self.0.join(NEWS)).ok()?).ok()
    }

    pub fn keep_bundle(&self, envelope: &[u8]) -> Result<(), Fault> {
        self.stage_bundle(envelope)?.put()
    }

    /// Before a server is asked to take it: on a full disk nobody is asked.
    pub fn stage_bundle(&self, envelope: &[u8]) -> Result<Staged, Fault> {
        self.stage(BUNDLE_FILE, envelope)
    }

    /// Where the server is, before there is a bundle.
    pub fn place(&self) -> Option<Place> {
        strict_json(&fs::read(self.0.join(PLACE)).ok()?).ok()
    }

    pub fn keep_place(&self, place: &Place) -> Result<(), Fault> {
        self.write(PLACE, signal::encode(place).as_bytes())
    }

    /// # Errors
    /// [`Fault::NotEnrolled`], [`Fault::DamagedKey`], [`Fault::OpenToOthers`].
    pub fn key(&self) -> Result<SigningKey, Fault> {
        self.read_key(KEY)
    }

    /// The one that a server was given in place of [`Self::key`], and of which it did not say that it took it.
    pub fn next_key(&self) -> Option<SigningKey> {
        self.read_key(NEXT_KEY).ok()
    }

    fn read_key(&self, name: &str) -> Result<SigningKey, Fault> {
        let none = || Fault::NotEnrolled(self.0.clone());
        let text = self.read_secret(name)?.ok_or_else(none)?;
        let secret = text.trim().parse::<Digest>();
        let secret = secret.map_err(|_| Fault::DamagedKey(self.0.join(name)))?;
        Ok(SigningKey::from_bytes(&secret.0))
    }

    /// `None`: there is none that can be read.
    fn read_secret(&self, name: &str) -> Result<Option<Zeroizing<String>>, Fault> {
        let file = self.0.join(name);
        let Ok(mut open) = fs::File::open(&file) else { return Ok(None) };
        // Whoever has a copy of it passes for its owner.
        if open.metadata().is_ok_and(|about| about.mode() & 0o077 != 0) {
            return Err(Fault::OpenToOthers(file));
        }
        let mut text = Zeroizing::new(String::new());
        Ok(open.read_to_string(&mut text).is_ok().then_some(text))
    }

    /// The sign-in in which this computer's owner asks, if it has not ended. What is none is as none.
    ///
    /// # Errors
    /// [`Fault::OpenToOthers`].
    pub fn session(&self) -> Result<Option<Zeroizing<String>>, Fault> {
        let is_one = |text: &Zeroizing<String>| text.bytes().all(|byte| byte.is_ascii_graphic());
        Ok(self.read_secret(SESSION)?.filter(is_one))
    }

    pub fn keep_session(&self, session: &str) -> Result<(), Fault> {
        self.write(SESSION, session.as_bytes())
    }

    /// It has ended; one that was begun meanwhile has not. What cannot be removed does no harm.
    pub fn forget_session(&self, over: &str) {
        if self.session().is_ok_and(|kept| kept.is_some_and(|kept| *kept == over)) {
            fs::remove_file(self.0.join(SESSION)).ok();
        }
    }

    pub fn keep_key(&self, key: &SigningKey) -> Result<(), Fault> {
        self.write_key(KEY, key)
    }

    /// Where the server has refused it, a key of nobody is left out, with what a key of before was signed in by, and the
    /// folder, if there is nothing else in it. What cannot be removed does no harm.
    pub fn forget_key(&self) {
        drop(fs::remove_file(self.0.join(KEY)));
        drop(fs::remove_file(self.0.join(SESSION)));
        drop(fs::remove_dir(&self.0));
    }

    pub fn keep_next_key(&self, key: &SigningKey) -> Result<(), Fault> {
        self.write_key(NEXT_KEY, key)
    }

    fn write_key(&self, name: &str, key: &SigningKey) -> Result<(), Fault> {
        let secret = Zeroizing::new(Digest(key.to_bytes()).to_string());
        self.write(name, secret.as_bytes())
    }

    /// From now on it is this computer's.
    pub fn use_next_key(&self) -> Result<(), Fault> {
        let file = self.0.join(KEY);
        let failed = |why| Fault::File { file: file.clone(), why };
        fs::rename(self.0.join(NEXT_KEY), &file).map_err(failed)?;
        fs::File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    /// # Errors
    /// [`Fault::NoVault`], [`Fault::DamagedKey`].
    pub fn vault(&self) -> Result<Vault, Fault> {
        let file = self.0.join(VAULT);
        let bytes = fs::read(&file).map_err(|_| Fault::NoVault(self.0.clone()))?;
        strict_json(&bytes).map_err(|_| Fault::DamagedKey(file))
    }

    pub fn keep_vault(&self, vault: &Vault) -> Result<(), Fault> {
        self.write(VAULT, signal::encode(vault).as_bytes())
    }

    /// The newest checkpoint of the ledger that was seen here. What is none is as none.
    pub fn checkpoint(&self) -> Option<String> {
        let note = fs::read_to_string(self.0.join(CHECKPOINT)).ok()?;
        (note.len() <= MAX_NOTE_BYTES).then_some(note)
    }

    /// When it was kept, by this computer's clock, in unix seconds.
    pub fn checkpoint_seen(&self) -> Option<u64> {
        let kept = fs::metadata(self.0.join(CHECKPOINT)).and_then(|about| about.modified()).ok()?;
        kept.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }

    pub fn keep_checkpoint(&self, note: &str) -> Result<(), Fault> {
        self.write(CHECKPOINT, note.as_bytes())
    }

    /// Whole or not at all, readable by its owner alone.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        self.stage(name, bytes)?.put()
    }

    fn stage(&self, name: &str, bytes: &[u8]) -> Result<Staged, Fault> {
        let file = self.0.join(name);
        let failed = |why| Fault::File { file: file.clone(), why };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed)?;
        let staged = Staged { aside: self.0.join(format!("{name}.new")), file: file.clone() };
        let mut options = OpenOptions::new();
        // Everybody may read the bundle, and must where it is copied with its rights.
        let mode = if name == BUNDLE_FILE { 0o644 } else { 0o600 };
        options.write(true).create(true).truncate(true).mode(mode);
        let mut out = options.open(&staged.aside).map_err(failed)?;
        out.write_all(bytes).and_then(|()| out.sync_all()).map_err(failed)?;
        Ok(staged)
    }
}

/// What a file is to hold, on the disk beside it already: to put it in its place needs no room. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    aside: PathBuf,
    file: PathBuf,
}

impl Staged {
    /// # Errors
    /// [`Fault::File`].
    pub fn put(self) -> Result<(), Fault> {
        let failed = |why| Fault::File { file: self.file.clone(), why };
        fs::rename(&self.aside, &self.file).map_err(failed)?;
        // A name that is lost with the power is a lost file.
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Once it is in its place there is none.
        fs::remove_file(&self.aside).ok();
    }
}

/// The standard folder: `$XDG_CONFIG_HOME/tasuki/admin` or `~/.config/tasuki/admin`; below it
/// one for each server.
pub fn standard_folder() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").unwrap_or_default().join(".config");
    set("XDG_CONFIG_HOME").unwrap_or_else(home).join("tasuki").join("admin")
}

fn open_first(file: &Path) -> Result<Bundle, Fault> {
    Bundle::open_first(&read(file)?).map_err(|refused| fault(refused, file))
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let bytes = fs::read(file).map_err(|_| Fault::NoBundle(file.to_owned()))?;
    Ok(bytes.trim_ascii().to_vec())
}

fn fault(refused: BundleRefused, file: &Path) -> Fault {
    match refused {
        BundleRefused::OtherRoot => Fault::OtherTenant(file.to_owned()),
        BundleRefused::Rollback { .. } => Fault::OldBundle(file.to_owned()),
        BundleRefused::Document(_) | BundleRefused::Version { .. } | BundleRefused::Unusable => {
            Fault::DamagedBundle(file.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::texts::Language;

    #[test]
    fn a_server_is_named_by_its_address() {
        let url = |text: &str| text.parse::<ServerUrl>().map(|url| (url.host, url.port)).ok();
        assert_eq!(url("https://help.example"), Some(("help.example".to_owned(), 443)));
        assert_eq!(url("help.example:7443/"), Some(("help.example".to_owned(), 7443)));
        assert_eq!(url("https://[2001:db8::1]:7443"), Some(("2001:db8::1".to_owned(), 7443)));
        assert_eq!(url("2001:db8::1"), Some(("2001:db8::1".to_owned(), 443)));
        for wrong in ["", "http://help.example", "https://a/b", "a:port", "https://u@h"] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_key_that_was_refused_goes_with_a_sign_in_that_lay_there_and_with_its_folder() {
        let above = tempfile::tempdir().unwrap();
        let profile = Profile(above.path().join("help.example_443"));
        for others in [None, Some(CHECKPOINT)] {
            profile.keep_key(&SigningKey::from_bytes(&[7; 32])).unwrap();
            profile.keep_session("sign-in").unwrap();
            others.map_or(Ok(()), |name| profile.write(name, b"kept")).unwrap();
            profile.forget_key();
            assert_eq!(profile.session().unwrap(), None);
            assert!(matches!(profile.key(), Err(Fault::NotEnrolled(_))));
            let left = fs::read_dir(profile.folder()).map_or(0, Iterator::count);
            assert_eq!((profile.folder().exists(), left), (others.is_some(), others.iter().count()));
        }
    }

    /// S62: a key that others can copy is no sign of who asks, and is not used.
    #[test]
    fn s62_a_key_that_others_can_read_is_refused_and_named_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile(folder.path().to_owned());
        profile.keep_key(&SigningKey::from_bytes(&[7; 32])).unwrap();
        assert!(profile.key().is_ok(), "as it is written");
        let file = folder.path().join(KEY);
        profile.keep_session("a sign-in").unwrap();
        assert_eq!(profile.session().unwrap(), None, "no word of a request");
        profile.keep_session("sign-in").unwrap();
        assert_eq!(profile.session().unwrap().unwrap().as_str(), "sign-in");
        for name in [KEY, SESSION] {
            let file = folder.path().join(name);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        }
        let open = profile.session().unwrap_err();
        assert!(matches!(&open, Fault::OpenToOthers(file) if file.ends_with(SESSION)), "{open:?}");
        let fault = profile.key().unwrap_err();
        for language in [Language::En, Language::Ja] {
            let sentence = language.fault(&fault);
            assert!(sentence.contains(&format!("chmod 600 {}", file.display())), "{sentence}");
        }
        assert_eq!(fault.exit_code(), 3);
    }
}
