//! What the two ends of a session say to each other, on whatever path.
//!
//! Binary (postcard). A [`Packet`] carries numbered [`SessionMessage`]s that stay
//! numbered across paths: a path is only a path. Before any path stands, and when
//! none does, the ends speak [`EndToEnd`] sealed through the server.

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::input::InputEvent;
use crate::rights::{Capability, Rights};
use crate::screen::{CursorPosition, CursorShape, Layout, MonitorId};

/// The most bytes of an encoded packet, on any path.
pub const MAX_PACKET_BYTES: usize = 300 * 1024;
/// The most bytes of an encoded message.
pub const MAX_MESSAGE_BYTES: usize = 272 * 1024;
/// The longest chat line, in bytes of UTF-8.
pub const MAX_CHAT_BYTES: usize = 4096;
/// The longest file path, in bytes of UTF-8.
pub const MAX_PATH_BYTES: usize = 4096;

/// One transmission: what this end has, and what it has received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Every message numbered below this has been received.
    pub acked: u64,
    /// Milliseconds of the sender's session clock.
    pub sent_ms: u32,
    /// The newest `sent_ms` received, and how long ago that was, to measure the round trip.
    pub echo: Option<Echo>,
    /// In rising order of number; may repeat what was sent before.
    pub items: Vec<Numbered>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    pub sent_ms: u32,
    pub held_ms: u32,
}

/// A message with its place in its direction's order, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    pub number: u64,
    pub message: SessionMessage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionMessage {
    HostToViewer(HostToViewer),
    ViewerToHost(ViewerToHost),
    Either(Either),
    /// Stands for a message that its sender withdrew: stale input (T50).
    Withdrawn,
}

/// All that a host tells a viewer beside the picture. S10, S17, S20, S25.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HostToViewer {
    Layout(Layout),
    CursorShape(CursorShape),
    Cursor(CursorPosition),
    /// The person at the host moves his own mouse or types: input waits (T32).
    InputPaused {
        for_ms: u32,
    },
    InputResumed,
    /// An act of the viewer had no effect, for want of this right.
    Refused {
        wanted: Capability,
    },
    /// The signed [`crate::grant::RightsChange`]: the host's person has spoken, or been silent.
    RightsChanged {
        envelope: Blob,
    },
    /// The host's person is asked something; until he answers, input has no effect.
    Asking {
        what: Asked,
        /// Until silence is taken for an answer.
        seconds: u32,
    },
    AskingOver {
        what: Asked,
    },
    /// The host's person holds the picture still: nothing is sent and no input counts.
    PicturePaused,
    PictureResumed,
    /// After the end: the signed [`crate::receipt::Receipt`], for the viewer to sign too.
    ReceiptOffered {
        envelope: Blob,
    },
}

/// What a host's person is asked in mid-session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// More rights, for a time.
    MoreRights,
    /// Whether the session shall go on (T34).
    Continue,
}

/// All that a viewer asks of a host. Each act needs a right, except to ask for rights
/// and what belongs to the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewerToHost {
    Input(InputEvent),
    ShowMonitor(MonitorId),
    /// The decoder cannot go on; the next frame is to stand alone.
    NeedKeyFrame,
    /// The viewer keeps a still picture; said so that it is shown and logged (S7, S22).
    ScreenshotTaken,
    RecordingStarted,
    ListFolder {
        path: String,
    },
    FetchFile {
        path: String,
    },
    SendFile {
        name: String,
        size: u64,
    },
    ReadClipboard,
    WriteClipboard {
        content: Blob,
    },
    Draw {
        points: Vec<(u16, u16)>,
    },
    /// Asks to come back after a reboot without a new number (R3).
    Reconnect,
    /// Asks the host's person for more rights, for 1 to [`crate::grant::MAX_GRANT_S`] seconds.
    AskRights {
        rights: Rights,
        seconds: u32,
    },
    /// After the end: this end has stopped too, and can sign the receipt.
    ReceiptAwaited {
        /// The version of the program at this end, for the receipt (S99).
        software: String,
    },
    /// The receipt with both signatures.
    ReceiptSigned {
        envelope: Blob,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Either {
    Chat(String),
    /// Who looks at the picture measures how long it took.
    Shown {
        frame: u32,
    },
    End(EndReason),
}

/// Why a session ended, as said to the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    OperatorEnded,
    UserEnded,
    UserRefused,
    NobodyAnswered,
    TimeOver,
    /// No path carried anything for too long.
    ConnectionLost,
    /// The other end broke the protocol.
    Violation,
    /// The host can no longer capture its screen.
    ScreenLost,
    /// The manifest did not hold.
    ManifestRefused,
    /// The program was stopped.
    ProgramEnded,
    /// Asked whether to go on, the host's person said no, or nothing (T34).
    NotContinued,
    /// The server did not take part: a number, a mode or a sign-in that it refuses.
    ServerRefused,
    /// The organisation took the session back: an administrator, or a policy that changed.
    Withdrawn,
}

impl EndReason {
    /// Somebody ended it because he wanted to.
    #[must_use]
    pub fn is_wished(self) -> bool {
        matches!(self, Self::OperatorEnded | Self::UserEnded | Self::ProgramEnded)
    }

    /// What the other end may claim: that the organisation took the session back, the server alone says.
    #[must_use]
    pub fn of_the_other_end(self) -> Self {
        match self {
            Self::Withdrawn => Self::ProgramEnded,
            Self::OperatorEnded
            | Self::UserEnded
            | Self::UserRefused
            | Self::NobodyAnswered
            | Self::TimeOver
            | Self::ConnectionLost
            | Self::Violation
            | Self::ScreenLost
            | Self::ManifestRefused
            | Self::ProgramEnded
            | Self::NotContinued
            | Self::ServerRefused => self,
        }
    }
}

/// Sealed by [`crate::sealing`] under the pairing's keys and forwarded by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndToEnd {
    /// The signed [`crate::consent::Consent`].
    Consent {
        envelope: Blob,
    },
    /// An ICE candidate in the form of RFC 8839 §5.1, at most 256 bytes.
    Candidate {
        line: String,
    },
    End(EndReason),
    /// The version of the program at this end, first of all once a session has begun (S99).
    Software {
        version: String,
    },
}

/// What the server forwards between the ends: pairing first, then only sealed messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forwarded {
    Pairing(crate::pairing::PairMessage),
    Sealed(Blob),
}

/// Encodes any of this module's messages.
pub fn encode<M: Serialize>(message: &M) -> Vec<u8> {
    crate::binary::encode(message)
}

/// # Errors
/// Not exactly one message of `M`, or longer than `limit` bytes.
pub fn decode<'a, M: Deserialize<'a>>(bytes: &'a [u8], limit: usize) -> Result<M, MalformedMessage> {
    if bytes.len() > limit {
        return Err(MalformedMessage);
    }
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok(_) | Err(_) => Err(MalformedMessage),
    }
}

/// The peer sent what no version of this program sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end sent a message that cannot be read")]
pub struct MalformedMessage;
