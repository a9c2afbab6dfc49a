//! Where copies for a person go, and how a file is opened: pictures, receipts.
//!
//! Files are made anew under a free name; none is overwritten.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tasuki_peer::shell::fault::Fault;

/// # Errors
/// [`Fault::CannotWrite`].
pub(crate) fn keep_picture(png: &[u8]) -> Result<PathBuf, Fault> {
    write_fresh(&folder("XDG_PICTURES_DIR", "Pictures"), "tasuki-picture", "png", png)
}

/// A copy for the person, beside the one that the program keeps.
///
/// # Errors
/// The receipt cannot be read, or [`Fault::CannotWrite`].
pub(crate) fn save(receipt: &Path) -> Result<PathBuf, Fault> {
    let fault = |why: std::io::Error| Fault::Profile { file: receipt.to_owned(), why: why.to_string() };
    let bytes = std::fs::read(receipt).map_err(fault)?;
    let ending = receipt.extension().unwrap_or_default().to_string_lossy();
    write_fresh(&folder("XDG_DOCUMENTS_DIR", "Documents"), "tasuki-receipt", &ending, &bytes)
}

/// In the person's own browser.
///
/// # Errors
/// [`Fault::System`] without a program for it.
pub(crate) fn open(file: &Path) -> Result<(), Fault> {
    let mut command = Command::new("xdg-open");
    command.arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let fault = |why: std::io::Error| Fault::System { what: "xdg-open", why: why.to_string() };
    let mut child = command.spawn().map_err(fault)?;
    // It ends by itself; somebody must take note, or it stays as a zombie.
    let waiting = std::thread::Builder::new().spawn(move || child.wait());
    waiting.map(drop).map_err(fault)
}

fn write_fresh(folder: &Path, name: &str, ending: &str, bytes: &[u8]) -> Result<PathBuf, Fault> {
    let fault = |file: &Path, why: &std::io::Error| Fault::CannotWrite {
        file: file.to_owned(),
        why: why.to_string(),
    };
    for number in 1..=9999 {
        let file = folder.join(format!("{name}-{number}.{ending}"));
        match OpenOptions::new().write(true).create_new(true).open(&file) {
            Ok(mut opened) => {
                let written = opened.write_all(bytes).and_then(|()| opened.sync_all());
                written.map_err(|why| fault(&file, &why))?;
                return Ok(file);
            }
            Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(fault(&file, &why)),
        }
    }
    Err(fault(folder, &std::io::ErrorKind::AlreadyExists.into()))
}

/// As the desktop calls it (xdg-user-dirs), else by its English name, else the home folder.
fn folder(variable: &str, english: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let config =
        std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let table = std::fs::read_to_string(config.join("user-dirs.dirs")).unwrap_or_default();
    let named = table.lines().find_map(|line| line.strip_prefix(variable)?.strip_prefix("=\""));
    let named = named.map(|path| path.trim_end_matches('"'));
    let named = named.map(|path| match path.strip_prefix("$HOME/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(path),
    });
    let usual = [named, Some(home.join(english))];
    usual.into_iter().flatten().find(|folder| folder.is_dir()).unwrap_or(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_picture_does_not_overwrite_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let write = |bytes: &[u8]| write_fresh(folder.path(), "tasuki-picture", "png", bytes).unwrap();
        let (first, second) = (write(b"one"), write(b"two"));
        assert_ne!(first, second);
        assert_eq!(std::fs::read(first).unwrap(), b"one");
    }
}
