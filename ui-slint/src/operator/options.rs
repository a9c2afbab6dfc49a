//! What `tasuki-operator` is told when it starts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tasuki_peer::programs::surface::{self, Manual};

const AFTER_HELP: &str = "\
Files: tenant.json (the signed file of your organisation) and settings.toml (tenant, lang, path, proxy,
log) in $XDG_CONFIG_HOME/tasuki; in $XDG_STATE_HOME/tasuki: operator-window.json (what is chosen in the
window), sessions.jsonl (your history), device.key, sign-in.json, root.pin, receipts/. Damaged ones are
kept aside. Pictures of customers' screens go to your pictures folder, or as chosen in the window.
Environment: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG, DISPLAY,
WAYLAND_DISPLAY; HTTPS_PROXY, ALL_PROXY and NO_PROXY where the proxy is auto.

Exit codes: 0 closed, 1 system, 2 usage, 3 setting, 10 no display, 11 display unusable, 23 profile
unusable.";

/// The operator's window for support sessions.
#[derive(Debug, Parser)]
#[command(name = "tasuki-operator", version, after_help = AFTER_HELP)]
pub(super) struct Options {
    /// One folder for configuration and state, instead of the XDG folders.
    #[arg(long, value_name = "DIR")]
    pub(super) profile: Option<PathBuf>,
    /// The organisation's signed file.
    #[arg(long, value_name = "FILE")]
    pub(super) tenant: Option<PathBuf>,
    /// Which paths may carry a session: auto, direct or relayed.
    #[arg(long, value_name = "PATH")]
    pub(super) path: Option<String>,
    /// The HTTP proxy: auto, none, or http://HOST:PORT.
    #[arg(long, value_name = "PROXY")]
    pub(super) proxy: Option<String>,
    /// The language: en or ja.
    #[arg(long, value_name = "LANG")]
    pub(super) lang: Option<String>,
    /// What is logged on standard error, e.g. info.
    #[arg(long, value_name = "FILTER")]
    pub(super) log: Option<String>,
    /// Made-up states without a server, beginning with this one or the first; Ctrl with the right and
    /// left arrow walks through them.
    #[arg(long, value_name = "STATE", num_args = 0..=1, default_missing_value = "")]
    pub(super) mock: Option<String>,
}

const MANUAL: Manual = Manual {
    about: "サポートセッションを行うオペレータのウィンドウ",
    after: "\
ファイル: $XDG_CONFIG_HOME/tasuki の tenant.json（組織の署名付きファイル）と settings.toml（tenant, lang,
path, proxy, log）。$XDG_STATE_HOME/tasuki の operator-window.json（ウィンドウで選んだ設定）、
sessions.jsonl（履歴）、device.key、sign-in.json、root.pin、receipts/。壊れたファイルは別名で残します。
相手の画面の画像は、ピクチャフォルダーまたはウィンドウで選んだフォルダーに保存します。
環境変数: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG, DISPLAY,
WAYLAND_DISPLAY。プロキシが auto のときは HTTPS_PROXY, ALL_PROXY, NO_PROXY。

終了コード: 0 ウィンドウを閉じた、1 システム、2 使い方、3 設定、10 画面なし、11 画面使用不可、
23 プロファイル使用不可。",
    words: &[&[
        ("--profile", "XDG の各フォルダーの代わりに、設定と状態を置く一つのフォルダー"),
        ("--tenant", "組織の署名付きファイル"),
        ("--path", "セッションに使う経路: auto、direct、relayed"),
        ("--proxy", "HTTP プロキシ: auto、none、http://HOST:PORT"),
        ("--lang", "表示する言語: en または ja"),
        ("--log", "標準エラー出力に記録する内容（例: info）"),
        (
            "--mock",
            "サーバーなしで見本の画面を表示します（この画面から、または最初から）。Ctrl と左右の矢印キーで切り替えます",
        ),
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
