//! What the end user's window tells of a running session, and what the person does there.

use super::*;

/// The press asks; what the switch shows is the model's answer, the second time too.
pub(crate) fn a_switch_shows_what_is_granted_and_no_more(lang: Lang) {
    let mut live = scene("agent-live-control", lang);
    let (window, heard) = open(&live);
    let all = Mode::Control.ceiling();
    let switch = switches(&window).into_iter().find(|switch| switch.accessible_enabled() == Some(true));
    let switch = switch.expect("a right can be taken away");
    switch.invoke_accessible_default_action();
    assert_eq!(heard.take().len(), 1);
    assert_eq!(switch.accessible_checked(), Some(true), "nothing was taken yet");
    for granted in [all, Rights::of(&[Capability::SeeScreen]), all] {
        tell(&mut live, News::Effective(granted));
        view::show(&live.model, &window, live.now);
        assert_eq!(switch.accessible_checked(), Some(granted == all));
    }
}

/// What is pressed lands where it was aimed, whatever is told meanwhile.
pub(crate) fn nothing_that_is_told_moves_a_switch(lang: Lang) {
    let places = |window: &AgentWindow| {
        let at = |switch: ElementHandle| (switch.absolute_position().y, switch.size().height);
        switches(window).into_iter().map(at).collect::<Vec<_>>()
    };
    for (width, height) in [(460.0, 740.0), (380.0, 740.0)] {
        let mut live = scene("agent-live-own-hand", lang);
        tell(&mut live, News::OwnHand(false));
        let (window, _) = open(&live);
        window.window().set_size(LogicalSize::new(width, height));
        let before = places(&window);
        assert!(before.len() > 2, "{before:?}");
        let operate = Rights::of(&[Capability::Operate]);
        let timed = News::Allowed { rights: operate, seconds: Some(900) };
        let over = News::Effective(Mode::Control.ceiling().without(Capability::Operate));
        let path = News::PathChosen(PathKind::Relayed);
        let held = [News::OwnHand(true), News::Reconnecting, path, News::Paused(true)];
        for news in held.into_iter().chain([timed.clone(), over, timed.clone()]) {
            let told = format!("{news:?}");
            tell(&mut live, news);
            view::show(&live.model, &window, live.now);
            assert_eq!(places(&window), before, "{told} at {width}");
        }
        let mut view = scene("agent-live-view", lang);
        let (window, _) = open(&view);
        window.window().set_size(LogicalSize::new(width, height));
        let before = places(&window);
        tell(&mut view, timed);
        view::show(&view.model, &window, view.now);
        let after = places(&window);
        assert_eq!(after.len(), before.len() + 1, "a new row");
        assert_eq!(after[..before.len()], before, "it stands below the others, at {width}");
    }
}

/// Which path carries it, and what protects that one, in words that do not worry.
pub(crate) fn what_protects_the_session_is_told_of_the_path_that_carries_it(lang: Lang) {
    let said = |en, ja| if lang == Lang::En { en } else { ja };
    let mut live = scene("agent-live-details", lang);
    let told = |scene: &Scene, words: &str| find(&open(scene).0, words, AccessibleRole::Text).is_some();
    let direct = said("Direct, from computer to computer", "直接（コンピュータ同士）");
    let relayed = said("Through the relay, sealed end to end", "中継（端から端まで暗号化）");
    let ciphers = "WebRTC · DTLS 1.3 AES-256-GCM · SRTP AES-256-GCM";
    assert!(told(&live, direct) && told(&live, ciphers));
    let noise = "Noise · TLS";
    let path = PathKind::Relayed;
    tell(&mut live, News::PathUp { path, ciphers: noise.to_owned() });
    assert!(told(&live, ciphers) && !told(&live, noise), "it stands, and carries nothing");
    tell(&mut live, News::PathChosen(path));
    assert!(told(&live, relayed) && told(&live, noise) && !told(&live, ciphers));
    tell(&mut live, News::Reconnecting);
    assert!(!told(&live, noise) && !told(&live, relayed), "nothing carries it");

    let page = scene("agent-live-control", lang);
    let (window, heard) = open(&page);
    only(
        &window,
        said("Encrypted from end to end", "端から端まで暗号化されています"),
        AccessibleRole::Text,
    );
    assert!(!told(&page, ciphers), "the registries' names are for who asks");
    only(&window, said("Details", "詳しく"), AccessibleRole::Button).invoke_accessible_default_action();
    assert_eq!(heard.take(), ["Opened(Details)"]);
    let (window, heard) = open(&scene("agent-live-details", lang));
    turn(&window);
    press(&window, Key::Escape.into());
    assert_eq!(heard.take(), ["Opened(Nothing)"]);
}

pub(crate) fn what_ends_only_with_the_session_is_no_switch(lang: Lang) {
    let (window, _) = open(&scene("agent-live-control", lang));
    let seen = match lang {
        Lang::En => "Your screen is seen by the operator.",
        Lang::Ja => "あなたの画面がオペレータに見えます。",
    };
    only(&window, seen, AccessibleRole::Text);
    assert!(find(&window, seen, AccessibleRole::Switch).is_none());
    assert!(switches(&window).iter().all(|switch| switch.accessible_enabled() == Some(true)));
}

/// Allow stood where Pause stands.
pub(crate) fn pause_wakes_up_late_and_the_end_does_not(lang: Lang) {
    let [pause, end] =
        if lang == Lang::En { ["Pause", "End now"] } else { ["一時停止", "今すぐ終了"] };
    let mut live = scene("agent-live-view", lang);
    for (later, awake) in [(0, false), (799, false), (800, true)] {
        live.now = live.now - Duration::from_secs(754) + Duration::from_millis(later);
        let (window, _) = open(&live);
        let enabled = |label| only(&window, label, AccessibleRole::Button).accessible_enabled();
        assert_eq!((enabled(pause), enabled(end)), (Some(awake), Some(true)), "after {later} ms");
        live.now = live.now + Duration::from_secs(754) - Duration::from_millis(later);
    }
}

/// The window with the model behind it, as in the program.
pub(crate) fn lives(scene: Scene) -> (AgentWindow, Rc<RefCell<Scene>>) {
    let (window, _) = open(&scene);
    let scene = Rc::new(RefCell::new(scene));
    wiring::wire(&window, &Looped { window: window.as_weak(), scene: Rc::clone(&scene) });
    turn(&window);
    (window, scene)
}

#[derive(Clone)]
struct Looped {
    window: slint::Weak<AgentWindow>,
    scene: Rc<RefCell<Scene>>,
}

impl Ear for Looped {
    fn send(&self, msg: Msg) {
        let mut scene = self.scene.borrow_mut();
        let now = scene.now;
        let _ = scene.model.update(msg, now);
        if let Some(window) = self.window.upgrade() {
            view::show(&scene.model, &window, now);
        }
    }

    fn pressed(&self, _: Opening, _: Means) {}
}

/// What appeared is made, and what follows from it is done.
pub(crate) fn turn(window: &AgentWindow) {
    let _ = window.window().take_snapshot().unwrap();
    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(20));
}

/// After a fault nobody types the number twice, and any digit of it can be mended by keys alone.
pub(crate) fn a_kept_number_is_mended_by_keys(lang: Lang) {
    let (window, _) = lives(scene("agent-number-unreachable", lang));
    let typed = || {
        let all = ElementQuery::from_root(&window).match_accessible_role(AccessibleRole::TextInput);
        all.find_first().unwrap().accessible_value().unwrap().to_string()
    };
    assert_eq!(typed(), "4829 1530 6126");
    press(&window, Key::Backspace.into());
    assert_eq!(typed(), "4829 1530 612", "the caret stands at the end");
    press(&window, "7".into());
    assert_eq!(typed(), "4829 1530 6127");
    press(&window, Key::Home.into());
    press(&window, Key::RightArrow.into());
    press(&window, Key::Backspace.into());
    press(&window, "5".into());
    press(&window, Key::Delete.into());
    press(&window, "0".into());
    assert_eq!(typed(), "5029 1530 6127", "each key where the caret stands");
    press(&window, Key::RightArrow.into());
    press(&window, Key::RightArrow.into());
    press(&window, Key::Delete.into());
    press(&window, "8".into());
    assert_eq!(typed(), "5029 8530 6127", "through the gap between two groups");
}

/// The end user answers by keyboard alone, as long as messages are allowed.
pub(crate) fn the_person_answers_the_operator(lang: Lang) {
    let said = |en, ja| if lang == Lang::En { en } else { ja };
    for name in ["agent-live-message", "agent-watching-talk"] {
        let (window, heard) = open(&scene(name, lang));
        let label = said("Messages", "メッセージ");
        let all = ElementQuery::from_root(&window).match_accessible_role(AccessibleRole::Button);
        let button = all
            .match_predicate(move |e| e.accessible_label().is_some_and(|l| l.starts_with(label)))
            .find_first();
        button.expect("there is a button for messages").invoke_accessible_default_action();
        assert_eq!(heard.take().len(), 1, "{name}");
    }
    let (window, heard) = open(&scene("agent-live-message", lang));
    only(&window, said("Answer", "返信する"), AccessibleRole::Button)
        .invoke_accessible_default_action();
    assert_eq!(heard.take(), ["Opened(Talk)"]);

    for name in ["agent-live-talk", "agent-watching-talk"] {
        let (window, heard) = open(&scene(name, lang));
        only(&window, said("The settings are open now.", "設定を開きました。"), AccessibleRole::Text);
        let theirs =
            said("Please open the settings of your printer.", "プリンターの設定を開いてください。");
        only(&window, theirs, AccessibleRole::Text);
        turn(&window);
        press(&window, "o".into());
        press(&window, "k".into());
        press(&window, Key::Return.into());
        assert_eq!(heard.take(), ["Written(\"ok\")"], "{name}: the caret is there at once");
        press(&window, SharedString::from("x".repeat(5000)));
        press(&window, Key::Return.into());
        assert!(heard.take().is_empty(), "{name}: too long for one message");
        let long = said(
            "This message is too long. Please send it in parts.",
            "メッセージが長すぎます。分けて送信してください。",
        );
        only(&window, long, AccessibleRole::Text);
        press(&window, Key::Escape.into());
        assert_eq!(heard.take(), ["Opened(Nothing)"]);
    }

    let (window, live) = lives(scene("agent-live-talk", lang));
    let taken = Mode::Control.ceiling().without(Capability::Chat);
    tell(&mut live.borrow_mut(), News::Effective(taken));
    view::show(&live.borrow().model, &window, live.borrow().now);
    turn(&window);
    let field = said("Write a message", "メッセージを入力");
    let field = only(&window, field, AccessibleRole::TextInput);
    assert_eq!(field.accessible_enabled(), Some(false), "messages are over");
}

/// Where a line of Japanese may break is for a person to say.
pub(crate) fn a_heading_breaks_where_its_words_do() {
    let title = |name, width| {
        let (window, _) = open(&scene(name, Lang::Ja));
        window.window().set_size(LogicalSize::new(width, 740.0));
        let all = ElementQuery::from_root(&window).match_descendants().match_inherits("Title");
        let found = all.find_all().into_iter().next();
        found.map(|title| (title.accessible_label().unwrap_or_default(), title.size().height))
    };
    let (_, line) = title("agent-trouble", 460.0).unwrap();
    let mut seen = 0;
    for width in [460.0, 380.0] {
        for scene in scenes::pictured(Lang::Ja, Shade::Light, Instant::now()) {
            // There it is the question, a whole sentence.
            if scene.name.starts_with("agent-consent") {
                continue;
            }
            if let Some((words, height)) = title(scene.name, width) {
                let lines = words.lines().count() as f32;
                assert!(height < line * (lines + 0.5), "{} at {width}: {words}", scene.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen} headings");
    let (words, height) = title("agent-consent-show", 460.0).unwrap();
    assert!(height < line * 1.5, "no sign of a short sentence stands alone: {words}");
}

/// Whose screen is seen is told whole, above the buttons, however long the name is.
pub(crate) fn the_sentence_over_the_operators_screen_is_whole(lang: Lang) {
    for (width, many) in [(380.0, 1), (460.0, 1), (460.0, 6), (1000.0, 1)] {
        let mut watching = scene("agent-watching-paused", lang);
        let Page::Live(live) = &mut watching.model.page else { panic!("it lives") };
        live.manifest.operator_name = "佐藤 美咲".repeat(many);
        let sentence = match lang {
            Lang::En => format!("You see the screen of {}", live.manifest.operator_name),
            Lang::Ja => format!("{} の画面を見ています", live.manifest.operator_name),
        };
        let (window, _) = open(&watching);
        window.window().set_size(LogicalSize::new(width, 740.0));
        turn(&window);
        let words = only(&window, &sentence, AccessibleRole::Text);
        let picture = only(&window, &sentence, AccessibleRole::Image).absolute_position().y;
        let end = place(&window, END);
        let (at, size) = (words.absolute_position(), words.size());
        let whole = (at.x, at.y, at.x + size.width, at.y + size.height);
        assert!(!overlap(Some(whole), end), "{width}: the button covers the sentence");
        assert!(whole.3 <= picture && end.unwrap().3 <= picture, "{width}: over the picture");
        let line = 14.0 * 1.2;
        let needed = sentence.chars().map(|c| if c.is_ascii() { 7.0 } else { 14.0 }).sum::<f32>();
        let lines = (needed / size.width).floor().max(1.0);
        assert!(size.height >= lines * line, "{width}: {sentence} in {size:?}");
        let before = picture;
        tell(&mut watching, News::Paused(false));
        view::show(&watching.model, &window, watching.now);
        let after = only(&window, &sentence, AccessibleRole::Image).absolute_position().y;
        assert_eq!(after.to_bits(), before.to_bits(), "what is told moves no picture");
    }
}

/// Who operates, who paused whom, and whose screen it was.
pub(crate) fn what_is_said_is_true_of_the_rights_and_the_mode(lang: Lang) {
    let en = lang == Lang::En;
    let says = |scene: &Scene, (in_en, in_ja): (&str, &str)| {
        only(&open(scene).0, if en { in_en } else { in_ja }, AccessibleRole::Text);
    };
    let operated =
        ("Misaki Sato sees and operates this screen", "佐藤 美咲 がこの画面を見て操作しています");
    let seen = ("Misaki Sato sees this screen", "佐藤 美咲 がこの画面を見ています");
    let mut live = scene("agent-live-control", lang);
    says(&live, operated);
    tell(&mut live, News::Paused(true));
    says(&live, seen);
    tell(&mut live, News::Paused(false));
    says(&live, operated);
    tell(&mut live, News::Effective(Rights::of(&[Capability::SeeScreen])));
    says(&live, seen);
    let mut view = scene("agent-live-view", lang);
    says(&view, seen);
    tell(&mut view, News::Allowed { rights: Rights::of(&[Capability::Operate]), seconds: Some(900) });
    says(&view, operated);
    let last = (
        "Paused by the operator: you see the last picture.",
        "オペレータが一時停止しています。最後の画面が見えています。",
    );
    says(&scene("agent-watching-paused", lang), last);
    let ended =
        ("Ended.\nYour screen can be seen no more.", "終了しました。\nあなたの画面はもう見えません。");
    says(&scene("agent-ended", lang), ended);
    let (window, _) = open(&scene("agent-live-more-rights", lang));
    let text = window.global::<QuestionWords<'_>>().get_text();
    let (begin, stop, span) = if en {
        ("The operator uses", '.', "15 minutes")
    } else {
        ("オペレータが", '。', "15 分")
    };
    assert!(text.starts_with(begin) && text.contains(span), "{text}");
    assert!(text.lines().all(|line| line.ends_with(stop)), "{text}");
}

/// Until when, as long as that lasts, and that it is recorded, where it is.
pub(crate) fn t33_the_bar_counts_down_and_says_rec_where_it_is_recorded(lang: Lang) {
    let mut live = scene("agent-live-view", lang);
    let operate = Rights::of(&[Capability::Operate]);
    tell(&mut live, News::Allowed { rights: operate, seconds: Some(900) });
    let said = |live: &Scene, later| {
        let bar = BannerWindow::new().unwrap();
        bar.window().set_size(LogicalSize::new(860.0, 56.0));
        view::show_banner(&live.model, &bar, live.now + Duration::from_secs(later));
        bar.show().unwrap();
        said_on(&bar).join("  ·  ")
    };
    let left = |clock: &str| {
        if lang == Lang::En { format!("{clock} left") } else { format!("残り {clock}") }
    };
    for (later, clock) in [(0, "15:00"), (1, "14:59"), (60, "14:00"), (899, "0:01")] {
        let bar = said(&live, later);
        assert!(bar.ends_with(&left(clock)), "after {later} s: {bar}");
    }
    let bar = said(&live, 900);
    assert!(!bar.contains(left("").trim()), "{bar}");

    for (recording, is_told) in [(Requirement::Required, true), (Requirement::default(), false)] {
        let Page::Live(session) = &mut live.model.page else { panic!("it lives") };
        session.manifest.recording = recording;
        session.allowed = session.allowed.without(Capability::Record);
        let bar = said(&live, 5);
        assert_eq!(bar.contains("● REC"), is_told, "{bar}");
    }
}
