//! Why the server does not start or set up: one sentence each that says what to
//! do, and an exit code of its own.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::acme_fault::AcmeFault;
use super::backup_fault::BackupFault;
use super::pair_fault::NotAPair;

/// In which language the program speaks. S100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    #[value(name = "en")]
    English,
    #[value(name = "ja")]
    Japanese,
}

impl Language {
    /// As `LC_ALL`, `LC_MESSAGES` and `LANG`, the first that is set, say.
    pub fn of_locale(locale: Option<&str>) -> Self {
        let japanese = locale.is_some_and(|locale| locale.starts_with("ja"));
        if japanese { Self::Japanese } else { Self::English }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("There is no server in {0}. Run `tasuki-server setup --data {0} --host NAME` first.")]
    NotSetUp(PathBuf),
    #[error("The set-up of {0} did not finish. Run `tasuki-server setup` on it again.")]
    SetUpInterrupted(PathBuf),
    #[error(
        "{0} holds a server already. Use `tasuki-server run --data {0}`, or choose another folder."
    )]
    AlreadySetUp(PathBuf),
    #[error("{0} holds files that are not a server's. Choose an empty folder.")]
    FolderNotEmpty(PathBuf),
    #[error("Another server is using {0}. Stop it first, or choose another folder.")]
    FolderInUse(PathBuf),
    #[error("The key file {0} is missing or damaged. Put back the one from your backup.")]
    KeyDamaged(PathBuf),
    #[error("{path} cannot be read or written ({}). Check who owns it and its rights.", kind_in_english(*.kind))]
    Unreadable { path: PathBuf, kind: ErrorKind },
    #[error("The database {0} is damaged or not a server's. Put back the one from your backup.")]
    DatabaseDamaged(PathBuf),
    #[error(
        "The ledger in {0} lacks its newest records: somebody altered the file, or the disk lost them. Keep a copy of the folder as evidence, then put back the database from your backup."
    )]
    LedgerCut(PathBuf),
    #[error("The database {0} is of a newer version of this program. Run that version again.")]
    DatabaseNewer(PathBuf),
    #[error(
        "The certificate {cert} or its key {key} is missing or damaged, or the key is another's. Put back both from your backup, or give two that belong together."
    )]
    CertificateUnusable { cert: PathBuf, key: PathBuf },
    #[error("{0}")]
    NotAPair(NotAPair),
    #[error(
        "The certificate is your own, so none is made in its place. Put a new pair beside it as server.next.crt and server.next.key."
    )]
    OwnCertificate,
    #[error(
        "The certificate {0} is not for {1}, or does not hold today. Give one that is for this host and holds, or another --host."
    )]
    CertificateElsewhere(PathBuf, String),
    #[error("{0} is taken by another program. Stop it, or choose another address with --listen.")]
    AddressTaken(SocketAddr),
    #[error("This machine cannot listen on {address} ({kind}). {}", instead_in_english(*address, *kind))]
    CannotListen { address: SocketAddr, kind: ErrorKind },
    #[error("The setting {key} cannot be {value:?}: {expected}.")]
    Setting { key: String, value: String, expected: &'static str },
    #[error("There is no setting {0:?}. `tasuki-server config` lists them all.")]
    UnknownSetting(String),
    #[error(
        "{file} is no valid TOML{}. Correct it, or remove it to go back to the defaults.",
        line.map(|line| format!(" (line {line})")).unwrap_or_default()
    )]
    ConfigFile { file: PathBuf, line: Option<usize> },
    #[error(
        "{0:?} cannot be the server's host name. Give a DNS name, without https:// and without a path, or an IP address; a name in Japanese as it is written in DNS (xn--...)."
    )]
    HostName(String),
    #[error(transparent)]
    Acme(#[from] AcmeFault),
    #[error(
        "{0:?} cannot be shown as an organisation's name: 1 to 40 plain characters, each word in one script."
    )]
    Organisation(String),
    #[error(transparent)]
    Backup(#[from] BackupFault),
    #[error(
        "The organisation of {0} has no keys yet, so there are none to recover. Run `tasuki-admin init` with the token that `setup` printed; if that is lost, stop the server, remove {0} and run `tasuki-server setup` again."
    )]
    NothingToRecover(PathBuf),
    #[error("What needs care: {0}. Each line marked ILL says what to do.")]
    Ill(usize),
    #[error("The system gives no random numbers. Check that the kernel's generator works.")]
    NoRandomness,
}

impl Fault {
    /// The process's exit code. Documented in `--help`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotSetUp(_) => 3,
            Self::SetUpInterrupted(_) => 4,
            Self::AlreadySetUp(_) | Self::FolderNotEmpty(_) => 5,
            Self::FolderInUse(_) => 6,
            Self::KeyDamaged(_)
            | Self::CertificateUnusable { .. }
            | Self::NotAPair(_)
            | Self::OwnCertificate
            | Self::CertificateElsewhere(..) => 7,
            Self::DatabaseDamaged(_) | Self::LedgerCut(_) | Self::DatabaseNewer(_) => 8,
            Self::AddressTaken(_) | Self::CannotListen { .. } => 9,
            Self::Setting { .. }
            | Self::UnknownSetting(_)
            | Self::ConfigFile { .. }
            | Self::HostName(_)
            | Self::Acme(_)
            | Self::Organisation(_) => 10,
            Self::Unreadable { .. } => 11,
            Self::Ill(_) => 12,
            Self::NothingToRecover(_) => 16,
            Self::Backup(fault) => fault.exit_code(),
            Self::NoRandomness => 1,
        }
    }

    /// What to tell the person at the terminal.
    pub fn sentence(&self, language: Language) -> String {
        match language {
            Language::English => self.to_string(),
            Language::Japanese => self.japanese().unwrap_or_else(|| self.to_string()),
        }
    }

    fn japanese(&self) -> Option<String> {
        self.of_folder_in_japanese().or_else(|| self.of_order_in_japanese())
    }

    fn of_folder_in_japanese(&self) -> Option<String> {
        Some(match self {
            Self::NotSetUp(p) => {
                let p = p.display();
                format!(
                    "{p} にサーバーがありません。先に `tasuki-server setup --data {p} --host NAME` を実行してください。"
                )
            }
            Self::SetUpInterrupted(p) => {
                let p = p.display();
                format!(
                    "{p} の初期設定が途中で終わっています。もう一度 `tasuki-server setup` を実行してください。"
                )
            }
            Self::AlreadySetUp(p) => {
                let p = p.display();
                format!(
                    "{p} には既にサーバーがあります。`tasuki-server run --data {p}` を使うか、別のフォルダを選んでください。"
                )
            }
            Self::FolderNotEmpty(p) => {
                let p = p.display();
                format!("{p} にはサーバー以外のファイルがあります。空のフォルダを選んでください。")
            }
            Self::FolderInUse(p) => {
                format!(
                    "{} は別のサーバーが使用中です。先にそれを止めるか、別のフォルダを選んでください。",
                    p.display()
                )
            }
            Self::KeyDamaged(p) => {
                format!(
                    "鍵ファイル {} がないか壊れています。バックアップから戻してください。",
                    p.display()
                )
            }
            Self::Unreadable { .. }
            | Self::DatabaseDamaged(_)
            | Self::LedgerCut(_)
            | Self::DatabaseNewer(_)
            | Self::NothingToRecover(_) => return self.of_database_in_japanese(),
            Self::CertificateUnusable { .. }
            | Self::NotAPair(_)
            | Self::OwnCertificate
            | Self::CertificateElsewhere(..)
            | Self::AddressTaken(_)
            | Self::CannotListen { .. }
            | Self::Setting { .. }
            | Self::UnknownSetting(_)
            | Self::ConfigFile { .. }
            | Self::HostName(_)
            | Self::Acme(_)
            | Self::Organisation(_)
            | Self::Backup(_)
            | Self::Ill(_)
            | Self::NoRandomness => return None,
        })
    }

    fn of_database_in_japanese(&self) -> Option<String> {
        if let Self::Unreadable { path, kind } = self {
            let (path, kind) = (path.display(), kind_in_japanese(*kind));
            return Some(format!(
                "{path} を読み書きできません（{kind}）。所有者と権限を確認してください。"
            ));
        }
        if let Self::DatabaseDamaged(p) = self {
            return Some(format!(
                "データベース {} が壊れているか、サーバーのものではありません。バックアップから戻してください。",
                p.display()
            ));
        }
        if let Self::LedgerCut(p) = self {
            return Some(format!(
                "{} の記録から最新の部分が失われています。書き換えられたか、ディスクの障害です。証拠としてフォルダの写しを取ってから、\
                 データベースをバックアップから戻してください。",
                p.display()
            ));
        }
        if let Self::DatabaseNewer(p) = self {
            return Some(format!(
                "データベース {} は、このプログラムの新しい版のものです。その版を実行してください。",
                p.display()
            ));
        }
        let Self::NothingToRecover(p) = self else { return None };
        Some(format!(
            "{} の組織の鍵はまだないため、復元するものがありません。`setup` が表示したトークンで `tasuki-admin init` を実行してください。",
            p.display()
        ))
    }

    fn of_certificate_in_japanese(&self) -> Option<String> {
        if let Self::NotAPair(why) = self {
            return Some(why.japanese());
        }
        if let Self::OwnCertificate = self {
            return Some("証明書は組織が用意したものなので、代わりは作りません。新しい組を server.next.crt と server.next.key として同じ場所に置いてください。".to_owned());
        }
        if let Self::CertificateElsewhere(cert, host) = self {
            return Some(format!(
                "証明書 {} は {host} のものではないか、今日は有効ではありません。このホストのもので有効なものか、別の --host を指定してください。",
                cert.display()
            ));
        }
        let Self::CertificateUnusable { cert, key } = self else { return None };
        Some(format!(
            "証明書 {} か鍵 {} がないか壊れているか、組になっていません。両方をバックアップから戻すか、組になるものを指定してください。",
            cert.display(),
            key.display()
        ))
    }

    fn of_words_in_japanese(&self) -> Option<String> {
        if let Self::ConfigFile { file, line } = self {
            let (file, line) = (file.display(), line.map(|line| format!("（{line} 行目）")));
            let line = line.unwrap_or_default();
            return Some(format!(
                "{file} は正しい TOML ではありません{line}。直すか、消して既定値に戻してください。"
            ));
        }
        let Self::HostName(name) = self else { return None };
        Some(format!(
            "{name:?} はホスト名に使えません。https:// やパスを除いた DNS 名か IP アドレスを指定してください。日本語の名前は DNS での表記（xn--...）にします。"
        ))
    }

    fn of_order_in_japanese(&self) -> Option<String> {
        Some(match self {
            Self::NotAPair(_)
            | Self::CertificateUnusable { .. }
            | Self::OwnCertificate
            | Self::CertificateElsewhere(..) => return self.of_certificate_in_japanese(),
            Self::AddressTaken(a) => {
                format!(
                    "{a} は別のプログラムが使用中です。それを止めるか、--listen で別のアドレスを選んでください。"
                )
            }
            Self::CannotListen { address, kind } => {
                format!(
                    "{address} で待ち受けできません（{}）。{}",
                    kind_in_japanese(*kind),
                    instead_in_japanese(*address, *kind)
                )
            }
            Self::Setting { key, value, expected } => {
                let expected = super::config_values::in_japanese(expected);
                format!("設定 {key} の値 {value:?} は使えません（{expected}）。")
            }
            Self::UnknownSetting(name) => {
                format!("設定 {name:?} はありません。`tasuki-server config` で一覧できます。")
            }
            Self::ConfigFile { .. } | Self::HostName(_) => return self.of_words_in_japanese(),
            Self::Acme(fault) => fault.japanese(),
            Self::Organisation(name) => {
                format!(
                    "{name:?} は組織名として表示できません。普通の文字で 1 から 40 文字とし、一つの語に異なる種類の文字を混ぜないでください。"
                )
            }
            Self::Backup(fault) => fault.japanese(),
            Self::Ill(count) => {
                format!("対処が必要な項目: {count} 件。ILL の行に方法があります。")
            }
            Self::NoRandomness => {
                "システムから乱数を得られません。カーネルの乱数生成器を確認してください。".to_owned()
            }
            Self::NotSetUp(_)
            | Self::SetUpInterrupted(_)
            | Self::AlreadySetUp(_)
            | Self::FolderNotEmpty(_)
            | Self::FolderInUse(_)
            | Self::KeyDamaged(_)
            | Self::Unreadable { .. }
            | Self::NothingToRecover(_)
            | Self::DatabaseNewer(_)
            | Self::LedgerCut(_)
            | Self::DatabaseDamaged(_) => return None,
        })
    }

    pub(crate) fn unreadable(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Unreadable { path: path.clone(), kind: error.kind() }
    }
}

/// A port that is root's alone, asked for by somebody else.
fn is_roots(address: SocketAddr, kind: ErrorKind) -> bool {
    kind == ErrorKind::PermissionDenied && address.port() < 1024
}

fn instead_in_english(address: SocketAddr, kind: ErrorKind) -> &'static str {
    if is_roots(address, kind) {
        "Ports below 1024 need a right of their own: start it by the unit of the install guide, which gives it, or run `setcap cap_net_bind_service=+ep` on the program once, or choose another with --listen."
    } else {
        "Choose another with --listen."
    }
}

fn instead_in_japanese(address: SocketAddr, kind: ErrorKind) -> &'static str {
    if is_roots(address, kind) {
        "1024 未満のポートには専用の権限が必要です。導入手引きのユニットで起動するか（権限を与えます）、プログラムに一度 `setcap cap_net_bind_service=+ep` を実行するか、--listen で別のポートを選んでください。"
    } else {
        "--listen で別のアドレスを選んでください。"
    }
}

fn kind_in_english(kind: ErrorKind) -> String {
    // In the system's own words it would be "entity not found".
    let is_missing = kind == ErrorKind::NotFound;
    if is_missing { "there is no such file".to_owned() } else { kind.to_string() }
}

/// Why the system did not do it.
pub(super) fn kind_in_japanese(kind: ErrorKind) -> &'static str {
    let known = [
        (ErrorKind::NotFound, "ありません"),
        (ErrorKind::PermissionDenied, "権限がありません"),
        (ErrorKind::AlreadyExists, "既にあります"),
        (ErrorKind::IsADirectory, "フォルダです"),
        (ErrorKind::NotADirectory, "フォルダではありません"),
        (ErrorKind::StorageFull, "空き容量がありません"),
        (ErrorKind::QuotaExceeded, "割り当て容量を使い切りました"),
        (ErrorKind::FileTooLarge, "ファイルの大きさの上限です"),
        (ErrorKind::ReadOnlyFilesystem, "書き込めないディスクです"),
        (ErrorKind::ResourceBusy, "使用中です"),
        (ErrorKind::InvalidData, "内容が正しくありません"),
        (ErrorKind::AddrNotAvailable, "このコンピュータのアドレスではありません"),
    ];
    known.iter().find(|(one, _)| *one == kind).map_or("入出力エラー", |(_, japanese)| japanese)
}

/// The codes of [`Fault::exit_code`], for `--help`.
pub const EXIT_CODES: &str = "Exit codes:
  0  done
  1  the system gives no random numbers
  2  the command line is wrong
  3  the folder is not set up
  4  a set-up of the folder was interrupted
  5  the folder is set up already, or holds something else
  6  another server uses the folder
  7  a key or certificate is damaged
  8  the database is damaged, or a newer version's
  9  the address is taken or cannot be listened on
 10  a setting, host name or organisation's name cannot be used
 11  a file cannot be read or written
 12  `doctor` found something that needs care
 13  a backup or a restore would replace a file
 14  a backup is damaged
 15  a backup is another server's
 16  the organisation has no keys that could be recovered";
