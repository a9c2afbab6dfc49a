//! What `tasuki-agent` is told when it starts. No option consents or names a server (T2, T70).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tasuki_peer::programs::surface::{self, Manual};

const AFTER_HELP: &str = "\
A link (tasuki://join/...) fills the number in and does nothing else. Consent is a click or a key of a
person at this computer; nothing else consents: no flag, variable, file, link or other program.

Ctrl+Alt+Shift+E ends a session at once, wherever the focus is.

Files: /etc/tasuki/tenant.json or $XDG_CONFIG_HOME/tasuki/tenant.json (the signed file of your
organisation), settings.toml beside it; in $XDG_STATE_HOME/tasuki: agent-window.toml (language and
colours), organisations.toml (how often each was here), root.pin. Damaged ones are kept aside.

Exit codes: 0 closed, 1 system, 2 usage, 3 setting, 10 no display, 11 display unusable, 23 profile
unusable.";

/// The end user's window for a support session.
#[derive(Debug, Parser)]
#[command(name = "tasuki-agent", version, after_help = AFTER_HELP)]
pub(super) struct Options {
    /// A link with a session number, as an operator sends it.
    #[arg(value_name = "LINK")]
    pub(super) link: Option<String>,
    /// One folder for configuration and state, instead of the XDG folders.
    #[arg(long, value_name = "DIR")]
    pub(super) profile: Option<PathBuf>,
    /// The organisation's signed file; by default /etc/tasuki/tenant.json, then the configuration
    /// folder's.
    #[arg(long, value_name = "FILE")]
    pub(super) tenant: Option<PathBuf>,
    /// The language: en or ja. By default as chosen last, then that of LC_ALL, LC_MESSAGES or LANG.
    #[arg(long, value_name = "LANG")]
    pub(super) lang: Option<String>,
    /// What is logged on standard error, e.g. info or tasuki_peer=debug.
    #[arg(long, value_name = "FILTER")]
    pub(super) log: Option<String>,
    /// Made-up states without a server, beginning with this one or the first; F6 shows the next.
    #[arg(long, value_name = "STATE", num_args = 0..=1, default_missing_value = "")]
    pub(super) mock: Option<String>,
}

const MANUAL: Manual = Manual {
    about: "サポートを受ける人のウィンドウ",
    after: "\
リンク（tasuki://join/...）は番号を記入するだけで、ほかには何もしません。同意できるのは、このコンピュータの
前にいる人のクリックかキーだけです。オプション、変数、ファイル、リンク、ほかのプログラムでは同意できません。

Ctrl+Alt+Shift+E を押すと、どのウィンドウを使っていてもセッションをすぐに終了します。

ファイル: /etc/tasuki/tenant.json または $XDG_CONFIG_HOME/tasuki/tenant.json（組織の署名付きファイル）と、
その隣の settings.toml。$XDG_STATE_HOME/tasuki の agent-window.toml（言語と配色）、organisations.toml
（各組織との接続回数）、root.pin。壊れたファイルは別名で残します。

終了コード: 0 ウィンドウを閉じた、1 システム、2 使い方、3 設定、10 画面なし、11 画面使用不可、
23 プロファイル使用不可。",
    words: &[&[
        ("--link", "オペレータから届いた、番号入りのリンク"),
        ("--profile", "XDG の各フォルダーの代わりに、設定と状態を置く一つのフォルダー"),
        (
            "--tenant",
            "組織の署名付きファイル。指定しなければ /etc/tasuki/tenant.json、次に設定フォルダーのもの",
        ),
        ("--lang", "表示する言語: en または ja。指定しなければ前回選んだもの、次に LC_ALL、LC_MESSAGES、LANG"),
        ("--log", "標準エラー出力に記録する内容（例: info、tasuki_peer=debug）"),
        ("--mock", "サーバーなしで見本の画面を表示します（この画面から、または最初から）。F6 で次へ"),
    ]],
};

/// # Errors
/// Help or a complaint was told, and this is what the program exits with.
pub(super) fn read() -> Result<Options, ExitCode> {
    surface::options(&MANUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s100_each_option_is_told_in_both_languages() {
        assert_eq!(MANUAL.faults::<Options>(), Vec::<String>::new());
    }
}
