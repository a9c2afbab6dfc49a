//! The vault of a change of keys whose outcome is not known yet. It is kept beside the one in use until
//! the bundle in force says which of the two holds: no key that signs is ever one that nobody holds.
//!
//! It refuses to know why an outcome is unknown.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse::strict_json;
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::keys::Vault;
use tasuki_protocol::signal;

use crate::fault::Fault;
use crate::profile::Profile;

const BEGIN: &str = "vault.";
const END: &str = ".pending";

/// A vault, and by what the bundle is known that makes it the one in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    version: u64,
    root: DeviceKey,
    lock: DeviceKey,
    vault: Vault,
}

impl Pending {
    /// `lock` grows from the master key in `vault`.
    pub fn new(bundle: &Bundle, lock: DeviceKey, vault: Vault) -> Self {
        Self { version: bundle.version, root: bundle.root, lock, vault }
    }

    /// One for each change that may be under way, so that a later try overwrites no earlier one.
    fn name(&self) -> String {
        let short = |key: &DeviceKey| key.to_string().chars().take(16).collect::<String>();
        format!("{BEGIN}{}.{}.{}{END}", self.version, short(&self.root), short(&self.lock))
    }

    /// Whether `bundle` is the one that it was made for, or goes on from it.
    fn is_of(&self, bundle: &Bundle) -> bool {
        let is_since = bundle.version >= self.version;
        is_since && self.root == bundle.root && bundle.lock_keys.first() == Some(&self.lock)
    }
}

/// What the bundle in force said of changes that were pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Nothing that changes the vault in use.
    AsBefore,
    /// One had been taken: its vault is the one in use from now on.
    Taken,
}

impl Profile {
    pub fn keep_pending(&self, pending: &Pending) -> Result<(), Fault> {
        self.write(&pending.name(), signal::encode(pending).as_bytes())
    }

    /// Whether one of those pending is of `bundle`: then its root grew from a key that was made here.
    pub fn awaits(&self, bundle: &Bundle) -> bool {
        self.pending().iter().any(|(_, pending)| pending.is_of(bundle))
    }

    /// Puts the vault into use that belongs to `bundle`, the newest that is in force. What may still be
    /// taken is kept; what never can be any more, because that bundle is above it, is not.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn settle(&self, bundle: &Bundle) -> Result<Settled, Fault> {
        let mut settled = Settled::AsBefore;
        for (file, pending) in self.pending() {
            if pending.is_of(bundle) {
                self.keep_vault(&pending.vault)?;
                settled = Settled::Taken;
            } else if pending.version > bundle.version {
                continue;
            }
            fs::remove_file(&file).map_err(|why| Fault::File { file, why })?;
        }
        Ok(settled)
    }

    /// Oldest first.
    fn pending(&self) -> Vec<(PathBuf, Pending)> {
        let entries = fs::read_dir(self.folder()).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.starts_with(BEGIN) && name.ends_with(END))
        });
        let read = |file: PathBuf| {
            let pending = strict_json(&fs::read(&file).ok()?).ok()?;
            Some((file, pending))
        };
        let mut all: Vec<(PathBuf, Pending)> = ours.filter_map(|entry| read(entry.path())).collect();
        // Where several are of one bundle, because only their passphrases differ, the last one holds.
        all.sort_by_key(|(_, pending)| pending.version);
        all
    }
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::blob::Blob;
    use tasuki_protocol::ids::{Digest, PROTOCOL_VERSION, TenantId};
    use tasuki_protocol::keys::Wrapped;

    use super::*;

    fn bundle(version: u64, root: u8, lock: u8) -> Bundle {
        Bundle {
            v: PROTOCOL_VERSION,
            version,
            tenant: TenantId([1; 8]),
            organisation: "Example Help".to_owned(),
            host: "localhost".to_owned(),
            port: 443,
            root: DeviceKey([root; 32]),
            server_pins: vec![Digest([2; 32])],
            manifest_keys: Vec::new(),
            checkpoint_keys: Vec::new(),
            lock_keys: vec![DeviceKey([lock; 32]), DeviceKey([9; 32])],
            log_keys: Vec::new(),
            wrapped_log_keys: None,
            least_list: None,
            earlier_decrees: Vec::new(),
            issued_at: 0,
            expires_at: 0,
        }
    }

    fn vault(generation: u32) -> Vault {
        let master = Wrapped { kdf: None, nonce: Blob(vec![0; 12]), sealed: Blob(vec![0; 48]) };
        Vault { v: PROTOCOL_VERSION, tenant: TenantId([1; 8]), lock_generation: generation, master }
    }

    fn pending(bundle: &Bundle, generation: u32) -> Pending {
        Pending::new(bundle, bundle.lock_keys[0], vault(generation))
    }

    #[test]
    fn t69_of_two_vaults_the_one_stays_that_the_bundle_in_force_was_made_with() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path().to_owned());
        profile.keep_vault(&vault(1)).unwrap();
        let (lost, taken) = (bundle(2, 5, 6), bundle(2, 7, 8));
        profile.keep_pending(&pending(&lost, 2)).unwrap();
        profile.keep_pending(&pending(&taken, 3)).unwrap();
        // Neither is in force: both may still be.
        assert_eq!(profile.settle(&bundle(1, 3, 4)).unwrap(), Settled::AsBefore);
        assert_eq!(profile.vault().unwrap(), vault(1));
        assert_eq!(profile.pending().len(), 2);
        assert_eq!(profile.settle(&Bundle { version: 3, ..taken.clone() }).unwrap(), Settled::Taken);
        assert_eq!(profile.vault().unwrap(), vault(3));
        assert_eq!(profile.pending(), []);
        // And then nothing more is to be said.
        assert_eq!(profile.settle(&taken).unwrap(), Settled::AsBefore);
        assert_eq!(profile.vault().unwrap(), vault(3));
    }

    /// Of a recovery whose answer was lost: root and lock key are those of before, and only the passphrase is
    /// another. The vault in use stays until a bundle as new as the recovery's is in force; of two the later holds.
    #[test]
    fn t69_a_recovery_takes_the_place_of_the_vault_in_use_only_once_its_bundle_is_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path().to_owned());
        profile.keep_vault(&vault(1)).unwrap();
        for (version, vault) in [(40, 4), (9, 3), (50, 5)] {
            profile.keep_pending(&pending(&bundle(version, 5, 6), vault)).unwrap();
        }
        assert!(!profile.awaits(&bundle(8, 5, 6)) && profile.awaits(&bundle(9, 5, 6)));
        assert_eq!(profile.settle(&bundle(8, 5, 6)).unwrap(), Settled::AsBefore);
        assert_eq!((profile.vault().unwrap(), profile.pending().len()), (vault(1), 3));
        assert_eq!(profile.settle(&bundle(40, 5, 6)).unwrap(), Settled::Taken);
        assert_eq!((profile.vault().unwrap(), profile.pending().len()), (vault(4), 1));
    }

    #[test]
    fn a_change_that_another_bundle_came_before_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path().to_owned());
        profile.keep_vault(&vault(1)).unwrap();
        profile.keep_pending(&pending(&bundle(2, 5, 6), 2)).unwrap();
        assert_eq!(profile.settle(&bundle(2, 3, 4)).unwrap(), Settled::AsBefore);
        assert_eq!((profile.vault().unwrap(), profile.pending().len()), (vault(1), 0));
    }
}
