//! What must be read, and what must be pressed, where there is little room or something stands over it.

use super::*;

/// On monitors that are 900, 800 and 512 wide: another last letter is another picture.
pub(crate) fn t33_who_it_is_is_read_to_the_last_letter_on_monitors_of_any_width(lang: Lang) {
    let painted = |(operator, organisation): (&str, &str), (width, height)| {
        let mut scene = scene("agent-live-control", lang);
        organisation.clone_into(&mut scene.model.organisation);
        let Page::Live(live) = &mut scene.model.page else { panic!("it lives") };
        operator.clone_into(&mut live.manifest.operator_name);
        let bar = BannerWindow::new().unwrap();
        bar.window().set_size(LogicalSize::new(width, height));
        view::show_banner(&scene.model, &bar, scene.now);
        bar.show().unwrap();
        bar.window().take_snapshot().unwrap()
    };
    let long = ["Wilhelmina Featherstonehaugh-Cholmondele", "Mannheim Water and Power"];
    let japanese = ["勅使河原 美咲子", "みなと信用サービス株式会社 情報システム"];
    let [operator, organisation] = if lang == Lang::En { long } else { japanese };
    for size in [(860.0, 56.0), (760.0, 84.0), (472.0, 104.0)] {
        let whole = painted((operator, organisation), size);
        let (other, another) = (format!("{operator}x"), format!("{organisation}x"));
        let differs = |who| painted(who, size).as_bytes() != whole.as_bytes();
        assert!(differs((&other, organisation)), "{size:?}: {operator} is cut");
        assert!(differs((operator, &another)), "{size:?}: {organisation} is cut");
    }
}

/// By the pointer, which stops at what lies over it, and by keys.
pub(crate) fn s31_the_end_is_there_with_whatever_stands_over_the_session(lang: Lang) {
    let opened = |name: &str, act: Option<Msg>| {
        let mut over = scene(name, lang);
        if let Some(act) = act {
            let _ = over.model.update(act, over.now);
        }
        over
    };
    let checked = |name: &str| {
        let mut over = scene(name, lang);
        over.model.checkup = Some(tasuki_ui_slint::checkup::made_up());
        over
    };
    let details = || Some(Msg::Opened(tasuki_ui_slint::agent::live::Open::Details));
    let about = || Some(Msg::AboutShown(true));
    let over = [
        opened("agent-live-more-rights", None),
        opened("agent-live-details", None),
        opened("agent-live-view", about()),
        opened("agent-watching-share", details()),
        opened("agent-watching-show", details()),
        opened("agent-watching-show", about()),
        checked("agent-live-control"),
        checked("agent-watching-share"),
    ];
    for (place, over) in over.iter().enumerate() {
        let (window, heard) = open(over);
        let _ = window.window().take_snapshot().unwrap();
        let all = END.iter().flat_map(|label| ElementHandle::find_by_accessible_label(&window, label));
        for end in all {
            end.mock_single_click(PointerEventButton::Left);
        }
        assert_eq!(heard.take(), ["EndPressed"], "{place}: {}", over.name);
        for _ in 0..12 {
            press(&window, Key::Tab.into());
            press(&window, Key::Return.into());
        }
        let heard = heard.take();
        assert!(heard.contains(&"EndPressed".to_owned()), "{place}: {}: {heard:?}", over.name);
    }
}

/// Whether to go on has two answers, and the one is the end.
pub(crate) fn s31_t34_who_is_asked_whether_to_go_on_ends_it_by_the_one_button_that_says_so(lang: Lang) {
    let (window, heard) = open(&scene("agent-live-continue", lang));
    let _ = window.window().take_snapshot().unwrap();
    let (ends, goes_on) =
        if lang == Lang::En { ("End the session", "Continue") } else { ("終了する", "続ける") };
    only(&window, goes_on, AccessibleRole::Button);
    // What stands below the question is dead while it stands.
    for end in END.iter().flat_map(|label| ElementHandle::find_by_accessible_label(&window, label)) {
        end.mock_single_click(PointerEventButton::Left);
    }
    assert_eq!(heard.take(), Vec::<String>::new());
    only(&window, ends, AccessibleRole::Button).mock_single_click(PointerEventButton::Left);
    let heard = heard.take();
    let is_no = heard.len() == 1 && heard[0].contains("AnswerPressed { yes: false");
    assert!(is_no, "{heard:?}");
}
