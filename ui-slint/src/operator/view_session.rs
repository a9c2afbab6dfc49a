//! Shows the session that is looked at.
//!
//! Decides nothing but how figures are rounded for people.

use slint::ComponentHandle;
use tasuki_peer::core::io::EndedBy;
use tasuki_peer::core::path::PathKind;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::reasons::reason;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::Asked;
use tasuki_protocol::number::NUMBER_LIFETIME_S;
use tasuki_protocol::rights::Capability;
use tasuki_protocol::screen::{Layout, Monitor};

use super::entrance::is_sign_in_over;
use super::model::{Busy, Dialog, Line, Model, More, Number, Outcome, Paused, Question, Stage, Tab};
use super::second_look::{Proof, SecondLook};
use super::square;
use super::view::{mode_name, stage, text, whole};
use crate::rows::fill;
use crate::viewer::frame::Zoom;
use crate::windows::{
    ChatLine, MonitorChoice, MoreState, OperatorWindow, OverTone, OverWhat, PathName, PausedBy,
    Running, Session, SessionDialog,
};
use crate::{checkup, clock};

pub(super) fn show(model: &Model, window: &OperatorWindow) {
    let session = window.global::<Session<'_>>();
    // Who only looks ends it by the page's own button, which asks first; who is seen, at once.
    let seen = model.current().is_some_and(|tab| tab.is_shown() && !tab.leaving);
    window.global::<Running<'_>>().set_any(seen);
    let Some(tab) = model.current() else {
        session.set_full_screen(false);
        session.set_dialog(SessionDialog::None);
        return;
    };
    session.set_id(tab.id.0.cast_signed());
    session.set_mode(mode_name(tab.mode));
    session.set_customer(text(&tab.note.customer));
    session.set_ticket(text(&tab.note.ticket));
    show_number(model, tab, &session);
    show_rights(tab, &session);
    show_question(model, tab, &session);
    show_second_look(model, tab, &session);
    show_picture(model, tab, &session);
    show_link(model, tab, &session);
    show_more(model, tab, &session);
    show_chat(model, tab, &session);
    show_over(model, tab, &session);
    session.set_stage(stage(tab));
}

fn show_number(model: &Model, tab: &Tab, session: &Session<'_>) {
    let number = match &tab.stage {
        Stage::Waiting(number) | Stage::AtTheDoor { number, .. } => Some(number),
        Stage::Dialling | Stage::AwaitsConsent | Stage::Live { .. } | Stage::Over(_) => None,
    };
    let spoken = number.map(|number| number.spoken.as_str()).unwrap_or_default();
    let link = number.map(|number| number.link.as_str()).unwrap_or_default();
    // Drawn once a number: it changes as seldom as that.
    if session.get_link_code().size().width == 0 || session.get_number() != spoken {
        session.set_link_code(square::of(link).unwrap_or_default());
    }
    session.set_number(text(spoken));
    session.set_link_known(number.is_some());
    let left = number.map_or(0, |number: &Number| number.expires_at.saturating_sub(model.now));
    session.set_seconds_left(whole(left));
    session.set_time_left(left as f32 / NUMBER_LIFETIME_S as f32);
    session.set_wrong_tries(number.map_or(0, |number| number.wrong_tries.into()));
}

fn show_rights(tab: &Tab, session: &Session<'_>) {
    session.set_watches(tab.watches());
    session.set_may_operate(tab.has(Capability::Operate));
    session.set_operating(tab.operates());
    session.set_may_screenshot(tab.may_keep());
    session.set_may_choose_screen(tab.has(Capability::ChooseScreen));
    session.set_may_chat(tab.has(Capability::Chat));
    session.set_recording(tab.has(Capability::Record));
    session.set_dialog(match tab.dialog {
        Dialog::None => SessionDialog::None,
        Dialog::TypeText => SessionDialog::TypeText,
        Dialog::MoreRights => SessionDialog::MoreRights,
        Dialog::End => SessionDialog::End,
        Dialog::Details => SessionDialog::Details,
        Dialog::SecondLook => SessionDialog::SecondLook,
    });
}

fn show_question(model: &Model, tab: &Tab, session: &Session<'_>) {
    let lang = model.lang();
    let words = tab.question.as_ref().map(|question| question.text(tab.with(lang), lang));
    session.set_question(words.unwrap_or_default().into());
    let left = tab.question.as_ref().map_or(0, |question| question.seconds_left(model.now));
    session.set_question_seconds(whole(left));
    let goes_on = |question: &Question| question.what() == Asked::Continue;
    session.set_question_goes_on(tab.question.as_ref().is_some_and(goes_on));
    session.set_question_open(tab.question.as_ref().is_some_and(|q| q.is_open(model.now)));
}

fn show_second_look(model: &Model, tab: &Tab, session: &Session<'_>) {
    let SecondLook { by, busy, trouble } = &tab.second_look;
    session.set_by_digits(*by == Proof::Digits);
    session.set_looks_again(*busy == Busy::Working);
    let wrong = *trouble == Some(Fault::WrongPassword);
    session.set_look_wrong(wrong);
    let words = trouble.as_ref().filter(|_| !wrong).map(|fault| fault.sentence(model.lang()));
    session.set_look_trouble(words.unwrap_or_default().into());
}

fn show_picture(model: &Model, tab: &Tab, session: &Session<'_>) {
    session.set_fit(tab.view.zoom == Zoom::Fit);
    session.set_full_screen(tab.view.full);
    session.set_any_picture(tab.view.first_ms.is_some());
    let live = tab.live_since.map_or(0, |since| model.now.saturating_sub(since));
    session.set_waited_seconds(whole(live));
    session.set_paused(match tab.view.halts.told() {
        Paused::No => PausedBy::None,
        Paused::ByHand => PausedBy::Hand,
        Paused::ByHost => PausedBy::Host,
        Paused::ByQuestion => PausedBy::Question,
    });
    let layout = tab.view.layout.as_ref();
    show_monitors(layout, session);
    let shown = layout.and_then(|layout| layout.shown_monitor());
    let size = shown.map(|monitor| format!("{} × {}", monitor.width, monitor.height));
    session.set_size(size.unwrap_or_default().into());
    let first = tab.view.first_ms.map(|ms| format!("{ms} ms"));
    session.set_first_ms(first.unwrap_or_default().into());
}

/// As they stand beside each other, from the corner of all of them.
fn show_monitors(layout: Option<&Layout>, session: &Session<'_>) {
    let all = layout.map(|layout| layout.monitors.as_slice()).unwrap_or_default();
    let left = all.iter().map(|monitor| monitor.x).min().unwrap_or_default();
    let top = all.iter().map(|monitor| monitor.y).min().unwrap_or_default();
    let choice = |monitor: &Monitor| MonitorChoice {
        id: monitor.id.0.into(),
        label: (u16::from(monitor.id.0) + 1).to_string().into(),
        chosen: layout.is_some_and(|layout| layout.shown == monitor.id),
        primary: monitor.primary && all.len() > 1,
        left: monitor.x.saturating_sub(left),
        top: monitor.y.saturating_sub(top),
        width: monitor.width.into(),
        height: monitor.height.into(),
    };
    let choices: Vec<_> = all.iter().map(choice).collect();
    let reach = |edge: fn(&MonitorChoice) -> i32| choices.iter().map(edge).max().unwrap_or_default();
    session.set_desk_width(reach(|choice| choice.left.saturating_add(choice.width)));
    session.set_desk_height(reach(|choice| choice.top.saturating_add(choice.height)));
    fill(&session.get_monitors(), choices.into_iter(), |rows| session.set_monitors(rows));
}

fn show_link(model: &Model, tab: &Tab, session: &Session<'_>) {
    let link = &tab.link;
    session.set_path(match link.path {
        None => PathName::None,
        Some(PathKind::Direct) => PathName::Direct,
        Some(PathKind::Relayed) => PathName::Relayed,
    });
    let why = link.why_not_direct.as_deref().unwrap_or_default();
    session.set_why_relayed(text(reason(why, model.lang())));
    let suites = link.cipher_words.as_deref().unwrap_or_default();
    session.set_cipher(cipher(suites).into());
    session.set_suites(text(suites));
    let trip = link.round_trip_ms.map(|ms| format!("{ms} ms"));
    session.set_round_trip(trip.unwrap_or_default().into());
    // Nothing has a rate before something came.
    let seen = link.path.is_some() && (tab.view.first_ms.is_some() || !tab.watches());
    let told = |words: String| if seen { words } else { String::new() };
    session.set_pictures_per_second(told(format!("{:.0} fps", link.rates.pictures)).into());
    session.set_bit_rate(told(rate(link.rates.bits)).into());
    let gone = link.reconnecting.map(|since| whole(model.now.saturating_sub(since)));
    session.set_reconnecting_seconds(gone.unwrap_or(-1));
    let live = match tab.stage {
        Stage::Over(_) => tab.live_seconds,
        Stage::Dialling
        | Stage::Waiting(_)
        | Stage::AtTheDoor { .. }
        | Stage::AwaitsConsent
        | Stage::Live { .. } => tab.live_since.map_or(0, |since| model.now.saturating_sub(since)),
    };
    session.set_live_seconds(whole(live));
}

/// The cipher that each of these suites has, by its own name; nothing where one has another.
fn cipher(suites: &str) -> &'static str {
    let is_it = |suite: &str| suite.contains("AES_256_GCM") || suite.contains("_AESGCM_");
    if !suites.is_empty() && suites.split(", ").all(is_it) { "AES-256-GCM" } else { "" }
}

/// Bits a second, with two figures that count.
fn rate(bits: f64) -> String {
    if bits >= 1e6 { format!("{:.1} Mbit/s", bits / 1e6) } else { format!("{:.0} kbit/s", bits / 1e3) }
}

fn show_more(model: &Model, tab: &Tab, session: &Session<'_>) {
    let mut seconds = 0;
    session.set_more(match &tab.more {
        More::None => MoreState::None,
        More::Asked { .. } => MoreState::Asked,
        More::Granted { until, .. } => {
            seconds = until.map_or(0, |until| until.saturating_sub(model.now));
            MoreState::Granted
        }
        More::Refused { .. } => MoreState::Refused,
        More::Revoked { .. } => MoreState::Revoked,
    });
    session.set_more_seconds(whole(seconds));
    session.set_can_ask_more(tab.may_ask_more());
}

fn show_chat(model: &Model, tab: &Tab, session: &Session<'_>) {
    let line = |line: &Line| ChatLine {
        mine: line.by == Role::Operator,
        text: text(&line.text),
        at: clock::time(line.at, &model.zone).into(),
        unsent: line.unsent,
    };
    fill(&session.get_chat(), tab.chat.iter().map(line), |rows| session.set_chat(rows));
    session.set_unread(i32::try_from(tab.unread).unwrap_or(i32::MAX));
}

fn show_over(model: &Model, tab: &Tab, session: &Session<'_>) {
    session.set_receipt(matches!(tab.receipt, Some(Ok(_))));
    let unkept = tab.receipt.as_ref().and_then(|kept| kept.as_ref().err());
    let unkept = unkept.map(|why| why.sentence(model.lang()));
    session.set_receipt_unkept(unkept.unwrap_or_default().into());
    session.set_had_begun(tab.live_since.is_some());
    let Stage::Over(outcome) = &tab.stage else { return };
    let (what, tone, words) = match outcome {
        Outcome::Cancelled => (OverWhat::Cancelled, OverTone::Calm, String::new()),
        Outcome::Ended { by: EndedBy::ThisEnd, .. } => {
            (OverWhat::EndedHere, OverTone::Calm, String::new())
        }
        Outcome::Ended { by: EndedBy::OtherEnd | EndedBy::Server, .. } => {
            (OverWhat::EndedThere, OverTone::Calm, String::new())
        }
        Outcome::Failed(fault) => (failed(tab, fault), tone(fault), fault.sentence(model.lang())),
    };
    session.set_over(what);
    session.set_over_tone(tone);
    session.set_over_words(words.into());
    let failed = matches!(outcome, Outcome::Failed(fault) if checkup::may_tell(fault));
    session.set_checkable(failed);
}

/// A session that had begun was a connection, and whoever lost it did not fail to connect.
fn failed(tab: &Tab, fault: &Fault) -> OverWhat {
    let is_lost = matches!(fault, Fault::ConnectionLost | Fault::ServerGone);
    match tab.live_since {
        None if is_sign_in_over(fault) => OverWhat::SignedOut,
        None if *fault == Fault::NotConfirmed => OverWhat::NotConfirmed,
        None if matches!(fault, Fault::ModeNotAllowed { .. }) => OverWhat::NotAllowed,
        None => OverWhat::Failed,
        Some(_) if is_lost => OverWhat::Lost,
        Some(_) => OverWhat::Stopped,
    }
}

fn tone(fault: &Fault) -> OverTone {
    let nobody = matches!(fault, Fault::Refused | Fault::NobodyAnswered | Fault::NumberExpired);
    let not_allowed = matches!(fault, Fault::ModeNotAllowed { .. });
    if nobody || not_allowed || is_sign_in_over(fault) || *fault == Fault::NotConfirmed {
        OverTone::Refused
    } else {
        OverTone::Trouble
    }
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::rights::Mode;

    use super::*;

    #[test]
    fn a_rate_is_told_in_the_unit_that_fits() {
        assert_eq!(rate(0.0), "0 kbit/s");
        assert_eq!(rate(999_000.0), "999 kbit/s");
        assert_eq!(rate(3_740_000.0), "3.7 Mbit/s");
    }

    #[test]
    fn s45_the_cipher_is_named_where_every_suite_has_it_and_nowhere_else() {
        let dtls = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
        let noise = "Noise_NNpsk0_25519_AESGCM_SHA256";
        for suites in
            [format!("{dtls}, AEAD_AES_256_GCM"), format!("{noise}, TLS13_AES_256_GCM_SHA384")]
        {
            assert_eq!(cipher(&suites), "AES-256-GCM", "{suites}");
        }
        for suites in ["", "TLS_AES_128_GCM_SHA256", "AEAD_AES_256_GCM, TLS_AES_128_GCM_SHA256"] {
            assert_eq!(cipher(suites), "", "{suites}");
        }
    }

    #[test]
    fn every_mode_has_a_name_of_its_own() {
        for mode in Mode::ALL {
            assert_eq!(super::super::view::mode_of(mode_name(mode)), mode);
        }
    }
}
