//! The command line in the language that was asked for (S100).

use std::process::ExitCode;

use clap::Command;
use tasuki_terminal::usage::{self, Manual};

use crate::command::Program;
use crate::texts::Language;
use crate::usage_words::MANUAL;

/// What a person asked for.
///
/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub fn parse() -> Result<Program, ExitCode> {
    usage::parse(spoken(asked_language()))
}

/// The command line, with its words in one language.
pub fn command(language: Language) -> Command {
    usage::command::<Program>(spoken(language))
}

fn spoken(language: Language) -> Option<&'static Manual> {
    match language {
        Language::En => None,
        Language::Ja => Some(&MANUAL),
    }
}

/// Flag or environment, before anything else of the command line is understood.
fn asked_language() -> Language {
    match usage::asked_language().as_deref() {
        Some("ja") => Language::Ja,
        Some("en") => Language::En,
        Some(_) | None => Language::of_environment(),
    }
}

#[cfg(test)]
mod tests {
    use tasuki_terminal::usage::secrets;

    use super::*;

    #[test]
    fn s100_every_command_and_every_option_has_its_words_in_japanese_and_no_word_is_for_nothing() {
        assert_eq!(MANUAL.faults::<Program>(), Vec::<String>::new());
    }

    /// S100: what a command is about comes first, and what all of them take after it.
    #[test]
    fn s100_the_options_of_a_command_stand_before_those_of_every_command() {
        for (language, own, shared) in [
            (Language::En, "Options:", "Options of every command:"),
            (Language::Ja, "オプション:", "共通のオプション:"),
        ] {
            let mut program = command(language);
            program.build();
            let noun = program.find_subcommand("operator").unwrap();
            let help = noun.find_subcommand("add").unwrap().clone().render_help().to_string();
            let at = [own, "\n      --modes", shared, "\n      --profile"]
                .map(|text| help.find(text).unwrap());
            assert!(at.is_sorted(), "{at:?} {help}");
        }
    }

    /// T68: whoever lists processes or reads a shell's history finds no secret of ours there.
    #[test]
    fn t68_no_option_and_no_argument_takes_a_secret() {
        assert_eq!(secrets(command(Language::En)), Vec::<String>::new());
    }
}
