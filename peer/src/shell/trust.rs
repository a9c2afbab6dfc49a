//! Which server this program trusts: the signed bundle, and the root key pinned
//! at its first use.
//!
//! Decides what a bundle must fulfil. Nothing unsigned (a file's name, the
//! environment, an argument) changes server, keys or pins afterwards (T70).

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use tasuki_protocol::bundle::{BUNDLE_FILE, Bundle};
use tasuki_protocol::dsse::{self, MAX_ENVELOPE_BYTES};
use tasuki_protocol::ids::{DeviceKey, PROTOCOL_VERSION};
use tasuki_protocol::manifest::is_showable_name;

use super::fault::Fault;
use super::profile::Profile;

/// Where the computer's administrator puts the bundle for all users.
pub const SYSTEM_FOLDER: &str = "/etc/tasuki";

/// A bundle whose signature held, by the root that this user's programs know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    pub bundle: Bundle,
    pub root: DeviceKey,
    pub file: PathBuf,
}

impl Trust {
    /// Reads `file`, or the first bundle found in [`SYSTEM_FOLDER`] and the profile.
    ///
    /// # Errors
    /// [`Fault::NotSetUp`] without a bundle, [`Fault::Bundle`] for one that does
    /// not hold, [`Fault::OtherRoot`] for one of another organisation.
    pub fn load(file: Option<&Path>, profile: &Profile) -> Result<Self, Fault> {
        let file = match file {
            Some(file) => file.to_owned(),
            None => find(profile).ok_or(Fault::NotSetUp)?,
        };
        let trust = Self::open(file)?;
        match profile.pinned_root()? {
            Some(root) if root != trust.root => {
                Err(Fault::OtherRoot { file: trust.file, pin: profile.root_pin() })
            }
            Some(_) => Ok(trust),
            None => profile.pin_root(trust.root).map(|()| trust),
        }
    }

    fn open(file: PathBuf) -> Result<Self, Fault> {
        let envelope = read(&file)?;
        let damaged = |why: String| Fault::Bundle { file: file.clone(), why };
        let (bundle, root) = dsse::open_self_signed::<Bundle>(envelope.trim_ascii())
            .map_err(|why| damaged(why.to_string()))?;
        if bundle.v != PROTOCOL_VERSION {
            return Err(Fault::OtherVersion { theirs: bundle.v });
        }
        if !is_showable_name(&bundle.organisation) {
            return Err(damaged("its organisation has a name that cannot be shown".to_owned()));
        }
        Ok(Self { bundle, root, file })
    }
}

fn find(profile: &Profile) -> Option<PathBuf> {
    let places = [Path::new(SYSTEM_FOLDER), &profile.config, &profile.state];
    places.into_iter().map(|folder| folder.join(BUNDLE_FILE)).find(|file| file.exists())
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |why: std::io::Error| {
        if why.kind() == ErrorKind::NotFound {
            return Fault::NoSuchBundle { file: file.to_owned() };
        }
        Fault::Bundle { file: file.to_owned(), why: why.to_string() }
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_ENVELOPE_BYTES).unwrap_or(u64::MAX) + 1;
    std::fs::File::open(file).map_err(fault)?.take(limit).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use tasuki_protocol::ids::{Digest, TenantId};

    fn bundle(organisation: &str, signer: u8) -> Vec<u8> {
        let bundle = Bundle {
            v: PROTOCOL_VERSION,
            tenant: TenantId([1; 8]),
            organisation: organisation.to_owned(),
            host: "help.example".to_owned(),
            port: 443,
            server_pin: Digest([2; 32]),
            manifest_keys: Vec::new(),
        };
        dsse::sign(&bundle, &SigningKey::from_bytes(&[signer; 32]))
    }

    #[test]
    fn t70_a_bundle_under_another_root_is_refused_once_one_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        let (first, other) = (folder.path().join("a.json"), folder.path().join("b.json"));
        std::fs::write(&first, bundle("Example", 1)).unwrap();
        std::fs::write(&other, bundle("Example", 2)).unwrap();
        assert!(Trust::load(Some(&first), &profile).is_ok());
        assert!(matches!(Trust::load(Some(&other), &profile), Err(Fault::OtherRoot { .. })));
        assert!(Trust::load(Some(&first), &profile).is_ok());
    }

    #[test]
    fn a_bundle_with_any_byte_changed_is_refused_and_pins_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        let file = folder.path().join(BUNDLE_FILE);
        let good = bundle("Example", 1);
        for place in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[place] ^= 1;
            std::fs::write(&file, bad).unwrap();
            assert!(Trust::load(Some(&file), &profile).is_err(), "byte {place}");
        }
        assert_eq!(profile.pinned_root(), Ok(None));
    }

    #[test]
    fn t8_an_organisation_whose_name_deceives_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(BUNDLE_FILE);
        std::fs::write(&file, bundle("Exa\u{202E}mple", 1)).unwrap();
        let loaded = Trust::load(Some(&file), &Profile::at(folder.path()));
        assert!(matches!(loaded, Err(Fault::Bundle { .. })));
    }
}
