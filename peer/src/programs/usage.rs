//! The command line of both programs, in the language that was asked for (S100).

use std::process::ExitCode;

use clap::{Command, Parser};
use tasuki_terminal::usage::{self, Manual, Words};

use crate::shell::texts::Lang;

/// The options that a person gave.
///
/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub(super) fn parse<P: Parser>(manual: &Manual) -> Result<P, ExitCode> {
    usage::parse(spoken(manual, asked_lang()))
}

/// The command line, with its words in one language.
pub(super) fn command<P: Parser>(manual: &Manual, lang: Lang) -> Command {
    usage::command::<P>(spoken(manual, lang))
}

fn spoken(manual: &Manual, lang: Lang) -> Option<&Manual> {
    match lang {
        Lang::En => None,
        Lang::Ja => Some(manual),
    }
}

/// As the settings find it, before there are any: flag, environment, locale.
pub(super) fn asked_lang() -> Lang {
    let asked = usage::asked_language().or_else(lang_of_environment);
    Lang::of_locale(&asked.unwrap_or_default())
}

/// The language that the environment asks for, if it names one.
pub(super) fn lang_of_environment() -> Option<String> {
    let variable = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["TASUKI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(variable)
}

/// Options of both programs.
pub(super) const SHARED: Words = &[
    ("--profile", "XDG の各フォルダーの代わりに、設定と状態を置く一つのフォルダー"),
    (
        "--tenant",
        "組織の署名付きファイル。指定しなければ /etc/tasuki/tenant.json、次に設定フォルダーのもの",
    ),
    ("--path", "セッションに使う経路: auto、direct、relayed"),
    (
        "--proxy",
        "HTTP プロキシ: auto（環境変数、次にデスクトップの設定）、none、http://HOST:PORT。パスワードの要るものは settings.toml に書きます",
    ),
    ("--lang", "表示する言語: en または ja。指定しなければ LC_ALL、LC_MESSAGES、LANG に従います"),
    ("--log", "標準エラー出力に記録する内容（例: info、tasuki_peer=debug）"),
    ("--json", "出来事を 1 行に 1 つの JSON として標準出力に書きます"),
    ("doctor", "サーバーまでの経路とこのデスクトップを調べ、障害を示します"),
    ("config", "有効な設定と、その出どころを表示します"),
    ("receipt", "セッションの控えを調べます"),
    ("receipt verify", "控えを確かめます。1 バイトでも変わっていれば拒否します（終了コード 74）"),
    ("--file", "控えのファイル"),
    ("completion", "シェルでコマンドを補完するスクリプトを表示します"),
    ("--shell", "bash、elvish、fish、powershell、zsh のどれか"),
    ("manual", "コマンドごとのマニュアルページをフォルダーに書きます"),
    ("--folder", "ページを置くフォルダー。なければ作ります"),
];
