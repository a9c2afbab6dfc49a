//! What `tasuki-operator` is told when it starts.

use std::process::ExitCode;

use clap::Parser;
use tasuki_peer::programs::surface::{self, Manual};

use crate::options::{self, Common};

const AFTER_HELP: &str = "\
Files: tenant.json (the signed file of your organisation) and settings.toml (tenant, lang, path, proxy,
log) in $XDG_CONFIG_HOME/tasuki; in $XDG_STATE_HOME/tasuki: operator-window.json (what is chosen in the
window), sessions.jsonl (your history), device.key, sign-in.json, root.pin, receipts/. Damaged ones are
kept aside. Pictures of customers' screens go to your pictures folder, or as chosen in the window.
Environment: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG, DISPLAY,
WAYLAND_DISPLAY; HTTPS_PROXY, ALL_PROXY and NO_PROXY where the proxy is auto.";

/// The operator's window for support sessions.
#[derive(Debug, Parser)]
#[command(name = "tasuki-operator", version, after_help = options::after(AFTER_HELP))]
pub(super) struct Options {
    /// Which paths may carry a session: auto, direct or relayed.
    #[arg(long, value_name = "PATH")]
    pub(super) path: Option<String>,
    /// The HTTP proxy: auto, none, or http://HOST:PORT.
    #[arg(long, value_name = "PROXY")]
    pub(super) proxy: Option<String>,
    #[command(flatten)]
    pub(super) common: Common,
    /// Made-up states without a server, beginning with this one or the first; F6 shows the next, Shift+F6 the one
    /// before.
    #[arg(long, value_name = "STATE", num_args = 0..=1, default_missing_value = "")]
    pub(super) mock: Option<String>,
}

const MANUAL: Manual = options::manual!(
    "サポートセッションを行うオペレータのウィンドウ",
    "\
ファイル: $XDG_CONFIG_HOME/tasuki の tenant.json（組織の署名付きファイル）と settings.toml（tenant, lang,
path, proxy, log）。$XDG_STATE_HOME/tasuki の operator-window.json（ウィンドウで選んだ設定）、
sessions.jsonl（履歴）、device.key、sign-in.json、root.pin、receipts/。壊れたファイルは別名で残します。
相手の画面の画像は、ピクチャフォルダーまたはウィンドウで選んだフォルダーに保存します。
環境変数: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG, DISPLAY,
WAYLAND_DISPLAY。プロキシが auto のときは HTTPS_PROXY, ALL_PROXY, NO_PROXY。",
    &[
        ("--path", "セッションに使う経路: auto、direct、relayed"),
        ("--proxy", "HTTP プロキシ: auto、none、http://HOST:PORT"),
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
