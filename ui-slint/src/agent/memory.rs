//! What the window remembers: language and colours, and which organisations this computer has met.
//!
//! A file that cannot be read, or that others may write, is kept aside under another name and the defaults are used; the
//! person is told. Nothing in these files consents or changes whom the program trusts (T70).

use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tasuki_peer::shell::acquaintance::{MET, Met};
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::profile::Profile;
use tasuki_peer::shell::settings::{Flags, Settings};

use crate::kept;
use crate::look::Shade;

const WINDOW: &str = "agent-window.toml";

/// How the window looked last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appearance {
    /// `en` or `ja`; the desktop's language where it is missing.
    pub lang: Option<String>,
    #[serde(default)]
    pub shade: Shade,
}

/// What was read, and the files that lie aside now.
#[derive(Debug)]
pub struct Remembered {
    pub settings: Settings,
    pub appearance: Appearance,
    pub met: Met,
    pub aside: Vec<PathBuf>,
}

impl Remembered {
    /// # Errors
    /// A flag that cannot be, no home folder, or a damaged file that cannot be moved.
    pub fn read(flags: &Flags) -> Result<Self, Fault> {
        let (settings, aside) = kept::settings(flags)?;
        let mut aside = Vec::from_iter(aside);
        let appearance = read_or_aside(&settings.profile, WINDOW, &mut aside);
        let met = read_or_aside(&settings.profile, MET, &mut aside);
        Ok(Self { settings, appearance, met, aside })
    }
}

/// # Errors
/// [`Fault::NotKept`] when the folder cannot be written.
pub fn keep_appearance(profile: &Profile, appearance: &Appearance) -> Result<(), Fault> {
    profile.write(WINDOW, toml::to_string(appearance).unwrap_or_default().as_bytes())
}

fn read_or_aside<T>(profile: &Profile, name: &str, aside: &mut Vec<PathBuf>) -> T
where
    T: DeserializeOwned + Default,
{
    profile.remembered(name).unwrap_or_else(|_| {
        aside.extend(kept::put_aside(&profile.state.join(name)));
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use tasuki_peer::shell::acquaintance::meet;
    use tasuki_peer::shell::settings::SETTINGS_FILE;
    use tasuki_protocol::ids::DeviceKey;

    use super::*;

    fn flags(folder: &Path) -> Flags {
        Flags { profile: Some(folder.to_owned()), ..Flags::default() }
    }

    #[test]
    fn damaged_files_are_kept_aside_and_the_defaults_used() {
        let folder = tempfile::tempdir().unwrap();
        for name in [SETTINGS_FILE, WINDOW, MET] {
            std::fs::write(folder.path().join(name), "consent = [").unwrap();
        }
        let remembered = Remembered::read(&flags(folder.path())).unwrap();
        assert_eq!(remembered.appearance, Appearance::default());
        assert_eq!(remembered.met, Met::default());
        assert_eq!(remembered.aside.len(), 3, "each is told of");
        for name in [SETTINGS_FILE, WINDOW, MET] {
            let kept = folder.path().join(format!("{name}.damaged-1"));
            assert_eq!(std::fs::read_to_string(kept).unwrap(), "consent = [");
        }
        assert!(Remembered::read(&flags(folder.path())).unwrap().aside.is_empty());
    }

    /// T2: or another account of this computer could save a cheat the five seconds.
    #[test]
    fn t2_whom_a_file_that_others_may_write_names_is_no_acquaintance() {
        let folder = tempfile::tempdir().unwrap();
        let (profile, root) = (Profile::at(folder.path()), DeviceKey([1; 32]));
        meet(&profile, &root).unwrap();
        let read = || Remembered::read(&flags(folder.path())).unwrap();
        assert_eq!(read().met.before(&root), 1);
        let path = folder.path().join(MET);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o666)).unwrap();
        let remembered = read();
        assert_eq!((remembered.met.before(&root), remembered.aside.len()), (0, 1));
    }

    #[test]
    fn t2_no_remembered_file_can_hold_a_consent() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(WINDOW), "shade = 'dark'\nconsent = 'yes'\n").unwrap();
        let remembered = Remembered::read(&flags(folder.path())).unwrap();
        assert_eq!(remembered.appearance, Appearance::default());
    }
}
