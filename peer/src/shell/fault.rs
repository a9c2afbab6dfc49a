//! Everything that stops a program: one plain sentence and one exit code each.
//!
//! Decides which failures a person can tell apart and what he can do about each.

use std::path::{Path, PathBuf};

use tasuki_protocol::ids::PROTOCOL_VERSION;

use super::texts::{Lang, Text};

/// Why a program cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    NoDisplay,
    /// The desktop is there and cannot be captured or operated.
    Desktop {
        why: String,
    },
    NoTerminal,
    NotSetUp,
    NoSuchBundle {
        file: PathBuf,
    },
    Bundle {
        file: PathBuf,
        why: String,
    },
    OtherRoot {
        file: PathBuf,
        pin: PathBuf,
    },
    /// Older than one that was seen before. T70.
    OldBundle {
        file: PathBuf,
    },
    /// Past its time, and the server has no newer one.
    Expired {
        file: PathBuf,
    },
    /// A file of this user's profile.
    Profile {
        file: PathBuf,
        why: String,
    },
    OpenToOthers {
        file: PathBuf,
    },
    NoHome,
    NoRandomness,
    Setting {
        name: String,
        value: String,
        why: String,
    },
    NotSignedIn,
    OtherServer {
        asked: String,
        bundle: String,
    },
    UnknownHost {
        host: String,
    },
    /// Nothing listens there.
    PortClosed {
        address: String,
    },
    Unreachable {
        address: String,
        why: String,
    },
    WrongServerKey {
        host: String,
    },
    NotTasuki {
        address: String,
    },
    /// A certificate for the server's name that somebody on the way made.
    Inspected {
        host: String,
        issuer: String,
    },
    ProxyUnreachable {
        proxy: String,
        why: String,
    },
    /// Name and password are missing or wrong.
    ProxyPassword {
        proxy: String,
    },
    /// It takes no kind of sign-in that this program has.
    ProxySignIn {
        proxy: String,
    },
    ProxyRefused {
        proxy: String,
        address: String,
        status: u16,
    },
    ProxyNonsense {
        proxy: String,
    },
    OtherVersion {
        theirs: u16,
    },
    Unavailable,
    SlowDown,
    WrongPassword,
    SignInOver,
    /// This computer's own limits cannot be read, so nothing is let in.
    LocalMaximum {
        file: PathBuf,
        why: String,
    },
    /// The policy lets this operator work at other hours.
    OutsideHours,
    /// The policy wants to know why, before a number is given out.
    ReasonNeeded,
    /// The authenticator's digits were asked for and not given.
    NeedsTotp,
    /// An administrator has yet to approve this device.
    DevicePending {
        words: String,
    },
    Locked {
        seconds: u64,
    },
    PasswordUnusable,
    /// The person must show again that it is he.
    NotConfirmed,
    ModeNotAllowed {
        mode: String,
    },
    NumberMistyped,
    NumberRefused,
    NumberExpired,
    NumberBurnt,
    TranscriptMismatch,
    ManifestRefused {
        why: String,
    },
    Refused,
    NobodyAnswered,
    ConnectionLost,
    TimeOver,
    Withdrawn,
    PeerViolation,
    ScreenLost,
    /// Asked whether the session shall go on, its host's person did not say yes (T34).
    NotContinued,
    ServerGone,
    /// A person or the system stopped the program before a session began.
    Interrupted,
    /// A file that a person asked to be written.
    CannotWrite {
        file: PathBuf,
        why: String,
    },
    /// The server said what no server of this version says.
    Misunderstood,
    System {
        what: &'static str,
        why: String,
    },
}

impl Fault {
    pub fn damaged(file: &Path) -> Self {
        Self::Profile { file: file.to_owned(), why: "its content is damaged".to_owned() }
    }

    /// As listed under "Exit codes" in `--help`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::System { .. } | Self::NoRandomness | Self::CannotWrite { .. } => 1,
            Self::Setting { .. } => 3,
            Self::NoDisplay => 10,
            Self::Desktop { .. } => 11,
            Self::NoTerminal => 12,
            Self::NotSetUp | Self::NoSuchBundle { .. } => 20,
            Self::Bundle { .. } | Self::Expired { .. } => 21,
            Self::OtherRoot { .. } | Self::OldBundle { .. } => 22,
            Self::Profile { .. } | Self::OpenToOthers { .. } | Self::NoHome => 23,
            Self::NotSignedIn => 24,
            Self::OtherServer { .. } => 25,
            Self::UnknownHost { .. } => 30,
            Self::PortClosed { .. } => 31,
            Self::Unreachable { .. } => 32,
            Self::WrongServerKey { .. } => 33,
            Self::NotTasuki { .. } | Self::Misunderstood => 34,
            Self::OtherVersion { .. } => 35,
            Self::Unavailable => 36,
            Self::SlowDown => 37,
            Self::WrongPassword => 40,
            Self::SignInOver => 41,
            Self::ModeNotAllowed { .. } => 42,
            Self::LocalMaximum { .. } => 26,
            Self::OutsideHours => 48,
            Self::ReasonNeeded => 49,
            Self::NeedsTotp => 43,
            Self::DevicePending { .. } => 44,
            Self::Locked { .. } => 45,
            Self::PasswordUnusable => 46,
            Self::NotConfirmed => 47,
            Self::NumberMistyped => 50,
            Self::NumberRefused => 51,
            Self::NumberExpired => 52,
            Self::NumberBurnt => 53,
            Self::TranscriptMismatch => 54,
            Self::ManifestRefused { .. } => 55,
            Self::Refused => 60,
            Self::NobodyAnswered => 61,
            Self::ConnectionLost => 62,
            Self::TimeOver => 63,
            Self::Withdrawn => 64,
            Self::PeerViolation => 65,
            Self::ScreenLost => 66,
            Self::ServerGone => 67,
            Self::NotContinued => 68,
            Self::ProxyUnreachable { .. } | Self::ProxyNonsense { .. } => 70,
            Self::ProxyPassword { .. } | Self::ProxySignIn { .. } => 71,
            Self::ProxyRefused { .. } => 72,
            Self::Inspected { .. } => 73,
            Self::Interrupted => 130,
        }
    }

    /// A name for programs that read the events, like `wrong_server_key`.
    pub fn code(&self) -> String {
        self.text().code()
    }

    /// One sentence for people: what is wrong and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        let values = self.values();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        self.text().fill(lang, &values)
    }

    fn text(&self) -> Text {
        match self {
            Self::NoDisplay => Text::FaultNoDisplay,
            Self::Desktop { .. } => Text::FaultDesktop,
            Self::NoTerminal => Text::FaultNoTerminal,
            Self::NotSetUp => Text::FaultNotSetUp,
            Self::NoSuchBundle { .. } => Text::FaultNoSuchBundle,
            Self::Bundle { .. } => Text::FaultBundle,
            Self::OtherRoot { .. } => Text::FaultOtherRoot,
            Self::OldBundle { .. } => Text::FaultOldBundle,
            Self::Expired { .. } => Text::FaultExpired,
            Self::Profile { .. } => Text::FaultProfile,
            Self::OpenToOthers { .. } => Text::FaultOpenToOthers,
            Self::NoHome => Text::FaultNoHome,
            Self::NoRandomness => Text::FaultNoRandomness,
            Self::Setting { .. } => Text::FaultSetting,
            Self::NotSignedIn => Text::FaultNotSignedIn,
            Self::OtherServer { .. } => Text::FaultOtherServer,
            Self::UnknownHost { .. } => Text::FaultUnknownHost,
            Self::PortClosed { .. } => Text::FaultPortClosed,
            Self::Unreachable { .. } => Text::FaultUnreachable,
            Self::WrongServerKey { .. } => Text::FaultWrongServerKey,
            Self::NotTasuki { .. } => Text::FaultNotTasuki,
            Self::Inspected { .. } => Text::FaultInspected,
            Self::ProxyUnreachable { .. } => Text::FaultProxyUnreachable,
            Self::ProxyPassword { .. } => Text::FaultProxyPassword,
            Self::ProxySignIn { .. } => Text::FaultProxySignIn,
            Self::ProxyRefused { .. } => Text::FaultProxyRefused,
            Self::ProxyNonsense { .. } => Text::FaultProxyNonsense,
            Self::OtherVersion { .. } => Text::FaultOtherVersion,
            Self::Unavailable => Text::FaultUnavailable,
            Self::SlowDown => Text::FaultSlowDown,
            Self::WrongPassword => Text::FaultWrongPassword,
            Self::SignInOver => Text::FaultSignInOver,
            Self::NeedsTotp => Text::FaultNeedsTotp,
            Self::DevicePending { .. } => Text::FaultDevicePending,
            Self::Locked { .. } => Text::FaultLocked,
            Self::PasswordUnusable => Text::FaultPasswordUnusable,
            Self::NotConfirmed => Text::FaultNotConfirmed,
            Self::ModeNotAllowed { .. } => Text::FaultModeNotAllowed,
            Self::LocalMaximum { .. } => Text::FaultLocalMaximum,
            Self::OutsideHours => Text::FaultOutsideHours,
            Self::ReasonNeeded => Text::FaultReasonNeeded,
            Self::NumberMistyped => Text::FaultNumberMistyped,
            Self::NumberRefused => Text::FaultNumberRefused,
            Self::NumberExpired => Text::FaultNumberExpired,
            Self::NumberBurnt => Text::FaultNumberBurnt,
            Self::TranscriptMismatch => Text::FaultTranscriptMismatch,
            Self::ManifestRefused { .. } => Text::FaultManifestRefused,
            Self::Refused => Text::FaultRefused,
            Self::NobodyAnswered => Text::FaultNobodyAnswered,
            Self::ConnectionLost => Text::FaultConnectionLost,
            Self::TimeOver => Text::FaultTimeOver,
            Self::Withdrawn => Text::FaultWithdrawn,
            Self::PeerViolation => Text::FaultPeerViolation,
            Self::ScreenLost => Text::FaultScreenLost,
            Self::NotContinued => Text::FaultNotContinued,
            Self::ServerGone => Text::FaultServerGone,
            Self::Interrupted => Text::FaultInterrupted,
            Self::CannotWrite { .. } => Text::FaultCannotWrite,
            Self::Misunderstood => Text::FaultMisunderstood,
            Self::System { .. } => Text::FaultSystem,
        }
    }

    fn values(&self) -> Vec<String> {
        match self {
            Self::Desktop { why: text }
            | Self::ManifestRefused { why: text }
            | Self::DevicePending { words: text }
            | Self::UnknownHost { host: text }
            | Self::WrongServerKey { host: text }
            | Self::ModeNotAllowed { mode: text } => vec![text.clone()],
            Self::NoSuchBundle { file }
            | Self::OpenToOthers { file }
            | Self::OldBundle { file }
            | Self::Expired { file } => vec![file.display().to_string()],
            Self::Locked { seconds } => vec![seconds.div_ceil(60).to_string()],
            Self::Bundle { file, why }
            | Self::Profile { file, why }
            | Self::LocalMaximum { file, why }
            | Self::CannotWrite { file, why } => vec![file.display().to_string(), why.clone()],
            Self::OtherRoot { file, pin } => {
                vec![file.display().to_string(), pin.display().to_string()]
            }
            Self::Setting { name, value, why } => vec![name.clone(), value.clone(), why.clone()],
            Self::OtherServer { asked, bundle } => vec![asked.clone(), bundle.clone()],
            Self::PortClosed { address } | Self::NotTasuki { address } => vec![address.clone()],
            Self::Inspected { host, issuer } => vec![host.clone(), issuer.clone()],
            Self::ProxyUnreachable { proxy, why } => vec![proxy.clone(), why.clone()],
            Self::ProxyPassword { proxy }
            | Self::ProxySignIn { proxy }
            | Self::ProxyNonsense { proxy } => vec![proxy.clone()],
            Self::ProxyRefused { proxy: at, address, status } => {
                vec![at.clone(), address.clone(), status.to_string()]
            }
            Self::Unreachable { address, why } => vec![address.clone(), why.clone()],
            Self::OtherVersion { theirs } => vec![theirs.to_string(), PROTOCOL_VERSION.to_string()],
            Self::System { what, why } => vec![(*what).to_owned(), why.clone()],
            Self::NoDisplay
            | Self::NoTerminal
            | Self::NotSetUp
            | Self::NoHome
            | Self::NoRandomness
            | Self::NotSignedIn
            | Self::Unavailable
            | Self::SlowDown
            | Self::WrongPassword
            | Self::SignInOver
            | Self::OutsideHours
            | Self::ReasonNeeded
            | Self::NeedsTotp
            | Self::PasswordUnusable
            | Self::NotConfirmed
            | Self::NumberMistyped
            | Self::NumberRefused
            | Self::NumberExpired
            | Self::NumberBurnt
            | Self::TranscriptMismatch
            | Self::Refused
            | Self::NobodyAnswered
            | Self::ConnectionLost
            | Self::TimeOver
            | Self::Withdrawn
            | Self::PeerViolation
            | Self::ScreenLost
            | Self::NotContinued
            | Self::ServerGone
            | Self::Interrupted
            | Self::Misunderstood => Vec::new(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence(Lang::En))
    }
}

impl std::error::Error for Fault {}
