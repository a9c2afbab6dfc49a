//! What shells and `man` read about the two programs: made from their own command lines, in the
//! language in which they speak, so that neither says anything else than `--help`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::usage::{self, Manual};
use super::{conclude, say};
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

pub(super) fn run<P: Parser>(command: &PagesCommand, texts: Manual) -> ExitCode {
    let lang = usage::asked_lang();
    let program = usage::command::<P>(texts, lang);
    let done = match command {
        PagesCommand::Completion { shell } => {
            say::print(&completion(program, *shell));
            Ok(())
        }
        PagesCommand::Manual { folder } => manual(program, folder),
    };
    conclude(done, lang)
}

fn completion(program: clap::Command, shell: Shell) -> String {
    let name = program.get_name().to_owned();
    // The script for bash finds no verbs of a program whose name has a hyphen (clap_complete 4.6).
    let (mut program, inside) = if shell == Shell::Bash && name == "tasuki-agentd" {
        (program.name("tasuki_agentd"), "tasuki_agentd")
    } else {
        (program, name.as_str())
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, inside, &mut script);
    let script = String::from_utf8_lossy(&script);
    script.trim_end().replace(&format!(" {inside}\n"), &format!(" {name}\n"))
}

/// One page for each command.
fn manual(program: clap::Command, folder: &Path) -> Result<(), Fault> {
    let failed =
        |why: std::io::Error| Fault::CannotWrite { file: folder.to_owned(), why: why.to_string() };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(program, folder).map_err(failed)
}
