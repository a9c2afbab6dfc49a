//! The repository's text, read once for all rules.
//!
//! Knows which folders are ours; refuses to know what any rule wants of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One text file: its path from the repository's root with `/` between parts, and its content.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// For a rule's own test: a file that is not on the disk.
    pub(crate) fn made_up(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it decides and must not touch: `*/src/core/` and the file that opens it.
    pub(crate) fn is_core(&self) -> bool {
        self.is_rust() && (self.path.contains("/src/core/") || self.path.ends_with("/src/core.rs"))
    }

    pub(crate) fn is_under(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ has a parent folder").to_owned()
}

/// Every text file of the repository; builds, fuzz findings and demo output left out.
pub(crate) fn all() -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    read_folder(&root, &root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

pub(crate) fn rust() -> Vec<Source> {
    all().into_iter().filter(Source::is_rust).collect()
}

fn read_folder(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository can be listed") {
        let path = entry.expect("a folder entry can be read").path();
        if is_foreign(root, &path) {
            continue;
        }
        if path.is_dir() {
            read_folder(root, &path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root).expect("it is under the root");
            found.push(Source { path: path.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

fn is_foreign(root: &Path, path: &Path) -> bool {
    const FOREIGN: [&str; 8] = [
        ".git",
        "target",
        "out",
        "fuzz/target",
        "fuzz/corpus",
        "fuzz/new",
        "fuzz/artifacts",
        "Cargo.lock",
    ];
    let name = path.file_name().unwrap_or_default();
    FOREIGN.iter().any(|foreign| path == root.join(foreign) || name == *foreign)
}
