//! Why the server does not start or set up: one sentence each that says what to
//! do, and an exit code of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

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
    #[error("The key file {0} is damaged. Put back the one from your backup.")]
    KeyDamaged(PathBuf),
    #[error("{path} cannot be read or written ({kind}). Check who owns it and its rights.")]
    Unreadable { path: PathBuf, kind: std::io::ErrorKind },
    #[error("The database {0} is damaged or not a server's. Put back the one from your backup.")]
    DatabaseDamaged(PathBuf),
    #[error("The certificate {cert} and the key {key} cannot be used together. Check both files.")]
    CertificateUnusable { cert: PathBuf, key: PathBuf },
    #[error("{0} is taken by another program. Stop it, or choose another address with --listen.")]
    AddressTaken(SocketAddr),
    #[error("This machine cannot listen on {address} ({kind}). Choose another with --listen.")]
    CannotListen { address: SocketAddr, kind: std::io::ErrorKind },
    #[error("The setting {key} cannot be {value:?}: {expected}.")]
    Setting { key: String, value: String, expected: &'static str },
    #[error("There is no setting {0:?}. `tasuki-server config` lists them all.")]
    UnknownSetting(String),
    #[error("{0} is no valid TOML. Correct it, or remove it to go back to the defaults.")]
    ConfigFile(PathBuf),
    #[error("{0:?} cannot be the server's host name. Give a DNS name or an IP address.")]
    HostName(String),
    #[error("{0:?} cannot be shown as an organisation's name: 1 to 40 plain characters.")]
    Organisation(String),
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
            Self::KeyDamaged(_) | Self::CertificateUnusable { .. } => 7,
            Self::DatabaseDamaged(_) => 8,
            Self::AddressTaken(_) | Self::CannotListen { .. } => 9,
            Self::Setting { .. }
            | Self::UnknownSetting(_)
            | Self::ConfigFile(_)
            | Self::HostName(_)
            | Self::Organisation(_) => 10,
            Self::Unreadable { .. } => 11,
            Self::NoRandomness => 1,
        }
    }

    pub(crate) fn unreadable(path: &std::path::Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Unreadable { path: path.clone(), kind: error.kind() }
    }
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
  8  the database is damaged
  9  the address is taken or cannot be listened on
 10  a setting, host name or organisation's name cannot be used
 11  a file cannot be read or written";
