//! The one loop of a session: inputs from server, paths, desktop, people and the
//! clock go in, what comes out is carried out.
//!
//! Decides nothing: every choice is the core's. What it carries out cannot fail;
//! a failure comes back as an input.

use std::time::{Duration, Instant};

use tasuki_protocol::ids::Role;
use tasuki_protocol::rights::Rights;
use tasuki_protocol::signal::{AgentToServer, OperatorToServer, ServerToAgent, ServerToOperator};
use tokio::sync::{mpsc, oneshot};

use super::clock::Clock;
use super::desktop::viewer::Wanted;
use super::desktop::{Host, Mailbox, Viewer};
use super::ledger::Scribe;
use super::notices::{Deaf, Notice, Notices};
use super::paths::Paths;
use super::server::{ServerEvent, ServerLink};
use super::system::monotonic_us;
use crate::core::Peer;
use crate::core::io::{
    DesktopCommand, DesktopEvent, HumanAct, Input, Output, PictureCommand, ServerMessage,
    ServerRequest, SessionEvent,
};
use crate::core::path::{Ciphers, PathCommand};
use crate::core::snapshot::{SessionStats, Snapshot};

/// Orders that may wait for the loop.
const ORDERS: usize = 256;
/// How long the paths have to say goodbye.
const FAREWELL: Duration = Duration::from_millis(700);

/// What a surface asks of the loop.
#[derive(Debug)]
pub enum Order {
    Act(HumanAct),
    /// Whom the operator helps, for the ledger.
    Customer(String),
    Report(oneshot::Sender<Report>),
    /// A picture is to be kept: whether the other end is told of it, and only then it may be (T27).
    KeepPicture(oneshot::Sender<bool>),
    /// Where it lies now, for the ledger (S95).
    PictureKept(String),
}

/// A surface's end of a running session.
#[derive(Debug)]
pub struct Front {
    pub orders: mpsc::Sender<Order>,
    pub notices: mpsc::Receiver<Notice>,
    pub viewer: Viewer,
}

impl Front {
    pub async fn act(&self, act: HumanAct) {
        let _ = self.orders.send(Order::Act(act)).await;
    }

    pub async fn customer(&self, name: String) {
        let _ = self.orders.send(Order::Customer(name)).await;
    }

    pub async fn report(&self) -> Option<Report> {
        let (answer, report) = oneshot::channel();
        self.orders.send(Order::Report(answer)).await.ok()?;
        report.await.ok()
    }
}

/// Everything that a surface shows of a session at a moment, and a stats line.
/// Ciphers stand flat as well, for whoever greps.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    #[serde(flatten)]
    pub stats: SessionStats,
    #[serde(flatten)]
    pub now: Snapshot,
    pub dtls: Option<String>,
    pub srtp: Option<String>,
    pub relay_cipher: Option<String>,
    pub relay_tls: Option<String>,
    /// From the consent to the first decoded picture.
    pub first_frame_ms: Option<u64>,
    /// Pictures decoded at this end.
    pub decoded: u64,
    /// Of encoded pictures, the same as `video_bytes`.
    pub bytes: u64,
}

/// A session about to run.
#[derive(Debug)]
pub struct Run {
    peer: Peer,
    clock: Clock,
    server: ServerLink,
    orders: mpsc::Receiver<Order>,
    hands: Hands,
    ticket: Ticket,
}

/// The server's leave to deliver this end's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ticket {
    NotAsked,
    Asked,
}

/// Everything that carries out.
#[derive(Debug)]
struct Hands {
    paths: Paths,
    mailbox: Mailbox,
    display: Option<String>,
    /// Constructed at the first command for it: never where the other end hosts (T20).
    host: Option<Host>,
    viewer: Viewer,
    notices: Notices,
    /// Since what matters found nobody who reads it.
    deaf: Option<Deaf>,
    scribe: Scribe,
    first: FirstPicture,
}

/// When the first picture came, counted from the consent.
#[derive(Debug, Clone, Copy)]
enum FirstPicture {
    AwaitsConsent,
    /// Microseconds on CLOCK_MONOTONIC.
    Awaited {
        since_us: u64,
    },
    Came {
        after_ms: u64,
    },
}

impl Run {
    /// `display` as in DISPLAY; touched only if this end becomes the host.
    pub fn prepare(
        peer: Peer,
        clock: Clock,
        server: ServerLink,
        paths: Paths,
        display: Option<String>,
        scribe: Scribe,
    ) -> (Self, Front) {
        let (order, orders) = mpsc::channel(ORDERS);
        let (notices, notice) = Notices::channel();
        let viewer = Viewer::default();
        let mailbox = Mailbox::default();
        let first = FirstPicture::AwaitsConsent;
        let front = Front { orders: order, notices: notice, viewer: viewer.clone() };
        let (host, deaf) = (None, None);
        let hands = Hands { paths, mailbox, display, host, viewer, notices, deaf, scribe, first };
        (Self { peer, clock, server, orders, hands, ticket: Ticket::NotAsked }, front)
    }

    /// Until the session is over; the surface hears its end first.
    pub async fn run(mut self) {
        let (mailbox, viewer) = (self.hands.mailbox.clone(), self.hands.viewer.clone());
        let clock = self.clock;
        while !self.peer.is_over() {
            if self.hands.deaf.take().is_some() {
                // A surface that shows nothing is as good as none.
                self.ordered(None);
                continue;
            }
            let (deadline, first) = (self.peer.deadline(), self.hands.first);
            tokio::select! {
                order = self.orders.recv() => self.ordered(order),
                events = mailbox.take() => self.desktop(events),
                event = self.server.next() => self.server_said(event),
                (id, event) = self.hands.paths.next() => self.turn(Input::Path(id, event)),
                () = clock.until(deadline) => self.turn(Input::Wake),
                () = first_picture(first, &viewer) => self.hands.tell_first_picture(),
            }
        }
        self.leave().await;
    }

    fn ordered(&mut self, order: Option<Order>) {
        match order {
            Some(Order::Act(act)) => self.turn(Input::Human(act)),
            Some(Order::Customer(name)) => self.hands.scribe.customer(&name),
            Some(Order::Report(answer)) => {
                let _ = answer.send(self.report());
            }
            Some(Order::KeepPicture(leave)) => {
                let before = self.peer.pictures_said();
                self.turn(Input::Human(HumanAct::TookScreenshot));
                let _ = leave.send(self.peer.pictures_said() > before);
            }
            Some(Order::PictureKept(file)) => self.hands.scribe.kept_picture(&file),
            // The surface is gone: nobody could end the session any more.
            None => self
                .turn(Input::Human(HumanAct::End(tasuki_protocol::message::EndReason::ProgramEnded))),
        }
    }

    fn desktop(&mut self, events: Vec<DesktopEvent>) {
        for event in events {
            if let DesktopEvent::Failed(why) = &event {
                self.hands.notice(Notice::DesktopFailed(why.clone()));
            }
            self.turn(Input::Desktop(event));
        }
    }

    fn server_said(&mut self, event: ServerEvent) {
        let input = match event {
            ServerEvent::Up => {
                self.ticket = Ticket::NotAsked;
                Input::ServerUp
            }
            ServerEvent::Message(message) => {
                self.hands.take_ticket(&message);
                if let ServerMessage::Operator(ServerToOperator::Arrived { manifest, .. }) = &message {
                    self.hands.paths.heed(&manifest.0);
                }
                Input::FromServer(message)
            }
            ServerEvent::Down => Input::ServerDown,
        };
        self.turn(input);
    }

    fn turn(&mut self, input: Input) {
        let now: Instant = self.clock.now();
        if let Input::Human(act) = &input {
            self.hands.scribe.did(act);
            // Before the core says to the server that all is over, as below.
            self.ask_for_ticket(now);
        }
        let outputs: Vec<Output> = self.peer.turn(input, now).collect();
        for output in outputs {
            if matches!(&output, Output::ToServer(ServerRequest::Agent(AgentToServer::Close))) {
                self.ask_for_ticket(now);
            }
            self.hands.act(output, &self.server);
        }
        self.ask_for_ticket(now);
    }

    /// Once this end will have something to deliver, and again after each loss of the server.
    fn ask_for_ticket(&mut self, now: Instant) {
        if self.ticket == Ticket::Asked {
            return;
        }
        let Some((session, role)) = self.hands.scribe.needs_ticket() else { return };
        self.ticket = Ticket::Asked;
        if let Some(who) = self.peer.snapshot(now).who {
            self.hands.scribe.under(who.policy_version);
        }
        self.server.send(match role {
            Role::Operator => ServerRequest::Operator(OperatorToServer::NeedLedgerTicket { session }),
            Role::Agent => ServerRequest::Agent(AgentToServer::NeedLedgerTicket),
        });
    }

    fn report(&self) -> Report {
        let stats = self.peer.stats();
        let (dtls, srtp, relay_cipher, relay_tls) = match stats.ciphers.clone() {
            Some(Ciphers::Direct { dtls, srtp }) => (Some(dtls), Some(srtp), None, None),
            Some(Ciphers::Relayed { noise, tls }) => (None, None, Some(noise), Some(tls)),
            None => (None, None, None, None),
        };
        let first_frame_ms = match self.hands.first {
            FirstPicture::Came { after_ms } => Some(after_ms),
            FirstPicture::AwaitsConsent | FirstPicture::Awaited { .. } => None,
        };
        let (decoded, bytes) = (self.hands.viewer.shown().count, stats.video_bytes);
        let now = self.peer.snapshot(self.clock.now());
        Report { stats, now, dtls, srtp, relay_cipher, relay_tls, first_frame_ms, decoded, bytes }
    }

    /// It was asked for before the end was told, so it comes if the server is there.
    async fn await_ticket(&mut self) {
        while self.hands.scribe.needs_ticket().is_some() {
            match self.server.next().await {
                ServerEvent::Message(message) => self.hands.take_ticket(&message),
                ServerEvent::Down => return,
                ServerEvent::Up => {}
            }
        }
    }

    /// Local first: the desktop has stopped before anything is said to anybody (S31).
    async fn leave(mut self) {
        if let Some(host) = &mut self.hands.host {
            host.stop();
        }
        self.hands.viewer.stop();
        if self.ticket == Ticket::Asked && self.hands.scribe.needs_ticket().is_some() {
            let _ = tokio::time::timeout(FAREWELL, self.await_ticket()).await;
        }
        let Self { hands, server, .. } = self;
        let Hands { mut paths, scribe, .. } = hands;
        let farewell = async { tokio::join!(paths.close(), server.close()) };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        scribe.close().await;
    }
}

impl Hands {
    /// The server's leave to deliver records, if `message` is one.
    fn take_ticket(&self, message: &ServerMessage) {
        if let ServerMessage::Operator(ServerToOperator::LedgerTicket { ticket, .. })
        | ServerMessage::Agent(ServerToAgent::LedgerTicket { ticket }) = message
        {
            self.scribe.ticket(ticket.clone());
        }
    }

    fn act(&mut self, output: Output, server: &ServerLink) {
        match output {
            Output::ToServer(request) => server.send(request),
            Output::AskConsent(question) => self.notice(Notice::Ask(question)),
            Output::WithdrawQuestion => self.notice(Notice::WithdrawQuestion),
            Output::AskPerson(question) => self.notice(Notice::AskPerson(question)),
            Output::WithdrawPersonQuestion(what) => self.notice(Notice::WithdrawPersonQuestion(what)),
            Output::OpenDirect(id, facts) => self.paths.open_direct(id, facts),
            Output::OpenRelay(id, facts) => self.paths.open_relay(id, facts),
            Output::Path(id, command) => self.paths.command(id, command),
            Output::Desktop(command) => self.desktop(command),
            Output::Picture(command) => self.picture(command),
            Output::Tell(event) => self.tell(event),
            Output::Keep(envelope) => {
                self.scribe.receipt(&envelope.0);
                self.notice(Notice::Receipt(envelope.0));
            }
        }
    }

    fn desktop(&mut self, command: DesktopCommand) {
        let (display, mailbox) = (&self.display, &self.mailbox);
        let host = self.host.get_or_insert_with(|| Host::new(display.clone(), mailbox.clone()));
        host.act(command);
    }

    fn picture(&mut self, command: PictureCommand) {
        if let Wanted::KeyFrame = self.viewer.act(command) {
            self.paths.command_newest(PathCommand::AskKeyFrame);
        }
    }

    fn tell(&mut self, event: SessionEvent) {
        self.scribe.told(&event);
        // Told when it was decoded, not when it came in.
        if let SessionEvent::FirstFrame { .. } = event {
            return;
        }
        if let SessionEvent::Consent { granted, .. } = &event
            && *granted != Rights::NONE
        {
            self.first = FirstPicture::Awaited { since_us: monotonic_us() };
        }
        self.notice(Notice::Event(event));
    }

    fn tell_first_picture(&mut self) {
        let FirstPicture::Awaited { since_us } = self.first else { return };
        let after_ms = self.viewer.shown().first_us.saturating_sub(since_us) / 1000;
        self.first = FirstPicture::Came { after_ms };
        self.notice(Notice::Event(SessionEvent::FirstFrame { after_ms }));
    }

    fn notice(&mut self, notice: Notice) {
        if let Err(deaf) = self.notices.tell(notice) {
            self.deaf = Some(deaf);
        }
    }
}

async fn first_picture(first: FirstPicture, viewer: &Viewer) {
    match first {
        FirstPicture::Awaited { .. } => drop(viewer.newer_than(0).await),
        FirstPicture::AwaitsConsent | FirstPicture::Came { .. } => std::future::pending().await,
    }
}
