//! What shells and `man` read about this program: made from its own command line, so that
//! neither says anything else than `--help`.

use std::path::Path;

use clap_complete::Shell;

use super::fault::Fault;

pub(super) fn completion(program: clap::Command, shell: Shell) -> String {
    // The script for bash finds no options of verbs where the name has a hyphen (clap_complete 4.6).
    let name = if shell == Shell::Bash { "tasuki_server" } else { "tasuki-server" };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program.name(name), name, &mut script);
    let script = String::from_utf8_lossy(&script);
    script.trim_end().replace(" tasuki_server\n", " tasuki-server\n")
}

/// One page for each command.
pub(super) fn manual(program: clap::Command, folder: &Path) -> Result<(), Fault> {
    let failed = Fault::unreadable(folder);
    std::fs::create_dir_all(folder).map_err(&failed)?;
    clap_mangen::generate_to(program, folder).map_err(&failed)
}
