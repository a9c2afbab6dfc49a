//! Help and complaints about wrong usage in Japanese (S100). English is what the commands' own
//! descriptions say; a [`Manual`] has the same in Japanese, by the commands' and options' names.
//!
//! Decides no option's meaning.

use std::io::Write as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, Parser};

/// The exit code of wrong usage.
const WRONG_USAGE: u8 = 2;
const TEMPLATE: &str = "{about-with-newline}\n使い方: {usage}\n\n{all-args}{after-help}";
const OPTIONS: &str = "オプション";
/// Of every command, where a program puts them under a heading of their own.
const SHARED: &str = "共通のオプション";
const COMMANDS: &str = "コマンド";

/// Names and what is said of them: `operator add`, `operator add --modes`, and `--yes` for an option
/// that means the same everywhere.
pub type Words = &'static [(&'static str, &'static str)];

/// What a program says of itself in Japanese.
#[derive(Debug, Clone, Copy)]
pub struct Manual {
    pub about: &'static str,
    pub after: &'static str,
    /// The program's own first, then what it shares with others.
    pub words: &'static [Words],
}

/// What a person asked for, in English or by a manual in Japanese.
///
/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub fn parse<P: Parser>(japanese: Option<&Manual>) -> Result<P, ExitCode> {
    if japanese.is_none() {
        return Ok(P::parse());
    }
    let parsed = command::<P>(japanese).try_get_matches();
    parsed.and_then(|matches| P::from_arg_matches(&matches)).map_err(|wrong| told(&wrong))
}

/// The command line, in English or by a manual in Japanese.
pub fn command<P: CommandFactory>(japanese: Option<&Manual>) -> Command {
    match japanese {
        None => P::command(),
        Some(manual) => manual.translate(P::command()),
    }
}

/// The value of `--lang`, before anything else of the command line is understood.
pub fn asked_language() -> Option<String> {
    let mut words = std::env::args().skip(1);
    let flag = words.find_map(|word| match word.strip_prefix("--lang") {
        Some("") => Some(String::new()),
        Some(value) => value.strip_prefix('=').map(str::to_owned),
        None => None,
    })?;
    if flag.is_empty() { words.next() } else { Some(flag) }
}

impl Manual {
    fn translate(&self, program: Command) -> Command {
        let help = Arg::new("help").short('h').long("help").global(true).action(ArgAction::Help);
        let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
        told_of(self.translate_command(program, ""), self.about)
            .after_help(self.after)
            .disable_version_flag(true)
            .arg(help.help("この説明を表示します").help_heading(OPTIONS))
            .arg(version.help("版を表示します").help_heading(OPTIONS))
    }

    /// `path`: the verbs up to here, with a space behind each.
    fn translate_command(&self, command: Command, path: &str) -> Command {
        let command = command
            .help_template(TEMPLATE)
            .disable_help_flag(true)
            .disable_help_subcommand(true)
            .subcommand_help_heading(COMMANDS)
            .subcommand_value_name(COMMANDS)
            .mut_args(|arg| self.translate_arg(arg, path))
            .mut_subcommands(|inner| {
                let path = format!("{path}{} ", inner.get_name());
                self.translate_command(inner, &path)
            });
        match self.word(path.trim_end()) {
            Some(japanese) => told_of(command, japanese),
            None => command,
        }
    }

    fn translate_arg(&self, arg: Arg, path: &str) -> Arg {
        let name = arg.get_id().to_string();
        let heading = match arg.get_help_heading() {
            _ if arg.is_positional() => "引数",
            Some(_) if arg.is_global_set() => SHARED,
            Some(_) | None => OPTIONS,
        };
        let arg = match arg.get_action().takes_values() {
            true => arg.hide_default_value(true).hide_possible_values(true),
            false => arg,
        };
        let arg = arg.help_heading(heading);
        match self.word(&format!("{path}--{name}")).or_else(|| self.word(&format!("--{name}"))) {
            Some(japanese) if arg.get_long_help().is_some() => arg.help(japanese).long_help(japanese),
            Some(japanese) => arg.help(japanese),
            None => arg,
        }
    }

    fn word(&self, name: &str) -> Option<&'static str> {
        let mut words = self.words.iter().flat_map(|words| words.iter());
        words.find(|(known, _)| *known == name).map(|(_, japanese)| *japanese)
    }

    /// Commands and options of `P` that have no words in one of the languages, and words for what `P` does not
    /// have: none, as the programs' tests see to.
    pub fn faults<P: CommandFactory>(&self) -> Vec<String> {
        let (mut faults, mut known) = (Vec::new(), Vec::new());
        untranslated(&command::<P>(Some(self)), "", &mut faults);
        names(&P::command(), "", &mut known);
        undescribed(&P::command(), "", &mut faults);
        let words = self.words.iter().flat_map(|words| words.iter());
        let words = words.map(|(name, _)| (*name).to_owned());
        faults.extend(words.filter(|name| !known.contains(name)));
        faults
    }
}

/// Options and arguments of `program` that would take a secret, by their names; none, as the programs' tests see to:
/// everybody on a computer sees what a program was started with (T68).
pub fn secrets(mut program: Command) -> Vec<String> {
    program.build();
    let mut found = Vec::new();
    find_secrets(&program, &mut found);
    found
}

fn find_secrets(command: &Command, found: &mut Vec<String>) {
    const WORDS: [&str; 7] = ["password", "passphrase", "token", "secret", "share", "digits", "totp"];
    let takes = command.get_arguments().filter(|argument| argument.get_action().takes_values());
    let secret = takes.filter(|argument| {
        let name = argument.to_string().to_lowercase();
        WORDS.iter().any(|word| name.contains(word))
    });
    found.extend(secret.map(|argument| format!("{} {argument}", command.get_name())));
    command.get_subcommands().for_each(|command| find_secrets(command, found));
}

/// Replaces a longer text too, where English has one for `--help`, and makes none: any makes clap
/// print every option in two lines.
fn told_of(command: Command, japanese: &'static str) -> Command {
    let is_long = command.get_long_about().is_some();
    let command = command.about(japanese);
    if is_long { command.long_about(japanese) } else { command }
}

fn untranslated(command: &Command, path: &str, found: &mut Vec<String>) {
    let is_japanese = |text: Option<&clap::builder::StyledStr>| {
        text.is_some_and(|text| text.to_string().chars().any(|letter| letter > '\u{3000}'))
    };
    if !is_japanese(command.get_about()) {
        found.push(path.trim_end().to_owned());
    }
    for arg in command.get_arguments().filter(|arg| !is_japanese(arg.get_help())) {
        found.push(format!("{path}--{}", arg.get_id()));
    }
    for inner in command.get_subcommands() {
        untranslated(inner, &format!("{path}{} ", inner.get_name()), found);
    }
}

fn undescribed(command: &Command, path: &str, found: &mut Vec<String>) {
    if command.get_about().is_none() {
        found.push(format!("{path}(in English)"));
    }
    for arg in command.get_arguments().filter(|arg| arg.get_help().is_none()) {
        found.push(format!("{path}--{} (in English)", arg.get_id()));
    }
    for inner in command.get_subcommands() {
        undescribed(inner, &format!("{path}{} ", inner.get_name()), found);
    }
}

fn names(command: &Command, path: &str, all: &mut Vec<String>) {
    all.push(path.trim_end().to_owned());
    for arg in command.get_arguments() {
        all.extend([format!("{path}--{}", arg.get_id()), format!("--{}", arg.get_id())]);
    }
    for inner in command.get_subcommands() {
        names(inner, &format!("{path}{} ", inner.get_name()), all);
    }
}

fn told(wrong: &clap::Error) -> ExitCode {
    // A reader that has gone away is no reason to complain.
    if matches!(wrong.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _shown = writeln!(std::io::stdout(), "{}", wrong.render().to_string().trim_end());
        return ExitCode::SUCCESS;
    }
    let _told = writeln!(std::io::stderr(), "{}", complaint(wrong, wrong.kind()));
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
