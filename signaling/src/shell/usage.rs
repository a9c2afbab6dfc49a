//! The command line in the language that was asked for (S100).

use std::process::ExitCode;

use clap::Command;
use tasuki_terminal::usage::{self, Manual};

use super::fault::Language;
use super::program::{Arguments, language_of_environment};
use super::usage_words::MANUAL;

/// What a person asked for.
///
/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub(super) fn parse() -> Result<Arguments, ExitCode> {
    usage::parse(spoken(asked_language()))
}

/// The command line, with its words in one language.
pub(super) fn command(language: Language) -> Command {
    usage::command::<Arguments>(spoken(language))
}

fn spoken(language: Language) -> Option<&'static Manual> {
    match language {
        Language::English => None,
        Language::Japanese => Some(&MANUAL),
    }
}

/// Flag or environment, before anything else of the command line is understood.
fn asked_language() -> Language {
    match usage::asked_language().as_deref() {
        Some("ja") => Language::Japanese,
        Some("en") => Language::English,
        Some(_) | None => language_of_environment(),
    }
}

#[cfg(test)]
mod tests {
    use tasuki_terminal::usage::secrets;

    use super::*;

    #[test]
    fn s100_every_command_and_every_option_has_its_words_in_japanese_and_no_word_is_for_nothing() {
        assert_eq!(MANUAL.faults::<Arguments>(), Vec::<String>::new());
    }

    /// T68: whoever lists processes or reads a shell's history finds no secret of ours there.
    #[test]
    fn t68_no_option_and_no_argument_takes_a_secret() {
        assert_eq!(secrets(command(Language::English)), Vec::<String>::new());
    }
}
