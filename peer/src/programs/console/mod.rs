//! A person's or a script's end of a running session: lines in, events out.
//!
//! Decides in which order lines are carried out and how everything is told. What
//! may be done is decided by the core, what is consent by [`super::consent`].

mod asking;
mod carrying;
mod person;
mod telling;

use std::time::Duration;

use tasuki_media::desktop::hands_were_at_rest;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Rights};
use tokio::time::Instant;

use super::commands::{self, Line};
use super::consent::Shown;
use super::granting::Grant;
use super::say::{self, Form};
use super::waiting::{Done, Waiting};
use crate::core::io::{HumanAct, SessionEvent};
use crate::core::path::PathKind;
use crate::shell::desktop::Viewer;
use crate::shell::desktop::viewer::Spot;
use crate::shell::fault::Fault;
use crate::shell::notices::Notice;
use crate::shell::profile::Profile;
use crate::shell::run::Front;
use crate::shell::system::{Signals, Wish};
use crate::shell::terminal::{self, Lines, TypedLine};
use crate::shell::texts::{self, Lang, SessionText};
use crate::shell::verdict::Verdict;
use person::PersonAsked;

/// How long the viewer's hand must have rested before a line that gives it more.
const HANDS_REST: Duration = Duration::from_secs(1);
/// How long the loop may take to end after it was told to.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How this end speaks and what it can show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) role: Role,
    pub(super) form: Form,
    pub(super) lang: Lang,
    pub(super) desktop: OwnDesktop,
    /// Sessions of this organisation that this computer has had, for an agent's person.
    pub(super) met_before: u32,
}

/// Whether this end has a desktop that it could show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnDesktop {
    Here,
    None,
}

#[derive(Debug)]
pub(super) struct Console<'a> {
    manner: Manner,
    front: Front,
    lines: &'a mut Lines,
    signals: &'a mut Signals,
    profile: &'a Profile,
    verdict: Verdict,
    stage: Stage,
    asked: Option<Asked>,
    person: Option<PersonAsked>,
    waiting: Option<Waiting>,
    watched: Option<Watched>,
    granted: Rights,
    /// The end whose screen is shown, once that is agreed.
    host: Option<Role>,
    /// Pictures decoded when the last act went out or the last wait ended.
    seen: u64,
    /// Nobody waits longer than this for the loop's end.
    give_up: Option<Instant>,
    receipt: Receipt,
    refused: Option<Fault>,
    link: Link,
    /// When who sees what is told again.
    reminds: Option<Instant>,
    is_paused: bool,
    /// What the other end did not do last, and when it said so.
    not_done: Option<(Capability, Instant)>,
    /// Paths of which was said that they ended, and which have not come up since.
    not_found: Vec<PathKind>,
}

/// Whether a path carries the session just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Stands,
    Away,
    /// The session is over: what paths do is of no interest any more.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    Up,
}

#[derive(Debug)]
struct Asked {
    shown: Shown,
    open: Opening,
}

#[derive(Debug, Clone, Copy)]
enum Opening {
    /// What is typed until then does not count.
    At(Instant),
    Since(std::time::Instant),
}

impl Opening {
    fn due(self) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::Since(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Watched {
    spot: Spot,
    colour: Option<[u8; 3]>,
    count: u64,
}

/// What the person is told at the end.
#[derive(Debug, Default)]
struct Receipt {
    with: String,
    organisation: String,
    mode: String,
    /// The mode would let the other side operate, and nobody has allowed that.
    looked_only: bool,
    began: Option<Instant>,
    pictures: u32,
}

impl<'a> Console<'a> {
    pub(super) fn new(
        manner: Manner,
        front: Front,
        lines: &'a mut Lines,
        signals: &'a mut Signals,
        profile: &'a Profile,
    ) -> Self {
        Self {
            manner,
            front,
            lines,
            signals,
            profile,
            verdict: Verdict::of(manner.role),
            stage: Stage::Before,
            asked: None,
            person: None,
            waiting: None,
            watched: None,
            granted: Rights::NONE,
            host: None,
            seen: 0,
            give_up: None,
            receipt: Receipt::default(),
            refused: None,
            link: Link::Stands,
            reminds: None,
            is_paused: false,
            not_done: None,
            not_found: Vec::new(),
        }
    }

    /// Until the session is over; `heard` sees every event.
    ///
    /// # Errors
    /// What explains an end that nobody wished.
    pub(super) async fn attend(mut self, mut heard: impl FnMut(&SessionEvent)) -> Result<(), Fault> {
        let viewer = self.front.viewer.clone();
        loop {
            let opens = self.asked.as_ref().and_then(|asked| asked.open.due());
            let person_opens = self.person.as_ref().and_then(|person| person.open.due());
            tokio::select! {
                notice = self.front.notices.recv() => match notice {
                    Some(notice) => self.notice(notice, &mut heard).await,
                    None => break,
                },
                wish = self.signals.next() => self.wished(wish).await,
                line = self.lines.next(), if self.waiting.is_none() => self.line(line).await,
                done = Waiting::done(self.waiting.as_ref(), &viewer) => self.waited(done),
                () = look(self.watched, &viewer) => self.looked(),
                () = at(opens) => self.open_question(),
                () = at(person_opens) => self.open_person_question(),
                () = at(self.reminds) => self.remind(),
                () = at(self.give_up) => break,
            }
        }
        match self.refused {
            Some(fault) => Err(fault),
            None => self.verdict.finish(),
        }
    }

    async fn notice(&mut self, notice: Notice, heard: &mut impl FnMut(&SessionEvent)) {
        match notice {
            Notice::Event(event) => {
                heard(&event);
                self.verdict.hear(&event);
                self.event(&event);
            }
            Notice::Ask(question) => self.ask(question).await,
            Notice::WithdrawQuestion => self.withdraw(),
            Notice::AskPerson(question) => self.ask_person(&question),
            Notice::WithdrawPersonQuestion(what) => self.withdraw_person_question(what),
            Notice::Receipt(envelope) => self.keep_receipt(&envelope),
            Notice::DesktopFailed(why) => self.verdict.desktop_failed(why),
        }
    }

    fn event(&mut self, event: &SessionEvent) {
        if self.manner.form == Form::Json {
            say::json(event);
        }
        let sentence = say::sentence(event, (self.manner.role, self.host), self.manner.lang);
        if let Some(sentence) = sentence.filter(|_| !self.is_known_already(event)) {
            self.tell(&sentence);
        }
        match event {
            SessionEvent::Consent { mode, granted } if *granted != Rights::NONE => {
                self.granted = *granted;
                self.receipt.mode = texts::mode(*mode).say(self.manner.lang).to_owned();
                let would_operate =
                    self.manner.role == mode.host() && mode.ceiling().has(Capability::Operate);
                self.receipt.looked_only = would_operate && !granted.has(Capability::Operate);
                self.receipt.began = Some(Instant::now());
                self.host = Some(mode.host());
            }
            SessionEvent::PathChosen { .. } => {
                self.link = Link::Stands;
                self.stand();
            }
            SessionEvent::PathUp { path, .. } => self.not_found.retain(|other| other != path),
            SessionEvent::PathDown { path, .. } if !self.not_found.contains(path) => {
                self.not_found.push(*path);
            }
            SessionEvent::Reconnecting => self.link = Link::Away,
            SessionEvent::Asking { what, seconds, .. } => self.they_are_asked(*what, *seconds),
            SessionEvent::RightsChanged { change, effective, .. } => {
                self.rights_changed(*change, *effective);
            }
            SessionEvent::RightsEnded { effective, .. } => self.granted = *effective,
            SessionEvent::PicturePaused => self.is_paused = true,
            SessionEvent::PictureResumed => self.is_paused = false,
            SessionEvent::ScreenshotTaken => self.receipt.pictures += 1,
            SessionEvent::Refused { wanted } => self.not_done = Some((*wanted, Instant::now())),
            SessionEvent::Ended { .. } => {
                self.link = Link::Over;
                self.sum_up();
            }
            SessionEvent::Number { .. }
            | SessionEvent::AtTheDoor { .. }
            | SessionEvent::WrongNumber { .. }
            | SessionEvent::TranscriptMismatch
            | SessionEvent::Paired { .. }
            | SessionEvent::ManifestRefused { .. }
            | SessionEvent::Consent { .. }
            | SessionEvent::Disclosed { .. }
            | SessionEvent::PathDown { .. }
            | SessionEvent::FirstFrame { .. }
            | SessionEvent::InputPaused { .. }
            | SessionEvent::InputResumed
            | SessionEvent::InputDiscarded { .. }
            | SessionEvent::NotSaid
            | SessionEvent::AskingOver { .. }
            | SessionEvent::Violation { .. }
            | SessionEvent::Chat { .. }
            | SessionEvent::ServerRefused { .. }
            | SessionEvent::ServerClosed { .. }
            | SessionEvent::ServerGone => {}
        }
    }

    /// A path carries the session: only now is anything shared.
    fn stand(&mut self) {
        if let (Stage::Before, Some(host)) = (self.stage, self.host) {
            self.banner(host);
            self.reminds = Some(Instant::now() + telling::REMINDS);
        }
        self.stage = Stage::Up;
        if let Some(Waiting::Session { .. }) = self.waiting {
            self.waited(Done::Yes { what: "session", frame: 0 });
        }
    }

    async fn wished(&mut self, wish: Wish) {
        if self.give_up.is_some() {
            // Asked twice: at once.
            self.give_up = Some(Instant::now());
            return;
        }
        if wish == Wish::Person && self.stage == Stage::Before && self.asked.is_none() {
            self.refused = Some(Fault::Interrupted);
        }
        self.end(match wish {
            Wish::Person => self.own_end(),
            Wish::System => EndReason::ProgramEnded,
        })
        .await;
    }

    fn own_end(&self) -> EndReason {
        match self.manner.role {
            Role::Operator => EndReason::OperatorEnded,
            Role::Agent => EndReason::UserEnded,
        }
    }

    async fn end(&mut self, reason: EndReason) {
        self.give_up = Some(Instant::now() + LAST_WORDS);
        self.waiting = None;
        if self.stage == Stage::Before
            && let Some(asked) = self.asked.take()
        {
            return self.front.act(HumanAct::Refuse { shown: asked.shown.digest() }).await;
        }
        self.front.act(HumanAct::End(reason)).await;
    }

    async fn line(&mut self, line: Option<TypedLine>) {
        let Some(line) = line else { return self.end(self.own_end()).await };
        if self.asked.is_some() {
            return self.answer(&line).await;
        }
        if let Some(reply) = Self::reply(&line.text)
            && self.stage == Stage::Up
        {
            return self.answer_person(reply, &line).await;
        }
        match commands::parse(&line.text) {
            Ok(Line::Resume | Line::Grant(Grant::Back(_))) if !self.is_a_persons(&line) => {
                self.complain_of("not_a_person", self.live(SessionText::NotAPerson));
            }
            Ok(Line::Nothing) if self.manner.role == Role::Agent => self.remind(),
            Ok(Line::Nothing) => {}
            Ok(Line::End) => self.end(self.own_end()).await,
            // Before the question an agent's person has nothing to command.
            Ok(_) | Err(_) if self.stage == Stage::Before && self.manner.role == Role::Agent => {}
            Ok(command) => self.carry_out(command).await,
            Err(bad) => self.complain_of(bad.code(), bad.sentence(self.manner.lang)),
        }
    }

    /// Whether no hand of the other side was at this desktop while the line was typed (T2, T17): what
    /// widens its rights must be a person's. A script's standard input is no place that a hand reaches.
    fn is_a_persons(&self, line: &TypedLine) -> bool {
        let since = line.at.checked_sub(HANDS_REST).unwrap_or(line.at);
        !terminal::is_interactive() || hands_were_at_rest(since)
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn look(watched: Option<Watched>, viewer: &Viewer) {
    match watched {
        Some(watched) => drop(viewer.newer_than(watched.count).await),
        None => std::future::pending().await,
    }
}
