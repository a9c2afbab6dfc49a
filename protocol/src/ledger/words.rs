//! The small words of the ledger's events: reasons, acts, directions, verdicts.

use serde::{Deserialize, Serialize};

use crate::dsse::DocumentRefused;

/// The most bytes of one piece of text in an entry; what is longer is cut with [`clipped`].
pub const MAX_TEXT_BYTES: usize = 4 * 1024;

/// Whose program saw it happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Witness {
    Server,
    Operator,
    Agent,
}

/// What stands beside a sealed row for everybody to see. Deliberately coarse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Class {
    /// Start, stop, clock, restore.
    Server = 1,
    /// Sign-in and sign-out of operators.
    Login = 2,
    /// What administrators did, reading included (S56).
    Admin = 3,
    /// What the server saw of sessions.
    Session = 4,
    /// What the ends saw, sealed there.
    Content = 5,
}

impl Class {
    pub const ALL: [Self; 5] = [Self::Server, Self::Login, Self::Admin, Self::Session, Self::Content];

    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Login => "login",
            Self::Admin => "admin",
            Self::Session => "session",
            Self::Content => "content",
        }
    }
}

impl TryFrom<u8> for Class {
    type Error = DocumentRefused;

    fn try_from(byte: u8) -> Result<Self, DocumentRefused> {
        let known = Self::ALL.into_iter().find(|class| *class as u8 == byte);
        known.ok_or(DocumentRefused::Malformed)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginFailure {
    UnknownAccount,
    Password,
    SecondFactor,
    Device,
    EnrolmentCode,
    Locked,
    Disabled,
    /// From an address or terminal that is not on the list (S63).
    Place,
    Hours,
    /// Nobody can read what the account's limits are.
    Limits,
}

/// Which counter is full (T53).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedOut {
    ThisDevice,
    UnknownDevices,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogoutCause {
    Asked,
    /// While he was connected, the sign-in, the certificate or the allowed hours came to their end.
    Expired,
    /// While he was connected, the account or the device was taken away.
    Revoked,
}

/// What an end writes once a second at most, and counts beside that (T59).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeated {
    Refusals,
    Screenshots,
    Violations,
    Questions,
    Changes,
    Paths,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminAction {
    AdminInvited,
    AdminEnrolled,
    AdminEnabled,
    AdminDisabled,
    AdminRemoved,
    AdminUnlocked,
    /// From where or when he may sign in.
    AdminLimited,
    /// An administrator's own password is another one.
    PasswordChanged,
    /// A token that was made for a further administrator is none any more.
    InvitationWithdrawn,
    /// Somebody on the server's own machine made a token for whom the organisation's keys are lost.
    RecoveryTokenMade,
    /// He came with it and the root's word; all others are disabled since.
    AdminRecovered,
    /// Somebody on the server's own machine made a copy of the database.
    BackupMade,
    LoggedIn,
    LoggedOut,
    OperatorAdded,
    OperatorEnabled,
    OperatorDisabled,
    OperatorRemoved,
    OperatorUnlocked,
    OperatorChanged,
    PasswordReset,
    AuthenticatorForgotten,
    CodeIssued,
    DeviceApproved,
    DeviceRevoked,
    GroupChanged,
    PolicyPublished,
    SessionEnded,
    BundlePublished,
    KeyRotated,
    RecordingFetched,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadPurpose {
    List,
    Show,
    Search,
    Verify,
    Export,
    Report,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    ToOperator,
    ToUser,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overwrote {
    Nothing,
    /// A file of that name, as was announced (S9).
    Announced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileVerdict {
    Delivered,
    RefusedByUser,
    RefusedByRule,
    /// The scanner's exit code vetoed it (S87).
    Vetoed,
    Failed,
    Cancelled,
}

/// `text`, cut at [`MAX_TEXT_BYTES`] between two characters.
pub fn clipped(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) }
}
