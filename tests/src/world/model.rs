//! What must hold at every step, whatever the script does: the reference against
//! which both cores run.

use std::time::{Duration, Instant};

use tasuki_peer::core::io::{DesktopCommand, Output, ServerRequest, SessionEvent};
use tasuki_peer::core::path::PathCommand;
use tasuki_protocol::ids::Role;
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::{AgentToServer, OperatorToServer};

use super::MARKER;

#[derive(Debug)]
pub struct Model {
    pub mode: Mode,
    /// What the person at the agent granted, once he did.
    pub granted: Option<Rights>,
    /// Host's own maximum.
    pub host_local: Rights,
    pub rights_end: Option<Instant>,
    ended: [u32; 2],
    typed: Vec<u32>,
    delivered: Vec<u32>,
    /// When each was typed, by its place, and how long each that arrived was under way.
    typed_at: Vec<Instant>,
    waited: Vec<Duration>,
}

impl Model {
    pub fn new(mode: Mode, host_local: Rights) -> Self {
        Self {
            mode,
            granted: None,
            host_local,
            rights_end: None,
            ended: [0; 2],
            typed: Vec::new(),
            delivered: Vec::new(),
            typed_at: Vec::new(),
            waited: Vec::new(),
        }
    }

    /// Another run of the agent's program.
    pub fn agent_starts(&mut self) {
        self.ended[Role::Agent as usize] = 0;
    }

    fn effective(&self) -> Rights {
        self.granted.unwrap_or(Rights::NONE).and(self.mode.ceiling()).and(self.host_local)
    }

    pub fn typed(&mut self, text: u32, now: Instant) {
        self.typed.push(text);
        self.typed_at.push(now);
    }

    pub fn all_typed(&self) -> &[u32] {
        &self.typed
    }

    pub fn delivered(&self) -> &[u32] {
        &self.delivered
    }

    /// How long what arrived was under way from hand to desktop, the shortest first.
    pub fn waits(&self) -> Vec<Duration> {
        let mut waits = self.waited.clone();
        waits.sort();
        waits
    }

    /// # Panics
    /// An output that must never be.
    pub fn check(&mut self, role: Role, output: &Output, now: Instant) {
        if self.ended[role as usize] > 0 {
            return check_parting(role, output);
        }
        match output {
            Output::Desktop(command) => self.check_desktop(role, command, now),
            Output::OpenDirect(..) | Output::OpenRelay(..) => {
                assert!(self.granted.is_some(), "T1: {role:?} opens a path before consent");
            }
            Output::Path(_, command) => self.check_path(role, command),
            Output::ToServer(request) => check_server(request),
            Output::Tell(SessionEvent::Ended { .. }) => self.ended[role as usize] += 1,
            Output::AskConsent(_) => assert_eq!(role, Role::Agent, "only the end user is asked"),
            Output::AskPerson(_) => {
                assert_eq!(role, self.mode.host(), "only the host's person is asked")
            }
            Output::Keep(_) => panic!("{role:?} keeps a receipt of what goes on"),
            Output::WithdrawQuestion
            | Output::WithdrawPersonQuestion(_)
            | Output::Picture(_)
            | Output::Tell(_) => {}
        }
    }

    fn check_desktop(&mut self, role: Role, command: &DesktopCommand, now: Instant) {
        assert_eq!(role, self.mode.host(), "T20: {role:?} does not host in {}", self.mode);
        assert!(self.granted.is_some(), "T1, S29: {command:?} before consent");
        let in_time = self.rights_end.is_none_or(|ends| now < ends);
        let may = |capability| {
            assert!(in_time, "T12: {command:?} after the rights' end");
            assert!(self.effective().has(capability), "{command:?} without {capability:?}");
        };
        match command {
            DesktopCommand::StartCapture(_) | DesktopCommand::Demand(_) => may(Capability::SeeScreen),
            DesktopCommand::StartInjector(_) => may(Capability::Operate),
            DesktopCommand::Inject(_, event) => {
                may(Capability::Operate);
                self.deliver(event, now);
            }
            DesktopCommand::ShowMonitor(_) | DesktopCommand::ReleaseAll | DesktopCommand::Stop => {}
        }
    }

    /// Each key at most once, and in order (T50).
    fn deliver(&mut self, event: &InputEvent, now: Instant) {
        let InputEvent::Text(text) = event else { return };
        let number: u32 = text.parse().expect("what the script types is a number");
        let place = self.typed.iter().position(|typed| *typed == number);
        let place = place.unwrap_or_else(|| panic!("{number} was never typed"));
        assert!(
            self.delivered.last().is_none_or(|last| *last < number),
            "{number} after {:?}: repeated or out of order",
            self.delivered.last()
        );
        self.delivered.push(number);
        self.waited.push(now.saturating_duration_since(self.typed_at[place]));
    }

    fn check_path(&self, role: Role, command: &PathCommand) {
        match command {
            PathCommand::SendVideo(_) => {
                assert_eq!(role, self.mode.host(), "T20, T23: {role:?} sends a picture");
                assert!(self.effective().has(Capability::SeeScreen), "a picture without the right");
            }
            PathCommand::SendPacket(_) => {
                assert!(self.granted.is_some(), "T1: a packet before consent")
            }
            PathCommand::RemoteCandidate(_)
            | PathCommand::UseRelay(_)
            | PathCommand::AskKeyFrame
            | PathCommand::Close => {}
        }
    }
}

/// After its end an end only signs the receipt and closes its paths (S31).
fn check_parting(role: Role, output: &Output) {
    let may = match output {
        Output::Path(_, PathCommand::SendPacket(_) | PathCommand::Close)
        | Output::ToServer(_)
        | Output::WithdrawPersonQuestion(_)
        | Output::Keep(_)
        | Output::Tell(SessionEvent::PathDown { .. } | SessionEvent::AskingOver { .. }) => true,
        Output::Path(..)
        | Output::Desktop(_)
        | Output::Picture(_)
        | Output::AskConsent(_)
        | Output::WithdrawQuestion
        | Output::AskPerson(_)
        | Output::OpenDirect(..)
        | Output::OpenRelay(..)
        | Output::Tell(_) => false,
    };
    assert!(may, "{role:?} acts after its end: {output:?}");
}

/// The server sees nothing of what the two ends mean for each other.
fn check_server(request: &ServerRequest) {
    let bodies: Vec<&[u8]> = match request {
        ServerRequest::Operator(message) => match message {
            OperatorToServer::OpenRoom { hellos, .. } => {
                hellos.iter().map(|h| h.0.as_slice()).collect()
            }
            OperatorToServer::Forward { body, .. } => vec![&body.0],
            OperatorToServer::Prove { .. }
            | OperatorToServer::Resume { .. }
            | OperatorToServer::PairingFailed { .. }
            | OperatorToServer::Paired { .. }
            | OperatorToServer::NeedLeg { .. }
            | OperatorToServer::RelayTimes { .. }
            | OperatorToServer::NeedLedgerTicket { .. }
            | OperatorToServer::Object { .. }
            | OperatorToServer::Close { .. } => vec![],
        },
        ServerRequest::Agent(message) => match message {
            AgentToServer::Join { hello, .. } => vec![&hello.0],
            AgentToServer::Forward { body } => vec![&body.0],
            AgentToServer::Resume { .. }
            | AgentToServer::RelayTimes { .. }
            | AgentToServer::NeedLedgerTicket
            | AgentToServer::Object { .. }
            | AgentToServer::Close => {
                vec![]
            }
        },
    };
    for body in bodies {
        let found = body.windows(MARKER.len()).any(|window| window == MARKER);
        assert!(!found, "plain text on its way to the server");
    }
}
