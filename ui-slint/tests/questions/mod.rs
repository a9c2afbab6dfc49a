//! A question that comes while something else goes on: what is being typed, what is being told.

use tasuki_peer::programs::consent;
use tasuki_ui_slint::agent::live::{Live, QuestionKind};
use tasuki_ui_slint::agent::model::Said;
use tasuki_ui_slint::windows::{self, Agent, ConsentWords};

use super::*;

fn asked() -> News {
    let rights = Rights::of(&[Capability::Operate]);
    let kind = QuestionKind::MoreRights { rights, for_seconds: 900 };
    News::AskedMore { kind, seconds: 120, inert_ms: 0 }
}

/// He asks, and it is painted.
fn asks(live: &Rc<RefCell<Scene>>) {
    let mut live = live.borrow_mut();
    tell(&mut live, asked());
    let now = live.now;
    for _ in 0..2 {
        let _ = live.model.update(Msg::Tick, now);
    }
}

/// As it stands now; it has not ended.
fn session(scene: &Rc<RefCell<Scene>>) -> Live {
    let page = scene.borrow().model.page.clone();
    let Page::Live(live) = page else { panic!("it ended") };
    *live
}

fn show(window: &AgentWindow, scene: &Rc<RefCell<Scene>>) {
    let (model, now) = (scene.borrow().model.clone(), scene.borrow().now);
    view::show(&model, window, now);
    turn(window);
    turn(window);
}

/// The rest of a sentence neither refuses nor ends, and goes on where it was after the answer.
pub(crate) fn a_question_takes_no_keys_from_who_writes(lang: Lang) {
    let (window, live) = lives(scene("agent-live-talk", lang));
    turn(&window);
    press(&window, "a".into());
    asks(&live);
    show(&window, &live);
    let stands = || window.global::<Agent<'_>>().get_question() != windows::QuestionKind::None;
    for key in [" ", "b"] {
        press(&window, key.into());
    }
    press(&window, Key::Return.into());
    assert!(stands(), "what was being typed refuses nothing");
    live.borrow_mut().now += Duration::from_millis(800);
    show(&window, &live);
    press(&window, " ".into());
    assert!(!stands(), "a key refuses when it is meant");
    show(&window, &live);
    press(&window, "c".into());
    press(&window, Key::Return.into());
    let said = session(&live).talk.lines().last().map(|line| line.text.clone());
    assert_eq!(said.as_deref(), Some("ac"), "the draft is where it was");

    let (window, live) = lives(scene("agent-live-view", lang));
    tell(&mut live.borrow_mut(), asked());
    show(&window, &live);
    let refuse = if lang == Lang::En { "Refuse" } else { "拒否する" };
    only(&window, refuse, AccessibleRole::Button).invoke_accessible_default_action();
    assert!(session(&live).question.is_none(), "a press that is no key refuses at once");
}

pub(crate) fn a_question_tells_all_and_stands_alone(lang: Lang) {
    a_recording_that_is_required_is_told_in_the_question(lang);
    no_message_stands_over_a_question(lang);
}

/// Before any answer, at once and in what is read out. No session of this version is recorded, so that no picture
/// shows it.
fn a_recording_that_is_required_is_told_in_the_question(lang: Lang) {
    for (recording, is_told) in [(Requirement::Required, true), (Requirement::default(), false)] {
        let mut asked = scene("agent-consent-control", lang);
        let Page::Asking(asking) = &mut asked.model.page else { panic!("it asks") };
        asking.question.manifest.recording = recording;
        let line = consent::recording(&asking.question).say(lang);
        let (window, _) = open(&asked);
        assert_eq!(find(&window, "REC", AccessibleRole::Text).is_some(), is_told);
        let words = window.global::<ConsentWords<'_>>().get_in_full();
        assert!(words.contains(line), "{words}");
    }
}

fn no_message_stands_over_a_question(lang: Lang) {
    let (window, live) = lives(scene("agent-live-view", lang));
    let toast = || {
        let all = ElementQuery::from_root(&window).match_descendants().match_inherits("Toast");
        all.find_first().map(|toast| toast.size().height)
    };
    let long = News::Wrote(format!("{}{}", "\n".repeat(30), "あ\n".repeat(2000)));
    tell(&mut live.borrow_mut(), long.clone());
    show(&window, &live);
    let height = toast().expect("it is told");
    assert!((40.0..=168.0).contains(&height), "{height}");
    let said = || window.global::<Agent<'_>>().get_said();
    assert_eq!(said(), windows::Said::Wrote);
    tell(&mut live.borrow_mut(), asked());
    tell(&mut live.borrow_mut(), long);
    show(&window, &live);
    assert_eq!(said(), windows::Said::None, "the question stands alone");
}

/// Why a press had no effect is told, and hides neither the warning nor what is asked.
pub(crate) fn what_is_told_stands_over_nothing_of_the_question(lang: Lang) {
    for name in ["agent-notice", "agent-consent-control", "agent-consent-manage", "agent-consent-show"]
    {
        let mut asked = scene(name, lang);
        let _ = asked.model.update(Msg::Told(Said::Saved("picture.png".to_owned())), asked.now);
        let said = |window: &AgentWindow| window.global::<Agent<'_>>().get_said();
        assert_eq!(said(&open(&asked).0), windows::Said::None, "{name}: the question stands alone");
        let _ = asked.model.update(Msg::NotByHand, asked.now);
        let (window, _) = open(&asked);
        assert_eq!(said(&window), windows::Said::NotByHand);
        let all = ElementQuery::from_root(&window).match_descendants().match_inherits("Toast");
        let toast = all.find_first().unwrap();
        let bottom = toast.absolute_position().y + toast.size().height;
        assert!(toast.size().height > 30.0 && bottom <= 68.0, "{name}: it ends at {bottom}");
    }
}

pub(crate) fn what_was_taken_away_wakes_up_late_and_taking_away_does_not(lang: Lang) {
    let mut live = scene("agent-live-control", lang);
    let Page::Live(page) = &mut live.model.page else { panic!("it lives") };
    page.taken = Rights::of(&[Capability::Operate]);
    for (later, awake) in [(0, false), (800, true)] {
        live.now = live.now - Duration::from_secs(754) + Duration::from_millis(later);
        let (window, _) = open(&live);
        for switch in switches(&window) {
            let enabled = switch.accessible_enabled() == Some(true);
            assert_eq!(enabled, awake || switch.accessible_checked() == Some(true), "{later} ms");
        }
        live.now = live.now + Duration::from_secs(754) - Duration::from_millis(later);
    }
}

const REFUSE: &[&str] = &["Refuse", "拒否する"];
const CALLED: &[&str] = &["I called them myself", "自分からかけました"];
/// A laptop whose pixels are small, without what its desktop takes: 1280x800 at a scale of 2 has 400.
const LOW: f32 = 400.0;

pub(crate) fn what_is_asked_and_told_has_room_in_a_low_window(lang: Lang) {
    s29_what_answers_is_whole_in_a_low_window(lang);
    s29_t2_why_a_press_had_no_effect_lies_over_no_answer_in_a_low_window(lang);
    s31_a_dialog_that_is_higher_than_the_window_is_seen_to_go_on_and_follows_the_keys(lang);
}

/// What has to be read scrolls there, and the buttons stay.
fn s29_what_answers_is_whole_in_a_low_window(lang: Lang) {
    let mut seen = 0;
    for scene in scenes::all(lang, Shade::Light, Instant::now()) {
        let is_covered =
            ["continue", "more-rights", "details", "checkup"].iter().any(|it| scene.name.contains(it));
        let buttons: &[&[&str]] = match scene.name {
            "agent-notice" => &[REFUSE, CALLED],
            name if name.starts_with("agent-consent") => &[REFUSE, ALLOW],
            name if name.starts_with("agent-live") && !is_covered => &[END],
            name if name.starts_with("agent-watching") => &[END],
            _ => continue,
        };
        let (window, _) = open(&scene);
        // The notice has stood for long enough.
        view::show(&scene.model, &window, scene.now + Duration::from_secs(10));
        window.window().set_size(LogicalSize::new(460.0, LOW));
        let _ = window.window().take_snapshot().unwrap();
        for labels in buttons {
            let (_, top, _, bottom) = place(&window, labels).expect("it is there");
            assert!(top >= 56.0 && bottom <= LOW, "{}: {labels:?}: {top} to {bottom}", scene.name);
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}

/// A desktop at a scale of 2 with a panel.
const LOWEST: f32 = 340.0;
const GO_ON: &[&str] = &["Continue", "続ける"];
const ENDS: &[&str] = &["End the session", "終了する"];

/// A program that presses Yes again and again keeps the hand from neither answer (F8).
fn s29_t2_why_a_press_had_no_effect_lies_over_no_answer_in_a_low_window(lang: Lang) {
    for (name, answers) in
        [("agent-live-continue", [ENDS, GO_ON]), ("agent-live-more-rights", [REFUSE, ALLOW])]
    {
        for height in [LOW, LOWEST] {
            let mut asked = scene(name, lang);
            let _ = asked.model.update(Msg::NotByHand, asked.now);
            let (window, heard) = open(&asked);
            window.window().set_size(LogicalSize::new(460.0, height));
            let _ = window.window().take_snapshot().unwrap();
            let all = ElementQuery::from_root(&window).match_descendants().match_inherits("Toast");
            let toast = all.find_first().expect("it is told");
            let told = toast.absolute_position().y + toast.size().height;
            assert!(toast.size().height > 30.0, "{name}");
            for answer in answers {
                let (_, top, _, bottom) = place(&window, answer).expect("it is there");
                let is_free = top >= told && bottom <= height;
                assert!(is_free, "{name} at {height}: {answer:?}: {top} to {bottom} below {told}");
            }
            one_of(&window, answers[0]).unwrap().mock_single_click(PointerEventButton::Left);
            assert_eq!(heard.take().len(), 1, "{name} at {height}: the hand's no is heard");
        }
    }
}

/// What does not fit is seen to go on, and comes with the keys.
fn s31_a_dialog_that_is_higher_than_the_window_is_seen_to_go_on_and_follows_the_keys(lang: Lang) {
    let (window, heard) = open(&scene("agent-live-details", lang));
    window.window().set_size(LogicalSize::new(460.0, LOWEST));
    let _ = window.window().take_snapshot().unwrap();
    let all = || ElementQuery::from_root(&window).match_descendants().match_inherits("Fade").find_all();
    // Narrower than the window, as the dialog is.
    let fades = || all().iter().filter(|fade| fade.size().width < 420.0).count();
    let ends = || {
        let all = END.iter().flat_map(|label| ElementHandle::find_by_accessible_label(&window, label));
        let end = all.last().expect("it can be ended");
        end.absolute_position().y + end.size().height
    };
    assert!(ends() > LOWEST, "{}", ends());
    assert!(fades() > 0, "it goes on below");
    press(&window, Key::Tab.into());
    let _ = window.window().take_snapshot().unwrap();
    assert!(ends() <= LOWEST, "{}", ends());
    press(&window, Key::Return.into());
    assert_eq!(heard.take(), ["EndPressed"]);
}
