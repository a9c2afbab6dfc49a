//! The operator's window in every state: as it looks, as a screen reader finds it, and what its
//! controls do.

#![allow(clippy::unwrap_used)]

mod bared;
mod bars;
mod choices;
mod controls;
mod endings;
mod painting;
mod reaching;
mod second_look;
mod signing;
mod states;
mod trouble;

use std::cell::RefCell;
use std::rc::Rc;

use bared::Stand;
use choices::*;
use controls::*;
use i_slint_backend_testing::{AccessibleRole, AccessibleRole as R, ElementHandle, ElementQuery};
use painting::Gallery;
use signing::*;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::winit_030::winit;
use slint::{ComponentHandle, LogicalSize};
use tasuki_peer::shell::desktop::Viewer;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::model::{Asks, Dialog, Door, TabId, Trouble};
use tasuki_ui_slint::operator::session::Happened;
use tasuki_ui_slint::operator::update::{Msg, update};
use tasuki_ui_slint::operator::{mock, scenes};
use tasuki_ui_slint::viewer::capture::Allowed;
use tasuki_ui_slint::viewer::hands::Reach;
use tasuki_ui_slint::viewer::made_up;
use tasuki_ui_slint::viewer::screen::{Screen, Told};
use tasuki_ui_slint::windows::{
    Checkup, MoreState, Operator, OperatorWindow, PausedBy, RemoteScreen, Session, SessionDialog,
    ToastLine,
};

/// One test, because a process has one platform.
#[test]
fn s100_the_operators_window_looks_reads_and_answers_in_both_languages() {
    painting::start();
    every_state_looks_as_committed();
    every_control_has_a_role_and_a_label();
    states::every_value_that_a_page_can_show_is_one_of_a_made_up_state();
    what_a_state_is_for_can_be_found_by_label_and_role();
    what_is_not_allowed_is_not_offered();
    endings::what_is_said_at_the_end_is_of_the_screen_that_was_seen();
    endings::s97_a_receipt_that_could_not_be_kept_is_told_where_it_would_be_opened();
    endings::whose_input_waits_is_told_by_whose_screen_it_is();
    endings::s66_a_mode_that_the_policy_refuses_is_offered_no_more_with_the_reason();
    endings::no_state_shows_a_recording_in_a_version_that_makes_none();
    bars::t33_each_bar_over_a_shown_screen_says_who_sees_it_and_since_when();
    s22_that_pictures_can_be_kept_is_said_before_anything_is_shown();
    controls_do_what_they_say();
    second_look::s1_the_second_look_before_manage_is_asked_and_answered_in_the_window();
    what_is_written_is_sent();
    what_is_chosen_in_the_settings_holds_is_shown_and_is_kept();
    s2_desktop_shortcuts_are_offered_only_where_they_can_go();
    the_history_is_forgotten_only_when_that_is_said_twice();
    the_numbers_time_runs_down_and_stops_at_nothing();
    nothing_is_told_of_a_path_that_is_gone();
    the_first_click_on_the_picture_is_the_hosts();
    reaching::s100_at_one_to_one_every_pixel_comes_to_a_hand_that_operates_and_to_one_that_looks();
    t21_t23_keys_that_were_at_a_picture_are_at_none_that_comes_later();
    s100_lent_control_is_told_all_the_time_and_lies_over_no_picture();
    nothing_lies_over_a_picture_that_goes_past_the_toolkit();
    what_is_bad_outside_is_told_with_a_way_on();
    the_keys_go_where_the_next_word_is_due();
    one_sentence_says_that_this_computer_is_new();
    nothing_moves_under_the_pointer_while_one_signs_in();
    nothing_moves_under_the_pointer_before_a_session();
    whatever_is_told_while_one_signs_in_is_seen_or_seen_to_go_on();
    what_is_written_into_a_field_is_told();
    a_password_is_changed_by_keys_alone();
}

fn scene(name: &str) -> scenes::Scene {
    scenes::all(Lang::En, Shade::Light).into_iter().find(|scene| scene.name == name).unwrap()
}

fn open(scene: &scenes::Scene) -> OperatorWindow {
    let window = OperatorWindow::new().unwrap();
    window.window().set_size(LogicalSize::new(1280.0, 800.0));
    made_up::lay_into(&window);
    mock::show(scene, &window);
    window.show().unwrap();
    window
}

fn every_state_looks_as_committed() {
    let is_own = |name: &str| name.starts_with("operator-") && !name.starts_with("operator-bar-");
    let mut gallery = Gallery::new(is_own);
    for (lang, shade) in painting::manners() {
        for scene in scenes::pictured(lang, shade) {
            if !painting::is_due(scene.name) {
                continue;
            }
            let window = open(&scene);
            gallery.hang(scene.name, (lang, shade), &window.window().take_snapshot().unwrap());
        }
    }
    gallery.close();
}

fn find(window: &OperatorWindow, role: AccessibleRole, label: &str) -> Option<ElementHandle> {
    let label = label.to_owned();
    ElementQuery::from_root(window)
        .match_descendants()
        .match_accessible_role(role)
        .match_predicate(move |element| element.accessible_label().is_some_and(|l| l.contains(&label)))
        .find_first()
}

/// What a state is for, in both languages.
const WANTED: [(&str, R, &str, &str); 49] = [
    ("operator-sign-in", R::TextInput, "Password", "パスワード"),
    ("operator-sign-in-totp", R::TextInput, "Six digits", "6 けた"),
    ("operator-sign-in-locked", R::Text, "14:32", "14:32"),
    ("operator-sign-in-device-pending", R::Text, "canoe", "canoe"),
    ("operator-sign-in-over", R::Text, "where hours or place are the reason", "時間や場所が理由"),
    ("operator-sign-in-hours", R::Text, "again from 2026-11-26 09:00", "2026-11-26 09:00"),
    (
        "operator-home-went-back",
        R::Text,
        "fewer (1630) than those seen before (1874)",
        "1630 件に減って",
    ),
    ("operator-home-certificate", R::Text, "until 2026-12-04", "2026年12月4日"),
    ("operator-home", R::RadioButton, "Control", "操作"),
    ("operator-waiting", R::Text, "4829 1530 6126", "4829 1530 6126"),
    ("operator-waiting", R::Button, "Copy link", "リンクをコピー"),
    ("operator-waiting", R::Image, "square code", "二次元コード"),
    ("operator-at-the-door", R::Text, "at the door", "接続がありました"),
    ("operator-awaits-consent", R::Text, "Waiting for their answer", "返事を待っています"),
    ("operator-viewer", R::Button, "Full screen", "全画面"),
    ("operator-viewer", R::Button, "Send Ctrl+Alt+Del", "Ctrl+Alt+Del を送る"),
    ("operator-viewer", R::Image, "Ctrl+Alt+Home", "Ctrl+Alt+Home"),
    ("operator-viewer", R::Text, "38 ms", "38 ms"),
    ("operator-viewer", R::Text, "End-to-end encrypted", "エンドツーエンド暗号化"),
    ("operator-viewer-relayed", R::Text, "AES-256-GCM", "AES-256-GCM"),
    ("operator-dialog-details", R::Text, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    ("operator-settings", R::Text, "They go to ~/Pictures", "~/Pictures"),
    ("operator-viewer-asked-for-control", R::Text, "is deciding", "相手が"),
    ("operator-viewer-first-picture", R::Text, "No picture yet", "まだ画面が届きません"),
    ("operator-viewer-reconnecting", R::Text, "Reconnecting", "再接続中"),
    ("operator-viewer-relayed", R::Text, "Through the relay", "中継"),
    ("operator-viewer-relayed", R::Text, "lets no UDP through", "UDP を通しません"),
    ("operator-home-reason", R::TextInput, "your organisation asks", "組織の規則"),
    ("operator-settings", R::TextInput, "Pictures of the customer", "相手の画面の画像"),
    ("operator-viewer-they-use-the-mouse", R::Text, "using the mouse", "マウスを使っています"),
    ("operator-viewer-control-granted", R::Text, "13:07", "13:07"),
    ("operator-dialog-end", R::Button, "End now", "今すぐ終了"),
    ("operator-dialog-leave", R::Button, "End all and close", "すべて終了して閉じる"),
    ("operator-share-question", R::Button, "End the session", "終了する"),
    ("operator-share-question", R::Text, "04:32", "04:32"),
    ("operator-share", R::Text, "They see your screen", "あなたの画面を見て"),
    ("operator-show-paused", R::Button, "Go on", "続ける"),
    ("operator-screenshot-kept", R::Text, "tasuki-20261125", "tasuki-20261125"),
    ("operator-refused", R::Text, "refused", "拒否"),
    ("operator-ended-by-them", R::Button, "Open the receipt", "記録を開く"),
    ("operator-screen-lost", R::Text, "The shared desktop ended", "共有していたデスクトップが終了"),
    ("operator-screen-lost", R::Button, "New number", "新しい番号"),
    ("operator-own-screen-lost", R::Text, "check DISPLAY", "DISPLAY"),
    ("operator-history", R::ListItem, "Reception A", "本社 1階 受付"),
    ("operator-settings", R::Switch, "Send letters", "文字を送る"),
    (
        "operator-settings-aside",
        R::Text,
        "operator-window.json.damaged-1",
        "operator-window.json.damaged-1",
    ),
    ("operator-not-set-up", R::Text, "tenant.json", "tenant.json"),
    ("operator-checkup", R::Text, "This line is slow", "回線が遅い"),
    ("operator-checkup", R::Button, "Copy for your IT", "IT 担当者向けにコピー"),
];

fn what_a_state_is_for_can_be_found_by_label_and_role() {
    for lang in [Lang::En, Lang::Ja] {
        let all = scenes::all(lang, Shade::Dark);
        for (name, role, en, ja) in WANTED {
            let scene = all.iter().find(|scene| scene.name == name).unwrap();
            let label = if lang == Lang::En { en } else { ja };
            assert!(find(&open(scene), role, label).is_some(), "{name} lacks {role:?} {label:?}");
        }
    }
}

fn what_is_not_allowed_is_not_offered() {
    let all = scenes::all(Lang::En, Shade::Light);
    let view_only = all.iter().find(|scene| scene.name == "operator-viewer-view-only").unwrap();
    assert!(find(&open(view_only), R::Button, "Ctrl+Alt+Del").is_none());
    let limited = all.iter().find(|scene| scene.name == "operator-home-limited").unwrap();
    let manage = find(&open(limited), R::RadioButton, "Manage").unwrap();
    assert_eq!(manage.accessible_enabled(), Some(false));
    // Without a question sessions are ended only by who is seen.
    for name in ["-type-text", "-more-rights", "-details"] {
        let name = format!("operator-dialog{name}");
        let looks = all.iter().find(|scene| scene.name == name).unwrap();
        assert!(find(&open(looks), R::Button, "End now").is_none(), "{name}");
    }
    let mut shown = scene("operator-share");
    shown.model.tabs[0].dialog = Dialog::Details;
    assert!(find(&open(&shown), R::Button, "End now").is_some(), "he is seen");
}

fn s22_that_pictures_can_be_kept_is_said_before_anything_is_shown() {
    let window = open(&scene("operator-home"));
    for mode in ["Share my screen", "Show my screen"] {
        let card = find(&window, R::RadioButton, mode).unwrap();
        let words = card.accessible_description().unwrap_or_default();
        assert!(words.contains("keep a picture"), "{words}");
    }
}

fn the_numbers_time_runs_down_and_stops_at_nothing() {
    let mut waiting = scene("operator-waiting");
    let window = open(&waiting);
    let begun = waiting.model.now;
    for (later, left) in [(0, "09:41"), (1, "09:40"), (580, "00:01"), (581, "00:00"), (590, "00:00")] {
        let _ = update(&mut waiting.model, Msg::Tick(begun + later));
        mock::show(&waiting, &window);
        let words = format!("Valid for {left}");
        assert!(find(&window, R::Text, &words).is_some(), "{words} after {later} s");
        assert!(waiting.model.counts(), "a tick comes until the server says that it is over");
    }
    let _ =
        update(&mut waiting.model, Msg::Session(TabId(1), Happened::Gone(Err(Fault::NumberExpired))));
    mock::show(&waiting, &window);
    assert!(find(&window, R::Text, "4829 1530 6126").is_none());
    assert!(find(&window, R::Button, "New number").is_some());
}

/// Neither its figures nor its protection are true of what comes next.
fn nothing_is_told_of_a_path_that_is_gone() {
    for name in ["operator-viewer-reconnecting", "operator-viewer-first-picture"] {
        let window = open(&scene(name));
        for gone in ["Direct", "fps", "Mbit/s", "kbit/s", "38 ms", "AES", "ncrypted"] {
            assert!(find(&window, R::Text, gone).is_none(), "{name} says {gone}");
        }
        assert!(find(&window, R::Text, "Path: Looking for a way").is_some(), "{name}");
    }
}

/// A bundle or a server that will not do: one sentence, and the button that goes on.
fn what_is_bad_outside_is_told_with_a_way_on() {
    for lang in [Lang::En, Lang::Ja] {
        let scene = |name| {
            let mut all = scenes::all(lang, Shade::Light).into_iter();
            all.find(|scene| scene.name == name).unwrap()
        };
        for fault in trouble::of_bundle() {
            let mut stuck = scene("operator-not-set-up");
            stuck.model.door = Door::Shut(fault.clone());
            let window = open(&stuck);
            let sentence = fault.sentence(lang);
            assert!(find(&window, R::Text, &sentence).is_some(), "{sentence}");
            let again = if lang == Lang::En { "Try again" } else { "もう一度試す" };
            let button = find(&window, R::Button, again).unwrap();
            assert_eq!(button.accessible_enabled(), Some(true), "{sentence}");
        }
        for fault in trouble::of_server() {
            let mut back = scene("operator-sign-in");
            let Door::Out(page) = &mut back.model.door else { panic!("nobody is signed in") };
            page.trouble = Some(Trouble::Failed(fault.clone()));
            let window = open(&back);
            let sentence = fault.sentence(lang);
            assert!(find(&window, R::Text, &sentence).is_some(), "{sentence}");
            let again = if lang == Lang::En { "Sign in" } else { "サインイン" };
            let button = find(&window, R::Button, again).unwrap();
            assert_eq!(button.accessible_enabled(), Some(true), "{sentence}");
        }
    }
}

/// The picture has the focus before the press is told, or the press would be for nobody.
fn the_first_click_on_the_picture_is_the_hosts() {
    let all = scenes::all(Lang::En, Shade::Light);
    let scene = all.iter().find(|scene| scene.name == "operator-viewer").unwrap();
    let window = open(scene);
    window.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
    let heard = Rc::new(RefCell::new(Vec::new()));
    let remote = window.global::<RemoteScreen<'_>>();
    let told = Rc::clone(&heard);
    remote.on_focused(move |here| told.borrow_mut().push(if here { "focused" } else { "left" }));
    let told = Rc::clone(&heard);
    remote.on_pressed(move |_, _, _| told.borrow_mut().push("pressed"));
    let picture = find(&window, R::Image, "Ctrl+Alt+Home").unwrap();
    picture.mock_single_click(PointerEventButton::Left);
    let heard = heard.borrow();
    assert_eq!(heard[..2], ["focused", "pressed"], "{heard:?}");
}

type Cover = (&'static str, fn(&OperatorWindow));

/// Its seconds run down beside the picture, which goes past the toolkit all the while.
fn s100_lent_control_is_told_all_the_time_and_lies_over_no_picture() {
    let mut lent = scene("operator-viewer-control-granted");
    let window = OperatorWindow::new().unwrap();
    window.window().set_size(LogicalSize::new(1280.0, 800.0));
    let stand = Stand::of(&window);
    made_up::lay_into(&window);
    mock::show(&lent, &window);
    window.show().unwrap();
    let begun = lent.model.now;
    for (later, left) in [(0, "13:07"), (1, "13:06"), (786, "00:01")] {
        let _ = update(&mut lent.model, Msg::Tick(begun + later));
        mock::show(&lent, &window);
        let words = format!("Control granted for {left} more");
        assert!(find(&window, R::Text, &words).is_some(), "{words} after {later} s");
        assert!(stand.is_bare(&window, &words), "{words} lies over the picture");
    }
}

fn nothing_lies_over_a_picture_that_goes_past_the_toolkit() {
    let shown = |scene: &scenes::Scene| {
        let window = OperatorWindow::new().unwrap();
        window.window().set_size(LogicalSize::new(1280.0, 800.0));
        let stand = Stand::of(&window);
        made_up::lay_into(&window);
        mock::show(scene, &window);
        window.show().unwrap();
        (window, stand)
    };
    let all = scenes::all(Lang::En, Shade::Light);
    let bare = all.iter().filter(|scene| {
        let (window, stand) = shown(scene);
        stand.is_bare(&window, scene.name)
    });
    let bare: Vec<_> = bare.map(|scene| scene.name).collect();
    // What holds for minutes is told beside the picture.
    for state in ["", "-control-granted", "-asked-for-control", "-they-use-the-mouse", "-chat"] {
        let state = format!("operator-viewer{state}");
        assert!(bare.contains(&state.as_str()), "{state} lies over the picture: {bare:?}");
    }
    let covers: [Cover; 9] = [
        ("a toast", |window| window.global::<Operator<'_>>().set_toast(ToastLine::TextSent)),
        ("a dialog", |window| window.global::<Session<'_>>().set_dialog(SessionDialog::Details)),
        ("a question", |window| window.global::<Session<'_>>().set_question("May she?".into())),
        ("an examination", |window| window.global::<Checkup<'_>>().set_shown(true)),
        ("a refusal", |window| window.global::<Session<'_>>().set_more(MoreState::Refused)),
        ("rights that are over", |window| window.global::<Session<'_>>().set_more(MoreState::Revoked)),
        ("a pause", |window| window.global::<Session<'_>>().set_paused(PausedBy::Host)),
        ("a lost network", |window| window.global::<Session<'_>>().set_reconnecting_seconds(3)),
        ("no picture", |window| window.global::<Session<'_>>().set_any_picture(false)),
    ];
    for (what, cover) in covers {
        let (window, stand) = shown(&scene("operator-viewer"));
        assert!(stand.is_bare(&window, "before"));
        cover(&window);
        assert!(!stand.is_bare(&window, what), "{what} lies under the picture");
    }
}

/// Of a page that is gone nothing tells that the keys left its picture.
fn t21_t23_keys_that_were_at_a_picture_are_at_none_that_comes_later() {
    let window = open(&scene("operator-viewer"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&told);
    let screen = Screen::attach(&window, runtime.handle().clone(), move |now| {
        if let Told::Reach(reach) = now {
            heard.borrow_mut().push(reach);
        }
    });
    let remote = window.global::<RemoteScreen<'_>>();
    let viewer = || Some(Viewer::default());
    let _ = screen.window_event(&winit::event::WindowEvent::Focused(true));
    screen.watch(viewer());
    screen.allow(Allowed::Yes);
    remote.invoke_focused(true);
    assert_eq!(told.take(), [Reach::Host], "the picture has the keys");
    screen.watch(None);
    assert_eq!((told.take(), remote.get_reaching()), (vec![Reach::Here], false));
    let _ = screen.window_event(&winit::event::WindowEvent::Focused(false));
    let _ = screen.window_event(&winit::event::WindowEvent::Focused(true));
    screen.watch(viewer());
    screen.allow(Allowed::Yes);
    assert_eq!((told.take(), remote.get_reaching()), (vec![], false), "nobody has put them there");
    remote.invoke_focused(true);
    assert_eq!(told.take(), [Reach::Host]);
    // From one session's tab to another's, on one page.
    screen.watch(viewer());
    assert_eq!(told.take(), [Reach::Here]);
}
