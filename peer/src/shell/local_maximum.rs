//! Reads what this computer's owner lets nobody do here: `agent-max.toml` of the system
//! and of the profile, both together.
//!
//! A file that is there and cannot be understood stops the program: nobody's limit is
//! lifted by a typing error.

use std::io::ErrorKind;
use std::path::Path;

use tasuki_protocol::policy::Rules;
use tasuki_protocol::policy::local::{LOCAL_MAXIMUM_FILE, LocalMaximum};

use super::fault::Fault;
use super::profile::Profile;
use super::trust::SYSTEM_FOLDER;

/// # Errors
/// [`Fault::LocalMaximum`].
pub fn local_maximum(profile: &Profile) -> Result<LocalMaximum, Fault> {
    of_folders(&[Path::new(SYSTEM_FOLDER), &profile.config])
}

fn of_folders(folders: &[&Path]) -> Result<LocalMaximum, Fault> {
    let mut maximum = LocalMaximum::default();
    for folder in folders {
        let file = folder.join(LOCAL_MAXIMUM_FILE);
        let damaged = |why: String| Fault::LocalMaximum { file: file.clone(), why };
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(why) if why.kind() == ErrorKind::NotFound => continue,
            Err(why) => return Err(damaged(why.to_string())),
        };
        let rules: Rules = toml::from_str(&text).map_err(|why| damaged(why.message().to_owned()))?;
        maximum = maximum.and(rules).map_err(|why| damaged(why.to_string()))?;
    }
    Ok(maximum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::rights::{Capability, Mode};
    use tasuki_protocol::terms::{Approval, FileRules, Requirement};

    fn two(system: &str, own: &str) -> Result<LocalMaximum, Fault> {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (folder, text) in [(&first, system), (&second, own)] {
            std::fs::write(folder.path().join(LOCAL_MAXIMUM_FILE), text).unwrap();
        }
        of_folders(&[first.path(), second.path()])
    }

    #[test]
    fn t16_of_two_files_the_stricter_word_holds_and_no_file_is_no_limit() {
        let maximum = two(
            "modes = ['control', 'view']\nsend_files = 'ask'\n",
            "screenshot = false\nsend_files = 'allow'\nmodes = ['view', 'control', 'manage']\n",
        )
        .unwrap();
        assert!(maximum.allows(Mode::Control) && !maximum.allows(Mode::Manage));
        let rights = maximum.rights(Mode::Control);
        assert!(rights.has(Capability::Operate) && !rights.has(Capability::Screenshot));
        let files = maximum.files(FileRules { fetch: Approval::Allow, send: Approval::Allow });
        assert_eq!(files, FileRules { fetch: Approval::Allow, send: Approval::Ask });
        let none = of_folders(&[Path::new("/nowhere")]).unwrap();
        assert!(Mode::ALL.into_iter().all(|mode| none.rights(mode) == mode.ceiling()));
    }

    #[test]
    fn s44_a_computer_can_demand_application_selection_for_itself() {
        let maximum = two("application_selection = 'required'\n", "").unwrap();
        assert_eq!(maximum.application_selection(Requirement::Off), Requirement::Required);
    }

    #[test]
    fn a_damaged_file_is_no_lifted_limit_but_one_sentence() {
        for text in [
            "modes = [",
            "modes = ['observe']",
            "speed = 3",
            "banner = false",
            "bar = 'hidden'",
            "hide_banner = true",
            "hours = ['mon 09:00-10:00']",
            "recording = 'required'",
            "reason = 'required'",
        ] {
            let Err(fault) = two(text, "") else { panic!("{text} was taken") };
            assert!(fault.to_string().contains(LOCAL_MAXIMUM_FILE), "{fault}");
            assert_eq!(fault.to_string().lines().count(), 1, "{fault}");
        }
    }
}
