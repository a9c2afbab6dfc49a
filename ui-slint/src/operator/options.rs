//! What `tasuki-operator` is told when it starts.

use std::path::PathBuf;

use clap::Parser;

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
