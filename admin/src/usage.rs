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

    /// What takes something away for good, puts another policy in force, or is a person's word on what was seen.
    const ASKS: [&str; 14] = [
        "admin remove",
        "audit acknowledge-restore",
        "audit prune",
        "audit review",
        "device revoke",
        "group remove",
        "key republish",
        "key rotate",
        "operator forget-authenticator",
        "operator password",
        "operator remove",
        "policy rollback",
        "policy set",
        "session end",
    ];
    /// What changes nothing, or what another command takes back, or asks for the person's own secrets.
    const DOES_NOT: [&str; 45] = [
        "admin add",
        "admin disable",
        "admin enable",
        "admin invitations",
        "admin limit",
        "admin list",
        "admin password",
        "admin unlock",
        "admin withdraw",
        "audit events",
        "audit export",
        "audit list",
        "audit report",
        "audit search",
        "audit show",
        "audit verify",
        "completion",
        "config",
        "device approve",
        "device list",
        "enrol",
        "group add",
        "group join",
        "group leave",
        "group list",
        "init",
        "key list",
        "key renew",
        "key shares",
        "login",
        "logout",
        "manual",
        "operator add",
        "operator change",
        "operator code",
        "operator disable",
        "operator enable",
        "operator limit",
        "operator list",
        "operator unlock",
        "policy diff",
        "policy explain",
        "policy history",
        "policy show",
        "session list",
    ];

    fn verbs(command: &Command, path: &str, found: &mut Vec<(String, bool)>) {
        for inner in command.get_subcommands() {
            let path = format!("{path}{}", inner.get_name());
            if inner.has_subcommands() {
                verbs(inner, &format!("{path} "), found);
            } else {
                found.push((path, inner.get_arguments().any(|argument| argument.get_id() == "yes")));
            }
        }
    }

    /// S65, S71: a verb that cannot be undone asks first, and lets a script say so in advance. Whoever adds one says here
    /// which it is.
    #[test]
    fn s65_what_cannot_be_undone_asks_first_and_every_verb_is_known_to_do_so_or_not() {
        let (mut found, mut known) = (Vec::new(), Vec::new());
        verbs(&command(Language::En), "", &mut found);
        found.sort();
        known.extend(ASKS.map(|verb| (verb.to_owned(), true)));
        known.extend(DOES_NOT.map(|verb| (verb.to_owned(), false)));
        known.sort();
        assert_eq!(found, known);
    }

    /// T68: whoever lists processes or reads a shell's history finds no secret of ours there.
    #[test]
    fn t68_no_option_and_no_argument_takes_a_secret() {
        assert_eq!(secrets(command(Language::En)), Vec::<String>::new());
    }
}
