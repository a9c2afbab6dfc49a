//! `tasuki-server doctor`: looks at everything around a server, and says of each thing in one
//! sentence whether it is well and what to do.
//!
//! It changes nothing, and looks while the server runs as well as while it does not.

use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse;

use super::certificate::{self, Facts as Certified};
use super::clock;
use super::config::Config;
use super::fault::{Fault, Language};
use super::folder::{DATABASE, FACTS, Facts};
use super::health::{LEAST_FREE, free_bytes};
use super::store::{Condition, Store};

const WARN_DAYS: i64 = 30;
/// Who comes once in two months has the next one then.
const BUNDLE_WARN_DAYS: i64 = 60;
const DAY_S: i64 = 24 * 3600;
/// 1 January 2026: a clock before it is wrong.
const NO_EARLIER: i64 = 1_767_225_600;
const MIB: u64 = 1024 * 1024;
/// Without these the server does not start.
const NEEDED: [&str; 6] =
    ["manifest.key", "checkpoint.key", "ticket.key", "pepper.key", "names.key", "server.key"];
/// Nobody else may read these, where they are.
const SECRET: [&str; 2] = ["ca.key", DATABASE];

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    Well,
    /// Works, and could be better.
    Warning,
    /// Does not work, or is not safe.
    Ill,
}

/// One thing that was looked at, under a code that stays the same: `Dnn` of the installation,
/// `Hnn` of its hardening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) code: &'static str,
    pub(crate) grade: Grade,
    english: String,
    japanese: String,
}

impl Seen {
    pub(crate) fn new(
        code: &'static str,
        grade: Grade,
        english: impl Into<String>,
        japanese: impl Into<String>,
    ) -> Self {
        Self { code, grade, english: english.into(), japanese: japanese.into() }
    }

    pub(crate) fn sentence(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::Japanese => &self.japanese,
        }
    }
}

/// Looks at the folder `data` and at what its server needs.
pub(crate) async fn examine(data: &Path, config: &Config) -> Vec<Seen> {
    let Some(facts) = facts_of(data) else {
        let data = data.display();
        return vec![Seen::new(
            "D01",
            Grade::Ill,
            format!(
                "There is no server in {data}: run `tasuki-server setup --data {data} --host NAME`."
            ),
            format!(
                "{data} にサーバーがありません。`tasuki-server setup --data {data} --host NAME` を実行してください。"
            ),
        )];
    };
    let organisation = &facts.organisation;
    let mut seen = vec![Seen::new(
        "D01",
        Grade::Well,
        format!("The folder is the server's of {organisation}."),
        format!("{organisation} のサーバーのフォルダです。"),
    )];
    seen.push(rights(data));
    seen.push(owners(data));
    seen.push(keys(data));
    seen.extend(certificates(data, &facts.host));
    seen.push(database(data).await);
    seen.push(disk(data));
    seen.push(time());
    seen.push(port(config, &facts));
    seen.extend(authority(config, &facts));
    seen.extend(Store::bundle_in(&data.join(DATABASE)).await.map(|bundle| bundle_holds(&bundle)));
    seen
}

fn facts_of(data: &Path) -> Option<Facts> {
    let facts = std::fs::read(data.join(FACTS)).ok()?;
    dsse::strict_json::<Facts>(&facts).ok()
}

/// On which port the server of `data` is to listen.
pub(super) fn own_port(data: &Path, config: &Config) -> Option<u16> {
    facts_of(data).map(|facts| listens_on(config, &facts))
}

fn rights(data: &Path) -> Seen {
    let is_open = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    };
    let files = NEEDED.iter().chain(&SECRET).map(|name| data.join(name));
    let open: Vec<String> = std::iter::once(data.to_owned())
        .chain(files)
        .filter(is_open)
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        return Seen::new(
            "D02",
            Grade::Well,
            "Folder, keys and database are closed to other users.",
            "フォルダ、鍵、データベースは他の利用者に閉じられています。",
        );
    }
    let open = open.join(" ");
    Seen::new(
        "D02",
        Grade::Ill,
        format!("Other users can read what is secret: run `chmod go= {open}`."),
        format!("他の利用者が秘密のファイルを読めます。`chmod go= {open}` を実行してください。"),
    )
}

fn owners(data: &Path) -> Seen {
    let owner = |path: &Path| std::fs::metadata(path).map(|found| found.uid()).ok();
    let folder = owner(data);
    let all = NEEDED.iter().chain(&SECRET).map(|name| data.join(name));
    let foreign = all.into_iter().find(|path| owner(path).is_some_and(|uid| Some(uid) != folder));
    match foreign {
        None => Seen::new(
            "D03",
            Grade::Well,
            "All files belong to the folder's owner.",
            "すべてのファイルの所有者はフォルダと同じです。",
        ),
        Some(path) => Seen::new(
            "D03",
            Grade::Ill,
            format!("{} belongs to another user than its folder: `chown` it.", path.display()),
            format!("{} の所有者がフォルダと異なります。`chown` で揃えてください。", path.display()),
        ),
    }
}

fn keys(data: &Path) -> Seen {
    match NEEDED.iter().map(|name| data.join(name)).find(|path| !path.exists()) {
        None => Seen::new("D04", Grade::Well, "All keys are here.", "鍵はすべて揃っています。"),
        Some(path) => Seen::new(
            "D04",
            Grade::Ill,
            format!("{} is missing: put back the one from your backup.", path.display()),
            format!("{} がありません。バックアップから戻してください。", path.display()),
        ),
    }
}

fn certificates(data: &Path, host: &str) -> Vec<Seen> {
    let pem = std::fs::read(data.join("server.crt")).unwrap_or_default();
    let Some(facts) = certificate::facts(&pem) else {
        return vec![Seen::new(
            "D05",
            Grade::Ill,
            "server.crt cannot be read: put back the one from your backup.",
            "server.crt を読めません。バックアップから戻してください。",
        )];
    };
    let name = if certificate::is_for(&facts, host) {
        Seen::new(
            "D06",
            Grade::Well,
            format!("The certificate is for {host}. The SHA-256 of its public key: {}", facts.pin),
            format!("証明書は {host} のものです。公開鍵の SHA-256: {}", facts.pin),
        )
    } else {
        Seen::new(
            "D06",
            Grade::Ill,
            format!(
                "The certificate is not for {host}, by which the bundle names this server: get one that is."
            ),
            format!(
                "証明書が、配布ファイルにある名前 {host} のものではありません。取り直してください。"
            ),
        )
    };
    vec![dates(&facts), name]
}

fn dates(facts: &Certified) -> Seen {
    let now = clock::unix_row();
    let days = (facts.ends - now) / DAY_S;
    if now < facts.begins || now >= facts.ends {
        return Seen::new(
            "D05",
            Grade::Ill,
            "The certificate does not hold today: renew it, and check the clock.",
            "証明書は今日は有効ではありません。更新し、時計も確認してください。",
        );
    }
    let grade = if days < WARN_DAYS { Grade::Warning } else { Grade::Well };
    Seen::new(
        "D05",
        grade,
        format!("The certificate holds for {days} more days."),
        format!("証明書の残りは {days} 日です。"),
    )
}

/// What every program has from the administrator: past its end all of them stop.
fn bundle_holds(bundle: &Bundle) -> Seen {
    let left = i64::try_from(bundle.expires_at).unwrap_or(i64::MAX).saturating_sub(clock::unix_row());
    let days = left / DAY_S;
    if left <= 0 {
        return Seen::new(
            "D12",
            Grade::Ill,
            "The organisation's bundle (tenant.json) is past its end, and no program takes it: an administrator \
             runs `tasuki-admin key renew` now. Programs fetch the new one by themselves.",
            "組織の構成ファイル（tenant.json）の期限が切れており、どのプログラムも受け付けません。管理者が今すぐ \
             `tasuki-admin key renew` を実行してください。各プログラムは新しいものを自動的に受け取ります。",
        );
    }
    if days < BUNDLE_WARN_DAYS {
        return Seen::new(
            "D12",
            Grade::Warning,
            format!(
                "The organisation's bundle (tenant.json) holds for {days} more days: an administrator runs \
                 `tasuki-admin key renew` before that, early enough for whoever comes seldom."
            ),
            format!(
                "組織の構成ファイル（tenant.json）の残りは {days} 日です。それまでに（まれにしか接続しない人のため早めに）\
                 管理者が `tasuki-admin key renew` を実行してください。"
            ),
        );
    }
    Seen::new(
        "D12",
        Grade::Well,
        format!("The organisation's bundle holds for {days} more days."),
        format!("組織の構成ファイルの残りは {days} 日です。"),
    )
}

async fn database(data: &Path) -> Seen {
    let file = data.join(DATABASE);
    let ill = |fault: Fault| {
        let japanese = fault.sentence(Language::Japanese);
        Seen::new("D07", Grade::Ill, fault.to_string(), japanese)
    };
    match Store::examine(&file).await {
        Condition::Sound => {
            Seen::new("D07", Grade::Well, "The database is sound.", "データベースは正常です。")
        }
        Condition::Damaged => ill(Fault::DatabaseDamaged(file)),
        Condition::LedgerCut => ill(Fault::LedgerCut(file)),
    }
}

fn disk(data: &Path) -> Seen {
    let free = free_bytes(data).unwrap_or(0);
    let (grade, mib) = (free / LEAST_FREE, free / MIB);
    let grade = match grade {
        0 => Grade::Ill,
        1..16 => Grade::Warning,
        _ => Grade::Well,
    };
    Seen::new(
        "D08",
        grade,
        format!("{mib} MiB are free where the data is (at least 64 are needed, 1024 are comfortable)."),
        format!("データの領域の空きは {mib} MiB です（最低 64、推奨 1024）。"),
    )
}

fn time() -> Seen {
    if clock::unix_row() < NO_EARLIER {
        return Seen::new(
            "D09",
            Grade::Ill,
            "The clock is wrong: synchronise it (`timedatectl set-ntp true`).",
            "時計が狂っています。同期してください（`timedatectl set-ntp true`）。",
        );
    }
    Seen::new("D09", Grade::Well, "The clock is plausible.", "時計は妥当です。")
}

/// Where an authority comes to see whose name it is (RFC 8737 §3).
const AUTHORITYS_PORT: u16 = 443;

fn listens_on(config: &Config, server: &Facts) -> u16 {
    config.listen.map_or(server.port, |address| address.port())
}

fn authority(config: &Config, server: &Facts) -> Option<Seen> {
    config.acme.directory.as_ref()?;
    let port = listens_on(config, server);
    let host = &server.host;
    Some(if port == AUTHORITYS_PORT {
        Seen::new(
            "D11",
            Grade::Well,
            format!("The authority of `acme` finds this server on port 443 of {host}."),
            format!("`acme` の認証局は {host} のポート 443 でこのサーバーを確認できます。"),
        )
    } else {
        Seen::new(
            "D11",
            Grade::Warning,
            format!(
                "The authority of `acme` comes to port 443 of {host}, and this server listens on {port}: \
                 forward 443 to it, or no certificate comes."
            ),
            format!(
                "`acme` の認証局は {host} のポート 443 に接続しますが、このサーバーはポート {port} で待ち受けています。\
                 443 をこのポートに転送しないと証明書は発行されません。"
            ),
        )
    })
}

/// Either the server answers there, or its port is free for it.
fn port(config: &Config, server: &Facts) -> Seen {
    let port = listens_on(config, server);
    let address = config.listen.unwrap_or_else(|| ([0, 0, 0, 0], port).into());
    if TcpListener::bind(address).is_ok() {
        return Seen::new(
            "D10",
            Grade::Warning,
            format!("Nothing listens on port {port}: start the server."),
            format!("ポート {port} で待ち受けていません。サーバーを起動してください。"),
        );
    }
    let reached = (server.host.as_str(), server.port).to_socket_addrs().is_ok_and(|mut all| {
        all.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok())
    });
    let name = format!("{}:{}", server.host, server.port);
    if reached {
        return Seen::new(
            "D10",
            Grade::Well,
            format!("{name} can be reached from here."),
            format!("{name} に接続できます。"),
        );
    }
    Seen::new(
        "D10",
        Grade::Warning,
        format!("{name} cannot be reached from here: check name, firewall and --listen."),
        format!(
            "ここから {name} に接続できません。名前、ファイアウォール、--listen を確認してください。"
        ),
    )
}
