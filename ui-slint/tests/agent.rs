//! The end user's window as a person with a keyboard or a screen reader meets it: by label and role,
//! in every state and both languages.

#![allow(clippy::unwrap_used)]

mod covered;
mod live;
mod painting;
mod parted;
mod questions;
mod theirs;
mod trouble;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalSize, SharedString};
use tasuki_peer::core::path::PathKind;
use tasuki_peer::shell::doctor::{self, Verdict};
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::ids::Role;
use tasuki_protocol::policy::preset::Preset;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::terms::Requirement;
use tasuki_ui_slint::agent::model::{Model, Msg, Page};
use tasuki_ui_slint::agent::news::News;
use tasuki_ui_slint::agent::scenes::{self, Scene};
use tasuki_ui_slint::agent::view;
use tasuki_ui_slint::agent::wiring::{self, Ear, Opening};
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::viewer::frame::Zoom;
use tasuki_ui_slint::windows::{AgentWindow, BannerWindow, Means, QuestionWords};

use covered::*;
use live::*;
use parted::*;
use questions::*;
use theirs::*;

const ALLOW: &[&str] = &["Allow", "Allow and watch", "許可する", "許可して見る"];
const END: &[&str] = &["End now", "今すぐ終了"];

const CHECK: &[&str] = &["Check the connection", "接続を確認する"];
const ANOTHER: &[&str] = &["Enter another number", "別の番号を入力する"];
const CLOSE: &[&str] = &["Close", "閉じる"];

/// What was pressed, in order.
#[derive(Debug, Clone, Default)]
struct Heard(Rc<RefCell<Vec<String>>>);

impl Ear for Heard {
    fn send(&self, msg: Msg) {
        self.0.borrow_mut().push(format!("{msg:?}"));
    }

    fn pressed(&self, opening: Opening, means: Means) {
        self.0.borrow_mut().push(format!("{opening:?} by {means:?}"));
    }
}

impl Heard {
    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

#[test]
fn s100_t2_the_window_works_by_keyboard_and_screen_reader_in_every_state_and_language() {
    painting::start();
    for lang in [Lang::En, Lang::Ja] {
        let (mut allow, mut end) = (None, None);
        for scene in scenes::all(lang, Shade::Light, Instant::now()) {
            let (window, heard) = open(&scene);
            every_control_has_a_label(&scene, &window);
            match scene.name {
                "agent-number" => number_is_typed_and_sent_by_keys(&window, &heard, lang),
                "agent-number-unreachable" => a_check_can_be_asked_for(&window, &heard, lang),
                "agent-checkup" => a_check_says_what_it_found(&window, &heard, lang),
                name if name.starts_with("agent-consent") => {
                    allow = place(&window, ALLOW);
                    the_warning_is_seen_at_once(&window, lang);
                    consent_begins_on_refuse(&scene, &window, &heard);
                    accept_needs_a_hand(&window, &heard);
                }
                name if name.starts_with("agent-live") => {
                    end_is_there(&window, &heard, lang);
                    let over = overlap(place(&window, END), allow);
                    assert!(!over, "{}: a double click on Allow would end it", scene.name);
                    a_check_can_be_asked_for(&window, &heard, lang);
                    end = place(&window, END);
                }
                name if name.starts_with("agent-ended") => {
                    for labels in [ANOTHER, CLOSE] {
                        let over = overlap(place(&window, labels), end);
                        assert!(!over, "{name}: a double click on End would press {labels:?}");
                        seen_whole(&window, labels);
                    }
                    assert!(one_of(&window, CHECK).is_none(), "{name}: nothing is wrong with it");
                }
                _ => {}
            }
        }
        what_is_bad_outside_is_told_with_a_way_on(lang);
        a_switch_shows_what_is_granted_and_no_more(lang);
        nothing_that_is_told_moves_a_switch(lang);
        what_protects_the_session_is_told_of_the_path_that_carries_it(lang);
        what_ends_only_with_the_session_is_no_switch(lang);
        pause_wakes_up_late_and_the_end_does_not(lang);
        a_kept_number_is_mended_by_keys(lang);
        the_person_answers_the_operator(lang);
        a_question_takes_no_keys_from_who_writes(lang);
        a_question_tells_all_and_stands_alone(lang);
        what_is_told_stands_over_nothing_of_the_question(lang);
        what_was_taken_away_wakes_up_late_and_taking_away_does_not(lang);
        the_sentence_over_the_operators_screen_is_whole(lang);
        what_is_said_is_true_of_the_rights_and_the_mode(lang);
        t33_the_bar_says_who_sees_and_ends_it_under_every_preset(lang);
        t33_the_bar_counts_down_and_says_rec_where_it_is_recorded(lang);
        t33_who_it_is_is_read_to_the_last_letter_on_monitors_of_any_width(lang);
        s100_the_operators_screen_is_seen_at_full_size_and_on_all_of_the_screen(lang);
        s29_a_receipt_is_opened_and_saved_by_the_button_that_says_so(lang);
        t2_silence_is_counted_down_and_told_as_a_refusal(lang);
        s31_the_end_is_there_with_whatever_stands_over_the_session(lang);
        what_is_asked_and_told_has_room_in_a_low_window(lang);
        what_remains_is_told(lang);
        s31_t34_who_is_asked_whether_to_go_on_ends_it_by_the_one_button_that_says_so(lang);
    }
    a_heading_breaks_where_its_words_do();
}

/// Whatever an administrator allows or forbids: who, since when, and the end.
fn t33_the_bar_says_who_sees_and_ends_it_under_every_preset(lang: Lang) {
    let now = Instant::now();
    let all = Preset::ALL.into_iter().flat_map(|preset| Mode::ALL.map(|mode| (preset, mode)));
    let mut many = 0;
    for (preset, mode) in all.filter(|(_, mode)| mode.host() == Role::Agent) {
        let Some(question) = scenes::allowed_by(preset, mode, lang) else { continue };
        let mut model = Model::new(lang, Shade::Light, "Example Help");
        let granted = question.grantable;
        for news in [News::Asked { question, met_before: 1 }, News::Answered { granted, at: 0 }] {
            let _ = model.update(Msg::News(Box::new(news)), now);
        }
        let (bar, heard) = (BannerWindow::new().unwrap(), Heard::default());
        bar.window().set_size(LogicalSize::new(860.0, 56.0));
        wiring::wire_banner(&bar, &heard);
        view::show_banner(&model, &bar, now + Duration::from_secs(61));
        bar.show().unwrap();
        let labels = said_on(&bar);
        let operator = if lang == Lang::En { "Misaki Sato" } else { "佐藤 美咲" };
        for word in [operator, "1:01"] {
            let is_said = labels.iter().any(|label| label.contains(word));
            assert!(is_said, "{preset:?} {mode}: {labels:?} lack {word}");
        }
        let end = if lang == Lang::En { "End now" } else { "今すぐ終了" };
        let end = ElementHandle::find_by_accessible_label(&bar, end).next().unwrap();
        end.mock_single_click(PointerEventButton::Left);
        assert_eq!(heard.take(), ["EndPressed"], "{preset:?} {mode}");
        many += 1;
    }
    assert!(many > 5, "{many}");
}

fn said_on(bar: &BannerWindow) -> Vec<SharedString> {
    let all = ElementQuery::from_root(bar).match_descendants();
    let texts = all.match_accessible_role(AccessibleRole::Text).find_all();
    texts.iter().filter_map(ElementHandle::accessible_label).collect()
}

fn scene(name: &str, lang: Lang) -> Scene {
    let mut all = scenes::all(lang, Shade::Light, Instant::now()).into_iter();
    all.find(|scene| scene.name == name).unwrap()
}

fn tell(scene: &mut Scene, news: News) {
    let _ = scene.model.update(Msg::News(Box::new(news)), scene.now);
}

fn switches(window: &AgentWindow) -> Vec<ElementHandle> {
    ElementQuery::from_root(window).match_accessible_role(AccessibleRole::Switch).find_all()
}

/// A bundle, a server or a link that will not do: one sentence, and the button that goes on.
fn what_is_bad_outside_is_told_with_a_way_on(lang: Lang) {
    let scene = |name| {
        let mut all = scenes::all(lang, Shade::Light, Instant::now()).into_iter();
        all.find(|scene| scene.name == name).unwrap()
    };
    let says = |scene: &Scene, sentence: &str, (en, ja): (&str, &str), act: &str| {
        let (window, heard) = open(scene);
        only(&window, sentence, AccessibleRole::Text);
        let button = if lang == Lang::En { en } else { ja };
        only(&window, button, AccessibleRole::Button).invoke_accessible_default_action();
        assert_eq!(heard.take(), [act], "{sentence}");
    };
    for fault in trouble::of_bundle() {
        let mut stuck = scene("agent-trouble");
        stuck.model.page = Page::Trouble(fault.clone());
        says(&stuck, &fault.sentence(lang), ("Try again", "もう一度試す"), "TryAgainPressed");
    }
    let (again, connect) = (("Try again", "もう一度試す"), ("Connect", "接続する"));
    let failed = |fault: &Fault| {
        let mut back = scene("agent-connecting");
        let over = News::Over { end: None, fault: Some(fault.clone()) };
        let _ = back.model.update(Msg::News(Box::new(over)), back.now);
        back
    };
    for fault in trouble::of_server() {
        let back = failed(&fault);
        says(&back, &fault.sentence(lang), again, "ConnectPressed");
        let typed = ElementQuery::from_root(&open(&back).0)
            .match_accessible_role(AccessibleRole::TextInput)
            .find_first();
        let typed = typed.and_then(|field| field.accessible_value());
        assert_eq!(typed.as_deref(), Some("4829 1530 6126"), "nobody types it twice: {fault:?}");
    }
    // The number is used up, and the way on is another session.
    says(&failed(&Fault::Wayland), &Fault::Wayland.sentence(lang), connect, "ConnectPressed");
    let mut linked = scene("agent-number");
    let _ = linked.model.update(Msg::Linked(None), linked.now);
    let junk = match lang {
        Lang::En => "There is no session number in this link. Please type the number.",
        Lang::Ja => "このリンクには接続番号がありません。番号を入力してください。",
    };
    says(&linked, junk, connect, "ConnectPressed");
}

fn open(scene: &Scene) -> (AgentWindow, Heard) {
    let window = AgentWindow::new().unwrap();
    let heard = Heard::default();
    window.window().set_size(LogicalSize::new(460.0, 740.0));
    view::show(&scene.model, &window, scene.now);
    wiring::wire(&window, &heard);
    window.show().unwrap();
    window.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
    (window, heard)
}

fn every_control_has_a_label(scene: &Scene, window: &AgentWindow) {
    for role in [AccessibleRole::Button, AccessibleRole::Switch, AccessibleRole::TextInput] {
        for control in ElementQuery::from_root(window).match_accessible_role(role).find_all() {
            let label = control.accessible_label().unwrap_or_default();
            assert!(!label.is_empty(), "{}: a {role:?} without a label", scene.name);
        }
    }
}

fn number_is_typed_and_sent_by_keys(window: &AgentWindow, heard: &Heard, lang: Lang) {
    let label = if lang == Lang::En { "Session number, 12 digits" } else { "接続番号、12 けた" };
    let field = only(window, label, AccessibleRole::TextInput);
    field.set_accessible_value("4829 1530 6712");
    let edited = heard.take();
    assert!(edited.len() == 1 && edited[0].contains("\"4829 1530 6712\""), "{edited:?}");
    press(window, Key::Return.into());
    assert_eq!(heard.take(), ["ConnectPressed"], "the keys go there from the first moment");
    let connect = if lang == Lang::En { "Connect" } else { "接続する" };
    only(window, connect, AccessibleRole::Button).invoke_accessible_default_action();
    assert_eq!(heard.take(), ["ConnectPressed"]);
}

/// "Why is it slow?" (S84).
fn a_check_can_be_asked_for(window: &AgentWindow, heard: &Heard, lang: Lang) {
    let label = if lang == Lang::En { "Check the connection" } else { "接続を確認する" };
    only(window, label, AccessibleRole::Button).invoke_accessible_default_action();
    assert_eq!(heard.take(), ["Checkup(Begun)"]);
}

fn a_check_says_what_it_found(window: &AgentWindow, heard: &Heard, lang: Lang) {
    let all = doctor::made_up();
    for finding in all.iter().filter(|finding| finding.verdict != Verdict::Fine) {
        only(window, finding.for_person(lang), AccessibleRole::Text);
    }
    what_was_found_is_whole(window, lang);
    press(window, Key::Escape.into());
    assert_eq!(heard.take(), ["Checkup(Closed)"]);
}

/// Whoever is being cheated reads it before a hand moves: not below what has to be scrolled to.
fn the_warning_is_seen_at_once(window: &AgentWindow, lang: Lang) {
    let begin = if lang == Lang::En { "Did this person call you" } else { "突然かかって" };
    let all = ElementQuery::from_root(window).match_accessible_role(AccessibleRole::Text);
    let is_it = move |e: &ElementHandle| e.accessible_label().is_some_and(|l| l.starts_with(begin));
    let warning = all.match_predicate(is_it).find_first().expect("there is a warning");
    let bottom = warning.absolute_position().y + warning.size().height;
    let (_, allow, ..) = place(window, ALLOW).expect("there is a button to allow");
    assert!(warning.size().height > 20.0 && bottom <= allow, "{bottom} {allow}");
}

fn consent_begins_on_refuse(scene: &Scene, window: &AgentWindow, heard: &Heard) {
    press(window, Key::Return.into());
    let pressed = heard.take();
    assert!(pressed[0].starts_with("RefusePressed"), "{}: Return refuses: {pressed:?}", scene.name);
}

fn accept_needs_a_hand(window: &AgentWindow, heard: &Heard) {
    let accept = one_of(window, ALLOW).expect("there is a button to allow");
    accept.invoke_accessible_default_action();
    assert!(heard.take().is_empty(), "no other program presses it");
    press(window, Key::Tab.into());
    press(window, SharedString::from(" "));
    assert_eq!(heard.take(), ["Accept by Key"], "a keyboard does, and it is asked whose");
}

fn end_is_there(window: &AgentWindow, heard: &Heard, lang: Lang) {
    let label = if lang == Lang::En { "End now" } else { "今すぐ終了" };
    only(window, label, AccessibleRole::Button).invoke_accessible_default_action();
    assert_eq!(heard.take(), ["EndPressed"]);
}

/// Left, top, right and bottom in the window.
type Place = (f32, f32, f32, f32);

/// Of the button at the window's foot under one of these labels.
fn place(window: &AgentWindow, labels: &[&str]) -> Option<Place> {
    let button = one_of(window, labels)?;
    let (at, size) = (button.absolute_position(), button.size());
    Some((at.x, at.y, at.x + size.width, at.y + size.height))
}

fn overlap(one: Option<Place>, other: Option<Place>) -> bool {
    let (one, other) = (one.expect("it is there"), other.expect("it was there"));
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

/// Without scrolling.
fn seen_whole(window: &AgentWindow, labels: &[&str]) {
    let (_, top, _, bottom) = place(window, labels).expect("it is there");
    assert!(top > 56.0 && bottom < 740.0, "{labels:?} from {top} to {bottom}");
}

fn one_of(window: &AgentWindow, labels: &[&str]) -> Option<ElementHandle> {
    labels.iter().find_map(|label| find(window, label, AccessibleRole::Button))
}

fn find(window: &AgentWindow, label: &str, role: AccessibleRole) -> Option<ElementHandle> {
    ElementHandle::find_by_accessible_label(window, label).find(|e| e.accessible_role() == Some(role))
}

fn only(window: &AgentWindow, label: &str, role: AccessibleRole) -> ElementHandle {
    find(window, label, role).unwrap_or_else(|| panic!("there is no {role:?} {label}"))
}

fn press(window: &AgentWindow, key: SharedString) {
    window.window().dispatch_event(WindowEvent::KeyPressed { text: key.clone() });
    window.window().dispatch_event(WindowEvent::KeyReleased { text: key });
}
