//! Files of a window that cannot be read: kept aside, never overwritten.
//!
//! Decides under which name, and whether it is the file that is to blame. Knows nothing of what stands in
//! it, besides the settings, which both windows share.

use std::path::{Path, PathBuf};

use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::profile::Profile;
use tasuki_peer::shell::settings::{Flags, SETTINGS_FILE, Settings};

/// A folder with more damaged files of one name than this is no folder of ours.
const MOST: u32 = 999;

/// Renames a file to the first free `NAME.damaged-N`, so that an older one is not lost.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn put_aside(file: &Path) -> std::io::Result<PathBuf> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1..=MOST {
        let kept = file.with_file_name(format!("{name}.damaged-{number}"));
        if kept.symlink_metadata().is_err() {
            std::fs::rename(file, &kept)?;
            return Ok(kept);
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// The settings, and where a settings file lies now that could not be read; the defaults stand for it then.
///
/// # Errors
/// A flag or a variable that cannot be, no home folder, or a damaged file that cannot be moved.
pub(crate) fn settings(flags: &Flags) -> Result<(Settings, Option<PathBuf>), Fault> {
    let fault = match Settings::gather(flags.clone()) {
        Ok(settings) => return Ok((settings, None)),
        Err(fault) => fault,
    };
    let Some(file) = settings_file(flags) else { return Err(fault) };
    // A wrong flag or variable stays wrong without the file too, and no file is to blame for it.
    let elsewhere = Flags { profile: Some(file.with_extension("none")), ..flags.clone() };
    Settings::gather(elsewhere)?;
    let aside = put_aside(&file).map_err(|_| fault)?;
    Ok((Settings::gather(flags.clone())?, Some(aside)))
}

/// As a window names them to the person; `None` where nothing lies aside.
pub(crate) fn names(files: &[PathBuf]) -> Option<String> {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn settings_file(flags: &Flags) -> Option<PathBuf> {
    let profile = match &flags.profile {
        Some(folder) => Profile::at(folder),
        None => match std::env::var_os("TASUKI_PROFILE").filter(|folder| !folder.is_empty()) {
            Some(folder) => Profile::at(Path::new(&folder)),
            None => Profile::of_user().ok()?,
        },
    };
    Some(profile.config.join(SETTINGS_FILE)).filter(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(folder: &Path) -> Flags {
        Flags { profile: Some(folder.to_owned()), ..Flags::default() }
    }

    #[test]
    fn each_damaged_file_is_kept_under_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("window.json");
        for (number, text) in ["first", "second", "third"].into_iter().enumerate() {
            std::fs::write(&file, text).unwrap();
            let kept = put_aside(&file).unwrap();
            assert_eq!(kept, folder.path().join(format!("window.json.damaged-{}", number + 1)));
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("window.json.damaged-1"), "first");
        assert_eq!(read("window.json.damaged-3"), "third");
    }

    #[test]
    fn damaged_settings_are_kept_aside_and_the_defaults_used() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(SETTINGS_FILE);
        for damaged in ["path = [", "path = 'sideways'", "paths = 'auto'", "\u{0}"] {
            std::fs::write(&file, damaged).unwrap();
            let (_, aside) = settings(&flags(folder.path())).unwrap();
            assert_eq!(std::fs::read_to_string(aside.unwrap()).unwrap(), damaged);
            assert!(!file.exists());
        }
        assert_eq!(settings(&flags(folder.path())).unwrap().1, None);
    }

    #[test]
    fn no_file_is_to_blame_for_a_wrong_flag() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(SETTINGS_FILE);
        std::fs::write(&file, "path = 'direct'\n").unwrap();
        let wrong = Flags { path: Some("sideways".to_owned()), ..flags(folder.path()) };
        assert!(matches!(settings(&wrong), Err(Fault::Setting { .. })));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "path = 'direct'\n");
    }
}
