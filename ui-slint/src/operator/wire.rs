//! Turns what the operator does in the window into messages.
//!
//! Decides nothing. Which session is meant is the one that is looked at.

use sha2::{Digest as _, Sha256};
use slint::ComponentHandle;
use tasuki_peer::core::io::Reply;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::screen::MonitorId;
use tasuki_protocol::showable::one_line;

use super::model::{Dialog, Missing, Note, Page, TabId};
use super::password;
use super::preferences::{Grab, Keyboard, Language, Preferences};
use super::second_look::{Proof, Shown};
use super::session::{Look, RightsWish, Wish};
use super::update::{Form, Msg, Secret};
use super::view::mode_of;
use crate::viewer::frame::Zoom;
use crate::windows::{
    Chat, LanguageChoice, Operator, OperatorPage, OperatorWindow, Running, Session, SessionDialog,
    SignInField,
};
use crate::{chat, examining};

/// Every act of the operator goes to `send`.
pub fn wire(window: &OperatorWindow, send: impl Fn(Msg) + Clone + 'static) {
    wire_door(window, &send);
    wire_places(window, &send);
    wire_settings(window, &send);
    wire_password(window, &send);
    wire_number(window, &send);
    wire_picture(window, &send);
    wire_dialogs(window, &send);
    examining::wire(window, move |msg| send(Msg::Checkup(msg)));
}

fn wire_door(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) {
    let operator = window.global::<Operator<'_>>();
    let told = send.clone();
    operator.on_sign_in(move |user, password, code| {
        let form = Form {
            user: user.to_string(),
            password: Secret::from(password.as_str()),
            code: Secret::from(code.as_str()),
            ..Form::default()
        };
        told(Msg::SubmitSignIn(form));
    });
    let told = send.clone();
    operator.on_typed(move |field| {
        told(Msg::Typed(match field {
            SignInField::User => Missing::User,
            SignInField::Password => Missing::Password,
            SignInField::Code => Missing::Code,
        }));
    });
    let told = send.clone();
    operator.on_sign_out(move || told(Msg::SignOut));
    let told = send.clone();
    operator.on_leave(move |yes| told(Msg::Leave(yes)));
    let told = send.clone();
    operator.on_try_again(move || told(Msg::TryAgain));
    let told = send.clone();
    operator.on_choose(move |mode| told(Msg::Choose(mode_of(mode))));
    operator.on_is_said(|text| !one_line(&text).is_empty());
    let told = send.clone();
    operator.on_open(move |customer, ticket, reason| {
        let note = Note {
            customer: customer.trim().to_owned(),
            ticket: ticket.trim().to_owned(),
            reason: reason.trim().to_owned(),
        };
        told(Msg::OpenChosen(note));
    });
}

fn wire_places(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) {
    let operator = window.global::<Operator<'_>>();
    let told = send.clone();
    operator.on_go(move |page| match page {
        OperatorPage::Home => told(Msg::Go(Page::Home)),
        OperatorPage::History => told(Msg::Go(Page::History)),
        OperatorPage::Settings => told(Msg::Go(Page::Settings)),
        OperatorPage::About => told(Msg::Go(Page::About)),
        OperatorPage::Shut | OperatorPage::SignIn | OperatorPage::Session => {}
    });
    let told = send.clone();
    operator.on_select_tab(move |id| told(Msg::Go(Page::Session(tab(id)))));
    let told = send.clone();
    operator.on_close_tab(move |id| told(Msg::Wish(tab(id), Wish::Close)));
    let told = send.clone();
    operator.on_toast_gone(move || told(Msg::ToastGone));
    let told = send.clone();
    operator.on_forget_history(move || told(Msg::ForgetHistory));
}

fn wire_settings(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) {
    let operator = window.global::<Operator<'_>>();
    let change = |change: fn(&mut Preferences)| Msg::Change(change);
    let told = send.clone();
    operator.on_switch_language(move || told(Msg::SwitchLanguage));
    let told = send.clone();
    operator.on_choose_language(move |language| {
        told(Msg::ChooseLanguage(match language {
            LanguageChoice::Desktop => Language::System,
            LanguageChoice::English => Language::English,
            LanguageChoice::Japanese => Language::Japanese,
        }));
    });
    let told = send.clone();
    operator.on_choose_shade(move |shade| told(Msg::ChooseShade(shade.into())));
    let told = send.clone();
    operator.on_choose_folder(move |folder| told(Msg::ChooseFolder(folder.trim().into())));
    let told = send.clone();
    operator.on_choose_letters(move |letters| {
        told(change(if letters {
            |chosen| chosen.keyboard = Keyboard::Letters
        } else {
            |chosen| chosen.keyboard = Keyboard::Places
        }));
    });
    let told = send.clone();
    operator.on_choose_grab(move |all| {
        told(change(if all {
            |chosen| chosen.grab = Grab::All
        } else {
            |chosen| chosen.grab = Grab::OwnKeysOnly
        }));
    });
}

fn wire_password(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) {
    let operator = window.global::<Operator<'_>>();
    let told = send.clone();
    operator.on_show_password(move |open| told(Msg::Password(password::Msg::Open(open))));
    let told = send.clone();
    operator.on_password_typed(move || told(Msg::Password(password::Msg::Typed)));
    let told = send.clone();
    operator.on_change_password(move |old, new, again| {
        let [old, new, again] = [old, new, again].map(|text| Secret::from(text.as_str()));
        told(Msg::Password(password::Msg::Submit { old, new, again }));
    });
}

fn wire_number(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) {
    let session = window.global::<Session<'_>>();
    let wish = wisher(window, send);
    session.on_copy_number(move || wish(Wish::CopyNumber));
    let wish = wisher(window, send);
    session.on_copy_link(move || wish(Wish::CopyLink));
    let wish = wisher(window, send);
    session.on_cancel(move || wish(Wish::Cancel));
    let wish = wisher(window, send);
    session.on_end(move || wish(Wish::End));
    let wish = wisher(window, send);
    session.on_end_now(move || wish(Wish::EndNow));
    let wish = wisher(window, send);
    window.global::<Running<'_>>().on_end(move || wish(Wish::EndNow));
    let wish = wisher(window, send);
    session.on_again(move || wish(Wish::Again));
    let wish = wisher(window, send);
    session.on_open_receipt(move || wish(Wish::OpenReceipt));
    let wish = wisher(window, send);
    session.on_save_receipt(move || wish(Wish::SaveReceipt));
    let wish = wisher(window, send);
    session.on_close(move || wish(Wish::Close));
}

fn wire_picture(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) {
    let session = window.global::<Session<'_>>();
    let wish = wisher(window, send);
    session.on_set_fit(move |fit| {
        wish(Wish::Look(Look::Zoom(if fit { Zoom::Fit } else { Zoom::OneToOne })))
    });
    let wish = wisher(window, send);
    session.on_set_full_screen(move |full| wish(Wish::Look(Look::FullScreen(full))));
    let wish = wisher(window, send);
    session.on_monitor(move |id| {
        if let Ok(id) = u8::try_from(id) {
            wish(Wish::Look(Look::Monitor(MonitorId(id))));
        }
    });
    let wish = wisher(window, send);
    session.on_screenshot(move || wish(Wish::Look(Look::Screenshot)));
    let wish = wisher(window, send);
    session.on_ctrl_alt_del(move || wish(Wish::CtrlAltDel));
    let wish = wisher(window, send);
    session.on_pause(move |pause| {
        wish(Wish::Rights(if pause { RightsWish::Pause } else { RightsWish::Resume }))
    });
}

fn wire_dialogs(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) {
    let session = window.global::<Session<'_>>();
    let wish = wisher(window, send);
    session.on_type_text(move |text| wish(Wish::TypeText(text.to_string())));
    let wish = wisher(window, send);
    window.global::<Chat<'_>>().on_is_too_long(chat::is_too_long);
    session.on_say(move |line| wish(Wish::Say(line.to_string())));
    let wish = wisher(window, send);
    session.on_show_dialog(move |dialog| {
        wish(Wish::Dialog(match dialog {
            SessionDialog::None => Dialog::None,
            SessionDialog::TypeText => Dialog::TypeText,
            SessionDialog::MoreRights => Dialog::MoreRights,
            SessionDialog::End => Dialog::End,
            SessionDialog::Details => Dialog::Details,
            SessionDialog::SecondLook => Dialog::SecondLook,
        }));
    });
    let wish = wisher(window, send);
    session.on_show_again(move |text| {
        wish(Wish::SecondLook(Shown::This(Secret::from(text.as_str()))));
    });
    let wish = wisher(window, send);
    session.on_show_by_digits(move |digits| {
        let by = if digits { Proof::Digits } else { Proof::Password };
        wish(Wish::SecondLook(Shown::By(by)));
    });
    let wish = wisher(window, send);
    let asked = window.as_weak();
    session.on_answer(move |yes| {
        let Some(window) = asked.upgrade() else { return };
        let text = window.global::<Session<'_>>().get_question();
        let shown = Digest(Sha256::digest(text.as_bytes()).into());
        wish(Wish::Answer { reply: if yes { Reply::Yes } else { Reply::No }, shown });
    });
    let wish = wisher(window, send);
    session.on_ask_more(move |minutes| {
        wish(Wish::Rights(RightsWish::Ask { minutes: minutes.unsigned_abs() }))
    });
}

/// Sends a wish of the session that is looked at now.
fn wisher(window: &OperatorWindow, send: &(impl Fn(Msg) + Clone + 'static)) -> impl Fn(Wish) + 'static {
    let (send, window) = (send.clone(), window.as_weak());
    move |wish| {
        if let Some(window) = window.upgrade() {
            send(Msg::Wish(tab(window.global::<Session<'_>>().get_id()), wish));
        }
    }
}

fn tab(id: i32) -> TabId {
    TabId(id.cast_unsigned())
}
