//! Which organisations this computer has met, for its window and its terminal alike.
//!
//! Counts sessions in which its person let them in, and decides nothing of them. A file that cannot be read, or that
//! others may write, is no acquaintance: whoever asks is met for the first time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tasuki_protocol::ids::DeviceKey;

use super::fault::Fault;
use super::profile::Profile;

/// In the folder of the state.
pub const MET: &str = "organisations.toml";

/// Sessions by organisation, under its root key: a name could be taken by another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Met {
    #[serde(default)]
    sessions: BTreeMap<String, u32>,
}

impl Met {
    pub fn before(&self, root: &DeviceKey) -> u32 {
        self.sessions.get(&root.to_string()).copied().unwrap_or_default()
    }

    pub fn once_more(&mut self, root: &DeviceKey) {
        let count = self.sessions.entry(root.to_string()).or_default();
        *count = count.saturating_add(1);
    }

    /// # Errors
    /// As [`Profile::remembered`].
    pub fn read(profile: &Profile) -> Result<Self, Fault> {
        profile.remembered(MET)
    }

    /// # Errors
    /// [`Fault::NotKept`] when the folder cannot be written.
    pub fn keep(&self, profile: &Profile) -> Result<(), Fault> {
        profile.write(MET, toml::to_string(self).unwrap_or_default().as_bytes())
    }
}

/// In how many sessions `root` saw this screen; in none where the file cannot be believed.
pub fn met_before(profile: &Profile, root: &DeviceKey) -> u32 {
    Met::read(profile).map_or(0, |met| met.before(root))
}

/// One session more. A damaged file stays as it is, for the window to set aside and tell of.
///
/// # Errors
/// As [`Met::keep`].
pub fn meet(profile: &Profile, root: &DeviceKey) -> Result<(), Fault> {
    let Ok(mut met) = Met::read(profile) else { return Ok(()) };
    met.once_more(root);
    met.keep(profile)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn organisations_are_known_by_their_key_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        let (here, other) = (DeviceKey([1; 32]), DeviceKey([2; 32]));
        assert_eq!(met_before(&profile, &here), 0);
        meet(&profile, &here).unwrap();
        meet(&profile, &here).unwrap();
        assert_eq!((met_before(&profile, &here), met_before(&profile, &other)), (2, 0));
    }

    /// T2: or another account of this computer could save a cheat the five seconds.
    #[test]
    fn t2_a_file_that_others_may_write_makes_nobody_an_acquaintance_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (profile, root) = (Profile::at(folder.path()), DeviceKey([1; 32]));
        meet(&profile, &root).unwrap();
        let path = profile.state.join(MET);
        let written = std::fs::read(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        meet(&profile, &root).unwrap();
        assert_eq!(met_before(&profile, &root), 0);
        assert_eq!(std::fs::read(&path).unwrap(), written);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(met_before(&profile, &root), 1);
    }

    #[test]
    fn whom_a_damaged_file_names_is_met_for_the_first_time_and_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        std::fs::write(profile.state.join(MET), "consent = [").unwrap();
        meet(&profile, &DeviceKey([1; 32])).unwrap();
        assert_eq!(met_before(&profile, &DeviceKey([1; 32])), 0);
        assert_eq!(std::fs::read_to_string(profile.state.join(MET)).unwrap(), "consent = [");
    }
}
