//! How the person looks at the operator's screen (Share, Show), and what is left of the session.

use tasuki_peer::core::io::EndedBy;
use tasuki_protocol::message::EndReason;

use super::*;

/// As the operator looks at his: at full size, and on all of the screen until the session is over.
pub(crate) fn s100_the_operators_screen_is_seen_at_full_size_and_on_all_of_the_screen(lang: Lang) {
    let say = |en: &'static str, ja: &'static str| if lang == Lang::En { en } else { ja };
    for name in ["agent-watching-show", "agent-watching-share"] {
        let (window, watching) = lives(scene(name, lang));
        window.window().set_size(LogicalSize::new(1000.0, 720.0));
        let press = |label: &str| {
            turn(&window);
            only(&window, label, AccessibleRole::Button).mock_single_click(PointerEventButton::Left);
        };
        let look = || watching.borrow().model.look();
        press(say("Show at full size, 1:1", "実寸（1:1）で表示"));
        assert_eq!(look().zoom, Zoom::OneToOne);
        press(say("Fit into the window", "ウィンドウに合わせる"));
        assert_eq!(look().zoom, Zoom::Fit);
        press(say("Full screen", "全画面"));
        assert!(look().full && window.window().is_fullscreen(), "{name}");
        // Whose screen it is, and the end, stand there all the same.
        turn(&window);
        only(&window, say("End now", "今すぐ終了"), AccessibleRole::Button);
        press(say("Leave full screen", "全画面をやめる"));
        assert!(!look().full && !window.window().is_fullscreen(), "{name}");
        press(say("Full screen", "全画面"));
        let over = News::Over { end: Some((EndReason::OperatorEnded, EndedBy::OtherEnd)), fault: None };
        tell(&mut watching.borrow_mut(), over);
        view::show(&watching.borrow().model, &window, watching.borrow().now);
        assert!(!window.window().is_fullscreen(), "{name}: the screen is the person's again");
    }
    // At any width each of them is in reach.
    for width in [380.0, 460.0, 760.0, 1000.0] {
        let (window, _) = open(&scene("agent-watching-show", lang));
        window.window().set_size(LogicalSize::new(width, 740.0));
        turn(&window);
        let mut last = 0.0;
        for label in [
            say("Show at full size, 1:1", "実寸（1:1）で表示"),
            say("Full screen", "全画面"),
            say("How this session is protected", "通信の保護について"),
            say("End now", "今すぐ終了"),
        ] {
            let (left, _, right, _) = place(&window, &[label]).expect(label);
            assert!(left >= last && right <= width, "{label} from {left} to {right} of {width}");
            last = right;
        }
    }
}

/// Each button for its own act: what is opened is not saved, and the other way round.
pub(crate) fn s29_a_receipt_is_opened_and_saved_by_the_button_that_says_so(lang: Lang) {
    let (window, heard) = open(&scene("agent-ended", lang));
    let acts =
        [("Open the receipt", "記録を開く", "ReceiptOpened"), ("Save it", "保存する", "ReceiptSaved")];
    for (en, ja, act) in acts {
        let label = if lang == Lang::En { en } else { ja };
        only(&window, label, AccessibleRole::Button).mock_single_click(PointerEventButton::Left);
        assert_eq!(heard.take(), [act]);
    }
}

/// The seconds to answer run down, and then it is told that silence was a no.
pub(crate) fn t2_silence_is_counted_down_and_told_as_a_refusal(lang: Lang) {
    let mut asked = scene("agent-consent-view", lang);
    let (window, _) = open(&asked);
    for (later, left) in [(0, "1:37"), (1, "1:36"), (96, "0:01")] {
        let now = asked.now + Duration::from_secs(later);
        let _ = asked.model.update(Msg::Tick, now);
        view::show(&asked.model, &window, now);
        let all = ElementQuery::from_root(&window).match_accessible_role(AccessibleRole::Text);
        let told =
            all.find_all().iter().any(|e| e.accessible_label().is_some_and(|l| l.contains(left)));
        assert!(told, "{left} after {later} s");
    }
    let end = Some((EndReason::NobodyAnswered, EndedBy::ThisEnd));
    tell(&mut asked, News::Over { end, fault: None });
    view::show(&asked.model, &window, asked.now);
    let (nothing, silence) = match lang {
        Lang::En => ("Nothing was shown.", "There was no answer, which counts as no."),
        Lang::Ja => ("何も見られていません。", "お返事がなかったため、拒否として扱いました。"),
    };
    only(&window, nothing, AccessibleRole::Text);
    only(&window, silence, AccessibleRole::Text);
}
