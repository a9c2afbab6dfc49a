//! Everything that enters and leaves a session's core. The shell's whole contract.

use tasuki_protocol::blob::Blob;
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::{DeviceKey, Digest, SessionId};
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::message::{Asked, EndReason};
use tasuki_protocol::number::SessionNumber;
use tasuki_protocol::rights::{Capability, Mode, Operate, Permit, Rights, SeeScreen};
use tasuki_protocol::screen::{CursorPosition, CursorShape, Layout, MonitorId};
use tasuki_protocol::signal::{
    AgentToServer, CloseReason, OperatorToServer, RefusalReason, ServerToAgent, ServerToOperator,
};

use super::path::{
    Ciphers, DirectFacts, PathCommand, PathEnd, PathEvent, PathId, PathKind, RelayFacts, VideoFrame,
};

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The connection to the server stands (for an operator: proven and ready).
    ServerUp,
    FromServer(ServerMessage),
    /// The connection to the server is gone; the shell dials again by itself.
    ServerDown,
    Path(PathId, PathEvent),
    Human(HumanAct),
    Desktop(DesktopEvent),
    /// Nothing but the passing of time: [`super`]'s deadline has come.
    Wake,
}

#[derive(Debug, Clone)]
pub enum ServerMessage {
    Operator(ServerToOperator),
    Agent(ServerToAgent),
}

/// What the person at this end did, on this program's own surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HumanAct {
    /// Agent: yes, with these rights at most. `shown` is the SHA-256 of the text
    /// that stood before the person, UTF-8 (T10).
    Accept {
        granted: Rights,
        shown: Digest,
    },
    /// Agent: no.
    Refuse {
        shown: Digest,
    },
    /// Viewer: an act of the hand over the picture.
    Operate(InputEvent),
    /// Viewer: asks for another monitor of the host.
    ShowMonitor(MonitorId),
    /// Viewer: a still picture was kept.
    TookScreenshot,
    /// Viewer: asks the host's person for more, for so many seconds.
    AskRights {
        rights: Rights,
        seconds: u32,
    },
    /// Host: the answer to [`Output::AskPerson`]. `shown` as in [`Self::Accept`].
    Answer {
        what: Asked,
        reply: Reply,
        shown: Digest,
    },
    /// Host: the viewer has these rights no longer.
    TakeAway(Rights),
    /// Host: what was taken away stands again.
    GiveBack(Rights),
    /// Host: the picture stands still, nothing is sent, no input counts.
    Pause,
    Resume,
    Chat(String),
    /// Either end: stop now. Local first.
    End(EndReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Yes,
    No,
}

/// What the host's own desktop tells.
#[derive(Debug, Clone)]
pub enum DesktopEvent {
    Layout(Layout),
    CursorShape(CursorShape),
    Cursor(CursorPosition),
    /// The answer to one [`DesktopCommand::Demand`].
    Frame(VideoFrame),
    /// The person at the host used his own mouse or keyboard (T32).
    LocalInput,
    /// Capture or injection cannot go on; the sentence is for people.
    Failed(String),
}

/// What is to be done. Carried out in order; failures come back as inputs.
#[derive(Debug)]
pub enum Output {
    ToServer(ServerRequest),
    /// The agent asks its person; silence is counted by the core.
    AskConsent(Question),
    /// The question is over (answered elsewhere, too late, or the session ended).
    WithdrawQuestion,
    /// The host's person is asked in mid-session; silence is counted by the core.
    AskPerson(PersonQuestion),
    /// That question is over.
    WithdrawPersonQuestion(Asked),
    OpenDirect(PathId, DirectFacts),
    OpenRelay(PathId, RelayFacts),
    Path(PathId, PathCommand),
    Desktop(DesktopCommand),
    Picture(PictureCommand),
    Tell(SessionEvent),
    /// The envelope of the session's [`tasuki_protocol::receipt::Receipt`], to be kept.
    Keep(Blob),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerRequest {
    Operator(OperatorToServer),
    Agent(AgentToServer),
}

/// What the host's shell does with its desktop. Never sent in a mode whose host
/// is the other end: no capture module starts there (T20).
#[derive(Debug)]
pub enum DesktopCommand {
    StartCapture(Permit<SeeScreen>),
    StartInjector(Permit<Operate>),
    /// One frame is wanted: the newest, as soon as anything differs from the last one sent.
    Demand(Demand),
    ShowMonitor(MonitorId),
    /// An act of the viewer, already permitted; the permit stands beside it.
    Inject(Permit<Operate>, InputEvent),
    /// What the viewer did and was not carried out yet is not done any more, and every key and button held
    /// for him is let go.
    ReleaseAll,
    /// Capture and injection end before anything else happens (S31).
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// The next frame must stand alone.
    pub key_frame: KeyFrame,
    pub bits_per_second: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFrame {
    Forced,
    AsNeeded,
}

/// What the viewer's shell shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureCommand {
    Layout(Layout),
    CursorShape(CursorShape),
    Cursor(CursorPosition),
    /// To be decoded in the order given; a key frame starts afresh.
    Frame(VideoFrame),
}

/// What the end user is asked, with everything that must be shown (T10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub organisation: String,
    pub manifest: Box<Manifest>,
    /// The most that can be granted: ceiling, manifest and this machine's own maximum.
    pub grantable: Rights,
    /// Seconds until silence counts as a refusal.
    pub seconds: u64,
}

/// What the host's person is asked in mid-session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonQuestion {
    pub kind: PersonQuestionKind,
    /// Seconds until silence is taken for an answer.
    pub seconds: u32,
    /// Milliseconds in which a yes is not taken yet (T2).
    pub inert_ms: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonQuestionKind {
    /// Silence refuses.
    MoreRights { rights: Rights, for_seconds: u32 },
    /// Silence, like no, ends the session.
    Continue,
}

/// What people and logs are told. Serialised by the programs as one JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SessionEvent {
    /// Operator: read this number out.
    Number {
        number: SpokenNumber,
        expires_in: u64,
    },
    /// Operator: somebody has come with the right locator.
    AtTheDoor {
        attempt: u8,
    },
    /// A wrong number was tried.
    WrongNumber {
        attempts_left: u8,
    },
    /// `security.transcript_mismatch` in logs: the server altered what passed (T7).
    TranscriptMismatch,
    Paired {
        session: SessionId,
        transcript: Digest,
        peer_device: DeviceKey,
    },
    ManifestRefused {
        why: String,
    },
    /// The person has answered; what was granted.
    Consent {
        mode: Mode,
        granted: Rights,
    },
    /// The other end was told this address of this end, for a direct path: once each (R1).
    Disclosed {
        address: std::net::IpAddr,
    },
    PathUp {
        path: PathKind,
        ciphers: Ciphers,
        /// The other end's program and its version, as it says; empty where it did not.
        peer_software: String,
    },
    PathDown {
        path: PathKind,
        why: String,
    },
    /// The session now sends on this path.
    PathChosen {
        path: PathKind,
    },
    /// No path carries anything at the moment; the session waits.
    Reconnecting,
    FirstFrame {
        after_ms: u64,
    },
    InputPaused {
        for_ms: u32,
    },
    InputResumed,
    /// What this end's person did over the picture did not reach the host and will not (T50).
    InputDiscarded {
        why: Discarded,
    },
    /// There was no room for what this end wanted to say: nothing is acknowledged any more.
    NotSaid,
    /// The host's person is asked; input waits for his answer.
    Asking {
        what: Asked,
        rights: Rights,
        seconds: u32,
    },
    AskingOver {
        what: Asked,
    },
    /// The host's person has spoken; what the viewer may do from now on.
    RightsChanged {
        change: Change,
        rights: Rights,
        /// Of a grant; else 0.
        seconds: u32,
        effective: Rights,
    },
    /// A grant's time is over.
    RightsEnded {
        rights: Rights,
        effective: Rights,
    },
    PicturePaused,
    PictureResumed,
    /// The other end tried what it may not; it had no effect.
    Violation {
        wanted: Capability,
        count: u64,
    },
    /// An act of this end was refused by the host.
    Refused {
        wanted: Capability,
    },
    ScreenshotTaken,
    Chat {
        line: String,
    },
    ServerRefused {
        reason: RefusalReason,
    },
    ServerClosed {
        reason: CloseReason,
    },
    ServerGone,
    Ended {
        reason: EndReason,
        by: EndedBy,
    },
}

/// Why an act of the hand was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Discarded {
    /// Too old by the time at which a path would have carried it.
    NoConnection,
    /// Keys were down when the connection was lost: first all of them must come up.
    KeysDown,
    /// The host's person has his hand on it, is asked something, or holds the picture.
    Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    ThisEnd,
    OtherEnd,
    Server,
}

/// The whole number, on its way to the operator's eyes.
#[derive(Clone, PartialEq, Eq)]
pub struct SpokenNumber(pub SessionNumber);

impl std::fmt::Debug for SpokenNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpokenNumber(..)")
    }
}

impl serde::Serialize for SpokenNumber {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// A path's end in words for [`SessionEvent::PathDown`].
pub fn path_end_words(end: &PathEnd) -> String {
    end.to_string()
}
