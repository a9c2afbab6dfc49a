//! What an operator chose for his own window, kept in his profile.
//!
//! Decides that a damaged file is set aside and never silently overwritten. Nothing
//! here touches rights, servers or keys.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::kept;
use crate::look::Shade;

/// The file's name in the state folder.
pub const FILE: &str = "operator-window.json";
/// More is no file of ours.
const MAX_BYTES: u64 = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    pub language: Language,
    pub shade: Shade,
    /// Where pictures go; a folder of the user's pictures where none is named.
    pub pictures: Option<PathBuf>,
    pub keyboard: Keyboard,
    pub grab: Grab,
    /// Who signed in last.
    pub user: String,
    /// Whether he was asked for the digits of an authenticator.
    #[serde(default)]
    pub digits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// That of the desktop.
    #[default]
    System,
    English,
    Japanese,
}

/// What a key of this keyboard is at the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keyboard {
    /// The same place; the host's own map makes the letter of it.
    #[default]
    Places,
    /// The letter that it makes here, for hosts with another map.
    Letters,
}

/// Whether keys of the window manager (Alt+Tab, Super) go to the host too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grab {
    #[default]
    All,
    OwnKeysOnly,
}

/// What reading the file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub preferences: Preferences,
    /// Where a file that could not be read was put.
    pub set_aside: Option<PathBuf>,
}

/// Reads the preferences in `folder`; a damaged file is kept beside under another name.
pub fn read(folder: &Path) -> Read {
    let file = folder.join(FILE);
    match load(&file) {
        Ok(preferences) => Read { preferences: preferences.unwrap_or_default(), set_aside: None },
        Err(()) => Read { preferences: Preferences::default(), set_aside: kept::put_aside(&file).ok() },
    }
}

fn load(file: &Path) -> Result<Option<Preferences>, ()> {
    match std::fs::metadata(file) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Ok(facts) if facts.is_file() && facts.len() <= MAX_BYTES => {}
        Ok(_) | Err(_) => return Err(()),
    }
    let text = std::fs::read_to_string(file).map_err(|_| ())?;
    if !text.trim_start().starts_with('{') {
        return Err(());
    }
    serde_json::from_str(&text).map(Some).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_kept_aside_and_defaults_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Vec::new();
        for damaged in ["", "[]", "{\"shade\": \"pink\"}", "{\"consent\": true}", "{"] {
            std::fs::write(folder.path().join(FILE), damaged).unwrap();
            let read = read(folder.path());
            assert_eq!(read.preferences, Preferences::default());
            kept.push((read.set_aside.unwrap(), damaged));
            assert!(!folder.path().join(FILE).exists());
        }
        // The second one took the first one's place nowhere.
        for (aside, damaged) in kept {
            assert_eq!(std::fs::read_to_string(aside).unwrap(), damaged);
        }
    }

    #[test]
    fn what_was_chosen_comes_back_and_nothing_is_said_of_a_first_start() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Read { preferences: Preferences::default(), set_aside: None });
        let chosen = Preferences {
            language: Language::Japanese,
            shade: Shade::Dark,
            keyboard: Keyboard::Letters,
            user: "hanako".to_owned(),
            ..Preferences::default()
        };
        std::fs::write(folder.path().join(FILE), serde_json::to_vec(&chosen).unwrap()).unwrap();
        assert_eq!(read(folder.path()).preferences, chosen);
    }
}
