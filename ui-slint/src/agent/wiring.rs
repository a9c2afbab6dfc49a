//! From what is pressed in the windows to messages.
//!
//! A press that opens something goes to `pressed`, which asks whether a hand did it (T2); all else
//! goes straight to `send`.

use slint::ComponentHandle;
use tasuki_protocol::rights::Capability;

use super::entry::{Key, Typed};
use super::looking::Looked;
use super::model::{Msg, Spot};
use super::view::{self, Pane};
use crate::viewer::frame::Zoom;
use crate::windows::{AgentWindow, BannerWindow, Chat, Means, Running};
use crate::{chat, examining};

/// What only a hand at this computer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    ReadNotice,
    Accept,
    AnswerYes,
    /// A right of the question that was left out.
    Tick(Capability),
    /// A right that was taken away in the session.
    GiveBack(Capability),
    GoOnShowing(Spot),
}

/// Where acts of the person go.
pub trait Ear: Clone + 'static {
    fn send(&self, msg: Msg);
    fn pressed(&self, opening: Opening, means: Means);
}

pub fn wire(window: &AgentWindow, ear: &impl Ear) {
    let agent = window.agent();
    let e = ear.clone();
    agent.on_switch_language(move || e.send(Msg::LanguageSwitched));
    let e = ear.clone();
    agent.on_choose_shade(move |shade| e.send(Msg::ShadeChosen(shade.into())));
    let e = ear.clone();
    agent.on_show_about(move |shown| e.send(Msg::AboutShown(shown)));
    let e = ear.clone();
    agent.on_said_gone(move || e.send(Msg::NoticeGone));
    let e = ear.clone();
    agent.on_number_edited(move |text, caret, deletes| {
        let caret = usize::try_from(caret).unwrap_or_default();
        let key = if deletes { Key::Delete } else { Key::Other };
        e.send(Msg::NumberEdited(Typed { text: text.into(), caret, key }));
    });
    let e = ear.clone();
    examining::wire(window, move |msg| e.send(Msg::Checkup(msg)));
    for_pages(window, ear);
    for_question(window, ear);
    for_session(window, ear);
}

fn for_pages(window: &AgentWindow, ear: &impl Ear) {
    let agent = window.agent();
    let e = ear.clone();
    agent.on_connect(move || e.send(Msg::ConnectPressed));
    let e = ear.clone();
    agent.on_cancel(move || e.send(Msg::CancelPressed));
    let e = ear.clone();
    agent.on_try_again(move || e.send(Msg::TryAgainPressed));
    let e = ear.clone();
    agent.on_close(move || e.send(Msg::ClosePressed));
    let e = ear.clone();
    agent.on_another(move || e.send(Msg::AnotherPressed));
    let e = ear.clone();
    agent.on_open_receipt(move || e.send(Msg::ReceiptOpened));
    let e = ear.clone();
    agent.on_save_receipt(move || e.send(Msg::ReceiptSaved));
}

fn for_question(window: &AgentWindow, ear: &impl Ear) {
    let agent = window.agent();
    let e = ear.clone();
    agent.on_read_notice(move |means| e.pressed(Opening::ReadNotice, means));
    let e = ear.clone();
    agent.on_accept(move |means| e.pressed(Opening::Accept, means));
    let (e, shown) = (ear.clone(), window.as_weak());
    agent.on_refuse(move || {
        let Some(window) = shown.upgrade() else { return };
        e.send(Msg::RefusePressed { shown: view::shown_on(&window) });
    });
    let e = ear.clone();
    agent.on_grant(move |id, wanted, means| match view::capability(id) {
        Some(right) if wanted => e.pressed(Opening::Tick(right), means),
        Some(right) => e.send(Msg::Granted(right, false)),
        None => {}
    });
    let (e, shown) = (ear.clone(), window.as_weak());
    agent.on_answer(move |yes, means| {
        let Some(window) = shown.upgrade() else { return };
        match yes {
            true => e.pressed(Opening::AnswerYes, means),
            false => e.send(Msg::AnswerPressed { yes, shown: view::shown_in_question(&window) }),
        }
    });
}

fn for_session(window: &AgentWindow, ear: &impl Ear) {
    let agent = window.agent();
    let e = ear.clone();
    agent.on_take(move |id, stays, means| match view::capability(id) {
        Some(right) if stays => e.pressed(Opening::GiveBack(right), means),
        Some(right) => e.send(Msg::Taken(right, false)),
        None => {}
    });
    let e = ear.clone();
    agent.on_pause(move |wanted, means| pause(&e, wanted, Spot::Page, means));
    let e = ear.clone();
    agent.on_end(move || e.send(Msg::EndPressed));
    let e = ear.clone();
    window.global::<Running<'_>>().on_end(move || e.send(Msg::EndPressed));
    let e = ear.clone();
    agent.on_open(move |what| e.send(Msg::Opened(what.into())));
    let e = ear.clone();
    agent.on_say(move |line| e.send(Msg::Written(line.into())));
    window.global::<Chat<'_>>().on_is_too_long(chat::is_too_long);
    let e = ear.clone();
    agent.on_set_fit(move |fit| {
        e.send(Msg::Looked(Looked::Zoom(if fit { Zoom::Fit } else { Zoom::OneToOne })))
    });
    let e = ear.clone();
    agent.on_set_full_screen(move |full| e.send(Msg::Looked(Looked::Full(full))));
    let e = ear.clone();
    agent.on_keep_picture(move || e.send(Msg::KeepPicturePressed));
}

fn pause(ear: &impl Ear, wanted: bool, spot: Spot, means: Means) {
    match wanted {
        true => ear.send(Msg::PausePressed(true, spot)),
        false => ear.pressed(Opening::GoOnShowing(spot), means),
    }
}

/// The bar ends, pauses, and goes on.
pub fn wire_banner(banner: &BannerWindow, ear: &impl Ear) {
    let agent = banner.agent();
    let e = ear.clone();
    agent.on_end(move || e.send(Msg::EndPressed));
    let e = ear.clone();
    agent.on_pause(move |wanted, means| pause(&e, wanted, Spot::Bar, means));
}
