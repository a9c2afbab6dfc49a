//! The project's own hardening check (S75, S77): what a default installation passes, and what
//! a setting or a unit file has softened.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{Config, Metering};
use super::doctor::{Grade, Seen};

/// What a unit file must say; `signaling/dist/tasuki-server.service` says it.
pub const DIRECTIVES: [&str; 16] = [
    "User=tasuki",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "RestrictSUIDSGID=yes",
    "RestrictNamespaces=yes",
    "MemoryDenyWriteExecute=yes",
    "LimitCORE=0",
    "UMask=0077",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallFilter=@system-service",
];

/// What `tasuki-admin init` makes, on the administrator's own computer.
const VAULT: &str = "vault.json";

/// Where the install guide puts the unit.
pub(crate) const UNIT: &str = "/etc/systemd/system/tasuki-server.service";

pub(crate) fn harden(data: &Path, config: &Config, unit: &Path) -> Vec<Seen> {
    vec![
        passwords(config),
        lock(config),
        guesses(config),
        strangers(config),
        metrics(config),
        user(data),
        administrators_keys(data),
        directives(unit),
    ]
}

fn graded(code: &'static str, is_well: bool, well: (&str, &str), ill: (&str, &str)) -> Seen {
    let (grade, (english, japanese)) = if is_well { (Grade::Well, well) } else { (Grade::Ill, ill) };
    Seen::new(code, grade, english, japanese)
}

fn passwords(config: &Config) -> Seen {
    let (cost, least) = (config.accounts.cost, Config::default().accounts.cost);
    graded(
        "H01",
        cost.memory_kib >= least.memory_kib && cost.passes >= least.passes,
        ("Passwords cost a thief their full price.", "パスワードの計算コストは既定以上です。"),
        (
            "Passwords are cheaper to guess than by default: remove password_memory_kib and password_passes.",
            "パスワードの計算コストが既定より低くなっています。password_memory_kib と password_passes を取り除いてください。",
        ),
    )
}

fn lock(config: &Config) -> Seen {
    let rules = &config.accounts;
    graded(
        "H02",
        rules.lock_after <= 10 && rules.lock_for >= Duration::from_secs(60),
        ("Failed logins suspend an account.", "ログインの失敗でアカウントは一時停止します。"),
        (
            "Failed logins hardly suspend an account: lower lock_after to 10 or less and raise lock_s to 60 or more.",
            "ログイン失敗による停止が緩すぎます。lock_after を 10 以下、lock_s を 60 以上にしてください。",
        ),
    )
}

fn guesses(config: &Config) -> Seen {
    let limits = config.rooms.guesses;
    graded(
        "H03",
        limits.per_address <= 100 && limits.overall <= 1000,
        ("Tries at session numbers are limited.", "番号の試行回数は制限されています。"),
        (
            "Tries at session numbers are hardly limited: lower joins_per_address and joins_per_minute.",
            "番号の試行制限が緩すぎます。joins_per_address と joins_per_minute を下げてください。",
        ),
    )
}

fn strangers(config: &Config) -> Seen {
    graded(
        "H09",
        config.accounts.wrong_per_address <= 100,
        (
            "Wrong logins of strangers are limited by address.",
            "未承認の端末によるログインの失敗は、アドレスごとに制限されています。",
        ),
        (
            "One address can suspend many accounts for new devices: lower wrong_logins_per_address to 100 or less.",
            "一つのアドレスから多くのアカウントを新しい端末に対して停止できます。wrong_logins_per_address を 100 以下にしてください。",
        ),
    )
}

fn metrics(config: &Config) -> Seen {
    let is_closed = match config.metrics {
        Metering::Off => true,
        Metering::At(address) => address.ip().is_loopback(),
    };
    graded(
        "H04",
        is_closed,
        ("Metrics are not offered to the network.", "メトリクスはネットワークに公開されていません。"),
        (
            "Metrics are offered to the network without encryption: set metrics to a loopback address.",
            "メトリクスが暗号化なしでネットワークに公開されています。metrics をループバックにしてください。",
        ),
    )
}

fn user(data: &Path) -> Seen {
    let owner = std::fs::metadata(data).map_or(0, |found| found.uid());
    graded(
        "H05",
        owner != 0,
        (
            "The server's folder belongs to a user of its own.",
            "サーバーのフォルダは専用の利用者のものです。",
        ),
        (
            "The server's folder belongs to root: give it to a user of its own, and run the server as that user.",
            "サーバーのフォルダの所有者が root です。専用の利用者に渡し、その利用者で実行してください。",
        ),
    )
}

/// Whoever breaks in here must not find what could name an operator or open the log.
fn administrators_keys(data: &Path) -> Seen {
    let vault = data.join(VAULT);
    if !vault.exists() {
        return Seen::new(
            "H06",
            Grade::Well,
            "The organisation's own keys are not in the server's folder.",
            "組織の鍵はサーバーのフォルダにありません。",
        );
    }
    let vault = vault.display();
    Seen::new(
        "H06",
        Grade::Ill,
        format!("{vault} holds the organisation's own keys: move it to the administrator's computer."),
        format!("{vault} に組織の鍵があります。管理者のコンピュータに移してください。"),
    )
}

fn directives(unit: &Path) -> Seen {
    let shown = unit.display();
    let Ok(text) = with_drop_ins(unit) else {
        return Seen::new(
            "H07",
            Grade::Warning,
            format!(
                "There is no {shown}: install the unit of the install guide, or confine the server otherwise."
            ),
            format!(
                "{shown} がありません。導入手引きのユニットを入れるか、他の方法で隔離してください。"
            ),
        );
    };
    let lacks = missing_directives(&text).join(", ");
    if lacks.is_empty() {
        return Seen::new(
            "H07",
            Grade::Well,
            "The unit confines the server.",
            "ユニットはサーバーを隔離しています。",
        );
    }
    Seen::new(
        "H07",
        Grade::Ill,
        format!("{shown} lacks {lacks}: take over the unit of the install guide."),
        format!("{shown} に {lacks} がありません。導入手引きのユニットに合わせてください。"),
    )
}

/// A unit, and behind it what is laid over it, in the order of the names (systemd.unit(5)).
fn with_drop_ins(unit: &Path) -> std::io::Result<String> {
    let mut text = std::fs::read_to_string(unit)?;
    let mut folder = unit.as_os_str().to_owned();
    folder.push(".d");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "conf"));
    files.sort();
    for file in files {
        text.push('\n');
        text.push_str(&std::fs::read_to_string(file)?);
    }
    Ok(text)
}

/// Those of [`DIRECTIVES`] that a unit does not say, or takes back in another line.
pub fn missing_directives(unit: &str) -> Vec<&'static str> {
    let says = |directive: &&str| {
        let key = directive.split_inclusive('=').next().unwrap_or(directive);
        let mut lines = unit.lines().map(str::trim).filter(|line| line.starts_with(key)).peekable();
        lines.peek().is_some() && lines.all(|line| line == *directive)
    };
    DIRECTIVES.iter().copied().filter(|directive| !says(directive)).collect()
}
