//! One session's course in its tab: what is told of it, and what its operator wants.
//!
//! Decides what is shown and asked. What may be done is decided by the host.

use std::path::PathBuf;

use tasuki_peer::core::io::{HumanAct, PersonQuestion, Reply, SessionEvent};
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::run::Report;
use tasuki_protocol::ids::{Digest, Role};
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::message::{Asked, EndReason, MAX_CHAT_BYTES};
use tasuki_protocol::rights::{Capability, Rights};
use tasuki_protocol::screen::{Layout, MonitorId};

use super::ending::{close, gone, note_down, sign_in_again};
use super::entrance::{is_sign_in_over, lacks_reason, may_open};
use super::hearing::{add_line, cipher_words, heard};
use super::model::{Dialog, Model, Number, Outcome, Page, Question, Stage, Tab, TabId, ToastWhat};
use super::second_look;
use super::update::{Effect, Secret, say};
use crate::viewer::frame::Zoom;
use crate::viewer::hands;

/// What the session's loop tells.
#[derive(Debug)]
pub enum Happened {
    Event(SessionEvent),
    /// This end's person is asked, where his screen is shown.
    Asked(PersonQuestion),
    QuestionOver(Asked),
    Layout(Layout),
    /// This computer's monitors, where it is shown, may be others by now.
    MonitorsChanged,
    /// Nothing says on this screen that it is shown, and that cannot be helped.
    Unmarked,
    /// A report, and seconds since the one before.
    Report(Box<Report>, f64),
    ScreenshotKept(PathBuf),
    ScreenshotFailed(Fault),
    /// Signed by both ends, or by this one alone; as a page in the profile.
    Receipt(Result<PathBuf, Fault>),
    /// What the server made of the second look.
    Confirmed(Result<(), Fault>),
    /// The loop has ended; what explains an end that nobody wished.
    Gone(Result<(), Fault>),
}

/// What the operator wants of a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    CopyNumber,
    CopyLink,
    Cancel,
    /// Asks first, where somebody is connected.
    End,
    EndNow,
    Close,
    /// The same again, with a new number.
    Again,
    OpenReceipt,
    SaveReceipt,
    Operate(InputEvent),
    CtrlAltDel,
    TypeText(String),
    Say(String),
    Dialog(Dialog),
    Look(Look),
    Rights(RightsWish),
    SecondLook(second_look::Shown),
    /// To the question that stands over the window; the digest is of its text as shown.
    Answer {
        reply: Reply,
        shown: Digest,
    },
}

/// How the operator wants to see the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Zoom(Zoom),
    FullScreen(bool),
    Monitor(MonitorId),
    Screenshot,
}

/// What either end may do from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsWish {
    /// Control for so long; 0 is until the end.
    Ask {
        minutes: u32,
    },
    /// Where this end's screen is shown.
    Pause,
    Resume,
}

pub(super) fn happened(model: &mut Model, id: TabId, happened: Happened) -> Vec<Effect> {
    let (now, lang) = (model.now, model.lang());
    let seen = model.page == Page::Session(id);
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    match happened {
        Happened::Event(event) => {
            let is_taken = event == SessionEvent::ScreenshotTaken;
            heard(tab, event, now);
            if seen {
                tab.unread = 0;
            }
            if is_taken {
                let with = tab.with(lang).to_owned();
                return say(model, ToastWhat::PictureTaken(with));
            }
        }
        Happened::Asked(question) => {
            tab.question = Some(Question { question, since: now, seen_since: None });
            return called(model, id);
        }
        Happened::QuestionOver(_) => tab.question = None,
        Happened::Layout(layout) => tab.view.layout = Some(still_shown(tab, layout)),
        Happened::MonitorsChanged => return vec![Effect::AskMonitors(id)],
        Happened::Unmarked => return unmarked(tab),
        // Of the path that is gone.
        Happened::Report(..) if tab.link.reconnecting.is_some() => {}
        Happened::Report(report, seconds) => {
            tab.link.rates.count(seconds, report.decoded, report.bytes);
            tab.link.path = report.stats.path.or(tab.link.path);
            tab.link.heed(report.now.not_direct.as_ref());
            tab.link.round_trip_ms = report.stats.round_trip_ms;
            tab.link.cipher_words = report.stats.ciphers.as_ref().map(cipher_words);
        }
        Happened::ScreenshotKept(file) => {
            tab.pictures += 1;
            tab.view.last_file = Some(file.clone());
            return say(model, ToastWhat::Screenshot(file));
        }
        Happened::Receipt(kept) => tab.receipt = Some(kept),
        Happened::ScreenshotFailed(fault) => return say(model, ToastWhat::Failed(fault)),
        Happened::Confirmed(answer) => return second_look::answered(model, id, answer),
        Happened::Gone(result) => return gone(model, id, result),
    }
    Vec::new()
}

/// Ends what must not go on unseen, and says why (T33).
fn unmarked(tab: &mut Tab) -> Vec<Effect> {
    let effects = end(tab);
    if tab.is_shown() {
        tab.stage = Stage::Over(Outcome::Failed(Fault::Unmarked));
    }
    effects
}

/// A question of a tab that is looked at stands before the person's eyes, and no other.
pub(super) fn see_question(model: &mut Model) {
    let (now, seen) = (model.now, model.current().map(|tab| tab.id));
    for tab in &mut model.tabs {
        let is_seen = Some(tab.id) == seen;
        if let Some(question) = &mut tab.question {
            question.seen_since = question.seen_since.or(Some(now)).filter(|_| is_seen);
        }
    }
}

/// The tab comes to the front, unless another session is being attended to: its keys would answer.
fn called(model: &mut Model, id: TabId) -> Vec<Effect> {
    let attends = model.current().is_some_and(|tab| tab.id != id && tab.is_live());
    if !attends {
        model.page = Page::Session(id);
        return vec![Effect::Present];
    }
    let lang = model.lang();
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    tab.unread += 1;
    let with = tab.with(lang).to_owned();
    let mut effects = say(model, ToastWhat::Asked(with));
    effects.push(Effect::Attend);
    effects
}

/// By the bar over the shared screen, which only says that there is a question.
pub(super) fn to_question(model: &mut Model, id: TabId) -> Vec<Effect> {
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    tab.unread = 0;
    model.page = Page::Session(id);
    vec![Effect::Present]
}

/// Of this computer's own monitors the one that the operator chose is shown while it is there, as its host
/// holds it too; of the other's, the one that he tells.
fn still_shown(tab: &Tab, layout: Layout) -> Layout {
    let chosen = tab.view.layout.as_ref().filter(|_| !tab.watches()).map(|before| before.shown);
    let is_there = |id: &MonitorId| layout.monitors.iter().any(|monitor| monitor.id == *id);
    Layout { shown: chosen.filter(is_there).unwrap_or(layout.shown), ..layout }
}

pub(super) fn wished(model: &mut Model, id: TabId, wish: Wish) -> Vec<Effect> {
    let now = model.now;
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    match wish {
        Wish::CopyNumber => copy(tab, |number| &number.spoken, ToastWhat::NumberCopied),
        Wish::CopyLink => copy(tab, |number| &number.link, ToastWhat::LinkCopied),
        Wish::End | Wish::Close if tab.is_live() && !tab.leaving => {
            tab.dialog = Dialog::End;
            model.page = Page::Session(id);
            Vec::new()
        }
        Wish::Cancel | Wish::End | Wish::EndNow => end(tab),
        Wish::Close => {
            let over = matches!(tab.stage, Stage::Over(_));
            let mut effects = if over { Vec::new() } else { vec![Effect::HangUp(id)] };
            effects.extend(note_down(model, &[id]));
            close(model, id);
            effects
        }
        Wish::Again => again(model, id),
        Wish::OpenReceipt => kept(tab).map(Effect::OpenReceipt).into_iter().collect(),
        Wish::SaveReceipt => kept(tab).map(Effect::SaveReceipt).into_iter().collect(),
        Wish::TypeText(text) => type_text(model, id, &text),
        Wish::Say(line) => speak(tab, &line, now),
        Wish::Dialog(dialog) => {
            tab.dialog = dialog;
            Vec::new()
        }
        Wish::Operate(event) => operate(tab, event),
        Wish::CtrlAltDel if tab.operates() => {
            hands::ctrl_alt_del().into_iter().map(|event| act(id, event)).collect()
        }
        Wish::CtrlAltDel => Vec::new(),
        Wish::Look(look) => looked(tab, look, now),
        Wish::Rights(rights) => rights_wished(tab, rights),
        Wish::SecondLook(shown) => second_look::shown(tab, shown),
        Wish::Answer { reply, shown } => answer(tab, reply, shown, now),
    }
}

fn kept(tab: &Tab) -> Option<PathBuf> {
    tab.receipt.clone().and_then(Result::ok)
}

fn operate(tab: &Tab, event: InputEvent) -> Vec<Effect> {
    let lets_go = event == InputEvent::ReleaseAll && tab.is_live() && tab.watches();
    if tab.operates() || lets_go { vec![act(tab.id, event)] } else { Vec::new() }
}

fn looked(tab: &mut Tab, look: Look, now: u64) -> Vec<Effect> {
    match look {
        Look::Zoom(zoom) => tab.view.zoom = zoom,
        Look::FullScreen(full) => tab.view.full = full && tab.is_live(),
        Look::Monitor(monitor) if !tab.watches() || tab.has(Capability::ChooseScreen) => {
            if !tab.watches()
                && let Some(layout) = &mut tab.view.layout
            {
                layout.shown = monitor;
            }
            return vec![Effect::Act(tab.id, HumanAct::ShowMonitor(monitor))];
        }
        // The other side is told of each, and of no more than the core lets be told (T27).
        Look::Screenshot if tab.may_keep() && tab.view.kept_at != Some(now) => {
            tab.view.kept_at = Some(now);
            return vec![Effect::SaveScreenshot(tab.id)];
        }
        Look::Monitor(_) | Look::Screenshot => {}
    }
    Vec::new()
}

/// A yes counts only once the question has stood for a while (T2); the core holds to it too.
fn answer(tab: &mut Tab, reply: Reply, shown: Digest, now: u64) -> Vec<Effect> {
    let Some(question) = &tab.question else { return Vec::new() };
    if reply == Reply::Yes && !question.is_open(now) {
        return Vec::new();
    }
    let what = question.what();
    tab.question = None;
    vec![Effect::Act(tab.id, HumanAct::Answer { what, reply, shown })]
}

fn rights_wished(tab: &mut Tab, wish: RightsWish) -> Vec<Effect> {
    tab.dialog = Dialog::None;
    let act = match wish {
        RightsWish::Ask { minutes } if tab.may_ask_more() => {
            let rights = Rights::of(&[Capability::Operate]);
            HumanAct::AskRights { rights, seconds: minutes.saturating_mul(60) }
        }
        RightsWish::Pause if !tab.watches() && tab.is_live() => HumanAct::Pause,
        RightsWish::Resume if !tab.watches() && tab.is_live() => HumanAct::Resume,
        RightsWish::Ask { .. } | RightsWish::Pause | RightsWish::Resume => return Vec::new(),
    };
    vec![Effect::Act(tab.id, act)]
}

fn act(id: TabId, event: InputEvent) -> Effect {
    Effect::Act(id, HumanAct::Operate(event))
}

fn copy(tab: &Tab, part: impl Fn(&Number) -> &String, what: ToastWhat) -> Vec<Effect> {
    match &tab.stage {
        Stage::Waiting(number) | Stage::AtTheDoor { number, .. } => {
            vec![Effect::Copy(Secret::from(part(number).as_str()), what)]
        }
        Stage::Dialling | Stage::AwaitsConsent | Stage::Live { .. } | Stage::Over(_) => Vec::new(),
    }
}

fn end(tab: &mut Tab) -> Vec<Effect> {
    tab.dialog = Dialog::None;
    // Said twice it would cut the farewell short.
    if std::mem::replace(&mut tab.leaving, true) {
        return Vec::new();
    }
    match tab.stage {
        Stage::Dialling => vec![Effect::HangUp(tab.id)],
        Stage::Waiting(_) | Stage::AtTheDoor { .. } | Stage::AwaitsConsent | Stage::Live { .. } => {
            vec![Effect::Act(tab.id, HumanAct::End(EndReason::OperatorEnded))]
        }
        Stage::Over(_) => Vec::new(),
    }
}

pub(super) fn again(model: &mut Model, id: TabId) -> Vec<Effect> {
    let now = model.now;
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    if !matches!(tab.stage, Stage::Over(_)) {
        return Vec::new();
    }
    if let Stage::Over(Outcome::Failed(fault)) = &tab.stage
        && is_sign_in_over(fault)
    {
        let why = fault.clone();
        return sign_in_again(model, &why);
    }
    if second_look::lacks(tab) {
        second_look::ask(model, id);
        return Vec::new();
    }
    // A tab of its own: what the old session still tells is not the new one's.
    let (mode, note) = (tab.mode, tab.note.clone());
    if !may_open(model, mode) {
        (model.page, model.chosen) = (Page::Home, None);
        return Vec::new();
    }
    if lacks_reason(model, &note) {
        (model.page, model.chosen) = (Page::Home, Some(mode));
        return say(model, ToastWhat::Failed(Fault::ReasonNeeded));
    }
    let mut effects = note_down(model, &[id]);
    let next = model.next_id();
    if let Some(tab) = model.tab_mut(id) {
        *tab = Tab::new(next, mode, note.clone(), now);
    }
    model.page = Page::Session(next);
    effects.push(Effect::Dial { tab: next, mode, note });
    effects
}

fn type_text(model: &mut Model, id: TabId, text: &str) -> Vec<Effect> {
    let Some(tab) = model.tab_mut(id) else { return Vec::new() };
    tab.dialog = Dialog::None;
    if !tab.operates() {
        return Vec::new();
    }
    let effects = hands::typing(text).into_iter().map(|event| act(id, event)).collect();
    say(model, ToastWhat::TextSent);
    effects
}

fn speak(tab: &mut Tab, line: &str, now: u64) -> Vec<Effect> {
    let line = line.trim();
    if line.is_empty() || line.len() > MAX_CHAT_BYTES || !tab.has(Capability::Chat) {
        return Vec::new();
    }
    add_line(tab, Role::Operator, line.to_owned(), now);
    vec![Effect::Act(tab.id, HumanAct::Chat(line.to_owned()))]
}

/// Asks the session that is looked at for its figures, and the display for what it did not tell.
pub(super) fn tick(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    for tab in &mut model.tabs {
        tab.more.tick(now);
    }
    let unplaced = |tab: &&Tab| tab.is_shown() && tab.view.layout.is_none();
    let mut effects: Vec<Effect> =
        model.tabs.iter().filter(unplaced).map(|tab| Effect::AskMonitors(tab.id)).collect();
    effects.extend(model.current().filter(|tab| tab.is_live()).map(|tab| Effect::AskReport(tab.id)));
    effects
}
