//! What can go wrong before the relay serves: an exit code and one plain
//! sentence each, in English and Japanese, that says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The language of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Japanese,
}

impl Language {
    pub(crate) fn say(self, english: &'static str, japanese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Japanese => japanese,
        }
    }
}

/// Why a file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    Missing,
    Forbidden,
    Other,
}

impl From<io::ErrorKind> for Unreadable {
    fn from(kind: io::ErrorKind) -> Self {
        if kind == io::ErrorKind::NotFound {
            return Self::Missing;
        }
        if kind == io::ErrorKind::PermissionDenied {
            return Self::Forbidden;
        }
        Self::Other
    }
}

/// The three files with secrets or proofs in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFile {
    Certificate,
    PrivateKey,
    TicketKey,
}

/// The user's, the file's or the machine's fault; never a stack trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    Usage { detail: String },
    ConfigUnreadable { path: PathBuf, why: Unreadable },
    ConfigDamaged { path: PathBuf, line: usize },
    UnknownSetting { name: String, place: String },
    BadValue { name: &'static str, value: String, place: String, wanted: Wanted },
    MissingSetting { name: &'static str },
    PortTaken { address: SocketAddr },
    CannotListen { address: SocketAddr, why: io::ErrorKind },
    KeyUnreadable { file: KeyFile, path: PathBuf, why: Unreadable },
    KeyDamaged { file: KeyFile, path: PathBuf },
    KeyMismatch { certificate: PathBuf, key: PathBuf },
    System { what: String },
}

/// What a value should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Addresses,
    OwnAddresses,
    Number { least: u64, most: u64 },
    LogFilter,
}

impl Failure {
    /// 1 system, 2 usage, 3 configuration, 4 port taken, 5 keys, 6 cannot listen.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::System { .. } => 1,
            Self::Usage { .. } => 2,
            Self::ConfigUnreadable { .. }
            | Self::ConfigDamaged { .. }
            | Self::UnknownSetting { .. }
            | Self::BadValue { .. }
            | Self::MissingSetting { .. } => 3,
            Self::PortTaken { .. } => 4,
            Self::KeyUnreadable { .. } | Self::KeyDamaged { .. } | Self::KeyMismatch { .. } => 5,
            Self::CannotListen { .. } => 6,
        }
    }

    pub fn sentence(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Japanese => self.japanese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Usage { detail } => {
                format!("The command is not understood ({detail}): see `tasuki-relay --help`.")
            }
            Self::ConfigUnreadable { path, why } => format!(
                "The configuration file {} {}: give the right path with --config.",
                path.display(),
                unreadable_en(*why)
            ),
            Self::ConfigDamaged { path, line } => format!(
                "Line {line} of the configuration file {} is not valid TOML: correct it and start again.",
                path.display()
            ),
            Self::UnknownSetting { name, place } => format!(
                "There is no setting `{name}` ({place}): `tasuki-relay config` lists every setting."
            ),
            Self::BadValue { name, value, place, wanted } => {
                format!("`{name}` cannot be `{value}` ({place}): {}.", wanted_en(*wanted))
            }
            Self::MissingSetting { name } => format!(
                "The setting `{name}` is missing: write it in the file given with --config, or use --{}.",
                name.replace('_', "-")
            ),
            Self::PortTaken { .. }
            | Self::CannotListen { .. }
            | Self::KeyUnreadable { .. }
            | Self::KeyDamaged { .. }
            | Self::KeyMismatch { .. }
            | Self::System { .. } => self.english_of_machine(),
        }
    }

    fn english_of_machine(&self) -> String {
        match self {
            Self::PortTaken { address } => format!(
                "Another program already listens on {address}: stop it, or choose another port."
            ),
            Self::CannotListen { address, why } => format!(
                "This machine does not let the relay listen on {address} ({why}): choose an address \
                 of this machine, and above port 1023 unless it runs as root."
            ),
            Self::KeyUnreadable { file, path, why } => format!(
                "The {} file {} {}: correct the setting `{}` or the file's permissions.",
                key_file_en(*file),
                path.display(),
                unreadable_en(*why),
                key_setting(*file)
            ),
            Self::KeyDamaged { file, path } => format!(
                "The {} file {} is damaged: {}.",
                key_file_en(*file),
                path.display(),
                key_cure_en(*file)
            ),
            Self::KeyMismatch { certificate, key } => format!(
                "The private key {} does not belong to the certificate {}: give the two that were made together.",
                key.display(),
                certificate.display()
            ),
            Self::System { what } => {
                format!(
                    "The system refused something the relay needs ({what}): look at its limits and logs."
                )
            }
            Self::Usage { .. }
            | Self::ConfigUnreadable { .. }
            | Self::ConfigDamaged { .. }
            | Self::UnknownSetting { .. }
            | Self::BadValue { .. }
            | Self::MissingSetting { .. } => self.english(),
        }
    }

    fn japanese(&self) -> String {
        match self {
            Self::Usage { detail } => format!(
                "コマンドの指定が正しくありません({detail})。`tasuki-relay --help` をご覧ください。"
            ),
            Self::ConfigUnreadable { path, why } => format!(
                "設定ファイル {} {}。--config に正しいパスを指定してください。",
                path.display(),
                unreadable_ja(*why)
            ),
            Self::ConfigDamaged { path, line } => format!(
                "設定ファイル {} の {line} 行目が TOML として正しくありません。修正してから起動し直してください。",
                path.display()
            ),
            Self::UnknownSetting { name, place } => format!(
                "設定 `{name}` はありません({place})。`tasuki-relay config` で設定の一覧を確認してください。"
            ),
            Self::BadValue { name, value, place, wanted } => {
                format!("`{name}` に `{value}` は指定できません({place})。{}。", wanted_ja(*wanted))
            }
            Self::MissingSetting { name } => format!(
                "設定 `{name}` がありません。--config のファイルに書くか、--{} で指定してください。",
                name.replace('_', "-")
            ),
            Self::PortTaken { .. }
            | Self::CannotListen { .. }
            | Self::KeyUnreadable { .. }
            | Self::KeyDamaged { .. }
            | Self::KeyMismatch { .. }
            | Self::System { .. } => self.japanese_of_machine(),
        }
    }

    fn japanese_of_machine(&self) -> String {
        match self {
            Self::PortTaken { address } => format!(
                "{address} は別のプログラムが使用中です。そのプログラムを止めるか、別のポートを指定してください。"
            ),
            Self::CannotListen { address, why } => format!(
                "{address} で待ち受けできません({why})。このマシンのアドレスを指定し、root でない場合は 1024 番以上のポートにしてください。"
            ),
            Self::KeyUnreadable { file, path, why } => format!(
                "{}ファイル {} {}。設定 `{}` またはファイルの権限を直してください。",
                key_file_ja(*file),
                path.display(),
                unreadable_ja(*why),
                key_setting(*file)
            ),
            Self::KeyDamaged { file, path } => format!(
                "{}ファイル {} が壊れています。{}。",
                key_file_ja(*file),
                path.display(),
                key_cure_ja(*file)
            ),
            Self::KeyMismatch { certificate, key } => format!(
                "秘密鍵 {} は証明書 {} のものではありません。同時に作られた組を指定してください。",
                key.display(),
                certificate.display()
            ),
            Self::System { what } => format!(
                "中継に必要な機能をシステムが拒否しました({what})。システムの制限とログを確認してください。"
            ),
            Self::Usage { .. }
            | Self::ConfigUnreadable { .. }
            | Self::ConfigDamaged { .. }
            | Self::UnknownSetting { .. }
            | Self::BadValue { .. }
            | Self::MissingSetting { .. } => self.japanese(),
        }
    }
}

fn unreadable_en(why: Unreadable) -> &'static str {
    match why {
        Unreadable::Missing => "does not exist",
        Unreadable::Forbidden => "may not be read by this user",
        Unreadable::Other => "cannot be read",
    }
}

fn unreadable_ja(why: Unreadable) -> &'static str {
    match why {
        Unreadable::Missing => "が見つかりません",
        Unreadable::Forbidden => "を読む権限がありません",
        Unreadable::Other => "を読めません",
    }
}

fn key_file_en(file: KeyFile) -> &'static str {
    match file {
        KeyFile::Certificate => "certificate",
        KeyFile::PrivateKey => "private key",
        KeyFile::TicketKey => "ticket key",
    }
}

fn key_file_ja(file: KeyFile) -> &'static str {
    match file {
        KeyFile::Certificate => "証明書",
        KeyFile::PrivateKey => "秘密鍵",
        KeyFile::TicketKey => "チケット鍵",
    }
}

fn key_setting(file: KeyFile) -> &'static str {
    match file {
        KeyFile::Certificate => "certificate",
        KeyFile::PrivateKey => "key",
        KeyFile::TicketKey => "ticket_key",
    }
}

fn key_cure_en(file: KeyFile) -> &'static str {
    match file {
        KeyFile::Certificate => "it must hold PEM certificates, the relay's own first",
        KeyFile::PrivateKey => "it must hold one private key in PEM",
        KeyFile::TicketKey => {
            "copy it again from the server; it has 32 bytes, or 64 hexadecimal digits"
        }
    }
}

fn key_cure_ja(file: KeyFile) -> &'static str {
    match file {
        KeyFile::Certificate => "PEM 形式の証明書を、中継自身のものを先頭にして入れてください",
        KeyFile::PrivateKey => "PEM 形式の秘密鍵を 1 つ入れてください",
        KeyFile::TicketKey => "サーバーからもう一度コピーしてください(32 バイト、または 16 進数 64 桁)",
    }
}

fn wanted_en(wanted: Wanted) -> String {
    match wanted {
        Wanted::Addresses => "use numeric addresses with a port, like 0.0.0.0:443 or [::]:443, at most 8, separated by commas".into(),
        Wanted::OwnAddresses => "use the relay's own public IP addresses without a port, one IPv4 and one IPv6 at most, separated by a comma".into(),
        Wanted::Number { least, most } => format!("use a whole number from {least} to {most}"),
        Wanted::LogFilter => "use error, warn, info, debug or trace".into(),
    }
}

fn wanted_ja(wanted: Wanted) -> String {
    match wanted {
        Wanted::Addresses => "0.0.0.0:443 や [::]:443 のような数字のアドレスとポートを、コンマ区切りで 8 個まで指定してください".into(),
        Wanted::OwnAddresses => "この中継自身の公開 IP アドレスを、ポートなしで、IPv4 と IPv6 を 1 つずつまで、コンマ区切りで指定してください".into(),
        Wanted::Number { least, most } => format!("{least} から {most} までの整数を指定してください"),
        Wanted::LogFilter => "error、warn、info、debug、trace のいずれかを指定してください".into(),
    }
}
