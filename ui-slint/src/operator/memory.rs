//! What the operator's window remembers between two starts: his choices and his sessions.
//!
//! Decides that a damaged file is set aside and never silently overwritten. Nothing in these files
//! touches rights, servers or keys.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::history::{self, Past};
use super::preferences::{self, Preferences};
use crate::kept;

/// A larger file of choices is no file of ours.
const MAX_CHOICES_BYTES: u64 = 64 * 1024;
/// A larger history neither.
const MAX_HISTORY_BYTES: u64 = 1024 * 1024;

/// What reading the file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub preferences: Preferences,
    /// Where a file that could not be read was put.
    pub set_aside: Option<PathBuf>,
}

/// Reads the preferences in `folder`; a damaged file is kept beside under another name.
pub fn preferences(folder: &Path) -> Read {
    let file = folder.join(preferences::FILE);
    match load(&file) {
        Ok(preferences) => Read { preferences: preferences.unwrap_or_default(), set_aside: None },
        Err(()) => Read { preferences: Preferences::default(), set_aside: kept::put_aside(&file).ok() },
    }
}

fn load(file: &Path) -> Result<Option<Preferences>, ()> {
    match std::fs::metadata(file) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Ok(facts) if facts.is_file() && facts.len() <= MAX_CHOICES_BYTES => {}
        Ok(_) | Err(_) => return Err(()),
    }
    let text = std::fs::read_to_string(file).map_err(|_| ())?;
    if !text.trim_start().starts_with('{') {
        return Err(());
    }
    serde_json::from_str(&text).map(Some).map_err(|_| ())
}

/// The sessions in `folder`, the newest first.
pub fn history(folder: &Path) -> Vec<Past> {
    let file = folder.join(history::FILE);
    let small = std::fs::metadata(&file).is_ok_and(|facts| facts.len() <= MAX_HISTORY_BYTES);
    let text = small.then(|| std::fs::read_to_string(&file).ok()).flatten();
    history::of(&text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::Shade;
    use crate::operator::preferences::{Keyboard, Language};

    #[test]
    fn a_damaged_file_is_kept_aside_and_defaults_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Vec::new();
        for damaged in ["", "[]", "{\"shade\": \"pink\"}", "{\"consent\": true}", "{"] {
            std::fs::write(folder.path().join(preferences::FILE), damaged).unwrap();
            let read = preferences(folder.path());
            assert_eq!(read.preferences, Preferences::default());
            kept.push((read.set_aside.unwrap(), damaged));
            assert!(!folder.path().join(preferences::FILE).exists());
        }
        // The second one took the first one's place nowhere.
        for (aside, damaged) in kept {
            assert_eq!(std::fs::read_to_string(aside).unwrap(), damaged);
        }
    }

    #[test]
    fn what_was_chosen_comes_back_and_nothing_is_said_of_a_first_start() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            preferences(folder.path()),
            Read { preferences: Preferences::default(), set_aside: None }
        );
        let chosen = Preferences {
            language: Language::Japanese,
            shade: Shade::Dark,
            keyboard: Keyboard::Letters,
            user: "hanako".to_owned(),
            ..Preferences::default()
        };
        std::fs::write(folder.path().join(preferences::FILE), serde_json::to_vec(&chosen).unwrap())
            .unwrap();
        assert_eq!(preferences(folder.path()).preferences, chosen);
    }
}
