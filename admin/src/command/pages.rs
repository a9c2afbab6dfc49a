//! What shells and `man` read about this program: made from its own command line, so that
//! neither says anything else than `--help`.

use std::path::Path;

use clap_complete::Shell;

use crate::fault::Fault;
use crate::printed::Printed;
use crate::texts::Language;
use crate::usage;

pub(super) fn completion(shell: Shell, language: Language) -> Printed {
    // The script for bash finds no verbs of a program whose name has a hyphen (clap_complete 4.6).
    let name = if shell == Shell::Bash { "tasuki_admin" } else { "tasuki-admin" };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut usage::command(language).name(name), name, &mut script);
    let script = String::from_utf8_lossy(&script);
    let text = script.trim_end().replace(" tasuki_admin\n", " tasuki-admin\n");
    let json = serde_json::json!({ "shell": shell.to_string(), "script": text });
    Printed { text, json }
}

/// One page for each command.
pub(super) fn manual(folder: &Path, language: Language) -> Result<Printed, Fault> {
    let failed = |why| Fault::File { file: folder.to_owned(), why };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(usage::command(language), folder).map_err(failed)?;
    let said = language.pages_written(folder);
    Ok(Printed { text: said, json: serde_json::json!({ "folder": folder }) })
}
