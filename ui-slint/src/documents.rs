//! Where copies for a person go, and how a file is opened: pictures, receipts.
//!
//! Files are made anew under a free name; none is overwritten.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::pictures::{self, Place};

/// For a picture.
///
/// # Errors
/// [`Fault::CannotWrite`].
pub(crate) fn new_picture() -> Result<Place, Fault> {
    fresh(&Home::own().folder("XDG_PICTURES_DIR", "Pictures"), "tasuki-picture", "png")
}

/// A copy for the person, beside the one that the program keeps.
///
/// # Errors
/// The receipt cannot be read, or [`Fault::CannotWrite`].
pub(crate) fn save(receipt: &Path) -> Result<PathBuf, Fault> {
    save_in(&Home::own(), receipt)
}

fn save_in(home: &Home, receipt: &Path) -> Result<PathBuf, Fault> {
    let fault = |why: std::io::Error| Fault::Profile { file: receipt.to_owned(), why: why.to_string() };
    let bytes = std::fs::read(receipt).map_err(fault)?;
    let ending = receipt.extension().unwrap_or_default().to_string_lossy();
    write_fresh(&home.folder("XDG_DOCUMENTS_DIR", "Documents"), "tasuki-receipt", &ending, &bytes)
}

/// In the person's own browser.
///
/// # Errors
/// [`Fault::System`] without a program for it.
pub(crate) fn open(file: &Path) -> Result<(), Fault> {
    open_by("xdg-open", file)
}

fn open_by(program: &'static str, file: &Path) -> Result<(), Fault> {
    let mut command = Command::new(program);
    command.arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let fault = |why: std::io::Error| Fault::System { what: program, why: why.to_string() };
    let mut child = command.spawn().map_err(fault)?;
    // It ends by itself; somebody must take note, or it stays as a zombie.
    let waiting = std::thread::Builder::new().spawn(move || child.wait());
    waiting.map(drop).map_err(fault)
}

fn write_fresh(folder: &Path, name: &str, ending: &str, bytes: &[u8]) -> Result<PathBuf, Fault> {
    let Place { file, mut opened } = fresh(folder, name, ending)?;
    let written = opened.write_all(bytes).and_then(|()| opened.sync_all());
    written.map_err(|why| unwritten(&file, &why)).map(|()| file)
}

fn unwritten(file: &Path, why: &std::io::Error) -> Fault {
    Fault::CannotWrite { file: file.to_owned(), why: why.to_string() }
}

/// An empty file under a name that was free.
fn fresh(folder: &Path, name: &str, ending: &str) -> Result<Place, Fault> {
    for number in 1..=9999 {
        let file = folder.join(format!("{name}-{number}.{ending}"));
        match pictures::new_file(&file) {
            Ok(opened) => return Ok(Place { file, opened }),
            Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(unwritten(&file, &why)),
        }
    }
    Err(unwritten(folder, &std::io::ErrorKind::AlreadyExists.into()))
}

/// Where the person's folders are.
struct Home {
    home: PathBuf,
    config: PathBuf,
}

impl Home {
    fn own() -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let config =
            std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        Self { home, config }
    }

    /// As the desktop calls it (xdg-user-dirs), else by its English name, else the home folder.
    fn folder(&self, variable: &str, english: &str) -> PathBuf {
        let table = std::fs::read_to_string(self.config.join("user-dirs.dirs")).unwrap_or_default();
        let named = table.lines().find_map(|line| line.strip_prefix(variable)?.strip_prefix("=\""));
        let named = named.map(|path| path.trim_end_matches('"'));
        let named = named.map(|path| match path.strip_prefix("$HOME/") {
            Some(rest) => self.home.join(rest),
            None => PathBuf::from(path),
        });
        let usual = [named, Some(self.home.join(english))];
        usual.into_iter().flatten().find(|folder| folder.is_dir()).unwrap_or_else(|| self.home.clone())
    }
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

    #[test]
    fn s29_a_receipt_is_saved_where_the_desktop_keeps_documents_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let home = Home { home: path("home"), config: path("config") };
        std::fs::create_dir_all(&home.home).unwrap();
        std::fs::create_dir_all(&home.config).unwrap();
        let receipt = path("4f1c.html");
        std::fs::write(&receipt, "<p>it is signed</p>").unwrap();
        let saved = || save_in(&home, &receipt).unwrap();
        assert_eq!(saved(), home.home.join("tasuki-receipt-1.html"), "there are no documents");
        std::fs::create_dir(home.home.join("Documents")).unwrap();
        assert_eq!(saved(), home.home.join("Documents/tasuki-receipt-1.html"));
        let named = "XDG_DOCUMENTS_DIR=\"$HOME/書類\"\n";
        std::fs::write(home.config.join("user-dirs.dirs"), named).unwrap();
        std::fs::create_dir(home.home.join("書類")).unwrap();
        let (first, second) = (saved(), saved());
        assert_eq!(first, home.home.join("書類/tasuki-receipt-1.html"));
        assert_eq!(second, home.home.join("書類/tasuki-receipt-2.html"));
        assert_eq!(std::fs::read_to_string(second).unwrap(), "<p>it is signed</p>");
        let gone = save_in(&home, &path("gone.html"));
        assert!(matches!(gone, Err(Fault::Profile { .. })), "{gone:?}");
    }

    #[test]
    fn s29_a_receipt_is_handed_over_whole_to_what_opens_it_and_without_one_that_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a receipt; $(of) \"mine\".html");
        open_by("touch", &file).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !file.exists() {
            assert!(std::time::Instant::now() < deadline, "nothing has opened it");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let none = open_by("no-such-program-opens-it", &file);
        assert!(matches!(none, Err(Fault::System { .. })), "{none:?}");
    }
}
