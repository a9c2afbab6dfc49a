//! What a session sees of a path: packets, video, room for more, and its end.
//!
//! A path is direct or relayed; a session neither knows nor cares beyond its
//! kind and its ciphers. Whatever a path delivers was decrypted by it under keys
//! of this session's pairing.

use std::time::Duration;

use tasuki_protocol::ids::Digest;
use tasuki_protocol::leg::VideoHeader;
use tasuki_protocol::turn::TurnCredential;

/// One attempt at a path; never used again after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PathKind {
    Direct,
    Relayed,
}

/// What protects a path, as negotiated, for people to see and logs to keep (R7, S99).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Ciphers {
    /// Names as in the IANA registries: a TLS cipher suite and an SRTP protection profile. By
    /// whichever [`Route`] the datagrams go.
    Direct { dtls: String, srtp: String },
    /// The Noise protocol's name end to end, and the TLS suite towards the relay.
    Relayed { noise: String, tls: String },
}

/// One encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFrame {
    pub header: VideoHeader,
    pub vp8: Vec<u8>,
}

/// What this end must know to open a direct path. From the pairing's transcript,
/// never from text that a server could have changed (threats B3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectFacts {
    pub side: IceSide,
    pub remote_fingerprint: Digest,
    pub remote_ufrag: String,
    pub remote_pwd: String,
    /// The first message on the data channel, this end's and the other's.
    pub own_proof: Digest,
    pub peer_proof: Digest,
    pub video: VideoRole,
}

/// The operator's end controls ICE and is the DTLS client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceSide {
    Controlling,
    Controlled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoRole {
    Sends,
    Receives,
}

/// What this end must know to open a relayed path.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayFacts {
    pub leg: tasuki_protocol::signal::Leg,
    pub psk: [u8; 32],
    pub prologue: Vec<u8>,
    /// The operator's end initiates.
    pub side: IceSide,
}

impl std::fmt::Debug for RelayFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelayFacts").field("leg", &self.leg.number).finish_non_exhaustive()
    }
}

/// Where a direct path may have an address at a relay (RFC 8656), and what proves that it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnFacts {
    /// `None`: the server's own host.
    pub host: Option<String>,
    pub port: u16,
    pub credential: TurnCredential,
}

/// By which way the datagrams of a direct path go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// From one end to the other.
    Straight,
    /// By an address at a relay, which forwards them as they are.
    ByRelay,
}

/// What a path tells its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathEvent {
    /// Both ends have proven themselves on it; packets may pass.
    Up(Ciphers),
    /// Another way than before; before the first one it is [`Route::Straight`].
    Routed(Route),
    /// A local candidate of a direct path, to be told to the other end.
    LocalCandidate(String),
    /// An encoded [`tasuki_protocol::message::Packet`].
    Packet(Vec<u8>),
    Video(VideoFrame),
    /// The path can take the next video frame without queueing it behind another.
    VideoRoom,
    /// The other end's receiver lost a frame that others build on.
    KeyFrameWanted,
    /// The estimate of what the path carries, in bits per second.
    Capacity(u64),
    /// Final. Nothing more comes from this path.
    Down(PathEnd),
}

/// Why a path ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathEnd {
    #[error("no way through was found within {0:?}")]
    NotReached(Duration),
    /// Neither a STUN server nor the other end, whose places were known, was ever heard: what
    /// `doctor` calls `udp_blocked`.
    #[error("this network lets no UDP through")]
    NoUdp,
    #[error("the path went silent")]
    Silent,
    #[error("the other end closed the path")]
    ClosedByPeer,
    #[error("the path was closed here")]
    ClosedHere,
    /// Altered, replayed, reordered or cut bytes, or weaker ciphers than AES-256 (T44, T47).
    #[error("the path broke its protection: {0}")]
    Violation(&'static str),
    #[error("the relay refused")]
    RelayRefused,
    #[error("the network failed: {0}")]
    Network(String),
}

/// What a session tells a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathCommand {
    SendPacket(Vec<u8>),
    /// Only after [`PathEvent::VideoRoom`]; one frame each.
    SendVideo(VideoFrame),
    RemoteCandidate(String),
    /// To a direct path alone: an address at this relay serves as well.
    UseRelay(TurnFacts),
    /// The receiver asks the sender for a frame that stands alone.
    AskKeyFrame,
    Close,
}
