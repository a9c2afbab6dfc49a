//! Everything that stops a program: one plain sentence and one exit code each.
//!
//! Decides which failures a person can tell apart and what he can do about each.

use std::path::{Path, PathBuf};

use tasuki_protocol::ids::PROTOCOL_VERSION;

use super::reasons::reason;
use super::texts::{Lang, Text};

/// One line a fault: its facts, its exit code, and the sentence with what is filled in.
/// A table, so that no fault can lack one of them.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident: $kind:ty),+ })? = $code:literal,
        $text:ident $([$($value:expr),+])?;)+) => {
        /// Why a program cannot do what it was asked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $name $({ $($field: $kind),+ })?,)+
        }

        impl Fault {
            /// As listed under "Exit codes" in `--help`.
            pub fn exit_code(&self) -> u8 {
                match self {
                    $(Self::$name $({ $($field: _),+ })? => $code,)+
                }
            }

            fn text(&self) -> Text {
                match self {
                    $(Self::$name $({ $($field: _),+ })? => Text::$text,)+
                }
            }

            fn values(&self) -> Vec<String> {
                match self {
                    $(Self::$name $({ $($field),+ })? => vec![$($($value.word()),+)?],)+
                }
            }
        }
    };
}

faults! {
    NoDisplay = 10, FaultNoDisplay;
    /// No program of a Wayland desktop sees all of it, or stands above what it shows (T33).
    Wayland = 11, FaultWayland;
    /// Its desktop is not reached here yet.
    OtherSystem = 11, FaultOtherSystem;
    /// Whether a person or a program presses cannot be told on this system yet (T2).
    HandsUntold = 11, FaultHandsUntold;
    /// The desktop is there and cannot be captured or operated.
    Desktop { why: String } = 11, FaultDesktop [why];
    NoTerminal = 12, FaultNoTerminal;
    NotSetUp = 20, FaultNotSetUp;
    NoSuchBundle { file: PathBuf } = 20, FaultNoSuchBundle [file];
    Bundle { file: PathBuf, why: String } = 21, FaultBundle [file, why];
    OtherRoot { file: PathBuf, pin: PathBuf } = 22, FaultOtherRoot [file, pin];
    /// Older than one that was seen before. T70.
    OldBundle { file: PathBuf } = 22, FaultOldBundle [file];
    /// Past its time, and the server has no newer one.
    Expired { file: PathBuf } = 21, FaultExpired [file];
    /// The server shows one from before the one that is known, as after a backup that was put back. T67.
    ServerWentBack = 22, FaultServerWentBack;
    /// The server does not show which devices are out, though the bundle says that some are. T14.
    ListWithheld = 21, FaultListWithheld;
    /// A file of this user's profile.
    Profile { file: PathBuf, why: String } = 23, FaultProfile [file, why];
    /// A file of the profile, to be written by the program itself.
    NotKept { file: PathBuf, why: String } = 23, FaultNotKept [file, why];
    OpenToOthers { file: PathBuf } = 23, FaultOpenToOthers [file];
    NoHome = 23, FaultNoHome;
    NoRandomness = 1, FaultNoRandomness;
    Setting { name: String, value: String, why: String } = 3, FaultSetting [name, value, why];
    NotSignedIn = 24, FaultNotSignedIn;
    OtherServer { asked: String, bundle: String } = 25, FaultOtherServer [asked, bundle];
    UnknownHost { host: String } = 30, FaultUnknownHost [host];
    /// Nothing listens there.
    PortClosed { address: String } = 31, FaultPortClosed [address];
    Unreachable { address: String, why: String } = 32, FaultUnreachable [address, why];
    WrongServerKey { host: String } = 33, FaultWrongServerKey [host];
    NotTasuki { address: String } = 34, FaultNotTasuki [address];
    /// A certificate for the server's name that somebody on the way made.
    Inspected { host: String, issuer: String } = 73, FaultInspected [host, issuer];
    ProxyUnreachable { proxy: String, why: String } = 70, FaultProxyUnreachable [proxy, why];
    /// Name and password are missing or wrong.
    ProxyPassword { proxy: String } = 71, FaultProxyPassword [proxy];
    /// It takes no kind of sign-in that this program has.
    ProxySignIn { proxy: String } = 71, FaultProxySignIn [proxy];
    ProxyRefused { proxy: String, address: String, status: u16 } = 72, FaultProxyRefused [proxy, address, status];
    ProxyNonsense { proxy: String } = 70, FaultProxyNonsense [proxy];
    OtherVersion { theirs: u16 } = 35, FaultOtherVersion [theirs, PROTOCOL_VERSION];
    /// The server did not say which version it speaks.
    StrangeVersion = 35, FaultStrangeVersion [PROTOCOL_VERSION];
    Unavailable = 36, FaultUnavailable;
    SlowDown = 37, FaultSlowDown;
    /// More requests from this address than the server takes (T59).
    TooOften = 37, FaultTooOften;
    /// More wrong sign-ins of devices that are not approved came from this address than the server looks at (R5).
    TooManyWrong = 37, FaultTooManyWrong;
    WrongPassword = 40, FaultWrongPassword;
    /// Neither code nor digits were given.
    WrongNameOrPassword = 40, FaultWrongNameOrPassword;
    /// A code was given with them.
    WrongEnrolment = 40, FaultWrongEnrolment;
    /// The server asked for digits, so the rest was right.
    WrongDigits = 40, FaultWrongDigits;
    /// Right digits, a second time.
    DigitsUsed = 40, FaultDigitsUsed;
    SignInOver = 41, FaultSignInOver;
    /// The authenticator's digits were asked for and not given.
    NeedsTotp = 43, FaultNeedsTotp;
    /// An administrator has yet to approve this device.
    DevicePending { words: String } = 44, FaultDevicePending [words];
    Locked { seconds: u64 } = 45, FaultLocked [seconds.div_ceil(60)];
    PasswordUnusable = 46, FaultPasswordUnusable;
    PasswordBreached = 46, FaultPasswordBreached;
    /// A new password, the second time otherwise than the first.
    TypedTwice = 46, FaultTypedTwice;
    /// The person must show again that it is he.
    NotConfirmed = 47, FaultNotConfirmed;
    /// Standard input ended before it gave what was asked for.
    InputOver = 48, FaultInputOver;
    ModeNotAllowed { mode: String } = 42, FaultModeNotAllowed [mode];
    /// This computer's own limits cannot be read, so nothing is let in.
    LocalMaximum { file: PathBuf, why: String } = 26, FaultLocalMaximum [file, why];
    /// The policy lets this operator work at other hours.
    OutsideHours = 56, FaultOutsideHours;
    /// All that was typed is right; the account's own hours are others.
    OutsideAccountHours { opens: String, zone: String } = 56, FaultOutsideAccountHours [opens, zone];
    /// Nobody typed anything: a sign-in of before is outside of the account's own hours.
    HoursOver { opens: String, zone: String } = 56, FaultHoursOver [opens, zone];
    /// As before: not from this address.
    OutsideAddresses = 57, FaultOutsideAddresses;
    /// As before: not with this computer's hardware addresses.
    OutsideHardware = 58, FaultOutsideHardware;
    /// As before: the server cannot read what the account's limits are.
    LimitsUnreadable = 38, FaultLimitsUnreadable;
    /// All that was typed is right; an administrator has revoked this computer's registration.
    DeviceRevoked = 59, FaultDeviceRevoked;
    /// The policy wants to know why, before a number is given out.
    ReasonNeeded = 49, FaultReasonNeeded;
    NumberMistyped = 50, FaultNumberMistyped;
    NumberRefused = 51, FaultNumberRefused;
    NumberExpired = 52, FaultNumberExpired;
    NumberBurnt = 53, FaultNumberBurnt;
    TranscriptMismatch = 54, FaultTranscriptMismatch;
    ManifestRefused { why: String } = 55, FaultManifestRefused [why];
    Refused = 60, FaultRefused;
    NobodyAnswered = 61, FaultNobodyAnswered;
    ConnectionLost = 62, FaultConnectionLost;
    TimeOver = 63, FaultTimeOver;
    Withdrawn = 64, FaultWithdrawn;
    PeerViolation = 65, FaultPeerViolation;
    ScreenLost = 66, FaultScreenLost;
    /// No bar and no frame could be kept up around what was shown of this computer (T33).
    Unmarked = 69, FaultUnmarked;
    /// Asked whether the session shall go on, its host's person did not say yes (T34).
    NotContinued = 68, FaultNotContinued;
    ServerGone = 67, FaultServerGone;
    /// A person or the system stopped the program before a session began.
    Interrupted = 130, FaultInterrupted;
    /// A receipt that says something else than what was signed.
    ReceiptRefused { file: PathBuf, why: String } = 74, FaultReceiptRefused [file, why];
    /// The server's ledger is not what the one seen before became.
    LedgerOlder { known: u64, found: u64 } = 75, FaultLedgerOlder [known, found];
    LedgerForked { known: u64 } = 75, FaultLedgerForked [known];
    LedgerUnsigned = 75, FaultLedgerUnsigned;
    /// A file that a person named, to be read.
    CannotRead { file: PathBuf, why: String } = 76, FaultCannotRead [file, why];
    /// A file that a person asked to be written.
    CannotWrite { file: PathBuf, why: String } = 1, FaultCannotWrite [file, why];
    /// The server said what no server of this version says.
    Misunderstood = 34, FaultMisunderstood;
    System { what: &'static str, why: String } = 1, FaultSystem [what, why];
}

impl Fault {
    pub fn damaged(file: &Path) -> Self {
        Self::Profile { file: file.to_owned(), why: "its content is damaged".to_owned() }
    }

    /// A name for programs that read the events, like `wrong_server_key`.
    pub fn code(&self) -> String {
        self.text().code()
    }

    /// One sentence for people: what is wrong and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        let values = self.values();
        let values: Vec<&str> = values.iter().map(|value| reason(value, lang)).collect();
        self.text().fill(lang, &values)
    }

    /// What an administrator may need beside the sentence, and nobody else.
    pub fn for_administrator(&self, lang: Lang) -> Option<&'static str> {
        (*self == Self::NotSetUp).then(|| Text::WhereBundlesLie.say(lang))
    }
}

/// How a fact stands in a sentence.
trait Word {
    fn word(&self) -> String;
}

impl Word for PathBuf {
    fn word(&self) -> String {
        self.display().to_string()
    }
}

macro_rules! words {
    ($($kind:ty),+) => {
        $(impl Word for $kind {
            fn word(&self) -> String {
                self.to_string()
            }
        })+
    };
}

words!(String, &'static str, u16, u64);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence(Lang::En))
    }
}

impl std::error::Error for Fault {}
