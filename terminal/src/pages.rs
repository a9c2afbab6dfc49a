//! What shells and `man` read about a program: made from its own command line, so that neither says
//! anything else than `--help`.

use std::io;
use std::path::Path;

use clap::Command;
pub use clap_complete::Shell;

/// A script that completes the program's verbs and options in a shell.
pub fn completion(program: Command, shell: Shell) -> String {
    let name = program.get_name().to_owned();
    // The script for bash finds no verbs of a program whose name has a hyphen (clap_complete 4.6).
    let inside = if shell == Shell::Bash { name.replace('-', "_") } else { name.clone() };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program.name(inside.clone()), &inside, &mut script);
    let script = String::from_utf8_lossy(&script);
    script.trim_end().replace(&format!(" {inside}\n"), &format!(" {name}\n"))
}

/// Writes one page for each command into `folder`, which is made where it is not there.
///
/// # Errors
/// The folder cannot be made, or a page not be written.
pub fn manual(program: Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(program, folder)
}
