//! What programs and the server say to each other: strict JSON, one object a message.
//!
//! Over WebSockets at [`OPERATOR_PATH`] and [`AGENT_PATH`], and as HTTP bodies at
//! the paths named here. What the two ends say to each other passes as opaque
//! [`Blob`]s: the server forwards what it cannot read.

use serde::{Deserialize, Serialize};

use crate::blob::Blob;
use crate::ids::{Challenge, Digest, SessionId};
use crate::number::Locator;
use crate::objection::Objection;
use crate::rights::Mode;

/// WebSocket of an operator's program; needs `Authorization: Bearer TOKEN`.
pub const OPERATOR_PATH: &str = "/v1/operator";
/// WebSocket of an agent; open to everybody.
pub const AGENT_PATH: &str = "/v1/agent";
/// To `GET`, so many zeros as [`MAX_REQUEST`]; `POST`ed, anything is taken and dropped. By this a doctor
/// times a line (S84).
pub const SPEED_PATH: &str = "/v1/speed";
/// The most bytes of one message, or of a request's body, that a server takes from anybody.
pub const MAX_REQUEST: usize = 64 * 1024;
/// The most bytes of one answer that an end takes from a server.
pub const MAX_MESSAGE: usize = 256 * 1024;
/// The most bytes of one forwarded blob; in base64 it fits into a request.
pub const MAX_FORWARD: usize = 40 * 1024;

/// Prefix of what an operator's device signs to take up a connection: this, the
/// server's challenge, the SHA-256 of the token.
pub const DEVICE_PROOF: &[u8] = b"tasuki-device-proof-v1";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum OperatorToServer {
    /// Ed25519 over [`DEVICE_PROOF`], challenge, SHA-256 of the token. First on every connection.
    Prove { signature: Blob },
    /// Asks for a number. One hello for each attempt, [`crate::number::MAX_ATTEMPTS`] in all.
    OpenRoom {
        mode: Mode,
        hellos: Vec<Blob>,
        /// Why: a ticket's number, say. The end user reads it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Takes up a paired session again after a lost connection.
    Resume { session: SessionId, token: ResumeToken },
    /// To the agent, unread.
    Forward { session: SessionId, body: Blob },
    /// The agent's proof was wrong; the attempt is burnt.
    PairingFailed { session: SessionId, attempt: u8 },
    /// Both proofs were right; the number is dead now, the session lives.
    Paired { session: SessionId },
    /// Asks for tickets for a relayed leg, one for each end.
    NeedLeg { session: SessionId },
    /// How long a connection to each of [`ServerToOperator::Relays`] took, in milliseconds; `None`
    /// where none came about.
    RelayTimes { session: SessionId, times: Vec<Option<u16>> },
    /// Asks for the ticket under which this end delivers records of a paired session.
    NeedLedgerTicket { session: SessionId },
    /// As [`Self::Close`], and why: something at the door does not hold. Written down.
    Object { session: SessionId, attempt: u8, why: Objection },
    /// The session or the waiting is over.
    Close { session: SessionId },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerToOperator {
    Challenge {
        challenge: Challenge,
    },
    /// The proof was right. Until when the device's certificate holds, in unix seconds; said again when there is another.
    Ready {
        certified_until: u64,
    },
    /// The proof was right, and nothing but the account's hours keeps him out: when they begin next, in unix seconds, and
    /// by which zone, as [`crate::login::LoginAnswer::OutsideHours`]. Whoever has not proven the device never gets it (T52).
    OutsideHours {
        opens: Option<u64>,
        zone: String,
    },
    RoomOpened {
        session: SessionId,
        locator: Locator,
        resume: ResumeToken,
        expires_in: u64,
    },
    /// An agent has come with the `attempt`-th try (from 0) at the number.
    Arrived {
        session: SessionId,
        attempt: u8,
        hello: Blob,
        manifest: Blob,
    },
    Forwarded {
        session: SessionId,
        body: Blob,
    },
    Leg {
        session: SessionId,
        leg: Leg,
    },
    Resumed {
        session: SessionId,
    },
    /// Asks once, after pairing, how far each relay is; [`OperatorToServer::RelayTimes`] answers.
    /// Only where there are several.
    Relays {
        session: SessionId,
        relays: Vec<RelayAddress>,
    },
    LedgerTicket {
        session: SessionId,
        ticket: Blob,
    },
    /// The agent's connection to the server is gone, or back.
    AgentPresence {
        session: SessionId,
        presence: Presence,
    },
    Closed {
        session: SessionId,
        reason: CloseReason,
    },
    Refused {
        reason: RefusalReason,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AgentToServer {
    /// Knocks. `version` stands first and alone so that any server can answer it.
    Join {
        version: u16,
        locator: Locator,
        hello: Blob,
    },
    Resume {
        session: SessionId,
        token: ResumeToken,
    },
    Forward {
        body: Blob,
    },
    /// As the operator's.
    RelayTimes {
        times: Vec<Option<u16>>,
    },
    /// As the operator's.
    NeedLedgerTicket,
    /// As the operator's. Written down only where his end has answered this one in the same attempt: until then
    /// it has not shown that it knows the number.
    Object {
        why: Objection,
    },
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerToAgent {
    /// The same for a number that lives and for one that does not (T6).
    Met {
        session: SessionId,
        resume: ResumeToken,
        hello: Blob,
    },
    Forwarded {
        body: Blob,
    },
    Leg {
        leg: Leg,
    },
    Resumed,
    /// As the operator's.
    Relays {
        relays: Vec<RelayAddress>,
    },
    LedgerTicket {
        ticket: Blob,
    },
    OperatorPresence {
        presence: Presence,
    },
    Closed {
        reason: CloseReason,
    },
    Refused {
        reason: RefusalReason,
    },
}

/// Lets an end of a paired session come back to it. Known to that end alone.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeToken(pub Challenge);

impl std::fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeToken(..)")
    }
}

/// Where one relayed leg is to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    pub number: u32,
    /// `None`: the relay inside the server itself, at its own address.
    pub relay: Option<RelayAddress>,
    /// The relay's UDP port for TURN (RFC 8656), where it speaks it; [`crate::turn`] makes the
    /// ticket a credential.
    pub turn: Option<u16>,
    /// A sealed [`crate::ticket::Ticket`] for this end.
    pub ticket: Blob,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayAddress {
    pub host: String,
    pub port: u16,
    /// SHA-256 of the relay certificate's SubjectPublicKeyInfo, as in the bundle.
    pub pin: Digest,
}

impl std::str::FromStr for RelayAddress {
    type Err = NotARelay;

    /// `HOST:PORT/PIN`, the pin in hexadecimal; an IPv6 host in brackets.
    fn from_str(text: &str) -> Result<Self, NotARelay> {
        let (address, pin) = text.rsplit_once('/').ok_or(NotARelay)?;
        let (host, port) = address.rsplit_once(':').ok_or(NotARelay)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(NotARelay);
        }
        let port = port.parse().map_err(|_| NotARelay)?;
        let pin = pin.parse().map_err(|_| NotARelay)?;
        Ok(Self { host: host.to_owned(), port, pin })
    }
}

/// Not of the form that names a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a relay is named HOST:PORT/PIN")]
pub struct NotARelay;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Here,
    Gone,
}

/// Why a room or session is over at the server. Said to both ends alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// Nobody came in time. T5.
    Expired,
    /// Three wrong tries. T4.
    TooManyAttempts,
    /// The other end said so.
    OtherEnd,
    /// The operator signed out, or an administrator ended it.
    Withdrawn,
    /// Both ends stayed away too long.
    Lost,
    /// The manifest's length is over.
    TimeOver,
}

/// Why the server does not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// Wrong, unknown, used or expired: not said which. S34.
    Number,
    /// Too many tries from this address, or in all. T6.
    SlowDown,
    /// The other protocol version is older or newer.
    Version { server: u16 },
    /// The operator may not use this mode.
    Mode,
    /// Outside the hours at which the operator may work.
    Hours,
    /// The operator must say why, in words that can be shown.
    Reason,
    /// No valid token, or the device is not the token's.
    SignIn,
    /// The person must show again that it is he: `POST` [`crate::login::CONFIRM_PATH`] first.
    Confirm,
    /// No such session for this end.
    Session,
    /// The server is full or its store cannot be written.
    Unavailable,
    /// The message was not one the server expects here.
    Message,
}

/// One message of JSON text.
pub fn encode<M: Serialize>(message: &M) -> String {
    let Ok(text) = serde_json::to_string(message) else {
        unreachable!("no map of the protocol has keys that are not strings")
    };
    text
}

/// The protocol version that a message names, also one of a form this build does not
/// know: so that its sender hears "another version" and not "malformed".
pub fn version_of(text: &[u8]) -> Option<u16> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u16,
    }
    serde_json::from_slice::<Versioned>(text).ok().map(|message| message.version)
}

/// # Errors
/// Not one strict JSON object of `M`.
pub fn decode<M: serde::de::DeserializeOwned>(text: &str) -> Result<M, crate::dsse::DocumentRefused> {
    crate::dsse::strict_json(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_named_by_host_port_and_pin_or_not_at_all() {
        let pin = "ab".repeat(32);
        let relay: RelayAddress = format!("[2001:db8::1]:443/{pin}").parse().unwrap();
        assert_eq!((relay.host.as_str(), relay.port), ("2001:db8::1", 443));
        for wrong in ["", "relay.example:443", "relay.example:443/ab", &format!(":443/{pin}")] {
            assert_eq!(wrong.parse::<RelayAddress>(), Err(NotARelay));
        }
    }
}
