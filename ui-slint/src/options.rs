//! What both windows are told when they start, and say of themselves when they are asked.
//!
//! Decides what is one for both. What one of them alone is told stands beside it.

use std::path::PathBuf;

use clap::Args;
use tasuki_peer::programs::surface::Words;

/// Options of both windows.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// One folder for configuration and state, instead of the XDG folders.
    #[arg(long, value_name = "DIR")]
    pub(crate) profile: Option<PathBuf>,
    /// The organisation's signed file; by default /etc/tasuki/tenant.json, then the configuration
    /// folder's.
    #[arg(long, value_name = "FILE")]
    pub(crate) tenant: Option<PathBuf>,
    /// The language: en or ja. By default as chosen last, then that of LC_ALL, LC_MESSAGES or LANG.
    #[arg(long, value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// What is logged on standard error, e.g. info or tasuki_peer=debug.
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

pub(crate) const COMMON: Words = &[
    ("--profile", "XDG の各フォルダーの代わりに、設定と状態を置く一つのフォルダー"),
    (
        "--tenant",
        "組織の署名付きファイル。指定しなければ /etc/tasuki/tenant.json、次に設定フォルダーのもの",
    ),
    (
        "--lang",
        "表示する言語: en または ja。指定しなければ前回選んだもの、次に LC_ALL、LC_MESSAGES、LANG",
    ),
    ("--log", "標準エラー出力に記録する内容（例: info、tasuki_peer=debug）"),
];

/// The end of what a window says of itself, in English.
pub(crate) fn after(own: &str) -> String {
    format!("{own}\n\n{EXIT_CODES}")
}

const EXIT_CODES: &str = "\
Exit codes: 0 closed, 1 system, 2 usage, 3 setting, 10 no display, 11 display unusable, 23 profile
unusable.";

/// A window's manual in Japanese: its purpose, its own end, and the words of its own options.
macro_rules! manual {
    ($about:literal, $after:literal, $words:expr) => {
        tasuki_peer::programs::surface::Manual {
            about: $about,
            after: concat!(
                $after,
                "\n\n終了コード: 0 ウィンドウを閉じた、1 システム、2 使い方、3 設定、10 画面なし、11 画面使用不可、\n\
                 23 プロファイル使用不可。"
            ),
            words: &[$words, $crate::options::COMMON],
        }
    };
}
pub(crate) use manual;
