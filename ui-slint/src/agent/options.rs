//! What `tasuki-agent` is told when it starts. No option consents or names a server (T2, T70).

use std::process::ExitCode;

use clap::Parser;
use tasuki_peer::programs::surface::{self, Manual};

use crate::options::{self, Common};

const AFTER_HELP: &str = "\
A link (tasuki://join/...) fills the number in and does nothing else. Consent is a click or a key of a
person at this computer; nothing else consents: no flag, variable, file, link or other program.

Ctrl+Alt+Shift+E ends a session at once, wherever the focus is.

Files: /etc/tasuki/tenant.json or $XDG_CONFIG_HOME/tasuki/tenant.json (the signed file of your
organisation), settings.toml beside it; in $XDG_STATE_HOME/tasuki: agent-window.toml (language and
colours), organisations.toml (how often each saw this screen), root.pin. Damaged ones are kept aside.";

/// The end user's window for a support session.
#[derive(Debug, Parser)]
#[command(name = "tasuki-agent", version, after_help = options::after(AFTER_HELP))]
pub(super) struct Options {
    /// A link with a session number, as an operator sends it.
    #[arg(value_name = "LINK")]
    pub(super) link: Option<String>,
    #[command(flatten)]
    pub(super) common: Common,
    /// Made-up states without a server, beginning with this one or the first; F6 shows the next, Shift+F6 the one
    /// before.
    #[arg(long, value_name = "STATE", num_args = 0..=1, default_missing_value = "")]
    pub(super) mock: Option<String>,
}

const MANUAL: Manual = options::manual!(
    "サポートを受ける人のウィンドウ",
    "\
リンク（tasuki://join/...）は番号を記入するだけで、ほかには何もしません。同意できるのは、このコンピュータの
前にいる人のクリックかキーだけです。オプション、変数、ファイル、リンク、ほかのプログラムでは同意できません。

Ctrl+Alt+Shift+E を押すと、どのウィンドウを使っていてもセッションをすぐに終了します。

ファイル: /etc/tasuki/tenant.json または $XDG_CONFIG_HOME/tasuki/tenant.json（組織の署名付きファイル）と、
その隣の settings.toml。$XDG_STATE_HOME/tasuki の agent-window.toml（言語と配色）、organisations.toml
（各組織がこの画面を見た回数）、root.pin。壊れたファイルは別名で残します。",
    &[
        ("--link", "オペレータから届いた、番号入りのリンク"),
        (
            "--mock",
            "サーバーなしで見本の画面を表示します（この画面から、または最初から）。F6 で次へ、Shift+F6 で前へ",
        ),
    ]
);

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
