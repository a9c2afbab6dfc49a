//! Help and complaints about wrong usage in Japanese (S100). English is what the commands' own
//! descriptions say; [`super::usage_words`] has the same in Japanese, by the commands' and options' names.
//!
//! Decides no option's meaning.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _, FromArgMatches as _, Parser as _};

use super::fault::Language;
use super::program::{Arguments, language_of_environment, say, say_error};
use super::usage_words::{ABOUT, AFTER, HELP, VERSION, WORDS};

/// The exit code of wrong usage.
const WRONG_USAGE: u8 = 2;
const TEMPLATE: &str = "{about-with-newline}\n使い方: {usage}\n\n{all-args}{after-help}";

/// What a person asked for.
///
/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub(super) fn parse() -> Result<Arguments, ExitCode> {
    match asked_language() {
        Language::English => Ok(Arguments::parse()),
        Language::Japanese => {
            let parsed = command(Language::Japanese).try_get_matches();
            let parsed = parsed.and_then(|matches| Arguments::from_arg_matches(&matches));
            parsed.map_err(|wrong| told(&wrong))
        }
    }
}

/// The command line, with its words in one language.
pub(super) fn command(language: Language) -> Command {
    match language {
        Language::English => Arguments::command(),
        Language::Japanese => japanese(Arguments::command()),
    }
}

/// Flag or environment, before anything else of the command line is understood.
fn asked_language() -> Language {
    let mut words = std::env::args().skip(1);
    let flag = words.find_map(|word| match word.strip_prefix("--lang") {
        Some("") => Some(String::new()),
        Some(value) => value.strip_prefix('=').map(str::to_owned),
        None => None,
    });
    let flag =
        flag.map(|value| if value.is_empty() { words.next().unwrap_or_default() } else { value });
    match flag.as_deref() {
        Some("ja") => Language::Japanese,
        Some("en") => Language::English,
        Some(_) | None => language_of_environment(),
    }
}

fn japanese(program: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").global(true).action(ArgAction::Help);
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    translate(program, "")
        .about(ABOUT)
        .long_about(ABOUT)
        .after_help(AFTER)
        .disable_version_flag(true)
        .arg(help.help(HELP).help_heading("オプション"))
        .arg(version.help(VERSION).help_heading("オプション"))
}

/// `path`: the verbs up to here, with a space behind each.
fn translate(command: Command, path: &str) -> Command {
    let own = word(path.trim_end());
    let command = command
        .help_template(TEMPLATE)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading("コマンド")
        .subcommand_value_name("コマンド")
        .mut_args(|arg| {
            let name = arg.get_id().to_string();
            let heading = if arg.is_positional() { "引数" } else { "オプション" };
            let arg = match arg.get_action().takes_values() {
                true => arg.hide_default_value(true).hide_possible_values(true),
                false => arg,
            };
            let arg = arg.help_heading(heading);
            let own = word(&format!("{path}--{name}")).or_else(|| word(&format!("--{name}")));
            match own {
                Some(japanese) => arg.help(japanese).long_help(japanese),
                None => arg,
            }
        })
        .mut_subcommands(|inner| {
            let path = format!("{path}{} ", inner.get_name());
            translate(inner, &path)
        });
    match own {
        Some(japanese) => command.about(japanese).long_about(japanese),
        None => command,
    }
}

fn word(name: &str) -> Option<&'static str> {
    WORDS.iter().find(|(known, _)| *known == name).map(|(_, japanese)| *japanese)
}

fn told(wrong: &clap::Error) -> ExitCode {
    if matches!(wrong.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        say(wrong.render().to_string().trim_end());
        return ExitCode::SUCCESS;
    }
    say_error(&complaint(wrong, wrong.kind()));
    ExitCode::from(WRONG_USAGE)
}

fn complaint(wrong: &clap::Error, kind: ErrorKind) -> String {
    let of = |kind| match wrong.get(kind) {
        Some(ContextValue::String(one)) => one.clone(),
        Some(ContextValue::Strings(many)) => many.join("、"),
        Some(_) | None => String::new(),
    };
    let argument = of(ContextKind::InvalidArg);
    let value = of(ContextKind::InvalidValue);
    let valid = of(ContextKind::ValidValue);
    let what = if kind == ErrorKind::InvalidSubcommand {
        format!("コマンド {} はありません", of(ContextKind::InvalidSubcommand))
    } else if kind == ErrorKind::UnknownArgument {
        format!("{argument} という引数はありません")
    } else if kind == ErrorKind::MissingRequiredArgument {
        format!("{argument} を指定してください")
    } else if kind == ErrorKind::ArgumentConflict {
        format!("{argument} はほかのオプションと同時に指定できません")
    } else if value.is_empty() && argument.is_empty() {
        "コマンドを指定してください".to_owned()
    } else if value.is_empty() {
        format!("{argument} に値を指定してください")
    } else if valid.is_empty() {
        format!("{argument} の値 {value} は正しくありません")
    } else {
        format!("{argument} の値 {value} は正しくありません（{valid} のどれか）")
    };
    format!("{what}。--help で使い方を表示します。")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(command: &Command, path: &str, found: &mut Vec<String>) {
        let is_japanese = |text: Option<&clap::builder::StyledStr>| {
            text.is_some_and(|text| text.to_string().chars().any(|letter| letter > '\u{3000}'))
        };
        if !is_japanese(command.get_about()) {
            found.push(path.to_owned());
        }
        for arg in command.get_arguments().filter(|arg| !is_japanese(arg.get_help())) {
            found.push(format!("{path}--{}", arg.get_id()));
        }
        for inner in command.get_subcommands() {
            lacking(inner, &format!("{path}{} ", inner.get_name()), found);
        }
    }

    #[test]
    fn s100_every_command_and_every_option_has_its_words_in_japanese() {
        let mut found = Vec::new();
        lacking(&command(Language::Japanese), "", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn no_word_is_for_a_command_or_an_option_that_is_not_there() {
        fn names(command: &Command, path: &str, all: &mut Vec<String>) {
            all.push(path.trim_end().to_owned());
            for arg in command.get_arguments() {
                all.extend([format!("{path}--{}", arg.get_id()), format!("--{}", arg.get_id())]);
            }
            for inner in command.get_subcommands() {
                names(inner, &format!("{path}{} ", inner.get_name()), all);
            }
        }
        let mut all = Vec::new();
        names(&Arguments::command(), "", &mut all);
        for (name, _) in WORDS {
            assert!(all.iter().any(|known| known == name), "{name}");
        }
    }
}
