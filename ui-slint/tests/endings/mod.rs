//! What the operator reads of a session's state and end: of the screen that was seen in it.

use i_slint_backend_testing::AccessibleRole as R;
use tasuki_peer::core::io::EndedBy;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Mode, Rights};
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::model::{More, Outcome, Stage, TabId};
use tasuki_ui_slint::operator::session::{Happened, Wish};
use tasuki_ui_slint::operator::update::{Msg, update};
use tasuki_ui_slint::operator::{mock, scenes};

use crate::{find, open};

fn scene(name: &str, lang: Lang) -> scenes::Scene {
    scenes::all(lang, Shade::Light).into_iter().find(|scene| scene.name == name).unwrap()
}

/// In the order: whose word it was; whose screen, or none.
const SENTENCES: [(&str, &str); 6] = [
    ("You ended it. Their screen can no longer", "あなたが終了しました。相手の画面はもう見えません。"),
    (
        "You ended it. Your screen can no longer",
        "あなたが終了しました。あなたの画面はもう相手に見えません。",
    ),
    ("You ended it. Nothing was shown.", "あなたが終了しました。画面は何も見えていません。"),
    ("The other side ended it. Their screen", "相手が終了しました。相手の画面はもう見えません。"),
    (
        "The other side ended it. Your screen",
        "相手が終了しました。あなたの画面はもう相手に見えません。",
    ),
    ("The other side ended it. Nothing was", "相手が終了しました。画面は何も見えていません。"),
];

pub(crate) fn what_is_said_at_the_end_is_of_the_screen_that_was_seen() {
    for (lang, mode, by) in [Lang::En, Lang::Ja].into_iter().flat_map(|lang| {
        Mode::ALL
            .into_iter()
            .flat_map(move |mode| [EndedBy::ThisEnd, EndedBy::OtherEnd].map(move |by| (lang, mode, by)))
    }) {
        for begun in [true, false] {
            let mut over = scene("operator-ended", lang);
            let tab = &mut over.model.tabs[0];
            tab.mode = mode;
            tab.live_since = tab.live_since.filter(|_| begun);
            tab.stage = Stage::Over(Outcome::Ended { reason: EndReason::OperatorEnded, by });
            let window = open(&over);
            let right = 3 * usize::from(by != EndedBy::ThisEnd)
                + if !begun { 2 } else { usize::from(mode.viewer() != Role::Operator) };
            for (place, (en, ja)) in SENTENCES.into_iter().enumerate() {
                let sentence = if lang == Lang::En { en } else { ja };
                let is_said = find(&window, R::Text, sentence).is_some();
                assert_eq!(is_said, place == right, "{mode} {by:?} {begun}: {sentence}");
            }
        }
    }
}

pub(crate) fn s97_a_receipt_that_could_not_be_kept_is_told_where_it_would_be_opened() {
    for (lang, sentence, button) in [
        (Lang::En, "receipts could not be kept: Read-only file system", "Open the receipt"),
        (Lang::Ja, "receipts を保存できませんでした: 書き込みできないディスクです", "記録を開く"),
    ] {
        let kept = open(&scene("operator-ended", lang));
        assert!(find(&kept, R::Button, button).is_some());
        let unkept = open(&scene("operator-ended-unkept", lang));
        assert!(find(&unkept, R::Text, sentence).is_some(), "{sentence}");
        assert!(find(&unkept, R::Button, button).is_none());
    }
}

/// Where one's own screen is shown it is one's own hand that stops theirs, and oneself who is asked.
pub(crate) fn whose_input_waits_is_told_by_whose_screen_it_is() {
    for lang in [Lang::En, Lang::Ja] {
        let say = |en: &'static str, ja: &'static str| if lang == Lang::En { en } else { ja };
        let theirs = [
            say("yours waits", "相手がマウスを使用中"),
            say("They are asked", "相手に確認中"),
            say("They are using", "相手がマウスを使っています"),
            say("Asked for control", "操作の許可を求めました"),
        ];
        let hand = say("You use the mouse; theirs waits", "マウスを使用中（相手の操作は保留）");
        let asked = say("You are asked; their input waits", "あなたへの質問中（相手の操作は保留）");
        let own = say("Your screen is shown", "画面を表示中");
        for (what, said) in [("hand", hand), ("question", asked), ("more", own)] {
            let mut shown = scene("operator-share", lang);
            let tab = &mut shown.model.tabs[0];
            tab.view.halts.hand = what == "hand";
            tab.view.halts.question = what == "question";
            if what == "more" {
                tab.more = More::Asked { wanted: Rights::NONE, until: shown.model.now + 40 };
            }
            let window = open(&shown);
            assert!(find(&window, R::Text, said).is_some(), "{what}: {said}");
            for not in theirs {
                assert!(find(&window, R::Text, not).is_none(), "{what}: {not}");
            }
        }
    }
}

/// S66: what the policy does not allow is learnt from the server's first no, and offered no more.
pub(crate) fn s66_a_mode_that_the_policy_refuses_is_offered_no_more_with_the_reason() {
    for lang in [Lang::En, Lang::Ja] {
        let say = |en: &'static str, ja: &'static str| if lang == Lang::En { en } else { ja };
        let name = say("Manage", "管理");
        let mut dialled = scene("operator-dialling", lang);
        dialled.model.tabs[0].mode = Mode::Manage;
        let no = Fault::ModeNotAllowed { mode: String::new() };
        let _ = update(&mut dialled.model, Msg::Session(TabId(1), Happened::Gone(Err(no))));
        let window = open(&dialled);
        let told = say("allowed to use this mode (manage)", "このモード（管理(manage)）");
        assert!(find(&window, R::Text, told).is_some(), "the reason, and which mode");
        assert!(
            find(&window, R::Button, say("New number", "新しい番号")).is_none(),
            "it can only fail"
        );
        let other = say("Choose another mode", "別のモードを選ぶ");
        assert!(find(&window, R::Button, other).is_some());
        let done = update(&mut dialled.model, Msg::Wish(TabId(1), Wish::Again));
        assert!(done.is_empty(), "the server is not asked again: {done:?}");
        mock::show(&dialled, &window);
        let card = find(&window, R::RadioButton, name).expect("the page to choose on");
        let why = card.accessible_description().unwrap_or_default();
        assert_eq!(card.accessible_enabled(), Some(false));
        assert_eq!(
            why,
            say("Your administrator has not allowed this for you.", "管理者により許可されていません。")
        );
        card.invoke_accessible_default_action();
        let control = find(&window, R::RadioButton, say("Control", "操作")).unwrap();
        assert_eq!(control.accessible_enabled(), Some(true), "the others stay");
    }
}

/// A picture of what is not there yet promises it.
pub(crate) fn no_state_shows_a_recording_in_a_version_that_makes_none() {
    for scene in scenes::all(Lang::En, Shade::Light) {
        assert!(find(&open(&scene), R::Text, "REC").is_none(), "{}", scene.name);
    }
}
