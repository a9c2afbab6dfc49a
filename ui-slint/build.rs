//! Compiles the windows, and joins the parts of a language into the one file that Slint reads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use slint_build::{CompilerConfiguration, DefaultTranslationContext};

/// Slint looks for `<language>/LC_MESSAGES/<crate>.po`.
const FOLDER: &str = "LC_MESSAGES";
const LANGUAGES: [&str; 1] = ["ja"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let joined =
        PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?).join("lang");
    for language in LANGUAGES {
        let own = Path::new(language).join(FOLDER);
        join(&Path::new("lang").join(&own), &joined, &own)?;
    }
    let configuration = CompilerConfiguration::new()
        .with_style("fluent".to_owned())
        .with_bundled_translations(joined)
        .with_default_translation_context(DefaultTranslationContext::None)
        // Tests find elements by their labels and names.
        .with_debug_info(true);
    slint_build::compile_with_config("ui/windows.slint", configuration)?;
    Ok(())
}

/// Every part has the same head; only the first one's is kept.
fn join(parts: &Path, joined: &Path, own: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let to = joined.join(own);
    println!("cargo:rerun-if-changed={}", parts.display());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(parts)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "po"));
    files.sort();
    let mut whole = String::new();
    let mut newest = SystemTime::UNIX_EPOCH;
    for file in &files {
        newest = newest.max(std::fs::metadata(file)?.modified()?);
        println!("cargo:rerun-if-changed={}", file.display());
        let text = std::fs::read_to_string(file)?;
        let (head, entries) = text.split_once("\n\n").ok_or("a .po file begins with a head")?;
        if whole.is_empty() {
            whole.push_str(head);
        }
        whole.push_str("\n\n");
        whole.push_str(entries.trim_end());
    }
    whole.push('\n');
    std::fs::create_dir_all(&to)?;
    let to = to.join(concat!(env!("CARGO_PKG_NAME"), ".po"));
    std::fs::write(&to, whole)?;
    // Slint has cargo watch this file too, and the folders that it lies in: where one is younger than its parts all
    // would be made and compiled once more. (Elsewhere than on Unix a folder is not opened so.)
    for folder in to.ancestors().skip(1).take_while(|folder| folder.starts_with(joined)) {
        if let Ok(opened) = File::open(folder) {
            opened.set_modified(newest)?;
        }
    }
    Ok(File::options().write(true).open(&to)?.set_modified(newest)?)
}
