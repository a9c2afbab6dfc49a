//! What shells and `man` read about this program.

use std::path::Path;

use tasuki_terminal::pages::{self, Shell};

use crate::fault::Fault;
use crate::printed::Printed;
use crate::texts::Language;
use crate::usage;

pub(super) fn completion(shell: Shell, language: Language) -> Printed {
    let text = pages::completion(usage::command(language), shell);
    let json = serde_json::json!({ "shell": shell.to_string(), "script": text });
    Printed { text, json }
}

/// One page for each command.
pub(super) fn manual(folder: &Path, language: Language) -> Result<Printed, Fault> {
    let failed = |why| Fault::File { file: folder.to_owned(), why };
    pages::manual(usage::command(language), folder).map_err(failed)?;
    let said = language.pages_written(folder);
    Ok(Printed { text: said, json: serde_json::json!({ "folder": folder }) })
}
