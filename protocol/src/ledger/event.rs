//! What can stand in the ledger: a closed list, and who witnessed it.
//!
//! Strict JSON, so that a record reads the same in ten years without this program.
//! Content never stands here: of a file its path, size, hash and verdict (T43).
//! Fields are only ever added as optional ones; a variant never changes its meaning.

use serde::{Deserialize, Serialize};

use super::words::{
    AdminAction, Direction, FileVerdict, LockedOut, LoginFailure, LogoutCause, Overwrote, ReadPurpose,
    Repeated,
};
pub use super::words::{Class, MAX_TEXT_BYTES, Witness, clipped};
use crate::consent::Answer;
use crate::dsse::{DocumentRefused, strict_json};
use crate::ids::{DeviceKey, Digest, SessionId};
use crate::message::EndReason;
use crate::objection::Objection;
use crate::rights::{Capability, Mode, Rights};
use crate::signal::{CloseReason, RefusalReason};

/// The most bytes that one entry may have, before padding.
pub const MAX_ENTRY_BYTES: usize = 16 * 1024;

/// One line of the ledger, as it was before it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub by: Witness,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The account of the operator whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    pub event: Event,
}

/// Everything that is ever recorded. S52, S53, S55, S56, S92, S95, S99.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    ServerStarted {
        version: String,
    },
    ServerStopped,
    /// The wall clock moved by so much against the time that passed (F12).
    ClockStepped {
        by_ms: i64,
    },
    /// The folder was filled from a backup that ended with `size` records (T67).
    Restored {
        size: u64,
        backup_at: u64,
    },
    /// So many events of earlier could not be written when they happened; `of`: they could, and were of a kind that
    /// had been written a moment before.
    Missed {
        count: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Repeated>,
    },

    LoggedIn {
        from: String,
        device: DeviceKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<String>,
    },
    LoginFailed {
        account: String,
        from: String,
        device: DeviceKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mac: Option<String>,
        why: LoginFailure,
    },
    /// Three failures, or as many as the settings say (S64). `until` in unix seconds.
    LockedOut {
        from: String,
        until: u64,
        who: LockedOut,
    },
    LoggedOut {
        why: LogoutCause,
    },
    DeviceEnrolled {
        device: DeviceKey,
    },
    PasswordChanged,
    AdminDid {
        admin: String,
        action: AdminAction,
        target: String,
        detail: String,
    },
    AdminRefused {
        from: String,
        path: String,
        /// Whose key signed the request, if anybody's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admin: Option<String>,
        /// He was asked who he is, and nothing was refused if he answered.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        to_confirm: bool,
    },
    /// Records `from` up to `to` (exclusive) were handed out for reading (S56).
    LedgerRead {
        admin: String,
        purpose: ReadPurpose,
        from: u64,
        to: u64,
    },
    /// Everything before record `up_to` was looked through (S92).
    Reviewed {
        admin: String,
        up_to: u64,
        note: String,
    },
    /// Records before `before` are gone from here; their leaves stay (S95).
    Pruned {
        admin: String,
        before: u64,
        reason: String,
    },
    /// The administrator takes the ledger as it is now, after clients had seen `from` records.
    RestoreAcknowledged {
        admin: String,
        from: u64,
        to: u64,
        reason: String,
    },
    RoomOpened {
        mode: Mode,
        policy: u64,
        /// Why, as the operator gave it: a ticket's number, say. The end user reads it too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    PairingTried {
        attempt: u8,
        from: String,
    },
    PairingFailed {
        attempt: u8,
    },
    /// An end turned away at the door, as it says: the number was right, and what came with it was not (T7, T16).
    PairingRefused {
        by: Witness,
        attempt: u8,
        why: Objection,
    },
    /// Too many tries at numbers from there, or in all (T6).
    TooManyGuesses {
        from: String,
    },
    Paired {
        agent: DeviceKey,
        from: String,
    },
    /// The server did not do what an end asked; `from` of one whom it does not know.
    RequestRefused {
        reason: RefusalReason,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    SessionClosed {
        reason: CloseReason,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Witness>,
    },
    /// An end has come back to a session that was closed because both were lost, or that ran when the server was
    /// restarted.
    SessionTakenUp,

    ConsentAsked {
        mode: Mode,
        shown: Digest,
    },
    ConsentAnswered {
        mode: Mode,
        answer: Answer,
        granted: Rights,
    },
    RightAsked {
        right: Capability,
    },
    RightGranted {
        right: Capability,
    },
    RightRevoked {
        right: Capability,
    },
    ModeChanged {
        mode: Mode,
    },
    /// What the host did not do for want of this right.
    Refused {
        right: Capability,
    },
    /// A forbidden act of the other end, for the `count`-th time (T19).
    Violation {
        right: Capability,
        count: u64,
    },
    /// The server altered what passed between the ends (T7).
    TranscriptMismatch,
    /// `path`: where it now lies on the viewer's computer (S95).
    ScreenshotTaken {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    FileMoved {
        direction: Direction,
        path: String,
        size: u64,
        sha256: Digest,
        overwrote: Overwrote,
        verdict: FileVerdict,
    },
    ClipboardMoved {
        direction: Direction,
        kind: String,
        size: u64,
    },
    ChatLine {
        line: String,
    },
    /// Whom the operator says he helped.
    Customer {
        name: String,
    },
    Note {
        text: String,
    },
    RecordingStarted {
        name: String,
    },
    RecordingStopped {
        name: String,
        seconds: u64,
        size: u64,
    },
    /// What carries the session now: versions, ciphers, path, policy (S99).
    Connected {
        own_version: String,
        peer_version: String,
        path: String,
        data_cipher: String,
        media_cipher: String,
        policy: u64,
        /// Addresses of this end that the other was told (R1).
        disclosed: Vec<String>,
    },
    Disconnected {
        path: String,
        why: String,
    },
    /// What both ends keep of the session, or this one alone (S97, S99). Its seconds begin with the pairing.
    ReceiptKept {
        sha256: Digest,
        lasted_s: u64,
        operator_version: String,
        agent_version: String,
        policy: u64,
        signed_by: Vec<Witness>,
    },
    /// This end saw a ledger of `seen` records that the server no longer has (T67).
    LedgerRolledBack {
        seen: u64,
        found: u64,
    },
    Ended {
        reason: EndReason,
        by: Witness,
    },
}

impl Entry {
    pub fn server(event: Event) -> Self {
        Self { by: Witness::Server, session: None, operator: None, event }
    }

    #[must_use]
    pub fn of(mut self, session: Option<SessionId>, operator: Option<String>) -> Self {
        self.session = session;
        self.operator = operator;
        self
    }

    /// # Errors
    /// Larger than [`MAX_ENTRY_BYTES`]: who builds entries clips their texts.
    pub fn encode(&self) -> Result<Vec<u8>, DocumentRefused> {
        let bytes = serde_json::to_vec(self).map_err(|_| DocumentRefused::Malformed)?;
        if bytes.len() > MAX_ENTRY_BYTES { Err(DocumentRefused::TooLarge) } else { Ok(bytes) }
    }

    /// # Errors
    /// Not the strict form of an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentRefused> {
        let fits = bytes.len() <= MAX_ENTRY_BYTES;
        if fits { strict_json(bytes) } else { Err(DocumentRefused::TooLarge) }
    }
}

impl Event {
    /// Whether a checkpoint follows at once.
    pub fn ends_something(&self) -> bool {
        matches!(self, Self::SessionClosed { .. } | Self::ServerStopped | Self::Pruned { .. })
    }

    /// Under which clear heading the server keeps it.
    pub fn class(&self) -> Class {
        match self {
            Self::ServerStarted { .. }
            | Self::ServerStopped
            | Self::ClockStepped { .. }
            | Self::Restored { .. }
            | Self::Missed { .. } => Class::Server,
            Self::LoggedIn { .. }
            | Self::LoginFailed { .. }
            | Self::LockedOut { .. }
            | Self::LoggedOut { .. }
            | Self::DeviceEnrolled { .. }
            | Self::PasswordChanged => Class::Login,
            Self::AdminDid { .. }
            | Self::AdminRefused { .. }
            | Self::LedgerRead { .. }
            | Self::Reviewed { .. }
            | Self::Pruned { .. }
            | Self::RestoreAcknowledged { .. } => Class::Admin,
            Self::RoomOpened { .. }
            | Self::PairingTried { .. }
            | Self::PairingFailed { .. }
            | Self::PairingRefused { .. }
            | Self::TooManyGuesses { .. }
            | Self::Paired { .. }
            | Self::RequestRefused { .. }
            | Self::SessionClosed { .. }
            | Self::SessionTakenUp => Class::Session,
            Self::ConsentAsked { .. }
            | Self::ConsentAnswered { .. }
            | Self::RightAsked { .. }
            | Self::RightGranted { .. }
            | Self::RightRevoked { .. }
            | Self::ModeChanged { .. }
            | Self::Refused { .. }
            | Self::Violation { .. }
            | Self::TranscriptMismatch
            | Self::ScreenshotTaken { .. }
            | Self::FileMoved { .. }
            | Self::ClipboardMoved { .. }
            | Self::ChatLine { .. }
            | Self::Customer { .. }
            | Self::Note { .. }
            | Self::RecordingStarted { .. }
            | Self::RecordingStopped { .. }
            | Self::Connected { .. }
            | Self::Disconnected { .. }
            | Self::ReceiptKept { .. }
            | Self::LedgerRolledBack { .. }
            | Self::Ended { .. } => Class::Content,
        }
    }
}
