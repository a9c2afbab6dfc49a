//! What shells and `man` read about the two programs, in the language in which they speak.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tasuki_terminal::pages::{self, Shell};
use tasuki_terminal::usage::Manual;

use super::{conclude, say, usage};
use crate::shell::fault::Fault;

/// Commands that need neither settings nor a server.
#[derive(Debug, Subcommand)]
pub(super) enum PagesCommand {
    /// Prints a script that completes commands in a shell.
    Completion {
        /// bash, elvish, fish, powershell or zsh.
        #[arg(hide_possible_values = true)]
        shell: Shell,
    },
    /// Writes manual pages, one for each command, into a folder.
    Manual {
        /// Where the pages go; made where it is not there.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

pub(super) fn run<P: Parser>(command: &PagesCommand, manual: &Manual) -> ExitCode {
    let lang = usage::asked_lang();
    let program = usage::command::<P>(manual, lang);
    let done = match command {
        PagesCommand::Completion { shell } => {
            say::print(&pages::completion(program, *shell));
            Ok(())
        }
        PagesCommand::Manual { folder } => {
            let failed = |why: std::io::Error| Fault::CannotWrite {
                file: folder.to_owned(),
                why: why.to_string(),
            };
            pages::manual(program, folder).map_err(failed)
        }
    };
    conclude(done, lang)
}
