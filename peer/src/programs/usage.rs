//! Help and complaints about wrong usage in Japanese (S100).
//!
//! English is what the options' own descriptions say; here stand the same texts in
//! Japanese, by the options' names. Decides no option's meaning.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Parser};

use super::say;
use crate::shell::texts::Lang;

/// The exit code of wrong usage.
const WRONG_USAGE: u8 = 2;
const TEMPLATE: &str = "{about-with-newline}\n使い方: {usage}\n\n{all-args}{after-help}";

/// What a program says of itself in Japanese.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manual {
    pub(super) about: &'static str,
    pub(super) after: &'static str,
    /// Subcommands and options of this program alone, by name.
    pub(super) words: &'static [(&'static str, &'static str)],
}

/// The options that a person gave.
///
/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub(super) fn parse<P: Parser>(manual: Manual) -> Result<P, ExitCode> {
    let lang = asked_lang();
    match lang {
        Lang::En => Ok(P::parse()),
        Lang::Ja => {
            let parsed = command::<P>(manual, lang).try_get_matches();
            let parsed = parsed.and_then(|matches| P::from_arg_matches(&matches));
            parsed.map_err(|wrong| told(&wrong))
        }
    }
}

/// The command line, with its words in one language.
pub(super) fn command<P: Parser>(manual: Manual, lang: Lang) -> Command {
    match lang {
        Lang::En => P::command(),
        Lang::Ja => japanese(P::command(), manual),
    }
}

/// As the settings find it, before there are any: flag, environment, locale.
pub(super) fn asked_lang() -> Lang {
    let mut words = std::env::args().skip(1);
    let flag = words.find_map(|word| match word.strip_prefix("--lang") {
        Some("") => Some(String::new()),
        Some(value) => value.strip_prefix('=').map(str::to_owned),
        None => None,
    });
    let flag =
        flag.map(|value| if value.is_empty() { words.next().unwrap_or_default() } else { value });
    Lang::of_locale(&flag.or_else(lang_of_environment).unwrap_or_default())
}

/// The language that the environment asks for, if it names one.
pub(super) fn lang_of_environment() -> Option<String> {
    let variable = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["TASUKI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(variable)
}

fn japanese(command: Command, manual: Manual) -> Command {
    translate(command, manual.words)
        .about(manual.about)
        .after_help(manual.after)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .global(true)
                .action(ArgAction::Help)
                .help("この説明を表示します")
                .help_heading("オプション"),
        )
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help("版を表示します")
                .help_heading("オプション"),
        )
        .disable_version_flag(true)
}

fn translate(command: Command, words: &'static [(&'static str, &'static str)]) -> Command {
    let word = |name: &str| {
        let all = words.iter().chain(SHARED);
        all.into_iter().find(|(known, _)| *known == name).map(|(_, japanese)| *japanese)
    };
    let own = word(command.get_name());
    let command = command
        .help_template(TEMPLATE)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading("コマンド")
        .mut_args(|arg| {
            let heading = if arg.is_positional() { "引数" } else { "オプション" };
            match word(arg.get_id().as_str()) {
                Some(japanese) => arg.help(japanese).help_heading(heading),
                None => arg.help_heading(heading),
            }
        })
        .mut_subcommands(|inner| translate(inner, words));
    match own {
        Some(japanese) => command.about(japanese),
        None => command,
    }
}

fn told(wrong: &clap::Error) -> ExitCode {
    if matches!(wrong.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        say::print(wrong.render().to_string().trim_end());
        return ExitCode::SUCCESS;
    }
    say::to_person(&complaint(wrong, wrong.kind()));
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
        format!("{argument} というオプションはありません")
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

/// Options of both programs.
const SHARED: &[(&str, &str)] = &[
    ("profile", "XDG の各フォルダーの代わりに、設定と状態を置く一つのフォルダー"),
    (
        "tenant",
        "組織の署名付きファイル。指定しなければ /etc/tasuki/tenant.json、次に設定フォルダーのもの",
    ),
    ("path", "セッションに使う経路: auto、direct、relayed"),
    (
        "proxy",
        "HTTP プロキシ: auto（環境変数、次にデスクトップの設定）、none、http://HOST:PORT。パスワードの要るものは settings.toml に書きます",
    ),
    ("lang", "表示する言語: en または ja。指定しなければ LC_ALL、LC_MESSAGES、LANG に従います"),
    ("log", "標準エラー出力に記録する内容（例: info、tasuki_peer=debug）"),
    ("json", "出来事を 1 行に 1 つの JSON として標準出力に書きます"),
    ("doctor", "サーバーまでの経路とこのデスクトップを調べ、障害を示します"),
    ("config", "有効な設定と、その出どころを表示します"),
    ("receipt", "セッションの控えを調べます"),
    ("verify", "控えを確かめます。1 バイトでも変わっていれば拒否します（終了コード 74）"),
    ("file", "控えのファイル"),
    ("completion", "シェルでコマンドを補完するスクリプトを表示します"),
    ("shell", "bash、elvish、fish、powershell、zsh のどれか"),
    ("manual", "コマンドごとのマニュアルページをフォルダーに書きます"),
    ("folder", "ページを置くフォルダー。なければ作ります"),
];
